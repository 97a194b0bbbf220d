//! One clock in one cycle: its start, runs, waits, end and due instant.

use super::tale::{
    Tale, arrival, arrived_in, at, by, days, extended, in_area, in_words, minutes, on, only, resumed, rule, suspended,
    suspended_for, working_minutes, year_2024,
};
use crate::{
    organisation::Level,
    sla::{
        clock_history::{FactName, Reading, Word},
        policy::{Limit, Pause, Rule, Trigger},
    },
    ticket::{
        Area, BusinessType, ContactOutcome, ReplyOutcome, SuspendReason, event,
        tests::sample::{CREW, HZ, NATION, accepted, arrived, dispatched, replied, restored, returned},
    },
};

/// Reply within this limit after the receipt.
fn reply(limit: Limit) -> Rule {
    rule("reply", limit, &[FactName::Received], &[FactName::Replied])
}

/// The same, with pauses while the work waits for the customer or for weather.
fn pausing(limit: Limit) -> Rule {
    Rule { pauses: vec![suspended_for(Word::Customer), suspended_for(Word::Weather)], ..reply(limit) }
}

fn complaint(reading: &str) -> Tale {
    Tale::of(BusinessType::Complaint, reading)
}

fn contacted(outcome: ContactOutcome) -> event::Contacted {
    event::Contacted { outcome, note: None }
}

#[test]
fn a_clock_is_due_when_its_limit_is_used_up() {
    let cases = [
        ("45 minutes run through midnight", minutes(45), "23:50", "03-06 00:35"),
        ("a day of natural time runs through a weekend", minutes(24 * 60), "03-08 17:00", "03-09 17:00"),
        ("and through National Day", minutes(24 * 60), "10-01 08:00", "10-02 08:00"),
        ("working days keep the clock time", days(3), "09:43:05", "03-08 09:43:05"),
        ("and jump a weekend", days(3), "03-08 09:43:05", "03-13 09:43:05"),
        ("a Saturday counts from Monday", days(1), "03-09 09:00", "03-11 09:00"),
        ("a night is as good as a day", days(1), "03-07 23:59:59", "03-08 23:59:59"),
        ("the first minute of a Friday", days(1), "03-08 00:00", "03-11 00:00"),
        ("the first minute of a Saturday", days(1), "03-09 00:00", "03-11 00:00"),
        ("the first minute of a Sunday", days(2), "03-10 00:00", "03-12 00:00"),
        ("the first minute of a holiday", days(1), "10-03 00:00", "10-08 00:00"),
        ("a leap day counts", days(1), "02-28 10:00", "02-29 10:00"),
        ("from a leap day", days(1), "02-29 10:00", "03-01 10:00"),
        ("the days before National Day, one of them made up", days(2), "09-27 20:00", "09-30 20:00"),
        ("over National Day", days(2), "09-29 10:00", "10-08 10:00"),
        ("to a Saturday that is made up", days(1), "10-11 10:00", "10-12 10:00"),
        ("a morning of working time ends at noon", working_minutes(60), "11:00", "12:00"),
        ("lunch does not count", working_minutes(60), "11:30", "14:00"),
        ("nor does the night", working_minutes(60), "17:00", "03-06 09:00"),
        ("nor the small hours", working_minutes(30), "03:00", "09:00"),
        ("nor a weekend", working_minutes(60), "03-08 17:00", "03-11 09:00"),
        ("nor National Day", working_minutes(60), "09-30 17:00", "10-08 09:00"),
    ];
    for (what, limit, received, due) in cases {
        let expected = [format!("reply 1.1 running, due {due}")];
        assert_eq!(complaint(received).stands([reply(limit)], received), expected, "{what}");
    }
}

#[test]
fn due_itself_is_in_time_and_the_instant_after_it_is_not() {
    let tale = || Tale::fault(None, "10:00").and("10:01", dispatched(NATION, HZ));
    let stands = |tale: Tale, now: &str| tale.stands([arrival(45)], now).join("; ");
    assert_eq!(stands(tale(), "10:45"), "arrival 1.1 running, due 10:45");
    assert_eq!(stands(tale(), "10:45:00.000001"), "arrival 1.1 breached, due 10:45");
    assert_eq!(stands(tale().and("10:45", arrived(CREW)), "10:50"), "arrival 1.1 kept, due 10:45");
    assert_eq!(stands(tale().and("10:45:00.000001", arrived(CREW)), "10:50"), "arrival 1.1 breached, due 10:45");
}

