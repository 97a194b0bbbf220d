//! Workload: a route has a maximum number of stops, and an inserted stop pays for the later stops that it delays.

/// The rule's stable name.
pub const NAME: &str = "workload";

/// True when the route has no room for another stop.
#[must_use]
pub fn forbids(stops: usize, stops_max: usize) -> bool {
    stops >= stops_max.max(1)
}

/// The cost for the other stops of a route: the rise in price of the whole route minus the price of the new stop.
#[must_use]
pub fn price(rise: f64, own: f64) -> f64 {
    rise - own
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_full_route_has_no_room() {
        assert!(super::forbids(6, 6) && !super::forbids(5, 6));
        assert!(!super::forbids(0, 0), "one stop there always is");
    }

    #[test]
    fn a_stop_is_charged_for_what_others_lose() {
        assert_eq!(super::price(30.0, 20.0), 10.0);
    }
}
