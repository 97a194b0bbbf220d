//! Insertion prices that are still good: a route that has not changed quotes a job the same price as before.
//!
//! Most routes outlive hundreds of iterations, so that most places are found here without looking at a single position.

/// How many are remembered; past it newer ones push out older ones.
const QUOTES_MAX: usize = 1 << 16;

/// The cheapest place of one job in one route of one content.
#[derive(Clone, Copy, Debug, Default)]
struct Quote {
    version: u64,
    job: u32,
    at: u32,
    rise: f64,
}

/// What routes quote.
#[derive(Clone, Debug)]
pub struct Quotes {
    /// As many as a power of two.
    slots: Vec<Quote>,
    routes: usize,
}

impl Quotes {
    pub fn new(jobs: usize, routes: usize) -> Self {
        let size = jobs.saturating_mul(routes).clamp(1, QUOTES_MAX).next_power_of_two();
        // No content has version 0, so that an unused slot answers nothing.
        Self { slots: vec![Quote::default(); size], routes }
    }

    /// What `ask` says of this job and this content of this route, asked only if it is not known. A rise of infinity
    /// says that the job may stand nowhere.
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
