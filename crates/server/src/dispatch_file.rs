//! The dispatch policy file (派工策略): weights, prices and limits of the plan, in TOML. The file is read as a whole, or
//! rejected with every fault: its line and the dotted name of the value. A value that the file leaves out has its
//! default. The version is required.

use serde::Deserialize as _;
use switchboard_dispatcher::policy::{Policy, SkillRule};
use switchboard_domain::{
    crew::{Skill, Skills},
    ticket::{Category, state::OFFERS_LIVE_MAX},
};
use switchboard_wire::{
    faults::Fault,
    section::{Reader, Section, Value, read_whole},
};
use toml::{Table, Value as Stated, de::DeValue};

/// The longest file that is read, in bytes.
pub const DISPATCH_BYTES_MAX: usize = 64 * 1024;
/// The longest version, in bytes.
pub const VERSION_BYTES_MAX: usize = 64;
/// The most skill rules.
pub const SKILL_RULES_MAX: usize = 256;
/// The most customer bands.
pub const BANDS_MAX: usize = 32;

/// The highest weight or price. A higher value is taken for a typing error.
const PRICE_MAX: f64 = 1e6;
/// A day, in minutes.
const DAY_MINUTES: f64 = 1_440.0;
/// A week, in minutes.
const WEEK_MINUTES: f64 = 10_080.0;
/// The most live offers of a ticket, a limit of the domain. The number is small, so the cast is exact.
#[allow(clippy::cast_precision_loss)]
const PARALLEL_MAX: f64 = OFFERS_LIVE_MAX as f64;

/// The range of each number, inclusive. For a list, the range of each entry.
const RANGES: &[(&str, f64, f64)] = &[
    ("seed", 0.0, 4_294_967_295.0),
    ("weights.important", 0.0, PRICE_MAX),
    ("weights.wire_down", 0.0, PRICE_MAX),
    ("weights.pressed", 0.0, PRICE_MAX),
    ("weights.urgent", 0.0, PRICE_MAX),
    ("weights.weight_max", 1.0, PRICE_MAX),
    ("weights.late", 0.0, PRICE_MAX),
    ("weights.late_minute", 0.0, PRICE_MAX),
    ("weights.travel_minute", 0.0, PRICE_MAX),
    ("weights.change", 0.0, PRICE_MAX),
    ("weights.fairness_hour", 0.0, PRICE_MAX),
    ("weights.coverage", 0.0, PRICE_MAX),
    ("weights.overtime_minute", 0.0, PRICE_MAX),
    ("weights.patience_hour", 0.0, PRICE_MAX),
    ("travel.detour", 1.0, 5.0),
    ("travel.hop_detour", 0.0, 5.0),
    ("travel.hop_km", 0.01, 100.0),
    ("travel.urban_kmh", 1.0, 200.0),
    ("travel.rural_kmh", 1.0, 200.0),
    ("travel.remote_kmh", 1.0, 200.0),
    ("travel.storm", 0.1, 1.0),
    ("travel.turn_out_day", 0.0, 120.0),
    ("travel.turn_out_night", 0.0, 120.0),
    ("travel.p90", 1.0, 5.0),
    ("travel.unknown_km", 0.0, 500.0),
    ("travel.ramp_km", 0.0, 100.0),
    ("repair.customers", 1.0, 1e9),
    ("repair.median_minutes", 1.0, WEEK_MINUTES),
    ("repair.sigma", 0.0, 3.0),
    ("repair.planned", 0.1, 10.0),
    ("offers.lease_seconds", 1.0, 3_600.0),
    ("offers.lease_priority_seconds", 1.0, 3_600.0),
    ("offers.grace_seconds", 0.0, 300.0),
    ("offers.parallel_max", 1.0, PARALLEL_MAX),
    ("offers.declined_minutes", 0.0, DAY_MINUTES),
    ("offers.expired_minutes", 0.0, DAY_MINUTES),
    ("offers.silent_minutes", 1.0, DAY_MINUTES),
    ("offers.arrival_urban", 1.0, DAY_MINUTES),
    ("offers.arrival_rural", 1.0, DAY_MINUTES),
    ("offers.arrival_remote", 1.0, DAY_MINUTES),
    ("offers.appointment_minutes", 0.0, DAY_MINUTES),
    ("offers.priority_weight", 0.0, PRICE_MAX),
    ("offers.divert_ratio", 1.0, PRICE_MAX),
    ("offers.divert_minutes", 0.0, DAY_MINUTES),
    ("offers.return_minutes", 0.0, DAY_MINUTES),
    ("storm.load", 0.1, 1_000.0),
    ("storm.load_over", 0.0, 1_000.0),
    ("storm.late_divisor", 1.0, 1_000.0),
    ("storm.hold_minutes", 0.0, 60.0),
    ("storm.hold_km", 0.0, 100.0),
    ("storm.candidates_max", 1.0, 1_000.0),
    ("horizon.stops_max", 1.0, 12.0),
    ("horizon.unplanned_minutes", 1.0, WEEK_MINUTES),
    ("horizon.candidates_max", 1.0, 1_000.0),
    ("horizon.slice_iterations", 1.0, 1e6),
    ("horizon.slices", 0.0, 1_000.0),
    ("horizon.period_seconds", 1.0, 3_600.0),
];

