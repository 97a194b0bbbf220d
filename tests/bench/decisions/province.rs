//! A simulated province without a log. Its tickets and crews decide by the domain's rules, and the actions of the
//! dispatcher become facts. Crews accept every offer, so none is declined and none lapses.

use std::collections::BTreeMap;

use switchboard_dispatcher::dispatch::{Intent, Order};
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{self, Crew, CrewId, Point, Skill, Skills},
    decider::{Action, Context, Recorded},
    fact::Fact,
    organisation::OrgPath,
    rules::Rules,
    ticket::{self, BusinessType, Category, Step, Ticket, TicketId, Urgency, event},
};
use uuid::Uuid;

use crate::{
    Outcome,
    log::{org, received, ticket_id},
};

/// The age of the oldest open ticket at the beginning.
const BACKLOG: chrono::TimeDelta = chrono::TimeDelta::hours(4);

/// The present state of all tickets and crews, each with its next revision.
pub struct Province {
    /// The simulated time. Each executed command advances it by a millisecond.
    pub now: Timestamp,
    position: u64,
    tickets: BTreeMap<TicketId, (u64, Ticket)>,
    crews: BTreeMap<CrewId, (u64, Crew)>,
    rules: Rules,
    nation: OrgPath,
}

impl Province {
    pub fn new(now: Timestamp) -> Outcome<Self> {
        let (tickets, crews) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { now, position: 0, tickets, crews, rules: Rules::default(), nation: org("sgcc")? })
    }

    /// Enrols a crew and starts its shift of eight hours.
    pub fn crew(&mut self, number: u32) -> Outcome<Vec<Fact>> {
        let id = crew_id(number)?;
        let cable = if number.is_multiple_of(4) { Skills::of(&[Skill::Cable]) } else { Skills::NONE };
        let roster = crew::command::Enrol {
            crew: id.clone(),
            home: place(number)?,
            territory: vec![org("sgcc/zj/hz")?],
            skills: Skills::of(&[Skill::LowVoltage, Skill::HighVoltage]).union(cable),
            members: vec!["w1".into()],
            vehicle: None,
        };
        let enrol = crew::Command::Enrol(Box::new(roster));
        let until = self.now + chrono::TimeDelta::hours(8);
        let start = crew::Command::StartShift { until, breaks: Vec::new(), at: None };
        let by = [actor(Role::Desk, org("sgcc/zj/hz")?), actor(Role::Crew, id.org().clone())];
        let mut facts = Vec::new();
        for (command, by) in [enrol, start].into_iter().zip(by) {
            facts.extend(self.execute(&Order::Crew(id.clone(), command), by)?);
        }
        Ok(facts)
    }

    /// Receives and classifies a ticket, and dispatches it to the city. It was reported `age` (0 to 1) times `BACKLOG`
    /// ago.
    pub fn ticket(&mut self, number: u32, age: f64) -> Outcome<Vec<Fact>> {
        let id = ticket_id(number.into());
        let at = place(number.wrapping_mul(31))?;
        let received = event::Received {
            place: ticket::Place { location_e6: Some((at.latitude_e6, at.longitude_e6)), ..Default::default() },
            customers_out: Some(1 + number % 50),
            ..received(number.into(), BusinessType::FaultRepair, self.nation.clone())
        };
        let classified = event::Classified {
            business: BusinessType::FaultRepair,
            category: Category::parse("fault/low-voltage").map_err(|error| error.to_string())?,
            urgency: if number.is_multiple_of(97) { Urgency::Urgent } else { Urgency::Normal },
            grade: None,
        };
        let dispatched = event::Dispatched { from: self.nation.clone(), to: org("sgcc/zj/hz")? };
        let events: [ticket::Event; 3] = [received.into(), classified.into(), dispatched.into()];
        let reported = self.now - BACKLOG * (age * 1_000.0) as i32 / 1_000;
        let by = actor(Role::Agent, self.nation.clone());
        Ok(events.into_iter().map(|event| self.ticket_fact(id, event, reported, by.clone())).collect())
    }

    /// Receives a call without a place. It is neither classified nor dispatched.
    pub fn call(&mut self, number: u32) -> Outcome<Vec<Fact>> {
        let received = received(number.into(), BusinessType::FaultRepair, self.nation.clone());
        let by = actor(Role::Agent, self.nation.clone());
        Ok(vec![self.ticket_fact(ticket_id(number.into()), received.into(), self.now, by)])
    }

    /// Executes the actions, and returns their facts in order. A rejected action has none.
    pub fn carry_out(&mut self, wants: &[Action<Intent>]) -> Vec<Fact> {
        let by = actor(Role::System, self.nation.clone());
        let orders = wants.iter().map(|want| want.intent.order());
        orders.filter_map(|order| self.execute(&order, by.clone()).ok()).flatten().collect()
    }

    /// Accepts the offers among these facts.
    pub fn accept(&mut self, facts: &[Fact]) -> Outcome<Vec<Fact>> {
        let mut accepted = Vec::new();
        for fact in facts.iter().filter_map(Fact::ticket) {
            if let ticket::Event::Offered(offered) = &fact.event {
                let accept = ticket::Command::AcceptOffer { offer: offered.offer, fence: offered.fence };
                let by = actor(Role::Crew, offered.crew.org().clone());
                accepted.extend(self.execute(&Order::Ticket(fact.id, accept), by)?);
            }
        }
        Ok(accepted)
    }

    /// Reports a crew en route, arrived and restored, for its first commitment. Returns no facts if the crew has none.
    pub fn restore(&mut self, crew: &CrewId) -> Outcome<Vec<Fact>> {
        let held = self.crews.get(crew).and_then(|(_, crew)| crew.commitments.first().map(|held| held.ticket));
        let Some(ticket) = held else { return Ok(Vec::new()) };
        let mut facts = Vec::new();
        for step in [Step::EnRoute, Step::Arrived { area: None }, Step::Restored] {
            let order = Order::Ticket(ticket, ticket::Command::ReportProgress(step));
            facts.extend(self.execute(&order, actor(Role::Crew, crew.org().clone()))?);
        }
        Ok(facts)
    }

    fn execute(&mut self, order: &Order, by: Actor) -> Outcome<Vec<Fact>> {
        self.now += chrono::TimeDelta::milliseconds(1);
        let at = self.now;
        let rules = self.rules.clone();
        let cx = Context { now: at, occurred_at: at, actor: &by, request_id: Uuid::nil(), rules: &rules };
        Ok(match order {
            Order::Ticket(id, command) => {
                let state = self.tickets.get(id).map(|(_, ticket)| ticket.clone());
                let events = ticket::decide(&state, command, &cx).map_err(|why| format!("{why:?}"))?;
                events.into_iter().map(|event| self.ticket_fact(*id, event, at, by.clone())).collect()
            }
            Order::Crew(id, command) => {
                let state = self.crews.get(id).map(|(_, crew)| crew.clone());
                let events = crew::decide(&state, command, &cx).map_err(|why| format!("{why:?}"))?;
                events.into_iter().map(|event| self.crew_fact(id, event, at, by.clone())).collect()
            }
        })
    }

    fn ticket_fact(&mut self, id: TicketId, event: ticket::Event, at: Timestamp, by: Actor) -> Fact {
        let (revision, before) = self.tickets.remove(&id).map_or((0, None), |(next, ticket)| (next, Some(ticket)));
        let after = ticket::evolve(before, &event, at);
        self.tickets.extend(after.map(|ticket| (id, (revision + 1, ticket))));
        Fact::Ticket(self.recorded(id, revision, event, at, by))
    }

    fn crew_fact(&mut self, id: &CrewId, event: crew::Event, at: Timestamp, by: Actor) -> Fact {
        let (revision, before) = self.crews.remove(id).map_or((0, None), |(next, crew)| (next, Some(crew)));
        let after = crew::evolve(before, &event, at);
        self.crews.extend(after.map(|crew| (id.clone(), (revision + 1, crew))));
        Fact::Crew(self.recorded(id.clone(), revision, event, at, by))
    }

    fn recorded<E, Id>(&mut self, id: Id, revision: u64, event: E, at: Timestamp, actor: Actor) -> Recorded<E, Id> {
        self.position += 1;
        let (position, recorded_at, request_id) = (self.position, self.now, Uuid::nil());
        Recorded { position, id, revision, event, occurred_at: at, recorded_at, actor, request_id }
    }
}

fn actor(role: Role, org: OrgPath) -> Actor {
    Actor { id: "bench".into(), role, org }
}

pub fn crew_id(number: u32) -> Outcome<CrewId> {
    let path = org(&format!("sgcc/zj/hz/c{}/s{}/crew{number}", number % 10, number % 100))?;
    Ok(CrewId::of(&path).ok_or("not a crew")?)
}

/// Returns a place in a box of about 120 km by 120 km.
pub fn place(number: u32) -> Outcome<Point> {
    let (north, east) = (number.wrapping_mul(7_919) % 1_000, number.wrapping_mul(104_729) % 1_000);
    let point = Point::new(29_700_000 + north.cast_signed() * 1_080, 119_500_000 + east.cast_signed() * 1_250);
    Ok(point.ok_or("not on the planet")?)
}
