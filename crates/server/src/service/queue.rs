//! A bounded queue to one reader, with a reserved slot for the final message.

use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender};

/// Creates a queue for `messages_max` messages and one final message. So a reader whose queue is full still finds the
/// final message behind the others.
pub(crate) fn queue<T>(messages_max: usize) -> (Sender<T>, Receiver<T>, FinalSlot<T>) {
    let (out, messages) = mpsc::channel(messages_max + 1);
    // Cannot fail: the queue is still empty.
    let place = out.clone().try_reserve_owned().ok();
    (out, messages, FinalSlot(place))
}

/// The reserved slot for the message that ends a stream.
pub(crate) struct FinalSlot<T>(Option<OwnedPermit<T>>);

impl<T> FinalSlot<T> {
    /// Sends the final message, however full the queue is. If the reader has left, the message is dropped.
    pub(crate) fn say(self, word: T) {
        if let Some(place) = self.0 {
            place.send(word);
        }
    }
}
