//! Tests of mappings and rows: valid input, and every reason for refusal.

use std::io::Write as _;

use crate::{
    mapping::{Mapping, MappingError},
    outage::Outage,
    rows::{FIELD_BYTES_MAX, ROW_BYTES_MAX, RowProblem, Rows},
};

const MAPPING: &str = r#"
source = "test"
operator = "op"
key = ["id"]
[file]
delimiter = ";"
[time]
formats = ["%Y-%m-%d %H:%M", "unix", "rfc3339"]
offset = "+08:00"
[when]
state = ["done", ""]
[ticket]
business_type = "fault_repair"
channel = "proactive"
content = "Out: {place|or:somewhere}."
category = "fault/{cause|causes}"
cause = "{cause|or:unknown}"
received = "{from}"
restored = "{to}"
customers_out = "{n}"
latitude = "{lat}"
longitude = "{lat}"
route = ["op/{region|regions}/{place|first|slug}", "op/{region|regions}/{place|first|slug}/a/b/crew-{id|spread:4}"]
[tables.causes]
"wind" = "weather"
"*" = "other"
[tables.regions]
"R 1" = "r1"
"#;

const HEADER: &str = "id;state;place;cause;from;to;n;lat;region\n";

fn rows(text: &str) -> Vec<Result<Outage, RowProblem>> {
    let bytes = format!("{HEADER}{text}").into_bytes();
    Rows::new(Mapping::parse(MAPPING).unwrap(), Box::new(std::io::Cursor::new(bytes))).unwrap().collect()
}

fn problem(row: &str) -> String {
    let all = rows(row);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap().unwrap_err().reason
}

fn with(from: &str, to: &str) -> String {
    assert!(MAPPING.contains(from), "{from}");
    Mapping::parse(&MAPPING.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn a_row_becomes_an_outage_through_columns_constants_tables_and_filters() {
    let all = rows("7;done;Port Moody, Anmore;wind;2024-05-01 08:30;1714525200.5;12;49.5;R 1\n");
    let outage = all[0].clone().unwrap();
    assert_eq!(outage.key, "7");
    assert_eq!(outage.line, 2);
    assert_eq!(outage.content, "Out: Port Moody, Anmore.");
    assert_eq!(outage.category, "fault/weather");
    assert_eq!(outage.received.to_rfc3339(), "2024-05-01T00:30:00+00:00", "a naive time is read at the offset given");
    assert_eq!(outage.restored.unwrap().to_rfc3339(), "2024-05-01T01:00:00.500+00:00");
    assert_eq!((outage.latitude_e6, outage.customers_out), (Some(49_500_000), Some(12)));
    assert_eq!(outage.route[0], "op/r1/port-moody");
    assert!(outage.route[1].starts_with("op/r1/port-moody/a/b/crew-"), "{:?}", outage.route);
}

#[test]
fn an_empty_value_takes_its_default_and_an_unnamed_one_the_star_of_its_table() {
    let outage = rows("7;;Here;;2024-05-01T08:30:00Z;;;;R 1\n")[0].clone().unwrap();
    assert_eq!(outage.category, "fault/other");
    assert_eq!((outage.restored, outage.customers_out, outage.latitude_e6), (None, None, None));
    assert!(problem("7;;;;2024-05-01T08:30:00Z;;;;R 1\n").contains("route"), "an empty segment is no unit");
}

#[test]
fn rows_that_the_filter_does_not_name_are_not_rows() {
    let all = rows("1;open;P;x;1;2;1;1;R 1\n2;done;P;x;1;2;1;1;R 1\n");
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].as_ref().unwrap().key, "2");
}

#[test]
fn a_bad_row_is_named_by_line_and_reason_and_the_rest_goes_on() {
    let all = rows(concat!(
        "1;;P;wind;1714525200;1714525300;1;1;R 1\n",
        "2;;P;wind;yesterday;1714525300;1;1;R 1\n",
        "3;;\"P\nQ\";wind;1714525200;1714525300;many;1;R 1\n",
        "4;;P;wind;1714525200\n",
        "5;;P;wind;1714525200;1714525300;1;91;R 1\n",
        "6;;P;wind;1714525200;1714525100;1;1;R 1\n",
        ";;P;wind;1714525200;1714525300;1;1;R 1\n",
        "8;;P;wind;1714525200;1714525300;1;1;R 2\n",
        "9;;P;wind;1714525200;1714525300;1;1;R 1\n",
    ));
    let problems: Vec<(u64, String)> =
        all.iter().filter_map(|row| row.as_ref().err()).map(|p| (p.line, p.reason.clone())).collect();
    let expected = [
        (3, "received: \"yesterday\" is no instant in the formats of the mapping"),
        (4, "customers_out: \"many\" is no whole number"),
        (6, "5 fields where the header has 9"),
        (7, "latitude: \"91\" is not a number of degrees up to 90"),
        (8, "restored at 2024-05-01 00:58:20 UTC, before it was received at 2024-05-01 01:00:00 UTC"),
        (9, "empty key: id"),
        (10, "column region: \"R 2\" is not in table regions"),
    ];
    assert_eq!(problems, expected.map(|(line, reason)| (line, reason.to_owned())));
    assert_eq!(all.iter().filter(|row| row.is_ok()).count(), 2);
}

