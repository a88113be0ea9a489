//! A linear support vector machine.

use xxhash_rust::xxh3::xxh3_64;

use crate::model::BUCKETS;

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

    /// The square of its length.
    pub(super) fn square(&self) -> f32 {
        self.0.iter().map(|(_, value)| value * value).sum()
    }

    /// Each value times its place's factor, where there is one.
    fn times(&self, factors: &[f32]) -> Self {
        let factor = |place: u32| factors.get(place as usize).copied().unwrap_or(1.0);
        let values = self
            .0
            .iter()
            .map(|(place, value)| (*place, value * factor(*place)));
        Self(values.collect())
    }
}

/// What each place of the words is to count for, as far as `share` says, by how much it tells of the class: the logarithm of how many times
/// more often it is in texts of the class than in others, or the reverse. In the mean vectors keep their length.
fn telling(rows: &[(&Vector, bool, f32)], share: f32) -> Vec<f32> {
    let mut counts = vec![[1.0_f32; 2]; BUCKETS];
    for (vector, is, weight) in rows {
        for (place, _) in &vector.0 {
            if let Some(count) = counts.get_mut(*place as usize) {
                count[usize::from(*is)] += weight;
            }
        }
    }
    let all = |is: usize| counts.iter().map(|count| count[is]).sum::<f32>();
    let more_often = all(0) / all(1);
    let mut telling: Vec<f32> = (counts.iter())
        .map(|[others, own]| (own / others * more_often).ln().abs())
        .map(|tells| share * tells + 1.0 - share)
        .collect();
    let (mut before, mut after) = (0.0, 0.0);
    for (vector, _, weight) in rows {
        for (place, value) in &vector.0 {
            if let Some(tells) = telling.get(*place as usize) {
                before += weight * value * value;
                after += weight * (value * tells).powi(2);
            }
        }
    }
    let keeps = (before / f32::max(after, f32::MIN_POSITIVE)).sqrt();
    for tells in &mut telling {
        *tells *= keeps;
    }
    telling
}

/// Trained weights.
#[derive(Debug, Clone)]
pub(super) struct Machine(pub(super) Vec<f32>);

impl Machine {
    /// Fits weights to rows of vectors, whether each is of the class, and how much it counts. `cost` is what an
    /// error costs against the weights' size; words count by how much they tell of the class as far as `share` says.
    pub(super) fn fit(rows: &[(&Vector, bool, f32)], width: usize, cost: f32, share: f32) -> Self {
        let telling = telling(rows, share);
        let vectors: Vec<Vector> = (rows.iter())
            .map(|(vector, _, _)| vector.times(&telling))
            .collect();
        let mut weights = vec![0.0_f32; width];
        let mut duals = vec![0.0_f32; rows.len()];
        let squares: Vec<f32> = vectors.iter().map(Vector::square).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        for round in 0..ROUNDS {
            order.sort_by_cached_key(|at| {
                xxh3_64(&[round.to_le_bytes(), (*at as u64).to_le_bytes()].concat())
            });
            let mut largest = 0.0_f32;
            for at in &order {
                let (_, is, counts) = &rows[*at];
                let vector = &vectors[*at];
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
        for (weight, tells) in weights.iter_mut().zip(&telling) {
            *weight *= tells;
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
        for share in [0.0, 0.5] {
            let machine = Machine::fit(&rows, 4, 10.0, share);
            assert!(one.dot(&machine.0) > 0.8);
            assert!(other.dot(&machine.0) < -0.8);
        }
    }

    #[test]
    fn words_count_by_how_much_they_tell_of_the_class() {
        let of = |places: &[u32]| Vector(places.iter().map(|place| (*place, 1.0)).collect());
        // The first place is in all of the class and in no other, the second as often in either.
        let texts = [of(&[0, 1]), of(&[0]), of(&[1, 2]), of(&[2])];
        let rows: Vec<_> = (texts.iter())
            .zip([true, true, false, false])
            .map(|(text, is)| (text, is, 1.0))
            .collect();
        let telling = telling(&rows, 0.5);
        assert!(telling[0] > 1.0 && telling[1] < 1.0, "{:?}", &telling[..3]);
        assert!((telling[0] - telling[2]).abs() < 1e-6);
        let plain = super::telling(&rows, 0.0);
        assert!(plain.iter().all(|tells| (tells - 1.0).abs() < 1e-6));
    }
}
