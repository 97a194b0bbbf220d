//! Publishing policies and calendars: read from their files, checked, recorded as facts. Faults are told with their line, all at
//! once, and nothing is recorded then.

use std::{sync::Arc, time::Duration};

use chrono::{Datelike, NaiveDate, Weekday};
use prost::Message;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    actor::{Actor, Role},
    sla::{
        book::{Book, Edition, Version},
        calendar::{Calendar, Year},
        policy::Policy,
        publication::{Calendars, Policies, PolicyCommand, PolicyRejection, PublishYear, YearRejection},
    },
};
use switchboard_engine::{
    clock::Clock,
    command::{Aggregates, Failure, Outcome, Request},
};
use switchboard_views::advice::Language;
use switchboard_wire::{answer, calendar_file, faults::Fault, policy_file, proto, refusal::Refusal};
use uuid::Uuid;

use crate::{
    desk::{self, Desk},
    grpc::clocks,
    promises::Promises,
    readmodel::Dockets,
};

/// The most faults of one file that are told; a file with more is most likely not a policy at all.
const FAULTS_TOLD_MAX: usize = 50;

/// Everything that publishes.
pub struct Publishing {
    desk: Arc<Desk>,
    promises: Arc<Promises>,
    policies: Aggregates<Policies>,
    calendars: Aggregates<Calendars>,
}

impl std::fmt::Debug for Publishing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Publishing(..)")
    }
}

impl Publishing {
    pub(crate) fn new(
        desk: Arc<Desk>,
        promises: Arc<Promises>,
        policies: Aggregates<Policies>,
        calendars: Aggregates<Calendars>,
    ) -> Self {
        Self { desk, promises, policies, calendars }
    }

    /// Publishes a policy, or only checks it.
    ///
    /// # Errors
    /// The file's faults; an actor who is no operator; what every command can meet.
    pub(crate) async fn policy(
        &self,
        request: &proto::PublishPolicyRequest,
        actor: &Actor,
    ) -> Result<proto::PublishPolicyResponse, Refusal> {
        let policy = read_policy(&request.file_name, &request.text)?;
        let answer = proto::PublishPolicyResponse {
            version: Some(proto::VersionRef { name: policy.operator.clone(), version: 0 }),
            effective_from: Some(answer::timestamp(policy.effective_from)),
            rules: u32::try_from(policy.rules.len() + policy.averages.len()).unwrap_or(u32::MAX),
            ..proto::PublishPolicyResponse::default()
        };
        if request.dry_run {
            return Ok(answer);
        }
        let asked = self.request("PublishPolicy", &request.request_id, request, actor)?;
        let operator = policy.operator.clone();
        let policy = Box::new(policy);
        let command =
            if request.shadow { PolicyCommand::PublishShadow(policy) } else { PolicyCommand::Publish(policy) };
        let outcome = match self.policies.execute(&operator, &command, &asked).await {
            Err(Failure::Rejected(PolicyRejection::Unchanged)) => {
                let version = self.newest(&operator, request.shadow).await?;
                return Ok(proto::PublishPolicyResponse {
                    version: version.as_deref().map(clocks::version),
                    position: version.map_or(0, |version| version.position),
                    unchanged: true,
                    ..answer
                });
            }
            outcome => outcome.map_err(|failure| {
                desk::refusal(failure, asked.request_id, |rejection| {
                    // The file was read without fault, so that the domain finds none either.
                    Refusal::Internal { incident: format!("{rejection:?}") }
                })
            })?,
        };
        let version = proto::VersionRef { name: operator, version: outcome.revision + 1 };
        let Outcome { position, replayed, .. } = outcome;
        self.promises.reach(Some(position)).await?;
        Ok(proto::PublishPolicyResponse { version: Some(version), position, replayed, ..answer })
    }

    async fn newest(&self, operator: &str, shadow: bool) -> Result<Option<Arc<Version>>, Refusal> {
        let book = self.promises.book(self.desk.head()).await?;
        let newest = |edition: &Edition| {
            if shadow { edition.shadow(operator).cloned() } else { edition.versions(operator).last().cloned() }
        };
        Ok(book.newest().and_then(|edition| newest(edition)))
    }

