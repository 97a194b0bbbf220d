//! The stories of tickets that desks settle without a crew: consultations, service applications, complaints, reports,
//! opinions, suggestions and praise.

use chrono::TimeDelta;
use switchboard_wire::proto::{self as pb, BusinessType, Grade, ReplyOutcome, Urgency};

use super::dissatisfied;
use crate::{
    city::{CITY, PROVINCE, county, delays, scene::Scene, words},
    request::Request,
    script::{Slot, of_unit, stamp},
};

pub(super) fn consultation_open(s: &mut Scene<'_>) {
    let house = s.household();
    let ticket = s.receive(&house, BusinessType::Consultation, words::CONSULTATION_OPEN);
    s.take(delays::FILED);
    s.classify_plain(ticket, words::CATEGORY_CHARGING);
    desk_work(s, ticket, &[PROVINCE, CITY], words::CATEGORY_CHARGING);
    s.revisit_content(ticket);
    s.close(ticket);
}

pub(super) fn service(s: &mut Scene<'_>) {
    let house = s.household();
    let ticket = s.receive(&house, BusinessType::ServiceApplication, words::SERVICE);
    s.take(delays::FILED);
    s.classify_plain(ticket, words::CATEGORY_SERVICE);
    desk_work(s, ticket, &[CITY, &house.station], words::CATEGORY_SERVICE);
    s.revisit_content(ticket);
    s.close(ticket);
}

pub(super) fn service_waiting(s: &mut Scene<'_>) {
    let house = s.household();
    let ticket = s.receive(&house, BusinessType::ServiceApplication, words::SERVICE);
    s.take(delays::FILED);
    s.classify_plain(ticket, words::CATEGORY_SERVICE);
    s.send_down(ticket, &[CITY, &house.station], delays::PASSED_ON, delays::PASSED_ON);
    let station = of_unit(&house.station);
    s.pass(30..90);
    let request = pb::SuspendRequest {
        header: None,
        reason: pb::SuspendReason::Customer.into(),
        until: Some(stamp(s.now + TimeDelta::days(2))),
        note: Some(words::SUSPENDED.to_owned()),
    };
    s.step(ticket, &station, request);
    s.pass(1200..2400);
    s.step(ticket, &station, pb::ResumeRequest { header: None });
    s.pass(10..60);
    let until = Some(stamp(s.now + TimeDelta::days(3)));
    s.step(ticket, &station, pb::ExtendRequest { header: None, until, reason: words::EXTENDED.to_owned() });
    s.pass(600..2000);
    s.reply(ticket, &station, ReplyOutcome::Resolved, words::DESK_MEASURES, words::CATEGORY_SERVICE);
    s.audit(ticket, &[CITY]);
    s.revisit_content(ticket);
    s.close(ticket);
}

pub(super) fn complaint(s: &mut Scene<'_>) {
    let house = s.household();
    let ticket = s.receive(&house, BusinessType::Complaint, words::COMPLAINT);
    s.take(delays::FILED);
    s.classify(ticket, words::CATEGORY_COMPLAINT, Urgency::Normal, Grade::Important);
    let county = county(&house);
    let chain = [PROVINCE, CITY, county, &house.station];
    s.send_down(ticket, &chain, delays::PASSED_ON, delays::PASSED_ON);
    let station = of_unit(&house.station);
    s.pass(60..300);
    let (reached, note) = (pb::ContactOutcome::Reached.into(), None);
    s.step(ticket, &station, pb::ContactRequest { header: None, outcome: reached, note });
    s.pass(300..1200);
    s.reply(ticket, &station, ReplyOutcome::Resolved, words::DESK_MEASURES, words::CATEGORY_COMPLAINT);
    s.pass(10..60);
    s.step(ticket, &of_unit(county), Request::sent_back(words::INCOMPLETE));
    s.pass(60..300);
    s.reply(ticket, &station, ReplyOutcome::Resolved, words::DESK_MEASURES, words::CATEGORY_COMPLAINT);
    s.audit(ticket, &chain[..3]);
    s.revisit_content(ticket);
    s.close(ticket);
}

/// The caller is confidential, so there is no revisit.
pub(super) fn whistle(s: &mut Scene<'_>) {
    let house = s.household();
    let ticket = s.receive(&house, BusinessType::Report, words::WHISTLE);
    s.take(delays::FILED);
    s.classify_plain(ticket, words::CATEGORY_WHISTLE);
    desk_work(s, ticket, &[PROVINCE, CITY], words::CATEGORY_WHISTLE);
    s.close(ticket);
}

pub(super) fn opinion(s: &mut Scene<'_>) {
    said_and_answered(s, BusinessType::Opinion, words::OPINION, words::CATEGORY_OPINION);
}

pub(super) fn suggestion(s: &mut Scene<'_>) {
    said_and_answered(s, BusinessType::Suggestion, words::SUGGESTION, words::CATEGORY_SUGGESTION);
}

/// The customer stays dissatisfied after the revisit; the ticket is closed with an explanation.
pub(super) fn opinion_escalated(s: &mut Scene<'_>) {
    let house = s.household();
    let ticket = s.receive(&house, BusinessType::Opinion, words::OPINION);
    s.take(delays::FILED);
    s.classify_plain(ticket, words::CATEGORY_OPINION);
    s.pass(2..6);
    let agent = s.agent();
    let to = pb::escalate_request::To::Complaint(Grade::General.into());
    let request = pb::EscalateRequest { header: None, reason: words::ESCALATED.to_owned(), to: Some(to) };
    s.step(ticket, &agent, request);
    desk_work(s, ticket, &[PROVINCE, CITY, county(&house)], words::CATEGORY_OPINION);
    s.pass(10..60);
    s.pass_quiet_hours();
    s.step(ticket, &agent, dissatisfied(pb::DissatisfactionReason::Other));
    s.pass(5..20);
    s.step(ticket, &agent, pb::CloseRequest { header: None, explanation: Some(words::EXPLAINED.to_owned()) });
}

/// Praise is passed on; there is no revisit.
pub(super) fn praise(s: &mut Scene<'_>) {
    let house = s.household();
    let ticket = s.receive(&house, BusinessType::Praise, words::PRAISE);
    s.take(delays::FILED);
    s.classify_plain(ticket, words::CATEGORY_PRAISE);
    desk_work(s, ticket, &[PROVINCE, CITY], words::CATEGORY_PRAISE);
    s.close(ticket);
}

/// A ticket that the desks of province, city and county settle, followed by a revisit.
fn said_and_answered(s: &mut Scene<'_>, business: BusinessType, said: &str, category: &str) {
    let house = s.household();
    let ticket = s.receive(&house, business, said);
    s.take(delays::FILED);
    s.classify_plain(ticket, category);
    desk_work(s, ticket, &[PROVINCE, CITY, county(&house)], category);
    s.revisit_content(ticket);
    s.close(ticket);
}

/// Dispatches the ticket down to the last of `units`, which replies; the audit goes all the way up.
fn desk_work(s: &mut Scene<'_>, ticket: Slot, units: &[&str], category: &str) {
    s.send_down(ticket, units, delays::PASSED_ON, delays::PASSED_ON);
    s.pass(60..600);
    if let [above @ .., last] = units {
        s.reply(ticket, &of_unit(last), ReplyOutcome::Resolved, words::DESK_MEASURES, category);
        s.audit(ticket, above);
    }
}
