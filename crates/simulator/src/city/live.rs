//! Live faults of the city: the hotline receives them, an agent dispatches them to a unit's desk, and the dispatcher
//! finds the crews. The script continues after the crew's reply. Absent: the crews, and times other than the pace.

use chrono::TimeDelta;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use switchboard_wire::proto::{self as pb, BusinessType, Grade, RevisitMethod, Satisfaction, Urgency};

use super::{
    CITY, City, FEEDERS_PER_STATION, HOUSEHOLDS, HOUSEHOLDS_PER_TRANSFORMER, Household, STATIONS,
    TRANSFORMERS_PER_FEEDER, county, scene::Scene, words,
};
use crate::{
    Timestamp,
    crews::roster::{Member, serves},
    request::Request,
    script::{REPLIED, Script, Source, of_unit},
};

/// The factor of the call rate in a storm.
pub const STORM_FACTOR: u32 = 12;
/// The duration of a storm in minutes.
pub const STORM_MINUTES: i64 = 5;
/// The number of feeders that a storm strikes.
const STORM_FEEDERS: u32 = 3;
/// The most faults of one run, without those that a storm adds.
pub const FAULTS_MAX: u32 = 100_000;

/// The number of faults and their period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The number of faults without a storm, at most `FAULTS_MAX`.
    pub count: u32,
    /// The period of the calls in minutes, at least 1.
    pub minutes: i64,
    /// True if a storm begins in the middle of the period and adds faults.
    pub storm: bool,
}

impl Faults {
    /// Returns the number of faults that the storm adds: for [`STORM_MINUTES`], the rate is [`STORM_FACTOR`] times the
    /// usual one.
    #[must_use]
    pub fn by_storm(&self) -> u32 {
        let usual = i64::from(self.count.min(FAULTS_MAX)) * STORM_MINUTES / self.minutes.max(1);
        let more = usual.max(1) * i64::from(STORM_FACTOR - 1);
        if self.storm && self.count > 0 { u32::try_from(more).unwrap_or(FAULTS_MAX) } else { 0 }
    }
}

impl City {
    /// Generates the scripts of the faults in order of their calls. The times of the steps only set the pace; no
    /// request has an `occurred_at`. Playing the same faults again therefore finds them on record and adds nothing.
    #[must_use]
    pub fn faults(&self, faults: &Faults, roster: &[Member]) -> Vec<Script> {
        let source = Source::named(&format!("live/{}/{}/{}/{}", self.seed, faults.count, faults.minutes, faults.storm));
        let mut dice = StdRng::seed_from_u64(source.script("faults").as_u64_pair().0);
        let seconds = faults.minutes.max(1) * 60;
        let anywhere = |dice: &mut StdRng| (dice.random_range(0..seconds), dice.random_range(0..HOUSEHOLDS));
        let mut calls: Vec<(i64, u32)> = (0..faults.count.min(FAULTS_MAX)).map(|_| anywhere(&mut dice)).collect();
        let struck: Vec<u32> =
            (0..STORM_FEEDERS).map(|_| dice.random_range(0..STATIONS * FEEDERS_PER_STATION)).collect();
        for nth in 0..faults.by_storm() {
            let feeder = struck[nth as usize % struck.len()];
            let households = TRANSFORMERS_PER_FEEDER * HOUSEHOLDS_PER_TRANSFORMER;
            let second = seconds / 2 + dice.random_range(0..STORM_MINUTES * 60);
            calls.push((second, feeder * households + dice.random_range(0..households)));
        }
        calls.sort_unstable();
        let tell = |(nth, (second, household)): (usize, (i64, u32))| {
            let at = Timestamp::UNIX_EPOCH + TimeDelta::seconds(second);
            let scene = Scene::live(self, &source, format!("fault-{nth:06}"), at);
            fault(scene, &self.household(household), roster)
        };
        calls.into_iter().enumerate().map(tell).collect()
    }
}

