//! Simulated crews: a desk enrols them, and they begin a shift, receive offers, answer, drive, report, get stuck, lose
//! their signal, hand over and reply. They use only the public API. All behaviour is drawn from a seed.
//!
//! ```text
//!    conduct (dice) ─╮
//!    course (roads) ─┼──▶ life (one crew, minute by minute) ──▶ device (calls, stream, steps kept) ──▶ gRPC
//!    roster (who)   ─╯                    ╰──▶ tally
//! ```
//!
//! Simulated time runs `times` times as fast as real time. Times that the server counts in its own minutes (leases,
//! silence) stay real. Request ids of crews derive from the action and its time, as on real devices, so no crew repeats
//! the request of an earlier run. Absent: the choice of a crew for a ticket, which the server's dispatcher makes.

pub mod conduct;
pub mod course;
mod device;
pub mod hurry;
mod life;
pub mod roster;
mod tally;

use std::{
    convert::Infallible,
    time::{Duration, SystemTime},
};

use chrono::TimeDelta;
use switchboard_wire::proto as pb;
use tokio::{sync::watch, task::JoinSet};

pub use self::tally::{Tally, Trouble};
use self::{conduct::Conduct, device::Device, life::Life, roster::Member, tally::Shared};
use crate::{
    Timestamp,
    driver::{Failure, Options, Speaker, lines},
    request::Line,
    script::Actor,
};

/// Crews on one connection. A server admits 100 streams per connection, and a crew uses one for its stream and one for
/// its calls.
const CREWS_PER_CONNECTION: usize = 48;
/// The interval between two queries for the tickets that wait and their reasons.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// The server's name for the state of a ticket that is in a crew's plan but not yet offered.
const PLANNED: &str = "planned";
/// The most tickets of one answer.
const PAGE: u32 = 1000;

/// The settings of the simulated crews.
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// The seed of all behaviour.
    pub seed: u64,
    /// The speed as a multiple of real time.
    pub times: f64,
    /// The distributions of the crews' behaviour.
    pub conduct: Conduct,
    /// The deadlines and retry settings of calls.
    pub options: Options,
}

/// The relation between simulated and real time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    times: f64,
}

impl Pace {
    /// Converts simulated minutes to real time.
    fn lasts(self, minutes: f64) -> Duration {
        Duration::try_from_secs_f64(minutes * 60.0 / self.times).unwrap_or_default()
    }

    /// Converts real time to simulated minutes.
    fn minutes(self, lasts: Duration) -> f64 {
        lasts.as_secs_f64() * self.times / 60.0
    }
}

/// Enrolled crews, ready to begin their shifts.
#[derive(Debug)]
pub struct Fleet {
    roster: Vec<Member>,
    lines: Vec<Line>,
    play: Play,
    desk: Actor,
    tally: Shared,
}

/// The reason why the crews could not be enrolled.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// The server's address is not valid.
    #[error("the server's address is none: {0}")]
    Address(#[from] tonic::transport::Error),
    /// The server refused a crew or could not be reached.
    #[error("crew {crew} is not put on the roster: {message} ({reason})")]
    Refused {
        /// The path of the crew.
        crew: String,
        /// The API's reason.
        reason: String,
        /// The message for people.
        message: String,
    },
}

impl Fleet {
    /// Enrols the crews of `roster` on the server at `endpoint`; `desk` must be a unit above all of them.
    ///
    /// # Errors
    /// When the server refuses a crew, or cannot be reached.
    pub async fn enrol(endpoint: &str, desk: &Actor, roster: Vec<Member>, play: Play) -> Result<Self, NotEnrolled> {
        let connections = roster.len().div_ceil(CREWS_PER_CONNECTION) + 1;
        let lines = lines(endpoint, connections, play.options.deadline)?;
        let fleet = Self { roster, lines, play, desk: desk.clone(), tally: Shared::default() };
        let speaker = fleet.speaker(connections - 1);
        for member in &fleet.roster {
            let call = |mut line: Line, ask| async move { line.dispatch.enrol_crew(ask).await };
            let enrolled = speaker.ask(&fleet.desk, member.enrolment(now()), call).await;
            let crew = || member.crew.clone();
            enrolled.map_err(|Failure { reason, message, .. }| NotEnrolled::Refused {
                crew: crew(),
                reason,
                message,
            })?;
        }
        fleet.tally.write().crews = fleet.roster.len();
        Ok(fleet)
    }

    fn speaker(&self, nth: usize) -> Speaker {
        let line = self.lines[nth % self.lines.len()].clone();
        Speaker { line, options: self.play.options.clone() }
    }

    /// Runs all crews until `calls` completes; then every crew ends its shift. Returns the result of `calls` and the
    /// tally.
    pub async fn work<T>(self, calls: impl Future<Output = T>) -> (T, Tally) {
        let (stop, stopped) = watch::channel(false);
        let mut crews = JoinSet::new();
        let pace = Pace { times: self.play.times };
        let desks = self.lines.len() - 1;
        for (nth, member) in self.roster.iter().enumerate() {
            let Play { seed, conduct, .. } = self.play.clone();
            let error = TimeDelta::seconds(conduct.clock_error_seconds(seed, &member.crew));
            let speaker = self.speaker(nth % desks.max(1));
            let device = Device::of(&member.crew, speaker, self.tally.clone(), error);
            let life = Life::of(member.clone(), conduct, (seed, pace), device, self.tally.clone());
            crews.spawn(life.work(stopped.clone()));
        }
        let came = tokio::select! {
            came = calls => came,
            never = self.ask_on_and_on() => match never {},
        };
        // A last query before the shifts end. Later every open ticket would wait only because no crew is on shift.
        self.ask_who_waits().await;
        stop.send_replace(true);
        while crews.join_next().await.is_some() {}
        (came, self.tally.finished())
    }

    async fn ask_on_and_on(&self) -> Infallible {
        loop {
            self.ask_who_waits().await;
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Lists every ticket that needs a crew, and records the reasons of those that have none.
    async fn ask_who_waits(&self) {
        let speaker = self.speaker(self.lines.len() - 1);
        let mut ask = pb::ListProposalsRequest { page_size: PAGE, ..pb::ListProposalsRequest::default() };
        let (mut waiting, mut planned): (Vec<Option<String>>, usize) = (Vec::new(), 0);
        loop {
            let call = |mut line: Line, ask| async move { line.dispatch.list_proposals(ask).await };
            match speaker.ask(&self.desk, ask.clone(), call).await {
                Err(failure) => return self.tally.write().trouble(&self.desk.org, "list_proposals", &failure),
                Ok(answer) => {
                    planned += answer.proposals.iter().filter(|proposal| proposal.state == PLANNED).count();
                    let without = answer.proposals.into_iter().filter(|proposal| proposal.crew.is_none());
                    waiting.extend(without.map(|proposal| proposal.waits_for));
                    ask.page_token = answer.next_page_token;
                }
            }
            if ask.page_token.is_empty() {
                break;
            }
        }
        let mut tally = self.tally.write();
        tally.planned = tally.planned.max(planned);
        tally.seen(waiting.iter().map(Option::as_deref));
    }
}

/// The real time.
fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_minute_lasts_as_the_pace_has_it_and_is_counted_back() {
        let pace = Pace { times: 1200.0 };
        assert_eq!(pace.lasts(1.0), Duration::from_millis(50));
        assert!((pace.minutes(pace.lasts(37.5)) - 37.5).abs() < 1e-6);
        assert_eq!(pace.lasts(-1.0), Duration::ZERO);
    }
}
