//! Risk: how grave an event is, from 0 to 1, and the level that stands for it.
//!
//! The score is the sum of weight × value over six terms, each value in `[0, 1]`:
//!
//! | term | value |
//! |---|---|
//! | `subject` | sensitivity of the event's subject, from the settings |
//! | `sentiment` | how negative its posts are on the mean: -mean, at least 0 |
//! | `intensity` | words of harm and urgency, see [`Intensity::value`] |
//! | `posts` | ln(posts) / ln 30, at most 1 |
//! | `voices` | ln(distinct voices) / ln 20, at most 1 |
//! | `speed` | ln(posts of its last day) / ln 20, at most 1 |
//!
//! The project's own first formula. An event reaches level Ⅰ to Ⅳ when its score reaches the
//! level's threshold; it never falls back.

use backbone::message::RiskTerm;

use crate::event::Event;
use crate::settings::Risk;
use crate::stage::intensity::Intensity;

/// An event's risk.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessed {
    /// Score in `[0, 1]`.
    pub score: f64,
    /// Its terms, the largest share first.
    pub terms: Vec<RiskTerm>,
    /// The level reached, 1 (gravest) to 4; none below the threshold of 4.
    pub level: Option<u8>,
}

/// The risk of an event.
#[must_use]
pub fn assess(risk: &Risk, intensity: &Intensity, event: &Event) -> Assessed {
    let summary = event.summary();
    let weights = &risk.weights;
    let sensitivity = risk
        .sensitivity
        .get(&summary.subject)
        .copied()
        .unwrap_or(0.0);
    let words = event.intensity.iter().map(String::as_str);
    let values = [
        ("subject", weights.subject, sensitivity),
        ("sentiment", weights.sentiment, -summary.sentiment),
        ("intensity", weights.intensity, intensity.value(words)),
        ("posts", weights.posts, logarithmic(summary.posts, 30.0)),
        ("voices", weights.voices, logarithmic(summary.voices, 20.0)),
        (
            "speed",
            weights.speed,
            logarithmic(event.posts_in_last_day(), 20.0),
        ),
    ];
    let mut terms: Vec<RiskTerm> = values
        .into_iter()
        .map(|(name, weight, value)| {
            let value = value.clamp(0.0, 1.0);
            RiskTerm {
                name: name.to_owned(),
                value,
                share: weight * value,
            }
        })
        .collect();
    terms.sort_by(|one, other| other.share.total_cmp(&one.share));
    let score = terms
        .iter()
        .map(|term| term.share)
        .sum::<f64>()
        .clamp(0.0, 1.0);
    let level = (1..=4_u8)
        .zip(risk.thresholds)
        .find(|(_, threshold)| score >= *threshold);
    Assessed {
        score,
        terms,
        level: level.map(|(level, _)| level),
    }
}

/// 0 for one, 1 for `full` or more.
fn logarithmic(count: u32, full: f64) -> f64 {
    f64::from(count.max(1)).ln() / full.ln()
}
