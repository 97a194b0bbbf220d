//! What the ways in have in common: a request in the API's words becomes a command or a question to the engine and the views,
//! and the answer comes back in the domain's words. There is no transport here, and no rule about tickets.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lru::LruCache;
use prost::Message;
use switchboard_domain::{
    Timestamp, Violation,
    actor::Actor,
    ticket::{BusinessType, Command, Event, ExternalRef, Rejection, Stage, TicketId, Tickets},
};
use switchboard_engine::{
    command::{Aggregates, Failure, Outcome, Request},
    feed::Feed,
    journal::{self, JournalError},
    numbers::Numbers,
    projector::Progress,
    vault::Vault,
};
use switchboard_readmodel::{ReadModelError, TicketList};
use switchboard_views::{Fact, ticket_list::Row, ticket_page::TicketPage};
use switchboard_wire::{
    answer,
    command::{self, TicketRef, TicketRequest},
    proto,
    refusal::Refusal,
    stored,
};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::grpc::present;

/// Ticket numbers remembered from receiving them, so that a caller need not wait for the list.
const NUMBERS_REMEMBERED: usize = 65_536;
/// Questions to the list under way at once.
const LOOK_UPS_MAX: usize = 32;
/// The most facts of one ticket that one answer carries.
pub const HISTORY_FACTS_MAX: usize = 1_000;

/// An accepted command.
#[derive(Clone, Debug)]
pub struct Done {
    /// The ticket.
    pub id: TicketId,
    /// Position of the command's last fact.
    pub position: u64,
    /// The ticket's revision after it.
    pub revision: u64,
    /// Whether an earlier, same request had it done.
    pub replayed: bool,
    /// The ticket's stage after it.
    pub stage: Stage,
    /// Its facts.
    pub events: Vec<Event>,
}

/// A point of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The latest.
    Now,
    /// A log position.
    Position(u64),
    /// An instant, by the time of recording.
    Time(Timestamp),
}

impl AsOf {
    /// Whether a fact of this position, recorded then, was known at that point.
    #[must_use]
    pub fn sees(self, position: u64, recorded: Timestamp) -> bool {
        match self {
            Self::Now => true,
            Self::Position(last) => position <= last,
            Self::Time(time) => recorded <= time,
        }
    }
}

/// Everything that answers for tickets.
pub struct Desk {
    pub(crate) tickets: Aggregates<Tickets>,
    pub(crate) numbers: Numbers,
    pub(crate) list: TicketList,
    pub(crate) listed: Progress,
    pub(crate) feed: Arc<Feed>,
    pub(crate) deadline: Duration,
    recent: Mutex<LruCache<String, TicketId>>,
    /// Places for questions to the list: a caller that gave up leaves its question running, and must not be followed by more.
    look_ups: Arc<Semaphore>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk(head {})", self.head())
    }
}

impl Desk {
    pub(crate) fn new(
        tickets: Aggregates<Tickets>,
        numbers: Numbers,
        list: TicketList,
        listed: Progress,
        feed: Arc<Feed>,
        deadline: Duration,
    ) -> Self {
        let recent = Mutex::new(LruCache::new(NonZeroUsize::new(NUMBERS_REMEMBERED).unwrap_or(NonZeroUsize::MIN)));
        let look_ups = Arc::new(Semaphore::new(LOOK_UPS_MAX));
        Self { tickets, numbers, list, listed, feed, deadline, recent, look_ups }
    }

