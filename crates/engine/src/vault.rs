//! Sealing and opening personal data with a key per subject, and the keyed hashes that recognise a person or a request
//! without naming either. Where keys are kept is `eventstore::keys`; what a seal looks like is `wire::seal`.

use std::{fmt, sync::Arc};

use switchboard_domain::personal::Personal;
use switchboard_eventstore::keys::{Key, KeyError, KeyId, KeyStore};
use switchboard_wire::{
    seal::{self, HashKey, Place},
    stored::Stored,
};

/// Seals and opens.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<dyn KeyStore>,
    hash: Arc<HashKey>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

/// A subject's key, held while the facts of one command are sealed.
pub(crate) type SubjectKey = (KeyId, Key);

impl Vault {
    /// A vault over these keys.
    #[must_use]
    pub fn new(keys: Arc<dyn KeyStore>) -> Self {
        let hash = Arc::new(HashKey::new(keys.secret().as_bytes()));
        Self { keys, hash }
    }

    /// A keyed hash of `parts`: the same for the same parts under this installation's secret, guessable by nobody else.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> String {
        self.hash.hash(parts)
    }

    /// How the same caller is recognised: a keyed hash of a phone or account number.
    #[must_use]
    pub fn pseudonym(&self, what: &str, value: &str) -> String {
        self.hash(&[b"pseudonym", what.as_bytes(), value.trim().as_bytes()])
    }

    /// The key under which `subject`'s data is sealed. Where it must be waited for, it is not waited for on an async thread.
    pub(crate) async fn subject_key(&self, subject: &str) -> Result<SubjectKey, KeyError> {
        if let Some(key) = self.keys.at_hand(subject)? {
            return Ok(key);
        }
        let (keys, subject) = (Arc::clone(&self.keys), subject.to_owned());
        let waited = tokio::task::spawn_blocking(move || keys.assign(&subject)).await;
        waited.unwrap_or_else(|error| Err(KeyError::Unavailable(error.to_string().into())))
    }

    /// Seals every readable personal field of an event.
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

    /// Opens every sealed field of an event that is stored under `kind`. What has no key any more is [`Personal::Erased`]; what does not open though
    /// the key is there was tampered with, and stays sealed.
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
