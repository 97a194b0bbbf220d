//! Examples of crews that are recalled, off shift, or busy with other tickets, or that lost a ticket.

use switchboard_domain::{
    crew::{
        COMMITMENTS_MAX,
        event::{Located, ShiftEnded},
    },
    ticket::{
        Tier,
        event::{CrewArrived, Reassigned, Recalled, Withdrawn},
    },
};

use super::*;

fn other(n: usize) -> TicketId {
    TicketId(Uuid::from_u128(1 + n as u128))
}

/// A fault at an important customer, near crew 1.
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

    /// Crew 1 holds the ticket by an offer, has not begun the work, and the ticket is suspended.
    fn waits_with_the_first(&mut self) {
        self.taken(1);
        self.ticket(Suspended { reason: SuspendReason::Customer, until: None, note: None });
        self.released(1, ticket(), ReleaseReason::Suspended);
    }

    fn released(&mut self, n: u32, ticket: TicketId, why: ReleaseReason) {
        self.crew(n, Released { ticket, offer: None, why });
    }

    /// The reservations that the process proposes: crew and ticket.
    fn reservations(&mut self) -> Vec<(CrewId, TicketId)> {
        let kept = |intent| match intent {
            Intent::Reserve(crew, reserve) => Some((crew, reserve.ticket)),
            _ => None,
        };
        self.intents().into_iter().filter_map(kept).collect()
    }

    /// Crew 1 is driving to hours of work when a hospital calls; the only free crew is fifty kilometres away.
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
fn a_crew_is_not_called_back_for_what_was_decided_before_the_news_came() {
    let mut tale = Tale::emergency();
    assert!(matches!(tale.intents()[..], [Intent::Recall(..)]), "wanted, and not done");
    // Meanwhile another process recalled the crew, and the crew got the ticket again.
    tale.lost(1);
    tale.released(1, ticket(), ReleaseReason::Recalled);
    tale.reserved(1, 2);
    tale.offered(1, 2);
    tale.accepted_again(1, 2);
    tale.crew(1, Committed { ticket: ticket(), offer: Some(offer(2)), fence: 2 });
    let wanted = tale.intents();
    assert!(!wanted.iter().any(|intent| matches!(intent, Intent::Recall(..))), "{wanted:?}");
}

#[test]
fn who_was_sent_by_a_person_is_not_called_back_by_the_plan() {
    let mut tale = Tale::with_crews();
    tale.at_the_station(ticket(), Received { customers_out: Some(200), ..received() });
    let far = Point { latitude_e6: 30_800_000, longitude_e6: 120_000_000 };
    tale.crew(2, Located { at: far, accuracy_m: 10 });
    tale.ticket(Dispatched { from: org(STATION), to: crew(1).org().clone() });
    tale.crew(1, Committed { ticket: ticket(), offer: None, fence: 2 });
    tale.at_the_station(other(1), hospital());
    assert_eq!(tale.reservations(), [(crew(2), other(1))]);
}

#[test]
fn a_priority_waits_for_no_crew_that_cannot_be_called_back() {
    let mut tale = Tale::emergency();
    let recall = tale.wants().remove(0);
    tale.process.refused(&recall, "it is on site");
    assert_eq!(tale.reservations(), [(crew(2), other(1))]);
    tale.crew(1, Located { at: Point { latitude_e6: 30_300_500, longitude_e6: 120_000_000 }, accuracy_m: 10 });
    assert_eq!(tale.reservations(), [(crew(2), other(1))], "nor when it was heard of");
}

#[test]
fn one_crew_is_called_back_for_one_priority_and_the_next_gets_another() {
    let mut tale = Tale::emergency();
    tale.enrol(3);
    tale.crew(3, ShiftStarted { until: tale.now + TimeDelta::hours(8), breaks: Vec::new(), at: None });
    tale.crew(3, Located { at: Point { latitude_e6: 30_810_000, longitude_e6: 120_000_000 }, accuracy_m: 10 });
    tale.at_the_station(other(2), hospital());
    let wanted = tale.intents();
    let recalls = wanted.iter().filter(|intent| matches!(intent, Intent::Recall(..))).count();
    let kept = wanted.iter().filter(|intent| matches!(intent, Intent::Reserve(..))).count();
    assert_eq!((recalls, kept), (1, 1), "{wanted:?}");
}

#[test]
fn no_more_is_wanted_at_a_time_than_may_be() {
    let mut tale = Tale::emergency();
    tale.at_the_station(other(2), hospital());
    assert_eq!(tale.process.pending(tale.now, 1).len(), 1);
}

#[test]
fn a_crew_whose_ticket_ended_is_told_whether_it_was_done() {
    let why = |last: &dyn Fn(&mut Tale)| {
        let mut tale = Tale::begun();
        tale.taken(1);
        last(&mut tale);
        tale.intents()
    };
    let free = |why| [Intent::Release(crew(1), ticket(), None, why)];
    assert_eq!(
        why(&|tale| tale.ticket(Withdrawn { reason: Personal::from("it is light again") })),
        free(ReleaseReason::TicketEnded)
    );
    assert_eq!(why(&|tale| tale.ticket(Closed { explanation: None })), free(ReleaseReason::Done));
}

