//! The policy file (服务承诺规则文件): the rules of one operator's clocks in TOML. A file is read completely, or rejected with
//! every fault and its line. This module defines the format; [`check::faults`] validates the policy. It opens no files:
//! the caller passes the text. `docs/policies.md` explains the format to authors.
//!
//! - `rule`: `[[clock]]` and `[[average]]`
//! - `amount`: durations as people write them
//! - `wording`: the sentences and lines of the faults

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

/// The largest file, in bytes.
pub const POLICY_BYTES_MAX: usize = 192 * 1024;
/// The largest stored form of a policy, in bytes. A policy is one fact, and the log permits 64 KiB for a fact with its
/// metadata.
pub const STORED_BYTES_MAX: usize = 60 * 1024;

/// Reads a file such as `deploy/policies/sgcc.toml`. Each rule and average gets a hash: SHA-256, in hexadecimal, of its
/// stored form with an empty hash. White space and comments do not change it.
///
/// # Errors
///
/// All faults, in the order of the lines: at most [`FAULTS_MAX`], and one entry that says how many more there are. A
/// caller must not shorten the list silently. A text that is not TOML gets TOML's faults only. The domain's faults are
/// reported for the rules that could be read.
pub fn read(file_name: &str, text: &str) -> Result<Policy, Vec<Fault>> {
    if text.len() > POLICY_BYTES_MAX {
        let name = if file_name.is_empty() { "the file" } else { file_name };
        let reason = format!("{name} has {} bytes; at most {POLICY_BYTES_MAX} are read", text.len());
        return Err(vec![Fault { line: 1, reason }]);
    }
    read_whole(text, |reader, top| reader.policy(top))
}

impl Reader {
    /// Reads the policy. A value that cannot be read gets a placeholder of the right type.
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
        wording::Places { top, rules: &rules, averages: &averages, dated }.report(self, &policy, &found);
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

    /// Reads an instant with its UTC offset.
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

/// A value with a hash of its own text.
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

/// The hash of a rule or an average, computed with its hash field empty. An auditor can compute it again from the
/// published policy. Empty only if the value had no JSON form, which does not happen for these types.
#[must_use]
fn hash(of: &impl Hashed) -> String {
    let text = serde_json::to_vec(&of.unhashed());
    text.map(|text| hex(digest::digest(&digest::SHA256, &text).as_ref())).unwrap_or_default()
}
