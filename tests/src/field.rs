//! The field on a day of storm: a made or recorded day with crews that drive, accept, decline and hand over, on which policies of
//! dispatch are measured against each other and against a bound that knows the future. Seeded, without a clock, in memory.
//!
//! Modules in reading order: [`chance`], draws by name; [`place`], the prefecture and its roads; [`world`], what is true;
//! [`made`] and [`recorded`], where worlds come from; [`policy`], who is sent; [`run`], the day; [`score`] and [`bound`].
//!
//! Absent on purpose: servers, streams and commands. Here the *choice* is measured, not its way through the engine.

pub mod bound;
pub mod chance;
pub mod made;
pub mod place;
pub mod policy;
pub mod recorded;
pub mod run;
pub mod score;
#[cfg(test)]
mod tests;
pub mod world;
