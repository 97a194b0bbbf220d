//! The reading of requests: a bounded number at the same time, each within a time limit.
//!
//! A service sees a call only when its whole message has arrived. Until then neither admission nor the deadline of the
//! call counts, but the message takes memory. So each call needs a place here first, and some places are reserved for
//! callers on the line. The place is given back when the service takes the message over.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use switchboard_wire::refusal::{Language, Refusal};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};
use tonic::body::Body;
use tower::{Layer, Service};

/// The most requests that are read at the same time, beside those of [`URGENT_READS_MAX`]. Each holds at most
/// [`REQUEST_BYTES_MAX`](super::transport_errors::REQUEST_BYTES_MAX) bytes: 128 MiB in all.
pub(crate) const READS_MAX: usize = 512;
/// The places that only urgent calls get: 64 MiB.
pub(crate) const URGENT_READS_MAX: usize = 256;
/// The paths of the calls for a caller on the line or a crew in the field.
const URGENT: [&str; 2] = ["/switchboard.v1.IntakeService/", "/switchboard.v1.TicketService/Receive"];

/// Adds [`Bodies`] around every service.
#[derive(Clone, Debug)]
pub(crate) struct BodiesLayer {
    reads: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
    time_max: Duration,
}

impl BodiesLayer {
    /// Reads each request within `time_max`.
    pub(crate) fn new(time_max: Duration) -> Self {
        let (reads, urgent) = (Arc::new(Semaphore::new(READS_MAX)), Arc::new(Semaphore::new(URGENT_READS_MAX)));
        Self { reads, urgent, time_max }
    }

    fn place(&self, path: &str) -> Result<OwnedSemaphorePermit, Refusal> {
        let is_urgent = URGENT.iter().any(|urgent| path.starts_with(urgent));
        let place = Arc::clone(&self.reads).try_acquire_owned();
        let place = if is_urgent { place.or_else(|_| Arc::clone(&self.urgent).try_acquire_owned()) } else { place };
        place.map_err(|_| {
            metrics::counter!("switchboard_reads_shed_total").increment(1);
            Refusal::Overloaded { limit: "READS_MAX", value: READS_MAX as u64 }
        })
    }
}

impl<S> Layer<S> for BodiesLayer {
    type Service = Bodies<S>;

    fn layer(&self, inner: S) -> Bodies<S> {
        Bodies { inner, layer: self.clone() }
    }
}

/// Admits each request to be read, and refuses one that does not arrive in time.
#[derive(Clone, Debug)]
pub(crate) struct Bodies<S> {
    inner: S,
    layer: BodiesLayer,
}

/// The place of a request that is being read. It travels with the request, whose service gives it back.
#[derive(Clone, Debug)]
pub(crate) struct Reading(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Reading {
    fn place(&self) -> std::sync::MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The message has arrived: gives the place back, and ends the time limit.
    pub(crate) fn done(extensions: &http::Extensions) {
        if let Some(reading) = extensions.get::<Self>() {
            reading.place().take();
        }
    }

    fn is_done(&self) -> bool {
        self.place().is_none()
    }
}

impl<S, B> Service<Request<B>> for Bodies<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let language = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
        let language = Language::from_accept_language(language.unwrap_or_default());
        let place = match self.layer.place(request.uri().path()) {
            Ok(place) => place,
            Err(refusal) => return Box::pin(async move { Ok(refusal.status(language).into_http()) }),
        };
        let reading = Reading(Arc::new(Mutex::new(Some(place))));
        request.extensions_mut().insert(reading.clone());
        let until = Instant::now() + self.layer.time_max;
        let mut answer = Box::pin(self.inner.call(request));
        Box::pin(async move {
            tokio::select! {
                answered = &mut answer => return answered,
                () = sleep_until(until) => {}
            }
            if reading.is_done() {
                return answer.await;
            }
            metrics::counter!("switchboard_reads_timed_out_total").increment(1);
            Ok(Refusal::TimedOut.status(language).into_http())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tonic::Status;

    use super::*;

    /// A service that never gets its message, or that has taken it over and works for ever.
    #[derive(Clone)]
    struct Waits {
        takes_over: bool,
    }

    impl Service<Request<()>> for Waits {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<()>) -> Self::Future {
            if self.takes_over {
                Reading::done(request.extensions());
            }
            Box::pin(std::future::pending())
        }
    }

    fn ask(path: &str) -> Request<()> {
        Request::builder().uri(path).body(()).unwrap()
    }

    fn code(answer: Result<Response<Body>, Infallible>) -> tonic::Code {
        let Ok(response) = answer;
        Status::from_header_map(response.headers()).unwrap().code()
    }

    #[tokio::test]
    async fn a_request_that_does_not_arrive_in_time_is_refused() {
        let mut service = BodiesLayer::new(Duration::ZERO).layer(Waits { takes_over: false });
        assert_eq!(code(service.call(ask("/x")).await), tonic::Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn a_request_that_has_arrived_is_not_bound_by_the_time_of_reading() {
        let mut service = BodiesLayer::new(Duration::ZERO).layer(Waits { takes_over: true });
        let mut answer = service.call(ask("/x"));
        for _ in 0..100 {
            assert!(futures::poll!(&mut answer).is_pending());
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn callers_on_the_line_have_places_that_no_other_call_takes() {
        let mut service = BodiesLayer::new(Duration::MAX / 4).layer(Waits { takes_over: false });
        let mut reading: Vec<_> =
            (0..READS_MAX).map(|_| service.call(ask("/switchboard.v1.BoardService/List"))).collect();
        assert_eq!(code(service.call(ask("/switchboard.v1.BoardService/List")).await), tonic::Code::ResourceExhausted);
        let urgent = || ask("/switchboard.v1.IntakeService/Report");
        reading.extend((0..URGENT_READS_MAX).map(|_| service.call(urgent())));
        assert_eq!(code(service.call(urgent()).await), tonic::Code::ResourceExhausted);
        drop(reading.pop());
        assert!(futures::poll!(service.call(urgent())).is_pending(), "a place was given back");
    }
}
