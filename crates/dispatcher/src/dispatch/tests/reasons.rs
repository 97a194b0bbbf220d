//! Examples of the release reasons that the process records. The domain tests the table of reasons itself.

use switchboard_domain::ticket::event::{Merged, Reassigned, Recalled, Replied};

use super::*;

/// The actions after an offer to crew 1 and then `then`.
fn after(then: impl Fn(&mut Tale)) -> Vec<Intent> {
    let mut tale = Tale::begun();
    tale.reserved(1, 1);
    tale.offered(1, 1);
    then(&mut tale);
    tale.intents()
}

fn suspended() -> Suspended {
    Suspended { reason: SuspendReason::Customer, until: None, note: None }
}

#[test]
fn an_offer_that_a_fact_of_the_ticket_ended_is_released_for_the_reason_that_the_crews_app_hears() {
    assert_eq!(after(|tale| tale.ticket(suspended())), [release(1, 1, ReleaseReason::Withdrawn)]);
    let master = TicketId(Uuid::from_u128(9));
    let merged = || Merged { master, evidence: Personal::from("same fuse") };
    assert_eq!(after(|tale| tale.ticket(merged())), [release(1, 1, ReleaseReason::TicketEnded)]);
    let reason = Personal::from("theirs");
    let moved = || Reassigned { from: org(STATION), to: org(NATION), reason: reason.clone() };
    assert!(after(|tale| tale.ticket(moved())).contains(&release(1, 1, ReleaseReason::Reassigned)));
    let by_hand = |n: u32| Dispatched { from: org(STATION), to: crew(n).org().clone() };
    assert!(after(|tale| tale.ticket(by_hand(2))).contains(&release(1, 1, ReleaseReason::TakenByOther)));
    assert_eq!(
        after(|tale| tale.ticket(by_hand(1))),
        [release(1, 1, ReleaseReason::Withdrawn)],
        "then it is committed"
    );
}

#[test]
fn a_crew_that_accepted_and_lost_the_ticket_before_its_time_was_given_is_released_for_that() {
    let wanted = after(|tale| {
        tale.accepted(1);
        let reason = Personal::from("elsewhere");
        tale.ticket(Recalled { crew: crew(1), reason: reason.clone() });
        tale.ticket(Reassigned { from: crew(1).org().clone(), to: org(STATION), reason });
    });
    assert!(wanted.contains(&release(1, 1, ReleaseReason::Recalled)), "{wanted:?}");
}

#[test]
fn work_that_waits_and_is_then_taken_away_or_ended_is_released_for_the_last_that_the_process_knows() {
    let mut tale = Tale::begun();
    tale.taken(1);
    tale.ticket(suspended());
    tale.ticket(ticket::event::Withdrawn { reason: Personal::from("light again") });
    assert_eq!(tale.intents(), [Intent::Release(crew(1), ticket(), None, ReleaseReason::TicketEnded)]);
}

#[test]
fn a_ticket_that_ended_is_kept_until_its_crew_is_released_and_no_longer() {
    let mut tale = Tale::begun();
    tale.taken(1);
    let slip = Replied {
        by: crew(1).org().clone(),
        outcome: ticket::ReplyOutcome::NotOurs,
        facts: Personal::from("f"),
        cause: "c".into(),
        measures: Personal::from("m"),
        customer_view: None,
        category: Category::parse("fault/low voltage").unwrap(),
        ownership: None,
        substantiated: None,
    };
    tale.ticket(slip);
    tale.ticket(Closed { explanation: None });
    assert_eq!(tale.intents(), [Intent::Release(crew(1), ticket(), None, ReleaseReason::Done)]);
    assert!(tale.process.fold().case(ticket()).is_some() && !tale.process.board().jobs.contains_key(&ticket()));
    let mut resumed = Dispatch::resume(Policy::default(), tale.process.fold().clone());
    assert_eq!(resumed.pending(tale.now, 64), tale.wants(), "also after a restart");
    tale.crew(1, Released { ticket: ticket(), offer: None, why: ReleaseReason::Done });
    assert!(tale.intents().is_empty() && tale.process.fold().case(ticket()).is_none());
}
