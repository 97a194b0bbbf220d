//! The city: the same for ever by its seed, lively, and made up.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{City, HOUSEHOLDS, STORY_MAX, Story};
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
