//! A small event store: one log, a stream for every ticket and crew, and the ledger that answers a repeated request
//! with its first answer. The domain alone decides what a command leads to.

use std::collections::BTreeMap;

use switchboard_dispatcher::dispatch::Order;
use switchboard_domain::{
    Timestamp,
    actor::Actor,
    crew::{self, CrewId},
    decider::{Context, Recorded},
    fact::Fact,
    rules::Rules,
    ticket::{self, Ticket, TicketId},
};
use uuid::Uuid;

use crate::{planted::Planted, watch::Watch};

/// The owner of a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// The stream of a ticket.
    Ticket(TicketId),
    /// The stream of a crew.
    Crew(CrewId),
}

/// A request: its actor, its id and its time.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The actor.
    pub actor: Actor,
    /// The request id.
    pub request: Uuid,
    /// The engine's time.
    pub now: Timestamp,
    /// The time of occurrence.
    pub at: Timestamp,
    /// The number of facts that the dispatch process knew; `None` for any other actor.
    pub knew: Option<u64>,
}

/// The answer of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The position of the last fact of the command, executed now or by the same request before.
    Done(u64),
    /// The command was refused, with the reason.
    No(String),
}

/// The store.
#[derive(Debug)]
pub struct Store {
    /// All facts.
    pub log: Vec<Fact>,
    /// The present states of the tickets.
    pub tickets: BTreeMap<TicketId, Ticket>,
    /// The present states of the crews.
    pub crews: BTreeMap<CrewId, crew::Crew>,
    /// The conditions that must always hold.
    pub watch: Watch,
    streams: BTreeMap<Stream, Vec<usize>>,
    ledger: BTreeMap<(Stream, Uuid), u64>,
    /// By how much the position grows from one fact to the next: above 1 the log has gaps.
    stride: u64,
    rules: Rules,
    planted: Planted,
}

impl Store {
    /// An empty store whose positions grow by `stride` (at least 1), with, perhaps, a fault planted in it.
    pub fn new(stride: u64, planted: Planted) -> Self {
        Self {
            stride,
            log: Vec::new(),
            tickets: BTreeMap::new(),
            crews: BTreeMap::new(),
            watch: Watch::default(),
            streams: BTreeMap::new(),
            ledger: BTreeMap::new(),
            rules: Rules::default(),
            planted,
        }
    }

    /// Returns the position of the last fact.
    pub fn head(&self) -> u64 {
        self.position(self.log.len())
    }

    /// The position up to which a reader of the first `count` facts knows the log.
    pub fn position(&self, count: usize) -> u64 {
        count as u64 * self.stride
    }

    /// Returns a ticket's facts before a position.
    pub fn history(&self, ticket: TicketId, before: u64) -> impl Iterator<Item = &Fact> {
        let stream = self.streams.get(&Stream::Ticket(ticket)).into_iter().flatten();
        stream.map(|index| &self.log[*index]).take_while(move |fact| fact.position() < before)
    }

    /// Executes one command, at most once per request id.
    pub fn execute(&mut self, order: &Order, asking: &Asking) -> Said {
        let stream = match order {
            Order::Ticket(id, _) => Stream::Ticket(*id),
            Order::Crew(id, _) => Stream::Crew(id.clone()),
        };
        let name = (stream, asking.request);
        if let Some(position) = self.ledger.get(&name).filter(|_| self.planted != Planted::ForgetfulLedger) {
            return Said::Done(*position);
        }
        let decided = match order {
            Order::Ticket(id, command) => self.decide_ticket(*id, command, asking),
            Order::Crew(id, command) => self.decide_crew(id, command, asking),
        };
        match decided {
            Err(reason) => Said::No(reason),
            Ok(()) => {
                self.ledger.insert(name, self.head());
                Said::Done(self.head())
            }
        }
    }

    fn cx<'a>(asking: &'a Asking, rules: &'a Rules) -> Context<'a> {
        Context { now: asking.now, occurred_at: asking.at, actor: &asking.actor, request_id: asking.request, rules }
    }

