//! The parts that all server streams share: resume tokens, a bounded queue, slow readers, heartbeats and the final
//! status. Each service defines its own messages.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{StreamExt as _, stream::Map};
use switchboard_engine::feed::Feed;
use switchboard_wire::refusal::Refusal;
use tokio::sync::{mpsc::Sender, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{
    grpc::call::Call,
    service::{
        Node,
        queue::{FinalSlot, queue},
    },
};

/// The longest time that a reader may take no message.
pub(crate) const READER_PATIENCE: Duration = Duration::from_secs(30);
/// The interval of heartbeats on a quiet stream.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);
/// The length of the keyed hash in a token, in characters. It is long enough that no two subjects collide by chance.
const SUBJECT_CHARS: usize = 16;

/// Makes and reads resume tokens. A token names a position and its log. It is valid for one subject, as long as the log
/// exists.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    subject: String,
    feed: Arc<Feed>,
}

impl Token {
    /// The tokens of a stream about this subject, which is given in parts.
    pub(crate) fn of(node: &Node, subject: &[&[u8]]) -> Self {
        let mut subject = node.vault().hash(subject);
        subject.truncate(SUBJECT_CHARS);
        Self { subject, feed: Arc::clone(&node.feed) }
    }

    /// The token of a position.
    pub(crate) fn at(&self, position: u64) -> String {
        let log = self.feed.place(position).log;
        URL_SAFE_NO_PAD.encode(format!("2.{log}.{position}.{}", self.subject))
    }

    /// Reads the position of a token.
    ///
    /// # Errors
    /// [`Refusal::TokenMismatch`] if the text is no token, belongs to another subject or another log, or lies beyond
    /// `head`.
    pub(crate) fn read(&self, token: &str, head: u64) -> Result<u64, Refusal> {
        let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = text.as_deref().and_then(|text| self.position(text)).filter(|position| *position <= head);
        position.ok_or(Refusal::TokenMismatch)
    }

    fn position(&self, text: &str) -> Option<u64> {
        let (version, rest) = text.split_once('.')?;
        let (log, rest) = match version {
            // Tokens of version 0.1 do not name the log. They count as tokens of this log.
            "1" => (None, rest),
            "2" => rest.split_once('.').map(|(log, rest)| (Some(log), rest))?,
            _ => return None,
        };
        let (position, subject) = rest.split_once('.')?;
        let position: u64 = position.parse().ok()?;
        // Position 0 is valid for any log: a log without facts has no id yet.
        let is_of_this_log = log.is_none_or(|log| position == 0 || *log == self.feed.place(position).log.to_string());
        (is_of_this_log && subject == self.subject).then_some(position)
    }
}

/// A queued message. It is boxed because the queue allocates room for all its messages.
type Queued<M> = Box<Result<M, Status>>;
/// The messages of one stream, as the transport takes them.
pub(crate) type Outgoing<M> = Map<ReceiverStream<Queued<M>>, fn(Queued<M>) -> Result<M, Status>>;

/// The first thing that happened during a wait.
pub(crate) enum Came<T> {
    /// The work is done.
    Ready(T),
    /// Nothing happened for [`HEARTBEAT`].
    Quiet,
    /// The reader left.
    Left,
}

/// The sender's side of one stream.
pub(crate) struct StreamWriter<M> {
    call: Call,
    out: Sender<Queued<M>>,
    last_word: FinalSlot<Queued<M>>,
    draining: watch::Receiver<bool>,
    /// The token of the last message that was queued.
    token: String,
    /// The heartbeat interval: [`HEARTBEAT`], except in tests.
    heartbeat: Duration,
}

impl<M> StreamWriter<M> {
    /// Opens a stream with a queue of `messages_max` messages, for a reader at the position of `token`.
    pub(crate) fn open(
        call: Call,
        draining: watch::Receiver<bool>,
        messages_max: usize,
        token: String,
    ) -> (Self, Outgoing<M>) {
        let (out, messages, last_word) = queue(messages_max);
        let unboxed: fn(Queued<M>) -> Result<M, Status> = |queued| *queued;
        let writer = Self { call, out, last_word, draining, token, heartbeat: HEARTBEAT };
        (writer, ReceiverStream::new(messages).map(unboxed))
    }

    /// Queues one message; `token` resumes after it.
    ///
    /// # Errors
    /// `Refusal::SlowReader` if the reader takes no message for `READER_PATIENCE`; `Refusal::Draining` if the server
    /// drains or the reader left.
    pub(crate) async fn say(&mut self, token: String, message: M) -> Result<(), Refusal> {
        let slow = || Refusal::SlowReader { resume_token: self.token.clone() };
        tokio::select! {
            sent = self.out.send(Box::new(Ok(message))) => sent.map_err(|_| Refusal::Draining)?,
            _ = self.draining.wait_for(|draining| *draining) => return Err(Refusal::Draining),
            () = tokio::time::sleep(READER_PATIENCE) => return Err(slow()),
        }
        self.token = token;
        Ok(())
    }

