//! One slice: so many callers, each with one append in flight, for so long.
//!
//! A closed loop: it finds the peak. Its latencies are what a caller sees at that peak, with no correction for the
//! requests that a caller would have sent meanwhile.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::workload::{Busy, Caller, Fault};

/// Longest latency that is told apart, in nanoseconds: ten seconds.
const LATENCY_NANOS_MAX: u64 = 10_000_000_000;

/// The operations of a slice.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Durable appends that were acknowledged.
    pub appends: u64,
    /// From the first call to the last answer.
    pub elapsed: Duration,
    /// Of each append, in nanoseconds.
    pub latency: Histogram<u64>,
}

impl Tally {
    /// An empty tally.
    pub fn new() -> Result<Self, Fault> {
        let latency = Histogram::new_with_bounds(1, LATENCY_NANOS_MAX, 3)?;
        Ok(Self { appends: 0, elapsed: Duration::ZERO, latency })
    }

    /// Counts appends that were answered together, `took` after they were sent.
    pub fn count(&mut self, appends: u64, took: Duration) {
        self.appends += appends;
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.latency.saturating_record_n(nanos, appends);
    }

    /// Durable appends per second.
    pub fn rate(&self) -> f64 {
        self.appends as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// Lets every caller work until the time is over, and gives the callers back.
pub async fn closed_loop<C: Caller>(callers: Vec<Busy<C>>, time: Duration) -> Result<(Vec<Busy<C>>, Tally), Fault> {
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for mut caller in callers {
        tasks.spawn(async move {
            let mut tally = Tally::new()?;
            while begun.elapsed() < time {
                let start = Instant::now();
                caller.step().await?;
                tally.count(1, start.elapsed());
            }
            Ok::<_, Fault>((caller, tally))
        });
    }
    let (mut callers, mut total) = (Vec::new(), Tally::new()?);
    while let Some(done) = tasks.join_next().await {
        let (caller, tally) = done??;
        total.appends += tally.appends;
        total.latency.add(&tally.latency)?;
        callers.push(caller);
    }
    total.elapsed = begun.elapsed();
    Ok((callers, total))
}
