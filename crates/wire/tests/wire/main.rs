//! The guarantees of the external formats: every shipped kind is still readable, a seal opens only in its place, a
//! request is accepted or rejected as a whole, and every refusal has a reason and two languages. The flow tests cover
//! the network.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod calendar_file;
mod dispatch;
mod draw;
mod golden;
mod history;
mod identity;
mod policies;
mod policy_file;
mod promised;
mod refusals;
mod requests;
mod roster_file;
mod sealing;
