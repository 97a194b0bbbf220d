//! Policy files: a valid one reads as written, and any other text is read or rejected without a panic. The tests of
//! single faults are in `faults`.

mod documented;
mod faults;

use proptest::prelude::*;
use switchboard_domain::{
    organisation::Level,
    sla::{
        clock_history::{FactName, Reading, Word},
        policy::{Limit, Pause, Policy, Threshold, Trigger, Warning, When},
    },
    ticket::{Area, BusinessType, Category, Premises, Tier},
};
use switchboard_wire::policy_file::{FAULTS_MAX, POLICY_BYTES_MAX, STORED_BYTES_MAX, limit_text, read};

/// A policy file with every key. A test counts its lines, beginning with the operator's.
const SAMPLE: &str = r#"operator = "sgcc"
effective_from = 2022-03-01T00:00:00+08:00
calendar = "cn"
source = "ten promises 2022"

[[clock]]
id = "F05u"
clock = "arrival"
title = { zh = "城区到达现场", en = "On site, urban" }
source = "ten promises 2022 [S]"
when = { business = ["fault_repair"], area = ["urban", "unknown"] }
limit = "45m"
start = ["received", "reopened"]
stop = ["crew_arrived"]
pause = [{ from = { fact = "suspended", is = ["customer"] }, until = ["resumed"] }]
cancel = ["withdrawn", { fact = "merged" }]
revive = ["unmerged"]
warn = ["50%", { at = "75%", tell = "county" }, { at = "10m before", tell = "city" }]

[[clock]]
id = "F02"
clock = "dispatch"
title = { zh = "派发", en = "Dispatched" }
source = "rules [U]"
limit = "2wh"
start = [{ fact = "received", time = "hung_up", level = ["nation"] }]
stop = ["dispatched"]
reset = ["reassigned"]
extend = ["extended"]

[[average]]
id = "F05u-avg"
title = { zh = "平均到达现场时长", en = "Mean time to arrive" }
source = "ten promises 2022 [S]"
when = { business = ["fault_repair"] }
from = "received"
to = { fact = "crew_arrived", time = "recorded" }
limit = "45m"
window = "30d"
level = "city"
"#;