#[test]
fn what_a_clock_did_is_told_without_gaps() {
    let working = complaint("09-30 11:30").and("10-08 09:30", replied(HZ, ReplyOutcome::Resolved));
    assert_eq!(
        working.segments(reply(working_minutes(600)), "10-20 12:00"),
        [
            "09-30 11:30 to 09-30 12:00 running",
            "09-30 12:00 to 09-30 13:30 closed",
            "09-30 13:30 to 09-30 17:30 running",
            "09-30 17:30 to 10-08 08:30 国庆节",
            "10-08 08:30 to 10-08 09:30 running",
        ]
    );
    let paused = complaint("10:00")
        .and("10:10", suspended(SuspendReason::Customer))
        .and("10:40", resumed())
        .and("10:50", suspended(SuspendReason::Weather));
    assert_eq!(
        paused.segments(pausing(minutes(60)), "11:30"),
        ["10:00 to 10:10 running", "10:10 to 10:40 paused", "10:40 to 10:50 running", "10:50 to 11:30 paused"]
    );
    let because: Vec<u64> = paused.judged([pausing(minutes(60))], "11:30")[0]
        .segments(at("11:30"))
        .iter()
        .map(|segment| segment.because)
        .collect();
    assert_eq!(because, [3, 4, 5, 6], "each names the fact that began it");
    assert_eq!(paused.segments(pausing(minutes(60)), "09:00"), Vec::<String>::new(), "before its start it did nothing");
    assert_eq!(paused.segments(pausing(minutes(60)), "10:05"), ["10:00 to 10:05 running"]);
}

#[test]
fn a_clock_waits_while_any_of_its_pauses_holds() {
    let (customer, weather, works) = (SuspendReason::Customer, SuspendReason::Weather, SuspendReason::Works);
    let cases = [
        (
            "one pause",
            complaint("10:00").and("10:10", suspended(customer)).and("10:40", resumed()),
            "running, due 11:30",
        ),
        ("one that holds still", complaint("10:00").and("10:10", suspended(customer)), "paused, not due"),
        ("one that the rule does not name", complaint("10:00").and("10:10", suspended(works)), "running, due 11:00"),
        (
            "two that follow each other",
            complaint("10:00")
                .and("10:10", suspended(customer))
                .and("10:20", resumed())
                .and("10:30", suspended(weather))
                .and("10:50", resumed()),
            "running, due 11:30",
        ),
        (
            "one within the other",
            complaint("10:00")
                .and("10:10", suspended(customer))
                .and("10:20", suspended(weather))
                .and("10:30", resumed()),
            "running, due 11:20",
        ),
        (
            "one that begins when the other ends",
            complaint("10:00")
                .and("10:10", suspended(customer))
                .and("10:20", resumed())
                .and("10:20", suspended(weather))
                .and("10:50", resumed()),
            "running, due 11:40",
        ),
        (
            "one at the due instant: nothing is exceeded yet, and nothing is left",
            complaint("10:00").and("11:00", suspended(customer)).and("12:00", resumed()),
            "breached, due 12:00",
        ),
        (
            "one at the due instant that holds still",
            complaint("10:00").and("11:00", suspended(customer)),
            "paused, not due",
        ),
        (
            "one after due changes nothing",
            complaint("10:00").and("11:00:01", suspended(customer)),
            "breached, due 11:00",
        ),
        (
            "one that began before the clock did",
            complaint("10:00").and("10:00", suspended(customer)).and("10:20", resumed()),
            "running, due 11:20",
        ),
        ("an end without a beginning", complaint("10:00").and("10:20", resumed()), "running, due 11:00"),
    ];
    for (what, tale, expected) in cases {
        let now = if expected.starts_with("breached") { "12:30" } else { "10:55" };
        assert_eq!(tale.stands([pausing(minutes(60))], now), [format!("reply 1.1 {expected}")], "{what}");
    }
}

