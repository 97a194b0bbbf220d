//! A map of values by causing fact and child. It iterates in the order of the facts, and finds the values of one child
//! without looking at the others. It is stored as a list of pairs, because JSON keys must be text.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ticket::TicketId;

/// The position of the causing fact, and the child.
type Key = (u64, TicketId);

/// The map, and an index by child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    into = "Vec<(Key, V)>",
    from = "Vec<(Key, V)>",
    bound(serialize = "V: Clone + Serialize", deserialize = "V: Deserialize<'de>")
)]
pub(super) struct ByChild<V> {
    all: BTreeMap<Key, V>,
    /// The same keys, ordered by child.
    of: BTreeSet<(TicketId, u64)>,
}

impl<V> Default for ByChild<V> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), of: BTreeSet::new() }
    }
}

impl<V> From<Vec<(Key, V)>> for ByChild<V> {
    fn from(pairs: Vec<(Key, V)>) -> Self {
        let of = pairs.iter().map(|((because, child), _)| (*child, *because)).collect();
        Self { all: pairs.into_iter().collect(), of }
    }
}

impl<V> From<ByChild<V>> for Vec<(Key, V)> {
    fn from(map: ByChild<V>) -> Self {
        map.all.into_iter().collect()
    }
}

impl<V> ByChild<V> {
    pub fn get(&self, because: u64, child: TicketId) -> Option<&V> {
        self.all.get(&(because, child))
    }

    pub fn insert(&mut self, because: u64, child: TicketId, value: V) {
        self.all.insert((because, child), value);
        self.of.insert((child, because));
    }

    pub fn remove(&mut self, because: u64, child: TicketId) {
        self.all.remove(&(because, child));
        self.of.remove(&(child, because));
    }

    /// Removes the values of one child that satisfy `met`. The cost does not depend on the values of other children.
    pub fn remove_of(&mut self, child: TicketId, met: impl Fn(&V) -> bool) {
        let own = self.of.range((child, 0)..=(child, u64::MAX)).map(|(_, because)| *because);
        let meets = |because: &u64| self.get(*because, child).is_some_and(&met);
        for because in own.filter(meets).collect::<Vec<_>>() {
            self.remove(because, child);
        }
    }

    /// All values, each with the position of its causing fact, in the order of the facts.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.all.iter().map(|((because, _), value)| (*because, value))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_kept_for_one_child_is_removed_alone_also_after_it_was_stored() {
        let child = |number| TicketId(Uuid::from_u128(number));
        let mut map = ByChild::default();
        for (because, number, value) in [(3, 1, "a"), (1, 2, "b"), (2, 1, "c"), (9, 1, "d")] {
            map.insert(because, child(number), value.to_owned());
        }
        let stored = serde_json::to_string(&map).unwrap();
        let mut map: ByChild<String> = serde_json::from_str(&stored).unwrap();
        map.remove_of(child(1), |value| value != "d");
        assert_eq!(map.iter().collect::<Vec<_>>(), [(1, &"b".to_owned()), (9, &"d".to_owned())]);
        map.remove(9, child(1));
        map.remove_of(child(2), |_| true);
        assert_eq!(map, ByChild::default());
    }
}
