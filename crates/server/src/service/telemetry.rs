//! Telemetry: the positions of crews at work, and when they last reported. It is lost with the process and reported
//! again within a minute. A thinned track is stored in the crews' own streams. Nothing is decided here. The position of
//! a crew that is not at work is not kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Point},
};
use switchboard_views::assignments::Standing;
use tokio::sync::Notify;

/// The shortest time between two points of a crew's track.
pub const TRACK_EVERY: TimeDelta = TimeDelta::minutes(10);
/// The shortest distance between two points of a crew's track, in kilometres.
pub const TRACK_KM_MIN: f64 = 1.0;

/// A position that a device reported, with a corrected time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// The position.
    pub at: Point,
    /// Accuracy, in metres; 0 when unknown.
    pub accuracy_m: u32,
    /// The instant of the position, by the device's corrected clock.
    pub observed: Timestamp,
}

/// The telemetry of one crew.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The crew.
    pub crew: CrewId,
    /// Its last position, and the instant of it by the device's clock; `None` until it reports one at work.
    pub at: Option<(Point, Timestamp)>,
    /// When it last reported, in the engine's time.
    pub seen: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    fix: Option<Fix>,
    seen: Timestamp,
    /// The device's time of the last point that was passed on to the track.
    tracked: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Table {
    crews: BTreeMap<CrewId, Line>,
    changed: BTreeSet<CrewId>,
}

/// The telemetry of all crews. Callers add only crews on the roster, which bounds the table.
#[derive(Debug, Default)]
pub struct Telemetry {
    table: Mutex<Table>,
    nudge: Arc<Notify>,
}

impl Telemetry {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notified at the first change after [`Self::drain_changed`] took all changes.
    pub(crate) fn nudge(&self) -> Arc<Notify> {
        Arc::clone(&self.nudge)
    }

    /// True if [`Self::drain_changed`] would return a change.
    pub(crate) fn has_changed(&self) -> bool {
        !self.table().changed.is_empty()
    }

    /// Locks the table for a change. Notifies the waiting task if this is the first change.
    fn changing(&self) -> MutexGuard<'_, Table> {
        let table = self.table();
        if table.changed.is_empty() {
            self.nudge.notify_one();
        }
        table
    }

    /// Records that the crew reported, at the engine's time `now`.
    pub fn heard(&self, crew: &CrewId, now: Timestamp) {
        self.changing().note(crew, now);
    }

    /// Records a position of a crew at work. The newest position by the device's time counts, whatever the order of
    /// arrival. Returns true if the position belongs to the thinned track: far enough and late enough after the last
    /// point. The caller then stores it, or calls [`Self::untracked`].
    pub fn located(&self, crew: &CrewId, fix: Fix, now: Timestamp, standing: &Standing) -> bool {
        let mut table = self.changing();
        let line = table.note(crew, now);
        if line.fix.is_some_and(|known| known.observed >= fix.observed) {
            return false;
        }
        line.fix = Some(fix);
        let last = line.tracked.max(standing.kept.map(|(_, at)| at));
        let rested = last.is_none_or(|last| fix.observed - last >= TRACK_EVERY);
        let moved = standing.kept.is_none_or(|(point, _)| point.km_to(fix.at) >= TRACK_KM_MIN);
        let due = rested && moved;
        if due {
            line.tracked = Some(fix.observed);
        }
        due
    }

    /// Forgets the position of a crew that is not at work.
    pub fn off_work(&self, crew: &CrewId) {
        if let Some(line) = self.table().crews.get_mut(crew) {
            (line.fix, line.tracked) = (None, None);
        }
    }

    /// A point for the track could not be stored; the next one may be.
    pub fn untracked(&self, crew: &CrewId) {
        if let Some(line) = self.table().crews.get_mut(crew) {
            line.tracked = None;
        }
    }

    /// Forgets a crew that left the roster.
    pub fn forget(&self, crew: &CrewId) {
        let mut table = self.table();
        table.crews.remove(crew);
        table.changed.remove(crew);
    }

    /// When a crew last reported, and its last position.
    #[must_use]
    pub fn seen(&self, crew: &CrewId) -> Option<Heard> {
        self.table().crews.get(crew).map(|line| line.of(crew))
    }

    /// Returns the crews whose telemetry changed since the last call.
    #[must_use]
    pub fn drain_changed(&self) -> Vec<Heard> {
        let mut table = self.table();
        let changed = std::mem::take(&mut table.changed);
        changed.iter().filter_map(|crew| table.crews.get(crew).map(|line| line.of(crew))).collect()
    }
}

