//! The canonical form of commands: its contents, the omitted values, and its permanence.

use prost::Message as _;
use switchboard_domain::{
    crew::{self, CrewId, Point, Skills, command::Enrol},
    organisation::OrgPath,
    ticket::{
        BusinessType, Category, Channel, Command, Place, Step, TicketId, Urgency,
        command::{Caller, Receive},
    },
};
use switchboard_wire::{
    command::TicketRequest,
    identity::{Canonical, of_crew, of_ticket},
    proto,
};
use uuid::Uuid;

fn text(form: &Canonical) -> String {
    String::from_utf8(form.bytes()).unwrap()
}

fn received() -> Receive {
    Receive {
        number: String::new(),
        business: BusinessType::FaultRepair,
        channel: Channel::Hotline,
        received_by: OrgPath::parse("sgcc/zj").unwrap(),
        caller: Caller { phone: Some("13812345678".into()), ..Caller::default() },
        tier: None,
        address: Some("12 Lake Road".into()),
        content: "No power.".into(),
        place: Place::default(),
        premises: None,
        customers_out: Some(0),
        confidential: false,
        call_id: None,
        hung_up_at: None,
        appointment: None,
        external: None,
        linked: None,
    }
}

#[test]
fn the_forms_that_logs_were_hashed_of_stay_as_they_are() {
    let ticket = TicketId(Uuid::from_u128(1));
    let classify = Command::Classify {
        business: None,
        category: Category::parse("fault/low_voltage").unwrap(),
        urgency: Urgency::Urgent,
        grade: None,
    };
    let crew = CrewId::of(&OrgPath::parse("sgcc/zj/hz/yh/lz/c1").unwrap()).unwrap();
    let enrol = Enrol {
        home: Point { latitude_e6: 30_000_000, longitude_e6: 120_000_000 },
        territory: vec![OrgPath::parse("sgcc/zj/hz/yh/lz").unwrap()],
        skills: Skills::default(),
        members: vec!["m-1".into()],
        vehicle: None,
        crew: crew.clone(),
    };
    let forms = [
        (
            of_ticket(&Command::Receive(Box::new(received()))),
            r#"{"address":"12 Lake Road","business":"fault_repair","channel":"hotline","command":"receive","content":"No power.","customers_out":0,"phone":"13812345678","received_by":"sgcc/zj"}"#,
        ),
        (
            of_ticket(&classify).to_ticket(ticket).while_at(Some(0)),
            r#"{"category":"fault/low_voltage","command":"classify","etag":0,"ticket":"00000000-0000-0000-0000-000000000001","urgency":"urgent"}"#,
        ),
        (
            of_ticket(&Command::ReportProgress(Step::Restored)).at(Some(chrono::DateTime::UNIX_EPOCH)),
            r#"{"command":"report_progress","occurred_at":0,"step":"restored"}"#,
        ),
        (
            of_crew(&crew::Command::Enrol(Box::new(enrol))),
            r#"{"command":"enrol","crew":"sgcc/zj/hz/yh/lz/c1","home":{"latitude_e6":30000000,"longitude_e6":120000000},"members":["m-1"],"territory":["sgcc/zj/hz/yh/lz"]}"#,
        ),
        (of_crew(&crew::Command::EndShift).to_crew(&crew), r#"{"command":"end_shift","crew":"sgcc/zj/hz/yh/lz/c1"}"#),
    ];
    for (form, wanted) in forms {
        assert_eq!(text(&form), wanted);
    }
}

#[test]
fn what_the_engine_fills_in_is_no_part_of_a_request() {
    let form = |receive: Receive| of_ticket(&Command::Receive(Box::new(receive)));
    let mut filled = received();
    filled.number = "2026120100000001".into();
    (filled.caller.phone_key, filled.caller.account_key) = (Some("hash".into()), Some("hash".into()));
    assert_eq!(form(filled), form(received()));
    assert_ne!(form(Receive { confidential: true, ..received() }), form(received()));
    assert_ne!(form(Receive { customers_out: None, ..received() }), form(received()));
}

#[test]
fn a_form_shows_no_personal_data_when_it_is_logged() {
    let shown = format!("{:?}", of_ticket(&Command::Receive(Box::new(received()))));
    assert!(!shown.contains("138") && !shown.contains("Lake"), "{shown}");
}

#[test]
fn a_request_id_in_capitals_names_the_same_request() {
    let withdraw = |request_id: &str| proto::WithdrawRequest {
        header: Some(proto::CommandHeader {
            request_id: request_id.into(),
            ticket: Uuid::from_u128(7).to_string(),
            ..proto::CommandHeader::default()
        }),
        reason: "It came back.".into(),
    };
    let id = Uuid::from_u128(0xabcdef).to_string();
    let (lower, upper) = (withdraw(&id).read().unwrap(), withdraw(&id.to_uppercase()).read().unwrap());
    assert_eq!(lower.0.request_id, upper.0.request_id);
    assert_eq!(of_ticket(&lower.1), of_ticket(&upper.1));
}

#[test]
fn the_order_of_fields_and_a_field_that_nobody_knows_make_no_other_request() {
    let header = proto::CommandHeader {
        request_id: Uuid::from_u128(7).to_string(),
        ticket: Uuid::from_u128(8).to_string(),
        ..proto::CommandHeader::default()
    };
    let request = proto::WithdrawRequest { header: Some(header.clone()), reason: "It came back.".into() };
    let part = |tag: u8, bytes: &[u8]| [&[tag << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let (header, reason) = (part(1, &header.encode_to_vec()), part(2, request.reason.as_bytes()));
    let turned_round = [reason, part(15, b"of a later version"), header].concat();
    let read = proto::WithdrawRequest::decode(&turned_round[..]).unwrap();
    assert_ne!(turned_round, request.encode_to_vec());
    assert_eq!(of_ticket(&read.read().unwrap().1), of_ticket(&request.read().unwrap().1));
}
