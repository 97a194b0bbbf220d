//! The form of the clock histories' file. No row is read or written here.

use switchboard_domain::fingerprint::fingerprint;

use crate::file::Form;

/// The file's name in the data folder.
pub(super) const FILE_NAME: &str = "promises.db";

/// A fingerprint of the code that makes the file: its form, the fold of clock histories, and the stored form of both
/// tables. A file with another one is rebuilt.
const VIEW_VERSION: u64 = fingerprint(&texts());

/// The number of source files that decide what is stored.
const FILES: usize = 14;

/// The paths, each with the text of its file.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_str!($path))),+]
    };
}

/// The source files that decide what is stored, by their paths from here: those of this model, the fold, and the types
/// of its parts.
const CODE: [(&str, &str); FILES] = files![
    "../file.rs",
    "../folded.rs",
    "form.rs",
    "publication.rs",
    "writer.rs",
    "../../../domain/src/organisation.rs",
    "../../../domain/src/sla.rs",
    "../../../domain/src/sla/calendar/year.rs",
    "../../../domain/src/sla/clock_history.rs",
    "../../../domain/src/sla/clock_history/names.rs",
    "../../../domain/src/sla/policy.rs",
    "../../../domain/src/sla/promise.rs",
    "../../../domain/src/sla/publication.rs",
    "../../../domain/src/ticket/vocabulary.rs",
];

const fn texts() -> [&'static str; FILES] {
    let mut texts = [""; FILES];
    let mut at = 0;
    while at < FILES {
        texts[at] = CODE[at].1;
        at += 1;
    }
    texts
}

/// `opened` is the position of a ticket's first fact, and `last_position` that of the last fact that changed its clock
/// history. `last_at` is the latest instant at which any of its facts happened or was recorded. Times are microseconds
/// since 1970.
///
/// Scans use the index `clock_history_received`. Its first two columns never change for a ticket. It also has
/// `last_at`, so that a scan can skip a row without reading it.
const TABLES: &str = "
    CREATE TABLE clock_history (
        opened INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        received_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        over INTEGER NOT NULL,
        last_position INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT;
    CREATE TABLE publication (position INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE INDEX clock_history_received ON clock_history (received_at, opened, last_at, over);
    CREATE INDEX clock_history_open ON clock_history (opened) WHERE over = 0;
    CREATE INDEX clock_history_ended ON clock_history (last_position) WHERE over = 1;
";

pub(super) fn form() -> Form {
    Form { name: FILE_NAME, what: "file of clock_histories", version: VIEW_VERSION, tables: TABLES.into() }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The source files of the domain in `folder` whose names begin with `begin`, by their paths from this file.
    fn on_disk(folder: &str, begin: &str) -> Vec<String> {
        let domain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/src").join(folder);
        let names = fs::read_dir(domain).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let sources = names.filter(|name| name.starts_with(begin) && name.ends_with(".rs"));
        sources.map(|name| format!("../../../domain/src/{folder}/{name}")).collect()
    }

    #[test]
    fn every_file_that_a_clock_history_is_made_of_decides_the_version() {
        let (clock_histories, parts) = (on_disk("sla", "clock_history"), on_disk("sla/clock_history", ""));
        assert!(!clock_histories.is_empty() && !parts.is_empty());
        let types =
            ["sla.rs", "organisation.rs", "ticket/vocabulary.rs"].map(|path| format!("../../../domain/src/{path}"));
        let mut wanted = clock_histories.into_iter().chain(parts).chain(types);
        let missing = wanted.find(|path| !CODE.iter().any(|(known, _)| known == path));
        assert_eq!(missing, None);
        assert!(CODE.iter().all(|(_, text)| texts().contains(text)));
    }
}
