//! The page of one ticket: its case file, and the data that only this page shows. Personal values are as the log holds
//! them. Masking, revealing and wording are tasks of the server.

use switchboard_domain::{
    Timestamp,
    personal::Personal,
    ticket::{CaseFile, Event, MoveSet, Premises, TicketId, event::Received, legal_of},
};

use crate::Fact;

/// One ticket with all its data.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketPage {
    /// The case file: everything that a list shows. `file.ticket` is the domain's state: stage, crew, holders,
    /// categories, satisfaction, links. `file.ticket.crew` has the instants of arrival, estimate and restoration.
    pub file: CaseFile,
    /// The caller's name.
    pub caller_name: Option<Personal>,
    /// The caller's phone number.
    pub caller_phone: Option<Personal>,
    /// The caller's account number.
    pub caller_account: Option<Personal>,
    /// Service address.
    pub address: Option<Personal>,
    /// The content of the report, then each supplement. Never empty.
    pub content: Vec<Personal>,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// The ticket that this one belongs to (only for an urge).
    pub linked: Option<TicketId>,
    /// The id of the call in the telephone system.
    pub call_id: Option<String>,
    /// The end of the call.
    pub hung_up_at: Option<Timestamp>,
    /// The instant of the first dispatch.
    pub dispatched_at: Option<Timestamp>,
    /// The instant of the last reply.
    pub replied_at: Option<Timestamp>,
}

impl TicketPage {
    /// The page after all `facts` of one ticket, oldest first; `None` before the receipt.
    #[must_use]
    pub fn fold<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Option<Self> {
        let mut page = None;
        for fact in facts {
            Self::apply(&mut page, fact);
        }
        page
    }

    /// Applies the next fact of the page's ticket. Total, as [`CaseFile::apply`] is.
    pub fn apply(page: &mut Option<Self>, fact: &Fact) {
        let Some(known) = page.take() else {
            if let Event::Received(received) = &fact.event {
                *page = Self::opened_by(received, fact);
            }
            return;
        };
        let mut file = Some(known.file);
        CaseFile::apply(&mut file, fact);
        *page = file.map(|file| Self { file, ..known });
        if let Some(page) = page {
            page.note(fact);
        }
    }

    /// Updates the data that the case file does not hold.
    fn note(&mut self, fact: &Fact) {
        match &fact.event {
            Event::Supplemented(event) => self.content.push(event.content.clone()),
            Event::Dispatched(_) => self.dispatched_at = self.dispatched_at.or(Some(fact.occurred_at)),
            Event::Replied(_) => self.replied_at = Some(fact.occurred_at),
            _ => {}
        }
    }

    fn opened_by(received: &Received, fact: &Fact) -> Option<Self> {
        let mut file = None;
        CaseFile::apply(&mut file, fact);
        file.map(|file| Self {
            file,
            caller_name: received.caller_name.clone(),
            caller_phone: received.caller_phone.clone(),
            caller_account: received.caller_account.clone(),
            address: received.address.clone(),
            content: vec![received.content.clone()],
            premises: received.premises,
            linked: received.linked,
            call_id: received.call_id.clone(),
            hung_up_at: received.hung_up_at,
            dispatched_at: None,
            replied_at: None,
        })
    }

    /// The moves that are legal now.
    #[must_use]
    pub fn legal_moves(&self) -> MoveSet {
        legal_of(&self.file.ticket)
    }
}
