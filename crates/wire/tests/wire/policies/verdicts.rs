//! Tickets under the shipped policies, in China Standard Time. March 2026: the 2nd is a Monday and there is no holiday
//! near. No calendar is published, so that Monday to Friday count.

use chrono::TimeDelta;
use switchboard_domain::{
    sla::{
        china_time,
        policy::Policy,
        publication::{PolicyEvent, PolicyPublished},
        registry::{Edition, PolicyRegistry},
    },
    ticket::{event::*, *},
};

use super::{policy, tale::*};

/// A fault ticket up to the acceptance by its crew.
fn with_a_crew() -> Tale {
    let call = Received { hung_up_at: Some(at("02 10:02")), ..received(BusinessType::FaultRepair, NATION) };
    Tale::of("02 10:00", call)
        .and("02 10:03", dispatched(NATION, CITY))
        .and("02 10:04", dispatched(CITY, COUNTY))
        .and("02 10:05", dispatched(COUNTY, CREW))
}

#[test]
fn a_fault_on_its_usual_way_keeps_every_promise() {
    let tale = with_a_crew()
        .and("02 10:12", CrewEnRoute { crew: org(CREW) })
        .late("02 10:40", "02 10:43", arrived(None))
        .and("02 12:00", restored())
        .and("02 12:20", replied())
        .and(
            "03 09:00",
            Revisited {
                method: RevisitMethod::Call,
                outcome: Satisfaction::Satisfied,
                reasons: Vec::new(),
                comment: None,
            },
        );
    assert_eq!(
        tale.stands("sgcc.toml", &[], "04 10:00"),
        [
            "arrival F05u kept due 02 10:45",
            "arrival_report F06 kept due 02 10:45",
            "arrival_statutory F05x-u kept due 02 11:00",
            "crew_assignment F03 kept due 02 10:06",
            "dispatch F02 kept due 02 10:04",
            "reply F09 kept due 02 12:30",
            "restoration_report F08 kept due 02 12:05",
            "revisit F10 kept due 03 12:20",
        ]
    );
    let levels = ["arrival_city", "arrival_county", "arrival_crew"];
    assert_eq!(
        tale.stands("sgcc.toml", &levels, "04 10:00"),
        [
            "arrival_city N15-fault-city kept due 02 10:10",
            "arrival_county N15-fault-county kept due 02 10:15",
            "arrival_crew N15-fault-crew kept due 02 10:25",
        ]
    );
}

#[test]
fn the_area_found_on_site_decides_the_limit_of_an_arrival() {
    let arrivals = |tale: Tale| tale.stands("sgcc.toml", &["arrival", "arrival_statutory"], "02 11:05");
    let without_a_word = ["arrival F05u breached due 02 10:45", "arrival_statutory F05x-u breached due 02 11:00"];
    assert_eq!(arrivals(with_a_crew()), without_a_word);
    let rural = ["arrival F05r kept due 02 11:30", "arrival_statutory F05x-r kept due 02 12:00"];
    assert_eq!(arrivals(with_a_crew().and("02 11:04", arrived(Some(Area::Rural)))), rural);
    let remote = ["arrival F05m kept due 02 12:00", "arrival_statutory F05x-m kept due 02 14:00"];
    assert_eq!(arrivals(with_a_crew().and("02 11:04", arrived(Some(Area::Remote)))), remote);
}

#[test]
fn a_crew_that_reports_only_that_power_is_back_was_there_by_then() {
    let tale = with_a_crew().and("02 10:44", restored());
    assert_eq!(tale.stands("sgcc.toml", &["arrival"], "02 12:00"), ["arrival F05u kept due 02 10:45"]);
    let reported = tale.late("02 10:30", "02 12:30", arrived(None));
    let stands = reported.stands("sgcc.toml", &["arrival", "arrival_report"], "02 13:00");
    assert_eq!(stands, ["arrival F05u kept due 02 10:45", "arrival_report F06 breached due 02 10:35"]);
}

