//! `kpi`: the indicators over a period, their definitions, and the promised averages.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Arg, ArgAction, ArgMatches, Command};
use switchboard_wire::{
    answer,
    proto::{
        AverageValue, GetAveragesRequest, GetAveragesResponse, GetKpisRequest, GetKpisResponse, KpiDefinition,
        KpiValue, ListKpisRequest, ListKpisResponse,
    },
};

use crate::{
    calls,
    client::{Line, min_position, speaker, with_own_org},
    kept, option,
    output::{self, Form},
    times,
};

/// The service that these commands call.
const SERVICE: &str = "BoardService";

pub fn command() -> Command {
    let date =
        |name, help: String| Arg::new(name).long(name).value_name("DATE").help(help).value_parser(times::instant);
    let days = times::PERIOD_DAYS;
    let list = Command::new("list").about("Every indicator: what it counts, what it leaves out, where it is written");
    let averages =
        Command::new("averages").about("The averages that an operator's policy promises, and whether they are kept");
    with_own_org(speaker(Command::new("kpi").about("Indicators over a period, for units"), "desk"))
        .args_conflicts_with_subcommands(true)
        .arg(date("from", format!("The period's first instant; {days} days before its end when absent")))
        .arg(date("to", "The first instant after the period; the end of today in China when absent".into()))
        .arg(option("org", "UNIT", "Only tickets of this unit and what lies within it"))
        .arg(option(
            "by",
            "LEVEL",
            "One row for each unit of this level: nation, province, city, county, station, crew",
        ))
        .arg(option("kpi", "NAME", "Only this indicator; may be repeated").action(ArgAction::Append))
        .arg(min_position())
        .subcommand(speaker(list, "desk"))
        .subcommand(kept::command())
        .subcommand(
            speaker(averages, "desk")
                .arg(option("operator", "OPERATOR", "The operator").required(true))
                .arg(date("at", "The end of the windows; now when absent".into()))
                .arg(min_position()),
        )
}

pub async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("list", matches)) => list(matches, form).await,
        Some(("kept", matches)) => kept::run(matches, form).await,
        Some((_, matches)) => averages(matches, form).await,
        None => figures(matches, form).await,
    }
}

