//! Examples for the process: the actions that it proposes after given facts.

mod away;
mod reasons;
mod steps;

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{
        self, Absence, Commitment, CrewId, OfferEnd, OfferId, Point, ReleaseReason, Skill, Skills,
        event::{Committed, Dismissed, Enrolled, Released, Reserved, ShiftStarted, WentAway},
    },
    decider::{Action, Process, Projection, Recorded},
    fact::Fact,
    organisation::OrgPath,
    personal::Personal,
    ticket::{
        self, BusinessType, Category, Channel, Place, SuspendReason, TicketId, Urgency,
        event::{
            Accepted, Classified, Closed, Dispatched, OfferAccepted, OfferEnded, Offered, Pinned, Received, Reopened,
            Resumed, Returned, Suspended,
        },
    },
};
use uuid::Uuid;

use super::{Dispatch, Intent};
use crate::{board::Board, policy::Policy};

const NATION: &str = "sgcc";
const STATION: &str = "sgcc/zj/hz/yuhang/liangzhu";

fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

fn crew(n: u32) -> CrewId {
    CrewId::of(&org(&format!("{STATION}/crew{n}"))).unwrap()
}

fn ticket() -> TicketId {
    TicketId(Uuid::from_u128(1))
}

fn offer(attempt: u32) -> OfferId {
    OfferId::of(ticket(), attempt)
}

fn dawn() -> Timestamp {
    Timestamp::from_timestamp(1_795_000_000, 0).unwrap()
}

/// A log, and a process that has applied all of it.
struct Tale {
    process: Dispatch,
    log: Vec<Fact>,
    now: Timestamp,
}

impl Tale {
    /// Two crews on shift, and a ticket that the station holds.
    fn begun() -> Self {
        let mut tale = Self::with_crews();
        tale.at_the_station(ticket(), received());
        tale
    }

    /// Adds a fault that the station holds.
    fn at_the_station(&mut self, id: TicketId, received: Received) {
        let business = received.business;
        self.of_ticket(id, received);
        let category = Category::parse("fault/low voltage").unwrap();
        self.of_ticket(id, Classified { business, category, urgency: Urgency::Normal, grade: None });
        self.of_ticket(id, Dispatched { from: org(NATION), to: org(STATION) });
    }

    fn with_crews() -> Self {
        let mut tale = Self { process: Dispatch::new(Policy::default()), log: Vec::new(), now: dawn() };
        for n in 1..=2 {
            tale.enrol(n);
            let until = tale.now + TimeDelta::hours(8);
            tale.crew(n, ShiftStarted { until, breaks: Vec::new(), at: None });
        }
        tale
    }

    fn enrol(&mut self, n: u32) {
        let (home, territory) = (Point { latitude_e6: 30_300_000, longitude_e6: 120_000_000 }, vec![org(STATION)]);
        let skills = Skills::of(&[Skill::LowVoltage]);
        self.crew(n, Enrolled { crew: crew(n), home, territory, skills, members: Vec::new(), vehicle: None });
    }

    /// A fact at the end of the log, with this revision in its stream.
    fn recorded<E, Id>(&self, id: Id, event: E, revision: usize) -> Recorded<E, Id> {
        Recorded {
            position: self.log.len() as u64 + 1,
            id,
            revision: revision as u64,
            event,
            occurred_at: self.now,
            recorded_at: self.now,
            actor: Actor { id: "a1".into(), role: Role::Desk, org: org(NATION) },
            request_id: Uuid::nil(),
        }
    }

    fn crew(&mut self, n: u32, event: impl Into<crew::Event>) {
        let revision = self.log.iter().filter(|fact| matches!(fact, Fact::Crew(fact) if fact.id == crew(n))).count();
        self.tell(Fact::Crew(self.recorded(crew(n), event.into(), revision)));
    }

    fn ticket(&mut self, event: impl Into<ticket::Event>) {
        self.of_ticket(ticket(), event);
    }

