//! The behaviour of a crew, drawn at random: its answer to an offer and its delay, and the course of a job. It is a
//! pure function of the seed, the crew and the offer or ticket, so a seed always gives the same behaviour. Absent:
//! clocks, maps and calls.
//!
//! All times are minutes of simulated time.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use switchboard_wire::proto::DeclineReason;

use crate::script::Source;

/// Shares and times. The shares of answers and the variation of travel times are those of the storm-day scenarios that
/// the benches use. Repair times are medians by number of customers without power, from the recorded outages of an
/// American utility.
#[derive(Clone, Debug, PartialEq)]
pub struct Conduct {
    /// The share of offers that are accepted.
    pub accepts: f64,
    /// The share of offers that are declined; the rest is never answered.
    pub declines: f64,
    /// The median time until an offer is answered.
    pub answer_minutes: f64,
    /// The median time from acceptance to departure.
    pub turn_out_minutes: f64,
    /// The standard deviation of the logarithm of a trip's duration relative to the expected one.
    pub travel_sigma: f64,
    /// The share of trips that get stuck.
    pub stuck: f64,
    /// The factor of the duration of a trip that gets stuck.
    pub stuck_factor: f64,
    /// The standard deviation of the logarithm of a repair's duration.
    pub repair_sigma: f64,
    /// The longest repair in minutes; after that, power is restored by switching.
    pub repair_minutes_max: f64,
    /// The share of jobs that turn out to need high voltage; a crew without that skill hands them over.
    pub beyond_low_voltage: f64,
    /// The share of jobs during which the signal is lost for a while.
    pub signal_lost: f64,
    /// The share of late bundles that are sent twice, because the first answer was lost.
    pub bundle_twice: f64,
    /// The share of late bundles that are sent in another order than that of the steps.
    pub bundle_shuffled: f64,
    /// The share of devices whose clock is wrong by up to a day.
    pub clock_wrong: f64,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            accepts: 0.93,
            declines: 0.05,
            answer_minutes: 0.9,
            turn_out_minutes: 2.0,
            travel_sigma: 0.15,
            stuck: 0.05,
            stuck_factor: 3.0,
            repair_sigma: 1.0,
            repair_minutes_max: 240.0,
            beyond_low_voltage: 0.06,
            signal_lost: 0.1,
            bundle_twice: 0.5,
            bundle_shuffled: 0.5,
            clock_wrong: 0.1,
        }
    }
}

/// A crew's answer to an offer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Response {
    /// It accepts the offer after this many minutes.
    Accept(f64),
    /// It declines the offer after this many minutes, with a reason.
    Decline(f64, DeclineReason),
    /// It does not answer.
    Silence,
}

/// The course of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// Minutes from acceptance to departure.
    pub turn_out: f64,
    /// The factor of the trip's duration relative to the expected one.
    pub trip_factor: f64,
    /// Minutes from arrival to diagnosis.
    pub look: f64,
    /// Minutes from diagnosis to restoration.
    pub repair: f64,
    /// The crew's estimate of the repair time relative to the actual one.
    pub etr_factor: f64,
    /// True if the job needs high voltage, which is seen at the diagnosis.
    pub beyond_low_voltage: bool,
    /// Minutes from restoration to reply.
    pub paperwork: f64,
    /// The loss of signal during the job, if any.
    pub blackout: Option<Blackout>,
}

/// A period without signal during a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blackout {
    /// Its start in minutes after acceptance.
    pub after: f64,
    /// Its duration in minutes.
    pub lasts: f64,
    /// True if the bundle is sent twice afterwards.
    pub twice: bool,
    /// True if the steps are sent out of order afterwards.
    pub shuffled: bool,
}

/// The longest period without signal, in minutes.
const BLACKOUT_MINUTES_MAX: f64 = 60.0;
/// The reasons for which a crew declines. They exclude a missing skill, because the planner knows the skills.
const REASONS: [DeclineReason; 4] =
    [DeclineReason::Equipment, DeclineReason::Road, DeclineReason::Crew, DeclineReason::Safety];
