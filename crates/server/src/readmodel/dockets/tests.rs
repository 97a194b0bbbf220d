//! The dockets against their reference: the same folds and the same book; rebuilt, reopened, damaged, interrupted. Scans are
//! tested in `scans`.

mod chance;
mod scans;

use std::{collections::BTreeMap, fs};

use proptest::{prelude::*, strategy::ValueTree, test_runner::Config};
use rusqlite::Connection;
use switchboard_domain::{decider::Recorded, ticket::Event};
use tempfile::TempDir;

use super::{form::FILE_NAME, *};

type Facts = Vec<Arc<Fact>>;

fn opened(folder: &TempDir) -> Dockets {
    Dockets::open(folder.path()).unwrap()
}

fn filled(facts: &[Arc<Fact>]) -> (TempDir, Dockets) {
    let folder = TempDir::new().unwrap();
    let dockets = opened(&folder);
    dockets.apply(facts, 0).unwrap();
    (folder, dockets)
}

fn head(facts: &[Arc<Fact>]) -> u64 {
    facts.last().map_or(0, |fact| fact.position())
}

/// Every docket with the position of the last fact that changed it, and the book.
fn folded(facts: &[Arc<Fact>]) -> (BTreeMap<TicketId, (Docket, u64)>, Book) {
    let (mut dockets, mut book) = (BTreeMap::<TicketId, (Docket, u64)>::new(), Book::default());
    for fact in facts {
        match &**fact {
            Fact::Ticket(fact) => {
                let mut docket = dockets.get(&fact.id).map_or(Docket::new(fact.id), |(docket, _)| docket.clone());
                if docket.take(fact) {
                    dockets.insert(fact.id, (docket, fact.position));
                }
            }
            Fact::Promise(fact) => {
                if let Some((docket, position)) = dockets.get_mut(&fact.id) {
                    docket.said.take(&fact.event);
                    *position = fact.position;
                }
            }
            Fact::Policy(fact) => book.take_policy(fact),
            Fact::Year(fact) => book.take_year(fact),
            Fact::Crew(_) => {}
        }
    }
    (dockets, book)
}

fn dumped(dockets: &Dockets) -> Vec<String> {
    let mut lines = Vec::new();
    dockets.dump(&mut |line| lines.push(line.to_owned())).unwrap();
    lines
}