    fn of_ticket(&mut self, id: TicketId, event: impl Into<ticket::Event>) {
        let revision = self.log.iter().filter(|fact| fact.ticket().is_some_and(|fact| fact.id == id)).count();
        self.tell(Fact::Ticket(self.recorded(id, event.into(), revision)));
    }

    /// Applies a fact as the reactor does: after the history of its ticket, if the process has dropped it.
    fn tell(&mut self, fact: Fact) {
        if let Some(again) = self.process.forgotten(&fact) {
            let of = |past: &&Fact| past.ticket().is_some_and(|past| past.id == again);
            self.log.iter().filter(of).for_each(|past| self.process.apply(past));
        }
        self.process.apply(&fact);
        self.log.push(fact);
    }

    fn wants(&mut self) -> Vec<Action<Intent>> {
        let wants = self.process.pending(self.now, 64);
        let (fold, policy) = (self.process.fold(), self.process.planner().policy());
        let mut anew = Board::default();
        fold.show(&mut anew, &fold.everything(), policy);
        assert_eq!(*self.process.board(), anew, "the board is what a process that begins anew would see");
        wants
    }

    fn intents(&mut self) -> Vec<Intent> {
        self.wants().into_iter().map(|want| want.intent).collect()
    }

    /// Reserves the crew for an offer. The fence is always 2, the revision of a crew's third fact.
    fn reserved(&mut self, n: u32, attempt: u32) {
        let fence = 2;
        let lease_until = self.now + TimeDelta::seconds(180);
        let grounds = crew::Grounds::default();
        self.crew(
            n,
            Reserved {
                offer: offer(attempt),
                ticket: ticket(),
                fence,
                lease_until,
                priority: false,
                forced: None,
                grounds,
            },
        );
    }

    fn offered(&mut self, n: u32, attempt: u32) {
        let lease_until = self.now + TimeDelta::seconds(180);
        let (offer, crew) = (offer(attempt), crew(n));
        self.ticket(Offered { offer, attempt, crew, fence: 2, lease_until, priority: false, forced: None });
    }

    /// Reserves the crew, makes the offer, lets the crew accept it, and commits the crew.
    fn taken(&mut self, n: u32) {
        self.reserved(n, 1);
        self.offered(n, 1);
        self.accepted(n);
        self.crew(n, Committed { ticket: ticket(), offer: Some(offer(1)), fence: 2 });
    }

    fn accepted(&mut self, n: u32) {
        self.accepted_again(n, 1);
    }

    fn accepted_again(&mut self, n: u32, attempt: u32) {
        self.ticket(OfferAccepted { offer: offer(attempt), crew: crew(n), by: "w1".into() });
        self.ticket(Dispatched { from: org(STATION), to: crew(n).org().clone() });
        self.ticket(Accepted { by: crew(n).org().clone() });
    }
}

fn received() -> Received {
    Received {
        number: "1".into(),
        business: BusinessType::FaultRepair,
        channel: Channel::Hotline,
        received_by: org(NATION),
        anonymous: true,
        confidential: false,
        caller_name: None,
        caller_phone: None,
        caller_account: None,
        phone_key: None,
        account_key: None,
        tier: None,
        address: None,
        content: Personal::from("no light"),
        place: Place { location_e6: Some((30_310_000, 120_010_000)), ..Place::default() },
        premises: None,
        customers_out: None,
        call_id: None,
        hung_up_at: None,
        appointment: None,
        external: None,
        linked: None,
    }
}

fn withdrawn(attempt: u32) -> Intent {
    Intent::End(ticket(), offer(attempt), OfferEnd::Withdrawn)
}

fn release(n: u32, attempt: u32, why: ReleaseReason) -> Intent {
    Intent::Release(crew(n), ticket(), Some(offer(attempt)), why)
}

