//! Tests of the report: one broken promise in detail, and the whole in both languages.

use switchboard_wire::answer;

use super::*;

fn fact(at: &str, kind: &str) -> FactView {
    let occurred_at = times::instant(at).ok().map(answer::timestamp);
    FactView { kind: format!("ticket.{kind}.v1"), occurred_at, ..FactView::default() }
}

fn late() -> Broken {
    let time = |text| times::instant(text).ok().map(answer::timestamp);
    let promise = Promise {
        clock: "arrival".into(),
        limit: "45m".into(),
        owner: "sgcc/zj/hz".into(),
        started_at: time("2026-03-03 12:00:00"),
        due_at: time("2026-03-03 12:45:00"),
        ended_at: time("2026-03-03 12:55:30"),
        verdict: Verdict::Breached.into(),
        ..Promise::default()
    };
    let history = [
        fact("2026-03-03 12:00:00", "received"),
        fact("2026-03-03 12:02:00", "dispatched"),
        fact("2026-03-03 12:08:00", "returned"),
        fact("2026-03-03 12:20:00", "crew_en_route"),
        fact("2026-03-03 12:55:30", "crew_arrived"),
        fact("2026-03-03 14:55:30", "crew_restored"),
    ];
    broken("2026030300000001", &promise, &history)
}

#[test]
fn a_broken_promise_says_how_late_it_was_and_where_the_time_went() {
    let late = late();
    assert_eq!((late.late_seconds, late.longest_seconds), (Some(630), 35 * 60 + 30));
    assert_eq!((late.longest_after.as_str(), late.longest_before.as_str()), ("crew_en_route", "crew_arrived"));
    assert_eq!(late.detours, ["returned"]);
}

#[test]
fn what_was_kept_and_broken_is_told_in_both_languages() {
    let clocks = vec![Clock { clock: "arrival".into(), kept: 39, broken: 1 }];
    let not_counted = vec!["arrival_report".to_owned()];
    let more = Broken { clock: "reply".into(), late_seconds: Some(3), ..late() };
    let kept = Kept { tickets: 40, clocks, broken: vec![late(), more], not_counted };
    for (words, parts) in [
        (
            &ENGLISH,
            [
                "97.5 %",
                "late by",
                "2 promises of 1 tickets",
                "arrival (and 1)",
                "10m 30s",
                "35m 30s from crew_en_route to crew_arrived; ",
                "Not counted: arrival_report",
            ],
        ),
        (
            &CHINESE,
            [
                "97.5 %",
                "逾期",
                "1 张工单的 2 项承诺",
                "arrival（另有 1 项）",
                "10m 30s",
                "crew_en_route 至 crew_arrived：35m",
                "未统计：arrival_report",
            ],
        ),
    ] {
        let text = kept.lines(words).join("\n");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert_eq!(Kept::default().lines(&ENGLISH), ["No promise of the period has ended."]);
}
