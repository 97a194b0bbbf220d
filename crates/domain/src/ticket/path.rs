//! The legal paths of the ten business types, one row each.
//! Which move is legal *now* is `moves.rs`; this file only knows the type.

use crate::{
    organisation::{Level, OrgPath},
    ticket::vocabulary::BusinessType,
};

/// What tickets of one business type may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where it is dispatched to first.
    pub dispatch: FirstStop,
    /// May be answered and closed while the caller waits (办结).
    pub first_contact: bool,
    /// The customer is revisited after the reply, unless anonymous, confidential or without a way to be reached.
    pub revisited: bool,
    /// Needs a complaint grade.
    pub graded: bool,
    /// A crew works on site.
    pub field_work: bool,
    /// May become the child of a master ticket of the same type (合并).
    pub mergeable: bool,
    /// May become a complaint.
    pub escalates_to_complaint: bool,
    /// The one who spoke is hidden from the units that handle it.
    pub always_confidential: bool,
    /// Must name the ticket that it belongs to.
    pub linked: bool,
}

/// The highest unit that a ticket received above it may be dispatched to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstStop {
    /// Never dispatched.
    Nowhere,
    /// From the national centre it goes to a province and no further at once.
    Province,
    /// From the national centre it goes to a province or a city.
    ProvinceOrCity,
    /// Straight to a city's command centre or below; the province only watches.
    CityOrBelow,
    /// To whoever holds the ticket that it belongs to.
    Anywhere,
}

impl FirstStop {
    /// Whether a ticket held at `from` may go to `to` in one step.
    #[must_use]
    pub fn admits(self, from: &OrgPath, to: &OrgPath) -> bool {
        let national = from.level() == Level::Nation && from != to;
        match self {
            Self::Nowhere => false,
            Self::Province => !national || to.level() == Level::Province,
            Self::ProvinceOrCity => !national || matches!(to.level(), Level::Province | Level::City),
            Self::CityOrBelow => !national || to.level() >= Level::City,
            Self::Anywhere => true,
        }
    }
}

/// The path of a business type.
#[must_use]
pub fn of(business: BusinessType) -> Path {
    let plain = Path {
        dispatch: FirstStop::Province,
        first_contact: false,
        revisited: true,
        graded: false,
        field_work: false,
        mergeable: false,
        escalates_to_complaint: false,
        always_confidential: false,
        linked: false,
    };
    match business {
        BusinessType::InformationQuery => {
            Path { dispatch: FirstStop::Nowhere, first_contact: true, revisited: false, ..plain }
        }
        BusinessType::Consultation => Path { first_contact: true, ..plain },
        BusinessType::FaultRepair => {
            Path { dispatch: FirstStop::CityOrBelow, first_contact: true, field_work: true, mergeable: true, ..plain }
        }
        BusinessType::Complaint => Path { graded: true, ..plain },
        BusinessType::Report => Path { always_confidential: true, ..plain },
        BusinessType::Opinion => Path { escalates_to_complaint: true, ..plain },
        BusinessType::Suggestion => plain,
        BusinessType::Praise => Path { revisited: false, ..plain },
        BusinessType::ServiceApplication => Path { dispatch: FirstStop::ProvinceOrCity, field_work: true, ..plain },
        BusinessType::Urge => {
            Path { dispatch: FirstStop::Anywhere, first_contact: true, revisited: false, linked: true, ..plain }
        }
    }
}