#[test]
fn an_open_ticket_is_offered_step_by_step_each_because_of_the_fact_before() {
    let mut tale = Tale::begun();
    let wants = tale.wants();
    let [Action { intent: Intent::Reserve(first, reserve), because, .. }] = wants.as_slice() else {
        panic!("{wants:?}")
    };
    assert_eq!((reserve.offer, *because), (offer(1), 7));
    let n = if *first == crew(1) { 1 } else { 2 };
    tale.reserved(n, 1);
    let wants = tale.wants();
    let [Action { intent: Intent::Offer(_, made), because: 8, .. }] = wants.as_slice() else { panic!("{wants:?}") };
    assert_eq!((made.attempt, made.fence, &made.crew), (1, 2, first));
    tale.offered(n, 1);
    assert_eq!(tale.intents(), []);
    tale.accepted(n);
    assert_eq!(tale.intents(), [Intent::Commit(crew(n), ticket(), Some(offer(1)))]);
}

#[test]
fn a_lease_ends_after_its_grace_and_not_before() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.now += TimeDelta::seconds(184);
    assert_eq!(tale.intents(), []);
    assert!(tale.process.wake().is_some_and(|at| at <= dawn() + TimeDelta::seconds(185)));
    tale.now += TimeDelta::seconds(1);
    assert_eq!(tale.intents(), [Intent::End(ticket(), offer(1), OfferEnd::Expired)]);
    tale.ticket(OfferEnded { offer: offer(1), crew: crew(1), how: OfferEnd::Expired, reason: None, note: None });
    assert!(tale.intents().contains(&release(1, 1, ReleaseReason::Expired)));
}

#[test]
fn an_offer_that_is_taken_back_when_its_lease_ends_is_ended_once() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.crew(1, WentAway { why: Absence::Ill });
    tale.now = dawn() + TimeDelta::seconds(185);
    let ends = tale.intents().into_iter().filter(|intent| matches!(intent, Intent::End(..)));
    assert_eq!(ends.collect::<Vec<_>>(), [withdrawn(1)]);
}

#[test]
fn it_wakes_for_the_end_of_a_lease_when_nothing_else_is_to_be_done() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    let mut policy = Policy::default();
    (policy.horizon.slices, policy.horizon.period_seconds) = (0, 3_600);
    tale.process = Dispatch::resume(policy, tale.process.fold().clone());
    assert_eq!(tale.intents(), []);
    assert_eq!(tale.process.wake(), Some(dawn() + TimeDelta::seconds(185)));
}

#[test]
fn an_offer_that_would_come_after_its_lease_is_not_made() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.now += TimeDelta::seconds(180);
    assert_eq!(tale.intents()[0], release(1, 1, ReleaseReason::NotOffered));
}

#[test]
fn of_two_crews_that_were_kept_for_one_offer_the_one_without_it_is_let_go() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.reserved(2, 1);
    tale.offered(1, 1);
    assert_eq!(tale.intents(), [release(2, 1, ReleaseReason::NotOffered)]);
}

#[test]
fn an_offer_to_a_crew_that_nobody_keeps_for_it_is_taken_back() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.crew(1, Released { ticket: ticket(), offer: Some(offer(1)), why: ReleaseReason::NotOffered });
    assert!(tale.intents().contains(&withdrawn(1)));
}

#[test]
fn a_crew_that_got_a_ticket_by_hand_is_offered_nothing_and_what_it_was_offered_is_taken_back() {
    let mut tale = Tale::begun();
    let other = TicketId(Uuid::from_u128(2));
    tale.reserved(1, 1);
    let by_hand = Committed { ticket: other, offer: None, fence: 3 };
    tale.crew(1, by_hand.clone());
    assert!(tale.intents().contains(&release(1, 1, ReleaseReason::NotOffered)));
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.crew(1, by_hand);
    assert!(tale.intents().contains(&withdrawn(1)));
}

#[test]
fn a_crew_kept_for_a_ticket_that_a_person_gives_to_another_is_let_go() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    let forced = crew::Forced { by: "desk".into(), org: org(STATION) };
    tale.ticket(Pinned { crew: Some(crew(2)), forced, reason: Personal::from("knows the place") });
    assert_eq!(tale.intents()[0], release(1, 1, ReleaseReason::NotOffered));
}