/// Builds the script of one fault, from the call to the close. It omits the steps between dispatch and reply; the
/// dispatcher and the crews do them.
fn fault(mut scene: Scene<'_>, house: &Household, roster: &[Member]) -> Script {
    let s = &mut scene;
    let customers_out = match s.dice.random_range(0..100) {
        0..75 => 1,
        75..94 => s.dice.random_range(2..=10),
        94..99 => s.dice.random_range(11..=60),
        _ => s.dice.random_range(61..=400),
    };
    let (content, category) = if customers_out == 1 {
        (words::SINGLE_OUTAGE, words::CATEGORY_SINGLE)
    } else {
        (words::SHARED_OUTAGE, words::CATEGORY_SHARED)
    };
    let ticket = s.receive_without_power(house, content, customers_out);
    s.pass(1..2);
    let urgency = if customers_out > 60 { Urgency::Urgent } else { Urgency::Normal };
    s.classify(ticket, category, urgency, Grade::Unspecified);
    let unit = unit(s, house, roster).to_owned();
    let agent = s.agent();
    s.step(ticket, &agent, Request::dispatch(&unit));
    s.step(ticket, &of_unit(&unit), Request::passed()).after(ticket, REPLIED, 1);
    s.step(ticket, &agent, Request::passed());
    // By text message: text messages may be sent at any hour.
    s.step(ticket, &agent, Request::revisit(RevisitMethod::Sms, Satisfaction::Satisfied));
    s.step(ticket, &agent, Request::close());
    scene.finish()
}

/// Chooses the unit that the ticket is dispatched to: mostly the city, sometimes the county or the station. The unit
/// must have a crew with every skill.
fn unit<'h>(s: &mut Scene<'_>, house: &'h Household, roster: &[Member]) -> &'h str {
    let wanted = match s.dice.random_range(0..100) {
        0..60 => CITY,
        60..85 => county(house),
        _ => house.station.as_str(),
    };
    [wanted, county(house)].into_iter().find(|unit| serves(roster, unit)).unwrap_or(CITY)
}

impl Scene<'_> {
    /// An agent receives a fault that leaves `customers_out` customers without power.
    fn receive_without_power(&mut self, house: &Household, content: &str, customers_out: u32) -> crate::script::Slot {
        let premises = if customers_out == 1 { pb::Premises::Single } else { pb::Premises::Multiple };
        let call = self.call(house, BusinessType::FaultRepair, content);
        let call = pb::ReceiveRequest { customers_out: Some(customers_out), premises: premises.into(), ..call };
        self.receive_as(call)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::crews::roster::of_city;

    fn told(seed: u64, faults: Faults) -> Vec<Script> {
        let city = City::new(seed);
        city.faults(&faults, &of_city(&city, 10))
    }

    fn in_the_storm(scripts: &[Script], faults: Faults) -> usize {
        let begins = faults.minutes * 30;
        let window = begins..begins + STORM_MINUTES * 60;
        scripts.iter().filter(|script| window.contains(&script.begins().unwrap().timestamp())).count()
    }

    const QUIET: Faults = Faults { count: 300, minutes: 300, storm: false };
    const STORM: Faults = Faults { storm: true, ..QUIET };

    #[test]
    fn the_same_seed_tells_the_same_faults_in_the_order_of_their_calls() {
        assert_eq!(format!("{:?}", told(4, QUIET)), format!("{:?}", told(4, QUIET)));
        assert_ne!(format!("{:?}", told(4, QUIET)), format!("{:?}", told(5, QUIET)));
        let scripts = told(4, QUIET);
        assert_eq!(scripts.len(), 300);
        assert!(scripts.windows(2).all(|pair| pair[0].begins() <= pair[1].begins()));
    }

    #[test]
    fn a_storm_brings_twelve_times_the_calls_for_five_minutes_and_no_more_after() {
        let scripts = told(4, STORM);
        assert_eq!(scripts.len(), 300 + 55);
        // Five calls in five minutes are usual; the storm adds 55. The usual ones are drawn and vary.
        let stormy = in_the_storm(&scripts, STORM);
        assert!((55..=70).contains(&stormy), "{stormy}");
        let quiet = in_the_storm(&told(4, QUIET), QUIET);
        assert!(quiet <= 15, "{quiet}");
    }

    #[test]
    fn no_request_of_a_live_fault_says_when_and_each_has_an_id_of_its_own() {
        let mut ids = BTreeSet::new();
        for mut step in told(4, STORM).into_iter().flat_map(|script| script.steps) {
            let (id, at) = match step.request.header_mut() {
                Some(header) => (header.request_id.clone(), header.occurred_at),
                None => {
                    let receive = step.request.receive_mut().unwrap();
                    (receive.request_id.clone(), receive.occurred_at)
                }
            };
            assert!(ids.insert(id) && at.is_none(), "{}", step.name);
        }
    }

    #[test]
    fn a_fault_goes_to_a_unit_that_has_a_crew_for_everything() {
        let city = City::new(4);
        for crews in [1, 3, 10] {
            let roster = of_city(&city, crews);
            for script in city.faults(&QUIET, &roster) {
                let to = script.steps.iter().find_map(|step| match &step.request {
                    Request::Dispatch(dispatch) => Some(dispatch.to.clone()),
                    _ => None,
                });
                assert!(serves(&roster, &to.unwrap()), "{crews} crews");
            }
        }
    }
}
