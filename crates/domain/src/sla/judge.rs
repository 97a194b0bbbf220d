//! The judge: the verdict on every clock of a ticket. It is a function of clock history, registry and instant, so the
//! same question always has the same answer.
//!
//! Several rules may define one clock. The ticket's attributes when the clock ended (or now) decide which rule applies:
//! an area that the crew corrected on site changes the limit of the clock that the correction ended. The start of the
//! clock decides which version of the policy applies, among the versions known when the clock got its first verdict. A
//! later publication changes no verdict.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Timestamp,
    organisation::OrgPath,
    sla::{
        clock::{self, Entry, Run, Segment},
        clock_history::{ClockEvent, ClockHistory, FactName, timeline},
        policy::{Rule, WARNINGS_MAX},
        promise::{ClockKey, Judged},
        registry::{CalendarVersion, Edition, PolicyRegistry, Version},
    },
    ticket::BusinessType,
};

/// The state of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs, and is not due yet.
    Running,
    /// It waits.
    Paused,
    /// The promise was met in time.
    Kept,
    /// The promise was not met when it was due.
    Breached,
    /// It ended before it was due, and no longer has to be met.
    Cancelled,
}

impl Verdict {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Kept => "kept",
            Self::Breached => "breached",
            Self::Cancelled => "cancelled",
        }
    }

    /// True when the verdict is final with respect to time; a later fact may still change it.
    #[must_use]
    pub fn is_given(self) -> bool {
        !matches!(self, Self::Running | Self::Paused)
    }
}

/// A clock of a ticket with its verdict.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The version of the policy that it was judged by.
    pub version: Arc<Version>,
    /// The version of the calendar that it was judged by.
    pub calendar_version: Arc<CalendarVersion>,
    /// The index of the rule in its policy.
    rule: usize,
    /// The ticket's cycle, from 1.
    pub cycle: u16,
    /// The number of the run within the cycle, from 1.
    pub run_number: u16,
    /// Its start, switches and end.
    pub run: Run,
    /// The due instant; `None` while it waits.
    pub due: Option<Timestamp>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Clock {
    /// The rule that it was judged by.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.version.policy.rules[self.rule]
    }

    /// The key that identifies it among the ticket's clocks.
    #[must_use]
    pub fn key(&self) -> ClockKey {
        ClockKey { clock: self.rule().clock.clone(), cycle: self.cycle, run_number: self.run_number }
    }

    /// True when `key` identifies this clock.
    #[must_use]
    pub fn is(&self, key: &ClockKey) -> bool {
        self.run_number == key.run_number && self.cycle == key.cycle && self.rule().clock == key.clock
    }

    /// The steps of the warning ladder before both due and end: number, from 1, and instant.
    pub fn warnings(&self) -> impl Iterator<Item = (u8, Timestamp)> {
        let end = self.run.end.map(|end| end.at);
        let steps = self.rule().warnings.iter().take(WARNINGS_MAX).zip(1_u8..);
        steps.filter_map(move |(warning, level)| {
            let at = self.run.warned(warning.at, self.rule(), self.due?, &self.calendar_version.calendar)?;
            end.is_none_or(|end| at <= end).then_some((level, at))
        })
    }

    /// Its life up to `now`, in segments.
    #[must_use]
    pub fn segments(&self, now: Timestamp) -> Vec<Segment> {
        self.run.segments(self.rule().limit.basis(), &self.calendar_version.calendar, now)
    }

    /// The years that its time touches and its calendar lacks. In these years Monday to Friday count.
    #[must_use]
    pub fn years_assumed(&self, now: Timestamp) -> Vec<i32> {
        if self.rule().limit.basis() == super::Basis::Elapsed {
            return Vec::new();
        }
        let last = self.due.unwrap_or(now).max(self.run.start);
        self.calendar_version.calendar.missing(self.run.start, last)
    }

    /// The record of this clock for a promise event, with its due instant and the unit that held the ticket at that
    /// instant.
    #[must_use]
    pub fn judged(&self, due: Timestamp, owner: OrgPath) -> Judged {
        let rule = self.rule();
        Judged {
            key: self.key(),
            rule: rule.id.clone(),
            rule_hash: rule.hash.clone(),
            policy: self.version.reference(),
            calendar: self.calendar_version.reference(),
            started: self.run.start,
            started_by: self.run.named(),
            due,
            owner,
        }
    }
}