#[test]
fn pauses_of_different_causes_overlap() {
    // Waiting for the customer ends with the contact, waiting for weather with the resumption.
    let waits = vec![
        Pause {
            from: only(FactName::Suspended, Word::Customer),
            until: vec![only(FactName::Contacted, Word::Reached)],
        },
        suspended_for(Word::Weather),
    ];
    let tale = complaint("10:00")
        .and("10:10", suspended(SuspendReason::Customer))
        .and("10:20", suspended(SuspendReason::Weather))
        .and("10:30", contacted(ContactOutcome::Unreachable))
        .and("10:40", contacted(ContactOutcome::Reached))
        .and("10:50", resumed());
    let rule = Rule { pauses: waits, ..reply(minutes(60)) };
    assert_eq!(tale.stands([rule.clone()], "11:00"), ["reply 1.1 running, due 11:40"]);
    assert_eq!(
        tale.segments(rule, "11:00"),
        ["10:00 to 10:10 running", "10:10 to 10:50 paused", "10:50 to 11:00 running"]
    );
}

#[test]
fn a_pause_in_working_time_gives_the_working_time_back() {
    let tale =
        |from: &str, to: &str| complaint("09:00").and(from, suspended(SuspendReason::Customer)).and(to, resumed());
    let cases = [
        ("an hour of the morning", "10:00", "11:00", working_minutes(180), "14:30"),
        ("over lunch", "11:00", "14:30", working_minutes(180), "15:30"),
        ("within lunch", "12:10", "12:40", working_minutes(240), "14:30"),
        ("over a night", "17:00", "03-06 09:00", working_minutes(480), "03-06 10:30"),
        ("a working day of working days", "12:00", "03-06 12:00", days(1), "03-07 09:00"),
        ("a weekend of working days costs nothing", "03-09 09:00", "03-10 09:00", days(5), "03-12 09:00"),
    ];
    for (what, from, to, limit, due) in cases {
        assert_eq!(tale(from, to).stands([pausing(limit)], to), [format!("reply 1.1 running, due {due}")], "{what}");
    }
}

#[test]
fn a_clock_that_was_suspended_before_it_starts_begins_by_waiting() {
    let on_accept = Rule { start: vec![on(FactName::Accepted)], ..pausing(minutes(60)) };
    let tale = complaint("09:00")
        .and("09:10", suspended(SuspendReason::Customer))
        .and("09:30", accepted(HZ))
        .and("10:00", resumed());
    assert_eq!(tale.stands([on_accept.clone()], "10:30"), ["reply 1.1 running, due 11:00"]);
    assert_eq!(tale.segments(on_accept, "10:30"), ["09:30 to 10:00 paused", "10:00 to 10:30 running"]);
}

#[test]
fn a_reset_starts_over_from_nothing() {
    let rule = Rule {
        reset: vec![only(FactName::Escalated, Word::Complaint)],
        extend: vec![on(FactName::Extended)],
        ..pausing(minutes(60))
    };
    let raised = || event::Escalated {
        to: crate::ticket::Escalation::Complaint(crate::ticket::Grade::General),
        reason: crate::ticket::tests::sample::text(),
    };
    let opinion = Tale::of(BusinessType::Opinion, "10:00")
        .and("10:05", extended("12:00"))
        .and("10:10", suspended(SuspendReason::Customer))
        .and("10:20", resumed())
        .and("10:30", raised());
    assert_eq!(opinion.stands([rule.clone()], "10:40"), ["reply 1.1 running, due 11:30"], "no more is granted");
    assert_eq!(opinion.segments(rule.clone(), "10:40"), ["10:30 to 10:40 running"]);
    let waiting = Tale::of(BusinessType::Opinion, "10:00")
        .and("10:10", suspended(SuspendReason::Customer))
        .and("10:30", raised())
        .and("10:50", resumed());
    assert_eq!(waiting.segments(rule.clone(), "11:00"), ["10:30 to 10:50 paused", "10:50 to 11:00 running"]);
    let ended = Tale::of(BusinessType::Opinion, "10:00")
        .and("10:20", replied(HZ, ReplyOutcome::Explained))
        .and("10:30", raised());
    assert_eq!(ended.stands([rule], "10:40"), ["reply 1.1 kept, due 11:00"], "one that has ended is left alone");
}

