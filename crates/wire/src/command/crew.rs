//! Conversion of requests to crew commands; all violations are reported at once. The domain decides who may act for a
//! crew.

use switchboard_domain::{
    Timestamp, Violation,
    actor::Actor,
    crew::{Break, Command, CrewId, Point, command::Enrol, decide::shape},
    organisation::{Level, OrgPath},
};
use uuid::Uuid;

use super::reader::{Reader, given};
use crate::proto;

/// The fields that every command to a crew carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrewHeader {
    /// The caller's id for this request.
    pub request_id: Uuid,
    /// The crew.
    pub crew: CrewId,
    /// The instant at which it happened; `None` means now.
    pub occurred_at: Option<Timestamp>,
}

/// A request that becomes a command to one crew.
pub trait CrewRequest: prost::Message {
    /// The method of `DispatchService`, for example `StartShift`. No ticket request has the same name.
    const METHOD: &'static str;

    /// Converts the request. Without a crew, the actor's unit is meant, if it is a crew.
    ///
    /// # Errors
    /// Every violation at once, each field at most once, by its path in the request.
    fn read(&self, actor: &Actor) -> Result<(CrewHeader, Command), Vec<Violation>>;
}

/// The crew that a request names; without one, the actor's unit.
///
/// # Errors
/// `crew` is malformed, or it is absent and the actor's unit is not a crew.
pub fn crew(named: Option<&str>, actor: &Actor) -> Result<CrewId, Vec<Violation>> {
    let mut reader = Reader::default();
    let crew = reader.crew_or_actors("crew", named, actor);
    reader.whole(crew)
}

/// Declares requests with a header: the method, and the command built from the fields.
macro_rules! requests {
    ($($method:ident($request:ident: $type:ident, $reader:ident) => $command:expr;)+) => {$(
        impl CrewRequest for proto::$type {
            const METHOD: &'static str = stringify!($method);

            fn read(&self, actor: &Actor) -> Result<(CrewHeader, Command), Vec<Violation>> {
                #[allow(unused_variables)]
                fn command($request: &proto::$type, $reader: &mut Reader) -> Command {
                    $command
                }
                let mut reader = Reader::default();
                let header = header(&mut reader, self.header.as_ref(), actor);
                let command = command(self, &mut reader);
                let read = header.map(|header| (header, command));
                reader.shaped((), read, |(_, command)| shape(command)).map(|((), read)| read)
            }
        }
    )+};
}

requests! {
    StartShift(request: StartShiftRequest, reader) => Command::StartShift {
        until: reader.required_time("until", request.until.as_ref()),
        breaks: request.breaks.iter().filter_map(|rest| planned(rest, reader)).collect(),
        at: reader.point(["at.latitude_e6", "at.longitude_e6"], request.at.as_ref()),
    };
    EndShift(request: EndShiftRequest, reader) => Command::EndShift;
    SetAvailability(request: SetAvailabilityRequest, reader) => match reader.maybe_word("away", request.away) {
        Some(why) => Command::GoAway { why },
        None => Command::ComeBack,
    };
    DismissCrew(request: DismissCrewRequest, reader) => Command::Dismiss;
}

fn header(reader: &mut Reader, header: Option<&proto::CrewHeader>, actor: &Actor) -> Option<CrewHeader> {
    let absent = proto::CrewHeader::default();
    let header = header.unwrap_or(&absent);
    let request_id = reader.request_id("header.request_id", &header.request_id);
    let crew = reader.crew_or_actors("header.crew", header.crew.as_deref(), actor);
    let occurred_at = reader.time("header.occurred_at", header.occurred_at.as_ref());
    crew.map(|crew| CrewHeader { request_id, crew, occurred_at })
}

/// Reads a planned break; `None` if one of its ends is invalid.
fn planned(rest: &proto::ShiftBreak, reader: &mut Reader) -> Option<Break> {
    let mut end = |field, at: Option<&_>| {
        if at.is_none() {
            reader.missing(field);
        }
        reader.time(field, at)
    };
    let (from, until) = (end("breaks.from", rest.from.as_ref()), end("breaks.until", rest.until.as_ref()));
    Some(Break { from: from?, until: until? })
}

/// The only crew request without a header: the crew is required, and it cannot be dated in the past.
impl CrewRequest for proto::EnrolCrewRequest {
    const METHOD: &'static str = "EnrolCrew";

    fn read(&self, _: &Actor) -> Result<(CrewHeader, Command), Vec<Violation>> {
        let mut reader = Reader::default();
        let request_id = reader.request_id("request_id", &self.request_id);
        let Some(crew) = reader.crew("crew", &self.crew) else { return reader.whole(None) };
        if self.home.is_none() {
            reader.missing("home");
        }
        let home = reader.point(["home.latitude_e6", "home.longitude_e6"], self.home.as_ref());
        let roster = Enrol {
            home: home.unwrap_or(Point { latitude_e6: 0, longitude_e6: 0 }),
            territory: territory(&self.territory, &crew, &mut reader),
            skills: reader.skills("skills", &self.skills),
            members: self.members.clone(),
            vehicle: given(self.vehicle.as_deref()).map(str::to_owned),
            crew: crew.clone(),
        };
        let header = CrewHeader { request_id, crew, occurred_at: None };
        reader.shaped(header, Some(Command::Enrol(Box::new(roster))), shape)
    }
}

/// The crew's territory; its station when the request names none.
fn territory(named: &[String], crew: &CrewId, reader: &mut Reader) -> Vec<OrgPath> {
    if named.is_empty() {
        return crew.org().at_level(Level::Station).into_iter().collect();
    }
    named.iter().filter_map(|unit| reader.org("territory", unit)).collect()
}