/// The unit that held the ticket at an instant.
#[must_use]
pub fn holder<'a>(timeline: &[Entry<'a>], at: Timestamp) -> Option<&'a OrgPath> {
    let before = timeline.iter().take_while(|(clock_event, _)| clock_event.at <= at).last();
    before.or_else(|| timeline.first()).map(|(_, attributes)| attributes.holder)
}

/// All clocks of a ticket at `now`, ordered by cycle, clock and run.
#[must_use]
pub fn judge(clock_history: &ClockHistory, registry: &PolicyRegistry, now: Timestamp) -> Vec<Clock> {
    let (Some(first), Some(newest), Some(operator)) =
        (clock_history.events.first(), registry.newest(), clock_history.operator())
    else {
        return Vec::new();
    };
    let timeline = clock_history.timeline();
    let mut clocks = under(&timeline, operator, newest, now);
    let later = registry.editions().partition_point(|edition| edition.position <= first.position);
    // The common case: nothing was published since the ticket was received.
    if later == registry.editions().len() {
        return clocks;
    }
    let pins = pins(&clock_history.events, operator, &registry.editions()[later.saturating_sub(1)..]);
    clocks.retain(|clock| !pins.contains_key(&clock.key()));
    let mut used: Vec<&Arc<Edition>> = pins.values().collect();
    used.sort_by_key(|edition| edition.position);
    used.dedup_by_key(|edition| edition.position);
    for edition in used {
        let judged = under(&timeline, operator, edition, now).into_iter();
        clocks.extend(judged.filter(|c| pins.get(&c.key()).is_some_and(|pin| pin.position == edition.position)));
    }
    in_order(&mut clocks);
    clocks
}

/// For each clock that got its first verdict before the newest edition: the edition that gave it. Each earlier edition
/// is judged just before the next publication, with the facts known then.
fn pins(events: &[ClockEvent], operator: &str, editions: &[Arc<Edition>]) -> BTreeMap<ClockKey, Arc<Edition>> {
    let mut pins = BTreeMap::new();
    for pair in editions.windows(2) {
        let (edition, next) = (&pair[0], &pair[1]);
        if edition.agrees_with(next, operator) {
            continue;
        }
        let known = events.partition_point(|clock_event| clock_event.position < next.position);
        for clock in under(&timeline(&events[..known]), operator, edition, next.recorded) {
            if clock.verdict.is_given() {
                pins.entry(clock.key()).or_insert_with(|| Arc::clone(edition));
            }
        }
    }
    pins
}

