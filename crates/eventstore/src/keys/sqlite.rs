//! The key store in `keys.db`, beside the log in the data folder and never in a backup of the log.
//!
//! It has no lock of its own: the log's store locks the folder. Open the log first and close it last.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::file::{self, File, Lookup, key_error};
use super::pool::Pool;
use super::{Key, KeyError, KeyId, KeyStore, check_subject};
use crate::Cause;
use crate::private::{create_file, create_folder, sync_folder};
use crate::sqlite::OpenError;

/// The key store of a data folder. Dropping it closes it.
pub struct SqliteKeys {
    pool: Arc<Pool>,
    secret: Key,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteKeys {
    /// The file in the data folder.
    pub const FILE_NAME: &'static str = "keys.db";

    /// Opens `keys.db` in a folder and fills the pool; creates the file with a new secret if it is absent. Blocks for a
    /// few syncs. Only the owner can read the file.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Unavailable(Cause::new(error));
        create_folder(folder).map_err(unusable)?;
        let path = folder.join(Self::FILE_NAME);
        let opened = File::open(&path)?;
        let pool = Arc::new(Pool::new(opened.file, Lookup::open(&path)?, opened.pool));
        pool.settle().map_err(|error| OpenError::Unavailable(Cause::new(error)))?;
        let worker = pool.clone();
        let thread =
            std::thread::Builder::new().name("key-pool".into()).spawn(move || worker.run()).map_err(unusable)?;
        Ok(Self { pool, secret: opened.secret, thread: Mutex::new(Some(thread)) })
    }

    /// Why the key file of a folder does not fit the log with this id, in which these keys were used: it is an older
    /// copy, or the file of another log. `None` when it fits. Nothing is written. With such a file, keys would be used
    /// for two people.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn misfit(folder: &Path, log: [u8; 16], used: &[KeyId]) -> Result<Option<String>, OpenError> {
        file::misfit(&folder.join(Self::FILE_NAME), log, used)
    }

    /// Records the id of the log that the file belongs to, unless it is recorded already.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn name_log(&self, log: [u8; 16]) -> Result<(), KeyError> {
        self.pool.file().name_log(log).map_err(key_error)
    }

    /// Stores every assignment and marks the pool as reusable. Later calls that would write get `Unavailable`.
    pub fn close(&self) {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        if let Err(error) = self.pool.flush() {
            tracing::warn!(%error, "assignments of keys could not be written while closing");
        }
        self.pool.stop("the key store was closed".into());
        let ended = thread.join();
        if ended.is_err() || self.pool.faulty() {
            return;
        }
        // Store what was assigned between the flush and the stop.
        let written = self.pool.settle().and_then(|()| self.pool.file().mark_clean());
        if let Err(error) = written {
            tracing::warn!(%error, "the key file was not closed cleanly; its pool will be set aside");
        }
    }

    /// True while the file refuses writes. Keys at hand are still handed out; new subjects are refused when they are
    /// used up.
    pub fn is_faulty(&self) -> bool {
        self.pool.faulty()
    }

    /// Copies the key file to a new file that only the owner can read, and syncs it.
    ///
    /// Keep this copy apart from copies of the log. Destroy it when an erasure must cover it.
    pub fn backup(&self, to: &Path) -> Result<(), KeyError> {
        let unavailable = |error| KeyError::Unavailable(Cause::new(error));
        if to.exists() {
            return Err(KeyError::Unavailable("the target of the copy exists already".into()));
        }
        self.pool.flush()?;
        create_file(to).map_err(unavailable)?;
        self.pool.file().copy(to).map_err(key_error)?;
        std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(unavailable)?;
        sync_folder(to.parent().unwrap_or(Path::new("."))).map_err(unavailable)
    }
}

impl Drop for SqliteKeys {
    fn drop(&mut self) {
        self.close();
    }
}

impl KeyStore for SqliteKeys {
    fn assign(&self, subject: &str) -> Result<(KeyId, Key), KeyError> {
        check_subject(subject)?;
        self.pool.assign(subject)
    }

    fn at_hand(&self, subject: &str) -> Result<Option<(KeyId, Key)>, KeyError> {
        check_subject(subject)?;
        self.pool.at_hand(subject)
    }

    fn key(&self, id: KeyId) -> Result<Option<Key>, KeyError> {
        self.pool.key(id)
    }

    fn erase(&self, subject: &str) -> Result<usize, KeyError> {
        check_subject(subject)?;
        self.pool.erase(subject)
    }

    fn secret(&self) -> Key {
        self.secret.clone()
    }

    fn flush(&self) -> Result<(), KeyError> {
        self.pool.flush()
    }

    fn orphaned(&self) -> Result<Vec<KeyId>, KeyError> {
        self.pool.orphaned()
    }

    fn adopt(&self, id: KeyId, subject: &str) -> Result<bool, KeyError> {
        check_subject(subject)?;
        self.pool.adopt(id, subject)
    }
}
