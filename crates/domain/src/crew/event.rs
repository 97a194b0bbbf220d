//! What happened to a crew, in the past tense. These structs are also the stored JSON payloads: a field may be added if it is
//! optional, never renamed, removed or given another meaning. Nothing personal stands in them: members are staff ids.

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
        /// Anything that can happen to a crew.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($(#[$doc])* $name(Box<$name>),)+ }
        impl Event {
            /// The event's name in the trade's words, without version.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)+ }
            }
        }
    };
}

events! {
    /// 入册: the roster knows the crew, or knows it otherwise than before.
    Enrolled {
        /// Its place in the organisation.
        crew: CrewId,
        /// Home station.
        home: Point,
        /// The units whose tickets it works on; each lies within its operator.
        territory: Vec<OrgPath>,
        /// What it can do.
        skills: Skills,
        /// Staff ids.
        members: Vec<String>,
        /// Vehicle.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vehicle: Option<String>,
    }

    /// 除名: the roster knows it no longer.
    Dismissed {}

    /// 上班: a shift began.
    ShiftStarted {
        /// Its planned end.
        until: Timestamp,
        /// Planned breaks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        breaks: Vec<Break>,
        /// Where the crew is; its home station when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Point>,
    }

    /// 下班: the shift ended.
    ShiftEnded {}

    /// The crew cannot be sent for a while.
    WentAway {
        /// Why.
        why: Absence,
    }

    /// The crew can be sent again.
    CameBack {}

    /// A point of the thinned track.
    Located {
        /// Where.
        at: Point,
        /// Accuracy as the device gives it, in metres.
        accuracy_m: u32,
    }

    /// The crew's time is kept for an offer that is about to be made.
    Reserved {
        /// The offer.
        offer: OfferId,
        /// For this ticket.
        ticket: TicketId,
        /// This fact's revision in the crew's stream: whoever speaks about the offer carries it.
        fence: u64,
        /// When the offer's lease ends.
        lease_until: Timestamp,
        /// For life safety or an important customer.
        #[serde(default)]
        priority: bool,
        /// The person who chose the crew, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forced: Option<Forced>,
        /// Why this crew.
        grounds: Grounds,
    }

    /// The crew's time is given to a ticket.
    Committed {
        /// The ticket.
        ticket: TicketId,
        /// The offer that it accepted; absent when a person dispatched the ticket to the crew directly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        /// The fence of the work: that of the reservation, or this fact's revision.
        fence: u64,
    }

    /// The crew's time is free of a ticket again.
    Released {
        /// The ticket.
        ticket: TicketId,
        /// The offer, if it came to no more than that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        /// Why.
        why: ReleaseReason,
    }
}
