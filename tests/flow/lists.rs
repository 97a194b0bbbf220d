//! Tests of lists: filters, pages and tokens, which are the same after a restart and after a rebuild of the list.

use switchboard_tests::{
    command::{Command, classify, dispatch, receive, withdraw},
    line::{Line, agent},
    refusal::{fields, refused},
    stage::Stage,
    story::{Life, fault},
};
use switchboard_wire::proto::{self, BusinessType, ErrorReason, Grade, ListRequest, TicketSummary};
use tonic::Code;

/// Makes twenty-four tickets of three types in different stages; one of them is a fault with its whole life.
async fn filled(line: &Line) {
    let mut tickets = line.tickets(&agent());
    let mut life = Life::default();
    life.live_all(line, &fault()).await;
    for i in 0..23_i64 {
        let business = [BusinessType::FaultRepair, BusinessType::Complaint, BusinessType::Suggestion]
            [i.unsigned_abs() as usize % 3];
        let opened = proto::ReceiveRequest {
            external: Some(proto::ExternalRef { issuer: "old".into(), value: format!("n {i}") }),
            occurred_at: Some(prost_types::Timestamp { seconds: 1_700_000_000 + i * 3600, nanos: 0 }),
            ..receive(business, "95598")
        };
        let ticket = Command::Receive(Box::new(opened)).send(&mut tickets).await.unwrap().ticket_id;
        if i % 2 == 0 {
            let grade = (business == BusinessType::Complaint).then_some(Grade::Major);
            classify(&format!("a/b{}", i % 4), grade).about(&ticket).send(&mut tickets).await.unwrap();
        }
        if i % 4 == 0 {
            let to = if business == BusinessType::FaultRepair { "sgcc/zj/hz" } else { "sgcc/zj" };
            dispatch(to).about(&ticket).send(&mut tickets).await.unwrap();
        }
        if i % 7 == 3 {
            withdraw().about(&ticket).send(&mut tickets).await.unwrap();
        }
    }
}

/// Returns all pages of a list.
async fn paged(line: &Line, filter: &str, order_by: &str, page_size: u32) -> Vec<TicketSummary> {
    let mut rows = Vec::new();
    let head = line.head().await.unwrap();
    let mut ask = ListRequest {
        page_size,
        filter: filter.into(),
        order_by: order_by.into(),
        min_position: Some(head),
        ..Default::default()
    };
    loop {
        let page = line.tickets(&agent()).list(ask.clone()).await.unwrap().into_inner();
        assert!(page.tickets.len() <= page_size as usize && page.position >= head);
        rows.extend(page.tickets);
        if page.next_page_token.is_empty() {
            assert_eq!(page.total, rows.len() as u64);
            return rows;
        }
        ask.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_orders_and_pages_agree_with_the_whole_list() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    filled(&line).await;
    let all = paged(&line, "", "", 1000).await;
    assert_eq!(all.len(), 24);
    let received = |row: &TicketSummary| row.received_at.as_ref().map(|at| (at.seconds, at.nanos));
    assert!(all.is_sorted_by(|a, b| received(a) >= received(b)), "the latest first");
    type Judge = fn(&TicketSummary) -> bool;
    let questions: [(&str, Judge); 9] = [
        ("stage = received", |t| t.stage() == proto::Stage::Received),
        ("business_type = complaint", |t| t.business_type() == BusinessType::Complaint),
        ("business_type != complaint", |t| t.business_type() != BusinessType::Complaint),
        ("open = false", |t| t.ended_at.is_some()),
        ("open = true AND holder = sgcc/zj", |t| {
            t.ended_at.is_none() && (t.holder == "sgcc/zj" || t.holder.starts_with("sgcc/zj/"))
        }),
        ("category = a", |t| t.category.as_deref().is_some_and(|c| c == "a" || c.starts_with("a/"))),
        ("external = \"old:n 7\"", |t| t.external.as_ref().is_some_and(|e| e.value == "n 7")),
        ("grade = major", |t| t.grade() == Grade::Major),
        ("received_at >= 2023-11-15T00:00:00Z AND received_at < 2023-11-15T10:00:00Z", |t| {
            t.received_at.as_ref().is_some_and(|at| (1_700_006_400..1_700_042_400).contains(&at.seconds))
        }),
    ];
    for (filter, judge) in questions {
        let expected: Vec<_> = all.iter().filter(|row| judge(row)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{filter} tells nothing");
        for page_size in [1, 5, 100] {
            assert_eq!(paged(&line, filter, "", page_size).await, expected, "{filter} by {page_size}");
        }
    }
    let mut reversed = paged(&line, "", "received_at", 7).await;
    reversed.reverse();
    assert_eq!(reversed, all);
    assert!(paged(&line, "", "number desc", 7).await.is_sorted_by(|a, b| a.number >= b.number));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_token_belongs_to_its_question_and_outlives_a_restart() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    filled(&line).await;
    let whole = paged(&line, "", "", 1000).await;
    let ask = ListRequest { page_size: 10, min_position: Some(line.head().await.unwrap()), ..Default::default() };
    let first = line.tickets(&agent()).list(ask.clone()).await.unwrap().into_inner();
    let token = first.next_page_token.clone();
    server.stop();
    let server = stage.serve();
    let line = server.line().await;
    let mut tickets = line.tickets(&agent());
    let with_token = ListRequest { page_token: token.clone(), ..ask };
    let second = tickets.list(with_token.clone()).await.unwrap().into_inner();
    assert_eq!([first.tickets, second.tickets].concat(), whole[..20]);
    let changed = [
        ListRequest { page_size: 11, ..with_token.clone() },
        ListRequest { filter: "open = true".into(), ..with_token.clone() },
        ListRequest { order_by: "number".into(), ..with_token.clone() },
        ListRequest { page_token: "AAAA".into(), ..with_token.clone() },
        ListRequest { page_token: format!("{token}x"), ..with_token },
    ];
    for ask in changed {
        refused(tickets.list(ask).await, Code::InvalidArgument, ErrorReason::TokenMismatch);
    }
    let nonsense = ListRequest { filter: "colour = red".into(), order_by: "beauty".into(), ..Default::default() };
    let status = refused(tickets.list(nonsense).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&status), ["filter", "order_by"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_survives_a_restart_and_is_rebuilt_alike_when_it_is_gone_or_broken() {
    let stage = Stage::new();
    let server = stage.serve();
    filled(&server.line().await).await;
    let before = paged(&server.line().await, "", "", 1000).await;
    server.kill();
    let server = stage.serve();
    assert_eq!(paged(&server.line().await, "", "", 1000).await, before, "after a kill");
    server.stop();
    for name in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = std::fs::remove_file(stage.data().join(name));
    }
    let server = stage.serve();
    assert_eq!(paged(&server.line().await, "", "", 1000).await, before, "rebuilt from nothing");
    server.stop();
    std::fs::write(stage.data().join("views.db"), vec![0xa5; 40_960]).unwrap();
    let server = stage.serve();
    assert_eq!(paged(&server.line().await, "", "", 1000).await, before, "rebuilt from rubbish");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_sees_its_own_writes_in_the_list() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut tickets = line.tickets(&agent());
    for n in 1..=50_u64 {
        let opened =
            Command::Receive(Box::new(receive(BusinessType::Praise, "95598"))).send(&mut tickets).await.unwrap();
        let ask = ListRequest { min_position: Some(opened.position), ..Default::default() };
        let page = tickets.list(ask).await.unwrap().into_inner();
        assert_eq!((page.total, page.tickets[0].id.as_str()), (n, opened.ticket_id.as_str()));
        assert!(page.position >= opened.position);
    }
}
