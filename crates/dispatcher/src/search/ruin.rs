//! Ruin: removes strings of stops around one job from the routes near it, which frees capacity and time.

use super::{
    Settings,
    board::{Board, NOWHERE},
    chance::Chance,
    model::Model,
};

/// Removes strings around a random job, and returns the job.
pub fn ruin<M: Model>(model: &M, settings: &Settings, board: &mut Board<M::Memory>, chance: &mut Chance) -> u32 {
    let seed = chance.below(model.jobs()) as u32;
    let string_max = board.stops_mean().min(settings.string_max as f64).max(1.0);
    let strings_max = (4.0 * settings.ruined_mean / (1.0 + string_max) - 1.0).max(1.0);
    let strings = uniform(strings_max, chance);
    let mut torn = 0;
    for &job in std::iter::once(&seed).chain(model.near(seed)) {
        let route = board.place(job);
        // At most one string per route.
        if route == NOWHERE || board.is_touched(route) {
            continue;
        }
        let stops = board.stops(route);
        let length = uniform(string_max.min(stops.len() as f64), chance).min(stops.len());
        let at = stops.iter().position(|stop| *stop == job).unwrap_or(0);
        tear(model, settings, board, chance, (route, at, length));
        torn += 1;
        if torn == strings {
            break;
        }
    }
    seed
}

/// A whole number from 1 to `most`. If `most` is not whole, the last number is proportionally less likely.
fn uniform(most: f64, chance: &mut Chance) -> usize {
    (1.0 + chance.unit() * most) as usize
}

/// Removes `length` stops from `route`: the string contains the stop at `at`, or the part that stays does.
fn tear<M: Model>(
    model: &M,
    settings: &Settings,
    board: &mut Board<M::Memory>,
    chance: &mut Chance,
    (route, at, length): (u32, usize, usize),
) {
    let stops = board.stops(route).len();
    let mut kept = 0;
    if length > 1 && length < stops && chance.happens(settings.split_chance) {
        kept = 1;
        while length + kept < stops && chance.happens(settings.keep_chance) {
            kept += 1;
        }
    }
    let span = length + kept;
    let first = (at + 1).saturating_sub(span);
    let from = first + chance.below(at.min(stops - span) - first + 1);
    // The part that stays lies inside the string, not at its ends.
    let before = if kept == 0 { 0 } else { 1 + chance.below(length - 1) };
    board.tear(model, route, from + before + kept, from + span);
    board.tear(model, route, from, from + before);
    board.reprice(model, route);
}
