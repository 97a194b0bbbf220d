//! The crews and their phones. They answer offers in time, late or never, with two devices at once. They report their
//! work, also without signal, and then the reports arrive late, twice and out of order.

use chrono::TimeDelta;
use switchboard_dispatcher::dispatch::Order;
use switchboard_domain::{
    Timestamp,
    actor::Role,
    crew::{self, CrewId, DeclineReason, OfferId, Point, Skill, Skills},
    fact::Fact,
    personal::Personal,
    ticket::{Command, Event, ReplyOutcome, Stage, Step, Ticket, TicketId},
};
use uuid::Uuid;

use crate::{
    store::Asking,
    town::reply,
    world::{Deed, World},
};

/// The number of old offers that a phone remembers and may answer again.
const REMEMBERED: usize = 6;

/// A message of a device.
#[derive(Clone, Debug)]
struct Message {
    order: Order,
    device: u8,
    at: Timestamp,
    request: Uuid,
}

/// The phone of a crew, which may stand for two devices.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Its position.
    pub at: Point,
    off_until: Option<Timestamp>,
    outbox: Vec<Message>,
    offers: Vec<(TicketId, OfferId, u64)>,
    had: Vec<TicketId>,
    works_at: Option<Timestamp>,
}

impl Phone {
    /// Creates a phone that was never used.
    pub fn at(at: Point) -> Self {
        Self { at, off_until: None, outbox: Vec::new(), offers: Vec::new(), had: Vec::new(), works_at: None }
    }

    /// True if the phone has a signal.
    pub fn is_heard(&self, now: Timestamp) -> bool {
        self.off_until.is_none_or(|until| until <= now)
    }
}

impl World {
    /// Shows crews a fact that concerns them.
    pub fn notice(&mut self, fact: &Fact) {
        let Some(fact) = fact.ticket() else { return };
        match &fact.event {
            Event::Offered(e) => self.consider(&e.crew, fact.id, e.offer, e.fence),
            Event::Dispatched(e) => self.begin(&e.to, fact.id),
            Event::Reassigned(e) => self.begin(&e.to, fact.id),
            Event::Resumed(_) => {
                if let Some(holder) = self.store.tickets.get(&fact.id).and_then(Ticket::holder).cloned() {
                    self.begin(&holder, fact.id);
                }
            }
            _ => {}
        }
    }

    /// An offer has arrived: the crew will answer soon, late or never, with one device or with two at once.
    fn consider(&mut self, crew: &CrewId, ticket: TicketId, offer: OfferId, fence: u64) {
        let Some(phone) = self.phones.get_mut(crew) else { return };
        phone.offers.push((ticket, offer, fence));
        if phone.offers.len() > REMEMBERED {
            phone.offers.remove(0);
        }
        let heard_in = phone.off_until.map_or(0, |until| (until - self.now).num_seconds().max(0));
        let seconds = match self.dice.below(10) {
            0 => return,
            1 => self.dice.between(150, 1_200),
            _ => self.dice.between(4, 120),
        };
        for device in 0..if self.dice.one_in(6) { 2 } else { 1 } {
            self.after(heard_in + seconds, Deed::Answer(crew.clone(), device, ticket, offer, fence));
        }
    }

    /// A crew has received a ticket.
    fn begin(&mut self, org: &switchboard_domain::organisation::OrgPath, ticket: TicketId) {
        let Some(crew) = CrewId::of(org) else { return };
        let seconds = self.dice.between(30, 900);
        let at = self.now + TimeDelta::seconds(seconds);
        let Some(phone) = self.phones.get_mut(&crew) else { return };
        phone.had.push(ticket);
        if phone.had.len() > REMEMBERED {
            phone.had.remove(0);
        }
        if phone.works_at.is_none() {
            phone.works_at = Some(at);
            self.after(seconds, Deed::Work(crew));
        }
    }

    /// A device answers an offer.
    pub fn answer(&mut self, crew: &CrewId, device: u8, ticket: TicketId, offer: OfferId, fence: u64) {
        let command = if self.dice.one_in(7) {
            let reason = self.dice.choose(DeclineReason::ALL);
            Command::DeclineOffer { offer, fence, reason, note: None }
        } else {
            Command::AcceptOffer { offer, fence }
        };
        // A device that was asleep for long sends the fence of another reservation.
        if self.dice.one_in(12) {
            let old = Command::AcceptOffer { offer, fence: fence.saturating_sub(1) };
            self.send(crew, 9, Order::Ticket(ticket, old));
        }
        self.send(crew, device, Order::Ticket(ticket, command));
    }

    /// A crew answers now, an offer that it has or one that it had.
    pub fn hasty_answer(&mut self) {
        let crew = self.some_crew();
        let Some(phone) = self.phones.get(&crew).filter(|phone| !phone.offers.is_empty()) else { return };
        let (ticket, offer, fence) = self.dice.choose(&phone.offers.clone());
        self.answer(&crew, 3, ticket, offer, fence);
    }

