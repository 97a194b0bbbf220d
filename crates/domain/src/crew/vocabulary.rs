//! The vocabulary of crews and offers: skills, positions, the reasons for the end of an offer or of an assignment. The
//! lists are closed, and the names never change.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Timestamp,
    organisation::OrgPath,
    ticket::{TicketId, vocabulary::words},
};

words! {
    /// A skill of a crew (技能).
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
        /// A member of the crew is unwell or has reached the permitted working hours.
        Crew = "crew",
        /// The present work takes longer than planned.
        Occupied = "occupied",
        /// The work would not be safe.
        Safety = "safety",
    }
}

words! {
    /// The way in which an offer ended without being accepted.
    OfferEnd {
        /// The crew declined it.
        Declined = "declined",
        /// The dispatch process ended it because its lease ran out.
        Expired = "expired",
        /// The desk or the dispatcher withdrew it.
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
        /// The offer expired.
        Expired = "expired",
        /// The offer was withdrawn, also because its ticket was suspended.
        Withdrawn = "withdrawn",
        /// Another crew took the ticket.
        TakenByOther = "taken_by_other",
        /// The ticket could no longer be offered after the crew's time was reserved for it.
        NotOffered = "not_offered",
        /// The work was done: power is back, or the reply was given.
        Done = "done",
        /// The crew handed the ticket over, because other skills are needed.
        HandedOver = "handed_over",
        /// The desk or the dispatcher recalled the crew.
        Recalled = "recalled",
        /// The ticket went to another unit.
        Reassigned = "reassigned",
        /// The ticket ended, takes no crew any more, or waits as the child of another.
        TicketEnded = "ticket_ended",
        /// The ticket was suspended. It is still open, and the crew still holds it.
        Suspended = "suspended",
    }
}

words! {
    /// The reason why a crew cannot be sent for a while.
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
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// The set of these skills.
    #[must_use]
    pub fn of(skills: &[Skill]) -> Self {
        skills.iter().fold(Self::NONE, |set, skill| Self(set.0 | 1 << (*skill as u16)))
    }

    /// True when the set contains all of `others`.
    #[must_use]
    pub fn covers(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// The skills that are in either set.
    #[must_use]
    pub fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// True when the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The skills in the set, in the order of `Skill::ALL`.
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

/// A geographic position, WGS 84, in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// Latitude, -90,000,000 to 90,000,000.
    pub latitude_e6: i32,
    /// Longitude, -180,000,000 to 180,000,000.
    pub longitude_e6: i32,
}

impl Point {
    /// The point; `None` when a coordinate is out of range.
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

/// The id of an offer: one attempt to find a crew for one ticket. It is derived from both, so repeating an attempt
/// gives the same id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OfferId(pub Uuid);

impl OfferId {
    /// The id of the offer with this attempt number of a ticket. The first attempt is 1.
    #[must_use]
    pub fn of(ticket: TicketId, attempt: u32) -> Self {
        Self(Uuid::new_v5(&ticket.0, format!("offer/{attempt}").as_bytes()))
    }

    /// Parses the form with or without dashes.
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

/// A planned break (休息) in a shift. No arrival is planned during a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The start of the break.
    pub from: Timestamp,
    /// The end of the break.
    pub until: Timestamp,
}

/// The person who chose a crew in place of the dispatcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forced {
    /// The person's actor id.
    pub by: String,
    /// The unit that the person acts for.
    pub org: OrgPath,
}

/// The reasons for choosing a crew: the planner's data, stored with the reservation for later audits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grounds {
    /// The version of the dispatch policy that computed the prices.
    pub policy: String,
    /// The seed of the planner's search.
    pub seed: u64,
    /// A hash of the whole plan.
    pub plan_hash: String,
    /// The best candidates, the chosen one first; at most [`CANDIDATES_MAX`].
    pub candidates: Vec<Candidate>,
}

/// The most candidates of [`Grounds`].
pub const CANDIDATES_MAX: usize = 5;

/// A crew that the planner considered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The crew.
    pub crew: OrgPath,
    /// The price by rule, in weighted minutes.
    pub prices: BTreeMap<String, f64>,
    /// The expected arrival; absent when it could not be computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<Timestamp>,
    /// The rules that veto this crew; empty for the chosen one.
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
