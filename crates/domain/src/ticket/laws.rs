//! Properties of every history of a ticket, tested with thousands of random ones; examples are in `tests`. One property
//! is that the generator reaches every kind of history.

mod case_file;
mod histories;
mod offers;
mod totality;

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prop_assert, prop_assert_eq};
use uuid::Uuid;

use self::histories::{Turn, describe, live};
pub(crate) use self::histories::{ask, later};
use crate::{
    Timestamp,
    actor::Actor,
    chance::{self, Verdict},
    decider::Context,
    organisation::LEVELS,
    rules::Rules,
    ticket::{
        Command, Event, Move, Rejection, ReplyOutcome, RevisitMethod, Stage, State, Ticket, decide, evolve, legal,
        tests::sample, validate::violations,
    },
};

/// The longest life, in turns.
const TURNS_MAX: usize = 60;

/// Checks a property of whole lives.
fn of_every_life(law: impl Fn(&[Turn]) -> Verdict) {
    let rules = Rules::default();
    chance::always(TURNS_MAX, |rolls| law(&live(rolls, &rules)), |rolls| describe(&live(rolls, &rules)));
}

/// Checks a property of every turn of every life.
fn of_every_turn(law: impl Fn(&Turn) -> Verdict) {
    of_every_life(|turns| turns.iter().try_for_each(&law));
}

/// Checks a property of every turn of a ticket that was received before it.
fn of_every_ticket(law: impl Fn(&Turn, &Ticket, &Ticket) -> Verdict) {
    of_every_turn(|turn| match (&turn.before, &turn.after) {
        (Some(before), Some(after)) => law(turn, before, after),
        _ => Ok(()),
    });
}

#[test]
fn a_decision_is_a_function_of_its_arguments() {
    of_every_turn(|turn| {
        let rules = Rules::default();
        prop_assert_eq!(&decide(&turn.before, &turn.ask.command, &turn.ask.cx(&rules)), &turn.decision);
        // These events record the actor: who accepted the offer, who chose the crew.
        if matches!(turn.ask.command.as_move(), Move::AcceptOffer | Move::Pin) {
            return Ok(());
        }
        let actor = Actor { id: "somebody-else".into(), ..turn.ask.actor.clone() };
        let cx = Context { actor: &actor, request_id: Uuid::nil(), ..turn.ask.cx(&rules) };
        prop_assert_eq!(&decide(&turn.before, &turn.ask.command, &cx), &turn.decision, "names do not matter");
        Ok(())
    });
}

#[test]
fn an_accepted_command_leaves_a_fact_and_a_refused_one_leaves_nothing() {
    // `evolve` asserts by itself that it accepts every event.
    of_every_turn(|turn| {
        match &turn.decision {
            Ok(facts) if facts.is_empty() => {
                prop_assert!(
                    matches!(turn.ask.command, Command::AcceptOffer { .. }),
                    "only an offer is accepted again"
                );
                prop_assert_eq!(&turn.before, &turn.after);
            }
            Ok(_) => {}
            Err(_) => prop_assert_eq!(&turn.before, &turn.after),
        }
        Ok(())
    });
}

#[test]
fn folding_from_zero_equals_living_through_it_byte_for_byte() {
    of_every_life(|turns| {
        let log: Vec<(Event, Timestamp)> = turns
            .iter()
            .flat_map(|turn| turn.facts().iter().map(|fact| (fact.clone(), turn.ask.occurred_at)))
            .collect();
        let folded: State = log.iter().fold(None, |state, (fact, at)| evolve(state, fact, *at));
        let lived = turns.last().and_then(|turn| turn.after.clone());
        prop_assert_eq!(serde_json::to_vec(&folded).unwrap(), serde_json::to_vec(&lived).unwrap());
        Ok(())
    });
}

