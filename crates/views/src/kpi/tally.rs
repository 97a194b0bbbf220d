//! The indicators of units over a period. Tickets are added in any order; parts may be counted separately and merged.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::{clock_history::ClockHistory, judge::Clock},
};

use super::{Case, Kpi, Unit, definitions};

/// Computes the available indicators.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    from: Timestamp,
    to: Timestamp,
    org: Option<OrgPath>,
    by: Option<Level>,
    tickets: u64,
    /// The sums by unit. The key is text, so that a part of a path needs no copy; the empty text is the total.
    sums: BTreeMap<String, Vec<Sum>>,
}

/// The sum of one indicator of one unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    numerator: u64,
    denominator: u64,
}

/// The value of one indicator for one unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The indicator's name.
    pub name: &'static str,
    /// The unit; `None` for the total.
    pub unit: Option<OrgPath>,
    /// The unit of the value.
    pub given_in: Unit,
    /// The numerator: a count, or a sum of seconds for a mean.
    pub numerator: u64,
    /// The denominator; 0 for a count.
    pub denominator: u64,
    /// The value; `None` when the denominator is 0. Never NaN or infinite.
    pub value: Option<f64>,
}

impl Tally {
    /// Counts what falls into `[from, to)` and belongs to `org` or a unit within it. With `by` there is one row per
    /// unit of that level; a contribution of a unit above that level is in no row.
    #[must_use]
    pub fn new(from: Timestamp, to: Timestamp, org: Option<OrgPath>, by: Option<Level>) -> Self {
        Self { from, to, org, by, tickets: 0, sums: BTreeMap::new() }
    }

    /// Adds a ticket; call it once per ticket. `clocks` is the judge's result for it.
    pub fn add(&mut self, clock_history: &ClockHistory, clocks: &[Clock]) {
        self.tickets += 1;
        let case = Case::new(clock_history, clocks);
        for (index, kpi) in answered().enumerate() {
            for share in kpi.shares(&case) {
                let meant = self.from <= share.at
                    && share.at < self.to
                    && self.org.as_ref().is_none_or(|org| org.contains(share.unit));
                if let Some(row) = row(share.unit, self.by).filter(|_| meant) {
                    let sum = Sum { numerator: share.numerator, denominator: share.denominator };
                    self.count(row, index, sum);
                }
            }
        }
    }

    /// Adds the sums of other tickets. Both tallies must have the same period, unit and level.
    pub fn merge(&mut self, other: &Self) {
        let question = |tally: &Self| (tally.from, tally.to, tally.org.clone(), tally.by);
        debug_assert_eq!(question(self), question(other), "parts of one tally answer one question");
        self.tickets += other.tickets;
        for (row, sums) in &other.sums {
            for (index, sum) in sums.iter().enumerate() {
                self.count(row, index, *sum);
            }
        }
    }

    /// The number of tickets added.
    #[must_use]
    pub fn tickets(&self) -> u64 {
        self.tickets
    }

    /// The values by unit, then in the order of the definitions. Unavailable indicators have none.
    #[must_use]
    pub fn finish(&self) -> Vec<Value> {
        let mut values = Vec::new();
        let together = (String::new(), vec![Sum::default(); answered().count()]);
        let nothing = self.by.is_none() && self.sums.is_empty();
        let rows = self.sums.iter().chain(nothing.then_some((&together.0, &together.1)));
        for (row, sums) in rows {
            let unit = OrgPath::parse(row).ok();
            values.extend(answered().zip(sums).map(|(kpi, sum)| sum.value(kpi, unit.clone())));
        }
        values
    }

    fn count(&mut self, row: &str, index: usize, sum: Sum) {
        if let Some(sums) = self.sums.get_mut(row) {
            sums[index].add(sum);
            return;
        }
        let mut sums = vec![Sum::default(); answered().count()];
        sums[index].add(sum);
        self.sums.insert(row.to_owned(), sums);
    }
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.numerator = self.numerator.saturating_add(other.numerator);
        self.denominator = self.denominator.saturating_add(other.denominator);
    }

    fn value(self, kpi: &Kpi, unit: Option<OrgPath>) -> Value {
        let Self { numerator, denominator } = self;
        let value = kpi.unit.figure(numerator, denominator);
        Value { name: kpi.name, unit, given_in: kpi.unit, numerator, denominator, value }
    }
}

/// The available indicators.
fn answered() -> impl Iterator<Item = &'static Kpi> {
    definitions().iter().filter(|kpi| kpi.available())
}

/// The row of a unit: its path down to the level.
fn row(unit: &OrgPath, by: Option<Level>) -> Option<&str> {
    let Some(level) = by else { return Some("") };
    let path = unit.as_str();
    let deeper = path.match_indices('/').map(|(at, _)| at).nth(Level::ALL.iter().position(|known| *known == level)?);
    (unit.level() >= level).then(|| &path[..deeper.unwrap_or(path.len())])
}
