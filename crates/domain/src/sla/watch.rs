//! The watch: the process that records, once each, what the judge finds: a warning step, a breach, or a breach that a
//! late fact overturned. It wakes only when something is due.
//!
//! A ticket in flight has one timer, set to the next instant at which there may be something to record. An ended ticket
//! with nothing left to record is dropped; a later fact loads it again with its history ([`Process::forgotten`]). Time
//! alone never overturns a breach; only facts do.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::{
    Timestamp,
    decider::{Action, Process, Projection},
    fact::{Fact, PromiseFact, TicketFact},
    organisation::{Level, OrgPath},
    sla::{
        clock::Entry,
        clock_history::{ClockEvent, ClockHistory},
        judge::{self, Clock, Verdict, judge},
        promise::{Announce, Breached, Event, Judged, LogEntry, Overturned, Warned},
        registry::PolicyRegistry,
    },
    ticket::TicketId,
};

/// The most clock histories that are judged again between two reads of the log, after a publication.
pub const REVIEW_HISTORIES_MAX: usize = 2_000;
/// The resolution of the engine's time. A promise met at its due instant is met in time.
const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Record these promise events of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The ticket.
    pub ticket: TicketId,
    /// The command for the ticket's promise stream.
    pub publish: Announce,
}

/// The state of the process: the registry, the tickets in flight, and their timers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    registry: PolicyRegistry,
    clock_histories: BTreeMap<TicketId, Tracked>,
    /// The next instant at which there may be something to record, for each ticket.
    timers: BTreeSet<(Timestamp, TicketId)>,
    /// After a publication: the next ticket to judge again.
    review: Option<TicketId>,
    /// The ticket to drop next. It stays until another one leaves, because its history may still be loading.
    leaving: Option<TicketId>,
    /// The latest recorded instant in the log: the process never takes an earlier time as now.
    latest: Timestamp,
    parked: BTreeMap<TicketId, String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Tracked {
    clock_history: ClockHistory,
    timer: Option<Timestamp>,
}

impl Watch {
    /// A watch with this registry and the clock histories of the tickets in flight.
    #[must_use]
    pub fn resume(registry: PolicyRegistry, clock_histories: impl IntoIterator<Item = ClockHistory>) -> Self {
        let latest = registry.newest().map_or(Timestamp::default(), |newest| newest.recorded);
        let mut watch = Self { registry, latest, ..Self::default() };
        for clock_history in clock_histories {
            let id = clock_history.id;
            watch.latest = clock_history.events.last().map_or(watch.latest, |last| watch.latest.max(last.recorded));
            watch.clock_histories.insert(id, Tracked { clock_history, timer: None });
            watch.look(id);
        }
        watch.drop_leaving();
        watch
    }

    /// The number of tickets held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clock_histories.len()
    }

    /// True when no ticket is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clock_histories.is_empty()
    }

    /// The registry, as of the last fact applied.
    #[must_use]
    pub fn registry(&self) -> &PolicyRegistry {
        &self.registry
    }

    /// The clock history of a ticket that is held.
    #[must_use]
    pub fn clock_history(&self, id: TicketId) -> Option<&ClockHistory> {
        self.clock_histories.get(&id).map(|tracked| &tracked.clock_history)
    }

    /// The tickets whose promise events were rejected, with the reason. An operator must look at them.
    pub fn parked(&self) -> impl Iterator<Item = (TicketId, &str)> {
        self.parked.iter().map(|(id, reason)| (*id, reason.as_str()))
    }

    /// Recomputes the timer of a ticket. An ended ticket with nothing left to record is marked to be dropped.
    fn look(&mut self, id: TicketId) {
        let Some(tracked) = self.clock_histories.get_mut(&id) else { return };
        if let Some(before) = tracked.timer.take() {
            self.timers.remove(&(before, id));
        }
        let clocks = judged(&tracked.clock_history, &self.registry, self.latest);
        let next = Agenda::of(&tracked.clock_history, &clocks).next().filter(|_| !self.parked.contains_key(&id));
        if let Some(at) = next {
            tracked.timer = Some(at);
            self.timers.insert((at, id));
        }
        if next.is_none() && tracked.clock_history.is_over() {
            if self.leaving != Some(id) {
                self.drop_leaving();
            }
            self.leaving = Some(id);
        } else if self.leaving == Some(id) {
            self.leaving = None;
        }
    }

    /// Drops the ticket that is marked.
    fn drop_leaving(&mut self) {
        if let Some(id) = self.leaving.take() {
            self.clock_histories.remove(&id);
        }
    }

    fn take_ticket(&mut self, fact: &TicketFact) {
        // A ticket whose receipt was not seen cannot be judged.
        if fact.revision > 0 && !self.clock_histories.contains_key(&fact.id) {
            return;
        }
        let new = || Tracked { clock_history: ClockHistory::new(fact.id), timer: None };
        if self.clock_histories.entry(fact.id).or_insert_with(new).clock_history.take(fact) {
            self.parked.remove(&fact.id);
            self.look(fact.id);
        }
    }

    fn take_promise(&mut self, fact: &PromiseFact) {
        if let Some(tracked) = self.clock_histories.get_mut(&fact.id) {
            tracked.clock_history.announced.take(&fact.event);
            // Another engine may have recorded what this engine's command was rejected for.
            self.parked.remove(&fact.id);
            self.look(fact.id);
        }
    }

    fn publish(&mut self, take: impl FnOnce(&mut PolicyRegistry)) {
        let before = self.registry.editions().len();
        take(&mut self.registry);
        if self.registry.editions().len() > before {
            self.review = self.clock_histories.keys().next().copied();
        }
    }

    /// Judges the next batch of clock histories after a publication.
    fn continue_review(&mut self) {
        let Some(from) = self.review else { return };
        let ids: Vec<TicketId> =
            self.clock_histories.range(from..).take(REVIEW_HISTORIES_MAX + 1).map(|(id, _)| *id).collect();
        for &id in ids.iter().take(REVIEW_HISTORIES_MAX) {
            self.look(id);
        }
        self.review = ids.get(REVIEW_HISTORIES_MAX).copied();
    }
}