#[test]
fn a_well_formed_command_is_an_illegal_move_exactly_when_the_table_says_so() {
    of_every_turn(|turn| {
        let rules = Rules::default();
        let well_formed = violations(&turn.ask.command, &turn.ask.cx(&rules)).is_empty();
        let open = legal(&turn.before).contains(turn.ask.command.as_move());
        match (&turn.before, &turn.decision) {
            _ if !well_formed => prop_assert!(matches!(turn.decision, Err(Rejection::Invalid(_)))),
            (None, decision) => prop_assert_eq!(matches!(decision, Err(Rejection::NotFound)), !open),
            (Some(_), Err(Rejection::IllegalMove { asked, .. })) => {
                prop_assert!(!open);
                prop_assert_eq!(*asked, turn.ask.command.as_move());
            }
            // For an offer that is not live, the rejection says more.
            (Some(_), _) if offers::is_about_one(&turn.ask.command) => {}
            (Some(_), _) => prop_assert!(open),
        }
        Ok(())
    });
}

#[test]
fn a_refusal_names_exactly_what_is_legal() {
    of_every_turn(|turn| {
        if let Err(Rejection::IllegalMove { legal: named, stage, business, .. }) = &turn.decision {
            prop_assert_eq!(*named, legal(&turn.before));
            let ticket = turn.before.as_ref().unwrap();
            prop_assert_eq!((*stage, *business), (ticket.stage, ticket.business));
        }
        Ok(())
    });
}

#[test]
fn somebody_always_answers_for_a_ticket_and_the_chain_is_nested_and_short() {
    of_every_turn(|turn| {
        let Some(ticket) = &turn.after else { return Ok(()) };
        prop_assert!(!ticket.holders.is_empty());
        let below = &ticket.holders[1..];
        prop_assert!(below.len() <= LEVELS, "{below:?}");
        for pair in below.windows(2) {
            prop_assert!(pair[0] != pair[1] && pair[0].contains(&pair[1]), "{below:?}");
        }
        Ok(())
    });
}

#[test]
fn the_chain_moves_one_link_at_a_time_and_its_first_never() {
    of_every_ticket(|turn, before, after| {
        prop_assert_eq!(before.receiver(), after.receiver());
        let (had, has) = (before.holders.len(), after.holders.len());
        let moves = |fact: &&Event| {
            matches!(fact, Event::Dispatched(_) | Event::Returned(_) | Event::Reassigned(_) | Event::Reopened(_))
        };
        let mut moved = turn.facts().iter().filter(moves);
        match moved.next() {
            Some(Event::Dispatched(_)) => prop_assert_eq!(has, had + 1),
            Some(Event::Returned(_)) => {
                prop_assert_eq!(has, had - 1);
                prop_assert_eq!(&after.holders[..], &before.holders[..has]);
            }
            Some(Event::Reassigned(_)) => prop_assert!(has > 1 && has <= had),
            Some(_) => prop_assert_eq!(has, 1),
            None => prop_assert_eq!(&before.holders, &after.holders),
        }
        prop_assert_eq!(moved.next(), None, "once in a breath");
        Ok(())
    });
}

#[test]
fn a_ticket_that_left_its_receiver_has_exactly_one_holder_the_last_it_was_given_to() {
    of_every_life(|turns| {
        let mut given_to = None;
        for turn in turns {
            for fact in turn.facts() {
                match fact {
                    Event::Received(e) => given_to = Some(e.received_by.clone()),
                    Event::Dispatched(e) => given_to = Some(e.to.clone()),
                    Event::Reassigned(e) => given_to = Some(e.to.clone()),
                    Event::Returned(e) => given_to = Some(e.to.clone()),
                    Event::Reopened(_) => given_to = turn.after.as_ref().and_then(|t| t.receiver().cloned()),
                    _ => {}
                }
            }
            let Some(ticket) = &turn.after else { continue };
            prop_assert_eq!(ticket.holder(), given_to.as_ref());
            if matches!(ticket.stage, Stage::Dispatched | Stage::Accepted | Stage::Replied) {
                prop_assert!(ticket.holders.len() > 1);
                prop_assert!(ticket.accepted_category.is_some(), "nothing leaves unclassified");
            }
        }
        Ok(())
    });
}

