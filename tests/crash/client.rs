//! A client that records every request before it is sent and every answer when it arrives: acknowledged, refused, or
//! unknown.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use switchboard_tests::{
    command::{Command, accept, classify, dispatch, merge, progress, receive, supplement},
    line::{Line, Who, agent, who},
    refusal::reason,
    story::{CITY, CREW},
};
use switchboard_wire::proto::{self, BusinessType, CommandOutcome, ErrorReason, report_progress_request::Step as Crew};
use tonic::Status;
use uuid::Uuid;

use crate::dice::Dice;

/// The knowledge about a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// No answer came: it may be on record or not.
    Unknown,
    /// The request is on record.
    Acknowledged(CommandOutcome),
}

/// A request and its fate.
#[derive(Clone, Debug)]
pub struct Entry {
    pub who: Who,
    pub command: Command,
    pub fate: Fate,
}

/// One client that works on its own tickets and sometimes on one that all clients share.
#[derive(Debug)]
pub struct Client {
    name: String,
    dice: Dice,
    shared: String,
    ticket: String,
    step: usize,
    pub entries: Vec<Entry>,
    /// Set just before the power is cut; later answers do not count.
    cut: Arc<AtomicBool>,
}

/// True if a failed call leaves its outcome open, so that it must be repeated.
pub fn is_open(status: &Status) -> bool {
    match reason(status) {
        None => true,
        Some(why) => matches!(
            why,
            ErrorReason::Contended
                | ErrorReason::StoreUnavailable
                | ErrorReason::OutcomeUnknown
                | ErrorReason::TimedOut
                | ErrorReason::Overloaded
                | ErrorReason::Draining
        ),
    }
}

impl Client {
    pub fn new(name: String, dice: Dice, shared: String, cut: Arc<AtomicBool>) -> Self {
        Self { name, dice, shared, ticket: String::new(), step: 0, entries: Vec::new(), cut }
    }

    /// Returns the next request.
    fn next(&mut self) -> (Who, Command) {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{} {}", self.name, self.entries.len()).as_bytes());
        if self.step > 0 && self.dice.one_in(6) {
            return (agent(), supplement(&format!("{} to all", self.entries.len())).named(id, &self.shared));
        }
        let said = "x".repeat(self.dice.below(400) as usize + 1);
        let (who, command) = match self.step {
            0 => {
                let opened = receive(BusinessType::FaultRepair, &format!("1380000{:04}", self.dice.below(10_000)));
                (agent(), Command::Receive(Box::new(opened)))
            }
            1 if self.dice.one_in(4) => {
                self.step = usize::MAX;
                (agent(), merge(&self.shared))
            }
            1 => (agent(), classify("fault_repair/low_voltage", None)),
            2 | 5 | 8 | 9 => (agent(), supplement(&said)),
            3 => (agent(), dispatch(CITY)),
            4 => (who("desk", CITY), accept()),
            6 => (who("desk", CITY), dispatch(CREW)),
            7 => (who("crew", CREW), progress(Crew::Accepted(proto::StepAccepted {}))),
            _ => (who("crew", CREW), progress(Crew::EnRoute(proto::StepEnRoute {}))),
        };
        let command = command.named(id, &self.ticket);
        self.step = if self.step >= 10 { 0 } else { self.step + 1 };
        (who, command)
    }

    /// Sends the next request.
    ///
    /// # Errors
    /// The failure that leaves its outcome open.
    pub async fn ask(&mut self, line: &Line) -> Result<(), Status> {
        let (who, command) = self.next();
        self.entries.push(Entry { who, command, fate: Fate::Unknown });
        self.send(line, self.entries.len() - 1).await.map(drop)
    }

    async fn send(&mut self, line: &Line, index: usize) -> Result<CommandOutcome, Status> {
        let Entry { who, command, .. } = self.entries[index].clone();
        loop {
            match command.send(&mut line.tickets(&who)).await {
                Ok(outcome) => {
                    if !self.cut.load(Ordering::SeqCst) {
                        if matches!(command, Command::Receive(_)) {
                            self.ticket.clone_from(&outcome.ticket_id);
                        }
                        self.entries[index].fate = Fate::Acknowledged(outcome.clone());
                    }
                    return Ok(outcome);
                }
                Err(status) if reason(&status) == Some(ErrorReason::Contended) => {}
                // After the power is cut, any answer is tolerated except a success.
                Err(status) if is_open(&status) || self.cut.load(Ordering::SeqCst) => return Err(status),
                Err(status) => panic!("{} was refused: {command:?}: {status:?}", self.name),
            }
        }
    }

    /// Sends requests until there are no more answers.
    pub async fn work(mut self, line: Line) -> Self {
        while self.ask(&line).await.is_ok() && !self.cut.load(Ordering::SeqCst) {}
        self
    }

    /// Repeats the requests with unknown outcome in order, under the same ids; returns their number.
    pub async fn settle(&mut self, line: &Line) -> Result<usize, Status> {
        let open = |entry: &&Entry| entry.fate == Fate::Unknown;
        let unknown = self.entries.iter().filter(open).count();
        // Answers are lost only at the end of a run, so the open requests are the last ones.
        for index in self.entries.len() - unknown..self.entries.len() {
            assert_eq!(self.entries[index].fate, Fate::Unknown);
            self.send(line, index).await?;
        }
        Ok(unknown)
    }
}
