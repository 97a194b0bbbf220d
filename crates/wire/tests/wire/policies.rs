//! The shipped policies: they have no faults, they cover or excuse every row of the list of deadlines, and they judge
//! tickets as the rows intend. The domain's tests cover clocks in general.

mod tale;
mod verdicts;

use std::{collections::BTreeSet, fs, path::PathBuf};

use switchboard_domain::{
    sla::{
        check,
        clock_history::FactName,
        policy::{Limit, Policy, Rule},
        publication::{PolicyEvent, PolicyPublished},
    },
    ticket::Area,
};
use switchboard_wire::{
    policy_file::{POLICY_BYTES_MAX, limit_text, read, seconds_text},
    stored::Stored,
};

const CURRENT: [&str; 2] = ["sgcc.toml", "csg.toml"];
const ALL: [&str; 3] = ["sgcc.toml", "csg.toml", "history/sgcc-2011.toml"];

/// The ids of all deadlines: fault repair (F), other tickets (N), service applications (A).
const ROWS: [&str; 52] = [
    "F01", "F01b", "F02", "F02b", "F03", "F04", "F05u", "F05r", "F05m", "F05x", "F06", "F07u", "F07r", "F07c", "F08",
    "F09", "F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "N01", "N02", "N02b", "N02c", "N03", "N03o",
    "N04", "N04o", "N04p", "N04c", "N05", "N06", "N07", "N08", "N09", "N10", "N11", "N12", "N13", "N14", "N15", "A01",
    "A02", "A03", "A04", "A05", "A06",
];

fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policies").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn policy(name: &str) -> Policy {
    read(name, &text(name)).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"))
}

