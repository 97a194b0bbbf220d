//! The watch: the process that says aloud, once each, what the judge finds: a warning step reached, a promise breached, a breach
//! that a late fact took back. It wakes for what is due and for nothing else.
//!
//! A ticket in flight has one timer, set to the next instant at which there may be something to say of it. Tickets that have ended
//! and of which nothing is left to say are let go; a fact that comes later brings them back with their history
//! ([`Process::forgotten`]). Time never un-breaches: only facts do.

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

/// After a publication the clock histories in flight are judged anew, so many between two looks at the log.
pub const REVIEW_DOCKETS_MAX: usize = 2_000;
/// The finest step of the engine's time: due itself is still in time.
const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Say these things of this ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The ticket.
    pub ticket: TicketId,
    /// What.
    pub publish: Announce,
}

/// The fold: what is published, the tickets in flight, and when to look at which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    registry: PolicyRegistry,
    clock_histories: BTreeMap<TicketId, Tracked>,
    /// When there may be something to say, and of which ticket.
    timers: BTreeSet<(Timestamp, TicketId)>,
    /// Tickets to be judged anew after a publication, from this one on.
    review: Option<TicketId>,
    /// The ticket that is let go next. It stays for a while: what is told now may be its history, with more of it to come.
    leaving: Option<TicketId>,
    /// The latest instant that the log has seen: what was true then is not undone by a clock that goes back.
    latest: Timestamp,
    parked: BTreeMap<TicketId, String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Tracked {
    clock_history: ClockHistory,
    timer: Option<Timestamp>,
}

impl Watch {
    /// A watch that knows what is published, and the clock histories that were in flight then.
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
        watch.let_go();
        watch
    }

    /// The tickets that it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clock_histories.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clock_histories.is_empty()
    }

    /// What is published, as far as it knows.
    #[must_use]
    pub fn registry(&self) -> &PolicyRegistry {
        &self.registry
    }

    /// One ticket's clock history, while it is in flight.
    #[must_use]
    pub fn clock_history(&self, id: TicketId) -> Option<&ClockHistory> {
        self.clock_histories.get(&id).map(|tracked| &tracked.clock_history)
    }

    /// What could not be said, with the reason: for a person to look at.
    pub fn parked(&self) -> impl Iterator<Item = (TicketId, &str)> {
        self.parked.iter().map(|(id, reason)| (*id, reason.as_str()))
    }

    /// Sets a ticket's timer anew. One that has ended, and of which nothing is left to say, leaves.
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
                self.let_go();
            }
            self.leaving = Some(id);
        } else if self.leaving == Some(id) {
            self.leaving = None;
        }
    }

    /// Lets the ticket go that is to leave.
    fn let_go(&mut self) {
        if let Some(id) = self.leaving.take() {
            self.clock_histories.remove(&id);
        }
    }

    fn take_ticket(&mut self, fact: &TicketFact) {
        // Without its receipt nothing of a ticket can be judged.
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
            tracked.clock_history.said.take(&fact.event);
            // Another engine may have said what this one was refused to say.
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

    /// Judges the next clock histories anew after a publication.
    fn go_on_reviewing(&mut self) {
        let Some(from) = self.review else { return };
        let ids: Vec<TicketId> =
            self.clock_histories.range(from..).take(REVIEW_DOCKETS_MAX + 1).map(|(id, _)| *id).collect();
        for &id in ids.iter().take(REVIEW_DOCKETS_MAX) {
            self.look(id);
        }
        self.review = ids.get(REVIEW_DOCKETS_MAX).copied();
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
        self.go_on_reviewing();
        let now = now.max(self.latest);
        let mut wants = Vec::new();
        let due: Vec<TicketId> =
            self.timers.range(..=(now, TicketId(uuid::Uuid::max()))).take(limit).map(|(_, id)| *id).collect();
        for id in due {
            let Some(tracked) = self.clock_histories.get(&id) else { continue };
            let clocks = judged(&tracked.clock_history, &self.registry, now);
            let events = Agenda::of(&tracked.clock_history, &clocks).events(now);
            if events.is_empty() {
                // It was looked at when less was known; the timer is set to what is true now.
                self.look(id);
                continue;
            }
            let because = tracked.clock_history.events.last().map_or(0, |last| last.position);
            wants.push(Action {
                because,
                name: "publish",
                intent: Intent { ticket: id, publish: Announce { events } },
            });
        }
        self.let_go();
        wants
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
            // What was said is to be taken back if it does not stand, whoever said it.
            Fact::Promise(fact) => (!self.clock_histories.contains_key(&fact.id)).then_some(fact.id),
            Fact::Policy(_) | Fact::Year(_) | Fact::Crew(_) => None,
        }
    }

    fn refused(&mut self, want: &Action<Intent>, reason: &str) {
        let id = want.intent.ticket;
        self.parked.insert(id, reason.to_owned());
        self.look(id);
    }
}

