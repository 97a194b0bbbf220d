//! The conversion of facts to stored bytes and back: the interface between the domain and the event store. No decision
//! is made here, and nothing is cached.

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

/// An aggregate that the journal can store: its events have a stored form, and its personal data belongs to a subject.
pub trait Aggregate: Decider<Event: Stored> {
    /// The person whose data the stream `id` contains, as a name for the sealing key. It never contains a readable name
    /// or number. `None` when the event does not say; personal data of such an event is sealed with the stream's own
    /// key.
    fn subject(id: &Self::Id, event: &Self::Event) -> Option<String>;
}

impl Aggregate for Tickets {
    /// A caller is the same subject in all tickets with the same account or phone number. An unknown caller is a
    /// subject per ticket.
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

/// The reason why stored facts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store did not answer.
    #[error("the event store could not be read")]
    Read(#[from] ReadError),
    /// A fact or its metadata has a form that this program does not know.
    #[error("the fact at position {position} cannot be understood")]
    Unreadable {
        /// Its position.
        position: u64,
        /// The cause.
        #[source]
        source: DecodeError,
    },
}

/// The metadata that the facts of one command have in common.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The id of the request.
    pub request_id: Uuid,
    /// Keyed hash of the request's body.
    pub payload_hash: String,
    /// The first request of the chain of causes.
    pub correlation_id: Uuid,
    /// The event to which a process reacted, if a process caused the facts.
    pub causation_id: Option<Uuid>,
    /// The actor.
    pub actor: Actor,
    /// The instant at which they happened.
    pub occurred_at: Timestamp,
    /// The instant at which the engine recorded them.
    pub recorded_at: Timestamp,
}

/// One decoded fact: the event and its metadata.
#[derive(Clone, Debug)]
pub struct Decoded<E> {
    /// The position in the log.
    pub position: u64,
    /// The revision in the stream.
    pub revision: u64,
    /// The kind under which it is stored. The seals of its personal data contain the kind.
    pub kind: Arc<str>,
    /// The event; its personal data is still sealed.
    pub event: E,
    /// The metadata.
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
    /// A journal on `store` that seals with `vault`.
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
    /// `AppendError::Unavailable` when the id cannot be part of a stream's name: a fault of this program.
    pub fn stream(id: &D::Id) -> Result<StreamName, AppendError> {
        StreamName::new(D::CATEGORY, id)
            .map_err(|error| AppendError::Unavailable(switchboard_eventstore::Cause::new(error)))
    }

    /// Appends the events of one accepted command, if the stream's last revision is `expected` (`None`: no stream).
    /// Plain personal data is sealed with `subject`'s key. If there is none, no key is assigned.
    ///
    /// # Errors
    /// Those of the store; see [`AppendError`].
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

    /// All facts of one aggregate from revision `from` on. Personal data is still sealed.
    ///
    /// # Errors
    /// The store does not answer, or a fact cannot be read.
    pub async fn read(&self, id: &D::Id, from: u64) -> Result<Vec<Decoded<D::Event>>, JournalError> {
        let stream = Self::stream(id).map_err(|error| ReadError::Unavailable(error.to_string().into()))?;
        let raw = read_whole(&*self.store, &stream, from).await?;
        raw.iter().map(decode).collect()
    }
}

/// The stored facts of a stream from revision `from` on.
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

/// True when an event has personal data that is not sealed yet.
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

/// The error of a fault before the store is called.
fn unavailable(error: impl std::fmt::Display) -> AppendError {
    AppendError::Unavailable(error.to_string().into())
}

/// Decodes one stored fact.
///
/// # Errors
/// [`JournalError::Unreadable`] when its kind or form is unknown.
pub fn decode<E: Stored>(raw: &Raw) -> Result<Decoded<E>, JournalError> {
    let position = raw.position.stored();
    let unreadable = |source| JournalError::Unreadable { position, source };
    let event = E::read(&raw.kind, &raw.data).map_err(unreadable)?;
    let metadata = Metadata::from_json(&raw.meta).map_err(unreadable)?;
    Ok(Decoded { position, revision: raw.revision.0, kind: Arc::clone(&raw.kind), event, metadata })
}

/// A decoded fact in the form that projections use.
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
