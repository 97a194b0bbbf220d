//! Boards for the planner's tests, by hand and pseudo-random.

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    crew::{OfferId, Skill, Skills},
    organisation::OrgPath,
    ticket::TicketId,
};
use uuid::Uuid;

use crate::{
    board::{Assigned, Board, Concerns, Crew, Job},
    plan::Plan,
    planner::Planner,
    policy::Policy,
    rules::tests::{at, crew, crew_id, job, place},
};

/// A board with these crews and jobs.
pub fn board(crews: impl IntoIterator<Item = Crew>, jobs: impl IntoIterator<Item = Job>) -> Board {
    Board {
        crews: crews.into_iter().map(|crew| (crew.id.clone(), crew)).collect(),
        jobs: jobs.into_iter().map(|job| (job.ticket, job)).collect(),
    }
}

/// A planner that has settled the board at this minute.
pub fn settled(board: &Board, minute: i64) -> Planner {
    let mut planner = Planner::new(Policy::default());
    planner.settle_all(board, at(minute));
    planner
}

/// Plans from scratch: settles the whole board, and runs the slices of improvement of one period.
pub fn plan(board: &Board, policy: &Policy, now: Timestamp) -> Plan {
    let mut planner = Planner::new(policy.clone());
    planner.settle_all(board, now);
    for _ in 0..policy.horizon.slices {
        planner.improve(board, now, policy.horizon.slice_iterations);
    }
    planner.snapshot(board, now)
}

/// An assignment to the crew, on site since `arrived`.
pub fn assigned(n: u32, arrived: Option<Timestamp>) -> Assigned {
    Assigned {
        crew: crew_id(n),
        since: at(0),
        en_route: Some(at(0)),
        arrived,
        restored: None,
        offer: Some(OfferId::of(TicketId(Uuid::from_u128(1_000 + u128::from(n))), 1)),
        because: 1,
    }
}

/// A sequence of pseudo-random numbers, determined by the seed (xorshift).
pub struct Lot(u64);

impl Lot {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(n.max(1))) as u32
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    fn km(&mut self) -> f64 {
        f64::from(self.below(300)) / 10.0
    }

    fn unit(&mut self) -> OrgPath {
        let unit = ["sgcc/zj/hz/yuhang/liangzhu", "sgcc/zj/hz/yuhang", "sgcc/zj/hz/xihu"][self.below(3) as usize];
        OrgPath::parse(unit).unwrap()
    }

    /// A pseudo-random job: with or without a position, and with any concerns.
    pub fn job(&mut self, n: u32, now: i64) -> Job {
        let mut drawn = job(n, 0.0);
        drawn.at = (!self.one_in(10)).then(|| place(self.km(), self.km()));
        drawn.holder = self.unit();
        drawn.reported = at(now - i64::from(self.below(90)));
        drawn.promised_from = drawn.reported;
        if self.one_in(8) {
            drawn.promised_from = at(now - 10 + i64::from(self.below(60)));
            drawn.opens = Some(drawn.promised_from - TimeDelta::minutes(15));
        }
        drawn.lapsed = self.one_in(10);
        drawn.last_offered_to = self.one_in(6).then(|| crew_id(self.below(12)));
        drawn.customers = [1, 1, 1, 8, 60, 700][self.below(6) as usize];
        drawn.needs = if self.one_in(3) { Skills::of(&[Skill::HighVoltage]) } else { Skills::NONE };
        drawn.concerns = Concerns { wire_down: self.one_in(15), important: self.one_in(15), pressed: self.one_in(9) };
        if self.one_in(5) {
            let crew = crew_id(self.below(12));
            drawn.excluded.insert(crew, at(now - 10 + i64::from(self.below(60))));
        }
        drawn
    }

    /// A pseudo-random crew without a reservation or commitment.
    pub fn crew(&mut self, n: u32, now: i64) -> Crew {
        let mut drawn = crew(n, 0.0);
        drawn.at = place(self.km(), self.km());
        drawn.seen = at(now - i64::from(self.below(7)));
        drawn.territory = vec![self.unit(), self.unit()];
        if self.one_in(2) {
            drawn.skills = drawn.skills.union(Skills::of(&[Skill::HighVoltage]));
        }
        if self.one_in(6) {
            drawn.shift = None;
        } else if let Some(shift) = &mut drawn.shift {
            shift.until = at(now + 10 + i64::from(self.below(500)));
        }
        drawn.worked_minutes = f64::from(self.below(300));
        drawn
    }

    /// A pseudo-random board at a minute.
    pub fn board(&mut self, now: i64) -> Board {
        let (crews, jobs) = (1 + self.below(12), self.below(60));
        let crews: Vec<Crew> = (0..crews).map(|n| self.crew(n, now)).collect();
        let jobs: Vec<Job> = (0..jobs).map(|n| self.job(n, now)).collect();
        board(crews, jobs)
    }
}

/// True if the hard rules permit the crew for the ticket, computed from the board alone.
pub fn is_allowed(board: &Board, crew: &Crew, ticket: TicketId, now: Timestamp) -> bool {
    let job = &board.jobs[&ticket];
    let low = Skills::of(&[Skill::LowVoltage]);
    let serves = crew.territory.iter().any(|unit| unit.contains(&job.holder) || job.holder.contains(unit));
    let refused = job.excluded.get(&crew.id).is_some_and(|until| now < *until);
    let heard = (now - crew.seen).num_seconds() <= 300;
    let on_shift = crew.shift.as_ref().is_some_and(|shift| now < shift.until);
    on_shift
        && (heard || !crew.committed.is_empty() || crew.reserved.is_some())
        && serves
        && job.holder.contains(crew.id.org())
        && crew.skills.covers(job.needs.union(low))
        && !refused
        && crew.away.is_none()
}
