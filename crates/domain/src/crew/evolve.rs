//! The state after each event of a crew. Total: every event yields a state, and no decision is made here.

use crate::{
    Timestamp,
    crew::{
        event::{Enrolled, Event},
        state::{Commitment, Crew, Reservation, Shift, State},
    },
};

/// The state after `event`, which happened at `at`.
#[must_use]
pub fn evolve(state: State, event: &Event, at: Timestamp) -> State {
    let mut crew = match (state, event) {
        (None, Event::Enrolled(e)) => unknown(e),
        (None, _) => {
            debug_assert!(false, "a crew's first fact is that it was enrolled");
            return None;
        }
        (Some(crew), _) => crew,
    };
    crew.facts = crew.facts.saturating_add(1);
    apply(&mut crew, event, at);
    Some(crew)
}

/// The state of a crew after its first enrolment.
fn unknown(e: &Enrolled) -> Crew {
    Crew {
        id: e.crew.clone(),
        facts: 0,
        enrolled: true,
        home: e.home,
        territory: Vec::new(),
        skills: e.skills,
        members: Vec::new(),
        vehicle: None,
        shift: None,
        away: None,
        located: None,
        reserved: None,
        commitments: Vec::new(),
    }
}

fn apply(crew: &mut Crew, event: &Event, at: Timestamp) {
    match event {
        Event::Enrolled(e) => {
            crew.enrolled = true;
            crew.home = e.home;
            crew.territory.clone_from(&e.territory);
            crew.skills = e.skills;
            crew.members.clone_from(&e.members);
            crew.vehicle.clone_from(&e.vehicle);
        }
        Event::Dismissed(_) => {
            crew.enrolled = false;
            crew.shift = None;
            crew.away = None;
        }
        Event::ShiftStarted(e) => {
            crew.shift = Some(Shift { since: at, until: e.until, breaks: e.breaks.clone() });
            crew.away = None;
            crew.located = Some((e.at.unwrap_or(crew.home), at));
        }
        Event::ShiftEnded(_) => {
            crew.shift = None;
            crew.away = None;
        }
        Event::WentAway(e) => crew.away = Some(e.why),
        Event::CameBack(_) => crew.away = None,
        // A late point does not replace a newer one.
        Event::Located(e) => {
            if crew.located.is_none_or(|(_, known)| known <= at) {
                crew.located = Some((e.at, at));
            }
        }
        Event::Reserved(e) => {
            crew.reserved =
                Some(Reservation { offer: e.offer, ticket: e.ticket, fence: e.fence, lease_until: e.lease_until });
        }
        Event::Committed(e) => {
            crew.reserved = crew.reserved.filter(|held| Some(held.offer) != e.offer);
            crew.commitments.retain(|held| held.ticket != e.ticket);
            crew.commitments.push(Commitment { ticket: e.ticket, offer: e.offer, fence: e.fence, since: at });
        }
        Event::Released(e) => match e.offer {
            Some(offer) => crew.reserved = crew.reserved.filter(|held| held.offer != offer),
            None => crew.commitments.retain(|held| held.ticket != e.ticket),
        },
    }
}
