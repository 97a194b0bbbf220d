//! How a row's ticket is written down and read back: the mirror of the domain's state that `serde` needs, for the
//! domain itself stores facts only. The compiler keeps the fields equal; the form may change with every release,
//! because rows are rebuilt when their code changes.

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
    urgency: Urgency,
    grade: Option<Grade>,
    accepted_category: Option<Category>,
    confirmed_category: Option<Category>,
    audited_category: Option<Category>,
    holders: Vec<OrgPath>,
    #[serde(with = "StoredCrewWork")]
    crew: CrewWork,
    audit_next: usize,
    revisit_tries: u16,
    revisit_last: Option<Timestamp>,
    satisfaction: Option<Satisfaction>,
    urges: u16,
    urged_last: Option<Timestamp>,
    supervised: bool,
    suspended: Option<SuspendReason>,
    extended_until: Option<Timestamp>,
    master: Option<TicketId>,
    followed: bool,
    children: BTreeSet<TicketId>,
    cycle: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CrewWork")]
struct StoredCrewWork {
    assigned: Option<Timestamp>,
    accepted: Option<Timestamp>,
    en_route: Option<Timestamp>,
    arrived: Option<Timestamp>,
    diagnosed: Option<Timestamp>,
    restored: Option<Timestamp>,
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
