//! Live faults with simulated crews that the dispatcher finds: the second half of `demo`, and `replay --crews`.

use std::{path::Path, time::Duration};

use anyhow::Context;
use clap::{Arg, ArgMatches, value_parser};
use serde::Serialize;
use switchboard_simulator::{
    city::{
        CITY, City,
        live::{FAULTS_MAX, Faults},
    },
    crews::{
        Fleet, Play, Tally,
        conduct::Conduct,
        hurry,
        roster::{self, CREWS_MAX, Member},
    },
    driver::{Driver, Options, Report},
    outage::{self, Manner, Outage},
    rows::RowProblem,
    script::{Actor, Script, of_unit},
};

use crate::{bars::bar, flag, option, output};

/// The default of `--times`: simulated time runs 3600 times as fast as real time, so an hour takes a second.
const TIMES_DEFAULT: f64 = 3600.0;
/// The number of tickets of the past day per live fault, by default.
const TICKETS_PER_FAULT: u32 = 20;
/// The simulated minutes between two faults without a storm.
const MINUTES_PER_FAULT: i64 = 6;
/// The longest wait for a crew's reply in simulated hours, and its minimum in real time.
const PATIENCE_HOURS: f64 = 72.0;
const PATIENCE_MIN: Duration = Duration::from_secs(120);
/// The longest interval between two queries for a ticket's reply.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// The shipped dispatch policy, and the file in the data folder for its version with shortened times.
const POLICY: &str = include_str!("../../../deploy/dispatch/sgcc.toml");
const POLICY_FILE: &str = "hurried-dispatch.toml";
/// The most tickets in work at the same time.
const OPEN_MAX: usize = 8192;

/// Returns the arguments of the demo that concern crews.
pub fn demo_arguments() -> [Arg; 4] {
    [
        crews().default_value("10").help("Crews that are offered faults at the end; none with 0"),
        option("faults", "N", "Faults that happen while they are watched; a twentieth of the tickets when absent")
            .value_parser(value_parser!(u32).range(..=i64::from(FAULTS_MAX))),
        flag(
            "storm",
            "A storm from 16 to 18 o'clock of the day that is over, and in the middle of the faults: for five minutes they come twelve times as densely",
        ),
        option("times", "N", "So many times as fast do crews work; 3600 when absent").value_parser(value_parser!(f64)),
    ]
}

/// Builds the option for the number of crews.
pub fn crews() -> Arg {
    let most = u64::try_from(CREWS_MAX).unwrap_or(u64::MAX);
    option("crews", "N", "So many crews").value_parser(value_parser!(u64).range(..=most))
}

/// The result of a run with crews.
#[derive(Debug, Serialize)]
pub struct Live {
    /// The result of the tickets.
    pub tickets: Report,
    /// The result of the crews.
    pub crews: Tally,
}

impl Live {
    /// True if every script was played and every ticket got a crew or a reason, without a failure.
    pub fn is_clean(&self) -> bool {
        self.tickets.is_clean() && self.crews.is_clean()
    }

    /// Prints the result for people.
    pub fn tell(&self) {
        self.lines().iter().for_each(output::line);
    }

    fn lines(&self) -> Vec<String> {
        let (tickets, crews) = (&self.tickets, &self.crews);
        let minutes = |minutes: Option<f64>| minutes.map_or_else(|| "-".into(), |minutes| format!("{minutes:.0} min"));
        let mut lines = vec![
            format!(
                "Then {} faults happened while {} crews were on shift: {} offers, {} accepted, {} declined, {} lapsed; {} restored, {} handed over.",
                tickets.rows,
                crews.crews,
                crews.offers,
                crews.accepted,
                crews.declined,
                crews.lapsed,
                crews.restored,
                crews.handed_over
            ),
            format!(
                "On site after {} (p50) and {} (p90) of simulated time; {} bundles of steps came late, {} twice, {} out of order.",
                minutes(crews.arrival_minutes_p50),
                minutes(crews.arrival_minutes_p90),
                crews.bundles_late,
                crews.bundles_twice,
                crews.bundles_shuffled
            ),
        ];
        let planned = (crews.planned > 0).then(|| format!("in a crew's plan {}", crews.planned));
        let waited = crews.waited_for.iter().map(|(reason, count)| format!("{reason} {count}"));
        let waited: Vec<String> = planned.into_iter().chain(waited).collect();
        if !waited.is_empty() {
            lines.push(format!("The most that waited at once: {}.", waited.join(", ")));
        }
        lines.push(match (crews.waiting, crews.unexplained) {
            (0, 0) => "Nothing was left without a crew or a reason.".into(),
            (waiting, unexplained) => {
                format!("{waiting} still wait for a crew; {unexplained} had neither a crew nor a reason.")
            }
        });
        let problems = crews.problems.iter().take(10);
        lines.extend(problems.map(|p| format!("  {} {}: {} ({})", p.crew, p.call, p.message, p.reason)));
        lines
    }
}

