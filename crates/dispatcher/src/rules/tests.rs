//! Fixtures for the tests of rules: one crew and one job; tests with a board use the same parts.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Point, Skill, Skills},
    organisation::OrgPath,
    ticket::{Area, TicketId, Urgency},
};
use uuid::Uuid;

use crate::{
    board::{Concerns, Crew, Job, Shift},
    policy::Policy,
    scene::{Pairing, Task, Team, Terms, Visit},
    travel::Spot,
};

/// One crew and one job.
pub struct Stage {
    pub policy: Policy,
    pub now: f64,
    pub storm: bool,
    pub load: f64,
    pub first: bool,
    pub team: Team,
    pub task: Task,
}

impl Default for Stage {
    fn default() -> Self {
        let task = Task {
            spot: None,
            area: Area::Urban,
            reported: 590.0,
            due: 635.0,
            customers: 1.0,
            concern: 0.0,
            repair: 40.0,
            repair_spread: 20.0,
            last_offered_to: None,
        };
        let team = Team {
            index: 7,
            spot: Spot::default(),
            ready: 0.0,
            variance: 0.0,
            skills: Skills::of(&[Skill::LowVoltage]),
            until: 1_000.0,
            breaks: Vec::new(),
            unfair: 0.0,
            missed: 0.0,
        };
        Self { policy: Policy::default(), now: 600.0, storm: false, load: 0.0, first: true, team, task }
    }
}

impl Stage {
    /// The pairing of the crew and the job.
    pub fn pairing(&self) -> Pairing<'_> {
        Pairing {
            now: self.now,
            team: &self.team,
            present: true,
            serves: true,
            needs: Skills::NONE,
            chosen: None,
            excluded: &[],
            left: &[],
        }
    }

    /// The result of `of` for the crew's visit to the job, `km` to the east.
    pub fn visit<T>(&self, km: f64, of: impl Fn(&Visit<'_>) -> T) -> T {
        let policy = self.policy.clone().into();
        let terms = Terms { policy, now: self.now, storm: self.storm, load: self.load, pace: 1.0 };
        let task = Task { spot: Some(Spot { x: km, y: 0.0 }), ..self.task };
        let start = terms.start(&self.team);
        let leg = terms.leg(start.spot, &task);
        of(&terms.visit(&self.team, &start, leg, &task, self.first).0)
    }
}

/// An instant, in minutes after 2026-03-02 08:00 in China.
pub fn at(minutes: i64) -> Timestamp {
    Timestamp::from_timestamp_millis((1_772_409_600 + minutes * 60) * 1_000).unwrap()
}

/// A ticket id.
pub fn ticket(n: u32) -> TicketId {
    TicketId(Uuid::from_u128(u128::from(n)))
}

/// A point this many kilometres east of 30 N 120 E.
pub fn east(km: f64) -> Point {
    place(km, 0.0)
}

/// A point this many kilometres east and north of 30 N 120 E.
pub fn place(east: f64, north: f64) -> Point {
    Point::new(30_000_000 + (north * 8_993.2) as i32, 120_000_000 + (east * 10_384.5) as i32).unwrap()
}

/// The unit in all tests.
pub fn station() -> OrgPath {
    OrgPath::parse("sgcc/zj/hz/yuhang/liangzhu").unwrap()
}

/// A crew id.
pub fn crew_id(n: u32) -> CrewId {
    CrewId::of(&OrgPath::parse(&format!("sgcc/zj/hz/yuhang/liangzhu/crew{n}")).unwrap()).unwrap()
}

/// A low-voltage job with one customer, reported at minute 0.
pub fn job(n: u32, km: f64) -> Job {
    Job {
        ticket: ticket(n),
        number: format!("T{n}"),
        holder: station(),
        at: Some(east(km)),
        area: Area::Urban,
        reported: at(0),
        promised_from: at(0),
        opens: None,
        category: None,
        urgency: Urgency::Normal,
        customers: 1,
        concerns: Concerns::default(),
        needs: Skills::NONE,
        pinned: None,
        excluded: BTreeMap::new(),
        lapsed: false,
        last_offered_to: None,
        left: Default::default(),
        attempts: 0,
        offers: Vec::new(),
        crew: None,
        open: true,
        diverted: None,
        because: u64::from(n),
    }
}

/// A free low-voltage crew, on shift for ten hours, last seen at minute 0.
pub fn crew(n: u32, km: f64) -> Crew {
    Crew {
        id: crew_id(n),
        home: east(km),
        territory: vec![station()],
        skills: Skills::of(&[Skill::LowVoltage]),
        shift: Some(Shift { until: at(600), breaks: Vec::new() }),
        away: None,
        at: east(km),
        seen: at(0),
        reserved: None,
        committed: Vec::new(),
        worked_minutes: 0.0,
        because: u64::from(n),
    }
}
