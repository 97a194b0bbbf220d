//! Crews that act: enrolled by their desk, they begin a shift, watch what they are offered, answer, drive, report, get stuck,
//! lose their signal, hand over and reply, all through the public API. Everything that they do is drawn from a seed.
//!
//! ```text
//!    conduct (dice) ─╮
//!    course (roads) ─┼──▶ life (one crew, minute by minute) ──▶ device (calls, stream, steps kept) ──▶ gRPC
//!    roster (who)   ─╯                    ╰──▶ tally
//! ```
//!
//! Time runs so many times as fast as it is meant to; what the server counts in minutes of its own (leases, silence) does not.
//! Request ids of crews are named by what happened and when, as devices name them: a crew never does the same thing again.
//! Absent: who is sent where; that is the server's dispatcher.

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

/// Crews on one connection: a server admits 100 streams to each, and a crew has its own beside its calls.
const CREWS_PER_CONNECTION: usize = 48;
/// How often the server is asked which tickets wait, and for what.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How the server calls a ticket that is in a crew's plan, but was not offered to it yet.
const PLANNED: &str = "planned";
/// Tickets of one answer.
const PAGE: u32 = 1000;

/// How crews are played.
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// Of everything that they do.
    pub seed: u64,
    /// So many times as fast as it happens.
    pub times: f64,
    /// How they behave.
    pub conduct: Conduct,
    /// Deadlines and attempts of calls.
    pub options: Options,
}

/// How simulated minutes last.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    times: f64,
}

impl Pace {
    /// How long so many simulated minutes last.
    fn lasts(self, minutes: f64) -> Duration {
        Duration::try_from_secs_f64(minutes * 60.0 / self.times).unwrap_or_default()
    }

    /// How many simulated minutes go by.
    fn minutes(self, lasts: Duration) -> f64 {
        lasts.as_secs_f64() * self.times / 60.0
    }
}

/// Crews that are on the roster, and may begin.
#[derive(Debug)]
pub struct Fleet {
    roster: Vec<Member>,
    lines: Vec<Line>,
    play: Play,
    desk: Actor,
    tally: Shared,
}

/// The crews cannot be put on the roster.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// The server's address is none.
    #[error("the server's address is none: {0}")]
    Address(#[from] tonic::transport::Error),
    /// The server says no.
    #[error("crew {crew} is not put on the roster: {message} ({reason})")]
    Refused {
        /// The crew.
        crew: String,
        /// The API's reason.
        reason: String,
        /// In words.
        message: String,
    },
}

impl Fleet {
    /// Puts `roster` on the roster of the server at `endpoint`, by `desk`, which stands above all of them.
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

    /// Works while `calls` come in, until they are over; then every crew ends its shift. What came of both.
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
        // Before anybody goes home: a ticket may not be left without a crew because there is none.
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

    /// Asks for every ticket that takes a crew, and notes what those wait for that have none.
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

/// The world's clock.
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
