//! Student's distribution.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// The value that |t| is below with 95 % certainty. The probability is the finite series for whole degrees of freedom
/// (M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4), halved in until it is 0.95.
pub(super) fn two_sided(degrees: usize) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle, degrees) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.tan() * (degrees as f64).sqrt()
}

/// The probability that |t| < √degrees · tan(angle).
fn below(angle: f64, degrees: usize) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let odd = degrees % 2 == 1;
    // sin·(1 + ½cos² + (1·3)/(2·4)cos⁴ + …), and for odd degrees the like with cos·(1 + ⅔cos² + …).
    let (mut term, mut sum) = (1.0, 0.0);
    let terms = if odd { (degrees - 1) / 2 } else { degrees / 2 };
    for number in 0..terms {
        sum += term;
        let twice = 2.0 * number as f64;
        let factor = if odd {
            (twice + 2.0) / (twice + 3.0)
        } else {
            (twice + 1.0) / (twice + 2.0)
        };
        term *= factor * cosine * cosine;
    }
    if odd {
        FRAC_2_PI * (angle + sine * cosine * sum)
    } else {
        sine * sum
    }
}

#[cfg(test)]
mod tests {
    use super::two_sided;

    /// The table of every statistics book.
    #[test]
    fn quantiles_are_those_of_the_table() {
        for (degrees, expected) in [
            (1, 12.7062),
            (2, 4.3027),
            (3, 3.1824),
            (4, 2.7764),
            (5, 2.5706),
            (10, 2.2281),
            (20, 2.0860),
            (30, 2.0423),
            (100, 1.9840),
        ] {
            let found = two_sided(degrees);
            assert!((found - expected).abs() < 5e-5, "{degrees}: {found}");
        }
    }
}