/// Reads a file such as `deploy/dispatch/sgcc.toml`.
///
/// # Errors
///
/// All faults, in the order of the lines: at most [`switchboard_wire::faults::FAULTS_MAX`], and one entry that says how
/// many more there are. A text that is not TOML gets TOML's faults only.
pub fn read(text: &str, file_name: &str) -> Result<Policy, Vec<Fault>> {
    if text.len() > DISPATCH_BYTES_MAX {
        let reason = format!("{file_name} has {} bytes; at most {DISPATCH_BYTES_MAX} are read", text.len());
        return Err(vec![Fault { line: 1, reason }]);
    }
    let unreadable = |error: &dyn std::fmt::Display| vec![Fault { line: 1, reason: format!("{file_name}: {error}") }];
    let mut stated = Table::try_from(Policy::default()).map_err(|error| unreadable(&error))?;
    stated.remove("skills");
    let skills = read_whole(text, |reader, top| {
        lay(reader, "", top, &mut stated);
        version(reader, top);
        for (name, least, most) in RANGES {
            within(reader, top, &stated, name, *least, *most);
        }
        bands(reader, top, &stated);
        storm(reader, top, &stated);
        skills(reader, top)
    })?;
    let policy = Policy::deserialize(stated).map_err(|error| unreadable(&error))?;
    Ok(Policy { skills, ..policy })
}

/// Overwrites the defaults in `stated` with the values of the file. A value of another type is a fault.
fn lay(reader: &mut Reader, above: &str, section: Section<'_>, stated: &mut Table) {
    let mut known: Vec<String> = stated.keys().cloned().collect();
    if above.is_empty() {
        known.push("skills".to_owned());
    }
    for (key, value) in section.table {
        let key = key.get_ref().as_ref();
        let name = if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
        match stated.get_mut(key) {
            Some(slot) => put(reader, &name, value, slot),
            None if above.is_empty() && key == "skills" => {}
            None => reader.fault(value.span().start, format!("{name}: unknown; known are {}", known.join(", "))),
        }
    }
}

/// Overwrites one default with the value of the file, if the types agree.
fn put(reader: &mut Reader, name: &str, value: Value<'_>, slot: &mut Stated) {
    let wanted = match (&mut *slot, value.get_ref()) {
        (Stated::Table(inner), DeValue::Table(table)) => {
            return lay(reader, name, Section { table, at: value.span().start }, inner);
        }
        (Stated::Array(defaults), DeValue::Array(entries)) => {
            let Some(first) = defaults.first().cloned() else { return };
            *defaults = vec![first; entries.len()];
            for (slot, entry) in defaults.iter_mut().zip(entries.iter()) {
                put(reader, name, entry, slot);
            }
            return;
        }
        (Stated::Boolean(slot), DeValue::Boolean(stated)) => return *slot = *stated,
        (Stated::String(slot), DeValue::String(stated)) => return *slot = stated.to_string(),
        (Stated::Integer(slot), DeValue::Integer(integer)) => {
            match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(stated) => return *slot = stated,
                Err(_) => "a whole number of at most 18 digits",
            }
        }
        (Stated::Float(slot), DeValue::Float(float)) => match float.as_str().parse() {
            Ok(stated) => return *slot = stated,
            Err(_) => "a number",
        },
        (Stated::Float(slot), DeValue::Integer(integer)) if integer.radix() == 10 => match integer.as_str().parse() {
            Ok(stated) => return *slot = stated,
            Err(_) => "a number",
        },
        (Stated::Integer(_), _) => "a whole number",
        (Stated::Float(_), _) => "a number",
        (Stated::Boolean(_), _) => "true or false",
        (Stated::String(_), _) => "a string",
        (Stated::Array(_), _) => "a list in [ ]",
        (Stated::Table(_) | Stated::Datetime(_), _) => "a table",
    };
    reader.expected(name, wanted, value);
}

/// The value in `table` under a dotted name.
fn stands<'s>(table: &'s Table, name: &str) -> Option<&'s Stated> {
    match name.split_once('.') {
        Some((first, rest)) => stands(table.get(first)?.as_table()?, rest),
        None => table.get(name),
    }
}

/// The value in the file under a dotted name; `None` if the file leaves it out.
fn said<'d>(section: Section<'d>, name: &str) -> Option<Value<'d>> {
    match name.split_once('.') {
        Some((first, rest)) => said(Section::of(section.get(first)?)?, rest),
        None => section.get(name),
    }
}