#[test]
fn nobody_is_called_in_quiet_hours_too_often_or_too_soon() {
    let rules = Rules::default();
    of_every_life(|turns| {
        let mut tries: Vec<Timestamp> = Vec::new();
        for turn in turns {
            let at = turn.ask.occurred_at;
            if turn.facts().iter().any(|fact| matches!(fact, Event::Reopened(_))) {
                tries.clear();
            }
            let Command::Revisit { method, .. } = &turn.ask.command else { continue };
            if turn.decision.is_ok() {
                prop_assert!(*method == RevisitMethod::Sms || rules.quiet_at(at).is_none());
                prop_assert!(tries.last().is_none_or(|last| at - *last >= rules.revisit_spacing()));
                tries.push(at);
                prop_assert!(tries.len() <= usize::from(rules.revisit_tries_max));
            }
        }
        Ok(())
    });
}

#[test]
fn those_who_spoke_in_confidence_or_without_a_name_are_left_in_peace() {
    of_every_ticket(|turn, before, _| {
        for fact in turn.facts() {
            prop_assert!(!before.confidential || !matches!(fact, Event::Contacted(_)));
            let asked = matches!(fact, Event::Revisited(_) | Event::RevisitAttempted(_));
            prop_assert!(!asked || before.revisit_due());
        }
        Ok(())
    });
}

#[test]
fn what_was_promised_to_stay_hidden_stays_hidden() {
    of_every_ticket(|_, before, after| {
        prop_assert!(!before.confidential || after.confidential);
        prop_assert_eq!(before.anonymous, after.anonymous);
        prop_assert!(!(after.anonymous && after.confidential));
        Ok(())
    });
}

#[test]
fn what_has_ended_stays_ended_unless_it_is_taken_up_again() {
    of_every_ticket(|turn, before, after| {
        let again = matches!(turn.facts(), [Event::Reopened(_)]);
        prop_assert!(!before.stage.is_ended() || after.stage == before.stage || again);
        prop_assert!(before.stage != Stage::Withdrawn || !again);
        Ok(())
    });
}

#[test]
fn accepted_confirmed_and_audited_category_change_only_through_their_own_facts() {
    of_every_ticket(|turn, before, after| {
        let [fact] = turn.facts() else { return Ok(()) };
        let own = |changed: bool, own: bool| !changed || own;
        let classified = matches!(fact, Event::Classified(_));
        prop_assert!(own(before.accepted_category != after.accepted_category, classified));
        let replied = matches!(fact, Event::Replied(_));
        prop_assert!(own(before.confirmed_category != after.confirmed_category, replied));
        let settled = matches!(fact, Event::ReplyPassed(e) if e.last && e.category.is_some());
        prop_assert!(own(before.audited_category != after.audited_category, settled));
        Ok(())
    });
}

#[test]
fn merging_and_unmerging_leaves_everything_as_it_was() {
    of_every_turn(|turn| {
        if turn.after.is_none() || !legal(&turn.after).contains(Move::Merge) {
            return Ok(());
        }
        let rules = Rules::default();
        let alone = turn.after.clone().map(|ticket| Ticket { offers: Vec::new(), ..ticket });
        let mut state = turn.after.clone();
        for command in [sample::merge(sample::ticket_id(3)), sample::unmerge()] {
            let ask = histories::Ask { command, ..turn.ask.clone() };
            let ask = histories::Ask { occurred_at: ask.now, ..ask };
            let facts = decide(&state, &ask.command, &ask.cx(&rules)).unwrap();
            let merged = facts.iter().fold(state, |state, fact| evolve(state, fact, ask.now));
            let apart = merged.clone().map(|ticket| Ticket { master: None, ..ticket });
            prop_assert_eq!(&apart, &alone, "a merge changes who the master is and ends offers, nothing else");
            state = merged;
        }
        prop_assert_eq!(&state, &alone);
        Ok(())
    });
}

#[test]
fn a_child_waits_until_it_follows_or_stands_alone_again() {
    of_every_ticket(|turn, before, after| {
        if before.is_child() {
            let freed = matches!(turn.facts(), [Event::Unmerged(_) | Event::MasterFollowed(_)]);
            prop_assert_eq!(freed, !after.is_child());
            // The first step of the crew accepts the ticket, even while it is suspended.
            let taken = matches!(turn.ask.command, Command::ReportProgress(_)) && after.stage == Stage::Accepted;
            prop_assert!(freed || taken || before.stage == after.stage);
        }
        prop_assert!(after.children.is_empty() || !after.is_child());
        Ok(())
    });
}

