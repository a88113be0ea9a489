//! Before and after (政策执行效果): an interrupted time series over weeks, by segmented regression.
//!
//! A value y of week t (… −2, −1 before the day, 0, 1, 2 … from it on) is taken as
//!
//! y = β₀ + β₁·t + β₂·D + β₃·D·t + ε,   D = 1 from the day on, else 0,
//!
//! so β₂ is the jump in the week that begins with the day, β₃ the change of the weekly slope, and β₂ + β₃·mean(t) the mean
//! difference of the weeks after it from where the line before leads (A. K. Wagner et al., J. Clin. Pharm. Ther. 27 (2002),
//! 299–309). It is fitted by ordinary least squares. Weeks that follow each other are alike, so the variance is the larger of two:
//!
//! - that of Newey and West (Econometrica 55 (1987), 703–708) with Bartlett weights, ⌊4·(n/100)^(2/9)⌋ weeks of lag and the factor
//!   n/(n−4), which does not ask how the weeks are alike, but takes them for too little so where they are few;
//! - that of errors of which each takes the part r of the one before (AR(1)): (X'X)⁻¹X'CX(X'X)⁻¹·e'e/(n − tr((X'X)⁻¹X'CX)) with
//!   C = r^|t−u|. The part is that of the residuals, which the four terms make too small: r = (r₁ + 4/n)/(1 − 4/n), from 0 to 0.9.
//!
//! Bounds are by Student's t with n − 4 degrees of freedom. A week has all days of the week, so the weekly rhythm is the same on
//! both sides. Holidays are not accounted for.

use super::Interval;
use super::student::two_sided;

/// What is estimated.
const TERMS: usize = 4;
/// Fewest weeks on either side.
const FEWEST_WEEKS: usize = 4;
/// Fewest weeks in all.
const FEWEST_IN_ALL: usize = 12;

type Vector = [f64; TERMS];
type Matrix = [Vector; TERMS];

/// A value with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its bounds.
    pub interval: Interval,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The jump in the first week.
    pub jump: Estimate,
    /// How much more the value changes each week than it did.
    pub slope: Estimate,
    /// The mean difference of the weeks after from where the line before leads.
    pub mean: Estimate,
    /// The mean of the weeks before.
    pub mean_before: f64,
    /// The mean of the weeks after.
    pub mean_after: f64,
    /// Where the line before leads, for each week given.
    pub expected: Vec<f64>,
    /// The line of both sides, for each week given.
    pub fitted: Vec<f64>,
    /// Weeks before that had a value.
    pub before: usize,
    /// Weeks after that had a value.
    pub after: usize,
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There are less than four weeks on a side, or twelve in all.
    FewWeeks,
    /// The weeks have too few posts.
    FewPosts,
    /// All weeks are alike: there is nothing to tell chance by.
    NoVariation,
}

/// What changed from the week with number `before` of the values on; a week without a value is left out.
///
/// # Errors
/// Why nothing can be said.
pub fn interrupted(values: &[Option<f64>], before: usize) -> Result<Effect, Why> {
    let time = |at: usize| at as f64 - before as f64;
    let points: Vec<(f64, f64)> = (values.iter().enumerate())
        .filter_map(|(at, value)| Some((time(at), (*value)?)))
        .collect();
    let (earlier, later) = points.split_at(points.partition_point(|(time, _)| *time < 0.0));
    if earlier.len().min(later.len()) < FEWEST_WEEKS || points.len() < FEWEST_IN_ALL {
        return Err(Why::FewWeeks);
    }
    let (beta, covariances) = fit(&points).ok_or(Why::NoVariation)?;
    let quantile = two_sided(points.len() - TERMS);
    let estimate = |weights: Vector| {
        let value = dot(&weights, &beta);
        let variances = covariances.map(|covariance| dot(&weights, &times(&covariance, &weights)));
        let half = quantile * variances.into_iter().fold(0.0, f64::max).sqrt();
        Estimate {
            value,
            interval: Interval {
                low: value - half,
                high: value + half,
            },
        }
    };
    let mean = |points: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
        points.iter().map(of).sum::<f64>() / points.len() as f64
    };
    let line = |at: usize, weights: Vector| {
        let terms = row(time(at));
        (0..TERMS)
            .map(|term| terms[term] * weights[term] * beta[term])
            .sum()
    };
    Ok(Effect {
        jump: estimate([0.0, 0.0, 1.0, 0.0]),
        slope: estimate([0.0, 0.0, 0.0, 1.0]),
        mean: estimate([0.0, 0.0, 1.0, mean(later, |point| point.0)]),
        mean_before: mean(earlier, |point| point.1),
        mean_after: mean(later, |point| point.1),
        expected: (0..values.len())
            .map(|at| line(at, [1.0, 1.0, 0.0, 0.0]))
            .collect(),
        fitted: (0..values.len()).map(|at| line(at, [1.0; TERMS])).collect(),
        before: earlier.len(),
        after: later.len(),
    })
}

/// The terms of a week.
fn row(time: f64) -> Vector {
    let after = f64::from(u8::from(time >= 0.0));
    [1.0, time, after, after * time]
}

