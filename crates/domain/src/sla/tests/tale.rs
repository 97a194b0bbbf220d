//! Builders for one ticket's facts and for the rules that judge it. The rules are made up for the examples; all persons
//! and numbers are invented.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use uuid::Uuid;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    decider::Recorded,
    fact::{PolicyFact, TicketFact, YearFact},
    sla::{
        calendar::{DEFAULT_HOURS, Exception, Year},
        china_time,
        clock::Kind,
        clock_history::{ClockHistory, FactName, Reading, Word},
        from_china_time,
        judge::{Clock, judge},
        policy::{Limit, Pause, Policy, Rule, Title, Trigger, When},
        publication::{PolicyEvent, PolicyPublished, YearPublished},
        registry::PolicyRegistry,
    },
    ticket::{
        Area, BusinessType, Event, TicketId, event,
        tests::sample::{NATION, org, received, text, ticket_id},
    },
};

/// The default day of a tale: an ordinary Tuesday.
const DAY: &str = "2024-03-05";

/// Parses an instant: `10:00` on the default day, `10-08 09:00` in 2024, or a complete date; seconds are optional.
pub fn at(reading: &str) -> Timestamp {
    let whole = match reading.split_once(' ') {
        None => format!("{DAY} {reading}"),
        Some((date, _)) if date.len() == 5 => format!("2024-{reading}"),
        Some(_) => reading.to_owned(),
    };
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f"];
    let read = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(&whole, form).ok());
    from_china_time(read.unwrap_or_else(|| panic!("an instant: {reading}")))
}

/// Formats an instant in the shortest form that [`at`] parses.
pub fn in_words(instant: Timestamp) -> String {
    let reading = china_time(instant);
    let whole = reading.format("%Y-%m-%d %H:%M").to_string();
    let short = whole.strip_prefix(DAY).or(whole.strip_prefix("2024-")).unwrap_or(&whole).trim_start();
    let rest = reading.format(":%S%.f").to_string();
    if rest == ":00" { short.to_owned() } else { format!("{short}{rest}") }
}

/// A trigger on this fact.
pub fn on(fact: FactName) -> Trigger {
    Trigger { fact, is: Vec::new(), level: Vec::new(), time: Reading::Occurred }
}

/// A trigger on this fact with this word.
pub fn only(fact: FactName, word: Word) -> Trigger {
    Trigger { is: vec![word], ..on(fact) }
}

/// A trigger on another instant of this fact.
pub fn by(fact: FactName, time: Reading) -> Trigger {
    Trigger { time, ..on(fact) }
}

/// A pause while the work is suspended for this reason.
pub fn suspended_for(word: Word) -> Pause {
    Pause { from: only(FactName::Suspended, word), until: vec![on(FactName::Resumed)] }
}

/// A limit in minutes of natural time.
pub fn minutes(minutes: i64) -> Limit {
    Limit::Elapsed { seconds: minutes * 60 }
}

/// A limit in minutes of working hours.
pub fn working_minutes(minutes: i64) -> Limit {
    Limit::WorkingTime { seconds: minutes * 60 }
}

/// A limit in working days.
pub fn days(days: u32) -> Limit {
    Limit::WorkingDays { days }
}

/// A rule whose id equals the name of its clock.
pub fn rule(clock: &str, limit: Limit, start: &[FactName], stop: &[FactName]) -> Rule {
    let triggers = |facts: &[FactName]| facts.iter().copied().map(on).collect();
    Rule {
        id: clock.into(),
        clock: clock.into(),
        title: Title { zh: "承诺".into(), en: "promise".into() },
        source: "an example".into(),
        hash: format!("hash of {clock}"),
        when: When::default(),
        limit,
        start: triggers(start),
        stop: triggers(stop),
        pauses: Vec::new(),
        reset: Vec::new(),
        cancel: Vec::new(),
        revive: Vec::new(),
        extend: Vec::new(),
        warnings: Vec::new(),
    }
}

