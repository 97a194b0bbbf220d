//! Random histories of appends and reopenings: SQLite answers and contains exactly what the memory implementation does.

use proptest::prelude::*;
use switchboard_eventstore::{
    AppendError, Appended, EventStore, Expected, Locate, MemoryStore, NewEvent, Position, Revision, SqliteOptions,
    SqliteStore,
};
use uuid::Uuid;

use crate::stage::{all, count, name};

#[derive(Debug, Clone)]
enum Step {
    Append { stream: u8, expected: Wish, ids: Vec<u16>, bytes: usize },
    Together { stream: u8, appends: u8 },
    Reopen,
}

#[derive(Debug, Clone)]
enum Wish {
    Any,
    NoStream,
    Exists,
    Right,
    Wrong(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let wish = prop_oneof![
        4 => Just(Wish::Any),
        1 => Just(Wish::NoStream),
        1 => Just(Wish::Exists),
        4 => Just(Wish::Right),
        1 => (0_u64..9).prop_map(Wish::Wrong),
    ];
    // Few ids, so that duplicates are frequent.
    let append = (0_u8..6, wish, prop::collection::vec(0_u16..400, 1..6), 0_usize..700)
        .prop_map(|(stream, expected, ids, bytes)| Step::Append { stream, expected, ids, bytes });
    prop_oneof![
        20 => append,
        2 => (0_u8..6, 2_u8..20).prop_map(|(stream, appends)| Step::Together { stream, appends }),
        1 => Just(Step::Reopen),
    ]
}

fn events(ids: &[u16], bytes: usize) -> Vec<NewEvent> {
    ids.iter()
        .map(|&id| NewEvent {
            id: Uuid::from_u128(u128::from(id) << 64),
            kind: format!("kind{}.v1", id % 11).into(),
            data: vec![u8::try_from(id % 251).unwrap(); bytes],
            meta: id.to_be_bytes().to_vec(),
        })
        .collect()
}

/// The part of an answer that can be compared.
fn told(answer: Result<Appended, AppendError>) -> String {
    format!("{answer:?}")
}

async fn live_through(steps: Vec<Step>) {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryStore::new();
    let options = || SqliteOptions::default();
    let mut sqlite = SqliteStore::open(folder.path(), options()).unwrap();
    for step in steps {
        match step {
            Step::Append { stream, expected, ids, bytes } => {
                let stream = name(&format!("ticket-{stream}"));
                let len = memory.read_stream(&stream, Revision::FIRST, usize::MAX).await.unwrap().len() as u64;
                let expected = match expected {
                    Wish::Any => Expected::Any,
                    Wish::NoStream => Expected::NoStream,
                    Wish::Exists => Expected::Exists,
                    Wish::Right if len == 0 => Expected::NoStream,
                    Wish::Right => Expected::Revision(Revision(len - 1)),
                    Wish::Wrong(revision) => Expected::Revision(Revision(revision)),
                };
                let given = events(&ids, bytes);
                let wanted = told(memory.append(&stream, expected, given.clone()).await);
                assert_eq!(told(sqlite.append(&stream, expected, given).await), wanted);
            }
            Step::Together { stream, appends } => {
                // Polled in order by one task, so they queue in order and mostly share a batch.
                let stream = name(&format!("ticket-{stream}"));
                let given: Vec<_> = (0..appends).map(|n| events(&[400 + u16::from(n)], 9)).collect();
                let batch = given.iter().map(|given| sqlite.append(&stream, Expected::Any, given.clone()));
                let found = futures::future::join_all(batch).await;
                for (given, found) in given.iter().zip(found) {
                    assert_eq!(told(found), told(memory.append(&stream, Expected::Any, given.clone()).await));
                }
            }
            Step::Reopen => {
                drop(sqlite);
                sqlite = SqliteStore::open(folder.path(), options()).unwrap();
            }
        }
        assert_eq!(sqlite.head(), memory.head());
    }
    compare(&sqlite, &memory).await;
    drop(sqlite);
    let report = SqliteStore::check(folder.path(), |_, _| {}).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.head, memory.head());
    compare(&SqliteStore::open(folder.path(), options()).unwrap(), &memory).await;
}

async fn compare(sqlite: &SqliteStore, memory: &MemoryStore) {
    let wanted = all(memory).await.unwrap();
    assert_eq!(all(sqlite).await.unwrap(), wanted);
    for n in 0..6 {
        let stream = name(&format!("ticket-{n}"));
        let of_stream = memory.read_stream(&stream, Revision(1), 50).await.unwrap();
        assert_eq!(sqlite.read_stream(&stream, Revision(1), 50).await.unwrap(), of_stream);
    }
    for event in wanted.iter().step_by(7) {
        assert_eq!(sqlite.locate(event.id).await.unwrap().as_ref(), Some(event));
    }
    assert_eq!(sqlite.head(), wanted.last().map_or(Position::START, |event| event.position));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: count("SWITCHBOARD_HISTORIES", 24), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_and_memory_live_through_the_same_history(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_through(steps));
    }
}
