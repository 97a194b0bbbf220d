//! The cost of rebuilding a view: decodes stored facts and folds them into case files, in memory, on one core.

use std::{collections::HashMap, path::Path, time::Instant};

use switchboard_domain::ticket::{CaseFile, Event, TicketId};
use switchboard_engine::journal;
use switchboard_eventstore::{
    Direction, EventStore, Position, Recorded,
    sqlite::{SqliteOptions, SqliteStore},
};

use crate::{Outcome, stats::ratio_line};

/// Reading stops after the page that reaches this number of facts. The rest of the log is not measured.
const FACTS_MAX: usize = 500_000;

pub async fn run(folder: &Path, times: usize) -> Outcome<()> {
    let store = SqliteStore::open(folder, SqliteOptions::default())?;
    let mut facts: Vec<Recorded> = Vec::new();
    let (begun, mut after) = (Instant::now(), Position::START);
    while facts.len() < FACTS_MAX {
        let page = store.read_all(after, 512, Direction::Forward).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        facts.extend(page.into_iter().filter(|raw| raw.stream.category() == "ticket"));
    }
    println!("read {} facts from disk: {:.0}/s", facts.len(), facts.len() as f64 / begun.elapsed().as_secs_f64());
    let mut rates = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        let mut files: HashMap<TicketId, Option<CaseFile>> = HashMap::new();
        for raw in &facts {
            let id = TicketId::parse(raw.stream.id()).ok_or("not a ticket")?;
            let fact = journal::recorded(id, journal::decode::<Event>(raw)?);
            CaseFile::apply(files.entry(id).or_default(), &fact);
        }
        let rate = facts.len() as f64 / begun.elapsed().as_secs_f64();
        rates.push(rate / 1e6);
        std::hint::black_box(files.len());
    }
    println!("decode and fold: {} million facts/s", ratio_line(rates.into_iter()));
    store.close().await;
    Ok(())
}
