//! Tests of the dispatch policy file. The shipped file is the built-in policy with a version and skills. Every fault of
//! a file is reported with its line and its name.

use std::{collections::BTreeSet, fs, path::Path};

use super::*;

fn shipped() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/dispatch/sgcc.toml")).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    read(text, "d.toml").expect_err("to be refused").iter().map(ToString::to_string).collect()
}

/// The faults of a file that consists of a valid version and these lines.
fn after(lines: &str) -> Vec<String> {
    faults(&format!("version = \"v1\"\n{lines}\n"))
}

#[test]
fn the_shipped_file_is_the_default_but_for_its_version_and_skills() {
    let policy = read(&shipped(), "sgcc.toml").unwrap_or_else(|faults| panic!("{faults:#?}"));
    let default = Policy { version: policy.version.clone(), skills: policy.skills.clone(), ..Policy::default() };
    assert_eq!(policy, default);
    assert_eq!(policy.version, "sgcc-2026-11");
}

#[test]
fn the_shipped_file_knows_the_skill_of_every_kind_of_fault() {
    let policy = read(&shipped(), "sgcc.toml").unwrap();
    let needs = |category: &str| policy.skills_of(Some(&Category::parse(category).unwrap()));
    for (category, skill) in [
        ("故障报修/高压故障/线路", Skill::HighVoltage),
        ("故障报修/低压故障/低压设备/熔断器", Skill::LowVoltage),
        ("故障报修/电能质量故障", Skill::PowerQuality),
        ("故障报修/计量故障/电能表", Skill::Metering),
        ("故障报修/客户内部故障", Skill::CustomerSide),
        ("故障报修/其他", Skill::LowVoltage),
    ] {
        assert_eq!(needs(category), Skills::of(&[skill]), "{category}");
    }
}

/// Collects the dotted names of all values of the default policy, or of its numbers only.
fn names(above: &str, table: &Table, all: bool, found: &mut BTreeSet<String>) {
    for (key, value) in table {
        let name = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        let number = |value: &Stated| value.is_integer() || value.is_float();
        match value {
            Stated::Table(inner) => names(&name, inner, all, found),
            Stated::Array(list) if all || list.first().is_some_and(number) => drop(found.insert(name)),
            value if all || number(value) => drop(found.insert(name)),
            _ => {}
        }
    }
}

#[test]
fn every_number_has_a_range_and_the_shipped_file_states_and_explains_every_value() {
    let default = Table::try_from(Policy::default()).unwrap();
    let (mut numbers, mut values) = (BTreeSet::new(), BTreeSet::new());
    names("", &default, false, &mut numbers);
    names("", &default, true, &mut values);
    let ranged: BTreeSet<_> = RANGES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(ranged, numbers);
    let text = shipped();
    let stated: Table = text.parse().unwrap();
    let silent: Vec<_> = values.iter().filter(|name| stands(&stated, name).is_none()).collect();
    assert!(silent.is_empty(), "the shipped file does not state {silent:?}");
    let lines: Vec<&str> = text.lines().collect();
    let bare = lines.windows(2).filter(|pair| pair[1].contains(" = ") && !pair[1].starts_with('#'));
    let bare: Vec<_> = bare.filter(|pair| !pair[0].starts_with('#')).map(|pair| pair[1]).collect();
    assert!(bare.iter().all(|line| line.starts_with("category") || line.starts_with("needs")), "{bare:#?}");
}

#[test]
fn a_file_may_state_little_and_the_rest_is_the_default() {
    let policy = read("version = \"v1\"\nweights.late = 300\n[storm]\nload = 5.5\n", "d.toml").unwrap();
    let mut expected = Policy { version: "v1".into(), ..Policy::default() };
    expected.weights.late = 300.0;
    expected.storm.load = 5.5;
    assert_eq!(policy, expected);
}

