//! An episode of failures of one kind: logged when it begins, once a minute while it lasts, and when it is over. The
//! pauses between attempts grow, so that a lasting failure costs next to nothing.

use std::time::Duration;

use tokio::time::{self, Instant};

/// The pause after the first failure. Each further failure doubles it.
pub const PAUSE_MIN: Duration = Duration::from_millis(500);
/// The longest pause.
pub const PAUSE_MAX: Duration = Duration::from_secs(8);
/// The interval of log lines while an episode lasts.
pub const REMINDER: Duration = Duration::from_secs(60);

/// The failures since the last success.
#[derive(Debug, Default)]
pub struct Episode {
    failures: u32,
    logged: Option<Instant>,
}

impl Episode {
    /// Counts a failure. Returns true when it should be logged.
    pub fn fails(&mut self) -> bool {
        self.fails_at(Instant::now())
    }

    fn fails_at(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let is_due = self.logged.is_none_or(|logged| now - logged >= REMINDER);
        if is_due {
            self.logged = Some(now);
        }
        is_due
    }

    /// Ends the episode. Returns the number of its failures, if there were any.
    pub fn ends(&mut self) -> Option<u32> {
        self.logged = None;
        Some(std::mem::take(&mut self.failures)).filter(|failures| *failures > 0)
    }

    /// The pause before the next attempt.
    #[must_use]
    pub fn pause(&self) -> Duration {
        PAUSE_MAX.min(PAUSE_MIN * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(10)))
    }

    /// Waits for the pause.
    pub async fn rest(&self) {
        time::sleep(self.pause()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_failure_is_logged_once_a_minute_and_its_pauses_grow_to_a_limit() {
        let (mut episode, mut lines, mut past) = (Episode::default(), 0, Duration::ZERO);
        let begun = Instant::now();
        while past < Duration::from_secs(600) {
            lines += u32::from(episode.fails_at(begun + past));
            past += episode.pause();
        }
        assert_eq!(lines, 10);
        assert_eq!(episode.pause(), PAUSE_MAX);
        assert_eq!(episode.ends(), Some(79), "0.5 + 1 + 2 + 4 s, then 8 s each");
        assert_eq!((episode.ends(), episode.pause()), (None, PAUSE_MIN));
        assert!(episode.fails(), "the next episode is logged again");
    }
}