    /// Ends an operator's shadow.
    ///
    /// # Errors
    /// An actor who is no operator; what every command can meet.
    pub(crate) async fn end_shadow(
        &self,
        request: &proto::EndShadowRequest,
        actor: &Actor,
    ) -> Result<proto::EndShadowResponse, Refusal> {
        if request.operator.is_empty() || request.operator.contains(['-', '/']) {
            return Err(Refusal::InvalidFields(vec![Violation::malformed("operator", "an operator's name")]));
        }
        let asked = self.request("EndShadow", &request.request_id, request, actor)?;
        match self.policies.execute(&request.operator, &PolicyCommand::EndShadow, &asked).await {
            Ok(outcome) => Ok(proto::EndShadowResponse { ended: true, position: outcome.position }),
            Err(Failure::Rejected(PolicyRejection::NoShadow)) => {
                Ok(proto::EndShadowResponse { ended: false, position: 0 })
            }
            Err(failure) => Err(desk::refusal(failure, asked.request_id, |rejection| Refusal::Internal {
                incident: format!("{rejection:?}"),
            })),
        }
    }

    /// Publishes one year of a calendar, or only checks it.
    ///
    /// # Errors
    /// The file's faults; an actor who is no operator; what every command can meet.
    pub(crate) async fn calendar(
        &self,
        request: &proto::PublishCalendarRequest,
        actor: &Actor,
    ) -> Result<proto::PublishCalendarResponse, Refusal> {
        let (name, year) = calendar_file::read(&request.file_name, &request.text)
            .map_err(|faults| faulty(&request.file_name, faults))?;
        let days = Days::of(&year);
        let answer = proto::PublishCalendarResponse {
            version: Some(proto::VersionRef { name: name.clone(), version: 0 }),
            year: year.year,
            working_days: days.working,
            ..proto::PublishCalendarResponse::default()
        };
        if request.dry_run {
            return Ok(answer);
        }
        let asked = self.request("PublishCalendar", &request.request_id, request, actor)?;
        match self.calendars.execute(&name, &PublishYear { year }, &asked).await {
            Ok(outcome) => {
                let version = Some(proto::VersionRef { name, version: outcome.revision + 1 });
                let Outcome { position, replayed, .. } = outcome;
                self.promises.reach(Some(position)).await?;
                Ok(proto::PublishCalendarResponse { version, position, replayed, ..answer })
            }
            Err(Failure::Rejected(YearRejection::Unchanged)) => {
                let book = self.promises.book(self.desk.head()).await?;
                let version = book.newest().map(|edition| clocks::almanac(&edition.almanac(&name)));
                Ok(proto::PublishCalendarResponse { version, unchanged: true, ..answer })
            }
            Err(failure) => Err(desk::refusal(failure, asked.request_id, |rejection| Refusal::Internal {
                incident: format!("{rejection:?}"),
            })),
        }
    }

    /// Every published version of every policy.
    pub(crate) async fn list_policies(
        &self,
        request: &proto::ListPoliciesRequest,
        language: Language,
    ) -> Result<proto::ListPoliciesResponse, Refusal> {
        let book = self.promises.book(self.desk.head()).await?;
        let published = |position: u64| {
            let edition = book.editions().iter().find(|edition| edition.position == position);
            edition.map(|edition| answer::timestamp(edition.recorded))
        };
        let mut policies = Vec::new();
        let Some(newest) = book.newest() else { return Ok(proto::ListPoliciesResponse { policies }) };
        for operator in newest.operators().filter(|name| request.operator.is_empty() || *name == request.operator) {
            let shown = newest.versions(operator).iter().map(|version| (version, false));
            for (version, shadow) in shown.chain(newest.shadow(operator).map(|version| (version, true))) {
                policies.push(clocks::policy(version, published(version.position), shadow, language));
            }
        }
        Ok(proto::ListPoliciesResponse { policies })
    }

    /// Every published year of every calendar.
    pub(crate) async fn list_calendars(&self) -> Result<proto::ListCalendarsResponse, Refusal> {
        let book = self.promises.book(self.desk.head()).await?;
        let Some(newest) = book.newest() else { return Ok(proto::ListCalendarsResponse { calendars: Vec::new() }) };
        let now = self.desk.tickets.clock().now();
        let coming = switchboard_domain::sla::china_time(now).year() + 1;
        let in_force = |operator: &&str| newest.version(operator, now).map(|version| version.policy.calendar.as_str());
        let calendars = newest.almanacs().map(|almanac| {
            let years: Vec<&Year> = almanac.calendar.years().collect();
            let first = years.first().map_or(coming, |year| year.year);
            proto::CalendarView {
                version: Some(clocks::almanac(almanac)),
                missing: (first..=coming).filter(|year| !almanac.calendar.covers(*year)).collect(),
                years: years.into_iter().map(|year| Days::of(year).view(year)).collect(),
                operators: newest
                    .operators()
                    .filter(|operator| in_force(operator) == Some(almanac.name.as_str()))
                    .map(str::to_owned)
                    .collect(),
            }
        });
        Ok(proto::ListCalendarsResponse { calendars: calendars.collect() })
    }