impl Table {
    fn note(&mut self, crew: &CrewId, now: Timestamp) -> &mut Line {
        self.changed.insert(crew.clone());
        let line = self.crews.entry(crew.clone()).or_insert(Line { fix: None, seen: now, tracked: None });
        line.seen = line.seen.max(now);
        line
    }
}

impl Line {
    fn of(&self, crew: &CrewId) -> Heard {
        Heard { crew: crew.clone(), at: self.fix.map(|fix| (fix.at, fix.observed)), seen: self.seen }
    }
}

#[cfg(test)]
mod tests {
    use switchboard_domain::organisation::OrgPath;

    use super::*;

    fn crew() -> CrewId {
        CrewId::of(&OrgPath::parse("sgcc/zj/hz/yh/lz/c1").unwrap()).unwrap()
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_timestamp(1_767_225_600 + minute * 60, 0).unwrap()
    }

    fn fix(minute: i64, latitude_e6: i32) -> Fix {
        Fix { at: Point::new(latitude_e6, 120_000_000).unwrap(), accuracy_m: 5, observed: at(minute) }
    }

    #[test]
    fn the_newest_point_by_the_devices_time_counts() {
        let telemetry = Telemetry::default();
        let standing = Standing::default();
        telemetry.located(&crew(), fix(5, 30_000_000), at(6), &standing);
        telemetry.located(&crew(), fix(3, 31_000_000), at(7), &standing);
        let heard = telemetry.drain_changed();
        assert_eq!((heard[0].at, heard[0].seen), (Some((fix(5, 30_000_000).at, at(5))), at(7)));
        assert!(telemetry.drain_changed().is_empty(), "told once");
        telemetry.heard(&crew(), at(8));
        assert_eq!(telemetry.drain_changed().len(), 1);
        telemetry.off_work(&crew());
        assert_eq!(
            telemetry.seen(&crew()).map(|heard| (heard.at, heard.seen)),
            Some((None, at(8))),
            "where it was is forgotten"
        );
        telemetry.heard(&crew(), at(9));
        telemetry.forget(&crew());
        assert!(telemetry.seen(&crew()).is_none() && telemetry.drain_changed().is_empty());
    }

    #[test]
    fn a_track_has_one_point_in_ten_minutes_and_a_kilometre() {
        let telemetry = Telemetry::default();
        let mut on = Standing { enrolled: true, shift_until: Some(at(480)), kept: None };
        assert!(telemetry.located(&crew(), fix(1, 30_000_000), at(1), &on), "the first of a shift");
        assert!(!telemetry.located(&crew(), fix(2, 31_000_000), at(2), &on), "asked again before the fact is known");
        on.kept = Some((Point::new(30_000_000, 120_000_000).unwrap(), at(1)));
        assert!(!telemetry.located(&crew(), fix(10, 31_000_000), at(10), &on), "nine minutes");
        assert!(!telemetry.located(&crew(), fix(12, 30_008_000), at(12), &on), "900 m");
        assert!(telemetry.located(&crew(), fix(13, 30_010_000), at(13), &on));
        telemetry.untracked(&crew());
        assert!(telemetry.located(&crew(), fix(14, 30_010_000), at(14), &on), "the other could not be kept");
    }
}
