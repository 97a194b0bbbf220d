//! Masters and children in a small model: several tickets, people who merge and unmerge them, and a process that lags,
//! acts in any order, is rejected and restarts. In the end both sides of every merge agree.

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

/// The property that holds once the process has no actions left.
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
    prop_assert!(world.process.masters.keys().eq(families.keys()), "case files of masters, and of no other ticket");
    for (id, file) in &world.process.masters {
        prop_assert_eq!(Some(&file.ticket), world.tickets[id].as_ref(), "what the ticket knows, the process knows");
    }
    prop_assert!(world.process.pending.iter().next().is_none());
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
        World::describe,
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
        World::describe,
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
            // After a restart, a master that rejected a child is asked again and may accept; only this may differ, also
            // where that master is itself a child.
            let alone = |world: &World, child| {
                world.tickets[child].clone().map(|ticket| Ticket { children: BTreeSet::new(), ..ticket })
            };
            for child in &adopted {
                prop_assert_eq!(alone(&lived, child), alone(&crashed, child));
            }
            Ok(())
        },
        World::describe,
    );
}

/// The children that both sides agree on and that no master is about to release.
fn adopted_for_good(world: &World) -> Vec<TicketId> {
    let process = &world.process;
    let leaving: BTreeSet<_> =
        process.pending.iter().map(|(_, i)| i).filter(|i| i.name() == "release").map(Intent::child).collect();
    let counted = |child, master| process.families.get(master).is_some_and(|family| family.contains(child));
    let links = process.links.iter().filter(|(child, master)| counted(child, master) && !leaving.contains(child));
    links.map(|(&child, _)| child).collect()
}

#[test]
fn the_world_sees_every_intent_and_every_kind_of_refusal() {
    let mut executed: BTreeSet<(&str, bool)> = BTreeSet::new();
    let mut dice = Dice::of(95598);
    for _ in 0..300 {
        let rolls: Vec<u64> = (0..80).map(|_| dice.bits()).collect();
        let mut world = World::lived(&rolls);
        world.come_to_rest().unwrap();
        executed.extend(world.executed);
    }
    for name in ["adopt", "follow", "release", "undo"] {
        assert!(executed.contains(&(name, true)), "{name} was never accepted");
    }
    assert!(executed.contains(&("adopt", false)), "no master ever refused a child");
}

#[test]
fn every_file_that_the_fold_is_made_of_decides_its_code() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/linkage");
    let parts = std::fs::read_dir(folder).unwrap().map(|part| part.unwrap().file_name().into_string().unwrap());
    let parts: BTreeSet<String> = parts.filter(|name| name.ends_with(".rs") && name != "tests.rs").collect();
    assert_eq!(parts, CODE.iter().filter_map(|(path, _)| Some(path.strip_prefix("linkage/")?.to_owned())).collect());
    assert!(CODE.iter().any(|(path, _)| *path == "linkage.rs"));
}
