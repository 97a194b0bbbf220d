//! Actors: the id, role and unit that are recorded with every fact. Access control is not here; `server` has the table.

use serde::{Deserialize, Serialize};

use crate::organisation::OrgPath;

/// The longest actor id, in bytes.
pub const ACTOR_ID_BYTES_MAX: usize = 64;

/// The person or system that caused a fact, with its role and unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A staff or system id: letters, digits, `.`, `_`, `-`, `@`, `:`; never a person's name.
    pub id: String,
    /// The role that it acted in.
    pub role: Role,
    /// The unit that it acted for.
    pub org: OrgPath,
}

/// The role of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Voice robot or IVR (语音导航).
    Ivr,
    /// Customer-service agent (客服专员).
    Agent,
    /// Desk of a province, city, county or station (指挥中心).
    Desk,
    /// Field crew (抢修班组).
    Crew,
    /// Discipline or inspection: may read who made a confidential complaint (纪检).
    Inspector,
    /// Reads history (审计).
    Auditor,
    /// Operates the service (运维).
    Operator,
    /// Imports records of another system with their original times (导入).
    Importer,
    /// The engine itself: a process that reacts to facts.
    System,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 9] = [
        Self::Ivr,
        Self::Agent,
        Self::Desk,
        Self::Crew,
        Self::Inspector,
        Self::Auditor,
        Self::Operator,
        Self::Importer,
        Self::System,
    ];

    /// The role's name in metadata and request headers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ivr => "ivr",
            Self::Agent => "agent",
            Self::Desk => "desk",
            Self::Crew => "crew",
            Self::Inspector => "inspector",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Importer => "importer",
            Self::System => "system",
        }
    }

    /// The role with this name; `None` for an unknown name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl Actor {
    /// Checks the form of an actor id: see [`Actor::id`].
    #[must_use]
    pub fn id_is_sound(id: &str) -> bool {
        !id.is_empty()
            && id.len() <= ACTOR_ID_BYTES_MAX
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@:".contains(&b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_again_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("king"), None);
    }

    #[test]
    fn an_actor_is_named_by_an_id_and_not_by_a_person() {
        for sound in ["a1", "desk.7@hz", "svc:import-2"] {
            assert!(Actor::id_is_sound(sound), "{sound}");
        }
        let long = "a".repeat(ACTOR_ID_BYTES_MAX + 1);
        for bad in ["", "Zhang San", "\u{5f20}", long.as_str()] {
            assert!(!Actor::id_is_sound(bad), "{bad}");
        }
    }
}
