//! Several clients of one server that is stopped and started, and the conditions that must hold after each start.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use switchboard_tests::{
    line::Line,
    stage::{Server, check},
    story::received,
};
use switchboard_wire::proto::BusinessType;
use tokio::task::JoinHandle;

use crate::{
    client::Client,
    dice::{Dice, Seed},
    ledger::Ledger,
};

const CLIENTS: u64 = 6;

/// The clients, and the facts read from the log.
#[derive(Debug)]
pub struct Town {
    clients: Vec<Client>,
    pub ledger: Ledger,
    cut: Arc<AtomicBool>,
}

/// Clients at work.
pub type Shift = Vec<JoinHandle<Client>>;

impl Town {
    /// Creates clients of a server, with a ticket that they share.
    pub async fn new(server: &Server, seed: &Seed, round: u64, dice: &mut Dice) -> Self {
        let shared = received(&server.line().await, BusinessType::FaultRepair).await;
        let cut = Arc::new(AtomicBool::new(false));
        let client = |n| Client::new(format!("{} {round} {n}", seed.0), dice.split(), shared.clone(), cut.clone());
        Self { clients: (0..CLIENTS).map(client).collect(), ledger: Ledger::default(), cut: Arc::clone(&cut) }
    }

    /// Starts all clients; they work until the server is gone.
    pub fn begin(&mut self, server: &Server) -> Shift {
        self.cut.store(false, Ordering::SeqCst);
        self.clients.drain(..).map(|client| tokio::spawn(client.work(server.lazy_line()))).collect()
    }

    /// From now on answers do not count.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Waits for the clients after the server is gone.
    pub async fn end(&mut self, shift: Shift) {
        for client in shift {
            self.clients.push(client.await.expect("a client"));
        }
        self.cut.store(false, Ordering::SeqCst);
    }

    /// Repeats the requests with unknown outcome; returns their number.
    pub async fn settle(&mut self, line: &Line) -> usize {
        let mut unknown = 0;
        for client in &mut self.clients {
            unknown += client.settle(line).await.expect("a repeated request is answered");
        }
        unknown
    }

    /// Reads the log and compares every acknowledged request with it, before and after the unknown requests are
    /// repeated. Returns the number of acknowledged requests.
    pub async fn verify(&mut self, line: &Line) -> usize {
        self.ledger.read(line).await;
        self.held();
        self.settle(line).await;
        self.ledger.read(line).await;
        self.held()
    }

    /// Compares the acknowledged requests with the facts read from the log; returns their number.
    pub fn held(&self) -> usize {
        self.clients.iter().map(|client| self.ledger.verify(client)).sum()
    }

    /// Returns one client, for tests that work step by step.
    pub fn first(&mut self) -> &mut Client {
        &mut self.clients[0]
    }
}

/// Checks that the list of a running server equals one that is rebuilt from nothing. Returns the new server.
pub async fn list_equals_a_rebuild(server: Server, data: &Path, start: impl Fn() -> Server) -> Server {
    let line = server.line().await;
    // Waits until the processes have finished their reactions to the load.
    let mut head = line.head().await.expect("a head");
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let now = line.head().await.expect("a head");
        if std::mem::replace(&mut head, now) == now {
            break;
        }
    }
    let before = line.list("").await.expect("a list");
    server.stop();
    for name in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    let server = start();
    let rebuilt = server.line().await.list("").await.expect("a list");
    assert_eq!(before.len(), rebuilt.len());
    for (before, rebuilt) in before.iter().zip(&rebuilt) {
        assert_eq!(before, rebuilt);
    }
    server
}

/// Checks that the log of a stopped server verifies, with that many facts.
pub fn log_verifies(data: &Path, facts: Option<u64>) {
    let report = check(data);
    assert_eq!(report["ok"], true, "{report}");
    if let Some(facts) = facts {
        assert_eq!(report["facts"], facts, "{report}");
    }
}
