//! Ticket numbers: unique across engines and restarts, taken from recorded blocks, dated by the day in China.

use std::collections::HashSet;

use switchboard_domain::{Timestamp, numbering::Reserved};
use switchboard_engine::numbers::Numbers;
use switchboard_wire::stored::Stored;

use crate::house::{House, agent, at};

fn numbers(house: &House) -> Numbers {
    Numbers::new(house.aggregates(), agent())
}

async fn next(numbers: &Numbers, at: Timestamp) -> String {
    let mut day = numbers.day(at).await;
    match day.take() {
        Some(number) => number,
        None => day.reserve().await.unwrap(),
    }
}

/// The reserved blocks in the order of the log, each with its day.
async fn blocks(house: &House) -> Vec<(String, Reserved)> {
    let log = house.log().await;
    log.iter().map(|raw| (raw.stream.id().to_owned(), Reserved::read(&raw.kind, &raw.data).unwrap())).collect()
}

#[tokio::test]
async fn no_number_is_given_twice_by_two_engines_and_after_a_restart() {
    let house = House::new();
    let noon = at("2026-11-21T04:00:00Z");
    let mut given = HashSet::new();
    for _ in 0..3 {
        let (one, other) = (numbers(&house), numbers(&house));
        for _ in 0..150 {
            for numbers in [&one, &other] {
                let number = next(numbers, noon).await;
                assert_eq!((number.len(), &number[..8]), (16, "20261121"));
                assert!(given.insert(number.clone()), "{number} was given before");
            }
        }
    }
    assert_eq!(given.len(), 900);
    let blocks = blocks(&house).await;
    let mut reserved_up_to = 0;
    for (_, block) in &blocks {
        assert_eq!(block.first, reserved_up_to + 1, "blocks follow each other without a gap");
        reserved_up_to = block.last;
    }
    let highest = given.iter().map(|number| number[8..].parse::<u32>().unwrap()).max().unwrap();
    assert!(highest <= reserved_up_to, "a number is given only from a block in the log");
}

#[tokio::test]
async fn a_block_is_one_fact_and_serves_many_tickets() {
    let house = House::new();
    let numbers = numbers(&house);
    let noon = at("2026-11-21T04:00:00Z");
    assert_eq!(next(&numbers, noon).await, "2026112100000001");
    assert_eq!(next(&numbers, noon).await, "2026112100000002");
    assert_eq!(blocks(&house).await, [("20261121".to_owned(), Reserved { first: 1, last: 64 })]);
    for _ in 0..63 {
        next(&numbers, noon).await;
    }
    assert_eq!(blocks(&house).await[1..], [("20261121".to_owned(), Reserved { first: 65, last: 192 })]);
    // A restart abandons the rest of the block.
    assert_eq!(next(&crate::numbers::numbers(&house), noon).await, "2026112100000193");
}

#[tokio::test]
async fn the_day_begins_at_midnight_in_china() {
    let house = House::new();
    let numbers = numbers(&house);
    for (instant, number) in [
        ("2026-11-21T15:59:59.999999Z", "2026112100000001"),
        ("2026-11-21T16:00:00Z", "2026112200000001"),
        ("2026-11-21T15:00:00Z", "2026112100000002"),
        ("2026-12-31T16:00:00Z", "2027010100000001"),
    ] {
        assert_eq!(next(&numbers, at(instant)).await, number);
    }
}

#[tokio::test]
async fn callers_at_once_share_a_block_and_get_a_number_each() {
    let house = House::new();
    let numbers = numbers(&house);
    let noon = at("2026-11-21T04:00:00Z");
    let given: HashSet<_> =
        futures::future::join_all((0..64).map(|_| next(&numbers, noon))).await.into_iter().collect();
    assert_eq!((given.len(), blocks(&house).await.len()), (64, 1));
}
