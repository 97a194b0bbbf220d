//! The files of the project as the rules see them: text, with a path from the root. Files that git ignores are skipped.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file that can be read as text.
pub struct Page {
    /// The path from the root, with `/`.
    pub path: String,
    pub text: String,
}

impl Page {
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line))
    }

    pub fn is(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }
}

/// Returns the root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Reads one file by its path from the root.
pub fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Page { path: path.into(), text }
}

/// Returns every text file below `under` whose path ends with `ending`, sorted by path.
pub fn pages(under: &str, ending: &str) -> Vec<Page> {
    let mut found = Vec::new();
    walk(under, &ignored(), &mut found);
    found.retain(|path| path.ends_with(ending));
    found.sort();
    assert!(!found.is_empty(), "no file {under}...{ending}: is the rule still about anything?");
    let text = |path: &String| fs::read_to_string(root().join(path)).ok();
    found.iter().filter_map(|path| Some(Page { path: path.clone(), text: text(path)? })).collect()
}

/// Returns the names at the top level.
pub fn top() -> Vec<String> {
    let ignored = ignored();
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !ignored.contains(name)).collect()
}

/// Fails with all findings.
#[track_caller]
pub fn clean(found: Vec<String>) {
    assert!(found.is_empty(), "{} found:\n  {}", found.len(), found.join("\n  "));
}

/// Returns the names that git ignores, at any depth.
fn ignored() -> Vec<String> {
    let lines = fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    let names = lines.lines().map(|line| line.trim_matches('/').to_owned()).filter(|name| !name.is_empty());
    names.chain([".git".into(), "target".into(), "__pycache__".into()]).collect()
}

fn walk(folder: &str, ignored: &[String], found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if ignored.contains(&name) {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            walk(&path, ignored, found);
        } else {
            found.push(path);
        }
    }
}
