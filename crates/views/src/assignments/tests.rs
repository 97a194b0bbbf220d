//! The messages to crews, by example and by property tests.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard_domain::{
    actor::{Actor, Role},
    crew::{CrewId, OfferEnd, OfferId, Skills},
    fact::{Fact, TicketFact},
    ticket::{
        BusinessType, Category, Channel, Event, Place, ReplyOutcome, Stage, State, SuspendReason, TicketId, event,
        evolve,
    },
};
use uuid::Uuid;

use super::{AssignmentChange, Assignments, Change, Snapshot, replay_changes};
use crate::random::crews::{
    CREWS, STATION, accepted, at, crew, dispatched, ended, fact, log, offered, org, reassigned, ticket,
};

fn received() -> Event {
    let content = "no power".into();
    event::Received {
        number: "26010100000001".into(),
        business: BusinessType::FaultRepair,
        channel: Channel::Hotline,
        received_by: org("sgcc"),
        anonymous: false,
        confidential: false,
        caller_name: None,
        caller_phone: None,
        caller_account: None,
        phone_key: None,
        account_key: None,
        tier: None,
        address: None,
        content,
        place: Place::default(),
        premises: None,
        customers_out: Some(40),
        call_id: None,
        hung_up_at: None,
        appointment: None,
        external: None,
        linked: None,
    }
    .into()
}

/// Applies the log fact by fact, and passes in dropped tickets again, as the server does.
#[derive(Default)]
struct Live {
    log: Vec<TicketFact>,
    fold: Assignments,
    told: BTreeMap<CrewId, Vec<Change>>,
}

impl Live {
    fn hears(&mut self, fact: TicketFact) -> Vec<(CrewId, Change)> {
        let whole = Fact::Ticket(fact.clone());
        if let Some(id) = self.fold.forgotten(&whole) {
            self.fold.recall(self.log.iter().filter(|past| past.id == id));
        }
        let changes = self.fold.apply(&whole);
        for (crew, change) in &changes {
            self.told.entry(crew.clone()).or_default().push(change.clone());
        }
        self.log.push(fact);
        changes
    }

    /// The messages of one ticket's story, one line each: crew and message.
    fn story(events: impl IntoIterator<Item = Event>) -> Vec<String> {
        let mut live = Self::default();
        let mut lines = Vec::new();
        for (n, event) in events.into_iter().enumerate() {
            for (crew, change) in live.hears(fact(n as u64, ticket(0), event)) {
                let segment = crew.org().as_str().rsplit('/').next().unwrap_or_default().to_owned();
                lines.push(format!("{segment} {}", word(&change.told)));
            }
        }
        lines
    }
}

fn word(told: &AssignmentChange) -> String {
    match told {
        AssignmentChange::Offered(_) => "offered".into(),
        AssignmentChange::OfferGone { why, .. } => format!("gone {}", why.as_str()),
        AssignmentChange::Assigned(a) => format!("assigned{}", if a.offer.is_some() { " by offer" } else { "" }),
        AssignmentChange::Ended { why, .. } => format!("ended {}", why.as_str()),
        AssignmentChange::News { .. } => "news".into(),
    }
}

#[test]
fn of_two_offers_one_is_taken_and_the_other_crew_is_told_by_whom_not() {
    let t = ticket(0);
    let story = Live::story([
        received(),
        dispatched("sgcc", STATION),
        offered(t, 1, 0, None),
        offered(t, 2, 1, None),
        accepted(t, 2, 1),
        dispatched(STATION, CREWS[1]),
        event::CrewAccepted { crew: org(CREWS[1]) }.into(),
        event::Urged { count: 1, reason: "when".into() }.into(),
    ]);
    assert_eq!(story, ["c1 offered", "c2 offered", "c1 gone taken_by_other", "c2 assigned by offer", "c2 news"]);
}

