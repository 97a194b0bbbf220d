//! Properties of offers and changes of crew: one crew at a time, no offer twice, and late reports move nothing. The
//! histories are those of the other properties.

use std::collections::BTreeMap;

use proptest::{prop_assert, prop_assert_eq};

use super::{of_every_life, of_every_ticket, of_every_turn};
use crate::{
    crew::{CrewId, OfferId, Skills},
    ticket::{
        Command, Event, Stage, Ticket,
        moves::held_by_crew,
        state::{FORMER_MAX, OFFERS_LIVE_MAX},
    },
};

/// True when the command concerns an existing offer.
pub fn is_about_one(command: &Command) -> bool {
    matches!(command, Command::AcceptOffer { .. } | Command::DeclineOffer { .. } | Command::EndOffer { .. })
}

#[test]
fn live_offers_are_few_one_a_crew_within_the_holder_and_of_work_that_nobody_has() {
    of_every_turn(|turn| {
        let Some(ticket) = turn.after.as_ref().filter(|ticket| !ticket.offers.is_empty()) else { return Ok(()) };
        prop_assert!(ticket.offers.len() <= OFFERS_LIVE_MAX);
        prop_assert!(!held_by_crew(ticket) && ticket.path().field_work);
        prop_assert!(matches!(ticket.stage, Stage::Dispatched | Stage::Accepted));
        prop_assert!(ticket.suspended.is_none() && !ticket.is_child());
        for (i, live) in ticket.offers.iter().enumerate() {
            prop_assert!(ticket.holder().is_some_and(|holder| holder.contains(live.crew.org())));
            prop_assert!(ticket.offers.iter().skip(i + 1).all(|other| other.crew != live.crew));
            prop_assert!(ticket.pinned.as_ref().is_none_or(|(crew, _)| *crew == live.crew));
        }
        Ok(())
    });
}

#[test]
fn an_offer_is_made_once_and_ends_once() {
    of_every_life(|turns| {
        let mut live: BTreeMap<OfferId, CrewId> = BTreeMap::new();
        let mut made = 0;
        for turn in turns {
            for fact in turn.facts() {
                match fact {
                    Event::Offered(e) => {
                        made += 1;
                        prop_assert_eq!(e.attempt, made, "attempts are numbered without a gap");
                        prop_assert_eq!(live.insert(e.offer, e.crew.clone()), None);
                    }
                    Event::OfferAccepted(e) => prop_assert_eq!(live.remove(&e.offer), Some(e.crew.clone())),
                    Event::OfferEnded(e) => prop_assert_eq!(live.remove(&e.offer), Some(e.crew.clone())),
                    _ => {}
                }
            }
            let Some(ticket) = &turn.after else { continue };
            let present: BTreeMap<_, _> = ticket.offers.iter().map(|o| (o.offer, o.crew.clone())).collect();
            let ended_otherwise = present.len() < live.len();
            let why = turn.facts().iter().any(|fact| {
                matches!(
                    fact,
                    Event::Dispatched(_)
                        | Event::Returned(_)
                        | Event::Reassigned(_)
                        | Event::Suspended(_)
                        | Event::Merged(_)
                        | Event::Withdrawn(_)
                        | Event::Replied(_)
                )
            });
            prop_assert!(!ended_otherwise || why, "no offer goes without a fact that ends it");
            live.retain(|offer, _| present.contains_key(offer));
            prop_assert_eq!(&live, &present);
        }
        Ok(())
    });
}

#[test]
fn a_crew_that_accepts_has_the_ticket_at_once_and_no_other_can_before_it_left() {
    of_every_ticket(|turn, before, after| {
        let accepted = turn.facts().iter().find_map(|fact| match fact {
            Event::OfferAccepted(e) => Some(e),
            _ => None,
        });
        let Some(accepted) = accepted else { return Ok(()) };
        prop_assert!(!held_by_crew(before), "nobody else had it");
        prop_assert_eq!(&turn.ask.actor.org, accepted.crew.org());
        prop_assert_eq!(after.holder(), Some(accepted.crew.org()));
        prop_assert_eq!(after.stage, Stage::Accepted);
        prop_assert_eq!(after.taken.as_ref(), Some(&(accepted.offer, turn.ask.actor.id.clone())));
        prop_assert_eq!(after.crew.accepted, Some(turn.ask.occurred_at));
        prop_assert!(after.offers.is_empty());
        Ok(())
    });
}

