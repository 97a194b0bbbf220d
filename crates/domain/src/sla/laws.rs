//! Properties of every clock, tested with thousands of random histories under random policies; worked examples are in
//! `tests`. One property is that the generator reaches every kind of history.

mod clocks;
mod draw;
mod garbage;
mod saying;
mod verdicts;
