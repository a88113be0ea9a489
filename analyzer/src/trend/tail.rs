//! How many are too many: tails of the distributions of counts.

/// Above this mean the tail is worked out by approximation.
const SUMMED: f64 = 500.0;

/// The least count of a negative binomial distribution that is reached or passed with a probability of at most `tail`:
/// of the given mean, and of a variance of `mean · dispersion`.
pub(super) fn least_unlikely(mean: f64, dispersion: f64, tail: f64) -> u32 {
    let mean = mean.max(1e-6);
    // Poisson is the limit.
    let dispersion = dispersion.max(1.0 + 1e-6);
    let excess = dispersion - 1.0;
    if mean > SUMMED {
        // Cornish and Fisher (1938): the normal quantile, put right for the skewness.
        let deviation = (mean * dispersion).sqrt();
        let skewness = (2.0 * dispersion - 1.0) / deviation;
        let quantile = upper_quantile(tail);
        let least = mean + deviation * (quantile + (quantile * quantile - 1.0) * skewness / 6.0);
        return least.ceil() as u32 + 1;
    }
    // Of size r = mean / excess.
    let size = mean / excess;
    let ratio = excess / dispersion;
    let mut chance = (-size * dispersion.ln()).exp();
    let mut left = 1.0;
    for count in 0_u32..100_000 {
        if left <= tail {
            return count;
        }
        left -= chance;
        chance *= (size + f64::from(count)) / f64::from(count + 1) * ratio;
    }
    u32::MAX
}

/// The value that a standard normal variable exceeds with a probability of `tail` below one half: Abramowitz and
/// Stegun, formula 26.2.23.
pub(super) fn upper_quantile(tail: f64) -> f64 {
    let t = (-2.0 * tail.clamp(1e-300, 0.5).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_unlikely_count_is_that_of_the_tables() {
        // Poisson of mean 2: P(N >= 8) = 0.00110, P(N >= 9) = 0.00024.
        assert_eq!(least_unlikely(2.0, 1.0, 0.001), 9);
        // A geometric distribution of mean 1: P(N >= n) = 2^-n.
        assert_eq!(least_unlikely(1.0, 2.0, 0.001), 10);
        assert!((upper_quantile(0.001) - 3.090).abs() < 0.001);
    }

    #[test]
    fn the_approximation_meets_the_sum() {
        for dispersion in [1.2, 2.0] {
            let (below, above) = (SUMMED - 0.01, SUMMED + 0.01);
            let summed = least_unlikely(below, dispersion, 1e-5);
            let approximate = least_unlikely(above, dispersion, 1e-5);
            assert!(summed.abs_diff(approximate) <= 3, "{summed} {approximate}");
        }
    }
}
