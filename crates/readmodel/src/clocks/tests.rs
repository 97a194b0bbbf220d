//! The clock histories compared with their reference: equal folds and an equal registry. The file is rebuilt, reopened,
//! damaged and interrupted. Scans are tested in `scans`.

mod chance;
mod scans;

use std::{collections::BTreeMap, fs};

use proptest::{prelude::*, strategy::ValueTree, test_runner::Config};
use rusqlite::Connection;
use switchboard_domain::{decider::Recorded, ticket::Event};
use tempfile::TempDir;

use super::{form::FILE_NAME, *};

type Facts = Vec<Arc<Fact>>;

fn opened(folder: &TempDir) -> ClockHistories {
    ClockHistories::open(folder.path()).unwrap()
}

fn filled(facts: &[Arc<Fact>]) -> (TempDir, ClockHistories) {
    let folder = TempDir::new().unwrap();
    let clock_histories = opened(&folder);
    clock_histories.apply(facts, 0).unwrap();
    (folder, clock_histories)
}

fn head(facts: &[Arc<Fact>]) -> u64 {
    facts.last().map_or(0, |fact| fact.position())
}

/// Every clock history, with the position of the last fact that changed it, and the registry.
fn folded(facts: &[Arc<Fact>]) -> (BTreeMap<TicketId, (ClockHistory, u64)>, PolicyRegistry) {
    let (mut clock_histories, mut registry) =
        (BTreeMap::<TicketId, (ClockHistory, u64)>::new(), PolicyRegistry::default());
    for fact in facts {
        match &**fact {
            Fact::Ticket(fact) => {
                let mut clock_history = clock_histories
                    .get(&fact.id)
                    .map_or(ClockHistory::new(fact.id), |(clock_history, _)| clock_history.clone());
                if clock_history.take(fact) {
                    clock_histories.insert(fact.id, (clock_history, fact.position));
                }
            }
            Fact::Promise(fact) => {
                if let Some((clock_history, position)) = clock_histories.get_mut(&fact.id) {
                    clock_history.announced.take(&fact.event);
                    *position = fact.position;
                }
            }
            Fact::Policy(fact) => registry.take_policy(fact),
            Fact::Year(fact) => registry.take_year(fact),
            Fact::Crew(_) => {}
        }
    }
    (clock_histories, registry)
}

fn dumped(clock_histories: &ClockHistories) -> Vec<String> {
    let mut lines = Vec::new();
    clock_histories.dump(&mut |line| lines.push(line.to_owned())).unwrap();
    lines
}

/// A random history with tickets, promise events, and several publications in both halves of it. It is the same in
/// every run.
fn some_history() -> Facts {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    loop {
        let facts = chance::history(8, 200, 1..3).new_tree(&mut runner).unwrap().current();
        let (early, late) = facts.split_at(facts.len() / 2);
        let rich = |facts: &[Arc<Fact>]| {
            let (clock_histories, registry) = folded(facts);
            registry.editions().len() > 2
                && clock_histories.values().filter(|(clock_history, _)| !clock_history.announced.is_empty()).count() > 1
        };
        if rich(early) && rich(late) {
            return facts;
        }
    }
}

/// Ticket 1, received at position 1 and withdrawn at position 2.
fn received_and_withdrawn() -> Facts {
    let instant = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let fact = |position, event: Event| {
        let actor = chance::actor();
        let (id, request_id) = ((), uuid::Uuid::nil());
        let place = Recorded {
            position,
            id,
            revision: 0,
            event: (),
            occurred_at: instant,
            recorded_at: instant,
            actor,
            request_id,
        };
        Arc::new(Fact::Ticket(chance::here(place, chance::ticket(1), event)))
    };
    let accepted = switchboard_domain::ticket::event::Accepted { by: chance::actor().org };
    let withdrawn = switchboard_domain::ticket::event::Withdrawn { reason: "a mistake".into() };
    vec![fact(1, accepted.into()), fact(2, withdrawn.into())]
}

