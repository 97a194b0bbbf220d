//! A foreign client: `lifecycle.py` in its own virtual environment, run by `run.sh`. Their output is shown.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{
    path::Path,
    process::{Command, Stdio},
};

use switchboard_tests::stage::binary;

#[test]
fn a_python_client_lives_a_tickets_whole_life_from_reflected_descriptors() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/run.sh");
    let binary = binary();
    // Beside the build, so that it is made once and deleted with the build.
    let venv = binary.parent().unwrap().join("python-client");
    let mut command = Command::new("bash");
    command.arg(script).arg(&binary).arg(venv).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SWITCHBOARD_")) {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("SKIPPED:") || said.contains("brought ticket"), "{said}");
    eprintln!("{}", said.trim());
}