#[test]
fn an_appointment_moves_the_arrival_but_not_what_the_law_says() {
    let booked = Received { appointment: Some(at("03 09:00")), ..received(BusinessType::FaultRepair, NATION) };
    let tale = Tale::of("02 10:00", booked).and("02 10:01", dispatched(NATION, CREW));
    let arrival = |tale: Tale| tale.stands("sgcc.toml", &["arrival", "arrival_statutory"], "03 12:00");
    let law = "arrival_statutory F05x-u breached due 02 11:00";
    assert_eq!(arrival(tale.clone()), ["arrival F05u breached due 03 09:45", law]);
    assert_eq!(arrival(tale.clone().and("03 08:50", arrived(None))), ["arrival F05u kept due 03 09:45", law]);
    assert_eq!(arrival(tale.and("03 09:46", arrived(None))), ["arrival F05u breached due 03 09:45", law]);
}

#[test]
fn a_return_stops_no_clock_of_the_customer_and_wakes_those_of_the_levels() {
    let tale = with_a_crew().and("02 10:12", returned(CREW, COUNTY)).and("02 10:13", returned(COUNTY, CITY));
    let levels = ["arrival", "arrival_city", "arrival_county", "crew_assignment"];
    assert_eq!(
        tale.stands("sgcc.toml", &levels, "02 10:14"),
        [
            "arrival F05u running due 02 10:45",
            "arrival_city N15-fault-city breached due 02 10:10",
            "arrival_county N15-fault-county running due 02 10:15",
            "crew_assignment F03 kept due 02 10:06",
            "crew_assignment F03 running due 02 10:15",
        ]
    );
    let home = tale.and("02 10:14", returned(CITY, NATION));
    assert_eq!(
        home.stands("sgcc.toml", &["arrival", "crew_assignment", "dispatch"], "02 10:15"),
        [
            "arrival F05u running due 02 10:45",
            "crew_assignment F03 kept due 02 10:06",
            "crew_assignment F03 kept due 02 10:15",
            "dispatch F02 kept due 02 10:04",
            "dispatch F02 running due 02 10:16",
        ]
    );
}

#[test]
fn a_child_has_no_clock_of_the_field_and_an_undone_merge_leaves_no_trace() {
    let merged = with_a_crew().and("02 10:20", Merged { master: MASTER, evidence: "602 open".into() });
    let followed = merged.clone().and("02 12:00", MasterFollowed { master: MASTER, restored: Some(at("02 11:50")) });
    assert_eq!(
        followed.stands("sgcc.toml", &[], "02 13:00"),
        [
            "arrival F05u cancelled due 02 10:45",
            "arrival_statutory F05x-u cancelled due 02 11:00",
            "crew_assignment F03 kept due 02 10:06",
            "dispatch F02 kept due 02 10:04",
            "revisit F10 running due 03 12:00",
        ]
    );
    let alone = merged.and("02 10:40", Unmerged { master: MASTER, reason: "another fuse".into() });
    for now in ["02 10:41", "02 10:50"] {
        assert_eq!(alone.stands("sgcc.toml", &[], now), with_a_crew().stands("sgcc.toml", &[], now), "{now}");
    }
}

#[test]
fn a_fault_that_needed_nobody_on_site_has_its_arrival_cancelled() {
    let arrival = ["arrival"];
    let told = Tale::fault("02 10:00").and("02 10:20", ClosedAtFirstContact { answer: "in arrears".into() });
    assert_eq!(told.stands("sgcc.toml", &arrival, "02 12:00"), ["arrival F05u cancelled due 02 10:45"]);
    let explained = Tale::fault("02 10:00").and("02 10:01", dispatched(NATION, CITY)).and("02 10:30", replied());
    assert_eq!(explained.stands("sgcc.toml", &arrival, "02 12:00"), ["arrival F05u cancelled due 02 10:45"]);
    let not_so = explained.and("02 10:40", sent_back());
    assert_eq!(not_so.stands("sgcc.toml", &arrival, "02 12:00"), ["arrival F05u breached due 02 10:45"]);
}

