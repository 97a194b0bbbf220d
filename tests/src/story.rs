//! Whole lives of tickets, as lists of requests with their actors. Times are those of the run. Steps that the rules
//! space apart (revisits, urges) occur once or carry their own time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use switchboard_wire::proto::{
    self, Area, BusinessType, Caller, CommandOutcome, DissatisfactionReason, Grade, ReturnReason, Satisfaction,
    report_progress_request::Step as Crew,
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    command::{
        Command, accept, classify, close, contact, dispatch, escalate, extend, give_back, passed, progress, receive,
        reopen, reply, resume, revisit, sent_back, supervise, supplement, suspend, urge,
    },
    line::{Line, Who, agent, who},
};

/// The city that handles the faults.
pub const CITY: &str = "sgcc/zj/hz";
/// The crew that repairs them.
pub const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew3";

/// A customer's name. It may be visible only after a recorded reveal.
pub const NAME: &str = "Zhang Sanfeng";
/// A customer's phone number.
pub const PHONE: &str = "13857112233";
/// A customer's account number.
pub const ACCOUNT: &str = "3300112233445";
/// A customer's address.
pub const ADDRESS: &str = "Wensan Road 477, door 1702";
/// A customer's description; all such text is personal data.
pub const CONTENT: &str = "The meter cabinet smokes, my mother is ill.";

/// One step of a life.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The actor.
    pub who: Who,
    /// The request.
    pub command: Command,
}

fn by(who: &Who, command: impl Into<Command>) -> Scene {
    Scene { who: who.clone(), command: command.into() }
}

/// Returns the instant that many seconds from now.
///
/// # Panics
/// Before 1970.
#[must_use]
pub fn from_now(seconds: i64) -> prost_types::Timestamp {
    let now: Duration = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    prost_types::Timestamp { seconds: now.as_secs().cast_signed() + seconds, nanos: 0 }
}

/// Builds a receipt from a caller with all personal data.
#[must_use]
pub fn somebody(business: BusinessType) -> proto::ReceiveRequest {
    proto::ReceiveRequest {
        caller: Some(Caller {
            anonymous: false,
            name: Some(NAME.into()),
            phone: Some(PHONE.into()),
            account: Some(ACCOUNT.into()),
        }),
        address: Some(ADDRESS.into()),
        content: CONTENT.into(),
        ..receive(business, PHONE)
    }
}

/// The whole life of a fault: dispatched down to a crew, worked on, replied, audited level by level, revisited, closed.
#[must_use]
pub fn fault() -> Vec<Scene> {
    let (agent, city, crew) = (agent(), who("desk", CITY), who("crew", CREW));
    let category = "fault_repair/low_voltage/fuse";
    vec![
        by(&agent, Command::Receive(Box::new(somebody(BusinessType::FaultRepair)))),
        by(&agent, supplement("The third floor too.")),
        by(&agent, classify("fault_repair/low_voltage", None)),
        by(&agent, dispatch(CITY)),
        by(&city, accept()),
        by(&city, dispatch(CREW)),
        by(&crew, progress(Crew::Accepted(proto::StepAccepted {}))),
        by(&crew, progress(Crew::EnRoute(proto::StepEnRoute {}))),
        by(&crew, progress(Crew::Arrived(proto::StepArrived { area: Area::Urban.into() }))),
        by(&crew, progress(Crew::Diagnosed(proto::StepDiagnosed { finding: "A blown fuse.".into(), category: None }))),
        by(&crew, progress(Crew::EtrSet(proto::StepEtrSet { etr: Some(from_now(3600)) }))),
        by(&crew, contact()),
        by(&agent, urge()),
        by(&crew, progress(Crew::Restored(proto::StepRestored {}))),
        by(&crew, reply(category, None)),
        by(&city, passed()),
        by(&agent, passed()),
        by(&agent, revisit(Satisfaction::Satisfied, &[])),
        by(&agent, close(None)),
    ]
}

