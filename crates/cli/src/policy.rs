//! `policy`: the promises. Checks policy files locally, publishes and lists them, and compares a policy with history or
//! with the policy in force.

use std::process::ExitCode;

use anyhow::Context;
use clap::{ArgMatches, Command, value_parser};
use serde_json::{Map, json};
use switchboard_wire::{
    policy_file,
    proto::{
        BacktestPolicyRequest, EndShadowRequest, EndShadowResponse, ListDisagreementsRequest, ListPoliciesRequest,
        ListPoliciesResponse, PolicyView, PublishPolicyRequest, PublishPolicyResponse,
    },
};
use uuid::Uuid;

use crate::{
    calls,
    client::{Line, speaker},
    comparison, flag, option,
    output::{self, Form, Sheet},
    publish::{self, File, Sound},
    times,
};

/// The service that these commands call.
const SERVICE: &str = "AdminService";

pub fn command() -> Command {
    let operator = || option("operator", "OPERATOR", "The operator: the first part of every unit's path");
    let flips = || option("flips", "N", "The most flips that are shown one by one; all are counted");
    let flips = || flips().default_value("100").value_parser(value_parser!(u32).range(1..=10_000));
    let date = |name, help| option(name, "DATE", help).required(true).value_parser(times::instant);
    Command::new("policy")
        .about("What is promised: check, publish, list, and try on history")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("check")
                .about("Checks policy files here, without a server; ends with 1 when one has a fault")
                .arg(publish::files_argument("The files").required(true)),
        )
        .subcommand(
            publish::command(Command::new("publish").about("Publishes policy files; doing it twice changes nothing"))
                .arg(flag("shadow", "As the operator's shadow: it judges and is not heard")),
        )
        .subcommand(
            speaker(Command::new("list").about("Every published version of every policy"), "operator")
                .arg(operator().help("Only of this operator"))
                .arg(flag("rules", "With the rules")),
        )
        .subcommand(
            speaker(
                Command::new("backtest").about("Judges history under a policy file and compares; changes nothing"),
                "operator",
            )
            .arg(option("policy", "FILE", "The policy to be tried").required(true))
            .arg(date("from", "Tickets received from here on"))
            .arg(date("to", "Tickets received before this"))
            .arg(flips()),
        )
        .subcommand(
            speaker(Command::new("shadow").about("Where the shadow disagrees with the policy in force"), "operator")
                .arg(operator().required(true))
                .arg(flips()),
        )
        .subcommand(
            speaker(Command::new("end-shadow").about("Ends an operator's shadow"), "operator")
                .arg(operator().required(true))
                .arg(option("request-id", "UUID", "Of the request; a fresh one when absent")),
        )
}

pub async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    match matches.subcommand().context("no such command")? {
        ("check", matches) => publish::check(&publish::files(matches)?, form, read),
        ("publish", matches) => publish(matches, form).await,
        ("list", matches) => list(matches, form).await,
        ("backtest", matches) => backtest(matches, form).await,
        ("shadow", matches) => shadow(matches, form).await,
        (_, matches) => end_shadow(matches, form).await,
    }
}

/// Reads a policy file and summarises it.
fn read(file: &File) -> Result<Sound, Vec<switchboard_wire::faults::Fault>> {
    let policy = policy_file::read(&file.name, &file.text)?;
    let effective = switchboard_wire::answer::timestamp(policy.effective_from);
    let rules = policy.rules.len() + policy.averages.len();
    let line = format!(
        "no fault: policy of {} with {rules} rules from {} on, by calendar {}",
        policy.operator,
        times::shown(Some(&effective)),
        policy.calendar
    );
    let fields = Map::from_iter([
        ("operator".to_owned(), policy.operator.into()),
        ("effective_from".to_owned(), json!(policy.effective_from)),
        ("calendar".to_owned(), policy.calendar.into()),
        ("rules".to_owned(), rules.into()),
    ]);
    Ok(Sound { line, fields })
}

async fn publish(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let (line, shadow) = (&Line::of(matches).await?, matches.get_flag("shadow"));
    let send = |file: File, dry_run, request_id| async move {
        let request = PublishPolicyRequest { request_id, text: file.text, file_name: file.name, shadow, dry_run };
        line.ask(SERVICE, "PublishPolicy", &request).await
    };
    let headings = ["operator", "version", "in force from (+08:00)", "rules", "outcome"];
    publish::publish(matches, form, &headings, send, |answer, dry_run| {
        let answer: PublishPolicyResponse = answer.transcode_to()?;
        Ok(vec![
            answer.version.as_ref().map(|version| version.name.clone()).unwrap_or_default(),
            publish::number(answer.version.as_ref()),
            times::shown(answer.effective_from.as_ref()),
            answer.rules.to_string(),
            publish::outcome(dry_run, answer.unchanged, answer.replayed),
        ])
    })
    .await
}