#[test]
fn a_crew_struck_off_the_roster_has_its_offer_taken_back_and_is_freed() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.crew(1, Dismissed {});
    assert_eq!(tale.intents(), [withdrawn(1)]);
    tale.ticket(OfferEnded { offer: offer(1), crew: crew(1), how: OfferEnd::Withdrawn, reason: None, note: None });
    assert!(tale.intents().contains(&release(1, 1, ReleaseReason::Withdrawn)));
}

#[test]
fn a_crew_that_accepted_while_it_was_struck_off_is_freed_and_not_committed() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.crew(1, Dismissed {});
    tale.accepted(1);
    assert_eq!(tale.intents(), [release(1, 1, ReleaseReason::Withdrawn)]);
}

#[test]
fn a_crew_that_falls_ill_on_its_way_is_called_back() {
    let mut tale = Tale::begun();
    tale.taken(1);
    assert_eq!(tale.intents(), []);
    tale.crew(1, WentAway { why: Absence::Ill });
    assert_eq!(tale.intents(), [Intent::Recall(ticket(), crew(1), "the crew cannot come")]);
}

#[test]
fn a_crew_is_committed_again_after_the_work_waited_and_that_is_another_want() {
    let mut tale = Tale::begun();
    tale.ticket(Dispatched { from: org(STATION), to: crew(1).org().clone() });
    let first = tale.wants();
    tale.crew(1, Committed { ticket: ticket(), offer: None, fence: 2 });
    tale.ticket(Accepted { by: crew(1).org().clone() });
    tale.ticket(Suspended { reason: SuspendReason::Customer, until: None, note: None });
    assert_eq!(tale.intents(), [Intent::Release(crew(1), ticket(), None, ReleaseReason::Suspended)]);
    tale.crew(1, Released { ticket: ticket(), offer: None, why: ReleaseReason::Suspended });
    tale.ticket(Resumed {});
    let again = tale.wants();
    assert_eq!(again[0].intent, Intent::Commit(crew(1), ticket(), None));
    assert_eq!(again[0].intent, first[0].intent);
    assert!(again[0].because > first[0].because, "a repeated request would be answered as the first was");
}

#[test]
fn a_crew_that_comes_back_to_the_roster_is_committed_to_what_it_has() {
    let mut tale = Tale::begun();
    tale.ticket(Dispatched { from: org(STATION), to: crew(3).org().clone() });
    assert_eq!(tale.intents(), []);
    tale.enrol(3);
    assert_eq!(tale.intents(), [Intent::Commit(crew(3), ticket(), None)]);
}

#[test]
fn an_offer_that_the_ticket_refuses_frees_the_crew_until_the_ticket_changes() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    let want = tale.wants().remove(0);
    tale.process.refused(&want, "another writer was faster");
    assert_eq!(tale.intents()[0], release(1, 1, ReleaseReason::NotOffered));
    assert!(tale.process.board().jobs[&ticket()].excluded.contains_key(&crew(1)));
    tale.ticket(ticket::event::Urged { count: 1, reason: Personal::from("please") });
    assert_eq!(tale.wants()[0], want, "what was on its way explains it");
    assert!(tale.process.board().jobs[&ticket()].excluded.is_empty());
}

#[test]
fn a_ticket_that_is_taken_up_again_is_planned_again() {
    let mut tale = Tale::begun();
    tale.ticket(Closed { explanation: None });
    assert!(tale.intents().is_empty() && tale.process.fold().case(ticket()).is_none());
    tale.ticket(Reopened { cycle: 2, reason: Personal::from("still dark") });
    tale.ticket(Dispatched { from: org(NATION), to: org(STATION) });
    assert!(matches!(tale.intents()[..], [Intent::Reserve(..)]));
}