#[test]
fn a_complaint_is_counted_in_working_days_and_a_reply_sent_back_was_none() {
    let tale = Tale::complaint("05 15:30")
        .and("05 15:40", dispatched(NATION, PROVINCE))
        .and("05 17:00", dispatched(PROVINCE, CITY))
        .and("05 18:00", dispatched(CITY, COUNTY))
        .and("06 10:00", reached(ContactOutcome::Reached));
    let clocks = ["contact", "dispatch", "province_forward", "reply", "reply_public", "revisit", "closing"];
    assert_eq!(
        tale.stands("sgcc.toml", &clocks, "06 11:00"),
        [
            "closing N12 running due 15 15:30",
            "contact N03 kept due 06 15:30",
            "dispatch N01 kept due 05 15:50",
            "province_forward N02 kept due 05 17:40",
            "reply N04 running due 11 15:30",
            "reply_public N04p running due 12 15:30",
        ]
    );
    let answered = tale.and("09 16:00", replied());
    let stands = answered.stands("sgcc.toml", &["reply", "revisit"], "12 16:00");
    assert_eq!(stands, ["reply N04 kept due 11 15:30", "revisit N13 breached due 10 16:00"]);
    let again = answered.and("10 09:00", sent_back());
    let stands = again.stands("sgcc.toml", &["contact", "reply", "revisit"], "11 16:00");
    let contact = "contact N03 kept due 06 15:30";
    assert_eq!(stands, [contact, "reply N04 breached due 11 15:30", "revisit N13 cancelled due 10 16:00"]);
}

#[test]
fn more_time_counts_for_internal_limits_and_never_for_a_public_promise() {
    let tale = Tale::complaint("02 10:00").and("03 10:00", Extended { until: at("16 10:00"), reason: "tests".into() });
    let stands = tale.stands("sgcc.toml", &["reply", "reply_public"], "10 10:00");
    assert_eq!(stands, ["reply N04 running due 16 10:00", "reply_public N04p breached due 09 10:00"]);
}

#[test]
fn nobody_is_held_to_call_a_customer_who_is_hidden() {
    let hidden = Received { confidential: true, ..received(BusinessType::Complaint, NATION) };
    let tale = Tale::of("02 10:00", hidden).and("04 10:00", replied());
    let stands = tale.stands("sgcc.toml", &["contact", "reply", "revisit"], "10 10:00");
    assert_eq!(stands, ["reply N04 kept due 06 10:00"]);
    let in_vain = Tale::complaint("02 10:00").and("02 11:00", reached(ContactOutcome::Unreachable));
    assert_eq!(in_vain.stands("sgcc.toml", &["contact"], "02 12:00"), ["contact N03 running due 03 10:00"]);
}

#[test]
fn an_opinion_that_became_a_complaint_is_judged_as_one_from_its_receipt() {
    let opinion = Tale::of("02 10:00", received(BusinessType::Opinion, NATION));
    assert_eq!(opinion.stands("sgcc.toml", &["reply"], "02 12:00"), ["reply N06 running due 13 10:00"]);
    let to = Escalation::Complaint(Grade::General);
    let raised = opinion.and("04 10:00", Escalated { to, reason: "insists".into() });
    assert_eq!(raised.stands("sgcc.toml", &["reply"], "04 12:00"), ["reply N04 running due 06 10:00"]);
}

#[test]
fn a_complaint_from_another_hotline_is_closed_within_its_own_limit() {
    let closing = |channel| {
        let from = Received { channel, ..received(BusinessType::Complaint, CITY) };
        Tale::of("02 10:00", from).stands("sgcc.toml", &["closing"], "02 11:00")
    };
    assert_eq!(closing(Channel::Regulator), ["closing N10 running due 16 10:00"]);
    assert_eq!(closing(Channel::CityHotline), ["closing N11 running due 09 10:00"]);
    assert_eq!(closing(Channel::App), ["closing N12 running due 12 10:00"]);
}

