//! Diversions: recalls a crew on its way, and reserves the priority for it until the crew is free. The log does not
//! record this reservation: a restarted process has lost it, and plans again.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use switchboard_domain::{Timestamp, crew::CrewId, decider::Action, ticket::TicketId};

use super::{Dispatch, Intent};
use crate::{planner::Diversion, policy::Policy, state::DispatchState};

/// A priority that is reserved for a recalled crew.
#[derive(Clone, Debug)]
pub(super) struct Reserved {
    pub crew: CrewId,
    /// The ticket that the crew is recalled from.
    pub from: TicketId,
    /// Position of that ticket's last fact at the decision. After a newer fact the crew may hold the ticket for another
    /// reason, so the recall is dropped.
    because: u64,
    /// The end of the reservation.
    until: Timestamp,
}

impl Dispatch {
    /// The recalls of crews that the planner diverts to priorities.
    pub(super) fn diversions(&mut self, now: Timestamp) -> Vec<Action<Intent>> {
        self.called_back.retain(|crew| was_called_back(&self.fold, self.planner.policy(), crew, now));
        let diversions = self.planner.diversions(&self.board, now, &self.barred(now));
        let fresh = diversions.into_iter().filter(|diversion| !self.reserved_for.contains_key(&diversion.to));
        let fresh: Vec<Diversion> = fresh.collect();
        fresh.into_iter().filter_map(|diversion| self.call_back(diversion, now)).collect()
    }

    /// Recalls a crew for a priority, and reserves the priority for it for the duration of a priority lease.
    pub(super) fn call_back(&mut self, diversion: Diversion, now: Timestamp) -> Option<Action<Intent>> {
        let until = now + TimeDelta::seconds(i64::from(self.planner.policy().offers.lease_priority_seconds));
        let want = self.recall(&diversion.crew, diversion.from)?;
        let reserved_for = Reserved { crew: diversion.crew, from: diversion.from, because: want.because, until };
        self.reserved_for.insert(diversion.to, reserved_for);
        Some(want)
    }

    fn recall(&self, crew: &CrewId, from: TicketId) -> Option<Action<Intent>> {
        let job = self.board.jobs.get(&from)?;
        let under_way = job.crew.as_ref().is_some_and(|has| has.crew == *crew && has.arrived.is_none());
        let want = Intent::Recall(from, crew.clone(), "the crew is needed where more is at stake").want(job.because);
        (under_way && !self.was_refused(&want)).then_some(want)
    }

    /// The next action for each recalled crew: the recall, and after the crew's release the reservation for the
    /// priority.
    pub(super) fn for_called_back(&mut self, now: Timestamp) -> Vec<Action<Intent>> {
        let mut wants = Vec::new();
        for (to, reserved_for) in std::mem::take(&mut self.reserved_for) {
            let waits = self.board.jobs.get(&to).is_some_and(|job| job.open && job.offers.is_empty());
            if !waits || now >= reserved_for.until || !self.between_offers(to) {
                continue;
            }
            let job = self.board.jobs.get(&reserved_for.from);
            let has = job.is_some_and(|job| job.crew.as_ref().is_some_and(|has| has.crew == reserved_for.crew));
            if has && job.is_some_and(|job| job.because != reserved_for.because) {
                continue;
            }
            let of = |held: &(TicketId, u64)| held.0 == reserved_for.from;
            let returning = self.board.crews.get(&reserved_for.crew).is_some_and(|crew| crew.committed.iter().any(of));
            let want = if returning {
                self.recall(&reserved_for.crew, reserved_for.from)
            } else {
                self.reserve_for(to, &reserved_for.crew, now)
            };
            // The ticket has lost the crew, and reconciliation will release the crew's time: keep waiting.
            if want.is_some() || returning && !has {
                self.reserved_for.insert(to, reserved_for);
            }
            wants.extend(want);
        }
        wants
    }

    fn reserve_for(&mut self, to: TicketId, crew: &CrewId, now: Timestamp) -> Option<Action<Intent>> {
        let proposal = self.planner.reserved_for(&self.board, to, crew, now)?;
        self.reservation(&proposal, now)
    }

    /// The (crew, ticket) pairs that must not be recalled: the engine refused the recall, the recall is in progress, or
    /// the crew was recalled within `divert_minutes`. The last case bars all the crew's commitments; otherwise a crew
    /// could be diverted again and again without arriving anywhere.
    pub(super) fn barred(&self, now: Timestamp) -> BTreeSet<(CrewId, TicketId)> {
        let policy = self.planner.policy();
        let sent_about = self.called_back.iter().filter(|crew| was_called_back(&self.fold, policy, crew, now));
        let sent_about = sent_about.filter_map(|crew| Some((crew, self.fold.member(crew)?)));
        let barred =
            sent_about.flat_map(|(id, member)| member.crew.commitments.iter().map(|held| (id.clone(), held.ticket)));
        let not_recalled = self.not_recalled.iter();
        let not_recalled = not_recalled.flat_map(|(ticket, crews)| crews.iter().map(|crew| (crew.clone(), *ticket)));
        let reserved_for =
            self.reserved_for.values().map(|reserved_for| (reserved_for.crew.clone(), reserved_for.from));
        barred.chain(not_recalled).chain(reserved_for).collect()
    }
}

/// True if the crew was recalled within `divert_minutes`.
fn was_called_back(fold: &DispatchState, policy: &Policy, crew: &CrewId, now: Timestamp) -> bool {
    let pause = TimeDelta::minutes(i64::from(policy.offers.divert_minutes));
    fold.member(crew).and_then(|member| member.called_back).is_some_and(|at| now - at < pause)
}
