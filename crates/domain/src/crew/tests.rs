//! Each rule and each no of crews, by example: the roster, shifts, absences and the track, and what the crew's time is given to.
//! What holds of every history is in `laws`.

mod roster;
mod shifts;
pub(super) mod story;
mod time;
