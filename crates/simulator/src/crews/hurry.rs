//! The dispatch policy for crews that work many times as fast as real time. Times that the server counts in real
//! seconds and minutes are shortened, as far as the policy's limits permit. Absent: weights, speeds and promises, which
//! concern the work itself.

use toml::{Table, Value};

/// The shortest lease that a policy permits, in seconds.
const LEASE_SECONDS_MIN: i64 = 1;
/// The policy's times in whole seconds, with the least value of each.
const SECONDS: [(&str, &str, i64); 3] = [
    ("offers", "lease_seconds", LEASE_SECONDS_MIN),
    ("offers", "lease_priority_seconds", LEASE_SECONDS_MIN),
    ("offers", "grace_seconds", 0),
];
/// The policy's times in whole minutes; they may become 0. With 0, a crew that declined may get the same offer again at
/// once.
const MINUTES: [(&str, &str); 4] = [
    ("offers", "declined_minutes"),
    ("offers", "expired_minutes"),
    ("offers", "divert_minutes"),
    ("offers", "return_minutes"),
];
/// The time for which a single call is held in a storm: a number of minutes with a fraction.
const HELD: (&str, &str) = ("storm", "hold_minutes");

/// Adapts the policy in `text` to crews that work `times` as fast.
///
/// # Errors
/// When the text is not valid TOML.
pub fn policy(text: &str, times: f64) -> Result<String, toml::de::Error> {
    let mut policy: Table = text.parse()?;
    // The result is rounded down. The numbers of a policy are small, so the casts are exact.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let shortened = |number: i64| (number as f64 / times.max(1.0)) as i64;
    let stated = |policy: &Table, (section, name): (&str, &str)| policy.get(section)?.get(name)?.as_integer();
    for (section, name, least) in SECONDS {
        if let Some(seconds) = stated(&policy, (section, name)) {
            put(&mut policy, (section, name), Value::Integer(shortened(seconds).max(least.min(seconds))));
        }
    }
    for place in MINUTES {
        if let Some(minutes) = stated(&policy, place) {
            put(&mut policy, place, Value::Integer(shortened(minutes)));
        }
    }
    let held = policy.get(HELD.0).and_then(|section| section.get(HELD.1)).and_then(Value::as_float);
    if let Some(minutes) = held {
        put(&mut policy, HELD, Value::Float(minutes / times.max(1.0)));
    }
    Ok(policy.to_string())
}

fn put(policy: &mut Table, (section, name): (&str, &str), value: Value) {
    if let Some(section) = policy.get_mut(section).and_then(Value::as_table_mut) {
        section.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../../deploy/dispatch/sgcc.toml");

    #[test]
    fn a_hurried_policy_differs_from_the_shipped_one_only_in_what_the_server_counts() {
        let shipped: Table = SHIPPED.parse().unwrap();
        let hurried: Table = policy(SHIPPED, 3600.0).unwrap().parse().unwrap();
        let changed = |policy: &Table| {
            let mut policy = policy.clone();
            for (section, name) in
                SECONDS.map(|(section, name, _)| (section, name)).iter().chain(&MINUTES).chain([&HELD])
            {
                assert!(policy[*section].as_table_mut().unwrap().remove(*name).is_some(), "{section}.{name}");
            }
            policy
        };
        assert_eq!(changed(&hurried), changed(&shipped));
        let offers = &hurried["offers"];
        assert_eq!(offers["lease_seconds"].as_integer(), Some(LEASE_SECONDS_MIN));
        assert_eq!(offers["grace_seconds"].as_integer(), Some(0));
        assert_eq!(offers["declined_minutes"].as_integer(), Some(0));
        assert!(hurried["storm"]["hold_minutes"].as_float().unwrap() < 0.01);
    }

    #[test]
    fn crews_that_work_by_the_clock_have_the_policy_as_it_stands() {
        let same: Table = policy(SHIPPED, 1.0).unwrap().parse().unwrap();
        assert_eq!(same, SHIPPED.parse().unwrap());
        assert!(policy("[offers", 2.0).is_err());
    }
}
