//! Properties of promise events: each is recorded once, for any interleaving of facts, time, publications, engines and
//! restarts; at rest they agree with the judge. Histories are valid lives of a few tickets.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::{prop_assert, prop_assert_eq};

use super::draw::{dawn, describe, some_policy, some_year};
use crate::{
    Timestamp,
    chance::{self, Dice, Verdict as Law},
    decider::Process,
    fact::Fact,
    rules::Rules,
    sla::{
        clock_history::ClockHistory,
        judge::{Clock, Verdict, judge},
        promise::{ClockKey, Event},
        registry::PolicyRegistry,
        tests::world::{World, clock_history, of, registry},
        watch::Watch,
    },
    ticket::{
        Move, State, TicketId, decide, evolve,
        laws::{ask, later},
        tests::sample::ticket_id,
    },
};

/// The longest history, in steps.
const STEPS_MAX: usize = 60;
/// One in this many steps is compared with a watch or a judge that starts from the beginning, which is slow.
const CHECKED: usize = 3;
/// The number of tickets.
const TICKETS: u128 = 2;

/// Tickets that people work on, and engines that watch them.
struct Life {
    world: World,
    states: Vec<State>,
    rules: Rules,
}

impl Life {
    /// Two engines under a random policy; no facts yet.
    fn new(dice: &mut Dice) -> Self {
        let mut world = World::new(dawn());
        world.publish_year(some_year(dice));
        world.publish(some_policy(dawn() - TimeDelta::days(1), dice));
        world.another_engine();
        Self { world, states: vec![None; TICKETS as usize], rules: Rules::default() }
    }

    fn step(&mut self, dice: &mut Dice) {
        let engine = dice.below(2);
        match dice.below(18) {
            0..7 => self.somebody_asks(dice),
            7 | 8 => self.world.follow(engine, 1 + dice.below(3)),
            9..12 => self.world.follow(engine, usize::MAX),
            16 | 17 => {
                // Time passes, and both engines run.
                let later = self.world.now + TimeDelta::minutes(dice.choose(&[1, 7, 60, 600]));
                self.world.pass(later);
            }
            12 | 13 => {
                // The clocks of the engines differ.
                let now = self.world.now + TimeDelta::minutes(dice.choose(&[-20, -1, 0, 0, 3]));
                self.world.act(engine, now);
            }
            14 if dice.one_in(2) => self.world.publish(some_policy(self.world.now, dice)),
            14 => self.world.publish_year(some_year(dice)),
            _ => self.world.restart(engine),
        }
    }

    fn somebody_asks(&mut self, dice: &mut Dice) {
        self.world.now = later(self.world.now, dice);
        let ticket = dice.below(TICKETS as usize);
        let ask = ask(&self.states[ticket], self.world.now, dice, Move::ALL);
        for event in decide(&self.states[ticket], &ask.command, &ask.cx(&self.rules)).unwrap_or_default() {
            let state = self.states[ticket].take();
            self.states[ticket] = evolve(state, &event, ask.occurred_at);
            self.world.ticket(ticket_id(1 + ticket as u128), ask.occurred_at, event, ask.actor.role);
        }
    }
}

/// Lives through a history and passes each step to `each`.
fn live(rolls: &[u64], mut each: impl FnMut(&mut World) -> Law) -> Result<World, proptest::test_runner::TestCaseError> {
    let mut life = Life::new(&mut Dice::of(rolls[0]));
    for roll in rolls {
        life.step(&mut Dice::of(*roll));
        each(&mut life.world)?;
    }
    Ok(life.world)
}

fn in_words(rolls: &[u64]) -> String {
    let Ok(mut world) = live(rolls, |_| Ok(())) else { return String::new() };
    let tickets: String = ids(&world.log).into_iter().map(|id| describe(&clock_history(&world.log, id))).collect();
    let registry = super::draw::describe_registry(&registry(&world.log));
    let now = super::super::tests::tale::in_words(world.now);
    format!(
        "{tickets}{registry}now {now}, before it rests:\n{:#?}\nat rest:\n{:#?}",
        world.events(),
        world.rest().events()
    )
}

fn ids(log: &[Fact]) -> BTreeSet<TicketId> {
    log.iter().filter_map(of).collect()
}

/// True when the clock was due before the import of an imported ticket.
fn is_history(clock_history: &ClockHistory, clock: &Clock) -> bool {
    let recorded_at = clock_history.opening().filter(|o| o.imported).map(|_| clock_history.events[0].recorded);
    recorded_at.is_some_and(|recorded_at| clock.due.is_some_and(|due| due <= recorded_at))
}

