//! The roster file (班组名册): crews with home, territory and skills in TOML. A file is read completely, or rejected with
//! every fault and its line. This module defines the format; the domain validates each entry. It opens no files: the
//! caller passes the text.

use std::collections::BTreeMap;

use switchboard_domain::{
    Problem, Violation,
    crew::{Command, CrewId, Point, Skill, Skills, command::Enrol, decide::shape},
    organisation::{Level, OrgPath},
};
use toml::de::DeValue;

use crate::{
    faults::Fault,
    refusal::{Language, problem},
    section::{Reader, Section, Value, read_whole},
};

/// The largest file, in bytes.
pub const ROSTER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most crews in one file.
pub const ROSTER_CREWS_MAX: usize = 5_000;

/// The expected form of a home station, for error messages.
const HOME_FORM: &str = "[latitude, longitude] in degrees, such as [30.382, 120.032],";
/// Millionths of a degree in a degree.
const E6: f64 = 1e6;

/// Reads a file such as `deploy/rosters/example.toml`, and keeps its order. A crew without a territory works for its
/// station.
///
/// # Errors
///
/// All faults, in the order of the lines: at most [`crate::faults::FAULTS_MAX`], and one entry that says how many more
/// there are. A text that is not TOML gets TOML's faults only.
pub fn read(file_name: &str, text: &str) -> Result<Vec<Enrol>, Vec<Fault>> {
    if text.len() > ROSTER_BYTES_MAX {
        let name = if file_name.is_empty() { "the file" } else { file_name };
        let reason = format!("{name} has {} bytes; at most {ROSTER_BYTES_MAX} are read", text.len());
        return Err(vec![Fault { line: 1, reason }]);
    }
    read_whole(text, roster)
}

fn roster(reader: &mut Reader, top: Section<'_>) -> Vec<Enrol> {
    reader.only(top, &["crew"]);
    let sections = reader.sections(top, "crew");
    if sections.is_empty() && top.get("crew").is_none_or(|value| value.get_ref().is_array()) {
        reader.fault(top.at, "crew: at least one [[crew]] is expected");
    }
    if let Some(past) = sections.get(ROSTER_CREWS_MAX) {
        let reason = format!("crew: {} of them; at most {ROSTER_CREWS_MAX} are taken", sections.len());
        reader.fault(past.at, reason);
        return Vec::new();
    }
    let mut lines: BTreeMap<CrewId, usize> = BTreeMap::new();
    let mut crews = Vec::new();
    for section in sections {
        let Some(roster) = enrolled(reader, section) else { continue };
        match lines.get(&roster.crew) {
            Some(line) => {
                reader.fault(section.at, format!("path: {} is said before, in line {line}", roster.crew.org()))
            }
            None => {
                lines.insert(roster.crew.clone(), reader.line(section.at));
                crews.push(roster);
            }
        }
    }
    crews
}

/// Reads one crew; `None` if its path is invalid. Any other invalid value is reported and gets a placeholder.
fn enrolled(reader: &mut Reader, section: Section<'_>) -> Option<Enrol> {
    reader.only(section, &["path", "home", "territory", "skills", "members", "vehicle"]);
    let path = reader.field(section, "path");
    let crew = path.and_then(|value| reader.parsed("path", value, crew_of, CrewId::FORM));
    let home = reader.field(section, "home").and_then(|value| home(reader, value));
    let units = list(reader, section, "territory", |reader, value| {
        reader.parsed("territory", value, |text| OrgPath::parse(text).ok(), OrgPath::FORM)
    });
    let known: Vec<_> = Skill::ALL.iter().map(|skill| (skill.as_str(), *skill)).collect();
    reader.field(section, "skills");
    let skills = list(reader, section, "skills", |reader, value| reader.word("skills", value, &known));
    let members = list(reader, section, "members", |reader, value| reader.string("members", value).map(str::to_owned));
    let vehicle = section.get("vehicle").and_then(|value| reader.string("vehicle", value)).map(str::to_owned);
    let crew = crew?;
    let stated = section.get("territory").is_some();
    let territory = if stated { units } else { crew.org().at_level(Level::Station).into_iter().collect() };
    let home = home.unwrap_or(Point { latitude_e6: 0, longitude_e6: 0 });
    let roster = Enrol { crew, home, territory, skills: Skills::of(&skills), members, vehicle };
    let roster = Command::Enrol(Box::new(roster));
    for violation in shape(&roster) {
        report(reader, section, &violation);
    }
    match roster {
        Command::Enrol(roster) => Some(*roster),
        _ => None,
    }
}

/// Reports a violation of the domain at the line of its key. A value that could not be read is not also reported as
/// missing.
fn report(reader: &mut Reader, section: Section<'_>, violation: &Violation) {
    let field = violation.field;
    let Some(value) = section.get(field) else { return };
    let empty = match value.get_ref() {
        DeValue::Array(list) => list.is_empty(),
        DeValue::String(text) => text.trim().is_empty(),
        _ => false,
    };
    let reason = match violation.problem {
        Problem::Missing if !empty => return,
        Problem::Contradicts { .. } => format!("{field}: every unit lies within the crew's operator"),
        ref found => format!("{field} {}", problem(found, Language::En)),
    };
    reader.fault(value.span().start, reason);
}

fn crew_of(text: &str) -> Option<CrewId> {
    CrewId::of(&OrgPath::parse(text).ok()?)
}

/// The readable entries of an optional list.
fn list<'d, T>(
    reader: &mut Reader,
    section: Section<'d>,
    key: &str,
    read: impl Fn(&mut Reader, Value<'d>) -> Option<T>,
) -> Vec<T> {
    let Some(value) = section.get(key) else { return Vec::new() };
    reader.entries(key, value).filter_map(|entry| read(reader, entry)).collect()
}

/// Reads a home station, in degrees with six decimals.
fn home(reader: &mut Reader, value: Value<'_>) -> Option<Point> {
    let degrees: Option<Vec<f64>> =
        value.get_ref().as_array().and_then(|list| list.iter().map(|entry| number(entry.get_ref())).collect());
    let Some(&[latitude, longitude]) = degrees.as_deref() else {
        reader.expected("home", HOME_FORM, value);
        return None;
    };
    let found = e6(latitude).zip(e6(longitude)).and_then(|(latitude, longitude)| Point::new(latitude, longitude));
    if found.is_none() {
        let reason = format!("home: [{latitude}, {longitude}] is not on the planet; {HOME_FORM} is expected");
        reader.fault(value.span().start, reason);
    }
    found
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) => i32::from_str_radix(integer.as_str(), integer.radix()).ok().map(f64::from),
        _ => None,
    }
}

/// Degrees in millionths; `None` beyond 360 degrees.
fn e6(degrees: f64) -> Option<i32> {
    const DEGREES_MAX: f64 = 360.0;
    // Within the limit the cast is exact, because the value is whole and small.
    #[allow(clippy::cast_possible_truncation)]
    (degrees.abs() <= DEGREES_MAX).then(|| (degrees * E6).round() as i32)
}
