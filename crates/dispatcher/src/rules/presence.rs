//! Presence: a crew that reports itself away, or that nobody has heard of for minutes, is not sent.

use crate::{board::Crew, policy::Offers, scene::Pairing};
use switchboard_domain::Timestamp;

/// The rule's stable name.
pub(crate) const NAME: &str = "presence";

/// Whether the crew is not there to be sent.
#[must_use]
pub(crate) fn bars(pairing: &Pairing<'_>) -> bool {
    !pairing.present
}

/// Whether the crew is away, or silent while it has nothing to do. A crew at work may be out of reach and is planned
/// on.
#[must_use]
pub(crate) fn forbids(offers: &Offers, crew: &Crew, now: Timestamp) -> bool {
    crew.away.is_some() || crew.committed.is_empty() && crew.reserved.is_none() && is_silent(offers, crew, now)
}

/// Whether it has not been heard of for too long.
#[must_use]
pub fn is_silent(offers: &Offers, crew: &Crew, now: Timestamp) -> bool {
    now >= falls_silent(offers, crew)
}

/// When the crew is silent if nothing more is heard of it: a whole millisecond, as the planner's clock has no finer
/// ones.
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
