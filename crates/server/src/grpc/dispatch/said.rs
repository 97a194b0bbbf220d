//! The messages to crews, in messages of the API. They contain no personal data. If the caller is hidden, the place is
//! reduced to its area.

use switchboard_views::assignments::{Assignment, AssignmentChange, Brief, Offer, Snapshot};
use switchboard_wire::{
    answer,
    proto::{self, step_result::Result as Became},
    refusal::{Language, Refusal},
};
use tonic_types::StatusExt as _;

use crate::{
    grpc::present,
    service::{assignments::CrewChange, tickets::Done},
};

fn brief(brief: &Brief) -> proto::TicketBrief {
    let mut said = answer::brief(&answer::Brief {
        id: brief.ticket,
        number: &brief.number,
        place: &brief.place,
        category: brief.category.as_ref(),
        urgency: brief.urgency,
        customers_out: brief.customers_out,
        reported: brief.reported,
    });
    if brief.confidential {
        said.place = Some(present::coarse(&brief.place));
    }
    said
}

fn offer(offer: &Offer) -> proto::CrewOffer {
    proto::CrewOffer {
        offer: offer.offer.to_string(),
        fence: offer.fence,
        lease_until: Some(answer::timestamp(offer.lease_until)),
        priority: offer.priority,
        forced: offer.forced,
        ticket: Some(brief(&offer.ticket)),
    }
}

fn assignment(assignment: &Assignment) -> proto::Assignment {
    proto::Assignment {
        ticket: Some(brief(&assignment.ticket)),
        offer: assignment.offer.map(|offer| offer.to_string()),
        since: Some(answer::timestamp(assignment.since)),
    }
}

/// All offers and assignments of a crew.
pub(super) fn snapshot(snapshot: &Snapshot, position: u64) -> proto::AssignmentSnapshot {
    proto::AssignmentSnapshot {
        position,
        offers: snapshot.offers.iter().map(offer).collect(),
        assignments: snapshot.assignments.iter().map(assignment).collect(),
    }
}

/// Converts one assignment change.
pub(super) fn change(crew_change: &CrewChange) -> proto::AssignmentChange {
    use proto::assignment_change::Change;
    let told = match &crew_change.change.told {
        AssignmentChange::Offered(made) => Change::Offered(offer(made)),
        AssignmentChange::OfferGone { offer, ticket, why } => Change::OfferGone(proto::OfferGone {
            offer: offer.to_string(),
            ticket_id: ticket.to_string(),
            why: answer::word(*why),
        }),
        AssignmentChange::Assigned(given) => Change::Assigned(assignment(given)),
        AssignmentChange::Ended { ticket, why } => {
            Change::Ended(proto::AssignmentEnded { ticket_id: ticket.to_string(), why: answer::word(*why) })
        }
        AssignmentChange::News { ticket } => {
            Change::News(proto::TicketNews { ticket_id: ticket.to_string(), kind: crew_change.kind.into() })
        }
    };
    proto::AssignmentChange {
        position: crew_change.change.position,
        occurred_at: Some(answer::timestamp(crew_change.change.occurred_at)),
        recorded_at: Some(answer::timestamp(crew_change.change.recorded_at)),
        change: Some(told),
    }
}

/// The result of a step.
pub(super) fn became(result: &Result<Done, Refusal>, language: Language) -> Became {
    match result {
        Ok(done) => Became::Outcome(present::outcome(done)),
        Err(refusal) => Became::Refusal(refused(refusal, language)),
    }
}

fn refused(refusal: &Refusal, language: Language) -> proto::StepRefusal {
    let details = refusal.status(language).get_error_details();
    let mut metadata = details.error_info().map(|info| info.metadata.clone()).unwrap_or_default();
    if !refusal.violations().is_empty() {
        let fields: Vec<&str> = refusal.violations().iter().map(|violation| violation.field).collect();
        metadata.insert("field".into(), fields.join(" "));
    }
    proto::StepRefusal {
        reason: refusal.reason().as_str_name().into(),
        message: refusal.sentence(language),
        metadata,
        retryable: refusal.is_retryable(),
    }
}
