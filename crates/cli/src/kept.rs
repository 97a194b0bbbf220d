//! `kpi kept`: which promises the tickets of a period kept, by clock. For each broken promise it shows the responsible
//! unit, the lateness, and where the time went. The demo ends with it. Nothing is judged here: the server explains the
//! promises of each ticket.

mod catalogue;

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;
use switchboard_wire::proto::{
    ExplainPromisesRequest, ExplainPromisesResponse, FactView, HistoryRequest, HistoryResponse, ListRequest,
    ListResponse, Promise, TicketSummary, Verdict,
};

use self::catalogue::{CHINESE, ENGLISH, Words};
use crate::{
    client::{Line, speaker},
    option,
    output::{self, Form},
    promises, times,
};

const SERVICE: &str = "TicketService";
/// Tickets of one page of the list.
const PAGE: u32 = 200;
/// The most tickets with broken promises in the table; JSON has all.
const SHOWN_MAX: usize = 8;
/// Clocks that measure how soon a step is recorded. A day that is entered afterwards breaks all of them, which is no
/// information.
pub const OF_RECORDING: [&str; 2] = ["arrival_report", "restoration_report"];
/// Facts that change the course of a ticket; the report names them for a broken promise.
const DETOURS: [&str; 8] = [
    "ticket.returned.v1",
    "ticket.reassigned.v1",
    "ticket.handed_over.v1",
    "ticket.merged.v1",
    "ticket.unmerged.v1",
    "ticket.reply_sent_back.v1",
    "ticket.suspended.v1",
    "ticket.reopened.v1",
];

pub fn command() -> Command {
    let about =
        "What the tickets received in a period kept of their promises, clock by clock; which were broken, and why";
    speaker(Command::new("kept").about(about), "inspector")
        .arg(
            option("from", "TIME", "Received from here on; 30 days before the end when absent")
                .value_parser(times::instant),
        )
        .arg(
            option("to", "TIME", "Received before; the end of today in China when absent").value_parser(times::instant),
        )
        .arg(
            Arg::new("without")
                .long("without")
                .value_name("CLOCK")
                .action(ArgAction::Append)
                .help("Does not count this clock; may be given more than once"),
        )
}

pub async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let instant = |name| matches.get_one::<DateTime<Utc>>(name).copied();
    let (from, to) = times::period(instant("from"), instant("to"), Utc::now()).context("there is no such period")?;
    let without: Vec<&str> = matches.get_many::<String>("without").into_iter().flatten().map(String::as_str).collect();
    let line = Line::of(matches).await?;
    let kept = Kept::of(&line, from, to, &without).await?;
    match form {
        Form::Json => output::json(&serde_json::to_value(&kept)?)?,
        Form::Table => kept.tell(is_chinese(&line.caller.language)),
    }
    Ok(ExitCode::SUCCESS)
}

pub fn is_chinese(language: &str) -> bool {
    language.starts_with("zh")
}

/// The kept and broken promises of a period.
#[derive(Debug, Default, Serialize)]
pub struct Kept {
    /// Tickets received in the period.
    pub tickets: u64,
    /// The verdicts by clock, sorted by name.
    pub clocks: Vec<Clock>,
    /// The broken promises, the latest first.
    pub broken: Vec<Broken>,
    /// The clocks that were excluded.
    pub not_counted: Vec<String>,
}

/// The verdicts of one clock. Running, paused and cancelled ones are not counted.
#[derive(Debug, Default, Serialize)]
pub struct Clock {
    pub clock: String,
    pub kept: u64,
    pub broken: u64,
}

/// One broken promise.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The ticket's number.
    pub ticket: String,
    pub clock: String,
    pub limit: String,
    /// The unit that held the ticket at the due instant.
    pub owner: String,
    /// Seconds from the due instant to the end of the clock; absent while it has no end.
    pub late_seconds: Option<i64>,
    /// The longest time between two consecutive facts while the clock ran, in seconds. The next two fields name these
    /// facts.
    pub longest_seconds: i64,
    pub longest_after: String,
    pub longest_before: String,
    /// The facts that changed the course of the ticket while the clock ran.
    pub detours: Vec<String>,
}

