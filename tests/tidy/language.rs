//! Plain language: lines of prose that can be read and compared one by one, and no words of an earlier private dialect.
//!
//! Absent: grammar and taste, which a machine cannot judge.

use crate::tree::{Page, clean, pages};

/// The pages whose prose is one sentence a line: files, and folders with a `/` at the end.
const PROSE: [&str; 5] = ["README.md", "README.zh-CN.md", "CHANGELOG.md", "docs/", "tests/peers/"];

/// The longest line of prose, in characters.
const PROSE_CHARS_MAX: usize = 160;

/// The longest comment line of code, in characters: the width that rustfmt is set to.
const COMMENT_CHARS_MAX: usize = 120;

/// Words that only this project used in their meaning, in lower case and singular, each with the plain words. Their
/// plurals with `s` count, too. The list grows.
const DIALECT: [(&str, &str); 15] = [
    ("almanac", "calendar version"),
    ("aloud", "announced"),
    ("anew", "again"),
    ("breath", "one append"),
    ("docket", "clock history"),
    ("how-manieth", "attempt number"),
    ("hungry", "underfilled"),
    ("keeper", "event store implementation"),
    ("lap", "run (of a clock)"),
    ("loudly", "logged as an error"),
    ("notebook", "checkpoint"),
    ("nought", "zero"),
    ("stray", "orphaned key"),
    ("tug", "timed effect"),
    ("whoever", "the actor's name"),
];

/// Returns the lines outside code blocks.
fn prose(page: &Page) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (number, line) in page.lines() {
        let fence = line.trim_start().starts_with("```");
        if !inside && !fence {
            found.push((number, line));
        }
        inside ^= fence;
    }
    found
}

/// Returns a line without its parts between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// True if the line contains only links and punctuation.
fn only_links(line: &str) -> bool {
    let mut rest = String::new();
    let mut parts = line.split('[');
    rest.push_str(parts.next().unwrap_or_default());
    for part in parts {
        match part.split_once("](").and_then(|(_, target)| target.split_once(')')) {
            Some((_, after)) => rest.push_str(after),
            None => rest.push_str(part),
        }
    }
    line.contains("](") && !rest.chars().any(char::is_alphanumeric)
}

/// Returns the lines of prose that are too wide. Tables, headings and lists of links may have any width.
fn wide(page: &Page) -> Vec<String> {
    let is_prose = |line: &str| !line.starts_with(['|', '#']) && !only_links(line);
    let lines = prose(page).into_iter().filter(|(_, line)| is_prose(line));
    let lines = lines.map(|(number, line)| (number, line.chars().count()));
    let lines = lines.filter(|(_, chars)| *chars > PROSE_CHARS_MAX);
    lines.map(|(number, chars)| format!("{}:{number}: {chars} characters; one sentence a line", page.path)).collect()
}

/// True if `line`, in lower case, contains the word as a whole word or in the plural.
fn has_word(line: &str, word: &str) -> bool {
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        let after = after.strip_prefix('s').filter(|rest| apart(rest.chars().next())).unwrap_or(after);
        apart(line[..at].chars().next_back()) && apart(after.chars().next())
    })
}

/// Returns the dialect words of a page: in the prose of Markdown, in the comments of other files.
fn dialect(page: &Page) -> Vec<String> {
    let lines = if page.is(".md") {
        prose(page)
    } else {
        page.lines().filter(|(_, line)| line.trim_start().starts_with("//")).collect()
    };
    let mut found = Vec::new();
    for (number, line) in lines {
        let line = without_code(line).to_lowercase();
        for (word, plain) in DIALECT.iter().filter(|(word, _)| has_word(&line, word)) {
            found.push(format!("{}:{number}: {word}; write: {plain}", page.path));
        }
    }
    found
}

#[test]
fn prose_is_one_sentence_a_line() {
    let pages = pages("", ".md").into_iter();
    let pages = pages.filter(|page| PROSE.iter().any(|prose| page.path.starts_with(prose)));
    clean(pages.flat_map(|page| wide(&page)).collect());
}

/// Returns the comment lines of code that are too wide.
fn wide_comments(page: &Page) -> Vec<String> {
    let lines = page.lines().filter(|(_, line)| line.trim_start().starts_with("//"));
    let lines = lines.map(|(number, line)| (number, line.chars().count()));
    let lines = lines.filter(|(_, chars)| *chars > COMMENT_CHARS_MAX);
    lines.map(|(number, chars)| format!("{}:{number}: {chars} characters; wrap at 120", page.path)).collect()
}

#[test]
fn comments_are_no_wider_than_code() {
    clean(pages("", ".rs").iter().flat_map(wide_comments).collect());
}

#[test]
fn a_planted_wide_comment_is_found_and_wide_code_is_not() {
    let text = format!("    // {}\nlet text = \"{}\";\n", "x".repeat(120), "x".repeat(120));
    assert_eq!(wide_comments(&Page { path: "a.rs".into(), text }), ["a.rs:1: 127 characters; wrap at 120"]);
}

#[test]
fn no_page_and_no_comment_speaks_the_old_dialect() {
    let pages = pages("", ".md").into_iter().chain(pages("proto", ".proto")).chain(pages("", ".rs"));
    clean(pages.flat_map(|page| dialect(&page)).collect());
}

#[test]
fn a_planted_wide_line_is_found_and_a_wide_table_is_not() {
    let long = "word ".repeat(40);
    let text = format!("# {long}\n| {long} |\n```text\n{long}\n```\n- [{long}](a.md), [b](b.md)\n{long}\nshort\n");
    let found = wide(&Page { path: "planted.md".into(), text });
    assert_eq!(found, ["planted.md:7: 200 characters; one sentence a line"]);
}

#[test]
fn a_planted_dialect_word_is_found_where_it_may_not_stand() {
    const NOTHING: [&str; 0] = [];
    let told = |path: &str, text: &str| dialect(&Page { path: path.into(), text: text.into() });
    assert_eq!(told("a.md", "The Dockets lag.\n"), ["a.md:1: docket; write: clock history"]);
    assert_eq!(told("a.md", "`docket` and `x_dockets_y` are names.\n```sh\ndocket\n```\n"), NOTHING);
    let comment = "  // In one breath.\n  string breath = 1;\n";
    assert_eq!(told("a.proto", comment), ["a.proto:1: breath; write: one append"]);
    assert_eq!(told("a.rs", "/// A hungry crew.\nlet hungry = 1;\n"), ["a.rs:1: hungry; write: underfilled"]);
    assert_eq!(told("a.rs", "/// `breath` is stored.\n"), NOTHING, "a name");
    assert_eq!(told("a.md", "Breathless, overlap, keepers_of.\n"), NOTHING, "a part of a word is another word");
}
