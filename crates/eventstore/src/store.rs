//! The port: the obligations of every implementation of the log, its freedoms, and its behaviour in special cases.
//!
//! The trait is a contract in words; [`contract`](crate::contract) is the same contract as tests. Deleting, rewriting
//! and transactions over several streams are absent: no implementation offers them.

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AppendError, Appended, Direction, Expected, NewEvent, Position, ReadError, Recorded, Revision, StreamName,
    Subscription,
};

/// An append-only log of opaque events, each in one stream.
///
/// **Must.** An append is whole or absent. `Ok` means durable: it survives a power failure. Positions order the log and
/// never change. Revisions count each stream from 0 without a gap. If two appends expect the same revision, the store
/// records one, and the other gets [`AppendError::Conflict`]. An append with an id that its stream already has records
/// nothing and gets [`AppendError::Duplicate`]; this is checked before the expectation. When a caller has received an
/// answer or an event at a position, [`head`](EventStore::head) is at that position or later, and every later read
/// shows the event.
///
/// **May.** Appends of different callers may be grouped into one sync. Within a group each succeeds or fails alone,
/// except for faults of the store. Appends wait when the store is behind. Positions may have gaps. Events of other
/// streams may lie between the events of one append.
///
/// **A dense implementation** guarantees more: positions are 1, 2, 3 and so on without a gap, a read may begin at any
/// number, and an id of *any* stream makes an append a duplicate. The implementations in this crate are dense by
/// default; only their own tests rely on it. `contract::dense_cases` has the additional tests.
///
/// **Special cases.** `max` of 0 reads nothing. `max` above [`PAGE_EVENTS_MAX`](crate::PAGE_EVENTS_MAX) is reduced to
/// that limit. A read of the log begins at [`Position::START`], at [`Position::END`], or at the position of an event.
/// From any other position it returns what lies behind it, or [`ReadError::NoSuchPosition`]. If an `append` future is
/// dropped, the append is whole or absent, and the caller does not learn which.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Records the events, in order, at the end of the stream, if the stream meets the expectation.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError>;

    /// Reads a stream forward from revision `from`, inclusive. A missing stream is an empty page.
    async fn read_stream(&self, stream: &StreamName, from: Revision, max: usize) -> Result<Vec<Recorded>, ReadError>;

    /// Reads the log. Forward: positions above `after`, ascending. Backward: positions below `after`, descending.
    /// [`Position::END`] begins with the newest event.
    async fn read_all(&self, after: Position, max: usize, direction: Direction) -> Result<Vec<Recorded>, ReadError>;

    /// The event at a position; `None` when no event has it.
    async fn read_at(&self, position: Position) -> Result<Option<Recorded>, ReadError>;

    /// The position of the last durable event that this store knows; [`Position::START`] for an empty log. The call is
    /// cheap.
    fn head(&self) -> Position;

    /// The head, as a value to watch. It never goes back, and may skip positions. It closes when the store does.
    fn watch_head(&self) -> watch::Receiver<Position>;

    /// Every event above `after`: first the recorded ones, then new ones. In order, each exactly once.
    fn subscribe_all(&self, after: Position) -> Subscription;
}

/// The addition to the port of an implementation that knows all ids of its log.
#[async_trait]
pub trait Locate: Send + Sync + 'static {
    /// Finds an event by its id, in any stream.
    async fn locate(&self, id: Uuid) -> Result<Option<Recorded>, ReadError>;
}
