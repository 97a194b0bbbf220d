//! The parser of the filter language. It reads the text once, from left to right, and reports the first fault with its
//! position.

use chrono::{DateTime, SecondsFormat};
use switchboard_domain::{organisation::OrgPath, ticket::Category};

use super::{Comparison, FILTER_BYTES_MAX, FILTER_TERMS_MAX, FilterError, FilterProblem, Term, Value};
use crate::ticket_list::field::Field;

/// The terms of `text`.
pub(super) fn filter(text: &str) -> Result<Vec<Term>, FilterError> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(FilterError { at: FILTER_BYTES_MAX, problem: FilterProblem::TooLong });
    }
    let mut reader = Reader { text, at: 0 };
    let mut terms = Vec::new();
    reader.skip_space();
    while !reader.rest().is_empty() {
        if !terms.is_empty() {
            reader.and()?;
        }
        if terms.len() == FILTER_TERMS_MAX {
            return Err(reader.error(FilterProblem::TooManyTerms));
        }
        terms.push(reader.term()?);
        reader.skip_space();
    }
    Ok(terms)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, problem: FilterProblem) -> FilterError {
        FilterError { at: self.at, problem }
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes characters while `wanted` is true.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn and(&mut self) -> Result<(), FilterError> {
        let start = self.at;
        if self.take_while(char::is_alphanumeric) != "AND" {
            return Err(FilterError { at: start, problem: FilterProblem::NoAnd });
        }
        self.skip_space();
        Ok(())
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let start = self.at;
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.');
        if name.is_empty() {
            return Err(self.error(FilterProblem::NoField));
        }
        let field = Field::parse(name)
            .ok_or_else(|| FilterError { at: start, problem: FilterProblem::UnknownField(name.to_owned()) })?;
        self.skip_space();
        let comparison = self.comparison(field)?;
        self.skip_space();
        let start = self.at;
        let text = self.value(field)?;
        let value = read(field, &text).ok_or(FilterError { at: start, problem: FilterProblem::BadValue(field) })?;
        Ok(Term { field, comparison, value })
    }

    fn comparison(&mut self, field: Field) -> Result<Comparison, FilterError> {
        // Signs of two characters are tried first; otherwise `<=` would be read as `<`.
        let found = [
            Comparison::NotEqual,
            Comparison::LessOrEqual,
            Comparison::GreaterOrEqual,
            Comparison::Equal,
            Comparison::Less,
            Comparison::Greater,
        ]
        .into_iter()
        .find(|comparison| self.rest().starts_with(comparison.as_str()))
        .ok_or_else(|| self.error(FilterProblem::NoComparison(field)))?;
        let either = matches!(found, Comparison::Equal | Comparison::NotEqual);
        if !either && !field.is_time() {
            return Err(self.error(FilterProblem::NotOrdered(field)));
        }
        self.at += found.as_str().len();
        Ok(found)
    }

    fn value(&mut self, field: Field) -> Result<String, FilterError> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let bare = self.take_while(|c| !c.is_whitespace() && c != '"');
        if bare.is_empty() { Err(self.error(FilterProblem::NoValue(field))) } else { Ok(bare.to_owned()) }
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let bad = self.error(FilterProblem::BadQuotes);
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    _ => return Err(bad),
                },
                plain => value.push(plain),
            }
        }
        Err(bad)
    }
}

/// The value of `text` in the form of `field`; `None` when it does not have that form.
fn read(field: Field, text: &str) -> Option<Value> {
    match field {
        Field::Stage | Field::BusinessType | Field::Urgency | Field::Grade | Field::CrewProgress | Field::Channel => {
            field.words().into_iter().find(|word| *word == text).map(Value::Word)
        }
        Field::Open | Field::Supervised | Field::Suspended | Field::Confidential => text.parse().ok().map(Value::Flag),
        Field::Number => (!text.is_empty()).then(|| Value::Text(text.to_owned())),
        Field::External => text.contains(':').then(|| Value::Text(text.to_owned())),
        Field::Holder | Field::ReceivedBy => OrgPath::parse(text).ok().map(|path| Value::Within(path.into())),
        Field::Category => Category::parse(text).ok().map(|category| Value::Within(category.into())),
        Field::ReceivedAt | Field::UpdatedAt => {
            DateTime::parse_from_rfc3339(text).ok().map(|time| Value::Time(time.timestamp_micros()))
        }
    }
}

/// Formats an instant as a filter writes it.
pub(super) fn time_text(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
