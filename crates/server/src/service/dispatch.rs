//! The dispatch process at work: it is told telemetry, its wants become commands to crews and tickets, and it answers
//! those who ask what it intends and why. Nothing is chosen here.
//!
//! The process lives in its reactor and is asked through a bounded list of questions, answered between two of its
//! steps; nobody reads its memory beside it.

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

/// How much it does at a time: offers to many crews share the log's syncs.
const DISPATCH_PACE: Pace = Pace { actions_max: 512, at_once_max: 128 };
/// How long telemetry may wait for more of it, to be looked at together.
const TELEMETRY_WAIT: TimeDelta = TimeDelta::milliseconds(50);
/// Questions that may wait; past it they are refused.
const QUESTIONS_MAX: usize = 256;
/// Explanations of one step, each of which weighs the crews of its unit; more wait for the next, so that no offer waits
/// for them.
const EXPLAINS_PER_STEP: usize = 1;
/// How old an answer may be that is given again while no fact comes.
const SNAPSHOT_AGE_MAX: TimeDelta = TimeDelta::milliseconds(250);
/// How long a question may wait for its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// What is intended, at one position of the log.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// That position.
    pub position: u64,
    /// The engine's time.
    pub at: Timestamp,
    /// What is known.
    pub board: Board,
    /// What is planned.
    pub plan: Plan,
    /// By which policy.
    pub policy: Policy,
}

/// Why a ticket goes to whom.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What is intended for all.
    pub snapshot: Arc<Snapshot>,
    /// Each crew, the cheapest first, the vetoed last.
    pub weighed: Vec<Weighed>,
    /// Why it waits, if it does.
    pub waits: Waits,
}

enum Question {
    Snapshot(oneshot::Sender<Arc<Snapshot>>),
    Explain(TicketId, oneshot::Sender<Option<Explained>>),
}

impl Question {
    /// Whether whoever asked has left.
    fn is_closed(&self) -> bool {
        match self {
            Self::Snapshot(answer) => answer.is_closed(),
            Self::Explain(_, answer) => answer.is_closed(),
        }
    }
}

/// The way to the process, for those who ask.
#[derive(Clone)]
pub struct Dispatching {
    questions: Arc<Mutex<Vec<Question>>>,
    nudge: Arc<Notify>,
    /// The position up to which the process knows the log.
    progress: watch::Receiver<u64>,
}

impl std::fmt::Debug for Dispatching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dispatching(..)")
    }
}

impl Dispatching {
    /// What is intended now.
    ///
    /// # Errors
    /// When too many ask, or the process does not answer.
    pub(crate) async fn snapshot(&self) -> Result<Arc<Snapshot>, Refusal> {
        self.ask(Question::Snapshot).await
    }

    /// Why a ticket goes to whom; `None` when the process does not know the ticket as one that takes a crew.
    ///
    /// # Errors
    /// When too many ask, or the process does not answer.
    pub(crate) async fn explain(&self, ticket: TicketId) -> Result<Option<Explained>, Refusal> {
        self.ask(|answer| Question::Explain(ticket, answer)).await
    }

    /// Waits until the process knows a fact past `position`.
    ///
    /// # Errors
    /// When the process has ended.
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

/// The process with those around it: a process itself.
struct Attended {
    process: Dispatch,
    looked: Timestamp,
    telemetry: Arc<Telemetry>,
    questions: Arc<Mutex<Vec<Question>>>,
    progress: watch::Sender<u64>,
    /// What was answered last.
    answered: Option<Arc<Snapshot>>,
}

impl Attended {
    fn listen(&mut self) {
        for heard in self.telemetry.drain_changed() {
            self.process.heard(&heard.crew, heard.at, heard.seen);
        }
    }

    /// What is intended now: copied anew when a fact came since, or when the copy has aged.
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

    /// The questions of this step; explanations past the most that one step gives stay in their order.
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
            // A copy that nobody asks for is not kept for long.
            self.answered.take_if(|last| now - last.at >= SNAPSHOT_AGE_MAX);
            return;
        }
        let snapshot = self.snapshot(now);
        for question in questions {
            // Who asked may have left; then nobody needs the answer.
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

/// What the process works with.
pub(crate) struct Parts {
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) crews: Arc<Aggregates<Crews>>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) engine: Actor,
    pub(crate) policy: Policy,
}

/// Starts the process.
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
    let start = Start::noted_part(checkpoint, feed.reached(), wake, |attended: &Attended| attended.process.fold());
    let start = start.nudged_by(Arc::clone(&nudge));
    let carry_out = move |want: Action<Intent>| {
        let (tickets, crews, engine) = (Arc::clone(&tickets), Arc::clone(&crews), engine.clone());
        async move { carry_out(&tickets, &crews, engine, want).await }
    };
    let running = reactor::run(feed, clock, start, DISPATCH_PACE, carry_out);
    (Dispatching { questions, nudge, progress }, running)
}

/// Carries one want out as a command of the engine itself.
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
