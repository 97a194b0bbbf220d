//! The dispatch process as it runs in a node. It receives telemetry. Its actions become commands to crews and tickets.
//! It answers queries about its plan. Nothing is chosen here.
//!
//! The process lives in its reactor. Queries wait in a bounded list and are answered between two steps of the process.
//! No other task reads its memory.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use switchboard_dispatcher::{
    board::Board,
    dispatch::{Dispatch, Intent, NAME, Order},
    explain::Weighed,
    plan::{Plan, Waits},
    planner::PLANE_KM,
    policy::Policy,
    state::{DispatchState, STATE_CODE},
};
use switchboard_domain::{
    Timestamp,
    actor::Actor,
    crew::{self, Crews},
    decider::{Action, Process, Projection},
    fact::Fact,
    ticket::TicketId,
};
use switchboard_engine::{
    checkpoint::Checkpoint,
    clock::Clock,
    command::Aggregates,
    feed::Feed,
    reactor::{self, ActionOutcome, Pace, Start},
};
use switchboard_wire::refusal::Refusal;
use tokio::{
    sync::{Notify, oneshot, watch},
    task::JoinHandle,
};

use crate::service::{outcome, telemetry::Telemetry, tickets::Tickets};

pub mod intended;
#[cfg(test)]
mod tests;

/// The pace of the process: offers to many crews share the log's syncs.
const DISPATCH_PACE: Pace = Pace { actions_max: 512, at_once_max: 128 };
/// The longest wait of a telemetry change, so that several changes are processed together.
const TELEMETRY_WAIT: TimeDelta = TimeDelta::milliseconds(50);
/// The most queries that wait. Further queries are refused.
const QUESTIONS_MAX: usize = 256;
/// The most explanations in one step, because each weighs the crews of its unit. Further ones wait for the next step,
/// so that no offer is delayed by them.
const EXPLAINS_PER_STEP: usize = 1;
/// The greatest age of a snapshot that is reused while no fact arrives.
const SNAPSHOT_AGE_MAX: TimeDelta = TimeDelta::milliseconds(250);
/// The longest wait of a query for its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// The board and the plan at one position of the log.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The position of the log.
    pub position: u64,
    /// The engine's time.
    pub at: Timestamp,
    /// The open jobs and the crews.
    pub board: Board,
    /// The planned routes, and the waiting tickets.
    pub plan: Plan,
    /// The policy that the plan was made by.
    pub policy: Policy,
}

/// The explanation of a proposal.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The board and the plan that it was explained from.
    pub snapshot: Arc<Snapshot>,
    /// The crews with their prices or vetoes: the cheapest first, the vetoed last.
    pub weighed: Vec<Weighed>,
    /// Why the ticket waits, if it does.
    pub waits: Waits,
}

enum Question {
    Snapshot(oneshot::Sender<Arc<Snapshot>>),
    Explain(TicketId, oneshot::Sender<Option<Explained>>),
}

impl Question {
    /// True if the caller has given up.
    fn is_closed(&self) -> bool {
        match self {
            Self::Snapshot(answer) => answer.is_closed(),
            Self::Explain(_, answer) => answer.is_closed(),
        }
    }
}

/// The handle for queries to the process.
#[derive(Clone)]
pub struct Dispatching {
    questions: Arc<Mutex<Vec<Question>>>,
    nudge: Arc<Notify>,
    /// The position up to which the process has folded the log.
    progress: watch::Receiver<u64>,
}

impl std::fmt::Debug for Dispatching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dispatching(..)")
    }
}

impl Dispatching {
    /// Returns the current board and plan.
    ///
    /// # Errors
    /// Too many queries wait, or the process does not answer in time.
    pub(crate) async fn snapshot(&self) -> Result<Arc<Snapshot>, Refusal> {
        self.ask(Question::Snapshot).await
    }

    /// Explains the proposal for a ticket; `None` if the process has no open job for the ticket.
    ///
    /// # Errors
    /// Too many queries wait, or the process does not answer in time.
    pub(crate) async fn explain(&self, ticket: TicketId) -> Result<Option<Explained>, Refusal> {
        self.ask(|answer| Question::Explain(ticket, answer)).await
    }

    /// Waits until the process has folded a fact past `position`.
    ///
    /// # Errors
    /// The process has ended.
    pub(crate) async fn past(&self, position: u64) -> Result<(), Refusal> {
        let mut progress = self.progress.clone();
        progress.wait_for(|known| *known > position).await.map(drop).map_err(|_| Refusal::TimedOut)
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        {
            let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
            if questions.len() >= QUESTIONS_MAX {
                return Err(Refusal::Overloaded { limit: "questions to the dispatcher", value: QUESTIONS_MAX as u64 });
            }
            questions.push(question(answer));
        }
        self.nudge.notify_one();
        match tokio::time::timeout(ANSWER_WAIT, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(Refusal::TimedOut),
        }
    }
}

/// The dispatch process with its telemetry and its queries. It is a process itself.
struct Attended {
    process: Dispatch,
    looked: Timestamp,
    telemetry: Arc<Telemetry>,
    questions: Arc<Mutex<Vec<Question>>>,
    progress: watch::Sender<u64>,
    /// The last snapshot that was given as an answer.
    answered: Option<Arc<Snapshot>>,
}

impl Attended {
    fn listen(&mut self) {
        for heard in self.telemetry.drain_changed() {
            self.process.heard(&heard.crew, heard.at, heard.seen);
        }
    }

