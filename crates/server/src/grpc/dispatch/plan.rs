//! What the dispatch desk asks: which crews there are, who is to go where, and why. Answered from what the dispatch process
//! intends at one position of the log; a plan is no promise.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use switchboard_dispatcher::{
    board::{Crew, Job, Shift},
    explain::Weighed,
    plan::{Stop, Waits},
    rules::{presence, safety},
};
use switchboard_domain::{
    Violation,
    actor::Actor,
    crew::{self, CrewId},
    organisation::OrgPath,
    ticket::{Rejection, TicketId},
};
use switchboard_views::ticket_list::Row;
use switchboard_wire::{answer, proto, refusal::Refusal};

use crate::{
    desk::{AsOf, Desk, reference, unreadable},
    dispatching::{Dispatching, Snapshot},
};

/// Lines of a page when no size is asked for.
const PAGE_DEFAULT: usize = 100;
/// The most lines of a page.
const PAGE_MAX: usize = 1_000;
/// Crews of an explanation when no number is asked for.
const EXPLAINED_DEFAULT: usize = 20;
/// The most crews of an explanation.
const EXPLAINED_MAX: usize = 200;
/// Facts between the process and a position that are looked at, whether any is one that it is told.
const LOOK_AHEAD_FACTS: usize = 512;
/// What of the keyed hash stands in a page token, in characters.
const ARGUMENTS_CHARS: usize = 16;

/// The state of a ticket that no crew has, is offered or is planned for.
const WAITING: &str = "waiting";

/// What the three calls are answered from.
#[derive(Clone, Debug)]
pub(super) struct Intentions {
    pub(super) desk: Arc<Desk>,
    pub(super) dispatching: Dispatching,
}

/// A page that is asked for.
struct Asked {
    org: OrgPath,
    size: usize,
    /// What a token of these arguments bears.
    arguments: String,
    /// The last line that was given before.
    after: Option<String>,
}

impl Asked {
    fn read(
        desk: &Desk,
        (method, org, size, token): (&str, Option<&str>, u32, &str),
        actor: &Actor,
    ) -> Result<Self, Refusal> {
        let org = match org.filter(|org| !org.is_empty()) {
            None => actor.org.clone(),
            Some(org) => OrgPath::parse(org)
                .map_err(|_| Refusal::InvalidFields(vec![Violation::malformed("org", OrgPath::FORM)]))?,
        };
        let mut arguments = desk.vault().hash(&[b"page", method.as_bytes(), org.as_str().as_bytes()]);
        arguments.truncate(ARGUMENTS_CHARS);
        let after = match token {
            "" => None,
            token => Some(continued(token, &arguments).ok_or(Refusal::TokenMismatch)?),
        };
        let size = match size as usize {
            0 => PAGE_DEFAULT,
            size => size.min(PAGE_MAX),
        };
        Ok(Self { org, size, arguments, after })
    }

    /// The lines of the page, and the token of the next; `key` is what the lines are sorted by.
    fn page<T>(&self, lines: impl Iterator<Item = T>, key: impl Fn(&T) -> String) -> (Vec<T>, String) {
        let fresh = |line: &T| self.after.as_ref().is_none_or(|after| key(line) > *after);
        let mut found: Vec<T> = lines.filter(fresh).take(self.size + 1).collect();
        let more = found.len() > self.size;
        found.truncate(self.size);
        let next = found.last().filter(|_| more).map(|last| format!("1.{}.{}", self.arguments, key(last)));
        (found, next.map(|next| URL_SAFE_NO_PAD.encode(next)).unwrap_or_default())
    }
}

fn continued(token: &str, arguments: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (subject, after) = text.strip_prefix("1.")?.split_once('.')?;
    (subject == arguments).then(|| after.to_owned())
}

impl Intentions {
    /// What is intended, at `position` or later, or with nothing up to there that could change it; the caller's deadline bounds it.
    async fn snapshot(&self, position: u64) -> Result<Arc<Snapshot>, Refusal> {
        self.desk.recorded(Some(position)).await?;
        loop {
            let snapshot = self.dispatching.snapshot().await?;
            if snapshot.position >= position || self.nothing_between(snapshot.position, position).await? {
                return Ok(snapshot);
            }
            self.dispatching.past(snapshot.position).await?;
        }
    }

