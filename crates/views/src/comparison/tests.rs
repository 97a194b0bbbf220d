//! Differences between two policies for each pair of verdicts, and properties of flips and counts.

use proptest::prelude::*;
use switchboard_domain::sla::{
    clock_history::{FactName, Word},
    judge::judge,
};

use super::*;
use crate::{
    random,
    story::{self, CREW, NATION, Story, at, edition, judged, unit},
};

/// The story's policy with this limit for arrivals; `None` removes the arrival clock.
fn arriving_within(minutes: Option<i64>) -> Policy {
    let mut policy = story::policy();
    match minutes {
        None => policy.rules.retain(|rule| rule.clock != "arrival"),
        Some(minutes) => {
            let rule = policy.rules.iter_mut().find(|rule| rule.clock == "arrival").unwrap();
            rule.limit = story::minutes(minutes);
            rule.id = format!("within-{minutes}");
        }
    }
    policy
}

/// The flips of a story between two arrival limits, as words.
fn between(story: &Story, was: Option<i64>, would_be: Option<i64>, minute: i64) -> Vec<(&'static str, &'static str)> {
    let clock_history = story.clone().clock_history();
    let [was, would_be] = [was, would_be].map(|limit| judged(&clock_history, arriving_within(limit), at(minute)));
    flips(&clock_history, &was, &would_be).iter().map(|flip| (word(flip.was), word(flip.would_be))).collect()
}

#[test]
fn only_a_verdict_that_differs_is_a_flip() {
    let on_the_way = Story::crewed();
    let arrived = Story::crewed().then(40, FactName::CrewArrived);
    let withdrawn = Story::crewed().then(40, FactName::Withdrawn);
    let waiting = Story::crewed().said(20, FactName::Suspended, Word::Weather);
    for (story, was, would_be, minute, flips) in [
        (&arrived, Some(45), Some(60), 100, &[][..]),
        (&arrived, Some(45), Some(30), 100, &[("kept", "breached")]),
        (&arrived, Some(30), Some(45), 100, &[("breached", "kept")]),
        (&arrived, Some(45), None, 100, &[("kept", "none")]),
        (&arrived, None, Some(30), 100, &[("none", "breached")]),
        (&withdrawn, Some(45), Some(30), 100, &[("cancelled", "breached")]),
        (&withdrawn, Some(45), None, 100, &[("cancelled", "none")]),
        (&on_the_way, Some(45), Some(30), 35, &[("running", "breached")]),
        (&on_the_way, Some(30), Some(45), 35, &[("breached", "running")]),
        (&on_the_way, Some(45), Some(60), 35, &[]),
        (&on_the_way, None, Some(60), 35, &[]),
        (&on_the_way, Some(60), None, 35, &[]),
        (&waiting, Some(45), Some(15), 35, &[("paused", "breached")]),
        (&waiting, Some(45), Some(60), 35, &[]),
        (&waiting, Some(45), None, 35, &[]),
    ] {
        assert_eq!(between(story, was, would_be, minute), flips, "{was:?} and {would_be:?} at {minute}");
    }
}

#[test]
fn a_clock_that_waits_under_one_policy_and_runs_under_the_other_is_no_flip() {
    let clock_history = Story::crewed().said(20, FactName::Suspended, Word::Weather).clock_history();
    let mut without_waits = story::policy();
    without_waits.rules.iter_mut().for_each(|rule| rule.pauses.clear());
    let [was, would_be] = [story::policy(), without_waits].map(|policy| judged(&clock_history, policy, at(30)));
    let verdict = |clocks: &[Clock]| clocks.iter().find(|clock| clock.rule().clock == "arrival").unwrap().verdict;
    assert_eq!((verdict(&was), verdict(&would_be)), (Verdict::Paused, Verdict::Running));
    assert_eq!(flips(&clock_history, &was, &would_be), []);
}

