//! Every *no* that a caller can meet, whoever says it: the domain, the engine, the store or the server. Each has a reason that
//! programs branch on (`error_reason.proto` documents them), a gRPC code, and a sentence in Chinese and English. Nothing
//! is decided here, and no refusal carries personal data.

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
    /// The ticket, or the world around it, does not admit the command.
    Rejected(Rejection),
    /// The crew, or the world around it, does not admit the command.
    CrewRejected(crew::Rejection),
    /// Fields are missing, malformed or contradict each other.
    InvalidFields(Vec<Violation>),
    /// No such ticket.
    TicketNotFound,
    /// The request id was used with another body.
    RequestIdReused,
    /// The etag is stale.
    RevisionConflict {
        /// The ticket's revision; `None` when it has no facts.
        current: Option<u64>,
    },
    /// Too many writers on one ticket at once.
    Contended,
    /// The store takes no commands now.
    StoreUnavailable {
        /// Why, for the log alone.
        detail: String,
    },
    /// It cannot be told whether the command was recorded.
    OutcomeUnknown {
        /// The request whose repetition will tell.
        request_id: Uuid,
    },
    /// Stored data cannot be read.
    StoreCorrupt,
    /// The request is larger than any that is taken.
    RequestTooLarge {
        /// The largest, in bytes.
        bytes_max: u64,
    },
    /// A limit of the server was passed.
    Overloaded {
        /// The limit's name.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// The answer was not ready in time.
    TimedOut,
    /// A page or resume token that this request did not give.
    TokenMismatch,
    /// Who acts is missing from the request's metadata, or malformed.
    ActorMissing {
        /// The metadata key.
        what: &'static str,
    },
    /// The actor's role may not make this call.
    NotPermitted {
        /// A role that may.
        needed: &'static str,
    },
    /// A device's clock is too far off to place what happened.
    DeviceClock {
        /// What is to be added to it, in milliseconds.
        offset_ms: i64,
        /// Whether the call takes that as its `clock_offset_ms`; any other is sent again without `occurred_at`.
        takes_offset: bool,
    },
    /// The server is going down in good order.
    Draining,
    /// The reader of a stream took nothing for too long.
    SlowReader {
        /// Where to go on.
        resume_token: String,
    },
    /// There is no such call, or its request comes in a form that is not taken.
    Unsupported,
    /// A fault of the engine.
    Internal {
        /// What identifies it in the log.
        incident: String,
    },
}

impl Refusal {
    /// The reason that programs branch on.
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

    /// Whether the same request, with the same id, may succeed shortly without anybody doing anything. A ticket's *no*, or a
    /// crew's, even [`Rejection::TooSoon`], is never of that kind.
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

    /// How long to wait before trying again, where that helps. For [`Rejection::TooSoon`] the longest that it can take, for
    /// there is no clock here; the exact instant stands in the metadata.
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

    /// The fields that are wrong, whoever found them.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::InvalidFields(violations)
            | Self::Rejected(Rejection::Invalid(violations))
            | Self::CrewRejected(crew::Rejection::Invalid(violations)) => violations,
            _ => &[],
        }
    }

    /// One sentence for people. It holds nothing that is for the log alone.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        wording::refusal(self, language)
    }

    /// The refusal as `google.rpc.Status`: the message is the English sentence, for developers; the details hold the reason, what
    /// to mend or what is legal, when to try again, and the sentence in the caller's language.
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

/// The English sentence, with what is for the log alone.
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