#[test]
fn each_service_application_has_the_clocks_of_its_sub_type() {
    let apply = |category: Option<&str>| {
        let mut tale = Tale::of("02 10:00", received(BusinessType::ServiceApplication, NATION));
        if let Some(category) = category {
            tale = tale.and("02 10:01", classified(BusinessType::ServiceApplication, category));
        }
        tale.and("02 10:02", dispatched(NATION, CITY)).and("02 15:00", arrived(None)).and("03 09:30", restored())
    };
    let clocks = ["action", "reply", "reply_public"];
    let stands = |category| apply(category).stands("sgcc.toml", &clocks, "03 10:00");
    let expected: [(Option<&str>, &[&str]); 7] = [
        (None, &["reply A06 running due 09 10:00"]),
        (Some("服务申请/电能表校验"), &["reply A06 running due 09 10:00"]),
        (Some("服务申请/欠费复电登记"), &["action A01 kept due 03 10:00", "reply A01-reply running due 04 09:30"]),
        (Some("服务申请/电器损坏"), &["action A02 kept due 03 10:00", "reply A02-reply running due 04 09:30"]),
        (
            Some("服务申请/电能表异常/停走"),
            &["reply A03 running due 06 10:00", "reply_public A03-public running due 09 10:00"],
        ),
        (
            Some("服务申请/抄表数据异常"),
            &["reply A04 running due 06 10:00", "reply_public A04-public running due 09 10:00"],
        ),
        (Some("服务申请/高速快充预约"), &["action A05 breached due 02 10:45", "reply A05-reply running due 03 11:30"]),
    ];
    for (category, clocks) in expected {
        assert_eq!(stands(category), clocks, "{category:?}");
    }
}

#[test]
fn a_ticket_taken_up_again_is_promised_anew() {
    let tale = Tale::complaint("02 10:00")
        .and("03 10:00", replied())
        .and("04 10:00", Reopened { cycle: 2, reason: "not solved".into() });
    let stands = tale.stands("sgcc.toml", &["contact", "reply"], "04 11:00");
    assert_eq!(
        stands,
        [
            "contact N03 kept due 03 10:00",
            "reply N04 kept due 06 10:00",
            "contact N03 running due 05 10:00",
            "reply N04 running due 10 10:00",
        ]
    );
}

#[test]
fn the_levels_of_the_chain_have_earlier_limits_than_the_customer_was_promised() {
    let levels = ["reply_province", "reply_city", "reply_county", "reply_crew"];
    let tale = Tale::complaint("02 10:00").and("02 10:10", dispatched(NATION, PROVINCE));
    let on = |tale: &Tale, now| tale.stands("sgcc.toml", &levels, now);
    assert_eq!(
        on(&tale, "02 11:00"),
        [
            "reply_city N15-city running due 03 10:00",
            "reply_county N15-county running due 04 10:00",
            "reply_crew N15-crew running due 05 10:00",
            "reply_province N15-province running due 02 14:00",
        ]
    );
    let below = tale.and("02 11:00", dispatched(PROVINCE, CITY)).and("02 16:00", dispatched(CITY, COUNTY));
    let back = below.and("03 11:00", returned(COUNTY, CITY));
    assert_eq!(
        on(&back, "03 12:00"),
        [
            "reply_city N15-city breached due 03 10:00",
            "reply_county N15-county running due 04 10:00",
            "reply_crew N15-crew running due 05 10:00",
            "reply_province N15-province kept due 02 14:00",
        ]
    );
    let itself = back.and("03 13:00", reached(ContactOutcome::Reached));
    assert_eq!(
        on(&itself, "04 12:00")[1],
        "reply_county N15-county breached due 04 10:00",
        "the city has not passed it on"
    );
}