#[test]
fn an_offer_that_ends_says_how() {
    let t = ticket(0);
    let ends = [OfferEnd::Declined, OfferEnd::Expired, OfferEnd::Withdrawn];
    let offers = ends.into_iter().zip(1u32..).flat_map(|(how, n)| [offered(t, n, 0, None), ended(t, n, 0, how)]);
    let head = [received(), dispatched("sgcc", STATION)];
    let suspend = event::Suspended { reason: SuspendReason::ALL[0], until: None, note: None }.into();
    let resume = event::Resumed {}.into();
    let tail = [
        offered(t, 4, 0, None),
        reassigned(STATION, "sgcc/zj/hz/yh/other"),
        offered(t, 5, 0, None),
        suspend,
        resume,
        offered(t, 6, 0, None),
        event::Withdrawn { reason: "back".into() }.into(),
    ];
    let story = Live::story(head.into_iter().chain(offers).chain(tail));
    let gone: Vec<&str> = story.iter().filter_map(|line| line.strip_prefix("c1 gone ")).collect();
    assert_eq!(gone, ["declined", "expired", "withdrawn", "reassigned", "withdrawn", "ticket_ended"]);
}

#[test]
fn a_crew_that_loses_its_ticket_is_told_why() {
    let back = |what: Event| {
        Live::story([
            received(),
            dispatched("sgcc", STATION),
            dispatched(STATION, CREWS[0]),
            what,
            reassigned(CREWS[0], STATION),
            reassigned(STATION, CREWS[2]),
        ])
    };
    let recalled = back(event::Recalled { crew: crew(0), reason: "elsewhere".into() }.into());
    assert_eq!(recalled, ["c1 assigned", "c1 ended recalled", "c3 assigned"]);
    let over = event::HandedOver { crew: crew(0), needs: Skills::NONE, note: "cable".into() };
    assert_eq!(back(over.into()), ["c1 assigned", "c1 ended handed_over", "c3 assigned"]);
    let merged = event::Merged { master: ticket(9), evidence: "same".into() };
    assert_eq!(back(merged.into())[..2], ["c1 assigned", "c1 ended ticket_ended"]);
    // A recall that is not followed by a reassignment at once gives no reason to a later one.
    let mut plain = Live::story([
        received(),
        dispatched("sgcc", CREWS[0]),
        event::Recalled { crew: crew(0), reason: "elsewhere".into() }.into(),
        event::Urged { count: 1, reason: "when".into() }.into(),
        reassigned(CREWS[0], STATION),
    ]);
    assert_eq!(plain.split_off(2), ["c1 ended reassigned"]);
}

#[test]
fn a_reply_that_is_sent_back_gives_the_crew_its_ticket_again() {
    let replied = event::Replied {
        by: org(CREWS[0]),
        outcome: ReplyOutcome::Resolved,
        facts: "f".into(),
        cause: "c".into(),
        measures: "m".into(),
        customer_view: None,
        category: Category::parse("a").unwrap(),
        ownership: None,
        substantiated: None,
    };
    let story = Live::story([
        received(),
        dispatched("sgcc", CREWS[0]),
        replied.into(),
        event::ReplySentBack { by: org("sgcc"), reason: "thin".into() }.into(),
    ]);
    assert_eq!(story, ["c1 assigned", "c1 ended done", "c1 assigned"]);
}

#[test]
fn a_ticket_that_ended_leaves_memory_and_comes_back_when_it_is_reopened() {
    let mut live = Live::default();
    let closed = event::Closed { explanation: None }.into();
    let again = event::Reopened { cycle: 2, reason: "again".into() }.into();
    for (n, event) in [received(), dispatched("sgcc", CREWS[0]), closed].into_iter().enumerate() {
        live.hears(fact(n as u64, ticket(0), event));
    }
    assert_eq!(live.fold.size().0, 0);
    live.hears(fact(3, ticket(0), again));
    live.hears(fact(4, ticket(0), dispatched("sgcc", CREWS[1])));
    let snapshot = live.fold.snapshot(&crew(1));
    assert_eq!(snapshot.assignments[0].ticket.number, "26010100000001");
    assert_eq!(live.fold.snapshot(&crew(0)), Snapshot::default());
}

/// The state of a crew app: the tickets and offers that it shows after a snapshot and the later messages.
#[derive(Clone, Debug, Default, PartialEq)]
struct App {
    offers: BTreeMap<OfferId, TicketId>,
    tickets: BTreeMap<TicketId, Option<OfferId>>,
}

