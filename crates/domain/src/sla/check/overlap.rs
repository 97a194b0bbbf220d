//! Whether two conditions can hold for one ticket. A condition is a list for each attribute, so that two of them have a ticket in
//! common unless one attribute keeps them apart. Paths are sorted once for each rule: a pair is compared in little more than the
//! time that reading both takes, for a policy may have as many pairs as half the square of its rules.

use super::{Check, Flaw, Place, Rule, When};

impl Check {
    /// Notes every two rules of one clock that can mean one ticket. The rules come with their places in the policy, none of them
    /// with a list that is too long.
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

/// A condition, with its paths in the form in which they are compared.
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

    /// Whether a ticket can be meant by both. Attributes are taken one by one: that some of them never go together, such as an
    /// opinion with a grade, keeps no two conditions apart; who means that says so in both.
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

    /// Whether a category lies within what both ask for and outside what either shuts out. If one does, so does one that is
    /// written: of two paths that meet the longer one, for what shuts it out shuts out all that lies within it.
    fn categories_meet(&self, other: &Self) -> bool {
        if self.category.is_empty() && other.category.is_empty() {
            // A ticket that nobody has classified yet is within no category, and shut out by none.
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

/// The segments of a path, general first.
type Path<'w> = Vec<&'w str>;

/// Paths in order, none of which lies within another: what lies within one of them is found by bisection.
struct Paths<'w>(Vec<Path<'w>>);

impl<'w> Paths<'w> {
    /// All that lies within one of `written`, said as shortly as can be.
    fn of(written: impl Iterator<Item = &'w str>) -> Self {
        let mut all: Vec<Path<'w>> = written.map(|path| path.split('/').collect()).collect();
        all.sort_unstable();
        // In this order what lies within a path follows it at once.
        all.dedup_by(|path, outer| path.starts_with(outer));
        Self(all)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `path` is one of these or lies within one.
    fn hold(&self, path: &[&str]) -> bool {
        let after = self.0.partition_point(|known| known.as_slice() <= path);
        self.0[..after].last().is_some_and(|known| path.starts_with(known))
    }
}
