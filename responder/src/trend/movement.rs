//! How subjects, places and sources have moved from one period to another.

use std::collections::BTreeMap;

use super::{Change, Interval, Period, Share, change, difference, dispersion};

/// Fewest posts in both periods together from which a change is told at all.
const FEWEST: u64 = 10;

/// Posts of a thing in one week of one of the two periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The subject, place or source.
    pub name: String,
    /// Whether it is the period before.
    pub before: bool,
    /// The number of the week, counted back from the last of its period.
    pub week: usize,
    /// Posts.
    pub posts: u64,
    /// Negative ones.
    pub negative: u64,
}

/// What can be said of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// More, beyond chance.
    Up,
    /// Less, beyond chance.
    Down,
    /// It may be chance.
    Unclear,
    /// There are too few posts, or weeks, to tell.
    TooFew,
}

impl Verdict {
    /// What an interval says of a value that stands for no change.
    #[must_use]
    pub fn of(interval: Interval, unchanged: f64) -> Self {
        if interval.low > unchanged {
            Self::Up
        } else if interval.high < unchanged {
            Self::Down
        } else {
            Self::Unclear
        }
    }
}

/// How a thing has moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// The subject, place or source.
    pub name: String,
    /// Posts in the period.
    pub posts: u64,
    /// Posts in the period before.
    pub before: u64,
    /// Its rank by posts per day, from 1; those with as many share one.
    pub rank: usize,
    /// Its rank in the period before; none where it had no posts.
    pub rank_before: Option<usize>,
    /// How its posts per day have changed.
    pub change: Option<Change>,
    /// What can be said of that.
    pub verdict: Verdict,
    /// Negative posts in the period.
    pub negative: u64,
    /// The negative share.
    pub negative_share: Option<Share>,
    /// The bounds of the negative share less that of the period before; none where either had no posts.
    pub negative_change: Option<Interval>,
}

#[derive(Default)]
struct Thing {
    posts: [u64; 2],
    negative: [u64; 2],
    weeks: [Vec<u64>; 2],
}

/// How each thing has moved, the one with the most posts first. The dispersion of counts is measured from the whole weeks of
/// both periods, over all things together, where it is not given; that of negative shares is given.
#[must_use]
pub fn movements(
    counted: &[Counted],
    period: Period,
    before: Period,
    spread: Option<f64>,
    negative_dispersion: f64,
) -> Vec<Movement> {
    let whole_weeks = [period, before].map(|period| period.days() as usize / 7);
    let mut things: BTreeMap<&str, Thing> = BTreeMap::new();
    for count in counted {
        let thing = things.entry(&count.name).or_insert_with(|| Thing {
            weeks: whole_weeks.map(|weeks| vec![0; weeks]),
            ..Thing::default()
        });
        let side = usize::from(count.before);
        thing.posts[side] += count.posts;
        thing.negative[side] += count.negative;
        if let Some(week) = thing.weeks[side].get_mut(count.week) {
            *week += count.posts;
        }
    }
    let rows = things
        .values()
        .flat_map(|thing| thing.weeks.iter().map(Vec::as_slice));
    let dispersion = spread.or_else(|| dispersion(rows));
    let rank = |posts: u64, side: usize| {
        let ahead = things.values().filter(|thing| thing.posts[side] > posts);
        ahead.count() + 1
    };
    let mut movements: Vec<Movement> = things
        .iter()
        .map(|(name, thing)| {
            let [posts, posts_before] = thing.posts;
            let change = change(
                posts,
                f64::from(period.days()),
                posts_before,
                f64::from(before.days()),
                dispersion.unwrap_or(1.0),
            );
            let share = |side: usize| {
                Share::of(thing.negative[side], thing.posts[side], negative_dispersion)
            };
            Movement {
                name: (*name).to_owned(),
                posts,
                before: posts_before,
                rank: rank(posts, 0),
                rank_before: (posts_before > 0).then(|| rank(posts_before, 1)),
                verdict: match change {
                    Some(change) if dispersion.is_some() && posts + posts_before >= FEWEST => {
                        Verdict::of(change.interval, 1.0)
                    }
                    _ => Verdict::TooFew,
                },
                change,
                negative: thing.negative[0],
                negative_share: share(0),
                negative_change: share(0)
                    .zip(share(1))
                    .map(|(now, before)| difference(now, before)),
            }
        })
        .collect();
    movements.sort_by(|one, other| {
        let key = |movement: &Movement| (movement.posts, movement.before);
        key(other)
            .cmp(&key(one))
            .then_with(|| one.name.cmp(&other.name))
    });
    movements
}
