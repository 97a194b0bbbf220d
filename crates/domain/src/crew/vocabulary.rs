//! The words of crews and offers: skills, positions, why an offer ended, why a crew was let go. Closed sets with stable names.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Timestamp,
    organisation::OrgPath,
    ticket::{TicketId, vocabulary::words},
};

words! {
    /// What a crew can do (技能).
    Skill {
        /// High voltage (高压), above 1 kV.
        HighVoltage = "high_voltage",
        /// Low voltage (低压), up to 1 kV.
        LowVoltage = "low_voltage",
        /// Power quality (电能质量).
        PowerQuality = "power_quality",
        /// Metering (计量).
        Metering = "metering",
        /// Live-line work (带电作业).
        LiveLine = "live_line",
        /// Cable (电缆).
        Cable = "cable",
        /// Customers' installations (客户内部).
        CustomerSide = "customer_side",
    }
}

words! {
    /// Why a crew declines an offer (拒单). An offer is an order: the refusal is for cause, recorded and assessed.
    DeclineReason {
        /// Vehicle or equipment unfit.
        Equipment = "equipment",
        /// The job needs a skill that the crew lacks today.
        Skill = "skill",
        /// The way is blocked.
        Road = "road",
        /// Somebody of the crew is unwell or at the end of the permitted hours.
        Crew = "crew",
        /// The work at hand takes longer.
        Occupied = "occupied",
        /// It would not be safe.
        Safety = "safety",
    }
}

words! {
    /// How an offer ended without being accepted.
    OfferEnd {
        /// The crew declined it.
        Declined = "declined",
        /// Its lease ran out.
        Expired = "expired",
        /// The desk or the dispatcher took it back.
        Withdrawn = "withdrawn",
    }
}

words! {
    /// Why a crew's time is free again, or why a crew app no longer shows an offer or a ticket.
    ///
    /// The two may differ in time for one ticket. The crew's stream says `done` when power is back: the crew may be
    /// sent elsewhere. The crew's app hears `done` only at the reply: until then the ticket is the crew's to reply
    /// to. A suspension frees the crew's time and takes nothing from its app.
    ReleaseReason {
        /// The offer was declined.
        Declined = "declined",
        /// The offer ran out.
        Expired = "expired",
        /// The offer was taken back; also because its ticket was suspended.
        Withdrawn = "withdrawn",
        /// Another crew took the ticket.
        TakenByOther = "taken_by_other",
        /// The ticket could not be offered when it came to that.
        NotOffered = "not_offered",
        /// The work was done: power is back, or the reply was given.
        Done = "done",
        /// The crew handed the ticket over to others.
        HandedOver = "handed_over",
        /// The desk or the dispatcher called the crew back.
        Recalled = "recalled",
        /// The ticket went to another unit.
        Reassigned = "reassigned",
        /// The ticket ended, takes no crew any more, or waits as the child of another.
        TicketEnded = "ticket_ended",
        /// The ticket was suspended. It lives, and the crew still holds it.
        Suspended = "suspended",
    }
}

words! {
    /// Why a crew cannot be sent for a while.
    Absence {
        /// A member is ill.
        Ill = "ill",
        /// The vehicle is out of order.
        Vehicle = "vehicle",
        /// Meal or rest beyond the planned breaks.
        Rest = "rest",
        /// Called to other work.
        OtherWork = "other_work",
    }
}

/// A set of skills.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Skill>", into = "Vec<Skill>")]
pub struct Skills(u16);

impl Skills {
    /// No skill.
    pub const NONE: Self = Self(0);

    /// The set of these.
    #[must_use]
    pub fn of(skills: &[Skill]) -> Self {
        skills.iter().fold(Self::NONE, |set, skill| Self(set.0 | 1 << (*skill as u16)))
    }

    /// Whether all of `others` are in it.
    #[must_use]
    pub fn covers(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// The skills of both.
    #[must_use]
    pub fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Skill> {
        Skill::ALL.iter().copied().filter(move |skill| self.0 & 1 << (*skill as u16) != 0)
    }
}

impl From<Vec<Skill>> for Skills {
    fn from(skills: Vec<Skill>) -> Self {
        Self::of(&skills)
    }
}

impl From<Skills> for Vec<Skill> {
    fn from(skills: Skills) -> Self {
        skills.iter().collect()
    }
}

impl fmt::Debug for Skills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Skill::as_str)).finish()
    }
}

