//! Publications as rows. Each fact is stored completely, so that the registry is always made from the same facts. The
//! meaning of a publication is defined by the registry.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    actor::Actor,
    decider::Recorded,
    fact::Fact,
    sla::{
        publication::{PolicyEvent, PolicyPublished, ShadowEnded, YearPublished},
        registry::PolicyRegistry,
    },
};
use uuid::Uuid;

use crate::{ReadModelError, file::stored};

/// All publications in the order of the log.
pub(super) const ALL: &str = "SELECT position, json FROM publication ORDER BY position";

/// Adds a publication to the registry. Other facts do not change it.
pub(super) fn take(registry: &mut PolicyRegistry, fact: &Fact) {
    match fact {
        Fact::Policy(fact) => registry.take_policy(fact),
        Fact::Year(fact) => registry.take_year(fact),
        Fact::Ticket(_) | Fact::Promise(_) | Fact::Crew(_) => {}
    }
}

/// Stores a publication. Other facts are not stored here.
pub(super) fn store(connection: &Connection, fact: &Fact) -> Result<(), ReadModelError> {
    let Some(kept) = Kept::of(fact) else { return Ok(()) };
    let json = serde_json::to_string(&kept)?;
    connection
        .prepare_cached("INSERT INTO publication VALUES (?1, ?2)")?
        .execute(params![stored(fact.position()), json])?;
    Ok(())
}

/// The registry of all stored publications.
pub(super) fn registry(connection: &Connection) -> Result<PolicyRegistry, ReadModelError> {
    let mut statement = connection.prepare_cached(ALL)?;
    let mut found = statement.query([])?;
    let mut registry = PolicyRegistry::default();
    while let Some(line) = found.next()? {
        let kept: Kept = serde_json::from_str(line.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        take(&mut registry, &kept.into_fact());
    }
    Ok(registry)
}

/// A publication in its stored form.
#[derive(Serialize, Deserialize)]
struct Kept {
    place: Place,
    event: Event,
}

/// All data of a fact except its event.
#[derive(Serialize, Deserialize)]
struct Place {
    position: u64,
    name: String,
    revision: u64,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    actor: Actor,
    request_id: Uuid,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Policy(PolicyPublished),
    Shadow(PolicyPublished),
    ShadowEnded(ShadowEnded),
    Year(YearPublished),
}

impl Kept {
    fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::Policy(fact) => {
                let event = match &fact.event {
                    PolicyEvent::Published(e) => Event::Policy((**e).clone()),
                    PolicyEvent::ShadowPublished(e) => Event::Shadow((**e).clone()),
                    PolicyEvent::ShadowEnded(e) => Event::ShadowEnded(*e),
                };
                Some(Self { place: Place::of(fact), event })
            }
            Fact::Year(fact) => Some(Self { place: Place::of(fact), event: Event::Year(fact.event.clone()) }),
            Fact::Ticket(_) | Fact::Promise(_) | Fact::Crew(_) => None,
        }
    }

    fn into_fact(self) -> Fact {
        let place = self.place;
        match self.event {
            Event::Policy(e) => Fact::Policy(place.of_event(PolicyEvent::Published(Box::new(e)))),
            Event::Shadow(e) => Fact::Policy(place.of_event(PolicyEvent::ShadowPublished(Box::new(e)))),
            Event::ShadowEnded(e) => Fact::Policy(place.of_event(PolicyEvent::ShadowEnded(e))),
            Event::Year(e) => Fact::Year(place.of_event(e)),
        }
    }
}

impl Place {
    fn of<E>(fact: &Recorded<E, String>) -> Self {
        Self {
            position: fact.position,
            name: fact.id.clone(),
            revision: fact.revision,
            occurred_at: fact.occurred_at,
            recorded_at: fact.recorded_at,
            actor: fact.actor.clone(),
            request_id: fact.request_id,
        }
    }

    /// The fact with this data and `event`.
    fn of_event<E>(self, event: E) -> Recorded<E, String> {
        Recorded {
            position: self.position,
            id: self.name,
            revision: self.revision,
            event,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            actor: self.actor,
            request_id: self.request_id,
        }
    }
}