    /// The crew does its next step, mostly on the ticket that it has, sometimes on one that it had.
    pub fn work(&mut self, crew: &CrewId) {
        let in_work = |ticket: &Ticket| {
            matches!(ticket.stage, Stage::Dispatched | Stage::Accepted)
                && ticket.suspended.is_none()
                && !ticket.is_child()
        };
        let has = |ticket: &Ticket| ticket.holder() == Some(crew.org()) && in_work(ticket);
        let held: Vec<_> = self.store.tickets.iter().filter(|(_, ticket)| has(ticket)).map(|(id, _)| *id).collect();
        let Some(phone) = self.phones.get_mut(crew) else { return };
        phone.works_at = None;
        let had = phone.had.clone();
        if let Some(ticket) = had.first().copied().filter(|_| self.dice.one_in(12)) {
            self.do_next(crew, ticket);
        }
        if held.is_empty() {
            return;
        }
        let ticket = self.dice.choose(&held);
        self.do_next(crew, ticket);
        if self.dice.one_in(self.faults.off_air) {
            let minutes = self.dice.between(2, 90);
            let until = self.now + TimeDelta::minutes(minutes);
            if let Some(phone) = self.phones.get_mut(crew) {
                phone.off_until = Some(until);
            }
            self.after(minutes * 60, Deed::OnAir(crew.clone()));
        }
        let pause = self.dice.between(60, 1_500);
        let at = self.now + TimeDelta::seconds(pause);
        if let Some(phone) = self.phones.get_mut(crew) {
            phone.works_at = Some(at);
        }
        self.after(pause, Deed::Work(crew.clone()));
    }

    fn do_next(&mut self, crew: &CrewId, id: TicketId) {
        let Some(ticket) = self.store.tickets.get(&id) else { return };
        let work = &ticket.crew;
        let command = if work.restored.is_some() {
            reply(ReplyOutcome::Resolved)
        } else if work.arrived.is_some() {
            if self.dice.one_in(6) {
                let needs =
                    self.dice.choose(&[Skills::NONE, Skills::of(&[Skill::HighVoltage]), Skills::of(&[Skill::Cable])]);
                Command::HandOver { needs, note: Personal::from("others are needed") }
            } else {
                Command::ReportProgress(Step::Restored)
            }
        } else if work.en_route.is_some() || self.dice.one_in(8) {
            Command::ReportProgress(Step::Arrived { area: None })
        } else {
            Command::ReportProgress(Step::EnRoute)
        };
        if let Some(phone) = self.phones.get_mut(crew)
            && matches!(command, Command::ReportProgress(Step::EnRoute))
        {
            phone.at.latitude_e6 += 500;
        }
        let replied = matches!(command, Command::Reply(_));
        self.send(crew, 0, Order::Ticket(id, command));
        if replied {
            let pause = self.dice.between(60, 3_600);
            self.after(pause, Deed::Desk(id));
        }
    }

    /// A device sends a message, now or when it has a signal again.
    fn send(&mut self, crew: &CrewId, device: u8, order: Order) {
        let request = Uuid::from_u128(u128::from(self.requests()));
        let message = Message { order, device, at: self.now, request };
        let now = self.now;
        let Some(phone) = self.phones.get_mut(crew) else { return };
        if !phone.is_heard(now) {
            phone.outbox.push(message);
            return;
        }
        self.deliver(crew, &message);
        if self.dice.one_in(self.faults.repeated) {
            self.deliver(crew, &message);
        }
    }

    fn deliver(&mut self, crew: &CrewId, message: &Message) {
        let actor = Self::actor(&format!("device{}", message.device), Role::Crew, crew.org().as_str());
        let asking = Asking { actor, request: message.request, now: self.now, at: message.at, knew: None };
        self.store.execute(&message.order, &asking);
    }

    /// Messages that were written without signal arrive in any order, and some of them twice.
    pub fn on_air(&mut self, crew: &CrewId) {
        let now = self.now;
        let Some(phone) = self.phones.get_mut(crew) else { return };
        if !phone.is_heard(now) {
            return;
        }
        phone.off_until = None;
        let mut messages = std::mem::take(&mut phone.outbox);
        while !messages.is_empty() {
            let at = if self.dice.one_in(2) { 0 } else { self.dice.below(messages.len()) };
            let message = messages.remove(at);
            self.deliver(crew, &message);
            if self.dice.one_in(4) {
                self.deliver(crew, &message);
            }
        }
        // A crew whose work was finished without signal may end its shift immediately after its messages.
        if self.dice.one_in(6) {
            self.ask(&Order::Crew(crew.clone(), crew::Command::EndShift), Self::county());
        }
    }
}
