//! Slices with their latency histograms, and medians with their quartiles.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The measurements of one slice.
#[derive(Debug)]
pub struct Slice {
    pub operations: u64,
    pub wall: Duration,
    pub cpu: Duration,
    /// Latency in microseconds.
    pub latency: Histogram<u64>,
}

impl Slice {
    pub fn rate(&self) -> f64 {
        self.operations as f64 / self.wall.as_secs_f64()
    }
}

/// Returns an empty histogram for latencies from 1 us to 60 s, with three significant digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("the bounds are sound"))
}

/// Returns the latencies of all the slices in one histogram.
pub fn merged(slices: &[Slice]) -> Histogram<u64> {
    let mut all = histogram();
    for slice in slices {
        // The bounds are equal, so adding cannot fail.
        let _ = all.add(&slice.latency);
    }
    all
}

/// Returns the value at quantile `q` (0 to 1) of sorted numbers; NaN if there are none.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Returns the median; NaN if there are no values.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// Formats the median with its quartiles: `0.33 (0.32-0.35)`.
pub fn ratio_line(values: impl Iterator<Item = f64>) -> String {
    let sorted = sorted(values);
    format!("{:.2} ({:.2}-{:.2})", quantile(&sorted, 0.5), quantile(&sorted, 0.25), quantile(&sorted, 0.75))
}
