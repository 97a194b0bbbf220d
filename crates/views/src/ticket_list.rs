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

/// The files that decide what is kept of a ticket for a list, beside those of a case file.
const CODE: [Source; 1] = sources!["ticket_list/field.rs"];

/// Names the code that makes the lines of a list: lines that other code made are made again.
pub const LIST_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;
