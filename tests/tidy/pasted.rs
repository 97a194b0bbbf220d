//! The lines of the README, run as they are pasted: the blocks of a section in one shell, from the top of the project,
//! after the demo. The output that the README shows below a block must occur in what was printed. Addresses and folders
//! are the test's own, so no other program on this machine is disturbed.

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
    tree::{Page, page, root},
};

/// Returns a port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Returns the folder with the programs of this build.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().to_owned()
}

/// Returns the search path after the first line was pasted, for blocks that depend on it.
fn path() -> String {
    format!("{}:{}", built().display(), std::env::var("PATH").unwrap())
}

/// Builds a command without the settings that this test's own environment may hold.
fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let settings = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SWITCHBOARD_"));
    settings.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.env_remove("COLUMNS");
    command
}

/// Makes a folder that looks like the project after `make demo`.
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

/// The lines of one section to paste, and the output that it shows.
struct Section {
    pasted: String,
    shown: Vec<String>,
}

/// Returns the sections of a page that have lines to paste.
fn sections(page: &Page) -> Vec<Section> {
    let parts = page.text.split("\n## ");
    let parts = parts.map(|text| blocks(&Page { path: page.path.clone(), text: text.to_owned() }));
    let section = |blocks: Vec<(String, String)>| {
        let first = blocks.iter().position(|(language, _)| language == "sh")?;
        let of = |wanted: &str| {
            let found = blocks[first..].iter().filter(|(language, _)| language == wanted);
            found.map(|(_, text)| text.as_str()).collect::<String>()
        };
        Some(Section { pasted: of("sh"), shown: of("text").lines().map(str::to_owned).collect() })
    };
    parts.filter_map(section).collect()
}

/// Returns a line without the parts that differ between runs: figures, ids, and the width of a table.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    for word in line.split_whitespace() {
        let is_id = word.len() >= 16 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let mut last = ' ';
        for c in word.chars().filter(|_| !is_id) {
            let c = if c.is_ascii_digit() { '0' } else { c };
            if c != '0' || last != '0' {
                plain.push(c);
            }
            last = c;
        }
        plain.push_str(if is_id { "# " } else { " " });
    }
    plain.trim_end().to_owned()
}

/// Checks that every shown line was printed, in this order.
fn printed(shown: &[String], output: &str) {
    let mut rest = output.lines().map(plain);
    for line in shown.iter().filter(|line| *line != "...") {
        let wanted = plain(line);
        assert!(rest.any(|printed| printed == wanted), "the README shows\n{line}\nwhich does not follow in\n{output}");
    }
}

#[test]
fn the_lines_of_the_readme_work_as_they_are_pasted_and_print_what_it_shows() {
    let program = built().join("switchboard");
    if !program.exists() {
        println!("SKIPPED: the lines of the README, for there is no {}; `make test` builds it", program.display());
        return;
    }
    let folder = project();
    let sections = sections(&page("README.md"));
    assert_eq!(sections[0].pasted, "make demo\n", "the demo comes first");
    // Runs the same program as `make demo`, without the build.
    let demo = command(&program).current_dir(folder.path()).arg("demo").output().unwrap();
    assert!(demo.status.success(), "{}", text(&demo));
    printed(&sections[0].shown, &text(&demo));

    assert!(sections.len() >= 5);
    for Section { pasted, shown } in &sections[1..] {
        let mut shell = command("bash");
        let script = format!("exec 2>&1\ntrap 'kill $! 2>/dev/null || true' EXIT\n{pasted}");
        shell.args(["-e", "-o", "pipefail", "-c", &script]);
        shell.current_dir(folder.path()).env("PATH", path());
        if pasted.contains("switchboard serve") {
            let (grpc, operations) = (port(), port());
            shell.env("SWITCHBOARD_LISTEN", format!("127.0.0.1:{grpc}"));
            shell.env("SWITCHBOARD_OPERATIONS", format!("127.0.0.1:{operations}"));
            shell.env("SWITCHBOARD_SERVER", format!("http://127.0.0.1:{grpc}"));
        }
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{pasted}\n{}", text(&output));
        printed(shown, &text(&output));
    }
}

#[test]
fn a_shown_line_is_compared_without_figures_ids_and_widths() {
    let shown = ["│ arrival   71    0  │", "...", "ticket 7fd8cf3aede85a62ac7b78b62ed50412"].map(str::to_owned);
    printed(&shown, "│ arrival 6 12 │\nmore\nticket 1c93bb1afb4d5191901c2d4ab94e64d5\n");
    let missing = std::panic::catch_unwind(|| printed(&["kept".to_owned()], "broken\n"));
    assert!(missing.is_err());
}

#[test]
fn no_line_of_the_readme_cuts_a_field_out_of_an_answer() {
    for section in sections(&page("README.md")) {
        for tool in ["sed ", "awk ", "grep ", "cut "] {
            assert!(!section.pasted.contains(tool), "{tool}: --only prints a field: {}", section.pasted);
        }
    }
}
