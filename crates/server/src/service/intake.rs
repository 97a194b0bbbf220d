//! The calls of IVR and bots while a caller waits. Checks get a share of the caller's time. A check that is not done by
//! then is marked so. A report is accepted whatever the checks say.

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
use tokio::sync::{Mutex, MutexGuard};

use crate::service::{
    access::{Act, permit},
    tickets::{AsOf, Done, OPEN_TICKETS_MAX, Tickets, ToReceive},
};

/// Calls within this window count as recent (trade practice: four within two hours go to a human).
const RECENT: TimeDelta = TimeDelta::hours(2);
/// The share of the caller's time for checks. The rest is kept for recording.
const CHECKS_SHARE: f64 = 0.4;

/// The state of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// The check was made.
    Done,
    /// The check could not be made now.
    Unavailable,
    /// The caller's share of time was too short.
    TimedOut,
}

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// The stable name of the check.
    pub name: &'static str,
    /// The state of the check.
    pub state: CheckState,
}

/// The result of a report.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The command that recorded it.
    pub done: Done,
    /// The number of the ticket.
    pub number: String,
    /// True if the report was added to an open ticket.
    pub attached: bool,
    /// The checks that were made before.
    pub checks: Vec<Check>,
}

/// The tickets of a caller.
#[derive(Clone, Debug)]
pub struct Identified {
    /// Open tickets, the latest first: at most 20.
    pub open: Vec<CaseFile>,
    /// The number of all tickets.
    pub total: u32,
    /// The number of tickets received within the last two hours.
    pub recent: u32,
    /// The checks that were made.
    pub checks: Vec<Check>,
    /// The position up to which the list had folded the log.
    pub position: u64,
}

/// The advice that a caller gets about a ticket.
#[derive(Clone, Debug)]
pub struct Advice {
    /// The ticket.
    pub page: TicketPage,
    /// The instant of the advice, in the engine's time.
    pub now: Timestamp,
    /// The checks that were made.
    pub checks: Vec<Check>,
    /// The position for which the advice is true.
    pub position: u64,
}

/// The use cases of intake.
#[derive(Clone, Debug)]
pub struct Intake {
    tickets: Arc<Tickets>,
    turns: Arc<Turns>,
}

/// The number of locks for the callers of reports. Two callers may share one.
const TURNS: usize = 4_096;

/// One report of a caller at a time: the second finds the ticket that the first opened.
#[derive(Debug)]
struct Turns(Vec<Mutex<()>>);

impl Turns {
    fn new() -> Self {
        Self((0..TURNS).map(|_| Mutex::default()).collect())
    }

    /// Waits until no other report of this caller is in progress, by either number.
    async fn take(&self, (phone, account): (Option<&str>, Option<&str>)) -> Vec<MutexGuard<'_, ()>> {
        // The keys are keyed hashes in hexadecimal, so their digits are spread evenly.
        let turn = |key: &str| key.get(..8).and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let mut turns: Vec<usize> = [phone, account].into_iter().flatten().filter_map(turn).collect();
        turns.iter_mut().for_each(|turn| *turn %= TURNS);
        // In one order, and each once: two reports must not wait for each other.
        turns.sort_unstable();
        turns.dedup();
        let mut taken = Vec::with_capacity(turns.len());
        for turn in turns {
            taken.push(self.0[turn].lock().await);
        }
        taken
    }
}

/// Makes one check within `time`. Returns its value, if there is one, and its state.
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
    pub(crate) fn new(tickets: Arc<Tickets>) -> Self {
        Self { tickets, turns: Arc::new(Turns::new()) }
    }

    /// Takes a report: adds it to the caller's open ticket, or opens a ticket for it. `remaining` is the caller's time.
    ///
    /// # Errors
    /// The refusals that every command can get.
    pub async fn report(&self, mut to: ToReceive, remaining: Duration, actor: &Actor) -> Result<Reported, Refusal> {
        permit(actor, Act::CommandTicket)?;
        self.tickets.complete(&mut to).await?;
        let ToReceive { receive, asked, .. } = to;
        let keys = (receive.caller.phone_key.as_deref(), receive.caller.account_key.as_deref());
        let _turn = self.turns.take(keys).await;
        let opening = Command::Receive(Box::new(receive.clone()));
        // The identity differs from that of receiving a ticket, because a report may be added to another ticket.
        let form = Canonical::of("report").wrapping(identity::of_ticket(&opening));
        let request = self.tickets.node.request(asked, form, actor);
        // A repeated report is answered from the ticket of the first one, whatever ticket is open now.
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
                // The ticket has closed in the meantime. The report opens a ticket of its own.
                Err(Refusal::Rejected(_)) => {}
                other => return other,
            }
        }
        match self.tickets.open(opening, request.clone()).await {
            Ok((done, number)) => Ok(Reported { done, number, attached: false, checks }),
            // The same report was added to a ticket while this one was checked. It gets the same answer.
            Err(Refusal::RequestIdReused) => match self.tickets.reported(request.request_id).await? {
                Some((id, false)) => self.attach(id, &receive, &request, &checks).await,
                _ => Err(Refusal::RequestIdReused),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// Finds the open ticket to which a report can be added without losing information. A supplement holds only the
    /// words of a report.
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

    /// Adds the words of the report to a ticket.
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

    /// Returns the tickets of the caller with this phone or account number.
    ///
    /// # Errors
    /// Neither number is given.
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
        // Query the list after it has caught up. If that takes too long, take what the list has.
        let (_, history) = caught_up.await;
        let (found, open) = check("open_tickets", time, asked).await;
        let (tickets, total, recent) = found.map_or((Vec::new(), 0, 0), |f| (f.open, f.total, f.recent));
        let position = self.tickets.listed.position();
        Ok(Identified { open: tickets, total, recent, checks: vec![open, history], position })
    }

    /// Returns the advice that a caller gets about a ticket now. If the ticket cannot be read, the call is refused and
    /// may be repeated; nothing is made up.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reports_of_one_caller_take_turns_by_either_number_and_never_wait_for_each_other() {
        let turns = Turns::new();
        let (phone, account) = ("00000001ab", "00000002cd");
        let first = turns.take((Some(phone), Some(account))).await;
        assert!(futures::poll!(Box::pin(turns.take((Some(phone), None)))).is_pending());
        assert!(futures::poll!(Box::pin(turns.take((None, Some(account))))).is_pending());
        assert!(futures::poll!(Box::pin(turns.take((Some("00000003ef"), None)))).is_ready(), "another caller");
        drop(first);
        let swapped = turns.take((Some(account), Some(phone))).await;
        assert_eq!(swapped.len(), 2);
        drop(swapped);
        assert_eq!(turns.take((Some(phone), Some(phone))).await.len(), 1, "one lock, taken once");
    }
}
