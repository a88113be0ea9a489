//! Before and after a day, as a page and a report tell it: whole weeks on both sides, what changed in posts, negative share and
//! sentiment ([`interrupted`]), and, where only some posts are looked at, whether the others moved alike.
//!
//! The comparison with the others is a difference in differences. Of volume it is the ratio of ratios
//!
//! R = (a₁/a₀) / (b₁/b₀),
//!
//! a being the posts looked at and b the others, before (0) and after (1), with bounds by the normal distribution of ln R with the
//! variance φₐ(1/a₀ + 1/a₁) + φᵦ(1/b₀ + 1/b₁): the delta method for counts (P. McCullagh and J. A. Nelder, Generalized Linear Models,
//! 2nd ed. (1989), chapter 6), each side's φ measured from its weeks ([`dispersion`]). Of the negative share it is
//! (p₁ − p₀) − (q₁ − q₀), its bounds put together from those of both differences (G. Y. Zou and A. Donner, Statistics in Medicine 27
//! (2008), 1693–1702). It supposes that without the policy both would have moved alike (J. D. Angrist and J.-S. Pischke, Mostly
//! Harmless Econometrics (2009), section 5.2), which numbers cannot show.

use jiff::ToSpan;
use jiff::civil::Date;

use super::share::apart;
use super::{
    Counts, Day, Effect, Estimate, Interval, Mean, Period, Share, Step, Why, Z, by_bin, difference,
    dispersion, in_all, interrupted, negative_dispersion,
};

/// Fewest posts a week, on average and on either side, from which anything is told.
const FEWEST_A_WEEK: f64 = 5.0;

/// Whole weeks before a day, and from it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// The weeks before.
    pub before: Period,
    /// The weeks from the day on.
    pub after: Period,
}

/// Why there is nothing to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// The day is not one of those that have posts, or the first of them.
    Day,
    /// There is no whole week on one side.
    Weeks,
}

/// What changed in one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The value of each week; absent where it has none.
    pub weeks: Vec<Option<f64>>,
    /// What changed.
    pub effect: Result<Effect, Why>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Posts before and after.
    pub counts: [Counts; 2],
    /// The negative share before and after; absent where there were no posts.
    pub shares: [Option<Share>; 2],
    /// Mean sentiment before and after.
    pub means: [Option<Mean>; 2],
    /// Posts a week.
    pub posts: Measured,
    /// The negative share of each week.
    pub negative: Measured,
    /// Mean sentiment of each week.
    pub mean: Measured,
}

/// How posts moved beside others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beside {
    /// The others before and after.
    pub others: [Counts; 2],
    /// How many times more the volume changed than that of the others; absent where a side has no posts.
    pub volume: Option<Estimate>,
    /// How much more the negative share changed.
    pub negative: Option<Estimate>,
}

impl Measured {
    /// The same in another unit, so many times as much.
    #[must_use]
    pub fn times(self, scale: f64) -> Self {
        let all = |values: Vec<f64>| values.into_iter().map(|value| value * scale).collect();
        let one = |estimate: Estimate| Estimate {
            value: estimate.value * scale,
            interval: estimate.interval.map(|bound| bound * scale),
        };
        Self {
            weeks: (self.weeks.into_iter())
                .map(|week| week.map(|value| value * scale))
                .collect(),
            effect: self.effect.map(|effect| Effect {
                jump: one(effect.jump),
                slope: one(effect.slope),
                mean: one(effect.mean),
                mean_before: effect.mean_before * scale,
                mean_after: effect.mean_after * scale,
                expected: all(effect.expected),
                fitted: all(effect.fitted),
                before: effect.before,
                after: effect.after,
            }),
        }
    }
}

impl Around {
    /// So many weeks at most around a day, as far as they are whole within the days that are known.
    ///
    /// # Errors
    /// Why there is nothing to compare.
    pub fn new(day: Date, before: u32, after: u32, known: Period) -> Result<Self, Outside> {
        if day <= known.from || day > known.to {
            return Err(Outside::Day);
        }
        let yesterday = day.saturating_sub(1.day());
        let whole = |from: Date, to: Date, most: u32| (Period { from, to }.days() / 7).min(most);
        let before = whole(known.from, yesterday, before);
        let after = whole(day, known.to, after);
        if before == 0 || after == 0 {
            return Err(Outside::Weeks);
        }
        Ok(Self {
            before: Period::until(yesterday, before * 7),
            after: Period {
                from: day,
                to: day.saturating_add(i64::from(after * 7 - 1).days()),
            },
        })
    }

    /// Both sides.
    #[must_use]
    pub fn all(self) -> Period {
        Period {
            from: self.before.from,
            to: self.after.to,
        }
    }

    fn sides(self) -> [Period; 2] {
        [self.before, self.after]
    }

