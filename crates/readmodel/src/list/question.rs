//! Queries of the list as SQL. Every value from a caller is bound as a parameter. The SQL text contains only names and
//! operators that this code knows.

use std::fmt::Write;

use rusqlite::{Connection, OptionalExtension, params, params_from_iter, types::Value as Bound};
use switchboard_domain::{
    Timestamp,
    ticket::{CaseFile, TicketId},
};
use switchboard_views::ticket_list::{Comparison, Filter, Term, Value};

use super::{CallerTickets, Cursor, PAGE_ROWS_MAX, Page, Query, TOTAL_MAX, token::Key};
use crate::{
    ReadModelError,
    file::{position, stored},
};

/// All rows in a fixed order.
pub(super) const ALL: &str = "SELECT * FROM ticket CROSS JOIN ticket_row USING (opened) ORDER BY opened";

/// A condition, and the values that it binds, in order.
struct Condition {
    sql: String,
    bound: Vec<Bound>,
}

impl Condition {
    fn of(filter: &Filter) -> Self {
        let mut condition = Self { sql: "TRUE".into(), bound: Vec::new() };
        for term in filter.terms() {
            condition.and(term);
        }
        condition
    }

    /// An empty field is NULL, so "differs" is `IS NOT`.
    fn and(&mut self, term: &Term) {
        let column = term.field.as_str();
        let equal = term.comparison == Comparison::Equal;
        let sql = match &term.value {
            // A literal, because the index of open tickets only serves a condition with a literal.
            Value::Flag(flag) => format!("{column} = {}", i32::from(*flag == equal)),
            Value::Time(micros) => {
                self.bound.push(Bound::Integer(*micros));
                format!("{column} {} ?", term.comparison.as_str())
            }
            Value::Word(word) => self.text(column, equal, (*word).to_owned()),
            Value::Text(text) => self.text(column, equal, text.clone()),
            Value::Within(path) => self.within(column, equal, path),
        };
        let _ = write!(self.sql, " AND {sql}");
    }

    fn text(&mut self, column: &str, equal: bool, text: String) -> String {
        self.bound.push(Bound::Text(text));
        format!("{column} {} ?", if equal { "=" } else { "IS NOT" })
    }

    /// The paths within a path begin with it and a slash. They sort before the path followed by `0`, the character
    /// after the slash.
    fn within(&mut self, column: &str, equal: bool, path: &str) -> String {
        self.bound.extend([path.to_owned(), format!("{path}/"), format!("{path}0")].map(Bound::Text));
        let inside = format!("({column} = ? OR ({column} > ? AND {column} < ?))");
        if equal { inside } else { format!("{inside} IS NOT TRUE") }
    }
}

/// The tickets of a caller by either key. A missing key is NULL, which equals nothing. Confidential tickets are never
/// found by a caller's number.
const THEIRS: &str = "(phone_key = ?1 OR account_key = ?2) AND confidential = 0";

/// The first `limit` rows under `condition`. The narrow rows are sorted and limited first, so that only the wide rows
/// of the answer are read.
pub(super) fn ordered(condition: &str, key: &str, direction: &str, limit: usize) -> String {
    let order = format!("ORDER BY {key} {direction}, opened {direction}");
    format!(
        "SELECT json FROM (SELECT opened, {key} FROM ticket WHERE {condition} {order} LIMIT {limit})
         CROSS JOIN ticket_row USING (opened) {order}"
    )
}

pub(super) fn page(connection: &Connection, query: &Query) -> Result<Page, ReadModelError> {
    let position = position(connection)?;
    let Condition { mut sql, mut bound } = Condition::of(&query.filter);
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM (SELECT 1 FROM ticket WHERE {sql} LIMIT {})", TOTAL_MAX + 1))?
        .query_row(params_from_iter(&bound), |row| row.get(0))?;
    let key = query.order.key.field().as_str();
    let (sign, direction) = if query.order.descending { ("<", "DESC") } else { (">", "ASC") };
    if let Some(after) = &query.after {
        let _ = write!(sql, " AND ({key}, opened) {sign} (?, ?)");
        bound.push(match &after.key {
            Key::Time(micros) => Bound::Integer(*micros),
            Key::Text(text) => Bound::Text(text.clone()),
        });
        bound.push(Bound::Integer(stored(after.opened)));
    }
    let page_size = query.page_size.clamp(1, PAGE_ROWS_MAX);
    let sql = ordered(&sql, key, direction, page_size + 1);
    let mut rows = rows(connection, &sql, bound)?;
    let more = rows.len() > page_size;
    rows.truncate(page_size);
    let next = rows.last().filter(|_| more).map(|last| Cursor::at(last, query.order));
    let total = total.unsigned_abs();
    Ok(Page { rows, next, total: total.min(TOTAL_MAX), more_than_total: total > TOTAL_MAX, position })
}

fn rows(connection: &Connection, sql: &str, bound: Vec<Bound>) -> Result<Vec<CaseFile>, ReadModelError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params_from_iter(bound))?;
    let mut rows = Vec::new();
    while let Some(line) = found.next()? {
        rows.push(serde_json::from_str(line.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(rows)
}

pub(super) fn row(connection: &Connection, id: TicketId) -> Result<Option<CaseFile>, ReadModelError> {
    let json: Option<String> = connection
        .prepare_cached("SELECT json FROM ticket CROSS JOIN ticket_row USING (opened) WHERE id = ?1")?
        .query_row(params![id.0.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
}

pub(super) fn caller(
    connection: &Connection,
    phone_key: Option<&str>,
    account_key: Option<&str>,
    since: Timestamp,
    limit: usize,
) -> Result<CallerTickets, ReadModelError> {
    let text = |key: Option<&str>| key.map_or(Bound::Null, |key| Bound::Text(key.to_owned()));
    let keys = [text(phone_key), text(account_key)];
    let since = since.timestamp_micros();
    let (total, recent): (i64, i64) = connection
        .prepare_cached(&format!(
            "SELECT count(*), count(*) FILTER (WHERE received_at >= ?3) FROM ticket WHERE {THEIRS}"
        ))?
        .query_row(params![keys[0], keys[1], since], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = ordered(&format!("({THEIRS}) AND open = 1"), "received_at", "DESC", limit.min(PAGE_ROWS_MAX));
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(CallerTickets {
        open: rows(connection, &sql, keys.into())?,
        total: count(total),
        recent: count(recent),
        position: position(connection)?,
    })
}