#[test]
fn an_extension_names_the_instant_before_which_nothing_is_due() {
    let rule = || Rule { extend: vec![on(FactName::Extended)], ..pausing(minutes(60)) };
    let cases = [
        ("a later instant", complaint("10:00").and("10:30", extended("15:00")), "running, due 15:00"),
        (
            "an earlier one than due takes nothing away",
            complaint("10:00").and("10:30", extended("10:45")),
            "breached, due 11:00",
        ),
        (
            "of two the later one",
            complaint("10:00").and("10:30", extended("15:00")).and("10:40", extended("13:00")),
            "running, due 15:00",
        ),
        (
            "one granted after due takes the breach back",
            complaint("10:00").and("12:00", extended("15:00")),
            "running, due 15:00",
        ),
        (
            "a wait comes on top only where it carries due past it",
            complaint("10:00")
                .and("10:10", extended("11:30"))
                .and("10:30", suspended(SuspendReason::Customer))
                .and("11:20", resumed()),
            "running, due 11:50",
        ),
        (
            "one that waits is not due, extended or not",
            complaint("10:00").and("10:10", extended("15:00")).and("10:30", suspended(SuspendReason::Customer)),
            "paused, not due",
        ),
    ];
    for (what, tale, expected) in cases {
        assert_eq!(tale.stands([rule()], "11:40"), [format!("reply 1.1 {expected}")], "{what}");
    }
}

#[test]
fn a_cancelled_clock_has_no_verdict_unless_due_had_passed() {
    let rule = Rule { cancel: vec![on(FactName::Withdrawn)], ..arrival(45) };
    let withdrawn = |reading: &str| {
        let withdrawn = event::Withdrawn { reason: crate::ticket::tests::sample::text() };
        Tale::fault(None, "10:00").and(reading, withdrawn).stands([rule.clone()], "12:00").join("; ")
    };
    assert_eq!(withdrawn("10:30"), "arrival 1.1 cancelled, due 10:45");
    assert_eq!(withdrawn("10:45"), "arrival 1.1 cancelled, due 10:45");
    assert_eq!(withdrawn("10:46"), "arrival 1.1 breached, due 10:45");
}

#[test]
fn a_clock_starts_at_the_instant_that_its_rule_names() {
    let answered = |time: Reading| Rule {
        start: vec![by(FactName::Received, time)],
        ..rule("dispatch", minutes(2), &[], &[FactName::Dispatched])
    };
    let call = Tale::fault(None, "10:00").received_with(|e| e.hung_up_at = Some(at("10:03")));
    assert_eq!(call.stands([answered(Reading::Occurred)], "10:01"), ["dispatch 1.1 running, due 10:02"]);
    assert_eq!(call.stands([answered(Reading::HungUp)], "10:01"), ["dispatch 1.1 running, due 10:05"]);
    let app = Tale::fault(None, "10:00");
    assert_eq!(app.stands([answered(Reading::HungUp)], "10:01"), ["dispatch 1.1 running, due 10:02"], "no call");
    let late = Tale::fault(None, "10:00").imported("11:00");
    assert_eq!(late.stands([answered(Reading::Recorded)], "11:01"), ["dispatch 1.1 running, due 11:02"]);
    let booked = Tale::fault(None, "10:00").received_with(|e| e.appointment = Some(at("15:00")));
    assert_eq!(booked.stands([answered(Reading::Appointment)], "10:01"), ["dispatch 1.1 running, due 15:02"]);
    assert_eq!(booked.segments(answered(Reading::Appointment), "10:01"), Vec::<String>::new());
}

#[test]
fn what_is_done_before_the_agreed_instant_is_done_in_time() {
    let on_site = Rule {
        start: vec![by(FactName::Received, Reading::Appointment)],
        reset: vec![only(FactName::Escalated, Word::Urgent)],
        cancel: vec![on(FactName::Withdrawn)],
        revive: vec![on(FactName::Returned)],
        extend: vec![on(FactName::Extended)],
        pauses: vec![suspended_for(Word::Customer)],
        ..arrival(15)
    };
    let booked = || Tale::fault(None, "10:00").received_with(|e| e.appointment = Some(at("15:00")));
    let withdrawn = event::Withdrawn { reason: crate::ticket::tests::sample::text() };
    let cases = [
        ("on site before", booked().and("14:50", arrived(CREW)), "kept, due 15:15"),
        ("on site at the instant", booked().and("15:00", arrived(CREW)), "kept, due 15:15"),
        ("withdrawn before", booked().and("12:00", withdrawn), "cancelled, due 15:15"),
        ("granted more time before", booked().and("12:00", extended("16:00")), "breached, due 16:00"),
        (
            "done and undone before",
            booked().and("12:00", arrived(CREW)).and("13:00", returned(CREW, HZ)),
            "breached, due 15:15",
        ),
        (
            "suspended and resumed before",
            booked().and("12:00", suspended(SuspendReason::Customer)).and("13:00", resumed()),
            "breached, due 15:15",
        ),
        (
            "suspended before and resumed after",
            booked().and("12:00", suspended(SuspendReason::Customer)).and("15:10", resumed()),
            "breached, due 15:25",
        ),
    ];
    for (what, tale, expected) in cases {
        assert_eq!(tale.stands([on_site.clone()], "18:00"), [format!("arrival 1.1 {expected}")], "{what}");
    }
}

