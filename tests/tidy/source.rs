//! The form of source files: a head on every file, a limited length, names of the trade, plain characters.

use std::path::Path;

use crate::tree::{Page, clean, pages};

/// The most lines of a file. A longer file holds a second thing, which moves out. There is no list of exceptions.
const LINES_MAX: usize = 500;

/// Words that say nothing about the nature of a thing.
const BANNED: [&str; 12] =
    ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base", "impl", "impls", "core"];

/// The files for sentences and names in Chinese. Elsewhere Chinese is permitted only in rustdoc, or in a test that
/// quotes these files.
const CATALOGUES: [&str; 7] = [
    "crates/cli/src/kept/catalogue.rs",
    "crates/simulator/src/city/words.rs",
    "crates/views/src/advice/catalogue.rs",
    "crates/views/src/kpi/catalogue.rs",
    "crates/views/src/promises/catalogue.rs",
    "crates/wire/src/refusal/terms.rs",
    "crates/wire/src/refusal/wording.rs",
];

/// Remarks about the course of the work, and paths on one machine.
const NOT_OURS: [&str; 11] = [
    "/work/",
    "/root/",
    "/home/",
    "shared/design",
    "claude",
    "anthropic",
    "chatgpt",
    "language model",
    "this session",
    "subagent",
    "another engineer",
];

fn sources() -> Vec<Page> {
    pages("", ".rs")
}

/// True if a file may quote text for users.
fn is_test(page: &Page) -> bool {
    page.path.contains("/tests/") || page.path.starts_with("tests/") || page.is("tests.rs")
}

/// Splits the name of a file, a crate or a type into words in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase() {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            last.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

fn is_banned(name: &str) -> bool {
    words(name).iter().any(|word| BANNED.contains(&word.as_str()))
}

#[test]
fn every_source_file_begins_with_what_it_is() {
    let bare = sources().into_iter().filter(|page| !page.text.starts_with("//! "));
    clean(bare.map(|page| page.path).collect());
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let long = sources().into_iter().map(|page| (page.text.lines().count(), page.path));
    clean(long.filter(|(lines, _)| *lines > LINES_MAX).map(|(lines, path)| format!("{path}: {lines}")).collect());
}

#[test]
fn names_are_nouns_of_the_trade() {
    let mut found = Vec::new();
    for page in sources() {
        if page.path.split(['/', '.']).any(is_banned) || page.is("/mod.rs") {
            found.push(page.path.clone());
        }
        for (number, line) in page.lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
            let keyword =
                ["struct ", "enum ", "trait ", "type ", "mod "].into_iter().find_map(|k| line.strip_prefix(k));
            let name = keyword.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""));
            found.extend(name.filter(|name| is_banned(name)).map(|name| format!("{}:{number}: {name}", page.path)));
        }
    }
    clean(found);
}

#[test]
fn source_is_ascii_but_for_chinese_in_rustdoc_and_catalogues() {
    let mut found = Vec::new();
    // Shipped data names holidays and clocks as people read them.
    let manifests = pages("", ".toml").into_iter().filter(|page| !page.path.starts_with("deploy/"));
    for page in sources().into_iter().chain(manifests).filter(|page| !CATALOGUES.contains(&page.path.as_str())) {
        for (number, line) in page.lines().filter(|(_, line)| !line.is_ascii()) {
            let text = line.trim_start();
            if !text.starts_with("//!") && !text.starts_with("///") && !is_test(&page) {
                found.push(format!("{}:{number}: {text}", page.path));
            }
        }
    }
    clean(found);
}

#[test]
fn every_catalogue_is_still_there() {
    let here = |path: &&str| crate::tree::root().join(path).is_file();
    clean(CATALOGUES.into_iter().filter(|path| !here(path)).map(str::to_owned).collect());
}

#[test]
fn nothing_is_left_for_later_and_no_line_ends_in_space() {
    let mut found = Vec::new();
    for page in pages("", "").into_iter().filter(|page| !page.path.starts_with("tests/tidy/")) {
        for (number, line) in page.lines() {
            if line.ends_with([' ', '\t', '\r']) {
                found.push(format!("{}:{number}: ends in space", page.path));
            }
            let mark = |word: &str| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|found| found == word);
            if mark("TODO") || mark("FIXME") || mark("XXX") {
                found.push(format!("{}:{number}: {}", page.path, line.trim()));
            }
        }
        if !page.text.is_empty() && !page.text.ends_with('\n') {
            found.push(format!("{}: its last line does not end", page.path));
        }
    }
    clean(found);
}

#[test]
fn the_project_speaks_of_itself_not_of_how_or_where_it_was_made() {
    let mut found = Vec::new();
    for page in pages("", "").into_iter().filter(|page| !page.path.starts_with("tests/tidy/")) {
        for (number, line) in page.lines() {
            let line = line.to_lowercase();
            let said = NOT_OURS.into_iter().filter(|word| line.contains(word));
            found.extend(said.map(|word| format!("{}:{number}: {word}", page.path)));
        }
    }
    clean(found);
}

#[test]
fn a_test_names_what_it_tests_in_a_sentence() {
    let mut found = Vec::new();
    for page in sources() {
        let mut tested = false;
        for (number, line) in page.lines() {
            let line = line.trim();
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            match name {
                Some(name) if tested && name.split('_').count() < 3 => {
                    found.push(format!("{}:{number}: {name}", page.path));
                    tested = false;
                }
                Some(_) => tested = false,
                None => tested |= line.starts_with("#[test]") || line.starts_with("#[tokio::test"),
            }
        }
    }
    clean(found);
}

#[test]
fn words_are_told_apart_in_every_spelling() {
    assert_eq!(words("TicketBase"), ["ticket", "base"]);
    assert_eq!(words("database_util"), ["database", "util"]);
    assert!(is_banned(Path::new("string-helper").to_str().unwrap()) && !is_banned("Database"));
}
