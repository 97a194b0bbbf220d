//! What every server stream has in common: tokens to go on from, a bounded queue, a reader that stops reading,
//! heartbeats and the end. What is said on a stream is its service's.

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

/// How long a reader may take nothing.
pub(crate) const READER_PATIENCE: Duration = Duration::from_secs(30);
/// How often a quiet stream says that it lives.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);
/// What of the keyed hash stands in a token, in characters: enough that none is met by chance.
const SUBJECT_CHARS: usize = 16;

/// Makes and reads resume tokens. A token names a position and the log that it belongs to, and is valid for one subject, as
/// long as the log lives.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    subject: String,
    feed: Arc<Feed>,
}

impl Token {
    /// Tokens of a stream about this subject, named by parts.
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

    /// The position of a token, none beyond `head`.
    ///
    /// # Errors
    /// [`Refusal::TokenMismatch`] for one of another subject or another log, for one ahead of the log, and for no token at all.
    pub(crate) fn read(&self, token: &str, head: u64) -> Result<u64, Refusal> {
        let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = text.as_deref().and_then(|text| self.position(text)).filter(|position| *position <= head);
        position.ok_or(Refusal::TokenMismatch)
    }

    fn position(&self, text: &str) -> Option<u64> {
        let (version, rest) = text.split_once('.')?;
        let (log, rest) = match version {
            // Version 0.1 did not name the log: its tokens count as tokens of this one.
            "1" => (None, rest),
            "2" => rest.split_once('.').map(|(log, rest)| (Some(log), rest))?,
            _ => return None,
        };
        let (position, subject) = rest.split_once('.')?;
        let position: u64 = position.parse().ok()?;
        // The beginning is the same place in every log: a log without a fact has no name yet.
        let is_of_this_log = log.is_none_or(|log| position == 0 || *log == self.feed.place(position).log.to_string());
        (is_of_this_log && subject == self.subject).then_some(position)
    }
}

/// A message on its way, boxed: a queue is allocated for what it may hold.
type Queued<M> = Box<Result<M, Status>>;
/// The messages of one stream, as the transport takes them.
pub(crate) type Outgoing<M> = Map<ReceiverStream<Queued<M>>, fn(Queued<M>) -> Result<M, Status>>;

/// What came first.
pub(crate) enum Came<T> {
    /// What was waited for.
    Ready(T),
    /// Nothing, for [`HEARTBEAT`].
    Quiet,
    /// The reader left.
    Left,
}

/// The way to one reader.
pub(crate) struct StreamWriter<M> {
    call: Call,
    out: Sender<Queued<M>>,
    last_word: FinalSlot<Queued<M>>,
    draining: watch::Receiver<bool>,
    /// The token of the last message that was handed on.
    token: String,
    /// [`HEARTBEAT`].
    heartbeat: Duration,
}

impl<M> StreamWriter<M> {
    /// A stream on which so many messages may wait, for a reader that is where `token` says.
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

    /// Hands one message on, after which the reader is where `token` says.
    ///
    /// # Errors
    /// Why the stream ends.
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

    /// Waits for `work`, for as long as a heartbeat may be late. What is dropped must be safe to begin again.
    ///
    /// # Errors
    /// [`Refusal::Draining`] when the server goes down.
    pub(crate) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<Came<T>, Refusal> {
        tokio::select! {
            biased;
            _ = self.draining.wait_for(|draining| *draining) => Err(Refusal::Draining),
            () = self.out.closed() => Ok(Came::Left),
            done = tokio::time::timeout(self.heartbeat, work) => Ok(done.map_or(Came::Quiet, Came::Ready)),
        }
    }

    /// Waits for `work` as long as it takes, and says a heartbeat whenever it is late; `None` when the reader left.
    ///
    /// # Errors
    /// Why the stream ends.
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

    /// Ends the stream: with a status, unless the reader left. Whoever takes nothing gets it when it reads again.
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
            // Done after the second.
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
