//! `calendar`: working days. Checks calendar files locally, publishes them, and reports the years that a policy in
//! force will lack.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{ArgMatches, Command};
use serde_json::{Map, Value, json};
use switchboard_wire::{
    calendar_file,
    proto::{
        CalendarView, ListCalendarsRequest, ListCalendarsResponse, ListPoliciesRequest, ListPoliciesResponse,
        PolicyView, PublishCalendarRequest, PublishCalendarResponse,
    },
};

use crate::{
    calls,
    client::{Line, speaker},
    output::{self, Form, Sheet},
    publish::{self, File, Sound},
    times,
};

/// The service that these commands call.
const SERVICE: &str = "AdminService";

pub fn command() -> Command {
    let check = Command::new("check").about(
        "Checks calendar files here; without a file, asks the server which years are published, and ends with 1 when a policy \
         in force lacks the present or the coming year",
    );
    Command::new("calendar")
        .about("Working days: check, and publish")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(speaker(check, "operator").arg(publish::files_argument("The files, one year each")))
        .subcommand(publish::command(
            Command::new("publish").about("Publishes years of calendars; doing it twice changes nothing"),
        ))
}

pub async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    match matches.subcommand().context("no such command")? {
        ("check", matches) if matches.contains_id("file") => publish::check(&publish::files(matches)?, form, read),
        ("check", matches) => coverage(matches, form).await,
        (_, matches) => publish(matches, form).await,
    }
}

/// Reads a calendar file and summarises it.
fn read(file: &File) -> Result<Sound, Vec<switchboard_wire::faults::Fault>> {
    let (calendar, year) = calendar_file::read(&file.name, &file.text)?;
    let working_days = year.days().working;
    let line = format!("no fault: calendar {calendar}, {} has {working_days} working days", year.year);
    let fields = Map::from_iter([
        ("calendar".to_owned(), calendar.into()),
        ("year".to_owned(), year.year.into()),
        ("working_days".to_owned(), working_days.into()),
    ]);
    Ok(Sound { line, fields })
}

async fn publish(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let line = &Line::of(matches).await?;
    let send = |file: File, dry_run, request_id| async move {
        let request = PublishCalendarRequest { request_id, text: file.text, file_name: file.name, dry_run };
        line.ask(SERVICE, "PublishCalendar", &request).await
    };
    let headings = ["calendar", "version", "year", "working days", "outcome"];
    publish::publish(matches, form, &headings, send, |answer, dry_run| {
        let answer: PublishCalendarResponse = answer.transcode_to()?;
        Ok(vec![
            answer.version.as_ref().map(|version| version.name.clone()).unwrap_or_default(),
            publish::number(answer.version.as_ref()),
            answer.year.to_string(),
            answer.working_days.to_string(),
            publish::outcome(dry_run, answer.unchanged, answer.replayed),
        ])
    })
    .await
}

/// Years that a calendar lacks although a policy in force reads it.
#[derive(Debug, PartialEq, Eq)]
struct Gap {
    calendar: String,
    years: Vec<i32>,
    operators: Vec<String>,
}

