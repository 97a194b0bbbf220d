//! The domain in memory: tickets folded as they are decided, answers remembered by request id, and the linkage of
//! masters and children. Two things lag on purpose, as in an engine: the lists, and the linkage.

use std::collections::{BTreeMap, HashMap};

use switchboard_domain::{
    actor::Actor,
    decider::{Context, Process as _, Projection as _, Recorded},
    linkage::{Intent, Linkage},
    rules::Rules,
    ticket::{self, Command, Event, Stage, State, TicketId},
};
use switchboard_simulator::Timestamp;
use switchboard_wire::{
    command::{self, TicketRef, TicketRequest},
    proto as pb,
    refusal::Refusal,
    stored::Stored as _,
};
use uuid::Uuid;

#[derive(Default)]
pub struct World {
    pub tickets: BTreeMap<TicketId, State>,
    pub facts: Vec<Recorded<Event, TicketId>>,
    answers: HashMap<Uuid, pb::CommandOutcome>,
    linkage: Linkage,
    /// The position up to which the lists show tickets.
    listed: u64,
    /// The newest ticket by the caller's phone and business type.
    callers: HashMap<(String, i32), TicketId>,
    /// True if the lists never show a caller's ticket.
    pub blind: bool,
}

impl World {
    pub fn command(&mut self, request: &impl TicketRequest, actor: &Actor) -> Result<pb::CommandOutcome, Refusal> {
        let (header, mut command) = request.read().map_err(Refusal::InvalidFields)?;
        if let Command::Merge { master, .. } = &mut command {
            *master = id(request.master())?;
        }
        let ticket = id(Some(header.ticket))?;
        self.once(header.request_id, ticket, &command, header.occurred_at, actor)
    }

    pub fn receive(&mut self, request: &pb::ReceiveRequest, actor: &Actor) -> Result<pb::CommandOutcome, Refusal> {
        let (header, mut receive) = command::receive(request, actor).map_err(Refusal::InvalidFields)?;
        if header.linked.is_some() {
            receive.linked = Some(id(header.linked)?);
        }
        let ticket = TicketId::opened_by(header.request_id);
        let command = Command::Receive(Box::new(receive));
        let outcome = self.once(header.request_id, ticket, &command, header.occurred_at, actor)?;
        if let Some(phone) = request.caller.as_ref().and_then(|caller| caller.phone.clone()) {
            self.callers.insert((phone, request.business_type), ticket);
        }
        Ok(outcome)
    }

    /// Attaches to the caller's open ticket if the lists show it, else opens a ticket.
    pub fn report(
        &mut self,
        request: &pb::ReceiveRequest,
        actor: &Actor,
    ) -> Result<(pb::CommandOutcome, bool), Refusal> {
        let phone = request.caller.as_ref().and_then(|caller| caller.phone.clone()).unwrap_or_default();
        let known = self.callers.get(&(phone, request.business_type)).copied().filter(|_| !self.blind);
        let shown = known.filter(|id| {
            self.facts.iter().take(usize::try_from(self.listed).unwrap()).any(|fact| fact.id == *id)
                && self.is_open(*id)
        });
        let request_id = request.request_id.parse().unwrap();
        let Some(ticket) = shown.filter(|_| !self.answers.contains_key(&request_id)) else {
            return Ok((self.receive(request, actor)?, false));
        };
        let command = Command::Supplement { content: request.content.as_str().into() };
        Ok((self.once(request_id, ticket, &command, None, actor)?, true))
    }

    /// The lists catch up with the facts.
    pub fn list(&mut self) {
        self.listed = self.facts.len() as u64;
    }