/// On site within this many minutes after the customer's report.
pub fn arrival(limit: i64) -> Rule {
    rule("arrival", minutes(limit), &[FactName::Received], &[FactName::CrewArrived])
}

/// An alternative of a clock for one kind of area.
pub fn in_area(area: Option<Area>, id: &str, rule: Rule) -> Rule {
    Rule { id: id.into(), when: When { area: vec![area], ..rule.when.clone() }, ..rule }
}

/// A policy of the operator `sgcc` with these rules, in force since 2000.
pub fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy {
        operator: "sgcc".into(),
        effective_from: at("2000-01-01 00:00"),
        calendar: "cn".into(),
        source: "an example".into(),
        rules: rules.into_iter().collect(),
        averages: Vec::new(),
    }
}

/// A year with the default hours, holidays `(name, first, last)` and make-up days; dates as month and day.
pub fn year(number: i32, off: &[(&str, &str, &str)], work: &[&str]) -> Year {
    let day = |text: &str| -> NaiveDate { format!("{number}-{text}").parse().unwrap() };
    let mut exceptions = BTreeMap::new();
    for &(name, first, last) in off {
        for date in day(first).iter_days().take_while(|date| *date <= day(last)) {
            exceptions.insert(date, Exception { name: name.into(), hours: Vec::new() });
        }
    }
    for text in work {
        exceptions.insert(day(text), Exception { name: "调休".into(), hours: DEFAULT_HOURS.to_vec() });
    }
    Year { year: number, source: "a notice".into(), hours: DEFAULT_HOURS.to_vec(), exceptions }
}

/// The parts of 2024 that the examples need.
pub fn year_2024() -> Year {
    year(2024, &[("劳动节", "05-01", "05-05"), ("国庆节", "10-01", "10-07")], &["04-28", "05-11", "09-29", "10-12"])
}

/// A fact at this position of the log.
pub fn recorded<E, Id>(
    position: u64,
    id: Id,
    event: E,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
) -> Recorded<E, Id> {
    let actor = Actor { id: "a1".into(), role: Role::Desk, org: org(NATION) };
    Recorded { position, id, revision: position - 1, event, occurred_at, recorded_at, actor, request_id: Uuid::nil() }
}

/// The first publication of an operator's policy.
pub fn published(position: u64, policy: Policy) -> PolicyFact {
    let event = PolicyEvent::Published(Box::new(PolicyPublished { policy }));
    PolicyFact {
        revision: 0,
        ..recorded(position, "sgcc".to_owned(), event, at("2000-01-01 00:00"), at("2000-01-01 00:00"))
    }
}

/// The first publication of a calendar's year.
pub fn in_force(position: u64, year: Year) -> YearFact {
    let event = YearPublished { year };
    YearFact {
        revision: 0,
        ..recorded(position, "cn".to_owned(), event, at("2000-01-01 00:00"), at("2000-01-01 00:00"))
    }
}

/// A registry with these rules and the year 2024, published before everything else.
pub fn registry(rules: impl IntoIterator<Item = Rule>) -> PolicyRegistry {
    let mut registry = PolicyRegistry::default();
    registry.take_year(&in_force(1, year_2024()));
    registry.take_policy(&published(2, policy(rules)));
    registry
}

/// The position of a tale's first fact, after the publications of [`registry`].
pub const FIRST: u64 = 3;

/// The facts of one ticket so far, in the order of the log.
#[derive(Clone, Debug)]
pub struct Tale {
    pub facts: Vec<TicketFact>,
}

impl Tale {
    /// A ticket received at the national centre.
    pub fn of(business: BusinessType, reading: &str) -> Self {
        Self { facts: Vec::new() }.and(reading, received(business))
    }

    /// A fault in this kind of area.
    pub fn fault(area: Option<Area>, reading: &str) -> Self {
        Self::of(BusinessType::FaultRepair, reading).received_with(|e| e.place.area = area)
    }

