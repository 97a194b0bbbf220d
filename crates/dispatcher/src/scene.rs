//! Jobs and crews as prices need them: dense numbers on a plane and on one time axis, taken from the board once per
//! change.
//!
//! Absent: routes, which are the planner's, and all that the search does not look at, which stays on the board.

use std::sync::Arc;

use switchboard_domain::{Timestamp, crew::Skills, ticket::Area};

use crate::{
    board::Job,
    policy::Policy,
    repair,
    travel::{self, Plane, Spot},
};

/// One time axis and one plane for everything that is planned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    epoch_millis: i64,
    plane: Plane,
}

impl Frame {
    /// Time begins at `epoch`, which is taken down to its midnight (UTC).
    #[must_use]
    pub fn new(epoch: Timestamp, plane: Plane) -> Self {
        const DAY_MILLIS: i64 = 86_400_000;
        Self { epoch_millis: epoch.timestamp_millis().div_euclid(DAY_MILLIS) * DAY_MILLIS, plane }
    }

    /// Minutes since the epoch.
    #[must_use]
    pub fn minutes(&self, at: Timestamp) -> f64 {
        (at.timestamp_millis() - self.epoch_millis) as f64 / 60_000.0
    }

    /// The instant, to the millisecond; past what a timestamp can hold, the last that it can.
    #[must_use]
    pub fn instant(&self, minutes: f64) -> Timestamp {
        let millis = self.epoch_millis.saturating_add((minutes * 60_000.0).round() as i64);
        Timestamp::from_timestamp_millis(millis).unwrap_or(Timestamp::MAX_UTC)
    }

    /// The plane.
    #[must_use]
    pub fn plane(&self) -> &Plane {
        &self.plane
    }
}

/// A job as prices see it. Times are minutes of the [`Frame`].
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Where; `None` when nobody said.
    pub spot: Option<Spot>,
    /// Kind of area.
    pub area: Area,
    /// When it was reported.
    pub reported: f64,
    /// When a crew is promised on site.
    pub due: f64,
    /// Customers without power, within the most that a ticket may weigh.
    pub customers: f64,
    /// What is added for danger, importance and pressure, within the same.
    pub concern: f64,
    /// What is planned for the work on site, in minutes.
    pub repair: f64,
    /// How far that may be off: the scale of a logistic distribution.
    pub repair_spread: f64,
    /// The crew that it was last offered to; `None` before the first offer, and once a crew has it.
    pub told: Option<u32>,
}

impl Task {
    /// What a policy makes of a job; offered to nobody so far.
    #[must_use]
    pub fn of(policy: &Policy, frame: &Frame, job: &Job) -> Self {
        let (customers, concern) = job.weight(&policy.weights);
        let reported = frame.minutes(job.reported);
        let median = policy.repair_minutes(job.customers);
        Self {
            spot: job.at.map(|point| frame.plane().spot(point)),
            area: job.area,
            reported,
            due: frame.minutes(job.promised_from) + f64::from(policy.arrival_minutes(job.area)),
            customers,
            concern,
            repair: median * policy.repair.planned,
            repair_spread: repair::spread(&policy.repair, median),
            told: None,
        }
    }

    /// What it weighs.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.customers + self.concern
    }
}

/// A crew as prices see it. Times are minutes of the [`Frame`].
#[derive(Clone, Debug)]
pub struct Team {
    /// Its number.
    pub index: u32,
    /// Where it will be when it is free.
    pub spot: Spot,
    /// When it will be free; never before now.
    pub ready: f64,
    /// How far that may be off: the square of the scale of a logistic distribution.
    pub variance: f64,
    /// What it can do.
    pub skills: Skills,
    /// The planned end of its shift; minus infinity off shift.
    pub until: f64,
    /// Its breaks.
    pub breaks: Vec<(f64, f64)>,
    /// What it costs to give it more work, in weighted minutes: it has had more than its like.
    pub unfair: f64,
    /// While it is free: of as many tickets as crews are on shift, those that would find nobody free in reach without
    /// it.
    pub missed: f64,
}

/// Where a crew is, and when, between two stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    /// Where; `None` after a job without a position.
    pub spot: Option<Spot>,
    /// Since when it is free there.
    pub free: f64,
    /// How far that may be off: the square of the scale of a logistic distribution.
    pub variance: f64,
}

/// What prices depend on beside job and crew. Owned, so that a search may be laid aside with it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The weights.
    pub policy: Arc<Policy>,
    /// Now, in minutes of the [`Frame`].
    pub now: f64,
    /// Whether it is a storm.
    pub storm: bool,
    /// Open tickets per crew on shift.
    pub load: f64,
    /// What drives have lasted lately, over what the policy expects of them without a storm.
    pub pace: f64,
}

impl Terms {
    /// A: the price of a broken promise.
    #[must_use]
    pub fn late(&self) -> f64 {
        let divisor = if self.storm { self.policy.storm.late_divisor.max(1.0) } else { 1.0 };
        self.policy.weights.late / divisor
    }

