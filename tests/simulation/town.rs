//! The town: two stations with their crews, customers who call, and desks that classify, dispatch, change their minds,
//! and close.

use switchboard_dispatcher::dispatch::Order;
use switchboard_domain::{
    actor::{Actor, Role},
    crew::{self, Absence, CrewId, Point, Skill, Skills},
    organisation::OrgPath,
    personal::Personal,
    ticket::{
        Area, BusinessType, Category, Channel, Command, Escalation, Move, Place, ReplyOutcome, ReturnReason,
        RevisitMethod, Satisfaction, Stage, SuspendReason, Ticket, TicketId, Tier, Urgency,
        command::{Caller, Receive, Reply, Verdict},
        legal_of,
    },
};
use uuid::Uuid;

use chrono::TimeDelta;

use crate::{
    phones::Phone,
    store::Said,
    world::{Deed, World},
};

const NATION: &str = "sgcc";
const COUNTY: &str = "sgcc/zj/hz/yuhang";
const STATIONS: [&str; 2] = ["sgcc/zj/hz/yuhang/liangzhu", "sgcc/zj/hz/yuhang/cangqian"];
/// The categories: low voltage, high voltage, cable, and a wire down.
const CATEGORIES: [&str; 4] =
    ["fault/low voltage/fuse", "fault/high voltage/switch", "fault/cable/joint", "fault/low voltage/\u{65ad}\u{7ebf}"];
/// Actions of desks and customers outside the usual course of a ticket, with their weights.
const MEDDLING: [(usize, Move); 17] = [
    (3, Move::Withdraw),
    (3, Move::Merge),
    (6, Move::Unmerge),
    (2, Move::FollowMaster),
    (6, Move::Urge),
    (2, Move::Supervise),
    (2, Move::Escalate),
    (5, Move::Suspend),
    (8, Move::Resume),
    (5, Move::Reassign),
    (4, Move::Dispatch),
    (4, Move::Recall),
    (8, Move::Pin),
    (2, Move::Return),
    (2, Move::Accept),
    (2, Move::Reply),
    (3, Move::Reopen),
];

fn words(text: &str) -> Personal {
    Personal::from(text)
}

fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).expect("a path")
}

impl World {
    /// Puts the crews on the roster. Most begin a shift at once, the others within ten hours.
    pub fn found_town(&mut self) {
        let count = self.dice.between(3, 8);
        for n in 0..count {
            let station = STATIONS[n as usize % 2];
            let crew = CrewId::of(&org(&format!("{station}/crew{}", n + 1))).expect("a crew");
            let home = self.somewhere();
            self.phones.insert(crew.clone(), Phone::at(home));
            self.enrol(&crew);
            let late = if self.dice.one_in(3) { self.dice.between(0, 36_000) } else { 0 };
            self.after(late, Deed::Roster(crew));
        }
    }

    fn somewhere(&mut self) -> Point {
        let (north, east) = (self.dice.between(0, 250_000), self.dice.between(0, 250_000));
        Point { latitude_e6: 30_300_000 + north as i32, longitude_e6: 119_900_000 + east as i32 }
    }

    fn enrol(&mut self, crew: &CrewId) {
        let station = org(&crew.org().as_str()[..crew.org().as_str().rfind('/').unwrap_or(0)]);
        let skills = self.dice.weighed(&[
            (3, Skills::of(&[Skill::LowVoltage])),
            (3, Skills::of(&[Skill::LowVoltage, Skill::HighVoltage])),
            (2, Skills::of(&[Skill::LowVoltage, Skill::HighVoltage, Skill::Cable])),
        ]);
        let territory =
            self.dice.weighed(&[(3, vec![station]), (1, STATIONS.map(org).to_vec()), (1, vec![org(COUNTY)])]);
        let home = self.phones[crew].at;
        let roster = crew::command::Enrol {
            crew: crew.clone(),
            home,
            territory,
            skills,
            members: vec!["w1".into()],
            vehicle: None,
        };
        self.say_to_crew(crew, crew::Command::Enrol(Box::new(roster)));
    }

    fn say_to_crew(&mut self, crew: &CrewId, command: crew::Command) -> Said {
        self.ask(&Order::Crew(crew.clone(), command), Self::actor("county", Role::Desk, COUNTY))
    }