    /// Changes the receipt.
    pub fn received_with(mut self, change: impl FnOnce(&mut event::Received)) -> Self {
        if let Event::Received(received) = &mut self.facts[0].event {
            change(received);
        }
        self
    }

    /// An import, recorded at this instant.
    pub fn imported(mut self, recorded_at: &str) -> Self {
        (self.facts[0].actor.role, self.facts[0].recorded_at) = (Role::Importer, at(recorded_at));
        self
    }

    /// Adds a fact that is recorded when it happens.
    pub fn and(self, reading: &str, event: impl Into<Event>) -> Self {
        self.late(reading, reading, event)
    }

    /// Adds a fact that is recorded later than it happened.
    pub fn late(mut self, happened: &str, recorded_at: &str, event: impl Into<Event>) -> Self {
        let position = FIRST + self.facts.len() as u64;
        let id: TicketId = ticket_id(1);
        let fact = recorded(position, id, event.into(), at(happened), at(recorded_at));
        self.facts.push(TicketFact { revision: self.facts.len() as u64, ..fact });
        self
    }

    /// A copy without the facts of these names; the other facts keep their positions.
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self.facts.iter().filter(|fact| !names.contains(&fact.event.name()));
        Self { facts: kept.cloned().collect() }
    }

    /// The clock history of these facts.
    pub fn clock_history(&self) -> ClockHistory {
        let mut clock_history = ClockHistory::new(ticket_id(1));
        for fact in &self.facts {
            clock_history.take(fact);
        }
        clock_history
    }

    /// The clocks under these rules at an instant.
    pub fn judged(&self, rules: impl IntoIterator<Item = Rule>, now: &str) -> Vec<Clock> {
        judge(&self.clock_history(), &registry(rules), at(now))
    }

    /// The clocks in words, one line each: rule, cycle and run, verdict, due.
    pub fn stands(&self, rules: impl IntoIterator<Item = Rule>, now: &str) -> Vec<String> {
        self.judged(rules, now).iter().map(line).collect()
    }

    /// The segments of the only clock, in words.
    pub fn segments(&self, rule: Rule, now: &str) -> Vec<String> {
        let clocks = self.judged([rule], now);
        assert_eq!(clocks.len(), 1, "one clock");
        let segments = clocks[0].segments(at(now)).into_iter();
        segments
            .map(|segment| {
                let kind = match segment.kind {
                    Kind::Running => "running".to_owned(),
                    Kind::Paused => "paused".to_owned(),
                    Kind::Closed(name) => name.unwrap_or_else(|| "closed".to_owned()),
                };
                format!("{} to {} {kind}", in_words(segment.from), in_words(segment.to))
            })
            .collect()
    }
}

/// A clock in words.
pub fn line(clock: &Clock) -> String {
    let due = clock.due.map_or("not due".to_owned(), |due| format!("due {}", in_words(due)));
    format!("{} {}.{} {}, {due}", clock.rule().id, clock.cycle, clock.run_number, clock.verdict.as_str())
}

/// The deadline is extended.
pub fn extended(until: &str) -> Event {
    event::Extended { until: at(until), reason: text() }.into()
}

/// The work is suspended for this reason.
pub fn suspended(reason: crate::ticket::SuspendReason) -> Event {
    event::Suspended { reason, until: None, note: None }.into()
}

/// The work is resumed.
pub fn resumed() -> Event {
    event::Resumed {}.into()
}

/// The crew is on site and reports the kind of area.
pub fn arrived_in(area: Area) -> Event {
    event::CrewArrived { crew: org(crate::ticket::tests::sample::CREW), area: Some(area) }.into()
}

/// The ticket is reopened.
pub fn reopened() -> Event {
    event::Reopened { cycle: 2, reason: text() }.into()
}

/// The ticket is archived.
pub fn closed() -> Event {
    event::Closed { explanation: None }.into()
}
