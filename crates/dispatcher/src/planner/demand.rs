//! Demand: the positions of recent tickets, and the number of free crews that cover each. Recent demand serves as the
//! forecast of the next tickets.
//!
//! Not here: daily or seasonal patterns. The memory ends with the planner: a new one starts from the tickets on its
//! board.

use switchboard_domain::crew::Skills;

use crate::travel::Spot;

/// The number of tickets remembered: about an ordinary day of a prefecture. It is small, because every change of a free
/// crew scans them all.
const REMEMBERED: usize = 256;

/// The position of a recent ticket.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its position on the plane.
    pub spot: Spot,
    /// The skills that the ticket needed.
    pub needs: Skills,
    /// The straight-line kilometres from which a crew that departs at once arrives in time.
    pub reach_km: f64,
}

impl Call {
    fn is_covered(&self, spot: Spot, skills: Skills) -> bool {
        self.spot.km(spot) <= self.reach_km && skills.covers(self.needs)
    }
}

/// The recent tickets, with the free crews that cover them.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    calls: Vec<Call>,
    /// The number of free crews that cover each ticket.
    covers: Vec<u32>,
    /// The index of the oldest ticket once the memory is full.
    oldest: usize,
}

impl Demand {
    /// Remembers a ticket. `free` gives the position and the skills of each free crew.
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

    /// Counts a crew that becomes free at this position.
    pub fn appear(&mut self, spot: Spot, skills: Skills) {
        self.covered(spot, skills).for_each(|covers| *covers += 1);
    }

    /// Removes a crew that was free at this position.
    pub fn vanish(&mut self, spot: Spot, skills: Skills) {
        self.covered(spot, skills).for_each(|covers| *covers = covers.saturating_sub(1));
    }

    /// The share of the recent tickets that would find no free crew in reach without this free crew. Each other free
    /// crew in reach is busy by then with probability `busy`, independently of the others (Daskin 1983).
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
