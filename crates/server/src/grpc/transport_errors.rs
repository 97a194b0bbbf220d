//! Converts the refusals of the transport itself, made before a service sees the call, to the form of all other
//! refusals: bodies that are not protobuf, bodies above the limit, unknown calls.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use switchboard_domain::Violation;
use switchboard_wire::refusal::{Language, Refusal};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

/// The largest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// Adds [`TransportErrors`] around every service.
#[derive(Clone, Copy, Debug)]
pub struct TransportErrorsLayer;

impl<S> Layer<S> for TransportErrorsLayer {
    type Service = TransportErrors<S>;

    fn layer(&self, inner: S) -> TransportErrors<S> {
        TransportErrors { inner }
    }
}

/// Rewords the transport's own refusals.
#[derive(Clone, Debug)]
pub struct TransportErrors<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for TransportErrors<S>
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let language = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
        let language = Language::from_accept_language(language.unwrap_or_default());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(match reworded(&response) {
                Some(refusal) => refusal.status(language).into_http(),
                None => response,
            })
        })
    }
}

/// The refusal that replaces a status which tonic made. Such a status carries none of our details.
fn reworded(response: &Response<Body>) -> Option<Refusal> {
    let status = Status::from_header_map(response.headers())?;
    if !status.details().is_empty() {
        return None;
    }
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => {
            Some(Refusal::RequestTooLarge { bytes_max: REQUEST_BYTES_MAX as u64 })
        }
        Code::Internal if status.message().contains("decode") => {
            Some(Refusal::InvalidFields(vec![Violation::malformed("(body)", "a protobuf message of this call's type")]))
        }
        Code::Unimplemented => Some(Refusal::Unsupported),
        _ => None,
    }
}
