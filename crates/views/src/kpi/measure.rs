//! The contribution of one ticket to each indicator. The definitions apply exclusions afterwards.

use switchboard_domain::{
    organisation::OrgPath,
    sla::{
        clock::Entry,
        clock_history::{Change, FactName, Word},
        judge::{Clock, Verdict},
    },
    ticket::{BusinessType, path},
};

use super::{
    Share,
    case::{Case, HandOver, is_revisit, is_settled},
};
use crate::promises;

/// The clocks that indicators use. A policy without these clocks has no value for the indicator.
pub(super) mod clocks {
    pub(in super::super) const DISPATCH: &[&str] = &["dispatch"];
    /// For a fault, the command centre accepts by passing it on or returning it; for other tickets, the province does.
    pub(in super::super) const ACCEPT: &[&str] = &["crew_assignment", "province_forward"];
    pub(in super::super) const CONTACT: &[&str] = &["contact"];
    pub(in super::super) const ARRIVAL: &[&str] = &["arrival"];
    pub(in super::super) const REPLY: &[&str] = &["reply"];
    /// The work itself, for a service application with a limit for it.
    pub(in super::super) const ACTION: &[&str] = &["action"];
    /// The clocks that make a ticket overdue. Earlier internal limits, and promises that repeat one of these with more
    /// time, are not included.
    pub(in super::super) const OVERDUE: [&[&str]; 6] = [DISPATCH, ACCEPT, CONTACT, ARRIVAL, ACTION, REPLY];
}

pub(super) fn dispatch_on_time<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    on_time(case, clocks::DISPATCH)
}

pub(super) fn accept_on_time<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    on_time(case, clocks::ACCEPT)
}

pub(super) fn contact_on_time<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    on_time(case, clocks::CONTACT)
}

pub(super) fn arrival_on_time<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    on_time(case, clocks::ARRIVAL)
}

pub(super) fn reply_on_time<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    on_time(case, clocks::REPLY)
}

/// The clocks with these names: kept ones in the numerator, kept and breached ones in the denominator.
fn on_time<'a>(case: &Case<'a>, names: &[&str]) -> Vec<Share<'a>> {
    let judged = case.clocks.iter().filter(|clock| is_one_of(clock, names));
    let share = |clock: &Clock| {
        let (at, numerator) = match clock.verdict {
            Verdict::Kept => (clock.run.end?.at, 1),
            Verdict::Breached => (clock.due?, 0),
            Verdict::Running | Verdict::Paused | Verdict::Cancelled => return None,
        };
        let unit = promises::holder(clock, &case.timeline, at)?;
        Some(Share { unit, at, cycle: clock.cycle, numerator, denominator: 1 })
    };
    judged.filter_map(share).collect()
}

fn is_one_of(clock: &Clock, names: &[&str]) -> bool {
    names.contains(&clock.rule().clock.as_str())
}

/// The contribution of one ticket to a rate.
fn rated<'a>(unit: &'a OrgPath, (entry, _): &Entry<'a>, cycle: u16, counted: bool) -> Share<'a> {
    Share { unit, at: entry.at, cycle, numerator: u64::from(counted), denominator: 1 }
}

pub(super) fn first_contact<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let (Some((first, _)), Some(unit)) = (case.ends(), case.receiver()) else { return Vec::new() };
    let solved = case.timeline.iter().any(|(clock_event, _)| clock_event.fact == FactName::ClosedAtFirstContact);
    vec![rated(unit, &first, 1, solved)]
}

pub(super) fn revisit<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let Some(unit) = case.receiver() else { return Vec::new() };
    let due = case.cycles().filter_map(|(cycle, entries)| {
        let settled = entries.iter().rev().find(|(clock_event, _)| is_settled(clock_event))?;
        Some(rated(unit, settled, cycle, entries.iter().any(|(clock_event, _)| is_revisit(clock_event))))
    });
    due.collect()
}

pub(super) fn revisit_success<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let Some(unit) = case.receiver() else { return Vec::new() };
    let reached = |word| !matches!(word, Word::NoAnswer | Word::Unreachable);
    revisits(case).map(|(cycle, entry, word)| rated(unit, entry, cycle, reached(word))).collect()
}

pub(super) fn satisfaction<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let shares = revisits(case).filter_map(|(cycle, entry, word)| {
        let satisfied = match word {
            Word::VerySatisfied | Word::Satisfied => true,
            Word::Neutral | Word::Dissatisfied => false,
            // The customer gave no evaluation.
            _ => return None,
        };
        Some(rated(entry.1.holder, entry, cycle, satisfied))
    });
    shares.collect()
}

pub(super) fn substantiated<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let shares = case.cycles().filter_map(|(cycle, entries)| {
        // If a reply was sent back and replaced, the last one counts.
        let finding = |entry: &&Entry<'a>| matches!(entry.0.change, Change::Found(_));
        let entry =
            entries.iter().rev().find(finding).filter(|(_, ticket)| ticket.business == BusinessType::Complaint)?;
        Some(rated(entry.1.holder, entry, cycle, entry.0.change == Change::Found(true)))
    });
    shares.collect()
}