/// Returns the speed that the arguments give.
fn times(matches: &ArgMatches) -> anyhow::Result<f64> {
    let times = matches.get_one::<f64>("times").copied().unwrap_or(TIMES_DEFAULT);
    anyhow::ensure!(times.is_finite() && times > 0.0, "--times takes a number above 0");
    Ok(times)
}

/// Returns the number of crews that the arguments give.
pub fn wanted(matches: &ArgMatches) -> usize {
    matches.get_one::<u64>("crews").and_then(|crews| usize::try_from(*crews).ok()).unwrap_or(0)
}

/// Writes the dispatch policy for a server of our own whose crews work faster than its clock, and returns the path.
/// Returns an empty path without crews.
pub fn hurried_policy(matches: &ArgMatches, data: &Path) -> anyhow::Result<String> {
    if matches.try_get_one::<u64>("crews").ok().flatten().is_none_or(|crews| *crews == 0) {
        return Ok(String::new());
    }
    let file = data.join(POLICY_FILE);
    let policy = hurry::policy(POLICY, times(matches)?).context("the shipped dispatch policy")?;
    std::fs::write(&file, policy).with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(file.display().to_string())
}

/// Plays live faults of the city with its crews.
pub async fn faults(endpoint: &str, matches: &ArgMatches, seed: u64) -> anyhow::Result<Live> {
    let city = City::new(seed);
    let members = roster::of_city(&city, wanted(matches));
    let tickets = matches.get_one::<u32>("tickets").copied().unwrap_or_default();
    let count = matches.get_one::<u32>("faults").copied().unwrap_or_else(|| tickets.div_ceil(TICKETS_PER_FAULT));
    let minutes = i64::from(count) * MINUTES_PER_FAULT;
    let calls = Faults { count, minutes, storm: matches.get_flag("storm") };
    let scripts: Vec<_> = city.faults(&calls, &members).into_iter().map(Ok).collect();
    play(endpoint, scripts, members, &of_unit(CITY), (seed, times(matches)?)).await
}

/// Plays recorded outages as live faults, with crews that stand for the recorded ones. An outage that needs no crew is
/// played as in any replay.
pub async fn replay(
    endpoint: &str,
    matches: &ArgMatches,
    recorded: Vec<Result<Outage, RowProblem>>,
    seed: u64,
) -> anyhow::Result<Live> {
    let members = roster::of_outages(recorded.iter().flatten(), wanted(matches))?;
    let desk = members.first().and_then(|member| member.crew.split('/').next()).context("no outage took a crew")?;
    let desk = of_unit(desk);
    let tell = |outage: &Outage| match roster::unit_for(&members, outage) {
        Some(unit) => outage::live(outage, seed, unit),
        None => outage::script(outage, Manner::Replay { seed }),
    };
    let scripts: Vec<_> = recorded.iter().map(|row| row.as_ref().map(tell).map_err(Clone::clone)).collect();
    play(endpoint, scripts, members, &desk, (seed, times(matches)?)).await
}

async fn play(
    endpoint: &str,
    scripts: Vec<Result<Script, RowProblem>>,
    members: Vec<Member>,
    desk: &Actor,
    (seed, times): (u64, f64),
) -> anyhow::Result<Live> {
    let patience = Duration::try_from_secs_f64(PATIENCE_HOURS * 3600.0 / times).unwrap_or(Duration::MAX);
    let options = Options {
        in_flight: OPEN_MAX,
        pace: Some(times),
        patience: patience.max(PATIENCE_MIN),
        backoff_max: ASK_EVERY,
        ..Options::default()
    };
    let driver = Driver::to(endpoint, options).context("the server's address is none")?;
    let play = Play { seed, times, conduct: Conduct::default(), options: Options::default() };
    let fleet = Fleet::enrol(endpoint, desk, members, play).await?;
    let progress = bar(scripts.len() as u64, "faults");
    let work = fleet.work(driver.play(scripts, |now| progress.set_position(now.rows)));
    let (tickets, crews) = tokio::select! {
        came = work => came,
        () = crate::signal::stopped() => anyhow::bail!("interrupted; running it again completes what is missing"),
    };
    progress.finish_and_clear();
    Ok(Live { tickets, crews })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_names_offers_arrivals_and_who_was_left() {
        let tickets = Report { rows: 20, ..Report::default() };
        let mut crews = Tally { crews: 10, offers: 23, accepted: 20, declined: 2, lapsed: 1, ..Tally::default() };
        crews.arrival_minutes_p50 = Some(31.4);
        crews.waited_for.insert("all_busy".into(), 3);
        crews.planned = 4;
        let live = Live { tickets, crews };
        let text = live.lines().join("\n");
        for part in [
            "20 faults happened",
            "10 crews",
            "23 offers",
            "1 lapsed",
            "31 min (p50)",
            "- (p90)",
            "all_busy 3",
            "in a crew's plan 4",
            "Nothing was left",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(live.is_clean());
        let left = Live { crews: Tally { waiting: 2, unexplained: 1, ..live.crews }, ..live };
        assert!(left.lines().iter().any(|line| line.starts_with("2 still wait")) && !left.is_clean());
    }
}
