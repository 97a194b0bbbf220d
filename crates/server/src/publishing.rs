//! Publishing policies and calendars: read from their files, checked, recorded as facts. Faults are told with their line, all at
//! once, and nothing is recorded then.

use std::{sync::Arc, time::Duration};

use chrono::Datelike;
use prost::Message;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    actor::{Actor, Role},
    sla::{
        calendar::Year,
        policy::Policy,
        publication::{Calendars, Policies, PolicyCommand, PolicyRejection, PublishYear, YearRejection},
        registry::{Edition, PolicyRegistry, Version},
    },
};
use switchboard_engine::command::{Aggregates, Failure, Outcome, Request};
use switchboard_views::advice::Language;
use switchboard_wire::{answer, calendar_file, faults::Fault, policy_file, proto, refusal::Refusal};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    desk::{self, Desk},
    grpc::clocks,
    promises::Promises,
};

/// Of a file's faults so many bytes are told, and how many more there are: a refusal travels in a call's trailers, which hold little.
const FAULTS_BYTES_MAX: usize = 2_500;
/// The longest name of a file, in bytes.
const FILE_NAME_BYTES_MAX: usize = 128;
/// Files read at once: reading one may take a core for some milliseconds.
const FILES_READ_MAX: usize = 2;
/// The longest name of an operator, in bytes.
const OPERATOR_BYTES_MAX: usize = 32;

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
        let policy = read_policy(&request.file_name, &request.text).await?;
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
        let registry = self.promises.registry(self.desk.head()).await?;
        let newest = |edition: &Edition| {
            if shadow { edition.shadow(operator).cloned() } else { edition.versions(operator).last().cloned() }
        };
        Ok(registry.newest().and_then(|edition| newest(edition)))
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
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=OPERATOR_BYTES_MAX).contains(&request.operator.len()) || !request.operator.bytes().all(sound) {
            return Err(Refusal::InvalidFields(vec![Violation::malformed("operator", "an operator's name")]));
        }
        let asked = self.request("EndShadow", &request.request_id, request, actor)?;
        match self.policies.execute(&request.operator, &PolicyCommand::EndShadow, &asked).await {
            Ok(Outcome { position, replayed, .. }) => Ok(proto::EndShadowResponse { ended: true, position, replayed }),
            Err(Failure::Rejected(PolicyRejection::NoShadow)) => Ok(proto::EndShadowResponse::default()),
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
        let (name, year) = read_file(&request.file_name, &request.text, calendar_file::read).await?;
        let answer = proto::PublishCalendarResponse {
            version: Some(proto::VersionRef { name: name.clone(), version: 0 }),
            year: year.year,
            working_days: year.days().working,
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
                let registry = self.promises.registry(self.desk.head()).await?;
                let version =
                    registry.newest().map(|edition| clocks::calendar_version(&edition.calendar_version(&name)));
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
        let registry = self.promises.registry(self.desk.head()).await?;
        let published = |position: u64| {
            let edition = registry.editions().iter().find(|edition| edition.position == position);
            edition.map(|edition| answer::timestamp(edition.recorded))
        };
        let mut policies = Vec::new();
        let Some(newest) = registry.newest() else { return Ok(proto::ListPoliciesResponse { policies }) };
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
        let registry = self.promises.registry(self.desk.head()).await?;
        let Some(newest) = registry.newest() else { return Ok(proto::ListCalendarsResponse { calendars: Vec::new() }) };
        let now = self.desk.tickets.clock().now();
        let coming = switchboard_domain::sla::china_time(now).year() + 1;
        let in_force = |operator: &&str| newest.version(operator, now).map(|version| version.policy.calendar.as_str());
        let calendars = newest.calendar_versions().map(|calendar_version| {
            let years: Vec<&Year> = calendar_version.calendar.years().collect();
            let first = years.first().map_or(coming, |year| year.year);
            proto::CalendarView {
                version: Some(clocks::calendar_version(calendar_version)),
                missing: (first..=coming).filter(|year| !calendar_version.calendar.covers(*year)).collect(),
                years: years.into_iter().map(shown).collect(),
                operators: newest
                    .operators()
                    .filter(|operator| in_force(operator) == Some(calendar_version.name.as_str()))
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
/// Its faults, each with its line.
pub(crate) async fn read_policy(file_name: &str, text: &str) -> Result<Policy, Refusal> {
    read_file(file_name, text, policy_file::read).await
}

/// Reads a file off the async threads, a few at a time.
async fn read_file<T: Send + 'static>(
    file_name: &str,
    text: &str,
    read: impl FnOnce(&str, &str) -> Result<T, Vec<Fault>> + Send + 'static,
) -> Result<T, Refusal> {
    static PLACES: Semaphore = Semaphore::const_new(FILES_READ_MAX);
    if file_name.len() > FILE_NAME_BYTES_MAX {
        let problem = Problem::TooLong { limit: FILE_NAME_BYTES_MAX };
        return Err(Refusal::InvalidFields(vec![Violation { field: "file_name", problem }]));
    }
    let place = PLACES.acquire().await.map_err(|_| Refusal::Draining)?;
    let (name, text) = (file_name.to_owned(), text.to_owned());
    let answer = tokio::task::spawn_blocking(move || {
        let _place = place;
        read(&name, &text)
    });
    let answer = answer.await.map_err(|error| Refusal::Internal { incident: error.to_string() })?;
    answer.map_err(|faults| faulty(file_name, &faults))
}

/// A file's faults, as many as a refusal can carry, and how many more there are.
fn faulty(file_name: &str, faults: &[Fault]) -> Refusal {
    let prefix = if file_name.is_empty() { "line ".to_owned() } else { format!("{file_name}:") };
    let mut room = FAULTS_BYTES_MAX;
    let mut told = Vec::new();
    for fault in faults {
        let detail = format!("{prefix}{}: {}", fault.line, fault.reason);
        if detail.len() > room && !told.is_empty() {
            break;
        }
        room = room.saturating_sub(detail.len());
        told.push(detail);
    }
    if told.len() < faults.len() {
        told.push(format!("{} more are not told; `switchboard policy check` tells all", faults.len() - told.len()));
    }
    let violation = |detail| Violation { field: "text", problem: Problem::Unreadable { detail } };
    Refusal::InvalidFields(told.into_iter().map(violation).collect())
}

/// How often it is looked whether the calendars reach far enough.
const COVERAGE_INTERVAL: Duration = Duration::from_secs(60);
/// Before it is first looked: whoever starts a server may be about to publish.
const COVERAGE_GRACE: Duration = Duration::from_secs(30);

/// Says loudly when a calendar that a policy in force reads lacks this year or, from December on, the coming one: its days then count
/// Monday to Friday. Also says when nothing is published at all.
pub(crate) async fn watch_coverage(promises: Arc<Promises>) {
    // Until the clock histories have caught up, what is published is not known.
    if promises.reach(Some(promises.desk.head())).await.is_err() {
        return;
    }
    let mut told = None;
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + COVERAGE_GRACE, COVERAGE_INTERVAL);
    loop {
        ticks.tick().await;
        let found = uncovered(&promises.clock_histories.registry(), promises.now());
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
fn uncovered(registry: &PolicyRegistry, now: Timestamp) -> Option<Vec<(String, i32)>> {
    let newest = registry.newest().filter(|edition| edition.operators().next().is_some())?;
    let today = switchboard_domain::sla::china_time(now);
    let last = if today.month() == 12 { today.year() + 1 } else { today.year() };
    let mut missing = Vec::new();
    for version in newest.operators().filter_map(|operator| newest.version(operator, now)) {
        let calendar_version = newest.calendar_version(&version.policy.calendar);
        for year in (today.year()..=last).filter(|year| !calendar_version.calendar.covers(*year)) {
            missing.push((calendar_version.name.clone(), year));
        }
    }
    missing.sort();
    missing.dedup();
    Some(missing)
}

/// One year as it is shown.
fn shown(year: &Year) -> proto::CalendarYear {
    let days = year.days();
    proto::CalendarYear {
        year: year.year,
        working_days: days.working,
        weekdays_off: days.weekdays_off,
        weekends_worked: days.weekends_worked,
        source: year.source.clone(),
    }
}
