//! A scale with round numbers.

/// From which to which value a chart reaches, and by which steps its lines go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

impl Scale {
    /// A scale for these values, with zero.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        let mut whole = true;
        for value in values.filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
            whole &= value.fract() == 0.0;
        }
        if high == low {
            high = low + 1.0;
        }
        let rough = (high - low) / 4.5;
        let size = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|times| times * size)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        // There is no half of a post.
        let step = if whole { step.max(1.0) } else { step };
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
        }
    }

    /// The values of its lines.
    pub(super) fn lines(self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step).round();
        (0..=20_u8)
            .map(f64::from)
            .take_while(move |line| *line <= count)
            .map(move |line| self.low + line * self.step)
            // 0.1 + 0.2 is written 0.3.
            .map(|value| (value * 1e9).round() / 1e9)
    }

    /// Where a value stands, from 0 at the low end to 1.
    pub(super) fn part(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_at_round_numbers() {
        for (values, lines) in [
            (vec![3.0, 47.0], vec![0.0, 20.0, 40.0, 60.0]),
            (vec![], vec![0.0, 1.0]),
            (vec![0.0, 2.0], vec![0.0, 1.0, 2.0]),
            (vec![-0.31, 0.22], vec![-0.4, -0.2, 0.0, 0.2, 0.4]),
            (
                vec![f64::NAN, 1_234_567.0],
                vec![0.0, 500_000.0, 1_000_000.0, 1_500_000.0],
            ),
        ] {
            assert_eq!(
                Scale::of(values.into_iter()).lines().collect::<Vec<_>>(),
                lines
            );
        }
    }
}
