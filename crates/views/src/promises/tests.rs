//! The sentences about promises, word for word, for every state of a clock.

use chrono::TimeDelta;
use proptest::prelude::*;
use switchboard_domain::{
    sla::{clock_history::Change, policy::Policy},
    ticket::BusinessType::{Complaint, FaultRepair},
};

use super::*;
use crate::{
    random,
    story::{self, CITY, CREW, NATION, Story, at},
};

/// Both sentences about a clock of the story's policy, at a minute.
fn sentences(story: Story, clock: &str, minute: i64) -> [String; 2] {
    let clock_history = story.clock_history();
    let clock = story::clock(&clock_history, clock, at(minute));
    [Language::English, Language::Chinese].map(|language| sentence(&clock, &clock_history, at(minute), language))
}

fn complaint() -> Story {
    Story::of(Complaint).to(1, FactName::Dispatched, CITY).then(2, FactName::Accepted)
}

#[test]
fn a_clock_that_runs_says_when_it_is_due_and_what_is_left() {
    assert_eq!(
        sentences(Story::crewed(), "arrival", 30),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, due 10:45, running with 15 min left.",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，应于10:45前完成，进行中，剩余15分钟。",
        ]
    );
}

#[test]
fn a_clock_at_its_due_instant_has_no_time_left_and_is_not_late() {
    let [english, chinese] = sentences(Story::crewed(), "arrival", 45);
    assert!(english.ends_with("running with 0 s left."), "{english}");
    assert!(chinese.ends_with("剩余0秒。"), "{chinese}");
}

#[test]
fn a_kept_promise_says_by_what_it_was_met_and_how_much_was_to_spare() {
    assert_eq!(
        sentences(Story::crewed().then(37, FactName::CrewArrived), "arrival", 600),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, due 10:45, met 10:37 (arrived on site): \
             kept with 8 min to spare.",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，应于10:45前完成，10:37到达现场，按时，剩余8分钟。",
        ]
    );
}

#[test]
fn a_clock_that_waits_says_since_when_and_why() {
    let waiting = Story::crewed().said(20, FactName::Suspended, Word::Weather);
    assert_eq!(
        sentences(waiting, "arrival", 60),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, waiting since 10:20 (for safe weather).",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，自10:20起暂停（天气原因）。",
        ]
    );
}

#[test]
fn a_wait_that_is_over_moves_due_and_is_told() {
    let waited = Story::crewed().said(20, FactName::Suspended, Word::Weather).then(50, FactName::Resumed);
    let waited = waited.then(76, FactName::CrewArrived);
    assert_eq!(
        sentences(waited, "arrival", 80),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, waited 30 min, due 11:15, met 11:16 \
             (arrived on site): breached by 1 min; sgcc/zj/hz/yuhang/liangzhu/crew3 answers for it.",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，等待30分钟，应于11:15前完成，11:16到达现场，超时1分钟，\
             责任单位sgcc/zj/hz/yuhang/liangzhu/crew3。",
        ]
    );
}

#[test]
fn a_promise_met_while_its_clock_waited_is_kept_without_margin() {
    let met = Story::crewed().said(20, FactName::Suspended, Word::Customer).then(200, FactName::CrewArrived);
    assert_eq!(
        sentences(met, "arrival", 300),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, waited 3 h, met 13:20 (arrived on site): \
             kept while it waited.",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，等待3小时，13:20到达现场，暂停期间完成，按时。",
        ]
    );
}

#[test]
fn a_breach_that_lasts_names_who_answers_for_it() {
    let handed_on = Story::crewed().to(50, FactName::Reassigned, "sgcc/zj/hz/yuhang/liangzhu/crew4");
    assert_eq!(
        sentences(handed_on, "arrival", 45 + 26 * 60),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, due 10:45, not met yet: breached by \
             1 d 2 h so far; sgcc/zj/hz/yuhang/liangzhu/crew3 answers for it.",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，应于10:45前完成，尚未完成，已超时1天2小时，\
             责任单位sgcc/zj/hz/yuhang/liangzhu/crew3。",
        ]
    );
}