/// The whole chain of a complaint: graded, dispatched to a province and down, returned once, supervised, escalated,
/// suspended, extended. Its reply is sent back by the audit. The revisit finds the customer dissatisfied, it is
/// reopened, and it is closed with an explanation.
#[must_use]
pub fn complaint() -> Vec<Scene> {
    let (agent, province) = (agent(), who("desk", "sgcc/zj"));
    let (city, wrong, right) = (who("desk", CITY), who("desk", "sgcc/zj/hz/xihu"), who("desk", "sgcc/zj/hz/yuhang"));
    let category = "complaint/service/attitude";
    let down =
        [by(&agent, dispatch("sgcc/zj")), by(&province, accept()), by(&province, dispatch(CITY)), by(&city, accept())];
    let investigated =
        [by(&right, reply(category, Some(true))), by(&city, passed()), by(&province, passed()), by(&agent, passed())];
    let mut scenes = vec![
        by(&agent, Command::Receive(Box::new(somebody(BusinessType::Complaint)))),
        by(&agent, classify("complaint/service", Some(Grade::General))),
    ];
    scenes.extend(down.clone());
    scenes.extend([
        by(&city, dispatch("sgcc/zj/hz/xihu")),
        by(&wrong, give_back(ReturnReason::WrongArea)),
        by(&city, dispatch("sgcc/zj/hz/yuhang")),
        by(&right, accept()),
        by(&province, supervise()),
        by(&agent, escalate(Grade::Important)),
        by(&right, suspend()),
        by(&right, resume()),
        by(&right, extend(from_now(86_400))),
        by(&right, contact()),
        by(&right, reply(category, Some(false))),
        by(&city, passed()),
        by(&province, sent_back()),
    ]);
    scenes.extend(investigated.clone());
    scenes.push(by(&agent, revisit(Satisfaction::Dissatisfied, &[DissatisfactionReason::Attitude])));
    scenes.push(by(&agent, reopen()));
    scenes.extend(down);
    scenes.extend([by(&city, dispatch("sgcc/zj/hz/yuhang")), by(&right, accept())]);
    scenes.extend(investigated);
    scenes.push(by(&agent, revisit(Satisfaction::Dissatisfied, &[DissatisfactionReason::Other])));
    scenes.push(by(&agent, close(Some("What was done, and why no more can be."))));
    scenes
}

/// A life in progress: the accepted requests with their answers.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// The ticket's id, once it was received.
    pub ticket: String,
    /// Every accepted request with its answer.
    pub lived: Vec<(Who, Command, CommandOutcome)>,
}

impl Life {
    /// Sends the request of one scene.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn live(&mut self, line: &Line, scene: &Scene) -> Result<CommandOutcome, Status> {
        let command = scene.command.clone().named(Uuid::new_v4(), &self.ticket);
        let outcome = command.send(&mut line.tickets(&scene.who)).await?;
        self.ticket.clone_from(&outcome.ticket_id);
        self.lived.push((scene.who.clone(), command, outcome.clone()));
        Ok(outcome)
    }

    /// Sends the requests of these scenes; each must be accepted.
    ///
    /// # Panics
    /// When one is refused.
    pub async fn live_all(&mut self, line: &Line, scenes: &[Scene]) {
        for scene in scenes {
            let answer = self.live(line, scene).await;
            assert!(answer.is_ok(), "{:?} is refused: {answer:?}", scene.command);
        }
    }
}

/// Receives a ticket of that type; returns its id.
///
/// # Panics
/// When it is refused.
pub async fn received(line: &Line, business: BusinessType) -> String {
    let outcome = Command::Receive(Box::new(somebody(business))).send(&mut line.tickets(&agent())).await;
    outcome.expect("received").ticket_id
}

/// Brings a fault to the point at which its crew has accepted it.
///
/// # Panics
/// When a request is refused.
pub async fn with_the_crew(line: &Line) -> Life {
    let mut life = Life::default();
    life.live_all(line, &fault()[..7]).await;
    life
}
