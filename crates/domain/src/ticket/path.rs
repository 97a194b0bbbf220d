//! The legal paths of the ten business types, one row each. `moves.rs` says which moves are legal now; this file
//! depends on the business type only.

use crate::{
    organisation::{Level, OrgPath},
    ticket::vocabulary::BusinessType,
};

/// The steps that tickets of one business type may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The first unit that it may be dispatched to.
    pub dispatch: FirstStop,
    /// The ticket may be answered and closed during the call (办结).
    pub first_contact: bool,
    /// The customer is revisited after the reply, unless anonymous, confidential or unreachable.
    pub revisited: bool,
    /// The ticket must have a complaint grade.
    pub graded: bool,
    /// A crew works on site.
    pub field_work: bool,
    /// The ticket may become the child of a master ticket of the same type (合并).
    pub mergeable: bool,
    /// The ticket may become a complaint.
    pub escalates_to_complaint: bool,
    /// The caller's identity is always hidden from the handling units.
    pub always_confidential: bool,
    /// The ticket must name the ticket that it belongs to.
    pub linked: bool,
}

/// The highest unit that a ticket received above it may be dispatched to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstStop {
    /// The ticket is never dispatched.
    Nowhere,
    /// From the national centre the ticket goes to a province, not further in one step.
    Province,
    /// From the national centre the ticket goes to a province or a city.
    ProvinceOrCity,
    /// The ticket goes directly to a city's command centre or below. The province only observes.
    CityOrBelow,
    /// The ticket goes to the holder of the ticket that it belongs to, at any level.
    Anywhere,
}

impl FirstStop {
    /// True when a ticket held at `from` may be dispatched to `to` in one step.
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
