//! The rules of the ticket by example: given these facts, when this command, then these events or this rejection. One
//! file per phase of the work, as in `decide`; `lives` has whole lives. `laws` has the properties that hold for *every*
//! history.

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
