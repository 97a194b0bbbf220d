//! Publication of policies and calendars: files are read, checked, and recorded as facts. If a file has faults, they
//! are reported together, each with its line, and nothing is recorded.

use std::{sync::Arc, time::Duration};

use chrono::Datelike;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    actor::Actor,
    sla::{
        policy::Policy,
        promise::VersionRef,
        publication::{Calendars, Policies, PolicyCommand, PolicyRejection, PublishYear, YearRejection},
        registry::{Edition, PolicyRegistry, Version},
    },
};
use switchboard_engine::command::{Aggregates, Failure, Outcome, Request};
use switchboard_wire::{
    calendar_file,
    command::is_of_engine,
    faults::Fault,
    identity::{self, Canonical},
    policy_file,
    refusal::Refusal,
};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::service::{
    Asked, Node,
    access::{Act, permit},
    promises::Promises,
    refusal,
};

/// The most bytes of faults in one refusal; at least one fault is included. Further faults are only counted. A refusal
/// travels in the trailers of a call, whose size is limited.
const FAULTS_BYTES_MAX: usize = 2_500;
/// The longest file name, in bytes.
const FILE_NAME_BYTES_MAX: usize = 128;
/// The most files that are read concurrently. Reading one may take a core for some milliseconds.
const FILES_READ_MAX: usize = 2;
/// The longest operator name, in bytes.
const OPERATOR_BYTES_MAX: usize = 32;

/// A policy or calendar file as a person wrote it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The file name that faults are reported with.
    pub name: String,
    /// The content of the file.
    pub text: String,
}

/// The fields of a request to publish other than the publication.
#[derive(Clone, Debug)]
pub struct ToPublish {
    /// The request id; `None` if the client gave none, or one that cannot be read.
    pub request_id: Option<Uuid>,
    /// As in [`Asked::former_hash`].
    pub former_hash: Option<String>,
}

/// The result of a publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Published {
    /// The version: the new one, or the newest if nothing changed. Number 0 if the file was only checked.
    pub version: Option<VersionRef>,
    /// The position of the version's fact; 0 if the file was only checked, and for an unchanged calendar.
    pub position: u64,
    /// True if an earlier, equal request published it.
    pub replayed: bool,
    /// True if the newest version has the same content.
    pub unchanged: bool,
}

impl Published {
    /// The result of a check, which records nothing.
    fn checked(name: String) -> Self {
        Self { version: Some(VersionRef { name, version: 0 }), ..Self::default() }
    }
}

/// The use cases of publication.
pub struct Publishing {
    node: Arc<Node>,
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
        promises: Arc<Promises>,
        policies: Aggregates<Policies>,
        calendars: Aggregates<Calendars>,
    ) -> Self {
        Self { node: Arc::clone(&promises.node), promises, policies, calendars }
    }

    /// Publishes a policy, either in force or as a shadow. If `to` is `None`, the policy is only checked. Returns the
    /// policy as read.
    ///
    /// # Errors
    /// The file has faults; the actor may not publish; or a refusal that every command can get.
    pub async fn policy(
        &self,
        file: &SourceFile,
        shadow: bool,
        to: Option<ToPublish>,
        actor: &Actor,
    ) -> Result<(Box<Policy>, Published), Refusal> {
        permit(actor, Act::ReadPolicies)?;
        let policy = Box::new(read_policy(file).await?);
        let operator = policy.operator.clone();
        let Some(to) = to else { return Ok((policy, Published::checked(operator))) };
        let command =
            if shadow { PolicyCommand::PublishShadow(policy.clone()) } else { PolicyCommand::Publish(policy.clone()) };
        let request = self.request(to, identity::of_policy(&operator, &command), actor)?;
        let published = match self.policies.execute(&operator, &command, &request).await {
            Err(Failure::Rejected(PolicyRejection::Unchanged)) => {
                let version = self.newest(&operator, shadow).await?;
                let position = version.as_ref().map_or(0, |version| version.position);
                let version = version.map(|version| version.reference());
                Published { version, position, replayed: false, unchanged: true }
            }
            outcome => self.published(operator, outcome, request.request_id).await?,
        };
        Ok((policy, published))
    }

    async fn newest(&self, operator: &str, shadow: bool) -> Result<Option<Arc<Version>>, Refusal> {
        let registry = self.promises.registry(self.node.head()).await?;
        let newest = |edition: &Edition| {
            if shadow { edition.shadow(operator).cloned() } else { edition.versions(operator).last().cloned() }
        };
        Ok(registry.newest().and_then(|edition| newest(edition)))
    }

    /// Returns the recorded version, once the clock histories include it.
    async fn published<D: switchboard_engine::journal::Aggregate>(
        &self,
        name: String,
        outcome: Result<Outcome<D>, Failure<D::Rejection>>,
        request_id: Uuid,
    ) -> Result<Published, Refusal> {
        let Outcome { position, revision, replayed, .. } = outcome.map_err(|failure| unsound(failure, request_id))?;
        self.promises.reach(Some(position)).await?;
        let version = Some(VersionRef { name, version: revision + 1 });
        Ok(Published { version, position, replayed, unchanged: false })
    }

    /// Ends an operator's shadow policy. Returns `None` if there is none.
    ///
    /// # Errors
    /// The actor may not publish; or a refusal that every command can get.
    pub async fn end_shadow(&self, operator: &str, to: ToPublish, actor: &Actor) -> Result<Option<Published>, Refusal> {
        permit(actor, Act::ReadPolicies)?;
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=OPERATOR_BYTES_MAX).contains(&operator.len()) || !operator.bytes().all(sound) {
            return Err(Refusal::InvalidFields(vec![Violation::malformed("operator", "an operator's name")]));
        }
        let command = PolicyCommand::EndShadow;
        let request = self.request(to, identity::of_policy(operator, &command), actor)?;
        match self.policies.execute(&operator.to_owned(), &command, &request).await {
            Ok(Outcome { position, replayed, .. }) => {
                Ok(Some(Published { position, replayed, ..Published::default() }))
            }
            Err(Failure::Rejected(PolicyRejection::NoShadow)) => Ok(None),
            Err(failure) => Err(unsound(failure, request.request_id)),
        }
    }

    /// Publishes one year of a calendar. If `to` is `None`, the year is only checked. Returns the year as read.
    ///
    /// # Errors
    /// The file has faults; the actor may not publish; or a refusal that every command can get.
    pub async fn calendar(
        &self,
        file: &SourceFile,
        to: Option<ToPublish>,
        actor: &Actor,
    ) -> Result<(PublishYear, Published), Refusal> {
        permit(actor, Act::ReadPolicies)?;
        let (name, year) = read_file(file, calendar_file::read).await?;
        let command = PublishYear { year };
        let Some(to) = to else { return Ok((command, Published::checked(name))) };
        let request = self.request(to, identity::of_calendar(&name, &command), actor)?;
        let published = match self.calendars.execute(&name, &command, &request).await {
            Err(Failure::Rejected(YearRejection::Unchanged)) => {
                let registry = self.promises.registry(self.node.head()).await?;
                let version = registry.newest().map(|edition| edition.calendar_version(&name).reference());
                Published { version, unchanged: true, ..Published::default() }
            }
            outcome => self.published(name, outcome, request.request_id).await?,
        };
        Ok((command, published))
    }

    /// Returns the registry of all publications, and the engine's time.
    ///
    /// # Errors
    /// The actor may not ask.
    pub async fn registry(&self, actor: &Actor) -> Result<(Arc<PolicyRegistry>, Timestamp), Refusal> {
        permit(actor, Act::ReadPolicies)?;
        Ok((self.promises.registry(self.node.head()).await?, self.node.now()))
    }

    /// The engine's request for a publication. The actor must have the permission to publish.
    fn request(&self, to: ToPublish, command: Canonical, actor: &Actor) -> Result<Request, Refusal> {
        permit(actor, Act::Publish)?;
        let form = "a UUID that is not nil and not of version 8";
        let malformed = || Refusal::InvalidFields(vec![Violation::malformed("request_id", form)]);
        let ToPublish { request_id, former_hash } = to;
        let request_id = request_id.filter(|id| !id.is_nil() && !is_of_engine(*id)).ok_or_else(malformed)?;
        let asked = Asked { request_id, occurred_at: None, etag: None, former_hash };
        Ok(self.node.request(asked, command, actor))
    }
}