#[test]
fn a_ticket_dispatched_while_the_caller_was_on_the_line_was_dispatched_in_time() {
    let dispatch = Rule {
        start: vec![by(FactName::Received, Reading::HungUp)],
        ..rule("dispatch", minutes(2), &[], &[FactName::Dispatched])
    };
    let call = Tale::fault(None, "10:00")
        .received_with(|e| e.hung_up_at = Some(at("10:03")))
        .and("10:02", dispatched(NATION, HZ));
    assert_eq!(call.stands([dispatch.clone()], "11:00"), ["dispatch 1.1 kept, due 10:05"]);
    assert_eq!(call.segments(dispatch, "11:00"), Vec::<String>::new());
}

#[test]
fn what_a_device_places_before_the_receipt_ends_no_clock() {
    // The crew's clock is an hour slow: no audit passes such a time, so the arrival is reported again.
    let slow = Tale::fault(None, "10:00").late("09:20", "10:20", arrived(CREW));
    assert_eq!(slow.stands([arrival(45)], "10:30"), ["arrival 1.1 running, due 10:45"]);
    let mended = slow.late("10:20", "10:40", arrived(CREW));
    assert_eq!(mended.stands([arrival(45)], "10:50"), ["arrival 1.1 kept, due 10:45"]);
    // The centre held the ticket when it was received, whatever is reported as earlier.
    let start = vec![Trigger { level: vec![Level::Nation], ..on(FactName::Received) }];
    let early = Tale::fault(None, "10:00").late("09:20", "10:20", dispatched(NATION, HZ));
    let rule = Rule { start, ..arrival(45) };
    assert_eq!(early.stands([rule], "10:30"), ["arrival 1.1 running, due 10:45"]);
}

#[test]
fn how_fast_a_crew_reports_is_a_clock_of_its_own() {
    // F06: from arrival to its record within five minutes.
    let report = Rule {
        stop: vec![by(FactName::CrewArrived, Reading::Recorded)],
        ..rule("report", minutes(5), &[FactName::CrewArrived], &[])
    };
    let tale =
        |happened: &str, recorded_at: &str| Tale::fault(None, "10:00").late(happened, recorded_at, arrived(CREW));
    let cases = [
        ("a crew on line", "10:30", "10:30", "kept, due 10:35"),
        ("three minutes late", "10:30", "10:33", "kept, due 10:35"),
        ("six minutes late", "10:30", "10:36", "breached, due 10:35"),
        ("a device whose clock is fast", "10:33", "10:30", "kept, due 10:38"),
    ];
    for (what, happened, recorded_at, expected) in cases {
        let stands = tale(happened, recorded_at).stands([report.clone()], "12:00");
        assert_eq!(stands, [format!("report 1.1 {expected}")], "{what}");
    }
    let twice = tale("10:30", "10:31").late("10:40", "10:50", arrived(CREW));
    assert_eq!(
        twice.stands([report], "12:00"),
        ["report 1.1 kept, due 10:35", "report 1.2 breached, due 10:45"],
        "a correction is reported too"
    );
}

#[test]
fn a_clock_may_run_from_when_something_was_learnt() {
    let repair = Rule {
        start: vec![by(FactName::CrewArrived, Reading::Recorded)],
        ..rule("repair", minutes(180), &[], &[FactName::CrewRestored])
    };
    let tale = Tale::fault(None, "10:00").late("10:20", "10:50", arrived(CREW)).late("10:40", "10:55", restored(CREW));
    assert_eq!(
        tale.stands([repair], "11:00"),
        ["repair 1.1 kept, due 13:50"],
        "repaired before it was known to be there"
    );
}