/// The events that must be recorded for a ticket at `now`, by the verdicts of the judge alone.
fn expected(clock_history: &ClockHistory, registry: &PolicyRegistry, now: Timestamp) -> BTreeSet<String> {
    // Publications after the end of a ticket do not apply to it.
    let known = clock_history.events.last().filter(|_| clock_history.is_over()).map_or(u64::MAX, |last| last.position);
    let clocks = judge(clock_history, &registry.as_of(known), now);
    let mut expected = BTreeSet::new();
    let mut standing: BTreeSet<ClockKey> = BTreeSet::new();
    for breach in clock_history.announced.each().filter_map(|said| said.breach.as_deref()) {
        let clock = clocks.iter().find(|clock| clock.key() == breach.key);
        let stands = clock.is_some_and(|clock| {
            let moved = clock.run.end.is_none() && clock.due > Some(breach.due);
            clock.verdict == Verdict::Breached && !moved
        });
        if stands {
            standing.insert(breach.key.clone());
        } else {
            expected.insert(format!("overturned {:?} {}", breach.key, breach.due));
        }
    }
    for clock in clocks.iter().filter(|clock| !standing.contains(&clock.key()) && !is_history(clock_history, clock)) {
        let (key, run) = (clock.key(), &clock.run);
        let said = clock_history.announced.of(&key.clock, key.cycle, key.run_number);
        match (clock.verdict, clock.due) {
            // A device with a fast clock may report the end before due has passed; until then nothing is expected.
            (Verdict::Breached, Some(due)) if due < now => {
                expected.insert(format!("breached {key:?} {due}"));
            }
            (Verdict::Running | Verdict::Paused, Some(due)) => {
                let unsaid = |level| !said.is_some_and(|said| said.was_warned(run.named(), run.start, level));
                for (level, _) in clock.warnings().filter(|(level, at)| *at <= now && unsaid(*level)) {
                    expected.insert(format!("warned {key:?} {due} {level}"));
                }
            }
            _ => {}
        }
    }
    expected
}

fn summary(event: &Event) -> String {
    let judged = event.judged();
    match event {
        Event::Warned(e) => format!("warned {:?} {} {}", judged.key, judged.due, e.level),
        Event::Breached(_) => format!("breached {:?} {}", judged.key, judged.due),
        Event::Overturned(_) => format!("overturned {:?} {}", judged.key, judged.due),
    }
}

/// All actions of a watch at `now`, after it has finished its review.
fn actions_at(watch: &mut Watch, now: Timestamp) -> BTreeSet<(TicketId, String)> {
    let actions = watch.pending(now, usize::MAX);
    let each = actions
        .iter()
        .flat_map(|action| action.intent.publish.events.iter().map(|event| (action.intent.ticket, summary(event))));
    each.collect()
}

#[test]
fn a_watch_wants_to_say_exactly_what_the_judge_finds() {
    let law = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls.len() as u64);
        let each = |world: &mut World| {
            if !dice.one_in(CHECKED) {
                return Ok(());
            }
            let engine = &mut world.engines[dice.below(2)];
            let (log, watch) = (&world.log[..engine.read], &mut engine.watch);
            let seen = log.iter().map(Fact::recorded_at).max().unwrap_or_default();
            let now = (world.now + TimeDelta::minutes(dice.choose(&[-9, 0, 0, 60, 9_000]))).max(seen);
            let parked: BTreeSet<TicketId> = watch.parked().map(|(id, _)| id).collect();
            let mut found = BTreeSet::new();
            for id in ids(log).into_iter().filter(|id| !parked.contains(id) && watch.clock_history(*id).is_some()) {
                prop_assert_eq!(
                    watch.clock_history(id),
                    Some(&clock_history(log, id)),
                    "the clock_history that it lived with is the log's"
                );
                found.extend(expected(&clock_history(log, id), &registry(log), now).into_iter().map(|what| (id, what)));
            }
            prop_assert_eq!(actions_at(watch, now), found);
            Ok(())
        };
        live(rolls, each).map(|_| ())
    };
    chance::always(STEPS_MAX, law, in_words);
}

#[test]
fn a_watch_that_lived_through_it_says_what_one_that_is_resumed_would_say() {
    let law = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls.len() as u64);
        let each = |world: &mut World| {
            let engine = &mut world.engines[0];
            let (log, lived) = (&world.log[..engine.read], &mut engine.watch);
            if lived.parked().count() > 0 || !dice.one_in(CHECKED) {
                return Ok(());
            }
            let seen = log.iter().map(Fact::recorded_at).max().unwrap_or_default();
            let now = (world.now + TimeDelta::minutes(dice.choose(&[-9, 0, 0, 60, 9_000]))).max(seen);
            let lived_wants = lived.pending(now, usize::MAX);
            let in_flight = ids(log).into_iter().filter(|id| lived.clock_history(*id).is_some());
            let mut resumed = Watch::resume(registry(log), in_flight.map(|id| clock_history(log, id)));
            prop_assert_eq!(resumed.pending(now, usize::MAX), lived_wants);
            prop_assert_eq!(resumed.len(), lived.len());
            // A due action wakes the watch at once; a watch that has seen more wakes at a later instant.
            prop_assert_eq!(resumed.wake().map(|at| at.max(now)), lived.wake().map(|at| at.max(now)));
            Ok(())
        };
        live(rolls, each).map(|_| ())
    };
    chance::always(STEPS_MAX, law, in_words);
}

