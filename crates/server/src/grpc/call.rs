//! The metadata of every call: actor, language and deadline.

use std::{future::Future, time::Duration};

use prost::Message;
use switchboard_domain::{
    actor::{Actor, Role},
    organisation::OrgPath,
};
use switchboard_views::advice;
use switchboard_wire::refusal::{Language, Refusal};
use tokio::time::Instant;
use tonic::{Request, Response, Status, metadata::MetadataMap};

use crate::{
    grpc::{
        admission::{Admission, Class},
        bodies::Reading,
    },
    service::Node,
};

/// The part of the deadline that is reserved for sending the answer; never more than a tenth of it. After the deadline,
/// the transport would end the call without a reason.
const ANSWER_MARGIN: Duration = Duration::from_millis(10);

/// The metadata of one call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The actor, or the name of the metadata key that is missing or malformed.
    actor: Result<Actor, &'static str>,
    /// The language of messages to the caller.
    pub language: Language,
    /// The instant at which the caller stops waiting.
    pub deadline: Instant,
}

impl Call {
    /// Takes a request over, whose message has arrived, and reads its metadata as [`Self::read`] does.
    #[must_use]
    pub fn of<Q>(request: &Request<Q>, longest: Duration) -> Self {
        Reading::done(request.extensions());
        Self::read(request.metadata(), longest)
    }

    /// Reads the metadata of a call. A deadline that is missing or longer than `longest` becomes `longest`.
    #[must_use]
    pub fn read(metadata: &MetadataMap, longest: Duration) -> Self {
        let text = |name: &'static str| metadata.get(name).and_then(|value| value.to_str().ok());
        let language = Language::from_accept_language(text("accept-language").unwrap_or_default());
        let given = text("grpc-timeout").and_then(timeout).unwrap_or(longest).min(longest);
        let given = given.saturating_sub(ANSWER_MARGIN.min(given / 10));
        let actor = match (text("x-actor-id"), text("x-actor-role").and_then(Role::parse), text("x-actor-org")) {
            (None, ..) => Err("x-actor-id"),
            (Some(id), ..) if !Actor::id_is_sound(id) => Err("x-actor-id"),
            (_, None | Some(Role::System), _) => Err("x-actor-role"),
            (.., None) => Err("x-actor-org"),
            (Some(id), Some(role), Some(org)) => match OrgPath::parse(org) {
                Ok(org) => Ok(Actor { id: id.into(), role, org }),
                Err(_) => Err("x-actor-org"),
            },
        };
        Self { actor, language, deadline: Instant::now() + given }
    }

    /// Returns the actor.
    ///
    /// # Errors
    /// [`Refusal::ActorMissing`], which names the metadata key that is missing or malformed.
    pub fn actor(&self) -> Result<&Actor, Refusal> {
        self.actor.as_ref().map_err(|what| Refusal::ActorMissing { what })
    }

    /// The language of messages to the caller, as `views` names it.
    #[must_use]
    pub fn language(&self) -> advice::Language {
        match self.language {
            Language::Zh => advice::Language::Chinese,
            Language::En => advice::Language::English,
        }
    }

    /// The time left until the deadline.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Runs `work` until the deadline. A refusal becomes a status in the caller's language.
    ///
    /// # Errors
    /// The refusal as a status; [`Refusal::TimedOut`] after the deadline.
    pub async fn answer<T>(&self, work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Status> {
        let answer = tokio::time::timeout_at(self.deadline, work).await.unwrap_or(Err(Refusal::TimedOut));
        answer.map_err(|refusal| self.refuse(&refusal))
    }

    /// Logs and counts a refusal, and returns it as a status in the caller's language.
    #[must_use]
    pub fn refuse(&self, refusal: &Refusal) -> Status {
        match refusal {
            Refusal::StoreUnavailable { .. }
            | Refusal::OutcomeUnknown { .. }
            | Refusal::StoreCorrupt
            | Refusal::Internal { .. } => {
                tracing::error!(%refusal, "a call could not be served");
            }
            _ => tracing::debug!(%refusal, "refused"),
        }
        metrics::counter!("switchboard_refusals_total", "reason" => refusal.reason().as_str_name()).increment(1);
        refusal.status(self.language)
    }
}

/// The former identity of a request: the keyed hash of its method, its actor and its protobuf bytes. It was used before
/// requests were identified by their commands, and still recognises the requests recorded then.
pub(crate) fn former_hash(node: &Node, method: &str, actor: &Actor, body: &impl Message) -> Option<String> {
    let (role, org) = (actor.role.as_str().as_bytes(), actor.org.as_str().as_bytes());
    Some(node.vault().hash(&[method.as_bytes(), actor.id.as_bytes(), role, org, &body.encode_to_vec()]))
}

/// Serves one unary call: reads its metadata, admits it, and answers before its deadline. Refusals are in the caller's
/// language.
///
/// # Errors
/// The refusals of `ask`, and those that every call can get.
pub async fn unary<Q, A, F>(
    node: &Node,
    admission: &Admission,
    class: Class,
    request: Request<Q>,
    ask: impl FnOnce(Call, Q) -> F,
) -> Result<Response<A>, Status>
where
    F: Future<Output = Result<A, Refusal>>,
{
    let call = Call::of(&request, node.deadline());
    let answer = call.answer(async {
        let _place = admission.enter(class)?;
        ask(call.clone(), request.into_inner()).await
    });
    answer.await.map(Response::new)
}

/// Reads the `grpc-timeout` header: at most eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let value: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_in_every_unit_and_garbage_is_none() {
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("2S"), Some(Duration::from_secs(2)));
        for garbage in ["", "S", "123456789S", "5x", "-1S"] {
            assert_eq!(timeout(garbage), None, "{garbage}");
        }
    }
}