fn place(top: Section<'_>, name: &str) -> usize {
    said(top, name).map_or(top.at, |value| value.span().start)
}

/// The numbers under a dotted name: a single number, or the entries of a list.
fn numbers(stated: &Table, name: &str) -> Vec<f64> {
    fn number(value: &Stated) -> Option<f64> {
        // Rounding affects only integers far outside every range.
        #[allow(clippy::cast_precision_loss)]
        value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
    }
    match stands(stated, name) {
        Some(Stated::Array(list)) => list.iter().filter_map(number).collect(),
        Some(value) => number(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn within(reader: &mut Reader, top: Section<'_>, stated: &Table, name: &str, least: f64, most: f64) {
    for (nth, number) in numbers(stated, name).into_iter().enumerate() {
        if !(least..=most).contains(&number) {
            let entry = said(top, name).and_then(|value| value.get_ref().as_array()?.get(nth));
            let at = entry.map_or_else(|| place(top, name), |entry| entry.span().start);
            reader.fault(at, format!("{name}: {number} is not within {least} to {most}"));
        }
    }
}

/// Checks the version: it is required, one line, and of limited length. Every reservation records it. A file without a
/// version could not be told from the default policy.
fn version(reader: &mut Reader, top: Section<'_>) {
    let Some(value) = reader.field(top, "version") else { return };
    let line = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    if value.get_ref().as_str().is_some_and(|text| !line(text) || text.len() > VERSION_BYTES_MAX) {
        reader.fault(value.span().start, format!("version: a line of 1 to {VERSION_BYTES_MAX} bytes is expected"));
    }
}

/// Checks the customer bands: they ascend, and each has a median. One more median is for the customers above the last
/// band.
fn bands(reader: &mut Reader, top: Section<'_>, stated: &Table) {
    const CUSTOMERS: &str = "repair.customers";
    const MEDIANS: &str = "repair.median_minutes";
    let (customers, medians) = (numbers(stated, CUSTOMERS), numbers(stated, MEDIANS));
    if customers.len() > BANDS_MAX {
        let reason = format!("{CUSTOMERS}: {} of them; at most {BANDS_MAX} are taken", customers.len());
        reader.fault(place(top, CUSTOMERS), reason);
    }
    if !customers.is_sorted_by(|one, next| one < next) {
        reader.fault(place(top, CUSTOMERS), format!("{CUSTOMERS}: each must be more than the one before it"));
    }
    if medians.len() != customers.len() + 1 {
        let wanted = customers.len() + 1;
        let reason = format!("{MEDIANS}: {} of them; {wanted} are expected, one more than {CUSTOMERS}", medians.len());
        reader.fault(place(top, MEDIANS), reason);
    }
}

/// Checks that a storm ends at no higher load than it begins at. Otherwise it could begin and end with every ticket.
fn storm(reader: &mut Reader, top: Section<'_>, stated: &Table) {
    if let (&[begins], &[over]) = (&*numbers(stated, "storm.load"), &*numbers(stated, "storm.load_over"))
        && over > begins
    {
        reader
            .fault(place(top, "storm.load_over"), format!("storm.load_over: {over} is more than storm.load, {begins}"));
    }
}

/// Reads the skills that each category needs.
fn skills(reader: &mut Reader, top: Section<'_>) -> Vec<SkillRule> {
    let known: Vec<_> = Skill::ALL.iter().map(|skill| (skill.as_str(), *skill)).collect();
    let sections = reader.sections(top, "skills");
    if sections.len() > SKILL_RULES_MAX {
        let reason = format!("skills: {} of them; at most {SKILL_RULES_MAX} are taken", sections.len());
        reader.fault(place(top, "skills"), reason);
        return Vec::new();
    }
    let mut rules: Vec<SkillRule> = Vec::new();
    for section in sections {
        reader.only(section, &["category", "needs"]);
        let category = reader.field(section, "category");
        let category = category.and_then(|value| {
            reader.parsed("skills.category", value, |text| Category::parse(text).ok(), Category::FORM)
        });
        let Some(list) = reader.field(section, "needs") else { continue };
        let entries: Vec<_> = reader.entries("skills.needs", list).collect();
        if list.get_ref().is_array() && entries.is_empty() {
            reader.fault(list.span().start, "skills.needs: at least one skill is expected");
        }
        let needs: Vec<_> =
            entries.into_iter().filter_map(|value| reader.word("skills.needs", value, &known)).collect();
        let Some(category) = category else { continue };
        if rules.iter().any(|rule| rule.category == category) {
            let reason = format!("skills.category: {} is said before", category.as_str());
            reader.fault(section.at, reason);
        }
        rules.push(SkillRule { category, needs: Skills::of(&needs) });
    }
    rules
}

#[cfg(test)]
mod tests;
