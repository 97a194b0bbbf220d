//! Jobs and crews in the form that prices need: dense numbers, positions on a plane, one time axis. The board updates
//! them at each change.
//!
//! Not here: routes (they belong to the planner), and data that the search does not use (it stays on the board).

use std::sync::Arc;

use switchboard_domain::{Timestamp, crew::Skills, ticket::Area};

use crate::{
    board::Job,
    policy::Policy,
    repair,
    travel::{self, Plane, Spot},
};

/// The time axis and the plane of everything that is planned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    epoch_millis: i64,
    plane: Plane,
}

impl Frame {
    /// Time begins at midnight (UTC) of the day of `epoch`.
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

    /// The instant, in milliseconds; limited to the range of time stamps.
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

/// A job as prices use it. Times are minutes of the [`Frame`].
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// The position; `None` when unknown.
    pub spot: Option<Spot>,
    /// Kind of area.
    pub area: Area,
    /// When it was reported.
    pub reported: f64,
    /// The promised arrival.
    pub due: f64,
    /// Customers without power, at most the maximum weight.
    pub customers: f64,
    /// The additions for danger, importance and urges; with the customers at most the maximum weight.
    pub concern: f64,
    /// The planned work on site, in minutes.
    pub repair: f64,
    /// The uncertainty of the repair time: the scale of a logistic distribution.
    pub repair_spread: f64,
    /// The crew that last got an offer; `None` before the first offer and while a crew holds the ticket.
    pub last_offered_to: Option<u32>,
}

impl Task {
    /// The task of a job under a policy, without an offer.
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
            last_offered_to: None,
        }
    }

    /// The weight: customers plus additions.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.customers + self.concern
    }
}

/// A crew as prices use it. Times are minutes of the [`Frame`].
#[derive(Clone, Debug)]
pub struct Team {
    /// The crew's number.
    pub index: u32,
    /// The position where it will be free.
    pub spot: Spot,
    /// When it will be free; not before now.
    pub ready: f64,
    /// The uncertainty of `ready`: the square of the scale of a logistic distribution.
    pub variance: f64,
    /// Its skills.
    pub skills: Skills,
    /// The planned end of its shift; minus infinity off shift.
    pub until: f64,
    /// Its breaks.
    pub breaks: Vec<(f64, f64)>,
    /// The fairness price of more work, in weighted minutes.
    pub unfair: f64,
    /// For a free crew: the share of the expected tickets that would find no other free crew in reach, multiplied by
    /// the number of crews on shift.
    pub missed: f64,
}

/// The position and time of a crew between two stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    /// The position; `None` after a job without a position.
    pub spot: Option<Spot>,
    /// When it is free there.
    pub free: f64,
    /// The uncertainty of `free`: the square of the scale of a logistic distribution.
    pub variance: f64,
}

/// The inputs of prices besides job and crew. Owned, so that a paused search keeps it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Now, in minutes of the [`Frame`].
    pub now: f64,
    /// True in storm mode.
    pub storm: bool,
    /// Open tickets per crew on shift.
    pub load: f64,
    /// Observed travel times divided by those that the policy expects without a storm.
    pub pace: f64,
}

impl Terms {
    /// A: the price of a broken promise.
    #[must_use]
    pub fn late(&self) -> f64 {
        let divisor = if self.storm { self.policy.storm.late_divisor.max(1.0) } else { 1.0 };
        self.policy.weights.late / divisor
    }

    /// The factor on travel times: the observed pace, and in a storm at least the policy's storm factor.
    #[must_use]
    pub fn slowness(&self) -> f64 {
        let storm = if self.storm { 1.0 / self.policy.travel.storm.max(0.1) } else { 0.0 };
        self.pace.max(storm)
    }

    /// Driving minutes to a job.
    #[must_use]
    pub fn leg(&self, from: Option<Spot>, task: &Task) -> f64 {
        let km = match (from, task.spot) {
            (Some(from), Some(to)) => from.km(to),
            _ => self.policy.travel.unknown_km,
        };
        travel::minutes(&self.policy.travel, km, task.area) * self.slowness()
    }

    /// The crew's state at the start of its route.
    #[must_use]
    pub fn start(&self, team: &Team) -> State {
        State { spot: Some(team.spot), free: team.ready.max(self.now), variance: team.variance }
    }

    /// The visit of a crew to `task`, with a drive of `leg` minutes, and the crew's state after the work.
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

    /// The service that prices an unplanned job: served after the policy's penalty delay.
    #[must_use]
    pub fn left_out<'a>(&'a self, task: &'a Task) -> Service<'a> {
        let arrives = self.now + self.policy.horizon.unplanned_minutes;
        Service { terms: self, task, arrives, done: arrives + task.repair, spread: 0.0 }
    }
}

fn travel_spread(minutes: f64, p90: f64) -> f64 {
    repair::scale((p90 - 1.0).max(0.0) * minutes)
}

/// The given time, or the end of the break that contains it; adjoining breaks are skipped too.
fn after_break(team: &Team, mut at: f64) -> f64 {
    while let Some((_, until)) = team.breaks.iter().find(|(from, until)| (*from..*until).contains(&at)) {
        at = *until;
    }
    at
}

/// A job and a crew that could go there, as the hard rules see them; independent of the arrival.
#[derive(Clone, Copy, Debug)]
pub struct Pairing<'a> {
    /// Now, in minutes of the [`Frame`].
    pub now: f64,
    /// The crew.
    pub team: &'a Team,
    /// True when the crew is on the roster and neither away nor silent.
    pub present: bool,
    /// True when the crew serves the job's unit.
    pub serves: bool,
    /// The skills that the job needs.
    pub needs: Skills,
    /// The crew that a person chose for the job.
    pub chosen: Option<u32>,
    /// The crews that must not be asked, each until this time.
    pub excluded: &'a [(u32, f64)],
    /// The crews from which the job was taken, each until the time when it may return.
    pub left: &'a [(u32, f64)],
}

impl Pairing<'_> {
    /// True when a person chose this crew; some rules then do not apply.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.chosen == Some(self.team.index)
    }
}

/// A job served at some time, by any crew.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// Weights, time and storm state.
    pub terms: &'a Terms,
    /// The job.
    pub task: &'a Task,
    /// Median arrival.
    pub arrives: f64,
    /// Expected end of the work.
    pub done: f64,
    /// The scale of the arrival's logistic distribution.
    pub spread: f64,
}

/// A job served by a crew.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The service.
    pub service: Service<'a>,
    /// The crew.
    pub team: &'a Team,
    /// True when it is the crew's next activity.
    pub first: bool,
    /// Minutes of turning out and driving.
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
