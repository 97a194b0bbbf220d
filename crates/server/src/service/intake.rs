//! What IVR and bots ask while a caller waits. Checks get a share of the caller's time; what is not known by then is
//! marked so, and a report is accepted whatever the checks say.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp, Violation,
    actor::Actor,
    personal::Personal,
    ticket::{
        CaseFile, Command, TicketId,
        command::{Caller, Receive},
        path,
    },
};
use switchboard_engine::command::Request;
use switchboard_views::ticket_page::TicketPage;
use switchboard_wire::{
    command::TicketRef,
    identity::{self, Canonical},
    refusal::Refusal,
};

use crate::service::{
    access::{Act, permit},
    tickets::{AsOf, Done, Tickets, ToReceive},
};

/// The most open tickets that a caller's answer names.
const OPEN_TICKETS_MAX: usize = 20;
/// Calls within this window count as recent (trade practice: four within two hours go to a human).
const RECENT: TimeDelta = TimeDelta::hours(2);
/// The share of the caller's time that checks may take; the rest is kept for recording.
const CHECKS_SHARE: f64 = 0.4;

/// How far a check came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// It was made.
    Done,
    /// It could not be made now.
    Unavailable,
    /// The caller's time did not suffice.
    TimedOut,
}

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// How far it came.
    pub state: CheckState,
}

/// What became of a report.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The command that recorded it.
    pub done: Done,
    /// The number of its ticket.
    pub number: String,
    /// Whether it was added to an open ticket.
    pub attached: bool,
    /// What was looked at before.
    pub checks: Vec<Check>,
}

/// What is known of a caller.
#[derive(Clone, Debug)]
pub struct Identified {
    /// Open tickets, the latest first.
    pub open: Vec<CaseFile>,
    /// Tickets in all.
    pub total: u32,
    /// Of those, received within the last two hours.
    pub recent: u32,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// The position that the list was true for.
    pub position: u64,
}

/// What a caller can be told of a ticket.
#[derive(Clone, Debug)]
pub struct Advice {
    /// The ticket.
    pub page: TicketPage,
    /// When it is told.
    pub now: Timestamp,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// The position that it is true for.
    pub position: u64,
}

/// Everything that answers while a caller waits.
#[derive(Clone, Debug)]
pub struct Intake {
    pub(crate) tickets: Arc<Tickets>,
}

/// One check within `time`: its value if it came, and how far it came.
async fn check<T>(
    name: &'static str,
    time: Duration,
    work: impl Future<Output = Result<T, Refusal>>,
) -> (Option<T>, Check) {
    let (value, state) = match tokio::time::timeout(time, work).await {
        Ok(Ok(value)) => (Some(value), CheckState::Done),
        Ok(Err(refusal)) => {
            tracing::warn!(check = name, %refusal, "a check could not be made");
            (None, CheckState::Unavailable)
        }
        Err(_) => (None, CheckState::TimedOut),
    };
    (value, Check { name, state })
}

