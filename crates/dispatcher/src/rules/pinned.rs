//! Pinned: a crew that a person chose is the only one, and goes there next. Skill, territory and stability do not bind
//! the person; that the crew must be on shift and present does, and that it declined since it was chosen.

use crate::scene::NONE;

/// The rule's stable name.
pub const NAME: &str = "pinned";

/// Whether a person chose another crew than `team`; `chosen` = nobody's choice when `None`, [`NONE`] for a crew off the
/// roster.
#[must_use]
pub fn forbids(chosen: Option<u32>, team: u32) -> bool {
    chosen.is_some_and(|chosen| chosen == NONE || chosen != team)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_crew_goes() {
        assert!(!forbids(None, 1) && !forbids(Some(1), 1) && forbids(Some(2), 1));
        assert!(forbids(Some(NONE), 1), "a crew that is not on the roster cannot go, and nobody goes for it");
    }
}
