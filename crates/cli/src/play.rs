//! `import`, `replay`, `demo`: scripts played through the public API, against a running server or one that is started
//! for the command.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context;
use chrono::TimeDelta;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::Value;
use switchboard_eventstore::private::create_folder;
use switchboard_server::{Server, config::Config};
use switchboard_simulator::{
    city::{City, stormy_calls},
    driver::{Driver, Options, Report},
    mapping::Mapping,
    outage::{self, Manner},
    rows::{RowProblem, Rows},
    script::Script,
};

use crate::{
    bars::bar,
    client::{Caller, Line},
    flag,
    kept::{self, Kept},
    live, option,
    output::{self, Form},
    promises, shipped, times,
};

/// The default folder of the demo.
const DEMO_FOLDER: &str = "demo-data";

pub fn commands() -> [Command; 3] {
    let file = || {
        Arg::new("file")
            .value_name("FILE")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .help("A CSV file, perhaps with gzip")
    };
    let mapping = || {
        option("mapping", "FILE", "What the file's columns mean, see deploy/mappings")
            .value_parser(value_parser!(PathBuf))
    };
    let target = |command: Command| {
        command
            .arg(
                option(
                    "server",
                    "URL",
                    "A running server; without it, one is started on the data folder for the time of the command",
                )
                .env("SWITCHBOARD_SERVER"),
            )
            .arg(
                option("data", "FOLDER", "The data folder when no server is named")
                    .default_value("data")
                    .value_parser(value_parser!(PathBuf)),
            )
            .arg(
                option("in-flight", "N", "Tickets worked on at once")
                    .default_value("64")
                    .value_parser(value_parser!(usize)),
            )
    };
    [
        Command::new("demo")
            .about("Fills a folder with a seeded city's day, or a file's outages, through the gRPC API, and shows what came of it")
            .arg(option("seed", "N", "The city's seed").default_value("95598").value_parser(value_parser!(u64)))
            .arg(option("tickets", "N", "How many tickets").default_value("400").value_parser(value_parser!(u32)))
            .arg(option("date", "DATE", "The city's day").default_value("2026-03-03"))
            .arg(option("data", "FOLDER", "The folder").default_value(DEMO_FOLDER).value_parser(value_parser!(PathBuf)))
            .arg(mapping().requires("file"))
            .arg(option("file", "FILE", "Recorded outages instead of the city").value_parser(value_parser!(PathBuf)).requires("mapping"))
            .args(live::demo_arguments())
            .arg(
                option("language", "LANGUAGE", "Language of the report on promises: zh-CN or en")
                    .default_value("en")
                    .env("SWITCHBOARD_LANGUAGE"),
            )
            .arg(flag("serve", "Go on serving when the story is told")),
        target(
            Command::new("import")
                .about("Carries another system's export over, with its original times; doing it twice adds nothing")
                .arg(file())
                .arg(mapping().required(true)),
        ),
        target(
            Command::new("replay")
                .about("Plays a file's outages as they may have been: calls, a ticket, a crew, a reply, a revisit, a close")
                .arg(file())
                .arg(mapping().required(true))
                .arg(option("times", "N", "So many times as fast as it happened; as fast as it goes when absent").value_parser(value_parser!(f64)))
                .arg(option("seed", "N", "Of the callers").default_value("1").value_parser(value_parser!(u64)))
                .arg(option("from", "DATE", "Only outages from this day on (UTC), for example 2024-01-08"))
                .arg(option("days", "N", "Only so many days").value_parser(value_parser!(u64)))
                .arg(live::crews().help("As if they happened now: the dispatcher offers them to so many simulated crews")),
        ),
    ]
}

/// The server that scripts are played against: a running one, or an own one that runs as long as this value lives.
struct Stage {
    endpoint: String,
    own: Option<Server>,
    /// True if the log has no policy yet.
    unpublished: bool,
    /// True if it has no ticket yet either.
    fresh: bool,
}

impl Stage {
    async fn of(matches: &ArgMatches) -> anyhow::Result<Self> {
        if let Some(endpoint) = matches.try_get_one::<String>("server").ok().flatten() {
            return Ok(Self { endpoint: endpoint.clone(), own: None, unpublished: false, fresh: false });
        }
        Self::own(matches).await
    }

