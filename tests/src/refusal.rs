//! Reading a refusal: its reason, its fields, and the legal moves that it lists.

use switchboard_wire::proto::ErrorReason;
use tonic::Status;
use tonic_types::StatusExt as _;

/// Returns the reason in a status of the server; `None` if it has none, or one of another domain.
#[must_use]
pub fn reason(status: &Status) -> Option<ErrorReason> {
    let info = status.get_details_error_info()?;
    (info.domain == "switchboard").then(|| ErrorReason::from_str_name(&info.reason))?
}

/// Returns the value of a metadata key of the `ErrorInfo`.
#[must_use]
pub fn told(status: &Status, key: &str) -> Option<String> {
    status.get_details_error_info()?.metadata.get(key).cloned()
}

/// Returns the fields of a `BadRequest`, in order.
#[must_use]
pub fn fields(status: &Status) -> Vec<String> {
    let bad = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    bad.into_iter().map(|violation| violation.field).collect()
}

/// Returns the moves that a `PreconditionFailure` lists as legal, in order.
#[must_use]
pub fn legal_moves(status: &Status) -> Vec<String> {
    let failure = status.get_details_precondition_failure().map(|failure| failure.violations).unwrap_or_default();
    failure.into_iter().map(|violation| violation.subject).collect()
}

/// Checks that `answer` is a refusal with this reason and code, and returns it.
///
/// # Panics
/// When it is a success or another refusal.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: tonic::Code, why: ErrorReason) -> Status {
    let status = answer.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status)), (code, Some(why)), "{status:?}");
    status
}
