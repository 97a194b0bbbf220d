//! Figures over recorded outages, compared with the result of a separate script that reads only the CSV file.

use std::{path::Path, process::Command};

use serde_json::Value;
use switchboard_tests::{
    disk::{recorded, skipped},
    stage::{Stage, run},
};

use super::{FILE, excerpt, play};

/// Returns the counts of `tests/python/outage_kpis.py` over the rows that begin within these days. Returns `None` and
/// prints a message without Python.
fn counted(file: &Path, from: &str, to: &str) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/outage_kpis.py");
    let Ok(said) = Command::new("python3").arg("-B").arg(script).arg(file).args([from, to]).output() else {
        skipped("python3 is missing: the figures are not held against a script");
        return None;
    };
    assert!(said.status.success(), "{said:?}");
    Some(serde_json::from_slice(&said.stdout).unwrap())
}

/// Returns the indicators of a period.
fn told(stage: &Stage, from: &str, to: &str) -> Vec<Value> {
    let server = stage.serve();

    let said = run(["kpi", "--from", from, "--to", to, "--org", "bc", "--json", "--server", &server.endpoint()]);
    assert!(said.ok, "{said:?}");
    server.stop();
    said.json()["values"].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Imports a file's rows and compares the figures. `days` bounds the beginnings of the rows; all of them are closed
/// within `period`.
fn compared(file: &Path, days: (&str, &str), period: (&str, &str)) {
    let Some(expected) = counted(file, days.0, days.1) else { return };
    let stage = Stage::new();
    let server = stage.serve();
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/policies/examples/bc.toml");
    let said = run(["policy", "publish", policy.to_str().unwrap(), "--server", &server.endpoint()]);
    assert!(said.ok, "{said:?}");
    server.stop();
    play(&stage, "import", file, &[]);
    let told = told(&stage, period.0, period.1);
    let of = |name: &str| told.iter().find(|value| value["name"] == name).unwrap();
    let on_time = of("arrival_on_time_rate");
    assert_eq!(on_time["numerator"], number(&expected["on_time"]), "{on_time} {expected}");
    assert_eq!(on_time["denominator"], number(&expected["tickets"]), "{on_time} {expected}");
    assert!((number(&on_time["value"]) - number(&expected["on_time_percent"])).abs() < 1e-9, "{on_time} {expected}");
    for name in ["mean_arrival_minutes", "mean_restoration_minutes"] {
        let mean = of(name);
        assert_eq!(mean["denominator"], number(&expected["tickets"]), "{mean} {expected}");
        // The server counts whole seconds, the script microseconds.
        let apart = (number(&mean["value"]) - number(&expected[name])).abs();
        assert!(apart < 1.0 / 60.0, "{mean} {expected}");
    }
    eprintln!("{expected} counted twice, the same");
}

#[test]
fn the_figures_of_a_week_of_real_outages_are_those_of_a_script_over_the_file() {
    let Some(file) = recorded(FILE) else { return };
    let week = tempfile::tempdir().unwrap();
    let week = week.path().join("week.csv");
    excerpt(&file, "2024-03-04".."2024-03-11", &week);
    compared(&week, ("2024-03-04", "2024-03-11"), ("2024-03-01", "2024-12-31"));
}

#[test]
fn the_figures_of_the_half_year_are_those_of_a_script_over_the_file() {
    let Some(file) = recorded(FILE) else { return };
    if std::env::var_os("SWITCHBOARD_LONG").is_none() {
        return skipped("the figures of the whole half year take minutes; SWITCHBOARD_LONG=1 counts them");
    }
    compared(&file, ("2000-01-01", "2100-01-01"), ("2023-06-20", "2024-07-20"));
}
