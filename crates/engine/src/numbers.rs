//! Ticket numbers, taken from blocks that are reserved in the log. They are unique across stores and engines. A restart
//! abandons the rest of the current block.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

use chrono::FixedOffset;
use switchboard_domain::{
    Timestamp,
    actor::Actor,
    numbering::{BLOCK_NUMBERS_MAX, Exhausted, Numbering, Reserve, format},
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use crate::command::{Aggregates, Failure, Request};

/// The size of a day's first block. Each further block is twice as large, up to the domain's limit.
const BLOCK_NUMBERS_FIRST: u32 = 64;
/// The most days whose blocks are kept in memory; the earliest day is dropped first.
const DAYS_MAX: usize = 512;

#[derive(Debug, Default)]
struct Block {
    next: u32,
    last: u32,
    size: u32,
}

impl Block {
    fn take(&mut self) -> Option<u32> {
        let number = self.next;
        if number == 0 || number > self.last {
            return None;
        }
        self.next += 1;
        Some(number)
    }
}

/// The allocator of ticket numbers.
#[derive(Debug)]
pub struct Numbers {
    streams: Aggregates<Numbering>,
    actor: Actor,
    days: std::sync::Mutex<BTreeMap<String, Arc<Mutex<Block>>>>,
}

impl Numbers {
    /// Numbers from `streams`; `actor` reserves the blocks.
    #[must_use]
    pub fn new(streams: Aggregates<Numbering>, actor: Actor) -> Self {
        Self { streams, actor, days: std::sync::Mutex::default() }
    }

    /// The numbers of the day of `at` in China Standard Time. Only one caller holds a day at a time.
    pub async fn day(&self, at: Timestamp) -> Day<'_> {
        let date = date_in_china(at);
        let block = self.block(&date).lock_owned().await;
        Day { numbers: self, date, block }
    }

    fn block(&self, date: &str) -> Arc<Mutex<Block>> {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(day) = days.get(date) {
            return Arc::clone(day);
        }
        while days.len() >= DAYS_MAX && days.pop_first().is_some() {}
        Arc::clone(days.entry(date.to_owned()).or_default())
    }

    async fn reserve(&self, date: &str, before: u32) -> Result<Block, Failure<Exhausted>> {
        let size = if before == 0 { BLOCK_NUMBERS_FIRST } else { (before * 2).min(BLOCK_NUMBERS_MAX) };
        let request = Request::new(Uuid::new_v4(), String::new(), self.actor.clone());
        let outcome = self.streams.execute(&date.to_owned(), &Reserve { count: size }, &request).await?;
        let (first, last) = outcome.events.first().map_or((1, 0), |reserved| (reserved.first, reserved.last));
        Ok(Block { next: first, last, size })
    }
}

/// The numbers of one day.
#[derive(Debug)]
pub struct Day<'a> {
    numbers: &'a Numbers,
    date: String,
    block: OwnedMutexGuard<Block>,
}

impl Day<'_> {
    /// The next number of the block in memory; `None` when a block must be reserved first, which appends to the log.
    pub fn take(&mut self) -> Option<String> {
        self.block.take().map(|number| format(&self.date, number))
    }

    /// The next number, after reserving a block.
    ///
    /// # Errors
    /// The failure of the reservation.
    pub async fn reserve(mut self) -> Result<String, Failure<Exhausted>> {
        *self.block = self.numbers.reserve(&self.date, self.block.size).await?;
        self.take().ok_or_else(|| Failure::Corrupt(format!("a block of no numbers for {}", self.date)))
    }
}

/// The date in China Standard Time: `20261121`.
fn date_in_china(at: Timestamp) -> String {
    let china = FixedOffset::east_opt(8 * 3600);
    china.map_or_else(|| at.format("%Y%m%d").to_string(), |china| at.with_timezone(&china).format("%Y%m%d").to_string())
}
