//! Repair times: log-normal, so the expected remaining time grows with the time already spent.

use crate::policy::Repair;

/// The tail beyond this many standard deviations is treated as constant.
const SIGMAS_MAX: f64 = 4.0;
/// The 90th percentile of the standard normal distribution.
const P90: f64 = 1.281_552;
/// ln 9: the distance from the median to the 90th percentile of a logistic distribution, divided by its scale.
const LOGISTIC_P90: f64 = 2.197_225;

/// The scale of the logistic distribution with this distance between its median and 90th percentile.
#[must_use]
pub fn scale(p90_over_median: f64) -> f64 {
    p90_over_median / LOGISTIC_P90
}

/// The scale of the logistic distribution that spans the same 10th to 90th percentiles as a repair of this median.
#[must_use]
pub fn spread(repair: &Repair, median: f64) -> f64 {
    let half = ((P90 * repair.sigma).exp() - (-P90 * repair.sigma).exp()) / 2.0;
    scale(half * median)
}

/// The median of what remains of a repair of this median after `elapsed` minutes on site.
#[must_use]
pub fn remaining(repair: &Repair, median: f64, elapsed: f64) -> f64 {
    let (median, sigma) = (median.max(1.0), repair.sigma.max(0.05));
    if elapsed <= 0.0 {
        return median;
    }
    let z = ((elapsed / median).ln() / sigma).min(SIGMAS_MAX);
    let lasts = upper_tail(z);
    let total = median * (sigma * upper_quantile(lasts / 2.0)).exp();
    // Beyond the limit the factor stays constant, so that the remaining time still grows with the elapsed time.
    let reached = median * (sigma * z).exp();
    (total / reached - 1.0).max(0.0) * elapsed
}

/// P(Z > z) of the standard normal distribution, to 1e-7 (Abramowitz and Stegun 26.2.17).
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let poly =
        t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = poly * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z >= 0.0 { tail } else { 1.0 - tail }
}

/// The z with P(Z > z) = `p`, to 5e-4 (Abramowitz and Stegun 26.2.23).
fn upper_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -upper_quantile(1.0 - p);
    }
    let t = (-2.0 * p.max(1e-12).ln()).sqrt();
    t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_and_its_quantile_are_those_of_the_tables() {
        for (z, p) in [(0.0, 0.5), (1.0, 0.158_655), (1.281_552, 0.1), (2.0, 0.022_750), (-1.0, 0.841_345)] {
            assert!((upper_tail(z) - p).abs() < 1e-5, "{z}");
            assert!((upper_quantile(p) - z).abs() < 1e-3, "{p}");
        }
    }

    #[test]
    fn work_that_overruns_is_expected_to_go_on_longer() {
        let repair = Repair::default();
        assert!((remaining(&repair, 60.0, 0.0) - 60.0).abs() < 0.1);
        // At the median, half of the repairs are done. Half of the rest end by the 75th percentile: exp(0.6745 sigma)
        // medians.
        let at_median = 60.0 * ((0.674_49 * repair.sigma).exp() - 1.0);
        assert!((remaining(&repair, 60.0, 60.0) - at_median).abs() < 0.5);
        let mut before = remaining(&repair, 60.0, 60.0);
        for elapsed in [120.0, 300.0, 1_000.0, 10_000.0, 100_000.0] {
            let now = remaining(&repair, 60.0, elapsed);
            assert!(now > before, "{elapsed}: {now} after {before}");
            before = now;
        }
    }
}
