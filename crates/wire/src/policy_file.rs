//! The policy file (服务承诺规则文件): the clocks of one operator in TOML, read whole or refused with every fault and its line.
//! What makes a policy fit to be published is the domain's to say ([`check::faults`]); here stand the form and the words.
//! Nothing is opened here: a caller brings the text. `docs/policies.md` tells an author what to write.
//!
//! - `rule`: `[[clock]]`, `[[average]]` and what stands in them
//! - `amount`: times as people write them, both ways
//! - `wording`: what the domain finds, at its line and in words

mod amount;
mod rule;
mod wording;

use aws_lc_rs::digest;
use chrono::DateTime;
use serde::Serialize;
use switchboard_domain::{
    Timestamp,
    sla::{
        check,
        policy::{Average, Policy, Rule},
    },
};

pub use self::amount::{limit_text, seconds_text};
pub use crate::faults::FAULTS_MAX;
use crate::{
    faults::Fault,
    seal::hex,
    section::{Reader, Section, read_whole},
};

/// The longest file that is read, in bytes.
pub const POLICY_BYTES_MAX: usize = 192 * 1024;
/// The longest policy as it is stored, in bytes: it is one fact of the log, which holds 64 KiB with all that stands beside it.
pub const STORED_BYTES_MAX: usize = 60 * 1024;

/// Reads a file such as `deploy/policies/sgcc.toml`. Each rule and average gets its hash: SHA-256, in hexadecimal digits, of its
/// stored form with an empty hash. White space and comments do not change it.
///
/// # Errors
///
/// Every fault, in the order of the lines, at most [`FAULTS_MAX`] and the line that says how many more there are; none
/// may be cut off without a word. Text that is no TOML is told before anything else is looked
/// at, and what the domain finds is told of those rules that could be read.
pub fn read(file_name: &str, text: &str) -> Result<Policy, Vec<Fault>> {
    if text.len() > POLICY_BYTES_MAX {
        let name = if file_name.is_empty() { "the file" } else { file_name };
        let reason = format!("{name} has {} bytes; at most {POLICY_BYTES_MAX} are read", text.len());
        return Err(vec![Fault { line: 1, reason }]);
    }
    read_whole(text, |reader, top| reader.policy(top))
}

impl Reader {
    /// The policy, as far as it can be read: of what cannot, something stands in that is of the right type.
    fn policy(&mut self, top: Section<'_>) -> Policy {
        self.only(top, &["operator", "effective_from", "calendar", "source", "clock", "average"]);
        let (operator, effective_from) = (self.text(top, "operator"), self.instant(top, "effective_from"));
        let mut policy = Policy {
            operator,
            effective_from: effective_from.unwrap_or_default(),
            calendar: self.text(top, "calendar"),
            source: self.text(top, "source"),
            rules: Vec::new(),
            averages: Vec::new(),
        };
        let (mut rules, mut averages) = (Vec::new(), Vec::new());
        for section in self.sections(top, "clock") {
            if let Some(rule) = self.whole(|reader| reader.rule(section)) {
                policy.rules.push(rule);
                rules.push(section);
            }
        }
        for section in self.sections(top, "average") {
            if let Some(average) = self.whole(|reader| reader.average(section)) {
                policy.averages.push(average);
                averages.push(section);
            }
        }
        let found = check::faults(&policy);
        let dated = effective_from.is_some();
        wording::Places { top, rules: &rules, averages: &averages, dated }.tell(self, &policy, &found);
        for rule in &mut policy.rules {
            rule.hash = hash(rule);
        }
        for average in &mut policy.averages {
            average.hash = hash(average);
        }
        let stored = serde_json::to_vec(&policy).map_or(0, |stored| stored.len());
        if stored > STORED_BYTES_MAX {
            self.fault(
                0,
                format!("the policy has {stored} bytes as it is stored; at most {STORED_BYTES_MAX} are taken"),
            );
        }
        policy
    }

    /// An instant with its offset from UTC.
    fn instant(&mut self, section: Section<'_>, key: &str) -> Option<Timestamp> {
        let value = self.field(section, key)?;
        let written = value.get_ref().as_datetime().map(ToString::to_string);
        let read = written.as_deref().and_then(|written| DateTime::parse_from_rfc3339(written).ok());
        let Some(read) = read else {
            let reason = "an instant with its offset is expected, such as 2022-01-01T00:00:00+08:00, without quotes";
            self.fault(value.span().start, format!("{key}: {reason}"));
            return None;
        };
        Some(read.to_utc())
    }
}

/// What has a hash of its own text.
trait Hashed: Serialize {
    fn unhashed(&self) -> Self;
}

impl Hashed for Rule {
    fn unhashed(&self) -> Self {
        Self { hash: String::new(), ..self.clone() }
    }
}

impl Hashed for Average {
    fn unhashed(&self) -> Self {
        Self { hash: String::new(), ..self.clone() }
    }
}

/// The hash of a rule or an average, whatever hash it has: what an auditor computes again from the published policy. Empty only if
/// the value had no JSON form, which every value of these types has.
#[must_use]
fn hash(of: &impl Hashed) -> String {
    let text = serde_json::to_vec(&of.unhashed());
    text.map(|text| hex(digest::digest(&digest::SHA256, &text).as_ref())).unwrap_or_default()
}
