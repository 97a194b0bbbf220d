//! A reader for the fields of a request that collects every violation. An invalid field gets a placeholder, so that the
//! remaining fields are still checked. A command that contains a placeholder is never returned.

use prost_types::Timestamp as WireTimestamp;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    actor::Actor,
    crew::{CrewId, OfferId, Point, Skill, Skills},
    organisation::OrgPath,
    personal::Personal,
    ticket::{Category, Command, TicketId, validate},
};
use uuid::Uuid;

use super::{Header, TicketRef, is_of_engine, reference};
use crate::{
    answer::{Word, instant},
    proto,
};

/// The expected form of a reference, for error messages.
const TICKET_FORM: &str = "a ticket's id or number";

/// The violations found so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    violations: Vec<Violation>,
    /// The domain's name of a field, and its path in this request.
    nested: Option<(&'static str, &'static str)>,
}

impl Reader {
    /// Adds a violation, unless the field already has one.
    pub(super) fn refuse(&mut self, violation: Violation) {
        if !self.listed(violation.field) {
            self.violations.push(violation);
        }
    }

    fn listed(&self, field: &str) -> bool {
        self.violations.iter().any(|violation| violation.field == field)
    }

    pub(super) fn missing(&mut self, field: &'static str) {
        self.refuse(Violation::missing(field));
    }

    pub(super) fn malformed(&mut self, field: &'static str, expected: &'static str) {
        self.refuse(Violation::malformed(field, expected));
    }

    /// Declares that the domain's `field` is at `path` in this request.
    pub(super) fn nested(&mut self, field: &'static str, path: &'static str) {
        self.nested = Some((field, path));
    }

    pub(super) fn header(&mut self, header: Option<&proto::CommandHeader>) -> Header {
        let absent = proto::CommandHeader::default();
        let header = header.unwrap_or(&absent);
        let ticket = self.ticket("header.ticket", &header.ticket);
        Header {
            request_id: self.request_id("header.request_id", &header.request_id),
            ticket: ticket.unwrap_or(TicketRef::Id(TicketId(Uuid::nil()))),
            etag: self.etag("header.etag", header.etag.as_deref()),
            occurred_at: self.time("header.occurred_at", header.occurred_at.as_ref()),
        }
    }

    pub(super) fn request_id(&mut self, field: &'static str, text: &str) -> Uuid {
        match Uuid::try_parse(text) {
            Ok(id) if !id.is_nil() && !is_of_engine(id) => return id,
            _ if text.is_empty() => self.missing(field),
            _ => self.malformed(field, "a UUID that is not nil and not of version 8"),
        }
        Uuid::nil()
    }

    fn etag(&mut self, field: &'static str, text: Option<&str>) -> Option<u64> {
        let text = given(text)?;
        let revision = text.parse().ok();
        if revision.is_none() {
            self.malformed(field, "an etag as an earlier answer gave it");
        }
        revision
    }

    /// Reads a required ticket reference.
    pub(super) fn ticket(&mut self, field: &'static str, text: &str) -> Option<TicketRef> {
        match reference(text) {
            Some(ticket) => return Some(ticket),
            None if text.trim().is_empty() => self.missing(field),
            None => self.malformed(field, TICKET_FORM),
        }
        None
    }

    /// Reads a required word.
    pub(super) fn word<W: Word>(&mut self, field: &'static str, number: i32) -> Option<W> {
        match W::read(number) {
            Ok(Some(word)) => return Some(word),
            Ok(None) => self.missing(field),
            Err(_) => self.malformed(field, W::FORM),
        }
        W::WORDS.first().copied()
    }

    /// Reads an optional word.
    pub(super) fn maybe_word<W: Word>(&mut self, field: &'static str, number: i32) -> Option<W> {
        W::read(number).unwrap_or_else(|_| {
            self.malformed(field, W::FORM);
            None
        })
    }

    /// Reads an optional instant.
    pub(super) fn time(&mut self, field: &'static str, at: Option<&WireTimestamp>) -> Option<Timestamp> {
        let at = at?;
        let read = instant(at);
        if read.is_none() {
            self.malformed(field, "an instant of the years 1 to 9999");
        }
        read
    }

