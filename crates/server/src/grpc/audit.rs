//! `AuditService`: the raw facts from any position. A reader that takes nothing for too long is disconnected with its
//! resume token.

use std::sync::Arc;

use prost::Message;
use switchboard_domain::{Violation, organisation::OrgPath};
use switchboard_engine::feed::Entry;
use switchboard_wire::{
    answer,
    proto::{self, audit_service_server::AuditService, subscribe_request::From, subscribe_response::Message as Said},
    refusal::Refusal,
};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::{
    grpc::{
        admission::{Admission, Class},
        call::{Call, unary},
        read::malformed,
        streaming::{Came, Outgoing, StreamWriter, Token},
    },
    service::{
        Node,
        history::{Filter, Follower, History},
    },
};

/// The most facts of one `ReadLog` response.
const READ_FACTS_MAX: u32 = 1_000;
/// The facts of a `ReadLog` response when the request states no size.
const READ_FACTS_DEFAULT: u32 = 100;
/// The most messages that wait for one reader.
const QUEUE_MESSAGES_MAX: usize = 16;
/// After this many facts without a match, a checkpoint tells the reader its position.
const CHECKPOINT_FACTS: usize = 1_000;
/// The most stream categories in a filter.
const CATEGORIES_MAX: usize = 16;
/// The most kinds in a filter.
const KINDS_MAX: usize = 64;

/// The implementation of `AuditService`.
#[derive(Clone, Debug)]
pub struct AuditApi {
    pub(crate) node: Arc<Node>,
    pub(crate) history: History,
    pub(crate) admission: Admission,
    pub(crate) draining: watch::Receiver<bool>,
}

/// Reads the filter of a request.
fn filter(filter: Option<&proto::FactFilter>) -> Result<Filter, Refusal> {
    let Some(filter) = filter else { return Ok(Filter::default()) };
    let mut found = Vec::new();
    let too_many = |field, limit| Violation { field, problem: switchboard_domain::Problem::TooMany { limit } };
    if filter.categories.len() > CATEGORIES_MAX {
        found.push(too_many("filter.categories", CATEGORIES_MAX));
    }
    if filter.kinds.len() > KINDS_MAX {
        found.push(too_many("filter.kinds", KINDS_MAX));
    }
    let org = filter.org.as_deref().map(OrgPath::parse).transpose().unwrap_or_else(|_| {
        found.push(Violation::malformed("filter.org", OrgPath::FORM));
        None
    });
    let mut instant = |field, time: Option<&prost_types::Timestamp>| {
        let read = time.map(|time| answer::instant(time).ok_or(()));
        read.transpose().unwrap_or_else(|()| {
            found.push(Violation::malformed(field, "an instant"));
            None
        })
    };
    let from = instant("filter.recorded_from", filter.recorded_from.as_ref());
    let to = instant("filter.recorded_to", filter.recorded_to.as_ref());
    if !found.is_empty() {
        return Err(Refusal::InvalidFields(found));
    }
    Ok(Filter { categories: filter.categories.clone(), kinds: filter.kinds.clone(), org, from, to })
}

/// Converts a stored fact.
fn fact(entry: &Entry) -> proto::Fact {
    let (raw, metadata) = (&entry.raw, entry.metadata.as_ref());
    proto::Fact {
        position: raw.position.stored(),
        stream: raw.stream.as_str().into(),
        revision: raw.revision.0,
        event_id: raw.id.to_string(),
        kind: raw.kind.to_string(),
        occurred_at: metadata.map(|m| answer::timestamp(m.occurred_at)),
        recorded_at: metadata.map(|m| answer::timestamp(m.recorded_at)),
        actor: metadata.map(|m| answer::actor(&m.actor)),
        data: raw.data.clone(),
        metadata: raw.meta.clone(),
    }
}

/// A subscription in progress.
struct Reader {
    log: Follower,
    filter: Filter,
    token: Token,
    writer: StreamWriter<proto::SubscribeResponse>,
}

