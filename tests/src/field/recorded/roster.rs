//! The number of crews of a recorded day. For each shift of eight hours it is the fewest that could have been on every
//! site at the recorded times, if they answer, turn out and drive as ours do. A crew may go from one site to another if
//! it gets there in time. The fewest crews equal the fewest such chains that cover all sites of the shift, which is a
//! matching problem.
//!
//! So this roster can do the utility's own day, and no smaller one can. The first drive from home is ignored. The
//! utility's other crews, for work outside the recording, are not known.

use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};
use switchboard_domain::{
    crew::{CrewId, Skill, Skills},
    organisation::OrgPath,
    ticket::Area,
};

use super::{HOURS, Row, SHIFT, point};
use crate::field::{
    chance::Chance,
    place::Roads,
    world::{ANSWER_MINUTES, Millis, Roster, TURN_OUT, millis},
};

/// The presence of a crew on a site, in minutes from the first midnight.
struct Visit {
    from: f64,
    until: f64,
    at: (f64, f64),
    area: Area,
}

/// Returns the number of crews on shift in each hour of three days from `start`.
pub(super) fn levels(rows: &[&Row], start: f64, area: impl Fn((f64, f64)) -> Area) -> Vec<usize> {
    let shifts = 3 * HOURS / SHIFT;
    let mut visits: Vec<Vec<Visit>> = (0..shifts).map(|_| Vec::new()).collect();
    for row in rows {
        for (from, until) in &row.visits {
            let (from, until) = ((from - start) / 60.0, (until - start) / 60.0);
            let shift = (from / (SHIFT as f64 * 60.0)).floor();
            if (0.0..shifts as f64).contains(&shift) {
                visits[shift as usize].push(Visit { from, until, at: row.at, area: area(row.at) });
            }
        }
    }
    visits.iter().flat_map(|visits| [chains(visits); SHIFT]).collect()
}

/// Returns the fewest chains that cover these visits.
fn chains(visits: &[Visit]) -> usize {
    if visits.is_empty() {
        return 0;
    }
    let links = Matrix::from_fn(visits.len(), visits.len(), |(from, to)| i64::from(links(&visits[from], &visits[to])));
    let (linked, _) = kuhn_munkres(&links);
    visits.len() - linked.unsigned_abs() as usize
}

/// True if the crew of the first visit can reach the second in time.
fn links(first: &Visit, second: &Visit) -> bool {
    let drive = Roads { speed: 1.0 }.minutes(point(first.at), point(second.at), second.area);
    first.until + ANSWER_MINUTES + TURN_OUT.0 + drive <= second.from
}

/// Generates the crews; crew `index` works in the shifts that have more than `index` crews.
pub(super) fn crews(levels: &[usize], rows: &[Row], seed: u64) -> Vec<Roster> {
    let most = levels.iter().copied().max().unwrap_or(0);
    let crews = (0..most).map(|index| {
        let mut chance = Chance::of(&[seed, 6, index as u64]);
        let home = rows[(chance.unit() * rows.len() as f64) as usize].at;
        Roster {
            id: CrewId::of(&OrgPath::parse(&format!("sgcc/zj/hz/bay/bay/crew{index}")).unwrap()).unwrap(),
            home: point(home),
            skills: Skills::of(&[Skill::LowVoltage]),
            shifts: shifts(levels, index),
        }
    });
    crews.collect()
}

/// Returns the shifts that have more than `index` crews; after the three days the last day repeats.
fn shifts(levels: &[usize], index: usize) -> Vec<(Millis, Millis)> {
    const DRAIN_DAYS: usize = 7;
    let hour = |hours: usize| millis(hours as f64 * 60.0);
    let level = |at: usize| if at < levels.len() { levels[at] } else { levels[levels.len() - HOURS + at % HOURS] };
    let begins = (0..levels.len() + DRAIN_DAYS * HOURS).step_by(SHIFT);
    begins.filter(|at| level(*at) > index).map(|at| (hour(at), hour(at + SHIFT))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(from: f64, until: f64, east: f64) -> Visit {
        Visit { from, until, at: (37.5, -122.0 + east), area: Area::Urban }
    }

    #[test]
    fn who_can_be_there_in_time_is_one_crew_and_who_cannot_is_another() {
        assert_eq!(chains(&[]), 0);
        let after = [visit(0.0, 30.0, 0.0), visit(120.0, 150.0, 0.1), visit(240.0, 250.0, 0.0)];
        assert_eq!(chains(&after), 1);
        let at_once = [visit(0.0, 30.0, 0.0), visit(20.0, 50.0, 0.0)];
        assert_eq!(chains(&at_once), 2);
        let too_far = [visit(0.0, 30.0, 0.0), visit(35.0, 50.0, 0.3)];
        assert_eq!(chains(&too_far), 2);
        let crossed = [visit(0.0, 30.0, 0.0), visit(0.0, 40.0, 0.3), visit(50.0, 60.0, 0.0), visit(50.0, 60.0, 0.3)];
        assert_eq!(chains(&crossed), 2);
    }
}