/// The clocks that are spoken of. A ticket that has ended is not looked at again for the sake of what is published later: what is said
/// must not depend on whether it is still remembered.
fn judged(clock_history: &ClockHistory, registry: &PolicyRegistry, now: Timestamp) -> Vec<Clock> {
    match clock_history.events.last() {
        Some(last) if clock_history.is_over() => judge(clock_history, &registry.as_of(last.position), now),
        _ => judge(clock_history, registry, now),
    }
}

/// What there is to say of one ticket, and from when on.
struct Agenda<'a> {
    clock_history: &'a ClockHistory,
    clocks: &'a [Clock],
    items: Vec<(Timestamp, Item<'a>)>,
}

/// One thing to say; what is said at one instant is said in this order.
#[derive(Clone, Copy)]
enum Item<'a> {
    Overturn { breach: &'a Judged, now: &'static str, due: Option<Timestamp> },
    Warn { clock: usize, level: u8, at: Timestamp, due: Timestamp },
    Breach { clock: usize, due: Timestamp },
}

impl<'a> Agenda<'a> {
    fn of(clock_history: &'a ClockHistory, clocks: &'a [Clock]) -> Self {
        let mut agenda = Self { clock_history, clocks, items: Vec::new() };
        for breach in clock_history.said.each().filter_map(|said| said.breach.as_deref()) {
            if !clocks.iter().any(|clock| clock.is(&breach.key)) {
                agenda.overturn(breach, "gone", None);
            }
        }
        let learnt =
            clock_history.opening().filter(|o| o.imported).and_then(|_| Some(clock_history.events.first()?.recorded));
        for (index, clock) in clocks.iter().enumerate() {
            let said = clock_history.said.of(&clock.rule().clock, clock.cycle, clock.run_number);
            if let Some(breach) = said.and_then(|said| said.breach.as_deref()) {
                let Some(now) = instead(clock, breach) else { continue };
                agenda.overturn(breach, now, clock.due);
            }
            // What was due before an imported ticket was learnt of is history.
            if let Some(due) = clock.due.filter(|due| learnt.is_none_or(|learnt| *due > learnt)) {
                agenda.consider(index, clock, due, said);
            }
        }
        // Stable: what was put in first is said first.
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
        // What is due at the end of time is never late.
        if let Some(late) = due.checked_add_signed(TICK) {
            self.items.push((late, Item::Breach { clock: index, due }));
        }
    }

    fn next(&self) -> Option<Timestamp> {
        self.items.first().map(|(at, _)| *at)
    }

    /// What is to be said at `now`. Of a clock that is past due only that it is: its warnings come too late.
    fn events(&self, now: Timestamp) -> Vec<Event> {
        let timeline = self.clock_history.timeline();
        let late = |clock: usize| {
            let breached = |(at, item): &(Timestamp, Item<'_>)| {
                *at <= now && matches!(item, Item::Breach { clock: other, .. } if *other == clock)
            };
            self.items.iter().any(breached)
        };
        let ripe = self.items.iter().take_while(|(at, _)| *at <= now);
        let spoken = ripe.filter(|(_, item)| !matches!(item, Item::Warn { clock, .. } if late(*clock)));
        spoken.filter_map(|(_, item)| self.event(*item, &timeline)).collect()
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
                let tell = unit_told(&owner, tell);
                Event::Warned(Warned { judged: clock.judged(due, owner), level, at, tell })
            }
            Item::Breach { clock, due } => {
                let owner = judge::holder(timeline, due)?.clone();
                Event::Breached(Breached { judged: self.clocks[clock].judged(due, owner) })
            }
        })
    }
}

/// What a clock is instead of breached as it was said, where that stands no longer: by facts, never by time.
fn instead(clock: &Clock, said: &Judged) -> Option<&'static str> {
    match (clock.run.end, clock.due) {
        (Some(_), _) => matches!(clock.verdict, Verdict::Kept | Verdict::Cancelled).then(|| clock.verdict.as_str()),
        (None, None) => Some(Verdict::Paused.as_str()),
        (None, Some(due)) => (due > said.due).then(|| Verdict::Running.as_str()),
    }
}

/// The unit of the level that is to be told; the holder itself where the ticket has not come down to that level.
fn unit_told(holder: &OrgPath, level: Option<Level>) -> OrgPath {
    level.and_then(|level| holder.at_level(level)).unwrap_or_else(|| holder.clone())
}
