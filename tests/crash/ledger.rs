//! The log as read after each crash, for comparison with the acknowledged requests.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use switchboard_tests::line::Line;
use switchboard_wire::proto::Fact;

use crate::client::{Client, Fate};

/// The place of one request in the log.
#[derive(Debug, PartialEq)]
struct Place {
    stream: String,
    last_position: u64,
    last_revision: u64,
}

/// The facts read so far. They only grow: if an earlier fact is missing, the next read fails.
#[derive(Debug, Default)]
pub struct Ledger {
    head: u64,
    last_id: String,
    ids: HashSet<String>,
    requests: HashMap<String, Place>,
    revisions: HashMap<String, u64>,
}

impl Ledger {
    /// Reads the new facts.
    pub async fn read(&mut self, line: &Line) {
        // Reads one earlier fact again: it must still be there.
        let from = self.head.saturating_sub(1);
        let mut facts = line.log(from).await.expect("a log that can be read");
        if self.head > 0 {
            let before = facts.remove(0);
            assert_eq!((before.position, &before.event_id), (self.head, &self.last_id), "what was there is gone");
        }
        for fact in facts {
            self.take(fact);
        }
    }

    fn take(&mut self, fact: Fact) {
        assert_eq!(fact.position, self.head + 1, "a hole, or a doubled position");
        assert!(self.ids.insert(fact.event_id.clone()), "{} stands twice", fact.event_id);
        let due = self.revisions.entry(fact.stream.clone()).or_default();
        assert_eq!(fact.revision, *due, "of {}", fact.stream);
        *due += 1;
        let metadata: Value = serde_json::from_slice(&fact.metadata).expect("metadata");
        let request = metadata["request_id"].as_str().expect("a request id").to_owned();
        if let Some(place) = self.requests.get(&request) {
            let follows = place.stream == fact.stream && place.last_position == self.head;
            assert!(follows, "request {request} stands at {} and again at {}", place.last_position, fact.position);
        }
        (self.head, self.last_id) = (fact.position, fact.event_id);
        let place = Place { stream: fact.stream, last_position: fact.position, last_revision: fact.revision };
        self.requests.insert(request, place);
    }

    /// Compares every acknowledged request of a client with the log; returns their number.
    pub fn verify(&self, client: &Client) -> usize {
        let mut acknowledged = 0;
        for entry in &client.entries {
            let Fate::Acknowledged(outcome) = &entry.fate else { continue };
            acknowledged += 1;
            let expected = Place {
                stream: format!("ticket-{}", outcome.ticket_id),
                last_position: outcome.position,
                last_revision: outcome.etag.parse().expect("a revision"),
            };
            let found = self.requests.get(&entry.command.request_id());
            assert_eq!(found, Some(&expected), "acknowledged {:?}", entry.command);
        }
        acknowledged
    }

    pub fn facts(&self) -> u64 {
        self.head
    }
}
