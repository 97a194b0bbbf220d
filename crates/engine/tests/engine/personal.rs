//! Personal data in the log: it is ciphertext, readable with the subject's key only, and unreadable after an erasure.

use switchboard_domain::{
    numbering::{Numbering, Reserve},
    personal::Personal,
    sla::promise::Promises,
    ticket::{BusinessType, Command, Event, TicketId},
};
use switchboard_engine::command::Request;
use switchboard_eventstore::keys::{KeyId, KeyStore};
use uuid::Uuid;

use crate::house::{CONTENT, House, PHONE, classify, open, receive, request, supplement, warned};

const SUPPLEMENT: &str = "My mother is ill.";

/// A ticket of a caller who is recognised by phone. Another engine adds a supplement.
async fn told(house: &House, n: u128) -> TicketId {
    let id = TicketId::opened_by(Uuid::from_u128(n));
    let mut command = receive(BusinessType::FaultRepair);
    if let Command::Receive(receive) = &mut command {
        receive.caller.phone_key = Some(house.vault().pseudonym("phone", PHONE));
    }
    house.engine().execute(&id, &command, &Request { opens: true, ..request(n) }).await.unwrap();
    house.engine().execute(&id, &supplement(SUPPLEMENT), &request(n + 1)).await.unwrap();
    id
}

/// The personal fields of a ticket as the vault opens them, if they were in the stream `stream`.
async fn opened(house: &House, id: TicketId, stream: &str) -> Vec<Personal> {
    let mut texts = Vec::new();
    for mut fact in house.engine().journal().read(&id, 0).await.unwrap() {
        house.vault().open(stream, &fact.kind, &mut fact.event);
        match fact.event {
            Event::Received(received) => texts.extend([received.caller_phone.unwrap(), received.content]),
            Event::Supplemented(supplemented) => texts.push(supplemented.content),
            _ => {}
        }
    }
    texts
}

#[tokio::test]
async fn the_log_holds_no_plain_text_and_the_vault_gives_it_back() {
    let house = House::new();
    let id = told(&house, 1).await;
    for raw in house.log().await {
        let bytes = [&raw.data[..], &raw.meta[..], raw.stream.as_str().as_bytes()].concat();
        for secret in [PHONE, CONTENT, SUPPLEMENT] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
    let texts = opened(&house, id, &format!("ticket-{id}")).await;
    assert_eq!(texts, [PHONE, CONTENT, SUPPLEMENT].map(Personal::from));
}

#[tokio::test]
async fn the_answer_of_a_command_is_readable_and_of_a_repeated_one_sealed() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    let content = |events: &[Event]| match events {
        [Event::Supplemented(supplemented)] => supplemented.content.clone(),
        other => panic!("{other:?}"),
    };
    let first = engine.execute(&id, &supplement(SUPPLEMENT), &request(2)).await.unwrap();
    assert_eq!(content(&first.events), Personal::from(SUPPLEMENT));
    let again = engine.execute(&id, &supplement(SUPPLEMENT), &request(2)).await.unwrap();
    assert!(matches!(content(&again.events), Personal::Sealed(_)));
}

#[tokio::test]
async fn a_person_who_is_erased_is_erased_from_every_ticket_and_nobody_else_is() {
    let house = House::new();
    let (one, other) = (told(&house, 1).await, told(&house, 11).await);
    let neighbour = open(&house.engine(), 21).await;
    assert_eq!(house.keys.erase(&house.vault().pseudonym("phone", PHONE)).unwrap(), 1, "one key for one person");
    for id in [one, other] {
        let texts = opened(&house, id, &format!("ticket-{id}")).await;
        assert_eq!(texts, [Personal::Erased, Personal::Erased, Personal::Erased]);
        assert!(house.state(id).await.is_some(), "the ticket itself stays");
    }
    let texts = opened(&house, neighbour, &format!("ticket-{neighbour}")).await;
    assert_eq!(texts, [PHONE, CONTENT].map(Personal::from), "a caller without a pseudonym is a subject per ticket");
}

#[tokio::test]
async fn a_seal_does_not_open_in_another_stream_or_another_kind_of_fact() {
    let house = House::new();
    let (id, other) = (told(&house, 1).await, told(&house, 11).await);
    for text in opened(&house, id, &format!("ticket-{other}")).await {
        assert!(matches!(text, Personal::Sealed(_)), "{text:?}");
    }
    let mut moved = house.engine().journal().read(&id, 1).await.unwrap().remove(0);
    house.vault().open(&format!("ticket-{id}"), "ticket.received.v1", &mut moved.event);
    let Event::Supplemented(supplemented) = moved.event else { panic!("{moved:?}") };
    assert!(matches!(supplemented.content, Personal::Sealed(_)));
}

#[tokio::test]
async fn a_pseudonym_is_the_same_for_the_same_number_and_shows_nothing_of_it() {
    let house = House::new();
    let vault = house.vault();
    assert_eq!(vault.pseudonym("phone", PHONE), vault.pseudonym("phone", " 13857112233 "));
    assert_ne!(vault.pseudonym("phone", PHONE), vault.pseudonym("account", PHONE));
    assert!(!vault.pseudonym("phone", PHONE).contains(&PHONE[3..]));
}

#[tokio::test]
async fn a_fact_that_tells_nothing_personal_costs_no_key() {
    let house = House::new();
    let (engine, said) = (house.engine(), house.aggregates::<Promises>());
    let id = open(&engine, 1).await;
    // Keys are numbered in sequence, so the number of the next key gives the number of keys made.
    let next = |subject: &str| house.keys.assign(subject).unwrap().0;
    assert_eq!(next("between"), KeyId(2));
    said.execute(&id, &warned(1), &request(2)).await.unwrap();
    house.aggregates::<Numbering>().execute(&"20261121".into(), &Reserve { count: 8 }, &request(3)).await.unwrap();
    // Also not its caller's key, which was erased.
    assert_eq!(house.keys.erase(&format!("ticket:{id}")).unwrap(), 1);
    engine.execute(&id, &classify(), &request(4)).await.unwrap();
    assert_eq!(next("afterwards"), KeyId(3));
    engine.execute(&id, &supplement(SUPPLEMENT), &request(5)).await.unwrap();
    assert_eq!(next("in the end"), KeyId(5), "what is personal does");
}
