//! Requests of crews and dispatch desks: each is accepted or rejected as a whole, for the crew that it names or the
//! actor's, and dated by a corrected device clock.

use chrono::TimeDelta;
use prost_types::Timestamp as WireTimestamp;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    actor::{Actor, Role},
    crew::{
        Absence, Break, Command as CrewCommand, CrewId, DeclineReason, OfferId, Point, Skill, Skills,
        decide::{BREAKS_MAX, MEMBERS_MAX, TERRITORY_MAX},
    },
    organisation::OrgPath,
    ticket::{Command, Step, validate::TEXT_BYTES_MAX},
};
use switchboard_wire::{
    command::{
        CLOCK_OFF_MINUTES_MAX, CrewRequest, DeviceClock, OFFSET_DAYS_MAX, ReadStep, STEPS_MAX, TicketRef,
        TicketRequest, bundle, check_occurred_at, crew, happened, position, step,
    },
    proto::{self, step_report},
    refusal::Refusal,
};
use uuid::{Uuid, uuid};

const REQUEST: Uuid = uuid!("6ba7b810-9dad-41d1-80b4-00c04fd430c8");
const OFFER: Uuid = uuid!("0c9c6a0e-8f0b-5a53-9d0b-3f7f5d8f4a51");
const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew3";
const OTHER: &str = "sgcc/zj/hz/yuhang/liangzhu/crew4";
const STATION: &str = "sgcc/zj/hz/yuhang/liangzhu";
const NUMBER: &str = "2026112200000001";

fn actor(org: &str) -> Actor {
    Actor { id: "crew-3-lead".into(), role: Role::Crew, org: OrgPath::parse(org).unwrap() }
}

fn id(path: &str) -> CrewId {
    CrewId::of(&OrgPath::parse(path).unwrap()).unwrap()
}

fn at(seconds: i64) -> Option<WireTimestamp> {
    Some(WireTimestamp { seconds, nanos: 0 })
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap()
}

fn header() -> Option<proto::CommandHeader> {
    let (request_id, ticket) = (REQUEST.to_string(), NUMBER.into());
    Some(proto::CommandHeader { request_id, ticket, etag: None, occurred_at: None })
}

fn of_crew(crew: Option<&str>) -> Option<proto::CrewHeader> {
    let (request_id, crew) = (REQUEST.to_string(), crew.map(str::to_owned));
    Some(proto::CrewHeader { request_id, crew, occurred_at: at(1_700_000_000) })
}

fn makes<R: TicketRequest>(request: &R, method: &str) -> Command {
    assert_eq!(R::METHOD, method);
    let (header, command) = request.read().unwrap_or_else(|violations| panic!("{method}: {violations:?}"));
    assert_eq!((header.request_id, header.ticket), (REQUEST, TicketRef::Number(NUMBER.into())));
    command
}

fn told(violations: Vec<Violation>) -> Vec<(&'static str, Problem)> {
    violations.into_iter().map(|Violation { field, problem }| (field, problem)).collect()
}

fn fields<T: std::fmt::Debug>(read: Result<T, Vec<Violation>>) -> Vec<&'static str> {
    read.expect_err("to be refused").into_iter().map(|violation| violation.field).collect()
}

#[test]
fn every_request_about_a_ticket_makes_its_command() {
    let (offer, fence) = (OfferId(OFFER), 17);
    let accept = proto::AcceptOfferRequest { header: header(), offer: OFFER.to_string(), fence };
    assert_eq!(makes(&accept, "AcceptOffer"), Command::AcceptOffer { offer, fence });
    let note = Some("the bridge is closed".to_owned());
    let decline = proto::DeclineOfferRequest { header: header(), offer: OFFER.to_string(), fence, reason: 3, note };
    let (reason, note) = (DeclineReason::Road, Some("the bridge is closed".into()));
    assert_eq!(makes(&decline, "DeclineOffer"), Command::DeclineOffer { offer, fence, reason, note });
    let hand_over = proto::HandOverRequest { header: header(), needs: vec![5, 1, 5], note: "a cable".into() };
    let needs = Skills::of(&[Skill::HighVoltage, Skill::LiveLine]);
    assert_eq!(makes(&hand_over, "HandOver"), Command::HandOver { needs, note: "a cable".into() });
    let recall = proto::RecallRequest { header: header(), reason: "a hospital first".into() };
    assert_eq!(makes(&recall, "Recall"), Command::Recall { crew: None, reason: "a hospital first".into() });
    let assign = |crew: Option<&str>| proto::AssignRequest {
        header: header(),
        crew: crew.map(str::to_owned),
        reason: "they know the site".into(),
    };
    let pin = |crew| Command::Pin { crew, reason: "they know the site".into() };
    assert_eq!(makes(&assign(Some(CREW)), "Assign"), pin(Some(id(CREW))));
    assert_eq!(makes(&assign(None), "Assign"), pin(None));
    assert_eq!(makes(&assign(Some("")), "Assign"), pin(None), "an empty path is none");
}