    /// Returns the facts of a ticket by kind. Each query lets the linkage take one step, so a driver that does not wait
    /// comes too early.
    pub fn history(&mut self, ticket: &str) -> Vec<&'static str> {
        self.link_once();
        let ticket = TicketId::parse(ticket).unwrap();
        self.facts.iter().filter(|fact| fact.id == ticket).map(|fact| fact.event.kind()).collect()
    }

    pub fn is_open(&self, ticket: TicketId) -> bool {
        self.tickets[&ticket].as_ref().is_some_and(|ticket| !ticket.stage.is_ended())
    }

    /// Returns the number of tickets at each stage.
    pub fn stages(&self) -> BTreeMap<Stage, usize> {
        let mut stages = BTreeMap::new();
        for ticket in self.tickets.values().flatten() {
            *stages.entry(ticket.stage).or_default() += 1;
        }
        stages
    }

    /// Lets the linkage do all remaining steps.
    pub fn link_all(&mut self) {
        while !self.linkage.pending(Timestamp::default(), 1).is_empty() {
            self.link_once();
        }
    }

    fn link_once(&mut self) {
        for want in self.linkage.pending(Timestamp::from(std::time::SystemTime::now()), 1) {
            let (ticket, command) = match want.intent {
                Intent::Adopt { master, child } => (master, Command::AdoptChild { child }),
                Intent::Release { master, child } => (master, Command::ReleaseChild { child }),
                Intent::Follow { child, master, restored } => (child, Command::FollowMaster { master, restored }),
                Intent::Undo { child, .. } => (child, Command::Unmerge { reason: "no master".into() }),
            };
            let system = Actor {
                id: "linkage".to_owned(),
                role: switchboard_domain::actor::Role::System,
                org: switchboard_domain::organisation::OrgPath::parse("sgcc").unwrap(),
            };
            if self.execute(ticket, &command, Uuid::new_v4(), None, &system).is_err() {
                self.linkage.refused(&want, "refused");
            }
        }
    }

    fn once(
        &mut self,
        request_id: Uuid,
        ticket: TicketId,
        command: &Command,
        occurred_at: Option<Timestamp>,
        actor: &Actor,
    ) -> Result<pb::CommandOutcome, Refusal> {
        if let Some(answer) = self.answers.get(&request_id) {
            return Ok(pb::CommandOutcome { replayed: true, ..answer.clone() });
        }
        let outcome = self.execute(ticket, command, request_id, occurred_at, actor)?;
        self.answers.insert(request_id, outcome.clone());
        Ok(outcome)
    }

    fn execute(
        &mut self,
        id: TicketId,
        command: &Command,
        request_id: Uuid,
        occurred_at: Option<Timestamp>,
        actor: &Actor,
    ) -> Result<pb::CommandOutcome, Refusal> {
        let (now, rules) = (Timestamp::from(std::time::SystemTime::now()), Rules::default());
        let at = occurred_at.unwrap_or(now);
        let cx = Context { now, occurred_at: at, actor, request_id, rules: &rules };
        let mut state = self.tickets.get(&id).cloned().flatten();
        let events = ticket::decide(&state, command, &cx).map_err(Refusal::Rejected)?;
        for event in events {
            state = ticket::evolve(state, &event, at);
            let position = self.facts.len() as u64 + 1;
            let recorded = Recorded {
                position,
                id,
                revision: position,
                event,
                occurred_at: at,
                recorded_at: now,
                actor: actor.clone(),
                request_id,
            };
            if let Some(again) = self.linkage.forgotten(&recorded) {
                self.facts.iter().filter(|past| past.id == again).for_each(|past| self.linkage.apply(past));
            }
            self.linkage.apply(&recorded);
            self.facts.push(recorded);
        }
        self.tickets.insert(id, state);
        let position = self.facts.len() as u64;
        Ok(pb::CommandOutcome { ticket_id: id.to_string(), position, ..pb::CommandOutcome::default() })
    }
}

fn id(reference: Option<TicketRef>) -> Result<TicketId, Refusal> {
    match reference {
        Some(TicketRef::Id(id)) => Ok(id),
        _ => Err(Refusal::TicketNotFound),
    }
}
