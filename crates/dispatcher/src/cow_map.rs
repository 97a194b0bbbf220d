//! A copy-on-write map: copies share all values that no copy has changed since. Copying ten thousand tickets copies
//! only their keys and pointers. The process can thus copy its state between two steps, and readers or the checkpoint
//! use the copy meanwhile.

use std::{collections::BTreeMap, ops::Index, sync::Arc};

use serde::{Deserialize, Serialize};

/// A copy-on-write map with ordered keys; serialized as a plain map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound(deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"))]
pub struct CowMap<K, V>(BTreeMap<K, Arc<V>>);

#[cfg(test)]
pub(crate) mod visits {
    //! Counts the entries visited by iteration, so that a test can assert that a step iterates over no map.

    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn note<T>(item: T) -> T {
        COUNT.set(COUNT.get() + 1);
        item
    }

    /// The number of map entries that this thread has visited so far.
    pub(crate) fn count() -> u64 {
        COUNT.get()
    }
}

#[cfg(not(test))]
mod visits {
    pub(super) fn note<T>(item: T) -> T {
        item
    }
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, V> CowMap<K, V> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key).map(Arc::as_ref)
    }

    /// True if the key has a value.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Sets the value of a key, and replaces the former value.
    pub fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, Arc::new(value));
    }

    /// Removes a key with its value; returns true if there was one.
    pub fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if the map has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys().map(visits::note)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values().map(Arc::as_ref).map(visits::note)
    }

    /// The keys with their values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, &**value)).map(visits::note)
    }
}

impl<K: Ord, V: Clone> CowMap<K, V> {
    /// The value of a key, mutable; other copies do not see the change.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(Arc::make_mut)
    }

    /// Removes the value of a key and returns it.
    pub fn take(&mut self, key: &K) -> Option<V> {
        self.0.remove(key).map(Arc::unwrap_or_clone)
    }

    /// The values, mutable; other copies do not see the changes.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.values_mut().map(Arc::make_mut).map(visits::note)
    }
}

impl<K: Ord, V> Index<&K> for CowMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        &self.0[key]
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for CowMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key, Arc::new(value))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_what_is_not_changed_and_does_not_see_what_is() {
        let mut map: CowMap<u32, String> = (0..3).map(|n| (n, n.to_string())).collect();
        let copy = map.clone();
        map.get_mut(&1).unwrap().push('!');
        assert_eq!(map.take(&2).unwrap(), "2");
        map.insert(0, "new".to_owned());
        assert_eq!(copy.values().collect::<Vec<_>>(), ["0", "1", "2"]);
        assert_eq!(map.iter().map(|(n, text)| (*n, text.as_str())).collect::<Vec<_>>(), [(0, "new"), (1, "1!")]);
        let again = copy.clone();
        assert!(copy.keys().all(|n| std::ptr::eq(&raw const copy[n], &raw const again[n])), "shared");
    }
}
