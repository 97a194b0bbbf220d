//! `AuditService`: the raw facts from any position. A subscription pulls from the feed; nothing queues for a slow reader, and a
//! reader that stops reading is sent away with its token.

use std::sync::Arc;

use prost::Message;
use switchboard_domain::{Timestamp, Violation, organisation::OrgPath};
use switchboard_engine::feed::Entry;
use switchboard_wire::{
    answer,
    proto::{
        self, audit_service_server::AuditService, subscribe_request::From, subscribe_response::Message as PromiseLog,
    },
    refusal::Refusal,
};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::{
    desk::Desk,
    grpc::{
        admission::{Admission, Class},
        call::Call,
        streaming::{Came, Outgoing, StreamWriter, Token},
    },
};

/// Facts read from the feed in one step.
const PAGE_FACTS_MAX: usize = 256;
/// The most facts of one `ReadLog` answer.
const READ_FACTS_MAX: u32 = 1_000;
/// The facts that one `ReadLog` looks at.
const READ_SCAN_MAX: u64 = 50_000;
/// The facts of a `ReadLog` answer when no size is asked for.
const READ_FACTS_DEFAULT: u32 = 100;
/// A `ReadLog` answer ends once it holds so many bytes of payload: what a client takes by default is 4 MiB.
const READ_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Messages that may wait for one reader.
const QUEUE_MESSAGES_MAX: usize = 16;
/// A reader whose filter lets nothing through is told where it is after so many facts.
const CHECKPOINT_FACTS: u64 = 1_000;
/// The most categories, and kinds, of a filter.
const CATEGORIES_MAX: usize = 16;
/// The most kinds of a filter.
const KINDS_MAX: usize = 64;

/// The service.
#[derive(Clone, Debug)]
pub struct Audit {
    pub(crate) desk: Arc<Desk>,
    pub(crate) admission: Admission,
    pub(crate) draining: watch::Receiver<bool>,
}

/// Which facts a reader wants.
#[derive(Clone, Debug, Default)]
struct Filter {
    categories: Vec<String>,
    kinds: Vec<String>,
    org: Option<OrgPath>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Filter {
    fn read(filter: Option<&proto::FactFilter>) -> Result<Self, Refusal> {
        let Some(filter) = filter else { return Ok(Self::default()) };
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
        Ok(Self { categories: filter.categories.clone(), kinds: filter.kinds.clone(), org, from, to })
    }

    fn admits(&self, entry: &Entry) -> bool {
        let raw = &entry.raw;
        let listed = |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == value);
        let metadata = entry.metadata.as_ref();
        listed(&self.categories, raw.stream.category())
            && listed(&self.kinds, &raw.kind)
            && self.org.as_ref().is_none_or(|org| metadata.is_some_and(|m| org.contains(&m.actor.org)))
            && self.from.is_none_or(|from| metadata.is_some_and(|m| m.recorded_at >= from))
            && self.to.is_none_or(|to| metadata.is_some_and(|m| m.recorded_at < to))
    }
}

/// A fact as it is stored.
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

/// One subscription under way.
struct Reader {
    desk: Arc<Desk>,
    filter: Filter,
    token: Token,
    writer: StreamWriter<proto::SubscribeResponse>,
}

impl Reader {
    async fn say(&mut self, position: u64, message: PromiseLog) -> Result<(), Refusal> {
        let token = self.token.at(position);
        let message = proto::SubscribeResponse { resume_token: token.clone(), message: Some(message) };
        self.writer.say(token, message).await
    }

    async fn run(mut self, after: u64) {
        let ended = self.follow(after).await;
        self.writer.end(ended);
    }

