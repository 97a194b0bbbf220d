//! The crates: their permitted dependencies, their purity, and the order in which a newcomer reads them. The table in
//! `docs/architecture.md` is the rule. The tests compare the manifests with it, so that neither can drift from the
//! other.

use std::collections::BTreeSet;

use crate::tree::{Page, clean, page, pages, top};

/// Everything that may stand at the top level besides dot files.
const TOP: [&str; 12] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "README.zh-CN.md",
    "crates",
    "deploy",
    "docs",
    "proto",
    "tests",
];

/// The permitted dependencies of a pure crate; `proptest` only as an optional feature for tests.
const PURE: [&str; 4] = ["switchboard-domain", "chrono", "serde", "uuid"];

/// Members outside the flow, after it.
const OUTSIDE: [&str; 2] = ["tests", "tests/peers"];

/// Clients of servers that are compared only on request. A normal build must not compile them.
const ON_REQUEST: [&str; 2] = ["async-nats", "restate-sdk"];

/// A row of the table of crates.
struct Room {
    name: String,
    family: String,
    knows: BTreeSet<String>,
}

fn rooms() -> Vec<Room> {
    let text = page("docs/architecture.md").text;
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().replace('`', "")).collect::<Vec<_>>();
    let rows = text.lines().map(cells).filter(|row| row.len() == 7 && row[1].parse::<u32>().is_ok());
    let rooms: Vec<Room> = rows
        .map(|row| Room {
            name: row[2].clone(),
            family: row[4].clone(),
            knows: row[5].split(", ").filter(|name| *name != "none").map(str::to_owned).collect(),
        })
        .collect();
    assert_eq!(rooms.len(), 10, "an eleventh crate needs a decision record that names the line of code with no room");
    rooms
}

/// Returns the entries of one section of a manifest, as `(name, rest of the line)`.
pub fn section<'p>(manifest: &'p Page, wanted: &str) -> Vec<(&'p str, &'p str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (_, line) in manifest.lines() {
        if line.starts_with('[') {
            inside = line == format!("[{wanted}]");
        } else if inside
            && !line.starts_with('#')
            && let Some(end) = line.find(['.', ' ', '='])
        {
            found.push((&line[..end], &line[end..]));
        }
    }
    found
}

fn in_house(manifest: &Page, wanted: &str) -> BTreeSet<String> {
    let names = section(manifest, wanted).into_iter().filter_map(|(name, _)| name.strip_prefix("switchboard-"));
    names.map(str::to_owned).collect()
}

#[test]
fn every_crate_knows_exactly_the_crates_of_its_row() {
    let mut found = Vec::new();
    for room in rooms() {
        let knows = in_house(&page(&format!("crates/{}/Cargo.toml", room.name)), "dependencies");
        if knows != room.knows {
            found.push(format!("{}: its manifest says {knows:?}, docs/architecture.md {:?}", room.name, room.knows));
        }
    }
    clean(found);
}

#[test]
fn an_arrow_never_points_down_the_flow_not_even_in_tests() {
    let rooms = rooms();
    let place = |name: &str| rooms.iter().position(|room| room.name == name).expect("a crate of the house");
    let mut found = Vec::new();
    for room in &rooms {
        let manifest = page(&format!("crates/{}/Cargo.toml", room.name));
        for wanted in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let wrong = in_house(&manifest, wanted).into_iter().filter(|other| place(other) >= place(&room.name));
            found.extend(wrong.map(|other| format!("{}: [{wanted}] {other}", room.name)));
        }
    }
    clean(found);
}

#[test]
fn pure_crates_lean_on_nothing_that_could_make_them_impure() {
    let ban = page("crates/domain/.clippy.toml").text;
    let mut found = Vec::new();
    for room in rooms().iter().filter(|room| room.family == "pure") {
        for (name, rest) in section(&page(&format!("crates/{}/Cargo.toml", room.name)), "dependencies") {
            if !PURE.contains(&name) && !rest.contains("optional = true") {
                found.push(format!("{}: {name}", room.name));
            }
            if name == "chrono" && rest.contains("clock") {
                found.push(format!("{}: chrono with its clock", room.name));
            }
        }
        if page(&format!("crates/{}/.clippy.toml", room.name)).text != ban {
            found.push(format!("{}: its .clippy.toml is not the one of domain", room.name));
        }
    }
    clean(found);
}

