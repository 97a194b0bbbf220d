//! What is wrong with a file that a person wrote, line by line. No word about what stands in such files; their readers
//! say that.

use std::fmt;

/// The faults of one file that are told, at most. How many more there are is told in a line of its own after them, so that one
/// more than this may come. A caller that shows fewer must say how many it leaves out, that line included: an author who is shown
/// a part in silence takes it for all.
pub const FAULTS_MAX: usize = 200;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, in English: files are written by operators, not by callers.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.reason)
    }
}

/// The line, from 1, in which the byte at `offset` stands; past the end, the last one.
#[must_use]
pub fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}