proptest! {
    #![proptest_config(Config::with_cases(64))]

    #[test]
    fn clock_histories_that_lived_through_it_equal_ones_rebuilt_from_zero_byte_for_byte(
        facts in chance::history(6, 120, 1..3), batch in 1usize..20, reopen_every in 1usize..6,
    ) {
        let lived = TempDir::new().unwrap();
        let mut clock_histories = opened(&lived);
        for (index, batch) in facts.chunks(batch).enumerate() {
            if index % reopen_every == reopen_every - 1 {
                drop(clock_histories);
                clock_histories = opened(&lived);
            }
            clock_histories.apply(batch, 0).unwrap();
        }
        let (_folder, rebuilt) = filled(&facts);
        prop_assert_eq!(dumped(&clock_histories), dumped(&rebuilt));
        prop_assert_eq!(clock_histories.registry(), rebuilt.registry());
        prop_assert_eq!(clock_histories.checkpoint(), head(&facts));
    }

    #[test]
    fn every_clock_history_is_the_fold_of_its_facts_and_the_registry_that_of_the_publications(
        facts in chance::history(6, 120, 1..3), batch in 1usize..20,
    ) {
        let folder = TempDir::new().unwrap();
        let clock_histories = opened(&folder);
        for batch in facts.chunks(batch) {
            clock_histories.apply(batch, 0).unwrap();
        }
        let (wanted, registry) = folded(&facts);
        prop_assert_eq!(&*clock_histories.registry(), &registry);
        drop(clock_histories);
        let clock_histories = opened(&folder);
        prop_assert_eq!(&*clock_histories.registry(), &registry);
        for id in (0..7).map(chance::ticket) {
            let found = clock_histories.get(id).unwrap();
            prop_assert_eq!(found.as_ref(), wanted.get(&id).map(|(clock_history, _)| clock_history));
        }
    }

    #[test]
    fn facts_offered_again_alone_or_before_new_ones_change_nothing(
        facts in chance::history(6, 80, 1..3), known in 0usize..80, from in 0usize..80,
    ) {
        let known = known.min(facts.len());
        let (_folder, clock_histories) = filled(&facts[..known]);
        clock_histories.apply(&facts[from.min(known)..], 0).unwrap();
        let (_folder, rebuilt) = filled(&facts);
        prop_assert_eq!(dumped(&clock_histories), dumped(&rebuilt));
        clock_histories.apply(&facts, 0).unwrap();
        prop_assert_eq!(dumped(&clock_histories), dumped(&rebuilt));
        prop_assert_eq!(clock_histories.registry(), rebuilt.registry());
    }

    #[test]
    fn in_flight_is_what_is_not_over_and_what_ended_of_late(
        facts in chance::history(30, 150, 1..4_000), ended_max in 0u32..12,
    ) {
        let (_folder, clock_histories) = filled(&facts);
        let (all, registry) = folded(&facts);
        let mut ended: Vec<u64> = all.values().filter(|(history, _)| history.is_over()).map(|(_, last)| *last).collect();
        ended.sort_unstable_by(|one, other| other.cmp(one));
        ended.truncate(ended_max as usize);
        let wanted = |(history, last): &(ClockHistory, u64)| !history.is_over() || ended.contains(last);
        let wanted: BTreeMap<TicketId, ClockHistory> =
            all.into_iter().filter(|(_, found)| wanted(found)).map(|(id, (clock_history, _))| (id, clock_history)).collect();

        let (position, told, found) = clock_histories.in_flight_with(ended_max).unwrap();
        prop_assert_eq!((position, &*told), (head(&facts), &registry));
        prop_assert_eq!(found.len(), wanted.len());
        prop_assert_eq!(found.into_iter().map(|clock_history| (clock_history.id, clock_history)).collect::<BTreeMap<_, _>>(), wanted);
    }
}

#[test]
fn what_a_watch_resumes_from_is_of_one_instant_whatever_is_at_hand() {
    let facts = some_history();
    let (early, late) = facts.split_at(facts.len() / 2);
    let (folder, clock_histories) = filled(early);
    // A second writer on the file simulates a step that is committed but not in memory yet.
    opened(&folder).apply(late, 0).unwrap();
    assert_eq!((clock_histories.checkpoint(), &*clock_histories.registry()), (head(early), &folded(early).1));

    let (position, registry, found) = clock_histories.in_flight().unwrap();
    let (wanted, published) = folded(&facts);
    assert_eq!((position, &*registry), (head(&facts), &published));
    assert_eq!(found.len(), wanted.len());
    assert!(found.iter().all(|clock_history| wanted[&clock_history.id].0 == *clock_history));
}

#[test]
fn the_checkpoint_moves_on_without_facts_and_never_back() {
    let (folder, clock_histories) = filled(&[]);
    assert_eq!(clock_histories.checkpoint(), 0);
    clock_histories.apply(&[], 7).unwrap();
    clock_histories.apply(&[], 3).unwrap();
    assert_eq!(clock_histories.checkpoint(), 7);
    drop(clock_histories);
    assert_eq!(opened(&folder).checkpoint(), 7);
}

