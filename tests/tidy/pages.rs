//! The pages: links lead somewhere, the flow is drawn everywhere alike, both READMEs have the same structure, and
//! everything documented exists.

use std::{collections::BTreeSet, path::Path};

use crate::tree::{Page, clean, page, pages, root};

/// The drawing of the flow without marks: `command` at one end, `subscribe` at the other.
const FLOW: &str = "command -> decide -> append -> project -> dispatch -> subscribe
server domain eventstore views dispatcher server
- engine turns the wheel -
wire carries it across";

/// The longest decision record, in lines: one page.
const RECORD_LINES_MAX: usize = 60;

/// Returns a drawing of the flow without its marks, capitals and spacing.
fn unmarked(drawing: &str) -> String {
    let line = |line: &str| {
        let mut text = String::new();
        for c in line.trim_start_matches("//!").to_lowercase().chars() {
            match c {
                '\u{2500}' if text.ends_with('-') => {}
                '\u{2500}' => text.push('-'),
                '\u{25b6}' => text.push('>'),
                '[' | ']' | '\u{256d}'..='\u{2570}' | '\u{25b2}' => {}
                c => text.push(c),
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    drawing.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the fenced blocks of a page, with their language.
pub fn blocks(page: &Page) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for (_, line) in page.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(language) if !inside => found.push((language.to_owned(), String::new())),
            Some(_) => {}
            None if inside => {
                let last = found.last_mut().expect("a block is open");
                last.1.push_str(line);
                last.1.push('\n');
            }
            None => {}
        }
        inside ^= line.trim_start().starts_with("```");
    }
    assert!(!inside, "{}: a block stays open", page.path);
    found
}

/// Returns the headings of a page outside its blocks.
fn headings(page: &Page) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for (_, line) in page.lines() {
        inside ^= line.starts_with("```");
        if !inside && line.starts_with('#') {
            found.push(line);
        }
    }
    found
}

/// Returns the anchor of a heading, as links use it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut found = Vec::new();
    for page in pages("", ".md") {
        let folder = Path::new(&page.path).parent().unwrap();
        for (number, line) in page.lines() {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if link.contains("://") {
                    continue;
                }
                let (path, place) = link.split_once('#').unwrap_or((link, ""));
                let target = if path.is_empty() { page.path.clone() } else { folder.join(path).display().to_string() };
                let there = root().join(&target);
                let led = there.exists()
                    && (place.is_empty() || {
                        let text = std::fs::read_to_string(&there).unwrap_or_default();
                        let linked = Page { path: target, text };
                        headings(&linked).into_iter().any(|heading| anchor(heading) == place)
                    });
                if !led {
                    found.push(format!("{}:{number}: {link}", page.path));
                }
            }
        }
    }
    clean(found);
}

#[test]
fn the_flow_is_drawn_at_every_door() {
    let mut doors: Vec<Page> =
        pages("crates", "src/lib.rs").into_iter().filter(|p| p.path.split('/').count() == 4).collect();
    doors.extend(["README.md", "README.zh-CN.md", "docs/architecture.md", "crates/cli/src/main.rs"].map(page));
    let drawn = |door: &Page| unmarked(&door.text).contains(FLOW);
    clean(doors.into_iter().filter(|door| !drawn(door)).map(|door| door.path).collect());
}

#[test]
fn a_crate_marks_its_own_verb_in_the_flow() {
    let mut found = Vec::new();
    for name in ["domain", "wire", "eventstore", "engine", "views", "dispatcher", "server"] {
        let door = page(&format!("crates/{name}/src/lib.rs"));
        let drawing = door.text.split("```").nth(1).unwrap_or_default();
        if !drawing.contains(&name.to_uppercase()) {
            found.push(door.path);
        }
    }
    clean(found);
}

