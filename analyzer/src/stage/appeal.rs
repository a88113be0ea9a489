//! Appeal: what a writer wants (诉求类型).

use backbone::message::{APPEALS, Appeal};

use crate::model::most;

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