/// Median repair minutes by the most customers without power; `REPAIR_BEYOND` applies above the last bound.
const REPAIRS: [(u32, f64); 4] = [(1, 37.0), (10, 105.0), (100, 85.0), (1000, 129.0)];
const REPAIR_BEYOND: f64 = 178.0;

impl Conduct {
    /// Returns the crew's answer to that offer.
    #[must_use]
    pub fn response(&self, seed: u64, crew: &str, offer: &str) -> Response {
        let mut dice = dice(seed, crew, offer);
        let after = log_normal(&mut dice, self.answer_minutes, 0.3);
        let drawn = dice.random_range(0.0..1.0);
        if drawn < self.accepts {
            Response::Accept(after)
        } else if drawn < self.accepts + self.declines {
            Response::Decline(after, REASONS.choose(&mut dice).copied().unwrap_or(DeclineReason::Road))
        } else {
            Response::Silence
        }
    }

    /// Returns the course of that ticket for the crew, with `customers_out` customers without power.
    #[must_use]
    pub fn errand(&self, seed: u64, crew: &str, ticket: &str, customers_out: u32) -> Errand {
        let mut dice = dice(seed, crew, ticket);
        let stuck = dice.random_bool(self.stuck);
        let trip_factor = log_normal(&mut dice, 1.0, self.travel_sigma) * if stuck { self.stuck_factor } else { 1.0 };
        let band = REPAIRS.iter().find(|(upto, _)| customers_out <= *upto);
        let median = band.map_or(REPAIR_BEYOND, |(_, minutes)| *minutes);
        let blackout = dice.random_bool(self.signal_lost).then(|| Blackout {
            after: dice.random_range(1.0..BLACKOUT_MINUTES_MAX),
            lasts: dice.random_range(5.0..BLACKOUT_MINUTES_MAX),
            twice: dice.random_bool(self.bundle_twice),
            shuffled: dice.random_bool(self.bundle_shuffled),
        });
        Errand {
            turn_out: log_normal(&mut dice, self.turn_out_minutes, 0.3),
            trip_factor,
            look: dice.random_range(3.0..15.0),
            repair: log_normal(&mut dice, median, self.repair_sigma).clamp(2.0, self.repair_minutes_max),
            etr_factor: log_normal(&mut dice, 1.1, 0.4),
            beyond_low_voltage: dice.random_bool(self.beyond_low_voltage),
            paperwork: dice.random_range(5.0..20.0),
            blackout,
        }
    }

    /// Returns the error of the clock of the crew's device in seconds.
    #[must_use]
    pub fn clock_error_seconds(&self, seed: u64, crew: &str) -> i64 {
        let mut dice = dice(seed, crew, "clock");
        if dice.random_bool(self.clock_wrong) { dice.random_range(-86_400..86_400) } else { dice.random_range(-5..=5) }
    }
}

/// Seeds a generator for one decision of one crew. Each decision has its own seed, so the result does not depend on the
/// order of the calls.
fn dice(seed: u64, crew: &str, about: &str) -> StdRng {
    let source = Source::named(&format!("crews/{seed}"));
    StdRng::seed_from_u64(source.script(&format!("{crew}/{about}")).as_u64_pair().0)
}

