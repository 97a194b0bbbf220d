//! Service indicators (指标). Each has a readable definition: numerator, denominator, the instant that decides the
//! period, exclusions, and the responsible unit. An indicator that needs data outside the log is listed with the reason
//! and never computed.
//!
//! - `catalogue`: the definitions, in both languages
//! - `case`: one ticket prepared for counting
//! - `measure`: the contribution of one ticket to each indicator
//! - `tally`: the indicators of units over a period

mod case;
mod catalogue;
mod measure;
mod tally;

use switchboard_domain::{Timestamp, organisation::OrgPath};

pub use self::{
    case::Case,
    tally::{Tally, Value},
};
use crate::advice::Language;

/// A text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// The Chinese text.
    pub zh: &'static str,
    /// The English text.
    pub en: &'static str,
}

impl Text {
    /// The text in a language.
    #[must_use]
    pub fn tell(self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.zh,
            Language::English => self.en,
        }
    }
}

/// The unit of an indicator's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A percentage.
    Percent,
    /// A mean in minutes; the numerator is a sum of seconds.
    Minutes,
    /// A count, without denominator.
    Count,
}

impl Unit {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Minutes => "minutes",
            Self::Count => "count",
        }
    }

    /// The value; `None` when the denominator is 0.
    #[must_use]
    pub fn figure(self, numerator: u64, denominator: u64) -> Option<f64> {
        let (above, below) = (numerator as f64, denominator as f64);
        match self {
            Self::Count => Some(above),
            _ if denominator == 0 => None,
            Self::Percent => Some(100.0 * above / below),
            Self::Minutes => Some(above / 60.0 / below),
        }
    }
}

/// Tickets, or cycles of tickets, that an indicator excludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Withdrawn (撤销).
    Withdrawn,
    /// Merged into a master ticket (子单); the master is counted.
    Child,
    /// An urge order (催办工单); the urged ticket is counted.
    UrgeOrder,
    /// Opened by the grid before any call (主动工单).
    Proactive,
    /// There is nobody to revisit: the business type has no revisit, the caller is anonymous or confidential, or the
    /// ticket was archived without a revisit, which is only possible when nobody can be asked.
    NobodyToAsk,
}

/// The contribution of a ticket to an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share<'a> {
    /// The unit that it counts for.
    pub unit: &'a OrgPath,
    /// The instant that decides the period.
    pub at: Timestamp,
    /// The ticket's cycle that it comes from, from 1.
    pub cycle: u16,
    /// The addition to the numerator.
    pub numerator: u64,
    /// The addition to the denominator; 0 for a count.
    pub denominator: u64,
}

/// The contributions of a ticket, before exclusions.
type Measure = for<'c, 'a> fn(&'c Case<'a>) -> Vec<Share<'a>>;

/// The source of an indicator's values.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// The facts of each ticket.
    Facts(Measure),
    /// None yet: the missing data.
    Nowhere(Text),
}

/// The definition of an indicator.
#[derive(Clone, Copy, Debug)]
pub struct Kpi {
    /// The stable name.
    pub name: &'static str,
    /// The title.
    pub title: Text,
    /// The unit of the value.
    pub unit: Unit,
    /// The definition of the numerator.
    pub numerator: Text,
    /// The definition of the denominator; empty for a count.
    pub denominator: Text,
    /// The instant that decides the period.
    pub period: Text,
    /// The unit that it counts for.
    pub attribution: Text,
    /// The document that defines it.
    pub source: Text,
    exclusions: &'static [Exclusion],
    origin: Origin,
}

impl Kpi {
    /// True when the log has the data.
    #[must_use]
    pub fn available(&self) -> bool {
        matches!(self.origin, Origin::Facts(_))
    }

    /// The missing data; `None` when the indicator is available.
    #[must_use]
    pub fn missing(&self) -> Option<Text> {
        match self.origin {
            Origin::Facts(_) => None,
            Origin::Nowhere(why) => Some(why),
        }
    }

    /// The exclusions.
    #[must_use]
    pub fn exclusions(&self) -> &'static [Exclusion] {
        self.exclusions
    }

    /// The exclusions as a text.
    #[must_use]
    pub fn exclusions_told(&self, language: Language) -> String {
        let parts: Vec<&str> =
            self.exclusions.iter().map(|exclusion| catalogue::excluded(*exclusion).tell(language)).collect();
        match language {
            _ if parts.is_empty() => catalogue::NOTHING_EXCLUDED.tell(language).to_owned(),
            Language::Chinese => parts.join("\u{ff1b}"),
            Language::English => parts.join("; "),
        }
    }

    /// The contributions of one ticket. They depend only on its facts and its judged clocks.
    #[must_use]
    pub fn shares<'a>(&self, case: &Case<'a>) -> Vec<Share<'a>> {
        let Origin::Facts(measure) = self.origin else { return Vec::new() };
        let mut shares = measure(case);
        shares.retain(|share| !self.exclusions.iter().any(|exclusion| case.is(*exclusion, share.cycle)));
        shares
    }
}

/// All indicators, in the order of the report.
#[must_use]
pub fn definitions() -> &'static [Kpi] {
    &catalogue::DEFINITIONS
}

#[cfg(test)]
mod tests;
