//! `WatchAssignments`: a snapshot or a token, then every change once, in the order of the log. A reader pulls from its crew's
//! line or from history; it holds a position and nothing else.

use std::sync::Arc;

use switchboard_domain::crew::CrewId;
use switchboard_wire::{
    answer, command,
    proto::{self, watch_assignments_response::Message as Said},
    refusal::Refusal,
};
use tokio::sync::watch;
use tonic::{Request, Status};

use super::{Dispatch, said};
use crate::{
    crews::CrewDesk,
    grpc::{
        call::Call,
        streaming::{Came, Outgoing, Outlet, Token},
    },
};

/// Messages that may wait for one reader.
const QUEUE_MESSAGES_MAX: usize = 4;

/// One stream under way.
struct Reader {
    crews: Arc<CrewDesk>,
    crew: CrewId,
    /// Whether the reader is the crew itself: then the crew is heard of as long as the stream lives.
    own: bool,
    token: Token,
    outlet: Outlet<proto::WatchAssignmentsResponse>,
}

impl Dispatch {
    pub(super) async fn watch(
        &self,
        request: Request<proto::WatchAssignmentsRequest>,
    ) -> Result<Outgoing<proto::WatchAssignmentsResponse>, Status> {
        let call = Call::read(request.metadata(), self.crews.desk.deadline());
        let body = request.into_inner();
        let opened = call.answer(async {
            let place = self.admission.enter_stream()?;
            let actor = call.actor()?;
            let crew = command::crew(body.crew.as_deref(), actor).map_err(Refusal::InvalidFields)?;
            self.crews.speaks_for(actor, &crew)?;
            self.crews.standing(&crew).await?;
            let token = Token::of(self.crews.desk.vault(), &[b"assignments", crew.org().as_str().as_bytes()]);
            let after = body.resume_token.as_deref().map(|text| token.read(text)).transpose()?;
            if after.is_some_and(|after| after > self.crews.desk.head()) {
                return Err(Refusal::TokenMismatch);
            }
            Ok((place, crew.clone(), *crew.org() == actor.org, token, after))
        });
        let (place, crew, own, token, after) = opened.await?;
        let start = token.at(after.unwrap_or_default());
        let (outlet, messages) = Outlet::open(call, self.draining.clone(), QUEUE_MESSAGES_MAX, start);
        let reader = Reader { crews: Arc::clone(&self.crews), crew, own, token, outlet };
        tokio::spawn(async move {
            let _place = place;
            reader.run(after).await;
        });
        Ok(messages)
    }
}

impl Reader {
    async fn run(mut self, after: Option<u64>) {
        let ended = self.follow(after).await;
        self.outlet.end(ended).await;
    }

    async fn say(&mut self, position: u64, message: Said) -> Result<(), Refusal> {
        let token = self.token.at(position);
        let message = proto::WatchAssignmentsResponse { resume_token: token.clone(), message: Some(message) };
        self.outlet.say(token, message).await
    }

    async fn follow(&mut self, after: Option<u64>) -> Result<(), Refusal> {
        let assignments = Arc::clone(&self.crews.assignments);
        let mut line = assignments.watch(&self.crew);
        self.heard();
        let mut cursor = match after {
            Some(after) => after,
            None => {
                let (snapshot, position) = assignments.snapshot(&self.crew);
                self.say(position, Said::Snapshot(said::snapshot(&snapshot, position))).await?;
                position
            }
        };
        // Live is who has been told all that was recorded when the stream began.
        let begun = self.crews.desk.head();
        let mut live = false;
        loop {
            line.mark_unchanged();
            let pulled = assignments.pull(&self.crew, cursor).await?;
            for notice in &pulled.notices {
                self.say(notice.change.position, Said::Change(said::change(notice))).await?;
            }
            cursor = pulled.upto;
            if !pulled.notices.is_empty() {
                continue;
            }
            if !live && cursor >= begun {
                live = true;
                self.say(cursor, Said::Checkpoint(proto::Checkpoint { position: cursor, live })).await?;
            }
            let more = async { if live { moved(&mut line).await } else { assignments.reach(begun).await } };
            match self.outlet.wait(more).await? {
                Came::Left => return Ok(()),
                Came::Ready(true) => {}
                Came::Ready(false) => return Err(Refusal::Draining),
                Came::Quiet => {
                    self.heard();
                    let time = Some(answer::timestamp(self.crews.now()));
                    self.say(cursor, Said::Heartbeat(proto::Heartbeat { time })).await?;
                }
            }
        }
    }

    fn heard(&self) {
        if self.own {
            self.crews.telemetry.heard(&self.crew, self.crews.now());
        }
    }
}

/// Waits for the crew's next change; whether there can be one.
async fn moved(line: &mut watch::Receiver<u64>) -> bool {
    line.changed().await.is_ok()
}