fn operator(matches: &ArgMatches) -> String {
    matches.get_one::<String>("operator").cloned().unwrap_or_default()
}

async fn list(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let request = ListPoliciesRequest { operator: operator(matches) };
    let answer = Line::of(matches).await?.ask(SERVICE, "ListPolicies", &request).await?;
    if form == Form::Json {
        calls::show(&answer, form)?;
        return Ok(ExitCode::SUCCESS);
    }
    let policies = answer.transcode_to::<ListPoliciesResponse>()?.policies;
    if policies.is_empty() {
        output::line(&"No policy is published: no ticket has promises.");
    } else if matches.get_flag("rules") {
        policies.iter().for_each(|policy| output::line(&with_rules(policy)));
    } else {
        output::table(&HEADINGS, policies.iter().map(row));
    }
    Ok(ExitCode::SUCCESS)
}

/// The columns for a version.
const HEADINGS: [&str; 8] =
    ["operator", "version", "in force from (+08:00)", "published (+08:00)", "position", "rules", "calendar", "source"];

fn row(policy: &PolicyView) -> Vec<String> {
    let shadow = if policy.shadow { " (shadow)" } else { "" };
    vec![
        policy.version.as_ref().map(|version| version.name.clone()).unwrap_or_default(),
        format!("{}{shadow}", publish::number(policy.version.as_ref())),
        times::shown(policy.effective_from.as_ref()),
        times::shown(policy.published_at.as_ref()),
        policy.position.to_string(),
        policy.rules.len().to_string(),
        policy.calendar.clone(),
        policy.source.clone(),
    ]
}

fn with_rules(policy: &PolicyView) -> String {
    let rules = policy.rules.iter().map(|rule| {
        let cells = [&rule.id, &rule.clock, &rule.limit, &rule.title, &rule.source];
        cells.map(String::clone).to_vec()
    });
    let mut sheet = Sheet::default();
    sheet.table(&HEADINGS, [row(policy)]);
    sheet.indented(&["rule", "clock", "limit", "title", "source"], rules);
    sheet.text()
}

async fn backtest(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let file = File::read(matches.get_one::<String>("policy").context("no policy")?)?;
    let instant = |name| matches.get_one(name).copied().map(switchboard_wire::answer::timestamp);
    let request = BacktestPolicyRequest {
        text: file.text,
        file_name: file.name,
        from: instant("from"),
        to: instant("to"),
        flips_max: flips(matches),
    };
    comparison::show(&Line::of(matches).await?, "BacktestPolicy", &request, form).await
}

async fn shadow(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let request = ListDisagreementsRequest { operator: operator(matches), flips_max: flips(matches) };
    comparison::show(&Line::of(matches).await?, "ListDisagreements", &request, form).await
}

fn flips(matches: &ArgMatches) -> u32 {
    matches.get_one("flips").copied().unwrap_or_default()
}

async fn end_shadow(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let request_id = matches.get_one("request-id").cloned().unwrap_or_else(|| Uuid::new_v4().to_string());
    let request = EndShadowRequest { request_id, operator: operator(matches) };
    let answer = Line::of(matches).await?.ask(SERVICE, "EndShadow", &request).await?;
    match form {
        Form::Json => calls::show(&answer, form)?,
        Form::Table => {
            let ended = answer.transcode_to::<EndShadowResponse>()?.ended;
            let said = if ended { "The shadow has ended of" } else { "There is no shadow of" };
            output::line(&format!("{said} {}.", request.operator));
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use switchboard_wire::proto::{RuleView, VersionRef};

    use super::*;

    fn view(shadow: bool) -> PolicyView {
        let rule = RuleView {
            id: "F05u".into(),
            clock: "arrival".into(),
            title: "Arrive within 45 minutes".into(),
            limit: "45m".into(),
            source: "Ten commitments".into(),
            hash: "9f".into(),
        };
        PolicyView {
            version: Some(VersionRef { name: "sgcc".into(), version: 2 }),
            effective_from: Some(prost_types::Timestamp { seconds: 1_704_038_400, nanos: 0 }),
            position: 17,
            calendar: "cn".into(),
            shadow,
            rules: vec![rule],
            ..PolicyView::default()
        }
    }

    #[test]
    fn a_version_is_shown_by_its_number_and_a_shadow_says_that_it_is_one() {
        assert_eq!(row(&view(false)), ["sgcc", "2", "2024-01-01 00:00:00", "-", "17", "1", "cn", ""]);
        assert_eq!(row(&view(true))[1], "2 (shadow)");
    }

    #[test]
    fn rules_stand_a_step_to_the_right_below_their_version() {
        let text = with_rules(&view(false));
        let last: Vec<&str> = text.lines().rev().take(2).collect();
        assert!(last[1].starts_with("    rule") && last[1].contains("limit"), "{text}");
        assert!(last[0].starts_with("    F05u") && last[0].contains("45m"), "{text}");
    }
}
