//! Who may do what: the one place in which a use case asks whether its actor may go on. What a ticket or a crew itself
//! refuses (a unit that does not hold it, a crew that is another's) is the domain's, decided on the stream.

use switchboard_domain::{
    actor::{Actor, Role},
    crew::{self, CrewId},
    organisation::OrgPath,
    ticket,
};
use switchboard_wire::refusal::Refusal;

/// What an actor is about to do.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Gives a command to a ticket; the ticket decides.
    CommandTicket,
    /// Gives a command to a crew; the crew decides.
    CommandCrew,
    /// Looks at tickets, one or many.
    ReadTickets,
    /// Looks at the raw facts of the log.
    ReadLog,
    /// Looks at figures over many tickets.
    ReadFigures,
    /// Looks at what is published, tries it, compares it.
    ReadPolicies,
    /// Publishes policies and calendars.
    Publish,
    /// Asks about a crew, or reports for it.
    SpeakFor(&'a CrewId),
    /// Lists the crews of a unit.
    ListCrews(&'a OrgPath),
    /// Lists what is intended for the tickets that a unit holds.
    ListProposals(&'a OrgPath),
    /// Asks why a ticket goes where it goes, which this unit holds.
    Explain(&'a OrgPath),
}

/// Whether the actor may.
///
/// # Errors
/// [`Refusal::NotPermitted`] naming a role that may, or the rejection that names whose it is.
pub fn permit(actor: &Actor, act: Act<'_>) -> Result<(), Refusal> {
    match act {
        // Everybody who names an actor may, for now.
        Act::CommandTicket | Act::CommandCrew | Act::ReadTickets | Act::ReadLog | Act::ReadFigures => Ok(()),
        Act::ReadPolicies => in_role(actor, &[Role::Operator, Role::Auditor, Role::Desk]),
        Act::Publish => in_role(actor, &[Role::Operator]),
        Act::SpeakFor(crew) => theirs(actor, crew.org()),
        Act::ListCrews(unit) => theirs(actor, unit),
        Act::ListProposals(unit) if actor.org.contains(unit) => Ok(()),
        // A crew may ask about what its own units hold.
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

/// A crew's own, or a unit above it.
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
