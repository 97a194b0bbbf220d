//! Refusal: a crew that declined a ticket, or let its offer expire, is not asked again for some time, even if a person
//! chose it: nobody can force it to accept.

use crate::scene::Pairing;

/// The rule's stable name.
pub const NAME: &str = "refusal";

/// True when this crew must not be asked now.
#[must_use]
pub fn bars(pairing: &Pairing<'_>) -> bool {
    pairing.excluded.iter().any(|(crew, until)| *crew == pairing.team.index && pairing.now < *until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn who_declined_is_asked_again_when_the_time_is_over() {
        let stage = Stage::default();
        let is_barred = |crew, until| bars(&Pairing { excluded: &[(crew, until)], ..stage.pairing() });
        let own = stage.team.index;
        assert!(is_barred(own, stage.now + 0.1) && !is_barred(own, stage.now));
        assert!(!is_barred(own + 1, stage.now + 0.1));
        let chosen = Pairing { excluded: &[(own, stage.now + 0.1)], chosen: Some(own), ..stage.pairing() };
        assert!(bars(&chosen));
    }
}
