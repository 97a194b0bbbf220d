//! Clocks by example: worked timelines with due instants, verdicts and recorded promise events. All instants are China
//! Standard Time. `laws` has the properties that hold for *every* history.

mod averages;
mod cycles;
mod keeping;
mod timelines;
mod versions;
mod watch;

pub(crate) mod tale;
pub(crate) mod world;
