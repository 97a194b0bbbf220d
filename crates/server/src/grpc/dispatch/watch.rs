//! `WatchAssignments`: starts from a snapshot or from a token, then delivers every change once, in the order of the
//! log. The reader pulls changes from its crew's line or from history. Its only state is a position.

use std::sync::Arc;

use switchboard_domain::crew::CrewId;
use switchboard_wire::{
    answer, command,
    proto::{self, watch_assignments_response::Message as Said},
    refusal::Refusal,
};
use tokio::sync::watch;
use tonic::{Request, Status};

use super::{DispatchApi, said};
use crate::{
    grpc::{
        call::Call,
        streaming::{Outgoing, StreamWriter, Token},
    },
    service::crews::Crews,
};

/// The most messages that wait for one reader.
const QUEUE_MESSAGES_MAX: usize = 4;

/// The subscriber, and the crew that it watches.
struct Watcher {
    crews: Arc<Crews>,
    crew: CrewId,
    /// True if the subscriber is the crew itself. Then the open stream counts as a sign of life of the crew.
    own: bool,
    token: Token,
}

/// A stream in progress.
struct Reader {
    watcher: Watcher,
    writer: StreamWriter<proto::WatchAssignmentsResponse>,
}

impl DispatchApi {
    pub(super) async fn watch(
        &self,
        request: Request<proto::WatchAssignmentsRequest>,
    ) -> Result<Outgoing<proto::WatchAssignmentsResponse>, Status> {
        let call = Call::of(&request, self.node.deadline());
        let body = request.into_inner();
        let opened = call.answer(async {
            let place = self.admission.enter_stream()?;
            let actor = call.actor()?;
            let crew = command::crew(body.crew.as_deref(), actor).map_err(Refusal::InvalidFields)?;
            self.crews.followable(&crew, actor).await?;
            let token = Token::of(&self.node, &[b"assignments", crew.org().as_str().as_bytes()]);
            let head = self.node.head();
            let after = body.resume_token.as_deref().map(|text| token.read(text, head)).transpose()?;
            Ok((place, crew.clone(), *crew.org() == actor.org, token, after))
        });
        let (place, crew, own, token, after) = opened.await?;
        let start = token.at(after.unwrap_or_default());
        let (writer, messages) = StreamWriter::open(call, self.draining.clone(), QUEUE_MESSAGES_MAX, start);
        let reader = Reader { watcher: Watcher { crews: Arc::clone(&self.crews), crew, own, token }, writer };
        tokio::spawn(async move {
            let _place = place;
            reader.run(after).await;
        });
        Ok(messages)
    }
}

impl Watcher {
    fn heard(&self) {
        if self.own {
            self.crews.heard(&self.crew);
        }
    }

    /// Builds a message. Its token resumes after `position`.
    fn message(&self, position: u64, said: Said) -> (String, proto::WatchAssignmentsResponse) {
        let token = self.token.at(position);
        (token.clone(), proto::WatchAssignmentsResponse { resume_token: token, message: Some(said) })
    }

    fn beat(&self, position: u64) -> (String, proto::WatchAssignmentsResponse) {
        self.heard();
        let time = Some(answer::timestamp(self.crews.node.now()));
        self.message(position, Said::Heartbeat(proto::Heartbeat { time }))
    }
}

impl Reader {
    async fn run(mut self, after: Option<u64>) {
        let ended = self.follow(after).await;
        self.writer.end(ended);
    }

    async fn say(&mut self, position: u64, said: Said) -> Result<(), Refusal> {
        let (token, message) = self.watcher.message(position, said);
        self.writer.say(token, message).await
    }

    /// Waits for `work` and sends heartbeats meanwhile; `position` is the reader's. Returns `None` if the reader left.
    async fn wait<T>(&mut self, position: u64, work: impl Future<Output = T>) -> Result<Option<T>, Refusal> {
        let watcher = &self.watcher;
        self.writer.beating(work, || watcher.beat(position)).await
    }

    async fn follow(&mut self, after: Option<u64>) -> Result<(), Refusal> {
        let assignments = Arc::clone(&self.watcher.crews.assignments);
        let crew = self.watcher.crew.clone();
        let mut line = assignments.watch(&crew);
        let mut cursor = match after {
            Some(after) => after,
            None => {
                let (snapshot, position) = assignments.snapshot(&crew);
                self.say(position, Said::Snapshot(said::snapshot(&snapshot, position))).await?;
                position
            }
        };
        // The stream is live once it has delivered every change up to the head at its start.
        let begun = self.watcher.crews.node.head();
        let mut live = false;
        loop {
            // Also here: a stream with many changes never waits, so it sends no heartbeat.
            self.watcher.heard();
            line.mark_unchanged();
            let Some(pulled) = self.wait(cursor, assignments.pull(&crew, cursor)).await? else { return Ok(()) };
            let pulled = pulled?;
            for crew_change in &pulled.crew_changes {
                self.say(crew_change.change.position, Said::Change(said::change(crew_change))).await?;
            }
            cursor = pulled.upto;
            if !pulled.crew_changes.is_empty() {
                continue;
            }
            if !live && cursor >= begun {
                live = true;
                self.say(cursor, Said::Checkpoint(proto::Checkpoint { position: cursor, live })).await?;
            }
            let more = async { if live { moved(&mut line).await } else { assignments.reach(begun).await } };
            match self.wait(cursor, more).await? {
                None => return Ok(()),
                Some(true) => {}
                Some(false) => return Err(Refusal::Draining),
            }
        }
    }
}

/// Waits for the crew's next change. Returns false if there can be no more changes.
async fn moved(line: &mut watch::Receiver<u64>) -> bool {
    line.changed().await.is_ok()
}

#[cfg(test)]
mod tests;