/// The completed revisits, each with its result.
fn revisits<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = (u16, &'c Entry<'a>, Word)> {
    let entries = case.cycles().flat_map(|(cycle, entries)| entries.iter().map(move |entry| (cycle, entry)));
    entries.filter_map(|(cycle, entry)| {
        let word = entry.0.word.filter(|_| entry.0.fact == FactName::Revisited)?;
        Some((cycle, entry, word))
    })
}

pub(super) fn returned<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let share = |over: HandOver<'a>| {
        let numerator = u64::from(over.ended == Some(FactName::Returned));
        Share { unit: over.to, at: over.at, cycle: over.cycle, numerator, denominator: 1 }
    };
    case.hand_overs().map(share).collect()
}

pub(super) fn accepted_in_app<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    if !case.business().is_some_and(|business| path::of(business).field_work) {
        return Vec::new();
    }
    let share = |over: HandOver<'a>| {
        let accepted = over.during.iter().any(|clock_event| clock_event.fact == FactName::CrewAccepted);
        Share { unit: over.to, at: over.at, cycle: over.cycle, numerator: u64::from(accepted), denominator: 1 }
    };
    case.hand_overs().filter(HandOver::is_to_crew).map(share).collect()
}

pub(super) fn urged<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let first = case.timeline.iter().find(|(clock_event, _)| clock_event.fact == FactName::Urged);
    of_dispatched(case, first.map(|(_, ticket)| (ticket.holder, case.last_cycle())))
}

pub(super) fn overdue<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let breach = first_breach(case);
    of_dispatched(case, breach.map(|share| (share.unit, share.cycle)))
}

pub(super) fn overdue_tickets<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    first_breach(case).into_iter().collect()
}

/// The contribution of a dispatched ticket: for the unit in `counted`, otherwise for the last holder.
fn of_dispatched<'a>(case: &Case<'a>, counted: Option<(&'a OrgPath, u16)>) -> Vec<Share<'a>> {
    let (Some(first), Some((_, (_, last)))) = (case.hand_overs().next(), case.ends()) else { return Vec::new() };
    let (unit, cycle) = counted.unwrap_or((last.holder, case.last_cycle()));
    vec![Share { unit, at: first.at, cycle, numerator: u64::from(counted.is_some()), denominator: 1 }]
}

/// The first breach that makes the ticket overdue. A child's breaches belong to its master.
fn first_breach<'a>(case: &Case<'a>) -> Option<Share<'a>> {
    let counts =
        |clock: &Clock| clocks::OVERDUE.iter().any(|names| is_one_of(clock, names)) && !case.is_child(clock.cycle);
    let breached = case.clocks.iter().filter(|clock| clock.verdict == Verdict::Breached && counts(clock));
    let (at, clock) = breached.filter_map(|clock| Some((clock.due?, clock))).min_by_key(|(due, _)| *due)?;
    let unit = promises::holder(clock, &case.timeline, at)?;
    Some(Share { unit, at, cycle: clock.cycle, numerator: 1, denominator: 0 })
}

pub(super) fn merged<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let Some((first, (_, last))) = case.ends() else { return Vec::new() };
    let merge = (1..=case.last_cycle()).find_map(|cycle| case.merge(cycle));
    let at_work = merge.is_some() || case.hand_overs().next().is_some();
    if !at_work || !path::of(last.business).mergeable {
        return Vec::new();
    }
    let unit = merge.map_or(last.holder, |(_, ticket)| ticket.holder);
    vec![rated(unit, &first, 1, merge.is_some())]
}

pub(super) fn arrival_minutes<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let Some(((received, _), _)) = case.ends() else { return Vec::new() };
    // A reopened ticket has no new report: only the first cycle has one.
    let first = case.cycles().take(1);
    let share = first.filter_map(|(cycle, entries)| {
        let (arrived, ticket) = entries.iter().find(|(m, _)| m.fact == FactName::CrewArrived && m.at >= received.at)?;
        let seconds = (arrived.at - received.at).num_seconds();
        mean(entries, cycle, ticket.business, ticket.holder, seconds)
    });
    share.collect()
}

pub(super) fn restoration_minutes<'a>(case: &Case<'a>) -> Vec<Share<'a>> {
    let share = case.cycles().filter_map(|(cycle, entries)| {
        let (arrived, _) = entries.iter().find(|(clock_event, _)| clock_event.fact == FactName::CrewArrived)?;
        let restored = |(m, _): &&Entry<'a>| m.fact == FactName::CrewRestored && m.at >= arrived.at;
        let (restored, ticket) = entries.iter().rev().find(restored)?;
        let seconds = (restored.at - arrived.at).num_seconds();
        mean(entries, cycle, ticket.business, ticket.holder, seconds)
    });
    share.collect()
}

/// The contribution of one cycle to a mean over archived fault repairs.
fn mean<'a>(
    entries: &[Entry<'a>],
    cycle: u16,
    business: BusinessType,
    unit: &'a OrgPath,
    seconds: i64,
) -> Option<Share<'a>> {
    let (archived, _) = entries.iter().rev().find(|(clock_event, _)| clock_event.fact == FactName::Closed)?;
    let numerator = u64::try_from(seconds).ok().filter(|_| business == BusinessType::FaultRepair)?;
    Some(Share { unit, at: archived.at, cycle, numerator, denominator: 1 })
}
