//! Sentiment: how a writer feels about local government and its services.

use backbone::message::{Polarity, Sentiment, SourceKind};

use crate::model::most;

/// Why a post says nothing of how people feel about this government, whatever its words.
#[must_use]
pub fn silence(kind: SourceKind, elsewhere: bool) -> Option<&'static str> {
    if kind == SourceKind::Official {
        Some("官方发布")
    } else if elsewhere {
        Some("说的是外地的事")
    } else {
        None
    }
}

/// The sentiment that the model's probabilities (negative, neutral, positive) tell, without its reasons.
#[must_use]
pub fn sentiment(probabilities: &[f64]) -> (usize, Sentiment) {
    let (class, confidence) = most(probabilities);
    let of = |class: usize| probabilities.get(class).copied().unwrap_or(0.0);
    let sentiment = Sentiment {
        score: (of(2) - of(0)).clamp(-1.0, 1.0),
        label: polarity(class),
        confidence,
        because: Vec::new(),
    };
    (class, sentiment)
}

/// The sentiment of a post that is silent for a reason.
#[must_use]
pub fn silent(reason: &str) -> Sentiment {
    Sentiment {
        score: 0.0,
        label: Polarity::Neutral,
        confidence: 1.0,
        because: vec![reason.to_owned()],
    }
}

fn polarity(class: usize) -> Polarity {
    match class {
        0 => Polarity::Negative,
        1 => Polarity::Neutral,
        _ => Polarity::Positive,
    }
}
