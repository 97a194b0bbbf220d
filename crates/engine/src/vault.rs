//! Encryption of personal data with one key per subject, and keyed hashes that recognise a person or a request.
//! `eventstore::keys` stores the keys; `wire::seal` defines the format.

use std::{fmt, sync::Arc};

use switchboard_domain::personal::Personal;
use switchboard_eventstore::keys::{Key, KeyError, KeyId, KeyStore};
use switchboard_wire::{
    seal::{self, HashKey, Place},
    stored::Stored,
};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Seals and opens personal data.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<dyn KeyStore>,
    hash: Arc<HashKey>,
    /// The places of those who wait for a key on a blocking thread.
    waiting: Arc<Semaphore>,
}

/// The most threads that wait for keys. The reads of the server use the same pool of threads.
const KEY_WAITERS_MAX: usize = 4;

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

/// A subject's key with its id, kept while the facts of one command are sealed.
pub(crate) type SubjectKey = (KeyId, Key);

impl Vault {
    /// A vault with these keys.
    #[must_use]
    pub fn new(keys: Arc<dyn KeyStore>) -> Self {
        let hash = Arc::new(HashKey::new(keys.secret().as_bytes()));
        Self { keys, hash, waiting: Arc::new(Semaphore::new(KEY_WAITERS_MAX)) }
    }

    /// A keyed hash of `parts`. Equal parts have equal hashes under this installation's secret; without the secret it
    /// cannot be computed.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> String {
        self.hash.hash(parts)
    }

    /// The request id of an action of the engine itself. Without the secret nobody can compute it, and a caller that
    /// sends one is refused: otherwise a caller could use it up, and the action would be lost.
    #[must_use]
    pub fn request_id(&self, parts: &[&[u8]]) -> Uuid {
        self.hash.uuid(parts)
    }

    /// A pseudonym: a keyed hash of a phone or account number, by which the same caller is recognised.
    #[must_use]
    pub fn pseudonym(&self, what: &str, value: &str) -> String {
        self.hash(&[b"pseudonym", what.as_bytes(), value.trim().as_bytes()])
    }

    /// The key that seals `subject`'s data. If it must wait, it waits outside the async threads.
    pub(crate) async fn subject_key(&self, subject: &str) -> Result<SubjectKey, KeyError> {
        if let Some(key) = self.keys.at_hand(subject)? {
            return Ok(key);
        }
        // A caller that gives up leaves its thread behind for a while, so their number is bounded.
        let Ok(_place) = Arc::clone(&self.waiting).acquire_owned().await else {
            return Err(KeyError::Unavailable("the keys are not served any more".into()));
        };
        if let Some(key) = self.keys.at_hand(subject)? {
            return Ok(key);
        }
        let (keys, subject) = (Arc::clone(&self.keys), subject.to_owned());
        let waited = tokio::task::spawn_blocking(move || keys.assign(&subject)).await;
        waited.unwrap_or_else(|error| Err(KeyError::Unavailable(error.to_string().into())))
    }

    /// Seals every plain personal field of an event.
    pub(crate) fn seal<E: Stored>(&self, stream: &str, event: &mut E, key: &SubjectKey) -> Result<(), seal::SealError> {
        let kind = event.kind();
        let mut failure = None;
        event.each_personal(&mut |field, personal| {
            if let Personal::Plain(text) = personal {
                match seal::seal(key.1.as_bytes(), key.0.0, &Place { stream, kind, field }, text) {
                    Ok(sealed) => *personal = Personal::Sealed(sealed),
                    Err(error) => failure = Some(error),
                }
            }
        });
        failure.map_or(Ok(()), Err)
    }

    /// Opens every sealed field of an event stored under `kind`. A field whose key was erased becomes
    /// [`Personal::Erased`]. A field that does not open although its key exists was altered; it stays sealed.
    pub fn open<E: Stored>(&self, stream: &str, kind: &str, event: &mut E) {
        event.each_personal(&mut |field, personal| {
            if let Personal::Sealed(text) = personal
                && let Some(opened) = self.opened(&Place { stream, kind, field }, text)
            {
                *personal = opened;
            }
        });
    }

    fn opened(&self, place: &Place<'_>, sealed: &str) -> Option<Personal> {
        let id = seal::key_id(sealed).ok()?;
        match self.keys.key(KeyId(id)) {
            Ok(Some(key)) => seal::open(key.as_bytes(), place, sealed).ok().map(Personal::Plain),
            Ok(None) => Some(Personal::Erased),
            Err(error) => {
                tracing::warn!(%error, "a sealing key could not be read");
                None
            }
        }
    }
}
