//! Clocks, policies, calendars and indicators in messages of the API. They contain no personal data, so nothing is
//! masked.

use std::collections::BTreeMap;

use chrono::Datelike;
use prost_types::Timestamp as WireTimestamp;
use switchboard_domain::{
    Timestamp,
    fact::{PromiseFact, TicketFact},
    sla::{
        average::Mean,
        calendar::Year,
        clock::{Kind, Segment},
        clock_history::ClockHistory,
        judge::{Clock, Verdict},
        policy::{Average, Title},
        promise::{Event, VersionRef},
        registry::{CalendarVersion, PolicyRegistry, Version},
    },
};
use switchboard_views::{
    advice::Language,
    comparison::{self, Comparison, Flip},
    kpi::{self, Kpi},
    promises,
};
use switchboard_wire::{answer, policy_file, proto, stored, stored::Stored};
use uuid::Uuid;

use crate::service::{
    figures::{Averages, Compared as Said},
    promises::Explained,
    publishing::Published,
};

/// The event id of each fact of a ticket, by position.
fn fact_ids(facts: &[TicketFact]) -> BTreeMap<u64, Uuid> {
    let mut ids = BTreeMap::new();
    let mut index = 0;
    for (at, fact) in facts.iter().enumerate() {
        // The facts of one request are adjacent.
        index = if at > 0 && facts[at - 1].request_id == fact.request_id { index + 1 } else { 0 };
        ids.insert(fact.position, stored::event_id(fact.request_id, index));
    }
    ids
}

/// Converts all clocks of a ticket.
pub(crate) fn explained(explained: &Explained, language: Language) -> proto::ExplainPromisesResponse {
    let Explained { clocks, clock_history, facts, said, at, position, no_policy } = explained;
    let ids = fact_ids(facts);
    let promises = clocks.iter().map(|clock| promise(clock, clock_history, said, &ids, *at, language)).collect();
    let at = Some(answer::timestamp(*at));
    proto::ExplainPromisesResponse { promises, at, position: *position, no_policy: *no_policy }
}

/// Converts one judged clock and its announcements.
fn promise(
    clock: &Clock,
    clock_history: &ClockHistory,
    said: &[PromiseFact],
    ids: &BTreeMap<u64, Uuid>,
    now: Timestamp,
    language: Language,
) -> proto::Promise {
    let (rule, key) = (clock.rule(), clock.key());
    let of_it = |fact: &&PromiseFact| fact.event.judged().key == key;
    proto::Promise {
        clock: key.clock.clone(),
        cycle: key.cycle.into(),
        run_number: key.run_number.into(),
        rule: rule.id.clone(),
        rule_hash: rule.hash.clone(),
        title: title(&rule.title, language),
        source: rule.source.clone(),
        policy: Some(version(&clock.version)),
        calendar: Some(calendar_version(&clock.calendar_version)),
        limit: policy_file::limit_text(&rule.limit),
        started_at: Some(answer::timestamp(clock.run.start)),
        due_at: clock.due.map(answer::timestamp),
        ended_at: clock.run.end.map(|end| answer::timestamp(end.at)),
        verdict: verdict(clock.verdict).into(),
        owner: promises::answerable(clock, clock_history, now).map(String::from).unwrap_or_default(),
        segments: clock.segments(now).iter().map(|part| segment(part, clock_history, ids)).collect(),
        announcements: said.iter().filter(of_it).map(announcement).collect(),
        years_assumed: clock.years_assumed(now),
        sentence: promises::sentence(clock, clock_history, now, language),
    }
}

fn segment(segment: &Segment, clock_history: &ClockHistory, ids: &BTreeMap<u64, Uuid>) -> proto::Segment {
    let (kind, reason) = match &segment.kind {
        Kind::Running => (proto::SegmentKind::Running, String::new()),
        Kind::Paused => {
            let word = promises::reason(clock_history, segment.because);
            (proto::SegmentKind::Paused, word.map(|word| word.as_str().to_owned()).unwrap_or_default())
        }
        Kind::Closed(name) => (proto::SegmentKind::Closed, name.clone().unwrap_or_default()),
    };
    proto::Segment {
        from: Some(answer::timestamp(segment.from)),
        to: Some(answer::timestamp(segment.to)),
        kind: kind.into(),
        reason,
        fact_id: ids.get(&segment.because).map(Uuid::to_string).unwrap_or_default(),
        fact_position: segment.because,
    }
}

fn announcement(fact: &PromiseFact) -> proto::Announcement {
    let judged = fact.event.judged();
    let (level, told) = match &fact.event {
        Event::Warned(warned) => (warned.level.into(), warned.tell.as_str().to_owned()),
        Event::Breached(_) | Event::Overturned(_) => (0, String::new()),
    };
    proto::Announcement {
        kind: fact.event.kind().to_owned(),
        position: fact.position,
        recorded_at: Some(answer::timestamp(fact.recorded_at)),
        level,
        due_at: Some(answer::timestamp(judged.due)),
        owner: judged.owner.as_str().to_owned(),
        told,
        policy: Some(reference(&judged.policy)),
        calendar: Some(reference(&judged.calendar)),
    }
}

