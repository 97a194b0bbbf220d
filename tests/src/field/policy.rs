//! The dispatch policies that are compared. They share one trait and see the same board.

pub mod batched;
pub mod first_come;
pub mod nearest;
pub mod rolling;

use switchboard_dispatcher::{
    board::{Board, Crew, Job},
    policy::{Policy, SkillRule},
};
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Skill, Skills},
    ticket::{Category, TicketId},
};

use super::place::Roads;

/// A dispatch policy. The run reports every change to it, and asks it after every change and at every tick of 30
/// seconds.
pub trait Dispatcher {
    /// Returns the name in the tables.
    fn name(&self) -> &'static str;
    /// The ticket changed.
    fn job_changed(&mut self, _ticket: TicketId) {}
    /// The crew changed.
    fn crew_changed(&mut self, _crew: &CrewId) {}
    /// Thirty seconds passed.
    fn tick(&mut self, _board: &Board, _now: Timestamp) {}
    /// Returns the offers to make now.
    fn offers(&mut self, board: &Board, now: Timestamp) -> Vec<(TicketId, CrewId)>;
    /// Returns the recalls to make now: the crew, its ticket, and the ticket that it is offered instead.
    fn diversions(&mut self, _board: &Board, _now: Timestamp) -> Vec<(CrewId, TicketId, TicketId)> {
        Vec::new()
    }
}

/// The policy of the field: the shipped defaults, with the skills of the generated categories.
#[must_use]
pub fn policy() -> Policy {
    let rule =
        |category: &str, skill| SkillRule { category: Category::parse(category).unwrap(), needs: Skills::of(&[skill]) };
    Policy {
        skills: vec![
            rule("fault/premises", Skill::LowVoltage),
            rule("fault/metering", Skill::Metering),
            rule("fault/transformer", Skill::LowVoltage),
            rule("fault/feeder", Skill::HighVoltage),
        ],
        ..Policy::default()
    }
}

/// The knowledge of the baselines: free crews, their skills, and the expected driving times.
#[derive(Clone, Debug)]
pub struct Known {
    /// The policy, for its skills and weights.
    pub policy: Policy,
    /// The roads with the speed of the day.
    pub roads: Roads,
}

impl Known {
    /// Returns the crews that could be sent now.
    pub fn free(board: &Board, now: Timestamp) -> impl Iterator<Item = &Crew> {
        board.crews.values().filter(move |crew| {
            crew.shift.as_ref().is_some_and(|shift| now < shift.until)
                && crew.away.is_none()
                && crew.reserved.is_none()
                && crew.committed.is_empty()
        })
    }

    /// Returns the tickets that wait for a crew.
    pub fn waiting(board: &Board) -> impl Iterator<Item = &Job> {
        board.jobs.values().filter(|job| job.needs_crew() && job.offers.is_empty())
    }

    /// True if this crew may be offered this ticket now.
    #[must_use]
    pub fn able(&self, crew: &Crew, job: &Job, now: Timestamp) -> bool {
        let needs = self.policy.skills_of(job.category.as_ref()).union(job.needs);
        crew.skills.covers(needs) && job.excluded.get(&crew.id).is_none_or(|until| *until <= now)
    }

    /// Returns the expected minutes of the drive.
    #[must_use]
    pub fn drive(&self, crew: &Crew, job: &Job) -> f64 {
        job.at.map_or(self.policy.travel.unknown_km, |at| self.roads.minutes(crew.at, at, job.area))
    }

    /// Returns the weight of a minute without power.
    #[must_use]
    pub fn weight(&self, job: &Job) -> f64 {
        let weights = &self.policy.weights;
        let more = if job.concerns.important { weights.important } else { 0.0 }
            + if job.concerns.wire_down { weights.wire_down } else { 0.0 };
        (f64::from(job.customers) + more).min(weights.weight_max)
    }
}
