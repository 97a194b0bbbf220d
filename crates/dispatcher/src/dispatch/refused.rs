//! Actions that the engine refused; they are not proposed again while their cause exists.

use std::collections::BTreeMap;

use switchboard_domain::decider::Action;

use super::Intent;

/// The maximum number of refusals remembered; newer ones replace the oldest.
const REFUSED_MAX: usize = 1_000;

/// The identity of an action within this process: causing position, name and target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity(u64, &'static str, String);

impl Identity {
    pub fn of(action: &Action<Intent>) -> Self {
        Self(action.because, action.name, action.intent.target())
    }
}

/// The refused actions, by identity and in the order of their refusal.
#[derive(Debug, Default)]
pub(super) struct Refused {
    by_identity: BTreeMap<Identity, u64>,
    in_order: BTreeMap<u64, Identity>,
    next: u64,
}

impl Refused {
    pub fn is_empty(&self) -> bool {
        self.by_identity.is_empty()
    }

    pub fn contains(&self, identity: &Identity) -> bool {
        self.by_identity.contains_key(identity)
    }

    /// Remembers a refusal; removes the oldest one beyond the maximum.
    pub fn insert(&mut self, identity: Identity) {
        if self.contains(&identity) {
            return;
        }
        self.by_identity.insert(identity.clone(), self.next);
        self.in_order.insert(self.next, identity);
        self.next += 1;
        if self.in_order.len() > REFUSED_MAX
            && let Some((_, oldest)) = self.in_order.pop_first()
        {
            self.by_identity.remove(&oldest);
        }
    }

    /// Forgets the refusals of actions that one ticket or crew had `before` and does not have `now`.
    pub fn forget(&mut self, before: Option<&Vec<Action<Intent>>>, now: &[Action<Intent>]) {
        if self.is_empty() {
            return;
        }
        let owed: Vec<Identity> = now.iter().map(Identity::of).collect();
        for over in before.into_iter().flatten().map(Identity::of).filter(|over| !owed.contains(over)) {
            if let Some(place) = self.by_identity.remove(&over) {
                self.in_order.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_refusals_the_oldest_is_forgotten() {
        let identity = |number| Identity(number, "offer", String::new());
        let mut refused = Refused::default();
        for number in (0..=REFUSED_MAX as u64).chain([7]) {
            refused.insert(identity(number));
        }
        assert!(!refused.contains(&identity(0)) && refused.contains(&identity(1)));
        assert_eq!((refused.by_identity.len(), refused.in_order.len()), (REFUSED_MAX, REFUSED_MAX));
    }
}