impl Kept {
    /// Asks the server about every ticket that was received from `from` up to but not including `to`.
    pub async fn of(line: &Line, from: DateTime<Utc>, to: DateTime<Utc>, without: &[&str]) -> anyhow::Result<Self> {
        let mut kept = Self { not_counted: without.iter().map(ToString::to_string).collect(), ..Self::default() };
        let mut clocks: BTreeMap<String, Clock> = BTreeMap::new();
        for ticket in received(line, from, to).await? {
            kept.tickets += 1;
            let request = ExplainPromisesRequest { ticket: ticket.id.clone(), ..ExplainPromisesRequest::default() };
            let answer: ExplainPromisesResponse =
                line.ask(SERVICE, "ExplainPromises", &request).await?.transcode_to()?;
            let counted = |promise: &&Promise| {
                let is_final = matches!(promise.verdict(), Verdict::Kept | Verdict::Breached);
                is_final && !without.contains(&promise.clock.as_str())
            };
            let mut history = None;
            for promise in answer.promises.iter().filter(counted) {
                let clock = clocks.entry(promise.clock.clone()).or_default();
                if promise.verdict() == Verdict::Kept {
                    clock.kept += 1;
                    continue;
                }
                clock.broken += 1;
                if history.is_none() {
                    history = Some(facts(line, &ticket.id).await?);
                }
                kept.broken.push(broken(&ticket.number, promise, history.as_deref().unwrap_or_default()));
            }
        }
        kept.clocks = clocks.into_iter().map(|(clock, counts)| Clock { clock, ..counts }).collect();
        let late = |broken: &Broken| (broken.late_seconds.map_or(i64::MIN, |late| -late), broken.ticket.clone());
        kept.broken.sort_by_cached_key(late);
        Ok(kept)
    }

    /// Prints the report as tables.
    pub fn tell(&self, chinese: bool) {
        self.lines(words(chinese)).iter().for_each(output::line);
    }

    /// Prints the report for a day that was entered afterwards, with the reason why some clocks are excluded.
    pub fn tell_afterwards(&self, chinese: bool) {
        self.tell(chinese);
        output::line(&words(chinese).entered_later);
    }

    fn lines(&self, words: &Words) -> Vec<String> {
        if self.clocks.is_empty() {
            return vec![words.nothing.into()];
        }
        let (kept, broken) = (self.clocks.iter().map(|c| c.kept).sum(), self.clocks.iter().map(|c| c.broken).sum());
        let total = Clock { clock: words.all.into(), kept, broken };
        let row = |c: &Clock| vec![c.clock.clone(), c.kept.to_string(), c.broken.to_string(), share(c.kept, c.broken)];
        let mut lines = vec![output::drawn(&words.clocks, self.clocks.iter().chain([&total]).map(row))];
        // `broken` has the latest first, so the first promise of a ticket is its latest.
        let mut tickets: Vec<(&Broken, usize)> = Vec::new();
        for broken in &self.broken {
            match tickets.iter_mut().find(|(first, _)| first.ticket == broken.ticket) {
                Some((_, others)) => *others += 1,
                None => tickets.push((broken, 0)),
            }
        }
        if !tickets.is_empty() {
            let sentence = if tickets.len() > SHOWN_MAX { words.many } else { words.few };
            let counts = [self.broken.len(), tickets.len(), SHOWN_MAX].map(|count| count.to_string());
            lines.push(catalogue::filled(sentence, &counts.each_ref().map(String::as_str)));
            let rows = tickets.iter().take(SHOWN_MAX).map(|(broken, others)| broken.row(*others, words));
            lines.push(output::drawn(&words.broken, rows));
        }
        if !self.not_counted.is_empty() {
            lines.push(catalogue::filled(words.not_counted, &[&self.not_counted.join(", ")]));
        }
        lines
    }
}

fn words(chinese: bool) -> &'static Words {
    if chinese { &CHINESE } else { &ENGLISH }
}

