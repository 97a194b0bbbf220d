//! One call with its metadata and deadline, retried after transient failures. The request id stays the same, so the
//! server answers a repeated call from its record and does not execute it again. Absent: connection pools, circuit
//! breakers and hedging.

use std::{collections::HashMap, time::Duration};

use switchboard_wire::proto::ErrorReason;
use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::StatusExt as _;

use super::Options;
use crate::{
    request::{Answer, Line, Request},
    script::Actor,
};

/// A connection with its deadlines and retry settings.
#[derive(Clone, Debug)]
pub(crate) struct Speaker {
    /// The connection.
    pub line: Line,
    /// The deadlines and retry settings.
    pub options: Options,
}

/// A call that failed for good.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// The name of the reason in `ErrorReason`, else the gRPC code.
    pub reason: String,
    /// The message for people.
    pub message: String,
    /// True if a retry might succeed: the server is unreachable or overloaded.
    pub transient: bool,
    /// The metadata of the refusal's `ErrorInfo`.
    pub metadata: HashMap<String, String>,
}

impl Failure {
    pub(crate) fn of(status: &Status) -> Self {
        let (reason, metadata) = match status.get_error_details().error_info() {
            Some(info) => (Some(info.reason.clone()), info.metadata.clone()),
            None => (None, HashMap::new()),
        };
        let transient = match reason.as_deref().and_then(ErrorReason::from_str_name) {
            Some(known) => matches!(
                known,
                ErrorReason::Contended
                    | ErrorReason::StoreUnavailable
                    | ErrorReason::OutcomeUnknown
                    | ErrorReason::Overloaded
                    | ErrorReason::TimedOut
                    | ErrorReason::Draining
            ),
            // Without a reason the status comes from the transport, not from the engine. A broken connection is
            // reported with many codes.
            None => matches!(
                status.code(),
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Cancelled
                    | Code::Unknown
                    | Code::Internal
            ),
        };
        let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()).to_uppercase());
        Self { reason, message: status.message().to_owned(), transient, metadata }
    }

    /// The failure of a step whose awaited facts did not appear in time.
    pub(crate) fn waited(kind: &str, patience: Duration) -> Self {
        let message = format!("no {kind} within {} s", patience.as_secs());
        Self { reason: "FACT_AWAITED".to_owned(), message, transient: false, metadata: HashMap::new() }
    }
}

impl Speaker {
    /// Sends a command; retries until it is accepted, refused, or out of attempts.
    pub(crate) async fn send(&self, actor: &Actor, request: Request) -> Result<Answer, Failure> {
        let sent = self.ask(actor, request, |line, request| async move {
            Request::send(request, line).await.map(tonic::Response::new)
        });
        sent.await
    }

    /// Makes a call; retries until it is answered, refused, or out of attempts.
    pub(crate) async fn ask<M: Clone, A, F>(
        &self,
        actor: &Actor,
        message: M,
        call: impl Fn(Line, tonic::Request<M>) -> F,
    ) -> Result<A, Failure>
    where
        F: Future<Output = Result<tonic::Response<A>, Status>>,
    {
        let mut wait = self.options.backoff;
        let mut attempt = 1;
        loop {
            let mut request = address(actor, message.clone())?;
            request.set_timeout(self.options.deadline);
            // The server enforces the deadline. The client stops waiting after twice that time.
            let answered = tokio::time::timeout(self.options.deadline * 2, call(self.line.clone(), request)).await;
            let status = match answered {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("no answer at all"),
            };
            let failure = Failure::of(&status);
            if !failure.transient || attempt >= self.options.attempts {
                return Err(failure);
            }
            tracing::debug!(attempt, reason = %failure.reason, message = %failure.message, "trying again");
            let asked = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
            tokio::time::sleep(asked.unwrap_or(wait).clamp(wait, self.options.backoff_max.max(wait))).await;
            wait = (wait * 2).min(self.options.backoff_max);
            attempt += 1;
        }
    }
}

/// Wraps `message` in a request with the actor's metadata.
pub(crate) fn address<M>(actor: &Actor, message: M) -> Result<tonic::Request<M>, Failure> {
    let mut request = tonic::Request::new(message);
    for (key, value) in [("x-actor-id", &actor.id), ("x-actor-role", &actor.role), ("x-actor-org", &actor.org)] {
        let value = MetadataValue::try_from(value.as_str()).map_err(|_| Failure {
            reason: ErrorReason::ActorMissing.as_str_name().to_owned(),
            message: format!("{key} cannot be sent: {value:?}"),
            transient: false,
            metadata: HashMap::new(),
        })?;
        request.metadata_mut().insert(key, value);
    }
    Ok(request)
}
