//! The script of one recorded outage at its original times: received, classified, dispatched down to a crew, worked on,
//! replied, audited, closed. Times that the record lacks are estimated within the outage by the rules in this file.
//! Absent: real people. A row names nobody; a replay may add generated callers.

use chrono::TimeDelta;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use switchboard_wire::proto::{
    self as pb, BusinessType, Channel, RevisitMethod, Satisfaction, report_progress_request::Step as Crew,
};

use crate::{
    Timestamp,
    city::person,
    request::Request,
    script::{Actor, Draft, REPLIED, Script, Slot, Source, actor, of_unit, stamp},
};

/// The estimated time from report to arrival when the record lacks the arrival: the urban limit, or half of the outage
/// if that is shorter.
pub const ARRIVAL_ESTIMATE: TimeDelta = TimeDelta::minutes(45);

/// A recorded outage, or another recorded ticket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outage {
    /// The line in the input file.
    pub line: u64,
    /// The key that identifies the row within its source.
    pub key: String,
    /// The name of the export.
    pub source: String,
    /// The operator's root unit, which received it.
    pub operator: String,
    /// The business type.
    pub business_type: BusinessType,
    /// The channel, used for an import.
    pub channel: Channel,
    /// Description of the problem.
    pub content: String,
    /// Category path.
    pub category: String,
    /// Cause in words.
    pub cause: String,
    /// The instant at which it was reported or began.
    pub received: Timestamp,
    /// The instant of the crew's arrival as recorded; it may lie outside the outage.
    pub arrived: Option<Timestamp>,
    /// The instant at which power was expected back.
    pub etr: Option<Timestamp>,
    /// The instant at which power came back; `None` while the outage lasts.
    pub restored: Option<Timestamp>,
    /// The units that it was dispatched to, in order; the last one did the work.
    pub route: Vec<String>,
    /// The operator's own number of the ticket.
    pub external: Option<String>,
    /// Service address.
    pub address: Option<String>,
    /// Urgency; unspecified counts as normal.
    pub urgency: pb::Urgency,
    /// Grade of a complaint; unspecified counts as general.
    pub grade: pb::Grade,
    /// Customers without power.
    pub customers_out: Option<u32>,
    /// Latitude in millionths of a degree.
    pub latitude_e6: Option<i32>,
    /// Longitude in millionths of a degree.
    pub longitude_e6: Option<i32>,
    /// Kind of area.
    pub area: pb::Area,
    /// Feeder.
    pub feeder: Option<String>,
    /// Transformer service area.
    pub transformer: Option<String>,
}

impl Outage {
    /// Returns the crew that did the work. `None` if the record names none, or if the business type needs no work on
    /// site.
    #[must_use]
    pub fn crew(&self) -> Option<&str> {
        let field_work = matches!(self.business_type, BusinessType::FaultRepair | BusinessType::ServiceApplication);
        self.route.last().map(String::as_str).filter(|unit| field_work && unit.split('/').count() == 6)
    }

    /// Returns the position if it is known. 0 degrees north and east counts as unknown, because systems write it for
    /// missing data.
    #[must_use]
    pub fn position(&self) -> Option<pb::Position> {
        let known = self.latitude_e6.zip(self.longitude_e6).filter(|at| *at != (0, 0));
        known.map(|(latitude_e6, longitude_e6)| pb::Position { latitude_e6, longitude_e6 })
    }
}

/// The way in which a recorded outage becomes a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As an imported record: one importer acts for all units. There is no caller, so there is no revisit.
    Import,
    /// As it may have happened: callers generated from the seed call, and call again when many customers are without
    /// power. Agents, desks and crews act, the reply audit goes up the route, and the caller is revisited. The ids
    /// differ from the import's, so the two make different tickets.
    Replay {
        /// The seed of the generated callers.
        seed: u64,
    },
}

/// The actors of a script.
struct Cast {
    /// Takes the call or the record.
    intake: Actor,
    /// Classifies, dispatches, does the last reply audit and closes.
    agent: Actor,
    /// One actor for each unit on the route.
    units: Vec<Actor>,
}

