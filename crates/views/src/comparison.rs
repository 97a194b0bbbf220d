//! Comparison of two policies: the differences between two judgements of one clock history, and their counts.
//! Back-tests and shadow policies use it. The judgements come from the judge.

use std::{cmp::Ordering, collections::BTreeMap};

use switchboard_domain::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::{
        clock_history::ClockHistory,
        judge::{Clock, Verdict},
        policy::Policy,
        promise::ClockKey,
        registry::{Edition, PolicyRegistry},
    },
    ticket::{BusinessType, TicketId},
};

use crate::promises;

/// The word for a clock that one of the judgements does not have.
pub const NO_CLOCK: &str = "none";

/// A clock with different verdicts under two policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// The ticket.
    pub ticket: TicketId,
    /// The clock. Two clocks are the same if name, cycle and run are equal.
    pub key: ClockKey,
    /// The responsible unit under the policy in force; if only the other policy gives a verdict, under that one.
    pub org: OrgPath,
    /// The business type after the last fact.
    pub business: BusinessType,
    /// The verdict in force; `None` without such a clock.
    pub was: Option<Verdict>,
    /// The rule in force; empty without such a clock.
    pub was_rule: String,
    /// The verdict under the other policy; `None` without such a clock.
    pub would_be: Option<Verdict>,
    /// The other policy's rule; empty without such a clock.
    pub would_be_rule: String,
}

/// The word for a verdict, or for no clock.
#[must_use]
pub fn word(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or(NO_CLOCK, Verdict::as_str)
}

/// A registry in which `policy` is the only version of its operator and applies to all of history, with the calendars
/// of `edition`. The policy's own `effective_from` is ignored.
#[must_use]
pub fn under(edition: &Edition, policy: Policy) -> PolicyRegistry {
    let mut tried = edition.under(Policy { effective_from: Timestamp::MIN_UTC, ..policy });
    // This edition is valid from the beginning, so the judge need not consider later publications.
    (tried.position, tried.recorded) = (0, Timestamp::MIN_UTC);
    PolicyRegistry::of(tried)
}

/// The clocks that two judgements at the same instant see differently. Both lists, and the result, are in the order of
/// [`judge`](switchboard_domain::sla::judge::judge): cycle, clock and run.
///
/// A difference counts once one side has a verdict: kept, cancelled or breached (also when due has passed without an
/// end). While a clock runs, waits or is absent on both sides, there is no difference.
#[must_use]
pub fn flips(clock_history: &ClockHistory, in_force: &[Clock], other: &[Clock]) -> Vec<Flip> {
    let mut found = Vec::new();
    let (mut was, mut would_be) = (in_force, other);
    loop {
        let order = match (was.first(), would_be.first()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => place(a).cmp(&place(b)),
        };
        let one = if order == Ordering::Greater { None } else { was.split_off_first() };
        let another = if order == Ordering::Less { None } else { would_be.split_off_first() };
        if differ(one, another) {
            found.extend(flip(clock_history, one, another));
        }
    }
}

/// The sort key of a ticket's clocks.
fn place(clock: &Clock) -> (u16, &str, u16) {
    (clock.cycle, &clock.rule().clock, clock.run_number)
}

fn differ(was: Option<&Clock>, would_be: Option<&Clock>) -> bool {
    let [was, would_be] = [was, would_be].map(|clock| clock.map(|clock| clock.verdict));
    was != would_be && [was, would_be].into_iter().flatten().any(Verdict::is_given)
}

fn flip(clock_history: &ClockHistory, was: Option<&Clock>, would_be: Option<&Clock>) -> Option<Flip> {
    let timeline = clock_history.timeline();
    let (last, ticket) = timeline.last()?;
    let judged = [was, would_be].into_iter().flatten().find(|clock| clock.verdict.is_given())?;
    let rule = |clock: Option<&Clock>| clock.map_or_else(String::new, |clock| clock.rule().id.clone());
    Some(Flip {
        ticket: clock_history.id,
        key: judged.key(),
        org: promises::holder(judged, &timeline, last.at).unwrap_or(ticket.holder).clone(),
        business: ticket.business,
        was: was.map(|clock| clock.verdict),
        was_rule: rule(was),
        would_be: would_be.map(|clock| clock.verdict),
        would_be_rule: rule(would_be),
    })
}

/// The group in which a flip is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The unit at city level, or above it if the ticket was held above.
    pub org: OrgPath,
    /// Business type.
    pub business: BusinessType,
    /// The clock.
    pub clock: String,
    /// The word for the verdict in force.
    pub was: &'static str,
    /// The word for the verdict under the other policy.
    pub would_be: &'static str,
}

/// The comparison over many tickets. The result does not depend on the order of the tickets, nor on counting parts and
/// merging them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    tickets: u64,
    clocks: u64,
    flips: u64,
    counts: BTreeMap<Kind, u64>,
}

impl Comparison {
    /// Adds a ticket: its clocks under the policy in force, and its [`flips`].
    pub fn add(&mut self, in_force: &[Clock], flips: &[Flip]) {
        self.tickets += 1;
        self.clocks += in_force.len() as u64;
        self.flips += flips.len() as u64;
        for flip in flips {
            let org = flip.org.at_level(Level::City).unwrap_or_else(|| flip.org.clone());
            let (business, clock) = (flip.business, flip.key.clock.clone());
            let kind = Kind { org, business, clock, was: word(flip.was), would_be: word(flip.would_be) };
            *self.counts.entry(kind).or_default() += 1;
        }
    }

    /// Adds the counts of other tickets.
    pub fn merge(&mut self, other: Self) {
        self.tickets += other.tickets;
        self.clocks += other.clocks;
        self.flips += other.flips;
        for (kind, count) in other.counts {
            *self.counts.entry(kind).or_default() += count;
        }
    }

    /// The number of tickets.
    #[must_use]
    pub fn tickets(&self) -> u64 {
        self.tickets
    }

    /// The number of clocks under the policy in force.
    #[must_use]
    pub fn clocks(&self) -> u64 {
        self.clocks
    }

    /// The number of clocks with different verdicts.
    #[must_use]
    pub fn flips(&self) -> u64 {
        self.flips
    }

    /// The flips by organisation, business type, clock and direction, in that order.
    pub fn counts(&self) -> impl Iterator<Item = (&Kind, u64)> {
        self.counts.iter().map(|(kind, count)| (kind, *count))
    }
}

#[cfg(test)]
mod tests;
