//! Parallel offers, exclusions, diversions, patience and explanations.

use super::*;
use crate::{
    board::{Board, LiveOffer},
    policy::Offers,
};
use switchboard_domain::crew::OfferId;

fn live(n: u32, crew: u32) -> LiveOffer {
    LiveOffer { offer: OfferId::of(ticket(n), 1), crew: crew_id(crew), lease_until: at(3), because: 4 }
}

fn reserve(board: &mut Board, n: u32, of: u32) {
    let reserved = Reserved {
        offer: OfferId::of(ticket(n), 1),
        ticket: ticket(n),
        fence: 2,
        lease_until: at(3),
        priority: true,
        forced: None,
        because: 3,
    };
    board.crews.get_mut(&crew_id(of)).unwrap().reserved = Some(reserved);
}

/// A planner with two parallel offers per ticket that has settled the board.
fn with_second_offers(board: &Board) -> Planner {
    let offers = Offers { parallel_max: 2, ..Offers::default() };
    let mut planner = Planner::new(Policy { offers, ..Policy::default() });
    planner.settle(board, at(0));
    planner
}

#[test]
fn a_priority_is_offered_to_a_second_crew_and_to_no_third() {
    let mut hospital = job(1, 0.0);
    hospital.concerns.important = true;
    hospital.offers = vec![live(1, 1)];
    let mut board = board([crew(1, 0.0), crew(2, 2.0), crew(3, 9.0)], [hospital]);
    reserve(&mut board, 1, 1);
    let mut planner = with_second_offers(&board);
    let second = planner.proposals(&board, at(0), 10);
    assert_eq!(second.iter().map(|p| p.crew.clone()).collect::<Vec<_>>(), [crew_id(2)]);
    board.jobs.get_mut(&ticket(1)).unwrap().offers.push(live(1, 2));
    reserve(&mut board, 1, 2);
    planner.job_changed(ticket(1));
    planner.crew_changed(&crew_id(2));
    assert_eq!(planner.proposals(&board, at(0), 10), []);
}

#[test]
fn an_ordinary_job_is_offered_to_a_second_crew_only_after_an_offer_lapsed() {
    let mut ordinary = job(1, 0.0);
    ordinary.offers = vec![live(1, 1)];
    let mut board = board([crew(1, 0.0), crew(2, 2.0), crew(3, 9.0)], [ordinary]);
    reserve(&mut board, 1, 1);
    let mut planner = with_second_offers(&board);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    board.jobs.get_mut(&ticket(1)).unwrap().excluded.insert(crew_id(3), at(14));
    planner.job_changed(ticket(1));
    assert_eq!(planner.proposals(&board, at(0), 10), [], "a crew that declined is no reason");
    board.jobs.get_mut(&ticket(1)).unwrap().lapsed = true;
    planner.job_changed(ticket(1));
    assert_eq!(planner.proposals(&board, at(0), 10)[0].crew, crew_id(2));
}

#[test]
fn who_declined_is_not_proposed_until_the_exclusion_ends() {
    let mut declined = job(1, 0.0);
    declined.excluded.insert(crew_id(1), at(4));
    let board = board([crew(1, 0.0)], [declined]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::Excluded);
    assert_eq!(planner.wake(), Some(at(4)));
    assert_eq!(planner.proposals(&board, at(4), 10).len(), 1);
}

#[test]
fn a_ticket_does_not_return_at_once_to_the_crew_that_it_was_taken_from() {
    let mut with_crew = job(1, 0.0);
    with_crew.crew = Some(world::assigned(1, None));
    let mut board = board([crew(1, 0.0), crew(2, 20.0)], [with_crew]);
    let mut planner = settled(&board, 0);
    let lost = board.jobs.get_mut(&ticket(1)).unwrap();
    (lost.crew, lost.left) = (None, [(crew_id(1), at(15))].into());
    planner.job_changed(ticket(1));
    assert_eq!(planner.proposals(&board, at(0), 10)[0].crew, crew_id(2));
    let weighed = planner.explain(&board, ticket(1), at(0)).unwrap();
    assert_eq!((&weighed[1].crew, &weighed[1].vetoes[..]), (&crew_id(1), &["stability"][..]));
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::Ready);
}

