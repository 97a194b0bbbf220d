//! Overlap: whether one ticket can meet two conditions. A condition is a list of values per attribute; two conditions
//! overlap unless one attribute separates them. The paths of each rule are sorted once, so that comparing a pair is
//! linear in its length: a policy of n rules has n(n-1)/2 pairs.

use super::{Check, Flaw, Place, Rule, When};

impl Check {
    /// Reports every pair of rules of one clock that can apply to one ticket. Each rule comes with its index in the
    /// policy, and none has a list that is too long.
    pub(super) fn overlaps(&mut self, rules: &[(usize, &Rule)]) {
        let asked: Vec<Asked<'_>> = rules.iter().map(|(_, rule)| Asked::of(&rule.when)).collect();
        for (at, (index, rule)) in rules.iter().enumerate() {
            for (before, (other, earlier)) in rules[..at].iter().enumerate() {
                if rule.clock == earlier.clock && asked[at].overlaps(&asked[before]) {
                    self.place = Place::Rule(*index);
                    let (id, clock) = (earlier.id.clone(), rule.clock.clone());
                    self.fault("when", None, Flaw::Overlaps { rule: *other, id, clock });
                }
            }
        }
    }
}

/// A condition with its paths prepared for comparison.
pub(super) struct Asked<'w> {
    when: &'w When,
    category: Paths<'w>,
    category_not: Paths<'w>,
    org: Paths<'w>,
}

impl<'w> Asked<'w> {
    pub(super) fn of(when: &'w When) -> Self {
        Self {
            when,
            category: Paths::of(when.category.iter().map(|path| path.as_str())),
            category_not: Paths::of(when.category_not.iter().map(|path| path.as_str())),
            org: Paths::of(when.org.iter().map(|path| path.as_str())),
        }
    }

    /// True when one ticket can meet both conditions. Attributes are compared one by one: impossible combinations, such
    /// as an opinion with a grade, do not separate two conditions. A policy must write the difference in both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
            one.is_empty() || other.is_empty() || one.iter().any(|value| other.contains(value))
        }
        fn agree(one: Option<bool>, other: Option<bool>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        let (a, b) = (self.when, other.when);
        meet(&a.business, &b.business)
            && meet(&a.urgency, &b.urgency)
            && meet(&a.grade, &b.grade)
            && meet(&a.area, &b.area)
            && meet(&a.tier, &b.tier)
            && meet(&a.channel, &b.channel)
            && meet(&a.premises, &b.premises)
            && agree(a.confidential, b.confidential)
            && agree(a.anonymous, b.anonymous)
            && agree(a.appointment, b.appointment)
            && self.categories_meet(other)
            && self.units_meet(other)
    }

    /// True when some category lies within both `category` lists and outside both `category_not` lists. If there is
    /// one, the longer of two overlapping paths is one too: an excluded path excludes all that lies within it.
    fn categories_meet(&self, other: &Self) -> bool {
        if self.category.is_empty() && other.category.is_empty() {
            // An unclassified ticket lies within no category, and is excluded by none.
            return true;
        }
        let is_out = |path: &Path<'_>| self.category_not.hold(path) || other.category_not.hold(path);
        let reaches = |one: &Paths<'_>, other: &Paths<'_>| {
            one.0.iter().any(|path| (other.is_empty() || other.hold(path)) && !is_out(path))
        };
        reaches(&self.category, &other.category) || reaches(&other.category, &self.category)
    }

    fn units_meet(&self, other: &Self) -> bool {
        let within = |one: &Paths<'_>, other: &Paths<'_>| one.0.iter().any(|path| other.hold(path));
        self.org.is_empty() || other.org.is_empty() || within(&self.org, &other.org) || within(&other.org, &self.org)
    }
}

/// The segments of a path, most general first.
type Path<'w> = Vec<&'w str>;

/// Sorted paths, none within another. A bisection finds the path that contains a given one.
struct Paths<'w>(Vec<Path<'w>>);

impl<'w> Paths<'w> {
    /// The smallest set of paths that covers `written`.
    fn of(written: impl Iterator<Item = &'w str>) -> Self {
        let mut all: Vec<Path<'w>> = written.map(|path| path.split('/').collect()).collect();
        all.sort_unstable();
        // In this order, the paths within a path follow it directly.
        all.dedup_by(|path, outer| path.starts_with(outer));
        Self(all)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when `path` is one of these paths or lies within one.
    fn hold(&self, path: &[&str]) -> bool {
        let after = self.0.partition_point(|known| known.as_slice() <= path);
        self.0[..after].last().is_some_and(|known| path.starts_with(known))
    }
}
