//! Ranks numbers by a key, smallest first. Ties go to the lower number, so that the order is the same on every machine.

use std::cmp::Ordering;

/// The key and the number.
pub type Ranked = (f64, u32);

/// The order of two ranked numbers.
pub fn order(a: &Ranked, b: &Ranked) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Keeps the `most` smallest, in order.
pub fn keep_least(found: &mut Vec<Ranked>, most: usize) {
    if found.len() > most {
        found.select_nth_unstable_by(most, order);
        found.truncate(most);
    }
    found.sort_unstable_by(order);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_are_kept_in_order_and_of_equal_ones_the_lower_numbers() {
        let kept = |most| {
            let mut found = vec![(2.0, 7), (1.0, 9), (2.0, 3), (f64::NEG_INFINITY, 5), (2.0, 4)];
            keep_least(&mut found, most);
            found.into_iter().map(|(_, number)| number).collect::<Vec<_>>()
        };
        assert_eq!(kept(3), [5, 9, 3]);
        assert_eq!((kept(0), kept(9)), (vec![], vec![5, 9, 3, 4, 7]));
    }
}