impl Projection for Watch {
    type Event = Fact;

    fn apply(&mut self, fact: &Fact) {
        self.latest = self.latest.max(fact.recorded_at());
        match fact {
            Fact::Ticket(fact) => self.take_ticket(fact),
            Fact::Promise(fact) => self.take_promise(fact),
            Fact::Policy(fact) => self.publish(|registry| registry.take_policy(fact)),
            Fact::Year(fact) => self.publish(|registry| registry.take_year(fact)),
            Fact::Crew(_) => {}
        }
    }
}

impl Process for Watch {
    type Intent = Intent;

    fn name(&self) -> &'static str {
        "watch"
    }

    fn pending(&mut self, now: Timestamp, limit: usize) -> Vec<Action<Intent>> {
        self.continue_review();
        let now = now.max(self.latest);
        let mut actions = Vec::new();
        let due: Vec<TicketId> =
            self.timers.range(..=(now, TicketId(uuid::Uuid::max()))).take(limit).map(|(_, id)| *id).collect();
        for id in due {
            let Some(tracked) = self.clock_histories.get(&id) else { continue };
            let clocks = judged(&tracked.clock_history, &self.registry, now);
            let events = Agenda::of(&tracked.clock_history, &clocks).events(now);
            if events.is_empty() {
                // The timer was set with less knowledge; recompute it.
                self.look(id);
                continue;
            }
            let because = tracked.clock_history.events.last().map_or(0, |last| last.position);
            actions.push(Action {
                because,
                name: "publish",
                intent: Intent { ticket: id, publish: Announce { events } },
            });
        }
        self.drop_leaving();
        actions
    }

    fn wake(&self) -> Option<Timestamp> {
        if self.review.is_some() {
            return Some(self.latest);
        }
        self.timers.first().map(|(at, _)| self.latest.max(*at))
    }

    fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        match fact {
            Fact::Ticket(fact) if self.clock_histories.contains_key(&fact.id) => None,
            Fact::Ticket(fact) => (fact.revision > 0 && ClockEvent::of(fact).is_some()).then_some(fact.id),
            // The breach must be overturned if it does not hold, whichever engine recorded it.
            Fact::Promise(fact) => (!self.clock_histories.contains_key(&fact.id)).then_some(fact.id),
            Fact::Policy(_) | Fact::Year(_) | Fact::Crew(_) => None,
        }
    }

    fn refused(&mut self, action: &Action<Intent>, reason: &str) {
        let id = action.intent.ticket;
        self.parked.insert(id, reason.to_owned());
        self.look(id);
    }
}

/// The clocks to consider. An ended ticket is judged by the editions known at its last fact, so that the result does
/// not depend on whether the ticket is still held when something is published.
fn judged(clock_history: &ClockHistory, registry: &PolicyRegistry, now: Timestamp) -> Vec<Clock> {
    match clock_history.events.last() {
        Some(last) if clock_history.is_over() => judge(clock_history, &registry.as_of(last.position), now),
        _ => judge(clock_history, registry, now),
    }
}

/// The promise events of one ticket that are due now or later.
struct Agenda<'a> {
    clock_history: &'a ClockHistory,
    clocks: &'a [Clock],
    items: Vec<(Timestamp, Item<'a>)>,
}

/// One event to record. Events at the same instant are recorded in this order.
#[derive(Clone, Copy)]
enum Item<'a> {
    Overturn { breach: &'a Judged, now: &'static str, due: Option<Timestamp> },
    Warn { clock: usize, level: u8, at: Timestamp, due: Timestamp },
    Breach { clock: usize, due: Timestamp },
}