#[test]
fn a_batch_that_fails_half_way_leaves_clock_history_book_and_checkpoint_as_they_were() {
    let facts = some_history();
    let (early, late) = facts.split_at(facts.len() / 2);
    let (folder, clock_histories) = filled(early);
    let (before, registry, checkpoint) =
        (dumped(&clock_histories), clock_histories.registry(), clock_histories.checkpoint());
    let outsider = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    outsider
        .execute_batch(
            "CREATE TRIGGER broken BEFORE UPDATE ON state BEGIN SELECT RAISE(ABORT, 'the disk is full, say'); END",
        )
        .unwrap();
    assert!(matches!(clock_histories.apply(late, head(&facts)), Err(ReadModelError::Unavailable(_))));
    assert_eq!(
        (dumped(&clock_histories), clock_histories.registry(), clock_histories.checkpoint()),
        (before, registry, checkpoint)
    );

    outsider.execute_batch("DROP TRIGGER broken").unwrap();
    clock_histories.apply(late, head(&facts)).unwrap();
    let (_folder, rebuilt) = filled(&facts);
    assert_eq!(dumped(&clock_histories), dumped(&rebuilt));
    assert_eq!(clock_histories.registry(), rebuilt.registry());
}

#[test]
fn a_deleted_an_unreadable_and_an_older_file_are_rebuilt() {
    let facts = some_history();
    let (folder, clock_histories) = filled(&facts);
    let (whole, registry) = (dumped(&clock_histories), clock_histories.registry());
    drop(clock_histories);
    let path = folder.path().join(FILE_NAME);
    let tampered = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let spoil: [&dyn Fn(); 6] = [
        &|| fs::remove_file(&path).unwrap(),
        &|| fs::write(&path, b"this is no database, and long enough to be sure of it").unwrap(),
        &|| fs::write(&path, b"").unwrap(),
        &|| tampered("UPDATE state SET view_version = 1"),
        &|| tampered("DROP TABLE state"),
        &|| tampered("UPDATE publication SET json = '{}' WHERE position = (SELECT max(position) FROM publication)"),
    ];
    for (case, spoil) in spoil.iter().enumerate() {
        spoil();
        let clock_histories = opened(&folder);
        assert_eq!(
            (clock_histories.checkpoint(), &*clock_histories.registry()),
            (0, &PolicyRegistry::default()),
            "case {case}"
        );
        clock_histories.apply(&facts, head(&facts)).unwrap();
        assert_eq!(
            (dumped(&clock_histories), clock_histories.registry()),
            (whole.clone(), Arc::clone(&registry)),
            "case {case}"
        );
    }
}

#[test]
fn a_clock_history_that_breaks_under_way_is_named_and_all_is_rebuilt_at_the_next_start() {
    let (folder, clock_histories) = filled(&some_history());
    let outsider = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    outsider.execute_batch("UPDATE clock_history SET json = 'rubbish'").unwrap();
    let ever = (Timestamp::MIN_UTC, Timestamp::MAX_UTC);
    let scanned = clock_histories.received(ever.0, ever.1, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(scanned, Err(ReadModelError::Corrupt(_))));
    assert!(clock_histories.checkpoint() > 0);
    drop((clock_histories, outsider));
    assert!(folder.path().join("promises.damaged").exists());
    assert_eq!(opened(&folder).checkpoint(), 0);
    assert!(!folder.path().join("promises.damaged").exists());
}

#[test]
fn clock_histories_that_start_over_are_empty_and_take_the_log_again() {
    let facts = some_history();
    let (_folder, clock_histories) = filled(&facts);
    let (whole, registry) = (dumped(&clock_histories), clock_histories.registry());
    clock_histories.start_over().unwrap();
    let (position, told, found) = clock_histories.in_flight().unwrap();
    assert_eq!((clock_histories.checkpoint(), position, told.editions().len(), found.len()), (0, 0, 0, 0));
    assert_eq!(clock_histories.registry(), told);
    clock_histories.apply(&facts, 0).unwrap();
    assert_eq!((dumped(&clock_histories), clock_histories.registry()), (whole, registry));
}

#[test]
fn questions_use_their_index_and_sort_nothing() {
    let (folder, clock_histories) = filled(&[]);
    drop(clock_histories);
    let connection = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let bound = vec![rusqlite::types::Value::Integer(1); statement.parameter_count()];
        let lines = statement.query_map(rusqlite::params_from_iter(bound), |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let page = plan(question::PAGE);
    assert!(
        page.contains("SEARCH clock_history USING INDEX clock_history_received") && !page.contains("TEMP B-TREE"),
        "{page}"
    );
    let in_flight = plan(question::IN_FLIGHT);
    assert!(in_flight.contains("USING INDEX clock_history_open"), "{in_flight}");
    assert!(in_flight.contains("USING INDEX clock_history_ended") && !in_flight.contains("TEMP B-TREE"), "{in_flight}");
}
