//! The decisions on ticket commands: one exhaustive `match` that calls one function per command; the functions are
//! grouped by phase of the work. The checks come in this order: form of the command, legality of the move, then
//! conflicts with the state.

mod beside;
mod closing;
mod field;
mod intake;
mod offer;

use crate::{
    Timestamp,
    decider::Context,
    ticket::{
        command::Command,
        event::Event,
        moves::{Move, legal_of},
        rejection::Rejection,
        state::{State, Ticket},
        validate::violations,
    },
};

/// The events of an accepted command, or the reason for its rejection.
pub type Decision = Result<Vec<Event>, Rejection>;

/// Decides one command. A pure function; the head of this module gives the order of the checks.
///
/// # Errors
/// A [`Rejection`] with its data; [`Rejection::IllegalMove`] lists the legal moves.
pub fn decide(state: &State, command: &Command, cx: &Context<'_>) -> Decision {
    let found = violations(command, cx);
    if !found.is_empty() {
        return Err(Rejection::Invalid(found));
    }
    let asked = command.as_move();
    match (state, command) {
        (None, Command::Receive(receive)) => intake::receive(receive, cx),
        (None, _) => Err(Rejection::NotFound),
        // For an offer that has ended, say what happened to it instead of `IllegalMove`.
        (Some(ticket), _) if !legal_of(ticket).contains(asked) => {
            offer::settled(ticket, command, cx).unwrap_or_else(|| Err(illegal(ticket, asked)))
        }
        (Some(ticket), _) => decide_open(ticket, command, cx),
    }
}

/// The instant at which a command happened; `reported` is the caller's statement. A crew cannot answer an offer before
/// it was made, so an answer is placed at or after the offer, even if the clock of the device is slow.
#[must_use]
pub fn placed(state: &State, command: &Command, reported: Timestamp) -> Timestamp {
    state.as_ref().and_then(|ticket| offer::made(ticket, command)).map_or(reported, |made| reported.max(made))
}

/// Decides a legal command on an existing ticket.
fn decide_open(ticket: &Ticket, command: &Command, cx: &Context<'_>) -> Decision {
    match command {
        Command::Receive(_) => Err(illegal(ticket, Move::Receive)),
        Command::Supplement { content } => intake::supplement(content),
        Command::Classify { business, category, urgency, grade } => {
            intake::classify(ticket, *business, category, *urgency, *grade)
        }
        Command::CloseAtFirstContact { answer } => intake::close_at_first_contact(answer),
        Command::Dispatch { to } => intake::dispatch(ticket, to),
        Command::Withdraw { reason } => intake::withdraw(reason),
        Command::Accept => field::accept(ticket, cx),
        Command::Return { reason, note } => field::give_back(ticket, *reason, note, cx),
        Command::Reassign { to, reason } => field::reassign(ticket, to, reason, cx),
        Command::ReportProgress(step) => field::report_progress(ticket, step, cx),
        Command::Contact { outcome, note } => field::contact(*outcome, note.as_ref()),
        Command::Reply(reply) => field::reply(ticket, reply, cx),
        Command::AuditReply { verdict } => closing::audit_reply(ticket, verdict, cx),
        Command::Revisit { method, outcome, reasons, comment } => {
            closing::revisit(ticket, *method, *outcome, reasons, comment.as_ref(), cx)
        }
        Command::Reopen { reason } => closing::reopen(ticket, reason),
        Command::Close { explanation } => closing::close(ticket, explanation.as_ref()),
        Command::Urge { reason } => beside::urge(ticket, reason, cx),
        Command::Supervise { demand } => beside::supervise(ticket, demand, cx),
        Command::Escalate { to, reason } => beside::escalate(ticket, *to, reason),
        Command::Suspend { reason, until, note } => beside::suspend(*reason, *until, note.as_ref()),
        Command::Resume => beside::resume(),
        Command::Extend { until, reason } => beside::extend(ticket, *until, reason),
        Command::Merge { master, evidence } => beside::merge(*master, evidence),
        Command::Unmerge { reason } => beside::unmerge(ticket, reason),
        Command::AdoptChild { child } => beside::adopt_child(ticket, *child),
        Command::ReleaseChild { child } => beside::release_child(ticket, *child),
        Command::FollowMaster { master, restored } => beside::follow_master(ticket, *master, *restored),
        Command::Reveal { purpose } => beside::reveal(ticket, purpose, cx),
        Command::Offer(made) => offer::make(ticket, made, cx),
        Command::AcceptOffer { offer, fence } => offer::accept(ticket, *offer, *fence, cx),
        Command::DeclineOffer { offer, fence, reason, note } => {
            offer::decline(ticket, *offer, *fence, *reason, note.as_ref(), cx)
        }
        Command::EndOffer { offer, how } => offer::end(ticket, *offer, *how, cx),
        Command::HandOver { needs, note } => field::hand_over(ticket, *needs, note, cx),
        Command::Recall { crew, reason } => field::recall(ticket, crew.as_ref(), reason, cx),
        Command::Pin { crew, reason } => offer::pin(ticket, crew.as_ref(), reason, cx),
    }
}

/// The rejection that lists the legal moves.
fn illegal(ticket: &Ticket, asked: Move) -> Rejection {
    Rejection::IllegalMove {
        asked,
        stage: ticket.stage,
        business: ticket.business,
        merged: ticket.is_child(),
        suspended: ticket.suspended.is_some(),
        legal: legal_of(ticket),
    }
}

/// A decision with one event.
fn one(event: impl Into<Event>) -> Decision {
    Ok(vec![event.into()])
}
