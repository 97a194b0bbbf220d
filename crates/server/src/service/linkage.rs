//! The linkage process keeps masters and children of a merge in step. Its actions become commands of the engine itself.

use std::sync::Arc;

use switchboard_domain::{actor::Actor, decider::Action, linkage::Intent};
use switchboard_engine::reactor::ActionOutcome;

use crate::service::{outcome, tickets::Tickets};

/// Executes one action of the linkage process.
pub(crate) async fn carry_out(tickets: Arc<Tickets>, engine: Actor, want: Action<Intent>) -> ActionOutcome {
    let (target, command) = want.intent.command();
    match tickets.node.caused("linkage", &want, &target.to_string(), engine).await {
        Ok(request) => outcome(tickets.streams.execute(&target, &command, &request).await),
        Err(later) => later,
    }
}
