//! What is known of one ticket: its case file, and what only its own page shows. Personal values stay as the log
//! holds them: masking, revealing and wording are the border's business.

use switchboard_domain::{
    Timestamp,
    personal::Personal,
    ticket::{CaseFile, Event, MoveSet, Premises, TicketId, event::Received, legal_of},
};

use crate::Fact;

/// One ticket in full.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketPage {
    /// Everything that a list shows of it, and the domain's state in `file.ticket`: stage, crew, holders, categories,
    /// satisfaction, links. Arrival, estimate and restoration stand in `file.ticket.crew`.
    pub file: CaseFile,
    /// The caller's name.
    pub caller_name: Option<Personal>,
    /// The caller's phone.
    pub caller_phone: Option<Personal>,
    /// The caller's account number.
    pub caller_account: Option<Personal>,
    /// Service address.
    pub address: Option<Personal>,
    /// What is the matter as told, then each supplement. Never empty.
    pub content: Vec<Personal>,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// The ticket that it belongs to (an urge's).
    pub linked: Option<TicketId>,
    /// The call, as the telephone system names it.
    pub call_id: Option<String>,
    /// When the call ended.
    pub hung_up_at: Option<Timestamp>,
    /// When it was first dispatched.
    pub dispatched_at: Option<Timestamp>,
    /// When it was last replied.
    pub replied_at: Option<Timestamp>,
}

impl TicketPage {
    /// The page after all of one ticket's `facts`, oldest first; none before its first fact.
    #[must_use]
    pub fn fold<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Option<Self> {
        let mut page = None;
        for fact in facts {
            Self::apply(&mut page, fact);
        }
        page
    }

    /// Takes the next fact of the page's ticket into account; total, as [`CaseFile::apply`] is.
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

    /// Takes down what the case file does not hold.
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
