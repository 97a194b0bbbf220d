//! Commands to tickets, and queries about them. There is no rule about tickets here.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;
use switchboard_domain::{
    Timestamp, Violation,
    actor::Actor,
    ticket::{
        self, BusinessType, CaseFile, Command, Event, ExternalRef, Stage, TicketId,
        command::{Caller, Receive},
    },
};
use switchboard_engine::{
    command::{Aggregates, Outcome, Request},
    journal::{self, Journal},
    numbers::Numbers,
    projector::Progress,
};
use switchboard_readmodel::{Page, Query, Question, ReadModelError, TicketList};
use switchboard_views::{Fact, ticket_page::TicketPage};
use switchboard_wire::{command::TicketRef, identity, refusal::Refusal};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::service::{
    Asked, Node,
    access::{Act, permit},
    off_thread, reach, refusal, unreadable,
};

/// The most ticket numbers that are remembered from receiving. A caller need not wait until the list has them.
const NUMBERS_REMEMBERED: usize = 65_536;
/// The most open tickets of a caller that are looked at.
pub(crate) const OPEN_TICKETS_MAX: usize = 20;
/// The most look-ups in the list in progress. Further look-ups wait.
const LOOK_UPS_MAX: usize = 32;
/// The most pages of the list that are read at the same time. Further ones wait.
const SCANS_MAX: usize = 8;
/// The most facts of one ticket in one answer.
pub const HISTORY_FACTS_MAX: usize = 1_000;

/// A command to an existing ticket, as an interface read it.
#[derive(Clone, Debug)]
pub struct ToTicket {
    /// The ticket that the command addresses.
    pub ticket: TicketRef,
    /// The command. A master that is given by number is the nil id here.
    pub command: Command,
    /// The master of a merge.
    pub master: Option<TicketRef>,
    /// The other fields of the request.
    pub asked: Asked,
}

/// A request to open a ticket, as an interface read it.
#[derive(Clone, Debug)]
pub struct ToReceive {
    /// The received data. The ticket number, the caller's keyed hashes and the id of a linked ticket are filled in
    /// later.
    pub receive: Receive,
    /// The linked ticket.
    pub linked: Option<TicketRef>,
    /// The other fields of the request.
    pub asked: Asked,
}

/// An accepted command.
#[derive(Clone, Debug)]
pub struct Done {
    /// The ticket.
    pub id: TicketId,
    /// Position of the command's last fact.
    pub position: u64,
    /// The ticket's revision after it.
    pub revision: u64,
    /// True if an earlier, equal request did it.
    pub replayed: bool,
    /// The ticket's stage after it.
    pub stage: Stage,
    /// The facts of the command.
    pub events: Vec<Event>,
}

/// A point of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The latest state.
    Now,
    /// A log position.
    Position(u64),
    /// An instant, by the time of recording.
    Time(Timestamp),
}

impl AsOf {
    /// True if a fact at this position, recorded at this instant, was known at that point.
    #[must_use]
    pub fn sees(self, position: u64, recorded: Timestamp) -> bool {
        match self {
            Self::Now => true,
            Self::Position(last) => position <= last,
            Self::Time(time) => recorded <= time,
        }
    }
}

/// Facts of one ticket.
#[derive(Clone, Debug)]
pub struct TicketHistory {
    /// The facts, with personal data opened.
    pub facts: Vec<Fact>,
    /// True if the caller is hidden from the units that handle the ticket.
    pub confidential: bool,
    /// The revision at which the next page begins; `None` after the last page.
    pub next_revision: Option<u64>,
}

/// The keyed hashes that identify a caller: of the phone number and of the account number.
pub(crate) type CallerKeys = (Option<String>, Option<String>);

