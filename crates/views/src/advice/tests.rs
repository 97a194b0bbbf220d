//! The sentences for callers, compared word for word where it matters.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use switchboard_domain::ticket::CaseFile;

use super::*;
use crate::random;

fn instant(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[test]
fn a_crew_under_way_is_announced_with_its_estimate_in_china_time() {
    let estimate = Some(Estimate::By(instant("2026-11-21T06:05:00Z")));
    assert_eq!(
        catalogue::sentence(Standing::CrewEnRoute, estimate, Language::English),
        "A repair crew is on its way; power is expected back by 14:05 on 21 November."
    );
    assert_eq!(
        catalogue::sentence(Standing::CrewEnRoute, estimate, Language::Chinese),
        "\u{62a2}\u{4fee}\u{4eba}\u{5458}\u{5df2}\u{51fa}\u{53d1}\u{ff0c}\u{9884}\u{8ba1}11\u{6708}21\u{65e5}14\u{65f6}05\u{5206}\u{524d}\u{6062}\u{590d}\u{4f9b}\u{7535}\u{3002}"
    );
}

#[test]
fn an_estimate_that_has_gone_by_is_not_promised_again() {
    let said = catalogue::sentence(Standing::CauseKnown, Some(Estimate::Passed), Language::English);
    assert_eq!(
        said,
        "The crew has found the cause and is repairing it; the time estimated earlier has passed and a new one is not known yet."
    );
}

proptest! {
    #[test]
    fn every_ticket_has_one_sentence_in_each_language_and_no_promise_of_the_past(
        facts in random::history(40), now in random::instant(),
    ) {
        let mut file = None;
        for fact in facts.iter().filter(|fact| fact.id == facts[0].id) {
            CaseFile::apply(&mut file, fact);
            let Some(file) = &file else { continue };
            let english = sentence(&file.ticket, now, Language::English);
            let chinese = sentence(&file.ticket, now, Language::Chinese);
            prop_assert_eq!(english.matches('.').count(), 1);
            prop_assert_eq!(chinese.matches('\u{3002}').count(), 1);
            let promised = Estimate::of(&file.ticket, now);
            prop_assert!(promised != Some(Estimate::By(now - TimeDelta::microseconds(1))));
            if let Some(Estimate::By(at)) = promised {
                prop_assert!(at > now && file.is_open());
            }
        }
    }
}
