//! Scans of the clock histories: the tickets of a period, in order, across page boundaries, while rows are written.

use std::collections::BTreeSet;

use super::*;

/// The sort key of a scan.
fn key(clock_history: &ClockHistory) -> (i64, u64) {
    (clock_history.events[0].at.timestamp_micros(), clock_history.events[0].position)
}

fn last_at(clock_history: &ClockHistory) -> Timestamp {
    clock_history.events.iter().map(|clock_event| clock_event.at.max(clock_event.recorded)).max().unwrap()
}

/// The clock histories of `facts` for which `wanted` is true, in the order of their receipt.
fn wanted(facts: &[Arc<Fact>], wanted: impl Fn(&ClockHistory) -> bool) -> Vec<ClockHistory> {
    let (clock_histories, _) = folded(facts);
    let mut found: Vec<ClockHistory> =
        clock_histories.into_values().map(|(clock_history, _)| clock_history).filter(wanted).collect();
    found.sort_by_key(key);
    found
}

fn ever() -> Range {
    Range::received(Timestamp::MIN_UTC, Timestamp::MAX_UTC)
}

proptest! {
    #![proptest_config(Config::with_cases(64))]

    #[test]
    fn a_scan_gives_what_the_period_holds_in_order(
        facts in chance::history(40, 150, 1..3),
        from in switchboard_views::random::instant(), to in switchboard_views::random::instant(), rows in 1usize..6,
    ) {
        let (_folder, clock_histories) = filled(&facts);
        let scanned = |range: &Range| {
            let mut found = Vec::new();
            let begun = clock_histories.scan(range, rows, &mut |clock_history| {
                found.push(clock_history);
                ControlFlow::Continue(())
            });
            assert_eq!(begun.unwrap(), head(&facts));
            found
        };
        let received = wanted(&facts, |clock_history| clock_history.events[0].at >= from && clock_history.events[0].at < to);
        prop_assert_eq!(scanned(&Range::received(from, to)), received);
        let touched = wanted(&facts, |clock_history| clock_history.events[0].at < to && (last_at(clock_history) >= from || !clock_history.is_over()));
        prop_assert_eq!(scanned(&Range::touching(from, to)), touched);
    }

    #[test]
    fn a_scan_misses_and_repeats_nothing_while_rows_are_written(
        facts in chance::history(40, 200, 1..3), known in 1usize..100, batch in 1usize..20, rows in 1usize..6,
        from in switchboard_views::random::instant(),
    ) {
        let since = (Range::touching(from, Timestamp::MAX_UTC), from);
        for (range, from) in [(ever(), Timestamp::MIN_UTC), since] {
            let (before, later) = facts.split_at(known.min(facts.len()));
            let (_folder, clock_histories) = filled(before);
            let mut batches = later.chunks(batch);
            let mut found: Vec<ClockHistory> = Vec::new();
            let begun = clock_histories.scan(&range, rows, &mut |clock_history| {
                found.push(clock_history);
                // No lock is held while a clock history is passed, so the same thread can write.
                if let Some(batch) = batches.next() {
                    clock_histories.apply(batch, 0).unwrap();
                }
                ControlFlow::Continue(())
            });
            prop_assert_eq!(begun.unwrap(), head(before));
            prop_assert!(found.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])), "in order, and nothing twice");
            let given: BTreeMap<TicketId, ClockHistory> = found.into_iter().map(|clock_history| (clock_history.id, clock_history)).collect();
            let (at_first, at_last) = (folded(before).0, folded(&facts).0);
            for (id, clock_history) in &given {
                let whole = &at_last[id].0.events;
                prop_assert_eq!(&clock_history.events[..], &whole[..clock_history.events.len()]);
                prop_assert!(at_first.get(id).is_none_or(|(known, _)| clock_history.events.len() >= known.events.len()));
            }
            for (id, _) in at_first.iter().filter(|(_, (clock_history, _))| last_at(clock_history) >= from) {
                prop_assert!(given.contains_key(id), "{id:?} was there and is missing");
            }
        }
    }
}

/// This many tickets, received four at a time.
fn crowd(tickets: u16) -> Facts {
    let first = received_and_withdrawn().swap_remove(0);
    let Fact::Ticket(first) = &*first else { panic!("a ticket's fact") };
    let fact = |n: u16| {
        let occurred_at = first.occurred_at + chrono::TimeDelta::seconds(i64::from(n / 4));
        let position = u64::from(n) + 1;
        let fact =
            switchboard_domain::fact::TicketFact { position, id: chance::ticket(n), occurred_at, ..first.clone() };
        Arc::new(Fact::Ticket(fact))
    };
    (0..tickets).map(fact).collect()
}

#[test]
fn whole_pages_join_without_a_seam() {
    let tickets = 2 * u16::try_from(SCAN_ROWS).unwrap();
    for tickets in [tickets - 1, tickets, tickets + 1] {
        let facts = crowd(tickets);
        let (_folder, clock_histories) = filled(&facts);
        let mut found = Vec::new();
        clock_histories
            .received(Timestamp::MIN_UTC, Timestamp::MAX_UTC, &mut |clock_history| {
                found.push(clock_history.id);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(found, (0..tickets).map(chance::ticket).collect::<Vec<_>>());
    }
}

#[test]
fn a_period_holds_its_first_instant_and_not_its_last() {
    let facts = crowd(12);
    let (_folder, clock_histories) = filled(&facts);
    let instant = |n: usize| facts[n].ticket().unwrap().occurred_at;
    let count = |from, to| {
        let mut found = 0;
        clock_histories
            .received(from, to, &mut |_| {
                found += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        found
    };
    assert_eq!(count(instant(0), instant(4)), 4);
    assert_eq!(count(instant(4), instant(11)), 4);
    assert_eq!((count(instant(4), instant(4)), count(instant(11), instant(0))), (0, 0));
}

#[test]
fn a_scan_ends_where_it_is_broken_off() {
    let (_folder, clock_histories) = filled(&crowd(10));
    let mut found = 0;
    let begun = clock_histories.touching(Timestamp::MIN_UTC, Timestamp::MAX_UTC, &mut |_| {
        found += 1;
        if found == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((begun.unwrap(), found), (10, 3));
}

#[test]
fn many_scan_while_one_writes() {
    let facts = crowd(400);
    let (_folder, clock_histories) = filled(&facts[..1]);
    std::thread::scope(|scope| {
        let scanning: Vec<_> = (0..6)
            .map(|_| {
                let (clock_histories, head) = (clock_histories.clone(), head(&facts));
                scope.spawn(move || {
                    let mut begun = 0;
                    while begun < head {
                        let mut found = Vec::new();
                        let mut note = |clock_history: ClockHistory| {
                            found.push(clock_history.events[0].position);
                            ControlFlow::Continue(())
                        };
                        begun = clock_histories.scan(&ever(), 7, &mut note).unwrap();
                        let distinct: BTreeSet<u64> = found.iter().copied().collect();
                        assert_eq!(distinct.len(), found.len());
                        assert!((1..=begun).all(|position| distinct.contains(&position)));
                    }
                })
            })
            .collect();
        for batch in facts[1..].chunks(9) {
            clock_histories.apply(batch, 0).unwrap();
        }
        scanning.into_iter().for_each(|scanning| scanning.join().unwrap());
    });
}
