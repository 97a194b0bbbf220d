//! A clock: one rule applied to one cycle of a ticket. It says when the clock ran, waited and ended, and when it is
//! due. It is computed from the facts, in the order in which they happened. Versions of policies, and what was recorded
//! about the clock, are not considered here.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    Timestamp,
    sla::{
        Basis,
        calendar::Calendar,
        clock_history::{Attributes, Change, ClockEvent, FactName},
        policy::{Rule, Threshold, Trigger},
        promise::StartedBy,
    },
};

/// The instant from which a clock runs, or waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The instant.
    pub at: Timestamp,
    /// True: the clock runs. False: it waits.
    pub runs: bool,
    /// The log position of the fact that caused it.
    pub because: u64,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The instant of the end.
    pub at: Timestamp,
    /// The log position of the fact that ended it.
    pub because: u64,
    /// True when the promise was met, in time or not; false when it was cancelled.
    pub met: bool,
}

/// One run of a clock from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The instant of the start.
    pub start: Timestamp,
    /// The log position of the fact that started it.
    pub because: u64,
    /// The revision of that fact in the ticket's stream.
    pub started_by: u64,
    /// All changes between running and waiting, from the start on.
    pub switches: Vec<Switch>,
    /// The end; `None` while the run is open.
    pub end: Option<End>,
    /// The earliest due instant that an extension granted; `None` without an extension.
    pub extended: Option<Timestamp>,
    /// The index in the timeline of the fact that ended the run. The choice of the rule looks no further; `None` while
    /// the run is open.
    pub seen: Option<usize>,
}

/// The effect of a fact on a clock. Effects of one fact at one instant apply in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Start,
    Reset,
    Revive,
    Resume(usize),
    Pause(usize),
    Extend(Timestamp),
    Stop,
    Cancel,
}

/// An effect with its time. Effects apply in the order of the instant that the rule reads, then in the order of the
/// log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TimedEffect {
    at: Timestamp,
    position: u64,
    effect: Effect,
    /// The instant at which the fact happened, whichever of its instants the rule reads.
    happened: Timestamp,
    fact: FactName,
    /// The index of the fact in the timeline.
    index: usize,
    /// Its place in the ticket's stream.
    revision: u64,
}

/// A clock event of the timeline, and the ticket's attributes after it.
pub type Entry<'a> = (&'a ClockEvent, Attributes<'a>);

/// The runs of `rule` in one cycle. `timeline` is the ticket's whole timeline; `cycle` is the range of the cycle in it;
/// `ended` is the fact that ended the cycle, if any. A run that is still open then is cancelled.
#[must_use]
pub fn runs(
    rule: &Rule,
    timeline: &[Entry<'_>],
    cycle: std::ops::Range<usize>,
    ended: Option<&ClockEvent>,
) -> Vec<Run> {
    let mut effects: Vec<TimedEffect> = Vec::new();
    for index in cycle {
        let (clock_event, attributes) = &timeline[index];
        let (position, happened, fact) = (clock_event.position, clock_event.at, clock_event.fact);
        let revision = clock_event.revision;
        collect(rule, clock_event, attributes, |at, effect| {
            effects.push(TimedEffect { at, position, effect, happened, fact, index, revision })
        });
    }
    effects.sort_unstable();
    take_back(&mut effects);
    let mut runs = Runs::default();
    for timed in effects {
        runs.take(timed);
    }
    if let (Some(run), Some(clock_event)) = (runs.runs.last_mut(), ended)
        && run.end.is_none()
    {
        run.end = Some(End { at: clock_event.at.max(run.start), because: clock_event.position, met: false });
    }
    runs.runs
}

fn collect(rule: &Rule, clock_event: &ClockEvent, ticket: &Attributes<'_>, mut each: impl FnMut(Timestamp, Effect)) {
    let mut any = |triggers: &[Trigger], effect: Effect| {
        // Most triggers name another fact, so check the fact before computing the level.
        let mut meant = triggers.iter().filter(|trigger| trigger.fact == clock_event.fact);
        if let Some(at) = meant.find_map(|trigger| trigger.triggered(clock_event, ticket.level())) {
            each(at, effect);
        }
    };
    any(&rule.start, Effect::Start);
    any(&rule.reset, Effect::Reset);
    any(&rule.revive, Effect::Revive);
    for (index, pause) in rule.pauses.iter().enumerate() {
        any(&pause.until, Effect::Resume(index));
        any(std::slice::from_ref(&pause.from), Effect::Pause(index));
    }
    if let Change::Until(until) = clock_event.change {
        any(&rule.extend, Effect::Extend(until));
    }
    any(&rule.stop, Effect::Stop);
    any(&rule.cancel, Effect::Cancel);
}

/// The facts that `fact` undoes: a clock that it revives continues as if they had not happened. A clock that another
/// fact ended stays ended.
fn takes_back(fact: FactName) -> &'static [FactName] {
    match fact {
        FactName::Unmerged => &[FactName::Merged],
        FactName::ReplySentBack => &[FactName::Replied, FactName::ReplyPassed],
        _ => &[],
    }
}

