//! Shares: what part of the posts is negative, or what part of the cases was in time.

use super::{Interval, Z};

/// A share of a whole, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The share, 0 to 1.
    pub value: f64,
    /// Its bounds.
    pub interval: Interval,
    /// The whole that it is a share of.
    pub whole: u64,
}

impl Share {
    /// The share of a part in a whole, with Wilson's score interval (E. B. Wilson, J. Am. Stat. Assoc. 22 (1927),
    /// 209–212): with n = whole / dispersion,
    /// (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). None of nothing.
    #[must_use]
    pub fn of(part: u64, whole: u64, dispersion: f64) -> Option<Self> {
        (whole > 0).then(|| {
            let value = part as f64 / whole as f64;
            Self {
                value,
                interval: wilson(value, whole as f64 / dispersion.max(1.0)),
                whole,
            }
        })
    }
}

/// Wilson's score interval of a share seen among so many.
pub(super) fn wilson(share: f64, number: f64) -> Interval {
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * number);
    let half = Z * (share * (1.0 - share) / number + z2 / (4.0 * number * number)).sqrt();
    let scale = 1.0 + z2 / number;
    Interval {
        low: ((centre - half) / scale).max(0.0),
        high: ((centre + half) / scale).min(1.0),
    }
}

/// The bounds of the difference of two shares, the first less the second, put together from the bounds of each (R. G.
/// Newcombe, Statistics in Medicine 17 (1998), 873–890, method 10).
#[must_use]
pub fn difference(share: Share, other: Share) -> Interval {
    apart(share.value, share.interval, other.value, other.interval)
}

/// The mean sentiment of posts: a positive one counts 1, a neutral one 0, a negative one −1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean, −1 to 1.
    pub value: f64,
    /// Its bounds.
    pub interval: Interval,
}

impl Mean {
    /// The mean of so many posts, that is the positive share less the negative one, with the adjusted interval for the
    /// difference of two shares of one whole (D. G. Bonett and R. M. Price, J. Educ. Behav. Stat. 37 (2012), 479–488):
    /// a post is added to each side, two to the whole. With n = posts / dispersion, p and q so adjusted:
    /// p − q ± z·√((p + q − (p − q)²) / (n + 2)). None of nothing.
    #[must_use]
    pub fn of(positive: u64, negative: u64, posts: u64, dispersion: f64) -> Option<Self> {
        (posts > 0).then(|| {
            let dispersion = dispersion.max(1.0);
            let number = posts as f64 / dispersion + 2.0;
            let share = |part: u64| (part as f64 / dispersion + 1.0) / number;
            let (p, q) = (share(positive), share(negative));
            let half = Z * ((p + q - (p - q) * (p - q)) / number).sqrt();
            Self {
                value: (positive as f64 - negative as f64) / posts as f64,
                interval: Interval {
                    low: (p - q - half).max(-1.0),
                    high: (p - q + half).min(1.0),
                },
            }
        })
    }
}

impl Mean {
    /// The bounds of this mean less another, put together from the bounds of each as those of two shares are (G. Y. Zou and A.
    /// Donner, Statistics in Medicine 27 (2008), 1693–1702).
    #[must_use]
    pub fn less(self, other: Self) -> Interval {
        apart(self.value, self.interval, other.value, other.interval)
    }
}

/// The bounds of p − q.
pub(super) fn apart(p: f64, of_p: Interval, q: f64, of_q: Interval) -> Interval {
    Interval {
        low: p - q - (p - of_p.low).hypot(of_q.high - q),
        high: p - q + (of_p.high - p).hypot(q - of_q.low),
    }
}

/// How many times more the share of a part varies from one day to the next than that of posts that come one by one would:
/// Pearson's X² of the days about the share of their own week, by its degrees of freedom (P. McCullagh and J. A. Nelder,
/// Generalized Linear Models, 2nd ed. (1989), section 4.5). Each week is the (part, whole) of its days. At least 1; 1 where
/// nothing can be measured.
#[must_use]
pub fn dispersion_of_shares(weeks: &[Vec<(u64, u64)>]) -> f64 {
    let (mut sum, mut degrees) = (0.0, 0usize);
    for week in weeks {
        let days = week.iter().filter(|(_, whole)| *whole > 0);
        let (part, whole) = days
            .clone()
            .fold((0, 0), |(a, b), (part, whole)| (a + part, b + whole));
        if part == 0 || part == whole {
            continue;
        }
        let share = part as f64 / whole as f64;
        sum += days
            .clone()
            .map(|(part, whole)| {
                let (part, whole) = (*part as f64, *whole as f64);
                (part - whole * share).powi(2) / (whole * share * (1.0 - share))
            })
            .sum::<f64>();
        degrees += days.count() - 1;
    }
    if degrees == 0 {
        return 1.0;
    }
    (sum / degrees as f64).max(1.0)
}
