//! Which tickets are there: one row a ticket, without personal data, and how a list of them is asked for.
//! The rows' keeper is `readmodel`; what is said here is the reference that it is tested against.

mod field;
mod filter;
mod order;
mod row;

#[cfg(test)]
mod tests;

pub use self::{
    field::{Datum, Field},
    filter::{
        Comparison, FILTER_BYTES_MAX, FILTER_TERMS_MAX, Filter, FilterError, FilterProblem, Term, Value, is_within,
    },
    order::{Order, OrderKey, UnknownOrder},
    row::{ROW_CODE, Row, fingerprint},
};