#[test]
fn everything_is_said_once() {
    let law = |rolls: &[u64]| {
        let mut world = live(rolls, |_| Ok(()))?;
        world.rest();
        for id in ids(&world.log) {
            let (mut standing, mut warned) = (Vec::new(), BTreeSet::new());
            for fact in &world.log {
                let Fact::Promise(fact) = fact else { continue };
                if fact.id != id {
                    continue;
                }
                let judged = fact.event.judged().clone();
                match &fact.event {
                    Event::Warned(e) => {
                        prop_assert!(warned.insert((judged.key, judged.started_by, e.level)), "warned twice: {e:?}");
                    }
                    Event::Breached(e) => {
                        prop_assert!(standing.iter().all(|known: &ClockKey| *known != judged.key), "said twice: {e:?}");
                        standing.push(judged.key);
                    }
                    Event::Overturned(e) => {
                        prop_assert!(standing.contains(&judged.key), "taken back without having been said: {e:?}");
                        standing.retain(|known| *known != judged.key);
                    }
                }
            }
        }
        Ok(())
    };
    chance::always(STEPS_MAX, law, in_words);
}

#[test]
fn at_rest_what_was_said_is_what_the_judge_finds() {
    let law = |rolls: &[u64]| {
        let mut world = live(rolls, |_| Ok(()))?;
        world.now = world.now.max(world.log.iter().map(Fact::recorded_at).max().unwrap_or_default());
        let later = world.now + TimeDelta::minutes(Dice::of(rolls[0]).choose(&[0, 50, 5_000]));
        world.pass(later);
        let held = |world: &World, id| world.engines.iter().any(|engine| engine.watch.clock_history(id).is_some());
        for id in ids(&world.log).into_iter().filter(|id| held(&world, *id)) {
            let left = expected(&clock_history(&world.log, id), &registry(&world.log), world.now);
            prop_assert_eq!(left, BTreeSet::new());
        }
        for engine in &world.engines {
            prop_assert_eq!(engine.watch.parked().count(), 0);
            prop_assert!(engine.watch.wake().is_none_or(|next| next > world.now));
        }
        Ok(())
    };
    chance::always(STEPS_MAX, law, in_words);
}

#[test]
fn the_watch_wakes_at_the_next_instant_and_at_no_other() {
    let law = |rolls: &[u64]| {
        let mut world = live(rolls, |_| Ok(()))?;
        world.now = world.now.max(world.log.iter().map(Fact::recorded_at).max().unwrap_or_default());
        world.rest();
        let watch = &mut world.engines[0].watch;
        let Some(next) = watch.wake() else {
            prop_assert_eq!(watch.pending(dawn() + TimeDelta::days(4_000), usize::MAX), vec![]);
            return Ok(());
        };
        prop_assert_eq!(watch.pending(next - TimeDelta::microseconds(1), usize::MAX), vec![]);
        prop_assert!(!watch.pending(next, usize::MAX).is_empty());
        Ok(())
    };
    chance::always(STEPS_MAX, law, in_words);
}

#[test]
fn the_histories_say_everything_that_can_be_said() {
    let (mut warned, mut breached, mut overturned) = (0, 0, BTreeSet::new());
    let (mut refused, mut recalled, mut dice) = (0, 0, Dice::of(95598));
    for _ in 0..800 {
        let rolls: Vec<u64> = (0..STEPS_MAX).map(|_| dice.bits()).collect();
        let each = |world: &mut World| {
            let unread = world.log.get(world.engines[0].read);
            recalled += usize::from(unread.is_some_and(|fact| world.engines[0].watch.forgotten(fact).is_some()));
            refused += world.engines[0].watch.parked().count();
            Ok(())
        };
        let mut world = live(&rolls, each).unwrap();
        for fact in &world.rest().log {
            match fact {
                Fact::Promise(fact) => match &fact.event {
                    Event::Warned(_) => warned += 1,
                    Event::Breached(_) => breached += 1,
                    Event::Overturned(e) => {
                        overturned.insert(e.now.clone());
                    }
                },
                Fact::Ticket(_) | Fact::Policy(_) | Fact::Year(_) | Fact::Crew(_) => {}
            }
        }
    }
    let said = format!("{warned} {breached} {overturned:?} {refused} {recalled}");
    assert!(warned >= 200 && breached >= 200 && refused >= 20 && recalled >= 20, "{said}");
    for now in ["cancelled", "gone", "kept", "running"] {
        assert!(overturned.contains(now), "{said}");
    }
}
