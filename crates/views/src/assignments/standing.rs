//! The standing of a crew, as far as its app needs it. The planner has a board of its own.

use switchboard_domain::{
    Timestamp,
    crew::{Event, Point},
};

/// The standing of a crew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// True while the crew is on the roster.
    pub enrolled: bool,
    /// The planned end of the current shift; `None` when off shift.
    pub shift_until: Option<Timestamp>,
    /// The last point of the thinned track in this shift, and its instant.
    pub kept: Option<(Point, Timestamp)>,
}

impl Standing {
    /// True when the crew is on shift: its shift has started and is before its planned end, or after it with `work`
    /// still to do. Positions at other times must not be used (privacy: a shift may not have been ended, and the app
    /// may still be running).
    #[must_use]
    pub fn is_at_work(&self, now: Timestamp, work: bool) -> bool {
        self.shift_until.is_some_and(|until| now < until || work)
    }

    /// Applies the crew's next event, which happened at `at`.
    pub fn apply(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Enrolled(_) => self.enrolled = true,
            Event::Dismissed(_) => *self = Self::default(),
            Event::ShiftStarted(e) => {
                self.shift_until = Some(e.until);
                self.kept = e.at.map(|point| (point, at));
            }
            Event::ShiftEnded(_) => {
                self.shift_until = None;
                self.kept = None;
            }
            // A late point does not replace a newer one.
            Event::Located(e) => {
                if self.kept.is_none_or(|(_, known)| known <= at) {
                    self.kept = Some((e.at, at));
                }
            }
            Event::WentAway(_) | Event::CameBack(_) | Event::Reserved(_) | Event::Committed(_) | Event::Released(_) => {
            }
        }
    }
}
