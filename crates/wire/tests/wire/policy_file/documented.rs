//! `docs/policies.md` is correct: its example is valid, its invalid example gives these faults, and it lists every
//! word.

use std::{fs, path::PathBuf};

use switchboard_domain::{
    organisation::Level,
    sla::{
        check,
        clock_history::{FactName, Word},
        policy::{RULES_MAX, WARNINGS_MAX},
    },
    ticket::{Area, BusinessType, Channel, Grade, Premises, Tier, Urgency},
};
use switchboard_wire::policy_file::{FAULTS_MAX, POLICY_BYTES_MAX, STORED_BYTES_MAX, read};

fn page() -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/policies.md")).unwrap()
}

/// The fenced code blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let found = page.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next());
    found.map(|block| format!("{block}\n")).collect()
}

#[test]
fn the_example_reads_and_the_bad_one_is_refused_in_the_words_shown() {
    let page = page();
    let [good, bad] = &blocks(&page, "toml")[..] else { panic!("two examples") };
    let policy = read("policies.md", good).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!((policy.rules.len(), policy.averages.len()), (3, 1));
    let told = read("policies.md", bad).unwrap_err();
    let told: String = told.iter().map(|fault| format!("{fault}\n")).collect();
    assert_eq!(blocks(&page, "text").last(), Some(&told));
}

#[test]
fn every_fact_word_and_value_that_a_policy_may_name_is_documented() {
    let page = page();
    fn names<T>(all: &[T], name: fn(&T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(name).collect()
    }
    let mut wanted = names(FactName::ALL, |word| word.as_str());
    wanted.extend(names(Word::ALL, |word| word.as_str()));
    wanted.extend(names(BusinessType::ALL, |word| word.as_str()));
    wanted.extend(names(Urgency::ALL, |word| word.as_str()));
    wanted.extend(names(Grade::ALL, |word| word.as_str()));
    wanted.extend(names(Area::ALL, |word| word.as_str()));
    wanted.extend(names(Tier::ALL, |word| word.as_str()));
    wanted.extend(names(Channel::ALL, |word| word.as_str()));
    wanted.extend(names(Premises::ALL, |word| word.as_str()));
    let missing: Vec<_> = wanted.into_iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
    assert_eq!(missing, Vec::<&str>::new());
    for fact in FactName::ALL {
        let in_first_cell =
            |line: &&str| line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{}`", fact.as_str())));
        let row = page.lines().find(in_first_cell);
        for word in fact.words() {
            assert!(row.is_some_and(|row| row.contains(&format!("`{}`", word.as_str()))), "{fact:?} {word:?}");
        }
    }
    let levels = Level::ALL.map(|level| serde_json::to_string(&level).unwrap().replace('"', "`")).join(", ");
    assert!(page.contains(&format!("Levels: {levels}.")), "{levels}");
}

#[test]
fn the_limits_are_the_ones_of_the_code() {
    let page = page();
    for (said, bytes) in
        [("192 KiB (`POLICY_BYTES_MAX`)", POLICY_BYTES_MAX), ("60 KiB (`STORED_BYTES_MAX`)", STORED_BYTES_MAX)]
    {
        assert!(page.contains(said) && said.starts_with(&format!("{} KiB", bytes / 1_024)), "{said}");
    }
    assert_eq!((RULES_MAX, check::AVERAGES_MAX), (200, 50));
    assert_eq!((WARNINGS_MAX, check::PAUSES_MAX, FAULTS_MAX), (4, 16, 200));
    for (said, max) in [
        ("values of a list of `when`", check::WHEN_VALUES_MAX),
        ("triggers of a list", check::TRIGGERS_MAX),
        ("words, levels of a trigger", check::WORDS_MAX),
    ] {
        let row = page.lines().find(|line| line.starts_with(&format!("| {said}")));
        assert!(row.is_some_and(|row| row.contains(&format!("| {max}"))), "{said}: {max}");
    }
    let (first, last) = (check::EFFECTIVE_YEARS.start(), check::EFFECTIVE_YEARS.end());
    assert!(page.contains(&format!("| year of `effective_from`, in UTC | {first} to {last} |")), "{first} {last}");
    assert_eq!((check::NAME_BYTES_MAX, check::ID_BYTES_MAX), (32, 32));
    assert_eq!((check::SOURCE_BYTES_MAX, check::TITLE_BYTES_MAX), (1_024, 256));
    assert_eq!((check::WORKING_DAYS_MAX, check::WINDOW_DAYS_MAX), (250, 400));
}