    /// The longest that a call may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.tickets.journal().vault()
    }

    /// What makes two requests of one id the same: the call, who asks, and the body. A request that somebody else repeats is
    /// another request: an answer is never given to one who might have been refused it.
    pub(crate) fn identity(&self, method: &str, actor: &Actor, body: &impl Message) -> String {
        let (role, org) = (actor.role.as_str().as_bytes(), actor.org.as_str().as_bytes());
        self.vault().hash(&[method.as_bytes(), actor.id.as_bytes(), role, org, &body.encode_to_vec()])
    }

    /// The request of a process for its want, with the fact that made it want it: whoever reads the answer finds the question.
    pub(crate) async fn because(&self, process: &str, request_id: Uuid, position: u64, engine: Actor) -> Request {
        let page = self.feed.page(position.saturating_sub(1), 1).await.unwrap_or_default();
        let cause = page.first();
        let identity = self.vault().hash(&[process.as_bytes(), request_id.as_bytes()]);
        Request {
            causation_id: cause.map(|entry| entry.raw.id),
            correlation_id: cause.and_then(|entry| entry.metadata.as_ref()).map(|metadata| metadata.correlation_id),
            ..Request::new(request_id, identity, engine)
        }
    }

    /// Executes a request to an existing ticket.
    ///
    /// # Errors
    /// Every refusal of `error_reason.proto` that a command can meet.
    pub async fn command<R: TicketRequest + Message>(&self, body: &R, actor: &Actor) -> Result<Done, Refusal> {
        let (header, mut command) = body.read().map_err(Refusal::InvalidFields)?;
        let id = self.resolve(&header.ticket).await?;
        if let (Command::Merge { master, .. }, Some(reference)) = (&mut command, body.master()) {
            *master = self.resolve(&reference).await?;
            if *master == id {
                return Err(Refusal::InvalidFields(vec![Violation::contradicts("master", "header.ticket")]));
            }
        }
        let identity = self.identity(R::METHOD, actor, body);
        let request = Request {
            occurred_at: header.occurred_at,
            etag: header.etag,
            ..Request::new(header.request_id, identity, actor.clone())
        };
        self.execute(id, &command, &request).await
    }

    /// Opens a ticket; answers its number too.
    ///
    /// # Errors
    /// As for [`Desk::command`].
    pub async fn receive(&self, body: &proto::ReceiveRequest, actor: &Actor) -> Result<(Done, String), Refusal> {
        self.receive_as(body, actor, self.identity("Receive", actor, body)).await
    }

    /// Opens a ticket for a request whose body has this hash.
    pub(crate) async fn receive_as(
        &self,
        body: &proto::ReceiveRequest,
        actor: &Actor,
        payload_hash: String,
    ) -> Result<(Done, String), Refusal> {
        let (header, mut receive) = command::receive(body, actor).map_err(Refusal::InvalidFields)?;
        if let Some(linked) = &header.linked {
            receive.linked = Some(self.resolve(linked).await?);
        }
        let (phone, account) = self.caller_keys(body.caller.as_ref());
        (receive.caller.phone_key, receive.caller.account_key) = (phone, account);
        let at = header.occurred_at.unwrap_or_else(|| self.tickets.clock().now());
        receive.number = self.number(at, header.request_id).await?;
        let id = TicketId::opened_by(header.request_id);
        let request = Request {
            occurred_at: header.occurred_at,
            opens: true,
            ..Request::new(header.request_id, payload_hash, actor.clone())
        };
        let done = self.execute(id, &Command::Receive(Box::new(receive)), &request).await?;
        let number = match done.events.first() {
            Some(Event::Received(received)) => received.number.clone(),
            _ => return Err(Refusal::Internal { incident: format!("receive without number at {}", done.position) }),
        };
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).put(number.clone(), id);
        Ok((done, number))
    }

    /// The number for a ticket that `request_id` opens at `at`; none for a repeated request, which is answered from its first
    /// facts: reserving one would append.
    async fn number(&self, at: Timestamp, request_id: Uuid) -> Result<String, Refusal> {
        let mut day = self.numbers.day(at).await;
        if let Some(number) = day.take() {
            return Ok(number);
        }
        if self.reported(request_id).await?.is_some() {
            return Ok(String::new());
        }
        let unavailable = |why| Refusal::StoreUnavailable { detail: format!("no ticket number: {why:?}") };
        day.reserve().await.map_err(|failure| refusal(failure, request_id, unavailable))
    }

    pub(crate) async fn execute(&self, id: TicketId, command: &Command, request: &Request) -> Result<Done, Refusal> {
        let started = tokio::time::Instant::now();
        let outcome = self.tickets.execute(&id, command, request).await;
        let made = command.as_move().as_str();
        metrics::histogram!("switchboard_command_seconds", "move" => made).record(started.elapsed().as_secs_f64());
        outcome
            .map(|outcome| done(id, outcome))
            .map_err(|failure| refusal(failure, request.request_id, Refusal::Rejected))
    }

    /// The keyed hashes by which a caller is recognised: of the phone, and of the account number.
    pub(crate) fn caller_keys(&self, caller: Option<&proto::Caller>) -> (Option<String>, Option<String>) {
        let key = |what: &str, value: Option<&String>| {
            value.map(|v| v.trim()).filter(|v| !v.is_empty()).map(|v| self.vault().pseudonym(what, v))
        };
        caller.map_or((None, None), |c| (key("phone", c.phone.as_ref()), key("account", c.account.as_ref())))
    }

    /// The ticket that an id or a number names.
    ///
    /// # Errors
    /// [`Refusal::TicketNotFound`] when no ticket has that number.
    pub async fn resolve(&self, reference: &TicketRef) -> Result<TicketId, Refusal> {
        if let Some(id) = self.known(reference).await? {
            return Ok(id);
        }
        // Perhaps the list has not come to it yet.
        self.reach(Some(self.head())).await?;
        self.known(reference).await?.ok_or(Refusal::TicketNotFound)
    }

    /// The ticket that an id or a number names, as far as the list has come.
    pub(crate) async fn known(&self, reference: &TicketRef) -> Result<Option<TicketId>, Refusal> {
        let number = match reference {
            TicketRef::Id(id) => return Ok(Some(*id)),
            TicketRef::Number(number) => number,
        };
        if let Some(id) = self.recent.lock().unwrap_or_else(PoisonError::into_inner).get(number) {
            return Ok(Some(*id));
        }
        self.by_number(number).await
    }

    async fn by_number(&self, number: &str) -> Result<Option<TicketId>, Refusal> {
        let number = number.to_owned();
        self.look_up(move |list| list.by_number(&number)).await
    }

    /// Asks the list, off the async threads.
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&TicketList) -> Result<T, ReadModelError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let unavailable = |detail: String| Refusal::StoreUnavailable { detail };
        let place = Arc::clone(&self.look_ups).acquire_owned().await.map_err(|_| Refusal::Draining)?;
        let list = self.list.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _place = place;
            ask(&list)
        });
        match answer.await.map_err(|error| unavailable(error.to_string()))? {
            Err(ReadModelError::Corrupt(_)) => Err(Refusal::StoreCorrupt),
            answer => answer.map_err(|error| unavailable(error.to_string())),
        }
    }

    /// The durable head of the log.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.tickets.journal().store().head().0
    }

    /// Waits until the list is true for `position`; the caller's deadline bounds it.
    pub(crate) async fn reach(&self, position: Option<u64>) -> Result<(), Refusal> {
        match position {
            Some(position) if !self.listed.reach(position).await => Err(Refusal::Draining),
            _ => Ok(()),
        }
    }

    /// Waits until the log has reached `position`.
    pub(crate) async fn recorded(&self, position: Option<u64>) -> Result<(), Refusal> {
        let Some(position) = position else { return Ok(()) };
        let mut head = self.tickets.journal().store().watch_head();
        let closed = |_| Refusal::StoreUnavailable { detail: "the log is closed".into() };
        head.wait_for(|head| head.0 >= position).await.map(|_| ()).map_err(closed)
    }

    /// The facts of one ticket, personal data opened; empty when there is no such ticket.
    async fn facts(&self, id: TicketId) -> Result<Vec<Fact>, Refusal> {
        let journal = self.tickets.journal();
        let decoded = journal.read(&id, 0).await.map_err(unreadable)?;
        let stream = switchboard_engine::journal::Journal::<Tickets>::stream(&id).map_err(|e| unreadable_text(&e))?;
        let opened = decoded.into_iter().map(|mut fact| {
            self.vault().open(stream.as_str(), &fact.kind, &mut fact.event);
            journal::recorded(id, fact)
        });
        Ok(opened.collect())
    }

    /// The page of one ticket.
    ///
    /// # Errors
    /// [`Refusal::TicketNotFound`] when it did not exist at that point.
    pub async fn page(&self, id: TicketId, as_of: AsOf) -> Result<TicketPage, Refusal> {
        let facts = self.facts(id).await?;
        // Up to the first fact past the point: what is shown was once the ticket, whatever a clock did between two starts.
        let seen = facts.iter().take_while(|fact| as_of.sees(fact.position, fact.recorded_at));
        TicketPage::fold(seen).ok_or(Refusal::TicketNotFound)
    }

    pub(crate) async fn get(&self, request: &proto::GetRequest) -> Result<proto::GetResponse, Refusal> {
        let (reference, as_of) = (reference(&request.ticket)?, as_of(request.as_of)?);
        self.recorded(request.min_position).await?;
        let position = self.head();
        let page = self.page(self.resolve(&reference).await?, as_of).await?;
        Ok(proto::GetResponse { ticket: Some(present::ticket(&page, present::Personal::Masked)), position })
    }

    pub(crate) async fn list(&self, request: &proto::ListRequest) -> Result<proto::ListResponse, Refusal> {
        let query = present::query(request)?;
        self.reach(request.min_position).await?;
        let asked = query.clone();
        let page = self.look_up(move |list| list.list(&asked)).await?;
        Ok(present::list(&query, &page))
    }

    pub(crate) async fn history(&self, request: &proto::HistoryRequest) -> Result<proto::HistoryResponse, Refusal> {
        let reference = reference(&request.ticket)?;
        let size = match request.page_size as usize {
            0 => HISTORY_FACTS_MAX,
            size => size.min(HISTORY_FACTS_MAX),
        };
        self.recorded(request.min_position).await?;
        let id = self.resolve(&reference).await?;
        let facts = self.facts(id).await?;
        let confidential = TicketPage::fold(facts.iter()).ok_or(Refusal::TicketNotFound)?.row.ticket.confidential;
        let from = usize::try_from(request.from_revision).unwrap_or(usize::MAX);
        let shown =
            facts.iter().skip(from).take(size).map(|fact| present::fact(fact, confidential)).collect::<Vec<_>>();
        let next = from.saturating_add(shown.len());
        Ok(proto::HistoryResponse { facts: shown, next_revision: (next < facts.len()).then_some(next as u64) })
    }

    /// The ticket that an earlier, same report was recorded on, with whether it opened it.
    pub(crate) async fn reported(&self, request_id: Uuid) -> Result<Option<(TicketId, bool)>, Refusal> {
        let store = self.tickets.journal().store();
        let found = store.locate(stored::event_id(request_id, 0)).await.map_err(|e| unreadable(e.into()))?;
        Ok(found.and_then(|raw| Some((TicketId::parse(raw.stream.id())?, raw.revision.0 == 0))))
    }

    /// The caller's open ticket that a report of this type belongs to, the latest first; one that brings another system's number
    /// belongs only to a ticket of that number.
    pub(crate) async fn open_ticket(
        &self,
        keys: (Option<String>, Option<String>),
        business: BusinessType,
        external: Option<ExternalRef>,
    ) -> Result<Option<TicketId>, Refusal> {
        let since = self.tickets.clock().now();
        let known = self.look_up(move |list| list.by_caller(keys.0.as_deref(), keys.1.as_deref(), since, 20)).await?;
        let same = |row: &&Row| row.ticket.business == business && (external.is_none() || row.external == external);
        Ok(known.open.iter().find(same).map(|row| row.id))
    }
}

