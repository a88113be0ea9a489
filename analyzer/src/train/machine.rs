//! A linear support vector machine.

use xxhash_rust::xxh3::xxh3_64;

/// Rounds over the texts, at most, and the change of the dual variables at which they end.
const ROUNDS: u64 = 60;
const ENOUGH: f32 = 0.02;

/// Places with values, each place once.
#[derive(Debug, Clone, Default)]
pub(super) struct Vector(pub(super) Vec<(u32, f32)>);

impl Vector {
    pub(super) fn dot(&self, weights: &[f32]) -> f32 {
        self.0
            .iter()
            .filter_map(|(place, value)| Some(value * weights.get(*place as usize)?))
            .sum()
    }
}

/// Trained weights.
#[derive(Debug, Clone)]
pub(super) struct Machine(pub(super) Vec<f32>);

impl Machine {
    /// Fits weights to rows of vectors, whether each is of the class, and how much it counts. `cost` is what an
    /// error costs against the weights' size.
    pub(super) fn fit(rows: &[(&Vector, bool, f32)], width: usize, cost: f32) -> Self {
        let mut weights = vec![0.0_f32; width];
        let mut duals = vec![0.0_f32; rows.len()];
        let squares: Vec<f32> = rows
            .iter()
            .map(|(vector, _, _)| vector.0.iter().map(|(_, value)| value * value).sum())
            .collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        for round in 0..ROUNDS {
            order.sort_by_cached_key(|at| {
                xxh3_64(&[round.to_le_bytes(), (*at as u64).to_le_bytes()].concat())
            });
            let mut largest = 0.0_f32;
            for at in &order {
                let (vector, is, counts) = &rows[*at];
                let side = if *is { 1.0 } else { -1.0 };
                let slack = 1.0 / (2.0 * cost * counts);
                let gradient = side * vector.dot(&weights) - 1.0 + slack * duals[*at];
                let projected = if duals[*at] == 0.0 {
                    gradient.min(0.0)
                } else {
                    gradient
                };
                largest = largest.max(projected.abs());
                if projected.abs() < 1e-9 {
                    continue;
                }
                let before = duals[*at];
                duals[*at] = (before - gradient / (squares[*at] + slack)).max(0.0);
                let step = (duals[*at] - before) * side;
                for (place, value) in &vector.0 {
                    weights[*place as usize] += step * value;
                }
            }
            if largest < ENOUGH {
                break;
            }
        }
        Self(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_apart_are_told_apart() {
        let of = |place: u32| Vector(vec![(place, 1.0), (3, 1.0)]);
        let (one, other) = (of(0), of(1));
        let rows = [(&one, true, 1.0), (&other, false, 1.0)];
        let machine = Machine::fit(&rows, 4, 10.0);
        assert!(one.dot(&machine.0) > 0.8);
        assert!(other.dot(&machine.0) < -0.8);
    }
}
