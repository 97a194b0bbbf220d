//! The same work for all contestants: tickets of ten appends, or tickets that live through six steps. Each append and
//! each step is conditional on the one before.
//!
//! The payload is what the engine stores for a typical ticket event: about 300 bytes of JSON and 150 of metadata. What
//! a contestant does with it is absent from this file.

use std::future::Future;

use uuid::Uuid;

/// The steps in the life of a ticket, in order.
pub const LIFE: [&str; 6] = ["receive", "classify", "dispatch", "accept", "reply", "audit"];

/// The work that a caller does with each of its tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Appends ten events, for a log.
    Appends,
    /// Takes the steps of [`LIFE`], for a ticket engine.
    Life,
}

impl Work {
    /// Events of one ticket. After them the caller opens the next ticket.
    pub fn events(self) -> u32 {
        match self {
            Work::Appends => 10,
            Work::Life => LIFE.len() as u32,
        }
    }

    /// The kind of the `index`th event.
    fn kind(self, index: u32) -> &'static str {
        match (self, index) {
            (Work::Appends, 0) => "ticket.received.v1",
            (Work::Appends, _) => "ticket.supplemented.v1",
            (Work::Life, _) => LIFE[index as usize % LIFE.len()],
        }
    }
}

/// Any error of this program. Its text is printed to the terminal.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Why an append was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// The stream is not where the caller believed it to be.
    Conflict,
    /// Anything else: the run stops.
    Fault(Fault),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal::Fault(Box::new(error))
    }
}

/// One event on its way to a store.
#[derive(Debug, Clone)]
pub struct Event {
    /// Unique.
    pub id: Uuid,
    /// The kind of fact, or the step of [`LIFE`].
    pub kind: &'static str,
    /// JSON, about 300 bytes.
    pub data: String,
    /// JSON, about 150 bytes.
    pub meta: String,
}

impl Event {
    /// The `index`th event of a ticket. Fresh ids make every event differ.
    pub fn of(work: Work, ticket: Uuid, index: u32) -> Self {
        let id = Uuid::new_v4();
        let (ticket, request) = (ticket.simple(), id.hyphenated());
        Self {
            id,
            kind: work.kind(index),
            data: format!(
                r#"{{"ticket":"{ticket}","business_type":"fault_repair","received_by":"sgcc/zj/hz/xh","category":["fault","low_voltage","meter_box"],"urgency":"urgent","place":{{"area":"urban","feeder":"F-1032","transformer":"T-{index:06}"}},"content":{{"key":{index},"box":"{ticket}"}}}}"#
            ),
            meta: format!(
                r#"{{"request_id":"{request}","actor":{{"id":"a-1017","role":"agent","org":"sgcc/zj/hz"}},"occurred_at":"2024-05-01T08:00:00Z"}}"#
            ),
        }
    }
}

/// One customer of a store: something that appends and waits for the durable answer.
pub trait Caller: Send + Sync + 'static {
    /// The last answer of the store about a stream. The next append to the stream is conditional on it.
    type Cursor: Clone + Send + Sync;
    /// The work with each ticket.
    const WORK: Work = Work::Appends;

    /// Appends one event; `expected` of `None` means that the stream must not exist yet. Returns once it is durable.
    fn append(
        &self,
        ticket: Uuid,
        event: Event,
        expected: Option<&Self::Cursor>,
    ) -> impl Future<Output = Result<Self::Cursor, Refusal>> + Send;
}

/// A caller in the middle of its work. It lives across slices, so that connections and half-done tickets do.
pub struct Busy<C: Caller> {
    caller: C,
    ticket: Uuid,
    index: u32,
    cursor: Option<C::Cursor>,
}

impl<C: Caller> Busy<C> {
    /// A caller about to open its first ticket.
    pub fn new(caller: C) -> Self {
        Self { caller, ticket: Uuid::new_v4(), index: 0, cursor: None }
    }

    /// Appends the next event of its present ticket, or the first of a new one.
    pub async fn step(&mut self) -> Result<(), Fault> {
        if self.index == C::WORK.events() {
            (self.ticket, self.index, self.cursor) = (Uuid::new_v4(), 0, None);
        }
        let event = Event::of(C::WORK, self.ticket, self.index);
        match self.caller.append(self.ticket, event, self.cursor.as_ref()).await {
            Ok(cursor) => self.cursor = Some(cursor),
            Err(Refusal::Conflict) => return Err("a conflict where nobody else writes".into()),
            Err(Refusal::Fault(fault)) => return Err(fault),
        }
        self.index += 1;
        Ok(())
    }
}

/// Shows that appends are conditional: two in a row are taken, a third that builds on the first is refused.
pub async fn refuses_a_stale_append<C: Caller>(caller: &C) -> Result<(), Fault> {
    let ticket = Uuid::new_v4();
    let fault = |refusal| match refusal {
        Refusal::Conflict => "refused an append that builds on the newest event".into(),
        Refusal::Fault(fault) => fault,
    };
    let event = |index| Event::of(C::WORK, ticket, index);
    let first = caller.append(ticket, event(0), None).await.map_err(fault)?;
    caller.append(ticket, event(1), Some(&first)).await.map_err(fault)?;
    match caller.append(ticket, event(1), Some(&first)).await {
        Err(Refusal::Conflict) => Ok(()),
        Err(Refusal::Fault(fault)) => Err(fault),
        Ok(_) => Err("took an append that builds on an older event".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_about_300_bytes_with_150_of_metadata() {
        let event = Event::of(Work::Appends, Uuid::new_v4(), 3);
        assert!((285..=315).contains(&event.data.len()), "{}", event.data.len());
        assert!((135..=165).contains(&event.meta.len()), "{}", event.meta.len());
    }

    #[test]
    fn data_and_metadata_are_json() {
        let event = Event::of(Work::Life, Uuid::new_v4(), 0);
        serde_json::from_str::<serde_json::Value>(&event.data).unwrap();
        serde_json::from_str::<serde_json::Value>(&event.meta).unwrap();
    }
    #[test]
    fn a_life_takes_each_step_once_in_order() {
        let kinds = (0..Work::Life.events()).map(|index| Event::of(Work::Life, Uuid::new_v4(), index).kind);
        assert_eq!(kinds.collect::<Vec<_>>(), LIFE);
    }
}
