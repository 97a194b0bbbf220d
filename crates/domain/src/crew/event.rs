//! The events of a crew, in the past tense. These structs are also the stored JSON payloads: a field may be added if it
//! is optional, but never renamed, removed or given another meaning. They contain no personal data: members are staff
//! ids.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    crew::{
        CrewId,
        vocabulary::{Absence, Break, Forced, Grounds, OfferId, Point, ReleaseReason, Skills},
    },
    organisation::OrgPath,
    ticket::TicketId,
};

/// Declares the payload structs and the closed enum over them.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
            impl From<$name> for Event {
                fn from(event: $name) -> Self { Self::$name(Box::new(event)) }
            }
        )+
        /// An event of a crew.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($(#[$doc])* $name(Box<$name>),)+ }
        impl Event {
            /// The name of the event, without version.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)+ }
            }
        }
    };
}

events! {
    /// 入册: the crew was added to the roster, or its entry was changed.
    Enrolled {
        /// The crew's path.
        crew: CrewId,
        /// Home station.
        home: Point,
        /// The units whose tickets it works on. Each belongs to the crew's operator.
        territory: Vec<OrgPath>,
        /// Its skills.
        skills: Skills,
        /// Staff ids.
        members: Vec<String>,
        /// The vehicle's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vehicle: Option<String>,
    }

    /// 除名: the crew was removed from the roster.
    Dismissed {}

    /// 上班: a shift began.
    ShiftStarted {
        /// Its planned end.
        until: Timestamp,
        /// Planned breaks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        breaks: Vec<Break>,
        /// The crew's position; its home station when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Point>,
    }

    /// 下班: the shift ended.
    ShiftEnded {}

    /// The crew cannot be sent for a while.
    WentAway {
        /// The reason.
        why: Absence,
    }

    /// The crew can be sent again.
    CameBack {}

    /// A point of the thinned track.
    Located {
        /// The position.
        at: Point,
        /// Accuracy as the device gives it, in metres.
        accuracy_m: u32,
    }

    /// The crew's time was reserved for an offer that the dispatch process is about to make.
    Reserved {
        /// The offer.
        offer: OfferId,
        /// The ticket of the offer.
        ticket: TicketId,
        /// The revision of this fact in the crew's stream. Every later command about the offer must carry it.
        fence: u64,
        /// The end of the offer's lease.
        lease_until: Timestamp,
        /// True for life safety or an important customer.
        #[serde(default)]
        priority: bool,
        /// The person who chose the crew; absent when the dispatcher did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forced: Option<Forced>,
        /// The reasons for choosing this crew.
        grounds: Grounds,
    }

    /// The crew's time was committed to a ticket.
    Committed {
        /// The ticket.
        ticket: TicketId,
        /// The offer that the crew accepted; absent when a person assigned the ticket to the crew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        /// The fence of the commitment: that of the reservation, or the revision of this fact.
        fence: u64,
    }

    /// The crew's time was released from a ticket.
    Released {
        /// The ticket.
        ticket: TicketId,
        /// The offer, if a reservation was released; absent for a commitment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        /// The reason.
        why: ReleaseReason,
    }
}
