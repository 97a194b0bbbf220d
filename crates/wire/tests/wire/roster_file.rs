//! Roster files: the shipped one has no faults, and every fault is reported with its line.

use std::{collections::BTreeSet, fs, path::Path};

use switchboard_domain::{
    crew::{Point, Skill, Skills, command::Enrol},
    organisation::OrgPath,
};
use switchboard_wire::roster_file::{ROSTER_BYTES_MAX, ROSTER_CREWS_MAX, read};

const SAMPLE: &str = r#"# Two crews.
[[crew]]
path = "sgcc/zj/hz/yuhang/liangzhu/crew-1"
home = [30.2090005, -120]
territory = ["sgcc/zj/hz/yuhang", "sgcc/zj/hz/linan"]
skills = ["low_voltage", "metering"]
members = ["liangzhu-1-lead"]
vehicle = "ZJ-A-0001"

[[crew]]
path = "sgcc/zj/hz/yuhang/liangzhu/crew-2"
home = [30.2, 120.1]
skills = ["cable"]
"#;

/// Changes to the sample, and the faults that they cause.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// The faults of the sample after changes.
fn after(changes: &[(&str, &str)]) -> Vec<String> {
    let mut text = SAMPLE.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    read("sample.toml", &text).expect_err("to be refused").iter().map(ToString::to_string).collect()
}

fn shipped() -> Vec<Enrol> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/rosters/example.toml");
    read("example.toml", &fs::read_to_string(path).unwrap()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[test]
fn the_shipped_roster_has_ten_crews_that_can_do_everything_between_them() {
    let crews = shipped();
    assert_eq!(crews.len(), 10);
    let skills = crews.iter().fold(Skills::NONE, |all, crew| all.union(crew.skills));
    assert_eq!(skills, Skills::of(Skill::ALL));
    let stations: BTreeSet<_> = crews.iter().map(|crew| crew.crew.org().as_str().rsplit_once('/').unwrap().0).collect();
    assert_eq!(stations.len(), 6);
    let at_home = |crew: &Enrol| crew.territory.iter().any(|unit| unit.contains(crew.crew.org()));
    assert!(crews.iter().all(at_home), "each may work where it is at home");
    let members: Vec<_> = crews.iter().flat_map(|crew| &crew.members).collect();
    assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), members.len(), "nobody is in two crews");
}

#[test]
fn a_crew_is_read_as_written_and_works_for_its_station_when_nothing_else_is() {
    let crews = read("sample.toml", SAMPLE).unwrap();
    let [first, second] = crews.as_slice() else { panic!("{crews:?}") };
    assert_eq!(first.crew.org().as_str(), "sgcc/zj/hz/yuhang/liangzhu/crew-1");
    assert_eq!(first.home, Point { latitude_e6: 30_209_001, longitude_e6: -120_000_000 }, "to the nearest millionth");
    let units: Vec<_> = first.territory.iter().map(OrgPath::as_str).collect();
    assert_eq!(units, ["sgcc/zj/hz/yuhang", "sgcc/zj/hz/linan"]);
    assert_eq!(first.skills, Skills::of(&[Skill::LowVoltage, Skill::Metering]));
    assert_eq!(
        (first.members.as_slice(), first.vehicle.as_deref()),
        (&["liangzhu-1-lead".to_owned()][..], Some("ZJ-A-0001"))
    );
    let units: Vec<_> = second.territory.iter().map(OrgPath::as_str).collect();
    assert_eq!(units, ["sgcc/zj/hz/yuhang/liangzhu"]);
    assert_eq!((second.members.len(), second.vehicle.as_ref()), (0, None));
}

