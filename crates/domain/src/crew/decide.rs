//! What follows from a command to a crew. Order of the noes: what is malformed, whether there is such a crew, who may ask, what
//! the world contradicts. Whether a lease ran out is not asked here: the ticket's stream settles what becomes of an offer.

use crate::{
    Problem, Timestamp, Violation,
    actor::Role,
    crew::{
        command::{Command, Enrol, Reserve},
        event::{self, Event},
        rejection::Rejection,
        state::{Crew, State},
        vocabulary::{Break, CANDIDATES_MAX, OfferId, Point, ReleaseReason, Skills},
    },
    decider::Context,
    organisation::OrgPath,
    ticket::TicketId,
};

/// The most units of a territory.
pub const TERRITORY_MAX: usize = 32;
/// The most members.
pub const MEMBERS_MAX: usize = 64;
/// The longest vehicle name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The longest shift, in hours: more is a slip of the date.
pub const SHIFT_HOURS_MAX: i64 = 24;
/// The most breaks of a shift.
pub const BREAKS_MAX: usize = 8;
/// The most tickets that a crew's time may be given to at once: people may queue them by giving a crew several, the dispatcher
/// never does.
pub const COMMITMENTS_MAX: usize = 16;

/// The outcome of a decision.
pub type Decision = Result<Vec<Event>, Rejection>;

/// Decides one command. Pure.
///
/// # Errors
/// A [`Rejection`] that describes the world.
pub fn decide(state: &State, command: &Command, cx: &Context<'_>) -> Decision {
    let found = violations(command, cx);
    if !found.is_empty() {
        return Err(Rejection::Invalid(found));
    }
    if let Command::Enrol(roster) = command {
        above(roster.crew.org(), cx)?;
        return enrol(state.as_ref(), roster);
    }
    let crew = state.as_ref().filter(|crew| crew.enrolled || is_winding_up(command)).ok_or(Rejection::NotEnrolled)?;
    match command {
        Command::Enrol(_) => Err(Rejection::NotEnrolled),
        Command::Dismiss => above(crew.id.org(), cx).and_then(|()| dismiss(crew)),
        Command::StartShift { until, breaks, at } => {
            speaks_for(crew, cx)?;
            start_shift(crew, *until, breaks, *at)
        }
        Command::EndShift => speaks_for(crew, cx).and_then(|()| end_shift(crew)),
        Command::GoAway { why } => {
            speaks_for(crew, cx)?;
            crew.shift.as_ref().ok_or(Rejection::OffShift)?;
            if crew.away == Some(*why) { Err(Rejection::Unchanged) } else { one(event::WentAway { why: *why }) }
        }
        Command::ComeBack => {
            speaks_for(crew, cx)?;
            crew.away.map_or(Err(Rejection::Unchanged), |_| one(event::CameBack {}))
        }
        Command::Locate { at, accuracy_m } => {
            speaks_for(crew, cx)?;
            crew.shift.as_ref().ok_or(Rejection::OffShift)?;
            one(event::Located { at: *at, accuracy_m: *accuracy_m })
        }
        Command::Reserve(reserve) => keep(crew, reserve, cx),
        Command::Commit { ticket, offer } => commit(crew, *ticket, *offer, cx),
        Command::Release { ticket, offer, why } => release(crew, *ticket, *offer, *why, cx),
    }
}

/// What may still be said of a crew that was struck off: that its time is free.
fn is_winding_up(command: &Command) -> bool {
    matches!(command, Command::Release { .. })
}

/// One of the crew speaks for it, or a unit above it.
fn speaks_for(crew: &Crew, cx: &Context<'_>) -> Result<(), Rejection> {
    let actor = &cx.actor.org;
    if actor.contains(crew.id.org()) { Ok(()) } else { Err(Rejection::NotTheCrew { actor: actor.clone() }) }
}

/// The roster is written by a unit above the crew.
fn above(crew: &OrgPath, cx: &Context<'_>) -> Result<(), Rejection> {
    let actor = &cx.actor.org;
    if actor.contains(crew) && actor != crew { Ok(()) } else { Err(Rejection::NotAbove { actor: actor.clone() }) }
}

fn engine_only(cx: &Context<'_>) -> Result<(), Rejection> {
    if cx.actor.role == Role::System { Ok(()) } else { Err(Rejection::EngineOnly) }
}

