//! Properties of working-time arithmetic for random holidays, make-up days and hours: measuring and advancing are
//! inverse, nothing is counted twice or omitted, and both agree with a walk over the days.

use proptest::{prop_assert, prop_assert_eq};

use super::*;
use crate::chance::{self, Dice, Verdict};

const BASES: [Basis; 3] = [Basis::Elapsed, Basis::WorkingDays, Basis::WorkingTime];

/// Hours that may adjoin, reach midnight, or be empty.
fn some_hours(dice: &mut Dice) -> Vec<Span> {
    let texts: [&[&str]; 6] = [
        &["08:30-12:00", "13:30-17:30"],
        &["00:00-24:00"],
        &["00:00-06:00", "18:00-24:00"],
        &["09:00-12:00", "12:00-12:01"],
        &["23:59-24:00"],
        &[],
    ];
    spans(dice.choose(&texts))
}

/// One to three years of 2022 to 2026, with gaps, each with some exceptions.
fn some_calendar(dice: &mut Dice) -> Calendar {
    let years = (0..=dice.below(3)).map(|_| {
        let number = 2022 + dice.below(5) as i32;
        let exceptions = (0..dice.below(40)).map(|_| {
            let date = NaiveDate::from_yo_opt(number, 1 + dice.below(365) as u32).unwrap();
            (date, Exception { name: dice.choose(&["one", "other"]).into(), hours: some_hours(dice) })
        });
        let exceptions = exceptions.collect();
        Year { year: number, source: "chance".into(), hours: some_hours(dice), exceptions }
    });
    Calendar::new(years.collect::<Vec<_>>())
}

/// An instant in 2021 to 2027, sometimes exactly on a minute or at midnight.
fn some_instant(dice: &mut Dice) -> Timestamp {
    let day = at("2021-01-01 00:00") + TimeDelta::days(dice.below(7 * 365) as i64);
    let minute = day + minutes(dice.below(24 * 60) as i64);
    match dice.below(3) {
        0 => day,
        1 => minute,
        _ => minute + TimeDelta::nanoseconds(dice.below(60_000_000_000) as i64),
    }
}

/// Up to some weeks of working time, in nanoseconds, days or hours.
fn some_amount(dice: &mut Dice) -> TimeDelta {
    match dice.below(3) {
        0 => TimeDelta::nanoseconds((dice.bits() % 2_000_000_000_000_000) as i64),
        1 => TimeDelta::days(dice.below(30) as i64),
        _ => hours(dice.below(200) as i64),
    }
}

/// Checks a property for a calendar, a basis and further random choices.
fn law(check: impl Fn(&Calendar, Basis, &mut Dice) -> Verdict) {
    let drawn = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls.iter().fold(0, |sum, roll| sum ^ roll));
        let calendar = some_calendar(&mut dice);
        (calendar, dice.choose(&BASES), dice)
    };
    chance::always(
        1,
        |rolls| {
            let (calendar, basis, mut dice) = drawn(rolls);
            check(&calendar, basis, &mut dice)
        },
        |rolls| {
            let (calendar, basis, mut dice) = drawn(rolls);
            let years: Vec<_> = calendar.years().collect();
            format!("{basis:?} from {} in {years:#?}", some_instant(&mut dice))
        },
    );
}

#[test]
fn advancing_and_measuring_are_each_others_inverse() {
    law(|calendar, basis, dice| {
        let (from, amount) = (some_instant(dice), some_amount(dice));
        let due = calendar.advance(basis, from, amount);
        prop_assert!(due >= from);
        prop_assert_eq!(calendar.measure(basis, from, due), amount);
        if amount > TimeDelta::zero() {
            let just_before = calendar.measure(basis, from, due - TimeDelta::nanoseconds(1));
            prop_assert_eq!(just_before, amount - TimeDelta::nanoseconds(1), "due at the earliest such instant");
        }
        let to = from.max(some_instant(dice));
        let back = calendar.advance(basis, from, calendar.measure(basis, from, to));
        prop_assert!(back <= to);
        prop_assert_eq!(calendar.measure(basis, back, to), TimeDelta::zero(), "nothing counts between them");
        Ok(())
    });
}

