//! The form of the list's file. No row is read or written here.

use switchboard_domain::fingerprint::fingerprint;
use switchboard_views::ticket_list::{Field, LIST_CODE};

use crate::file::Form;

/// The file's name in the data folder.
pub(super) const FILE_NAME: &str = "views.db";

/// A fingerprint of the code that makes the file: its form and the fold of its rows. A file with another one is
/// rebuilt.
const VIEW_VERSION: u64 = fingerprint(&[
    include_str!("../file.rs"),
    include_str!("../folded.rs"),
    include_str!("form.rs"),
    include_str!("writer.rs"),
]) ^ LIST_CODE;

/// `ticket` has the narrow rows that queries search. `ticket_row` has the wide rows that queries return. `opened` is
/// the position of a ticket's first fact: new rows are appended to both tables, and every index contains it as the
/// tie-break of the orders. The columns after `account_key` are the filter's fields, with the same names.
const TABLES: &str = "
    CREATE TABLE ticket (
        opened INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        phone_key TEXT,
        account_key TEXT,
        {fields}
    ) STRICT;
    CREATE TABLE ticket_row (opened INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE INDEX ticket_received ON ticket (received_at);
    CREATE INDEX ticket_open ON ticket (received_at) WHERE open = 1;
    CREATE INDEX ticket_updated ON ticket (updated_at);
    CREATE INDEX ticket_number ON ticket (number);
    CREATE INDEX ticket_holder ON ticket (holder);
    CREATE INDEX ticket_phone ON ticket (phone_key) WHERE phone_key IS NOT NULL;
    CREATE INDEX ticket_account ON ticket (account_key) WHERE account_key IS NOT NULL;
    CREATE INDEX ticket_external ON ticket (external) WHERE external IS NOT NULL;
";

pub(super) fn form() -> Form {
    let tables = TABLES.replace("{fields}", &field_columns()).into();
    Form { name: FILE_NAME, what: "ticket list", version: VIEW_VERSION, tables }
}

fn field_columns() -> String {
    let column = |field: &Field| {
        let kind = match field {
            Field::Open | Field::Supervised | Field::Suspended | Field::Confidential => "INTEGER NOT NULL",
            Field::ReceivedAt | Field::UpdatedAt => "INTEGER NOT NULL",
            Field::Grade | Field::External | Field::Category => "TEXT",
            _ => "TEXT NOT NULL",
        };
        format!("{} {kind}", field.as_str())
    };
    Field::ALL.iter().map(column).collect::<Vec<_>>().join(", ")
}