#[test]
fn a_process_resumed_from_its_note_wants_what_it_wanted() {
    let mut tale = Tale::begun();
    tale.taken(2);
    tale.crew(2, WentAway { why: Absence::Vehicle });
    let mut resumed = Dispatch::resume(Policy::default(), tale.process.fold().clone());
    assert_eq!(resumed.pending(tale.now, 64), tale.wants());
    let held: Vec<Commitment> = tale.process.fold().member(&crew(2)).unwrap().crew.commitments.clone();
    assert_eq!(held.len(), 1);
}

#[test]
fn a_ticket_that_became_a_fault_after_it_was_let_go_is_planned() {
    let mut tale = Tale::with_crews();
    let classified = |business| Classified {
        business,
        category: Category::parse("some/category").unwrap(),
        urgency: Urgency::Normal,
        grade: None,
    };
    tale.ticket(received());
    tale.ticket(classified(BusinessType::Consultation));
    tale.ticket(Dispatched { from: org(NATION), to: org(STATION) });
    let (reason, note) = (ticket::ReturnReason::WrongType, Personal::from("it is a fault"));
    tale.ticket(Returned { from: org(STATION), to: org(NATION), reason, note });
    tale.ticket(classified(BusinessType::FaultRepair));
    assert!(tale.intents().is_empty(), "nobody has it yet");
    tale.ticket(Dispatched { from: org(NATION), to: org(STATION) });
    assert!(matches!(tale.intents()[..], [Intent::Reserve(..)]));
}

#[test]
fn a_telephone_whose_clock_is_slow_does_not_end_its_own_pause() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    let (how, reason) = (OfferEnd::Declined, Some(crew::DeclineReason::Road));
    let declined = OfferEnded { offer: offer(1), crew: crew(1), how, reason, note: None };
    let revision = tale.log.iter().filter(|fact| fact.ticket().is_some()).count();
    let mut slow = tale.recorded(ticket(), declined.into(), revision);
    slow.occurred_at -= TimeDelta::days(1);
    tale.tell(Fact::Ticket(slow));
    tale.crew(1, Released { ticket: ticket(), offer: Some(offer(1)), why: ReleaseReason::Declined });
    let to: Vec<_> = tale.intents().iter().map(Intent::target).collect();
    assert_eq!(to, [format!("{}/{}", crew(2), ticket())], "the other crew is asked");
}

#[test]
fn an_offer_that_was_made_for_an_earlier_reservation_is_taken_back() {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    tale.crew(1, Released { ticket: ticket(), offer: Some(offer(1)), why: ReleaseReason::NotOffered });
    let lease_until = tale.now + TimeDelta::seconds(180);
    let again = Reserved {
        offer: offer(1),
        ticket: ticket(),
        fence: 4,
        lease_until,
        priority: false,
        forced: None,
        grounds: crew::Grounds::default(),
    };
    tale.crew(1, again);
    assert!(tale.intents().contains(&withdrawn(1)));
}

#[test]
fn improvement_waits_until_nothing_is_new_but_not_for_ever() {
    let mut tale = Tale::begun();
    tale.crew(1, WentAway { why: Absence::Rest });
    tale.crew(2, WentAway { why: Absence::Rest });
    let begun = |tale: &Tale| tale.process.planner.slices;
    assert_eq!(tale.intents(), []);
    assert_eq!(begun(&tale), 0, "a fact had just come");
    assert!(tale.process.wake().is_some_and(|at| at <= tale.now), "it is to be asked again at once");
    assert_eq!(tale.intents(), []);
    assert_eq!(begun(&tale), 1);
    let before = tale.now;
    while begun(&tale) == 1 {
        tale.now += TimeDelta::milliseconds(40);
        tale.process.touched.crews.insert(crew(1));
        assert_eq!(tale.intents(), []);
        assert!(tale.now < before + TimeDelta::seconds(1), "facts that never end leave no room for improvement");
    }
    assert!(tale.now - before >= super::PIECE_EVERY);
}
