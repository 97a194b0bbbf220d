//! Pinned: a crew that a person chose is the only one, and goes there next. Skill, territory and stability do not bind
//! the person; that the crew must be on shift and present does, and that it declined since it was chosen.

use crate::scene::Pairing;

/// The rule's stable name.
pub const NAME: &str = "pinned";

/// Whether a person chose another crew.
#[must_use]
pub fn bars(pairing: &Pairing<'_>) -> bool {
    pairing.chosen.is_some_and(|chosen| chosen != pairing.team.index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn only_the_chosen_crew_goes() {
        let stage = Stage::default();
        let is_barred = |chosen| bars(&Pairing { chosen, ..stage.pairing() });
        assert!(!is_barred(None) && !is_barred(Some(stage.team.index)) && is_barred(Some(stage.team.index + 1)));
    }
}