impl Intake {
    /// Takes a report: added to the caller's open ticket, or a ticket of its own. `remaining` is the caller's time.
    ///
    /// # Errors
    /// What every command can meet.
    pub async fn report(&self, mut to: ToReceive, remaining: Duration, actor: &Actor) -> Result<Reported, Refusal> {
        permit(actor, Act::CommandTicket)?;
        self.tickets.complete(&mut to).await?;
        let ToReceive { receive, asked, .. } = to;
        let opening = Command::Receive(Box::new(receive.clone()));
        // A report is another use case than receiving: it may be answered by another ticket.
        let form = Canonical::of("report").wrapping(identity::of_ticket(&opening));
        let request = self.tickets.node.request(asked, form, actor);
        // A repeated report is answered from where the first was recorded, whatever is open now.
        let (target, checks) = match self.tickets.reported(request.request_id).await? {
            Some((_, true)) => (None, Vec::new()),
            Some((id, false)) => (Some(id), Vec::new()),
            None => {
                let time = remaining.mul_f64(CHECKS_SHARE);
                let (open, made) = check("open_tickets", time, self.open_ticket(&receive)).await;
                (open.flatten(), vec![made])
            }
        };
        if let Some(id) = target {
            match self.attach(id, &receive, &request, &checks).await {
                // The ticket closed in this very moment: the report opens one of its own.
                Err(Refusal::Rejected(_)) => {}
                other => return other,
            }
        }
        match self.tickets.open(opening, request.clone()).await {
            Ok((done, number)) => Ok(Reported { done, number, attached: false, checks }),
            // The same report was attached while this one looked around: it is answered as that one was.
            Err(Refusal::RequestIdReused) => match self.tickets.reported(request.request_id).await? {
                Some((id, false)) => self.attach(id, &receive, &request, &checks).await,
                _ => Err(Refusal::RequestIdReused),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// The open ticket that a report can be attached to without losing what it asks for: a supplement holds its words
    /// and no more.
    async fn open_ticket(&self, receive: &Receive) -> Result<Option<TicketId>, Refusal> {
        let keys = (receive.caller.phone_key.clone(), receive.caller.account_key.clone());
        let words_only = !receive.confidential
            && !path::of(receive.business).always_confidential
            && receive.linked.is_none()
            && receive.appointment.is_none();
        if !words_only || keys == (None, None) {
            return Ok(None);
        }
        self.tickets.reach(Some(self.tickets.node.head())).await?;
        self.tickets.open_ticket(keys, receive.business, receive.external.clone()).await
    }

    /// Adds the report's words to a ticket.
    async fn attach(
        &self,
        id: TicketId,
        receive: &Receive,
        request: &Request,
        checks: &[Check],
    ) -> Result<Reported, Refusal> {
        let supplement = Command::Supplement { content: receive.content.clone() };
        let done = self.tickets.execute(id, &supplement, request).await?;
        let number = self.tickets.page(id, AsOf::Now).await?.file.number;
        Ok(Reported { done, number, attached: true, checks: checks.to_vec() })
    }

    /// What is known of a caller with this phone or account number.
    ///
    /// # Errors
    /// When neither is given.
    pub async fn identify(
        &self,
        phone: Option<Personal>,
        account: Option<Personal>,
        remaining: Duration,
        actor: &Actor,
    ) -> Result<Identified, Refusal> {
        permit(actor, Act::ReadTickets)?;
        let keys = self.tickets.caller_keys(&Caller { phone, account, ..Caller::default() });
        if keys == (None, None) {
            return Err(Refusal::InvalidFields(vec![Violation::missing("phone")]));
        }
        let since = self.tickets.node.now() - RECENT;
        let time = remaining.mul_f64(CHECKS_SHARE);
        let caught_up = check("history", time, self.tickets.reach(Some(self.tickets.node.head())));
        let asked = self
            .tickets
            .look_up(move |list| list.by_caller(keys.0.as_deref(), keys.1.as_deref(), since, OPEN_TICKETS_MAX));
        // The list is asked after it caught up, or, when that takes too long, for what it knows.
        let (_, history) = caught_up.await;
        let (found, open) = check("open_tickets", time, asked).await;
        let (tickets, total, recent) = found.map_or((Vec::new(), 0, 0), |f| (f.open, f.total, f.recent));
        let position = self.tickets.listed.position();
        Ok(Identified { open: tickets, total, recent, checks: vec![open, history], position })
    }

    /// What a caller can be told of a ticket now. Without the ticket there is nothing to advise: better a refusal that
    /// may be repeated than a made-up sentence.
    ///
    /// # Errors
    /// [`Refusal::TicketNotFound`].
    pub async fn advise(&self, reference: &TicketRef, actor: &Actor) -> Result<Advice, Refusal> {
        permit(actor, Act::ReadTickets)?;
        let id = self.tickets.resolve(reference).await?;
        let position = self.tickets.node.head();
        let page = self.tickets.page(id, AsOf::Now).await?;
        let checks = vec![Check { name: "history", state: CheckState::Done }];
        Ok(Advice { page, now: self.tickets.node.now(), checks, position })
    }
}