#[test]
fn nothing_moves_while_the_work_is_suspended() {
    of_every_ticket(|turn, before, after| {
        if before.suspended.is_some() && after.suspended.is_some() && after.stage != Stage::Withdrawn {
            prop_assert_eq!(before.stage, after.stage);
            prop_assert_eq!(&before.holders, &after.holders);
            // Late reports of a crew are recorded in any stage.
            let reported = matches!(turn.ask.command, Command::ReportProgress(_));
            prop_assert!(reported || before.crew == after.crew);
            prop_assert!(after.offers.is_empty());
        }
        prop_assert!(after.suspended.is_none() || matches!(after.stage, Stage::Accepted | Stage::Withdrawn));
        Ok(())
    });
}

#[test]
fn a_cycle_only_grows_and_only_by_taking_the_work_up_again() {
    of_every_ticket(|turn, before, after| {
        let again = matches!(turn.facts(), [Event::Reopened(_)]);
        prop_assert_eq!(after.cycle, before.cycle + u16::from(again));
        Ok(())
    });
}

#[test]
fn a_crew_resolves_nothing_before_power_is_back_and_no_contradiction_passes() {
    of_every_ticket(|turn, before, _| {
        for fact in turn.facts() {
            let crew = &before.crew;
            match fact {
                Event::Replied(e) if e.outcome == ReplyOutcome::Resolved && crew.assigned.is_some() => {
                    prop_assert!(crew.restored.is_some());
                }
                Event::ReplyPassed(_) => {
                    let times: Vec<_> =
                        [Some(before.received), crew.arrived, crew.restored].into_iter().flatten().collect();
                    prop_assert!(times.is_sorted());
                }
                _ => {}
            }
        }
        Ok(())
    });
}

#[test]
fn the_histories_reach_every_stage_and_make_every_move() {
    let rules = Rules::default();
    let mut stages: BTreeSet<Stage> = BTreeSet::new();
    let mut moves: BTreeMap<Move, usize> = BTreeMap::new();
    let mut refusals: BTreeSet<String> = BTreeSet::new();
    // Always the same lives, so that the result depends on the generator and not on chance.
    let mut dice = chance::Dice::of(95598);
    for _ in 0..2_000 {
        let rolls: Vec<u64> = (0..TURNS_MAX).map(|_| dice.bits()).collect();
        for turn in live(&rolls, &rules) {
            stages.extend(turn.after.iter().map(|ticket| ticket.stage));
            match &turn.decision {
                Ok(_) => *moves.entry(turn.ask.command.as_move()).or_default() += 1,
                Err(why) => {
                    let name = format!("{why:?}");
                    refusals.extend(name.split([' ', '(']).next().map(str::to_owned));
                }
            }
        }
    }
    assert_eq!(stages.into_iter().collect::<Vec<_>>(), Stage::ALL);
    for &m in Move::ALL {
        assert!(moves.get(&m).is_some_and(|&times| times >= 30), "{m:?} is hardly ever made: {moves:?}");
    }
    for why in [
        "Invalid",
        "NotFound",
        "IllegalMove",
        "OutsideHolder",
        "WrongLevel",
        "AlreadyHeld",
        "NotTheHolder",
        "NotCommonParent",
        "NotAbove",
        "AlreadyReported",
        "NotRestored",
        "TimesContradict",
        "NotAnAuditor",
        "QuietHours",
        "TooSoon",
        "Exhausted",
        "NotHigher",
        "AlreadyUrgent",
        "NotEscalable",
        "NotLater",
        "ChildUnchanged",
        "AnotherMaster",
        "ExplanationNeeded",
        "Confidential",
        "OfferNotLive",
        "OfferTaken",
        "NotYourOffer",
        "StaleFence",
        "StaleAttempt",
        "OffersLive",
        "EngineOnly",
    ] {
        assert!(refusals.contains(why), "{why} was never said");
    }
}
