//! Crews that are called back, that went home, that lost a ticket, and whose time others took: by example.

use switchboard_domain::{
    crew::{
        COMMITMENTS_MAX,
        event::{Located, ShiftEnded},
    },
    ticket::{
        Tier,
        event::{CrewArrived, Reassigned, Recalled},
    },
};

use super::*;

fn other(n: usize) -> TicketId {
    TicketId(Uuid::from_u128(1 + n as u128))
}

/// A hospital, where crew 1 stands.
fn hospital() -> Received {
    let place = Place { location_e6: Some((30_301_000, 120_001_000)), ..Place::default() };
    Received { tier: Some(Tier::A), place, ..received() }
}

impl Tale {
    fn lost(&mut self, n: u32) {
        let reason = Personal::from("needed elsewhere");
        self.ticket(Recalled { crew: crew(n), reason: reason.clone() });
        self.ticket(Reassigned { from: crew(n).org().clone(), to: org(STATION), reason });
    }

    fn released(&mut self, n: u32, ticket: TicketId, why: ReleaseReason) {
        self.crew(n, Released { ticket, offer: None, why });
    }

    /// Who is to be kept for which ticket.
    fn reservations(&mut self) -> Vec<(CrewId, TicketId)> {
        let kept = |intent| match intent {
            Intent::Reserve(crew, reserve) => Some((crew, reserve.ticket)),
            _ => None,
        };
        self.intents().into_iter().filter_map(kept).collect()
    }

    /// Crew 1 drives to work that takes hours when a hospital calls, and the only free crew is fifty kilometres away.
    fn emergency() -> Self {
        let mut tale = Self::with_crews();
        tale.at_the_station(ticket(), Received { customers_out: Some(200), ..received() });
        let far = Point { latitude_e6: 30_800_000, longitude_e6: 120_000_000 };
        tale.crew(2, Located { at: far, accuracy_m: 10 });
        tale.taken(1);
        tale.at_the_station(other(1), hospital());
        tale
    }
}

#[test]
fn a_crew_near_by_is_called_back_for_a_priority_rather_than_one_far_away_sent() {
    let mut tale = Tale::emergency();
    let recall = [Intent::Recall(ticket(), crew(1), "the crew is needed where more is at stake")];
    assert_eq!(tale.intents(), recall);
    assert_eq!(tale.intents(), recall, "as long as it was not done");
    tale.lost(1);
    let wanted = tale.intents();
    assert!(wanted.contains(&Intent::Release(crew(1), ticket(), None, ReleaseReason::Recalled)));
    assert!(!tale.reservations().contains(&(crew(2), other(1))), "it is the one's that is called back");
    tale.released(1, ticket(), ReleaseReason::Recalled);
    assert_eq!(tale.reservations(), [(crew(1), other(1)), (crew(2), ticket())]);
}

#[test]
fn a_priority_waits_for_no_crew_that_cannot_be_called_back() {
    let mut tale = Tale::emergency();
    let recall = tale.wants().remove(0);
    tale.process.refused(&recall, "it is on site");
    assert_eq!(tale.reservations(), [(crew(2), other(1))]);
}

#[test]
fn what_a_crew_that_has_gone_home_did_not_begin_goes_to_others() {
    let gone = |arrived: bool| {
        let mut tale = Tale::begun();
        tale.taken(1);
        if arrived {
            tale.ticket(CrewArrived { crew: crew(1).org().clone(), area: None });
        }
        tale.ticket(Suspended { reason: SuspendReason::Customer, until: None, note: None });
        tale.released(1, ticket(), ReleaseReason::TicketEnded);
        tale.crew(1, ShiftEnded {});
        tale.ticket(Resumed {});
        tale.intents()
    };
    assert_eq!(gone(false), [Intent::Recall(ticket(), crew(1), "the crew has gone home")]);
    assert_eq!(gone(true), [Intent::Commit(crew(1), ticket(), None)], "who was there comes back to it");
}

#[test]
fn a_crew_that_accepts_and_goes_home_before_it_is_committed_is_called_back() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.accepted(1);
    tale.crew(1, ShiftEnded {});
    let first = tale.intents();
    let committed = first.contains(&Intent::Commit(crew(1), ticket(), Some(offer(1))));
    if committed {
        tale.crew(1, Committed { ticket: ticket(), offer: Some(offer(1)), fence: 2 });
    }
    assert_eq!(tale.intents(), [Intent::Recall(ticket(), crew(1), "the crew has gone home")]);
}

