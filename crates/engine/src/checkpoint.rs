//! Checkpoints of processes: the fold with its position in one small file, so that a start need not read the whole log.
//! A checkpoint may be deleted at any time: the process then folds the log again. Only the owner can read the file.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use switchboard_domain::position::LogPosition;
use switchboard_eventstore::private;

/// The least number of facts between two checkpoints.
pub const CHECKPOINT_FACTS: u64 = 10_000;
/// Between two checkpoints there is at least one fact for this many bytes of the last one.
pub const CHECKPOINT_BYTES_PER_FACT: u64 = 256;

/// The number of facts between a checkpoint of this size and the next one. This bounds the bytes written per fact,
/// whatever the size of the fold. In return, the number of facts that a restart must fold again grows with the fold. A
/// ticket of the dispatcher takes about 1.3 KiB, which is five facts.
#[must_use]
pub fn facts_until_next(bytes: u64) -> u64 {
    CHECKPOINT_FACTS.max(bytes / CHECKPOINT_BYTES_PER_FACT)
}

/// The checkpoint of one process.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Page<P> {
    version: u64,
    #[serde(flatten)]
    place: LogPosition,
    process: P,
}

impl Checkpoint {
    /// The checkpoint of the process `name` in `folder`. `version` is a fingerprint of the code that makes the fold.
    #[must_use]
    pub fn new(folder: &Path, name: &str, version: u64) -> Self {
        Self { path: folder.join(format!("{name}.json")), version }
    }

    /// The saved position and fold. Position 0 and an empty fold when there is no checkpoint, or none of this version,
    /// or none of the log of `head` at or before `head`.
    #[must_use]
    pub fn read<P: DeserializeOwned + Default>(&self, head: LogPosition) -> (u64, P) {
        if let Err(error) = private::keep_from_others(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "others than its owner may read a checkpoint");
        }
        let bytes = fs::read(&self.path).unwrap_or_default();
        match serde_json::from_slice::<Page<P>>(&bytes) {
            Ok(page) if page.version == self.version && page.place.is_in(head) => {
                (page.place.position.stored(), page.process)
            }
            Ok(_) => (0, P::default()),
            Err(error) => {
                if !bytes.is_empty() {
                    tracing::warn!(path = %self.path.display(), %error, "a checkpoint cannot be read; its process folds the log again");
                }
                (0, P::default())
            }
        }
    }

    /// The size of the checkpoint, in bytes; 0 when there is none.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// Saves the fold of `process` at a place in its log. It replaces the previous checkpoint as a whole. Returns the
    /// size in bytes.
    ///
    /// # Errors
    /// The file cannot be written. The previous checkpoint stays.
    pub fn write<P: Serialize>(&self, place: LogPosition, process: &P) -> io::Result<u64> {
        let page = serde_json::to_vec(&Page { version: self.version, place, process })?;
        let draft = self.path.with_extension("draft");
        private::emptied(&draft)?.write_all(&page)?;
        fs::rename(draft, &self.path)?;
        Ok(page.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_checkpoints_cost_a_fact_does_not_grow_with_the_fold() {
        assert_eq!(facts_until_next(0), CHECKPOINT_FACTS);
        for tickets in [1_000, 10_000, 100_000, 1_000_000] {
            let bytes = tickets * 1_400;
            let per_fact = bytes / facts_until_next(bytes);
            assert!(per_fact <= CHECKPOINT_BYTES_PER_FACT, "{tickets} tickets: {per_fact} bytes a fact");
        }
    }
}
