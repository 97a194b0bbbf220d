//! The border's promises: every kind ever shipped still reads, what is sealed opens only where it belongs, requests are
//! read or refused whole, and every *no* has a reason and two languages. No network here; that is the flow tests' part.
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