    /// The engine's request for one of the API's, from an actor who may publish.
    fn request(&self, method: &str, id: &str, body: &impl Message, actor: &Actor) -> Result<Request, Refusal> {
        if actor.role != Role::Operator {
            return Err(Refusal::NotPermitted { needed: "operator" });
        }
        let malformed = || Refusal::InvalidFields(vec![Violation::malformed("request_id", "a UUID")]);
        let id = Uuid::try_parse(id).ok().filter(|id| !id.is_nil()).ok_or_else(malformed)?;
        Ok(Request::new(id, self.desk.identity(method, actor, body), actor.clone()))
    }
}

/// Reads a policy file.
///
/// # Errors
/// All its faults, each with its line.
pub(crate) fn read_policy(file_name: &str, text: &str) -> Result<Policy, Refusal> {
    policy_file::read(file_name, text).map_err(|faults| faulty(file_name, faults))
}

fn faulty(file_name: &str, faults: Vec<Fault>) -> Refusal {
    let name = if file_name.is_empty() { "line " } else { file_name };
    let separator = if file_name.is_empty() { "" } else { ":" };
    let told = faults.into_iter().take(FAULTS_TOLD_MAX).map(|fault| Violation {
        field: "text",
        problem: Problem::Unreadable { detail: format!("{name}{separator}{}: {}", fault.line, fault.reason) },
    });
    Refusal::InvalidFields(told.collect())
}

/// How often it is looked whether the calendars reach far enough.
const COVERAGE_INTERVAL: Duration = Duration::from_secs(60);
/// Before it is first looked: whoever starts a server may be about to publish.
const COVERAGE_GRACE: Duration = Duration::from_secs(30);

/// Says loudly when a calendar that a policy in force reads lacks this year or, from December on, the coming one: its days then count
/// Monday to Friday. Also says when nothing is published at all.
pub(crate) async fn watch_coverage(dockets: Dockets, clock: Arc<dyn Clock>) {
    let mut told = None;
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + COVERAGE_GRACE, COVERAGE_INTERVAL);
    loop {
        ticks.tick().await;
        let found = uncovered(&dockets.book(), clock.now());
        let count = found.as_ref().map_or(0, Vec::len);
        metrics::gauge!("switchboard_calendar_years_missing").set(u32::try_from(count).unwrap_or(u32::MAX));
        if told.as_ref() != Some(&found) {
            match &found {
                None => {
                    tracing::warn!("no policy is published: tickets have no clocks; see `switchboard policy publish`")
                }
                Some(missing) => {
                    for (calendar, year) in missing {
                        tracing::warn!(
                            calendar,
                            year,
                            "a year is missing: its days count Monday to Friday until it is published"
                        );
                    }
                }
            }
            told = Some(found);
        }
    }
}

/// Which years of which calendars are needed and missing; `None` when no policy is published.
fn uncovered(book: &Book, now: Timestamp) -> Option<Vec<(String, i32)>> {
    let newest = book.newest().filter(|edition| edition.operators().next().is_some())?;
    let today = switchboard_domain::sla::china_time(now);
    let last = if today.month() == 12 { today.year() + 1 } else { today.year() };
    let mut missing = Vec::new();
    for version in newest.operators().filter_map(|operator| newest.version(operator, now)) {
        let almanac = newest.almanac(&version.policy.calendar);
        for year in (today.year()..=last).filter(|year| !almanac.calendar.covers(*year)) {
            missing.push((almanac.name.clone(), year));
        }
    }
    missing.sort();
    missing.dedup();
    Some(missing)
}

/// What kinds of days a year has.
struct Days {
    working: u32,
    weekdays_off: u32,
    weekends_worked: u32,
}

impl Days {
    fn of(year: &Year) -> Self {
        let calendar = Calendar::new([year.clone()]);
        let mut days = Self { working: 0, weekdays_off: 0, weekends_worked: 0 };
        let first = NaiveDate::from_ymd_opt(year.year, 1, 1);
        for date in first.into_iter().flat_map(|first| first.iter_days()).take_while(|date| date.year() == year.year) {
            let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            let works = calendar.is_working(date);
            days.working += u32::from(works);
            days.weekdays_off += u32::from(!works && !weekend);
            days.weekends_worked += u32::from(works && weekend);
        }
        days
    }

    fn view(&self, year: &Year) -> proto::CalendarYear {
        proto::CalendarYear {
            year: year.year,
            working_days: self.working,
            weekdays_off: self.weekdays_off,
            weekends_worked: self.weekends_worked,
            source: year.source.clone(),
        }
    }
}
