//! The rules and rejections of crews by example: roster, shifts, absences, the track, reservations and commitments.
//! `laws` has the properties that hold for every history.

mod roster;
mod shifts;
pub(super) mod story;
mod time;
