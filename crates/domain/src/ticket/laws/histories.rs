//! Random lives of a ticket: valid and invalid commands by any actor at any time, biased towards legal moves so that
//! lives progress. A life is determined by its list of rolls.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    chance::Dice,
    crew::{CrewId, DeclineReason, Forced, OfferEnd, OfferId, Skill, Skills},
    decider::Context,
    organisation::OrgPath,
    personal::Personal,
    rules::Rules,
    ticket::{
        Area, BusinessType, Category, Channel, Command, ContactOutcome, DissatisfactionReason, Escalation, Event,
        Grade, Move, Ownership, ReplyOutcome, ReturnReason, RevisitMethod, Satisfaction, State, Step, SuspendReason,
        Ticket, TicketId, Tier, Urgency,
        command::{Caller, Offer, Receive, Reply, Verdict},
        decide,
        decide::Decision,
        evolve, legal,
        tests::{sample, story::clock},
    },
};

/// The units of the test world; the last one belongs to another operator.
const UNITS: [&str; 13] = [
    sample::NATION,
    sample::ZJ,
    sample::SD,
    sample::HZ,
    sample::NB,
    "sgcc/sd/jn",
    sample::YUHANG,
    sample::LIANGZHU,
    sample::CREW,
    sample::CREW4,
    "sgcc/sd/jn/lixia/hq/crew1",
    "sgcc/zj/nb/yinzhou",
    "csg/gd",
];

/// Crews that may get offers or be chosen: one station has more of them than offers may be live.
const CREWS: [&str; 6] = [
    sample::CREW,
    sample::CREW4,
    "sgcc/zj/hz/yuhang/liangzhu/crew5",
    "sgcc/zj/hz/yuhang/liangzhu/crew6",
    "sgcc/zj/nb/yinzhou/qiu_ai/crew1",
    "sgcc/sd/jn/lixia/hq/crew1",
];
/// Moves that advance a life. They are drawn more often, otherwise few lives would progress.
const ONWARD: [Move; 13] = [
    Move::Classify,
    Move::Dispatch,
    Move::Accept,
    Move::Offer,
    Move::AcceptOffer,
    Move::DeclineOffer,
    Move::EndOffer,
    Move::ReportProgress,
    Move::Reply,
    Move::AuditReply,
    Move::Revisit,
    Move::Reopen,
    Move::Close,
];
/// Moves that end or halt a life; drawn less often.
const HALTING: [Move; 5] = [Move::Withdraw, Move::CloseAtFirstContact, Move::Merge, Move::Return, Move::Suspend];

/// A command by some actor at some time.
#[derive(Clone, Debug)]
pub struct Ask {
    pub command: Command,
    pub actor: Actor,
    pub now: Timestamp,
    pub occurred_at: Timestamp,
}

impl Ask {
    /// The context of the decision.
    pub fn cx<'a>(&'a self, rules: &'a Rules) -> Context<'a> {
        let request_id = Uuid::from_u128(u128::from(self.now.timestamp().unsigned_abs()));
        Context { now: self.now, occurred_at: self.occurred_at, actor: &self.actor, request_id, rules }
    }
}

/// One command and its result.
#[derive(Clone, Debug)]
pub struct Turn {
    pub before: State,
    pub ask: Ask,
    pub decision: Decision,
    pub after: State,
}

impl Turn {
    /// The resulting events; empty after a rejection.
    pub fn facts(&self) -> &[Event] {
        self.decision.as_deref().unwrap_or_default()
    }
}

/// Lives through all turns from the empty state.
pub fn live(rolls: &[u64], rules: &Rules) -> Vec<Turn> {
    let mut now = clock(21, "09:00");
    let mut state = None;
    let mut turns = Vec::with_capacity(rolls.len());
    for &roll in rolls {
        let mut dice = Dice::of(roll);
        now = later(now, &mut dice);
        let ask = ask(&state, now, &mut dice, Move::ALL);
        let decision = decide(&state, &ask.command, &ask.cx(rules));
        let before = state.clone();
        for fact in decision.iter().flatten() {
            state = evolve(state, fact, ask.occurred_at);
        }
        turns.push(Turn { before, ask, decision, after: state.clone() });
    }
    turns
}

/// A life in words, for the failure message.
pub fn describe(turns: &[Turn]) -> String {
    let line = |turn: &Turn| {
        let came = match &turn.decision {
            Ok(facts) => format!("{facts:?}"),
            Err(why) => format!("refused: {why:?}"),
        };
        format!("{} {} {:?}\n    -> {came}\n", turn.ask.occurred_at, turn.ask.actor.org, turn.ask.command)
    };
    turns.iter().map(line).collect()
}