/// Crew 1 is on its way to a lone call when a hospital calls; the only free crew is far away.
fn emergency() -> Board {
    let mut on_the_way = crew(1, 0.0);
    on_the_way.committed = vec![(ticket(1), 2)];
    let mut call = job(1, 3.0);
    call.crew = Some(world::assigned(1, None));
    let mut hospital = job(2, 1.0);
    hospital.concerns.important = true;
    board([on_the_way, crew(2, 90.0)], [call, hospital])
}

#[test]
fn a_crew_on_its_way_is_diverted_to_a_hospital() {
    let board = emergency();
    let diversions = settled(&board, 0).diversions(&board, at(0), &BTreeSet::new());
    assert_eq!(diversions, [Diversion { crew: crew_id(1), from: ticket(1), to: ticket(2) }]);
}

#[test]
fn nobody_is_diverted_from_danger_nor_twice_nor_from_site_nor_when_somebody_free_is_in_time() {
    let refuses = |change: &dyn Fn(&mut Board)| {
        let mut board = emergency();
        change(&mut board);
        assert_eq!(settled(&board, 0).diversions(&board, at(0), &BTreeSet::new()), []);
    };
    refuses(&|board| {
        // A ticket with danger to life keeps its crew, whatever the ratio of the weights.
        board.jobs.get_mut(&ticket(1)).unwrap().concerns.wire_down = true;
        board.jobs.get_mut(&ticket(2)).unwrap().customers = 4_000;
    });
    refuses(&|board| board.jobs.get_mut(&ticket(1)).unwrap().diverted = Some(at(-29)));
    refuses(&|board| board.jobs.get_mut(&ticket(1)).unwrap().crew.as_mut().unwrap().arrived = Some(at(0)));
    refuses(&|board| board.jobs.get_mut(&ticket(1)).unwrap().pinned = Some((crew_id(1), forced())));
    refuses(&|board| board.jobs.get_mut(&ticket(1)).unwrap().concerns.important = true);
    refuses(&|board| board.crews.get_mut(&crew_id(2)).unwrap().at = crate::rules::tests::east(2.0));
    let mut later = emergency();
    later.jobs.get_mut(&ticket(1)).unwrap().diverted = Some(at(-31));
    assert_eq!(settled(&later, 0).diversions(&later, at(0), &BTreeSet::new()).len(), 1);
}

#[test]
fn a_crew_that_would_not_hear_it_is_not_diverted() {
    let mut silent = emergency();
    silent.crews.get_mut(&crew_id(1)).unwrap().seen = at(-6);
    assert_eq!(settled(&silent, 0).diversions(&silent, at(0), &BTreeSet::new()), []);
    let mut resting = emergency();
    resting.crews.get_mut(&crew_id(1)).unwrap().shift.as_mut().unwrap().breaks =
        vec![Break { from: at(-1), until: at(1) }];
    assert_eq!(settled(&resting, 0).diversions(&resting, at(0), &BTreeSet::new()), []);
}

#[test]
fn where_the_best_crew_cannot_be_called_off_the_second_best_is() {
    let mut board = emergency();
    let mut other = crew(3, 5.0);
    other.committed = vec![(ticket(3), 2)];
    let mut call = job(3, 9.0);
    call.crew = Some(world::assigned(3, None));
    board.crews.insert(other.id.clone(), other);
    board.jobs.insert(call.ticket, call);
    let planner = settled(&board, 0);
    let diverted = |barred: &[(u32, u32)]| {
        let barred = barred.iter().map(|(crew, from)| (crew_id(*crew), ticket(*from))).collect();
        let diversions = planner.diversions(&board, at(0), &barred);
        diversions.into_iter().map(|diversion| diversion.crew).collect::<Vec<_>>()
    };
    assert_eq!(diverted(&[]), [crew_id(1)]);
    assert_eq!(diverted(&[(1, 3), (3, 1)]), [crew_id(1)], "barred from other tickets");
    assert_eq!(diverted(&[(1, 1)]), [crew_id(3)]);
    assert_eq!(diverted(&[(1, 1), (3, 3)]), []);
}

