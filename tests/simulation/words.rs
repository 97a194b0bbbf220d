//! Facts as text, for the analysis of a failure.

use switchboard_domain::{crew, fact::Fact, ticket};

/// Formats one fact on one line.
pub fn told(fact: &Fact) -> String {
    match fact {
        Fact::Ticket(fact) => {
            let ticket = &fact.id.to_string()[28..];
            let (at, by) = (fact.recorded_at.format("%d %H:%M:%S"), &fact.actor.id);
            format!("{:>5} {at} ticket {ticket} r{} {by}: {}", fact.position, fact.revision, ticket_words(&fact.event))
        }
        Fact::Crew(fact) => {
            let (at, by) = (fact.recorded_at.format("%d %H:%M:%S"), &fact.actor.id);
            let crew = last(fact.id.org().as_str());
            format!("{:>5} {at} crew {crew} r{} {by}: {}", fact.position, fact.revision, crew_words(&fact.event))
        }
        other => format!("{:>5} {other:?}", other.position()),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn ticket_words(event: &ticket::Event) -> String {
    use ticket::Event as E;
    match event {
        E::Offered(e) => {
            let offer = &e.offer.to_string()[..4];
            let until = e.lease_until.format("%H:%M:%S");
            format!(
                "offered ({offer}, attempt {}) to {} fence {} until {until}",
                e.attempt,
                last(e.crew.org().as_str()),
                e.fence
            )
        }
        E::OfferAccepted(e) => format!("offer {} accepted by {}", &e.offer.to_string()[..4], e.by),
        E::OfferEnded(e) => {
            format!("offer {} to {} {}", &e.offer.to_string()[..4], last(e.crew.org().as_str()), e.how.as_str())
        }
        E::Dispatched(e) => format!("dispatched {} -> {}", last(e.from.as_str()), last(e.to.as_str())),
        E::Reassigned(e) => format!("reassigned {} -> {}", last(e.from.as_str()), last(e.to.as_str())),
        E::Returned(e) => format!("returned {} -> {}", last(e.from.as_str()), last(e.to.as_str())),
        E::Pinned(e) => match &e.crew {
            Some(crew) => format!("pinned to {}", last(crew.org().as_str())),
            None => "left to the plan".into(),
        },
        E::Merged(e) => format!("merged into {}", &e.master.to_string()[28..]),
        other => other.name().to_owned(),
    }
}

fn crew_words(event: &crew::Event) -> String {
    use crew::Event as E;
    match event {
        E::Reserved(e) => {
            format!("reserved for {} ({}), fence {}", &e.ticket.to_string()[28..], &e.offer.to_string()[..4], e.fence)
        }
        E::Committed(e) => {
            format!("committed to {}{}", &e.ticket.to_string()[28..], if e.offer.is_some() { " by offer" } else { "" })
        }
        E::Released(e) => {
            let what = e.offer.map_or("ticket".to_owned(), |offer| format!("offer {}", &offer.to_string()[..4]));
            format!("released of {what} of {}: {}", &e.ticket.to_string()[28..], e.why.as_str())
        }
        E::WentAway(e) => format!("away: {}", e.why.as_str()),
        E::ShiftStarted(e) => format!("shift until {}", e.until.format("%d %H:%M")),
        other => other.name().to_owned(),
    }
}