/// A later instant: mostly minutes, sometimes half a day.
pub fn later(now: Timestamp, dice: &mut Dice) -> Timestamp {
    now + TimeDelta::minutes(dice.choose(&[0, 1, 1, 3, 7, 20, 60, 130, 300, 780]))
}

/// A random command: mostly a legal move among `among`, sometimes any of them.
pub fn ask(state: &State, now: Timestamp, dice: &mut Dice, among: &[Move]) -> Ask {
    let open: Vec<_> = legal(state).iter().filter(|m| among.contains(m)).collect();
    let onward: Vec<_> = open.iter().copied().filter(|m| ONWARD.contains(m)).collect();
    let mut asked = match dice.below(12) {
        2..9 if !onward.is_empty() => dice.choose(&onward),
        2..12 if !open.is_empty() => dice.choose(&open),
        _ => dice.choose(among),
    };
    if HALTING.contains(&asked) && !onward.is_empty() && !dice.one_in(4) {
        asked = dice.choose(&onward);
    }
    // Crews report late, and the clocks of devices are wrong.
    let occurred_at = match dice.below(if asked == Move::ReportProgress { 4 } else { 12 }) {
        0 => now - TimeDelta::minutes(dice.choose(&[1, 30, 200, 3_000])),
        1 => now + TimeDelta::minutes(dice.choose(&[2, 5, 6])),
        _ => now,
    };
    let ticket = state.as_ref();
    let command = command(asked, ticket, occurred_at, dice);
    let actor = actor(&command, ticket, dice);
    Ask { command, actor, now, occurred_at }
}

/// Mostly an actor who may do this, sometimes any actor.
fn actor(command: &Command, ticket: Option<&Ticket>, dice: &mut Dice) -> Actor {
    let concerned = ticket.and_then(|ticket| concerned(command, ticket, dice));
    let org = match dice.below(8) {
        0 => unit(dice),
        1 | 2 => sample::org(sample::NATION),
        _ => concerned.unwrap_or_else(|| sample::org(sample::NATION)),
    };
    let engine = matches!(command.as_move(), Move::Offer | Move::EndOffer) && !dice.one_in(4);
    let role = if engine { Role::System } else { dice.choose(&Role::ALL) };
    Actor { id: format!("a{}", dice.below(9)), role, org }
}

/// The unit that may do this.
fn concerned(command: &Command, ticket: &Ticket, dice: &mut Dice) -> Option<OrgPath> {
    match command {
        Command::AuditReply { .. } => ticket.holders.get(ticket.audit_next).cloned(),
        Command::Reassign { .. } | Command::Supervise { .. } => ticket.receiver().cloned(),
        Command::AcceptOffer { offer, .. } | Command::DeclineOffer { offer, .. } => {
            let live = ticket.offers.iter().find(|live| live.offer == *offer);
            live.map(|live| live.crew.org().clone()).or_else(|| ticket.holder().cloned())
        }
        Command::Recall { .. } | Command::Pin { .. } => {
            ticket.holders.iter().rev().find(|unit| CrewId::of(unit).is_none()).cloned()
        }
        Command::ReportProgress(_) if !ticket.former.is_empty() && dice.one_in(3) => {
            Some(dice.choose(&ticket.former).crew)
        }
        _ => ticket.holder().cloned(),
    }
}

/// A crew: mostly one within the holder.
fn crew(ticket: Option<&Ticket>, dice: &mut Dice) -> CrewId {
    let all: Vec<_> = CREWS.iter().filter_map(|path| CrewId::of(&sample::org(path))).collect();
    let holder = ticket.and_then(Ticket::holder);
    let within: Vec<_> =
        all.iter().filter(|crew| holder.is_some_and(|org| org.contains(crew.org()))).cloned().collect();
    if within.is_empty() || dice.one_in(6) { dice.choose(&all) } else { dice.choose(&within) }
}

/// An offer with its fence: mostly a live one, or the accepted one.
fn offered(ticket: Option<&Ticket>, dice: &mut Dice) -> (OfferId, u64) {
    let live: Vec<_> = ticket.iter().flat_map(|t| &t.offers).map(|live| (live.offer, live.fence)).collect();
    let taken = ticket.and_then(|t| t.taken.as_ref()).map(|(offer, _)| (*offer, 1));
    let any = (OfferId::of(sample::ticket_id(1), 1 + dice.below(9) as u32), 1);
    let (offer, fence) = if live.is_empty() { taken.unwrap_or(any) } else { dice.choose(&live) };
    match dice.below(8) {
        0 => any,
        1 => (offer, fence.saturating_sub(1)),
        _ => (offer, fence),
    }
}