fn enrol(known: Option<&Crew>, roster: &Enrol) -> Decision {
    let same = |crew: &Crew| {
        crew.enrolled
            && crew.home == roster.home
            && crew.territory == roster.territory
            && crew.skills == roster.skills
            && crew.members == roster.members
            && crew.vehicle == roster.vehicle
    };
    if known.is_some_and(same) {
        return Err(Rejection::Unchanged);
    }
    one(event::Enrolled {
        crew: roster.crew.clone(),
        home: roster.home,
        territory: roster.territory.clone(),
        skills: roster.skills,
        members: roster.members.clone(),
        vehicle: roster.vehicle.clone(),
    })
}

/// A crew is struck off when its time is free. An offer that is live may have been accepted a moment ago, and nobody could
/// commit a crew that is struck off.
fn dismiss(crew: &Crew) -> Decision {
    unengaged(crew)?;
    unreserved(crew)?;
    one(event::Dismissed {})
}

fn start_shift(crew: &Crew, until: Timestamp, breaks: &[Break], at: Option<Point>) -> Decision {
    if let Some(shift) = &crew.shift {
        return Err(Rejection::OnShift { until: shift.until });
    }
    one(event::ShiftStarted { until, breaks: breaks.to_vec(), at })
}

/// A shift ends when nothing is under way: what is not done is handed over or recalled first. An offer that is live lapses.
fn end_shift(crew: &Crew) -> Decision {
    crew.shift.as_ref().ok_or(Rejection::OffShift)?;
    unengaged(crew)?;
    one(event::ShiftEnded {})
}

/// Nothing is under way.
fn unengaged(crew: &Crew) -> Result<(), Rejection> {
    if crew.commitments.is_empty() {
        Ok(())
    } else {
        Err(Rejection::Committed { tickets: crew.commitments.iter().map(|held| held.ticket).collect() })
    }
}

/// No offer is live.
fn unreserved(crew: &Crew) -> Result<(), Rejection> {
    crew.reserved.map_or(Ok(()), |held| Err(Rejection::Reserved { offer: held.offer }))
}

/// The crew's time is kept for one offer at a time, and for none while it is given to a ticket.
fn keep(crew: &Crew, reserve: &Reserve, cx: &Context<'_>) -> Decision {
    engine_only(cx)?;
    crew.shift.as_ref().ok_or(Rejection::OffShift)?;
    if let Some(why) = crew.away {
        return Err(Rejection::Away { why });
    }
    unreserved(crew)?;
    unengaged(crew)?;
    one(event::Reserved {
        offer: reserve.offer,
        ticket: reserve.ticket,
        fence: crew.facts,
        lease_until: reserve.lease_until,
        priority: reserve.priority,
        forced: reserve.forced.clone(),
        grounds: reserve.grounds.clone(),
    })
}

/// The time goes to a ticket that the crew has, by the offer that its time was kept for or because a person gave it the ticket.
/// What the ticket's stream has decided is not turned away for a shift that ended or an absence.
fn commit(crew: &Crew, ticket: TicketId, offer: Option<OfferId>, cx: &Context<'_>) -> Decision {
    engine_only(cx)?;
    if crew.commitments.iter().any(|held| held.ticket == ticket) {
        return Err(Rejection::Unchanged);
    }
    if crew.commitments.len() >= COMMITMENTS_MAX {
        return Err(Rejection::Overcommitted { max: COMMITMENTS_MAX });
    }
    let kept = offer.map(|offer| crew.reserved.filter(|held| held.offer == offer && held.ticket == ticket));
    let fence = match kept {
        Some(None) => return Err(Rejection::NotHeld { ticket }),
        Some(Some(held)) => held.fence,
        None => crew.facts,
    };
    one(event::Committed { ticket, offer, fence })
}

/// Of an offer, the reservation is released; of a ticket, the commitment. Nothing is released that is not held.
fn release(crew: &Crew, ticket: TicketId, offer: Option<OfferId>, why: ReleaseReason, cx: &Context<'_>) -> Decision {
    engine_only(cx)?;
    let held = match offer {
        Some(offer) => crew.reserved.is_some_and(|held| held.offer == offer && held.ticket == ticket),
        None => crew.commitments.iter().any(|held| held.ticket == ticket),
    };
    if held { one(event::Released { ticket, offer, why }) } else { Err(Rejection::NotHeld { ticket }) }
}

