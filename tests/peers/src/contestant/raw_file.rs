//! The limit of the disk: one thread, one write and one `fdatasync` for as many events as there are callers.
//!
//! It has no index, no condition, no checksum and no answer: it is a limit, not an opponent.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Contestant;
use crate::disk::Ring;
use crate::slice::Tally;
use crate::workload::{Event, Fault, Work};

/// The file.
pub struct RawFile {
    ring: Option<Ring>,
    settings: BTreeMap<String, String>,
}

impl RawFile {
    /// Makes it, in full.
    pub fn new(folder: &Path) -> Result<Self, Fault> {
        let method =
            "64 MiB written over in turn, one write and one fdatasync for a batch of as many events as callers";
        let settings = BTreeMap::from([("method".to_owned(), method.to_owned())]);
        Ok(Self { ring: Some(Ring::new(folder)?), settings })
    }
}

#[tonic::async_trait]
impl Contestant for RawFile {
    fn servers(&self) -> &[u32] {
        &[]
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    async fn check(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    async fn slice(&mut self, callers: usize, time: Duration) -> Result<Tally, Fault> {
        let mut ring = self.ring.take().ok_or("the raw file was lost to an earlier fault")?;
        let (ring, tally) = tokio::task::spawn_blocking(move || {
            let (mut tally, mut batch) = (Tally::new()?, Vec::new());
            let ticket = Uuid::new_v4();
            let begun = Instant::now();
            while begun.elapsed() < time {
                let start = Instant::now();
                batch.clear();
                for index in 0..callers {
                    let event = Event::of(Work::Appends, ticket, index as u32);
                    for part in
                        [event.id.as_bytes(), event.kind.as_bytes(), event.data.as_bytes(), event.meta.as_bytes()]
                    {
                        batch.extend_from_slice(part);
                    }
                }
                ring.write_durably(&batch)?;
                tally.count(callers as u64, start.elapsed());
            }
            tally.elapsed = begun.elapsed();
            Ok::<_, Fault>((ring, tally))
        })
        .await??;
        self.ring = Some(ring);
        Ok(tally)
    }
}
