//! One rule over one cycle of a ticket: when its clock ran, when it waited, when it is due. A function of the facts in the order
//! in which they happened; nothing here knows of versions or of what was said.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::{
    Timestamp,
    sla::{
        Basis,
        calendar::Calendar,
        docket::{Attributes, Change, FactName, Moment},
        policy::{Rule, Threshold, Trigger},
    },
};

/// From an instant on a clock runs, or waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
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
pub struct Lap {
    /// When it started.
    pub start: Timestamp,
    /// The position of the fact that started it.
    pub because: u64,
    /// When it ran and waited, from its start on.
    pub turns: Vec<Turn>,
    /// How it ended, if it did.
    pub end: Option<End>,
    /// Due is no earlier than this.
    pub extended: Option<Timestamp>,
    /// The last fact, by its place in the timeline, that the choice of the rule may look at: the one that ended the lap.
    pub seen: Option<usize>,
}

/// What a fact does to a clock; of one instant and one fact in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pull {
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
struct Tug {
    at: Timestamp,
    position: u64,
    pull: Pull,
    /// When the fact happened, whichever of its instants the rule reads.
    happened: Timestamp,
    fact: FactName,
    /// Its place in the timeline.
    index: usize,
}

/// A moment of the timeline and what the ticket was after it.
pub type Entry<'a> = (&'a Moment, Attributes<'a>);