#[test]
fn every_fault_is_told_at_its_line() {
    let form = "[latitude, longitude] in degrees, such as [30.382, 120.032],";
    let cases: &[Case<'_>] = &[
        (&[("path = \"sgcc/zj/hz/yuhang/liangzhu/crew-1\"\n", "")], &["2: path is missing"]),
        (
            &[("liangzhu/crew-1", "liangzhu")],
            &[
                "3: path: \"sgcc/zj/hz/yuhang/liangzhu\" is not of the form: a path of six segments and at most 120 bytes, such as \
               sgcc/zj/hz/yuhang/liangzhu/crew3",
            ],
        ),
        (&[("crew-2", "crew-1")], &["10: path: sgcc/zj/hz/yuhang/liangzhu/crew-1 is said before, in line 2"]),
        (&[("home = [30.2, 120.1]\n", "")], &["10: home is missing"]),
        (&[("[30.2, 120.1]", "[30.2]")], &[&format!("12: home: {form} is expected, not a value of type array")]),
        (&[("[30.2, 120.1]", "\"here\"")], &[&format!("12: home: {form} is expected, not a value of type string")]),
        (
            &[("[30.2, 120.1]", "[120.1, 30.2]")],
            &[&format!("12: home: [120.1, 30.2] is not on the planet; {form} is expected")],
        ),
        (
            &[("[30.2, 120.1]", "[nan, 1e300]")],
            &[&format!("12: home: [NaN, 1{}] is not on the planet; {form} is expected", "0".repeat(300))],
        ),
        (&[("\"sgcc/zj/hz/linan\"", "\"csg/gd\"")], &["5: territory: every unit lies within the crew's operator"]),
        (&[("[\"sgcc/zj/hz/yuhang\", \"sgcc/zj/hz/linan\"]", "[]")], &["5: territory is required"]),
        (&[("\"sgcc/zj/hz/linan\"", "7")], &["5: territory: a string is expected, not a value of type integer"]),
        (&[("skills = [\"cable\"]\n", "")], &["10: skills is missing"]),
        (&[("[\"cable\"]", "[]")], &["13: skills is required"]),
        (
            &[("[\"cable\"]", "[\"cables\"]")],
            &[
                "13: skills: \"cables\" is not known; known are high_voltage, low_voltage, power_quality, metering, live_line, \
               cable, customer_side",
            ],
        ),
        (
            &[("\"liangzhu-1-lead\"", "\"a name\"")],
            &["7: members is malformed; expected staff ids of letters, digits and ._-@:"],
        ),
        (&[("\"ZJ-A-0001\"", "\"\"")], &["8: vehicle is required"]),
        (
            &[("vehicle", "van")],
            &["8: \"van\": unknown key; known are path, home, territory, skills, members, vehicle"],
        ),
        (&[("# Two crews.", "operator = \"sgcc\"")], &["1: \"operator\": unknown key; known are crew"]),
    ];
    for (changes, expected) in cases {
        assert_eq!(after(changes), *expected, "{changes:?}");
    }
}

#[test]
fn all_faults_of_a_file_are_told_at_once_in_the_order_of_its_lines() {
    let faults = after(&[
        ("[30.2090005, -120]", "[91, 0]"),
        ("\"metering\"", "\"meters\""),
        ("\"liangzhu-1-lead\"", "1"),
        ("skills = [\"cable\"]", "skill = [\"cable\"]"),
    ]);
    let lines: Vec<_> = faults.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["4", "6", "7", "10", "13"], "{faults:#?}");
}

#[test]
fn a_file_without_crews_or_that_is_no_toml_is_refused() {
    let told = |text: &str| read("r.toml", text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>();
    for empty in ["", "crew = []\n"] {
        assert_eq!(told(empty), ["1: crew: at least one [[crew]] is expected"], "{empty:?}");
    }
    assert_eq!(told("crew = 3\n"), ["1: crew: a list in [ ] is expected, not a value of type integer"]);
    assert_eq!(told("[[crew]]\npath = \n").len(), 1);
}

#[test]
fn a_file_has_a_longest_length_and_a_most_of_crews() {
    let crew = |n: usize| format!("[[crew]]\npath = \"s/a/b/c/d/crew-{n}\"\nhome = [0, 0]\nskills = [\"cable\"]\n");
    let most: String = (0..ROSTER_CREWS_MAX).map(crew).collect();
    assert_eq!(read("r.toml", &most).unwrap().len(), ROSTER_CREWS_MAX);
    let more = most + &crew(ROSTER_CREWS_MAX);
    let faults = read("r.toml", &more).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].to_string(), "20001: crew: 5001 of them; at most 5000 are taken");
    let long = "#".repeat(ROSTER_BYTES_MAX + 1);
    assert_eq!(read("r.toml", &long).unwrap_err()[0].reason, "r.toml has 4194305 bytes; at most 4194304 are read");
}
