//! Encryption keys: one random key per person, in a separate file, so that a person's data can be erased.
//!
//! The log contains personal data only as ciphertext. The log and its backups never contain a key. Erasing a key makes
//! every copy of the ciphertext unreadable, while hashes and counts stay valid. Encryption itself, and the meaning of a
//! subject, are not defined here.

pub mod memory;
pub mod sqlite;

mod file;
mod pool;

use std::fmt;

use crate::Cause;

pub use memory::MemoryKeys;
pub use pool::{ASSIGNMENT_DELAY_MAX, KEY_WAIT_MAX, KEYS_CACHED_MAX, POOL_KEYS_MAX};
pub use sqlite::SqliteKeys;

/// Longest subject in bytes. Past it: [`KeyError::InvalidSubject`].
pub const SUBJECT_BYTES_MAX: usize = 256;

/// The id of a key. It is stored with the ciphertext and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 32 random bytes. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// A key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A fresh key from the operating system's random source.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::Unavailable("the random source failed".into()))?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The reason why a key store did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The subject is empty or longer than [`SUBJECT_BYTES_MAX`].
    #[error("a subject has 1 to {limit} bytes")]
    InvalidSubject {
        /// The limit.
        limit: usize,
    },
    /// The key file is damaged. This is never reported as an erased key.
    #[error("the key file is corrupt: {detail}")]
    Corrupt {
        /// The finding, for the operator.
        detail: String,
    },
    /// The store is unavailable; the caller may retry.
    #[error("the key store is unavailable")]
    Unavailable(#[source] Cause),
}

/// The keys, by subject and by id.
///
/// The methods block: `assign` and `key` for microseconds (or for one sync when the pool is empty); `erase`, `adopt`
/// and `flush` for a sync.
pub trait KeyStore: Send + Sync + 'static {
    /// A key of the subject: its last key while that is in memory, otherwise a new one. A subject may therefore have
    /// several keys; an erasure destroys all of them. The key is durable on return. That it belongs to *this* subject
    /// becomes durable shortly after (see [`orphaned`](KeyStore::orphaned)).
    fn assign(&self, subject: &str) -> Result<(KeyId, Key), KeyError>;

    /// As [`assign`](KeyStore::assign), but does not wait: `None` when it would have to.
    fn at_hand(&self, subject: &str) -> Result<Option<(KeyId, Key)>, KeyError>;

    /// The key with this id; `None` when it was erased or never existed.
    fn key(&self, id: KeyId) -> Result<Option<Key>, KeyError>;

    /// Destroys all keys of the subject durably, and returns their number. A later `assign` creates a new key.
    fn erase(&self, subject: &str) -> Result<usize, KeyError>;

    /// 32 random bytes for keyed hashes, generated once when the store was created.
    fn secret(&self) -> Key;

    /// Waits until every assignment made so far is durable.
    fn flush(&self) -> Result<(), KeyError>;

    /// The orphaned keys: keys that may have sealed data of a subject whose assignment was lost in a crash. They still
    /// open that data. A caller who finds one in use in the log must [`adopt`](KeyStore::adopt) it, so that a later
    /// `erase` destroys it.
    fn orphaned(&self) -> Result<Vec<KeyId>, KeyError>;

    /// Assigns an orphaned key to a subject, durably; `false` when there is no such orphaned key.
    fn adopt(&self, id: KeyId, subject: &str) -> Result<bool, KeyError>;
}

pub(crate) fn check_subject(subject: &str) -> Result<(), KeyError> {
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
        return Err(KeyError::InvalidSubject { limit: SUBJECT_BYTES_MAX });
    }
    Ok(())
}
