//! The disk: the present time of one sync, and the mood that follows from it.
//!
//! On a shared machine a sync takes a tenth of a millisecond at one time and several milliseconds seconds later.
//! Figures taken in different moods cannot be compared. The slow mood need not come from the disk: while other programs
//! keep every processor busy, a thread that waits for a sync continues at the next tick of the scheduler only. The
//! share of the others is measured beside each slice, see [`crate::pairs::Side::others_cpu`].

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of one probe write: about one event.
const PROBE_BYTES: usize = 480;
/// How long one probe may take. A slow disk gets a few samples, a fast one gets [`PROBE_SAMPLES_MAX`].
const PROBE_TIME: Duration = Duration::from_millis(200);
/// Samples after which a probe ends early.
const PROBE_SAMPLES_MAX: usize = 200;
/// Size of a [`Ring`].
const RING_BYTES: u64 = 64 << 20;

/// A file of fixed size that is written over and over, as a write-ahead log does at its best. With a file that grows, a
/// sync takes a third longer.
pub struct Ring {
    file: File,
    at: u64,
}

impl Ring {
    /// A ring in a folder, without a name there.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        let block = vec![0x5a; 1 << 20];
        for offset in (0..RING_BYTES).step_by(block.len()) {
            file.write_all_at(&block, offset)?;
        }
        file.sync_all()?;
        Ok(Self { file, at: 0 })
    }

    /// One write and one `fdatasync`.
    pub fn write_durably(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.at + bytes.len() as u64 > RING_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        self.file.sync_data()
    }
}

/// The result of one probe.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Median time of one write and one `fdatasync`.
    pub p50: Duration,
    /// The slowest of a hundred.
    pub p99: Duration,
}

/// The mood of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// A sync takes less than the threshold.
    Fast,
    /// A sync takes longer.
    Slow,
    /// It changed in between: nothing can be compared.
    Mixed,
}

impl Mood {
    /// The mood of everything between the first and the last of these probes.
    pub fn between(probes: &[Probe], slow_over: Duration) -> Mood {
        match probes.iter().filter(|probe| probe.p50 > slow_over).count() {
            0 => Mood::Fast,
            slow if slow == probes.len() => Mood::Slow,
            _ => Mood::Mixed,
        }
    }

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Mood::Fast => "fast",
            Mood::Slow => "slow",
            Mood::Mixed => "mixed",
        }
    }
}

/// Probes the disk. Blocks for up to a fifth of a second.
pub fn probe(ring: &mut Ring) -> io::Result<Probe> {
    let bytes = [0xa5; PROBE_BYTES];
    let mut times = Vec::with_capacity(PROBE_SAMPLES_MAX);
    let begun = Instant::now();
    while times.len() < PROBE_SAMPLES_MAX && (times.len() < 5 || begun.elapsed() < PROBE_TIME) {
        let start = Instant::now();
        ring.write_durably(&bytes)?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() - 1) * percent / 100).copied().unwrap_or_default();
    Ok(Probe { p50: at(50), p99: at(99) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_mood_is_neither_mood() {
        let probe = |millis| Probe { p50: Duration::from_millis(millis), p99: Duration::ZERO };
        let mood = |probes: &[Probe]| Mood::between(probes, Duration::from_millis(1));
        assert_eq!(mood(&[probe(0), probe(0)]), Mood::Fast);
        assert_eq!(mood(&[probe(4), probe(4)]), Mood::Slow);
        assert_eq!(mood(&[probe(0), probe(4), probe(0)]), Mood::Mixed);
    }
}