    /// Returns a snapshot. It copies the state if a fact arrived since the last copy, or if that copy is too old.
    fn snapshot(&mut self, now: Timestamp) -> Arc<Snapshot> {
        let position = self.process.fold().position();
        let fresh = |last: &&Arc<Snapshot>| last.position == position && now - last.at < SNAPSHOT_AGE_MAX;
        if let Some(last) = self.answered.as_ref().filter(fresh) {
            return Arc::clone(last);
        }
        let snapshot = Arc::new(Snapshot {
            position,
            at: now,
            board: self.process.board().clone(),
            plan: self.process.planner().snapshot(self.process.board(), now),
            policy: self.process.planner().policy().clone(),
        });
        self.answered = Some(Arc::clone(&snapshot));
        snapshot
    }

    fn is_asked(&self) -> bool {
        !self.questions.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes the queries of this step. Explanations beyond the limit stay in the list, in their order.
    fn turn(&self) -> Vec<Question> {
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        questions.retain(|question| !question.is_closed());
        let mut explains = 0;
        let now = |question: &mut Question| {
            explains += usize::from(matches!(question, Question::Explain(..)));
            matches!(question, Question::Snapshot(_)) || explains <= EXPLAINS_PER_STEP
        };
        questions.extract_if(.., now).collect()
    }

    fn answer(&mut self, now: Timestamp) {
        let questions = self.turn();
        if questions.is_empty() {
            // Without queries, an old copy is dropped to free its memory.
            self.answered.take_if(|last| now - last.at >= SNAPSHOT_AGE_MAX);
            return;
        }
        let snapshot = self.snapshot(now);
        for question in questions {
            // Sending fails if the caller has given up; its answer is then not needed.
            match question {
                Question::Snapshot(answer) => drop(answer.send(Arc::clone(&snapshot))),
                Question::Explain(ticket, answer) => {
                    let (board, planner) = (self.process.board(), self.process.planner());
                    let explained = planner.explain(board, ticket, now).map(|weighed| Explained {
                        snapshot: Arc::clone(&snapshot),
                        weighed,
                        waits: planner.waits(board, ticket, now),
                    });
                    drop(answer.send(explained));
                }
            }
        }
    }
}

impl Projection for Attended {
    type Event = Fact;

    fn apply(&mut self, fact: &Fact) {
        if let Fact::Crew(crew) = fact
            && let crew::Event::Enrolled(roster) = &crew.event
            && self.process.planner().is_beyond_plane(roster.home)
        {
            let (crew, km) = (&crew.id, PLANE_KM);
            tracing::warn!(
                ?crew,
                km,
                "a crew's home lies beyond the limit of the dispatcher's map; its travel times are off"
            );
        }
        self.process.apply(fact);
    }
}

impl Process for Attended {
    type Intent = Intent;

    fn name(&self) -> &'static str {
        self.process.name()
    }

    fn pending(&mut self, now: Timestamp, limit: usize) -> Vec<Action<Intent>> {
        self.looked = now;
        self.listen();
        let wants = self.process.pending(now, limit);
        let position = self.process.fold().position();
        self.progress.send_if_modified(|known| std::mem::replace(known, position) != position);
        self.answer(now);
        wants
    }

    fn wake(&self) -> Option<Timestamp> {
        let asked = self.is_asked().then_some(self.looked);
        let heard = self.telemetry.has_changed().then_some(self.looked + TELEMETRY_WAIT);
        let aged = self.answered.as_ref().map(|last| last.at + SNAPSHOT_AGE_MAX);
        [self.process.wake(), asked, heard, aged].into_iter().flatten().min()
    }

    fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        self.process.forgotten(fact)
    }

    fn refused(&mut self, want: &Action<Intent>, reason: &str) {
        self.process.refused(want, reason);
    }
}

/// The parts that the process works with.
pub(crate) struct Parts {
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) crews: Arc<Aggregates<Crews>>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) engine: Actor,
    pub(crate) policy: Policy,
}

/// Starts the process in its reactor. Returns the handle for queries, and the task.
pub(crate) fn start(
    parts: Parts,
    feed: &Arc<Feed>,
    clock: Arc<dyn Clock>,
    data: &std::path::Path,
) -> (Dispatching, JoinHandle<()>) {
    let Parts { tickets, crews, telemetry, engine, policy } = parts;
    let questions = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&questions);
    let nudge = telemetry.nudge();
    let (told, progress) = watch::channel(0);
    let wake = move |fold: DispatchState| Attended {
        process: Dispatch::resume(policy, fold),
        looked: Timestamp::default(),
        telemetry,
        questions: asked,
        progress: told,
        answered: None,
    };
    let checkpoint = Checkpoint::new(data, NAME, STATE_CODE);
    let start = Start::resumed_part(checkpoint, feed.reached(), wake, |attended: &Attended| attended.process.fold());
    let start = start.nudged_by(Arc::clone(&nudge));
    let carry_out = move |want: Action<Intent>| {
        let (tickets, crews, engine) = (Arc::clone(&tickets), Arc::clone(&crews), engine.clone());
        async move { carry_out(&tickets, &crews, engine, want).await }
    };
    let running = reactor::run(feed, clock, start, DISPATCH_PACE, carry_out);
    (Dispatching { questions, nudge, progress }, running)
}

/// Executes one action as a command of the engine itself.
async fn carry_out(tickets: &Tickets, crews: &Aggregates<Crews>, engine: Actor, want: Action<Intent>) -> ActionOutcome {
    let request = match tickets.node.caused(NAME, &want, &want.intent.target(), engine).await {
        Ok(request) => request,
        Err(later) => return later,
    };
    match want.intent.order() {
        Order::Crew(crew, command) => outcome(crews.execute(&crew, &command, &request).await),
        Order::Ticket(ticket, command) => outcome(tickets.streams.execute(&ticket, &command, &request).await),
    }
}
