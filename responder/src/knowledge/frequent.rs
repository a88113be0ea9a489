//! Questions that are asked again and again, among those that were answered.

use crate::case::{Actor, Cases, StoreError};
use crate::likeness::{Pairs, groups};

/// How like a question an entry must be to be said to answer it.
pub(crate) const KNOWN: f64 = 0.6;

/// What people want who ask a question.
const QUESTION: &str = "咨询";

/// How alike two questions must be to be one.
const SAME: f64 = 0.3;

/// A question that was asked, and the published reply, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question in plain words.
    pub question: String,
    /// The reply.
    pub reply: String,
    /// Its first-level subject; may be empty.
    pub subject: String,
    /// Code of the unit that replied.
    pub unit: String,
    /// Id of the case, or of the event, that asks it.
    pub case: String,
}

/// A question that was asked again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frequent {
    /// The question that is most like the others, with its reply.
    pub asked: Asked,
    /// How often it was asked.
    pub times: usize,
    /// Ids of the others that ask it.
    pub others: Vec<String>,
}

/// The questions of the cases of a region that were answered last, so many of them, with their replies.
///
/// # Errors
/// When the store fails.
pub async fn asked(cases: &Cases, region: &str, most: u32) -> Result<Vec<Asked>, StoreError> {
    let answered = cases.answered(region, &Actor::system(), most).await?;
    let wanted = answered.into_iter().filter(|case| {
        let wants = case.alert.event.appeals.first();
        wants.is_some_and(|most| most.name == QUESTION) && !case.reply.is_empty()
    });
    Ok(wanted
        .map(|case| Asked {
            question: case.alert.event.title.clone(),
            subject: (case.alert.event.subject.split('/').next())
                .unwrap_or_default()
                .to_owned(),
            unit: case.lead().to_owned(),
            reply: case.reply,
            case: case.id,
        })
        .collect())
}

/// The questions that were asked at least so often, the most asked first.
#[must_use]
pub fn frequent(asked: &[Asked], least: usize) -> Vec<Frequent> {
    let pairs: Vec<Pairs> = asked.iter().map(|one| Pairs::of(&one.question)).collect();
    let likeness_to_all = |at: usize, members: &[usize]| -> f64 {
        let own = pairs.get(at);
        members
            .iter()
            .filter_map(|other| Some(own?.likeness(pairs.get(*other)?)))
            .sum()
    };
    let mut found: Vec<Frequent> = groups(&pairs, SAME)
        .into_iter()
        .filter(|members| members.len() >= least)
        .filter_map(|members| {
            let most = members.iter().copied().max_by(|one, other| {
                let by_likeness =
                    likeness_to_all(*one, &members).total_cmp(&likeness_to_all(*other, &members));
                by_likeness.then(other.cmp(one))
            })?;
            let others = members.iter().filter(|at| **at != most);
            Some(Frequent {
                asked: asked.get(most)?.clone(),
                times: members.len(),
                others: others
                    .filter_map(|at| Some(asked.get(*at)?.case.clone()))
                    .collect(),
            })
        })
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.times));
    found
}
