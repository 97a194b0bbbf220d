//! A key store in memory: the reference implementation, also used in simulations. Nothing is durable or bounded.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Key, KeyError, KeyId, KeyStore, check_subject};

/// A key store whose keys are lost when it is dropped.
pub struct MemoryKeys {
    secret: Key,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    subjects: HashMap<String, KeyId>,
    keys: HashMap<KeyId, Key>,
}

impl MemoryKeys {
    /// An empty store with a fresh secret.
    pub fn new() -> Result<Self, KeyError> {
        Ok(Self::with_secret(Key::random()?))
    }

    /// An empty store with a given secret, for reproducible simulations.
    pub fn with_secret(secret: Key) -> Self {
        Self { secret, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryKeys {
    fn assign(&self, subject: &str) -> Result<(KeyId, Key), KeyError> {
        check_subject(subject)?;
        let mut state = self.state();
        if let Some(&id) = state.subjects.get(subject)
            && let Some(key) = state.keys.get(&id)
        {
            return Ok((id, key.clone()));
        }
        let key = Key::random()?;
        state.last += 1;
        let id = KeyId(state.last);
        state.subjects.insert(subject.to_owned(), id);
        state.keys.insert(id, key.clone());
        Ok((id, key))
    }

    fn at_hand(&self, subject: &str) -> Result<Option<(KeyId, Key)>, KeyError> {
        self.assign(subject).map(Some)
    }

    fn key(&self, id: KeyId) -> Result<Option<Key>, KeyError> {
        Ok(self.state().keys.get(&id).cloned())
    }

    fn erase(&self, subject: &str) -> Result<usize, KeyError> {
        check_subject(subject)?;
        let mut state = self.state();
        let erased = state.subjects.remove(subject).and_then(|id| state.keys.remove(&id));
        Ok(usize::from(erased.is_some()))
    }

    fn secret(&self) -> Key {
        self.secret.clone()
    }

    fn flush(&self) -> Result<(), KeyError> {
        Ok(())
    }

    fn orphaned(&self) -> Result<Vec<KeyId>, KeyError> {
        Ok(Vec::new())
    }

    fn adopt(&self, _id: KeyId, _subject: &str) -> Result<bool, KeyError> {
        Ok(false)
    }
}