/// The coefficients, and their covariances by Newey and West, and by errors of which each takes a part of the one before. None
/// where the points do not vary about the lines.
fn fit(points: &[(f64, f64)]) -> Option<(Vector, [Matrix; 2])> {
    let number = points.len() as f64;
    let mut squares = [[0.0; TERMS]; TERMS];
    let mut products = [0.0; TERMS];
    for (time, value) in points {
        let terms = row(*time);
        add(&mut squares, &terms, &terms, 1.0);
        for (sum, term) in products.iter_mut().zip(terms) {
            *sum += term * value;
        }
    }
    let bread = inverse(squares)?;
    let beta = times(&bread, &products);
    let left: Vec<f64> = (points.iter())
        .map(|(time, value)| value - dot(&row(*time), &beta))
        .collect();
    let residual: f64 = left.iter().map(|left| left * left).sum();
    let scale: f64 = points.iter().map(|(_, value)| value * value).sum();
    if residual <= 1e-12 * scale.max(f64::MIN_POSITIVE) {
        return None;
    }
    let degrees = number - TERMS as f64;
    let lags = (4.0 * (number / 100.0).powf(2.0 / 9.0)).floor();
    let follows = alike(points, &left, residual);
    let (mut robust, mut alike) = ([[0.0; TERMS]; TERMS], [[0.0; TERMS]; TERMS]);
    for (one, (time, _)) in points.iter().enumerate() {
        for (other, (time_of_other, _)) in points.iter().enumerate() {
            let lag = (time - time_of_other).abs();
            let terms = (row(*time), row(*time_of_other));
            let weight = (1.0 - lag / (lags + 1.0)).max(0.0) * left[one] * left[other];
            add(&mut robust, &terms.0, &terms.1, weight);
            add(&mut alike, &terms.0, &terms.1, follows.powf(lag));
        }
    }
    let used: f64 = (bread.iter().enumerate())
        .map(|(at, row)| dot(row, &alike.map(|row| row[at])))
        .sum();
    let sandwich = |meat: &Matrix, scale: f64| {
        product(&product(&bread, meat), &bread).map(|row| row.map(|value| value * scale))
    };
    let covariances = [
        sandwich(&robust, number / degrees),
        sandwich(&alike, residual / (number - used)),
    ];
    Some((beta, covariances))
}

/// What part of its error each week takes of the one before.
fn alike(points: &[(f64, f64)], left: &[f64], residual: f64) -> f64 {
    let pairs = points.iter().zip(left);
    let products: f64 = (pairs.clone().zip(pairs.skip(1)))
        .filter(|((one, _), (next, _))| (next.0 - one.0 - 1.0).abs() < 0.5)
        .map(|((_, one), (_, next))| one * next)
        .sum();
    let lost = TERMS as f64 / points.len() as f64;
    ((products / residual + lost) / (1.0 - lost)).clamp(0.0, 0.9)
}

fn dot(one: &Vector, other: &Vector) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn times(matrix: &Matrix, vector: &Vector) -> Vector {
    matrix.map(|row| dot(&row, vector))
}

fn product(one: &Matrix, other: &Matrix) -> Matrix {
    let mut product = [[0.0; TERMS]; TERMS];
    for (of_one, row) in one.iter().zip(&mut product) {
        for (factor, of_other) in of_one.iter().zip(other) {
            for (sum, value) in row.iter_mut().zip(of_other) {
                *sum += factor * value;
            }
        }
    }
    product
}

fn add(matrix: &mut Matrix, one: &Vector, other: &Vector, weight: f64) {
    for (row, one) in matrix.iter_mut().zip(one) {
        for (sum, other) in row.iter_mut().zip(other) {
            *sum += weight * one * other;
        }
    }
}

/// The inverse by elimination; none where there is none.
fn inverse(mut matrix: Matrix) -> Option<Matrix> {
    let mut inverse = [[0.0; TERMS]; TERMS];
    for (at, row) in inverse.iter_mut().enumerate() {
        row[at] = 1.0;
    }
    for at in 0..TERMS {
        let pivot = (at..TERMS)
            .max_by(|one, other| matrix[*one][at].abs().total_cmp(&matrix[*other][at].abs()))?;
        if matrix[pivot][at].abs() < 1e-9 {
            return None;
        }
        matrix.swap(at, pivot);
        inverse.swap(at, pivot);
        let scale = matrix[at][at];
        for column in 0..TERMS {
            matrix[at][column] /= scale;
            inverse[at][column] /= scale;
        }
        for other in (0..TERMS).filter(|other| *other != at) {
            let factor = matrix[other][at];
            for column in 0..TERMS {
                matrix[other][column] -= factor * matrix[at][column];
                inverse[other][column] -= factor * inverse[at][column];
            }
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::fit;

    /// The standard errors of statsmodels 0.15: `OLS(y, X).fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True})`.
    #[test]
    fn variance_of_newey_and_west() {
        let values = [
            10.0, 11.0, 12.0, 12.0, 11.0, 9.0, 8.0, 7.0, 8.0, 10.0, 12.0, 13.0, 13.0, 11.0, 10.0,
            18.0, 19.0, 20.0, 21.0, 20.0, 18.0, 16.0, 15.0, 15.0, 17.0, 19.0, 20.0, 21.0, 20.0,
            18.0,
        ];
        let points: Vec<(f64, f64)> = (values.into_iter().enumerate())
            .map(|(at, value)| (at as f64 - 15.0, value))
            .collect();
        let (_, [robust, _]) = fit(&points).unwrap();
        assert!((robust[2][2].sqrt() - 1.600_119_283_459_3).abs() < 1e-9);
        assert!((robust[3][3].sqrt() - 0.158_233_953_024_0).abs() < 1e-9);
    }
}