/// All clocks of a ticket under one edition.
fn under(timeline: &[Entry<'_>], operator: &str, edition: &Edition, now: Timestamp) -> Vec<Clock> {
    let mut clocks = Vec::new();
    let Some(earliest) = timeline.iter().map(|(clock_event, _)| clock_event.earliest()).min() else { return clocks };
    // No clock starts before the earliest instant of all facts.
    let first = edition.version(operator, earliest).map(|version| version.number);
    for version in edition.versions(operator) {
        if version.policy.effective_from > earliest || Some(version.number) == first {
            let applies = |at| edition.version(operator, at).is_some_and(|v| v.number == version.number);
            version_clocks(timeline, version, edition, now, &applies, &mut clocks);
        }
    }
    in_order(&mut clocks);
    number_on(&mut clocks);
    clocks
}

fn in_order(clocks: &mut [Clock]) {
    let place = |clock: &Clock| (clock.cycle, clock.run_number, clock.run.start);
    clocks.sort_by(|a, b| {
        a.cycle.cmp(&b.cycle).then_with(|| a.rule().clock.cmp(&b.rule().clock)).then(place(a).cmp(&place(b)))
    });
}

/// Renumbers runs that came from different rules of one clock in one cycle, so that no two clocks of a ticket have the
/// same key.
fn number_on(clocks: &mut [Clock]) {
    for index in 1..clocks.len() {
        let last = &clocks[index - 1];
        let same = clocks[index].cycle == last.cycle && clocks[index].rule().clock == last.rule().clock;
        let next = last.run_number.saturating_add(1);
        if same && clocks[index].run_number < next {
            clocks[index].run_number = next;
        }
    }
}

fn version_clocks(
    timeline: &[Entry<'_>],
    version: &Arc<Version>,
    edition: &Edition,
    now: Timestamp,
    applies: &dyn Fn(Timestamp) -> bool,
    clocks: &mut Vec<Clock>,
) {
    let calendar_version = edition.calendar_version(&version.policy.calendar);
    let ever = Ever::of(timeline);
    for (cycle, (range, ended)) in cycles(timeline).into_iter().enumerate() {
        for (index, rule) in version.policy.rules.iter().enumerate().filter(|(_, rule)| ever.admits(rule)) {
            for (run_number, run) in clock::runs(rule, timeline, range.clone(), ended).into_iter().enumerate() {
                let seen = run.seen.unwrap_or(range.end - 1);
                if applies(run.start) && rule.when.admits(&timeline[seen].1) {
                    let due = run.due(rule, &calendar_version.calendar);
                    let verdict = verdict(&run, due, now);
                    let (version, calendar_version) = (Arc::clone(version), Arc::clone(&calendar_version));
                    let (cycle, run_number) = (number(cycle), number(run_number));
                    clocks.push(Clock { version, calendar_version, rule: index, cycle, run_number, run, due, verdict });
                }
            }
        }
    }
}

/// Every value that the ticket's attributes ever had and every fact that happened, as bits. It rules out most rules
/// quickly.
struct Ever {
    businesses: u16,
    facts: u64,
}

impl Ever {
    fn of(timeline: &[Entry<'_>]) -> Self {
        timeline.iter().fold(Self { businesses: 0, facts: 0 }, |ever, (clock_event, ticket)| Self {
            businesses: ever.businesses | 1 << ticket.business as u16,
            facts: ever.facts | 1 << clock_event.fact as u64,
        })
    }

    /// False when the rule cannot have a clock of this ticket.
    fn admits(&self, rule: &Rule) -> bool {
        let business = |business: &BusinessType| self.businesses & 1 << *business as u16 != 0;
        rule.start.iter().any(|trigger| self.facts & 1 << trigger.fact as u64 != 0)
            && (rule.when.business.is_empty() || rule.when.business.iter().any(business))
    }
}

/// The number of an index, from 1; at most `u16::MAX`.
fn number(index: usize) -> u16 {
    u16::try_from(index.saturating_add(1)).unwrap_or(u16::MAX)
}

/// The cycles of a ticket: the range of each in the timeline, and the fact that ended it (the end of the ticket, or the
/// start of the next cycle). No range is empty.
#[must_use]
pub fn cycles<'a>(timeline: &[Entry<'a>]) -> Vec<(std::ops::Range<usize>, Option<&'a ClockEvent>)> {
    let mut cycles = Vec::new();
    let mut from = 0;
    let mut ended = None;
    for (index, (clock_event, _)) in timeline.iter().enumerate().skip(1) {
        match clock_event.fact {
            FactName::Reopened => {
                cycles.push((from..index, ended.take().or(Some(*clock_event))));
                from = index;
            }
            fact if fact.ends_the_ticket() => ended = Some(*clock_event),
            _ => {}
        }
    }
    if from < timeline.len() {
        cycles.push((from..timeline.len(), ended));
    }
    cycles
}

fn verdict(run: &Run, due: Option<Timestamp>, now: Timestamp) -> Verdict {
    let exceeded = |at| due.is_some_and(|due| at > due);
    match run.end {
        Some(end) if exceeded(end.at) => Verdict::Breached,
        Some(end) if end.met => Verdict::Kept,
        Some(_) => Verdict::Cancelled,
        None if exceeded(now) => Verdict::Breached,
        None if run.runs() => Verdict::Running,
        None => Verdict::Paused,
    }
}
