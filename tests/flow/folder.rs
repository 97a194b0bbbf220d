//! Tests of the data folder: only its owner has access, one server at a time, no newer version, no damage ignored.

use std::{
    collections::BTreeMap,
    fs::{OpenOptions, Permissions, set_permissions},
    os::unix::fs::{FileExt as _, PermissionsExt as _},
    path::Path,
};

use rusqlite::Connection;
use switchboard_tests::{
    command::{Command, receive, supplement},
    line::{Line, agent},
    refusal::{reason, refused},
    stage::{Server, Stage, run, serve},
    story::received,
};
use switchboard_wire::proto::{BusinessType, ErrorReason};
use tonic::Code;
use uuid::Uuid;

/// Makes tickets with some facts each; returns their ids, oldest first.
async fn filled(line: &Line, tickets: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..tickets {
        let ticket = received(line, BusinessType::FaultRepair).await;
        for n in 0..4 {
            let command = supplement(&format!("{n} {}", "x".repeat(600))).about(&ticket);
            command.send(&mut line.tickets(&agent())).await.unwrap();
        }
        ids.push(ticket);
    }
    ids
}

/// Returns the mode of every file in a folder, by name.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let mode = |file: &std::fs::DirEntry| file.metadata().unwrap().permissions().mode() & 0o777;
    files.map(|file| (file.file_name().into_string().unwrap(), mode(&file))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_is_its_owners_alone_and_so_is_every_file_that_others_could_read_before() {
    let stage = Stage::new();
    let server = stage.serve();
    filled(&server.line().await, 2).await;
    let folder = stage.data().metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(folder, 0o700, "{folder:o}");
    let made = modes(&stage.data());
    for name in
        ["log.db", "log.db-wal", "keys.db", "views.db", "promises.db", "crew_changes.db", "crew_changes.db-wal", "lock"]
    {
        assert_eq!(made.get(name), Some(&0o600), "{name}: {made:?}");
    }
    server.kill();

    // Files as an earlier version, or an operator who restored a copy, may have left them.
    for name in ["linkage.json", "dispatch.json"] {
        std::fs::write(stage.data().join(name), b"").unwrap();
    }
    for name in modes(&stage.data()).keys() {
        set_permissions(stage.data().join(name), Permissions::from_mode(0o644)).unwrap();
    }
    let server = stage.serve();
    filled(&server.line().await, 1).await;
    let mut served = modes(&stage.data());
    served.remove("lock").expect("a lock, which holds nothing");
    assert!(served.len() > 8 && served.values().all(|mode| *mode == 0o600), "{served:?}");
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_a_folder_is_refused_by_name_and_the_first_goes_on() {
    let stage = Stage::new();
    let server = stage.serve();
    let said = stage.refused(&[]);
    assert!(said.contains("in use") && said.contains(stage.data().to_str().unwrap()), "{said}");
    received(&server.line().await, BusinessType::FaultRepair).await;
    let check = run(["store", "check", stage.data().to_str().unwrap(), "--json"]);
    assert!(!check.ok && check.refusal()["error"].as_str().unwrap().contains("in use"), "{check:?}");
    server.kill();
    stage.serve().stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_a_newer_version_and_a_foreign_file_are_refused_by_name() {
    let stage = Stage::new();
    let server = stage.serve();
    filled(&server.line().await, 1).await;
    server.stop();
    let log = stage.data().join("log.db");
    let version = |n: u32| {
        let connection = Connection::open(&log).unwrap();
        connection.pragma_update(None, "user_version", n).unwrap();
    };
    version(99);
    let said = stage.refused(&[]);
    assert!(said.contains("format 99"), "{said}");
    let check = run(["store", "check", stage.data().to_str().unwrap(), "--json"]);
    assert!(!check.ok && check.refusal()["error"].as_str().unwrap().contains("format 99"), "{check:?}");
    version(1);
    stage.serve().stop();
    std::fs::write(&log, b"this is no log at all, but long enough to be looked at as one; see for yourself").unwrap();
    for name in ["log.db-wal", "log.db-shm"] {
        let _ = std::fs::remove_file(stage.data().join(name));
    }
    let said = stage.refused(&[]);
    assert!(said.contains("log.db"), "{said}");
    assert!(std::fs::read(&log).unwrap().starts_with(b"this is no log"), "it is left as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_fact_is_named_by_the_check_and_never_read_as_absent() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let tickets = filled(&line, 60).await;
    let damaged = line.history(&tickets[10]).await.unwrap()[2].position;
    server.stop();
    assert_eq!(stage.check()["ok"], true);
    let connection = Connection::open(stage.data().join("log.db")).unwrap();
    let altered = connection
        .execute("UPDATE events SET data = zeroblob(length(data)) WHERE position = ?1", [damaged.cast_signed()])
        .unwrap();
    assert_eq!(altered, 1);
    drop(connection);
    let report = run(["store", "check", stage.data().to_str().unwrap(), "--json"]);
    assert!(!report.ok, "the check ends with a failure");
    let report = report.json();
    assert_eq!((&report["ok"], &report["first_bad"]), (&false.into(), &damaged.into()), "{report}");

    let server = stage.serve();
    let line = server.line().await;
    refused(line.get(&tickets[10]).await, Code::DataLoss, ErrorReason::StoreCorrupt);
    refused(line.history(&tickets[10]).await, Code::DataLoss, ErrorReason::StoreCorrupt);
    let command = supplement("more").about(&tickets[10]);
    refused(command.send(&mut line.tickets(&agent())).await, Code::DataLoss, ErrorReason::StoreCorrupt);
    // Only this ticket is affected, not the service.
    assert_eq!(line.get(&tickets[3]).await.unwrap().id, tickets[3]);
    supplement("more").about(&tickets[15]).send(&mut line.tickets(&agent())).await.unwrap();
    received(&line, BusinessType::FaultRepair).await;
    // An auditor gets everything before the damage, and then learns its position.
    let mut stream = line.subscribe(None, None).await.unwrap();
    let mut last = 0;
    let end = loop {
        match tokio::time::timeout(std::time::Duration::from_secs(20), stream.message()).await.expect("an end") {
            Ok(Some(said)) => {
                if let Some(switchboard_wire::proto::subscribe_response::Message::Fact(fact)) = said.message {
                    assert_eq!(fact.position, last + 1);
                    last = fact.position;
                }
            }
            Ok(None) => panic!("the end of a damaged log looks like the end of the log"),
            Err(status) => break status,
        }
    };
    assert_eq!((end.code(), reason(&end)), (Code::DataLoss, Some(ErrorReason::StoreCorrupt)), "{end:?}");
    assert!(last < damaged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overwritten_page_fails_the_check_and_no_ticket_is_said_not_to_exist() {
    let stage = Stage::new();
    let server = stage.serve();
    let tickets = filled(&server.line().await, 30).await;
    server.stop();
    let path = stage.data().join("log.db");
    let sound = std::fs::read(&path).unwrap();
    let pages = sound.len() as u64 / 4096;
    let mut found = 0;
    for page in [pages / 4, pages / 2, pages - 2] {
        std::fs::write(&path, &sound).unwrap();
        for name in ["log.db-wal", "log.db-shm"] {
            let _ = std::fs::remove_file(stage.data().join(name));
        }
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xa5; 4096], page * 4096).unwrap();
        drop(file);
        let report = run(["store", "check", stage.data().to_str().unwrap(), "--json"]);
        assert!(!report.ok, "page {page}: {report:?}");
        found += usize::from(!report.out.is_empty());
        let said = switchboard_tests::stage::Server::start(
            &mut switchboard_tests::stage::serve(&stage.data(), &[]),
            &stage.beside("damaged.log"),
        );
        match said {
            Err(said) => assert!(said.contains("corrupt"), "page {page}: {said}"),
            Ok(server) => {
                let line = server.line().await;
                for ticket in &tickets {
                    if let Err(status) = line.get(ticket).await {
                        assert_eq!(reason(&status), Some(ErrorReason::StoreCorrupt), "page {page}: {status:?}");
                    }
                }
            }
        }
    }
    assert!(found > 0, "some damage is described and not only refused");
}

/// Receives a ticket of a caller whom the server does not know.
async fn receives(line: &Line, phone: u32) {
    let opened = receive(BusinessType::FaultRepair, &format!("139{phone:08}"));
    let command = Command::Receive(Box::new(opened)).named(Uuid::new_v4(), "");
    command.send(&mut line.tickets(&agent())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_file_that_is_older_than_its_log_or_of_another_log_is_refused_and_changes_nothing() {
    let (stage, other) = (Stage::new(), Stage::new());
    let keys = |stage: &Stage| stage.data().join("keys.db");
    for stage in [&stage, &other, &other] {
        let server = stage.serve();
        receives(&server.line().await, 1).await;
        server.stop();
    }
    let old = std::fs::read(keys(&stage)).unwrap();
    let server = stage.serve();
    for phone in 2..20 {
        receives(&server.line().await, phone).await;
    }
    server.stop();
    let newest = std::fs::read(keys(&stage)).unwrap();
    for (bytes, why) in [(old, "as unused"), (std::fs::read(keys(&other)).unwrap(), "names another log")] {
        std::fs::write(keys(&stage), &bytes).unwrap();
        let refused = Server::start(&mut serve(&stage.data(), &[]), &stage.beside("server.log")).unwrap_err();
        assert!(refused.contains(why) && refused.contains("two people would share a key"), "{refused}");
        assert_eq!(std::fs::read(keys(&stage)).unwrap(), bytes, "nothing was written");
    }
    std::fs::write(keys(&stage), newest).unwrap();
    let server = stage.serve();
    receives(&server.line().await, 20).await;
    server.stop();
}
