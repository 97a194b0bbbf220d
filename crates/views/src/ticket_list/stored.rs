//! How a row's ticket is written down and read back: the mirror of the domain's state that `serde` needs, for the
//! domain itself stores facts only. The compiler keeps the fields equal; the form may change with every release,
//! because rows are rebuilt when their code changes. What is absent is left out: rows are written with every fact.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Forced, OfferId, Skills},
    organisation::OrgPath,
    ticket::{
        BusinessType, Category, Grade, Satisfaction, Stage, SuspendReason, Ticket, TicketId, Urgency,
        state::{CrewWork, FormerCrew, LiveOffer},
    },
};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Ticket")]
pub(super) struct StoredTicket {
    business: BusinessType,
    #[serde(with = "StoredStage")]
    stage: Stage,
    received: Timestamp,
    confidential: bool,
    anonymous: bool,
    reachable: bool,
    urgency: Urgency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grade: Option<Grade>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted_category: Option<Category>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed_category: Option<Category>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audited_category: Option<Category>,
    holders: Vec<OrgPath>,
    #[serde(with = "StoredCrewWork")]
    crew: CrewWork,
    audit_next: usize,
    revisit_tries: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revisit_last: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    satisfaction: Option<Satisfaction>,
    urges: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    urged_last: Option<Timestamp>,
    supervised: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suspended: Option<SuspendReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extended_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    master: Option<TicketId>,
    followed: bool,
    children: BTreeSet<TicketId>,
    cycle: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "offers")]
    offers: Vec<LiveOffer>,
    #[serde(default)]
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken: Option<(OfferId, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pinned: Option<(CrewId, Forced)>,
    #[serde(default)]
    needs: Skills,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "former")]
    former: Vec<FormerCrew>,
}

/// A list whose entries are written in the form of their mirror.
macro_rules! list {
    ($list:ident of $entry:ty as $mirror:literal) => {
        mod $list {
            use serde::{Deserializer, Serializer};

            use super::*;

            #[derive(Serialize)]
            struct Written<'e>(#[serde(with = $mirror)] &'e $entry);

            #[derive(Deserialize)]
            struct Read(#[serde(with = $mirror)] $entry);

            pub(super) fn serialize<S: Serializer>(list: &[$entry], serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(list.iter().map(Written))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<$entry>, D::Error> {
                Ok(Vec::<Read>::deserialize(deserializer)?.into_iter().map(|Read(entry)| entry).collect())
            }
        }
    };
}

list!(offers of LiveOffer as "StoredOffer");
list!(former of FormerCrew as "StoredFormerCrew");

#[derive(Serialize, Deserialize)]
#[serde(remote = "LiveOffer")]
struct StoredOffer {
    offer: OfferId,
    crew: CrewId,
    fence: u64,
    lease_until: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FormerCrew")]
struct StoredFormerCrew {
    crew: OrgPath,
    until: Timestamp,
    #[serde(with = "StoredCrewWork")]
    work: CrewWork,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CrewWork")]
struct StoredCrewWork {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assigned: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    en_route: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrived: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    diagnosed: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restored: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etr: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Stage", rename_all = "snake_case")]
enum StoredStage {
    Received,
    Classified,
    Dispatched,
    Accepted,
    Replied,
    AwaitingRevisit,
    ReadyToClose,
    Closed,
    Withdrawn,
}
