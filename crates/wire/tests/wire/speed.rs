//! temp
use std::{hint::black_box, time::Instant};
use switchboard_domain::{personal::Personal, ticket::Event};
use switchboard_wire::{seal::*, stored::*, command::*, proto};
fn time(name: &str, n: u32, mut f: impl FnMut()) { for _ in 0..n/10 { f() } let t = Instant::now(); for _ in 0..n { f() } println!("{name}: {:?}", t.elapsed() / n); }
#[test]
fn speed() {
    let key=[7u8;32]; let place=Place{stream:"ticket-6f0c1b9e53d44c479a640d2f0f6d7a11",kind:"ticket.received.v1",field:"caller_phone"};
    time("seal", 200000, || { black_box(seal(&key, 7, &place, "13812345678").unwrap()); });
    let s = seal(&key, 7, &place, "13812345678").unwrap();
    time("open", 200000, || { black_box(open(&key, &place, &s).unwrap()); });
    time("rand12", 200000, || { let mut b=[0u8;12]; aws_lc_rs::rand::fill(&mut b).unwrap(); black_box(b); });
    let h = HashKey::new(&key); let body=[1u8;300];
    time("hash 300B", 200000, || { black_box(h.hash(&[b"x", &body])); });
    time("new hash key", 200000, || { black_box(HashKey::new(&key)); });
    let golden = std::fs::read("tests/golden/ticket.received.v1.json").unwrap();
    let mut e = Event::read("ticket.received.v1", &golden).unwrap();
    time("read received", 200000, || { black_box(Event::read("ticket.received.v1", &golden).unwrap()); });
    let d = std::fs::read("tests/golden/ticket.dispatched.v1.json").unwrap();
    time("read dispatched", 200000, || { black_box(Event::read("ticket.dispatched.v1", &d).unwrap()); });
    time("payload received", 200000, || { black_box(e.payload().unwrap()); });
    time("seal 5 + payload", 50000, || { let mut e=e.clone(); Stored::each_personal(&mut e, &mut |f,v| *v=Personal::Sealed(seal(&key,7,&Place{field:f,..place},"13812345678").unwrap())); black_box(e.payload().unwrap()); });
    Stored::each_personal(&mut e, &mut |_,v| *v="x".into());
    time("event_id", 200000, || { black_box(event_id(uuid::Uuid::from_u128(5), 0)); });
    let m = Metadata{ request_id: uuid::Uuid::from_u128(5), payload_hash: "ab".repeat(32), correlation_id: uuid::Uuid::from_u128(5), causation_id: None, actor: switchboard_domain::actor::Actor{id:"a".into(), role: switchboard_domain::actor::Role::Desk, org: switchboard_domain::organisation::OrgPath::parse("sgcc/zj").unwrap()}, occurred_at: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(), recorded_at: chrono::DateTime::from_timestamp(1_700_000_000, 123456000).unwrap() };
    time("metadata write", 200000, || { black_box(m.to_json().unwrap()); });
    let j=m.to_json().unwrap();
    time("metadata read", 200000, || { black_box(Metadata::from_json(&j).unwrap()); });
    let r = proto::SupplementRequest{ header: Some(proto::CommandHeader{request_id:"6ba7b810-9dad-41d1-80b4-00c04fd430c8".into(), ticket:"2026112100000001".into(), ..Default::default()}), content: "the text that the customer added to the ticket".into() };
    time("request read", 200000, || { black_box(r.read().unwrap()); });
}
