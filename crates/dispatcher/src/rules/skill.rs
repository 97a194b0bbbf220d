//! Skill: a crew gets only jobs that it has the skills for.

use switchboard_domain::crew::Skills;

use crate::{board::Job, policy::Policy, scene::Pairing};

/// The rule's stable name.
pub const NAME: &str = "skill";

/// True when the crew lacks a skill and no person chose it.
#[must_use]
pub fn bars(pairing: &Pairing<'_>) -> bool {
    !pairing.is_forced() && forbids(pairing.team.skills, pairing.needs)
}

/// The skills that a job needs: those of its category, and those that a crew found necessary on site.
#[must_use]
pub fn needed(policy: &Policy, job: &Job) -> Skills {
    policy.skills_of(job.category.as_ref()).union(job.needs)
}

/// True when the crew lacks a needed skill.
#[must_use]
pub fn forbids(has: Skills, needs: Skills) -> bool {
    !has.covers(needs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::crew::Skill;

    #[test]
    fn one_missing_skill_forbids() {
        let has = Skills::of(&[Skill::LowVoltage, Skill::Metering]);
        assert!(!forbids(has, Skills::of(&[Skill::Metering])));
        assert!(!forbids(has, Skills::NONE));
        assert!(forbids(has, Skills::of(&[Skill::Metering, Skill::Cable])));
    }
}
