//! The clock of the engine. All other modules get the time from it.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};
use switchboard_domain::Timestamp;

/// A source of time.
pub trait Clock: Send + Sync + 'static {
    /// The current time, in whole microseconds.
    fn now(&self) -> Timestamp;
}

/// The system clock, strictly increasing. If the wall clock is set back, time continues at the pace of the monotonic
/// clock, ahead of the wall clock, until the wall clock catches up.
#[derive(Debug)]
pub struct SystemClock(Mutex<Reading>);

/// The last reading at which the wall clock was ahead.
#[derive(Clone, Copy, Debug)]
struct Reading {
    micros: i64,
    monotonic: Instant,
}

impl SystemClock {
    /// A clock that starts no earlier than `floor`, the last recorded instant of the log.
    #[must_use]
    pub fn starting_at(floor: Timestamp) -> Self {
        Self(Mutex::new(Reading { micros: floor.timestamp_micros(), monotonic: Self::monotonic() }))
    }

    /// The lead of this clock over the wall clock.
    #[must_use]
    pub fn ahead(&self) -> TimeDelta {
        TimeDelta::microseconds(self.now().timestamp_micros().saturating_sub(Self::wall()))
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    fn wall() -> i64 {
        DateTime::<Utc>::from(std::time::SystemTime::now()).timestamp_micros()
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    fn monotonic() -> Instant {
        Instant::now()
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::starting_at(Timestamp::UNIX_EPOCH)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, monotonic) = (Self::wall(), Self::monotonic());
        let passed = monotonic.saturating_duration_since(latest.monotonic).as_micros();
        let carried = latest.micros.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        if wall >= carried {
            *latest = Reading { micros: wall, monotonic };
        }
        DateTime::from_timestamp_micros(wall.max(carried)).unwrap_or_default()
    }
}

/// A clock for tests; it moves only by [`ManualClock::advance`].
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Advances the clock.
    pub fn advance(&self, by: TimeDelta) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_what_the_log_knows_though_the_wall_clock_is_behind_it() {
        let tomorrow = SystemClock::default().now() + TimeDelta::days(1);
        let clock = SystemClock::starting_at(tomorrow);
        let first = clock.now();
        assert!(first >= tomorrow);
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(clock.now() - first >= TimeDelta::milliseconds(2), "and it does not stand still");
        assert!(clock.ahead() > TimeDelta::hours(23));
    }

    #[test]
    fn a_clock_whose_log_lies_behind_tells_the_wall_clocks_time() {
        let clock = SystemClock::starting_at(Timestamp::UNIX_EPOCH);
        assert!(clock.ahead() < TimeDelta::seconds(1));
    }
}
