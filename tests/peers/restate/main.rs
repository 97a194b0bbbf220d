//! The tickets as Restate runs them: a virtual object per ticket, a handler per step of its life.
//!
//! A handler reads the state of the object, checks revision and stage, adds the fact, and returns the new revision. The
//! state is one value, so that an invocation has the fewest possible journal entries: one read and one write.
//! Absent: any rule of the trade beyond the order of the steps.

#![expect(missing_docs, reason = "the SDK's macro generates a client without documentation")]

use std::error::Error;

use restate_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::net::TcpSocket;

/// The key of the only state of an object.
const TICKET: &str = "ticket";
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// The HTTP status of a step that builds on an older revision, or is taken in the wrong stage.
const CONFLICT: u16 = 409;

/// A step: a fact, and the revision that it builds on.
#[derive(Deserialize)]
struct Step {
    expected: u64,
    fact: serde_json::Value,
}

/// The state of an object.
#[derive(Default, Deserialize, Serialize)]
struct Ticket {
    /// Number of facts. 0: there is no such ticket yet.
    revision: u64,
    /// The last step; empty before the first.
    stage: String,
    facts: Vec<serde_json::Value>,
}

/// The tickets. Restate deletes the journal of an invocation as soon as it is answered.
struct Tickets;

#[restate_sdk::object(name = "Ticket", journal_retention = "0s")]
impl Tickets {
    #[handler]
    async fn receive(&self, ctx: ObjectContext<'_>, step: Json<Step>) -> HandlerResult<u64> {
        advance(&ctx, step.0, "", "receive").await
    }

    #[handler]
    async fn classify(&self, ctx: ObjectContext<'_>, step: Json<Step>) -> HandlerResult<u64> {
        advance(&ctx, step.0, "receive", "classify").await
    }

    #[handler]
    async fn dispatch(&self, ctx: ObjectContext<'_>, step: Json<Step>) -> HandlerResult<u64> {
        advance(&ctx, step.0, "classify", "dispatch").await
    }

    #[handler]
    async fn accept(&self, ctx: ObjectContext<'_>, step: Json<Step>) -> HandlerResult<u64> {
        advance(&ctx, step.0, "dispatch", "accept").await
    }

    #[handler]
    async fn reply(&self, ctx: ObjectContext<'_>, step: Json<Step>) -> HandlerResult<u64> {
        advance(&ctx, step.0, "accept", "reply").await
    }

    #[handler]
    async fn audit(&self, ctx: ObjectContext<'_>, step: Json<Step>) -> HandlerResult<u64> {
        advance(&ctx, step.0, "reply", "audit").await
    }
}

/// Takes the step from one stage to the next and returns the new revision.
async fn advance(ctx: &ObjectContext<'_>, step: Step, from: &str, to: &str) -> HandlerResult<u64> {
    let mut ticket = ctx.get::<Json<Ticket>>(TICKET).await?.map_or_else(Ticket::default, |ticket| ticket.0);
    if ticket.revision != step.expected || ticket.stage != from {
        let found = format!("the ticket is at revision {} in stage {:?}", ticket.revision, ticket.stage);
        return Err(TerminalError::new_with_code(CONFLICT, found).into());
    }
    ticket.revision += 1;
    to.clone_into(&mut ticket.stage);
    ticket.facts.push(step.fact);
    let revision = ticket.revision;
    ctx.set(TICKET, Json(ticket));
    Ok(revision)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let socket = TcpSocket::new_v4()?;
    // On Linux an accepted connection inherits this option. The server of the SDK does not set it.
    socket.set_nodelay(true)?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    println!("{}", listener.local_addr()?);
    HttpServer::new(Endpoint::builder().bind(Tickets).build()).serve(listener).await;
    Ok(())
}