impl App {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            offers: snapshot.offers.iter().map(|offer| (offer.offer, offer.ticket.ticket)).collect(),
            tickets: snapshot.assignments.iter().map(|has| (has.ticket.ticket, has.offer)).collect(),
        }
    }

    fn hears(&mut self, told: &AssignmentChange) {
        match told {
            AssignmentChange::Offered(offer) => drop(self.offers.insert(offer.offer, offer.ticket.ticket)),
            AssignmentChange::OfferGone { offer, .. } => drop(self.offers.remove(offer)),
            AssignmentChange::Assigned(has) => {
                self.offers.retain(|_, ticket| *ticket != has.ticket.ticket);
                self.tickets.insert(has.ticket.ticket, has.offer);
            }
            AssignmentChange::Ended { ticket, .. } => drop(self.tickets.remove(ticket)),
            AssignmentChange::News { .. } => {}
        }
    }
}

/// The facts without those that a valid log cannot hold. A crew has at most one live offer of a ticket. Each offer is
/// made once, to one crew, and none is made while a crew has the ticket.
fn honest(log: Vec<TicketFact>) -> Vec<TicketFact> {
    let mut states: BTreeMap<TicketId, State> = BTreeMap::new();
    let mut made = std::collections::BTreeSet::new();
    let mut kept = Vec::new();
    for fact in log {
        let state = states.entry(fact.id).or_default();
        let admitted = match (state.as_ref(), &fact.event) {
            (None, Event::Received(_)) => true,
            (None, _) | (Some(_), Event::Received(_)) => false,
            (Some(ticket), Event::Offered(e)) => {
                let in_work = matches!(ticket.stage, Stage::Dispatched | Stage::Accepted) && !ticket.is_child();
                let crewed = ticket.holder().and_then(CrewId::of).is_some();
                let has_one = ticket.offers.iter().any(|live| live.crew == e.crew);
                in_work && !crewed && !has_one && made.insert(e.offer)
            }
            // Such facts leave offers live that `decide` would end first, or they cannot happen.
            (Some(ticket), Event::Closed(_) | Event::ClosedAtFirstContact(_) | Event::MasterFollowed(_)) => {
                ticket.offers.is_empty()
            }
            (Some(_), _) => true,
        };
        if admitted {
            *state = evolve(state.take(), &fact.event, fact.occurred_at);
            kept.push(fact);
        }
    }
    kept
}

proptest! {
    #[test]
    fn whatever_the_log_holds_history_tells_what_was_told_live(log in log(60)) {
        let mut live = Live::default();
        for fact in log {
            let changes = live.hears(fact);
            let mut crews: Vec<&CrewId> = changes.iter().map(|(crew, _)| crew).collect();
            crews.dedup();
            prop_assert_eq!(crews.len(), changes.len(), "one change a crew and fact");
        }
        for n in 0..3 {
            let mut again: Vec<Change> = Vec::new();
            for t in 0..3 {
                again.extend(replay_changes(&crew(n), live.log.iter().filter(|fact| fact.id == ticket(t))));
            }
            again.sort_by_key(|change| change.position);
            let told = live.told.remove(&crew(n)).unwrap_or_default();
            prop_assert_eq!(again, told);
        }
    }

    #[test]
    fn a_snapshot_and_the_changes_since_show_what_a_later_snapshot_shows(log in log(60), cut in 0usize..60) {
        let mut live = Live::default();
        let mut apps = vec![App::default(); 3];
        for (n, fact) in honest(log).into_iter().enumerate() {
            if n == cut {
                apps = (0..3).map(|c| App::of(&live.fold.snapshot(&crew(c)))).collect();
            }
            for (to, change) in live.hears(fact) {
                let index = (0..3).find(|n| crew(*n) == to);
                if let Some(index) = index {
                    apps[index].hears(&change.told);
                }
            }
            for (c, app) in apps.iter().enumerate() {
                prop_assert_eq!(app, &App::of(&live.fold.snapshot(&crew(c))), "crew {}", c);
            }
        }
    }

    #[test]
    fn a_fold_resumed_anywhere_tells_the_same(log in log(60), cut in 0usize..60) {
        let (mut live, mut resumed) = (Live::default(), None::<Live>);
        for (n, fact) in log.into_iter().enumerate() {
            if n == cut {
                resumed = Some(Live { log: live.log.clone(), ..Live::default() });
            }
            let told = live.hears(fact.clone());
            if let Some(resumed) = &mut resumed {
                prop_assert_eq!(resumed.hears(fact), told);
            }
        }
    }
}

