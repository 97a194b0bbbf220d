//! The connections of the gRPC listener: their number is bounded, and an accept that fails pauses the loop.
//!
//! A process without free file descriptors cannot accept. The transport would try again at once and use a whole core.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use switchboard_eventstore::episode::Episode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// The connections admitted beside one for each stream.
const CONNECTIONS_BESIDE: usize = 1_000;
/// The descriptors kept for files: the log, the keys and the read models, with all of their readers.
const FILES: usize = 256;
/// The pause after an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Raises the limit on open files as far as the system permits. Returns the most connections: enough for every stream
/// to have its own, or as many as there are descriptors for.
pub(crate) fn connections_max(streams_max: usize) -> usize {
    let wanted = streams_max + CONNECTIONS_BESIDE;
    let limit = raised().unwrap_or(usize::MAX);
    let connections = limit.saturating_sub(FILES).clamp(1, wanted);
    if connections < wanted {
        tracing::warn!(
            limit,
            needed = wanted + FILES,
            connections,
            "the limit on open files is too low for streams_max; raise it (ulimit -n, LimitNOFILE)"
        );
    }
    connections
}

/// Raises the soft limit to the hard limit. Returns the limit; `None` when there is none.
fn raised() -> Option<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the limit on open files cannot be raised");
    }
    getrlimit(Resource::Nofile).current.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// A connection, with its place among the admitted ones.
pub(crate) struct Connection {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

/// Accepts at most `connections_max` connections at the same time. Further clients wait in the system's queue.
pub(crate) fn accepted(
    listener: TcpListener,
    connections_max: usize,
) -> impl Stream<Item = io::Result<Connection>> + Send {
    let places = Arc::new(Semaphore::new(connections_max));
    let (full, failing) = (Episode::default(), Episode::default());
    stream::unfold((listener, places, full, failing), move |(listener, places, mut full, mut failing)| async move {
        if places.available_permits() > 0 {
            full.ends();
        } else if full.fails() {
            tracing::warn!(connections_max, "every connection is in use; further clients wait");
        }
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok()?;
        let stream = loop {
            match listener.accept().await {
                Ok((stream, _)) => break stream,
                // The client left before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    metrics::counter!("switchboard_accepts_failed_total").increment(1);
                    if failing.fails() {
                        tracing::error!(%error, "no connection can be accepted; retrying");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        if let Some(failures) = failing.ends() {
            tracing::info!(failures, "connections are accepted again");
        }
        // Without it, a message could wait until the reader acknowledges the one before, which the reader delays.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection that is already gone");
        }
        Some((Ok(Connection { stream, _place: place }), (listener, places, full, failing)))
    })
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, bytes)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_connection_beyond_the_bound_waits_until_another_one_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut accepted = Box::pin(accepted(listener, 2));
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let first = accepted.next().await.unwrap().unwrap();
        let _second = accepted.next().await.unwrap().unwrap();
        let mut third = accepted.next();
        assert!(futures::poll!(&mut third).is_pending(), "both places are taken");
        drop(first);
        assert!(third.await.unwrap().is_ok());
    }

    #[test]
    fn the_limit_on_open_files_is_raised_and_bounds_the_connections() {
        let connections = connections_max(5);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert!((1..=5 + CONNECTIONS_BESIDE).contains(&connections));
    }
}
