//! No code computes with positions, because a log may have gaps. Stores without gaps may do so inside their own files.

use crate::tree::{Page, clean, pages};

/// The names of variables that hold positions.
const NAMES: [&str; 6] = ["position", "upto", "head", "last_position", "because", "positions"];
/// The operators that would compute with a position.
const COUNTING: [&str; 7] = [" + ", " - ", " += ", " -= ", ".saturating_", ".checked_", ".wrapping_"];
/// The stores themselves, and programs that number things of their own.
const EXEMPT: [&str; 3] = ["crates/eventstore/", "crates/simulator/", "crates/dispatcher/src/search/"];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// True if the line computes with a position.
fn counts(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    NAMES.iter().any(|name| {
        code.match_indices(name).any(|(at, _)| {
            let (before, after) = (&code[..at], &code[at + name.len()..]);
            if before.ends_with(is_word) || after.starts_with(is_word) {
                return false;
            }
            let after = after.strip_prefix("()").unwrap_or(after);
            // `position(` is a search in a list, with a closure.
            let is_search = after.starts_with('(');
            let adds_to_it = COUNTING.iter().any(|operator| after.starts_with(operator));
            let owner = before.trim_end_matches(|c: char| is_word(c) || ".()&*".contains(c));
            let adds_it = [" + ", " - "].iter().any(|operator| owner.ends_with(operator));
            !is_search && (adds_to_it || adds_it)
        })
    })
}

fn is_test(page: &Page) -> bool {
    ["/tests/", "/tests.rs", "/laws", "/random", "chance.rs", "/golden/"].iter().any(|part| page.path.contains(part))
}

#[test]
fn nobody_counts_with_positions() {
    let mut found = Vec::new();
    for page in pages("crates", ".rs") {
        if is_test(&page) || EXEMPT.iter().any(|place| page.path.starts_with(place)) {
            continue;
        }
        let code = page.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().enumerate().filter(|(_, line)| counts(line));
        found.extend(lines.map(|(at, line)| format!("{}:{}: {}", page.path, at + 1, line.trim())));
    }
    clean(found);
}

#[test]
fn a_line_that_counts_is_found_and_one_that_compares_is_not() {
    for counting in [
        "let next = position + 1;",
        "self.feed.page(position.saturating_sub(1), 1)",
        "if cursor.position() - told >= MANY {",
        "let lag = store.head() - listed;",
        "upto += 1;",
        "let lag = 7 - raw.position;",
    ] {
        assert!(counts(counting), "{counting}");
    }
    for innocent in [
        "if position >= head {",
        "let known = list.iter().position(|one| one.id == id).map_or(0, |at| at + 1);",
        "// the position + 1 is not a position",
        "let at = composition + 1;",
    ] {
        assert!(!counts(innocent), "{innocent}");
    }
}
