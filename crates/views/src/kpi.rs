//! How good is the service? The indicators (指标) of the trade, each a definition that can be read: what stands above and
//! below the line, which instant decides the period, what is left out, whose figure it is. An indicator that needs data
//! which is not on the log is listed with the reason, and never counted.
//!
//! - `catalogue`: every definition, in both languages
//! - `case`: a ticket laid out for counting
//! - `measure`: what a ticket brings to an indicator
//! - `tally`: indicators over a period, for units

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
    /// Chinese.
    pub zh: &'static str,
    /// English.
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

/// What an indicator's figure is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share of a hundred.
    Percent,
    /// A mean in minutes; its numerator is a sum of seconds.
    Minutes,
    /// A plain count, without anything below the line.
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

    /// The figure; `None` when nothing stands below the line.
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

/// Tickets, or cycles of tickets, that an indicator leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Withdrawn (撤销).
    Withdrawn,
    /// Merged into a master ticket (子单): the master counts.
    Child,
    /// An urge order (催办工单): the ticket that it urges counts.
    UrgeOrder,
    /// Opened by the grid before anybody called (主动工单).
    Proactive,
    /// Nobody is to be revisited: the business type has no revisit, the caller is anonymous or confidential, or the ticket
    /// was archived without revisit, which is possible only where there is nobody to ask.
    NobodyToAsk,
}

/// What a ticket brings to an indicator, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share<'a> {
    /// The unit that it counts for.
    pub unit: &'a OrgPath,
    /// The instant that decides the period.
    pub at: Timestamp,
    /// The ticket's cycle that it comes from, from 1.
    pub cycle: u16,
    /// What it adds above the line.
    pub numerator: u64,
    /// What it adds below the line; 0 for a plain count.
    pub denominator: u64,
}

/// What a ticket brings to an indicator, exclusions not yet applied.
type Measure = for<'c, 'a> fn(&'c Case<'a>) -> Vec<Share<'a>>;

/// Where an indicator's figures come from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// From the facts of each ticket.
    Facts(Measure),
    /// From nowhere yet: what is missing.
    Nowhere(Text),
}

/// One indicator.
#[derive(Clone, Copy, Debug)]
pub struct Kpi {
    /// Its stable name.
    pub name: &'static str,
    /// What people call it.
    pub title: Text,
    /// What its figure is given in.
    pub unit: Unit,
    /// What stands above the line.
    pub numerator: Text,
    /// What stands below it; empty for a plain count.
    pub denominator: Text,
    /// Which instant decides whether something falls into the period.
    pub period: Text,
    /// Which unit it counts for.
    pub attribution: Text,
    /// Where it is written.
    pub source: Text,
    exclusions: &'static [Exclusion],
    origin: Origin,
}

impl Kpi {
    /// Whether the log can answer it.
    #[must_use]
    pub fn available(&self) -> bool {
        matches!(self.origin, Origin::Facts(_))
    }

    /// Why the log cannot answer it, if it cannot.
    #[must_use]
    pub fn missing(&self) -> Option<Text> {
        match self.origin {
            Origin::Facts(_) => None,
            Origin::Nowhere(why) => Some(why),
        }
    }

    /// What is left out.
    #[must_use]
    pub fn exclusions(&self) -> &'static [Exclusion] {
        self.exclusions
    }

    /// What is left out, in words.
    #[must_use]
    pub fn exclusions_told(&self, language: Language) -> String {
        let told: Vec<&str> =
            self.exclusions.iter().map(|exclusion| catalogue::excluded(*exclusion).tell(language)).collect();
        match language {
            _ if told.is_empty() => catalogue::NOTHING_EXCLUDED.tell(language).to_owned(),
            Language::Chinese => told.join("\u{ff1b}"),
            Language::English => told.join("; "),
        }
    }

    /// What one ticket brings to it. A function of its facts and of its clocks as they were judged.
    #[must_use]
    pub fn shares<'a>(&self, case: &Case<'a>) -> Vec<Share<'a>> {
        let Origin::Facts(measure) = self.origin else { return Vec::new() };
        let mut shares = measure(case);
        shares.retain(|share| !self.exclusions.iter().any(|exclusion| case.is(*exclusion, share.cycle)));
        shares
    }
}

/// Every indicator, in the order in which figures are given.
#[must_use]
pub fn definitions() -> &'static [Kpi] {
    &catalogue::DEFINITIONS
}

#[cfg(test)]
mod tests;