/// A place on the planet, WGS 84, in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// Latitude, -90,000,000 to 90,000,000.
    pub latitude_e6: i32,
    /// Longitude, -180,000,000 to 180,000,000.
    pub longitude_e6: i32,
}

impl Point {
    /// The point; `None` when it is not on the planet.
    #[must_use]
    pub fn new(latitude_e6: i32, longitude_e6: i32) -> Option<Self> {
        let sound =
            (-90_000_000..=90_000_000).contains(&latitude_e6) && (-180_000_000..=180_000_000).contains(&longitude_e6);
        sound.then_some(Self { latitude_e6, longitude_e6 })
    }

    /// Great-circle distance (haversine on a sphere of 6,371 km), in kilometres.
    #[must_use]
    pub fn km_to(self, other: Self) -> f64 {
        let radians = |e6: i32| f64::from(e6) / 1e6 * std::f64::consts::PI / 180.0;
        let (a, b) = (radians(self.latitude_e6), radians(other.latitude_e6));
        let across = (radians(other.longitude_e6) - radians(self.longitude_e6)) / 2.0;
        let up = (b - a) / 2.0;
        let chord = up.sin().powi(2) + a.cos() * b.cos() * across.sin().powi(2);
        2.0 * 6371.0 * chord.sqrt().min(1.0).asin()
    }
}

/// An offer's identity: one attempt to find a crew for one ticket. It is also the idempotency key of what is said about it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OfferId(pub Uuid);

impl OfferId {
    /// The offer of a ticket's `attempt`, counted from 1.
    #[must_use]
    pub fn of(ticket: TicketId, attempt: u32) -> Self {
        Self(Uuid::new_v5(&ticket.0, format!("offer/{attempt}").as_bytes()))
    }

    /// Reads the dashed or the plain form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A planned break (休息) of a shift: no arrival is planned into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// A person chose this crew, against or without the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forced {
    /// Who: an actor's id.
    pub by: String,
    /// The unit that the person stands for.
    pub org: OrgPath,
}

/// Why this crew: what the planner knew, kept with the reservation for whoever asks later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grounds {
    /// Which version of the dispatch policy priced it.
    pub policy: String,
    /// Seed of the search.
    pub seed: u64,
    /// Hash of the whole plan that it was taken from.
    pub plan_hash: String,
    /// The best candidates, the chosen one first; at most [`CANDIDATES_MAX`].
    pub candidates: Vec<Candidate>,
}

/// The most candidates of [`Grounds`].
pub const CANDIDATES_MAX: usize = 5;

/// One crew that was weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The crew.
    pub crew: OrgPath,
    /// The price, in weighted minutes, by the rule that charged it.
    pub prices: BTreeMap<String, f64>,
    /// Expected arrival, where it could be computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<Timestamp>,
    /// The rules that forbid it; empty for the chosen one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vetoes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_skills_is_stored_by_their_names() {
        let set = Skills::of(&[Skill::LiveLine, Skill::HighVoltage]);
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, r#"["high_voltage","live_line"]"#);
        assert_eq!(serde_json::from_str::<Skills>(&text).unwrap(), set);
        assert!(set.covers(Skills::of(&[Skill::LiveLine])) && !set.covers(Skills::of(&[Skill::Cable])));
    }

    #[test]
    fn every_word_is_found_again_by_its_name_and_stored_under_it() {
        for word in DeclineReason::ALL {
            assert_eq!(DeclineReason::parse(word.as_str()), Some(*word));
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{}\"", word.as_str()));
        }
        for word in ReleaseReason::ALL {
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{}\"", word.as_str()));
        }
        for word in Skill::ALL {
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{}\"", word.as_str()));
        }
        assert_eq!(Absence::parse("bored"), None);
    }

    #[test]
    fn a_point_off_the_planet_is_none() {
        assert!(Point::new(90_000_000, -180_000_000).is_some());
        assert!(Point::new(90_000_001, 0).is_none() && Point::new(0, 180_000_001).is_none());
    }

    #[test]
    fn one_degree_of_latitude_is_111_km() {
        let (a, b) = (Point::new(30_000_000, 120_000_000).unwrap(), Point::new(31_000_000, 120_000_000).unwrap());
        assert!((a.km_to(b) - 111.2).abs() < 0.1, "{}", a.km_to(b));
        assert!(a.km_to(a).abs() < 1e-9);
    }
}
