//! Reasons: the words of the rules that speak for what the models told. People read these sooner than what weighed most
//! in a model, which fills up where the rules have no word.

use std::ops::Range;

use crate::model::{Task, Told};
use crate::rules::Cue;
use crate::stage::lexicon::{Found, SecondSubject, Sense};

/// The words found that speak for a class told, from left to right, none inside another and none in a mere formula, at
/// most `count`.
#[must_use]
pub fn reasons(
    told: &Told,
    found: &[Found],
    seconds: &[SecondSubject],
    count: usize,
) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::with_capacity(count);
    // Nothing counts before this byte.
    let mut end = 0;
    for word in found.iter().filter(|word| word.end - word.start > 3) {
        if word.start < end || ranges.len() == count {
            continue;
        }
        match word.sense {
            Sense::Cue(Cue::Formula) => end = word.end,
            sense if speaks(told, sense, seconds) => {
                end = word.end;
                ranges.push(word.start..word.end);
            }
            _ => {}
        }
    }
    ranges
}

/// Whether a word of a sense speaks for the class.
fn speaks(told: &Told, sense: Sense, seconds: &[SecondSubject]) -> bool {
    let label = told.task.labels().get(told.class).copied();
    match (told.task, sense) {
        (Task::Subject, Sense::Subject(index)) => seconds
            .get(usize::from(index))
            .is_some_and(|second| second.first == told.class),
        (Task::Sentiment | Task::Appeal, Sense::Cue(cue)) => match label.unwrap_or_default() {
            "positive" | "表扬" => matches!(cue, Cue::Praise | Cue::Thanks | Cue::Solved),
            "negative" => matches!(
                cue,
                Cue::Blame | Cue::Trouble | Cue::Reproach | Cue::Sarcasm | Cue::Complaint
            ),
            "投诉" => matches!(
                cue,
                Cue::Complaint | Cue::Blame | Cue::Trouble | Cue::Reproach
            ),
            "neutral" => matches!(cue, Cue::Question | Cue::Suggestion | Cue::Notice),
            "咨询" => cue == Cue::Question,
            "求助" => cue == Cue::Plea,
            "建议" => cue == Cue::Suggestion,
            "举报" => cue == Cue::Report,
            "陈述" => cue == Cue::Notice,
            _ => false,
        },
        _ => false,
    }
}
