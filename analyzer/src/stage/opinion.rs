//! Opinion: what a post is about, and how its writer feels about local government and its services.

use std::path::Path;

use backbone::message::{Polarity, Sentiment, SourceKind, Subject};

use crate::model::{Features, LinearModel, ModelError};

/// The sentiment model's labels, in the order of its classes.
pub const SENTIMENTS: [&str; 3] = ["negative", "neutral", "positive"];

/// Words that explain a result, at most.
const EXPLAINING_WORDS: usize = 5;

/// The two trained models.
#[derive(Debug)]
pub struct Opinion {
    subject: LinearModel,
    sentiment: LinearModel,
}

impl Opinion {
    /// Loads the models of a folder.
    ///
    /// # Errors
    /// Names the file that is missing or does not fit, and the remedy.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let opinion = Self {
            subject: LinearModel::load(&folder.join("subject.safetensors"))?,
            sentiment: LinearModel::load(&folder.join("sentiment.safetensors"))?,
        };
        opinion
            .subject
            .require_labels(&backbone::region::SUBJECTS)?;
        opinion.sentiment.require_labels(&SENTIMENTS)?;
        Ok(opinion)
    }

    /// The analyzer's version and the models', for messages.
    #[must_use]
    pub fn version(&self) -> String {
        format!(
            "{}/{}/{}",
            env!("CARGO_PKG_VERSION"),
            self.subject.version(),
            self.sentiment.version()
        )
    }

    /// What a text is about.
    #[must_use]
    pub fn subject(&self, features: &Features, words: &[&str]) -> Subject {
        let probabilities = self.subject.probabilities(features);
        let (class, probability) = most(&probabilities);
        Subject {
            name: self.subject.label(class).to_owned(),
            probability,
            because: self.subject.explain(class, words, EXPLAINING_WORDS),
        }
    }

    /// How its writer feels. A government's own notice is neutral: it says nothing of how people feel.
    #[must_use]
    pub fn sentiment(&self, features: &Features, words: &[&str], kind: SourceKind) -> Sentiment {
        if kind == SourceKind::Official {
            return Sentiment {
                score: 0.0,
                label: Polarity::Neutral,
                confidence: 1.0,
                because: Vec::new(),
            };
        }
        let probabilities = self.sentiment.probabilities(features);
        let (class, confidence) = most(&probabilities);
        let of = |class: usize| probabilities.get(class).copied().unwrap_or(0.0);
        Sentiment {
            score: (of(2) - of(0)).clamp(-1.0, 1.0),
            label: match class {
                0 => Polarity::Negative,
                1 => Polarity::Neutral,
                _ => Polarity::Positive,
            },
            confidence,
            because: self.sentiment.explain(class, words, EXPLAINING_WORDS),
        }
    }
}

fn most(probabilities: &[f64]) -> (usize, f64) {
    probabilities
        .iter()
        .copied()
        .enumerate()
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .unwrap_or((0, 0.0))
}
