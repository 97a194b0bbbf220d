//! The form of the dockets' file. No row is read or written here.

use switchboard_views::ticket_list::fingerprint;

use crate::readmodel::file::Form;

/// The file's name in the data folder.
pub(super) const FILE_NAME: &str = "promises.db";

/// Names the code that made a file: its form, the folding of dockets, and how they and publications are written. A file with
/// another one is rebuilt.
const VIEW_VERSION: u64 = fingerprint(&[
    include_str!("../file.rs"),
    include_str!("form.rs"),
    include_str!("publication.rs"),
    include_str!("writer.rs"),
    include_str!("../../../../domain/src/sla/docket.rs"),
    include_str!("../../../../domain/src/sla/promise.rs"),
    include_str!("../../../../domain/src/sla/publication.rs"),
    include_str!("../../../../domain/src/sla/policy.rs"),
    include_str!("../../../../domain/src/sla/calendar/year.rs"),
]);

/// `opened` is the position of a ticket's first fact, `last_position` that of the last one that changed its docket; `last_at` is
/// the latest instant at which anything of it happened or was learnt. Times are microseconds since 1970.
///
/// Scans go by `docket_received`, whose first two columns never change for a ticket; with `last_at` beside them it tells
/// what a scan passes over without reading it.
const TABLES: &str = "
    CREATE TABLE docket (
        opened INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        received_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        over INTEGER NOT NULL,
        last_position INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT;
    CREATE TABLE publication (position INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE INDEX docket_received ON docket (received_at, opened, last_at, over);
    CREATE INDEX docket_open ON docket (opened) WHERE over = 0;
    CREATE INDEX docket_ended ON docket (last_position) WHERE over = 1;
";

pub(super) fn form() -> Form {
    Form { name: FILE_NAME, what: "file of dockets", version: VIEW_VERSION, tables: TABLES.into() }
}
