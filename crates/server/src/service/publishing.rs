//! Publishing policies and calendars: read from their files, checked, recorded as facts. Faults are told with their
//! line, all at once, and nothing is recorded then.

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

/// Of a file's faults so many bytes are told, and how many more there are: a refusal travels in a call's trailers,
/// which hold little.
const FAULTS_BYTES_MAX: usize = 2_500;
/// The longest name of a file, in bytes.
const FILE_NAME_BYTES_MAX: usize = 128;
/// Files read at once: reading one may take a core for some milliseconds.
const FILES_READ_MAX: usize = 2;
/// The longest name of an operator, in bytes.
const OPERATOR_BYTES_MAX: usize = 32;

/// A file that a person wrote.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name, for the faults.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// What a request to publish brings beside what it publishes.
#[derive(Clone, Debug)]
pub struct ToPublish {
    /// Its id; `None` where the caller gave none, or one that cannot be read.
    pub request_id: Option<Uuid>,
    /// As in [`Asked::former_hash`].
    pub former_hash: Option<String>,
}

/// What came of publishing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Published {
    /// The version in question; number 0 for one that was only checked.
    pub version: Option<VersionRef>,
    /// The position of its fact; 0 where none was recorded.
    pub position: u64,
    /// Whether an earlier, same request published it.
    pub replayed: bool,
    /// Whether the newest version says the same.
    pub unchanged: bool,
}

impl Published {
    /// Nothing is recorded of what is only checked.
    fn checked(name: String) -> Self {
        Self { version: Some(VersionRef { name, version: 0 }), ..Self::default() }
    }
}

/// Everything that publishes.
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

    /// Publishes a policy, as the one in force or as a shadow; only checks it when `to` is `None`. Answers the policy
    /// as read.
    ///
    /// # Errors
    /// The file's faults; an actor who may not; what every command can meet.
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

    /// A version that was recorded, once the clock histories know it.
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

    /// Ends an operator's shadow; `None` when there was none.
    ///
    /// # Errors
    /// An actor who may not; what every command can meet.
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

    /// Publishes one year of a calendar; only checks it when `to` is `None`. Answers the year as read.
    ///
    /// # Errors
    /// The file's faults; an actor who may not; what every command can meet.
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

    /// Everything that is published, and the engine's time.
    ///
    /// # Errors
    /// An actor who may not ask.
    pub async fn registry(&self, actor: &Actor) -> Result<(Arc<PolicyRegistry>, Timestamp), Refusal> {
        permit(actor, Act::ReadPolicies)?;
        Ok((self.promises.registry(self.node.head()).await?, self.node.now()))
    }

    /// The engine's request for one to publish, from an actor who may.
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

/// A failure to publish. The file was read without fault, so that the domain finds none either.
fn unsound<R: std::fmt::Debug>(failure: Failure<R>, request_id: Uuid) -> Refusal {
    refusal(failure, request_id, |rejection| Refusal::Internal { incident: format!("{rejection:?}") })
}

/// Reads a policy file.
///
/// # Errors
/// Its faults, each with its line.
pub(crate) async fn read_policy(file: &SourceFile) -> Result<Policy, Refusal> {
    read_file(file, policy_file::read).await
}

/// Reads a file off the async threads, a few at a time.
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

/// Says loudly when a calendar that a policy in force reads lacks this year or, from December on, the coming one: its
/// days then count Monday to Friday. Also says when nothing is published at all.
pub(crate) async fn watch_coverage(promises: Arc<Promises>) {
    // Until the clock histories have caught up, what is published is not known.
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
