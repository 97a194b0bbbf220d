//! The published figures and the aims of the design, as data, and the guards that compare our line with them.

use switchboard_tests::field::made::Scenario;

use super::{Figures, Line, verdict};

/// A row of the design's table. Units are those of the columns with the same names.
pub struct Row {
    pub scenario: Scenario,
    pub policy: &'static str,
    pub on_time: f64,
    pub mean: f64,
    pub p95: f64,
    pub over_bound: f64,
    pub priority: f64,
}

const fn row(scenario: Scenario, policy: &'static str, [on_time, mean, p95, over_bound, priority]: [f64; 5]) -> Row {
    Row { scenario, policy, on_time, mean, p95, over_bound, priority }
}

/// The design's table of results.
pub const ROWS: [Row; 9] = [
    row(Scenario::Blue, "first come, nearest crew", [90.0, 40.8, 105.0, 1.29, 93.5]),
    row(Scenario::Blue, "batched Kuhn-Munkres", [88.0, 44.5, 110.0, 1.29, 85.8]),
    row(Scenario::Blue, "rolling plan", [94.2, 38.2, 78.0, 1.19, 92.4]),
    row(Scenario::Storm10, "first come, nearest crew", [23.0, 268.8, 543.0, 2.79, 25.9]),
    row(Scenario::Storm10, "nearest ticket", [64.9, 76.2, 277.0, 1.68, 71.0]),
    row(Scenario::Storm10, "rolling plan", [68.8, 92.2, 353.0, 1.31, 91.0]),
    row(Scenario::Storm45, "nearest ticket", [23.2, 372.0, 948.0, 4.40, 25.1]),
    row(Scenario::Storm45, "batched Kuhn-Munkres", [23.8, 591.0, 1270.0, 2.23, 52.1]),
    row(Scenario::Storm45, "rolling plan", [21.8, 538.0, 1155.0, 1.99, 72.4]),
];

/// An aim: a figure, and the least or the most that it may be.
struct Aim {
    what: &'static str,
    /// True if `limit` is the least value, false if it is the most.
    least: bool,
    limit: f64,
    of: fn(&Figures) -> f64,
}

const fn least(what: &'static str, limit: f64, of: fn(&Figures) -> f64) -> Aim {
    Aim { what, least: true, limit, of }
}

const fn most(what: &'static str, limit: f64, of: fn(&Figures) -> f64) -> Aim {
    Aim { what, least: false, limit, of }
}

/// A column in which ours may be at most `GUARD` times the best baseline.
type Guarded = (&'static str, fn(&Figures) -> f64);

/// The highest permitted ratio of ours to the best baseline in a guarded column.
const GUARD: f64 = 1.1;

fn aims(scenario: Scenario) -> Vec<Aim> {
    let (on_time, over_bound, priority, mean) = match scenario {
        Scenario::Blue => (95.0, 1.16, None, None),
        Scenario::Storm10 => (71.0, 1.27, Some(93.0), None),
        Scenario::Storm45 => (24.0, 1.85, Some(80.0), Some(480.0)),
    };
    let revoked = if scenario == Scenario::Blue { 0.02 } else { 0.08 };
    let mut aims = vec![
        least("on time %", on_time, |figures| figures.score.on_time),
        most("CMI/LB", over_bound, |figures| figures.over_bound),
    ];
    aims.extend(priority.map(|limit| least("priority on time %", limit, |figures| figures.score.priority)));
    aims.extend(mean.map(|limit| most("mean minutes", limit, |figures| figures.score.mean)));
    aims.extend([
        most("tickets never restored (starved)", 0.0, |figures| figures.score.left),
        most("offers per visit (floor 1.075)", 1.10, |figures| figures.score.offers),
        most("revocations per ticket", revoked, |figures| figures.score.revoked),
        most("A-B-A within 15 min", 0.0, |figures| figures.score.to_and_fro),
        most("worst district over the mean", 1.5, |figures| figures.score.district),
    ]);
    aims
}

/// Prints, for ours (the last line), the verdict on each aim, and on the tail relative to the best of the others.
pub fn guards(scenario: Scenario, lines: &[Line]) {
    let Some((ours, others)) = lines.split_last() else { return };
    let mut aims = aims(scenario);
    let guarded: [Guarded; 2] = [
        ("p95 within 10 % of the best baseline's", |figures| figures.score.p95),
        ("oldest open ticket within 10 % of the best baseline's", |figures| figures.score.oldest),
    ];
    for (what, of) in guarded {
        let best = others.iter().map(|line| line.mean(of)).fold(f64::INFINITY, f64::min);
        aims.push(most(what, best * GUARD, of));
    }
    for aim in aims {
        let value = ours.mean(aim.of);
        let kept = if aim.least { value >= aim.limit } else { value <= aim.limit };
        let sign = if aim.least { ">=" } else { "<=" };
        println!("{} {}: {value:.3} ({sign} {:.3})", verdict(kept), aim.what, aim.limit);
    }
}
