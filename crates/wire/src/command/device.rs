//! Requests from a crew's device: bundles of steps, and positions. The device's clock may be wrong, so the device sends
//! the offset that corrects it. The corrected clock is checked against the server's time, which the caller passes.

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

/// The most steps in one bundle.
pub const STEPS_MAX: usize = 200;
/// The largest offset, in days, in either direction. It can correct any year from 1 to 9999, so an offset that the
/// server returned is always permitted.
pub const OFFSET_DAYS_MAX: i64 = 9_999 * 366;
/// The largest permitted error of a corrected device clock, in minutes.
pub const CLOCK_OFF_MINUTES_MAX: i64 = 10;
/// The method name from which the id of a step's request is derived, whichever bundle carries the step.
pub const STEPS_METHOD: &str = "ReportSteps";

/// The clock of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceClock {
    /// Its uncorrected time.
    pub shows: Timestamp,
    /// The offset to add.
    pub offset: TimeDelta,
}

impl DeviceClock {
    /// The corrected time.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.shows + self.offset
    }

    /// Checks that the corrected clock is accurate enough to date events.
    ///
    /// # Errors
    /// [`Refusal::DeviceClock`] with the offset that would correct the clock, when its error exceeds
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

/// Checks the `occurred_at` of a header as the time of a clock without an offset.
///
/// # Errors
/// As for [`DeviceClock::check`]; the caller must repeat the request without `occurred_at`.
pub fn check_occurred_at(occurred_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    DeviceClock { shows: occurred_at, offset: TimeDelta::zero() }.checked(now, false)
}

/// The instant of a step that is received at `now` from an accurate clock. An instant slightly ahead of `now` is the
/// clock's error and becomes `now`. An instant further ahead is kept, so that the step is rejected as being in the
/// future.
#[must_use]
pub fn happened(step: Timestamp, now: Timestamp) -> Timestamp {
    if step - now <= TimeDelta::minutes(CLOCK_OFF_MINUTES_MAX) { step.min(now) } else { step }
}

/// A bundle of steps. Each step is read by [`step`], so that an invalid one is rejected alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle<'r> {
    /// The crew.
    pub crew: CrewId,
    /// The clock that dated the steps.
    pub clock: DeviceClock,
    /// The steps, in the order of the request.
    pub steps: &'r [proto::StepReport],
}

/// Reads the fields of a bundle, except its steps.
///
/// # Errors
/// All violations at once; none is about a single step.
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
    /// The header of the command. `occurred_at` is corrected by the device's offset.
    pub header: Header,
    /// The command, with every instant corrected.
    pub command: Command,
    /// The command and its instant as the device's clock showed them. They identify the request: a device that learns
    /// another offset between two tries repeats the same request.
    pub shown: (Command, Timestamp),
}

/// Reads one step and corrects every instant by the device's `offset`.
///
/// # Errors
/// All violations at once, by their paths in the step.
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

/// A position that a device reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionReport {
    /// The crew.
    pub crew: CrewId,
    /// The position.
    pub at: Point,
    /// Accuracy, in metres; 0 when unknown.
    pub accuracy_m: u32,
    /// The device's clock at that time.
    pub clock: DeviceClock,
}

/// Reads a position report.
///
/// # Errors
/// All violations at once.
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

/// The corrected instant; an instant that cannot be stored is a violation.
fn corrected(reader: &mut Reader, field: &'static str, shown: Timestamp, offset: TimeDelta) -> Timestamp {
    let meant = shown.checked_add_signed(offset).and_then(|at| instant(&timestamp(at)));
    if meant.is_none() {
        reader.malformed(field, "an instant of the years 1 to 9999");
    }
    meant.unwrap_or(shown)
}
