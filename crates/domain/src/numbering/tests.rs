//! Blocks of numbers by example, and the property that no number is reserved twice.

use proptest::{prop_assert, prop_assert_eq};

use super::*;
use crate::{
    actor::{Actor, Role},
    chance::{self, Dice},
    organisation::OrgPath,
    rules::Rules,
};

/// Reserves a block when `last` is the last reserved number.
fn reserve(last: u32, count: u32) -> Result<Vec<Reserved>, Exhausted> {
    let actor = Actor { id: "engine".into(), role: Role::System, org: OrgPath::parse("sgcc").unwrap() };
    let now = Timestamp::UNIX_EPOCH;
    let (request_id, rules) = (uuid::Uuid::nil(), &Rules::default());
    let cx = Context { now, occurred_at: now, actor: &actor, request_id, rules };
    Numbering::decide(&last, &Reserve { count }, &cx)
}

fn block(first: u32, last: u32) -> Result<Vec<Reserved>, Exhausted> {
    Ok(vec![Reserved { first, last }])
}

#[test]
fn a_day_begins_with_number_one() {
    assert_eq!(reserve(Numbering::initial(), 100), block(1, 100));
    assert_eq!(reserve(100, 1), block(101, 101));
}

#[test]
fn a_block_is_neither_empty_nor_too_large() {
    assert_eq!(reserve(0, 0), Err(Exhausted::Count));
    assert_eq!(reserve(0, BLOCK_NUMBERS_MAX + 1), Err(Exhausted::Count));
    assert_eq!(reserve(0, BLOCK_NUMBERS_MAX), block(1, BLOCK_NUMBERS_MAX));
}

#[test]
fn a_day_ends_with_the_last_number_of_eight_digits() {
    assert_eq!(reserve(NUMBERS_PER_DAY_MAX - 1, 1), block(NUMBERS_PER_DAY_MAX, NUMBERS_PER_DAY_MAX));
    assert_eq!(reserve(NUMBERS_PER_DAY_MAX - 1, 2), Err(Exhausted::Day), "a block is never cut short");
    assert_eq!(reserve(NUMBERS_PER_DAY_MAX, 1), Err(Exhausted::Day));
    assert_eq!(reserve(u32::MAX, 1), Err(Exhausted::Day), "whatever the log holds");
}

#[test]
fn a_number_shows_its_date_and_eight_digits() {
    assert_eq!(format("20261121", 42), "2026112100000042");
    assert_eq!(format("20261121", NUMBERS_PER_DAY_MAX), "2026112199999999");
}

#[test]
fn no_number_is_handed_out_twice_and_none_is_left_out() {
    let counts = |rolls: &[u64]| -> Vec<u32> {
        rolls.iter().map(|&roll| Dice::of(roll).below(BLOCK_NUMBERS_MAX as usize + 2) as u32).collect()
    };
    chance::always(
        60,
        |rolls| {
            let mut last = Numbering::initial();
            for count in counts(rolls) {
                let reserved = reserve(last, count);
                prop_assert_eq!(reserved.is_ok(), (1..=BLOCK_NUMBERS_MAX).contains(&count));
                for block in reserved.iter().flatten() {
                    prop_assert_eq!(block.first, last + 1);
                    prop_assert_eq!(block.last - block.first + 1, count);
                    last = Numbering::evolve(last, block, Timestamp::UNIX_EPOCH);
                    prop_assert!(last == block.last && last <= NUMBERS_PER_DAY_MAX);
                }
            }
            Ok(())
        },
        |rolls| format!("{:?}", counts(rolls)),
    );
}
