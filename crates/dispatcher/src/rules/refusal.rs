//! Refusal: a crew that declined a ticket or let its offer lapse is not asked again for a while.

/// The rule's stable name.
pub const NAME: &str = "refusal";

/// Whether this crew is not to be asked now; `excluded` = crews, and until when.
#[must_use]
pub fn forbids(excluded: &[(u32, f64)], team: u32, now: f64) -> bool {
    excluded.iter().any(|(crew, until)| *crew == team && now < *until)
}

#[cfg(test)]
mod tests {
    #[test]
    fn who_declined_is_asked_again_when_the_time_is_over() {
        let excluded = [(2, 50.0)];
        assert!(super::forbids(&excluded, 2, 49.9) && !super::forbids(&excluded, 2, 50.0));
        assert!(!super::forbids(&excluded, 1, 0.0));
    }
}
