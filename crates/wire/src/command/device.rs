//! What a crew's device reports: bundles of steps and positions, by a clock that may be wrong. The device says what is to be
//! added to its clock; whether that is enough is judged against the time that a caller brings.

use chrono::TimeDelta;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    actor::Actor,
    crew::{CrewId, Point},
    ticket::{Command, Step, TicketId},
};
use uuid::Uuid;

use super::{Header, TicketRef, reader::Reader, requests};
use crate::{
    answer::{instant, timestamp},
    proto::{self, report_progress_request::Step as WireStep, step_report},
    refusal::Refusal,
};

/// The most steps of one bundle.
pub const STEPS_MAX: usize = 200;
/// The most that may be added to a device's clock, or taken from it, in days: it sets right whatever year of 1 to 9999 a device
/// shows, so that an offset which the server told is always taken.
pub const OFFSET_DAYS_MAX: i64 = 9_999 * 366;
/// How far a device's clock may be off after its correction, in minutes.
pub const CLOCK_OFF_MINUTES_MAX: i64 = 10;
/// The method under which a step's identity is made, whichever bundle brings it.
pub const STEPS_METHOD: &str = "ReportSteps";

/// A device's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceClock {
    /// What it shows, uncorrected.
    pub shows: Timestamp,
    /// What is to be added to it.
    pub offset: TimeDelta,
}

impl DeviceClock {
    /// The time that it means.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.shows + self.offset
    }

    /// Whether it is good enough to place what happened by it.
    ///
    /// # Errors
    /// [`Refusal::DeviceClock`] with the whole offset that would set it right, when it is off by more than
    /// [`CLOCK_OFF_MINUTES_MAX`] at the server's time `now`.
    pub fn check(self, now: Timestamp) -> Result<(), Refusal> {
        self.checked(now, true)
    }

    fn checked(self, now: Timestamp, takes_offset: bool) -> Result<(), Refusal> {
        if (now - self.time()).abs() <= TimeDelta::minutes(CLOCK_OFF_MINUTES_MAX) {
            return Ok(());
        }
        Err(Refusal::DeviceClock { offset_ms: (now - self.shows).num_milliseconds(), takes_offset })
    }
}

/// Whether the `occurred_at` of a header is that of a clock good enough to place what is said at once; a header takes no offset.
///
/// # Errors
/// As for [`DeviceClock::check`]; it is to be sent again without `occurred_at`.
pub fn said_at(occurred_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    DeviceClock { shows: occurred_at, offset: TimeDelta::zero() }.checked(now, false)
}

/// When a step happened that is told at `now`, by a clock that was found good enough: what its being fast explains is now. What
/// lies further ahead stays there, to be refused for itself: it is a slip, and the true step is still to come.
#[must_use]
pub fn happened(step: Timestamp, now: Timestamp) -> Timestamp {
    if step - now <= TimeDelta::minutes(CLOCK_OFF_MINUTES_MAX) { step.min(now) } else { step }
}

/// A bundle of steps, each still to be read by [`step`]: one that cannot be read is refused for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle<'r> {
    /// Whose steps.
    pub crew: CrewId,
    /// The clock that placed them.
    pub clock: DeviceClock,
    /// They, in the order of the request.
    pub steps: &'r [proto::StepReport],
}

/// Reads the envelope of a bundle.
///
/// # Errors
/// Every violation at once; none is about a single step.
pub fn bundle<'r>(request: &'r proto::ReportStepsRequest, actor: &Actor) -> Result<Bundle<'r>, Vec<Violation>> {
    let mut reader = Reader::default();
    let crew = reader.crew_or_actors("crew", request.crew.as_deref(), actor);
    let shows = reader.required_time("device_time", request.device_time.as_ref());
    let offset = offset(&mut reader, request.clock_offset_ms);
    if request.steps.len() > STEPS_MAX {
        reader.refuse(Violation { field: "steps", problem: Problem::TooMany { limit: STEPS_MAX } });
    }
    reader.whole(crew.map(|crew| Bundle { crew, clock: DeviceClock { shows, offset }, steps: &request.steps }))
}

