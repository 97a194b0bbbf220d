//! A map whose copies share what none of them has changed since: a copy of ten thousand tickets costs as much as their names, so
//! that it can be taken between two steps of the process and read, or written down, beside it.

use std::{collections::BTreeMap, ops::Index, sync::Arc};

use serde::{Deserialize, Serialize};

/// The map; written down as a plain one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound(deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"))]
pub struct CowMap<K, V>(BTreeMap<K, Arc<V>>);

#[cfg(test)]
pub(crate) mod visits {
    //! Counts what is visited by going through maps, so that a test can say that a step goes through none.

    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn note<T>(item: T) -> T {
        COUNT.set(COUNT.get() + 1);
        item
    }

    /// How many entries of maps were visited by this thread so far.
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
    /// What stands under a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key).map(Arc::as_ref)
    }

    /// Whether anything stands under a key.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Puts a value under a key, in place of what stood there.
    pub fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, Arc::new(value));
    }

    /// Takes away what stands under a key; whether anything did.
    pub fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
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

    /// Both, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, &**value)).map(visits::note)
    }
}

impl<K: Ord, V: Clone> CowMap<K, V> {
    /// What stands under a key, to be changed; no other copy sees that.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(Arc::make_mut)
    }

    /// What stood under a key, taken out.
    pub fn take(&mut self, key: &K) -> Option<V> {
        self.0.remove(key).map(Arc::unwrap_or_clone)
    }

    /// The values, to be changed; no other copy sees that.
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
