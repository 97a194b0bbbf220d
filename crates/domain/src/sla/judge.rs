//! The judge: every clock of a ticket, under the version that has the say over it. A function of clock history, registry and time; it can be
//! asked for any instant, and asked twice says the same.
//!
//! Which rule of a clock applies is decided by what the ticket was when the clock ended, or is now: an area corrected on site
//! changes the limit of the clock that it ended. Which version applies is decided by the clock's start, among the versions known
//! when its first verdict was given: what is published later changes no verdict.

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

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs.
    Running,
    /// It waits.
    Paused,
    /// The promise was kept.
    Kept,
    /// Due passed before the promise was met.
    Breached,
    /// It ended before due without having to be met.
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

    /// Whether it is settled, as far as facts known today settle it.
    #[must_use]
    pub fn is_given(self) -> bool {
        !matches!(self, Self::Running | Self::Paused)
    }
}

/// A clock of a ticket, judged.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The version that judged it.
    pub version: Arc<Version>,
    /// The calendar that it was judged by.
    pub calendar_version: Arc<CalendarVersion>,
    /// The rule's place in its policy.
    rule: usize,
    /// The ticket's cycle, from 1.
    pub cycle: u16,
    /// The number of the run within the cycle, from 1.
    pub run_number: u16,
    /// When it started, ran, waited and ended.
    pub run: Run,
    /// When it is due; `None` while it waits.
    pub due: Option<Timestamp>,
    /// How it stands.
    pub verdict: Verdict,
}

impl Clock {
    /// The rule that it was judged by.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.version.policy.rules[self.rule]
    }

    /// Its name among the ticket's clocks.
    #[must_use]
    pub fn key(&self) -> ClockKey {
        ClockKey { clock: self.rule().clock.clone(), cycle: self.cycle, run_number: self.run_number }
    }

    /// Whether `key` names it.
    #[must_use]
    pub fn is(&self, key: &ClockKey) -> bool {
        self.run_number == key.run_number && self.cycle == key.cycle && self.rule().clock == key.clock
    }

    /// The steps of the warning ladder that lie before due and before its end: which, from 1, and when.
    pub fn warnings(&self) -> impl Iterator<Item = (u8, Timestamp)> {
        let end = self.run.end.map(|end| end.at);
        let steps = self.rule().warnings.iter().take(WARNINGS_MAX).zip(1_u8..);
        steps.filter_map(move |(warning, level)| {
            let at = self.run.warned(warning.at, self.rule(), self.due?, &self.calendar_version.calendar)?;
            end.is_none_or(|end| at <= end).then_some((level, at))
        })
    }

    /// Its life, segment by segment, up to `now`.
    #[must_use]
    pub fn segments(&self, now: Timestamp) -> Vec<Segment> {
        self.run.segments(self.rule().limit.basis(), &self.calendar_version.calendar, now)
    }

    /// Years that its time touches and its calendar does not cover: they count Monday to Friday.
    #[must_use]
    pub fn years_assumed(&self, now: Timestamp) -> Vec<i32> {
        if self.rule().limit.basis() == super::Basis::Elapsed {
            return Vec::new();
        }
        let last = self.due.unwrap_or(now).max(self.run.start);
        self.calendar_version.calendar.missing(self.run.start, last)
    }

    /// The statement of it that is recorded when something is said: with `due` and who held the ticket then.
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

/// Who held the ticket at an instant.
#[must_use]
pub fn holder<'a>(timeline: &[Entry<'a>], at: Timestamp) -> Option<&'a OrgPath> {
    let before = timeline.iter().take_while(|(clock_event, _)| clock_event.at <= at).last();
    before.or_else(|| timeline.first()).map(|(_, attributes)| attributes.holder)
}

/// Every clock of a ticket as it stands at `now`, in the order of cycle, clock and lap.
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
    // Nothing was published since the ticket was received, which is nearly always so.
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

/// Which edition has the last say over a clock, for those that had their first verdict before the newest edition: of each edition
/// but the newest, what the judge would have said just before the next one was published, knowing what was known then.
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

/// Every clock of a ticket under one edition.
fn under(timeline: &[Entry<'_>], operator: &str, edition: &Edition, now: Timestamp) -> Vec<Clock> {
    let mut clocks = Vec::new();
    let Some(earliest) = timeline.iter().map(|(clock_event, _)| clock_event.earliest()).min() else { return clocks };
    // No clock starts before every instant of every fact.
    let first = edition.version(operator, earliest).map(|version| version.number);
    for version in edition.versions(operator) {
        if version.policy.effective_from > earliest || Some(version.number) == first {
            let has_a_say = |at| edition.version(operator, at).is_some_and(|v| v.number == version.number);
            version_clocks(timeline, version, edition, now, &has_a_say, &mut clocks);
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

/// Of alternatives of one clock that both had their turn in a cycle the later one is a further lap: no two clocks of a ticket bear
/// one name.
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
    has_a_say: &dyn Fn(Timestamp) -> bool,
    clocks: &mut Vec<Clock>,
) {
    let calendar_version = edition.calendar_version(&version.policy.calendar);
    let ever = Ever::of(timeline);
    for (cycle, (range, ended)) in cycles(timeline).into_iter().enumerate() {
        for (index, rule) in version.policy.rules.iter().enumerate().filter(|(_, rule)| ever.admits(rule)) {
            for (run_number, run) in clock::runs(rule, timeline, range.clone(), ended).into_iter().enumerate() {
                let seen = run.seen.unwrap_or(range.end - 1);
                if has_a_say(run.start) && rule.when.admits(&timeline[seen].1) {
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

/// Everything that a ticket was about and that happened to it, bit by bit: most rules are for others.
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

    /// Whether the rule may have a clock of it.
    fn admits(&self, rule: &Rule) -> bool {
        let business = |business: &BusinessType| self.businesses & 1 << *business as u16 != 0;
        rule.start.iter().any(|trigger| self.facts & 1 << trigger.fact as u64 != 0)
            && (rule.when.business.is_empty() || rule.when.business.iter().any(business))
    }
}

/// Counted from 1; past the end of numbers all have the last one.
fn number(index: usize) -> u16 {
    u16::try_from(index.saturating_add(1)).unwrap_or(u16::MAX)
}

/// A ticket's cycles: which part of the timeline, and the fact that ended it: the ticket's end, or else the beginning of the next
/// cycle. None is empty.
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