    /// Reads a required instant.
    pub(super) fn required_time(&mut self, field: &'static str, at: Option<&WireTimestamp>) -> Timestamp {
        if at.is_none() {
            self.missing(field);
        }
        self.time(field, at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Reads a required unit.
    pub(super) fn org(&mut self, field: &'static str, text: &str) -> Option<OrgPath> {
        if text.is_empty() {
            self.missing(field);
        } else if OrgPath::parse(text).is_err() {
            self.malformed(field, OrgPath::FORM);
        }
        OrgPath::parse(text).or_else(|_| OrgPath::parse("stand-in")).ok()
    }

    /// Reads a required crew.
    pub(super) fn crew(&mut self, field: &'static str, text: &str) -> Option<CrewId> {
        let crew = crew_of(text);
        if text.trim().is_empty() {
            self.missing(field);
        } else if crew.is_none() {
            self.malformed(field, CrewId::FORM);
        }
        crew.or_else(|| crew_of("stand/in/for/a/missing/crew"))
    }

    /// Reads an optional crew; its default is the actor's unit, if that is a crew.
    pub(super) fn crew_or_actors(&mut self, field: &'static str, text: Option<&str>, actor: &Actor) -> Option<CrewId> {
        match (given(text), CrewId::of(&actor.org)) {
            (Some(text), _) => self.crew(field, text),
            (None, Some(crew)) => Some(crew),
            (None, None) => self.crew(field, ""),
        }
    }

    /// Reads a required offer id.
    pub(super) fn offer(&mut self, field: &'static str, text: &str) -> OfferId {
        let offer = OfferId::parse(text);
        match offer {
            None if text.is_empty() => self.missing(field),
            None => self.malformed(field, "an offer's id"),
            Some(_) => {}
        }
        offer.unwrap_or(OfferId(Uuid::nil()))
    }

    /// Reads a required fence. 0 is invalid, because the first event of a crew's stream is never a reservation.
    pub(super) fn fence(&mut self, field: &'static str, fence: u64) -> u64 {
        if fence == 0 {
            self.missing(field);
        }
        fence
    }

    /// Reads skills, in any order.
    pub(super) fn skills(&mut self, field: &'static str, numbers: &[i32]) -> Skills {
        Skills::of(&numbers.iter().filter_map(|&number| self.word::<Skill>(field, number)).collect::<Vec<_>>())
    }

    /// Reads an optional position; `fields` are the paths of its latitude and longitude.
    pub(super) fn point(&mut self, fields: [&'static str; 2], at: Option<&proto::Position>) -> Option<Point> {
        let at = at?;
        let [latitude, longitude] = fields;
        if Point::new(at.latitude_e6, 0).is_none() {
            self.malformed(latitude, "-90000000 to 90000000");
        }
        if Point::new(0, at.longitude_e6).is_none() {
            self.malformed(longitude, "-180000000 to 180000000");
        }
        Point::new(at.latitude_e6, at.longitude_e6)
    }

    /// Reads a required category.
    pub(super) fn category(&mut self, field: &'static str, text: &str) -> Option<Category> {
        if text.is_empty() {
            self.missing(field);
        } else if Category::parse(text).is_err() {
            self.malformed(field, Category::FORM);
        }
        Category::parse(text).or_else(|_| Category::parse("stand-in")).ok()
    }

    /// Reads an optional category.
    pub(super) fn maybe_category(&mut self, field: &'static str, text: Option<&str>) -> Option<Category> {
        given(text).and_then(|text| self.category(field, text))
    }

    /// Returns the value if no violation was found.
    pub(super) fn whole<T>(self, read: Option<T>) -> Result<T, Vec<Violation>> {
        read.filter(|_| self.violations.is_empty()).ok_or(self.violations)
    }

    /// Returns the ticket command, if neither a field nor the domain's `shape` check has a violation.
    pub(super) fn finish<H>(self, header: H, command: Option<Command>) -> Result<(H, Command), Vec<Violation>> {
        self.shaped(header, command, validate::shape)
    }

    /// Returns the command, if neither a field nor `shape` has a violation.
    pub(super) fn shaped<H, C>(
        mut self,
        header: H,
        command: Option<C>,
        shape: impl Fn(&C) -> Vec<Violation>,
    ) -> Result<(H, C), Vec<Violation>> {
        let stood_in: Vec<_> = self.violations.iter().map(|violation| violation.field).collect();
        for mut violation in command.iter().flat_map(shape) {
            if let Some((_, path)) = self.nested.filter(|(field, _)| *field == violation.field) {
                violation.field = path;
            }
            // Do not report that a field contradicts a placeholder.
            if !matches!(violation.problem, Problem::Contradicts { other } if stood_in.contains(&other)) {
                self.refuse(violation);
            }
        }
        self.whole(command).map(|command| (header, command))
    }
}

fn crew_of(text: &str) -> Option<CrewId> {
    CrewId::of(&OrgPath::parse(text).ok()?)
}

/// The text of an optional field; a blank text counts as absent.
pub(super) fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// An optional personal text.
pub(super) fn personal(text: Option<&str>) -> Option<Personal> {
    given(text).map(Personal::from)
}
