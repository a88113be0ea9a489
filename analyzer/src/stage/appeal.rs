//! Appeal: what a writer wants (诉求类型).

use backbone::message::{APPEALS, Appeal, SourceKind};

use crate::model::most;

/// What wants nothing.
const STATEMENT: &str = "陈述";
/// How much rarer it is where people write to an office than among all texts that the model learned from. Of our own labels
/// it has 9 of 5,805 on the board and 1,265 of 1,874 everyday texts; forums are boards too, so it is no rarer than this.
const RARER: f64 = 0.1;

/// The model's probabilities of [`APPEALS`] for a text of a kind of source: who writes to a board or calls a hotline
/// seldom wants nothing (Saerens, Latinne and Decaestecker 2002, formula 2.4).
#[must_use]
pub fn of_kind(mut probabilities: Vec<f64>, kind: SourceKind) -> Vec<f64> {
    if matches!(kind, SourceKind::Board | SourceKind::Import) {
        for (name, probability) in APPEALS.iter().zip(&mut probabilities) {
            if *name == STATEMENT {
                *probability *= RARER;
            }
        }
        let sum: f64 = probabilities.iter().sum();
        for probability in &mut probabilities {
            *probability /= sum;
        }
    }
    probabilities
}

/// The appeal that the model's probabilities of [`APPEALS`] tell, without its reasons.
#[must_use]
pub fn appeal(probabilities: &[f64]) -> (usize, Appeal) {
    let (class, probability) = most(probabilities);
    let appeal = Appeal {
        name: APPEALS.get(class).copied().unwrap_or_default().to_owned(),
        probability,
        because: Vec::new(),
    };
    (class, appeal)
}
