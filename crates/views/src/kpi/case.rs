//! A ticket prepared for counting: its timeline by cycle, its hand-overs between units, and its judged clocks.

use std::ops::Range;

use switchboard_domain::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::{
        clock::Entry,
        clock_history::{Change, ClockEvent, ClockHistory, FactName, Word},
        judge::{self, Clock},
    },
    ticket::{BusinessType, Channel, path},
};

use super::Exclusion;

/// One ticket with its clocks.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    clock_history: &'a ClockHistory,
    pub(super) clocks: &'a [Clock],
    pub(super) timeline: Vec<Entry<'a>>,
    cycles: Vec<Range<usize>>,
    withdrawn: bool,
}

/// A hand-over of a ticket to a unit, and what happened until the next one.
pub(super) struct HandOver<'a> {
    /// The instant.
    pub(super) at: Timestamp,
    /// The unit that received it.
    pub(super) to: &'a OrgPath,
    /// The cycle.
    pub(super) cycle: u16,
    /// The events while that unit held it.
    pub(super) during: &'a [ClockEvent],
    /// The fact that took it from the unit; `None` while the unit holds it.
    pub(super) ended: Option<FactName>,
}

impl<'a> Case<'a> {
    /// Prepares a ticket. `clocks` is the judge's result for it.
    #[must_use]
    pub fn new(clock_history: &'a ClockHistory, clocks: &'a [Clock]) -> Self {
        let timeline = clock_history.timeline();
        let cycles = judge::cycles(&timeline).into_iter().map(|(range, _)| range).collect();
        let withdrawn = timeline.iter().any(|(clock_event, _)| clock_event.fact == FactName::Withdrawn);
        Self { clock_history, clocks, timeline, cycles, withdrawn }
    }

    /// The first and the last entry; `None` before the receipt.
    pub(super) fn ends(&self) -> Option<(Entry<'a>, Entry<'a>)> {
        Some((*self.timeline.first()?, *self.timeline.last()?))
    }

    /// The unit that received it.
    pub(super) fn receiver(&self) -> Option<&'a OrgPath> {
        self.clock_history.opening().map(|opening| &opening.received_by)
    }

    /// The business type after the last fact.
    pub(super) fn business(&self) -> Option<BusinessType> {
        self.timeline.last().map(|(_, ticket)| ticket.business)
    }

    /// The cycles, each with its number and its part of the timeline.
    pub(super) fn cycles(&self) -> impl Iterator<Item = (u16, &[Entry<'a>])> {
        (1_u16..).zip(self.cycles.iter().map(|range| &self.timeline[range.clone()]))
    }

    /// The number of the last cycle.
    pub(super) fn last_cycle(&self) -> u16 {
        u16::try_from(self.cycles.len()).unwrap_or(u16::MAX)
    }

    /// The hand-overs in the order of the log, which is the order of the decisions.
    pub(super) fn hand_overs(&self) -> impl Iterator<Item = HandOver<'a>> {
        let events: &'a [ClockEvent] = if self.timeline.is_empty() { &[] } else { &self.clock_history.events };
        let mut cycle = 1_u16;
        events.iter().enumerate().filter_map(move |(index, clock_event)| {
            if clock_event.fact == FactName::Reopened {
                cycle = cycle.saturating_add(1);
            }
            let Change::Holder(to) = &clock_event.change else { return None };
            if clock_event.fact == FactName::Returned {
                return None;
            }
            let rest = &events[index + 1..];
            let taken = |clock_event: &ClockEvent| {
                let from_unit = matches!(clock_event.change, Change::Holder(_));
                from_unit || clock_event.fact == FactName::Reopened
            };
            let end = rest.iter().position(taken);
            let during = &rest[..end.unwrap_or(rest.len())];
            let ended = end.map(|end| rest[end].fact);
            Some(HandOver { at: clock_event.at, to, cycle, during, ended })
        })
    }

    /// True when the ticket was a child at the end of the cycle.
    pub(super) fn is_child(&self, cycle: u16) -> bool {
        self.merge(cycle).is_some()
    }

    /// The merge that holds at the end of a cycle, if any.
    pub(super) fn merge(&self, cycle: u16) -> Option<Entry<'a>> {
        let range = self.cycles.get(usize::from(cycle).checked_sub(1)?)?;
        let links = |(clock_event, _): &&Entry<'a>| matches!(clock_event.fact, FactName::Merged | FactName::Unmerged);
        let last = self.timeline[range.clone()].iter().rev().find(links)?;
        (last.0.fact == FactName::Merged).then_some(*last)
    }

    /// True when the exclusion applies to this cycle.
    pub(super) fn is(&self, exclusion: Exclusion, cycle: u16) -> bool {
        match exclusion {
            Exclusion::Withdrawn => self.withdrawn,
            Exclusion::Child => self.is_child(cycle),
            Exclusion::UrgeOrder => self.business() == Some(BusinessType::Urge),
            Exclusion::Proactive => {
                self.clock_history.opening().is_some_and(|opening| opening.channel == Channel::Proactive)
            }
            Exclusion::NobodyToAsk => self.nobody_to_ask(cycle),
        }
    }

    fn nobody_to_ask(&self, cycle: u16) -> bool {
        let Some(range) = self.cycles.get(usize::from(cycle).saturating_sub(1)) else { return true };
        let entries = &self.timeline[range.clone()];
        let Some((_, ticket)) = entries.last() else { return true };
        let archived = entries.iter().any(|(clock_event, _)| clock_event.fact == FactName::Closed);
        let revisited = entries.iter().any(|(clock_event, _)| is_revisit(clock_event));
        !path::of(ticket.business).revisited || ticket.anonymous || ticket.confidential || archived && !revisited
    }
}

/// True for a revisit or a try.
pub(super) fn is_revisit(clock_event: &ClockEvent) -> bool {
    matches!(clock_event.fact, FactName::RevisitAttempted | FactName::Revisited)
}

/// True when the work passed its audit: only the revisit and archiving remain.
pub(super) fn is_settled(clock_event: &ClockEvent) -> bool {
    clock_event.fact == FactName::MasterFollowed
        || clock_event.fact == FactName::ReplyPassed && clock_event.word == Some(Word::Last)
}

impl HandOver<'_> {
    /// True when the receiver is a crew.
    pub(super) fn is_to_crew(&self) -> bool {
        self.to.level() == Level::Crew
    }
}
