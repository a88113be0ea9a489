//! The facts of a period, as the template gets them.

use jiff::civil::Date;
use serde::Serialize;

use super::view::ViewFacts;
use crate::console::archive::period::Came;
use crate::trend::Tally;

/// A number and the query behind it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Number {
    pub(super) value: f64,
    pub(super) link: String,
}

/// What a period had, and how that compares.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    pub(super) region: String,
    pub(super) issuer: String,
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) days: u32,
    /// What the period is called: 本周, 本期.
    pub(super) this: &'static str,
    /// What the one before is called: 上周, 上期.
    pub(super) last: &'static str,
    pub(super) posts: Number,
    pub(super) negative: Number,
    pub(super) positive: Number,
    /// Share of negative posts, and its bounds; absent where there were no posts.
    pub(super) negative_share: Option<Bounded>,
    /// Mean sentiment, and its bounds.
    pub(super) mean: Option<Bounded>,
    pub(super) before: Option<Before>,
    /// The mean of the periods before; absent where there are too few of them.
    pub(super) usual: Option<Usual>,
    pub(super) peak: Option<Peak>,
    pub(super) subjects: Vec<Ranked>,
    pub(super) places: Vec<Ranked>,
    pub(super) sources: Vec<Ranked>,
    pub(super) appeals: Vec<Ranked>,
    pub(super) course: Course,
    pub(super) events: Vec<EventFacts>,
    /// How many events the period had in all.
    pub(super) events_in_all: Number,
    pub(super) signals: Vec<SignalFacts>,
    pub(super) cases: CaseFacts,
    pub(super) units: Vec<UnitFacts>,
    pub(super) commitments: Vec<CommitmentFacts>,
    pub(super) suggestions: Vec<Suggestion>,
    pub(super) watch: Vec<Watched>,
    pub(super) method: Method,
}

/// A value and its bounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Bounded {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The period before.
#[derive(Debug, Serialize)]
pub(super) struct Before {
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) posts: Number,
    /// How many times the posts of the period before, less one; absent where that had too few.
    pub(super) change: Option<f64>,
    /// `up`, `down`, `unclear` or `too-few`.
    pub(super) verdict: &'static str,
    pub(super) negative_share: Option<f64>,
    pub(super) negative_verdict: &'static str,
}

/// What is usual.
#[derive(Debug, Serialize)]
pub(super) struct Usual {
    pub(super) posts: f64,
    /// Of how many periods.
    pub(super) periods: u32,
    /// How many times the usual, less one.
    pub(super) change: f64,
}

/// The day of most posts.
#[derive(Debug, Serialize)]
pub(super) struct Peak {
    pub(super) day: Date,
    pub(super) posts: Number,
}

/// A row of a ranking.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Ranked {
    pub(super) name: String,
    pub(super) rank: usize,
    /// Places won against the period before; absent where it had none.
    pub(super) moved: Option<i64>,
    pub(super) posts: Number,
    pub(super) before: u64,
    pub(super) share: f64,
    /// How many times the posts per day of the period before, less one; absent where that had too few.
    pub(super) change: Option<f64>,
    pub(super) verdict: &'static str,
    pub(super) negative_share: Option<f64>,
}

/// Posts over the period.
#[derive(Debug, Serialize)]
pub(super) struct Course {
    /// `day` or `week`.
    pub(super) step: &'static str,
    pub(super) points: Vec<Point>,
}

/// A day, or a week by its first day.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    pub(super) from: Date,
    pub(super) posts: u64,
    pub(super) negative: u64,
    /// Mean sentiment and its bounds; absent where there were no posts.
    pub(super) mean: Option<Bounded>,
}

/// An event of the period.
#[derive(Debug, Serialize)]
pub(super) struct EventFacts {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) link: String,
    /// 1 to 4; absent where it reached none.
    pub(super) level: Option<u8>,
    pub(super) posts: Number,
    pub(super) voices: u64,
    pub(super) negative_share: f64,
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) peak: Date,
    pub(super) peak_posts: u64,
    pub(super) sources: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) places: Vec<String>,
    pub(super) views: Vec<ViewFacts>,
    pub(super) case: Option<EventCase>,
}

/// The case of an event.
#[derive(Debug, Serialize)]
pub(super) struct EventCase {
    pub(super) link: String,
    pub(super) state: &'static str,
    /// Whether the people were answered.
    pub(super) answered: bool,
    pub(super) late: bool,
    pub(super) units: Vec<String>,
    pub(super) reply: Option<String>,
}

/// A burst or a common problem.
#[derive(Debug, Serialize)]
pub(super) struct SignalFacts {
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) lasts: bool,
}

/// Cases opened in the period.
#[derive(Debug, Serialize)]
pub(super) struct CaseFacts {
    pub(super) opened: Number,
    pub(super) answered: u64,
    pub(super) dismissed: u64,
    pub(super) open: u64,
    pub(super) handed_back: u64,
    /// Clocks that ended: how many, and how many of these in time.
    pub(super) clocks: u64,
    pub(super) in_time: u64,
}

/// A unit's clocks.
#[derive(Debug, Serialize)]
pub(super) struct UnitFacts {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) sign: Met,
    pub(super) first_information: Met,
    pub(super) response: Met,
    /// All three together.
    pub(super) all: Met,
}

/// How many clocks were met.
#[derive(Debug, Default, Serialize)]
pub(super) struct Met {
    pub(super) in_time: u64,
    pub(super) all: u64,
    /// The share, and its bounds; absent where no clock ended.
    pub(super) share: Option<Bounded>,
}

impl Met {
    pub(super) fn new(tally: Tally) -> Self {
        Self {
            in_time: tally.in_time,
            all: tally.all,
            share: tally.share().map(|share| Bounded {
                value: share.value,
                low: share.interval.low,
                high: share.interval.high,
            }),
        }
    }
}

/// A commitment that is due soon, or broken.
#[derive(Debug, Serialize)]
pub(super) struct CommitmentFacts {
    pub(super) what: String,
    pub(super) unit: String,
    pub(super) due: Date,
    pub(super) broken: bool,
    pub(super) kept: bool,
    pub(super) link: String,
}

/// A suggestion.
#[derive(Debug, Serialize)]
pub(super) struct Suggestion {
    pub(super) text: String,
    pub(super) link: String,
}

/// What to watch next, and why.
#[derive(Debug, Serialize)]
pub(super) struct Watched {
    pub(super) what: String,
    pub(super) link: String,
    pub(super) why: String,
}

/// How it was made.
#[derive(Debug, Serialize)]
pub(super) struct Method {
    /// Posts collected, of which those above concern the region.
    pub(super) collected: u64,
    pub(super) sources: Vec<Came>,
    /// Sources of the weeks before from which nothing came.
    pub(super) silent: Vec<String>,
    pub(super) models: Vec<String>,
    /// The days that the archive has.
    pub(super) covered_from: Option<Date>,
    pub(super) covered_to: Option<Date>,
}
