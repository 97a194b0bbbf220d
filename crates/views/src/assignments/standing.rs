//! How a crew stands, as far as its telephone is concerned. What the planner needs to know is on the planner's own board.

use switchboard_domain::{
    Timestamp,
    crew::{Event, Point},
};

/// A crew of the roster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether the roster knows it.
    pub enrolled: bool,
    /// The planned end of the shift that runs.
    pub shift_until: Option<Timestamp>,
    /// The last point of its thinned track in this shift, and when it was there.
    pub kept: Option<(Point, Timestamp)>,
}

impl Standing {
    /// Whether the crew is at work: its shift runs, and has not reached its planned end unless there is still `work` in its hands.
    /// Where it is otherwise is nobody's business: a shift that nobody ended and an app that nobody closed lead to its homes.
    #[must_use]
    pub fn is_at_work(&self, now: Timestamp, work: bool) -> bool {
        self.shift_until.is_some_and(|until| now < until || work)
    }

    /// Takes the crew's next fact into account, which happened at `at`.
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
            // A point that comes late is part of the track, and not its end.
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
