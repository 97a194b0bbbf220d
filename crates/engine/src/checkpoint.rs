//! Where a process was: its fold with the position it is true for, in one small file, so that a start need not read the whole
//! log. A checkpoint may be thrown away at any time: what it held is folded from the log again. Its owner alone may read it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use switchboard_domain::position::LogPosition;
use switchboard_eventstore::private;

/// One process's checkpoint.
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
    /// The checkpoint of the process `name` in `folder`; `version` names the code that makes the fold, by a
    /// fingerprint of it.
    #[must_use]
    pub fn new(folder: &Path, name: &str, version: u64) -> Self {
        Self { path: folder.join(format!("{name}.json")), version }
    }

    /// The position and the fold that were saved; the beginning when there is none, or none of this version and of the
    /// log that reaches up to `head`.
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

    /// Saves the fold of `process` at a place in its log, replacing what was saved before as a whole.
    ///
    /// # Errors
    /// When the file cannot be written; what was saved before stays.
    pub fn write<P: Serialize>(&self, place: LogPosition, process: &P) -> io::Result<()> {
        let page = serde_json::to_vec(&Page { version: self.version, place, process })?;
        let draft = self.path.with_extension("draft");
        private::emptied(&draft)?.write_all(&page)?;
        fs::rename(draft, &self.path)
    }
}