/// Removes the effects that were undone, and the effects that undid them.
fn take_back(effects: &mut Vec<TimedEffect>) {
    if !effects.iter().any(|timed| timed.effect == Effect::Revive && !takes_back(timed.fact).is_empty()) {
        return;
    }
    let mut taken_back: BTreeSet<FactName> = BTreeSet::new();
    effects.reverse();
    effects.retain(|timed| match timed.effect {
        Effect::Revive => {
            taken_back.extend(takes_back(timed.fact));
            takes_back(timed.fact).is_empty()
        }
        Effect::Stop | Effect::Cancel => !taken_back.contains(&timed.fact),
        _ => true,
    });
    effects.reverse();
}

/// The runs of a rule, as the effects are applied.
#[derive(Default)]
struct Runs {
    runs: Vec<Run>,
    /// The pauses that hold, one bit each.
    held: u64,
    /// The effects that arrived while no run was open.
    idle: Vec<TimedEffect>,
}

impl Runs {
    fn take(&mut self, timed: TimedEffect) {
        match timed.effect {
            Effect::Start => self.start(timed),
            Effect::Resume(pause) => self.hold(timed, self.held & !bit(pause)),
            Effect::Pause(pause) => self.hold(timed, self.held | bit(pause)),
            _ => match self.runs.last_mut() {
                Some(run) if run.end.is_none() || timed.effect == Effect::Revive => run.take(timed, self.held == 0),
                _ => self.idle.push(timed),
            },
        }
    }

    fn start(&mut self, start: TimedEffect) {
        if self.runs.last().is_some_and(|run| run.end.is_none()) {
            return;
        }
        let (at, because, runs) = (start.at, start.position, self.held == 0);
        let switches = vec![Switch { at, runs, because }];
        let started_by = start.revision;
        let mut run = Run { start: at, because, started_by, switches, end: None, extended: None, seen: None };
        // A rule may read an instant later than the fact (an appointment). Effects between the fact and that instant
        // belong to this run and count as in time.
        for timed in
            self.idle.drain(..).filter(|timed| (timed.happened, timed.position) >= (start.happened, start.position))
        {
            run.take(TimedEffect { at, ..timed }, runs);
        }
        self.runs.push(run);
    }

    fn hold(&mut self, timed: TimedEffect, held: u64) {
        let turned = (self.held == 0) != (held == 0);
        self.held = held;
        // An ended run also records the switch, because it may be revived.
        if let Some(run) = self.runs.last_mut().filter(|_| turned) {
            run.switches.push(Switch { at: timed.at, runs: held == 0, because: timed.position });
        }
    }
}

/// The bit of a pause. Validation permits fewer pauses than bits; any beyond share the last bit.
fn bit(pause: usize) -> u64 {
    1 << pause.min(63)
}

impl Run {
    /// The name of the fact that started the run, as a promise event stores it.
    #[must_use]
    pub fn named(&self) -> StartedBy {
        StartedBy::Revision { started_by: self.started_by }
    }

    fn take(&mut self, TimedEffect { at, position: because, effect, index, revision, .. }: TimedEffect, runs: bool) {
        match effect {
            Effect::Revive => (self.end, self.seen) = (None, None),
            _ if self.end.is_some() => {}
            Effect::Reset => {
                (self.start, self.because, self.started_by) = (at, because, revision);
                self.extended = None;
                self.switches = vec![Switch { at, runs, because }];
            }
            Effect::Extend(until) => self.extended = self.extended.max(Some(until)),
            Effect::Stop | Effect::Cancel => {
                self.end = Some(End { at, because, met: effect == Effect::Stop });
                self.seen = Some(index);
            }
            Effect::Start | Effect::Resume(_) | Effect::Pause(_) => {}
        }
    }

    /// The switches before the end of the run, each with the instant of the next one; `None` for the last.
    fn stretches(&self) -> impl Iterator<Item = (Switch, Option<Timestamp>)> {
        let end = self.end.map(|end| end.at);
        let within = move |switch: &&Switch| end.is_none_or(|end| switch.at < end || switch.at == self.start);
        let count = self.switches.iter().take_while(within).count();
        let switches = &self.switches[..count];
        switches.iter().enumerate().map(move |(index, switch)| (*switch, switches.get(index + 1).map(|next| next.at)))
    }

