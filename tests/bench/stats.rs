//! Slices, medians and spreads.

use std::time::Duration;

use hdrhistogram::Histogram;

/// What one slice measured.
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

/// An empty histogram: 1 us to 60 s, three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("the bounds are sound"))
}

/// All latencies of some slices.
pub fn merged(slices: &[Slice]) -> Histogram<u64> {
    let mut all = histogram();
    for slice in slices {
        // Same bounds: adding cannot fail.
        let _ = all.add(&slice.latency);
    }
    all
}

/// The value at a quantile of sorted numbers.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The median.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// A median with its quartiles.
pub fn ratio_line(values: impl Iterator<Item = f64>) -> String {
    let sorted = sorted(values);
    format!("{:.2} ({:.2}-{:.2})", quantile(&sorted, 0.5), quantile(&sorted, 0.25), quantile(&sorted, 0.75))
}