    /// Starts an own server on the data folder. With simulated crews it uses the dispatch policy with shortened times.
    async fn own(matches: &ArgMatches) -> anyhow::Result<Self> {
        let data = matches.get_one::<PathBuf>("data").context("no data folder")?.clone();
        create_folder(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let dispatch = live::hurried_policy(matches, &data)?;
        let config = Config { data, listen: free, operations: free, dispatch, ..Config::default() };
        let started = Server::start(&config, None).await;
        // The server reads the file only at the start. It is removed so that a later server with real crews does not
        // use it.
        if !config.dispatch.is_empty() {
            fs::remove_file(&config.dispatch).with_context(|| format!("{} cannot be removed", config.dispatch))?;
        }
        let server = started?;
        let mut stage =
            Self { endpoint: format!("http://{}", server.listen), own: Some(server), unpublished: false, fresh: false };
        match stage.look().await {
            Ok(()) => Ok(stage),
            Err(error) => {
                stage.end().await?;
                Err(error)
            }
        }
    }

    /// Finds out whether the log has a policy, and tickets.
    async fn look(&mut self) -> anyhow::Result<()> {
        self.unpublished = !shipped::has_policy(&self.endpoint).await?;
        self.fresh = self.unpublished && shipped::tickets(&self.endpoint, 1).await? == 0;
        Ok(())
    }

    /// Publishes the shipped policies and calendars after a run, if there is no policy and every ticket is of this run
    /// or of an earlier, interrupted one. They would change the judgement of other tickets.
    async fn publish_after(&self, report: &Report) -> anyhow::Result<()> {
        let played = report.imported + report.already_present;
        if self.fresh || (self.unpublished && shipped::tickets(&self.endpoint, played + 1).await? == played) {
            shipped::publish(&self.endpoint).await?;
        } else if self.unpublished {
            eprintln!("no policy is published, because the log has other tickets too; publish one for promises");
        }
        Ok(())
    }

    async fn play<I>(&self, scripts: I, options: Options, total: u64) -> anyhow::Result<Report>
    where
        I: IntoIterator<Item = Result<Script, RowProblem>>,
    {
        let driver = Driver::to(&self.endpoint, options).context("the server's address is none")?;
        let progress = bar(total, "tickets");
        let work = driver.play(scripts, |now| progress.set_position(now.rows));
        let report = tokio::select! {
            report = work => report,
            () = crate::signal::stopped() => anyhow::bail!("interrupted; running it again completes what is missing"),
        };
        progress.finish_and_clear();
        // Published after the run: days long past are played within seconds, and otherwise the watch would announce
        // every clock as late.
        self.publish_after(&report).await?;
        Ok(report)
    }

    /// Plays recorded outages as live faults. The shipped files are published before, because the promises can still be
    /// kept.
    async fn replay_live(
        &self,
        matches: &ArgMatches,
        recorded: Vec<Result<outage::Outage, RowProblem>>,
        seed: u64,
    ) -> anyhow::Result<live::Live> {
        if self.fresh {
            shipped::publish(&self.endpoint).await?;
        }
        live::replay(&self.endpoint, matches, recorded, seed).await
    }

    async fn end(self) -> anyhow::Result<()> {
        match self.own {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

pub async fn import(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let (rows, total) = rows(matches)?;
    let stage = Stage::of(matches).await?;
    let in_flight = *matches.get_one::<usize>("in-flight").unwrap_or(&64);
    let scripts = rows.map(|row| row.map(|outage| outage::script(&outage, Manner::Import)));
    let report = stage.play(scripts, Options { in_flight, ..Options::default() }, total).await;
    stage.end().await?;
    ended(&report?, None, None, form)
}

pub async fn replay(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let seed = *matches.get_one::<u64>("seed").unwrap_or(&1);
    let (from, to) = window(matches)?;
    let mut options = Options::default();
    if let Some(times) = matches.get_one::<f64>("times") {
        anyhow::ensure!(times.is_finite() && *times > 0.0, "--times takes a number above 0");
        options = Options::paced(*times);
    } else {
        options.in_flight = *matches.get_one::<usize>("in-flight").unwrap_or(&64);
    }
    let mut recorded = recorded(matches)?;
    recorded.retain(|row| row.as_ref().map_or(true, |outage| outage.received >= from && outage.received < to));
    let stage = Stage::of(matches).await?;
    if live::wanted(matches) > 0 {
        let played = stage.replay_live(matches, recorded, seed).await;
        stage.end().await?;
        let played = played?;
        if form == Form::Table {
            played.tell();
        }
        return ended(&played.tickets, Some(&played), None, form);
    }
    let total = recorded.len() as u64;
    let report = stage.play(replayed(recorded, seed), options, total).await;
    stage.end().await?;
    ended(&report?, None, None, form)
}

/// Reads the file's outages, sorted by the time of their report; bad rows come first.
fn recorded(matches: &ArgMatches) -> anyhow::Result<Vec<Result<outage::Outage, RowProblem>>> {
    let (rows, _) = rows(matches)?;
    let mut recorded: Vec<_> = rows.collect();
    recorded.sort_by_key(|row| row.as_ref().ok().map(|outage| outage.received));
    Ok(recorded)
}

/// Builds the scripts of a replay.
fn replayed(
    recorded: Vec<Result<outage::Outage, RowProblem>>,
    seed: u64,
) -> impl Iterator<Item = Result<Script, RowProblem>> {
    recorded.into_iter().map(move |row| row.map(|outage| outage::script(&outage, Manner::Replay { seed })))
}

/// Returns the period that `--from` and `--days` give.
fn window(matches: &ArgMatches) -> anyhow::Result<(chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>)> {
    let day = |text: &String| -> anyhow::Result<chrono::DateTime<chrono::Utc>> {
        let date: chrono::NaiveDate =
            text.parse().with_context(|| format!("{text:?} is no date such as 2024-01-08"))?;
        Ok(date.and_time(chrono::NaiveTime::MIN).and_utc())
    };
    let from = matches.get_one::<String>("from").map_or(Ok(chrono::DateTime::<chrono::Utc>::MIN_UTC), day)?;
    let days = matches.get_one::<u64>("days");
    let to = days.and_then(|days| from.checked_add_days(chrono::Days::new(*days)));
    Ok((from, to.unwrap_or(chrono::DateTime::<chrono::Utc>::MAX_UTC)))
}

/// Opens the file, and returns its rows and their number.
fn rows(matches: &ArgMatches) -> anyhow::Result<(Rows, u64)> {
    let mapping = matches.get_one::<PathBuf>("mapping").context("no mapping")?;
    let file = matches.get_one::<PathBuf>("file").context("no file")?;
    let mapping = Mapping::read(mapping)?;
    let total = Rows::open(mapping.clone(), file)?.count() as u64;
    Ok((Rows::open(mapping, file)?, total))
}

/// Prints the result. The exit code is 1 if anything failed.
fn ended(report: &Report, live: Option<&live::Live>, kept: Option<&Kept>, form: Form) -> anyhow::Result<ExitCode> {
    let mut value = serde_json::to_value(report)?;
    match form {
        Form::Json => {
            if let Some(live) = live {
                value["dispatch"] = serde_json::to_value(live)?;
            }
            if let Some(kept) = kept {
                value["promises"] = serde_json::to_value(kept)?;
            }
            output::json(&value)?;
        }
        // The demo has printed its sentences already; the table follows only after a failure.
        Form::Table if kept.is_some() && report.is_clean() => {}
        Form::Table => output::value(&value),
    }
    let clean = report.is_clean() && live.is_none_or(live::Live::is_clean);
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The result of a demo.
struct Told {
    report: Report,
    /// The result of the live faults, if there were crews.
    live: Option<live::Live>,
    /// The kept promises of the city's past day; `None` for a file.
    kept: Option<Kept>,
}

pub async fn demo(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let data = matches.get_one::<PathBuf>("data").context("no data folder")?.clone();
    let stage = Stage::own(matches).await?;
    let Told { report, live, kept } = match told(&stage, matches).await {
        Ok(told) => told,
        Err(error) => {
            stage.end().await?;
            return Err(error);
        }
    };
    if form == Form::Table {
        if let Some(kept) = &kept {
            output::line(&format!("The city's day: {} calls, {} tickets.", report.rows, kept.tickets));
            let language = matches.get_one::<String>("language").map_or("", String::as_str);
            kept.tell_afterwards(kept::is_chinese(language));
        }
        story(&stage.endpoint).await?;
        if let Some(live) = &live {
            live.tell();
        }
    }
    let code = ended(&report, live.as_ref(), kept.as_ref(), form)?;
    if matches.get_flag("serve") {
        eprintln!("serving {} at {} until interrupted", data.display(), stage.endpoint);
        crate::signal::stopped().await;
    } else if form == Form::Table {
        println!("Serve what was made with:  switchboard serve --data {}", data.display());
    }
    stage.end().await?;
    Ok(code)
}

/// Plays the demo: the outages of a file, or a past day of the city and then live faults.
async fn told(stage: &Stage, matches: &ArgMatches) -> anyhow::Result<Told> {
    let seed = *matches.get_one::<u64>("seed").unwrap_or(&95598);
    if matches.contains_id("file") {
        let recorded = recorded(matches)?;
        let total = recorded.len() as u64;
        let report = stage.play(replayed(recorded, seed), Options::default(), total).await?;
        return Ok(Told { report, live: None, kept: None });
    }
    let tickets = *matches.get_one::<u32>("tickets").unwrap_or(&400);
    let date = matches.get_one::<String>("date").context("no date")?;
    let date = date.parse().with_context(|| format!("{date:?} is no date such as 2026-03-03"))?;
    let midnight = City::midnight(date).context("no such day")?;
    let city = City::new(seed);
    let report = if matches.get_flag("storm") {
        let day = city.stormy_day(midnight, tickets).map(Ok);
        stage.play(day, Options::default(), stormy_calls(tickets).into()).await?
    } else {
        stage.play(city.day(midnight, tickets).map(Ok), Options::default(), tickets.into()).await?
    };
    let live = if live::wanted(matches) > 0 && report.ended.is_none() {
        Some(live::faults(&stage.endpoint, matches, seed).await?)
    } else {
        None
    };
    let line = Line::to(&stage.endpoint, Caller::in_role("inspector")).await?;
    let kept = Kept::of(&line, midnight, midnight + TimeDelta::days(1), &kept::OF_RECORDING).await?;
    Ok(Told { report, live, kept: Some(kept) })
}

/// Prints the history of one ticket from receipt to close, its promises, and the number of tickets at each stage.
async fn story(endpoint: &str) -> anyhow::Result<()> {
    let ask = |call: &'static str, arguments: &[&str]| {
        let line = [&["switchboard", "ticket", call, "--server", endpoint], arguments].concat();
        let matches = crate::command().try_get_matches_from(line);
        async move {
            let matches = matches?;
            let (service, matches) = matches.subcommand().context("no such command")?;
            crate::calls::answer(service, matches).await
        }
    };
    let restored = "stage = closed AND business_type = fault_repair AND crew_progress = restored AND urgency = normal";
    let list = ask("list", &["--filter", restored, "--order-by", "received_at", "--page-size", "50"]).await?;
    let tickets = list.get("tickets").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    // A merged ticket was restored by its master's crew. Prefer a ticket that had a crew of its own.
    let has_crew = |ticket: &&Value| ticket["holder"].as_str().is_some_and(|holder| holder.split('/').count() == 6);
    let chosen = tickets.iter().find(has_crew).or(tickets.first());
    if let Some(number) = chosen.and_then(|ticket| ticket["number"].as_str()) {
        let history = ask("history", &[number]).await?;
        println!("The life of ticket {number}:");
        let facts = history.get("facts").and_then(Value::as_array).cloned().unwrap_or_default();
        let text =
            |fact: &Value, pointer: &str| fact.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let at = |fact: &Value| times::instant(&text(fact, "/occurred_at")).map(times::in_china).unwrap_or_default();
        let rows = facts
            .iter()
            .map(|fact| vec![at(fact), text(fact, "/kind"), text(fact, "/actor/role"), text(fact, "/actor/org")]);
        output::table(&["occurred (+08:00)", "kind", "role", "unit"], rows);
        println!("Its promises; `switchboard ticket promises {number}` explains them:");
        output::line(&promises::summary(endpoint, number, &kept::OF_RECORDING).await?);
    }
    let mut stages = Vec::new();
    for stage in [
        "received",
        "classified",
        "dispatched",
        "accepted",
        "replied",
        "awaiting_revisit",
        "ready_to_close",
        "closed",
        "withdrawn",
    ] {
        let found = ask("list", &["--filter", &format!("stage = {stage}"), "--page-size", "1"]).await?;
        let total = found.get("total").and_then(Value::as_u64).unwrap_or_default();
        if total > 0 {
            stages.push(format!("{total} {stage}"));
        }
    }
    println!("The folder holds these tickets: {}.", stages.join(", "));
    Ok(())
}
