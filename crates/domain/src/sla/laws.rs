//! What holds of every clock, put to thousands of random histories under random policies. Worked examples are in `tests`.
//! That the histories get everywhere is a law of its own, for a generator that degenerates proves nothing.

mod clocks;
mod draw;
mod garbage;
mod saying;
mod verdicts;