#[test]
fn every_number_past_an_end_of_its_range_is_refused_by_its_name() {
    for &(name, least, most) in RANGES {
        let list = name.starts_with("repair.customers") || name.starts_with("repair.median");
        for past in [least - 1.0, most + 1.0] {
            let written = if list { format!("[{past}]") } else { past.to_string() };
            let told = after(&format!("{name} = {written}"));
            let expected = format!("2: {name}: {past} is not within {least} to {most}");
            assert!(told.contains(&expected), "{name} = {written}: {told:?}");
        }
    }
    for wild in ["nan", "inf", "-inf", "1e308"] {
        assert_eq!(after(&format!("weights.late = {wild}")).len(), 1, "{wild}");
    }
}

#[test]
fn every_fault_of_a_file_is_told_at_once_with_its_line() {
    let text = r#"sead = 1
[weights]
late = "much"
lat = 3
late_minute = -1
late_by_weight = 1
[repair]
customers = [10, 1]
median_minutes = [37.0, 0.5]
[offers]
lease_seconds = 0
parallel_max = 4
silent_minutes = 2.5
[storm]
load = 1
load_over = 3.0
[horizon]
stops_max = 13
[[skills]]
category = "/"
needs = ["cables"]
[[skills]]
category = "a"
needs = []
why = 1
[[skills]]
category = "a"
needs = ["cable"]
"#;
    let known = "high_voltage, low_voltage, power_quality, metering, live_line, cable, customer_side";
    let told = faults(text);
    let starts = |start: &str| assert!(told.iter().any(|fault| fault.starts_with(start)), "{start}: {told:#?}");
    for start in [
        "1: version is missing",
        "1: sead: unknown; known are ",
        "3: weights.late: a number is expected, not a value of type string",
        "4: weights.lat: unknown; known are ",
        "5: weights.late_minute: -1 is not within 0 to 1000000",
        "6: weights.late_by_weight: true or false is expected, not a value of type integer",
        "8: repair.customers: each must be more than the one before it",
        "9: repair.median_minutes: 0.5 is not within 1 to 10080",
        "9: repair.median_minutes: 2 of them; 3 are expected, one more than repair.customers",
        "11: offers.lease_seconds: 0 is not within 1 to 3600",
        "12: offers.parallel_max: 4 is not within 1 to 3",
        "13: offers.silent_minutes: a whole number is expected, not a value of type float",
        "16: storm.load_over: 3 is more than storm.load, 1",
        "18: horizon.stops_max: 13 is not within 1 to 12",
        "20: skills.category: \"/\" is not of the form: ",
        &format!("21: skills.needs: \"cables\" is not known; known are {known}"),
        "24: skills.needs: at least one skill is expected",
        "25: \"why\": unknown key; known are category, needs",
        "26: skills.category: a is said before",
    ] {
        starts(start);
    }
    assert_eq!(told.len(), 19, "{told:#?}");
}

#[test]
fn a_version_is_a_line_of_at_most_64_bytes() {
    let versioned = |version: &str| read(&format!("version = {version:?}\n"), "d.toml");
    assert_eq!(versioned(&"v".repeat(64)).unwrap().version.len(), 64);
    for unfit in ["", "  ", "a\nb", &"v".repeat(65)] {
        assert_eq!(versioned(unfit).unwrap_err()[0].to_string(), "1: version: a line of 1 to 64 bytes is expected");
    }
    assert_eq!(faults("version = 3\n"), ["1: version: a string is expected, not a value of type integer"]);
    assert_eq!(faults(""), ["1: version is missing"]);
}

#[test]
fn what_is_no_table_no_toml_or_too_long_is_refused() {
    assert_eq!(after("weights = 3"), ["2: weights: a table is expected, not a value of type integer"]);
    assert_eq!(after("skills = 3"), ["2: skills: a list in [ ] is expected, not a value of type integer"]);
    assert_eq!(after("[weights").len(), 1);
    let long = "#".repeat(DISPATCH_BYTES_MAX + 1);
    assert_eq!(faults(&long), ["1: d.toml has 65537 bytes; at most 65536 are read"]);
    let rules: String =
        (0..=SKILL_RULES_MAX).map(|n| format!("[[skills]]\ncategory = \"c{n}\"\nneeds = [\"cable\"]\n")).collect();
    assert!(after(&rules)[0].contains("skills: 257 of them; at most 256 are taken"), "{:?}", after(&rules));
}