    /// Whether no fact after one position and up to another is one that the process is told.
    async fn nothing_between(&self, told: u64, position: u64) -> Result<bool, Refusal> {
        let page = self.desk.feed.page(told, LOOK_AHEAD_FACTS).await.map_err(|error| unreadable(error.into()))?;
        let reaches = page.last().is_some_and(|last| last.raw.position.0 >= position);
        Ok(reaches && page.iter().all(|entry| entry.raw.position.0 > position || entry.fact.is_none()))
    }

    pub(super) async fn crews(
        &self,
        body: &proto::ListCrewsRequest,
        actor: &Actor,
    ) -> Result<proto::ListCrewsResponse, Refusal> {
        let arguments = ("crews", body.org.as_deref(), body.page_size, &body.page_token[..]);
        let asked = Asked::read(&self.desk, arguments, actor)?;
        if !actor.org.contains(&asked.org) {
            return Err(Refusal::CrewRejected(crew::Rejection::NotTheCrew { actor: actor.org.clone() }));
        }
        let snapshot = self.snapshot(body.min_position).await?;
        let crews = snapshot.board.crews.values().filter(|crew| asked.org.contains(crew.id.org()));
        let (crews, next_page_token) = asked.page(crews, |crew| crew.id.org().to_string());
        let crews = crews.into_iter().map(|crew| status(&snapshot, crew)).collect();
        Ok(proto::ListCrewsResponse { crews, next_page_token, position: snapshot.position })
    }

    pub(super) async fn proposals(
        &self,
        body: &proto::ListProposalsRequest,
        actor: &Actor,
    ) -> Result<proto::ListProposalsResponse, Refusal> {
        let arguments = ("proposals", body.org.as_deref(), body.page_size, &body.page_token[..]);
        let asked = Asked::read(&self.desk, arguments, actor)?;
        if !actor.org.contains(&asked.org) {
            return Err(not_theirs(asked.org, actor));
        }
        let snapshot = self.snapshot(body.min_position).await?;
        let jobs = snapshot.board.jobs.values().filter(|job| asked.org.contains(&job.holder));
        let (jobs, next_page_token) = asked.page(jobs, |job| job.ticket.to_string());
        let planned = stops(&snapshot);
        let proposals = jobs.into_iter().map(|job| {
            let waits = snapshot.plan.waiting.get(&job.ticket).copied();
            proposal(&snapshot, job, planned.get(&job.ticket).copied(), waits)
        });
        Ok(proto::ListProposalsResponse {
            proposals: proposals.collect(),
            next_page_token,
            position: snapshot.position,
            storm: snapshot.plan.storm,
            policy_version: snapshot.policy.version.clone(),
        })
    }

    pub(super) async fn explain(
        &self,
        body: &proto::ExplainProposalRequest,
        actor: &Actor,
    ) -> Result<proto::ExplainProposalResponse, Refusal> {
        let ticket = self.desk.resolve(&reference(&body.ticket)?).await?;
        let row = self.desk.page(ticket, AsOf::Now).await?.row;
        let unit = row.ticket.holders.iter().rev().find(|unit| CrewId::of(unit).is_none()).unwrap_or(&row.received_by);
        // A crew may ask about what its own units hold.
        if !(actor.org.contains(unit) || unit.contains(&actor.org)) {
            return Err(not_theirs(unit.clone(), actor));
        }
        // As far as the ticket's own facts: one that was received just now is known.
        let reached = self.snapshot(row.position).await?;
        let explained = self.dispatching.explain(ticket).await?;
        let snapshot = explained.as_ref().map_or(reached, |explained| Arc::clone(&explained.snapshot));
        let by = proto::ExplainProposalResponse {
            policy_version: snapshot.policy.version.clone(),
            seed: snapshot.policy.seed,
            position: snapshot.position,
            ..Default::default()
        };
        let Some((explained, job)) = explained.as_ref().zip(snapshot.board.jobs.get(&ticket)) else {
            return Ok(proto::ExplainProposalResponse { proposal: Some(not_open(&row)), ..by });
        };
        let crews_max = match body.crews_max as usize {
            0 => EXPLAINED_DEFAULT,
            most => most.min(EXPLAINED_MAX),
        };
        // The crews that the actor may list.
        let weighed = explained.weighed.iter().filter(|weighed| actor.org.contains(weighed.crew.org()));
        let planned = stops(&snapshot).get(&ticket).copied();
        Ok(proto::ExplainProposalResponse {
            proposal: Some(proposal(&snapshot, job, planned, Some(explained.waits))),
            candidates: weighed.take(crews_max).map(candidate).collect(),
            ..by
        })
    }
}