impl<'a> Agenda<'a> {
    fn of(clock_history: &'a ClockHistory, clocks: &'a [Clock]) -> Self {
        let mut agenda = Self { clock_history, clocks, items: Vec::new() };
        for breach in clock_history.announced.each().filter_map(|said| said.breach.as_deref()) {
            if !clocks.iter().any(|clock| clock.is(&breach.key)) {
                agenda.overturn(breach, "gone", None);
            }
        }
        let imported_at =
            clock_history.opening().filter(|o| o.imported).and_then(|_| Some(clock_history.events.first()?.recorded));
        for (index, clock) in clocks.iter().enumerate() {
            let said = clock_history.announced.of(&clock.rule().clock, clock.cycle, clock.run_number);
            if let Some(breach) = said.and_then(|said| said.breach.as_deref()) {
                let Some(now) = instead(clock, breach) else { continue };
                agenda.overturn(breach, now, clock.due);
            }
            // Whatever was due before an imported ticket was recorded is not reported.
            if let Some(due) = clock.due.filter(|due| imported_at.is_none_or(|imported_at| *due > imported_at)) {
                agenda.consider(index, clock, due, said);
            }
        }
        // The sort is stable: events at one instant keep their order.
        agenda.items.sort_by_key(|(at, _)| *at);
        agenda
    }

    fn overturn(&mut self, breach: &'a Judged, now: &'static str, due: Option<Timestamp>) {
        self.items.push((Timestamp::MIN_UTC, Item::Overturn { breach, now, due }));
    }

    fn consider(&mut self, index: usize, clock: &Clock, due: Timestamp, said: Option<&LogEntry>) {
        let end = clock.run.end;
        if end.is_some_and(|end| end.at <= due) {
            return;
        }
        if end.is_none() {
            for (level, at) in clock.warnings() {
                if !said.is_some_and(|said| said.was_warned(clock.run.named(), clock.run.start, level)) {
                    self.items.push((at, Item::Warn { clock: index, level, at, due }));
                }
            }
        }
        // A due instant at the end of time can never be exceeded.
        if let Some(late) = due.checked_add_signed(TICK) {
            self.items.push((late, Item::Breach { clock: index, due }));
        }
    }

    fn next(&self) -> Option<Timestamp> {
        self.items.first().map(|(at, _)| *at)
    }

    /// The events to record at `now`. For a clock that is past due, only the breach is recorded, not its warnings.
    fn events(&self, now: Timestamp) -> Vec<Event> {
        let timeline = self.clock_history.timeline();
        let late = |clock: usize| {
            let breached = |(at, item): &(Timestamp, Item<'_>)| {
                *at <= now && matches!(item, Item::Breach { clock: other, .. } if *other == clock)
            };
            self.items.iter().any(breached)
        };
        let due_now = self.items.iter().take_while(|(at, _)| *at <= now);
        let recorded = due_now.filter(|(_, item)| !matches!(item, Item::Warn { clock, .. } if late(*clock)));
        recorded.filter_map(|(_, item)| self.event(*item, &timeline)).collect()
    }

    fn event(&self, item: Item<'_>, timeline: &[Entry<'_>]) -> Option<Event> {
        Some(match item {
            Item::Overturn { breach, now, due } => {
                Event::Overturned(Overturned { judged: breach.clone(), now: now.to_owned(), due_now: due })
            }
            Item::Warn { clock, level, at, due } => {
                let owner = judge::holder(timeline, at)?.clone();
                let clock = &self.clocks[clock];
                let tell = clock.rule().warnings.get(usize::from(level) - 1).and_then(|warning| warning.tell);
                let tell = unit_to_notify(&owner, tell);
                Event::Warned(Warned { judged: clock.judged(due, owner), level, at, tell })
            }
            Item::Breach { clock, due } => {
                let owner = judge::holder(timeline, due)?.clone();
                Event::Breached(Breached { judged: self.clocks[clock].judged(due, owner) })
            }
        })
    }
}

/// The state that replaces a recorded breach; `None` while the breach holds. It changes with facts, never with time.
fn instead(clock: &Clock, said: &Judged) -> Option<&'static str> {
    match (clock.run.end, clock.due) {
        (Some(_), _) => matches!(clock.verdict, Verdict::Kept | Verdict::Cancelled).then(|| clock.verdict.as_str()),
        (None, None) => Some(Verdict::Paused.as_str()),
        (None, Some(due)) => (due > said.due).then(|| Verdict::Running.as_str()),
    }
}

/// The unit of `level` on the holder's path; the holder itself when it is above that level.
fn unit_to_notify(holder: &OrgPath, level: Option<Level>) -> OrgPath {
    level.and_then(|level| holder.at_level(level)).unwrap_or_else(|| holder.clone())
}