/// The row of a rule id: the part before the dash.
fn row(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// The rows that the rules and averages of a policy cover.
fn judged(policy: &Policy) -> BTreeSet<String> {
    let rules = policy.rules.iter().map(|rule| &rule.id);
    rules.chain(policy.averages.iter().map(|average| &average.id)).map(|id| row(id).to_owned()).collect()
}

/// The rows that the head of a file excuses: `#   F01   why no rule judges it`.
fn excused(text: &str) -> BTreeSet<String> {
    let head = text.lines().take_while(|line| line.starts_with('#'));
    let list = head.skip_while(|line| !line.starts_with("# Rows that no rule"));
    let lines = list.filter_map(|line| line.strip_prefix("#   "));
    let rows = lines.map(|line| {
        let (row, reason) = line.split_once(' ').unwrap_or((line, ""));
        assert!(reason.trim().len() > 5, "{line}: without a reason");
        row.to_owned()
    });
    rows.collect()
}

#[test]
fn every_shipped_policy_reads_without_fault() {
    for name in ALL {
        let policy = policy(name);
        assert_eq!(check::faults(&policy), [], "{name}");
        assert!(name.contains(&policy.operator), "{name} is of {}", policy.operator);
        assert_eq!(policy.calendar, "cn");
    }
}

#[test]
fn a_current_policy_accounts_for_every_row_of_the_deadlines() {
    let rows: BTreeSet<String> = ROWS.map(str::to_owned).into();
    for name in CURRENT {
        let (judged, excused) = (judged(&policy(name)), excused(&text(name)));
        let both: Vec<_> = judged.intersection(&excused).collect();
        assert!(both.is_empty(), "{name}: judged, and excused all the same: {both:?}");
        let accounted: BTreeSet<String> = judged.union(&excused).cloned().collect();
        assert_eq!(accounted, rows, "{name}");
    }
}

#[test]
fn what_each_operator_promises_is_what_its_rows_say() {
    let limits = |name: &str| {
        let policy = policy(name);
        let rules = policy.rules.iter().map(|rule| (rule.id.clone(), limit_text(&rule.limit)));
        let averages =
            policy.averages.iter().map(|a| (a.id.clone(), format!("{} on average", seconds_text(a.limit_seconds))));
        let limits: Vec<String> = rules.chain(averages).map(|(id, limit)| format!("{id} {limit}")).collect();
        limits.join(", ")
    };
    assert_eq!(
        limits("sgcc.toml"),
        "F02 2m, F03 3m, F05u 45m, F05r 90m, F05m 2h, F05x-u 1h, F05x-r 2h, F05x-m 4h, F06 5m, F08 5m, F09 30m, F10 1d, \
         N01 20m, N02 2h, N03 1d, N04 4wd, N04p 5wd, N05 9wd, N05-public 10wd, N06 9wd, N06-public 10wd, N07 4wd, N08 5wd, \
         N08-internal 4wd, N10 10wd, N11 7d, N12 10d, N13 1wd, A01 1d, A01-reply 1wd, A02 1d, A02-reply 1wd, A03 4wd, \
         A03-public 5wd, A04 4wd, A04-public 5wd, A05 45m, A05-reply 2h, A06 5wd, N15-fault-city 10m, N15-fault-county 15m, \
         N15-fault-crew 25m, N15-province 4h, N15-city 1wd, N15-county 2wd, N15-crew 3wd, N15-province-9wd 1wd, \
         N15-city-9wd 2wd, N15-county-9wd 4wd, N15-crew-9wd 7wd, F05u-avg 45m on average, F05r-avg 90m on average, \
         F05m-avg 2h on average, F07u 3h on average, F07r 4h on average"
    );
    assert_eq!(
        limits("csg.toml"),
        "F02b 5m, F04 1h, F05u 45m, F05r 90m, F05m 2h, F05x-u 1h, F05x-r 2h, F05x-m 4h, N04c 5wd, A01 12h, \
         F05u-avg 45m on average, F05r-avg 90m on average, F05m-avg 2h on average, F07c-u 4h on average, F07c-r 5h on average"
    );
    assert_eq!(
        limits("history/sgcc-2011.toml"),
        "F05u 45m, F05r 90m, F05m 2h, F05x-u 1h, F05x-r 2h, F05x-m 4h, N03o 1wd, N04o 6wd, N04p 7wd, A04o 6wd, A04o-public 7wd"
    );
}

#[test]
fn every_rule_says_how_well_it_is_founded() {
    for name in ALL {
        let policy = policy(name);
        let rules = policy.rules.iter().map(|rule| (&rule.id, &rule.source));
        for (id, source) in rules.chain(policy.averages.iter().map(|average| (&average.id, &average.source))) {
            let marked = ["[S]", "[S?]", "[U]", "[I]"].into_iter().any(|mark| source.contains(mark));
            assert!(marked, "{name} {id}: {source}");
        }
    }
}

#[test]
fn no_return_and_no_suspension_touches_a_clock_of_the_customer() {
    for name in ALL {
        for rule in policy(name).rules {
            assert!(rule.pauses.is_empty(), "{name} {}", rule.id);
            let internal = matches!(row(&rule.id), "F02" | "F02b" | "F03" | "F04" | "N01" | "N02");
            let ends = rule.stop.iter().chain(&rule.cancel).any(|trigger| trigger.fact == FactName::Returned);
            assert!(internal || !ends, "{name} {}: a return ends it", rule.id);
        }
    }
}

#[test]
fn an_area_that_nobody_said_has_the_limit_of_the_city() {
    for name in ALL {
        let policy = policy(name);
        for clock in ["arrival", "arrival_statutory"] {
            let of = |area| {
                let fits = |rule: &&_| rule_is(rule, clock, area);
                let found: Vec<_> = policy.rules.iter().filter(fits).map(|rule| rule.limit).collect();
                assert_eq!(found.len(), 1, "{name} {clock} {area:?}");
                found[0]
            };
            assert_eq!(of(None), of(Some(Area::Urban)), "{name} {clock}");
            let seconds = |limit| if let Limit::Elapsed { seconds } = limit { seconds } else { panic!("{limit:?}") };
            let ladder = [Area::Urban, Area::Rural, Area::Remote].map(|area| seconds(of(Some(area))));
            assert!(ladder.is_sorted(), "{name} {clock}: {ladder:?}");
        }
    }
}

fn rule_is(rule: &Rule, clock: &str, area: Option<Area>) -> bool {
    rule.clock == clock && rule.when.area.contains(&area)
}

/// The largest fact of the log: 64 KiB. A policy is one fact.
const STORED_BYTES_MAX: usize = 64 * 1024;

#[test]
fn a_shipped_policy_is_small_enough_to_be_read_and_stored() {
    for name in ALL {
        assert!(text(name).len() < POLICY_BYTES_MAX, "{name}");
        let published = PolicyEvent::Published(Box::new(PolicyPublished { policy: policy(name) }));
        let stored = published.payload().unwrap().len();
        assert!(stored < STORED_BYTES_MAX, "{name}: {stored} bytes are stored");
        println!("{name}: {stored} bytes");
    }
}
