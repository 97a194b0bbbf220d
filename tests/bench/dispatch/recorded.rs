//! Recorded days of a utility: the minutes from outage to the first crew on site, for the utility and each dispatcher.
//! The dispatchers get the fewest crews that could have made the utility's own visits.
//!
//! `ORDINARY=` is the number of ordinary days (5). They come from the middle fifth of the days by number of tickets.
//! `STORMS` lists the storm days.

use std::path::Path;

use chrono::{Days, NaiveDate};
use switchboard_tests::{
    disk::skipped,
    field::{
        policy::{Dispatcher, Known, first_come::FirstCome, nearest::Nearest, policy},
        recorded::{Recorded, Recording},
        run::play,
        world::minutes,
    },
};

const FILE: &str = "outages-pge-2019-2020.csv.gz";
/// The storm days with the most tickets. Days of public-safety shut-offs are not storms.
const STORMS: [&str; 3] = ["2019-11-26", "2019-11-27", "2020-02-09"];
/// The limits of the printed shares of arrivals, in minutes from the outage.
const WITHIN: [f64; 3] = [45.0, 90.0, 120.0];

pub fn run(data: &Path) -> crate::Outcome<()> {
    let file = data.join(FILE);
    if !file.exists() {
        skipped(&format!("{} is not here; set SWITCHBOARD_DEMAND to the folder that holds it", file.display()));
        return Ok(());
    }
    println!("\n# Dispatch: recorded days, minutes from the outage to the first crew on site");
    println!("in a shift the fewest crews that could have done what the utility did; its on-site times, unknown to us");
    println!(
        "{:<12} {:>8} {:>10}  {:<26} {:>8} {:>8} {:>8} {:>8}",
        "day", "tickets", "crew-hours", "who", "p50", "<=45 %", "<=90 %", "<=120 %"
    );
    let recording = Recording::read(&file)?;
    let seed = crate::setting("SEED", 1_u64);
    let mut all = Totals::default();
    let ordinary = recording.ordinary(crate::setting("ORDINARY", 5_usize));
    ordinary.iter().for_each(|day| all.day(&recording.world(*day, seed), *day));
    all.print("ordinary", "all", "");
    let mut all = Totals::default();
    for day in STORMS {
        let epoch = NaiveDate::default();
        let day = day.parse::<NaiveDate>()?.signed_duration_since(epoch).num_days();
        all.day(&recording.world(day, seed), day);
    }
    all.print("storms", "all", "");
    Ok(())
}

/// The minutes from outage to first arrival, of the utility and of each dispatcher. Infinite if no crew arrived.
#[derive(Default)]
struct Totals(Vec<(&'static str, Vec<f64>)>);

impl Totals {
    fn day(&mut self, recorded: &Recorded, day: i64) {
        let world = &recorded.world;
        let policy = policy();
        let known = Known { policy: policy.clone(), roads: world.roads };
        let all: [Box<dyn Dispatcher>; 3] =
            [Box::new(FirstCome(known.clone())), Box::new(Nearest(known)), Box::new(super::ours(&policy))];
        let mut today = Self(vec![("the utility itself", recorded.observed.iter().flatten().copied().collect())]);
        for mut dispatcher in all {
            let outcome = play(world, &policy, dispatcher.as_mut());
            let judged = recorded.observed.iter().zip(&outcome.served).zip(&world.tickets);
            let judged = judged.zip(&recorded.unknown).filter(|(((observed, _), _), _)| observed.is_some());
            let waits = judged.map(|(((_, served), ticket), unknown)| {
                served.arrived.map_or(f64::INFINITY, |arrived| unknown + minutes(arrived - ticket.reported))
            });
            today.0.push((dispatcher.name(), waits.collect()));
        }
        let date = NaiveDate::default() + Days::new(day.unsigned_abs());
        today.print(&date.to_string(), &today.0[0].1.len().to_string(), &recorded.crew_hours.to_string());
        for (index, (name, waits)) in today.0.into_iter().enumerate() {
            if self.0.len() <= index {
                self.0.push((name, Vec::new()));
            }
            self.0[index].1.extend(waits);
        }
    }

    fn print(&self, day: &str, tickets: &str, hours: &str) {
        for (who, waits) in &self.0 {
            let mut waits = waits.clone();
            waits.sort_by(f64::total_cmp);
            let median = waits.get(waits.len() / 2).copied().unwrap_or(f64::NAN);
            print!("{day:<12} {tickets:>8} {hours:>10}  {who:<26} {median:>8.1}");
            for limit in WITHIN {
                let within = waits.partition_point(|wait| *wait <= limit);
                print!(" {:>8.1}", 100.0 * within as f64 / waits.len().max(1) as f64);
            }
            println!();
        }
    }
}
