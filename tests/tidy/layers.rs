//! The rooms of `server` and their permitted dependencies. Manifests enforce the boundaries between crates. This test
//! enforces those between the folders of one crate, by reading the paths that begin with `crate::`.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Page, clean, pages};

const SERVER: &str = "crates/server/src/";

/// Every room, and the rooms that it may use. A room uses only rooms that stand before it, so there is no cycle.
const ROOMS: [(&str, &[&str]); 9] = [
    ("dispatch_file", &[]),
    ("config", &["dispatch_file"]),
    ("stores", &[]),
    ("tasks", &[]),
    ("service", &[]),
    ("operations", &["stores", "tasks"]),
    ("grpc", &["service"]),
    ("node", &["config", "stores", "tasks", "service", "operations", "grpc"]),
    ("lib", &["config", "node"]),
];

/// Words that a use case must not contain, because they belong to the API's messages and transport.
const NOT_IN_SERVICE: [&str; 3] = ["proto::", "tonic", "prost"];

/// A file of the server without its tests and comments.
struct Source {
    path: String,
    room: String,
    code: String,
}

fn is_test(page: &Page) -> bool {
    page.path.contains("/tests/") || page.is("/tests.rs")
}

fn source(page: &Page) -> Source {
    let inside = page.path.strip_prefix(SERVER).expect("a file of the server");
    let room = inside.split(['/', '.']).next().unwrap_or_default().to_owned();
    let code = page.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    Source { path: page.path.clone(), room, code: code.join("\n") }
}

fn sources() -> Vec<Source> {
    pages(SERVER.trim_end_matches('/'), ".rs").iter().filter(|page| !is_test(page)).map(source).collect()
}

/// Returns the first names after every `crate::`: for `crate::{a::b, c::{d, e}}` these are `a` and `c`.
fn known(code: &str) -> BTreeSet<String> {
    behind("crate::", code)
}

/// Returns the first names after every occurrence of this beginning of a path.
fn behind(beginning: &str, code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(beginning) {
        // `pub(in crate::...)` and the like are paths, too. A match within a longer name is skipped.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + beginning.len()..];
        let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && c.is_alphanumeric() => {
                    found.insert(name(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn a_room_of_the_server_knows_only_the_rooms_that_it_may() {
    let may: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let mut found = Vec::new();
    for Source { path, room, code } in sources() {
        let Some(allowed) = may.get(room.as_str()) else {
            found.push(format!("{path}: the room {room} has no line in tests/tidy/layers.rs"));
            continue;
        };
        let others = known(&code).into_iter().filter(|other| *other != room && !allowed.contains(&other.as_str()));
        found.extend(others.map(|other| format!("{path}: {room} -> {other}")));
        if path.matches('/').count() == SERVER.matches('/').count() && code.contains("super::") {
            found.push(format!("{path}: a room that looks up by `super::`"));
        }
    }
    clean(found);
}

#[test]
fn the_rooms_of_the_server_stand_in_an_order_without_circles() {
    let place = |name: &str| ROOMS.iter().position(|(room, _)| *room == name).expect("a room");
    let mut found = Vec::new();
    for (room, allowed) in ROOMS {
        let later = allowed.iter().filter(|other| place(other) >= place(room));
        found.extend(later.map(|other| format!("{room} -> {other}")));
    }
    clean(found);
}

#[test]
fn use_cases_know_each_other_in_one_direction_only() {
    let mut knows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Source { path, code, .. } in sources() {
        let Some(inside) = path.strip_prefix(&format!("{SERVER}service/")) else { continue };
        let name = inside.split(['/', '.']).next().unwrap_or_default().to_owned();
        let others = behind("crate::service::", &code);
        knows.entry(name).or_default().extend(others);
    }
    // Repeatedly removes a module that uses no other. The modules that are left form a cycle or use one.
    for (name, others) in &mut knows {
        others.remove(name);
    }
    while let Some(free) = knows.iter().find(|(_, others)| others.iter().all(|other| !knows.contains_key(other))) {
        let free = free.0.clone();
        knows.remove(&free);
    }
    clean(knows.into_iter().map(|(name, others)| format!("service/{name} -> {others:?}")).collect());
}

#[test]
fn a_use_case_knows_no_protobuf_and_no_transport() {
    let mut found = Vec::new();
    for Source { path, code, .. } in sources().into_iter().filter(|source| source.room == "service") {
        found.extend(NOT_IN_SERVICE.iter().filter(|word| code.contains(**word)).map(|word| format!("{path}: {word}")));
    }
    clean(found);
}

#[test]
fn the_stores_alone_name_a_keeper() {
    let others = sources().into_iter().filter(|source| source.room != "stores" && source.code.contains("Sqlite"));
    clean(others.map(|source| source.path).collect());
}

/// Returns the public `async` functions of a file, from their names to the end of their arguments.
fn use_cases(code: &str) -> impl Iterator<Item = &str> {
    code.split("pub async fn ").skip(1).map(|rest| rest.split(") ->").next().unwrap_or(rest))
}

#[test]
fn every_use_case_takes_the_actor() {
    let mut found = Vec::new();
    let mut seen = 0;
    for Source { path, code, .. } in sources().into_iter().filter(|source| source.room == "service") {
        for arguments in use_cases(&code) {
            seen += 1;
            if !arguments.contains("actor: &Actor") {
                found.push(format!("{path}: {}", arguments.split('(').next().unwrap_or_default()));
            }
        }
    }
    assert!(seen > 20, "{seen} use cases: is the rule still about anything?");
    clean(found);
}

#[test]
fn a_use_case_asks_for_a_right_in_one_place() {
    let elsewhere = |source: &Source| source.path != format!("{SERVER}service/access.rs");
    let refused = |source: &Source| source.code.contains("NotPermitted") || source.code.contains("NotTheCrew");
    clean(sources().into_iter().filter(|s| elsewhere(s) && refused(s)).map(|source| source.path).collect());
}

#[test]
fn names_are_found_in_every_form_of_a_path() {
    let code = "use crate::{\n    a::{b, c::d},\n    e,\n};\nuse crate::f::g;\nlet x = crate::h(switchboard_crate::i);";
    assert_eq!(known(code).into_iter().collect::<Vec<_>>(), ["a", "e", "f", "h"]);
}