impl Cast {
    fn of(outage: &Outage, manner: Manner, ivr: bool) -> Self {
        let root = &outage.operator;
        if manner == Manner::Import {
            let importer = actor(format!("import-{}", outage.operator), "importer", root);
            return Self {
                intake: importer.clone(),
                agent: importer.clone(),
                units: vec![importer; outage.route.len()],
            };
        }
        let intake = if ivr { actor("ivr", "ivr", root) } else { actor("agent-01", "agent", root) };
        Self {
            intake,
            agent: actor("agent-02", "agent", root),
            units: outage.route.iter().map(|unit| of_unit(unit)).collect(),
        }
    }
}

/// Builds the script of `outage` in the given `manner`.
#[must_use]
pub fn script(outage: &Outage, manner: Manner) -> Script {
    let (source, seed) = match manner {
        Manner::Import => (Source::named(&format!("import/{}", outage.source)), 0),
        Manner::Replay { seed } => (Source::named(&format!("replay/{seed}/{}", outage.source)), seed),
    };
    let mut dice = StdRng::seed_from_u64(source.script(&outage.key).as_u64_pair().0 ^ seed);
    let caller = match manner {
        Manner::Import => None,
        Manner::Replay { .. } => Some(person(&mut dice)),
    };
    let ivr = caller.is_some() && dice.random_bool(0.45);
    let cast = Cast::of(outage, manner, ivr);
    let mut draft = Draft::new(&source, outage.key.clone()).line(outage.line);

    let receive = receive(outage, caller.clone(), ivr);
    let ticket = draft.receive(outage.received, &cast.intake, receive.clone());
    let mut telling = Telling { outage, cast, draft, ticket, arrival: arrival(outage) };
    telling.classify();
    if telling.is_answered_at_once() {
        return telling.draft.finish();
    }
    telling.send_down();
    if caller.is_some() {
        telling.ring_again(&receive, &mut dice);
    }
    let Some(restored) = outage.restored else { return telling.draft.finish() };
    telling.report_back(restored, manner);
    if caller.is_some() && telling.is_revisited() {
        let outcomes = [Satisfaction::VerySatisfied, Satisfaction::Satisfied, Satisfaction::Neutral];
        let outcome = outcomes.choose(&mut dice).copied().unwrap_or(Satisfaction::Satisfied);
        // By text message: text messages may be sent in quiet hours.
        telling.by_agent(restored + TimeDelta::minutes(60), Request::revisit(RevisitMethod::Sms, outcome));
    }
    telling.by_agent(restored + TimeDelta::minutes(90), Request::close());
    telling.draft.finish()
}

/// Builds a live script of `outage`: a generated caller reports it, and an agent classifies it and dispatches it to
/// `unit`. The dispatcher finds the crew; the script continues after the crew's reply. Only the pace of the calls comes
/// from the record.
#[must_use]
pub fn live(outage: &Outage, seed: u64, unit: &str) -> Script {
    let source = Source::named(&format!("live/{seed}/{}", outage.source));
    let mut dice = StdRng::seed_from_u64(source.script(&outage.key).as_u64_pair().0 ^ seed);
    let caller = Some(person(&mut dice));
    let cast = Cast::of(outage, Manner::Replay { seed }, false);
    let mut draft = Draft::new(&source, outage.key.clone()).line(outage.line).live();
    let mut call = receive(outage, caller, false);
    if let (None, Some(place)) = (outage.position(), &mut call.place) {
        // A ticket without a position gets no crew that drives to 0 degrees north and east.
        (place.latitude_e6, place.longitude_e6) = (None, None);
    }
    let ticket = draft.receive(outage.received, &cast.intake, call);
    let agent = cast.agent.clone();
    let mut telling = Telling { outage, cast, draft, ticket, arrival: None };
    telling.classify();
    let sent = telling.on_the_way(10, 2);
    telling.by_agent(sent, Request::dispatch(unit));
    telling.draft.step(ticket, sent, &of_unit(unit), Request::passed()).after(ticket, REPLIED, 1);
    let content = Request::revisit(RevisitMethod::Sms, Satisfaction::Satisfied);
    for request in [Request::passed(), content, Request::close()] {
        telling.draft.step(ticket, sent, &agent, request);
    }
    telling.draft.finish()
}