#[test]
fn a_flip_says_of_which_clock_whose_it_is_and_by_which_rules() {
    let clock_history = Story::crewed().then(40, FactName::CrewArrived).numbered(7).clock_history();
    let [was, would_be] = [Some(45), Some(30)].map(|limit| judged(&clock_history, arriving_within(limit), at(100)));
    let found = flips(&clock_history, &was, &would_be);
    let expected = Flip {
        ticket: clock_history.id,
        key: ClockKey { clock: "arrival".into(), cycle: 1, run_number: 1 },
        org: unit(CREW),
        business: BusinessType::FaultRepair,
        was: Some(Verdict::Kept),
        was_rule: "within-45".into(),
        would_be: Some(Verdict::Breached),
        would_be_rule: "within-30".into(),
    };
    assert_eq!(found, [expected]);
}

#[test]
fn where_one_side_alone_has_judged_its_unit_answers() {
    let clock_history = Story::crewed().clock_history();
    let [was, would_be] = [None, Some(1)].map(|limit| judged(&clock_history, arriving_within(limit), at(100)));
    let found = flips(&clock_history, &was, &would_be);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].org, unit(story::CITY), "the city had it after a minute");
    assert_eq!((found[0].was_rule.as_str(), found[0].would_be_rule.as_str()), ("", "within-1"));
}

#[test]
fn runs_of_one_clock_are_held_against_each_other_one_by_one() {
    let twice =
        Story::of(BusinessType::FaultRepair).to(1, FactName::Dispatched, story::CITY).then(3, FactName::Accepted);
    let clock_history = twice.to(4, FactName::Dispatched, CREW).then(9, FactName::CrewAccepted).clock_history();
    let mut stricter = story::policy();
    stricter
        .rules
        .iter_mut()
        .filter(|rule| rule.clock == "crew_assignment")
        .for_each(|rule| rule.limit = story::minutes(1));
    let [was, would_be] = [story::policy(), stricter].map(|policy| judged(&clock_history, policy, at(20)));
    let found: Vec<_> = flips(&clock_history, &was, &would_be)
        .iter()
        .map(|f| (f.key.run_number, word(f.was), word(f.would_be)))
        .collect();
    assert_eq!(found, [(1, "kept", "breached")], "the second run is breached under both");
}

#[test]
fn a_policy_on_trial_judges_from_the_beginning_whatever_it_says() {
    let clock_history = Story::crewed().then(40, FactName::CrewArrived).clock_history();
    let coming = Policy { effective_from: at(1_000_000), ..arriving_within(Some(30)) };
    let as_published = judge(&clock_history, &PolicyRegistry::of(edition().under(coming.clone())), at(100));
    assert_eq!(as_published.len(), 0, "published it would judge nothing of this ticket");
    let clocks = judge(&clock_history, &under(&edition(), coming.clone()), at(100));
    let arrival = clocks.iter().find(|clock| clock.rule().clock == "arrival").unwrap();
    assert_eq!(arrival.verdict, Verdict::Breached);
    assert_eq!(arrival.version.number, 0, "it has no number, for it is not published");
    let mut later = edition();
    later.position = 1_000;
    let judged_later = judge(&clock_history, &under(&later, coming), at(100));
    let verdicts = |clocks: &[Clock]| clocks.iter().map(|c| (c.key(), c.verdict, c.due)).collect::<Vec<_>>();
    assert_eq!(
        verdicts(&judged_later),
        verdicts(&clocks),
        "an edition that is newer than the ticket judges no otherwise"
    );
}

