//! Random lives of a crew: valid and invalid commands by any actor at any time, biased towards accepted ones so that
//! lives progress. A life is determined by its list of rolls.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    chance::Dice,
    crew::{
        Absence, Break, Command, Crew, Event, Forced, Grounds, OfferId, Point, ReleaseReason, Skill, Skills, State,
        command::{Enrol, Reserve},
        decide,
        decide::Decision,
        evolve,
        tests::story::{entry, home, site},
    },
    decider::Context,
    rules::Rules,
    ticket::{
        TicketId,
        tests::{
            sample::{CREW, CREW4, HZ, LIANGZHU, NATION, NB, org, ticket_id},
            story::clock,
        },
    },
};

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
    // In some lives people assign several tickets to the crew.
    let queued = rolls.first().is_some_and(|&roll| Dice::of(roll).one_in(8));
    for &roll in rolls {
        let mut dice = Dice::of(roll);
        now += TimeDelta::minutes(dice.choose(&[0, 1, 1, 3, 10, 60, 300]));
        let ask = ask(&state, now, &mut dice, queued);
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

/// A random command, mostly by an actor who may send it; mostly another assignment when `queued`.
pub fn ask(state: &State, now: Timestamp, dice: &mut Dice, queued: bool) -> Ask {
    let occurred_at = match dice.below(12) {
        0 => now - TimeDelta::minutes(dice.choose(&[1, 30, 3_000])),
        1 => now + TimeDelta::minutes(dice.choose(&[2, 5, 6])),
        _ => now,
    };
    let command = if queued && state.is_some() && !dice.one_in(4) {
        Command::Commit { ticket: ticket(dice), offer: None }
    } else {
        command(state.as_ref(), occurred_at, dice)
    };
    let engine = matches!(command, Command::Reserve(_) | Command::Commit { .. } | Command::Release { .. });
    let role = if engine && !dice.one_in(8) { Role::System } else { dice.choose(&Role::ALL) };
    let unit = dice.choose(&[LIANGZHU, LIANGZHU, LIANGZHU, HZ, NATION, CREW, CREW4, NB]);
    let actor = Actor { id: format!("a{}", dice.below(9)), role, org: org(unit) };
    Ask { command, actor, now, occurred_at }
}

fn command(crew: Option<&Crew>, at: Timestamp, dice: &mut Dice) -> Command {
    if crew.is_none_or(|crew| !crew.enrolled) && !dice.one_in(4) {
        return Command::Enrol(Box::new(roster(dice)));
    }
    if crew.is_some_and(|crew| crew.shift.is_none()) && dice.one_in(3) {
        return start_shift(at, dice);
    }
    match dice.below(24) {
        0 | 1 => Command::Enrol(Box::new(roster(dice))),
        2 => Command::Dismiss,
        3 => start_shift(at, dice),
        4 | 5 => Command::EndShift,
        6 => Command::GoAway { why: dice.choose(Absence::ALL) },
        7 | 8 => Command::ComeBack,
        9 | 10 => Command::Locate { at: point(dice), accuracy_m: 10 },
        11..15 => Command::Reserve(Box::new(reserve(at, dice))),
        15..19 => {
            let kept = crew.and_then(|crew| crew.reserved).filter(|_| !dice.one_in(4));
            match kept {
                Some(kept) => Command::Commit { ticket: kept.ticket, offer: Some(kept.offer) },
                None => Command::Commit { ticket: ticket(dice), offer: dice.one_in(4).then(|| offer(dice)) },
            }
        }
        _ => release(crew, dice),
    }
}

fn ticket(dice: &mut Dice) -> TicketId {
    ticket_id(1 + dice.below(20) as u128)
}

fn offer(dice: &mut Dice) -> OfferId {
    OfferId::of(ticket(dice), 1 + dice.below(3) as u32)
}

/// A position; sometimes an invalid one.
fn point(dice: &mut Dice) -> Point {
    let off = Point { latitude_e6: i32::MAX, longitude_e6: i32::MIN };
    if dice.one_in(20) { off } else { dice.choose(&[home(), site()]) }
}

fn roster(dice: &mut Dice) -> Enrol {
    let skills = dice.choose(&[Skills::of(&[Skill::LowVoltage]), Skills::of(Skill::ALL)]);
    let skills = if dice.one_in(20) { Skills::NONE } else { skills };
    Enrol { home: point(dice), skills, vehicle: dice.perhaps(&["zj-a-1".to_owned()]), ..entry() }
}

fn start_shift(at: Timestamp, dice: &mut Dice) -> Command {
    let until = at + TimeDelta::hours(dice.choose(&[-1, 8, 8, 12, 24, 25]));
    let noon = Break { from: at + TimeDelta::hours(3), until: at + TimeDelta::hours(4) };
    let at = dice.one_in(2).then(|| point(dice));
    Command::StartShift { until, breaks: dice.perhaps(&[noon]).into_iter().collect(), at }
}

fn reserve(at: Timestamp, dice: &mut Dice) -> Reserve {
    let by = Forced { by: "a1".into(), org: org(HZ) };
    let ticket = ticket(dice);
    Reserve {
        offer: OfferId::of(ticket, 1 + dice.below(3) as u32),
        ticket,
        lease_until: at + TimeDelta::minutes(3),
        priority: dice.one_in(4),
        forced: dice.one_in(4).then_some(by),
        grounds: Grounds::default(),
    }
}

/// A release: mostly of a reservation or commitment that exists.
fn release(crew: Option<&Crew>, dice: &mut Dice) -> Command {
    let kept = crew.and_then(|crew| crew.reserved).map(|kept| (kept.ticket, Some(kept.offer)));
    let committed = crew.iter().flat_map(|crew| &crew.commitments).map(|held| (held.ticket, None));
    let held: Vec<_> = kept.into_iter().chain(committed).collect();
    let anything = (ticket(dice), dice.one_in(2).then(|| offer(dice)));
    let (ticket, offer) = if held.is_empty() || dice.one_in(5) { anything } else { dice.choose(&held) };
    Command::Release { ticket, offer, why: dice.choose(ReleaseReason::ALL) }
}
