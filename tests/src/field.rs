//! The field: simulated or recorded storm days with crews that drive, accept, decline and hand over. On them dispatch
//! policies are compared with each other and with a bound that knows the future. Seeded, without a clock, in memory.
//!
//! Modules in reading order: [`chance`], random draws by name; [`place`], the prefecture and its roads; [`world`], the
//! true state of a day; [`made`] and [`recorded`], the sources of worlds; [`policy`], the choice of crews; [`run`], the
//! simulation; [`score`] and [`bound`].
//!
//! Absent on purpose: servers, streams and commands. The field measures the *choice* of crews, not its way through the
//! engine.

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
