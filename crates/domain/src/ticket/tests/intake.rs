//! Receiving, classifying, answering at once, dispatching, withdrawing.

use super::{
    sample::*,
    story::{clock, given},
};
use crate::{
    Violation,
    organisation::{LEVELS, Level},
    ticket::{
        BusinessType, Channel, Escalation, Event, Grade, Rejection, Stage, TicketId, Tier,
        command::{Caller, Receive},
        event,
    },
};

#[test]
fn a_call_becomes_a_ticket() {
    given([])
        .when(receive(BusinessType::FaultRepair))
        .then([received(BusinessType::FaultRepair)])
        .stands_at(Stage::Received);
}

#[test]
fn a_ticket_keeps_the_tier_and_the_appointment_that_were_known_at_its_intake() {
    let at = clock(23, "14:30");
    for tier in [None, Some(Tier::A), Some(Tier::C)] {
        for appointment in [None, Some(at)] {
            let call = Receive { tier, appointment, ..receive(BusinessType::ServiceApplication) };
            let Event::Received(plain) = received(BusinessType::ServiceApplication) else { unreachable!() };
            given([]).when(call).then([event::Received { tier, appointment, ..*plain }.into()]);
        }
    }
}

#[test]
fn a_ticket_is_received_once() {
    given([received(BusinessType::Opinion)]).when(receive(BusinessType::Opinion)).illegal();
}

#[test]
fn nothing_can_be_asked_of_a_ticket_that_was_never_received() {
    for command in [classify(), dispatch(ZJ), urge(), close(), reveal()] {
        given([]).when(command).refused(Rejection::NotFound);
    }
}

#[test]
fn a_ticket_is_received_at_every_level() {
    for (unit, level) in LADDER.into_iter().zip(Level::ALL) {
        let mut call = receive(BusinessType::Opinion);
        call.received_by = org(unit);
        let story = given([]).by(unit).when(call).then([received_at(unit, BusinessType::Opinion)]);
        assert_eq!(story.ticket().receiver().map(|unit| unit.level()), Some(level));
    }
    assert_eq!(LADDER.len(), LEVELS);
}

#[test]
fn a_unit_receives_for_itself_for_those_within_it_and_for_those_above_it_but_not_for_its_neighbour() {
    let call = || {
        let mut call = receive(BusinessType::FaultRepair);
        call.received_by = org(HZ);
        call
    };
    for allowed in [HZ, ZJ, NATION, YUHANG] {
        given([]).by(allowed).when(call()).accepted();
    }
    let why = Rejection::NotTheHolder { holder: org(HZ), actor: org(NB) };
    given([]).by(NB).when(call()).refused(why);
}

#[test]
fn a_report_hides_its_complainant_without_being_asked() {
    let story = given([]).when(receive(BusinessType::Report)).then([received(BusinessType::Report)]);
    assert!(story.ticket().confidential);
}

#[test]
fn an_anonymous_report_has_nobody_to_hide() {
    let mut call = receive(BusinessType::Report);
    call.caller = Caller { anonymous: true, ..Caller::default() };
    let ticket = given([]).when(call).accepted().ticket().clone();
    assert!(ticket.anonymous && !ticket.confidential && !ticket.revisit_due());
}

#[test]
fn a_ticket_classified_as_a_report_becomes_confidential_and_stays_so() {
    let story = given([received(BusinessType::Opinion)]).when(classify_as(BusinessType::Report, None)).accepted();
    assert!(story.ticket().confidential);
    let story = story.when(classify_as(BusinessType::Opinion, None)).accepted();
    assert!(story.ticket().confidential, "what was promised to the complainant holds");
}

#[test]
fn a_ticket_that_the_grid_itself_reports_needs_no_caller() {
    let mut detected = receive(BusinessType::FaultRepair);
    detected.channel = Channel::Proactive;
    detected.caller = Caller::default();
    given([]).when(detected).accepted();
}

#[test]
fn a_classification_can_be_corrected_until_the_ticket_leaves() {
    let story = given(ready_to_dispatch(BusinessType::Opinion))
        .when(classify_as(BusinessType::Suggestion, None))
        .then([classified(BusinessType::Suggestion)]);
    assert_eq!(story.ticket().business, BusinessType::Suggestion);
    story.when(dispatch(ZJ)).accepted().when(classify()).illegal();
}

