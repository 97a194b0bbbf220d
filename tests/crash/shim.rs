//! The library that makes a disk fail or lie: `shim.c`, compiled by `cc` when a test needs it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use switchboard_tests::disk::skipped;

/// Compiles the library into that file. Returns `None` and prints a message where that is not possible.
pub fn compiled(library: &Path) -> Option<PathBuf> {
    let source = library.with_extension("c");
    std::fs::write(&source, include_str!("shim.c")).unwrap();
    let mut command = Command::new("cc");
    match command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(library).arg(&source).arg("-ldl").output() {
        Ok(output) if output.status.success() => Some(library.to_owned()),
        Ok(output) => {
            skipped(&format!("cc cannot make a library: {}", String::from_utf8_lossy(&output.stderr)));
            None
        }
        Err(error) => {
            skipped(&format!("no cc: {error}"));
            None
        }
    }
}