#[test]
fn an_area_found_on_site_is_the_one_that_counts() {
    let rules = || [in_area(Some(Area::Urban), "F05u", arrival(45)), in_area(Some(Area::Rural), "F05r", arrival(90))];
    let tale = Tale::fault(Some(Area::Urban), "10:00");
    assert_eq!(tale.stands(rules(), "10:50"), ["F05u 1.1 breached, due 10:45"]);
    let corrected = tale.and("11:00", arrived_in(Area::Rural));
    assert_eq!(corrected.stands(rules(), "11:10"), ["F05r 1.1 kept, due 11:30"]);
    let twice = corrected.and("11:05", arrived_in(Area::Urban));
    assert_eq!(
        twice.stands(rules(), "11:10"),
        ["F05r 1.1 kept, due 11:30"],
        "what is found later looks back at nothing"
    );
    assert_eq!(
        Tale::fault(None, "10:00").stands(rules(), "10:50"),
        Vec::<String>::new(),
        "no rule is for an unknown area"
    );
    let unknown = in_area(None, "F05?", arrival(60));
    assert_eq!(Tale::fault(None, "10:00").stands([unknown], "10:50"), ["F05? 1.1 running, due 11:00"]);
}

#[test]
fn a_late_fact_of_a_crew_counts_from_when_it_happened() {
    let tale = Tale::fault(None, "10:00");
    assert_eq!(tale.stands([arrival(45)], "11:00"), ["arrival 1.1 breached, due 10:45"]);
    let reported = tale.clone().late("10:40", "11:05", arrived(CREW));
    assert_eq!(reported.stands([arrival(45)], "11:10"), ["arrival 1.1 kept, due 10:45"]);
    let reported = tale.late("10:50", "11:05", arrived(CREW));
    assert_eq!(reported.stands([arrival(45)], "11:10"), ["arrival 1.1 breached, due 10:45"]);
}

#[test]
fn a_year_that_was_not_published_is_assumed_and_said_so() {
    let tale = complaint("2024-12-31 10:00");
    let clocks = tale.judged([reply(days(2))], "2025-01-01 12:00");
    assert_eq!(in_words(clocks[0].due.unwrap()), "2025-01-02 10:00", "the first of January counts like any Wednesday");
    assert_eq!(clocks[0].years_assumed(at("2025-01-01 12:00")), [2025]);
    let natural = tale.judged([reply(minutes(3 * 24 * 60))], "2025-01-01 12:00");
    assert_eq!(natural[0].years_assumed(at("2025-01-01 12:00")), Vec::<i32>::new(), "natural time needs no calendar");
    let sure = complaint("12-30 10:00").judged([reply(days(1))], "12-30 12:00");
    assert_eq!(sure[0].years_assumed(at("12-30 12:00")), Vec::<i32>::new());
    assert_eq!(year_2024().check(), []);
}

#[test]
fn a_trigger_may_ask_for_a_word_or_a_level() {
    let contact = Rule { stop: vec![only(FactName::Contacted, Word::Reached)], ..reply(minutes(60)) };
    let tale = complaint("10:00").and("10:10", contacted(ContactOutcome::Unreachable));
    assert_eq!(tale.stands([contact.clone()], "10:30"), ["reply 1.1 running, due 11:00"]);
    let reached = tale.and("10:40", contacted(ContactOutcome::Reached));
    assert_eq!(reached.stands([contact], "10:50"), ["reply 1.1 kept, due 11:00"]);
    let city = Trigger { level: vec![Level::City], ..on(FactName::Dispatched) };
    let accept = Rule { start: vec![city], ..rule("accept", minutes(3), &[], &[FactName::CrewAccepted]) };
    let tale = Tale::fault(None, "10:00");
    assert_eq!(tale.stands([accept.clone()], "10:10"), Vec::<String>::new());
    let at_city = tale.and("10:05", dispatched(NATION, HZ)).and("10:06", dispatched(HZ, CREW));
    assert_eq!(at_city.stands([accept], "10:07"), ["accept 1.1 running, due 10:08"]);
}