/// The use cases of tickets.
pub struct Tickets {
    pub(crate) node: Arc<Node>,
    pub(crate) streams: Aggregates<ticket::Tickets>,
    numbers: Numbers,
    list: TicketList,
    pub(crate) listed: Progress,
    recent: Mutex<LruCache<String, TicketId>>,
    /// Slots for look-ups of a few rows by an index.
    look_ups: Arc<Semaphore>,
    /// Slots for pages of the list, which may read many rows. They delay no look-up.
    scans: Arc<Semaphore>,
}

impl std::fmt::Debug for Tickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tickets(..)")
    }
}

impl Tickets {
    pub(crate) fn new(
        node: Arc<Node>,
        streams: Aggregates<ticket::Tickets>,
        numbers: Numbers,
        list: TicketList,
        listed: Progress,
    ) -> Self {
        let recent = Mutex::new(LruCache::new(NonZeroUsize::new(NUMBERS_REMEMBERED).unwrap_or(NonZeroUsize::MIN)));
        let (look_ups, scans) = (Arc::new(Semaphore::new(LOOK_UPS_MAX)), Arc::new(Semaphore::new(SCANS_MAX)));
        Self { node, streams, numbers, list, listed, recent, look_ups, scans }
    }

    /// Executes a command to an existing ticket.
    ///
    /// # Errors
    /// Every refusal of `error_reason.proto` that a command can get.
    pub async fn command(&self, to: ToTicket, actor: &Actor) -> Result<Done, Refusal> {
        permit(actor, Act::CommandTicket)?;
        let ToTicket { ticket, mut command, master, asked } = to;
        let id = self.resolve(&ticket).await?;
        if let (Command::Merge { master, .. }, Some(reference)) = (&mut command, master) {
            *master = self.resolve(&reference).await?;
            if *master == id {
                return Err(Refusal::InvalidFields(vec![Violation::contradicts("master", "header.ticket")]));
            }
        }
        let request = self.node.request(asked, identity::of_ticket(&command).to_ticket(id), actor);
        self.execute(id, &command, &request).await
    }

    /// Reveals a ticket's personal data, and records the reveal.
    ///
    /// # Errors
    /// As for [`Self::command`].
    pub async fn reveal(&self, to: ToTicket, actor: &Actor) -> Result<(Done, TicketPage), Refusal> {
        let done = self.command(to, actor).await?;
        let page = self.page(done.id, AsOf::Position(done.position)).await?;
        Ok((done, page))
    }

    /// Opens a ticket. Also returns its number.
    ///
    /// # Errors
    /// As for [`Self::command`].
    pub async fn receive(&self, mut to: ToReceive, actor: &Actor) -> Result<(Done, String), Refusal> {
        permit(actor, Act::CommandTicket)?;
        self.complete(&mut to).await?;
        let command = Command::Receive(Box::new(to.receive));
        let request = self.node.request(to.asked, identity::of_ticket(&command), actor);
        self.open(command, request).await
    }

    /// Fills in the caller's keyed hashes, and the id of the linked ticket.
    pub(crate) async fn complete(&self, to: &mut ToReceive) -> Result<(), Refusal> {
        if let Some(linked) = &to.linked {
            to.receive.linked = Some(self.resolve(linked).await?);
        }
        let keys = self.caller_keys(&to.receive.caller);
        (to.receive.caller.phone_key, to.receive.caller.account_key) = keys;
        Ok(())
    }

