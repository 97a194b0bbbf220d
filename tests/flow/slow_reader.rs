//! Readers that never read: the server must not grow for them, nor slow down for others.

use switchboard_tests::{
    command::supplement,
    line::{Line, agent},
    stage::Stage,
    story::received,
};
use switchboard_wire::proto::BusinessType;

const TICKETS: usize = 32;
const FACTS_EACH: usize = 64;
const FACT_BYTES: usize = 4_000;
const READERS: usize = 64;
/// What may wait for each reader: 64 messages, and the transport's own send buffer.
const GROWTH_MAX: u64 = READERS as u64 * (64 * 8_000 + 512 * 1024);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_never_reads_does_not_grow_the_server() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let writers = (0..TICKETS).map(|_| {
        let line = line.clone();
        tokio::spawn(async move {
            let ticket = received(&line, BusinessType::FaultRepair).await;
            for _ in 0..FACTS_EACH {
                let command = supplement(&"x".repeat(FACT_BYTES)).about(&ticket);
                command.send(&mut line.tickets(&agent())).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let log_bytes: usize = line.log(0).await.unwrap().iter().map(|fact| fact.data.len() + fact.metadata.len()).sum();
    let unbounded = (log_bytes * READERS) as u64;
    assert!(unbounded > 4 * GROWTH_MAX, "{unbounded} tells nothing");
    let before = server.resident_bytes();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let narrow = Line::narrow(&server.endpoint()).await;
        readers.push(narrow.subscribe(None, None).await.unwrap());
    }
    // Others are served as ever, and a reader that reads gets everything.
    let ticket = received(&line, BusinessType::FaultRepair).await;
    for _ in 0..50 {
        supplement("more").about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    }
    let head = line.head().await.unwrap();
    assert_eq!(line.log(0).await.unwrap().len() as u64, head);
    let growth = server.resident_bytes().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes for {READERS} readers");
    eprintln!("{READERS} silent readers of {log_bytes} bytes each: {growth} bytes");
    drop(readers);
}