#[test]
fn standing_follows_the_roster_and_the_shift() {
    use switchboard_domain::crew::{self as crews, Point};
    let point = Point::new(30_000_000, 120_000_000).unwrap();
    let mut fold = Assignments::default();
    let mut hears = |position: u64, event: crews::Event| {
        let fact = switchboard_domain::fact::CrewFact {
            position,
            id: crew(0),
            revision: position,
            event,
            occurred_at: at(position),
            recorded_at: at(position),
            actor: Actor { id: "desk-1".into(), role: Role::Desk, org: org("sgcc") },
            request_id: Uuid::nil(),
        };
        assert!(fold.apply(&Fact::Crew(fact)).is_empty());
        fold.standing(&crew(0)).copied()
    };
    let roster = crews::event::Enrolled {
        crew: crew(0),
        home: point,
        territory: Vec::new(),
        skills: Skills::NONE,
        members: Vec::new(),
        vehicle: None,
    };
    assert!(hears(1, roster.into()).is_some_and(|s| s.enrolled && !s.is_at_work(at(1), true)));
    let started = crews::event::ShiftStarted { until: at(600), breaks: Vec::new(), at: None };
    assert!(hears(2, started.into()).is_some_and(|s| s.is_at_work(at(2), false) && s.kept.is_none()));
    let located = crews::event::Located { at: point, accuracy_m: 5 };
    assert_eq!(hears(3, located.into()).and_then(|s| s.kept), Some((point, at(3))));
    let standing = hears(4, crews::event::WentAway { why: crews::Absence::Rest }.into()).unwrap();
    let past_the_end = [599, 600].map(|minute| [false, true].map(|work| standing.is_at_work(at(minute), work)));
    assert_eq!(past_the_end, [[true, true], [false, true]], "whoever has work in hand works on");
    assert!(
        hears(5, crews::event::ShiftEnded {}.into()).is_some_and(|s| !s.is_at_work(at(5), true) && s.kept.is_none())
    );
    assert_eq!(hears(6, crews::event::Dismissed {}.into()), None);
}

#[test]
fn every_file_that_decides_who_is_told_what_decides_the_code() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/assignments");
    let parts = std::fs::read_dir(folder).unwrap().map(|part| part.unwrap().file_name().into_string().unwrap());
    let parts = parts.filter(|name| name.ends_with(".rs") && name != "tests.rs");
    let mut wanted: std::collections::BTreeSet<String> = parts.map(|name| format!("assignments/{name}")).collect();
    wanted.insert("assignments.rs".to_owned());
    assert_eq!(wanted, super::CODE.iter().map(|(path, _)| (*path).to_owned()).collect());
}

#[test]
fn a_ticket_that_ended_concerns_no_crew_also_while_its_history_is_recalled() {
    let withdrawn: Event = event::Withdrawn { reason: "It came back.".into() }.into();
    let story = [received(), withdrawn, offered(ticket(0), 1, 0, None)];
    let history: Vec<TicketFact> = (1..).zip(story).map(|(n, event)| fact(n, ticket(0), event)).collect();
    let mut fold = Assignments::default();
    fold.recall(&history);
    assert!(!fold.concerns_a_crew(ticket(0)));
    assert_eq!(fold.snapshot(&crew(0)), Snapshot::default());
    fold.recall(&history[..1]);
    fold.apply(&Fact::Ticket(fact(4, ticket(0), offered(ticket(0), 1, 0, None))));
    assert!(fold.concerns_a_crew(ticket(0)), "an open one does");
}
