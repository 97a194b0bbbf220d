//! Reading a *no*: its reason, its fields, the moves that it calls legal.

use switchboard_wire::proto::ErrorReason;
use tonic::Status;
use tonic_types::StatusExt as _;

/// The reason in a status of ours; `None` when it carries none, or another domain's.
#[must_use]
pub fn reason(status: &Status) -> Option<ErrorReason> {
    let info = status.get_details_error_info()?;
    (info.domain == "switchboard").then(|| ErrorReason::from_str_name(&info.reason))?
}

/// The value of a metadata key of the `ErrorInfo`.
#[must_use]
pub fn told(status: &Status, key: &str) -> Option<String> {
    status.get_details_error_info()?.metadata.get(key).cloned()
}

/// The fields of a `BadRequest`, in order.
#[must_use]
pub fn fields(status: &Status) -> Vec<String> {
    let bad = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    bad.into_iter().map(|violation| violation.field).collect()
}

/// The moves that a `PreconditionFailure` names as legal, in order.
#[must_use]
pub fn legal_moves(status: &Status) -> Vec<String> {
    let failure = status.get_details_precondition_failure().map(|failure| failure.violations).unwrap_or_default();
    failure.into_iter().map(|violation| violation.subject).collect()
}

/// Checks that `answer` is a *no* for this reason and with this code, and returns it.
///
/// # Panics
/// When it is a yes, or another *no*.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: tonic::Code, why: ErrorReason) -> Status {
    let status = answer.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status)), (code, Some(why)), "{status:?}");
    status
}
