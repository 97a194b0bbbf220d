//! A judged clock in one sentence, with the responsible unit and the reason of a wait. `catalogue.rs` has the wording.

mod catalogue;

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    organisation::OrgPath,
    sla::{
        clock::{End, Entry, Kind},
        clock_history::{ClockEvent, ClockHistory, FactName, Word},
        judge::{self, Clock, Verdict},
        policy::{Limit, Title},
    },
};

use crate::advice::Language;

/// The sentence about a clock as judged at `now`. Instants are in China Standard Time; the date is omitted if it equals
/// that of the previous instant. Margins are natural time, rounded down to two units.
#[must_use]
pub fn sentence(clock: &Clock, clock_history: &ClockHistory, now: Timestamp, language: Language) -> String {
    let timeline = clock_history.timeline();
    catalogue::sentence(&Statement::of(clock, clock_history, &timeline, now), language)
}

/// The word of the fact at `position`, for example why a paused clock waits; `None` when the fact has no word.
#[must_use]
pub fn reason(clock_history: &ClockHistory, position: u64) -> Option<Word> {
    clock_event(clock_history, position)?.word
}

/// The unit responsible for a clock. For a breach: the holder at due. For another end: the holder until the fact that
/// ended it. For an open clock: the holder at `now`.
#[must_use]
pub fn answerable(clock: &Clock, clock_history: &ClockHistory, now: Timestamp) -> Option<OrgPath> {
    holder(clock, &clock_history.timeline(), now).cloned()
}

/// [`answerable`] for a given timeline.
pub(crate) fn holder<'a>(clock: &Clock, timeline: &[Entry<'a>], now: Timestamp) -> Option<&'a OrgPath> {
    match (clock.verdict, clock.due, clock.run.end) {
        (Verdict::Breached, Some(due), _) => judge::holder(timeline, due),
        (_, _, Some(end)) => holder_until(timeline, end),
        _ => judge::holder(timeline, now),
    }
}

/// The holder until the fact that ended a clock: the unit that dispatches meets the dispatch promise.
fn holder_until<'a>(timeline: &[Entry<'a>], end: End) -> Option<&'a OrgPath> {
    let ending = timeline.iter().position(|(clock_event, _)| clock_event.position == end.because)?;
    let (_, attributes) = timeline.get(ending.saturating_sub(1))?;
    Some(attributes.holder)
}

/// The clock event at `position`, if any.
fn clock_event(clock_history: &ClockHistory, position: u64) -> Option<&ClockEvent> {
    let index = clock_history.events.binary_search_by_key(&position, |clock_event| clock_event.position).ok()?;
    clock_history.events.get(index)
}

/// The contents of the sentence.
#[derive(Clone, Debug, PartialEq)]
struct Statement<'a> {
    title: &'a Title,
    limit: Limit,
    started: Timestamp,
    /// The time for which it waited before it was due or ended, without the present wait.
    waited: TimeDelta,
    /// True when an extension applies.
    extended: bool,
    due: Option<Timestamp>,
    outcome: Outcome<'a>,
    /// The years without a calendar, in which Monday to Friday count.
    years: Vec<i32>,
}

/// The state of the clock with its data. No duration is negative.
#[derive(Clone, Debug, PartialEq)]
enum Outcome<'a> {
    Running { left: Option<TimeDelta> },
    Paused { since: Timestamp, why: Option<Word> },
    Kept { at: Timestamp, by: Option<FactName>, spare: Option<TimeDelta> },
    Cancelled { at: Timestamp, by: Option<FactName> },
    Late { at: Timestamp, by: Option<FactName>, over: TimeDelta, owner: Option<&'a OrgPath> },
    Dropped { at: Timestamp, by: Option<FactName>, over: TimeDelta, owner: Option<&'a OrgPath> },
    Missing { over: TimeDelta, owner: Option<&'a OrgPath> },
}

impl<'a> Statement<'a> {
    fn of(clock: &'a Clock, clock_history: &ClockHistory, timeline: &[Entry<'a>], now: Timestamp) -> Self {
        let outcome = Outcome::of(clock, clock_history, timeline, now);
        Self {
            title: &clock.rule().title,
            limit: clock.rule().limit,
            started: clock.run.start,
            waited: waited(clock, &outcome, now),
            extended: clock.due.is_some() && clock.due == clock.run.extended,
            due: clock.due,
            outcome,
            years: clock.years_assumed(now),
        }
    }
}

impl<'a> Outcome<'a> {
    fn of(clock: &Clock, clock_history: &ClockHistory, timeline: &[Entry<'a>], now: Timestamp) -> Self {
        let by = |end: End| clock_event(clock_history, end.because).map(|clock_event| clock_event.fact);
        let over = |at: Timestamp| clock.due.map_or(TimeDelta::zero(), |due| (at - due).max(TimeDelta::zero()));
        let left = |at: Timestamp| clock.due.map(|due| (due - at).max(TimeDelta::zero()));
        let owner = holder(clock, timeline, now);
        match (clock.verdict, clock.run.end) {
            (Verdict::Breached, None) => Self::Missing { over: over(now), owner },
            (Verdict::Breached, Some(end)) if end.met => {
                Self::Late { at: end.at, by: by(end), over: over(end.at), owner }
            }
            (Verdict::Breached, Some(end)) => Self::Dropped { at: end.at, by: by(end), over: over(end.at), owner },
            (Verdict::Cancelled, Some(end)) => Self::Cancelled { at: end.at, by: by(end) },
            (_, Some(end)) => Self::Kept { at: end.at, by: by(end), spare: left(end.at) },
            (Verdict::Paused, None) => match clock.run.switches.last() {
                Some(turn) => Self::Paused { since: turn.at, why: reason(clock_history, turn.because) },
                None => Self::Paused { since: clock.run.start, why: None },
            },
            (_, None) => Self::Running { left: left(now) },
        }
    }
}

/// The time for which a clock waited while this could change its due instant. The present wait is not included.
fn waited(clock: &Clock, outcome: &Outcome<'_>, now: Timestamp) -> TimeDelta {
    let until = match outcome {
        Outcome::Paused { since, .. } => Some(*since),
        _ => clock.due,
    };
    let segments = clock.segments(now).into_iter().filter(|segment| segment.kind == Kind::Paused);
    let spans = segments.map(|segment| until.map_or(segment.to, |until| segment.to.min(until)) - segment.from);
    spans.filter(|span| *span > TimeDelta::zero()).sum()
}

#[cfg(test)]
mod tests;