#[test]
fn both_readmes_say_the_same() {
    let (english, chinese) = (page("README.md"), page("README.zh-CN.md"));
    assert_eq!(blocks(&english), blocks(&chinese), "their code blocks differ");
    let level = |heading: &str| heading.chars().take_while(|c| *c == '#').count();
    let levels = |page: &Page| headings(page).into_iter().map(level).collect::<Vec<_>>();
    assert_eq!(levels(&english), levels(&chinese), "their headings differ");
    let links = |page: &Page| {
        let links = page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.filter(|link| !link.starts_with("README")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(links(&english), links(&chinese), "their links differ");
}

#[test]
fn every_make_target_that_is_named_exists_and_says_what_it_does() {
    let makefile = page("Makefile");
    let rules = makefile.text.lines().filter_map(|line| {
        line.split_once(':').filter(|(name, _)| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        })
    });
    let rules: Vec<(&str, &str)> = rules.collect();
    let targets: BTreeSet<&str> = rules.iter().map(|(name, _)| *name).collect();
    let mut found: Vec<String> =
        rules.iter().filter(|(_, rest)| !rest.contains("## ")).map(|(name, _)| format!("Makefile: {name}")).collect();
    for page in pages("", ".md").into_iter().chain(pages(".ci", "")).chain(pages(".github", "")) {
        for (number, line) in page.lines() {
            let code = line.split('`').skip(1).step_by(2).chain([line.trim()]);
            for call in code.filter_map(|code| code.trim_start_matches("run: ").strip_prefix("make ")) {
                let wanted = call.split(' ').filter(|word| !word.contains('='));
                let missing = wanted.filter(|target| !targets.contains(target));
                found.extend(missing.map(|target| format!("{}:{number}: make {target}", page.path)));
            }
        }
    }
    clean(found);
}

#[test]
fn every_variable_of_the_makefile_is_read_by_somebody() {
    let makefile = page("Makefile");
    let head = makefile.text.lines().take_while(|line| line.starts_with('#'));
    let named = head.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let named: BTreeSet<&str> = named.filter(|word| word.starts_with("SWITCHBOARD_")).collect();
    assert!(!named.is_empty());
    let sources = pages("", ".rs");
    let read = |name: &str| sources.iter().any(|source| source.text.contains(&format!("\"{name}\"")));
    clean(named.into_iter().filter(|name| !read(name)).map(str::to_owned).collect());
}

#[test]
fn decisions_are_counted_without_gaps_and_weigh_on_one_page() {
    let mut found = Vec::new();
    for (i, record) in pages("docs/decisions", ".md").into_iter().enumerate() {
        let number = format!("{:04}", i + 1);
        let file = record.path.rsplit('/').next().unwrap_or_default();
        let sections = headings(&record);
        let title = sections.first().is_some_and(|title| title.starts_with(&format!("# {number}: ")));
        if !file.starts_with(&format!("{number}-")) || !title {
            found.push(format!("{}: not numbered {number}", record.path));
        }
        if sections.get(1..) != Some(&["## Context", "## Choice", "## Cost"]) {
            found.push(format!("{}: not context, choice, cost", record.path));
        }
        if record.text.lines().count() > RECORD_LINES_MAX {
            found.push(format!("{}: longer than {RECORD_LINES_MAX} lines", record.path));
        }
    }
    clean(found);
}

#[test]
fn the_changelog_keeps_its_form() {
    let page = page("CHANGELOG.md");
    let mut found = Vec::new();
    assert!(page.text.starts_with("# Changelog\n"));
    assert!(page.text.contains("\n## [Unreleased]\n") || page.text.contains("\n## ["), "no release and none to come");
    for heading in headings(&page).into_iter().skip(1) {
        let kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
        let kind = heading.strip_prefix("### ").is_some_and(|kind| kinds.contains(&kind));
        let dated = |text: &str| text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-');
        let release = heading.strip_prefix("## [").and_then(|rest| rest.split_once(']'));
        let release =
            release.is_some_and(|(name, date)| name == "Unreleased" || date.strip_prefix(" - ").is_some_and(dated));
        if !kind && !release {
            found.push(heading.to_owned());
        }
    }
    clean(found);
}

#[test]
fn every_setting_is_documented() {
    let page = page("docs/operations.md");
    let mut found = Vec::new();
    for (file, after, prefix) in [
        ("crates/server/src/config.rs", "pub struct Config {", ""),
        ("crates/domain/src/rules.rs", "pub struct Rules {", "rules."),
    ] {
        let text = crate::tree::page(file).text;
        let fields =
            text.split(after).nth(1).and_then(|rest| rest.split("\n}").next()).expect("the struct of settings");
        let names = fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
        let names = names.filter(|name| *name != "rules").map(|name| format!("`{prefix}{name}`"));
        found.extend(names.filter(|name| !page.text.contains(name)));
    }
    clean(found);
}

#[test]
fn the_drawing_is_read_whatever_is_marked_in_it() {
    let drawing = "//!   [command] \u{2500}\u{2500}\u{25b6} DECIDE\n//!     \u{2570}\u{2500}\u{2500}\u{2500}\u{256f}";
    assert_eq!(unmarked(drawing), "command -> decide\n-");
}
