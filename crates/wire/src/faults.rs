//! The faults of a file that a person wrote, with their lines. The readers of each file format word them.

use std::fmt;

/// The most faults that a reader returns for one file. If there are more, one further entry says how many. A caller
/// that shows fewer must say how many it leaves out, this entry included; otherwise the author takes the list for
/// complete.
pub const FAULTS_MAX: usize = 200;

/// One fault of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The description, in English: operators write these files, not API clients.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.reason)
    }
}

/// The line, from 1, of the byte at `offset`; past the end, the last line.
#[must_use]
pub fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}
