//! Every refusal that a caller can get from the domain, the engine, the store or the server. Each has a
//! machine-readable reason (documented in `error_reason.proto`), a gRPC code, and a sentence in Chinese and English. No
//! refusal contains personal data.

mod language;
mod status;
mod terms;
mod wording;

use std::{fmt, time::Duration};

use switchboard_domain::{Violation, crew, ticket::Rejection};
use uuid::Uuid;

pub use self::language::Language;
pub(crate) use self::wording::problem;
use crate::proto::ErrorReason;

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "switchboard";

/// A refused call.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The state of the ticket does not permit the command.
    Rejected(Rejection),
    /// The state of the crew does not permit the command.
    CrewRejected(crew::Rejection),
    /// Fields are missing, malformed or contradict each other.
    InvalidFields(Vec<Violation>),
    /// The ticket does not exist.
    TicketNotFound,
    /// The request id was already used with another body.
    RequestIdReused,
    /// The caller's etag is not the current revision.
    RevisionConflict {
        /// The current revision; `None` when the ticket has no events.
        current: Option<u64>,
    },
    /// Too many concurrent writers on one stream.
    Contended,
    /// The store accepts no commands at present.
    StoreUnavailable {
        /// The reason, for the log only.
        detail: String,
    },
    /// It is unknown whether the command was recorded.
    OutcomeUnknown {
        /// The request id; repeating the request gives the outcome.
        request_id: Uuid,
    },
    /// Stored data cannot be read.
    StoreCorrupt,
    /// The request is too large.
    RequestTooLarge {
        /// The limit, in bytes.
        bytes_max: u64,
    },
    /// A limit of the server is reached.
    Overloaded {
        /// The name of the limit.
        limit: &'static str,
        /// The value of the limit.
        value: u64,
    },
    /// The deadline passed before the answer was ready.
    TimedOut,
    /// A page or resume token that belongs to another request.
    TokenMismatch,
    /// The metadata that identifies the actor is missing or malformed.
    ActorMissing {
        /// The metadata key.
        what: &'static str,
    },
    /// The actor's role may not call this method.
    NotPermitted {
        /// A role that may call it.
        needed: &'static str,
    },
    /// The error of the device's clock is too large to date events.
    DeviceClock {
        /// The offset to add to it, in milliseconds.
        offset_ms: i64,
        /// True when the method accepts the offset as `clock_offset_ms`; otherwise the request must be repeated without
        /// `occurred_at`.
        takes_offset: bool,
    },
    /// The server is shutting down.
    Draining,
    /// The reader of a stream read nothing for too long.
    SlowReader {
        /// The token at which to resume.
        resume_token: String,
    },
    /// The method does not exist, or does not accept this form of request.
    Unsupported,
    /// An internal error of the engine.
    Internal {
        /// The id of the error in the log.
        incident: String,
    },
}

impl Refusal {
    /// The machine-readable reason.
    #[must_use]
    pub fn reason(&self) -> ErrorReason {
        match self {
            Self::Rejected(rejection) => reason_of(rejection),
            Self::CrewRejected(rejection) => crew_reason_of(rejection),
            Self::InvalidFields(_) => ErrorReason::InvalidFields,
            Self::TicketNotFound => ErrorReason::TicketNotFound,
            Self::RequestIdReused => ErrorReason::RequestIdReused,
            Self::RevisionConflict { .. } => ErrorReason::RevisionConflict,
            Self::Contended => ErrorReason::Contended,
            Self::StoreUnavailable { .. } => ErrorReason::StoreUnavailable,
            Self::OutcomeUnknown { .. } => ErrorReason::OutcomeUnknown,
            Self::StoreCorrupt => ErrorReason::StoreCorrupt,
            Self::RequestTooLarge { .. } => ErrorReason::RequestTooLarge,
            Self::Overloaded { .. } => ErrorReason::Overloaded,
            Self::TimedOut => ErrorReason::TimedOut,
            Self::TokenMismatch => ErrorReason::TokenMismatch,
            Self::ActorMissing { .. } => ErrorReason::ActorMissing,
            Self::NotPermitted { .. } => ErrorReason::NotPermitted,
            Self::DeviceClock { .. } => ErrorReason::DeviceClock,
            Self::Draining => ErrorReason::Draining,
            Self::SlowReader { .. } => ErrorReason::SlowReader,
            Self::Unsupported => ErrorReason::Unsupported,
            Self::Internal { .. } => ErrorReason::InternalFault,
        }
    }

