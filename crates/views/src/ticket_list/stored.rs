//! How a row's ticket is written down and read back: the mirror of the domain's state that `serde` needs, for the
//! domain itself stores facts only. The compiler keeps the fields equal; the form may change with every release,
//! because rows are rebuilt when their code changes. What is absent is left out: rows are written with every fact.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    organisation::OrgPath,
    ticket::{
        BusinessType, Category, Grade, Satisfaction, Stage, SuspendReason, Ticket, TicketId, Urgency, state::CrewWork,
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
