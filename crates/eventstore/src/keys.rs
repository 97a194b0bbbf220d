//! Sealing keys: one random key per person, in a file of their own, so that a person can be forgotten.
//!
//! Personal data travels in the log as ciphertext. The log and its backups never contain a key; erasing a key
//! makes every copy of that ciphertext unreadable while all hashes and counts stay true. Encryption itself is
//! absent here, and so is any idea of who a subject is.

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

/// The number of a key. Stored beside what the key sealed; never used twice.
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
    /// Takes bytes as a key.
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

/// Why a key store gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The subject is empty or longer than [`SUBJECT_BYTES_MAX`].
    #[error("a subject has 1 to {limit} bytes")]
    InvalidSubject {
        /// The limit.
        limit: usize,
    },
    /// The key file is damaged. Never answered as "erased".
    #[error("the key file is corrupt: {detail}")]
    Corrupt {
        /// What was found, for the operator.
        detail: String,
    },
    /// The store cannot serve now; it may be tried again.
    #[error("the key store is unavailable")]
    Unavailable(#[source] Cause),
}

/// Keys by subject and by number.
///
/// The methods block: `assign` and `key` for microseconds (or, with an empty pool, for one sync), `erase`, `adopt`
/// and `flush` for a sync.
pub trait KeyStore: Send + Sync + 'static {
    /// A key of the subject: the one that it had last, while that is remembered, or a fresh one; so a subject may come to
    /// have several, and an erasure destroys them all. The key is durable when this returns; that it is *this subject's* key
    /// becomes durable shortly after (see [`orphaned`](KeyStore::orphaned keys)).
    fn assign(&self, subject: &str) -> Result<(KeyId, Key), KeyError>;

    /// As [`assign`](KeyStore::assign), but never waits: `None` when a key would have to be waited for.
    fn at_hand(&self, subject: &str) -> Result<Option<(KeyId, Key)>, KeyError>;

    /// The key with this number. `None`: erased, or never existed.
    fn key(&self, id: KeyId) -> Result<Option<Key>, KeyError>;

    /// Destroys every key of the subject, durably, and says how many there were. A later `assign` makes a fresh one.
    fn erase(&self, subject: &str) -> Result<usize, KeyError>;

    /// 32 random bytes made once with the store, for keyed hashes.
    fn secret(&self) -> Key;

    /// Waits until every assignment made so far is durable.
    fn flush(&self) -> Result<(), KeyError>;

    /// Keys that may have sealed something for a subject whose name was lost in a crash. They still open what they
    /// sealed; whoever finds one in use in the log says whose it is with [`adopt`](KeyStore::adopt), so that a later
    /// `erase` finds it.
    fn orphaned(&self) -> Result<Vec<KeyId>, KeyError>;

    /// Says that a orphaned key key belongs to a subject, durably. `false`: there is no such orphaned key.
    fn adopt(&self, id: KeyId, subject: &str) -> Result<bool, KeyError>;
}

pub(crate) fn check_subject(subject: &str) -> Result<(), KeyError> {
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
        return Err(KeyError::InvalidSubject { limit: SUBJECT_BYTES_MAX });
    }
    Ok(())
}
