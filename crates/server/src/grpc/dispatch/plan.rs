//! The queries of the dispatch desk, in messages of the API: the crews, the proposals, and the explanation of a
//! proposal.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use switchboard_dispatcher::{
    board::{Crew, Job, Shift},
    explain::Weighed,
    plan::{Stop, Waits},
    rules::presence,
};
use switchboard_domain::ticket::CaseFile;
use switchboard_domain::{Violation, actor::Actor, crew::CrewId, organisation::OrgPath, ticket::TicketId};
use switchboard_wire::{answer, proto, refusal::Refusal};

use super::DispatchApi;
use crate::{
    grpc::{call::Call, read::reference},
    service::{
        Node,
        dispatch::{
            Snapshot,
            intended::{Lines, Paging},
        },
    },
};

/// The lines of a page when the request states no size.
const PAGE_DEFAULT: usize = 100;
/// The most lines of a page.
const PAGE_MAX: usize = 1_000;
/// The crews of an explanation when the request states no number.
const EXPLAINED_DEFAULT: usize = 20;
/// The most crews of an explanation.
const EXPLAINED_MAX: usize = 200;
/// The length of the keyed hash in a page token, in characters.
const ARGUMENTS_CHARS: usize = 16;

/// The state of a ticket that has no crew, no offer and no planned stop.
const WAITING: &str = "waiting";

/// A requested page.
struct Asked {
    paging: Paging,
    /// The keyed hash of the arguments, which a token of this query carries.
    arguments: String,
}

impl Asked {
    fn read(
        node: &Node,
        (method, org, size, token): (&str, Option<&str>, u32, &str),
        actor: &Actor,
    ) -> Result<Self, Refusal> {
        let org = match org.filter(|org| !org.is_empty()) {
            None => actor.org.clone(),
            Some(org) => OrgPath::parse(org)
                .map_err(|_| Refusal::InvalidFields(vec![Violation::malformed("org", OrgPath::FORM)]))?,
        };
        let mut arguments = node.vault().hash(&[b"page", method.as_bytes(), org.as_str().as_bytes()]);
        arguments.truncate(ARGUMENTS_CHARS);
        let after = match token {
            "" => None,
            token => Some(continued(token, &arguments).ok_or(Refusal::TokenMismatch)?),
        };
        let size = match size as usize {
            0 => PAGE_DEFAULT,
            size => size.min(PAGE_MAX),
        };
        Ok(Self { paging: Paging { org, size, after }, arguments })
    }

    /// The token of the page after these lines; empty if there is none.
    fn next<K>(&self, lines: &Lines<K>, key: impl Fn(&K) -> String) -> String {
        let last = lines.keys.last().filter(|_| lines.more);
        let next = last.map(|last| format!("1.{}.{}", self.arguments, key(last)));
        next.map(|next| URL_SAFE_NO_PAD.encode(next)).unwrap_or_default()
    }
}

fn continued(token: &str, arguments: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (subject, after) = text.strip_prefix("1.")?.split_once('.')?;
    (subject == arguments).then(|| after.to_owned())
}

impl DispatchApi {
    pub(super) async fn crews(
        &self,
        call: Call,
        body: proto::ListCrewsRequest,
    ) -> Result<proto::ListCrewsResponse, Refusal> {
        let actor = call.actor()?;
        let arguments = ("crews", body.org.as_deref(), body.page_size, &body.page_token[..]);
        let asked = Asked::read(&self.node, arguments, actor)?;
        let lines = self.intended.crews(&asked.paging, body.min_position, actor).await?;
        let next_page_token = asked.next(&lines, |crew| crew.org().to_string());
        let snapshot = &lines.snapshot;
        let crews = lines.keys.iter().filter_map(|crew| snapshot.board.crews.get(crew));
        let crews = crews.map(|crew| status(snapshot, crew)).collect();
        Ok(proto::ListCrewsResponse { crews, next_page_token, position: snapshot.position })
    }

    pub(super) async fn proposals(
        &self,
        call: Call,
        body: proto::ListProposalsRequest,
    ) -> Result<proto::ListProposalsResponse, Refusal> {
        let actor = call.actor()?;
        let arguments = ("proposals", body.org.as_deref(), body.page_size, &body.page_token[..]);
        let asked = Asked::read(&self.node, arguments, actor)?;
        let lines = self.intended.tickets(&asked.paging, body.min_position, actor).await?;
        let next_page_token = asked.next(&lines, TicketId::to_string);
        let snapshot = &lines.snapshot;
        let planned = stops(snapshot);
        let jobs = lines.keys.iter().filter_map(|ticket| snapshot.board.jobs.get(ticket));
        let proposals = jobs.map(|job| {
            let waits = snapshot.plan.waiting.get(&job.ticket).copied();
            proposal(snapshot, job, planned.get(&job.ticket).copied(), waits)
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
        call: Call,
        body: proto::ExplainProposalRequest,
    ) -> Result<proto::ExplainProposalResponse, Refusal> {
        let explanation = self.intended.explain(&reference(&body.ticket)?, call.actor()?).await?;
        let (snapshot, ticket) = (&explanation.snapshot, explanation.row.id);
        let by = proto::ExplainProposalResponse {
            policy_version: snapshot.policy.version.clone(),
            seed: snapshot.policy.seed,
            position: snapshot.position,
            ..Default::default()
        };
        let Some((explained, job)) = explanation.explained.as_ref().zip(snapshot.board.jobs.get(&ticket)) else {
            return Ok(proto::ExplainProposalResponse { proposal: Some(not_open(&explanation.row)), ..by });
        };
        let crews_max = match body.crews_max as usize {
            0 => EXPLAINED_DEFAULT,
            most => most.min(EXPLAINED_MAX),
        };
        let planned = stops(snapshot).get(&ticket).copied();
        Ok(proto::ExplainProposalResponse {
            proposal: Some(proposal(snapshot, job, planned, Some(explained.waits))),
            candidates: explanation.weighed.iter().take(crews_max).map(candidate).collect(),
            ..by
        })
    }
}

/// The proposal for a ticket that needs no crew now.
fn not_open(row: &CaseFile) -> proto::Proposal {
    proto::Proposal {
        ticket_id: row.id.to_string(),
        number: row.number.clone(),
        state: WAITING.into(),
        waits_for: Some(Waits::NotOpen.as_str().into()),
        ..Default::default()
    }
}

/// A stop of the plan, with its crew.
type Planned<'p> = (&'p CrewId, &'p Stop);

fn stops(snapshot: &Snapshot) -> BTreeMap<TicketId, Planned<'_>> {
    let routes = snapshot.plan.routes.iter();
    routes.flat_map(|(crew, route)| route.iter().map(move |stop| (stop.ticket, (crew, stop)))).collect()
}

/// The proposal for a ticket. An assignment takes precedence over an offer, and an offer over the plan.
fn proposal(snapshot: &Snapshot, job: &Job, planned: Option<Planned<'_>>, waits: Option<Waits>) -> proto::Proposal {
    let (crew, state, arrives) = match (&job.crew, job.offers.first(), planned) {
        (Some(assigned), ..) => (Some(&assigned.crew), "assigned", assigned.arrived),
        (None, Some(live), _) => (Some(&live.crew), "offered", None),
        (None, None, Some((crew, stop))) => (Some(crew), "planned", Some(stop.arrives)),
        (None, None, None) => (None, WAITING, None),
    };
    let waits = waits.unwrap_or(Waits::NotOpen);
    let (customers, concern) = job.weight(&snapshot.policy.weights);
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
    // Privacy: the position of a crew that is not at work is never shown.
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
