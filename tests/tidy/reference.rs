//! The reference pages: they list exactly what the code and the shipped files have.

use std::collections::BTreeSet;

use crate::tree::{Page, clean, page, pages};

/// Returns the rows of a page's tables as cells, without the head and the line below it.
fn rows(page: &Page) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    let mut heads = 2;
    for (_, line) in page.lines() {
        let row = line.strip_prefix("| ").or_else(|| line.strip_prefix("|-")).and_then(|row| row.strip_suffix('|'));
        let Some(row) = row else {
            heads = 2;
            continue;
        };
        if heads == 0 {
            found.push(row.split(" | ").map(str::trim).collect());
        } else {
            heads -= 1;
        }
    }
    found
}

/// Returns the text between the first two backticks.
fn name(cell: &str) -> Option<&str> {
    cell.split('`').nth(1)
}

/// Returns every string of a source file that looks like a stored kind.
fn kinds(source: &Page) -> BTreeSet<String> {
    let strings = source.lines().filter(|(_, line)| line.contains(" = \"")).map(|(_, line)| line);
    let strings = strings.filter_map(|line| line.split('"').nth(1)).filter(|text| text.ends_with(".v1"));
    strings.map(str::to_owned).collect()
}

#[test]
fn the_log_format_lists_every_stored_kind_and_no_other() {
    let format = page("docs/log-format.md");
    let stored = kinds(&page("crates/wire/src/stored.rs"));
    assert!(stored.len() > 50, "{stored:?}");
    let listed = rows(&format).into_iter().filter_map(|row| name(row[0])).filter(|name| name.ends_with(".v1"));
    let listed: BTreeSet<String> = listed.map(str::to_owned).collect();
    clean(stored.symmetric_difference(&listed).cloned().collect());
}

#[test]
fn the_log_format_shows_the_tables_as_they_are_made() {
    let format = page("docs/log-format.md");
    let schema = page("crates/eventstore/src/sqlite/schema.rs");
    let made = schema.text.split("LOG_TABLES").nth(1).and_then(|rest| rest.split("];").next()).unwrap();
    let joined = made.replace("\\\n", "").split_whitespace().collect::<Vec<_>>().join(" ");
    let made: Vec<&str> = joined.split('"').filter(|text| text.starts_with("CREATE ")).collect();
    assert_eq!(made.len(), 4);
    clean(made.into_iter().filter(|sql| !format.text.contains(&format!("{sql};"))).map(str::to_owned).collect());
}

/// Returns the numbers and flags of the shipped dispatch policy, by dotted name.
fn shipped() -> Vec<(String, String)> {
    let file = page("deploy/dispatch/sgcc.toml");
    let mut found = Vec::new();
    let mut section = String::new();
    for (_, line) in file.lines() {
        if line.starts_with("[[") {
            break;
        }
        if let Some(table) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = format!("{table}.");
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            found.push((format!("{section}{key}"), value.to_owned()));
        }
    }
    found
}

#[test]
fn the_dispatch_policy_page_has_every_value_with_its_default_and_its_bounds() {
    let reference = page("docs/dispatch-policy.md");
    let rows = rows(&reference);
    let row = |wanted: &str| rows.iter().find(|row| row.len() == 5 && name(row[0]) == Some(wanted));
    let ranges = page("crates/server/src/dispatch_file.rs").text;
    let bounds = |wanted: &str| {
        let rest = ranges.split(&format!("(\"{wanted}\", ")).nth(1)?.split(')').next()?;
        let (least, most) = rest.split_once(", ")?;
        let number = |text: &str| match text.replace('_', "").as_str() {
            "PRICE_MAX" => Some(1e6),
            "DAY_MINUTES" => Some(1_440.0),
            "WEEK_MINUTES" => Some(10_080.0),
            "PARALLEL_MAX" => Some(3.0),
            number => number.parse::<f64>().ok(),
        };
        Some(format!("{} to {}", number(least)?, number(most)?))
    };
    let mut found = Vec::new();
    let shipped = shipped();
    assert!(shipped.len() > 50);
    for (value, default) in shipped.iter().filter(|(value, _)| value != "version") {
        match row(value) {
            None => found.push(format!("{value}: no row")),
            Some(row) if row[2] != default => found.push(format!("{value}: {default}, the page says {}", row[2])),
            Some(row) if bounds(value).is_some_and(|bounds| bounds != row[3]) => {
                found.push(format!("{value}: {:?}, the page says {}", bounds(value), row[3]));
            }
            Some(_) => {}
        }
    }
    let known = |value: &str| shipped.iter().any(|(shipped, _)| shipped == value);
    let stale = rows.iter().filter(|row| row.len() == 5).filter_map(|row| name(row[0])).filter(|value| !known(value));
    found.extend(stale.map(|value| format!("{value}: not in the shipped file")));
    clean(found);
}

#[test]
fn the_glossary_is_in_order_and_names_what_exists() {
    let glossary = page("docs/glossary.md");
    let mut found = Vec::new();
    let mut before = String::new();
    for (number, line) in glossary.lines() {
        let term = line.strip_prefix("| ").and_then(|row| row.split(" | ").next()).map(str::to_lowercase);
        let after = term.filter(|term| term != "term").unwrap_or_default();
        if !after.is_empty() && after < before {
            found.push(format!("docs/glossary.md:{number}: {after} comes after {before}"));
        }
        before = after;
    }
    let mut sources = pages("crates", ".rs");
    sources.extend(pages("proto", ".proto"));
    let words = sources.iter().flat_map(|source| source.text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let words: BTreeSet<&str> = words.collect();
    for row in rows(&glossary).into_iter().filter(|row| row.len() == 4) {
        let names = row[2].split('`').skip(1).step_by(2).filter(|name| !name.contains(['/', '.']));
        let parts = names.flat_map(|name| name.split(|c: char| !c.is_alphanumeric() && c != '_'));
        let gone = parts.filter(|part| !part.is_empty() && !words.contains(part));
        found.extend(gone.map(|part| format!("docs/glossary.md: {}: {part} is nowhere in the code", row[0])));
    }
    clean(found);
}
