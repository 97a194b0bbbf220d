//! The port: what every keeper of the log must do, may do, and does at the edges.
//!
//! The trait is a contract in words; [`contract`](crate::contract) is the same contract as tests. Deleting,
//! rewriting and transactions over several streams are absent: no keeper offers them.

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AppendError, Appended, Direction, Expected, NewEvent, Position, ReadError, Recorded, Revision, StreamName,
    Subscription,
};

/// An append-only log of opaque events, each in one stream.
///
/// **Must.** An append is whole or absent. `Ok` means durable: it survives a power cut. Positions order the log and
/// never change; revisions count each stream from 0 without a gap. Two appends that expect the same revision are
/// settled by the store: one is recorded, the other gets [`AppendError::Conflict`]. An append with an id that its
/// stream already holds records nothing and gets [`AppendError::Duplicate`]; this is asked before the expectation.
/// When a caller has seen an answer or an event at a position, [`head`](EventStore::head) is there or later, and every
/// later read shows the event.
///
/// **May.** Appends of different callers may be grouped into one sync; within a group each succeeds or fails
/// alone, except for faults of the store. Appends wait when the store is behind. Positions may have gaps.
/// Events of other streams may lie between the events of one append.
///
/// **A dense keeper** promises more: positions are 1, 2, 3, ... without a gap, any number is a position
/// to read from, and an id of *any* stream makes an append a duplicate. The embedded keepers are
/// dense; nothing but their own tests relies on it. `contract::dense_cases` holds the difference.
///
/// **At the edges.** `max` of 0 reads nothing; `max` above [`PAGE_EVENTS_MAX`](crate::PAGE_EVENTS_MAX) is taken
/// as that limit. A read of the log begins at [`Position::START`], at [`Position::END`], or at an event's position;
/// from anywhere else it gives what lies behind that place, or [`ReadError::NoSuchPosition`]. A dropped `append`
/// future leaves the append whole or absent, and the caller does not learn which.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Records the events, in order, at the end of the stream, if the stream is as expected.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError>;

    /// Reads a stream forward, beginning with revision `from` itself. A missing stream is an empty page.
    async fn read_stream(&self, stream: &StreamName, from: Revision, max: usize) -> Result<Vec<Recorded>, ReadError>;

    /// Reads the log. Forward: positions above `after`, ascending. Backward: positions below `after`, descending;
    /// [`Position::END`] begins with the newest event.
    async fn read_all(&self, after: Position, max: usize, direction: Direction) -> Result<Vec<Recorded>, ReadError>;

    /// The event at a position; `None` when no event stands there.
    async fn read_at(&self, position: Position) -> Result<Option<Recorded>, ReadError>;

    /// The position of the last durable event that this store knows of; [`Position::START`] for an empty log. Costs next
    /// to nothing.
    fn head(&self) -> Position;

    /// The head as it moves. It never goes back, and may skip positions. It closes when the store does.
    fn watch_head(&self) -> watch::Receiver<Position>;

    /// Every event above `after`, first those that are there, then those to come: in order, each once, none left out.
    fn subscribe_all(&self, after: Position) -> Subscription;
}

/// What a keeper that knows all ids of its log can add to the port.
#[async_trait]
pub trait Locate: Send + Sync + 'static {
    /// Finds an event by its id, in whichever stream.
    async fn locate(&self, id: Uuid) -> Result<Option<Recorded>, ReadError>;
}