    /// True when the same request, with the same id, may soon succeed without any other action. This is never the case
    /// for a rejection by a ticket or a crew, not even [`Rejection::TooSoon`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Contended
                | Self::StoreUnavailable { .. }
                | Self::OutcomeUnknown { .. }
                | Self::Overloaded { .. }
                | Self::TimedOut
                | Self::Draining
                | Self::SlowReader { .. }
        )
    }

    /// The delay before a retry; `None` when a retry does not help. For [`Rejection::TooSoon`] it is the longest
    /// possible delay, because there is no clock here; the metadata contains the exact instant.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(Rejection::TooSoon { spacing, .. }) => spacing.to_std().ok(),
            Self::Contended => Some(Duration::from_millis(50)),
            Self::SlowReader { .. } | Self::TimedOut | Self::OutcomeUnknown { .. } => Some(Duration::from_millis(500)),
            Self::StoreUnavailable { .. } | Self::Overloaded { .. } | Self::Draining => Some(Duration::from_secs(2)),
            _ => None,
        }
    }

    /// The invalid fields, from any layer.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::InvalidFields(violations)
            | Self::Rejected(Rejection::Invalid(violations))
            | Self::CrewRejected(crew::Rejection::Invalid(violations)) => violations,
            _ => &[],
        }
    }

    /// A sentence for people. It contains nothing that is for the log only.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        wording::refusal(self, language)
    }

    /// The refusal as `google.rpc.Status`. The message is the English sentence, for developers. The details contain the
    /// reason, the violations or the legal moves, the retry delay, and the sentence in the caller's language.
    #[must_use]
    pub fn status(&self, language: Language) -> tonic::Status {
        status::status(self, language)
    }
}

fn reason_of(rejection: &Rejection) -> ErrorReason {
    match rejection {
        Rejection::Invalid(_) => ErrorReason::InvalidFields,
        Rejection::NotFound => ErrorReason::TicketNotFound,
        Rejection::IllegalMove { .. } => ErrorReason::IllegalMove,
        Rejection::TooSoon { .. } => ErrorReason::TooSoon,
        Rejection::Confidential => ErrorReason::Confidential,
        Rejection::EngineOnly => ErrorReason::NotPermitted,
        Rejection::OfferNotLive { .. } | Rejection::OfferTaken { .. } => ErrorReason::OfferGone,
        Rejection::NotYourOffer { .. } => ErrorReason::NotYourCrew,
        Rejection::StaleFence { .. } => ErrorReason::StaleFence,
        Rejection::NotTheHolder { .. }
        | Rejection::NotCommonParent { .. }
        | Rejection::NotAbove { .. }
        | Rejection::NotAnAuditor { .. } => ErrorReason::NotYourTicket,
        Rejection::OutsideHolder { .. }
        | Rejection::WrongLevel { .. }
        | Rejection::AlreadyHeld { .. }
        | Rejection::AlreadyReported { .. }
        | Rejection::NotRestored
        | Rejection::TimesContradict { .. }
        | Rejection::QuietHours { .. }
        | Rejection::Exhausted { .. }
        | Rejection::NotHigher { .. }
        | Rejection::AlreadyUrgent
        | Rejection::NotEscalable { .. }
        | Rejection::NotLater { .. }
        | Rejection::MasterIsChild { .. }
        | Rejection::ChildUnchanged { .. }
        | Rejection::AnotherMaster { .. }
        | Rejection::StaleAttempt { .. }
        | Rejection::OffersLive { .. }
        | Rejection::ExplanationNeeded => ErrorReason::RuleViolated,
    }
}

fn crew_reason_of(rejection: &crew::Rejection) -> ErrorReason {
    use crew::Rejection as No;
    match rejection {
        No::Invalid(_) => ErrorReason::InvalidFields,
        No::NotEnrolled => ErrorReason::CrewNotFound,
        No::NotTheCrew { .. } | No::NotAbove { .. } => ErrorReason::NotYourCrew,
        No::EngineOnly => ErrorReason::NotPermitted,
        No::OnShift { .. }
        | No::OffShift
        | No::Away { .. }
        | No::Unchanged
        | No::Reserved { .. }
        | No::Committed { .. }
        | No::NotHeld { .. }
        | No::Overcommitted { .. } => ErrorReason::RuleViolated,
    }
}

/// The English sentence, followed by the details for the log.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(Language::En))?;
        match self {
            Self::StoreUnavailable { detail } => write!(f, " ({detail})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<crew::Rejection> for Refusal {
    fn from(rejection: crew::Rejection) -> Self {
        Self::CrewRejected(rejection)
    }
}

impl From<Vec<Violation>> for Refusal {
    fn from(violations: Vec<Violation>) -> Self {
        Self::InvalidFields(violations)
    }
}
