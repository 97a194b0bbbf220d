//! Limits and warning ladders: maximum lengths, and the order of the steps.

use super::{Check, Flaw, WORKING_DAYS_MAX};
use crate::sla::policy::{LIMIT_DAYS_MAX, Limit, Threshold, Warning};

const DAY_SECONDS: i64 = 24 * 60 * 60;

impl Check {
    pub(super) fn limit(&mut self, limit: Limit) {
        match limit {
            Limit::Elapsed { seconds } | Limit::WorkingTime { seconds } => self.seconds("limit", None, seconds),
            Limit::WorkingDays { days: 0 } => self.fault("limit", None, Flaw::NotPositive),
            Limit::WorkingDays { days } if days > WORKING_DAYS_MAX => {
                self.fault("limit", None, Flaw::LongerThan { days_max: WORKING_DAYS_MAX.into() });
            }
            Limit::WorkingDays { .. } => {}
        }
    }

    pub(super) fn seconds(&mut self, key: &'static str, entry: Option<usize>, seconds: i64) {
        if seconds <= 0 {
            self.fault(key, entry, Flaw::NotPositive);
        }
        if seconds > LIMIT_DAYS_MAX * DAY_SECONDS {
            self.fault(key, entry, Flaw::LongerThan { days_max: LIMIT_DAYS_MAX });
        }
    }

    pub(super) fn warnings(&mut self, warnings: &[Warning], limit: Limit) {
        for (entry, warning) in warnings.iter().enumerate() {
            match (warning.at, limit) {
                (Threshold::Percent(1..=99), _) => {}
                (Threshold::Percent(_), _) => self.fault("warn", Some(entry), Flaw::NotAShare),
                (Threshold::Before(before), Limit::Elapsed { seconds }) if before >= seconds && seconds > 0 => {
                    self.fault("warn", Some(entry), Flaw::BeforeStart);
                }
                (Threshold::Before(before), _) => self.seconds("warn", Some(entry), before),
            }
            let Some(comes) = comes(warning.at, limit) else { continue };
            let earlier = warnings[..entry].iter().filter_map(|earlier| self::comes(earlier.at, limit));
            if earlier.into_iter().any(|before| before.0 == comes.0 && before.1 >= comes.1) {
                self.fault("warn", Some(entry), Flaw::OutOfOrder);
            }
        }
    }
}

/// The position of a step on a scale (first value); steps on the same scale can be compared. `None` for a step that
/// never comes. A share of working time and natural time before due are two scales, because only a calendar can order
/// them.
fn comes(at: Threshold, limit: Limit) -> Option<(u8, i128)> {
    match (at, limit) {
        (Threshold::Percent(share), _) if !(1..=99).contains(&share) => None,
        (Threshold::Before(before), _) if before <= 0 => None,
        (_, Limit::Elapsed { seconds }) if seconds <= 0 => None,
        (Threshold::Percent(share), Limit::Elapsed { seconds }) => Some((0, i128::from(share) * i128::from(seconds))),
        (Threshold::Before(before), Limit::Elapsed { seconds }) => {
            let rest = i128::from(seconds) - i128::from(before);
            (rest > 0).then_some((0, rest * 100))
        }
        (Threshold::Percent(share), _) => Some((1, share.into())),
        (Threshold::Before(before), _) => Some((2, -i128::from(before))),
    }
}