    async fn follow(&mut self, after: u64) -> Result<(), Refusal> {
        let mut cursor = self.desk.feed.cursor(after);
        let mut live = cursor.position() >= self.desk.head();
        if live {
            self.say(after, PromiseLog::Checkpoint(proto::Checkpoint { position: after, live })).await?;
        }
        let mut told = after;
        loop {
            let page = self.writer.wait(cursor.next(PAGE_FACTS_MAX)).await?;
            let position = cursor.position();
            match page {
                Came::Left => return Ok(()),
                Came::Quiet => {
                    let time = Some(answer::timestamp(self.desk.tickets.clock().now()));
                    self.say(position, PromiseLog::Heartbeat(proto::Heartbeat { time })).await?;
                }
                Came::Ready(Err(error)) => return Err(crate::desk::unreadable(error.into())),
                Came::Ready(Ok(page)) => {
                    for entry in &page {
                        if self.filter.admits(entry) {
                            told = entry.raw.position.stored();
                            self.say(told, PromiseLog::Fact(fact(entry))).await?;
                        }
                    }
                    // Said when the reader has caught up, and now and then to one whose filter lets little through.
                    let caught_up = position >= self.desk.head();
                    if caught_up && !live || position - told >= CHECKPOINT_FACTS {
                        told = position;
                        self.say(position, PromiseLog::Checkpoint(proto::Checkpoint { position, live: caught_up }))
                            .await?;
                    }
                    live |= caught_up;
                }
            }
        }
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    type SubscribeStream = Outgoing<proto::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<proto::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let call = Call::read(request.metadata(), self.desk.deadline());
        let body = request.into_inner();
        let refuse = |refusal: &Refusal| call.refuse(refusal);
        let place = self.admission.enter_stream().map_err(|r| refuse(&r))?;
        let filter = Filter::read(body.filter.as_ref()).map_err(|r| refuse(&r))?;
        let filtered = body.filter.as_ref().map(Message::encode_to_vec).unwrap_or_default();
        let token = Token::of(self.desk.vault(), &[b"resume", &filtered]);
        let head = self.desk.head();
        let after = match &body.from {
            None => 0,
            Some(From::AfterPosition(position)) => *position,
            Some(From::ResumeToken(text)) => match token.read(text).map_err(|r| refuse(&r))? {
                past_the_end if past_the_end > head => return Err(refuse(&Refusal::TokenMismatch)),
                position => position,
            },
            Some(From::Now(true)) => head,
            Some(From::Now(false)) => {
                return Err(refuse(&Refusal::InvalidFields(vec![Violation::malformed("now", "true")])));
            }
        };
        if after > head {
            return Err(refuse(&Refusal::InvalidFields(vec![Violation::malformed(
                "after_position",
                "at most the head of the log",
            )])));
        }
        let (writer, messages) = StreamWriter::open(call, self.draining.clone(), QUEUE_MESSAGES_MAX, token.at(after));
        let reader = Reader { desk: Arc::clone(&self.desk), filter, token, writer };
        tokio::spawn(async move {
            let _place = place;
            reader.run(after).await;
        });
        Ok(Response::new(messages))
    }

    async fn read_log(
        &self,
        request: Request<proto::ReadLogRequest>,
    ) -> Result<Response<proto::ReadLogResponse>, Status> {
        let call = Call::read(request.metadata(), self.desk.deadline());
        let body = request.into_inner();
        let answer = call.answer(async {
            let _place = self.admission.enter(Class::Query)?;
            let filter = Filter::read(body.filter.as_ref())?;
            let size = match body.page_size {
                0 => READ_FACTS_DEFAULT,
                size => size.min(READ_FACTS_MAX),
            } as usize;
            // What was durable when it was asked is in the answer, also what the feed has not read yet.
            let durable = self.desk.head();
            let _ = self.desk.feed.watch().wait_for(|seen| *seen >= durable).await;
            let mut after = body.after_position;
            let (mut facts, mut bytes) = (Vec::new(), 0);
            // A filter that lets little through must not use up the deadline: an answer may hold nothing but where to go on.
            let stop = after.saturating_add(READ_SCAN_MAX);
            loop {
                if after >= stop {
                    return Ok(proto::ReadLogResponse { facts, next_after_position: after, end: false });
                }
                let page =
                    self.desk.feed.page(after, PAGE_FACTS_MAX).await.map_err(|e| crate::desk::unreadable(e.into()))?;
                if page.is_empty() {
                    return Ok(proto::ReadLogResponse { facts, next_after_position: after, end: true });
                }
                for entry in page {
                    after = entry.raw.position.stored();
                    if filter.admits(&entry) {
                        facts.push(fact(&entry));
                        bytes += entry.raw.data.len() + entry.raw.meta.len();
                        if facts.len() == size || bytes >= READ_BYTES_MAX {
                            return Ok(proto::ReadLogResponse { facts, next_after_position: after, end: false });
                        }
                    }
                }
            }
        });
        answer.await.map(Response::new)
    }
}