/// The next offer; sometimes one of an outdated plan.
fn offer(ticket: Option<&Ticket>, at: Timestamp, dice: &mut Dice) -> Offer {
    let next = ticket.map_or(0, |t| t.attempts).saturating_add(1);
    let attempt = if dice.one_in(8) { dice.below(9) as u32 } else { next };
    let by = Forced { by: "a1".into(), org: unit(dice) };
    Offer {
        offer: OfferId::of(sample::ticket_id(1), attempt),
        attempt,
        crew: crew(ticket, dice),
        fence: dice.below(20) as u64,
        lease_until: at + TimeDelta::minutes(3),
        priority: dice.one_in(4),
        forced: dice.one_in(4).then_some(by),
    }
}

fn skills(dice: &mut Dice) -> Skills {
    Skills::of(&[dice.choose(Skill::ALL)])
}

fn unit(dice: &mut Dice) -> OrgPath {
    sample::org(dice.choose(&UNITS))
}

/// A target unit: mostly one within the holder.
fn destination(ticket: Option<&Ticket>, dice: &mut Dice) -> OrgPath {
    let within: Vec<_> = UNITS
        .into_iter()
        .map(sample::org)
        .filter(|unit| ticket.and_then(Ticket::holder).is_some_and(|holder| holder.contains(unit)))
        .collect();
    if within.is_empty() || dice.one_in(4) { unit(dice) } else { dice.choose(&within) }
}

/// One of the few tickets that may be linked with this one.
fn other(dice: &mut Dice) -> TicketId {
    sample::ticket_id(1 + dice.below(4) as u128)
}

/// A child: mostly one that the ticket has.
fn child(ticket: Option<&Ticket>, dice: &mut Dice) -> TicketId {
    let present: Vec<_> = ticket.iter().flat_map(|t| t.children.iter().copied()).collect();
    if present.is_empty() || dice.one_in(2) { other(dice) } else { dice.choose(&present) }
}

/// A text; sometimes blank.
fn text(dice: &mut Dice) -> Personal {
    if dice.one_in(30) { Personal::from(" ") } else { Personal::from("as told") }
}

fn category(dice: &mut Dice) -> Category {
    Category::parse(dice.choose(&["fault/low voltage", "fault/customer side", "service/attitude"])).unwrap()
}

fn grade(business: Option<BusinessType>, dice: &mut Dice) -> Option<Grade> {
    let graded = business == Some(BusinessType::Complaint);
    (graded != dice.one_in(12)).then(|| dice.choose(Grade::ALL))
}

/// A command for this move, with random data.
fn command(asked: Move, ticket: Option<&Ticket>, at: Timestamp, dice: &mut Dice) -> Command {
    let coming = |dice: &mut Dice| at + TimeDelta::hours(dice.choose(&[-1, 1, 24, 48, 96]));
    match asked {
        Move::Receive => receive(coming, dice).into(),
        Move::Supplement => Command::Supplement { content: text(dice) },
        Move::Classify => {
            let business = if dice.one_in(3) { Some(dice.choose(BusinessType::ALL)) } else { None };
            let grade = grade(business.or(ticket.map(|t| t.business)), dice);
            let urgency = dice.choose(Urgency::ALL);
            Command::Classify { business, category: category(dice), urgency, grade }
        }
        Move::CloseAtFirstContact => Command::CloseAtFirstContact { answer: text(dice) },
        Move::Dispatch => Command::Dispatch { to: destination(ticket, dice) },
        Move::Accept => Command::Accept,
        Move::Return => Command::Return { reason: dice.choose(ReturnReason::ALL), note: text(dice) },
        Move::Reassign => Command::Reassign { to: unit(dice), reason: text(dice) },
        Move::ReportProgress => Command::ReportProgress(step(at, dice)),
        Move::Contact => Command::Contact { outcome: dice.choose(ContactOutcome::ALL), note: None },
        Move::Reply => reply(dice),
        Move::AuditReply => {
            let verdict = if dice.one_in(4) {
                Verdict::SentBack { reason: text(dice) }
            } else {
                Verdict::Passed { category: if dice.one_in(2) { Some(category(dice)) } else { None } }
            };
            Command::AuditReply { verdict }
        }
        Move::Revisit => revisit(dice),
        Move::Reopen => Command::Reopen { reason: text(dice) },
        Move::Close => Command::Close { explanation: dice.perhaps(&[Personal::from("explained"), " ".into()]) },
        Move::Urge => Command::Urge { reason: text(dice) },
        Move::Supervise => Command::Supervise { demand: text(dice) },
        Move::Escalate => {
            let grade = dice.choose(Grade::ALL);
            let to = dice.choose(&[Escalation::Complaint(grade), Escalation::Grade(grade), Escalation::Urgent]);
            Command::Escalate { to, reason: text(dice) }
        }
        Move::Suspend => {
            let until = if dice.one_in(2) { Some(coming(dice)) } else { None };
            Command::Suspend { reason: dice.choose(SuspendReason::ALL), until, note: None }
        }
        Move::Resume => Command::Resume,
        Move::Extend => Command::Extend { until: coming(dice), reason: text(dice) },
        Move::Merge => Command::Merge { master: other(dice), evidence: text(dice) },
        Move::Unmerge => Command::Unmerge { reason: text(dice) },
        Move::AdoptChild => Command::AdoptChild { child: other(dice) },
        Move::ReleaseChild => Command::ReleaseChild { child: child(ticket, dice) },
        Move::FollowMaster => {
            let own = ticket.and_then(|t| t.master).filter(|_| !dice.one_in(4));
            let restored = dice.perhaps(&[at]);
            Command::FollowMaster { master: own.unwrap_or_else(|| other(dice)), restored }
        }
        Move::Withdraw => Command::Withdraw { reason: text(dice) },
        Move::Reveal => Command::Reveal { purpose: dice.choose(&["to call back", "to call back", ""]).into() },
        Move::Offer | Move::AcceptOffer | Move::DeclineOffer | Move::EndOffer => about_offers(asked, ticket, at, dice),
        Move::HandOver => Command::HandOver { needs: skills(dice), note: text(dice) },
        Move::Recall => Command::Recall { crew: None, reason: text(dice) },
        Move::Pin => {
            let crew = if dice.one_in(4) { None } else { Some(crew(ticket, dice)) };
            Command::Pin { crew, reason: text(dice) }
        }
    }
}