    /// What changed.
    #[must_use]
    pub fn changes<'a>(self, days: impl IntoIterator<Item = &'a Day> + Clone) -> Changes {
        let counts = self.sides().map(|side| in_all(days.clone(), side));
        let few = (self.sides().into_iter().zip(counts)).any(|(side, counts)| {
            counts.posts as f64 / f64::from(side.days()) * 7.0 < FEWEST_A_WEEK
        });
        let weeks = by_bin(days.clone(), self.all(), Step::Week);
        let first = self.before.bins_of(Step::Week);
        let measure = |of: fn(Counts) -> Option<f64>| {
            let weeks: Vec<Option<f64>> = weeks.iter().map(|week| of(*week)).collect();
            Measured {
                effect: if few {
                    Err(Why::FewPosts)
                } else {
                    interrupted(&weeks, first)
                },
                weeks,
            }
        };
        let varies = self
            .sides()
            .map(|side| negative_dispersion(days.clone(), side));
        let share = |at: usize| Share::of(counts[at].negative, counts[at].posts, varies[at]);
        let mean = |at: usize| {
            let Counts {
                posts,
                negative,
                positive,
            } = counts[at];
            Mean::of(positive, negative, posts, varies[at])
        };
        Changes {
            counts,
            shares: [share(0), share(1)],
            means: [mean(0), mean(1)],
            posts: measure(|week| Some(week.posts as f64)),
            negative: measure(|week| {
                (week.posts > 0).then(|| week.negative as f64 / week.posts as f64)
            }),
            mean: measure(|week| {
                (week.posts > 0)
                    .then(|| (week.positive as f64 - week.negative as f64) / week.posts as f64)
            }),
        }
    }

    /// How the posts of some days moved beside the others of all days.
    #[must_use]
    pub fn beside(self, days: &[&Day], all: &[&Day]) -> Beside {
        let others: Vec<Day> = (all.iter())
            .map(|day| {
                let own = days.iter().find(|own| own.date == day.date);
                let own = own.map_or(Counts::default(), |own| own.all);
                let mut other = Day::empty(day.date);
                other.all = Counts {
                    posts: day.all.posts.saturating_sub(own.posts),
                    negative: day.all.negative.saturating_sub(own.negative),
                    positive: day.all.positive.saturating_sub(own.positive),
                };
                other
            })
            .collect();
        let own = self.changes(days.iter().copied());
        let other = self.changes(others.iter());
        let spread = |changes: &Changes| {
            let weeks: Vec<u64> = (changes.posts.weeks.iter())
                .map(|week| week.unwrap_or(0.0) as u64)
                .collect();
            let (before, after) = weeks.split_at(self.before.bins_of(Step::Week));
            dispersion([before, after]).unwrap_or(1.0)
        };
        let posts = |changes: &Changes| changes.counts.map(|counts| counts.posts as f64);
        let ([a0, a1], [b0, b1]) = (posts(&own), posts(&other));
        let volume = ([a0, a1, b0, b1].iter().all(|posts| *posts > 0.0)).then(|| {
            let ratio = a1 / a0 / (b1 / b0);
            let variance =
                spread(&own) * (1.0 / a0 + 1.0 / a1) + spread(&other) * (1.0 / b0 + 1.0 / b1);
            // Weeks differ in number on both sides, alike for both.
            let half = Z * variance.sqrt();
            Estimate {
                value: ratio,
                interval: Interval {
                    low: ratio * (-half).exp(),
                    high: ratio * half.exp(),
                },
            }
        });
        let moved = |changes: &Changes| {
            let [before, after] = changes.shares;
            let (before, after) = (before?, after?);
            Some((after.value - before.value, difference(after, before)))
        };
        let negative = moved(&own)
            .zip(moved(&other))
            .map(|((own, of_own), (other, of_other))| Estimate {
                value: own - other,
                interval: apart(own, of_own, other, of_other),
            });
        Beside {
            others: other.counts,
            volume,
            negative,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(posts: impl Fn(i64) -> (u64, u64)) -> Vec<Day> {
        (-56..56)
            .map(|number: i64| {
                let mut day =
                    Day::empty(jiff::civil::date(2026, 3, 2).saturating_add(number.days()));
                let (posts, negative) = posts(number);
                day.all = Counts {
                    posts,
                    negative,
                    positive: 0,
                };
                day
            })
            .collect()
    }

    #[test]
    fn what_all_posts_did_is_not_taken_for_the_policy() {
        let day = jiff::civil::date(2026, 3, 2);
        let known = Period {
            from: jiff::civil::date(2026, 1, 1),
            to: jiff::civil::date(2026, 6, 1),
        };
        let around = Around::new(day, 8, 8, known).unwrap();
        assert_eq!((around.before.days(), around.after.days()), (56, 56));
        // Everything doubled from the day on: those looked at as the others.
        let doubled = |number: i64| if number < 0 { 4 } else { 8 };
        let own = days(|number| (doubled(number), doubled(number) / 2));
        let all = days(|number| (doubled(number) * 5, doubled(number)));
        let own: Vec<&Day> = own.iter().collect();
        let all: Vec<&Day> = all.iter().collect();
        let beside = around.beside(&own, &all);
        let volume = beside.volume.unwrap();
        assert!((volume.value - 1.0).abs() < 1e-9 && !volume.interval.excludes(1.0));
        assert_eq!(beside.others[0].posts, 56 * 16);
        // Only those looked at doubled.
        let all = days(|number| (doubled(number) + 16, doubled(number) / 2 + 4));
        let all: Vec<&Day> = all.iter().collect();
        let volume = around.beside(&own, &all).volume.unwrap();
        assert!((volume.value - 2.0).abs() < 1e-9 && volume.interval.low > 1.0);
        let negative = around.beside(&own, &all).negative.unwrap();
        assert!(!negative.interval.excludes(0.0));
    }

    #[test]
    fn a_day_that_is_not_within_is_told() {
        let known = Period {
            from: jiff::civil::date(2026, 1, 1),
            to: jiff::civil::date(2026, 1, 20),
        };
        let around = |day: i8| Around::new(jiff::civil::date(2026, 1, day), 4, 4, known);
        assert_eq!(around(1), Err(Outside::Day));
        assert_eq!(around(5), Err(Outside::Weeks));
        let found = around(9).unwrap();
        assert_eq!((found.before.days(), found.after.days()), (7, 7));
    }
}
