//! The lines of the README, run as they are pasted: in one shell, from the top of the project, after the demo.
//! Addresses and folders are its own, so that nothing that runs on this machine is disturbed.

use std::{
    ffi::OsStr,
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{
    pages::blocks,
    tree::{page, root},
};

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The folder in which the programs of this build lie.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().to_owned()
}

/// The search path of one who has pasted the first line, for blocks that build on it.
fn path() -> String {
    format!("{}:{}", built().display(), std::env::var("PATH").unwrap())
}

/// A program with none of the settings that this test's own environment may hold.
fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let settings = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SWITCHBOARD_"));
    settings.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command
}

/// A folder that looks like the project after `make demo`.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    symlink(root().join("deploy"), folder.path().join("deploy")).unwrap();
    fs::create_dir(folder.path().join("target")).unwrap();
    symlink(built(), folder.path().join("target/debug")).unwrap();
    folder
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_lines_of_the_readme_work_as_they_are_pasted() {
    let program = built().join("switchboard");
    if !program.exists() {
        println!("SKIPPED: the lines of the README, for there is no {}; `make test` builds it", program.display());
        return;
    }
    let folder = project();
    let demo = command(&program).current_dir(folder.path()).args(["demo", "--tickets", "20"]).output().unwrap();
    assert!(demo.status.success(), "{}", text(&demo));

    let readme = blocks(&page("README.md"));
    let pasted = readme.into_iter().filter(|(language, text)| language == "sh" && !text.starts_with("make "));
    let mut said = String::new();
    for (_, lines) in pasted {
        let mut shell = command("bash");
        shell.args(["-e", "-o", "pipefail", "-c", &format!("trap 'kill $! 2>/dev/null || true' EXIT\n{lines}")]);
        shell.current_dir(folder.path()).env("PATH", path());
        if lines.contains("switchboard serve") {
            let (grpc, operations) = (port(), port());
            shell.env("SWITCHBOARD_LISTEN", format!("127.0.0.1:{grpc}"));
            shell.env("SWITCHBOARD_OPERATIONS", format!("127.0.0.1:{operations}"));
            shell.env("SWITCHBOARD_SERVER", format!("http://127.0.0.1:{grpc}"));
        }
        let output = shell.output().unwrap();
        said.push_str(&text(&output));
        assert!(output.status.success(), "{lines}\n{said}");
    }
    for wanted in [
        "ticket.dispatched.v1",
        "\"stage\":\"dispatched\"",
        "legal now",
        "\"ok\":true",
        "promised within",
        "arrival_on_time_rate",
        "kept (F05u)",
        "would be judged otherwise",
        "\"imported\":1",
        "\"already_present\":1",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
}