#[test]
fn the_workspace_lists_its_members_in_the_order_of_the_flow_with_a_comment_each() {
    let manifest = page("Cargo.toml");
    let members = manifest.text.lines().map(str::trim).skip_while(|line| *line != "members = [").skip(1);
    let members: Vec<&str> = members.take_while(|line| *line != "]").collect();
    let named: Vec<String> =
        members.iter().map(|line| line.split('"').nth(1).unwrap_or_default().replace("crates/", "")).collect();
    let mut wanted: Vec<String> = rooms().into_iter().map(|room| room.name).collect();
    wanted.extend(OUTSIDE.map(str::to_owned));
    assert_eq!(named, wanted);
    clean(members.into_iter().filter(|line| !line.contains("# ")).map(str::to_owned).collect());
}

/// The manifests of all members.
fn manifests() -> Vec<Page> {
    let outside = OUTSIDE.map(|member| page(&format!("{member}/Cargo.toml")));
    pages("crates", "Cargo.toml").into_iter().chain(outside).collect()
}

#[test]
fn there_is_one_workspace_with_one_lock_file() {
    let files = pages("", "Cargo.lock").into_iter().map(|file| file.path).filter(|path| path != "Cargo.lock");
    let workspaces = manifests().into_iter().filter(|manifest| manifest.text.contains("\n[workspace]"));
    clean(files.chain(workspaces.map(|manifest| manifest.path)).collect());
}

#[test]
fn every_version_of_a_dependency_stands_in_the_workspace() {
    let mut found = Vec::new();
    for manifest in manifests() {
        for wanted in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let own = section(&manifest, wanted).into_iter().filter(|(_, rest)| !rest.contains("workspace = true"));
            found.extend(own.map(|(name, _)| format!("{}: [{wanted}] {name}", manifest.path)));
        }
    }
    clean(found);
}

#[test]
fn a_client_for_a_comparison_on_request_is_not_compiled_by_default() {
    let mut found = Vec::new();
    for manifest in manifests() {
        let asked = |name: &str| ON_REQUEST.contains(&name);
        for wanted in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let built = section(&manifest, wanted).into_iter().filter(|(name, rest)| {
                asked(name) && !(manifest.path == "tests/peers/Cargo.toml" && rest.contains("optional = true"))
            });
            found.extend(built.map(|(name, _)| format!("{}: [{wanted}] {name}", manifest.path)));
        }
    }
    let peers = page("tests/peers/Cargo.toml");
    let default = section(&peers, "features").into_iter().find(|(name, _)| *name == "default");
    assert_eq!(default.map(|(_, rest)| rest), Some(" = []"));
    for name in ON_REQUEST {
        assert!(section(&peers, "dependencies").iter().any(|(found, _)| *found == name), "{name}: still a dependency?");
    }
    clean(found);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let silent = manifests().into_iter().filter(|manifest| !manifest.text.contains("[lints]\nworkspace = true"));
    clean(silent.map(|manifest| manifest.path).collect());
}

#[test]
fn every_dependency_has_its_line_in_a_decision_record() {
    let records: String = pages("docs/decisions", ".md").into_iter().map(|record| record.text).collect();
    let manifest = page("Cargo.toml");
    let named = |name: &str| records.contains(&format!("`{name}`"));
    let outside = section(&manifest, "workspace.dependencies").into_iter().map(|(name, _)| name);
    let outside = outside.filter(|name| !name.starts_with("switchboard-") && !named(name));
    clean(outside.map(str::to_owned).collect());
}

#[test]
fn nothing_new_stands_at_the_top() {
    let known = |name: &String| name.starts_with('.') || TOP.contains(&name.as_str());
    clean(top().into_iter().filter(|name| !known(name)).collect());
}
