//! The dispatcher's record of a crew, besides the domain's state: its position, its last activity, its time on site,
//! and the facts that took its time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    actor::Role,
    crew::{self, CrewId, Point, ReleaseReason},
    fact::CrewFact,
    ticket::TicketId,
};

use crate::board::{Crew, Reserved, Shift};

/// The dispatcher's record of a crew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrewRecord {
    /// The state of the crew, as the domain folds it.
    pub crew: crew::Crew,
    pub(super) at: Point,
    pub(super) at_since: Timestamp,
    pub(super) seen: Timestamp,
    pub(super) worked_seconds: i64,
    pub(super) reserved_forced: Option<crew::Forced>,
    pub(super) reserved_priority: bool,
    pub(super) reserved_because: u64,
    pub(super) committed_because: BTreeMap<TicketId, u64>,
    /// When the crew was last recalled from a ticket, by the engine's time.
    pub called_back: Option<Timestamp>,
    /// Position of the crew's last fact.
    pub position: u64,
}

impl CrewRecord {
    pub(super) fn new(crew: crew::Crew, fact: &CrewFact) -> Self {
        Self {
            at: crew.home,
            at_since: fact.occurred_at,
            seen: fact.occurred_at,
            worked_seconds: 0,
            reserved_forced: None,
            reserved_priority: false,
            reserved_because: 0,
            committed_because: BTreeMap::new(),
            called_back: None,
            position: fact.position,
            crew,
        }
    }

    pub(super) fn take(&mut self, crew: crew::Crew, fact: &CrewFact) {
        self.crew = crew;
        self.position = fact.position;
        if fact.actor.role == Role::Crew || matches!(fact.event, crew::Event::ShiftStarted(_)) {
            self.seen = self.seen.max(fact.recorded_at);
        }
        match &fact.event {
            crew::Event::ShiftStarted(_) => {
                self.worked_seconds = 0;
                if let Some((at, since)) = self.crew.located {
                    (self.at, self.at_since) = (at, since);
                }
            }
            crew::Event::Located(e) if fact.occurred_at >= self.at_since => {
                (self.at, self.at_since) = (e.at, fact.occurred_at);
            }
            crew::Event::Reserved(e) => {
                self.reserved_forced.clone_from(&e.forced);
                self.reserved_priority = e.priority;
                self.reserved_because = fact.position;
            }
            crew::Event::Committed(e) => {
                self.committed_because.insert(e.ticket, fact.position);
            }
            crew::Event::Released(e) => {
                if e.why == ReleaseReason::Recalled {
                    self.called_back = Some(fact.recorded_at);
                }
                let held: BTreeSet<TicketId> = self.crew.commitments.iter().map(|held| held.ticket).collect();
                self.committed_because.retain(|ticket, _| held.contains(ticket));
            }
            _ => {}
        }
    }

    /// True if the crew is enrolled, or its time is still taken.
    pub(super) fn is_there(&self) -> bool {
        self.crew.enrolled || self.crew.reserved.is_some() || !self.crew.commitments.is_empty()
    }

    pub(super) fn crew(&self, id: &CrewId) -> Crew {
        let shift = self.crew.shift.as_ref().map(|shift| Shift { until: shift.until, breaks: shift.breaks.clone() });
        let committed = self
            .crew
            .commitments
            .iter()
            .map(|held| (held.ticket, self.committed_because.get(&held.ticket).copied().unwrap_or(self.position)));
        Crew {
            id: id.clone(),
            home: self.crew.home,
            territory: self.crew.territory.clone(),
            skills: self.crew.skills,
            shift: shift.filter(|_| self.crew.enrolled),
            away: self.crew.away,
            at: self.at,
            seen: self.seen,
            reserved: self.crew.reserved.map(|held| Reserved {
                offer: held.offer,
                ticket: held.ticket,
                fence: held.fence,
                lease_until: held.lease_until,
                priority: self.reserved_priority,
                forced: self.reserved_forced.clone(),
                because: self.reserved_because,
            }),
            committed: committed.collect(),
            worked_minutes: self.worked_seconds as f64 / 60.0,
            because: self.position,
        }
    }
}