#[test]
fn the_ladder_of_an_arrival_has_four_steps() {
    let registry = PolicyRegistry::of(Edition::default().under(policy("sgcc.toml")));
    let clocks = with_a_crew().clocks(&registry, "02 10:10");
    let arrival = clocks.iter().find(|clock| clock.rule().id == "F05u").unwrap();
    let steps: Vec<_> =
        arrival.warnings().map(|(level, at)| (level, china_time(at).format("%H:%M:%S").to_string())).collect();
    let wanted = [(1, "10:22:30"), (2, "10:33:45"), (3, "10:40:30"), (4, "10:43:00")];
    assert_eq!(steps, wanted.map(|(level, at)| (level, at.to_owned())));
}

fn southern(business: BusinessType) -> Received {
    received(business, "csg")
}

#[test]
fn the_southern_grid_promises_what_its_own_rows_say() {
    let fault = Tale::of("02 10:00", southern(BusinessType::FaultRepair))
        .and("02 10:04", dispatched("csg", "csg/gd/sz/ft/lh/crew1"))
        .and("02 10:30", reached(ContactOutcome::Reached))
        .and("02 10:44", CrewArrived { crew: org("csg/gd/sz/ft/lh/crew1"), area: None });
    assert_eq!(
        fault.stands("csg.toml", &[], "02 12:00"),
        [
            "arrival F05u kept due 02 10:45",
            "arrival_statutory F05x-u kept due 02 11:00",
            "contact F04 kept due 02 11:04",
            "dispatch F02b kept due 02 10:05",
        ]
    );
    let complaint = Tale::of("02 10:00", southern(BusinessType::Complaint));
    let clocks = complaint.clocks(&PolicyRegistry::of(Edition::default().under(policy("csg.toml"))), "02 11:00");
    assert_eq!(clocks.iter().map(told).collect::<Vec<_>>(), ["reply N04c running due 09 10:00"]);
    let pink: Vec<_> = clocks[0].warnings().collect();
    assert_eq!(pink, [(1, at("09 10:00") - TimeDelta::days(2))]);
    assert_eq!(complaint.stands("sgcc.toml", &[], "02 11:00"), Vec::<String>::new(), "another operator's policy");
}

fn published(policies: &[Policy]) -> PolicyRegistry {
    let mut registry = PolicyRegistry::default();
    for (position, policy) in (1..).zip(policies) {
        let event = PolicyEvent::Published(Box::new(PolicyPublished { policy: policy.clone() }));
        registry.take_policy(&recorded(position, policy.operator.clone(), event, at("01 00:00")));
    }
    registry
}

#[test]
fn history_is_judged_by_the_promises_of_its_day() {
    let registry = published(&["sgcc.toml", "history/sgcc-2011.toml"].map(policy));
    let complaint = |received: &str, sent: &str| Tale::complaint(received).and(sent, dispatched(NATION, PROVINCE));
    let stands = |tale: Tale, now| tale.clocks(&registry, now).iter().map(told).collect::<Vec<_>>();
    // A Monday in 2013: internal limits count from the dispatch, the public promise of seven days from the receipt.
    assert_eq!(
        stands(complaint("2013-03-04 10:00", "2013-03-04 11:00"), "2013-03-04 12:00"),
        [
            "contact N03o running due 05 11:00",
            "reply N04o running due 12 11:00",
            "reply_public N04p running due 13 10:00"
        ]
    );
    let now = stands(complaint("02 10:00", "02 10:10"), "02 12:00");
    assert!(now.contains(&"reply N04 running due 06 10:00".to_owned()), "{now:?}");
    assert!(!now.iter().any(|clock| clock.contains("N03o")), "{now:?}");
    let before = stands(complaint("2009-03-02 10:00", "2009-03-02 11:00"), "2009-03-02 12:00");
    assert_eq!(before, Vec::<String>::new(), "nothing was promised yet");
}
