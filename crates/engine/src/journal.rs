//! Facts to stored bytes and back: the seam between what the domain says and what the event store keeps.
//! Nothing is decided here, and nothing is cached.

use std::{marker::PhantomData, sync::Arc};

use switchboard_domain::{
    Timestamp,
    actor::Actor,
    crew::{self, CrewId, Crews},
    decider::{Decider, Recorded},
    numbering::{Numbering, Reserved},
    sla::{
        promise::{self, Promises},
        publication::{Calendars, Policies, PolicyEvent, YearPublished},
    },
    ticket::{Event, TicketId, Tickets},
};
use switchboard_eventstore::{
    AppendError, Appended, EventStore, Expected, NewEvent, PAGE_EVENTS_MAX, ReadError, Recorded as Raw, Revision,
    StreamName,
};
use switchboard_wire::stored::{self, DecodeError, EncodeError, Metadata, Stored};
use uuid::Uuid;

use crate::vault::Vault;

/// An aggregate that the journal can keep: its events have a stored form, and its personal data a subject.
pub trait Aggregate: Decider<Event: Stored> {
    /// Whose personal data the stream `id` holds, as far as `event` tells: the name under which a key is kept. Never a
    /// readable name or number. `None` when the event tells of nobody; what it says of somebody nevertheless is sealed
    /// under the stream's own key.
    fn subject(id: &Self::Id, event: &Self::Event) -> Option<String>;
}

impl Aggregate for Tickets {
    /// A caller is one subject over all tickets that name the same account or phone; an unknown one is a subject per ticket.
    fn subject(id: &TicketId, event: &Event) -> Option<String> {
        match event {
            Event::Received(e) => {
                Some(e.account_key.clone().or_else(|| e.phone_key.clone()).unwrap_or_else(|| format!("ticket:{id}")))
            }
            _ => None,
        }
    }
}

impl Aggregate for Numbering {
    fn subject(_: &String, _: &Reserved) -> Option<String> {
        None
    }
}

impl Aggregate for Crews {
    fn subject(_: &CrewId, _: &crew::Event) -> Option<String> {
        None
    }
}

impl Aggregate for Promises {
    fn subject(_: &TicketId, _: &promise::Event) -> Option<String> {
        None
    }
}

impl Aggregate for Policies {
    fn subject(_: &String, _: &PolicyEvent) -> Option<String> {
        None
    }
}

impl Aggregate for Calendars {
    fn subject(_: &String, _: &YearPublished) -> Option<String> {
        None
    }
}

/// Why stored facts could not be understood.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store gave no answer.
    #[error("the event store could not be read")]
    Read(#[from] ReadError),
    /// A fact or its metadata has a form that this program does not know.
    #[error("the fact at position {position} cannot be understood")]
    Unreadable {
        /// Its position.
        position: u64,
        /// Why.
        #[source]
        source: DecodeError,
    },
}

/// What a command's facts have in common.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The request.
    pub request_id: Uuid,
    /// Keyed hash of the request's body.
    pub payload_hash: String,
    /// The conversation that it belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it, when a process acts.
    pub causation_id: Option<Uuid>,
    /// Who.
    pub actor: Actor,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was learnt.
    pub recorded_at: Timestamp,
}

/// One fact, decoded: the event and what is known about its recording.
#[derive(Clone, Debug)]
pub struct Decoded<E> {
    /// Position in the log.
    pub position: u64,
    /// Revision in the stream.
    pub revision: u64,
    /// The kind that it is stored under: what its personal data is sealed for.
    pub kind: Arc<str>,
    /// What happened; personal data still sealed.
    pub event: E,
    /// What is known about the recording.
    pub metadata: Metadata,
}

/// Reads and writes the streams of one kind of aggregate.
pub struct Journal<D> {
    store: Arc<dyn EventStore>,
    vault: Vault,
    aggregate: PhantomData<fn() -> D>,
}

impl<D> Clone for Journal<D> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), vault: self.vault.clone(), aggregate: PhantomData }
    }
}

impl<D> std::fmt::Debug for Journal<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal(..)")
    }
}