/// What is intended for a ticket that needs no crew now.
fn not_open(row: &Row) -> proto::Proposal {
    proto::Proposal {
        ticket_id: row.id.to_string(),
        number: row.number.clone(),
        state: WAITING.into(),
        waits_for: Some(Waits::NotOpen.as_str().into()),
        ..Default::default()
    }
}

fn not_theirs(holder: OrgPath, actor: &Actor) -> Refusal {
    Refusal::Rejected(Rejection::NotTheHolder { holder, actor: actor.org.clone() })
}

/// A stop of the plan, and whose.
type Planned<'p> = (&'p CrewId, &'p Stop);

fn stops(snapshot: &Snapshot) -> BTreeMap<TicketId, Planned<'_>> {
    let routes = snapshot.plan.routes.iter();
    routes.flat_map(|(crew, route)| route.iter().map(move |stop| (stop.ticket, (crew, stop)))).collect()
}

/// What is intended for a ticket: what is so goes before what is planned.
fn proposal(snapshot: &Snapshot, job: &Job, planned: Option<Planned<'_>>, waits: Option<Waits>) -> proto::Proposal {
    let (crew, state, arrives) = match (&job.crew, job.offers.first(), planned) {
        (Some(assigned), ..) => (Some(&assigned.crew), "assigned", assigned.arrived),
        (None, Some(live), _) => (Some(&live.crew), "offered", None),
        (None, None, Some((crew, stop))) => (Some(crew), "planned", Some(stop.arrives)),
        (None, None, None) => (None, WAITING, None),
    };
    let waits = waits.unwrap_or(Waits::NotOpen);
    let (customers, concern) = safety::weight(&snapshot.policy.weights, job);
    proto::Proposal {
        ticket_id: job.ticket.to_string(),
        number: job.number.clone(),
        crew: crew.map(|crew| crew.org().to_string()),
        state: state.into(),
        waits_for: (state == WAITING).then(|| waits.as_str().to_owned()),
        arrives: arrives.map(answer::timestamp),
        weight: customers + concern,
    }
}

fn candidate(weighed: &Weighed) -> proto::CandidateCrew {
    proto::CandidateCrew {
        crew: weighed.crew.org().to_string(),
        prices: weighed.prices.iter().map(|(rule, price)| ((*rule).to_owned(), *price)).collect(),
        vetoes: weighed.vetoes.iter().map(|rule| (*rule).to_owned()).collect(),
        arrives: weighed.arrives.map(answer::timestamp),
    }
}

fn status(snapshot: &Snapshot, crew: &Crew) -> proto::CrewStatus {
    let planned = snapshot.plan.routes.get(&crew.id);
    // Where people are that are not at work is shown to nobody.
    let works = |shift: &Shift| snapshot.at < shift.until || !crew.committed.is_empty();
    proto::CrewStatus {
        crew: crew.id.org().to_string(),
        skills: answer::skills(crew.skills),
        shift_until: crew.shift.as_ref().map(|shift| answer::timestamp(shift.until)),
        away: answer::maybe_word(crew.away),
        at: crew.shift.as_ref().is_some_and(works).then(|| answer::position(crew.at)),
        seen_at: Some(answer::timestamp(crew.seen)),
        silent: presence::is_silent(&snapshot.policy.offers, crew, snapshot.at),
        offered_ticket: crew.reserved.as_ref().map(|held| held.ticket.to_string()),
        assigned_tickets: crew.committed.iter().map(|(ticket, _)| ticket.to_string()).collect(),
        planned_tickets: planned.into_iter().flatten().map(|stop| stop.ticket.to_string()).collect(),
    }
}
