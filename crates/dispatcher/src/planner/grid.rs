//! Finds the jobs near a position: a sparse grid that stores only the cells with jobs.

use std::collections::BTreeMap;

use super::ranking::{Ranked, keep_least};
use crate::travel::Spot;

/// Side of a cell, in kilometres.
const CELL_KM: f64 = 2.0;
/// The maximum number of rings of cells searched around a position; jobs beyond them are not near.
const RINGS_MAX: i32 = 8;

/// Numbers by position.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    cells: BTreeMap<(i32, i32), Vec<(u32, Spot)>>,
}

impl Grid {
    fn cell(spot: Spot) -> (i32, i32) {
        ((spot.x / CELL_KM).floor() as i32, (spot.y / CELL_KM).floor() as i32)
    }

    /// Adds a number at a position.
    pub fn insert(&mut self, number: u32, spot: Spot) {
        self.cells.entry(Self::cell(spot)).or_default().push((number, spot));
    }

    /// Removes a number from its position.
    pub fn remove(&mut self, number: u32, spot: Spot) {
        let cell = Self::cell(spot);
        if let Some(members) = self.cells.get_mut(&cell) {
            members.retain(|(member, _)| *member != number);
            if members.is_empty() {
                self.cells.remove(&cell);
            }
        }
    }

    /// The nearest numbers, nearest first and at most `count`, with their distances in kilometres. The search stops one
    /// ring of cells after it has found `count`.
    pub fn near(&self, spot: Spot, count: usize, found: &mut Vec<Ranked>) {
        found.clear();
        let (x, y) = Self::cell(spot);
        let mut last = RINGS_MAX;
        for ring in 0..=RINGS_MAX {
            if ring > last {
                break;
            }
            for east in -ring..=ring {
                if east.abs() == ring {
                    self.column((x + east, y - ring, y + ring), spot, found);
                } else {
                    self.column((x + east, y - ring, y - ring), spot, found);
                    self.column((x + east, y + ring, y + ring), spot, found);
                }
            }
            // One ring more, because a corner of this ring is farther away than the side of the next.
            if found.len() >= count && last == RINGS_MAX {
                last = ring + 1;
            }
        }
        keep_least(found, count);
    }

    fn column(&self, (x, low, high): (i32, i32, i32), spot: Spot, found: &mut Vec<Ranked>) {
        for members in self.cells.range((x, low)..=(x, high)).map(|(_, members)| members) {
            found.extend(members.iter().map(|(number, place)| (place.km(spot), *number)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_what_is_taken_away_is_gone() {
        let mut grid = Grid::default();
        let at = |n: u32| Spot { x: f64::from(n % 20) * 1.3, y: f64::from(n / 20) * 1.7 };
        (0..400).for_each(|n| grid.insert(n, at(n)));
        grid.remove(210, at(210));
        let mut found = Vec::new();
        let here = Spot { x: 13.0, y: 17.0 };
        grid.near(here, 12, &mut found);
        let mut all: Vec<_> = (0..400).filter(|n| *n != 210).map(|n| (at(n).km(here), n)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        assert_eq!(found, all[..12].to_vec());
    }

    #[test]
    fn what_is_far_away_is_not_near() {
        let mut grid = Grid::default();
        grid.insert(1, Spot { x: 500.0, y: 0.0 });
        let mut found = vec![(0.0, 9)];
        grid.near(Spot::default(), 5, &mut found);
        assert!(found.is_empty());
    }
}
