//! The stories of a day, one function each: the course of tickets of every business type, with their detours and their
//! ends. The shares follow a national hotline: mostly questions answered at once, one fifth faults, few complaints and
//! reports. The stories without a crew are in `desk`. Absent: dates and places.

mod desk;

use rand::RngExt as _;
use switchboard_wire::proto::{self as pb, BusinessType, Grade, ReplyOutcome, RevisitMethod, Satisfaction, Urgency};

use self::desk::{
    complaint, consultation_open, opinion, opinion_escalated, praise, service, service_waiting, suggestion, whistle,
};
use super::{
    CITY, City, Household, PROVINCE,
    delays::{self, Weather},
    scene::Scene,
    words,
};
use crate::{
    Timestamp,
    request::Request,
    script::{Actor, CHILD_ADOPTED, MASTER_FOLLOWED, Script, Slot, Source, of_unit},
};

macro_rules! stories {
    ($($(#[$doc:meta])* $story:ident = $share:literal $teller:ident,)+) => {
        /// A kind of story.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Story { $($(#[$doc])* $story,)+ }

        impl Story {
            /// Every story with its share of 10,000 calls.
            pub const ALL: &'static [(Self, u32)] = &[$((Self::$story, $share),)+];
        }

        /// Generates one story that begins at `now`.
        pub(super) fn tell(
            (story, weather): (Story, Weather),
            city: &City,
            source: &Source,
            key: String,
            now: Timestamp,
        ) -> Script {
            let mut scene = Scene::new(city, source, key, now).under(weather);
            match story { $(Story::$story => $teller(&mut scene),)+ }
            scene.finish()
        }
    };
}

stories! {
    /// A question that is answered at once.
    Query = 4400 query,
    /// A consultation that is answered at once.
    Consultation = 2500 consultation,
    /// A consultation that the province has to look into.
    ConsultationOpen = 250 consultation_open,
    /// One household without power.
    Fault = 1100 fault,
    /// No power because of unpaid bills; explained at once.
    FaultArrears = 300 fault_arrears,
    /// A shared outage: several calls about one fault.
    Outage = 150 outage,
    /// A fault dispatched to the wrong station, returned, and dispatched again.
    FaultReturned = 50 fault_returned,
    /// A fault that the customer urges and the province supervises.
    FaultUrged = 60 fault_urged,
    /// A repaired fault whose customer does not answer three revisits.
    FaultUnreachable = 60 fault_unreachable,
    /// A repaired fault that is reopened because the customer is dissatisfied.
    FaultReopened = 40 fault_reopened,
    /// Power comes back by itself, and the customer withdraws the ticket.
    FaultWithdrawn = 50 fault_withdrawn,
    /// A fault in the customer's own wiring.
    FaultInside = 80 fault_inside,
    /// A fault that is reassigned to another crew.
    FaultReassigned = 30 fault_reassigned,
    /// A request for a meter test.
    Service = 500 service,
    /// A meter test that is suspended for the customer and gets an extension.
    ServiceWaiting = 100 service_waiting,
    /// A complaint that goes down the whole chain; its reply is sent back once.
    Complaint = 40 complaint,
    /// A report by a whistle-blower.
    Whistle = 20 whistle,
    /// An opinion.
    Opinion = 150 opinion,
    /// An opinion that is escalated to a complaint.
    OpinionEscalated = 30 opinion_escalated,
    /// A suggestion.
    Suggestion = 30 suggestion,
    /// Praise.
    Praise = 30 praise,
    /// An urge as a ticket of its own.
    UrgeOrder = 30 urge_order,
}

fn query(s: &mut Scene<'_>) {
    at_first_contact(s, BusinessType::InformationQuery, words::QUERY, words::CATEGORY_QUERY, words::QUERY_ANSWER);
}

fn consultation(s: &mut Scene<'_>) {
    let (said, category) = (words::CONSULTATION, words::CATEGORY_CONSULTATION);
    at_first_contact(s, BusinessType::Consultation, said, category, words::CONSULTATION_ANSWER);
}

fn fault_arrears(s: &mut Scene<'_>) {
    let (said, category) = (words::ARREARS, words::CATEGORY_INSIDE);
    at_first_contact(s, BusinessType::FaultRepair, said, category, words::ARREARS_ANSWER);
}

fn fault(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    repaired(s, ticket, &city, &house);
    s.revisit_content(ticket);
    s.close(ticket);
}

/// A master and its children. Each child keeps its own promises to its customer, but the work is done once. The
/// neighbours call while the crew drives.
fn outage(s: &mut Scene<'_>) {
    let house = s.household();
    let master = s.receive_by_robot(&house, BusinessType::FaultRepair, words::SHARED_OUTAGE);
    s.take(delays::FAULT_FILED);
    s.classify(master, words::CATEGORY_SHARED, Urgency::Urgent, Grade::Unspecified);
    let city = at_the_city(s, master);
    let crew = s.crew(&house.station);
    s.send_crew(master, &city, &crew);
    let sent = s.now;
    let mut children = Vec::new();
    for nth in 1..=s.dice.random_range(2..=4) {
        let neighbour = s.city.neighbour(&house, nth * 7 + s.dice.random_range(0..7));
        s.pass(1..3);
        let child = s.receive(&neighbour, BusinessType::FaultRepair, words::SHARED_OUTAGE);
        s.pass(1..2);
        let merge = pb::MergeRequest { evidence: words::SAME_TROUBLE.to_owned(), ..pb::MergeRequest::default() };
        s.step(child, &city, merge).about(master);
        children.push(child);
    }
    s.pass(1..3);
    s.ring_again(master, &house, BusinessType::FaultRepair, words::STILL_OUT);
    let adopted = children.len();
    // With a probability of 20 %, one child turns out to be a separate fault: it is unmerged and gets its own crew.
    let alone = if s.dice.random_bool(0.2) { children.pop() } else { None };
    if let Some(child) = alone {
        s.pass(2..6);
        let unmerge = pb::UnmergeRequest { header: None, reason: words::NOT_THE_SAME.to_owned() };
        s.step(child, &city, unmerge).after(master, CHILD_ADOPTED, adopted);
    }
    let told = s.now;
    if let Some(child) = alone {
        s.take(delays::FAULT_FILED);
        s.classify_plain(child, words::CATEGORY_SINGLE);
        let city = at_the_city(s, child);
        repaired(s, child, &city, &house);
        s.revisit_content(child);
        s.close(child);
    }
    s.now = sent;
    s.crew_on_site(master, &crew, &house, 30..180);
    s.now = s.now.max(told);
    s.reply(master, &of_unit(&crew), ReplyOutcome::Resolved, words::FAULT_MEASURES, words::CATEGORY_SHARED);
    s.pass(5..30);
    s.step(master, &city, Request::passed()).after(master, CHILD_ADOPTED, adopted);
    s.audit(master, &[]);
    s.revisit_content(master);
    s.close(master);
    for child in children {
        s.pass(1..5);
        s.pass_quiet_hours();
        let agent = s.agent();
        let asked = Request::revisit(RevisitMethod::Bot, Satisfaction::Satisfied);
        s.step(child, &agent, asked).after(child, MASTER_FOLLOWED, 1);
        s.close(child);
    }
}

fn fault_returned(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    s.take(delays::CREW_NAMED);
    s.step(ticket, &city, Request::dispatch(&house.station));
    s.pass(2..6);
    let request = pb::ReturnRequest {
        reason: pb::ReturnReason::WrongArea.into(),
        note: words::WRONG_AREA.to_owned(),
        ..pb::ReturnRequest::default()
    };
    s.step(ticket, &of_unit(&house.station), request);
    repaired(s, ticket, &city, &house);
    s.revisit_content(ticket);
    s.close(ticket);
}

/// The crew has the ticket but is late, because of the road or of the job before.
fn fault_urged(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    let crew = s.crew(&house.station);
    s.send_crew(ticket, &city, &crew);
    let sent = s.now;
    s.pass(12..20);
    let agent = s.agent();
    s.step(ticket, &agent, pb::UrgeRequest { header: None, reason: words::URGE.to_owned() });
    s.pass(1..3);
    let request = pb::SuperviseRequest { header: None, demand: words::SUPERVISED.to_owned() };
    s.step(ticket, &of_unit(PROVINCE), request);
    s.pass(1..2);
    let to = pb::escalate_request::To::Urgent(true);
    let request = pb::EscalateRequest { header: None, reason: words::URGE.to_owned(), to: Some(to) };
    s.step(ticket, &of_unit(PROVINCE), request);
    s.pass(1..3);
    let (reached, note) = (pb::ContactOutcome::Reached.into(), Some(words::SUPERVISED.to_owned()));
    s.step(ticket, &of_unit(&crew), pb::ContactRequest { header: None, outcome: reached, note });
    let told = s.now;
    s.now = sent;
    s.crew_leaves(ticket, &crew);
    s.now = s.now.max(told);
    s.pass(2..30);
    s.crew_repairs(ticket, &crew, 20..180);
    let resolved = ReplyOutcome::Resolved;
    s.reply(ticket, &of_unit(&crew), resolved, words::FAULT_MEASURES, words::CATEGORY_SINGLE);
    s.audit(ticket, &[CITY]);
    s.revisit_content(ticket);
    s.close(ticket);
}

fn fault_unreachable(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    repaired(s, ticket, &city, &house);
    s.revisit(ticket, Satisfaction::Unreachable);
    for _ in 0..2 {
        s.pass(125..200);
        s.revisit(ticket, Satisfaction::Unreachable);
    }
    s.close(ticket);
}

fn fault_reopened(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    repaired(s, ticket, &city, &house);
    s.pass(10..60);
    s.pass_quiet_hours();
    let agent = s.agent();
    s.step(ticket, &agent, dissatisfied(pb::DissatisfactionReason::NotRepaired));
    s.pass(2..10);
    s.step(ticket, &agent, pb::ReopenRequest { header: None, reason: words::NOT_REPAIRED.to_owned() });
    let city = at_the_city(s, ticket);
    repaired(s, ticket, &city, &house);
    s.revisit_content(ticket);
    s.close(ticket);
}

fn fault_withdrawn(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    let crew = s.crew(&house.station);
    s.send_crew(ticket, &city, &crew);
    s.pass(3..12);
    s.ring_again(ticket, &house, BusinessType::FaultRepair, words::CAME_BACK);
    s.pass(1..3);
    let agent = s.agent();
    s.step(ticket, &agent, pb::WithdrawRequest { header: None, reason: words::CAME_BACK.to_owned() });
}

fn fault_inside(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    let crew = s.crew(&house.station);
    s.send_crew(ticket, &city, &crew);
    let lead = of_unit(&crew);
    s.take(delays::CREW_ACCEPTS);
    s.step(ticket, &lead, Request::accept());
    // The crew settles it by telephone.
    s.pass(2..8);
    s.reply(ticket, &lead, ReplyOutcome::NotOurs, words::CUSTOMER_SIDE, words::CATEGORY_INSIDE);
    s.audit(ticket, &[CITY]);
    s.revisit_content(ticket);
    s.close(ticket);
}

fn fault_reassigned(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    let (busy, free) = (format!("{}/crew-1", house.station), format!("{}/crew-2", house.station));
    s.send_crew(ticket, &city, &busy);
    s.pass(4..10);
    s.step(ticket, &city, pb::ReassignRequest { header: None, to: free.clone(), reason: words::BUSY.to_owned() });
    s.crew_on_site(ticket, &free, &house, 20..120);
    let (resolved, lead) = (ReplyOutcome::Resolved, of_unit(&free));
    s.reply(ticket, &lead, resolved, words::FAULT_MEASURES, words::CATEGORY_SINGLE);
    s.audit(ticket, &[CITY]);
    s.revisit_content(ticket);
    s.close(ticket);
}

fn urge_order(s: &mut Scene<'_>) {
    let (ticket, house) = reported(s);
    let city = at_the_city(s, ticket);
    let crew = s.crew(&house.station);
    s.send_crew(ticket, &city, &crew);
    let sent = s.now;
    s.pass(10..20);
    let urge = s.receive_urge(&house, words::URGE, ticket);
    s.take(delays::FAULT_FILED);
    s.classify(urge, words::CATEGORY_URGE, Urgency::Urgent, Grade::Unspecified);
    s.send_down(urge, &[CITY], delays::FAULT_SENT, delays::FAULT_TAKEN);
    let told = s.now;
    s.now = sent;
    s.crew_on_site(ticket, &crew, &house, 20..180);
    s.now = s.now.max(told);
    let resolved = ReplyOutcome::Resolved;
    s.reply(ticket, &of_unit(&crew), resolved, words::FAULT_MEASURES, words::CATEGORY_SINGLE);
    s.audit(ticket, &[CITY]);
    s.reply(urge, &city, ReplyOutcome::Resolved, words::DESK_MEASURES, words::CATEGORY_URGE);
    s.audit(urge, &[]);
    s.close(urge);
    s.revisit_content(ticket);
    s.close(ticket);
}

/// A ticket that is answered while the caller waits: the agent files it at the end of the call.
fn at_first_contact(s: &mut Scene<'_>, business: BusinessType, said: &str, category: &str, answer: &str) {
    let house = s.household();
    let ticket = s.receive(&house, business, said);
    s.take(delays::FAULT_FILED);
    s.classify_plain(ticket, category);
    s.take(delays::FAULT_SENT);
    let agent = s.agent();
    s.step(ticket, &agent, pb::CloseAtFirstContactRequest { header: None, answer: answer.to_owned() });
}

/// The voice robot or an agent receives one household's fault, and an agent classifies it.
fn reported(s: &mut Scene<'_>) -> (Slot, Household) {
    let house = s.household();
    let ticket = if s.dice.random_bool(0.45) {
        s.receive_by_robot(&house, BusinessType::FaultRepair, words::SINGLE_OUTAGE)
    } else {
        s.receive(&house, BusinessType::FaultRepair, words::SINGLE_OUTAGE)
    };
    s.take(delays::FAULT_FILED);
    s.classify_plain(ticket, words::CATEGORY_SINGLE);
    (ticket, house)
}

/// Dispatches the ticket directly to the city's command centre; returns that desk.
fn at_the_city(s: &mut Scene<'_>, ticket: Slot) -> Actor {
    s.send_down(ticket, &[CITY], delays::FAULT_SENT, delays::FAULT_TAKEN);
    of_unit(CITY)
}

/// A crew repairs the fault; reply and audit follow.
fn repaired(s: &mut Scene<'_>, ticket: Slot, city: &Actor, house: &Household) {
    let crew = s.crew(&house.station);
    s.send_crew(ticket, city, &crew);
    s.crew_on_site(ticket, &crew, house, 20..180);
    let resolved = ReplyOutcome::Resolved;
    s.reply(ticket, &of_unit(&crew), resolved, words::FAULT_MEASURES, words::CATEGORY_SINGLE);
    s.audit(ticket, &[CITY]);
}

fn dissatisfied(reason: pb::DissatisfactionReason) -> pb::RevisitRequest {
    pb::RevisitRequest {
        method: RevisitMethod::Call.into(),
        outcome: Satisfaction::Dissatisfied.into(),
        reasons: vec![reason.into()],
        ..pb::RevisitRequest::default()
    }
}
