//! The limit of the disk: the duration of a sync, and the number of records per second of a write and sync loop.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use crate::stats::{Slice, histogram};

/// The approximate size of what one command stores: payload, metadata, digest and index entries.
const RECORD_BYTES: usize = 700;

/// Returns the median and the 99th percentile of a write and fdatasync of 4 KiB.
pub fn probe(folder: &Path, times: usize) -> std::io::Result<(Duration, Duration)> {
    let path = folder.join("probe");
    let mut file = File::create(&path)?;
    let block = [0x5a; 4096];
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        taken.push(begun.elapsed());
    }
    std::fs::remove_file(path)?;
    taken.sort();
    Ok((taken[times / 2], taken[times * 99 / 100]))
}

/// Writes and syncs batches of `records` records for `time`. The slice counts records; its latencies are per batch.
pub fn batches(folder: &Path, records: usize, time: Duration) -> std::io::Result<Slice> {
    let path = folder.join("raw");
    let mut file = File::create(&path)?;
    let batch = vec![0x5a; RECORD_BYTES * records];
    let (begun, mut operations, mut latency) = (Instant::now(), 0, histogram());
    while begun.elapsed() < time {
        let started = Instant::now();
        file.write_all(&batch)?;
        file.sync_data()?;
        operations += records as u64;
        latency.saturating_record(started.elapsed().as_micros() as u64);
    }
    let wall = begun.elapsed();
    std::fs::remove_file(path)?;
    Ok(Slice { operations, wall, cpu: Duration::ZERO, latency })
}
