//! One rule over one cycle of a ticket: when its clock ran, when it waited, when it is due. A function of the facts in the order
//! in which they happened; nothing here knows of versions or of what was said.

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

/// From an instant on a clock runs, or waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// From when on.
    pub at: Timestamp,
    /// Whether it runs.
    pub runs: bool,
    /// The position of the fact that made it so.
    pub because: u64,
}

/// How a lap ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// The position of the fact that ended it.
    pub because: u64,
    /// Whether the promise was met, in time or not; otherwise it was cancelled.
    pub met: bool,
}

/// One run of a clock from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it started.
    pub start: Timestamp,
    /// The position of the fact that started it.
    pub because: u64,
    /// That fact's revision in the ticket's stream.
    pub started_by: u64,
    /// When it ran and waited, from its start on.
    pub switches: Vec<Switch>,
    /// How it ended, if it did.
    pub end: Option<End>,
    /// Due is no earlier than this.
    pub extended: Option<Timestamp>,
    /// The last fact, by its place in the timeline, that the choice of the rule may look at: the one that ended the lap.
    pub seen: Option<usize>,
}

/// What a fact does to a clock; of one instant and one fact in this order.
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

/// A fact that pulls, in the order in which pulls take effect: by the instant that the rule reads, then as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TimedEffect {
    at: Timestamp,
    position: u64,
    effect: Effect,
    /// When the fact happened, whichever of its instants the rule reads.
    happened: Timestamp,
    fact: FactName,
    /// Its place in the timeline.
    index: usize,
    /// Its place in the ticket's stream.
    revision: u64,
}

/// A clock event of the timeline and what the ticket was after it.
pub type Entry<'a> = (&'a ClockEvent, Attributes<'a>);

/// The laps of `rule` over one cycle. `timeline` is the ticket's whole timeline, `cycle` the part of it that belongs to the cycle;
/// `ended` is the fact that ended the cycle, if there is one: what still ran then is cancelled.
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
        // Most triggers are of other facts: the level is asked for when one is of this.
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

/// The facts that this one takes back: a clock that it revives goes on as though they had never been. A clock that something
/// else had ended stays ended.
fn takes_back(fact: FactName) -> &'static [FactName] {
    match fact {
        FactName::Unmerged => &[FactName::Merged],
        FactName::ReplySentBack => &[FactName::Replied, FactName::ReplyPassed],
        _ => &[],
    }
}

/// Leaves out what was taken back, and what took it back.
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

/// The laps as they come about.
#[derive(Default)]
struct Runs {
    runs: Vec<Run>,
    /// Which pauses hold, bit by bit.
    held: u64,
    /// What was pulled while no lap was open.
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
        // What was done after the fact that starts it, and before the instant that this fact names, was done in time.
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
        // A lap that has ended takes note too: it may be revived.
        if let Some(run) = self.runs.last_mut().filter(|_| turned) {
            run.switches.push(Switch { at: timed.at, runs: held == 0, because: timed.position });
        }
    }
}

/// The bit of a pause. A check lets no policy pass that has more pauses than bits; past them they share the last one.
fn bit(pause: usize) -> u64 {
    1 << pause.min(63)
}

impl Run {
    /// How a promise's fact names the fact that started it.
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

    /// Its turns up to its end, each with the instant at which it gives way to the next; the last one is open.
    fn stretches(&self) -> impl Iterator<Item = (Switch, Option<Timestamp>)> {
        let end = self.end.map(|end| end.at);
        let within = move |switch: &&Switch| end.is_none_or(|end| switch.at < end || switch.at == self.start);
        let count = self.switches.iter().take_while(within).count();
        let switches = &self.switches[..count];
        switches.iter().enumerate().map(move |(index, switch)| (*switch, switches.get(index + 1).map(|next| next.at)))
    }

    /// When `amount` of the clock's time is used up; `None` while it waits and has not used it up before.
    /// A wait that begins at that very instant comes first: nothing is exceeded yet.
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

    /// When it is due; `None` while it waits, unless it was due before.
    #[must_use]
    pub fn due(&self, rule: &Rule, calendar: &Calendar) -> Option<Timestamp> {
        let due = self.reaches(rule.limit.budget(self.start, calendar), rule.limit.basis(), calendar)?;
        Some(self.extended.map_or(due, |extended| extended.max(due)))
    }

    /// When a step of the warning ladder is reached, if it is before due.
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

    /// Whether it runs now, or did when it ended.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.stretches().last().is_none_or(|(switch, _)| switch.runs)
    }
}

/// When an amount that begins to be used at `from` is used up. Working days are used up when more than them would be: one
/// that ends with a Friday ends when Monday begins, for a deadline keeps the clock time of its start on a working day.
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

/// What a stretch of a clock's life was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It ran.
    Running,
    /// It waited, because of the fact at the segment's position.
    Paused,
    /// The calendar was closed; the name is the holiday's, if it was one.
    Closed(Option<String>),
}

/// A stretch of a clock's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// From.
    pub from: Timestamp,
    /// Until.
    pub to: Timestamp,
    /// What it was.
    pub kind: Kind,
    /// The position of the fact that began the run or wait that it belongs to.
    pub because: u64,
}

impl Run {
    /// Its life from start to end, or to `now` while it has none, without gaps.
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