#[test]
fn a_crew_that_reports_late_that_it_arrived_stands_there_though_another_has_the_ticket() {
    let mut tale = Tale::begun();
    tale.taken(1);
    tale.lost(1);
    tale.released(1, ticket(), ReleaseReason::Recalled);
    tale.intents();
    let mut late = tale.recorded(ticket(), CrewArrived { crew: crew(1).org().clone(), area: None }.into(), 20);
    late.actor = Actor { id: "c1".into(), role: Role::Crew, org: crew(1).org().clone() };
    tale.tell(Fact::Ticket(late));
    tale.intents();
    assert_eq!(tale.process.board().crews[&crew(1)].at.latitude_e6, 30_310_000);
}

#[test]
fn a_promise_runs_from_the_appointment_and_anew_from_the_reopening() {
    let mut tale = Tale::with_crews();
    let appointment = Some(tale.now + TimeDelta::hours(3));
    tale.at_the_station(ticket(), Received { appointment, ..received() });
    assert_eq!(tale.intents(), [], "three hours are too early");
    let job = |tale: &Tale| tale.process.board().jobs[&ticket()].clone();
    assert_eq!(Some(job(&tale).promised_from), appointment);
    tale.ticket(Pinned {
        crew: Some(crew(2)),
        forced: crew::Forced { by: "desk".into(), org: org(STATION) },
        reason: Personal::from("they are waited for"),
    });
    assert_eq!(tale.reservations(), [(crew(2), ticket())], "a person chose the hour, too");
    tale.ticket(Closed { explanation: None });
    tale.now += TimeDelta::hours(1);
    tale.ticket(Reopened { cycle: 2, reason: Personal::from("dark again") });
    tale.intents();
    assert_eq!((job(&tale).promised_from, job(&tale).opens), (tale.now, None));
}

#[test]
fn what_a_crew_that_has_gone_home_did_not_begin_goes_to_others() {
    let gone = |arrived: bool| {
        let mut tale = Tale::begun();
        tale.waits_with_the_first();
        if arrived {
            tale.ticket(CrewArrived { crew: crew(1).org().clone(), area: None });
        }
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
fn what_waits_past_the_planned_end_of_a_shift_that_nobody_ended_goes_to_others() {
    let mut tale = Tale::begun();
    tale.waits_with_the_first();
    tale.now += TimeDelta::hours(9);
    tale.ticket(Resumed {});
    assert_eq!(tale.intents(), [Intent::Recall(ticket(), crew(1), "the crew has gone home")]);
}

#[test]
fn what_a_crew_had_that_was_struck_off_meanwhile_goes_to_others() {
    let mut tale = Tale::begun();
    tale.waits_with_the_first();
    tale.crew(1, ShiftEnded {});
    tale.crew(1, Dismissed {});
    tale.ticket(Resumed {});
    assert_eq!(tale.intents(), [Intent::Recall(ticket(), crew(1), "the crew is struck off")]);
    let mut tale = Tale::begun();
    tale.waits_with_the_first();
    tale.crew(1, ShiftEnded {});
    tale.ticket(Resumed {});
    tale.intents();
    tale.crew(1, Dismissed {});
    assert_eq!(tale.intents(), [Intent::Recall(ticket(), crew(1), "the crew is struck off")], "in the other order");
}

#[test]
fn what_is_resumed_while_its_crew_has_other_work_goes_to_others_unless_a_person_chose() {
    let resumed = |pinned: bool| {
        let mut tale = Tale::begun();
        tale.waits_with_the_first();
        tale.at_the_station(other(1), received());
        tale.of_ticket(other(1), Dispatched { from: org(STATION), to: crew(1).org().clone() });
        tale.crew(1, Committed { ticket: other(1), offer: None, fence: 9 });
        if pinned {
            let forced = crew::Forced { by: "desk".into(), org: org(STATION) };
            tale.ticket(Pinned { crew: Some(crew(1)), forced, reason: Personal::from("knows the place") });
        }
        tale.ticket(Resumed {});
        tale.intents()
    };
    assert_eq!(resumed(false), [Intent::Recall(ticket(), crew(1), "the crew has other work")]);
    assert_eq!(resumed(true), [Intent::Commit(crew(1), ticket(), None)]);
}

#[test]
fn no_offer_is_made_in_the_breath_in_which_the_crews_time_goes_to_another_ticket() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.at_the_station(other(1), received());
    tale.of_ticket(other(1), Dispatched { from: org(STATION), to: crew(1).org().clone() });
    let wanted = tale.intents();
    assert!(wanted.contains(&Intent::Commit(crew(1), other(1), None)), "{wanted:?}");
    assert!(!wanted.iter().any(|intent| matches!(intent, Intent::Offer(..))), "{wanted:?}");
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
    tale.crew(1, Committed { ticket: ticket(), offer: None, fence: 2 });
    tale.crew(2, Located { at: Point { latitude_e6: 30_290_000, longitude_e6: 120_000_000 }, accuracy_m: 10 });
    tale.at_the_station(other(1), received());
    assert_eq!(tale.reservations(), [(crew(2), other(1))], "though the first is nearer");
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