/// Reads an id or a number out of a question.
pub(crate) fn reference(text: &str) -> Result<TicketRef, Refusal> {
    command::reference(text).ok_or_else(|| Refusal::InvalidFields(vec![Violation::missing("ticket")]))
}

/// Reads a point of history out of a question.
pub(crate) fn as_of(as_of: Option<proto::AsOf>) -> Result<AsOf, Refusal> {
    Ok(match as_of.and_then(|as_of| as_of.point) {
        None => AsOf::Now,
        Some(proto::as_of::Point::Position(position)) => AsOf::Position(position),
        Some(proto::as_of::Point::Time(time)) => AsOf::Time(
            answer::instant(&time)
                .ok_or_else(|| Refusal::InvalidFields(vec![Violation::malformed("as_of.time", "an instant")]))?,
        ),
    })
}

fn done(id: TicketId, outcome: Outcome<Tickets>) -> Done {
    let stage = outcome.state.as_ref().map_or(Stage::Received, |ticket| ticket.stage);
    let Outcome { position, revision, replayed, events, .. } = outcome;
    Done { id, position, revision, replayed, stage, events }
}

/// A failure of the engine in the API's words.
pub(crate) fn refusal<R>(failure: Failure<R>, request_id: Uuid, rejected: impl FnOnce(R) -> Refusal) -> Refusal {
    match failure {
        Failure::Rejected(rejection) => rejected(rejection),
        Failure::RequestIdReused => Refusal::RequestIdReused,
        Failure::RevisionConflict { current } => Refusal::RevisionConflict { current },
        Failure::Contended => Refusal::Contended,
        Failure::Unavailable(detail) => Refusal::StoreUnavailable { detail },
        Failure::OutcomeUnknown(detail) => {
            tracing::error!(%request_id, detail, "the outcome of a command is unknown");
            Refusal::OutcomeUnknown { request_id }
        }
        Failure::Corrupt(detail) => {
            tracing::error!(detail, "stored data cannot be read");
            Refusal::StoreCorrupt
        }
    }
}

pub(crate) fn unreadable(error: JournalError) -> Refusal {
    refusal(Failure::<Rejection>::from(error), Uuid::nil(), Refusal::Rejected)
}

fn unreadable_text(error: &dyn std::error::Error) -> Refusal {
    Refusal::StoreUnavailable { detail: error.to_string() }
}