/// The laps of `rule` over one cycle. `timeline` is the ticket's whole timeline, `cycle` the part of it that belongs to the cycle;
/// `ended` is the fact that ended the cycle, if there is one: what still ran then is cancelled.
#[must_use]
pub fn laps(rule: &Rule, timeline: &[Entry<'_>], cycle: std::ops::Range<usize>, ended: Option<&Moment>) -> Vec<Lap> {
    let mut tugs: Vec<Tug> = Vec::new();
    for index in cycle {
        let (moment, attributes) = &timeline[index];
        let (position, happened, fact) = (moment.position, moment.at, moment.fact);
        collect(rule, moment, attributes, |at, pull| tugs.push(Tug { at, position, pull, happened, fact, index }));
    }
    tugs.sort_unstable();
    take_back(&mut tugs);
    let mut course = Course::default();
    for tug in tugs {
        course.take(tug);
    }
    if let (Some(lap), Some(moment)) = (course.laps.last_mut(), ended)
        && lap.end.is_none()
    {
        lap.end = Some(End { at: moment.at.max(lap.start), because: moment.position, met: false });
    }
    course.laps
}

fn collect(rule: &Rule, moment: &Moment, ticket: &Attributes<'_>, mut each: impl FnMut(Timestamp, Pull)) {
    let mut any = |triggers: &[Trigger], pull: Pull| {
        // Most triggers are of other facts: the level is asked for when one is of this.
        let mut meant = triggers.iter().filter(|trigger| trigger.fact == moment.fact);
        if let Some(at) = meant.find_map(|trigger| trigger.pulled(moment, ticket.level())) {
            each(at, pull);
        }
    };
    any(&rule.start, Pull::Start);
    any(&rule.reset, Pull::Reset);
    any(&rule.revive, Pull::Revive);
    for (index, pause) in rule.pauses.iter().enumerate() {
        any(&pause.until, Pull::Resume(index));
        any(std::slice::from_ref(&pause.from), Pull::Pause(index));
    }
    if let Change::Until(until) = moment.change {
        any(&rule.extend, Pull::Extend(until));
    }
    any(&rule.stop, Pull::Stop);
    any(&rule.cancel, Pull::Cancel);
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
fn take_back(tugs: &mut Vec<Tug>) {
    if !tugs.iter().any(|tug| tug.pull == Pull::Revive && !takes_back(tug.fact).is_empty()) {
        return;
    }
    let mut taken_back: BTreeSet<FactName> = BTreeSet::new();
    tugs.reverse();
    tugs.retain(|tug| match tug.pull {
        Pull::Revive => {
            taken_back.extend(takes_back(tug.fact));
            takes_back(tug.fact).is_empty()
        }
        Pull::Stop | Pull::Cancel => !taken_back.contains(&tug.fact),
        _ => true,
    });
    tugs.reverse();
}

/// The laps as they come about.
#[derive(Default)]
struct Course {
    laps: Vec<Lap>,
    /// Which pauses hold, bit by bit.
    held: u64,
    /// What was pulled while no lap was open.
    idle: Vec<Tug>,
}

impl Course {
    fn take(&mut self, tug: Tug) {
        match tug.pull {
            Pull::Start => self.start(tug),
            Pull::Resume(pause) => self.hold(tug, self.held & !bit(pause)),
            Pull::Pause(pause) => self.hold(tug, self.held | bit(pause)),
            _ => match self.laps.last_mut() {
                Some(lap) if lap.end.is_none() || tug.pull == Pull::Revive => lap.take(tug, self.held == 0),
                _ => self.idle.push(tug),
            },
        }
    }

    fn start(&mut self, start: Tug) {
        if self.laps.last().is_some_and(|lap| lap.end.is_none()) {
            return;
        }
        let (at, because, runs) = (start.at, start.position, self.held == 0);
        let turns = vec![Turn { at, runs, because }];
        let mut lap = Lap { start: at, because, turns, end: None, extended: None, seen: None };
        // What was done after the fact that starts it, and before the instant that this fact names, was done in time.
        for tug in self.idle.drain(..).filter(|tug| (tug.happened, tug.position) >= (start.happened, start.position)) {
            lap.take(Tug { at, ..tug }, runs);
        }
        self.laps.push(lap);
    }

    fn hold(&mut self, tug: Tug, held: u64) {
        let turned = (self.held == 0) != (held == 0);
        self.held = held;
        // A lap that has ended takes note too: it may be revived.
        if let Some(lap) = self.laps.last_mut().filter(|_| turned) {
            lap.turns.push(Turn { at: tug.at, runs: held == 0, because: tug.position });
        }
    }
}

/// The bit of a pause. A check lets no policy pass that has more pauses than bits; past them they share the last one.
fn bit(pause: usize) -> u64 {
    1 << pause.min(63)
}

impl Lap {
    fn take(&mut self, Tug { at, position: because, pull, index, .. }: Tug, runs: bool) {
        match pull {
            Pull::Revive => (self.end, self.seen) = (None, None),
            _ if self.end.is_some() => {}
            Pull::Reset => {
                (self.start, self.because, self.extended) = (at, because, None);
                self.turns = vec![Turn { at, runs, because }];
            }
            Pull::Extend(until) => self.extended = self.extended.max(Some(until)),
            Pull::Stop | Pull::Cancel => {
                self.end = Some(End { at, because, met: pull == Pull::Stop });
                self.seen = Some(index);
            }
            Pull::Start | Pull::Resume(_) | Pull::Pause(_) => {}
        }
    }

    /// Its turns up to its end, each with the instant at which it gives way to the next; the last one is open.
    fn stretches(&self) -> impl Iterator<Item = (Turn, Option<Timestamp>)> {
        let end = self.end.map(|end| end.at);
        let within = move |turn: &&Turn| end.is_none_or(|end| turn.at < end || turn.at == self.start);
        let count = self.turns.iter().take_while(within).count();
        let turns = &self.turns[..count];
        turns.iter().enumerate().map(move |(index, turn)| (*turn, turns.get(index + 1).map(|next| next.at)))
    }

    /// When `amount` of the clock's time is used up; `None` while it waits and has not used it up before.
    /// A wait that begins at that very instant comes first: nothing is exceeded yet.
    #[must_use]
    pub fn reaches(&self, amount: TimeDelta, basis: Basis, calendar: &Calendar) -> Option<Timestamp> {
        let mut left = amount;
        for (turn, until) in self.stretches().filter(|(turn, _)| turn.runs) {
            let reached = used_up(turn.at, left, basis, calendar);
            match until {
                Some(until) if reached >= until => left -= calendar.measure(basis, turn.at, until),
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
        self.stretches().last().is_none_or(|(turn, _)| turn.runs)
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

impl Lap {
    /// Its life from start to end, or to `now` while it has none, without gaps.
    #[must_use]
    pub fn segments(&self, basis: Basis, calendar: &Calendar, now: Timestamp) -> Vec<Segment> {
        let stop = self.end.map_or(now, |end| end.at);
        let mut segments = Vec::new();
        for (turn, until) in self.stretches() {
            let (from, to) = (turn.at, until.unwrap_or(stop).min(stop));
            if !turn.runs {
                push(&mut segments, from, to, Kind::Paused, turn.because);
                continue;
            }
            let mut at = from;
            for closed in calendar.closed(basis, from, to) {
                push(&mut segments, at, closed.from, Kind::Running, turn.because);
                push(&mut segments, closed.from, closed.to, Kind::Closed(closed.name), turn.because);
                at = closed.to;
            }
            push(&mut segments, at, to, Kind::Running, turn.because);
        }
        segments
    }
}

fn push(segments: &mut Vec<Segment>, from: Timestamp, to: Timestamp, kind: Kind, because: u64) {
    if from < to {
        segments.push(Segment { from, to, kind, because });
    }
}
