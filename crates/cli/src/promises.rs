//! `ticket promises`: the clocks of one ticket, each with its sentence, its segments and its announcements. Nothing is
//! judged here.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Arg, ArgMatches, Command, value_parser};
use switchboard_wire::{
    answer,
    proto::{
        Announcement, AsOf, ExplainPromisesRequest, ExplainPromisesResponse, Promise, Segment, SegmentKind, Verdict,
        VersionRef, as_of::Point,
    },
};

use crate::{
    calls,
    client::{Caller, Line, min_position, speaker},
    option,
    output::{self, Form, Sheet},
    times,
};

pub fn command() -> Command {
    let about = "Every clock of one ticket, segment by segment, now or as of a position or a time";
    speaker(Command::new("promises").about(about), "desk")
        .arg(Arg::new("ticket").value_name("TICKET").required(true).help("Its id or number"))
        .arg(
            option("as-of-time", "TIME", "As of this instant, by the time at which facts were recorded")
                .value_parser(times::instant)
                .conflicts_with("as-of-position"),
        )
        .arg(option("as-of-position", "N", "As of this log position").value_parser(value_parser!(u64)))
        .arg(min_position())
}

pub async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let time = matches.get_one::<DateTime<Utc>>("as-of-time").map(|time| Point::Time(answer::timestamp(*time)));
    let point = time.or_else(|| matches.get_one("as-of-position").copied().map(Point::Position));
    let request = ExplainPromisesRequest {
        ticket: matches.get_one("ticket").cloned().unwrap_or_default(),
        as_of: point.map(|point| AsOf { point: Some(point) }),
        min_position: matches.get_one("min-position").copied(),
    };
    let answer = Line::of(matches).await?.ask("TicketService", "ExplainPromises", &request).await?;
    match form {
        Form::Json => calls::show(&answer, form)?,
        Form::Table => output::line(&text(&answer.transcode_to()?)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Formats the clocks of a ticket, a line each, except those named in `without`.
pub async fn summary(endpoint: &str, ticket: &str, without: &[&str]) -> anyhow::Result<String> {
    let line = Line::to(endpoint, Caller::in_role("desk")).await?;
    let request = ExplainPromisesRequest { ticket: ticket.into(), ..ExplainPromisesRequest::default() };
    let answer = line.ask("TicketService", "ExplainPromises", &request).await?;
    let promises = answer.transcode_to::<ExplainPromisesResponse>()?.promises;
    let shown = promises.iter().filter(|promise| !without.contains(&promise.clock.as_str()));
    Ok(output::drawn(&HEADINGS, shown.map(row)))
}

/// Formats the whole answer as tables.
fn text(explained: &ExplainPromisesResponse) -> String {
    let mut sheet = Sheet::default();
    explained.promises.iter().for_each(|one| promise(one, &mut sheet));
    if explained.no_policy {
        sheet.line("No policy is published for this ticket's operator: it has no clocks.");
    } else if explained.promises.is_empty() {
        sheet.line("No rule of the policy has begun a clock for this ticket.");
    }
    let at = times::shown(explained.at.as_ref());
    sheet.line(format!("Judged at {at} (+08:00), position {}.", explained.position));
    sheet.text()
}

/// Formats a clock's name, with its cycle and run unless they are the first.
pub fn clock(name: &str, cycle: u32, run: u32) -> String {
    match (cycle, run) {
        (0 | 1, 0 | 1) => name.to_owned(),
        (_, 0 | 1) => format!("{name} (cycle {cycle})"),
        (0 | 1, _) => format!("{name} (run {run})"),
        _ => format!("{name} (cycle {cycle}, run {run})"),
    }
}

/// The columns for a clock.
const HEADINGS: [&str; 5] = ["clock", "limit", "due (+08:00)", "verdict", "owner"];

fn row(promise: &Promise) -> Vec<String> {
    vec![
        clock(&promise.clock, promise.cycle, promise.run_number),
        promise.limit.clone(),
        times::shown(promise.due_at.as_ref()),
        verdict(promise.verdict()).into(),
        promise.owner.clone(),
    ]
}

/// Adds a clock with its sentence, which says when it started.
fn promise(promise: &Promise, sheet: &mut Sheet) {
    sheet.table(&HEADINGS, [row(promise)]);
    sheet.line(format!(" {}", promise.sentence));
    sheet.line(format!(
        " Rule {}, {}, {}: {}",
        promise.rule,
        version("policy", promise.policy.as_ref()),
        version("calendar", promise.calendar.as_ref()),
        promise.source,
    ));
    if !promise.years_assumed.is_empty() {
        let years: Vec<String> = promise.years_assumed.iter().map(i32::to_string).collect();
        sheet.line(format!(" No calendar covers {}: Monday to Friday were counted.", years.join(", ")));
    }
    if !promise.segments.is_empty() {
        let headings = ["from (+08:00)", "to (+08:00)", "what", "why", "position", "fact"];
        sheet.indented(&headings, promise.segments.iter().map(segment));
    }
    if !promise.announcements.is_empty() {
        let headings = ["said (+08:00)", "what", "due then (+08:00)", "owner then", "told", "by", "position"];
        sheet.indented(&headings, promise.announcements.iter().map(announcement));
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unspecified => "-",
        Verdict::Running => "running",
        Verdict::Paused => "paused",
        Verdict::Kept => "kept",
        Verdict::Breached => "BREACHED",
        Verdict::Cancelled => "cancelled",
    }
}

fn version(what: &str, version: Option<&VersionRef>) -> String {
    match version {
        None | Some(VersionRef { version: 0, .. }) => format!("no {what}"),
        Some(VersionRef { name, version }) => format!("{what} {name} version {version}"),
    }
}

fn segment(segment: &Segment) -> Vec<String> {
    let kind = match segment.kind() {
        SegmentKind::Unspecified => "-",
        SegmentKind::Running => "ran",
        SegmentKind::Paused => "waited",
        SegmentKind::Closed => "closed",
    };
    vec![
        times::shown(segment.from.as_ref()),
        times::shown(segment.to.as_ref()),
        kind.into(),
        segment.reason.clone(),
        segment.fact_position.to_string(),
        segment.fact_id.clone(),
    ]
}

fn announcement(announcement: &Announcement) -> Vec<String> {
    let kind = announcement.kind.trim_start_matches("promise.");
    let kind = kind.split('.').next().unwrap_or_default();
    let what = if announcement.level > 0 { format!("{kind}, step {}", announcement.level) } else { kind.to_owned() };
    vec![
        times::shown(announcement.recorded_at.as_ref()),
        what,
        times::shown(announcement.due_at.as_ref()),
        announcement.owner.clone(),
        announcement.told.clone(),
        version("policy", announcement.policy.as_ref()),
        announcement.position.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<prost_types::Timestamp> {
        times::instant(text).ok().map(answer::timestamp)
    }

    fn one() -> Promise {
        let segment = |from, to, kind: SegmentKind, reason: &str, fact_position| Segment {
            from: time(from),
            to: time(to),
            kind: kind.into(),
            reason: reason.into(),
            fact_id: format!("fact-{fact_position}"),
            fact_position,
        };
        let noon = "2026-03-03 12:00:00";
        Promise {
            clock: "arrival".into(),
            cycle: 1,
            run_number: 1,
            rule: "F05u".into(),
            title: "Arrive within 45 minutes".into(),
            source: "Ten commitments".into(),
            policy: Some(VersionRef { name: "sgcc".into(), version: 3 }),
            calendar: Some(VersionRef { name: "cn".into(), version: 0 }),
            limit: "45m".into(),
            started_at: time(noon),
            due_at: time("2026-03-03 12:55:00"),
            verdict: Verdict::Breached.into(),
            owner: "sgcc/zj/hz".into(),
            segments: vec![
                segment(noon, "2026-03-03 12:30:00", SegmentKind::Running, "", 12),
                segment("2026-03-03 12:30:00", "2026-03-03 12:40:00", SegmentKind::Paused, "customer", 14),
            ],
            announcements: vec![Announcement {
                kind: "promise.warned.v1".into(),
                position: 15,
                recorded_at: time("2026-03-03 12:50:00"),
                level: 2,
                due_at: time("2026-03-03 12:55:00"),
                owner: "sgcc/zj/hz".into(),
                told: "sgcc/zj".into(),
                policy: Some(VersionRef { name: "sgcc".into(), version: 3 }),
                calendar: None,
            }],
            years_assumed: vec![2027],
            sentence: "It was due at 12:55 and is not met.".into(),
            ..Promise::default()
        }
    }

    #[test]
    fn a_clock_is_told_in_the_order_verdict_sentence_segments_and_what_was_said() {
        let text = text(&ExplainPromisesResponse { promises: vec![one()], position: 20, ..Default::default() });
        let mut rest = text.as_str();
        for part in [
            "arrival",
            "45m",
            "2026-03-03 12:55:00",
            "BREACHED",
            "sgcc/zj/hz",
            "It was due at 12:55 and is not met.",
            "Rule F05u, policy sgcc version 3, no calendar: Ten commitments",
            "No calendar covers 2027",
            "    2026-03-03 12:00:00",
            "ran",
            "12",
            "fact-12",
            "    2026-03-03 12:30:00",
            "waited",
            "customer",
            "fact-14",
            "    2026-03-03 12:50:00",
            "warned, step",
            "sgcc/zj",
            "15",
            "position 20",
            "Left out: by",
        ] {
            let at = rest.find(part).unwrap_or_else(|| panic!("{part} does not follow in {text}"));
            rest = &rest[at + part.len()..];
        }
    }

    #[test]
    fn a_ticket_without_clocks_says_why() {
        let none = text(&ExplainPromisesResponse { no_policy: true, ..Default::default() });
        assert!(none.starts_with("No policy is published"), "{none}");
        let none = text(&ExplainPromisesResponse::default());
        assert!(none.starts_with("No rule"), "{none}");
    }

    #[test]
    fn only_a_later_cycle_or_lap_is_mentioned() {
        assert_eq!(clock("reply", 1, 1), "reply");
        assert_eq!(clock("reply", 2, 1), "reply (cycle 2)");
        assert_eq!(clock("reply", 1, 3), "reply (run 3)");
        assert_eq!(clock("reply", 2, 3), "reply (cycle 2, run 3)");
    }
}
