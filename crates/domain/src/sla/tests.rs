//! Clocks by example: worked timelines with what is due, what was judged and what is said of it. All instants are told in China
//! Standard Time. What holds of *every* history is in `laws`.

mod averages;
mod cycles;
mod keeping;
mod timelines;
mod versions;
mod watch;

pub(crate) mod tale;
pub(crate) mod world;