#[test]
fn a_chosen_crew_that_declined_is_not_asked_until_the_exclusion_ends() {
    let mut chosen = job(1, 0.0);
    chosen.pinned = Some((crew_id(1), forced()));
    chosen.excluded.insert(crew_id(1), at(4));
    let board = board([crew(1, 0.0)], [chosen]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::Excluded);
    assert_eq!(planner.proposals(&board, at(4), 10).len(), 1);
}

#[test]
fn among_many_offered_jobs_the_priority_is_looked_at_first_for_a_second_crew() {
    let offered = |n: u32| {
        let mut offered = job(n, f64::from(n) * 0.1);
        offered.offers = vec![live(n, 1_000 + n)];
        offered
    };
    let last = crate::planner::offering::EXTRAS_MAX as u32 + 1;
    let mut hospital = offered(last);
    hospital.concerns.important = true;
    let board = board([crew(1, 0.0)], (1..last).map(offered).chain([hospital]));
    let proposals = with_second_offers(&board).proposals(&board, at(0), 10);
    assert_eq!(proposals.iter().map(|proposal| proposal.ticket).collect::<Vec<_>>(), [ticket(last)]);
}

#[test]
fn a_light_job_is_served_in_the_end_however_many_heavier_ones_keep_coming() {
    // One crew. Whenever it is free there is a new job for twenty customers near by, which outweighs the lone job far
    // away.
    let mut board = board([crew(1, 0.0)], [job(1, 25.0)]);
    let mut planner = settled(&board, 0);
    for turn in 1..=200_u32 {
        let minute = i64::from(turn) * 30;
        let mut heavy = job(1 + turn, 1.0);
        (heavy.reported, heavy.promised_from, heavy.customers) = (at(minute), at(minute), 20);
        board.jobs.insert(heavy.ticket, heavy);
        planner.job_changed(ticket(1 + turn));
        let crew = board.crews.get_mut(&crew_id(1)).unwrap();
        crew.seen = at(minute);
        crew.shift.as_mut().unwrap().until = at(minute + 600);
        planner.crew_changed(&crew_id(1));
        let proposals = planner.proposals(&board, at(minute), 10);
        let served = proposals[0].ticket;
        if served == ticket(1) {
            assert!(turn > 1, "at first the heavier one is the better choice");
            return;
        }
        board.jobs.remove(&served);
        planner.job_changed(served);
    }
    panic!("starved");
}

#[test]
fn what_was_decided_is_explained_as_it_was_weighed_before() {
    let mut board = board([crew(1, 0.0), crew(2, 9.0)], [job(1, 3.0)]);
    let before = settled(&board, 0).explain(&board, ticket(1), at(0)).unwrap();
    assert_eq!(before[0].crew, crew_id(1));

    let offered = board.jobs.get_mut(&ticket(1)).unwrap();
    (offered.offers, offered.last_offered_to) = (vec![live(1, 1)], Some(crew_id(1)));
    reserve(&mut board, 1, 1);
    assert_eq!(settled(&board, 0).explain(&board, ticket(1), at(0)).unwrap(), before, "offered");

    let crew = board.crews.get_mut(&crew_id(1)).unwrap();
    (crew.reserved, crew.committed) = (None, vec![(ticket(1), 5)]);
    let job = board.jobs.get_mut(&ticket(1)).unwrap();
    (job.offers, job.crew, job.open) = (Vec::new(), Some(world::assigned(1, None)), false);
    assert_eq!(settled(&board, 0).explain(&board, ticket(1), at(0)).unwrap(), before, "assigned");

    board.crews = crate::cow_map::CowMap::default();
    assert_eq!(settled(&board, 0).explain(&board, ticket(1), at(0)), Some(Vec::new()), "nobody on the roster");
    assert_eq!(settled(&board, 0).explain(&board, ticket(7), at(0)), None, "no such ticket");
}
