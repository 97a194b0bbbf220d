//! Presence: a crew that is away, or has not reported for some minutes, is not sent.

use crate::{board::Crew, policy::Offers, scene::Pairing};
use switchboard_domain::Timestamp;

/// The rule's stable name.
pub(crate) const NAME: &str = "presence";

/// True when the crew is absent.
#[must_use]
pub(crate) fn bars(pairing: &Pairing<'_>) -> bool {
    !pairing.present
}

/// True when the crew is away, or idle and silent. A working crew may be out of reach and still be planned.
#[must_use]
pub(crate) fn forbids(offers: &Offers, crew: &Crew, now: Timestamp) -> bool {
    crew.away.is_some() || crew.committed.is_empty() && crew.reserved.is_none() && is_silent(offers, crew, now)
}

/// True when the crew has not reported for too long.
#[must_use]
pub fn is_silent(offers: &Offers, crew: &Crew, now: Timestamp) -> bool {
    now >= falls_silent(offers, crew)
}

/// When the crew becomes silent, without further reports: in whole milliseconds, the resolution of the planner's clock.
#[must_use]
pub(crate) fn falls_silent(offers: &Offers, crew: &Crew) -> Timestamp {
    let silence = i64::from(offers.silent_minutes) * 60_000 + 1;
    let millis = crew.seen.timestamp_millis().saturating_add(silence);
    Timestamp::from_timestamp_millis(millis).unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests;
    use switchboard_domain::crew::Absence;

    #[test]
    fn a_silent_crew_is_not_sent_but_one_at_work_is_planned_on() {
        let (offers, at) = (Offers::default(), tests::at);
        let mut crew = tests::crew(1, 0.0);
        crew.seen = at(0);
        assert!(!forbids(&offers, &crew, at(5)));
        assert!(forbids(&offers, &crew, at(6)));
        crew.committed = vec![(tests::ticket(1), 1)];
        assert!(!forbids(&offers, &crew, at(6)));
        crew.away = Some(Absence::Ill);
        assert!(forbids(&offers, &crew, at(0)));
    }
}
