//! The decisions on crew commands. The checks come in this order: form of the command, existence of the crew, rights of
//! the actor, conflicts with the state. The expiry of a lease is not checked here: the ticket's stream decides how an
//! offer ends.

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

/// The most units in a territory.
pub const TERRITORY_MAX: usize = 32;
/// The most members of a crew.
pub const MEMBERS_MAX: usize = 64;
/// The longest vehicle name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The longest shift, in hours. A longer one is most likely a wrong date.
pub const SHIFT_HOURS_MAX: i64 = 24;
/// The most breaks in a shift.
pub const BREAKS_MAX: usize = 8;
/// The most tickets that a crew may be committed to at once. Only people can assign several tickets; the dispatcher
/// assigns one at a time.
pub const COMMITMENTS_MAX: usize = 16;

/// The events of an accepted command, or the reason for its rejection.
pub type Decision = Result<Vec<Event>, Rejection>;

/// Decides one command. A pure function.
///
/// # Errors
/// A [`Rejection`] with its data.
pub fn decide(state: &State, command: &Command, cx: &Context<'_>) -> Decision {
    let found = violations(command, cx);
    if !found.is_empty() {
        return Err(Rejection::Invalid(found));
    }
    if let Command::Enrol(roster) = command {
        above(roster.crew.org(), cx)?;
        return enrol(state.as_ref(), roster);
    }
    let crew = state.as_ref().filter(|crew| crew.enrolled || is_release(command)).ok_or(Rejection::NotEnrolled)?;
    match command {
        Command::Enrol(_) => Err(Rejection::NotEnrolled),
        Command::Dismiss => above(crew.id.org(), cx).and_then(|()| dismiss(crew)),
        Command::StartShift { until, breaks, at } => {
            may_act_for(crew, cx)?;
            start_shift(crew, *until, breaks, *at)
        }
        Command::EndShift => may_act_for(crew, cx).and_then(|()| end_shift(crew)),
        Command::GoAway { why } => {
            may_act_for(crew, cx)?;
            crew.shift.as_ref().ok_or(Rejection::OffShift)?;
            if crew.away == Some(*why) { Err(Rejection::Unchanged) } else { one(event::WentAway { why: *why }) }
        }
        Command::ComeBack => {
            may_act_for(crew, cx)?;
            crew.away.map_or(Err(Rejection::Unchanged), |_| one(event::CameBack {}))
        }
        Command::Locate { at, accuracy_m } => {
            may_act_for(crew, cx)?;
            crew.shift.as_ref().ok_or(Rejection::OffShift)?;
            one(event::Located { at: *at, accuracy_m: *accuracy_m })
        }
        Command::Reserve(reserve) => reserve_time(crew, reserve, cx),
        Command::Commit { ticket, offer } => commit(crew, *ticket, *offer, cx),
        Command::Release { ticket, offer, why } => release(crew, *ticket, *offer, *why, cx),
    }
}

/// True for the only command that a dismissed crew accepts: releasing its time.
fn is_release(command: &Command) -> bool {
    matches!(command, Command::Release { .. })
}

/// Checks that the actor belongs to the crew or to a unit above it.
fn may_act_for(crew: &Crew, cx: &Context<'_>) -> Result<(), Rejection> {
    let actor = &cx.actor.org;
    if actor.contains(crew.id.org()) { Ok(()) } else { Err(Rejection::NotTheCrew { actor: actor.clone() }) }
}

/// Checks that the actor belongs to a unit above the crew: only such a unit may change the roster.
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

/// A crew can be dismissed only without commitments and reservations. A reserved offer may just have been accepted, and
/// a dismissed crew could not be committed.
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

/// A shift can end only without commitments: open tickets must be handed over or recalled first. A live offer lapses.
fn end_shift(crew: &Crew) -> Decision {
    crew.shift.as_ref().ok_or(Rejection::OffShift)?;
    unengaged(crew)?;
    one(event::ShiftEnded {})
}

/// Checks that the crew has no commitments.
fn unengaged(crew: &Crew) -> Result<(), Rejection> {
    if crew.commitments.is_empty() {
        Ok(())
    } else {
        Err(Rejection::Committed { tickets: crew.commitments.iter().map(|held| held.ticket).collect() })
    }
}

/// Checks that the crew has no reservation.
fn unreserved(crew: &Crew) -> Result<(), Rejection> {
    crew.reserved.map_or(Ok(()), |held| Err(Rejection::Reserved { offer: held.offer }))
}

/// Reserves the crew's time for one offer. The crew must be available, without a reservation and without commitments.
fn reserve_time(crew: &Crew, reserve: &Reserve, cx: &Context<'_>) -> Decision {
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

/// Commits the crew's time to a ticket that it holds, by an accepted offer or a person's assignment. The end of the
/// shift or an absence does not prevent it, because the ticket's stream has already decided.
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

/// Releases a reservation (with `offer`) or a commitment (without).
fn release(crew: &Crew, ticket: TicketId, offer: Option<OfferId>, why: ReleaseReason, cx: &Context<'_>) -> Decision {
    engine_only(cx)?;
    let held = match offer {
        Some(offer) => crew.reserved.is_some_and(|held| held.offer == offer && held.ticket == ticket),
        None => crew.commitments.iter().any(|held| held.ticket == ticket),
    };
    if held { one(event::Released { ticket, offer, why }) } else { Err(Rejection::NotHeld { ticket }) }
}

/// All violations of `command` at the time of `cx`, whatever the crew's state.
#[must_use]
pub fn violations(command: &Command, cx: &Context<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    if cx.occurred_at > cx.now + cx.rules.clock_skew() {
        found.push(Violation { field: "occurred_at", problem: Problem::InTheFuture });
    }
    if let Command::StartShift { until, .. } = command {
        // A shift that ended before it is reported would never be closed.
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

/// All violations of `command` that depend neither on time nor on the crew's state.
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
            check_point("at", *at, &mut found);
        }
        Command::Locate { at, .. } => check_point("at", Some(*at), &mut found),
        Command::Reserve(reserve) => {
            let candidates = &reserve.grounds.candidates;
            if candidates.len() > CANDIDATES_MAX {
                found.push(Violation {
                    field: "grounds.candidates",
                    problem: Problem::TooMany { limit: CANDIDATES_MAX },
                });
            }
            // JSON cannot represent a price that is not finite: it could be stored but not read.
            if candidates.iter().any(|candidate| candidate.prices.values().any(|price| !price.is_finite())) {
                found.push(Violation::malformed("grounds.candidates.prices", "finite numbers"));
            }
        }
        _ => {}
    }
    found
}

fn check_point(field: &'static str, at: Option<Point>, found: &mut Vec<Violation>) {
    if at.is_some_and(|at| Point::new(at.latitude_e6, at.longitude_e6).is_none()) {
        found.push(Violation::malformed(field, "latitude -90 to 90 and longitude -180 to 180 degrees"));
    }
}

fn roster_shape(roster: &Enrol, found: &mut Vec<Violation>) {
    check_point("home", Some(roster.home), found);
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

/// A decision with one event.
fn one(event: impl Into<Event>) -> Decision {
    Ok(vec![event.into()])
}