#[test]
fn what_counts_of_two_parts_counts_of_the_whole() {
    law(|calendar, basis, dice| {
        let mut instants = [some_instant(dice), some_instant(dice), some_instant(dice)];
        instants.sort();
        let [from, middle, to] = instants;
        let whole = calendar.measure(basis, from, to);
        prop_assert_eq!(calendar.measure(basis, from, middle) + calendar.measure(basis, middle, to), whole);
        prop_assert!(whole >= TimeDelta::zero() && whole <= to - from);
        Ok(())
    });
}

#[test]
fn who_begins_later_or_has_longer_is_never_due_earlier() {
    law(|calendar, basis, dice| {
        let (from, later) = (some_instant(dice), some_instant(dice));
        let (from, later) = (from.min(later), from.max(later));
        let (amount, more) = (some_amount(dice), some_amount(dice));
        let (amount, more) = (amount.min(more), amount.max(more));
        let due = calendar.advance(basis, from, amount);
        prop_assert!(due <= calendar.advance(basis, later, amount));
        prop_assert!(due <= calendar.advance(basis, from, more));
        let step = calendar.advance(basis, due, more - amount);
        prop_assert_eq!(step, calendar.advance(basis, from, more), "an amount may be spent in two parts");
        Ok(())
    });
}

#[test]
fn closed_and_measured_make_the_whole() {
    law(|calendar, basis, dice| {
        let (one, other) = (some_instant(dice), some_instant(dice));
        let (from, to) = (one.min(other), one.max(other));
        let closed = calendar.closed(basis, from, to);
        let mut until = None;
        for stretch in &closed {
            prop_assert!(from <= stretch.from && stretch.from < stretch.to && stretch.to <= to);
            prop_assert!(until < Some(stretch.from), "in order, and adjoining ones are joined");
            prop_assert_eq!(calendar.measure(basis, stretch.from, stretch.to), TimeDelta::zero());
            until = Some(stretch.to);
        }
        let closed: TimeDelta = closed.iter().map(|stretch| stretch.to - stretch.from).sum();
        prop_assert_eq!(closed + calendar.measure(basis, from, to), to - from);
        Ok(())
    });
}

#[test]
fn working_days_end_on_a_working_day_at_the_same_clock_time() {
    law(|calendar, _, dice| {
        let (from, days) = (some_instant(dice), 1 + dice.below(60) as u32);
        let due = calendar.after_working_days(from, days);
        let (start, end) = (china_time(from), china_time(due));
        prop_assert_eq!(start.time(), end.time());
        prop_assert!(calendar.is_working(end.date()));
        let between = start.date().iter_days().skip(1).take_while(|date| *date <= end.date());
        prop_assert_eq!(between.filter(|date| calendar.is_working(*date)).count(), days as usize);
        Ok(())
    });
}

/// [`Calendar::measure`] computed by a walk over the days, from the published years.
fn walked(calendar: &Calendar, basis: Basis, from: Timestamp, to: Timestamp) -> TimeDelta {
    let (from, to) = (china_time(from), china_time(to));
    let mut sum = TimeDelta::zero();
    for date in from.date().iter_days().take_while(|date| *date <= to.date()) {
        let year = calendar.years().find(|year| year.year == date.year());
        let exception = year.and_then(|year| year.exceptions.get(&date));
        let hours = match (exception, date.weekday().number_from_monday()) {
            (Some(exception), _) => exception.hours.clone(),
            (None, 6 | 7) => Vec::new(),
            (None, _) => year.map_or(DEFAULT_HOURS.to_vec(), |year| year.hours.clone()),
        };
        let counting = match basis {
            Basis::Elapsed => spans(&["00:00-24:00"]),
            Basis::WorkingDays => hours.first().map(|_| spans(&["00:00-24:00"])).unwrap_or_default(),
            Basis::WorkingTime => hours,
        };
        let midnight = date.and_hms_opt(0, 0, 0).unwrap();
        for span in counting {
            let opens = midnight + minutes(span.from.into());
            let closes = midnight + minutes(span.to.into());
            sum += (closes.min(to) - opens.max(from)).max(TimeDelta::zero());
        }
    }
    sum
}

#[test]
fn the_table_agrees_with_a_walk_through_the_days() {
    law(|calendar, basis, dice| {
        let from = some_instant(dice);
        let to = from + TimeDelta::nanoseconds((dice.bits() % 30_000_000_000_000_000) as i64);
        prop_assert_eq!(calendar.measure(basis, from, to), walked(calendar, basis, from, to));
        Ok(())
    });
}
