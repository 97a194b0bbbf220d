//! The ticket list: one case file a ticket, without personal data, with the filters and orders of the list. The crate
//! `readmodel` stores it; this module is the reference that its tests compare with.

mod field;
mod filter;
mod order;

#[cfg(test)]
mod tests;

use switchboard_domain::{
    fingerprint::{Source, of_sources},
    sources,
    ticket::case_file::CASE_FILE_CODE,
};

pub use self::{
    field::{Datum, Field},
    filter::{
        Comparison, FILTER_BYTES_MAX, FILTER_TERMS_MAX, Filter, FilterError, FilterProblem, Term, Value, is_within,
    },
    order::{Order, OrderKey, UnknownOrder},
};

/// The source files that decide which fields of a ticket a list stores, besides those of a case file.
const CODE: [Source; 1] = sources!["ticket_list/field.rs"];

/// A fingerprint of the code that makes the rows of a list. Rows that other code made are rebuilt.
pub const LIST_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;