/// Draws a log-normal number (Box-Muller).
fn log_normal(dice: &mut StdRng, median: f64, sigma: f64) -> f64 {
    let (radius, angle): (f64, f64) = (dice.random_range(f64::EPSILON..1.0), dice.random_range(0.0..1.0));
    let normal = (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
    median * (sigma * normal).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew-1";

    fn share(count: usize, of: usize) -> f64 {
        count as f64 / of as f64
    }

    #[test]
    fn the_same_seed_crew_and_offer_always_give_the_same_answer_and_another_crew_its_own() {
        let conduct = Conduct::default();
        let of = |seed, crew: &str| -> Vec<Response> {
            (0..200).map(|offer| conduct.response(seed, crew, &format!("offer-{offer}"))).collect()
        };
        assert_eq!(of(1, CREW), of(1, CREW));
        assert_ne!(of(1, CREW), of(2, CREW));
        assert_ne!(of(1, CREW), of(1, "sgcc/zj/hz/yuhang/liangzhu/crew-2"));
        assert_eq!(conduct.errand(1, CREW, "t", 1), conduct.errand(1, CREW, "t", 1));
        assert_ne!(conduct.errand(1, CREW, "t", 1), conduct.errand(1, CREW, "u", 1));
    }

    #[test]
    fn answers_come_in_their_shares_and_after_about_their_median() {
        let conduct = Conduct::default();
        let all: Vec<Response> = (0..20_000).map(|offer| conduct.response(7, CREW, &format!("{offer}"))).collect();
        let accepted = all.iter().filter(|response| matches!(response, Response::Accept(_))).count();
        let declined = all.iter().filter(|response| matches!(response, Response::Decline(..))).count();
        let silent = all.iter().filter(|response| matches!(response, Response::Silence)).count();
        assert!((share(accepted, all.len()) - 0.93).abs() < 0.01, "{accepted}");
        assert!((share(declined, all.len()) - 0.05).abs() < 0.01, "{declined}");
        assert!((share(silent, all.len()) - 0.02).abs() < 0.005, "{silent}");
        let mut after: Vec<f64> =
            all.iter().filter_map(|r| if let Response::Accept(after) = r { Some(*after) } else { None }).collect();
        after.sort_by(f64::total_cmp);
        assert!((after[after.len() / 2] - 0.9).abs() < 0.05, "{}", after[after.len() / 2]);
    }

    #[test]
    fn a_crew_never_declines_without_a_cause_that_the_api_knows() {
        let conduct = Conduct { accepts: 0.0, declines: 1.0, ..Conduct::default() };
        for offer in 0..500 {
            let Response::Decline(after, reason) = conduct.response(3, CREW, &offer.to_string()) else {
                panic!("offer {offer} is not declined")
            };
            assert!(after > 0.0 && reason != DeclineReason::Unspecified);
        }
    }

    #[test]
    fn jobs_go_wrong_in_their_shares_and_the_more_are_out_the_longer_they_take() {
        let conduct = Conduct::default();
        let errands = |customers| -> Vec<Errand> {
            (0..5_000).map(|ticket| conduct.errand(11, CREW, &ticket.to_string(), customers)).collect()
        };
        let one = errands(1);
        let lost = one.iter().filter(|errand| errand.blackout.is_some()).count();
        assert!((share(lost, one.len()) - 0.1).abs() < 0.02, "{lost}");
        let beyond = one.iter().filter(|errand| errand.beyond_low_voltage).count();
        assert!((share(beyond, one.len()) - 0.06).abs() < 0.02, "{beyond}");
        let stuck = one.iter().filter(|errand| errand.trip_factor > 2.0).count();
        assert!((share(stuck, one.len()) - 0.05).abs() < 0.01, "{stuck}");
        assert!(one.iter().all(|e| e.turn_out > 0.0 && e.look >= 3.0 && (2.0..=240.0).contains(&e.repair)));
        let median = |mut errands: Vec<Errand>| {
            errands.sort_by(|a, b| a.repair.total_cmp(&b.repair));
            errands[errands.len() / 2].repair
        };
        assert!((median(one) - 37.0).abs() < 3.0);
        assert!((median(errands(500)) - 129.0).abs() < 8.0);
    }

    #[test]
    fn most_clocks_are_right_and_some_are_wrong_by_hours() {
        let conduct = Conduct::default();
        let errors: Vec<i64> = (0..1000).map(|crew| conduct.clock_error_seconds(1, &format!("crew-{crew}"))).collect();
        let wrong = errors.iter().filter(|error| error.abs() > 600).count();
        assert!((60..=140).contains(&wrong), "{wrong}");
        assert!(errors.iter().all(|error| error.abs() <= 86_400));
    }
}