/// A step as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadStep {
    /// What every command carries; `occurred_at` is corrected by the device's offset.
    pub header: Header,
    /// The command, every instant in it corrected.
    pub command: Command,
    /// The command and its instant as the device's clock showed them. A device that learns another offset between two tries
    /// repeats the same request: what it showed identifies it.
    pub shown: (Command, Timestamp),
}

/// Reads one step; every instant in it is corrected by the device's `offset`.
///
/// # Errors
/// Every violation at once, by its path in the step.
pub fn step(report: &proto::StepReport, offset: TimeDelta) -> Result<ReadStep, Vec<Violation>> {
    let mut reader = Reader::default();
    let ticket = reader.ticket("ticket", &report.ticket);
    let request_id = reader.request_id("request_id", &report.request_id);
    let shown_at = reader.required_time("occurred_at", report.occurred_at.as_ref());
    let occurred_at = corrected(&mut reader, "occurred_at", shown_at, offset);
    let shown = requests::step(report.step.clone().map(WireStep::from).as_ref(), &mut reader);
    let step = shown.clone().map(|step| match step {
        Step::EtrSet { etr } => Step::EtrSet { etr: corrected(&mut reader, "etr_set.etr", etr, offset) },
        other => other,
    });
    let ticket = ticket.unwrap_or(TicketRef::Id(TicketId(Uuid::nil())));
    let header = Header { request_id, ticket, etag: None, occurred_at: Some(occurred_at) };
    let shown = (Command::ReportProgress(shown.unwrap_or(Step::Accepted)), shown_at);
    let (header, command) = reader.finish(header, step.map(Command::ReportProgress))?;
    Ok(ReadStep { header, command, shown })
}

impl From<step_report::Step> for WireStep {
    fn from(step: step_report::Step) -> Self {
        use step_report::Step as Reported;
        match step {
            Reported::Accepted(step) => Self::Accepted(step),
            Reported::EnRoute(step) => Self::EnRoute(step),
            Reported::Arrived(step) => Self::Arrived(step),
            Reported::Diagnosed(step) => Self::Diagnosed(step),
            Reported::EtrSet(step) => Self::EtrSet(step),
            Reported::Restored(step) => Self::Restored(step),
        }
    }
}

/// Where a crew is, as its device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionReport {
    /// The crew.
    pub crew: CrewId,
    /// Where it is.
    pub at: Point,
    /// Accuracy, in metres; 0 when unknown.
    pub accuracy_m: u32,
    /// The clock as it was then.
    pub clock: DeviceClock,
}

/// Reads a position.
///
/// # Errors
/// Every violation at once.
pub fn position(request: &proto::ReportPositionRequest, actor: &Actor) -> Result<PositionReport, Vec<Violation>> {
    let mut reader = Reader::default();
    let crew = reader.crew_or_actors("crew", request.crew.as_deref(), actor);
    if request.at.is_none() {
        reader.missing("at");
    }
    let at = reader.point(["at.latitude_e6", "at.longitude_e6"], request.at.as_ref());
    let shows = reader.required_time("observed_at", request.observed_at.as_ref());
    let clock = DeviceClock { shows, offset: offset(&mut reader, request.clock_offset_ms) };
    let report = crew.zip(at).map(|(crew, at)| PositionReport { crew, at, accuracy_m: request.accuracy_m, clock });
    reader.whole(report)
}

fn offset(reader: &mut Reader, milliseconds: i64) -> TimeDelta {
    let most = TimeDelta::days(OFFSET_DAYS_MAX);
    let sound = TimeDelta::try_milliseconds(milliseconds).filter(|offset| offset.abs() <= most);
    if sound.is_none() {
        reader.malformed("clock_offset_ms", "milliseconds, at most 9999 years of them either way");
    }
    sound.unwrap_or_default()
}

/// The instant that a device's clock meant, if it is one that can be stored.
fn corrected(reader: &mut Reader, field: &'static str, shown: Timestamp, offset: TimeDelta) -> Timestamp {
    let meant = shown.checked_add_signed(offset).and_then(|at| instant(&timestamp(at)));
    if meant.is_none() {
        reader.malformed(field, "an instant of the years 1 to 9999");
    }
    meant.unwrap_or(shown)
}
