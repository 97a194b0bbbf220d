//! A lower bound on the customer-minutes of every policy, even of one that knows the future.
//!
//! The relaxations below only lower the bound:
//!
//! - Crews need no drive (a crew that is recalled on its way home may stand beside the next ticket), no skills and no
//!   shifts. The whole roster can work at any time.
//! - An offer is answered as fast as the fastest of the first [`ATTEMPTS`] offers would be. Turning out takes the time
//!   of the day, never that of the night.
//! - Work on a ticket may be interrupted and resumed by any crew, but never done by two crews at once.
//!
//! What remains is `min sum w_j (C_j - r_j)` on `m` equal machines with release dates and preemption. Let job `j` of
//! length `o_j` be worked at rate at most 1, and let `M_j` be the mean instant of its work. Then `C_j >= M_j + o_j / 2`
//! (Goemans, Queyranne, Schulz, Skutella and Wang 2002). Minimising `sum w_j M_j` under "at most `m` at once" is a
//! linear program. Its Lagrangian dual has a price for each slot of time, and *any* prices give a valid bound. We take
//! the prices of the list schedule by `w_j / o_j` (Smith's rule) and improve them by subgradient steps.
//!
//! The design document uses a bound that it does not describe. Its ratios and ours are of the same kind, but their
//! values cannot be compared exactly.

use super::world::{Answer, TURN_OUT, World, minutes};

/// The number of offers of a ticket whose answers the bound may choose from.
pub const ATTEMPTS: u32 = 5;
/// The length of a slot in minutes.
const SLOT: f64 = 10.0;
/// The number of subgradient steps.
const STEPS: usize = 60;
/// The number of bisections in the search for a price level.
const BISECTIONS: usize = 30;

struct Work {
    weight: f64,
    released: f64,
    length: f64,
}

/// Returns the bound in customer-minutes interrupted.
#[must_use]
pub fn bound(world: &World) -> f64 {
    let works: Vec<Work> = world
        .tickets
        .iter()
        .enumerate()
        .map(|(index, ticket)| Work {
            weight: f64::from(ticket.customers),
            released: minutes(ticket.reported),
            length: fastest(world, index)
                + TURN_OUT.0.min(TURN_OUT.1)
                + ticket.steps.iter().map(|s| s.minutes).sum::<f64>(),
        })
        .collect();
    let crews = world.crews.len() as f64;
    let (mut prices, scale) = listed(&works, crews);
    let mut best = alone(&works);
    let mut step = scale * 0.05;
    for _ in 0..STEPS {
        let (value, used) = priced(&works, crews, &prices);
        if value > best {
            best = value;
        } else {
            step *= 0.8;
        }
        // The excess of demand over capacity is the subgradient.
        for (price, used) in prices.iter_mut().zip(&used) {
            *price = (*price + step * (used / (crews * SLOT) - 1.0)).max(0.0);
        }
    }
    best
}

fn fastest(world: &World, ticket: usize) -> f64 {
    let answers = (1..=ATTEMPTS).filter_map(|attempt| match world.answer(ticket, attempt) {
        Answer::Accepts(after) => Some(after),
        _ => None,
    });
    answers.min_by(f64::total_cmp).unwrap_or(0.0)
}

/// The bound without capacity limits: every ticket has a crew at once.
fn alone(works: &[Work]) -> f64 {
    works.iter().map(|work| work.weight * work.length).sum()
}

/// Returns the prices of the slots under which the list schedule by weight over length is the cheapest, and the highest
/// of them.
fn listed(works: &[Work], crews: f64) -> (Vec<f64>, f64) {
    let mut order: Vec<&Work> = works.iter().collect();
    order.sort_by(|a, b| (b.weight / b.length).total_cmp(&(a.weight / a.length)));
    let mut left: Vec<f64> = order.iter().map(|work| work.length).collect();
    let end = works.iter().map(|work| work.released).fold(0.0, f64::max);
    let total: f64 = left.iter().sum();
    let longest = left.iter().copied().fold(0.0, f64::max);
    let slots = ((end + total / crews.max(1.0) + longest) / SLOT).ceil() as usize + 1;
    // The weight per minute of the least urgent ticket that is worked on; zero in slots with a crew to spare.
    let mut slopes = vec![0.0; slots];
    for (slot, slope) in slopes.iter_mut().enumerate() {
        let until = (slot + 1) as f64 * SLOT;
        let mut room = crews * SLOT;
        for (work, left) in order.iter().zip(&mut left) {
            if *left <= 0.0 || work.released >= until {
                continue;
            }
            let done = left.min(SLOT).min(until - work.released).min(room);
            *left -= done;
            room -= done;
            if room <= 0.0 {
                *slope = work.weight / work.length;
                break;
            }
        }
    }
    let mut prices = vec![0.0; slots];
    for slot in (0..slots - 1).rev() {
        // A slot with crews to spare has price zero, whatever comes after it.
        prices[slot] = if slopes[slot] > 0.0 { prices[slot + 1] + slopes[slot] * SLOT } else { 0.0 };
    }
    let highest = prices.iter().copied().fold(0.0, f64::max);
    (prices, highest)
}

/// Returns the value of the dual at these prices, and the minutes that the tickets would take of each slot.
fn priced(works: &[Work], crews: f64, prices: &[f64]) -> (f64, Vec<f64>) {
    let mut used = vec![0.0; prices.len()];
    let mut value = -prices.iter().sum::<f64>() * crews * SLOT;
    for work in works {
        let slots: Vec<Slot> = ((work.released / SLOT) as usize..prices.len())
            .map(|index| {
                let from = (index as f64 * SLOT).max(work.released);
                let pace = work.weight / work.length;
                Slot { index, pace, price: prices[index] + pace * from, long: (index + 1) as f64 * SLOT - from }
            })
            .collect();
        let level = level(&slots, work.length);
        // By weak duality: at any level this is at most the cheapest way to spend the ticket's minutes.
        value += level * work.length + work.weight * (work.length / 2.0 - work.released);
        for slot in &slots {
            let minutes = slot.below(level);
            value += minutes * (slot.price + slot.pace * minutes / 2.0 - level);
            used[slot.index] += minutes;
        }
    }
    (value, used)
}

/// A slot from the view of one ticket: its first minute costs `price`, and the cost rises by `pace` per minute.
struct Slot {
    index: usize,
    pace: f64,
    price: f64,
    long: f64,
}

impl Slot {
    /// Returns the minutes of the slot that cost less than this.
    fn below(&self, level: f64) -> f64 {
        ((level - self.price) / self.pace).clamp(0.0, self.long)
    }
}

/// Returns the level below which the slots have `length` minutes.
fn level(slots: &[Slot], length: f64) -> f64 {
    let mut nearest: Vec<&Slot> = slots.iter().collect();
    let wanted = ((length / SLOT).ceil() as usize + 2).min(nearest.len());
    if wanted < nearest.len() {
        nearest.select_nth_unstable_by(wanted - 1, |a, b| a.price.total_cmp(&b.price));
        nearest.truncate(wanted);
    }
    let mut low = nearest.iter().map(|slot| slot.price).fold(f64::INFINITY, f64::min);
    let mut high = nearest.iter().map(|slot| slot.price + slot.pace * slot.long).fold(low, f64::max);
    for _ in 0..BISECTIONS {
        let middle = low.midpoint(high);
        if nearest.iter().map(|slot| slot.below(middle)).sum::<f64>() < length { low = middle } else { high = middle }
    }
    high
}