    /// Opens a ticket with the next number of its day.
    pub(crate) async fn open(&self, mut command: Command, mut request: Request) -> Result<(Done, String), Refusal> {
        let at = request.occurred_at.unwrap_or_else(|| self.node.now());
        if let Command::Receive(receive) = &mut command {
            receive.number = self.number(at, request.request_id).await?;
        }
        let id = TicketId::opened_by(request.request_id);
        request.opens = true;
        let done = self.execute(id, &command, &request).await?;
        let number = match done.events.first() {
            Some(Event::Received(received)) => received.number.clone(),
            _ => return Err(Refusal::Internal { incident: format!("receive without number at {}", done.position) }),
        };
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).put(number.clone(), id);
        Ok((done, number))
    }

    /// Takes the number for a ticket that `request_id` opens at `at`. May be empty for a repeated request, which is
    /// answered from its first facts. Reserving a number would append to the log.
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
        let outcome = self.streams.execute(&id, command, request).await;
        let made = command.as_move().as_str();
        metrics::histogram!("switchboard_command_seconds", "move" => made).record(started.elapsed().as_secs_f64());
        outcome
            .map(|outcome| done(id, outcome))
            .map_err(|failure| refusal(failure, request.request_id, Refusal::Rejected))
    }

    pub(crate) fn caller_keys(&self, caller: &Caller) -> CallerKeys {
        let key = |what: &str, value: &Option<switchboard_domain::personal::Personal>| {
            let plain = value.as_ref().and_then(|value| value.plain()).map(str::trim);
            plain.filter(|text| !text.is_empty()).map(|text| self.node.vault().pseudonym(what, text))
        };
        (key("phone", &caller.phone), key("account", &caller.account))
    }

    /// Finds the ticket that an id or a number names.
    ///
    /// # Errors
    /// [`Refusal::TicketNotFound`] if no ticket has that number.
    pub(crate) async fn resolve(&self, reference: &TicketRef) -> Result<TicketId, Refusal> {
        if let Some(id) = self.known(reference).await? {
            return Ok(id);
        }
        // The list may lag behind the log.
        self.reach(Some(self.node.head())).await?;
        self.known(reference).await?.ok_or(Refusal::TicketNotFound)
    }

    /// Finds the ticket that an id or a number names, without waiting for the list.
    pub(crate) async fn known(&self, reference: &TicketRef) -> Result<Option<TicketId>, Refusal> {
        let number = match reference {
            TicketRef::Id(id) => return Ok(Some(*id)),
            TicketRef::Number(number) => number,
        };
        if let Some(id) = self.recent.lock().unwrap_or_else(PoisonError::into_inner).get(number) {
            return Ok(Some(*id));
        }
        let number = number.clone();
        self.look_up(move |list| list.by_number(&number)).await
    }

    /// Looks up a few rows of the list on a thread that may block.
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&TicketList) -> Result<T, ReadModelError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = Arc::clone(&self.look_ups).acquire_owned().await.map_err(|_| Refusal::Draining)?;
        let list = self.list.clone();
        off_thread(move || {
            let _place = place;
            ask(&list)
        })
        .await
    }

    /// Reads one page of the list on a thread that may block. When the caller gives up, the statement ends.
    async fn scan(&self, query: Query) -> Result<Page, Refusal> {
        let place = Arc::clone(&self.scans).acquire_owned().await.map_err(|_| Refusal::Draining)?;
        let (list, question) = (self.list.clone(), Arc::new(Question::default()));
        let _asking = Asking(Arc::clone(&question));
        off_thread(move || {
            let _place = place;
            list.list(&query, &question)
        })
        .await
    }

    /// Waits until the list includes the log up to `position`. The caller's deadline bounds the wait.
    pub(crate) async fn reach(&self, position: Option<u64>) -> Result<(), Refusal> {
        reach(&self.listed, position, self.node.head()).await
    }

    /// The facts of one ticket, with personal data opened; empty if there is no such ticket.
    async fn facts(&self, id: TicketId) -> Result<Vec<Fact>, Refusal> {
        let decoded = self.streams.journal().read(&id, 0).await.map_err(unreadable)?;
        let unnamed = |error: &dyn std::error::Error| Refusal::StoreUnavailable { detail: error.to_string() };
        let stream = Journal::<ticket::Tickets>::stream(&id).map_err(|error| unnamed(&error))?;
        let opened = decoded.into_iter().map(|mut fact| {
            self.node.vault().open(stream.as_str(), &fact.kind, &mut fact.event);
            journal::recorded(id, fact)
        });
        Ok(opened.collect())
    }

    pub(crate) async fn page(&self, id: TicketId, as_of: AsOf) -> Result<TicketPage, Refusal> {
        let facts = self.facts(id).await?;
        // A prefix of the facts, up to the first one past the point. So the ticket was once in this state, even if
        // recorded instants go back between two starts of the server.
        let seen = facts.iter().take_while(|fact| as_of.sees(fact.position, fact.recorded_at));
        TicketPage::fold(seen).ok_or(Refusal::TicketNotFound)
    }

    /// Returns one ticket, and the position for which it is true.
    ///
    /// # Errors
    /// [`Refusal::TicketNotFound`] if the ticket did not exist at that point.
    pub async fn get(
        &self,
        reference: &TicketRef,
        as_of: AsOf,
        min_position: Option<u64>,
        actor: &Actor,
    ) -> Result<(TicketPage, u64), Refusal> {
        permit(actor, Act::ReadTickets)?;
        self.node.recorded(min_position).await?;
        let position = self.node.head();
        Ok((self.page(self.resolve(reference).await?, as_of).await?, position))
    }

    /// Returns one page of the list.
    ///
    /// # Errors
    /// The list cannot be read.
    pub async fn list(&self, query: Query, min_position: Option<u64>, actor: &Actor) -> Result<Page, Refusal> {
        permit(actor, Act::ReadTickets)?;
        self.reach(min_position).await?;
        self.scan(query).await
    }

    /// Returns at most `facts_max` facts of one ticket, from a revision on.
    ///
    /// # Errors
    /// [`Refusal::TicketNotFound`].
    pub async fn history(
        &self,
        reference: &TicketRef,
        from_revision: u64,
        facts_max: usize,
        min_position: Option<u64>,
        actor: &Actor,
    ) -> Result<TicketHistory, Refusal> {
        permit(actor, Act::ReadTickets)?;
        self.node.recorded(min_position).await?;
        let id = self.resolve(reference).await?;
        let mut facts = self.facts(id).await?;
        let confidential = TicketPage::fold(facts.iter()).ok_or(Refusal::TicketNotFound)?.file.ticket.confidential;
        let from = usize::try_from(from_revision).unwrap_or(usize::MAX);
        let next = from.saturating_add(facts.len().saturating_sub(from).min(facts_max));
        let next_revision = (next < facts.len()).then_some(next as u64);
        facts.truncate(next);
        facts.drain(..from.min(facts.len()));
        Ok(TicketHistory { facts, confidential, next_revision })
    }

    /// Finds the ticket on which an earlier, equal report was recorded. Also returns whether the report opened it.
    pub(crate) async fn reported(&self, request_id: Uuid) -> Result<Option<(TicketId, bool)>, Refusal> {
        let found = self.node.made_by(request_id).await?;
        Ok(found.and_then(|raw| Some((TicketId::parse(raw.stream.id())?, raw.revision == 0))))
    }

    /// Finds the caller's latest open ticket of this business type. A report with an external number matches only a
    /// ticket with the same external number.
    pub(crate) async fn open_ticket(
        &self,
        keys: CallerKeys,
        business: BusinessType,
        external: Option<ExternalRef>,
    ) -> Result<Option<TicketId>, Refusal> {
        let since = self.node.now();
        let known = self
            .look_up(move |list| list.by_caller(keys.0.as_deref(), keys.1.as_deref(), since, OPEN_TICKETS_MAX))
            .await?;
        let same =
            |row: &&CaseFile| row.ticket.business == business && (external.is_none() || row.external == external);
        Ok(known.open.iter().find(same).map(|row| row.id))
    }
}

/// The caller of a question: when it is dropped, the question is given up.
struct Asking(Arc<Question>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

fn done(id: TicketId, outcome: Outcome<ticket::Tickets>) -> Done {
    let stage = outcome.state.as_ref().map_or(Stage::Received, |ticket| ticket.stage);
    let Outcome { position, revision, replayed, events, .. } = outcome;
    Done { id, position, revision, replayed, stage, events }
}
