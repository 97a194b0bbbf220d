//! Demand: where tickets came from lately, and how many free crews cover each of those places. What came lately is taken
//! for what comes next.
//!
//! Absent: hours of the day and seasons, and a memory that outlives the planner: a new one begins with what the board
//! holds.

use switchboard_domain::crew::Skills;

use crate::travel::Spot;

/// How many tickets are remembered: an ordinary day of a prefecture, and few enough to be gone through at every change.
const REMEMBERED: usize = 256;

/// A place that a ticket came from.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Where.
    pub spot: Spot,
    /// Skills that it took.
    pub needs: Skills,
    /// From how many straight kilometres a crew that sets out at once is there in time.
    pub reach_km: f64,
}

impl Call {
    fn is_covered(&self, spot: Spot, skills: Skills) -> bool {
        self.spot.km(spot) <= self.reach_km && skills.covers(self.needs)
    }
}

/// The last tickets, and how they are covered.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    calls: Vec<Call>,
    /// How many free crews cover each.
    covers: Vec<u32>,
    /// The oldest, once there are enough.
    oldest: usize,
}

impl Demand {
    /// Remembers a ticket; `free` = where free crews stand, and what they can do.
    pub fn note(&mut self, call: Call, free: impl Iterator<Item = (Spot, Skills)>) {
        let covers = free.filter(|(spot, skills)| call.is_covered(*spot, *skills)).count() as u32;
        if self.calls.len() < REMEMBERED {
            self.calls.push(call);
            self.covers.push(covers);
            return;
        }
        self.calls[self.oldest] = call;
        self.covers[self.oldest] = covers;
        self.oldest = (self.oldest + 1) % REMEMBERED;
    }

    /// A free crew stands there from now on.
    pub fn appear(&mut self, spot: Spot, skills: Skills) {
        self.covered(spot, skills).for_each(|covers| *covers += 1);
    }

    /// It does so no more.
    pub fn vanish(&mut self, spot: Spot, skills: Skills) {
        self.covered(spot, skills).for_each(|covers| *covers = covers.saturating_sub(1));
    }

    /// The share of tickets that would find nobody free in reach without this free crew, which stands there, when each
    /// of the others is `busy` (0 to 1) by then: the more of them cover a place, the less is one missed (Daskin 1983).
    pub fn share(&self, spot: Spot, skills: Skills, busy: f64) -> f64 {
        let both = self.calls.iter().zip(&self.covers);
        let missed = both.filter(|(call, _)| call.is_covered(spot, skills)).map(|(_, covers)| {
            let others = covers.saturating_sub(1).min(i32::MAX as u32);
            busy.powi(others as i32)
        });
        missed.sum::<f64>() / self.calls.len().max(1) as f64
    }

    fn covered(&mut self, spot: Spot, skills: Skills) -> impl Iterator<Item = &mut u32> {
        let both = self.calls.iter().zip(&mut self.covers);
        both.filter(move |(call, _)| call.is_covered(spot, skills)).map(|(_, covers)| covers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::crew::Skill;

    const LOW: [Skill; 1] = [Skill::LowVoltage];

    fn call(x: f64) -> Call {
        Call { spot: Spot { x, y: 0.0 }, needs: Skills::of(&LOW), reach_km: 5.0 }
    }

    fn demand(calls: &[f64], crews: &[f64]) -> Demand {
        let mut demand = Demand::default();
        calls.iter().for_each(|x| demand.note(call(*x), std::iter::empty()));
        crews.iter().for_each(|x| demand.appear(Spot { x: *x, y: 0.0 }, Skills::of(&LOW)));
        demand
    }

    #[test]
    fn a_crew_is_missed_by_the_tickets_in_its_reach_and_less_the_more_others_cover_them() {
        let at = |x| Spot { x, y: 0.0 };
        let share = |crews: &[f64]| demand(&[0.0, 0.0, 0.0, 20.0], crews).share(at(1.0), Skills::of(&LOW), 0.5);
        assert_eq!(share(&[1.0]), 0.75);
        assert_eq!(share(&[1.0, 2.0]), 0.375);
        assert_eq!(share(&[1.0, 20.0]), 0.75, "who is elsewhere does not help here");
        assert_eq!(Demand::default().share(at(1.0), Skills::of(&LOW), 0.5), 0.0);
    }

    #[test]
    fn who_lacks_the_skill_covers_nothing() {
        let mut demand = demand(&[0.0], &[0.0]);
        demand.appear(Spot::default(), Skills::of(&[Skill::Metering]));
        assert_eq!(demand.share(Spot::default(), Skills::of(&LOW), 0.5), 1.0);
        assert_eq!(demand.share(Spot::default(), Skills::of(&[Skill::Metering]), 0.5), 0.0);
    }

    #[test]
    fn a_crew_that_is_gone_covers_no_more_and_a_ticket_is_told_who_covers_it() {
        let low = Skills::of(&LOW);
        let mut demand = demand(&[0.0], &[1.0, 2.0]);
        demand.vanish(Spot { x: 2.0, y: 0.0 }, low);
        assert_eq!(demand.share(Spot { x: 1.0, y: 0.0 }, low, 0.5), 1.0);
        let free = [Spot { x: 1.0, y: 0.0 }, Spot { x: 9.0, y: 0.0 }, Spot { x: 3.0, y: 0.0 }];
        demand.note(call(0.0), free.into_iter().map(|spot| (spot, low)));
        assert_eq!(demand.share(Spot { x: 1.0, y: 0.0 }, low, 0.5), 0.75);
    }

    #[test]
    fn the_oldest_tickets_are_forgotten() {
        let mut demand = demand(&vec![0.0; REMEMBERED], &[0.0]);
        let share = |demand: &Demand| demand.share(Spot::default(), Skills::of(&LOW), 0.5);
        assert_eq!(share(&demand), 1.0);
        for gone in 1..=REMEMBERED {
            demand.note(call(50.0), std::iter::empty());
            assert_eq!(share(&demand), 1.0 - gone as f64 / REMEMBERED as f64);
        }
    }
}
