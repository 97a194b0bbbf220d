//! Every fault of a policy file is reported with its line, all of them at once.

use switchboard_domain::sla::check::{TRIGGERS_MAX, WHEN_VALUES_MAX, WORDS_MAX};
use switchboard_wire::policy_file::read;

use super::SAMPLE;

/// The faults of the sample after changes.
fn after(changes: &[(&str, &str)]) -> Vec<String> {
    let mut text = SAMPLE.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    read("sample.toml", &text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_fault(old: &str, new: &str, wanted: &[&str]) {
    assert_eq!(after(&[(old, new)]), wanted, "{old} -> {new}");
}

#[test]
fn what_is_no_toml_is_told_before_anything_else() {
    assert_fault("limit = \"45m\"", "limit = 45m", &["12: string values must be quoted, expected literal string"]);
    assert_fault("[[average]]", "[average]]", &["31: unexpected key or value, expected newline, `#`"]);
}

#[test]
fn the_head_of_a_file_is_checked() {
    for (old, new, wanted) in [
        ("operator = \"sgcc\"", "operator = \"sg-cc\"", &["1: operator: 1 to 32 of a-z, 0-9 and _ are expected"][..]),
        ("operator = \"sgcc\"\n", "", &["1: operator is missing"]),
        ("operator = \"sgcc\"", "operator = 1", &["1: operator: a string is expected, not a value of type integer"]),
        (
            "2022-03-01T00:00:00+08:00",
            "2022-03-01T00:00:00",
            &[
                "2: effective_from: an instant with its offset is expected, such as 2022-01-01T00:00:00+08:00, without quotes",
            ],
        ),
        (
            "2022-03-01T00:00:00+08:00",
            "\"2022-03-01\"",
            &[
                "2: effective_from: an instant with its offset is expected, such as 2022-01-01T00:00:00+08:00, without quotes",
            ],
        ),
        (
            "2022-03-01T00:00:00+08:00",
            "0001-01-01T00:00:00+08:00",
            &["2: effective_from: in UTC the year is 0; 1990 to 2200 are expected"],
        ),
        (
            "2022-03-01T00:00:00+08:00",
            "9999-12-31T23:00:00-08:00",
            &["2: effective_from: in UTC the year is 10000; 1990 to 2200 are expected"],
        ),
        ("calendar = \"cn\"", "calendar = \"CN\"", &["3: calendar: 1 to 32 of a-z, 0-9 and _ are expected"]),
        ("source = \"ten promises 2022\"", "source = \"\"", &["4: source: is empty"]),
        (
            "source = \"ten promises 2022\"",
            "sourse = \"ten promises 2022\"",
            &[
                "1: source is missing",
                "4: \"sourse\": unknown key; known are operator, effective_from, calendar, source, clock, average",
            ],
        ),
    ] {
        assert_fault(old, new, wanted);
    }
    assert_eq!(
        read("", "").unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "1: operator is missing",
            "1: effective_from is missing",
            "1: calendar is missing",
            "1: source is missing",
            "1: a policy has at least one [[clock]]"
        ]
    );
    let rules = &SAMPLE[SAMPLE.find("[[clock]]").unwrap()..SAMPLE.find("[[average]]").unwrap()];
    assert_fault(rules, "", &["1: a policy has at least one [[clock]]"]);
    assert_fault(rules, "clock = 1\n", &["6: clock: a list in [ ] is expected, not a value of type integer"]);
    assert_fault(rules, "clock = [1]\n", &["6: clock: [[clock]] is expected, not a value of type integer"]);
}

#[test]
fn what_cannot_be_read_is_told_with_what_could_have_been_written() {
    for (old, new, wanted) in [
        (
            "id = \"F05u\"",
            "name = \"F05u\"",
            &[
                "6: id is missing",
                "7: \"name\": unknown key; known are id, clock, title, source, when, limit, start, stop, pause, reset, cancel, revive, extend, warn",
            ][..],
        ),
        ("zh = \"派发\", ", "", &["23: zh is missing"]),
        (
            "title = { zh = \"派发\", en = \"Dispatched\" }",
            "title = \"Dispatched\"",
            &["23: title: a table in { } is expected, not a value of type string"],
        ),
        ("\"urban\", ", "\"city\", ", &["11: area: \"city\" is not known; known are urban, rural, remote, unknown"]),
        (
            "area = [\"urban\", \"unknown\"]",
            "area = []",
            &["11: area: an empty list lets nothing through; without area everything is let through"],
        ),
        (
            "area = [\"urban\", \"unknown\"]",
            "area = \"urban\"",
            &["11: area: a list in [ ] is expected, not a value of type string"],
        ),
        (
            "area = [\"urban\", \"unknown\"]",
            "areas = [\"urban\"]",
            &[
                "11: \"areas\": unknown key; known are business, category, category_not, urgency, grade, area, tier, channel, premises, org, confidential, anonymous, appointment",
            ],
        ),
        (
            "area = [\"urban\", \"unknown\"]",
            "category = [\"a//b\"], org = [\"SGCC\"], anonymous = \"no\"",
            &[
                "11: category: \"a//b\" is not of the form: 1 to 8 non-empty segments joined by '/', no control characters, at most 256 bytes",
                "11: org: \"SGCC\" is not of the form: 1 to 6 segments of a-z, 0-9, '_' or '-' joined by '/', operator first, at most 160 bytes",
                "11: anonymous: true or false is expected, not a value of type string",
            ],
        ),
        ("\"45m\"", "\"-45m\"", &["12: limit: \"-45m\" is less than nothing"]),
        (
            "\"45m\"",
            "\"45\"",
            &["12: limit: \"45\" is not of the form \"45m\" (s, m, h, d), \"4wd\" or \"2wh\" (wh, wm)"],
        ),
        (
            "\"45m\"",
            "\"three quarters of an hour\"",
            &[
                "12: limit: \"three quarters of an hour\" is not of the form \"45m\" (s, m, h, d), \"4wd\" or \"2wh\" (wh, wm)",
            ],
        ),
        (
            "\"45m\"",
            "45",
            &["12: limit: \"45m\" (s, m, h, d), \"4wd\" or \"2wh\" (wh, wm) is expected, not a value of type integer"],
        ),
        ("\"45m\"", "\"99999999999999999999h\"", &["12: limit: \"99999999999999999999h\" is more than can be counted"]),
        ("limit = \"45m\"\n", "", &["6: limit is missing"]),
        (
            "\"crew_arrived\"",
            "\"arrived\"",
            &["14: stop: \"arrived\" is not known; near it are crew_arrived, received, urged"],
        ),
        (
            "\"crew_arrived\"",
            "\"crew_arive\"",
            &["14: stop: \"crew_arive\" is not known; near it are crew_arrived, received, crew_accepted"],
        ),
        (
            "stop = [\"crew_arrived\"]",
            "stop = \"crew_arrived\"",
            &["14: stop: a list in [ ] is expected, not a value of type string"],
        ),
        ("stop = [\"crew_arrived\"]\n", "", &["6: stop is missing"]),
        (
            "stop = [\"crew_arrived\"]",
            "stop = [1, { facts = [] }]",
            &[
                "14: stop: a fact's name or { fact = ... } is expected, not a value of type integer",
                "14: fact is missing",
                "14: \"facts\": unknown key; known are fact, is, level, time",
            ],
        ),
        (
            "is = [\"customer\"]",
            "is = [\"client\"]",
            &["15: is: \"client\" is not known; known are customer, works, third_party, weather"],
        ),
        (
            "is = [\"customer\"]",
            "is = []",
            &["15: is: an empty list lets nothing through; without is everything is let through"],
        ),
        (
            "until = [\"resumed\"]",
            "till = [\"resumed\"]",
            &["15: until is missing", "15: \"till\": unknown key; known are from, until"],
        ),
        ("pause = [{", "pause = [1, {", &["15: pause: a table in { } is expected, not a value of type integer"]),
        (
            "time = \"hung_up\"",
            "time = \"hungup\"",
            &["26: time: \"hungup\" is not known; known are occurred, recorded, hung_up, appointment"],
        ),
        (
            "level = [\"nation\"]",
            "level = [\"national\"]",
            &["26: level: \"national\" is not known; known are nation, province, city, county, station, crew"],
        ),
        ("\"50%\"", "\"half\"", &["18: warn: \"half\" is not of the form \"50%\" or \"10m before\""]),
        ("\"10m before\"", "\"10m\"", &["18: at: \"10m\" is not of the form \"50%\" or \"10m before\""]),
        (
            "tell = \"county\"",
            "tell = \"boss\"",
            &["18: tell: \"boss\" is not known; known are nation, province, city, county, station, crew"],
        ),
        ("{ at = \"75%\", tell = \"county\" }", "{ tell = \"county\" }", &["18: at is missing"]),
        ("window = \"30d\"", "window = \"30\"", &["39: window: \"30\" is not of the form \"30d\""]),
        (
            "level = \"city\"",
            "level = \"town\"",
            &["40: level: \"town\" is not known; known are nation, province, city, county, station, crew"],
        ),
        ("to = { fact = \"crew_arrived\"", "to = { time = \"recorded\" } #", &["37: fact is missing"]),
    ] {
        assert_fault(old, new, wanted);
    }
}

#[test]
fn what_the_domain_finds_is_told_at_its_line() {
    for (old, new, wanted) in [
        ("id = \"F05u\"", "id = \"\"", &["7: id: 1 to 32 of letters, digits, _, - and . are expected"][..]),
        ("clock = \"arrival\"", "clock = \"Arrival\"", &["8: clock: 1 to 32 of a-z, 0-9 and _ are expected"]),
        ("id = \"F05u-avg\"", "id = \"F02\"", &["32: id: F02 is also the id in line 20"]),
        ("en = \"Dispatched\"", "en = \" \"", &["23: title.en: is empty"]),
        ("\"45m\"", "\"0m\"", &["12: limit: more than 0 is expected"]),
        ("\"45m\"", "\"367d\"", &["12: limit: longer than 366 days"]),
        ("\"45m\"", "\"251wd\"", &["12: limit: longer than 250 working days"]),
        ("start = [\"received\", \"reopened\"]", "start = []", &["13: start: a clock that nothing starts never runs"]),
        ("stop = [\"dispatched\"]", "stop = []", &["27: stop: a clock that nothing stops keeps no promise"]),
        ("until = [\"resumed\"]", "until = []", &["15: pause.until: a pause that nothing ends waits for ever"]),
        ("\"50%\"", "\"100%\"", &["18: warn: 1% to 99% are expected"]),
        (
            "\"50%\"",
            "\"80%\"",
            &[
                "18: warn: comes no later than a warning that is written before it",
                "18: warn: comes no later than a warning that is written before it",
            ],
        ),
        ("\"10m before\"", "\"45m before\"", &["18: warn: comes before the clock starts; the limit is 45m"]),
        (
            "[\"fault_repair\"], area",
            "[\"opinion\", \"praise\"], grade = [\"major\"], area",
            &[
                "11: when.grade: the tickets that are meant have no grade (opinion, praise)",
                "14: stop: crew_arrived never happens to the tickets that are meant (opinion, praise)",
                "16: cancel: merged never happens to the tickets that are meant (opinion, praise)",
                "17: revive: unmerged never happens to the tickets that are meant (opinion, praise)",
            ],
        ),
        (
            "area = [\"urban\", \"unknown\"]",
            "category = [\"a\", \"b/c\"], category_not = [\"b\"]",
            &["11: when.category: b/c lies within b, which category_not shuts out"],
        ),
        (
            "area = [\"urban\", \"unknown\"]",
            "org = [\n    \"sgcc/zj\",\n    \"csg/gd\",\n]",
            &["13: when.org: csg/gd is no unit of sgcc"],
        ),
        (
            "[\"fault_repair\"], area = [\"urban\", \"unknown\"]",
            "[\"report\"], confidential = false, anonymous = false",
            &[
                "11: when.confidential: whoever is known in these tickets is kept confidential",
                "14: stop: crew_arrived never happens to the tickets that are meant (report)",
                "16: cancel: merged never happens to the tickets that are meant (report)",
                "17: revive: unmerged never happens to the tickets that are meant (report)",
            ],
        ),
        (
            "clock = \"dispatch\"",
            "clock = \"arrival\"",
            &[
                "20: when: a ticket can be meant by this rule and by F05u in line 6; of the rules of arrival at most one may fit",
            ],
        ),
        (
            "stop = [\"crew_arrived\"]",
            "stop = [\n    \"crew_arrived\",\n    { fact = \"replied\", is = [\"reached\"] },\n]",
            &["16: is: \"reached\" is not known; known are resolved, not_ours, explained"],
        ),
        (
            "stop = [\"crew_arrived\"]",
            "stop = [{ fact = \"merged\", is = [\"last\"] }]",
            &["14: is: \"last\" is not known; there is none here"],
        ),
        (
            "stop = [\"crew_arrived\"]",
            "stop = [{ fact = \"crew_arrived\", level = [\"city\"] }]",
            &["14: stop: after crew_arrived no such ticket is at level city"],
        ),
        (
            "stop = [\"crew_arrived\"]",
            "stop = [{ fact = \"crew_arrived\", time = \"hung_up\" }]",
            &["14: stop: crew_arrived has no time hung_up; only received has"],
        ),
        (
            "stop = [\"crew_arrived\"]",
            "stop = [{ fact = \"escalated\", is = [\"complaint\"] }]",
            &["14: stop: escalated with the word complaint never happens to the tickets that are meant (fault_repair)"],
        ),
        (
            "cancel = [\"withdrawn\"",
            "cancel = [\"received\"",
            &["16: cancel: received also starts this clock: it ends as it starts"],
        ),
        ("extend = [\"extended\"]", "extend = [\"urged\"]", &["29: extend: urged grants no time; only extended does"]),
        ("window = \"30d\"", "window = \"0d\"", &["39: window: more than 0 is expected"]),
        (
            "when = { business = [\"fault_repair\"] }",
            "when = { business = [\"complaint\"] }",
            &["37: to: crew_arrived never happens to the tickets that are meant (complaint)"],
        ),
    ] {
        assert_fault(old, new, wanted);
    }
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_lines() {
    let changes = [
        ("level = \"city\"", "level = \"town\""),
        ("\"45m\"", "\"-45m\""),
        ("stop = [\"dispatched\"]", "stop = [\"crew_restored\", \"arrived\"]"),
        ("calendar = \"cn\"", "calender = \"cn\""),
        ("limit = \"2wh\"", "limit = \"0wh\""),
    ];
    assert_eq!(
        after(&changes),
        [
            "1: calendar is missing",
            "3: \"calender\": unknown key; known are operator, effective_from, calendar, source, clock, average",
            "12: limit: \"-45m\" is less than nothing",
            "27: stop: \"arrived\" is not known; near it are crew_arrived, received, urged",
            "40: level: \"town\" is not known; known are nation, province, city, county, station, crew"
        ]
    );
}

#[test]
fn a_list_that_is_too_long_is_told_at_its_key() {
    let many = |entry: &str, count: usize| format!("[{}]", vec![entry; count].join(", "));
    let areas = many("\"urban\"", WHEN_VALUES_MAX + 1);
    let stops = many("\"crew_arrived\"", TRIGGERS_MAX + 1);
    let levels = many("\"crew\"", WORDS_MAX + 1);
    for (old, new, wanted) in [
        (
            "when = { business = [\"fault_repair\"], area = [\"urban\", \"unknown\"] }\n",
            format!("when.business = [\"fault_repair\"]\nwhen.area = {areas}\n"),
            "12: when.area: more than 64",
        ),
        ("stop = [\"crew_arrived\"]", format!("stop = {stops}"), "14: stop: more than 16"),
        (
            "until = [\"resumed\"]",
            format!("until = {}", stops.replace("crew_arrived", "resumed")),
            "15: pause.until: more than 16",
        ),
        (
            "stop = [\"crew_arrived\"]",
            format!("stop = [\n\"crew_arrived\",\n{{ fact = \"crew_arrived\", level = {levels} }}]"),
            "16: stop: a trigger has at most 16 words, and as many levels",
        ),
    ] {
        assert_fault(old, &new, &[wanted]);
    }
}

#[test]
fn a_name_that_is_none_is_told_once_however_many_units_and_rules_stand_under_it() {
    let operator = "x".repeat(1_000);
    let changes =
        [("\"sgcc\"", format!("{operator:?}")), ("area = [", "org = [\"sgcc/zj\", \"csg/gd\"], area = [".into())];
    let changes: Vec<(&str, &str)> = changes.iter().map(|(old, new)| (*old, new.as_str())).collect();
    assert_eq!(after(&changes), ["1: operator: 1 to 32 of a-z, 0-9 and _ are expected"]);
}