#[test]
fn a_clock_that_was_cancelled_says_by_what_and_whether_it_was_late_then() {
    assert_eq!(
        sentences(Story::crewed().then(30, FactName::Withdrawn), "arrival", 60),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, due 10:45, ended 10:30 (withdrawn): \
             cancelled.",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，应于10:45前完成，10:30撤销，计时取消。",
        ]
    );
    assert_eq!(
        sentences(Story::crewed().then(50, FactName::Withdrawn), "arrival", 60),
        [
            "Clock arrival, promised within 45 min: started 2026-11-20 10:00, due 10:45, ended 10:50 unmet (withdrawn): \
             breached by 5 min; sgcc/zj/hz/yuhang/liangzhu/crew3 answers for it.",
            "时钟arrival，承诺45分钟：2026-11-20 10:00开始，应于10:45前完成，10:50撤销，未完成，超时5分钟，\
             责任单位sgcc/zj/hz/yuhang/liangzhu/crew3。",
        ]
    );
}

#[test]
fn working_days_are_told_by_name_and_margins_of_them_as_natural_time() {
    assert_eq!(
        sentences(complaint().then(3 * 24 * 60, FactName::Replied), "reply", 4 * 24 * 60),
        [
            "Clock reply, promised within 4 working days: started 2026-11-20 10:00, due 2026-11-26 10:00, met \
             2026-11-23 10:00 (replied): kept with 3 d of natural time to spare.",
            "时钟reply，承诺4个工作日：2026-11-20 10:00开始，应于2026-11-26 10:00前完成，2026-11-23 10:00回单，按时，\
             剩余自然时间3天。",
        ]
    );
}

#[test]
fn an_extension_is_told_with_the_instant_that_it_gives() {
    let extended = complaint().tell(60, FactName::Extended, None, Change::Until(at(10 * 24 * 60)));
    let [english, chinese] = sentences(extended, "reply", 120);
    assert!(
        english.contains(", due 2026-11-30 10:00 (extended), running with 9 d 22 h of natural time left"),
        "{english}"
    );
    assert!(chinese.contains("，应于2026-11-30 10:00前完成（已延期），"), "{chinese}");
}

#[test]
fn years_without_a_calendar_are_named() {
    let late = 50 * 24 * 60;
    let extended = complaint().tell(60, FactName::Extended, None, Change::Until(at(late)));
    let [english, chinese] = sentences(extended, "reply", 120);
    assert!(english.ends_with(", counting Monday to Friday for want of a calendar of 2027."), "{english}");
    assert!(chinese.ends_with("，2027年无日历，按周一至周五计。"), "{chinese}");
}

#[test]
fn seconds_are_told_where_they_matter() {
    for (late, time, by) in [
        (TimeDelta::seconds(20), "10:45:20", "20 s"),
        (TimeDelta::milliseconds(1), "10:45", "less than 1 s"),
        (TimeDelta::seconds(3_661), "11:46:01", "1 h 1 min"),
        (TimeDelta::seconds(3_601), "11:45:01", "1 h"),
    ] {
        let mut clock_history = Story::crewed().then(45, FactName::CrewArrived).clock_history();
        clock_history.events.last_mut().unwrap().at += late;
        let clock = story::clock(&clock_history, "arrival", at(600));
        let english = sentence(&clock, &clock_history, at(600), Language::English);
        assert!(english.contains(&format!("met {time} (arrived on site): breached by {by};")), "{english}");
    }
}

#[test]
fn limits_are_told_as_people_write_them() {
    let limit_texts = |limit| [catalogue::limit_english(limit), catalogue::limit_chinese(limit)];
    for (limit, english, chinese) in [
        (Limit::Elapsed { seconds: 12 }, "12 s", "12秒"),
        (Limit::Elapsed { seconds: 90 }, "90 s", "90秒"),
        (story::minutes(45), "45 min", "45分钟"),
        (story::minutes(90), "90 min", "90分钟"),
        (story::minutes(24 * 60), "24 h", "24小时"),
        (story::minutes(7 * 24 * 60), "7 d", "7天"),
        (Limit::WorkingDays { days: 1 }, "1 working day", "1个工作日"),
        (Limit::WorkingDays { days: 9 }, "9 working days", "9个工作日"),
        (Limit::WorkingTime { seconds: 7_200 }, "2 h of working time", "2小时工作时间"),
    ] {
        assert_eq!(limit_texts(limit), [english, chinese]);
    }
}