#[test]
fn what_a_crew_took_is_remembered_exactly_as_long_as_it_has_the_ticket() {
    of_every_life(|turns| {
        let mut taken = None;
        for turn in turns {
            for fact in turn.facts() {
                match fact {
                    Event::OfferAccepted(e) => taken = Some((e.offer, e.crew.clone())),
                    Event::Dispatched(e) if taken.as_ref().is_some_and(|(_, crew)| *crew.org() == e.to) => {}
                    Event::Dispatched(_) | Event::Returned(_) | Event::Reassigned(_) | Event::Reopened(_) => {
                        taken = None
                    }
                    _ => {}
                }
            }
            let Some(ticket) = &turn.after else { continue };
            prop_assert_eq!(ticket.taken.as_ref().map(|(offer, _)| offer), taken.as_ref().map(|(offer, _)| offer));
        }
        Ok(())
    });
}

#[test]
fn a_crew_that_had_it_is_remembered_once_with_what_it_reported() {
    of_every_ticket(|turn, before, after| {
        prop_assert!(after.former.len() <= FORMER_MAX);
        for (i, former) in after.former.iter().enumerate() {
            prop_assert!(after.former.iter().skip(i + 1).all(|other| other.crew != former.crew));
        }
        let left = before.holder().filter(|holder| held_by_crew(before) && after.holder() != Some(holder));
        if let Some(crew) = left {
            let former = after.former.iter().find(|former| former.crew == *crew);
            prop_assert_eq!(former.map(|former| &former.work), Some(&before.crew));
            prop_assert_eq!(former.map(|former| former.until), Some(turn.ask.occurred_at));
        }
        Ok(())
    });
}

#[test]
fn a_step_of_a_former_crew_changes_its_own_sheet_and_nothing_else() {
    of_every_ticket(|turn, before, after| {
        let (by, at) = (&turn.ask.actor.org, turn.ask.occurred_at);
        let reported = matches!(turn.ask.command, Command::ReportProgress(_)) && turn.decision.is_ok();
        if !reported || before.former_stint(by, at).is_none() {
            return Ok(());
        }
        let accepts = matches!(turn.facts(), [Event::CrewAccepted(_)]);
        if accepts && held_by_crew(before) && before.holder() == Some(by) && before.stage == Stage::Dispatched {
            return Ok(());
        }
        let others = |ticket: &Ticket| {
            let former = ticket.former.iter().filter(|former| former.crew != *by).cloned().collect();
            Ticket { former, ..ticket.clone() }
        };
        prop_assert_eq!(others(before), others(after));
        prop_assert!(turn.facts().iter().all(|fact| crew_of(fact) == Some(by)));
        Ok(())
    });
}

/// The crew that reported the step.
fn crew_of(fact: &Event) -> Option<&crate::organisation::OrgPath> {
    match fact {
        Event::CrewAccepted(e) => Some(&e.crew),
        Event::CrewEnRoute(e) => Some(&e.crew),
        Event::CrewArrived(e) => Some(&e.crew),
        Event::CrewDiagnosed(e) => Some(&e.crew),
        Event::EtrSet(e) => Some(&e.crew),
        Event::CrewRestored(e) => Some(&e.crew),
        _ => None,
    }
}

#[test]
fn a_report_moves_the_stage_only_by_taking_what_waits_for_its_crew() {
    of_every_ticket(|turn, before, after| {
        if !matches!(turn.ask.command, Command::ReportProgress(_)) {
            return Ok(());
        }
        let took = before.stage == Stage::Dispatched && after.stage == Stage::Accepted && held_by_crew(before);
        prop_assert!(took || before.stage == after.stage);
        prop_assert_eq!(&before.holders, &after.holders);
        Ok(())
    });
}

#[test]
fn a_chosen_crew_lies_within_the_holder_and_is_chosen_until_it_had_the_ticket() {
    of_every_ticket(|turn, before, after| {
        if let Some((crew, _)) = &after.pinned {
            prop_assert!(after.holder().is_some_and(|holder| holder.contains(crew.org())));
            let said = turn.facts().iter().any(|fact| matches!(fact, Event::Pinned(_)));
            prop_assert!(said || before.pinned == after.pinned);
            let left =
                held_by_crew(before) && before.holder() == Some(crew.org()) && after.holder() != Some(crew.org());
            prop_assert!(!left);
        }
        Ok(())
    });
}

#[test]
fn what_is_found_to_be_needed_stays_until_somebody_finds_otherwise_or_it_is_reopened() {
    of_every_ticket(|turn, before, after| {
        let found = turn.facts().iter().find_map(|fact| match fact {
            Event::HandedOver(e) => Some(e.needs),
            Event::Reopened(_) => Some(Skills::NONE),
            _ => None,
        });
        prop_assert_eq!(after.needs, found.unwrap_or(before.needs));
        Ok(())
    });
}