/// Some history with tickets, things said of them, and several publications in either half of it; the same in every run.
fn some_history() -> Facts {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    loop {
        let facts = chance::history(8, 200, 1..3).new_tree(&mut runner).unwrap().current();
        let (early, late) = facts.split_at(facts.len() / 2);
        let rich = |facts: &[Arc<Fact>]| {
            let (dockets, book) = folded(facts);
            book.editions().len() > 2 && dockets.values().filter(|(docket, _)| !docket.said.is_empty()).count() > 1
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
    fn dockets_that_lived_through_it_equal_ones_rebuilt_from_zero_byte_for_byte(
        facts in chance::history(6, 120, 1..3), batch in 1usize..20, reopen_every in 1usize..6,
    ) {
        let lived = TempDir::new().unwrap();
        let mut dockets = opened(&lived);
        for (index, batch) in facts.chunks(batch).enumerate() {
            if index % reopen_every == reopen_every - 1 {
                drop(dockets);
                dockets = opened(&lived);
            }
            dockets.apply(batch, 0).unwrap();
        }
        let (_folder, rebuilt) = filled(&facts);
        prop_assert_eq!(dumped(&dockets), dumped(&rebuilt));
        prop_assert_eq!(dockets.book(), rebuilt.book());
        prop_assert_eq!(dockets.checkpoint(), head(&facts));
    }

    #[test]
    fn every_docket_is_the_fold_of_its_facts_and_the_book_that_of_the_publications(
        facts in chance::history(6, 120, 1..3), batch in 1usize..20,
    ) {
        let folder = TempDir::new().unwrap();
        let dockets = opened(&folder);
        for batch in facts.chunks(batch) {
            dockets.apply(batch, 0).unwrap();
        }
        let (wanted, book) = folded(&facts);
        prop_assert_eq!(&*dockets.book(), &book);
        drop(dockets);
        let dockets = opened(&folder);
        prop_assert_eq!(&*dockets.book(), &book);
        for id in (0..7).map(chance::ticket) {
            let found = dockets.get(id).unwrap();
            prop_assert_eq!(found.as_ref(), wanted.get(&id).map(|(docket, _)| docket));
        }
    }

    #[test]
    fn facts_offered_again_alone_or_before_new_ones_change_nothing(
        facts in chance::history(6, 80, 1..3), known in 0usize..80, from in 0usize..80,
    ) {
        let known = known.min(facts.len());
        let (_folder, dockets) = filled(&facts[..known]);
        dockets.apply(&facts[from.min(known)..], 0).unwrap();
        let (_folder, rebuilt) = filled(&facts);
        prop_assert_eq!(dumped(&dockets), dumped(&rebuilt));
        dockets.apply(&facts, 0).unwrap();
        prop_assert_eq!(dumped(&dockets), dumped(&rebuilt));
        prop_assert_eq!(dockets.book(), rebuilt.book());
    }

    #[test]
    fn in_flight_is_what_is_not_over_and_what_ended_of_late(
        facts in chance::history(30, 150, 1..4_000), beyond in 0u64..200_000,
    ) {
        let (_folder, dockets) = filled(&facts);
        dockets.apply(&[], head(&facts) + beyond).unwrap();
        let (all, book) = folded(&facts);
        let checkpoint = head(&facts) + beyond;
        let wanted = |(docket, last): &(Docket, u64)| !docket.is_over() || last + RECENT_FACTS > checkpoint;
        let wanted: BTreeMap<TicketId, Docket> =
            all.into_iter().filter(|(_, found)| wanted(found)).map(|(id, (docket, _))| (id, docket)).collect();

        let (position, told, found) = dockets.in_flight().unwrap();
        prop_assert_eq!((position, &*told), (checkpoint, &book));
        prop_assert_eq!(found.len(), wanted.len());
        prop_assert_eq!(found.into_iter().map(|docket| (docket.id, docket)).collect::<BTreeMap<_, _>>(), wanted);
    }
}

#[test]
fn what_a_watch_resumes_from_is_of_one_instant_whatever_is_at_hand() {
    let facts = some_history();
    let (early, late) = facts.split_at(facts.len() / 2);
    let (folder, dockets) = filled(early);
    // A second hand on the file stands for a step that is committed and of which memory does not know yet.
    opened(&folder).apply(late, 0).unwrap();
    assert_eq!((dockets.checkpoint(), &*dockets.book()), (head(early), &folded(early).1));

    let (position, book, found) = dockets.in_flight().unwrap();
    let (wanted, published) = folded(&facts);
    assert_eq!((position, &*book), (head(&facts), &published));
    assert_eq!(found.len(), wanted.len());
    assert!(found.iter().all(|docket| wanted[&docket.id].0 == *docket));
}

#[test]
fn an_ended_ticket_is_in_flight_for_so_many_facts_and_no_longer() {
    let (_folder, dockets) = filled(&received_and_withdrawn());
    let in_flight = |upto| {
        dockets.apply(&[], upto).unwrap();
        let (position, _, found) = dockets.in_flight().unwrap();
        assert_eq!(position, upto);
        found.len()
    };
    assert_eq!(in_flight(3), 1);
    assert_eq!(in_flight(1 + RECENT_FACTS), 1);
    assert_eq!(in_flight(2 + RECENT_FACTS), 0);
}

#[test]
fn the_checkpoint_moves_on_without_facts_and_never_back() {
    let (folder, dockets) = filled(&[]);
    assert_eq!(dockets.checkpoint(), 0);
    dockets.apply(&[], 7).unwrap();
    dockets.apply(&[], 3).unwrap();
    assert_eq!(dockets.checkpoint(), 7);
    drop(dockets);
    assert_eq!(opened(&folder).checkpoint(), 7);
}

#[test]
fn a_batch_that_fails_half_way_leaves_dockets_book_and_checkpoint_as_they_were() {
    let facts = some_history();
    let (early, late) = facts.split_at(facts.len() / 2);
    let (folder, dockets) = filled(early);
    let (before, book, checkpoint) = (dumped(&dockets), dockets.book(), dockets.checkpoint());
    let outsider = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    outsider
        .execute_batch(
            "CREATE TRIGGER broken BEFORE UPDATE ON state BEGIN SELECT RAISE(ABORT, 'the disk is full, say'); END",
        )
        .unwrap();
    assert!(matches!(dockets.apply(late, head(&facts)), Err(ReadModelError::Unavailable(_))));
    assert_eq!((dumped(&dockets), dockets.book(), dockets.checkpoint()), (before, book, checkpoint));

    outsider.execute_batch("DROP TRIGGER broken").unwrap();
    dockets.apply(late, head(&facts)).unwrap();
    let (_folder, rebuilt) = filled(&facts);
    assert_eq!(dumped(&dockets), dumped(&rebuilt));
    assert_eq!(dockets.book(), rebuilt.book());
}

#[test]
fn a_deleted_an_unreadable_and_an_older_file_are_rebuilt() {
    let facts = some_history();
    let (folder, dockets) = filled(&facts);
    let (whole, book) = (dumped(&dockets), dockets.book());
    drop(dockets);
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
        let dockets = opened(&folder);
        assert_eq!((dockets.checkpoint(), &*dockets.book()), (0, &Book::default()), "case {case}");
        dockets.apply(&facts, head(&facts)).unwrap();
        assert_eq!((dumped(&dockets), dockets.book()), (whole.clone(), Arc::clone(&book)), "case {case}");
    }
}

#[test]
fn a_docket_that_breaks_under_way_is_named_and_all_is_rebuilt_at_the_next_start() {
    let (folder, dockets) = filled(&some_history());
    let outsider = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    outsider.execute_batch("UPDATE docket SET json = 'rubbish'").unwrap();
    let ever = (Timestamp::MIN_UTC, Timestamp::MAX_UTC);
    let scanned = dockets.received(ever.0, ever.1, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(scanned, Err(ReadModelError::Corrupt(_))));
    assert!(dockets.checkpoint() > 0);
    drop((dockets, outsider));
    assert!(folder.path().join("promises.damaged").exists());
    assert_eq!(opened(&folder).checkpoint(), 0);
    assert!(!folder.path().join("promises.damaged").exists());
}

#[test]
fn dockets_that_start_over_are_empty_and_take_the_log_again() {
    let facts = some_history();
    let (_folder, dockets) = filled(&facts);
    let (whole, book) = (dumped(&dockets), dockets.book());
    dockets.start_over().unwrap();
    let (position, told, found) = dockets.in_flight().unwrap();
    assert_eq!((dockets.checkpoint(), position, told.editions().len(), found.len()), (0, 0, 0, 0));
    assert_eq!(dockets.book(), told);
    dockets.apply(&facts, 0).unwrap();
    assert_eq!((dumped(&dockets), dockets.book()), (whole, book));
}

#[test]
fn questions_use_their_index_and_sort_nothing() {
    let (folder, dockets) = filled(&[]);
    drop(dockets);
    let connection = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let bound = vec![rusqlite::types::Value::Integer(1); statement.parameter_count()];
        let lines = statement.query_map(rusqlite::params_from_iter(bound), |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let page = plan(question::PAGE);
    assert!(page.contains("SEARCH docket USING INDEX docket_received") && !page.contains("TEMP B-TREE"), "{page}");
    let in_flight = plan(question::IN_FLIGHT);
    assert!(in_flight.contains("USING INDEX docket_open"), "{in_flight}");
    assert!(in_flight.contains("SEARCH docket USING INDEX docket_ended (last_position>?)"), "{in_flight}");
}