impl<D: Aggregate> Journal<D> {
    /// A journal over `store`, sealing with `vault`.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, vault: Vault) -> Self {
        Self { store, vault, aggregate: PhantomData }
    }

    /// The vault.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// The stream of one aggregate.
    ///
    /// # Errors
    /// Unavailable, when the id cannot be part of a stream's name: a fault of this program.
    pub fn stream(id: &D::Id) -> Result<StreamName, AppendError> {
        StreamName::new(D::CATEGORY, id)
            .map_err(|error| AppendError::Unavailable(switchboard_eventstore::Cause::new(error)))
    }

    /// Appends the events of one accepted command, what is personal in them sealed under `subject`'s key, if the
    /// stream stands at `expected`. Where nothing is personal, `subject` needs no key and gets none.
    ///
    /// # Errors
    /// The store's own, see [`AppendError`].
    pub async fn append(
        &self,
        id: &D::Id,
        subject: &str,
        expected: Option<u64>,
        events: &[D::Event],
        recording: &Recording,
    ) -> Result<Appended, AppendError> {
        let stream = Self::stream(id)?;
        let mut events = events.to_vec();
        if events.iter_mut().any(has_readable) {
            let key = self.vault.subject_key(subject).await.map_err(unavailable)?;
            for event in &mut events {
                self.vault.seal(stream.as_str(), event, &key).map_err(unavailable)?;
            }
        }
        let stored = encode(&events, recording).map_err(unavailable)?;
        let expected = expected.map_or(Expected::NoStream, |revision| Expected::Revision(Revision(revision)));
        self.store.append(&stream, expected, stored).await
    }

    /// All facts of one aggregate from revision `from` on, personal data still sealed.
    ///
    /// # Errors
    /// When the store gives no answer, or a fact cannot be understood.
    pub async fn read(&self, id: &D::Id, from: u64) -> Result<Vec<Decoded<D::Event>>, JournalError> {
        let stream = Self::stream(id).map_err(|error| ReadError::Unavailable(error.to_string().into()))?;
        let raw = read_whole(&*self.store, &stream, from).await?;
        raw.iter().map(decode).collect()
    }
}

/// A stream from revision `from` on, as stored.
pub(crate) async fn read_whole(store: &dyn EventStore, stream: &StreamName, from: u64) -> Result<Vec<Raw>, ReadError> {
    let mut facts = Vec::new();
    loop {
        let page = store.read_stream(stream, Revision(from + facts.len() as u64), PAGE_EVENTS_MAX).await?;
        let ended = page.len() < PAGE_EVENTS_MAX;
        facts.extend(page);
        if ended {
            return Ok(facts);
        }
    }
}

/// Whether an event says something personal that is not sealed yet.
fn has_readable<E: Stored>(event: &mut E) -> bool {
    let mut found = false;
    event.each_personal(&mut |_, personal| found |= personal.plain().is_some());
    found
}

/// The events of one command in their stored form.
fn encode<E: Stored>(events: &[E], recording: &Recording) -> Result<Vec<NewEvent>, EncodeError> {
    let metadata = Metadata {
        request_id: recording.request_id,
        payload_hash: recording.payload_hash.clone(),
        correlation_id: recording.correlation_id,
        causation_id: recording.causation_id,
        actor: recording.actor.clone(),
        occurred_at: recording.occurred_at,
        recorded_at: recording.recorded_at,
    };
    let metadata = metadata.to_json()?;
    let stored = events.iter().enumerate().map(|(index, event)| {
        Ok(NewEvent {
            id: stored::event_id(recording.request_id, index),
            kind: event.kind().into(),
            data: event.payload()?,
            meta: metadata.clone(),
        })
    });
    stored.collect()
}

/// What keeps a fact from being written before the store is asked.
fn unavailable(error: impl std::fmt::Display) -> AppendError {
    AppendError::Unavailable(error.to_string().into())
}

/// Understands one stored fact.
///
/// # Errors
/// [`JournalError::Unreadable`] when its kind or form is not known.
pub fn decode<E: Stored>(raw: &Raw) -> Result<Decoded<E>, JournalError> {
    let position = raw.position.stored();
    let unreadable = |source| JournalError::Unreadable { position, source };
    let event = E::read(&raw.kind, &raw.data).map_err(unreadable)?;
    let metadata = Metadata::from_json(&raw.meta).map_err(unreadable)?;
    Ok(Decoded { position, revision: raw.revision.0, kind: Arc::clone(&raw.kind), event, metadata })
}

/// A decoded fact in the shape that projections take.
#[must_use]
pub fn recorded<E, Id>(id: Id, decoded: Decoded<E>) -> Recorded<E, Id> {
    Recorded {
        position: decoded.position,
        id,
        revision: decoded.revision,
        event: decoded.event,
        occurred_at: decoded.metadata.occurred_at,
        recorded_at: decoded.metadata.recorded_at,
        actor: decoded.metadata.actor,
        request_id: decoded.metadata.request_id,
    }
}