#[test]
fn a_complaint_needs_a_grade() {
    let missing = Violation::missing("grade");
    given([received(BusinessType::Complaint)]).when(classify()).invalid([missing.clone()]);
    given([received(BusinessType::Opinion)]).when(classify_as(BusinessType::Complaint, None)).invalid([missing]);
    let story = given([received(BusinessType::Opinion)])
        .when(classify_as(BusinessType::Complaint, Some(Grade::Important)))
        .accepted();
    assert_eq!(story.ticket().grade, Some(Grade::Important));
}

#[test]
fn nothing_but_a_complaint_has_a_grade() {
    let contradicts = Violation::contradicts("grade", "business_type");
    given([received(BusinessType::Complaint)])
        .when(classify_as(BusinessType::Opinion, Some(Grade::General)))
        .invalid([contradicts.clone()]);
    let mut graded = classify();
    if let crate::ticket::Command::Classify { grade, .. } = &mut graded {
        *grade = Some(Grade::General);
    }
    given([received(BusinessType::Opinion)]).when(graded).invalid([contradicts]);
}

#[test]
fn an_urge_stays_an_urge_and_nothing_else_becomes_one() {
    let contradicts = Violation::contradicts("business_type", "linked_ticket");
    given([received(BusinessType::Urge)]).when(classify_as(BusinessType::Opinion, None)).invalid([contradicts.clone()]);
    given([received(BusinessType::Opinion)]).when(classify_as(BusinessType::Urge, None)).invalid([contradicts]);
}

#[test]
fn a_master_cannot_be_classified_as_something_that_has_no_children() {
    given(ready_to_dispatch(BusinessType::FaultRepair))
        .and(event::ChildAdopted { child: ticket_id(2) }.into())
        .when(classify_as(BusinessType::Consultation, None))
        .invalid([Violation::contradicts("business_type", "children")]);
}

#[test]
fn a_query_is_answered_at_once_and_cannot_be_dispatched() {
    let story = given(ready_to_dispatch(BusinessType::InformationQuery)).when(dispatch(ZJ)).illegal();
    let answered: Event = event::ClosedAtFirstContact { answer: text() }.into();
    story.when(close_at_first_contact()).then([answered]).stands_at(Stage::Closed);
}

#[test]
fn a_query_needs_no_category_to_be_answered() {
    given([received(BusinessType::InformationQuery)]).when(close_at_first_contact()).accepted();
}

#[test]
fn only_queries_consultations_faults_and_urges_are_closed_at_first_contact() {
    for &business in BusinessType::ALL {
        let story = given(ready_to_dispatch(business));
        let at_once = matches!(
            business,
            BusinessType::InformationQuery
                | BusinessType::Consultation
                | BusinessType::FaultRepair
                | BusinessType::Urge
        );
        let outcome = story.when(close_at_first_contact());
        if at_once {
            outcome.accepted().stands_at(Stage::Closed)
        } else {
            outcome.illegal()
        };
    }
}

#[test]
fn a_ticket_is_classified_before_it_is_dispatched() {
    given([received(BusinessType::FaultRepair)]).when(dispatch(HZ)).illegal();
}

#[test]
fn a_fault_goes_from_the_centre_straight_to_a_city_or_below() {
    let ready = || given(ready_to_dispatch(BusinessType::FaultRepair));
    for to in [HZ, YUHANG, LIANGZHU, CREW] {
        ready().when(dispatch(to)).then([dispatched(NATION, to)]).stands_at(Stage::Dispatched);
    }
    let (from, to) = (Level::Nation, Level::Province);
    ready().when(dispatch(ZJ)).refused(Rejection::WrongLevel { business: BusinessType::FaultRepair, from, to });
}

#[test]
fn everything_that_is_not_a_repair_goes_from_the_centre_to_a_province_first() {
    for business in [
        BusinessType::Consultation,
        BusinessType::Complaint,
        BusinessType::Report,
        BusinessType::Opinion,
        BusinessType::Suggestion,
        BusinessType::Praise,
    ] {
        let ready = || given(ready_to_dispatch(business));
        ready().when(dispatch(ZJ)).then([dispatched(NATION, ZJ)]);
        for (to, level) in LADDER.into_iter().zip(Level::ALL).skip(2) {
            let why = Rejection::WrongLevel { business, from: Level::Nation, to: level };
            ready().when(dispatch(to)).refused(why);
        }
    }
}

