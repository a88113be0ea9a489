//! Risk: how grave an event is, by a formula whose numbers are settings.
//!
//! score = Σ weight · value − answer, in `[0, 1]`, each value in `[0, 1]`:
//!
//! | term | value |
//! |---|---|
//! | `subject` | sensitivity of the event's main subject, from the settings |
//! | `sentiment` | how negative the posts heard are on the mean: -mean, at least 0 |
//! | `intensity` | words of harm and urgency in its posts on the mean, see [`Intensity::value`] |
//! | `voices` | ln(distinct voices) / ln 30, at most 1 |
//! | `spread` | ln(sources + places beyond the first) / ln 8 or ln(1 + votes) / ln 1000, the larger, at most 1 |
//! | `speed` | ln(posts of its last day) / ln 20, at most 1 |
//! | `silence` | hours that a post has waited for an answer / 48, at most 1: the 48 hours in which 国办发〔2016〕61号 wants an answer to every matter |
//! | `answer` | taken from the score: 1 / (1 + negative posts since the last official answer) |
//!
//! The project's own formula. An event reaches level Ⅰ to Ⅳ when its score reaches the level's threshold; it raises one alert
//! per level and never falls back.

use backbone::message::RiskTerm;
use jiff::{SignedDuration, Timestamp};

use crate::event::Event;
use crate::settings::Risk;
use crate::stage::intensity::Intensity;

/// Hours of waiting that fill the term `silence`.
const SILENCE_HOURS: f64 = 48.0;

/// An event's risk.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessed {
    /// Score in `[0, 1]`.
    pub score: f64,
    /// Its terms, the largest share first.
    pub terms: Vec<RiskTerm>,
    /// The level reached, 1 (gravest) to 4; none below the threshold of 4.
    pub level: Option<u8>,
    /// When waiting alone will have made it graver than now; absent where it cannot.
    pub graver_at: Option<Timestamp>,
}

/// The risk of an event at a time.
#[must_use]
pub fn assess(risk: &Risk, intensity: &Intensity, event: &Event, now: Timestamp) -> Assessed {
    let weights = &risk.weights;
    let sensitivity = risk.sensitivity.get(event.subject()).copied();
    let waited = |since: Timestamp| now.duration_since(since).as_secs_f64() / 3_600.0;
    let silence = event.unanswered_since().map_or(0.0, waited) / SILENCE_HOURS;
    let answer = event
        .negative_since_answer()
        .map_or(0.0, |negative| 1.0 / (1.0 + f64::from(negative)));
    let seen = event.sources() + event.places().saturating_sub(1);
    let spread = logarithmic(seen, 8.0).max((event.reactions() as f64).ln_1p() / 1_000_f64.ln());
    let values = [
        ("subject", weights.subject, sensitivity.unwrap_or(0.0)),
        ("sentiment", weights.sentiment, -event.sentiment()),
        (
            "intensity",
            weights.intensity,
            intensity.value(event.intensity()),
        ),
        ("voices", weights.voices, logarithmic(event.voices(), 30.0)),
        ("spread", weights.spread, spread),
        (
            "speed",
            weights.speed,
            logarithmic(event.posts_in_last_day(), 20.0),
        ),
        ("silence", weights.silence, silence),
        ("answer", -weights.answer, answer),
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
    let share = |name: &str| terms.iter().find(|term| term.name == name);
    let waiting = share("silence").map_or(0.0, |term| term.share);
    let sum: f64 = terms.iter().map(|term| term.share).sum();
    let (at_rest, score) = (sum - waiting, sum.clamp(0.0, 1.0));
    let level = (1..=4_u8)
        .zip(risk.thresholds)
        .find(|(_, threshold)| score >= *threshold)
        .map(|(level, _)| level);
    let graver_at = event.unanswered_since().and_then(|since| {
        let next = usize::from(level.unwrap_or(5)).checked_sub(2)?;
        let missing = (risk.thresholds.get(next)? - at_rest) / weights.silence;
        let seconds = (missing * SILENCE_HOURS * 3_600.0).ceil();
        let wait = SignedDuration::try_from_secs_f64(seconds + 1.0).ok()?;
        (missing <= 1.0).then(|| since.checked_add(wait).ok())?
    });
    terms.sort_by(|one, other| other.share.abs().total_cmp(&one.share.abs()));
    Assessed {
        score,
        terms,
        level,
        graver_at,
    }
}

/// 0 for one, 1 for `full` or more.
fn logarithmic(count: u32, full: f64) -> f64 {
    f64::from(count.max(1)).ln() / full.ln()
}