impl Broken {
    fn row(&self, others: usize, words: &Words) -> Vec<String> {
        let clock = match others {
            0 => self.clock.clone(),
            others => catalogue::filled(words.others, &[&self.clock, &others.to_string()]),
        };
        let late = self.late_seconds.map_or_else(|| words.not_met.into(), times::stretch);
        let time = times::stretch(self.longest_seconds);
        let mut why = catalogue::filled(words.longest, &[&time, &self.longest_after, &self.longest_before]);
        if !self.detours.is_empty() {
            why.push_str(&format!("; {}", self.detours.join(", ")));
        }
        vec![self.ticket.clone(), clock, self.limit.clone(), late, format!("{}\n{why}", self.owner)]
    }
}

/// Lists the tickets that were received in a period.
async fn received(line: &Line, from: DateTime<Utc>, to: DateTime<Utc>) -> anyhow::Result<Vec<TicketSummary>> {
    let filter = format!("received_at >= {} AND received_at < {}", from.to_rfc3339(), to.to_rfc3339());
    let mut request = ListRequest { page_size: PAGE, filter, order_by: "received_at".into(), ..ListRequest::default() };
    let mut tickets = Vec::new();
    loop {
        let page: ListResponse = line.ask(SERVICE, "List", &request).await?.transcode_to()?;
        tickets.extend(page.tickets);
        if page.next_page_token.is_empty() {
            return Ok(tickets);
        }
        request.page_token = page.next_page_token;
    }
}

async fn facts(line: &Line, ticket: &str) -> anyhow::Result<Vec<FactView>> {
    let mut request = HistoryRequest { ticket: ticket.into(), ..HistoryRequest::default() };
    let mut facts = Vec::new();
    loop {
        let page: HistoryResponse = line.ask(SERVICE, "History", &request).await?.transcode_to()?;
        facts.extend(page.facts);
        match page.next_revision {
            Some(revision) => request.from_revision = revision,
            None => return Ok(facts),
        }
    }
}

/// Builds the report on one broken promise.
fn broken(number: &str, promise: &Promise, history: &[FactView]) -> Broken {
    let (started, due) = (times::of(promise.started_at.as_ref()), times::of(promise.due_at.as_ref()));
    let ended = times::of(promise.ended_at.as_ref());
    let seconds = |from: DateTime<Utc>, to: DateTime<Utc>| TimeDelta::num_seconds(&(to - from));
    let mut while_it_ran: Vec<(DateTime<Utc>, &str)> = history
        .iter()
        .filter_map(|fact| Some((times::of(fact.occurred_at.as_ref())?, fact.kind.as_str())))
        .filter(|(at, _)| started.is_some_and(|started| *at >= started) && ended.is_none_or(|ended| *at <= ended))
        .collect();
    // By time of occurrence. The sort is stable, so facts of the same instant keep the order of the history.
    while_it_ran.sort_by_key(|(at, _)| *at);
    let gaps = while_it_ran.windows(2).map(|pair| (seconds(pair[0].0, pair[1].0), pair[0].1, pair[1].1));
    let (longest_seconds, after, before) = gaps.max_by_key(|(seconds, ..)| *seconds).unwrap_or_default();
    let detours = while_it_ran.iter().skip(1).filter(|(_, kind)| DETOURS.contains(kind)).map(|(_, kind)| plain(kind));
    Broken {
        ticket: number.to_owned(),
        clock: promises::clock(&promise.clock, promise.cycle, promise.run_number),
        limit: promise.limit.clone(),
        owner: promise.owner.clone(),
        late_seconds: due.zip(ended).map(|(due, ended)| seconds(due, ended)),
        longest_seconds,
        longest_after: plain(after),
        longest_before: plain(before),
        detours: detours.collect(),
    }
}

/// Returns a stored kind without category and version: `crew_arrived` for `ticket.crew_arrived.v1`.
fn plain(kind: &str) -> String {
    kind.split('.').nth(1).unwrap_or(kind).to_owned()
}

/// Formats the share of kept promises in percent.
fn share(kept: u64, broken: u64) -> String {
    // Counts of promises are far below 2^53.
    #[allow(clippy::cast_precision_loss)]
    let percent = kept as f64 * 100.0 / (kept + broken).max(1) as f64;
    format!("{percent:.1} %")
}

#[cfg(test)]
mod tests;