#[test]
fn a_service_application_goes_from_the_centre_to_a_province_or_a_city() {
    let ready = || given(ready_to_dispatch(BusinessType::ServiceApplication));
    ready().when(dispatch(ZJ)).accepted();
    ready().when(dispatch(HZ)).accepted();
    let why =
        Rejection::WrongLevel { business: BusinessType::ServiceApplication, from: Level::Nation, to: Level::County };
    ready().when(dispatch(YUHANG)).refused(why);
}

#[test]
fn below_the_centre_a_unit_forwards_to_any_unit_within_it() {
    let story = given(ready_to_dispatch(BusinessType::Complaint)).and(dispatched(NATION, ZJ)).and(accepted(ZJ));
    for to in [HZ, YUHANG, LIANGZHU, CREW] {
        story.clone().when(dispatch(to)).then([dispatched(ZJ, to)]);
    }
}

#[test]
fn a_ticket_cannot_be_dispatched_outside_its_holder() {
    let story = given(in_work(BusinessType::Complaint));
    let why = |to| Rejection::OutsideHolder { holder: org(HZ), to: org(to) };
    story.when(dispatch(NB)).refused(why(NB)).when(dispatch(ZJ)).refused(why(ZJ));
}

#[test]
fn the_unit_that_received_a_ticket_may_take_it_on_itself() {
    given([received_at(HZ, BusinessType::FaultRepair), classified(BusinessType::FaultRepair)])
        .when(dispatch(HZ))
        .then([dispatched(HZ, HZ)]);
}

#[test]
fn a_unit_that_was_sent_a_ticket_cannot_send_it_to_itself() {
    given(in_work(BusinessType::Complaint)).when(dispatch(HZ)).refused(Rejection::AlreadyHeld { holder: org(HZ) });
}

#[test]
fn an_urge_goes_to_whoever_holds_the_urged_ticket_at_any_level() {
    for to in LADDER {
        given(ready_to_dispatch(BusinessType::Urge)).when(dispatch(to)).accepted();
    }
}

#[test]
fn a_customer_takes_a_ticket_back_at_any_time_before_the_reply() {
    let withdrawn: Event = event::Withdrawn { reason: text() }.into();
    for facts in [
        vec![received(BusinessType::FaultRepair)],
        ready_to_dispatch(BusinessType::FaultRepair),
        in_work(BusinessType::FaultRepair),
        given_to_a_crew(),
    ] {
        given(facts).when(withdraw()).then([withdrawn.clone()]).stands_at(Stage::Withdrawn);
    }
    given(repaired()).when(withdraw()).illegal();
}

#[test]
fn a_withdrawn_ticket_admits_nothing_but_a_look_on_the_record() {
    let story = given([received(BusinessType::Opinion), event::Withdrawn { reason: text() }.into()]);
    for command in [classify(), supplement(), urge(), reopen(), close(), withdraw(), escalate(Escalation::Urgent)] {
        story.clone().when(command).illegal();
    }
    story.when(reveal()).accepted();
}

#[test]
fn what_the_customer_adds_later_is_kept_until_the_ticket_is_closed() {
    let supplemented: Event = event::Supplemented { content: text() }.into();
    for facts in [in_work(BusinessType::Complaint), repaired(), awaiting_revisit()] {
        given(facts).when(supplement()).then([supplemented.clone()]);
    }
    given([received(BusinessType::InformationQuery), event::ClosedAtFirstContact { answer: text() }.into()])
        .when(supplement())
        .illegal();
}

#[test]
fn a_repeated_request_names_the_same_ticket() {
    let request = uuid::Uuid::from_u128(42);
    assert_eq!(TicketId::opened_by(request), TicketId::opened_by(request));
    assert_ne!(TicketId::opened_by(request), TicketId::opened_by(uuid::Uuid::from_u128(43)));
    let name = TicketId::opened_by(request).to_string();
    assert!(!name.contains('-'), "a stream's name has one dash, after its category");
    assert_eq!(TicketId::parse(&name), Some(TicketId::opened_by(request)));
    assert_eq!(TicketId::parse("12"), None);
}

#[test]
fn a_device_whose_clock_runs_a_little_ahead_is_believed() {
    let story = given([]).at(clock(21, "10:00")).by_the_device_at(clock(21, "10:05"));
    story.when(receive(BusinessType::FaultRepair)).accepted();
}