/// Returns the arrival as recorded if it lies within the outage, else an estimate. `None` if there is neither a usable
/// record nor an end of the outage.
fn arrival(outage: &Outage) -> Option<Timestamp> {
    let inside = |at: &Timestamp| outage.received <= *at && outage.restored.is_none_or(|restored| *at <= restored);
    let estimate = || {
        let lasted = outage.restored? - outage.received;
        Some(outage.received + ARRIVAL_ESTIMATE.min(lasted / 2))
    };
    outage.arrived.filter(inside).or_else(estimate)
}

fn receive(outage: &Outage, caller: Option<pb::Caller>, ivr: bool) -> pb::ReceiveRequest {
    let channel = match (&caller, ivr) {
        (None, _) => outage.channel,
        (Some(_), true) => Channel::Ivr,
        (Some(_), false) => Channel::Hotline,
    };
    let premises = match outage.customers_out {
        None | Some(0) => pb::Premises::Unspecified,
        Some(1) => pb::Premises::Single,
        Some(_) => pb::Premises::Multiple,
    };
    let issued = |value: &String| pb::ExternalRef { issuer: outage.source.clone(), value: value.clone() };
    // The record does not name the caller of a ticket that came through another channel.
    let unnamed = || pb::Caller { anonymous: true, ..pb::Caller::default() };
    pb::ReceiveRequest {
        business_type: outage.business_type.into(),
        channel: channel.into(),
        received_by: Some(outage.operator.clone()),
        caller: caller.or_else(|| (channel != Channel::Proactive).then(unnamed)),
        address: outage.address.clone(),
        content: outage.content.clone(),
        place: Some(pb::Place {
            area: outage.area.into(),
            feeder: outage.feeder.clone(),
            transformer: outage.transformer.clone(),
            latitude_e6: outage.latitude_e6.filter(|_| outage.longitude_e6.is_some()),
            longitude_e6: outage.longitude_e6.filter(|_| outage.latitude_e6.is_some()),
        }),
        premises: premises.into(),
        customers_out: outage.customers_out,
        external: outage.external.as_ref().map(issued),
        ..pb::ReceiveRequest::default()
    }
}

/// A script under construction with its outage and actors.
struct Telling<'o> {
    outage: &'o Outage,
    cast: Cast,
    draft: Draft,
    ticket: Slot,
    arrival: Option<Timestamp>,
}