    /// The instant at which `amount` of the clock's time is used up; `None` while the clock waits and has not used it
    /// up. If a wait begins at that same instant, the wait applies first: the amount is not exceeded yet.
    #[must_use]
    pub fn reaches(&self, amount: TimeDelta, basis: Basis, calendar: &Calendar) -> Option<Timestamp> {
        let mut left = amount;
        for (switch, until) in self.stretches().filter(|(switch, _)| switch.runs) {
            let reached = used_up(switch.at, left, basis, calendar);
            match until {
                Some(until) if reached >= until => left -= calendar.measure(basis, switch.at, until),
                _ => return Some(reached),
            }
        }
        None
    }

    /// The due instant; `None` while the clock waits, unless it was due before the wait.
    #[must_use]
    pub fn due(&self, rule: &Rule, calendar: &Calendar) -> Option<Timestamp> {
        let due = self.reaches(rule.limit.budget(self.start, calendar), rule.limit.basis(), calendar)?;
        Some(self.extended.map_or(due, |extended| extended.max(due)))
    }

    /// The instant of a step of the warning ladder; `None` when it is not before `due`.
    #[must_use]
    pub fn warned(&self, at: Threshold, rule: &Rule, due: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let instant = match at {
            Threshold::Percent(percent) => {
                let budget = rule.limit.budget(self.start, calendar);
                let part = i128::from(budget.num_milliseconds()) * i128::from(percent) / 100;
                let part = TimeDelta::try_milliseconds(i64::try_from(part).ok()?)?;
                self.reaches(part, rule.limit.basis(), calendar)?
            }
            Threshold::Before(seconds) => due.checked_sub_signed(TimeDelta::try_seconds(seconds)?)?.max(self.start),
        };
        (instant < due).then_some(instant)
    }

    /// True when the clock runs now, or ran when it ended.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.stretches().last().is_none_or(|(switch, _)| switch.runs)
    }
}

/// The instant at which `amount`, used from `from` on, is used up. A working-day deadline keeps the clock time of its
/// start (evidence: a CSG ticket of 2026-08-14), so it falls on a working day: an amount that ends with Friday is used
/// up at the beginning of Monday.
fn used_up(from: Timestamp, amount: TimeDelta, basis: Basis, calendar: &Calendar) -> Timestamp {
    const NEXT: TimeDelta = TimeDelta::nanoseconds(1);
    match (basis, amount.checked_add(&NEXT)) {
        (Basis::WorkingDays, Some(more)) => {
            let exceeded = calendar.advance(basis, from, more);
            exceeded.checked_sub_signed(NEXT).map_or(from, |last| last.max(from))
        }
        _ => calendar.advance(basis, from, amount),
    }
}

/// The kind of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The clock ran.
    Running,
    /// The clock waited, because of the fact at the segment's position.
    Paused,
    /// The calendar was closed. The name is the holiday's, if it was one.
    Closed(Option<String>),
}

/// An interval in the life of a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The start, inclusive.
    pub from: Timestamp,
    /// The end, exclusive.
    pub to: Timestamp,
    /// The kind of the segment: running, paused or closed.
    pub kind: Kind,
    /// The log position of the fact that began this run or wait.
    pub because: u64,
}

impl Run {
    /// The life of the clock without gaps, from its start to its end, or to `now` while it is open.
    #[must_use]
    pub fn segments(&self, basis: Basis, calendar: &Calendar, now: Timestamp) -> Vec<Segment> {
        let stop = self.end.map_or(now, |end| end.at);
        let mut segments = Vec::new();
        for (switch, until) in self.stretches() {
            let (from, to) = (switch.at, until.unwrap_or(stop).min(stop));
            if !switch.runs {
                push(&mut segments, from, to, Kind::Paused, switch.because);
                continue;
            }
            let mut at = from;
            for closed in calendar.closed(basis, from, to) {
                push(&mut segments, at, closed.from, Kind::Running, switch.because);
                push(&mut segments, closed.from, closed.to, Kind::Closed(closed.name), switch.because);
                at = closed.to;
            }
            push(&mut segments, at, to, Kind::Running, switch.because);
        }
        segments
    }
}

fn push(segments: &mut Vec<Segment>, from: Timestamp, to: Timestamp, kind: Kind, because: u64) {
    if from < to {
        segments.push(Segment { from, to, kind, because });
    }
}
