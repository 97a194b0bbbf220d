//! A bounded queue to one reader, with a place that is kept for its last message.

use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender};

/// A queue on which `messages_max` messages may wait, and one place more for the message that ends it: a reader that
/// reads nothing has a full queue, and is to find that message behind it all the same.
pub(crate) fn queue<T>(messages_max: usize) -> (Sender<T>, Receiver<T>, FinalSlot<T>) {
    let (out, messages) = mpsc::channel(messages_max + 1);
    // Nothing is in the queue yet: there is a place.
    let place = out.clone().try_reserve_owned().ok();
    (out, messages, FinalSlot(place))
}

/// The place of the message that ends a stream.
pub(crate) struct FinalSlot<T>(Option<OwnedPermit<T>>);

impl<T> FinalSlot<T> {
    /// Sends it, however full the queue is; a reader that left does not get it.
    pub(crate) fn say(self, word: T) {
        if let Some(place) = self.0 {
            place.send(word);
        }
    }
}
