//! Subscriptions: the log after a position, as a stream that catches up and then continues live.
//!
//! There is no separate live mode that could lose events. A subscription only reads the next page after the last event
//! that it delivered, and waits for the head to move when there is none. The reader pulls, so a slow reader only falls
//! behind; one page is buffered. Stored cursors are absent: the reader keeps its position and subscribes again after
//! it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::{Position, ReadError, Recorded};

/// The most events that a subscription holds in memory.
pub const SUBSCRIPTION_EVENTS_MAX: usize = 256;

type Page = Result<Vec<Recorded>, ReadError>;
type ReadPage = dyn Fn(Position, usize) -> BoxFuture<'static, Page> + Send + Sync;

/// A stream of the log's events after a position. See [`EventStore::subscribe_all`](crate::EventStore::subscribe_all).
///
/// After an error the stream ends; subscribe again after [`position`](Subscription::position).
pub struct Subscription {
    position: Position,
    page: std::vec::IntoIter<Recorded>,
    coming: Option<BoxFuture<'static, Page>>,
    read: Arc<ReadPage>,
    head: watch::Receiver<Position>,
    ended: bool,
}

impl Subscription {
    /// Builds a subscription from `read` and a head to wait for. `read` reads a page forward: positions above its first
    /// argument, at most as many events as its second.
    pub fn new<F, R>(after: Position, head: watch::Receiver<Position>, read: R) -> Self
    where
        R: Fn(Position, usize) -> F + Send + Sync + 'static,
        F: Future<Output = Page> + Send + 'static,
    {
        let read: Arc<ReadPage> = Arc::new(move |after, max| Box::pin(read(after, max)) as BoxFuture<'static, Page>);
        Self { position: after, page: Vec::new().into_iter(), coming: None, read, head, ended: false }
    }

    /// The last delivered position, or the position at which the subscription began.
    pub fn position(&self) -> Position {
        self.position
    }

    fn next_page(&self) -> BoxFuture<'static, Page> {
        let (after, read, mut head) = (self.position, self.read.clone(), self.head.clone());
        Box::pin(async move {
            loop {
                let seen = *head.borrow_and_update();
                // A closed head means that the store has stopped. The next read returns the reason.
                let closed = seen <= after && head.changed().await.is_err();
                if !closed && *head.borrow() <= after {
                    continue;
                }
                let page = read(after, SUBSCRIPTION_EVENTS_MAX).await?;
                if !page.is_empty() {
                    return Ok(page);
                }
                // The page was read from a log that is behind the head.
                if closed || head.wait_for(|head| *head > seen).await.is_err() {
                    return Err(ReadError::Unavailable("the event store was closed".into()));
                }
            }
        })
    }
}

impl Stream for Subscription {
    type Item = Result<Recorded, ReadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.page.next() {
                this.position = event.position;
                return Poll::Ready(Some(Ok(event)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            let mut coming = this.coming.take().unwrap_or_else(|| this.next_page());
            let Poll::Ready(page) = coming.as_mut().poll(cx) else {
                this.coming = Some(coming);
                return Poll::Pending;
            };
            match page {
                Ok(page) => this.page = page.into_iter(),
                Err(error) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}
