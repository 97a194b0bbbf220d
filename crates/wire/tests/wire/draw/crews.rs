//! Random events of crews, generated like those of tickets.

use proptest::prelude::*;
use switchboard_domain::crew::{event::*, *};

use super::Draw;

impl Draw {
    fn point(&mut self) -> Point {
        let mut within = |most: i64| (i64::from(self.number()) % (2 * most + 1) - most) as i32;
        Point::new(within(90_000_000), within(180_000_000)).unwrap()
    }

    fn rest(&mut self) -> Break {
        Break { from: self.time(), until: self.time() }
    }

    fn grounds(&mut self) -> Grounds {
        Grounds {
            policy: self.line(),
            seed: self.number().into(),
            plan_hash: self.line(),
            candidates: vec![self.candidate(), self.candidate()],
        }
    }

    fn candidate(&mut self) -> Candidate {
        // Multiples of 1/4 survive every JSON reader exactly.
        let prices = [
            (self.one_of(&["promise", "coverage"]).to_owned(), f64::from(self.number()) / 4.0),
            ("travel".to_owned(), -0.25),
        ];
        Candidate {
            crew: self.org(),
            prices: prices.into(),
            arrives: self.maybe(Draw::time),
            vetoes: self.maybe(|d| vec![d.line(), d.line()]).unwrap_or_default(),
        }
    }
}

/// One generator per kind.
pub const MAKERS: &[fn(&mut Draw) -> Event] = &[
    |d| {
        let enrolled = Enrolled {
            crew: d.crew(),
            home: d.point(),
            territory: vec![d.org(), d.org()],
            skills: d.skills(),
            members: vec![d.line(), d.line()],
            vehicle: d.maybe(Draw::line),
        };
        enrolled.into()
    },
    |_| Dismissed {}.into(),
    |d| {
        let breaks = d.maybe(|d| vec![d.rest(), d.rest()]).unwrap_or_default();
        ShiftStarted { until: d.time(), breaks, at: d.maybe(Draw::point) }.into()
    },
    |_| ShiftEnded {}.into(),
    |d| WentAway { why: d.one_of(Absence::ALL) }.into(),
    |_| CameBack {}.into(),
    |d| Located { at: d.point(), accuracy_m: d.number() }.into(),
    |d| {
        let reserved = Reserved {
            offer: d.offer(),
            ticket: d.ticket(),
            fence: d.number().into(),
            lease_until: d.time(),
            priority: d.flag(),
            forced: d.maybe(Draw::forced),
            grounds: d.grounds(),
        };
        reserved.into()
    },
    |d| Committed { ticket: d.ticket(), offer: d.maybe(Draw::offer), fence: d.number().into() }.into(),
    |d| {
        let (ticket, why) = (d.ticket(), d.one_of(ReleaseReason::ALL));
        Released { ticket, offer: d.maybe(Draw::offer), why }.into()
    },
];

/// Any event of any kind.
pub fn any_event() -> impl Strategy<Value = Event> {
    let numbers = prop::collection::vec(any::<u32>(), 60);
    (0..MAKERS.len(), numbers).prop_map(|(maker, numbers)| MAKERS[maker](&mut Draw::new(numbers)))
}
