//! Delays of people: a distribution for each action of an agent, a desk or a crew in a story.
//!
//! The ordinary day keeps about 99 of 100 promises. State Grid reported for the week of 1 to 7 October 2016 that every
//! ticket was dispatched in time. We know no public source for the share of arrivals in time, so that share is an
//! assumption. The distributions are assumptions, too: most delays are well within the limit, one or two of a hundred
//! are late. Absent: the limits. They are in the policy, and no delay is capped at one.

use chrono::TimeDelta;
use rand::{RngExt as _, rngs::StdRng};
use switchboard_wire::proto::Area;

/// A distribution given by five of its quantiles in seconds, with linear interpolation between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    quickest: i64,
    half: i64,
    nine_of_ten: i64,
    ninety_nine_of_hundred: i64,
    slowest: i64,
}

/// From the end of the call until an agent has filed a fault or a question.
pub(super) const FAULT_FILED: Delay = seconds(8, 20, 36, 55, 110);
/// Until an agent dispatches a filed fault to the city, or closes a ticket that was answered at once.
pub(super) const FAULT_SENT: Delay = seconds(8, 20, 34, 50, 150);
/// Until the city's desk accepts a fault.
pub(super) const FAULT_TAKEN: Delay = seconds(10, 30, 55, 90, 180);
/// Until the city's desk chooses a crew.
pub(super) const CREW_NAMED: Delay = seconds(15, 40, 75, 120, 360);
/// Until a crew accepts its ticket.
pub(super) const CREW_ACCEPTS: Delay = seconds(20, 60, 150, 300, 600);
/// From the acceptance until the crew leaves.
pub(super) const CREW_LEAVES: Delay = seconds(30, 90, 240, 480, 900);
/// The drive of a crew within a town.
const DRIVE_URBAN: Delay = minutes(4, 14, 26, 37, 70);
/// The drive of a crew to a village.
const DRIVE_RURAL: Delay = minutes(6, 26, 50, 75, 130);
/// From restoration until the crew has written its reply.
pub(super) const REPLIED: Delay = minutes(2, 8, 18, 28, 55);
/// Until an agent has filed a ticket that is not a fault.
pub(super) const FILED: Delay = minutes(1, 2, 4, 6, 12);
/// Until a desk dispatches or accepts a ticket that is not a fault.
pub(super) const PASSED_ON: Delay = minutes(1, 5, 9, 16, 60);

/// The factor of the delays of agents, desks and crews in a storm, when they have a queue.
const STORM_QUEUE: i32 = 3;
/// The wait of a ticket for a free crew in a storm.
const STORM_CREW: Delay = minutes(3, 40, 110, 180, 300);

const fn seconds(quickest: i64, half: i64, nine_of_ten: i64, ninety_nine_of_hundred: i64, slowest: i64) -> Delay {
    Delay { quickest, half, nine_of_ten, ninety_nine_of_hundred, slowest }
}

const fn minutes(quickest: i64, half: i64, nine_of_ten: i64, ninety_nine_of_hundred: i64, slowest: i64) -> Delay {
    seconds(quickest * 60, half * 60, nine_of_ten * 60, ninety_nine_of_hundred * 60, slowest * 60)
}

/// Returns the distribution of a crew's drive to a place in such an area.
pub(super) fn drive(area: Area) -> Delay {
    match area {
        Area::Rural | Area::Remote => DRIVE_RURAL,
        Area::Urban | Area::Unspecified => DRIVE_URBAN,
    }
}

impl Delay {
    /// Draws one delay.
    pub(super) fn drawn(self, dice: &mut StdRng) -> TimeDelta {
        let share: i64 = dice.random_range(0..10_000);
        let (from, to, since, width) = match share {
            0..5_000 => (self.quickest, self.half, 0, 5_000),
            5_000..9_000 => (self.half, self.nine_of_ten, 5_000, 4_000),
            9_000..9_900 => (self.nine_of_ten, self.ninety_nine_of_hundred, 9_000, 900),
            _ => (self.ninety_nine_of_hundred, self.slowest, 9_900, 100),
        };
        TimeDelta::seconds(from + (to - from) * (share - since) / width)
    }
}

/// The effect of the weather on delays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Weather {
    /// The usual delays.
    #[default]
    Fair,
    /// More calls than agents, desks and crews can serve in the usual time.
    Storm,
}

impl Weather {
    /// Returns the delay of one action in this weather.
    pub(super) fn stretch(self, usual: TimeDelta) -> TimeDelta {
        match self {
            Self::Fair => usual,
            Self::Storm => usual * STORM_QUEUE,
        }
    }

    /// Returns the wait of a ticket for a free crew.
    pub(super) fn wait_for_crew(self, dice: &mut StdRng) -> TimeDelta {
        match self {
            Self::Fair => TimeDelta::zero(),
            Self::Storm => STORM_CREW.drawn(dice),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_delay_has_the_quantiles_that_it_names() {
        let mut dice = StdRng::seed_from_u64(1);
        let delay = minutes(1, 10, 20, 30, 60);
        let drawn: Vec<i64> = (0..10_000).map(|_| delay.drawn(&mut dice).num_seconds()).collect();
        assert!(drawn.iter().all(|seconds| (60..3600).contains(seconds)));
        let within = |minutes: i64| drawn.iter().filter(|seconds| **seconds <= minutes * 60).count();
        assert!((4_850..5_150).contains(&within(10)), "{}", within(10));
        assert!((8_900..9_100).contains(&within(20)), "{}", within(20));
        assert!((9_860..9_940).contains(&within(30)), "{}", within(30));
    }

    #[test]
    fn a_storm_makes_everybody_slower_and_crews_rare() {
        let mut dice = StdRng::seed_from_u64(1);
        let minute = TimeDelta::minutes(1);
        assert_eq!((Weather::Fair.stretch(minute), Weather::Storm.stretch(minute)), (minute, minute * 3));
        assert_eq!(Weather::Fair.wait_for_crew(&mut dice), TimeDelta::zero());
        assert!(Weather::Storm.wait_for_crew(&mut dice) >= minute * 3);
    }
}