fn verdict(verdict: Verdict) -> proto::Verdict {
    match verdict {
        Verdict::Running => proto::Verdict::Running,
        Verdict::Paused => proto::Verdict::Paused,
        Verdict::Kept => proto::Verdict::Kept,
        Verdict::Breached => proto::Verdict::Breached,
        Verdict::Cancelled => proto::Verdict::Cancelled,
    }
}

fn title(title: &Title, language: Language) -> String {
    match language {
        Language::Chinese => title.zh.clone(),
        Language::English => title.en.clone(),
    }
}

fn reference(reference: &VersionRef) -> proto::VersionRef {
    proto::VersionRef { name: reference.name.clone(), version: reference.version }
}

/// The name and number of a policy.
fn version(version: &Version) -> proto::VersionRef {
    reference(&version.reference())
}

/// The name and number of a calendar.
fn calendar_version(calendar_version: &CalendarVersion) -> proto::VersionRef {
    reference(&calendar_version.reference())
}

/// The version that a publication made.
pub(crate) fn published(published: &Published) -> Option<proto::VersionRef> {
    published.version.as_ref().map(reference)
}

/// All published versions of an operator's policy. An empty `operator` selects all operators.
pub(crate) fn policies(registry: &PolicyRegistry, operator: &str, language: Language) -> Vec<proto::PolicyView> {
    let published = |position: u64| {
        let edition = registry.editions().iter().find(|edition| edition.position == position);
        edition.map(|edition| answer::timestamp(edition.recorded))
    };
    let mut policies = Vec::new();
    let Some(newest) = registry.newest() else { return policies };
    for operator in newest.operators().filter(|name| operator.is_empty() || *name == operator) {
        let shown = newest.versions(operator).iter().map(|version| (version, false));
        for (version, shadow) in shown.chain(newest.shadow(operator).map(|version| (version, true))) {
            policies.push(policy(version, published(version.position), shadow, language));
        }
    }
    policies
}

/// All published years of every calendar. `missing` lists the years without a publication, from the first published
/// year to the next calendar year.
pub(crate) fn calendars(registry: &PolicyRegistry, now: Timestamp) -> Vec<proto::CalendarView> {
    let Some(newest) = registry.newest() else { return Vec::new() };
    let coming = switchboard_domain::sla::china_time(now).year() + 1;
    let in_force = |operator: &&str| newest.version(operator, now).map(|version| version.policy.calendar.as_str());
    let calendars = newest.calendar_versions().map(|calendar| {
        let years: Vec<&Year> = calendar.calendar.years().collect();
        let first = years.first().map_or(coming, |year| year.year);
        proto::CalendarView {
            version: Some(calendar_version(calendar)),
            missing: (first..=coming).filter(|year| !calendar.calendar.covers(*year)).collect(),
            years: years.into_iter().map(year).collect(),
            operators: newest
                .operators()
                .filter(|operator| in_force(operator) == Some(calendar.name.as_str()))
                .map(str::to_owned)
                .collect(),
        }
    });
    calendars.collect()
}

fn year(year: &Year) -> proto::CalendarYear {
    let days = year.days();
    proto::CalendarYear {
        year: year.year,
        working_days: days.working,
        weekdays_off: days.weekdays_off,
        weekends_worked: days.weekends_worked,
        source: year.source.clone(),
    }
}

/// Converts one version of a policy.
fn policy(
    published: &Version,
    published_at: Option<WireTimestamp>,
    shadow: bool,
    language: Language,
) -> proto::PolicyView {
    let policy = &published.policy;
    let clocks = policy.rules.iter().map(|rule| proto::RuleView {
        id: rule.id.clone(),
        clock: rule.clock.clone(),
        title: title(&rule.title, language),
        limit: policy_file::limit_text(&rule.limit),
        source: rule.source.clone(),
        hash: rule.hash.clone(),
    });
    let averages = policy.averages.iter().map(|average| proto::RuleView {
        id: average.id.clone(),
        clock: "average".to_owned(),
        title: title(&average.title, language),
        limit: policy_file::seconds_text(average.limit_seconds),
        source: average.source.clone(),
        hash: average.hash.clone(),
    });
    proto::PolicyView {
        version: Some(version(published)),
        effective_from: Some(answer::timestamp(policy.effective_from)),
        published_at,
        position: published.position,
        calendar: policy.calendar.clone(),
        source: policy.source.clone(),
        shadow,
        rules: clocks.chain(averages).collect(),
    }
}

