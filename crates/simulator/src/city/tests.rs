//! Tests of the city: determinism by seed, variety, and invented data.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use switchboard_wire::proto::{Area, report_progress_request::Step as Crew};

use super::{City, HOUSEHOLDS, STORY_MAX, Story, stormy_calls};
use crate::{
    Timestamp,
    request::Request,
    script::{Script, Slot},
};

fn midnight() -> Timestamp {
    City::midnight(NaiveDate::from_ymd_opt(2025, 3, 3).unwrap()).unwrap()
}

fn day(seed: u64, calls: u32) -> Vec<Script> {
    City::new(seed).day(midnight(), calls).collect()
}

#[test]
fn the_same_seed_is_the_same_day_byte_for_byte() {
    let bytes = |scripts: Vec<Script>| format!("{scripts:?}");
    assert_eq!(bytes(day(7, 300)), bytes(day(7, 300)));
    assert_ne!(bytes(day(7, 300)), bytes(day(8, 300)));
}

#[test]
fn every_request_of_a_day_has_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for script in day(1, 500) {
        for mut step in script.steps {
            let id = match step.request.header_mut() {
                Some(header) => header.request_id.clone(),
                None => step.request.receive_mut().unwrap().request_id.clone(),
            };
            assert!(ids.insert(id), "{}: {}", script.key, step.name);
        }
    }
}

#[test]
fn a_day_tells_every_story_in_the_order_of_the_clock_and_ends_in_time() {
    let scripts = day(3, 400);
    assert_eq!(scripts.len(), 400);
    assert!(scripts.windows(2).all(|pair| pair[0].begins() <= pair[1].begins()));
    for script in &scripts {
        assert!(script.steps.windows(2).all(|pair| pair[0].at <= pair[1].at), "{}", script.key);
        assert!(script.ends().unwrap() < midnight() + STORY_MAX, "{} ends at {:?}", script.key, script.ends());
    }
    let calls: BTreeSet<&str> = scripts.iter().flat_map(|s| &s.steps).map(|step| step.request.call()).collect();
    for call in ["report", "merge", "unmerge", "return", "reassign", "suspend", "extend", "reopen", "withdraw", "urge"]
    {
        assert!(calls.contains(call), "{call}");
    }
    let businesses: BTreeSet<i32> = scripts
        .iter()
        .flat_map(|script| &script.steps)
        .filter_map(
            |step| if let Request::Receive(receive) = &step.request { Some(receive.business_type) } else { None },
        )
        .collect();
    assert_eq!(businesses, (1..=10).collect(), "all ten business types");
    assert!(scripts.iter().any(|script| script.tickets() > 2), "an outage of several calls");
}

#[test]
fn the_shares_add_up_to_ten_thousand() {
    assert_eq!(Story::ALL.iter().map(|(_, share)| share).sum::<u32>(), 10_000);
}

#[test]
fn a_small_day_is_short_and_a_household_is_always_the_same() {
    assert_eq!(day(5, 0).len(), 0);
    assert_eq!(day(5, 3).len(), 3);
    let city = City::new(5);
    assert_eq!(city.household(11), city.household(HOUSEHOLDS + 11));
    let phone = city.household(42).caller.phone.unwrap();
    assert!(phone.starts_with("1380000"), "{phone}");
    assert_eq!(city.household(0).station.split('/').count(), 5);
}

#[test]
fn a_step_is_named_by_its_ticket_its_call_and_its_turn() {
    let scripts = day(3, 100);
    let script = scripts.iter().find(|script| script.tickets() > 1).unwrap();
    assert_eq!(script.steps[0].name, "0.receive.1");
    assert!(
        script.steps.iter().any(|step| step.slot == Slot(1) && step.name == "1.merge.1" || step.name == "1.classify.1")
    );
}

/// Of the faults that a crew drove to, counts all, those dispatched within 2 minutes, and those reached within 45
/// minutes (90 in rural areas).
fn in_time(scripts: &[Script]) -> [usize; 3] {
    let mut counts = [0; 3];
    for script in scripts {
        let Request::Receive(call) = &script.steps[0].request else { continue };
        let of_the_first = || script.steps.iter().filter(|step| step.slot == Slot(0));
        let is_arrival = |request: &Request| match request {
            Request::ReportProgress(progress) => matches!(progress.step, Some(Crew::Arrived(_))),
            _ => false,
        };
        let Some(arrived) = of_the_first().find(|step| is_arrival(&step.request)) else { continue };
        let Some(sent) = of_the_first().find(|step| step.request.call() == "dispatch") else { continue };
        let rural = call.place.as_ref().is_some_and(|place| place.area() == Area::Rural);
        let limit = TimeDelta::minutes(if rural { 90 } else { 45 });
        counts[0] += 1;
        counts[1] += usize::from(sent.at - script.steps[0].at <= TimeDelta::minutes(2));
        counts[2] += usize::from(arrived.at - script.steps[0].at <= limit);
    }
    counts
}

#[test]
fn an_ordinary_day_keeps_nearly_every_promise_and_a_stormy_one_breaks_many() {
    for seed in 0..8 {
        let [faults, sent, arrived] = in_time(&day(seed, 2000));
        assert!(faults > 200, "seed {seed}: {faults}");
        assert!(sent * 100 >= faults * 96 && sent < faults, "seed {seed}: {sent} of {faults} sent in time");
        assert!(arrived * 100 >= faults * 94 && arrived < faults, "seed {seed}: {arrived} of {faults} on site in time");
        let stormy: Vec<Script> = City::new(seed).stormy_day(midnight(), 2000).collect();
        assert_eq!(stormy.len(), stormy_calls(2000) as usize);
        let [faults, sent, arrived] = in_time(&stormy);
        assert!((45..=85).contains(&(sent * 100 / faults)), "seed {seed}: {sent} of {faults} sent in time");
        assert!((45..=75).contains(&(arrived * 100 / faults)), "seed {seed}: {arrived} of {faults} on site in time");
    }
}

#[test]
fn a_storm_brings_four_fifths_more_faults_within_two_hours() {
    let stormy: Vec<Script> = City::new(3).stormy_day(midnight(), 400).collect();
    assert_eq!(format!("{stormy:?}"), format!("{:?}", City::new(3).stormy_day(midnight(), 400).collect::<Vec<_>>()));
    let (from, to) = (midnight() + TimeDelta::hours(16), midnight() + TimeDelta::hours(18));
    let within = |scripts: &[Script]| scripts.iter().filter(|s| (from..to).contains(&s.begins().unwrap())).count();
    assert!(within(&stormy) > within(&day(3, 400)) * 2, "{}", within(&stormy));
    assert!(stormy.windows(2).all(|pair| pair[0].begins() <= pair[1].begins()));
}