impl Reader {
    async fn say(&mut self, position: u64, message: Said) -> Result<(), Refusal> {
        let token = self.token.at(position);
        let message = proto::SubscribeResponse { resume_token: token.clone(), message: Some(message) };
        self.writer.say(token, message).await
    }

    async fn run(mut self) {
        let ended = self.follow().await;
        self.writer.end(ended);
    }

    async fn follow(&mut self) -> Result<(), Refusal> {
        let after = self.log.position();
        let mut live = self.log.is_caught_up();
        if live {
            self.say(after, Said::Checkpoint(proto::Checkpoint { position: after, live })).await?;
        }
        // Facts since the last message that told the reader its position.
        let mut unsaid = 0;
        loop {
            let page = self.writer.wait(self.log.next()).await?;
            let position = self.log.position();
            match page {
                Came::Left => return Ok(()),
                Came::Quiet => {
                    let time = Some(answer::timestamp(self.log.now()));
                    self.say(position, Said::Heartbeat(proto::Heartbeat { time })).await?;
                }
                Came::Ready(page) => {
                    for entry in &page? {
                        unsaid += 1;
                        if self.filter.admits(entry) {
                            unsaid = 0;
                            self.say(entry.raw.position.stored(), Said::Fact(fact(entry))).await?;
                        }
                    }
                    // Sent when the reader catches up, and from time to time while the filter admits little.
                    let caught_up = self.log.is_caught_up();
                    if caught_up && !live || unsaid >= CHECKPOINT_FACTS {
                        unsaid = 0;
                        self.say(position, Said::Checkpoint(proto::Checkpoint { position, live: caught_up })).await?;
                    }
                    live |= caught_up;
                }
            }
        }
    }
}

impl AuditApi {
    /// Reads where a subscription begins. Returns the filter, the maker of its tokens, and the start position.
    fn start(&self, body: &proto::SubscribeRequest, head: u64) -> Result<(Filter, Token, u64), Refusal> {
        let filter = filter(body.filter.as_ref())?;
        let filtered = body.filter.as_ref().map(Message::encode_to_vec).unwrap_or_default();
        let token = Token::of(&self.node, &[b"resume", &filtered]);
        let after = match &body.from {
            None => 0,
            Some(From::AfterPosition(position)) => *position,
            Some(From::ResumeToken(text)) => token.read(text, head)?,
            Some(From::Now(true)) => head,
            Some(From::Now(false)) => return Err(malformed("now", "true")),
        };
        if after > head {
            return Err(malformed("after_position", "at most the head of the log"));
        }
        Ok((filter, token, after))
    }
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    type SubscribeStream = Outgoing<proto::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<proto::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let call = Call::of(&request, self.node.deadline());
        let body = request.into_inner();
        let opened = || {
            let place = self.admission.enter_stream()?;
            let actor = call.actor()?;
            let (filter, token, after) = self.start(&body, self.history.head(actor)?)?;
            Ok((place, filter, token, self.history.follow(after, actor)?))
        };
        let (place, filter, token, log) = opened().map_err(|refusal| call.refuse(&refusal))?;
        let start = token.at(log.position());
        let (writer, messages) = StreamWriter::open(call, self.draining.clone(), QUEUE_MESSAGES_MAX, start);
        let reader = Reader { log, filter, token, writer };
        tokio::spawn(async move {
            let _place = place;
            reader.run().await;
        });
        Ok(Response::new(messages))
    }

    async fn read_log(
        &self,
        request: Request<proto::ReadLogRequest>,
    ) -> Result<Response<proto::ReadLogResponse>, Status> {
        let read = |call: Call, body: proto::ReadLogRequest| async move {
            let filter = filter(body.filter.as_ref())?;
            let size = match body.page_size {
                0 => READ_FACTS_DEFAULT,
                size => size.min(READ_FACTS_MAX),
            };
            let page = self.history.read(&filter, body.after_position, size as usize, call.actor()?).await?;
            let facts = page.entries.iter().map(|entry| fact(entry)).collect();
            Ok(proto::ReadLogResponse { facts, next_after_position: page.next_after, end: page.end })
        };
        unary(&self.node, &self.admission, Class::Query, request, read).await
    }
}
