//! Subject: what a post is about, in two levels. The model tells the first, the rules' words the second.

use backbone::message::{Subject, SubjectShare};
use backbone::region::SUBJECTS;

use crate::model::most;
use crate::stage::lexicon::{Found, SecondSubject, Sense};

/// First-level subjects told beside the first, at most, and the least probability of one.
const SHARES: usize = 3;
const LEAST_SHARE: f64 = 0.05;

/// The subject that the probabilities of [`SUBJECTS`] and the words found tell, without its reasons.
#[must_use]
pub fn subject(
    probabilities: &[f64],
    text: &str,
    found: &[Found],
    seconds: &[SecondSubject],
) -> (usize, Subject) {
    let (class, probability) = most(probabilities);
    let subject = Subject {
        name: SUBJECTS.get(class).copied().unwrap_or_default().to_owned(),
        second: second(class, text, found, seconds),
        probability,
        because: Vec::new(),
    };
    (class, subject)
}

/// The first-level subjects that it may be, the most probable first.
#[must_use]
pub fn shares(probabilities: &[f64]) -> Vec<SubjectShare> {
    let mut shares: Vec<SubjectShare> = SUBJECTS
        .iter()
        .zip(probabilities)
        .filter(|(_, probability)| **probability >= LEAST_SHARE)
        .map(|(name, probability)| SubjectShare {
            name: (*name).to_owned(),
            probability: *probability,
        })
        .collect();
    shares.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    shares.truncate(SHARES);
    shares
}

/// The second-level subject below `first` whose words say most: a word counts by its length, once.
fn second(first: usize, text: &str, found: &[Found], seconds: &[SecondSubject]) -> String {
    let mut said: Vec<(u16, &str)> = Vec::new();
    let mut weights: Vec<(u16, usize)> = Vec::new();
    for word in found {
        let Sense::Subject(index) = word.sense else {
            continue;
        };
        let belongs = seconds
            .get(usize::from(index))
            .is_some_and(|second| second.first == first);
        let Some(written) = text.get(word.start..word.end).filter(|_| belongs) else {
            continue;
        };
        if said.contains(&(index, written)) {
            continue;
        }
        said.push((index, written));
        match weights.iter_mut().find(|(known, _)| *known == index) {
            Some((_, weight)) => *weight += written.len(),
            None => weights.push((index, written.len())),
        }
    }
    // Of equals the first named.
    weights
        .into_iter()
        .rev()
        .max_by_key(|(_, weight)| *weight)
        .and_then(|(index, _)| seconds.get(usize::from(index)))
        .map(|second| second.name.clone())
        .unwrap_or_default()
}
