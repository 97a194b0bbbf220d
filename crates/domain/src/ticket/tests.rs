//! The rules of the ticket by example: given these facts, when this is asked, then that follows or is refused.
//! A file per phase of the work, as in `decide`; `lives` tells whole lives. What holds of *every* history is in `laws`.

mod beside;
mod case_file;
mod closing;
mod field;
mod form;
mod intake;
mod late;
mod lives;
mod merging;
mod offers;
mod recall;
mod words;

pub(crate) mod sample;
pub(crate) mod story;
