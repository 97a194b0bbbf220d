//! What came of playing scripts: counts, and the first problems by name. Absent: per-call latencies, which a bench measures itself.

use serde::Serialize;

use super::attempt::Failure;
use crate::{Timestamp, request::Answer, rows::RowProblem, script::Script};

/// The most problems that a report lists; past it they are only counted.
pub const PROBLEMS_MAX: usize = 1000;

/// What came of it. `rows = imported + already_present + skipped + refused`, unless it ended early.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Rows or scripts seen.
    pub rows: u64,
    /// Newly in: played to the end, at least one step for the first time.
    pub imported: u64,
    /// Rows that are no script; see the problems.
    pub skipped: u64,
    /// All steps were on record before.
    pub already_present: u64,
    /// Stopped at a step that the server refused; see the problems.
    pub refused: u64,
    /// Requests accepted.
    pub commands: u64,
    /// Of these, answered as repeated.
    pub replayed: u64,
    /// The first problems, at most [`PROBLEMS_MAX`], in the order in which they were met.
    pub problems: Vec<Problem>,
    /// Why it ended before the scripts did.
    pub ended: Option<Ended>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Why playing ended before the scripts did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The server cannot be reached, or takes nothing, and the attempts ran out. Playing again goes on from here.
    ServerUnavailable,
    /// The file cannot be read any further.
    FileUnreadable,
}

/// Something that went wrong with one script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The script's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The step that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The API's reason, or `ROW`.
    pub reason: String,
    /// In words.
    pub message: String,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Rows or scripts done with.
    pub rows: u64,
    /// Of these, skipped or refused.
    pub problems: u64,
    /// Requests accepted.
    pub commands: u64,
    /// When the latest of the finished scripts ended, by its own time.
    pub at: Option<Timestamp>,
}

impl Report {
    /// Whether everything is in: no row skipped, no step refused, nothing ended early.
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

/// What came of one script.
#[derive(Debug, Default)]
pub(super) struct Played {
    line: Option<u64>,
    /// The script's key; a row that is no script has none.
    pub key: Option<String>,
    /// When it ended, by its own time.
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