    /// Draws the times of the day's calls: spread over the day, or most of them within two hours.
    pub fn draw_calls(&mut self) {
        let calls = self.dice.between(20, 60);
        let storm = self.dice.one_in(4);
        let at = self.dice.between(3_600, 60_000);
        for _ in 0..calls {
            let when = if storm { at + self.dice.between(0, 7_200) } else { self.dice.between(0, 80_000) };
            self.after(when, Deed::Call);
        }
    }

    /// A customer calls the national centre.
    pub fn call(&mut self) {
        let number = self.requests();
        let ticket = TicketId(Uuid::from_u128(u128::from(number)));
        let business = self.dice.weighed(&[(12, BusinessType::FaultRepair), (1, BusinessType::ServiceApplication)]);
        let at = self.somewhere();
        let located = !self.dice.one_in(10);
        let ahead = self.dice.between(600, 20_000);
        let appointment = self.dice.one_in(15).then(|| self.now + TimeDelta::seconds(ahead));
        let place = Place {
            area: Some(self.dice.choose(&[Area::Urban, Area::Urban, Area::Rural])),
            location_e6: located.then_some((at.latitude_e6, at.longitude_e6)),
            ..Place::default()
        };
        let receive = Receive {
            number: number.to_string(),
            business,
            channel: Channel::Hotline,
            received_by: org(NATION),
            caller: Caller { phone: Some("13800000000".into()), ..Caller::default() },
            tier: self.dice.one_in(12).then_some(Tier::A),
            address: None,
            content: words("no light"),
            place,
            premises: None,
            customers_out: self.dice.weighed(&[(4, None), (4, Some(3)), (2, Some(40)), (1, Some(600))]),
            confidential: false,
            call_id: None,
            hung_up_at: None,
            appointment,
            external: None,
            linked: None,
        };
        self.desk(ticket, Command::Receive(Box::new(receive)), NATION);
        self.tickets.push(ticket);
        self.desk_soon(ticket);
    }

    fn desk_soon(&mut self, ticket: TicketId) {
        let pause = self.dice.between(5, 240);
        self.after(pause, Deed::Desk(ticket));
    }

    fn desk(&mut self, ticket: TicketId, command: Command, unit: &str) -> Said {
        let role = if unit == NATION { Role::Agent } else { Role::Desk };
        self.ask(&Order::Ticket(ticket, command), Self::actor("desk", role, unit))
    }

    /// A desk does the next usual step of a ticket.
    pub fn take_further(&mut self, id: TicketId) {
        let Some(ticket) = self.store.tickets.get(&id).cloned() else { return };
        if ticket.is_child() {
            return;
        }
        let command = match ticket.stage {
            Stage::Received => Command::Classify {
                business: None,
                category: self.category(),
                urgency: if self.dice.one_in(8) { Urgency::Urgent } else { Urgency::Normal },
                grade: None,
            },
            Stage::Classified => Command::Dispatch { to: self.first_unit() },
            Stage::Replied => {
                let back = Verdict::SentBack { reason: words("once more") };
                let verdict = if self.dice.one_in(8) { back } else { Verdict::Passed { category: None } };
                Command::AuditReply { verdict }
            }
            Stage::AwaitingRevisit => Command::Revisit {
                method: RevisitMethod::Sms,
                outcome: Satisfaction::Satisfied,
                reasons: Vec::new(),
                comment: None,
            },
            Stage::ReadyToClose => Command::Close { explanation: None },
            _ => return,
        };
        let said = self.desk(id, command, NATION);
        if matches!(said, Said::Done(_)) {
            self.desk_soon(id);
        }
    }

    fn category(&mut self) -> Category {
        let name = self.dice.weighed(&[(6, CATEGORIES[0]), (3, CATEGORIES[1]), (1, CATEGORIES[2]), (1, CATEGORIES[3])]);
        Category::parse(name).expect("a category")
    }

    /// Mostly a station, sometimes the county, rarely a crew directly.
    fn first_unit(&mut self) -> OrgPath {
        match self.dice.below(12) {
            0..3 => org(COUNTY),
            3 => self.some_crew().org().clone(),
            n => org(STATIONS[n % 2]),
        }
    }

    /// Draws a crew.
    pub fn some_crew(&mut self) -> CrewId {
        let crews: Vec<_> = self.phones.keys().cloned().collect();
        self.dice.choose(&crews)
    }