impl Telling<'_> {
    fn by_agent(&mut self, at: Timestamp, request: impl Into<Request>) {
        self.draft.step(self.ticket, at, &self.cast.agent, request);
    }

    fn is_answered_at_once(&self) -> bool {
        self.outage.business_type == BusinessType::InformationQuery
    }

    fn is_revisited(&self) -> bool {
        !matches!(self.outage.business_type, BusinessType::Praise | BusinessType::Report)
    }

    fn has_crew(&self) -> bool {
        self.outage.crew().is_some()
    }

    /// Returns an instant between report and arrival: `hundredths` of the interval, at most `minutes_max` minutes after
    /// the report.
    fn on_the_way(&self, hundredths: i32, minutes_max: i64) -> Timestamp {
        let limit = TimeDelta::minutes(minutes_max);
        let part = self.arrival.map_or(limit, |arrival| (arrival - self.outage.received) / 100 * hundredths);
        self.outage.received + part.min(limit)
    }

    fn classify(&mut self) {
        let outage = self.outage;
        let complaint = outage.business_type == BusinessType::Complaint;
        let grade = match outage.grade {
            _ if !complaint => pb::Grade::Unspecified,
            pb::Grade::Unspecified => pb::Grade::General,
            given => given,
        };
        let urgency = if outage.urgency == pb::Urgency::Urgent { pb::Urgency::Urgent } else { pb::Urgency::Normal };
        self.by_agent(
            self.on_the_way(5, 1),
            pb::ClassifyRequest {
                category: outage.category.clone(),
                urgency: urgency.into(),
                grade: grade.into(),
                ..pb::ClassifyRequest::default()
            },
        );
        if self.is_answered_at_once() {
            let answer = outage.cause.clone();
            self.by_agent(self.on_the_way(5, 1), pb::CloseAtFirstContactRequest { header: None, answer });
        }
    }

    /// Dispatches the ticket down the route; if the last unit is a crew, the crew drives, arrives and restores power.
    fn send_down(&mut self) {
        let last = self.outage.route.len().saturating_sub(1);
        // Each hop takes the same share of the interval, at most three minutes.
        let (mut hundredths, mut minutes) = (10, 2);
        let hop = 60 / i32::try_from(self.outage.route.len()).unwrap_or(i32::MAX).max(1);
        let mut sender = self.cast.agent.clone();
        for (i, unit) in self.outage.route.iter().enumerate() {
            let at = self.on_the_way(hundredths, minutes);
            self.draft.step(self.ticket, at, &sender, Request::dispatch(unit));
            (hundredths, minutes) = (hundredths + hop, minutes + 3);
            let taken = self.on_the_way(hundredths, minutes);
            sender = self.cast.units[i].clone();
            let accept = if i == last && self.has_crew() {
                Request::progress(Crew::Accepted(pb::StepAccepted {}))
            } else {
                Request::accept()
            };
            self.draft.step(self.ticket, taken, &sender, accept);
        }
        if !self.has_crew() {
            return;
        }
        let crew = sender;
        let left = self.on_the_way(80, minutes + 3);
        self.draft.step(self.ticket, left, &crew, Request::progress(Crew::EnRoute(pb::StepEnRoute {})));
        if let Some(arrival) = self.arrival {
            let arrived = Crew::Arrived(pb::StepArrived::default());
            self.draft.step(self.ticket, arrival, &crew, Request::progress(arrived));
        }
        // The record lacks the time at which the crew gave the ETR. The crew gives it on arrival, or when it leaves if
        // the ETR is before the arrival. An ETR before the crew left is dropped, because this crew cannot have given
        // it.
        let given = self
            .outage
            .etr
            .and_then(|etr| [self.arrival.unwrap_or(left), left].into_iter().find(|at| *at < etr).zip(Some(etr)));
        if let Some((at, etr)) = given {
            let etr = Crew::EtrSet(pb::StepEtrSet { etr: Some(stamp(etr)) });
            self.draft.step(self.ticket, at, &crew, Request::progress(etr));
        }
        if let Some(restored) = self.outage.restored {
            let step = Request::progress(Crew::Restored(pb::StepRestored {}));
            self.draft.step(self.ticket, restored, &crew, step);
        }
    }

    /// Adds calls by the same caller while the crew drives: 0 to 3, more when more customers are without power.
    fn ring_again(&mut self, first: &pb::ReceiveRequest, dice: &mut StdRng) {
        let calls = match self.outage.customers_out.unwrap_or(0) {
            0..50 => 0,
            50..500 => 1,
            500..2000 => 2,
            _ => 3,
        };
        let (from, to) = (self.on_the_way(80, 30), self.arrival.unwrap_or(self.outage.received));
        let room = (to - from).num_seconds().max(1);
        let mut seconds: Vec<i64> = (0..calls).map(|_| dice.random_range(0..room)).collect();
        seconds.sort_unstable();
        for second in seconds {
            let at = (from + TimeDelta::seconds(second)).min(to).max(from);
            let again = pb::ReceiveRequest { content: "Still without power.".to_owned(), ..first.clone() };
            let intake = self.cast.intake.clone();
            self.draft.ring_again(self.ticket, at, &intake, again);
        }
    }

    /// Adds the reply and its audit up to the unit that received the ticket.
    fn report_back(&mut self, restored: Timestamp, manner: Manner) {
        let Some(worker) = self.cast.units.last().cloned() else { return };
        let outage = self.outage;
        let investigated = matches!(outage.business_type, BusinessType::Complaint | BusinessType::Report);
        let reply = pb::ReplyRequest {
            outcome: pb::ReplyOutcome::Resolved.into(),
            facts: outage.content.clone(),
            cause: outage.cause.clone(),
            measures: if self.has_crew() { "Power was restored." } else { "Done as asked." }.to_owned(),
            category: outage.category.clone(),
            substantiated: investigated.then_some(true),
            ..pb::ReplyRequest::default()
        };
        self.draft.step(self.ticket, restored + TimeDelta::minutes(10), &worker, reply);
        let mut at = restored + TimeDelta::minutes(20);
        if let (Manner::Replay { .. }, [above @ .., _]) = (manner, self.cast.units.as_slice()) {
            for desk in above.iter().rev() {
                self.draft.step(self.ticket, at, desk, Request::passed());
                at += TimeDelta::minutes(5);
            }
        }
        self.by_agent(at, Request::passed());
    }
}