fn about_offers(asked: Move, ticket: Option<&Ticket>, at: Timestamp, dice: &mut Dice) -> Command {
    if asked == Move::Offer {
        return Command::Offer(Box::new(offer(ticket, at, dice)));
    }
    let (offer, fence) = offered(ticket, dice);
    match asked {
        Move::AcceptOffer => Command::AcceptOffer { offer, fence },
        Move::DeclineOffer => {
            Command::DeclineOffer { offer, fence, reason: dice.choose(DeclineReason::ALL), note: Some(text(dice)) }
        }
        _ => Command::EndOffer { offer, how: dice.choose(&[OfferEnd::Expired, OfferEnd::Withdrawn]) },
    }
}

fn receive(coming: impl FnOnce(&mut Dice) -> Timestamp, dice: &mut Dice) -> Receive {
    let business = if dice.one_in(2) { BusinessType::FaultRepair } else { dice.choose(BusinessType::ALL) };
    let mut call = sample::receive(business);
    call.channel = dice.choose(Channel::ALL);
    if !dice.one_in(3) {
        call.received_by = unit(dice);
    }
    call.confidential = dice.one_in(10);
    if dice.one_in(10) {
        call.caller = Caller { anonymous: true, ..Caller::default() };
    }
    call.content = text(dice);
    call.tier = dice.perhaps(Tier::ALL);
    call.appointment = dice.one_in(4).then(|| coming(dice));
    call
}

fn step(at: Timestamp, dice: &mut Dice) -> Step {
    match dice.below(7) {
        0 => Step::Accepted,
        1 => Step::EnRoute,
        2 => Step::Arrived { area: dice.perhaps(Area::ALL) },
        3 => Step::Diagnosed { finding: text(dice), category: None },
        4 => Step::EtrSet { etr: at + TimeDelta::hours(1) },
        _ => Step::Restored,
    }
}

fn reply(dice: &mut Dice) -> Command {
    let slip = sample::slip(dice.choose(ReplyOutcome::ALL));
    let ownership = dice.perhaps(Ownership::ALL);
    Command::Reply(Box::new(Reply { facts: text(dice), category: category(dice), ownership, ..slip }))
}

fn revisit(dice: &mut Dice) -> Command {
    let method = dice.choose(RevisitMethod::ALL);
    let silent = if method == RevisitMethod::Sms { Satisfaction::NoAnswer } else { Satisfaction::Unreachable };
    let outcome = match dice.below(6) {
        0..3 => silent,
        3 => Satisfaction::Dissatisfied,
        _ => dice.choose(Satisfaction::ALL),
    };
    let dissatisfied = outcome == Satisfaction::Dissatisfied;
    let reasons = if dissatisfied { vec![dice.choose(DissatisfactionReason::ALL)] } else { Vec::new() };
    Command::Revisit { method, outcome, reasons, comment: None }
}