/// Lists the published calendars and the gaps; the exit code is 1 if there is a gap.
async fn coverage(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let line = Line::of(matches).await?;
    let answer = line.ask(SERVICE, "ListCalendars", &ListCalendarsRequest {}).await?;
    let calendars = answer.transcode_to::<ListCalendarsResponse>()?.calendars;
    let policies = line.ask(SERVICE, "ListPolicies", &ListPoliciesRequest::default()).await?;
    let policies = policies.transcode_to::<ListPoliciesResponse>()?.policies;
    let gaps = gaps(&policies, &calendars, Utc::now());
    match form {
        Form::Json => {
            let mut document = calls::printable(&answer, form)?;
            if let Value::Object(fields) = &mut document {
                fields.insert("lacking".into(), gaps.iter().map(Gap::document).collect());
            }
            output::json(&document)?;
        }
        Form::Table if calendars.is_empty() => output::line(&"No calendar is published."),
        Form::Table => output::line(&text(&calendars)),
    }
    for gap in &gaps {
        match form {
            Form::Json => eprintln!("{}", json!({ "warning": gap.sentence() })),
            Form::Table => eprintln!("WARNING: {}", gap.sentence()),
        }
    }
    Ok(if gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Gap {
    fn document(&self) -> Value {
        json!({ "calendar": self.calendar, "years": self.years, "operators": self.operators })
    }

    fn sentence(&self) -> String {
        let Self { calendar, years, operators } = self;
        format!(
            "calendar {calendar}, read by the policy in force of {}, lacks {}: Monday to Friday count as working days until \
             the year is published with `switchboard calendar publish`",
            operators.join(" and of "),
            joined(years).replace(", ", " and ")
        )
    }
}

/// Returns the calendars that a policy in force reads and that lack the present or the coming year in China.
fn gaps(policies: &[PolicyView], calendars: &[CalendarView], now: DateTime<Utc>) -> Vec<Gap> {
    let mut in_force: BTreeMap<&str, ((DateTime<Utc>, u64), &str)> = BTreeMap::new();
    for policy in policies.iter().filter(|policy| !policy.shadow) {
        let (Some(version), Some(from)) = (&policy.version, times::of(policy.effective_from.as_ref())) else {
            continue;
        };
        let (rank, known) = ((from, version.version), in_force.get(version.name.as_str()));
        if from <= now && known.is_none_or(|(before, _)| *before < rank) {
            in_force.insert(&version.name, (rank, &policy.calendar));
        }
    }
    let mut readers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (operator, (_, calendar)) in in_force {
        readers.entry(calendar).or_default().push(operator.to_owned());
    }
    let named = |calendar: &CalendarView| calendar.version.as_ref().map(|version| version.name.clone());
    let present = times::year(now);
    let gap = |(name, operators): (&str, Vec<String>)| {
        let calendar = calendars.iter().find(|calendar| named(calendar).as_deref() == Some(name));
        let published: BTreeSet<i32> =
            calendar.iter().flat_map(|calendar| &calendar.years).map(|year| year.year).collect();
        let years: Vec<i32> = [present, present + 1].into_iter().filter(|year| !published.contains(year)).collect();
        (!years.is_empty()).then(|| Gap { calendar: name.to_owned(), years, operators })
    };
    readers.into_iter().filter_map(gap).collect()
}

fn joined(years: &[i32]) -> String {
    years.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
}

/// Formats every calendar with its years below it.
fn text(calendars: &[CalendarView]) -> String {
    let mut sheet = Sheet::default();
    for calendar in calendars {
        let name = calendar.version.as_ref().map(|version| version.name.clone()).unwrap_or_default();
        let missing = if calendar.missing.is_empty() { "none".into() } else { joined(&calendar.missing) };
        let head = vec![
            name,
            publish::number(calendar.version.as_ref()),
            calendar.operators.join(", "),
            calendar.years.len().to_string(),
            missing,
        ];
        let years = calendar.years.iter().map(|year| {
            let numbers = [year.working_days, year.weekdays_off, year.weekends_worked].map(|number| number.to_string());
            [vec![year.year.to_string()], numbers.to_vec(), vec![year.source.clone()]].concat()
        });
        sheet.table(&["calendar", "version", "read by", "years", "missing"], [head]);
        sheet.indented(&["year", "working days", "weekdays off", "weekends worked", "source"], years);
    }
    sheet.text()
}

#[cfg(test)]
mod tests {
    use switchboard_wire::proto::{CalendarYear, VersionRef};

    use super::*;

    fn now() -> DateTime<Utc> {
        times::instant("2026-11-21").unwrap()
    }

    fn policy(operator: &str, version: u64, from: &str, calendar: &str) -> PolicyView {
        PolicyView {
            version: Some(VersionRef { name: operator.into(), version }),
            effective_from: times::instant(from).ok().map(switchboard_wire::answer::timestamp),
            calendar: calendar.into(),
            ..PolicyView::default()
        }
    }

    fn calendar(name: &str, years: &[i32], missing: &[i32]) -> CalendarView {
        let year = |year: &i32| CalendarYear { year: *year, working_days: 250, ..CalendarYear::default() };
        CalendarView {
            version: Some(VersionRef { name: name.into(), version: 3 }),
            years: years.iter().map(year).collect(),
            missing: missing.to_vec(),
            operators: vec!["sgcc".into()],
        }
    }

    #[test]
    fn a_calendar_that_covers_this_year_and_the_next_has_no_gap() {
        let policies = [policy("sgcc", 1, "2024-01-01", "cn")];
        assert_eq!(gaps(&policies, &[calendar("cn", &[2026, 2027], &[])], now()), []);
        // A calendar that no policy in force reads has no gap.
        assert_eq!(gaps(&[], &[calendar("cn", &[2020], &[2021])], now()), []);
        assert_eq!(gaps(&[policy("sgcc", 1, "2026-12-01", "cn")], &[], now()), []);
        assert_eq!(gaps(&[PolicyView { shadow: true, ..policies[0].clone() }], &[], now()), []);
    }

    #[test]
    fn the_year_to_come_and_a_calendar_that_nobody_published_are_gaps() {
        let policies = [policy("csg", 1, "2024-01-01", "cn"), policy("sgcc", 1, "2024-01-01", "cn")];
        let found = gaps(&policies, &[calendar("cn", &[2025, 2026], &[2027])], now());
        let operators = vec!["csg".to_owned(), "sgcc".to_owned()];
        assert_eq!(found, [Gap { calendar: "cn".into(), years: vec![2027], operators }]);
        let said = found[0].sentence();
        assert!(said.contains("of csg and of sgcc, lacks 2027: Monday to Friday"), "{said}");
        let found = gaps(&policies[1..], &[], now());
        assert_eq!(found, [Gap { calendar: "cn".into(), years: vec![2026, 2027], operators: vec!["sgcc".into()] }]);
    }

    #[test]
    fn the_version_in_force_says_which_calendar_is_read() {
        let calendars = [calendar("new", &[2026, 2027], &[])];
        let replaced = [policy("sgcc", 2, "2025-01-01", "new"), policy("sgcc", 1, "2024-01-01", "old")];
        assert_eq!(gaps(&replaced, &calendars, now()), []);
        let corrected = [policy("sgcc", 1, "2024-01-01", "old"), policy("sgcc", 2, "2024-01-01", "new")];
        assert_eq!(gaps(&corrected, &calendars, now()), []);
        let to_come = [policy("sgcc", 1, "2024-01-01", "new"), policy("sgcc", 2, "2027-01-01", "old")];
        assert_eq!(gaps(&to_come, &calendars, now()), []);
    }

    #[test]
    fn the_years_of_a_calendar_stand_below_it_with_what_is_missing_above() {
        let text = text(&[calendar("cn", &[2024, 2026], &[2025, 2027])]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().any(|line| line.contains("cn") && line.contains("2025, 2027")), "{text}");
        assert!(lines.last().unwrap().trim_start().starts_with("2026"), "{text}");
    }

    #[test]
    fn the_working_days_of_a_file_are_counted_with_its_exceptions() {
        let text = "calendar = \"cn\"\nyear = 2023\nsource = \"a notice\"\nhours = [\"08:30-17:30\"]\n\
                    [[off]]\nname = \"New Year\"\nfrom = 2023-01-01\nto = 2023-01-02\n\
                    [[work]]\nname = \"make-up\"\ndate = 2023-01-28\n";
        let file = File { name: "2023.toml".into(), text: text.into() };
        // Of 260 weekdays Monday the second is off, and a Saturday is worked.
        let sound = read(&file).ok().unwrap();
        assert_eq!(sound.line, "no fault: calendar cn, 2023 has 260 working days");
        assert_eq!(Value::Object(sound.fields), json!({ "calendar": "cn", "year": 2023, "working_days": 260 }));
        let faulty = File { text: text.replace("year = 2023", "year = 2022"), ..file };
        assert!(read(&faulty).err().unwrap().iter().any(|fault| fault.line == 2));
    }
}
