//! A stage for the tests of rules: one crew, one job, and whoever needs a board builds it from the same pieces.

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
            told: None,
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
    /// The crew and the job, with nothing between them.
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

    /// What `of` says of the crew's visit to the job, `km` to the east.
    pub fn visit<T>(&self, km: f64, of: impl Fn(&Visit<'_>) -> T) -> T {
        let policy = self.policy.clone().into();
        let terms = Terms { policy, now: self.now, storm: self.storm, load: self.load, pace: 1.0 };
        let task = Task { spot: Some(Spot { x: km, y: 0.0 }), ..self.task };
        let start = terms.start(&self.team);
        let leg = terms.leg(start.spot, &task);
        of(&terms.visit(&self.team, &start, leg, &task, self.first).0)
    }
}

/// So many minutes into the tests' day, 2026-03-02 08:00 in China.
pub fn at(minutes: i64) -> Timestamp {
    Timestamp::from_timestamp_millis((1_772_409_600 + minutes * 60) * 1_000).unwrap()
}

/// A ticket's identity.
pub fn ticket(n: u32) -> TicketId {
    TicketId(Uuid::from_u128(u128::from(n)))
}

/// A place so many kilometres east of 30 N 120 E.
pub fn east(km: f64) -> Point {
    place(km, 0.0)
}

/// A place so many kilometres east and north of 30 N 120 E.
pub fn place(east: f64, north: f64) -> Point {
    Point::new(30_000_000 + (north * 8_993.2) as i32, 120_000_000 + (east * 10_384.5) as i32).unwrap()
}

/// The unit of all tests.
pub fn station() -> OrgPath {
    OrgPath::parse("sgcc/zj/hz/yuhang/liangzhu").unwrap()
}

/// A crew's identity.
pub fn crew_id(n: u32) -> CrewId {
    CrewId::of(&OrgPath::parse(&format!("sgcc/zj/hz/yuhang/liangzhu/crew{n}")).unwrap()).unwrap()
}

/// A single customer's low-voltage job, reported at minute 0.
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
        told: None,
        left: Default::default(),
        attempts: 0,
        offers: Vec::new(),
        crew: None,
        open: true,
        diverted: None,
        because: u64::from(n),
    }
}

/// A free low-voltage crew on shift for ten hours, just heard of at minute 0.
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