fn sample() -> Policy {
    read("sample.toml", SAMPLE).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn on(fact: FactName) -> Trigger {
    Trigger { fact, is: Vec::new(), level: Vec::new(), time: Reading::Occurred }
}

#[test]
fn a_policy_file_is_read_key_by_key() {
    let policy = sample();
    assert_eq!((policy.operator.as_str(), policy.calendar.as_str()), ("sgcc", "cn"));
    assert_eq!(policy.effective_from.to_rfc3339(), "2022-02-28T16:00:00+00:00");
    assert_eq!(policy.source, "ten promises 2022");
    let [arrival, dispatch] = &policy.rules[..] else { panic!("two rules") };
    assert_eq!((arrival.id.as_str(), arrival.clock.as_str()), ("F05u", "arrival"));
    assert_eq!((arrival.title.zh.as_str(), arrival.title.en.as_str()), ("城区到达现场", "On site, urban"));
    let area = vec![Some(Area::Urban), None];
    assert_eq!(arrival.when, When { business: vec![BusinessType::FaultRepair], area, ..When::default() });
    assert_eq!(arrival.limit, Limit::Elapsed { seconds: 2_700 });
    assert_eq!(arrival.start, [on(FactName::Received), on(FactName::Reopened)]);
    assert_eq!(arrival.stop, [on(FactName::CrewArrived)]);
    let from = Trigger { is: vec![Word::Customer], ..on(FactName::Suspended) };
    assert_eq!(arrival.pauses, [Pause { from, until: vec![on(FactName::Resumed)] }]);
    assert_eq!(arrival.cancel, [on(FactName::Withdrawn), on(FactName::Merged)]);
    assert_eq!(arrival.revive, [on(FactName::Unmerged)]);
    let ladder = [
        Warning { at: Threshold::Percent(50), tell: None },
        Warning { at: Threshold::Percent(75), tell: Some(Level::County) },
        Warning { at: Threshold::Before(600), tell: Some(Level::City) },
    ];
    assert_eq!(arrival.warnings, ladder);
    assert_eq!((dispatch.when.clone(), dispatch.limit), (When::default(), Limit::WorkingTime { seconds: 7_200 }));
    let call = Trigger { level: vec![Level::Nation], time: Reading::HungUp, ..on(FactName::Received) };
    assert_eq!(dispatch.start, [call]);
    assert_eq!(
        (&dispatch.reset[..], &dispatch.extend[..]),
        (&[on(FactName::Reassigned)][..], &[on(FactName::Extended)][..])
    );
    let [average] = &policy.averages[..] else { panic!("one average") };
    assert_eq!((average.id.as_str(), average.limit_seconds, average.window_days), ("F05u-avg", 2_700, 30));
    assert_eq!(average.from, on(FactName::Received));
    assert_eq!(average.to, Trigger { time: Reading::Recorded, ..on(FactName::CrewArrived) });
    assert_eq!(average.level, Level::City);
}

#[test]
fn every_condition_has_its_key() {
    let condition = "when = { category = [\"故障报修/低压故障\"], category_not = [\"故障报修/低压故障/其他\"], \
        urgency = [\"urgent\"], grade = [\"general\"], tier = [\"a\", \"unknown\"], channel = [\"app\"], \
        premises = [\"multiple\", \"unknown\"], org = [\"sgcc/zj\"], confidential = false, anonymous = true, appointment = false }";
    let text = SAMPLE.replacen("limit = \"2wh\"", &format!("limit = \"2wh\"\n{condition}"), 1);
    let policy = read("", &text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    let when = &policy.rules[1].when;
    let category = |path: &str| Category::parse(path).unwrap();
    assert_eq!(when.category, [category("故障报修/低压故障")]);
    assert_eq!(when.category_not, [category("故障报修/低压故障/其他")]);
    assert_eq!(
        (when.tier.clone(), when.premises.clone()),
        (vec![Some(Tier::A), None], vec![Some(Premises::Multiple), None])
    );
    assert_eq!((when.urgency.len(), when.grade.len(), when.channel.len(), when.org.len()), (1, 1, 1, 1));
    assert_eq!((when.confidential, when.anonymous, when.appointment), (Some(false), Some(true), Some(false)));
    let table = SAMPLE.replacen("\n[[average]]", "\n[clock.when]\ntier = [\"b\"]\n\n[[average]]", 1);
    assert_eq!(read("", &table).unwrap().rules[1].when.tier, [Some(Tier::B)], "a table of its own says the same");
}

#[test]
fn a_hash_is_of_what_a_rule_says_and_of_nothing_else() {
    let hashes = |text: &str| {
        let policy = read("", text).unwrap();
        let rules = policy.rules.iter().map(|rule| rule.hash.clone());
        rules.chain(policy.averages.iter().map(|average| average.hash.clone())).collect::<Vec<_>>()
    };
    let before = hashes(SAMPLE);
    let mut unique = before.clone();
    unique.dedup();
    assert_eq!(unique.len(), 3);
    assert!(before.iter().all(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())));
    let spaced = SAMPLE.replace("limit = \"45m\"", "# a remark\n  limit   = '2700s'");
    assert_eq!(hashes(&spaced), before, "white space, remarks and units change no hash");
    let other = hashes(&SAMPLE.replacen("limit = \"45m\"", "limit = \"46m\"", 1));
    assert_ne!(other[0], before[0]);
    assert_eq!(other[1..], before[1..]);
    // The output of `sha256sum` for the rule's stored form: {"id":"F02",...,"hash":"",...}.
    assert_eq!(before[1], "50caa860a6705ad8887c010efc5957ae00c261a8853e50c30783521ce2be9de2");
}

#[test]
fn a_file_and_what_is_said_of_it_have_their_limits() {
    let long = format!("{SAMPLE}# {}", "x".repeat(POLICY_BYTES_MAX));
    let told = |text: &str| read("sample.toml", text).unwrap_err();
    assert_eq!(told(&long)[0].to_string(), format!("1: sample.toml has {} bytes; at most 196608 are read", long.len()));
    let unknown: String = (0..=FAULTS_MAX).map(|i| format!("key{i} = 1\n")).collect();
    let faults = told(&format!("{unknown}{SAMPLE}"));
    assert_eq!(faults.len(), FAULTS_MAX + 1);
    assert_eq!(faults[FAULTS_MAX].to_string(), "201: from here on 1 more are not told");
    let rule = &SAMPLE[SAMPLE.find("[[clock]]").unwrap()..SAMPLE.find("[[average]]").unwrap()];
    let rule = rule.replace("source = \"", &format!("source = \"{}", "x".repeat(1_000)));
    let many: String = (0..30)
        .map(|i| rule.replace("id = \"", &format!("id = \"{i}-")).replace("clock = \"", &format!("clock = \"c{i}_")))
        .collect();
    let faults = told(&SAMPLE.replacen("[[clock]]", &format!("{many}[[clock]]"), 1));
    assert_eq!(faults.len(), 1);
    assert!(faults[0].reason.ends_with(&format!("at most {STORED_BYTES_MAX} are taken")), "{faults:?}");
}

/// Fragments of files that are almost valid.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "\"45m\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        "clock",
        "[[clock]]",
        "\"received\"",
        "1",
        "\u{0}",
        "\u{7535}",
        "'",
        "-",
    ];
    prop_oneof![prop::sample::select(words.to_vec()).prop_map(str::to_owned), any::<String>()]
}

proptest! {
    #[test]
    fn no_text_at_all_makes_reading_panic(text in any::<String>()) {
        let _ = read("x.toml", &text);
    }

    #[test]
    fn a_file_that_was_damaged_somewhere_is_read_or_faulted_at_lines_that_it_has(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..30, piece()), 1..4),
    ) {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (place, length, piece) in cuts {
            let from = place.index(text.len() + 1);
            let to = (from + length).min(text.len());
            text.splice(from..to, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let lines = text.split('\n').count();
        match read("x.toml", &text) {
            Ok(policy) => prop_assert!(switchboard_domain::sla::check::faults(&policy).is_empty()),
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.is_sorted_by_key(|fault| fault.line), "{:?}", faults);
                prop_assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line)), "{:?}", faults);
                prop_assert!(faults.iter().all(|fault| !fault.reason.is_empty() && !fault.reason.contains('\n')), "{:?}", faults);
            }
        }
    }

    #[test]
    fn a_limit_reads_back_as_it_is_written(seconds in 1_i64..366 * 86_400, days in 1_u32..250) {
        for limit in [Limit::Elapsed { seconds }, Limit::WorkingTime { seconds }, Limit::WorkingDays { days }] {
            let text = SAMPLE.replacen("\"2wh\"", &format!("{:?}", limit_text(&limit)), 1);
            prop_assert_eq!(read("", &text).unwrap().rules[1].limit, limit);
        }
    }
}