    fn decide_ticket(&mut self, id: TicketId, command: &ticket::Command, asking: &Asking) -> Result<(), String> {
        let state = match self.overtaken(&Stream::Ticket(id)) {
            Some(facts) => facts
                .iter()
                .filter_map(Fact::ticket)
                .fold(None, |state, fact| ticket::evolve(state, &fact.event, fact.occurred_at)),
            None => self.tickets.get(&id).cloned(),
        };
        let cx = Self::cx(asking, &self.rules);
        let heeded = self.heeded(id, command);
        let events = ticket::decide(&state, &heeded, &cx).map_err(|why| format!("{why:?}"))?;
        for event in events {
            let before = self.tickets.remove(&id);
            let after = ticket::evolve(before.clone(), &event, asking.at);
            self.tickets.extend(after.map(|ticket| (id, ticket)));
            let revision = self.next(Stream::Ticket(id));
            let fact = recorded(self.position(self.log.len() + 1), id, revision, event, asking);
            self.watch.ticket(before.as_ref(), &self.tickets[&id], &self.crews, &fact, (command, asking));
            self.log.push(Fact::Ticket(fact));
        }
        Ok(())
    }

    /// Returns the command; if fences are ignored, with the correct fence.
    fn heeded(&self, id: TicketId, command: &ticket::Command) -> ticket::Command {
        let live = |offer| self.tickets.get(&id).and_then(|t| t.offers.iter().find(|live| live.offer == offer));
        match command {
            ticket::Command::AcceptOffer { offer, fence } if self.planted == Planted::FenceIgnored => {
                let fence = live(*offer).map_or(*fence, |live| live.fence);
                ticket::Command::AcceptOffer { offer: *offer, fence }
            }
            other => other.clone(),
        }
    }

    fn decide_crew(&mut self, id: &CrewId, command: &crew::Command, asking: &Asking) -> Result<(), String> {
        let state = match self.overtaken(&Stream::Crew(id.clone())) {
            Some(facts) => facts.iter().fold(None, |state, fact| match fact {
                Fact::Crew(fact) => crew::evolve(state, &fact.event, fact.occurred_at),
                _ => state,
            }),
            None => self.crews.get(id).cloned(),
        };
        let cx = Self::cx(asking, &self.rules);
        let events = crew::decide(&state, command, &cx).map_err(|why| format!("{why:?}"))?;
        for event in events {
            let before = self.crews.remove(id);
            let after = crew::evolve(before.clone(), &event, asking.at);
            self.crews.extend(after.map(|crew| (id.clone(), crew)));
            let revision = self.next(Stream::Crew(id.clone()));
            let fact = recorded(self.position(self.log.len() + 1), id.clone(), revision, event, asking);
            self.watch.crew(before.as_ref(), &self.crews[id], &self.tickets, &fact, asking);
            self.log.push(Fact::Crew(fact));
        }
        Ok(())
    }

    /// Returns the revision of the stream's next fact.
    fn next(&mut self, stream: Stream) -> u64 {
        let index = self.log.len();
        let places = self.streams.entry(stream).or_default();
        places.push(index);
        places.len() as u64 - 1
    }

    /// Returns the stream before its last fact, as a store without expected revisions might use it for a decision.
    fn overtaken(&self, stream: &Stream) -> Option<Vec<Fact>> {
        let places = self.streams.get(stream).filter(|places| places.len() > 1)?;
        let blind = self.planted == Planted::BlindAppends && places.len() % 4 == 0;
        blind.then(|| places[..places.len() - 1].iter().map(|index| self.log[*index].clone()).collect())
    }
}

fn recorded<E, Id>(position: u64, id: Id, revision: u64, event: E, asking: &Asking) -> Recorded<E, Id> {
    Recorded {
        position,
        id,
        revision,
        event,
        occurred_at: asking.at,
        recorded_at: asking.now,
        actor: asking.actor.clone(),
        request_id: asking.request,
    }
}
