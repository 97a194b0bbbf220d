//! A ticket's tale and the rules that it is judged by, in few words. There is no rule of the trade here, only rules made up for
//! one example; every person and number is invented.

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

/// The day on which a tale is told unless it says otherwise: an ordinary Tuesday.
const DAY: &str = "2024-03-05";

/// An instant by its reading: `10:00` of the ordinary Tuesday, `10-08 09:00` of 2024, or the whole. Seconds may follow.
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

/// The reading of an instant, as short as [`at`] takes it.
pub fn told(instant: Timestamp) -> String {
    let reading = china_time(instant);
    let whole = reading.format("%Y-%m-%d %H:%M").to_string();
    let short = whole.strip_prefix(DAY).or(whole.strip_prefix("2024-")).unwrap_or(&whole).trim_start();
    let rest = reading.format(":%S%.f").to_string();
    if rest == ":00" { short.to_owned() } else { format!("{short}{rest}") }
}

/// This fact.
pub fn on(fact: FactName) -> Trigger {
    Trigger { fact, is: Vec::new(), level: Vec::new(), time: Reading::Occurred }
}

/// This fact, with this word.
pub fn only(fact: FactName, word: Word) -> Trigger {
    Trigger { is: vec![word], ..on(fact) }
}

/// This fact, by another of its instants.
pub fn by(fact: FactName, time: Reading) -> Trigger {
    Trigger { time, ..on(fact) }
}

/// While the work is suspended for this reason.
pub fn suspended_for(word: Word) -> Pause {
    Pause { from: only(FactName::Suspended, word), until: vec![on(FactName::Resumed)] }
}

/// Natural time.
pub fn minutes(minutes: i64) -> Limit {
    Limit::Elapsed { seconds: minutes * 60 }
}

/// Time within the working hours.
pub fn working_minutes(minutes: i64) -> Limit {
    Limit::WorkingTime { seconds: minutes * 60 }
}

/// Working days.
pub fn days(days: u32) -> Limit {
    Limit::WorkingDays { days }
}

/// A rule of this name for the clock of the same name.
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

/// To be on site within so many minutes of the customer's report.
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

/// A year with the default hours, holidays `(name, first, last)` and make-up days, as month and day.
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

/// 2024 as far as the examples need it.
pub fn year_2024() -> Year {
    year(2024, &[("劳动节", "05-01", "05-05"), ("国庆节", "10-01", "10-07")], &["04-28", "05-11", "09-29", "10-12"])
}

/// A fact of this place in the log.
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

/// A publication of a policy, which is the operator's first.
pub fn published(position: u64, policy: Policy) -> PolicyFact {
    let event = PolicyEvent::Published(Box::new(PolicyPublished { policy }));
    PolicyFact {
        revision: 0,
        ..recorded(position, "sgcc".to_owned(), event, at("2000-01-01 00:00"), at("2000-01-01 00:00"))
    }
}

/// A publication of a year, which is the calendar's first.
pub fn in_force(position: u64, year: Year) -> YearFact {
    let event = YearPublished { year };
    YearFact {
        revision: 0,
        ..recorded(position, "cn".to_owned(), event, at("2000-01-01 00:00"), at("2000-01-01 00:00"))
    }
}

/// A registry in which these rules and the year 2024 always stood.
pub fn registry(rules: impl IntoIterator<Item = Rule>) -> PolicyRegistry {
    let mut registry = PolicyRegistry::default();
    registry.take_year(&in_force(1, year_2024()));
    registry.take_policy(&published(2, policy(rules)));
    registry
}

/// The position of a tale's first fact: after what [`registry`] publishes.
pub const FIRST: u64 = 3;

/// One ticket's facts so far, in the order of the log.
#[derive(Clone, Debug)]
pub struct Tale {
    pub facts: Vec<TicketFact>,
}

impl Tale {
    /// A ticket of the national centre.
    pub fn of(business: BusinessType, reading: &str) -> Self {
        Self { facts: Vec::new() }.and(reading, received(business))
    }

    /// A fault in an area of this kind.
    pub fn fault(area: Option<Area>, reading: &str) -> Self {
        Self::of(BusinessType::FaultRepair, reading).received_with(|e| e.place.area = area)
    }

    /// With a change to how it was received.
    pub fn received_with(mut self, change: impl FnOnce(&mut event::Received)) -> Self {
        if let Event::Received(received) = &mut self.facts[0].event {
            change(received);
        }
        self
    }

    /// Carried over from another system's records, and learnt then.
    pub fn imported(mut self, learnt: &str) -> Self {
        (self.facts[0].actor.role, self.facts[0].recorded_at) = (Role::Importer, at(learnt));
        self
    }

    /// What happened next, learnt at once.
    pub fn and(self, reading: &str, event: impl Into<Event>) -> Self {
        self.late(reading, reading, event)
    }

    /// What was learnt next, with the instant at which it had happened.
    pub fn late(mut self, happened: &str, learnt: &str, event: impl Into<Event>) -> Self {
        let position = FIRST + self.facts.len() as u64;
        let id: TicketId = ticket_id(1);
        let fact = recorded(position, id, event.into(), at(happened), at(learnt));
        self.facts.push(TicketFact { revision: self.facts.len() as u64, ..fact });
        self
    }

    /// The same without the facts of these names; the others keep their places in the log.
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self.facts.iter().filter(|fact| !names.contains(&fact.event.name()));
        Self { facts: kept.cloned().collect() }
    }

    /// What the clocks look at.
    pub fn clock_history(&self) -> ClockHistory {
        let mut clock_history = ClockHistory::new(ticket_id(1));
        for fact in &self.facts {
            clock_history.take(fact);
        }
        clock_history
    }

    /// Its clocks by these rules at an instant.
    pub fn judged(&self, rules: impl IntoIterator<Item = Rule>, now: &str) -> Vec<Clock> {
        judge(&self.clock_history(), &registry(rules), at(now))
    }

    /// The same in words, a line a clock: rule, cycle and lap, verdict, due.
    pub fn stands(&self, rules: impl IntoIterator<Item = Rule>, now: &str) -> Vec<String> {
        self.judged(rules, now).iter().map(line).collect()
    }

    /// The segments of its one clock in words.
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
                format!("{} to {} {kind}", told(segment.from), told(segment.to))
            })
            .collect()
    }
}

/// A clock in words.
pub fn line(clock: &Clock) -> String {
    let due = clock.due.map_or("not due".to_owned(), |due| format!("due {}", told(due)));
    format!("{} {}.{} {}, {due}", clock.rule().id, clock.cycle, clock.run_number, clock.verdict.as_str())
}

/// More time was granted.
pub fn extended(until: &str) -> Event {
    event::Extended { until: at(until), reason: text() }.into()
}

/// The work waits for this.
pub fn suspended(reason: crate::ticket::SuspendReason) -> Event {
    event::Suspended { reason, until: None, note: None }.into()
}

/// The work goes on.
pub fn resumed() -> Event {
    event::Resumed {}.into()
}

/// The crew is on site and says what kind of area it is.
pub fn arrived_in(area: Area) -> Event {
    event::CrewArrived { crew: org(crate::ticket::tests::sample::CREW), area: Some(area) }.into()
}

/// Taken up again.
pub fn reopened() -> Event {
    event::Reopened { cycle: 2, reason: text() }.into()
}

/// Filed away.
pub fn closed() -> Event {
    event::Closed { explanation: None }.into()
}