#[test]
fn a_column_that_the_file_lacks_is_refused_by_name_with_those_it_has() {
    let mapping = Mapping::parse(&MAPPING.replace("{cause|", "{reason|").replace("{n}", "{customers}")).unwrap();
    let Err(error) = Rows::new(mapping, Box::new(HEADER.as_bytes())) else { panic!("it was not refused") };
    assert_eq!(
        error.to_string(),
        "the file has no column customers, reason; it has id, state, place, cause, from, to, n, lat, region"
    );
    let doubled = Rows::new(Mapping::parse(MAPPING).unwrap(), Box::new("id;id\n".as_bytes())).err().unwrap();
    assert!(matches!(doubled, MappingError::DoubledColumn(name) if name == "id"));
}

#[test]
fn a_mapping_with_anything_unknown_in_it_is_refused_with_the_place() {
    assert!(with("cause = \"{cause|or", "cuase = \"{cause|or").contains("unknown field `cuase`"));
    assert!(with("key = [\"id\"]", "key = []").contains("key: names no column"));
    assert!(with("{region|regions}", "{region|regoins}").contains("tables: causes, regions"));
    assert!(with("spread:4", "spread:0").contains("needs a number from 1"));
    assert!(with("\"unix\"", "\"%Q\"").contains("\"%Q\" is not rfc3339"));
    assert!(with("+08:00", "Peking").contains("offset"));
    assert!(with("{lat}\"\nlong", "{lat\"\nlong").contains("a brace stays open"));
    assert!(with("\";\"", "\"||\"").contains("delimiter"));
    assert!(with("received = \"{from}\"\n", "").contains("missing field `received`"));
}

#[test]
fn a_word_that_the_api_does_not_know_makes_its_row_bad() {
    let mapping = Mapping::parse(&MAPPING.replace("\"fault_repair\"", "\"{state|or:fault}\"")).unwrap();
    let text = format!("{HEADER}1;;P;wind;1714525200;1714525300;1;1;R 1\n").into_bytes();
    let row = Rows::new(mapping, Box::new(std::io::Cursor::new(text))).unwrap().next().unwrap();
    assert_eq!(row.unwrap_err().reason, "business_type: \"fault\" is not a word of the API");
}

#[test]
fn what_is_not_utf8_is_a_bad_row_and_a_byte_order_mark_is_nothing() {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(HEADER.as_bytes());
    bytes.extend(b"1;;\xff;wind;1714525200;1714525300;1;1;R 1\n2;;P;wind;1714525200;1714525300;1;1;R 1\n");
    let rows = Rows::new(Mapping::parse(MAPPING).unwrap(), Box::new(std::io::Cursor::new(bytes))).unwrap();
    let all: Vec<_> = rows.collect();
    assert_eq!(all[0].as_ref().unwrap_err(), &RowProblem { line: 2, reason: "not UTF-8".to_owned(), fatal: false });
    assert_eq!(all[1].as_ref().unwrap().key, "2");
}

#[test]
fn a_field_past_its_limit_is_skipped_and_a_row_past_its_limit_ends_the_reading() {
    let long = "x".repeat(FIELD_BYTES_MAX + 1);
    let all = rows(&format!("1;;{long};w;1;2;1;1;R 1\n2;;P;w;1;2;1;1;R 1\n"));
    assert!(all[0].as_ref().unwrap_err().reason.contains("column place is longer"));
    assert!(all[1].is_ok());

    let never_closed = "y".repeat(2 * ROW_BYTES_MAX);
    let all = rows(&format!("1;;P;w;1;2;1;1;R 1\n2;;\"{never_closed};w;1;2;1;1;R 1\n"));
    assert_eq!(all.len(), 2);
    let last = all[1].as_ref().unwrap_err();
    assert!(last.fatal && last.reason.contains("a row is longer"), "{last:?}");
}

#[test]
fn gzip_is_recognised_by_its_bytes_and_a_torn_file_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.any");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    write!(packer, "{HEADER}").unwrap();
    for id in 0..5000 {
        writeln!(packer, "{id};;P{};wind;1714525200;1714525300;1;1;R 1", id * id).unwrap();
    }
    let packed = packer.finish().unwrap();
    std::fs::write(&path, &packed).unwrap();
    let mapping = Mapping::parse(MAPPING).unwrap();
    assert_eq!(Rows::open(mapping.clone(), &path).unwrap().filter(Result::is_ok).count(), 5000);

    std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    let all: Vec<_> = Rows::open(mapping, &path).unwrap().collect();
    assert!(all.last().unwrap().as_ref().unwrap_err().fatal);
    assert!(all.len() > 100);
}

#[test]
fn keys_of_several_columns_are_told_apart_wherever_the_seam_is() {
    let mapping = Mapping::parse(&MAPPING.replace("key = [\"id\"]", "key = [\"id\", \"state\"]")).unwrap();
    let mapping = Mapping { when: std::collections::BTreeMap::new(), ..mapping };
    let tail = "P;w;1;2;1;1;R 1";
    let text = format!("{HEADER}a|;b;{tail}\na;|b;{tail}\na\\|;b;{tail}\n").into_bytes();
    let rows = Rows::new(mapping, Box::new(std::io::Cursor::new(text))).unwrap();
    let keys: std::collections::BTreeSet<String> = rows.map(|row| row.unwrap().key).collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
}