    /// A desk or a customer does something legal to an open ticket.
    pub fn meddle(&mut self) {
        let recent = self.tickets.len().saturating_sub(40);
        if self.tickets.is_empty() {
            return;
        }
        let id = self.dice.choose(&self.tickets[recent..]);
        let Some(ticket) = self.store.tickets.get(&id).cloned() else { return };
        let open = legal_of(&ticket);
        let may: Vec<_> = MEDDLING.into_iter().filter(|(_, asked)| open.contains(*asked)).collect();
        if may.is_empty() {
            return;
        }
        let asked = self.dice.weighed(&may);
        let (command, unit) = self.meddling(asked, id, &ticket);
        self.desk(id, command, unit);
        self.desk_soon(id);
    }

    fn meddling(&mut self, asked: Move, id: TicketId, ticket: &Ticket) -> (Command, &'static str) {
        let reason = || words("as told");
        let command = match asked {
            Move::Withdraw => Command::Withdraw { reason: reason() },
            Move::Merge => {
                let master = self.dice.choose(&self.tickets.clone());
                if master == id {
                    return (Command::Urge { reason: reason() }, NATION);
                }
                Command::Merge { master, evidence: reason() }
            }
            Move::Unmerge => Command::Unmerge { reason: reason() },
            Move::FollowMaster => Command::FollowMaster { master: ticket.master.unwrap_or(id), restored: None },
            Move::Supervise => Command::Supervise { demand: reason() },
            Move::Escalate => Command::Escalate { to: Escalation::Urgent, reason: reason() },
            Move::Suspend => Command::Suspend { reason: SuspendReason::Customer, until: None, note: None },
            Move::Resume => Command::Resume,
            Move::Reassign => Command::Reassign { to: self.first_unit(), reason: reason() },
            Move::Dispatch => Command::Dispatch { to: self.first_unit() },
            Move::Recall => Command::Recall { crew: None, reason: reason() },
            Move::Pin => {
                let crew = if self.dice.one_in(3) { None } else { Some(self.some_crew()) };
                Command::Pin { crew, reason: reason() }
            }
            Move::Return => Command::Return { reason: ReturnReason::WrongUnit, note: reason() },
            Move::Accept => Command::Accept,
            Move::Reply => reply(ReplyOutcome::Explained),
            Move::Reopen => Command::Reopen { reason: reason() },
            _ => Command::Urge { reason: reason() },
        };
        (command, if asked == Move::Pin { COUNTY } else { NATION })
    }

    /// A crew begins its shift, goes away, comes back, or ends its shift; sometimes the roster changes.
    pub fn change_shift(&mut self, id: &CrewId) {
        let Some(crew) = self.store.crews.get(id).cloned() else { return };
        let now = self.now;
        let (command, pause) = if !crew.enrolled {
            self.enrol(id);
            self.after(3_600, Deed::Roster(id.clone()));
            return;
        } else if let Some(shift) = &crew.shift {
            if crew.away.is_some() {
                (crew::Command::ComeBack, self.dice.between(600, 20_000))
            } else if now >= shift.until || self.dice.one_in(12) {
                (crew::Command::EndShift, self.dice.between(600, 20_000))
            } else {
                let why = self.dice.choose(Absence::ALL);
                (crew::Command::GoAway { why }, self.dice.between(120, 5_400))
            }
        } else if self.dice.one_in(12) {
            (crew::Command::Dismiss, self.dice.between(600, 7_200))
        } else {
            let until = now + TimeDelta::hours(self.dice.between(4, 12));
            let rest = now + TimeDelta::hours(2);
            let breaks = vec![crew::Break { from: rest, until: rest + TimeDelta::minutes(30) }];
            let breaks = if self.dice.one_in(3) { breaks } else { Vec::new() };
            (crew::Command::StartShift { until, breaks, at: None }, self.dice.between(3_600, 30_000))
        };
        if self.dice.one_in(40) {
            self.say_to_crew(id, crew::Command::Dismiss);
        }
        let said = self.say_to_crew(id, command);
        // A refused command, such as the end of a shift with work in hand, is retried later.
        let pause = if matches!(said, Said::No(_)) { 900 } else { pause };
        self.after(pause, Deed::Roster(id.clone()));
    }

    /// An actor of a unit above every crew.
    pub fn county() -> Actor {
        Self::actor("county", Role::Desk, COUNTY)
    }
}

/// Builds a reply.
pub fn reply(outcome: ReplyOutcome) -> Command {
    Command::Reply(Box::new(Reply {
        outcome,
        facts: words("as found"),
        cause: "fuse blown".into(),
        measures: words("replaced"),
        customer_view: None,
        category: Category::parse(CATEGORIES[0]).expect("a category"),
        ownership: None,
        substantiated: None,
    }))
}
