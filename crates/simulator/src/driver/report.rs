//! The outcome of playing scripts: counts, and the first problems in detail. Absent: latencies per call, which a
//! benchmark measures itself.

use serde::Serialize;

use super::attempt::Failure;
use crate::{Timestamp, request::Answer, rows::RowProblem, script::Script};

/// The most problems that a report lists; further ones are only counted.
pub const PROBLEMS_MAX: usize = 1000;

/// The outcome of a run. `rows = imported + already_present + skipped + refused` always holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Rows or scripts processed.
    pub rows: u64,
    /// Scripts played to the end with at least one request that the server had not accepted before.
    pub imported: u64,
    /// Rows that could not become a script; see the problems.
    pub skipped: u64,
    /// Scripts whose requests had all been accepted before.
    pub already_present: u64,
    /// Scripts that stopped at a step that failed; see the problems.
    pub refused: u64,
    /// Requests accepted.
    pub commands: u64,
    /// Accepted requests that the server answered as repeated.
    pub replayed: u64,
    /// The first problems in the order in which they occurred, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// The reason for an early end; `None` when all scripts were played.
    pub ended: Option<Ended>,
    /// The duration of the run in seconds.
    pub seconds: f64,
}

/// The reason why a run ended before all scripts were played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The server was unreachable or overloaded, and the attempts ran out. Playing again completes the rest.
    ServerUnavailable,
    /// The rest of the file cannot be read.
    FileUnreadable,
}

/// A problem with one script or row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the input file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The script's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The name of the step that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The API's reason, or `ROW` for a row that could not become a script.
    pub reason: String,
    /// The message for people.
    pub message: String,
}

/// The progress of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Rows or scripts finished.
    pub rows: u64,
    /// Finished rows or scripts that were skipped or refused.
    pub problems: u64,
    /// Requests accepted.
    pub commands: u64,
    /// The latest end of the finished scripts, in script time.
    pub at: Option<Timestamp>,
}

impl Report {
    /// True if everything was imported: no row skipped, no step refused, no early end.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.skipped == 0 && self.refused == 0 && self.ended.is_none()
    }

    pub(super) fn progress(&self, at: Option<Timestamp>) -> Progress {
        Progress { rows: self.rows, problems: self.skipped + self.refused, commands: self.commands, at }
    }

    pub(super) fn add(&mut self, played: Played) {
        self.rows += 1;
        self.commands += played.commands;
        self.replayed += played.replayed;
        match &played.problem {
            None if played.commands > played.replayed => self.imported += 1,
            None => self.already_present += 1,
            Some(problem) if problem.step.is_none() => self.skipped += 1,
            Some(_) => self.refused += 1,
        }
        self.ended = self.ended.or(played.ended);
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.extend(played.problem);
        }
    }
}

/// The outcome of one script.
#[derive(Debug, Default)]
pub(super) struct Played {
    line: Option<u64>,
    /// The script's key; `None` for a row that could not become a script.
    pub key: Option<String>,
    /// The time of the script's last step, in script time.
    pub ends: Option<Timestamp>,
    commands: u64,
    replayed: u64,
    problem: Option<Problem>,
    ended: Option<Ended>,
}

impl Played {
    pub(super) fn begin(script: &Script) -> Self {
        Self { line: script.line, key: Some(script.key.clone()), ends: script.ends(), ..Self::default() }
    }

    pub(super) fn skipped(row: RowProblem) -> Self {
        let ended = row.fatal.then_some(Ended::FileUnreadable);
        let problem =
            Problem { line: Some(row.line), key: None, step: None, reason: "ROW".to_owned(), message: row.reason };
        Self { problem: Some(problem), ended, ..Self::default() }
    }

    pub(super) fn accepted(&mut self, answer: &Answer) {
        self.commands += 1;
        self.replayed += u64::from(answer.replayed);
    }

    pub(super) fn refused(&mut self, step: String, failure: Failure) {
        let Failure { reason, message, transient, .. } = failure;
        self.problem = Some(Problem { line: self.line, key: self.key.clone(), step: Some(step), reason, message });
        self.ended = transient.then_some(Ended::ServerUnavailable);
    }
}
