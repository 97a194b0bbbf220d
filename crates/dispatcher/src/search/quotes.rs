//! A cache of insertion prices: while a route does not change, its price for a job stays valid.
//!
//! Most routes stay unchanged for hundreds of iterations, so most positions are found here without computation.

/// The capacity of the cache; newer entries replace older ones.
const QUOTES_MAX: usize = 1 << 16;

/// The cheapest position of one job in one version of a route.
#[derive(Clone, Copy, Debug, Default)]
struct Quote {
    version: u64,
    job: u32,
    at: u32,
    rise: f64,
}

/// The cached quotes.
#[derive(Clone, Debug)]
pub struct Quotes {
    /// The length is a power of two.
    slots: Vec<Quote>,
    routes: usize,
}

impl Quotes {
    pub fn new(jobs: usize, routes: usize) -> Self {
        let size = jobs.saturating_mul(routes).clamp(1, QUOTES_MAX).next_power_of_two();
        // No content has version 0, so an unused slot never matches.
        Self { slots: vec![Quote::default(); size], routes }
    }

    /// The quote for this job and this version of the route; calls `ask` on a miss. An infinite rise means that no
    /// position is permitted.
    pub fn get(
        &mut self,
        job: u32,
        route: u32,
        version: u64,
        ask: impl FnOnce() -> Option<(usize, f64)>,
    ) -> (usize, f64) {
        let slot = (job as usize * self.routes + route as usize) & (self.slots.len() - 1);
        let slot = &mut self.slots[slot];
        if slot.version != version || slot.job != job {
            let (at, rise) = ask().unwrap_or((0, f64::INFINITY));
            *slot = Quote { version, job, at: at as u32, rise };
        }
        (slot.at as usize, slot.rise)
    }
}