#[test]
fn what_a_person_gave_to_a_crew_off_shift_stays_with_it() {
    let mut tale = Tale::begun();
    tale.crew(1, ShiftEnded {});
    tale.ticket(Dispatched { from: org(STATION), to: crew(1).org().clone() });
    assert_eq!(tale.intents(), [Intent::Commit(crew(1), ticket(), None)]);
}

#[test]
fn a_crew_that_just_got_a_ticket_by_hand_is_not_asked_for_another_in_the_same_breath() {
    let mut tale = Tale::begun();
    tale.crew(2, WentAway { why: Absence::Ill });
    tale.at_the_station(other(1), received());
    tale.of_ticket(other(1), Dispatched { from: org(STATION), to: crew(1).org().clone() });
    assert_eq!(tale.intents(), [Intent::Commit(crew(1), other(1), None)]);
}

#[test]
fn a_ticket_does_not_go_back_to_the_crew_that_lost_it_for_a_while_not_even_after_a_restart() {
    let mut tale = Tale::begun();
    tale.crew(2, WentAway { why: Absence::Ill });
    tale.taken(1);
    tale.lost(1);
    tale.released(1, ticket(), ReleaseReason::Recalled);
    assert_eq!(tale.reservations(), []);
    tale.process = Dispatch::resume(Policy::default(), tale.process.fold().clone());
    assert_eq!(tale.reservations(), []);
    let at = Some((Point { latitude_e6: 30_300_000, longitude_e6: 120_000_000 }, tale.now));
    tale.now += TimeDelta::minutes(15);
    tale.process.heard(&crew(1), at, tale.now);
    assert_eq!(tale.reservations(), [(crew(1), ticket())]);
}

#[test]
fn what_a_crew_had_no_room_for_is_committed_when_there_is_room() {
    let mut tale = Tale::with_crews();
    for n in 0..=COMMITMENTS_MAX {
        tale.at_the_station(other(n), received());
        tale.of_ticket(other(n), Dispatched { from: org(STATION), to: crew(1).org().clone() });
    }
    for n in 0..COMMITMENTS_MAX {
        tale.crew(1, Committed { ticket: other(n), offer: None, fence: 2 });
    }
    let last = Intent::Commit(crew(1), other(COMMITMENTS_MAX), None);
    let want = tale.wants().remove(0);
    assert_eq!(want.intent, last);
    tale.process.refused(&want, "it has as many as it may");
    assert_eq!(tale.intents(), []);
    tale.of_ticket(other(0), Closed { explanation: None });
    tale.released(1, other(0), ReleaseReason::Done);
    assert_eq!(tale.intents(), [last]);
}

#[test]
fn a_crew_with_other_work_on_site_is_not_free() {
    let mut tale = Tale::with_crews();
    tale.at_the_station(ticket(), Received { business: BusinessType::ServiceApplication, ..received() });
    assert_eq!(tale.intents(), [], "people give it to crews");
    tale.ticket(Dispatched { from: org(STATION), to: crew(1).org().clone() });
    assert_eq!(tale.intents(), [Intent::Commit(crew(1), ticket(), None)]);
    tale.ticket(Closed { explanation: None });
    assert_eq!(tale.intents(), []);
}

#[test]
fn a_crew_that_cannot_be_kept_leaves_the_ticket_to_the_next_best() {
    let mut tale = Tale::begun();
    let refused = tale.wants().remove(0);
    let kept = tale.reservations()[0].0.clone();
    tale.process.refused(&refused, "its stream cannot be read");
    let next = tale.reservations();
    let keeps = tale.process.fold().case(ticket()).is_some_and(|case| !case.refuses(&kept));
    assert!(keeps, "another process may have kept it in the meantime, and its offer is made");
    assert!(next.len() == 1 && next[0].0 != kept, "{next:?}");
    tale.now += TimeDelta::minutes(1);
    for n in 1..=2 {
        tale.process.heard(&crew(n), None, tale.now);
    }
    tale.crew(if kept == crew(1) { 2 } else { 1 }, WentAway { why: Absence::Ill });
    assert_eq!(tale.reservations(), [(kept, ticket())], "a minute later it is tried again");
}