    /// Waits for `work`, but at most for one heartbeat interval. The work is then dropped, so it must be safe to start
    /// again.
    ///
    /// # Errors
    /// [`Refusal::Draining`] if the server drains.
    pub(crate) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<Came<T>, Refusal> {
        tokio::select! {
            biased;
            _ = self.draining.wait_for(|draining| *draining) => Err(Refusal::Draining),
            () = self.out.closed() => Ok(Came::Left),
            done = tokio::time::timeout(self.heartbeat, work) => Ok(done.map_or(Came::Quiet, Came::Ready)),
        }
    }

    /// Waits for `work` as long as it takes, and sends a heartbeat in every interval. Returns `None` if the reader
    /// left.
    ///
    /// # Errors
    /// Those of `say`.
    pub(crate) async fn beating<T>(
        &mut self,
        work: impl Future<Output = T>,
        mut beat: impl FnMut() -> (String, M),
    ) -> Result<Option<T>, Refusal> {
        let mut work = std::pin::pin!(work);
        loop {
            match self.wait(&mut work).await? {
                Came::Ready(done) => return Ok(Some(done)),
                Came::Left => return Ok(None),
                Came::Quiet => {
                    let (token, message) = beat();
                    self.say(token, message).await?;
                }
            }
        }
    }

    /// Ends the stream. A refusal is sent as the final status, unless the reader left. A reserved slot keeps the status
    /// until a slow reader takes it.
    pub(crate) fn end(self, ended: Result<(), Refusal>) {
        if let Err(refusal) = ended
            && !self.out.is_closed()
        {
            self.last_word.say(Box::new(Err(self.call.refuse(&refusal))));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tonic::metadata::MetadataMap;

    use super::*;

    fn writer() -> (StreamWriter<u8>, Outgoing<u8>, watch::Sender<bool>) {
        let (drain, draining) = watch::channel(false);
        let call = Call::read(&MetadataMap::new(), Duration::from_secs(1));
        let (writer, messages) = StreamWriter::open(call, draining, 4, "start".into());
        (writer, messages, drain)
    }

    #[tokio::test]
    async fn work_that_takes_long_is_not_begun_again_and_the_reader_hears_that_the_stream_lives() {
        let (mut writer, mut messages, _drain) = writer();
        writer.heartbeat = Duration::from_millis(1);
        let (done, mut work) = mpsc::channel(1);
        let (mut begun, mut beats) = (0, 0);
        let work = async {
            begun += 1;
            work.recv().await
        };
        let beat = || {
            beats += 1;
            // The work is done after the second heartbeat.
            if beats == 2 {
                done.try_send(7).unwrap();
            }
            ("beat".into(), beats)
        };
        assert_eq!(writer.beating(work, beat).await, Ok(Some(Some(7))));
        assert_eq!(begun, 1);
        drop(writer);
        assert_eq!([messages.next().await, messages.next().await].map(|said| said.unwrap().unwrap()), [1, 2]);
    }

    #[tokio::test]
    async fn the_status_that_ends_a_stream_is_found_behind_a_full_queue() {
        let (mut writer, mut messages, drain) = writer();
        for n in 0..4 {
            writer.say(n.to_string(), n).await.unwrap();
        }
        drain.send_replace(true);
        let ended = writer.say("4".into(), 4).await;
        assert_eq!(ended, Err(Refusal::Draining), "there is no place for a fifth message");
        writer.end(ended);
        for n in 0..4 {
            assert_eq!(messages.next().await.unwrap().unwrap(), n);
        }
        assert_eq!(messages.next().await.unwrap().unwrap_err().code(), tonic::Code::Unavailable);
        assert!(messages.next().await.is_none());
    }

    #[tokio::test]
    async fn work_without_end_stops_when_the_reader_leaves_or_the_server_drains() {
        let (mut writer, _messages, drain) = self::writer();
        drain.send_replace(true);
        let drained = writer.beating(std::future::pending::<()>(), || ("beat".into(), 1)).await;
        assert_eq!(drained, Err(Refusal::Draining));
        let (mut writer, messages, _drain) = self::writer();
        drop(messages);
        assert_eq!(writer.beating(std::future::pending::<()>(), || ("beat".into(), 1)).await, Ok(None));
    }
}