#[test]
fn every_fact_and_every_word_has_its_own_words_in_both_languages() {
    fn sound<T: Copy>(all: &[T], english: fn(T) -> &'static str, chinese: fn(T) -> &'static str) {
        let mut known = std::collections::BTreeSet::new();
        for one in all {
            let (english, chinese) = (english(*one), chinese(*one));
            assert!(!english.is_empty() && english.is_ascii(), "{english}");
            assert!(!chinese.is_empty() && !chinese.chars().any(|c| c.is_ascii_alphabetic()), "{chinese}");
            assert!(known.insert(english) && known.insert(chinese), "{english}, {chinese}: told twice");
        }
    }
    sound(FactName::ALL, catalogue::fact_english, catalogue::fact_chinese);
    sound(Word::ALL, catalogue::word_english, catalogue::word_chinese);
}

#[test]
fn the_reason_of_a_wait_is_the_word_of_the_fact_that_began_it() {
    let clock_history = Story::crewed().said(20, FactName::Suspended, Word::ThirdParty).clock_history();
    let clock = story::clock(&clock_history, "arrival", at(60));
    let segments = clock.segments(at(60));
    let reasons: Vec<_> = segments.iter().map(|s| (s.kind.clone(), reason(&clock_history, s.because))).collect();
    assert_eq!(reasons, [(Kind::Running, None), (Kind::Paused, Some(Word::ThirdParty))]);
    assert_eq!(reason(&clock_history, 999), None, "there is no such fact");
}

#[test]
fn who_answers_is_who_could_have_kept_the_promise() {
    let answers = |story: Story, clock: &str, minute: i64| {
        let clock_history = story.clock_history();
        answerable(&story::clock(&clock_history, clock, at(minute)), &clock_history, at(minute)).unwrap().to_string()
    };
    let dispatched = |minute| Story::of(FaultRepair).to(minute, FactName::Dispatched, CITY);
    assert_eq!(answers(Story::of(FaultRepair), "dispatch", 1), NATION, "it runs");
    assert_eq!(
        answers(dispatched(1), "dispatch", 60),
        NATION,
        "kept by the one who dispatched it, not by the one who got it"
    );
    assert_eq!(answers(dispatched(9), "dispatch", 60), NATION, "breached while the nation had it");
    assert_eq!(answers(dispatched(1), "crew_assignment", 60), CITY, "breached while the city had it");
    assert_eq!(answers(dispatched(1), "arrival", 10), CITY, "it runs, and the city has it");
    let moved = Story::crewed().to(44, FactName::Returned, CITY);
    assert_eq!(answers(moved, "arrival", 60), CITY, "whoever has it at due, be it for a minute");
    assert_eq!(answers(Story::crewed().then(46, FactName::CrewArrived), "arrival", 60), CREW);
}

/// The story's policy with every clock that a random ticket may have.
fn policy() -> Policy {
    let mut policy = story::policy();
    for rule in &mut policy.rules {
        rule.when.business.clear();
    }
    policy
}

proptest! {
    #[test]
    fn every_clock_of_any_history_has_one_sentence_in_each_language(
        facts in random::history(40), now in random::instant(),
    ) {
        for clock_history in story::clock_histories(&facts) {
        for clock in story::judged(&clock_history, policy(), now) {
            let english = sentence(&clock, &clock_history, now, Language::English);
            let chinese = sentence(&clock, &clock_history, now, Language::Chinese);
            prop_assert!(english.is_ascii() && english.ends_with('.') && english.matches('.').count() == 1, "{}", english);
            prop_assert!(chinese.ends_with('\u{3002}') && chinese.matches('\u{3002}').count() == 1, "{}", chinese);
            prop_assert!(!english.contains('-') || english.contains("2026-"), "a span is never negative: {}", english);
            prop_assert!(english.contains("kept") == (clock.verdict == Verdict::Kept), "{}", english);
            prop_assert!(english.contains("breached") == (clock.verdict == Verdict::Breached), "{}", english);
            prop_assert!(english.contains("cancelled") == (clock.verdict == Verdict::Cancelled), "{}", english);
            prop_assert!(answerable(&clock, &clock_history, now).is_some());
        }
        }
    }
}
