//! Authorisation: the one place where a use case checks whether its actor may go on. The domain makes the checks that
//! need the stream: whether a unit holds the ticket, or whether the crew is the actor's own.

use switchboard_domain::{
    actor::{Actor, Role},
    crew::{self, CrewId},
    organisation::OrgPath,
    ticket,
};
use switchboard_wire::refusal::Refusal;

/// An operation that an actor asks for.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Sends a command to a ticket; the ticket decides.
    CommandTicket,
    /// Sends a command to a crew; the crew decides.
    CommandCrew,
    /// Reads one or many tickets.
    ReadTickets,
    /// Reads the raw facts of the log.
    ReadLog,
    /// Reads figures over many tickets.
    ReadFigures,
    /// Reads published policies and calendars, checks files, and compares policies.
    ReadPolicies,
    /// Publishes policies and calendars.
    Publish,
    /// Reads the assignments of a crew, or reports for it.
    SpeakFor(&'a CrewId),
    /// Lists the crews of a unit.
    ListCrews(&'a OrgPath),
    /// Lists the proposals for the tickets that a unit holds.
    ListProposals(&'a OrgPath),
    /// Asks for the explanation of a proposal for a ticket; this unit holds the ticket.
    Explain(&'a OrgPath),
}

/// Checks that the actor may perform the operation.
///
/// # Errors
/// [`Refusal::NotPermitted`], which names a role that may; or the rejection that names the holder or the actor's unit.
pub fn permit(actor: &Actor, act: Act<'_>) -> Result<(), Refusal> {
    match act {
        // Every actor may, for now.
        Act::CommandTicket | Act::CommandCrew | Act::ReadTickets | Act::ReadLog | Act::ReadFigures => Ok(()),
        Act::ReadPolicies => in_role(actor, &[Role::Operator, Role::Auditor, Role::Desk]),
        Act::Publish => in_role(actor, &[Role::Operator]),
        Act::SpeakFor(crew) => theirs(actor, crew.org()),
        Act::ListCrews(unit) => theirs(actor, unit),
        Act::ListProposals(unit) if actor.org.contains(unit) => Ok(()),
        // A crew may ask about tickets of its own units.
        Act::Explain(unit) if actor.org.contains(unit) || unit.contains(&actor.org) => Ok(()),
        Act::ListProposals(unit) | Act::Explain(unit) => {
            let (holder, actor) = (unit.clone(), actor.org.clone());
            Err(Refusal::Rejected(ticket::Rejection::NotTheHolder { holder, actor }))
        }
    }
}

fn in_role(actor: &Actor, roles: &[Role]) -> Result<(), Refusal> {
    let needed = roles.first().map_or("", |role| role.as_str());
    if roles.contains(&actor.role) { Ok(()) } else { Err(Refusal::NotPermitted { needed }) }
}

/// Admits the unit itself and the units above it.
fn theirs(actor: &Actor, unit: &OrgPath) -> Result<(), Refusal> {
    if actor.org.contains(unit) {
        return Ok(());
    }
    Err(Refusal::CrewRejected(crew::Rejection::NotTheCrew { actor: actor.org.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role, org: &str) -> Actor {
        Actor { id: "a-1".into(), role, org: OrgPath::parse(org).unwrap() }
    }

    #[test]
    fn an_operator_alone_publishes_and_a_desk_may_look() {
        let publish = |role| permit(&actor(role, "sgcc"), Act::Publish).is_ok();
        assert!(publish(Role::Operator) && !publish(Role::Desk) && !publish(Role::Auditor));
        assert!(permit(&actor(Role::Desk, "sgcc"), Act::ReadPolicies).is_ok());
        let refused = permit(&actor(Role::Agent, "sgcc"), Act::ReadPolicies);
        assert_eq!(refused, Err(Refusal::NotPermitted { needed: "operator" }));
    }

    #[test]
    fn a_crew_is_spoken_for_by_itself_and_by_the_units_above_it() {
        let crew = CrewId::of(&OrgPath::parse("sgcc/zj/hz/yh/lz/c1").unwrap()).unwrap();
        let speaks = |org| permit(&actor(Role::Desk, org), Act::SpeakFor(&crew)).is_ok();
        assert!(speaks("sgcc/zj/hz/yh/lz/c1") && speaks("sgcc/zj") && !speaks("sgcc/zj/hz/yh/lz/c2"));
    }

    #[test]
    fn a_crew_may_ask_about_what_its_own_units_hold_and_list_no_more_than_its_own() {
        let crew = actor(Role::Crew, "sgcc/zj/hz/yh/lz/c1");
        let station = OrgPath::parse("sgcc/zj/hz/yh/lz").unwrap();
        assert!(permit(&crew, Act::Explain(&station)).is_ok());
        assert!(permit(&crew, Act::ListProposals(&station)).is_err());
    }
}