async fn list(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let answer = Line::of(matches).await?.ask(SERVICE, "ListKpis", &ListKpisRequest {}).await?;
    match form {
        Form::Json => calls::show(&answer, form)?,
        Form::Table => {
            let kpis = answer.transcode_to::<ListKpisResponse>()?.kpis;
            output::line(&kpis.iter().map(definition).collect::<Vec<_>>().join("\n\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn definition(kpi: &KpiDefinition) -> String {
    let mut text = format!("{}: {} ({}), in {}", kpi.name, kpi.title_zh, kpi.title_en, kpi.unit);
    for (what, said) in [
        ("counts", &kpi.numerator),
        ("of", &kpi.denominator),
        ("period", &kpi.period_rule),
        ("without", &kpi.exclusions),
        ("for", &kpi.attribution),
        ("source", &kpi.source),
        ("missing", &kpi.missing),
    ] {
        if !said.is_empty() {
            text.push_str(&format!("\n  {what:<8} {said}"));
        }
    }
    text
}

async fn figures(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let instant = |name| matches.get_one::<DateTime<Utc>>(name).copied();
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let (from, to) = times::period(instant("from"), instant("to"), Utc::now()).context("there is no such period")?;
    let request = GetKpisRequest {
        from: Some(answer::timestamp(from)),
        to: Some(answer::timestamp(to)),
        kpis: matches.get_many("kpi").into_iter().flatten().cloned().collect(),
        org: text("org"),
        by_level: text("by"),
        min_position: matches.get_one("min-position").copied(),
    };
    let line = Line::of(matches).await?;
    let answer = line.ask(SERVICE, "GetKpis", &request).await?;
    if form == Form::Json {
        calls::show(&answer, form)?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer: GetKpisResponse = answer.transcode_to()?;
    let known = line.ask(SERVICE, "ListKpis", &ListKpisRequest {}).await?.transcode_to::<ListKpisResponse>()?.kpis;
    let chinese = line.caller.language.starts_with("zh");
    if answer.values.is_empty() {
        output::line(&"No ticket falls into the period.");
    } else {
        output::line(&table(&answer.values, &known, chinese));
    }
    output::line(&format!(
        "From {} up to {} (+08:00), as of position {}.",
        times::shown(request.from.as_ref()),
        times::shown(request.to.as_ref()),
        answer.position
    ));
    Ok(ExitCode::SUCCESS)
}

/// Formats figures with their titles; there is a column for the unit if any figure has one.
fn table(values: &[KpiValue], known: &[KpiDefinition], chinese: bool) -> String {
    let known: BTreeMap<&str, &KpiDefinition> = known.iter().map(|kpi| (kpi.name.as_str(), kpi)).collect();
    let by_unit = values.iter().any(|value| !value.org.is_empty());
    let row = |value: &KpiValue| {
        let definition = known.get(value.name.as_str());
        let title = definition.map(|kpi| if chinese { &kpi.title_zh } else { &kpi.title_en });
        let mut cells = if by_unit { vec![value.org.clone()] } else { Vec::new() };
        cells.extend([
            value.name.clone(),
            title.cloned().unwrap_or_default(),
            figure(value.value, &value.unit),
            amount(value.numerator),
            if value.unit == "count" { String::new() } else { amount(value.denominator) },
        ]);
        cells
    };
    let unit: &[&str] = if by_unit { &["unit"] } else { &[] };
    output::drawn(
        &[unit, &["indicator", "title", "figure", "numerator", "denominator"]].concat(),
        values.iter().map(row),
    )
}

/// Formats a figure in its unit; `-` if the denominator is zero.
fn figure(value: Option<f64>, unit: &str) -> String {
    match (value, unit) {
        (None, _) => "-".into(),
        (Some(value), "percent") => format!("{value:.2} %"),
        (Some(value), "minutes") => format!("{value:.1} min"),
        (Some(value), _) => amount(value),
    }
}

/// Formats a whole number without decimals, any other number with two.
fn amount(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

async fn averages(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let request = GetAveragesRequest {
        operator: matches.get_one("operator").cloned().unwrap_or_default(),
        at: matches.get_one("at").copied().map(answer::timestamp),
        min_position: matches.get_one("min-position").copied(),
    };
    let answer = Line::of(matches).await?.ask(SERVICE, "GetAverages", &request).await?;
    if form == Form::Json {
        calls::show(&answer, form)?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer: GetAveragesResponse = answer.transcode_to()?;
    if answer.values.is_empty() {
        output::line(&format!("No average is promised by {}, or no ticket falls into its window.", request.operator));
    } else {
        let headings = ["rule", "title", "unit", "tickets", "mean", "at most", "kept", "days", "policy"];
        output::table(&headings, answer.values.iter().map(average));
    }
    output::line(&format!("As of position {}.", answer.position));
    Ok(ExitCode::SUCCESS)
}

fn average(value: &AverageValue) -> Vec<String> {
    vec![
        value.rule.clone(),
        value.title.clone(),
        value.org.clone(),
        value.tickets.to_string(),
        times::stretch(value.mean_seconds),
        times::stretch(value.limit_seconds),
        if value.kept { "yes" } else { "NO" }.into(),
        value.window_days.to_string(),
        value.policy_version.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<KpiDefinition> {
        let one = |name: &str, title_zh: &str, title_en: &str, unit: &str| KpiDefinition {
            name: name.into(),
            title_zh: title_zh.into(),
            title_en: title_en.into(),
            unit: unit.into(),
            numerator: "arrivals in time".into(),
            ..KpiDefinition::default()
        };
        vec![
            one("arrival_on_time_rate", "\u{5230}", "Arrivals on time", "percent"),
            one("tickets_received", "\u{53d7}", "Tickets received", "count"),
        ]
    }

    fn value(name: &str, org: &str, unit: &str, value: Option<f64>) -> KpiValue {
        let (name, org, unit) = (name.into(), org.into(), unit.into());
        KpiValue { name, org, numerator: 39.0, denominator: 40.0, value, unit }
    }

    #[test]
    fn a_figure_has_its_unit_and_one_of_nothing_is_no_figure() {
        assert_eq!(figure(Some(97.5), "percent"), "97.50 %");
        assert_eq!(figure(Some(43.26), "minutes"), "43.3 min");
        assert_eq!(figure(Some(40.0), "count"), "40");
        assert_eq!(figure(Some(0.5), "share"), "0.50");
        assert_eq!(figure(None, "percent"), "-");
    }

    #[test]
    fn figures_stand_beside_their_titles_in_the_language_that_was_asked_for() {
        let values = [
            value("arrival_on_time_rate", "", "percent", Some(97.5)),
            value("tickets_received", "", "count", Some(39.0)),
        ];
        let english = table(&values, &known(), false);
        let row = english.lines().find(|line| line.contains("arrival_on_time_rate")).unwrap();
        for part in ["Arrivals on time", "97.50 %", "39", "40"] {
            assert!(row.contains(part), "{english}");
        }
        assert!(!english.contains("unit"), "no unit was asked for: {english}");
        let row = english.lines().find(|line| line.contains("tickets_received")).unwrap();
        assert!(!row.contains("40"), "nothing stands below the line of a count: {english}");
        assert!(table(&values, &known(), true).contains('\u{5230}'));
    }

    #[test]
    fn figures_by_level_name_their_unit_first() {
        let text = table(&[value("arrival_on_time_rate", "sgcc/zj", "percent", None)], &known(), false);
        assert!(text.lines().nth(1).unwrap().contains("unit"), "{text}");
        assert!(text.contains("sgcc/zj") && text.contains(" - "), "{text}");
    }

    #[test]
    fn a_definition_leaves_out_what_it_does_not_say() {
        let text = definition(&known()[0]);
        let expected = "arrival_on_time_rate: \u{5230} (Arrivals on time), in percent\n  counts   arrivals in time";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_average_that_is_not_kept_is_seen_at_once() {
        let value = AverageValue {
            rule: "F05u-avg".into(),
            title: "Mean arrival".into(),
            org: "sgcc/zj/hz".into(),
            tickets: 12,
            mean_seconds: 2760,
            limit_seconds: 2700,
            kept: false,
            window_days: 30,
            policy_version: 2,
        };
        let expected = ["F05u-avg", "Mean arrival", "sgcc/zj/hz", "12", "46m 00s", "45m 00s", "NO", "30", "2"];
        assert_eq!(average(&value), expected);
        assert_eq!(average(&AverageValue { kept: true, ..value })[6], "yes");
    }
}