/// Converts the definition of an indicator.
pub(crate) fn kpi(kpi: &Kpi, language: Language) -> proto::KpiDefinition {
    proto::KpiDefinition {
        name: kpi.name.to_owned(),
        title_zh: kpi.title.zh.to_owned(),
        title_en: kpi.title.en.to_owned(),
        numerator: kpi.numerator.tell(language).to_owned(),
        denominator: kpi.denominator.tell(language).to_owned(),
        period_rule: kpi.period.tell(language).to_owned(),
        exclusions: kpi.exclusions_told(language),
        attribution: kpi.attribution.tell(language).to_owned(),
        source: kpi.source.tell(language).to_owned(),
        unit: kpi.unit.as_str().to_owned(),
        missing: kpi.missing().map(|text| text.tell(language).to_owned()).unwrap_or_default(),
    }
}

/// Converts one indicator of one unit.
#[expect(clippy::cast_precision_loss, reason = "counts and seconds stay far below 2^53")]
pub(crate) fn kpi_value(value: kpi::Value) -> proto::KpiValue {
    proto::KpiValue {
        name: value.name.to_owned(),
        org: value.unit.map(String::from).unwrap_or_default(),
        numerator: value.numerator as f64,
        denominator: value.denominator as f64,
        value: value.value,
        unit: value.given_in.as_str().to_owned(),
    }
}

/// Converts the averages that a policy promises.
pub(crate) fn averages(averages: &Averages, language: Language) -> proto::GetAveragesResponse {
    let Averages { version, means, position } = averages;
    let rules = version.policy.averages.iter().zip(means);
    let values = rules.flat_map(|(rule, means)| means.iter().map(move |mean| average(rule, mean, version, language)));
    proto::GetAveragesResponse { values: values.collect(), position: *position }
}

/// Converts one promised average of one unit.
fn average(rule: &Average, mean: &Mean, judged_by: &Version, language: Language) -> proto::AverageValue {
    proto::AverageValue {
        rule: rule.id.clone(),
        title: title(&rule.title, language),
        org: mean.unit.as_str().to_owned(),
        tickets: mean.tickets,
        mean_seconds: mean.seconds,
        limit_seconds: rule.limit_seconds,
        kept: mean.kept,
        window_days: rule.window_days,
        policy_version: judged_by.number,
    }
}

/// The messages of a comparison. Two calls stream them, each in its own response type.
pub(crate) trait Compared: Send + 'static {
    fn progress(progress: proto::Progress) -> Self;
    fn flip(flip: proto::Flip) -> Self;
    fn summary(summary: proto::Comparison) -> Self;
}

macro_rules! compared {
    ($response:ident, $of:ident) => {
        impl Compared for proto::$response {
            fn progress(progress: proto::Progress) -> Self {
                Self { message: Some(proto::$of::Message::Progress(progress)) }
            }
            fn flip(flip: proto::Flip) -> Self {
                Self { message: Some(proto::$of::Message::Flip(flip)) }
            }
            fn summary(summary: proto::Comparison) -> Self {
                Self { message: Some(proto::$of::Message::Summary(summary)) }
            }
        }
    };
}

compared!(BacktestPolicyResponse, backtest_policy_response);
compared!(ListDisagreementsResponse, list_disagreements_response);

/// Converts one message of a comparison.
pub(crate) fn compared<M: Compared>(said: &Said) -> M {
    match said {
        Said::Progress(tickets) => M::progress(proto::Progress { tickets: *tickets }),
        Said::Flip(found) => M::flip(flip(found)),
        Said::Summary(found, position) => M::summary(comparison(found, *position)),
    }
}

/// Converts a clock that two policies judge differently.
fn flip(flip: &Flip) -> proto::Flip {
    proto::Flip {
        ticket: flip.ticket.to_string(),
        clock: flip.key.clock.clone(),
        cycle: flip.key.cycle.into(),
        run_number: flip.key.run_number.into(),
        org: flip.org.as_str().to_owned(),
        business: flip.business.as_str().to_owned(),
        was: comparison::word(flip.was).to_owned(),
        was_rule: flip.was_rule.clone(),
        would_be: comparison::word(flip.would_be).to_owned(),
        would_be_rule: flip.would_be_rule.clone(),
    }
}

/// Converts the summary of a comparison.
fn comparison(comparison: &Comparison, position: u64) -> proto::Comparison {
    let counts = comparison.counts().map(|(kind, count)| proto::FlipCount {
        org: kind.org.as_str().to_owned(),
        business: kind.business.as_str().to_owned(),
        clock: kind.clock.clone(),
        was: kind.was.to_owned(),
        would_be: kind.would_be.to_owned(),
        count,
    });
    proto::Comparison {
        tickets: comparison.tickets(),
        clocks: comparison.clocks(),
        flips: comparison.flips(),
        counts: counts.collect(),
        position,
    }
}
