//! Pinned: if a person chose a crew, only that crew may go, as its next stop. Skill, territory and stability do not
//! restrict the person's choice. Shift and presence do, and so does a later refusal by the crew.

use crate::scene::Pairing;

/// The rule's stable name.
pub const NAME: &str = "pinned";

/// True when a person chose another crew.
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
