//! The cost of a step does not depend on the number of tickets: no step iterates over a map of all tickets or crews.

use super::*;
use crate::cow_map::visits;

fn numbered(n: usize) -> TicketId {
    TicketId(Uuid::from_u128(1_000 + n as u128))
}

/// Adds this many tickets at the station, with or without a position, and lets the process settle them.
fn tale(mut tale: Tale, tickets: usize, location: Option<(i32, i32)>) -> Tale {
    for n in 0..tickets {
        tale.at_the_station(numbered(n), located(location));
    }
    for _ in 0..tickets {
        tale.process.pending(tale.now, 0);
    }
    tale
}

fn located(location: Option<(i32, i32)>) -> Received {
    let received = received();
    Received { place: Place { location_e6: location, ..received.place.clone() }, ..received }
}

fn without_crews() -> Tale {
    Tale { process: Dispatch::new(Policy::default()), log: Vec::new(), now: dawn() }
}

/// The number of entries of maps of all tickets or crews that the steps after `news` visit.
fn visited(tale: &mut Tale, news: impl FnOnce(&mut Tale)) -> u64 {
    let before = visits::count();
    news(tale);
    for _ in 0..40 {
        tale.process.pending(tale.now, 0);
        tale.now += TimeDelta::seconds(1);
    }
    visits::count() - before
}

#[test]
fn a_step_goes_through_no_map_of_all_tickets_or_crews() {
    for location in [None, Some((30_300_000, 120_000_000))] {
        for crews in [Tale::with_crews, without_crews] {
            let mut tale = tale(crews(), 60, location);
            let another = |tale: &mut Tale| tale.at_the_station(ticket(), located(location));
            assert_eq!(visited(&mut tale, another), 0, "a ticket comes");
            let waits = Suspended { reason: SuspendReason::Customer, until: None, note: None };
            assert_eq!(visited(&mut tale, |tale| tale.of_ticket(numbered(7), waits)), 0, "a ticket waits");
        }
    }
}

#[test]
fn a_crew_that_joins_the_roster_goes_through_no_map_of_all_tickets() {
    let mut tale = tale(Tale::with_crews(), 60, Some((30_300_000, 120_000_000)));
    assert_eq!(visited(&mut tale, |tale| tale.enrol(3)), 0);
}