/// Converts a failure to publish. A rejection by the domain is an internal error: the file was read without faults.
fn unsound<R: std::fmt::Debug>(failure: Failure<R>, request_id: Uuid) -> Refusal {
    refusal(failure, request_id, |rejection| Refusal::Internal { incident: format!("{rejection:?}") })
}

/// Reads a policy file.
///
/// # Errors
/// The faults of the file, each with its line.
pub(crate) async fn read_policy(file: &SourceFile) -> Result<Policy, Refusal> {
    read_file(file, policy_file::read).await
}

/// Reads a file on a thread that may block. At most `FILES_READ_MAX` files are read concurrently.
async fn read_file<T: Send + 'static>(
    file: &SourceFile,
    read: impl FnOnce(&str, &str) -> Result<T, Vec<Fault>> + Send + 'static,
) -> Result<T, Refusal> {
    static PLACES: Semaphore = Semaphore::const_new(FILES_READ_MAX);
    if file.name.len() > FILE_NAME_BYTES_MAX {
        let problem = Problem::TooLong { limit: FILE_NAME_BYTES_MAX };
        return Err(Refusal::InvalidFields(vec![Violation { field: "file_name", problem }]));
    }
    let place = PLACES.acquire().await.map_err(|_| Refusal::Draining)?;
    let SourceFile { name, text } = file.clone();
    let answer = tokio::task::spawn_blocking(move || {
        let _place = place;
        read(&name, &text)
    });
    let answer = answer.await.map_err(|error| Refusal::Internal { incident: error.to_string() })?;
    answer.map_err(|faults| faulty(&file.name, &faults))
}

/// Converts a file's faults: as many as a refusal can carry, and the number of the others.
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

/// The interval of the coverage check.
const COVERAGE_INTERVAL: Duration = Duration::from_secs(60);
/// The delay of the first check after the start, because the operator may publish first.
const COVERAGE_GRACE: Duration = Duration::from_secs(30);

/// Logs a warning when a calendar of a policy in force lacks this year or, in December, the next year. The days of such
/// a year count Monday to Friday. Also logs a warning when no policy is published. Each finding is logged once, until
/// it changes.
pub(crate) async fn watch_coverage(promises: Arc<Promises>) {
    // The publications are known only when the clock histories have caught up.
    if promises.reach(Some(promises.node.head())).await.is_err() {
        return;
    }
    let mut told = None;
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + COVERAGE_GRACE, COVERAGE_INTERVAL);
    loop {
        ticks.tick().await;
        let found = uncovered(&promises.clock_histories.registry(), promises.node.now());
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

/// The calendar years that are needed and missing; `None` if no policy is published.
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
