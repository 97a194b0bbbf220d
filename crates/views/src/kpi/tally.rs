//! Indicators over a period, for units: fed ticket by ticket, in any order, in parts that are merged later or at once.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::{clock_history::ClockHistory, judge::Clock},
};

use super::{Case, Kpi, Unit, definitions};

/// Counts the indicators that the log can answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    from: Timestamp,
    to: Timestamp,
    org: Option<OrgPath>,
    by: Option<Level>,
    tickets: u64,
    /// By unit, as text so that a part of a path finds its place uncopied; the empty text stands for all together.
    sums: BTreeMap<String, Vec<Sum>>,
}

/// What one unit's indicator came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    numerator: u64,
    denominator: u64,
}

/// One indicator of one unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The indicator's name.
    pub name: &'static str,
    /// The unit; `None` when all were taken together.
    pub unit: Option<OrgPath>,
    /// What the figure is given in.
    pub given_in: Unit,
    /// What stands above the line: a count, or a sum of seconds for a mean.
    pub numerator: u64,
    /// What stands below it; 0 for a plain count.
    pub denominator: u64,
    /// The figure; `None` when nothing stands below the line. Never NaN and never infinite.
    pub value: Option<f64>,
}

impl Tally {
    /// Counts what falls into `[from, to)` and belongs to `org` or what lies within it. With `by` there is one row for each
    /// unit of that level; what belongs to a unit above that level is in none of them.
    #[must_use]
    pub fn new(from: Timestamp, to: Timestamp, org: Option<OrgPath>, by: Option<Level>) -> Self {
        Self { from, to, org, by, tickets: 0, sums: BTreeMap::new() }
    }

    /// Counts a ticket, once; `clocks` are those that the judge gives of it.
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

    /// Adds what was counted apart, of other tickets. Both must have been made for the same period, unit and level.
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

    /// How many tickets it was given.
    #[must_use]
    pub fn tickets(&self) -> u64 {
        self.tickets
    }

    /// The figures, by unit, then in the order of the definitions; indicators that the log cannot answer have none.
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

/// The indicators that are counted.
fn answered() -> impl Iterator<Item = &'static Kpi> {
    definitions().iter().filter(|kpi| kpi.available())
}

/// The row in which a unit's shares are counted: the part of its path down to the level.
fn row(unit: &OrgPath, by: Option<Level>) -> Option<&str> {
    let Some(level) = by else { return Some("") };
    let path = unit.as_str();
    let deeper = path.match_indices('/').map(|(at, _)| at).nth(Level::ALL.iter().position(|known| *known == level)?);
    (unit.level() >= level).then(|| &path[..deeper.unwrap_or(path.len())])
}