#[test]
fn a_request_about_a_ticket_that_says_nothing_hears_of_everything_at_once() {
    let unnamed = ["header.ticket", "header.request_id"];
    let all = |more: &[&'static str]| unnamed.into_iter().chain(more.iter().copied()).collect::<Vec<_>>();
    assert_eq!(fields(proto::AcceptOfferRequest::default().read()), all(&["offer", "fence"]));
    assert_eq!(fields(proto::DeclineOfferRequest::default().read()), all(&["offer", "fence", "reason"]));
    assert_eq!(fields(proto::HandOverRequest::default().read()), all(&["note"]));
    assert_eq!(fields(proto::RecallRequest::default().read()), all(&["reason"]));
    assert_eq!(fields(proto::AssignRequest::default().read()), all(&["reason"]));
}

#[test]
fn malformed_offers_crews_and_skills_are_named() {
    let accept = proto::AcceptOfferRequest { header: header(), offer: "the first".into(), fence: 1 };
    assert_eq!(told(accept.read().unwrap_err()), [("offer", Problem::Malformed { expected: "an offer's id" })]);
    let needs =
        proto::HandOverRequest { header: header(), needs: vec![1, 99, 98], note: "x".repeat(TEXT_BYTES_MAX + 1) };
    assert_eq!(fields(needs.read()), ["needs", "note"]);
    for unit in ["SGCC", "sgcc/zj", "sgcc/zj/hz/yuhang/liangzhu/crew3/van"] {
        let assign = proto::AssignRequest { header: header(), crew: Some(unit.into()), reason: " ".into() };
        let expected = [("crew", Problem::Malformed { expected: CrewId::FORM }), ("reason", Problem::Missing)];
        assert_eq!(told(assign.read().unwrap_err()), expected, "{unit}");
    }
}

fn commands<R: CrewRequest>(request: &R, method: &str, actor: &Actor) -> (CrewId, CrewCommand) {
    assert_eq!(R::METHOD, method);
    let (header, command) = request.read(actor).unwrap_or_else(|violations| panic!("{method}: {violations:?}"));
    assert_eq!(header.request_id, REQUEST);
    (header.crew, command)
}

#[test]
fn every_request_to_a_crew_makes_its_command() {
    let own = actor(CREW);
    let rest = proto::ShiftBreak { from: at(1_700_003_600), until: at(1_700_005_400) };
    let here = proto::Position { latitude_e6: 30_382_000, longitude_e6: 120_032_000 };
    let start = proto::StartShiftRequest {
        header: of_crew(None),
        until: at(1_700_028_800),
        breaks: vec![rest],
        at: Some(here),
    };
    let breaks = vec![Break { from: time(1_700_003_600), until: time(1_700_005_400) }];
    let begun = CrewCommand::StartShift { until: time(1_700_028_800), breaks, at: Point::new(30_382_000, 120_032_000) };
    assert_eq!(commands(&start, "StartShift", &own), (id(CREW), begun));
    let end = proto::EndShiftRequest { header: of_crew(None) };
    assert_eq!(commands(&end, "EndShift", &own), (id(CREW), CrewCommand::EndShift));
    assert_eq!(end.read(&own).unwrap().0.occurred_at, Some(time(1_700_000_000)));
    let away = |away| proto::SetAvailabilityRequest { header: of_crew(Some(OTHER)), away };
    let gone = CrewCommand::GoAway { why: Absence::Vehicle };
    assert_eq!(commands(&away(2), "SetAvailability", &actor(STATION)), (id(OTHER), gone));
    assert_eq!(commands(&away(0), "SetAvailability", &own), (id(OTHER), CrewCommand::ComeBack));
    let dismiss = proto::DismissCrewRequest { header: of_crew(Some(OTHER)) };
    assert_eq!(commands(&dismiss, "DismissCrew", &actor(STATION)), (id(OTHER), CrewCommand::Dismiss));
}

#[test]
fn a_crew_is_the_one_named_or_else_the_actors_unit() {
    assert_eq!(crew(None, &actor(CREW)), Ok(id(CREW)));
    assert_eq!(crew(Some(" "), &actor(CREW)), Ok(id(CREW)));
    assert_eq!(crew(Some(OTHER), &actor(CREW)), Ok(id(OTHER)), "who may speak for it is the domain's to say");
    assert_eq!(told(crew(None, &actor(STATION)).unwrap_err()), [("crew", Problem::Missing)]);
    let end = proto::EndShiftRequest { header: of_crew(None) };
    assert_eq!(told(end.read(&actor("sgcc")).unwrap_err()), [("header.crew", Problem::Missing)]);
    assert_eq!(fields(proto::EndShiftRequest::default().read(&actor("sgcc"))), ["header.request_id", "header.crew"]);
}

#[test]
fn a_shift_is_refused_with_all_that_is_wrong_with_it() {
    let rest = proto::ShiftBreak { from: at(9), until: None };
    let nowhere = proto::Position { latitude_e6: 90_000_001, longitude_e6: -180_000_001 };
    let start = proto::StartShiftRequest { header: of_crew(None), until: None, breaks: vec![rest], at: Some(nowhere) };
    let all = ["until", "breaks.until", "at.latitude_e6", "at.longitude_e6"];
    assert_eq!(fields(start.read(&actor(CREW))), all);
    let rest = |from, until| proto::ShiftBreak { from: at(from), until: at(until) };
    let planned = |breaks| proto::StartShiftRequest { header: of_crew(None), until: at(100), breaks, at: None };
    let many = planned(vec![rest(1, 2); BREAKS_MAX + 1]);
    assert_eq!(told(many.read(&actor(CREW)).unwrap_err()), [("breaks", Problem::TooMany { limit: BREAKS_MAX })]);
    for backwards in [rest(2, 1), rest(99, 101)] {
        let refused = planned(vec![backwards]).read(&actor(CREW)).unwrap_err();
        assert_eq!(told(refused), [("breaks", Problem::Contradicts { other: "until" })]);
    }
}

fn enrolment() -> proto::EnrolCrewRequest {
    proto::EnrolCrewRequest {
        request_id: REQUEST.to_string(),
        crew: CREW.into(),
        home: Some(proto::Position { latitude_e6: 1, longitude_e6: 2 }),
        skills: vec![2, 4],
        members: vec!["crew-3-lead".into()],
        vehicle: Some(" ".into()),
        territory: Vec::new(),
    }
}

#[test]
fn a_crew_is_enrolled_for_its_station_unless_a_territory_is_named() {
    let enrolled = |request: &proto::EnrolCrewRequest| match request.read(&actor("sgcc")) {
        Ok((header, CrewCommand::Enrol(roster))) if header.crew == roster.crew => *roster,
        other => panic!("{other:?}"),
    };
    let roster = enrolled(&enrolment());
    assert_eq!((roster.crew, roster.home), (id(CREW), Point { latitude_e6: 1, longitude_e6: 2 }));
    assert_eq!(roster.territory, [OrgPath::parse(STATION).unwrap()]);
    assert_eq!(roster.skills, Skills::of(&[Skill::LowVoltage, Skill::Metering]));
    assert_eq!((roster.members, roster.vehicle), (vec!["crew-3-lead".to_owned()], None));
    let wide = proto::EnrolCrewRequest { territory: vec!["sgcc/zj/hz".into(), STATION.into()], ..enrolment() };
    assert_eq!(enrolled(&wide).territory.len(), 2);
}

#[test]
fn an_enrolment_is_refused_with_all_that_is_wrong_with_it() {
    let nothing = proto::EnrolCrewRequest::default().read(&actor("sgcc"));
    assert_eq!(fields(nothing), ["request_id", "crew", "home", "skills"]);
    let broken = proto::EnrolCrewRequest {
        home: Some(proto::Position { latitude_e6: i32::MIN, longitude_e6: i32::MAX }),
        territory: vec!["/".into()],
        skills: vec![77],
        members: vec!["no staff id".into()],
        vehicle: Some("x".repeat(65)),
        ..enrolment()
    };
    let all = ["home.latitude_e6", "home.longitude_e6", "territory", "skills", "members", "vehicle"];
    assert_eq!(fields(broken.read(&actor("sgcc"))), all);
    let many = proto::EnrolCrewRequest {
        territory: vec![STATION.into(); TERRITORY_MAX + 1],
        members: vec!["m".into(); MEMBERS_MAX + 1],
        ..enrolment()
    };
    let limits = [("territory", TERRITORY_MAX), ("members", MEMBERS_MAX)];
    assert_eq!(
        told(many.read(&actor("sgcc")).unwrap_err()),
        limits.map(|(field, limit)| (field, Problem::TooMany { limit }))
    );
    let abroad = proto::EnrolCrewRequest { territory: vec!["csg/gd".into()], ..enrolment() };
    let contradicts = ("territory", Problem::Contradicts { other: "crew" });
    assert_eq!(told(abroad.read(&actor("sgcc")).unwrap_err()), [contradicts]);
}

fn report(made: step_report::Step) -> proto::StepReport {
    let (request_id, ticket) = (REQUEST.to_string(), NUMBER.into());
    proto::StepReport { request_id, ticket, occurred_at: at(1_700_000_000), step: Some(made) }
}

#[test]
fn every_step_of_a_bundle_is_read_and_placed_by_the_corrected_clock() {
    use step_report::Step as Wire;
    let slow = TimeDelta::minutes(90);
    for (sent, read) in [
        (Wire::Accepted(proto::StepAccepted {}), Step::Accepted),
        (Wire::EnRoute(proto::StepEnRoute {}), Step::EnRoute),
        (Wire::Arrived(proto::StepArrived { area: 0 }), Step::Arrived { area: None }),
        (
            Wire::Diagnosed(proto::StepDiagnosed { finding: "a fuse".into(), category: None }),
            Step::Diagnosed { finding: "a fuse".into(), category: None },
        ),
        (Wire::EtrSet(proto::StepEtrSet { etr: at(1_700_003_600) }), Step::EtrSet { etr: time(1_700_003_600) + slow }),
        (Wire::Restored(proto::StepRestored {}), Step::Restored),
    ] {
        let ReadStep { header, command, .. } = step(&report(sent), slow).unwrap();
        assert_eq!(command, Command::ReportProgress(read));
        assert_eq!((header.request_id, header.ticket), (REQUEST, TicketRef::Number(NUMBER.into())));
        assert_eq!((header.etag, header.occurred_at), (None, Some(time(1_700_000_000) + slow)));
    }
}

#[test]
fn a_step_is_the_same_whatever_the_offset_of_its_clock() {
    let etr = || step_report::Step::EtrSet(proto::StepEtrSet { etr: at(1_700_003_600) });
    let read = |offset| step(&report(etr()), offset).unwrap();
    let (slow, right) = (read(TimeDelta::minutes(90)), read(TimeDelta::zero()));
    assert_ne!(slow.command, right.command);
    assert_eq!(slow.shown, right.shown);
    assert_eq!(right.shown, (right.command, time(1_700_000_000)));
}

#[test]
fn a_step_is_refused_for_itself_with_all_that_is_wrong_with_it() {
    let none = TimeDelta::zero();
    let all = ["ticket", "request_id", "occurred_at", "step"];
    assert_eq!(fields(step(&proto::StepReport::default(), none)), all);
    let empty =
        step_report::Step::Diagnosed(proto::StepDiagnosed { finding: String::new(), category: Some("/".into()) });
    assert_eq!(fields(step(&report(empty), none)), ["diagnosed.category", "diagnosed.finding"]);
    let last = step_report::Step::EtrSet(proto::StepEtrSet { etr: at(253_402_300_799) });
    assert!(step(&report(last.clone()), none).is_ok());
    assert_eq!(fields(step(&report(last), TimeDelta::seconds(1))), ["etr_set.etr"], "the year 10000");
    let first = proto::StepReport {
        occurred_at: at(-62_135_596_800),
        ..report(step_report::Step::Restored(proto::StepRestored {}))
    };
    assert_eq!(fields(step(&first, TimeDelta::milliseconds(-1))), ["occurred_at"], "before the year 1");
}

fn sent(steps: usize, clock_offset_ms: i64) -> proto::ReportStepsRequest {
    let one = report(step_report::Step::EnRoute(proto::StepEnRoute {}));
    proto::ReportStepsRequest { crew: None, device_time: at(1_700_000_000), clock_offset_ms, steps: vec![one; steps] }
}

#[test]
fn a_bundle_has_at_most_200_steps_and_an_offset_of_at_most_9999_years() {
    let most = OFFSET_DAYS_MAX * 86_400_000;
    let request = sent(STEPS_MAX, -most);
    let read = bundle(&request, &actor(CREW)).unwrap();
    assert_eq!((read.crew, read.steps.len()), (id(CREW), 200));
    assert_eq!(read.clock.time(), time(1_700_000_000) - TimeDelta::days(OFFSET_DAYS_MAX));
    assert_eq!(
        told(bundle(&sent(STEPS_MAX + 1, 0), &actor(CREW)).unwrap_err()),
        [("steps", Problem::TooMany { limit: STEPS_MAX })]
    );
    for wild in [most + 1, -most - 1, i64::MAX, i64::MIN] {
        assert_eq!(fields(bundle(&sent(1, wild), &actor(CREW))), ["clock_offset_ms"], "{wild}");
    }
    let nothing = proto::ReportStepsRequest { clock_offset_ms: i64::MIN, ..Default::default() };
    assert_eq!(fields(bundle(&nothing, &actor("sgcc"))), ["crew", "device_time", "clock_offset_ms"]);
}

#[test]
fn a_clock_that_is_off_is_told_the_whole_offset_that_sets_it_right() {
    let now = time(1_700_000_000);
    let edge = TimeDelta::minutes(CLOCK_OFF_MINUTES_MAX);
    for off in [edge, -edge, TimeDelta::zero()] {
        assert_eq!(DeviceClock { shows: now + off, offset: TimeDelta::zero() }.check(now), Ok(()));
    }
    let day_fast = DeviceClock { shows: now + TimeDelta::days(1), offset: TimeDelta::minutes(5) };
    let refused = Refusal::DeviceClock { offset_ms: -86_400_000, takes_offset: true };
    assert_eq!(day_fast.check(now), Err(refused));
    assert_eq!(DeviceClock { offset: TimeDelta::milliseconds(-86_400_000), ..day_fast }.check(now), Ok(()));
    let late = DeviceClock { shows: now - edge - TimeDelta::milliseconds(1), offset: TimeDelta::zero() };
    assert_eq!(late.check(now), Err(Refusal::DeviceClock { offset_ms: 600_001, takes_offset: true }));
    assert_eq!((check_occurred_at(now + edge, now), check_occurred_at(now - edge, now)), (Ok(()), Ok(())));
    assert_eq!(
        check_occurred_at(late.shows, now),
        Err(Refusal::DeviceClock { offset_ms: 600_001, takes_offset: false })
    );
}

#[test]
fn a_step_ahead_of_now_is_now_only_as_far_as_a_clock_may_be_fast() {
    let now = time(1_700_000_000);
    let edge = TimeDelta::minutes(CLOCK_OFF_MINUTES_MAX);
    let day = TimeDelta::days(1);
    assert_eq!((happened(now + edge, now), happened(now - day, now)), (now, now - day));
    for far in [edge + TimeDelta::milliseconds(1), day] {
        assert_eq!(happened(now + far, now), now + far, "to be refused");
    }
}

#[test]
fn an_offset_that_the_server_told_is_taken_whatever_year_the_device_shows() {
    let now = time(1_700_000_000);
    for year in [1, 1970, 2_000, 9_999] {
        let shows = time(
            chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp(),
        );
        let device_time = at(shows.timestamp());
        let first = proto::ReportStepsRequest { device_time, ..sent(1, 0) };
        let told = bundle(&first, &actor(CREW)).unwrap().clock.check(now);
        let Err(Refusal::DeviceClock { offset_ms, .. }) = told else { panic!("{told:?}") };
        let second = proto::ReportStepsRequest { clock_offset_ms: offset_ms, ..first };
        assert_eq!(bundle(&second, &actor(CREW)).unwrap().clock.check(now), Ok(()), "{year}");
    }
}

#[test]
fn a_position_lies_on_the_planet_or_is_refused_by_its_coordinate() {
    let seen = |latitude_e6, longitude_e6| proto::ReportPositionRequest {
        crew: None,
        at: Some(proto::Position { latitude_e6, longitude_e6 }),
        accuracy_m: 12,
        observed_at: at(1_700_000_000),
        clock_offset_ms: 1_500,
    };
    let read = position(&seen(-90_000_000, 180_000_000), &actor(CREW)).unwrap();
    assert_eq!((read.crew, read.accuracy_m), (id(CREW), 12));
    assert_eq!(read.at, Point { latitude_e6: -90_000_000, longitude_e6: 180_000_000 });
    assert_eq!(read.clock.time(), time(1_700_000_000) + TimeDelta::milliseconds(1_500));
    assert_eq!(fields(position(&seen(90_000_001, 0), &actor(CREW))), ["at.latitude_e6"]);
    assert_eq!(fields(position(&seen(0, -180_000_001), &actor(CREW))), ["at.longitude_e6"]);
    let nothing = position(&proto::ReportPositionRequest::default(), &actor("sgcc"));
    assert_eq!(fields(nothing), ["crew", "at", "observed_at"]);
}