    /// What a drive lasts, over what the policy expects without a storm: what was learnt, in a storm at least what the
    /// policy says of storms.
    #[must_use]
    pub fn slowness(&self) -> f64 {
        let storm = if self.storm { 1.0 / self.policy.travel.storm.max(0.1) } else { 0.0 };
        self.pace.max(storm)
    }

    /// Minutes on wheels to a job.
    #[must_use]
    pub fn leg(&self, from: Option<Spot>, task: &Task) -> f64 {
        let km = match (from, task.spot) {
            (Some(from), Some(to)) => from.km(to),
            _ => self.policy.travel.unknown_km,
        };
        travel::minutes(&self.policy.travel, km, task.area) * self.slowness()
    }

    /// Where a crew starts from.
    #[must_use]
    pub fn start(&self, team: &Team) -> State {
        State { spot: Some(team.spot), free: team.ready.max(self.now), variance: team.variance }
    }

    /// The crew goes from `state` to `task`, by a leg of so many minutes: arrival, and the state after the work.
    #[must_use]
    pub fn visit<'a>(
        &'a self,
        team: &'a Team,
        state: &State,
        leg: f64,
        task: &'a Task,
        first: bool,
    ) -> (Visit<'a>, State) {
        let turn_out = travel::turn_out(&self.policy.travel, state.free);
        let off = travel_spread(leg, self.policy.travel.p90);
        let arrives = after_break(team, after_break(team, state.free) + turn_out + leg);
        let variance = state.variance + off * off;
        let done = arrives + task.repair;
        let service = Service { terms: self, task, arrives, done, spread: variance.sqrt() };
        let after = State { spot: task.spot, free: done, variance: variance + task.repair_spread * task.repair_spread };
        (Visit { service, team, first, minutes: turn_out + leg }, after)
    }

    /// A job as if it were served so late that it had better be planned.
    #[must_use]
    pub fn left_out<'a>(&'a self, task: &'a Task) -> Service<'a> {
        let arrives = self.now + self.policy.horizon.unplanned_minutes;
        Service { terms: self, task, arrives, done: arrives + task.repair, spread: 0.0 }
    }
}

fn travel_spread(minutes: f64, p90: f64) -> f64 {
    repair::scale((p90 - 1.0).max(0.0) * minutes)
}

/// The instant itself, or the end of the break that it falls into, and of the breaks that go on from there.
fn after_break(team: &Team, mut at: f64) -> f64 {
    while let Some((_, until)) = team.breaks.iter().find(|(from, until)| (*from..*until).contains(&at)) {
        at = *until;
    }
    at
}

/// A job and a crew that might be sent there, whenever it would arrive: what the hard rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Pairing<'a> {
    /// Now, in minutes of the [`Frame`].
    pub now: f64,
    /// The crew.
    pub team: &'a Team,
    /// Whether it is on the roster, and neither away nor silent.
    pub present: bool,
    /// Whether tickets of the job's unit are its to do.
    pub serves: bool,
    /// Skills that the job takes.
    pub needs: Skills,
    /// The crew that a person chose for the job.
    pub chosen: Option<u32>,
    /// Crews that are not asked again, and until when.
    pub excluded: &'a [(u32, f64)],
    /// Crews that the job was taken from, and until when it does not return.
    pub left: &'a [(u32, f64)],
}

impl Pairing<'_> {
    /// Whether a person chose this crew, and so may send it to what some rules would not.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.chosen == Some(self.team.index)
    }
}

/// A job served at some time, by whomever.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// Weights, now and weather.
    pub terms: &'a Terms,
    /// The job.
    pub task: &'a Task,
    /// Median arrival.
    pub arrives: f64,
    /// Expected end of the work.
    pub done: f64,
    /// Scale of the arrival's logistic distribution.
    pub spread: f64,
}

/// A job served by a crew.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// When.
    pub service: Service<'a>,
    /// By whom.
    pub team: &'a Team,
    /// Whether it is the next thing that the crew does.
    pub first: bool,
    /// Minutes of turning out and on the way.
    pub minutes: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn drives_last_what_was_learnt_and_in_a_storm_at_least_what_the_policy_says() {
        let policy = Policy { travel: crate::policy::Travel { storm: 0.8, ..Default::default() }, ..Policy::default() };
        let terms = Terms { policy: policy.into(), now: 0.0, storm: false, load: 0.0, pace: 1.0 };
        let slowness = |storm, pace| Terms { storm, pace, ..terms.clone() }.slowness();
        assert_eq!((slowness(false, 1.0), slowness(false, 1.5)), (1.0, 1.5));
        assert_eq!(
            (slowness(true, 1.0), slowness(true, 1.5)),
            (1.25, 1.5),
            "what is learnt of a storm is not added to it"
        );
    }

    #[test]
    fn a_storm_makes_every_way_longer() {
        let mut stage = Stage::default();
        for km in [0.1, 1.0, 4.0, 40.0] {
            let mut minutes = |storm| {
                stage.storm = storm;
                stage.visit(km, |visit| visit.minutes)
            };
            assert!(minutes(true) > minutes(false), "{km}");
        }
    }
}