/// Everything that is wrong with `command` at the time of `cx`, whatever the crew's state.
#[must_use]
pub fn violations(command: &Command, cx: &Context<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    if cx.occurred_at > cx.now + cx.rules.clock_skew() {
        found.push(Violation { field: "occurred_at", problem: Problem::InTheFuture });
    }
    if let Command::StartShift { until, .. } = command {
        // One that was over before it is told would only be kept open.
        if *until <= cx.occurred_at.max(cx.now) {
            found.push(Violation { field: "until", problem: Problem::InThePast });
        }
        if *until - cx.occurred_at > chrono::TimeDelta::hours(SHIFT_HOURS_MAX) {
            found.push(Violation { field: "until", problem: Problem::TooFarAhead { days_max: SHIFT_HOURS_MAX / 24 } });
        }
    }
    found.extend(shape(command));
    found
}

/// Everything that is wrong with `command` by itself, whatever the time and the crew's state.
#[must_use]
pub fn shape(command: &Command) -> Vec<Violation> {
    let mut found = Vec::new();
    match command {
        Command::Enrol(roster) => roster_shape(roster, &mut found),
        Command::StartShift { until, breaks, at } => {
            if breaks.len() > BREAKS_MAX {
                found.push(Violation { field: "breaks", problem: Problem::TooMany { limit: BREAKS_MAX } });
            }
            if breaks.iter().any(|rest| rest.from >= rest.until || rest.until > *until) {
                found.push(Violation::contradicts("breaks", "until"));
            }
            on_the_planet("at", *at, &mut found);
        }
        Command::Locate { at, .. } => on_the_planet("at", Some(*at), &mut found),
        Command::Reserve(reserve) => {
            let candidates = &reserve.grounds.candidates;
            if candidates.len() > CANDIDATES_MAX {
                found.push(Violation {
                    field: "grounds.candidates",
                    problem: Problem::TooMany { limit: CANDIDATES_MAX },
                });
            }
            // A price that is no number could be stored but never read again.
            if candidates.iter().any(|candidate| candidate.prices.values().any(|price| !price.is_finite())) {
                found.push(Violation::malformed("grounds.candidates.prices", "finite numbers"));
            }
        }
        _ => {}
    }
    found
}

fn on_the_planet(field: &'static str, at: Option<Point>, found: &mut Vec<Violation>) {
    if at.is_some_and(|at| Point::new(at.latitude_e6, at.longitude_e6).is_none()) {
        found.push(Violation::malformed(field, "latitude -90 to 90 and longitude -180 to 180 degrees"));
    }
}

fn roster_shape(roster: &Enrol, found: &mut Vec<Violation>) {
    on_the_planet("home", Some(roster.home), found);
    if roster.territory.is_empty() {
        found.push(Violation::missing("territory"));
    }
    let limits = [("territory", roster.territory.len(), TERRITORY_MAX), ("members", roster.members.len(), MEMBERS_MAX)];
    for (field, has, limit) in limits {
        if has > limit {
            found.push(Violation { field, problem: Problem::TooMany { limit } });
        }
    }
    let operator = roster.crew.org().at_level(crate::organisation::Level::Nation);
    if operator.is_some_and(|operator| roster.territory.iter().any(|unit| !operator.contains(unit))) {
        found.push(Violation::contradicts("territory", "crew"));
    }
    if roster.skills == Skills::NONE {
        found.push(Violation::missing("skills"));
    }
    if roster.members.iter().any(|id| !crate::actor::Actor::id_is_sound(id)) {
        found.push(Violation::malformed("members", "staff ids of letters, digits and ._-@:"));
    }
    match &roster.vehicle {
        Some(name) if name.trim().is_empty() => found.push(Violation::missing("vehicle")),
        Some(name) if name.len() > NAME_BYTES_MAX => {
            found.push(Violation { field: "vehicle", problem: Problem::TooLong { limit: NAME_BYTES_MAX } });
        }
        _ => {}
    }
}

/// One event, accepted.
fn one(event: impl Into<Event>) -> Decision {
    Ok(vec![event.into()])
}
