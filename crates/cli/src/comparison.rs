//! The output of a back-test or of a shadow comparison: progress, the clocks with a different verdict, and their counts
//! by kind.

use std::process::ExitCode;

use anyhow::Context;
use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage};
use switchboard_wire::proto::{
    BacktestPolicyResponse, Comparison, Flip, FlipCount, ListDisagreementsResponse, backtest_policy_response,
    list_disagreements_response,
};

use crate::{
    bars, calls,
    client::Line,
    output::{self, Form},
};

/// One message of either call.
enum Said {
    Progress(u64),
    Flip(Flip),
    Summary(Comparison),
}

fn said(answer: &DynamicMessage) -> anyhow::Result<Option<Said>> {
    if answer.descriptor().name() == "BacktestPolicyResponse" {
        use backtest_policy_response::Message;
        return Ok(answer.transcode_to::<BacktestPolicyResponse>()?.message.map(|message| match message {
            Message::Progress(progress) => Said::Progress(progress.tickets),
            Message::Flip(flip) => Said::Flip(flip),
            Message::Summary(summary) => Said::Summary(summary),
        }));
    }
    use list_disagreements_response::Message;
    Ok(answer.transcode_to::<ListDisagreementsResponse>()?.message.map(|message| match message {
        Message::Progress(progress) => Said::Progress(progress.tickets),
        Message::Flip(flip) => Said::Flip(flip),
        Message::Summary(summary) => Said::Summary(summary),
    }))
}

/// Makes a comparison and prints it. JSON prints each flip and the summary as they arrive; tables come at the end.
pub async fn show(line: &Line, call: &str, request: &impl Message, form: Form) -> anyhow::Result<ExitCode> {
    let progress = bars::counter("tickets");
    let (mut flips, mut summary) = (Vec::new(), None);
    let take = |answer: DynamicMessage| {
        match said(&answer)? {
            Some(Said::Progress(tickets)) => progress.set_position(tickets),
            Some(_) if form == Form::Json => calls::show(&answer, form)?,
            Some(Said::Flip(flip)) => flips.push(flip),
            Some(Said::Summary(comparison)) => summary = Some(comparison),
            None => {}
        }
        Ok(true)
    };
    let heard = line.hear("AdminService", call, request, take).await;
    progress.finish_and_clear();
    heard?;
    if form == Form::Table {
        let summary = summary.context("the server ended without a summary")?;
        output::line(&text(&flips, &summary));
    }
    Ok(ExitCode::SUCCESS)
}

/// Formats the flips, the counts, and a line of totals.
fn text(flips: &[Flip], summary: &Comparison) -> String {
    let mut parts = Vec::new();
    if !flips.is_empty() {
        let headings = ["ticket", "clock", "unit", "business type", "was", "would be"];
        parts.push(output::drawn(&headings, flips.iter().map(flip)));
    }
    if !summary.counts.is_empty() {
        let headings = ["unit", "business type", "clock", "was", "would be", "clocks"];
        parts.push(output::drawn(&headings, summary.counts.iter().map(count)));
    }
    parts.push(totals(flips.len(), summary));
    parts.join("\n")
}

fn flip(flip: &Flip) -> Vec<String> {
    let judged = |verdict: &str, rule: &str| match rule {
        "" => verdict.to_owned(),
        rule => format!("{verdict} ({rule})"),
    };
    vec![
        flip.ticket.clone(),
        crate::promises::clock(&flip.clock, flip.cycle, flip.run_number),
        flip.org.clone(),
        flip.business.clone(),
        judged(&flip.was, &flip.was_rule),
        judged(&flip.would_be, &flip.would_be_rule),
    ]
}

fn count(count: &FlipCount) -> Vec<String> {
    let words = [&count.org, &count.business, &count.clock, &count.was, &count.would_be];
    words.into_iter().cloned().chain([count.count.to_string()]).collect()
}

fn totals(shown: usize, summary: &Comparison) -> String {
    let Comparison { tickets, clocks, flips, position, .. } = summary;
    let shown = if (shown as u64) < *flips { format!(" ({shown} of them shown)") } else { String::new() };
    format!("{tickets} tickets, {clocks} clocks; {flips} would be judged otherwise{shown}. As of position {position}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Comparison {
        let count = FlipCount {
            org: "sgcc/zj/hz".into(),
            business: "fault_repair".into(),
            clock: "arrival".into(),
            was: "kept".into(),
            would_be: "breached".into(),
            count: 7,
        };
        Comparison { tickets: 400, clocks: 1200, flips: 7, counts: vec![count], position: 5000 }
    }

    fn one() -> Flip {
        Flip {
            ticket: "6f0".into(),
            clock: "arrival".into(),
            cycle: 2,
            run_number: 1,
            org: "sgcc/zj/hz".into(),
            business: "fault_repair".into(),
            was: "none".into(),
            was_rule: String::new(),
            would_be: "breached".into(),
            would_be_rule: "F05u".into(),
        }
    }

    #[test]
    fn a_flip_names_the_rules_where_there_are_any() {
        let expected = ["6f0", "arrival (cycle 2)", "sgcc/zj/hz", "fault_repair", "none", "breached (F05u)"];
        assert_eq!(flip(&one()), expected);
    }

    #[test]
    fn flips_come_first_then_counts_then_one_line_of_totals_that_says_what_is_not_shown() {
        let text = text(&[one()], &summary());
        let last = text.lines().last().unwrap();
        assert_eq!(
            last,
            "400 tickets, 1200 clocks; 7 would be judged otherwise (1 of them shown). As of position 5000."
        );
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}"));
        assert!(place("6f0") < place("clocks") && place("clocks") < place("400 tickets"), "{text}");
    }

    #[test]
    fn where_nothing_differs_there_is_only_the_line_of_totals() {
        let summary = Comparison { tickets: 3, clocks: 9, ..Comparison::default() };
        assert_eq!(text(&[], &summary), "3 tickets, 9 clocks; 0 would be judged otherwise. As of position 0.");
    }
}