#[test]
fn flips_are_counted_by_city_or_above_type_clock_and_direction() {
    let mut comparison = Comparison::default();
    for number in 1..=3 {
        let clock_history = Story::crewed().then(40, FactName::CrewArrived).numbered(number).clock_history();
        let [was, would_be] = [Some(45), Some(30)].map(|limit| judged(&clock_history, arriving_within(limit), at(100)));
        comparison.add(&was, &flips(&clock_history, &was, &would_be));
    }
    let undispatched = Story::of(BusinessType::FaultRepair).clock_history();
    let [was, would_be] = [Some(45), Some(30)].map(|limit| judged(&undispatched, arriving_within(limit), at(35)));
    comparison.add(&was, &flips(&undispatched, &was, &would_be));
    let kind = |org: &str, was, would_be| Kind {
        org: unit(org),
        business: BusinessType::FaultRepair,
        clock: "arrival".into(),
        was,
        would_be,
    };
    let counts: Vec<_> = comparison.counts().map(|(kind, count)| (kind.clone(), count)).collect();
    let expected = [(kind(NATION, "running", "breached"), 1), (kind(story::CITY, "kept", "breached"), 3)];
    assert_eq!(counts, expected);
    // Each ticket with a crew has a dispatch, an arrival and two acceptances; the last one has a dispatch and an
    // arrival.
    assert_eq!((comparison.tickets(), comparison.clocks(), comparison.flips()), (4, 3 * 4 + 2, 4));
}

/// The clock history of each random ticket, with both judgements.
fn two_judgements(facts: &[crate::Fact], now: Timestamp) -> Vec<(ClockHistory, Vec<Clock>, Vec<Clock>)> {
    let judge = |clock_history: &ClockHistory, limit| judged(clock_history, arriving_within(limit), now);
    story::clock_histories(facts)
        .into_iter()
        .map(|d| (d.clone(), judge(&d, Some(45)), judge(&d, Some(24 * 60))))
        .collect()
}

proptest! {
    #[test]
    fn a_policy_never_disagrees_with_itself_and_two_disagree_both_ways(
        facts in random::history(60), now in random::instant(),
    ) {
        for (clock_history, one, other) in two_judgements(&facts, now) {
            prop_assert_eq!(flips(&clock_history, &one, &one), vec![]);
            let mirrored: Vec<_> = flips(&clock_history, &other, &one).into_iter().map(|f| (f.key, f.would_be, f.was)).collect();
            let found: Vec<_> = flips(&clock_history, &one, &other).into_iter().map(|f| (f.key, f.was, f.would_be)).collect();
            prop_assert_eq!(found, mirrored);
        }
    }

    #[test]
    fn flips_are_the_differences_of_the_verdicts_by_name(facts in random::history(60), now in random::instant()) {
        for (clock_history, one, other) in two_judgements(&facts, now) {
            let verdicts = |clocks: &[Clock]| clocks.iter().map(|c| (c.key(), c.verdict)).collect::<BTreeMap<_, _>>();
            let (one_by_name, other_by_name) = (verdicts(&one), verdicts(&other));
            let names: std::collections::BTreeSet<_> = one_by_name.keys().chain(other_by_name.keys()).collect();
            let given = |verdict: Option<&Verdict>| verdict.is_some_and(|v| v.is_given());
            let differing = names.into_iter().filter(|name| {
                let (a, b) = (one_by_name.get(name), other_by_name.get(name));
                a != b && (given(a) || given(b))
            });
            let mut found: Vec<_> = flips(&clock_history, &one, &other).into_iter().map(|flip| flip.key).collect();
            found.sort();
            prop_assert_eq!(found, differing.cloned().collect::<Vec<_>>());
        }
    }

    #[test]
    fn parts_counted_apart_in_any_order_come_to_the_same(
        facts in random::history(60), now in random::instant(), cut in 0usize..6,
    ) {
        let judged = two_judgements(&facts, now);
        let count = |part: &mut dyn Iterator<Item = &(ClockHistory, Vec<Clock>, Vec<Clock>)>| {
            let mut comparison = Comparison::default();
            for (clock_history, one, other) in part {
                comparison.add(one, &flips(clock_history, one, other));
            }
            comparison
        };
        let whole = count(&mut judged.iter());
        prop_assert_eq!(&count(&mut judged.iter().rev()), &whole);
        let (first, second) = judged.split_at(cut.min(judged.len()));
        let mut merged = count(&mut second.iter());
        merged.merge(count(&mut first.iter()));
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(whole.counts().map(|(_, count)| count).sum::<u64>(), whole.flips());
        prop_assert_eq!(whole.tickets(), judged.len() as u64);
    }
}
