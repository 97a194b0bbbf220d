//! Pinned: a crew that a person chose is the only one, and goes there next. Skill and territory do not bind the person;
//! that the crew must be on shift and present does, and that it declined a moment ago.

/// The rule's stable name.
pub const NAME: &str = "pinned";

/// Whether a person chose another crew than `team`.
#[must_use]
pub fn forbids(chosen: Option<u32>, team: u32) -> bool {
    chosen.is_some_and(|chosen| chosen != team)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_crew_goes() {
        assert!(!forbids(None, 1) && !forbids(Some(1), 1) && forbids(Some(2), 1));
    }
}
