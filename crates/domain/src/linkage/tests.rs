//! Masters and children in a small world: several tickets, people who merge and unmerge them, and a process that reads
//! late, speaks in any order, is refused and is restarted. Whatever happens, both sides of a merge agree in the end.

mod examples;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prop_assert, prop_assert_eq};

use self::world::World;
use super::*;
use crate::{
    chance::{self, Dice, Verdict},
    ticket::{Stage, Ticket},
};

/// What must hold once everything is said.
fn agrees(world: &World) -> Verdict {
    let children = |(&id, ticket): (&TicketId, &Ticket)| ticket.is_child().then(|| (id, ticket.master.unwrap()));
    let links: BTreeMap<_, _> = world.open().filter_map(children).collect();
    let mut families: BTreeMap<TicketId, BTreeSet<TicketId>> = BTreeMap::new();
    for (&child, &master) in &links {
        families.entry(master).or_default().insert(child);
    }
    let adopted: BTreeMap<_, _> = world
        .open()
        .filter(|(_, ticket)| !ticket.children.is_empty())
        .map(|(&id, ticket)| (id, ticket.children.clone()))
        .collect();
    prop_assert_eq!(&families, &adopted, "a child names its master and the master names the child");
    for master in families.keys() {
        let stage = world.tickets[master].as_ref().map(|ticket| ticket.stage);
        let works = stage.is_some_and(|stage| stage <= Stage::Replied);
        prop_assert!(works, "nobody waits for a master at {:?}", stage);
    }
    prop_assert_eq!(&world.process.links, &links);
    prop_assert_eq!(&world.process.families, &families);
    // What lies before the present crew had the ticket may be another's work: the process may know it or not.
    let back = |(&id, ticket): (&TicketId, &Ticket)| {
        ticket.crew.restored.filter(|_| ticket.stage <= Stage::Replied).map(|at| (id, (at, ticket.crew.assigned)))
    };
    let back: BTreeMap<_, _> = world.open().filter_map(back).collect();
    for (id, at) in &world.process.restored {
        prop_assert_eq!(back.get(id).map(|(at, _)| at), Some(at), "what the process knows, the ticket knows");
    }
    for (id, (at, assigned)) in &back {
        let sure = assigned.is_some_and(|assigned| *at >= assigned);
        prop_assert!(!sure || world.process.restored.contains_key(id), "{:?} at {}", id, at);
    }
    for (id, stint) in &world.process.stints {
        let holder = world.tickets[id].as_ref().and_then(Ticket::holder);
        let crewed = holder.filter(|org| org.level() == Level::Crew);
        prop_assert_eq!(stint.crew.as_ref(), crewed, "the process knows who works on it");
    }
    prop_assert!(world.process.wants.iter().next().is_none());
    prop_assert_eq!(world.process.parked().next(), None, "nothing is left for a person to mend");
    Ok(())
}

#[test]
fn both_sides_of_every_merge_agree_once_everything_is_said() {
    chance::always(
        80,
        |rolls| {
            let mut world = World::lived(rolls);
            world.come_to_rest()?;
            agrees(&world)
        },
        World::told,
    );
}

#[test]
fn a_process_rebuilt_from_the_log_repeats_nothing_that_matters() {
    chance::always(
        80,
        |rolls| {
            let mut world = World::lived(rolls);
            world.come_to_rest()?;
            let (tickets, facts) = (world.tickets.clone(), world.log.len());
            world.restart();
            world.come_to_rest()?;
            prop_assert_eq!(&world.tickets, &tickets);
            prop_assert_eq!(world.log.len(), facts, "not a fact more");
            agrees(&world)
        },
        World::told,
    );
}

#[test]
fn a_crash_at_any_instant_leads_to_agreement_and_changes_nothing_for_a_child_that_was_adopted() {
    chance::always(
        80,
        |rolls| {
            let mut lived = World::lived(rolls);
            let mut crashed = lived.clone();
            crashed.restart();
            let adopted = adopted_for_good(&crashed);
            lived.come_to_rest()?;
            crashed.come_to_rest()?;
            agrees(&lived)?;
            agrees(&crashed)?;
            // A master that once refused a child is asked again and may have changed its mind; that much may differ.
            for child in &adopted {
                prop_assert_eq!(&lived.tickets[child], &crashed.tickets[child]);
            }
            Ok(())
        },
        World::told,
    );
}

/// The children that both sides agree on and that no master is about to release.
fn adopted_for_good(world: &World) -> Vec<TicketId> {
    let process = &world.process;
    let leaving: BTreeSet<_> =
        process.wants.iter().map(|(_, i)| i).filter(|i| i.name() == "release").map(Intent::child).collect();
    let counted = |child, master| process.families.get(master).is_some_and(|family| family.contains(child));
    let links = process.links.iter().filter(|(child, master)| counted(child, master) && !leaving.contains(child));
    links.map(|(&child, _)| child).collect()
}

#[test]
fn the_world_sees_every_intent_and_every_kind_of_refusal() {
    let mut said: BTreeSet<(&str, bool)> = BTreeSet::new();
    let mut dice = Dice::of(95598);
    for _ in 0..300 {
        let rolls: Vec<u64> = (0..80).map(|_| dice.bits()).collect();
        let mut world = World::lived(&rolls);
        world.come_to_rest().unwrap();
        said.extend(world.said);
    }
    for name in ["adopt", "follow", "release", "undo"] {
        assert!(said.contains(&(name, true)), "{name} was never accepted");
    }
    assert!(said.contains(&("adopt", false)), "no master ever refused a child");
}
