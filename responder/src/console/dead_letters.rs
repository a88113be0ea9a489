//! The dead letters: what a reader could not take, why, and the way back.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::dead_letters::{self, DeadLetter};
use backbone::mask::mask;
use backbone::topics::{self, Topic};
use jiff::Timestamp;
use tracing::warn;

use super::access::SignedIn;
use super::fields::Fields;
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::{Console, show};
use crate::account::Wanted;
use crate::case::Role;

/// Dead letters that are read of a topic: the newest.
const MOST: u32 = 100;
/// Characters shown of what a message holds.
const SHOWN: usize = 2_000;
/// Times of sending back that are looked through: the newest.
const REPLAYS: u32 = 500;
/// Name of sending back in the audit.
const REPLAY: &str = "replay-dead-letter";

struct TopicLine {
    name: &'static str,
    count: u64,
    current: bool,
}

struct LetterLine {
    offset: i64,
    at: String,
    reason: String,
    partition: String,
    original_offset: String,
    group: String,
    content: String,
    bytes: String,
    /// When it was last sent back; empty where it was not.
    replayed: String,
}

#[derive(Template)]
#[template(path = "dead-letters.html")]
struct DeadLettersPage {
    frame: Frame,
    topics: Vec<TopicLine>,
    topic: &'static str,
    /// How many of those shown have which reason.
    reasons: Vec<(String, usize)>,
    letters: Vec<LetterLine>,
    most: u32,
    may_replay: bool,
    /// Whether Kafka did not answer.
    unavailable: bool,
    problem: String,
    done: &'static str,
}

/// The newest of a topic.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "replayed" => "已重新投递到原主题。处理成功与否请看有关页面；仍读不出的会再次进入死信。",
        _ => "",
    };
    let asked = match fields.get("topic") {
        "" => None,
        name => Some(known(name).ok_or(Problem::NotFound)?),
    };
    let (topics, topic, letters) = match asked {
        Some(topic) => {
            let (topics, letters) = tokio::join!(counts(&console), newest(&console, topic));
            (topics, topic, letters)
        }
        None => {
            let topics = counts(&console).await;
            let counts = topics.iter().flatten();
            let topic = (topics::ALL.iter().zip(counts))
                .find(|(_, count)| **count > 0)
                .map(|(topic, _)| topic);
            // Where none has any there is nothing to read.
            let letters = match topic {
                Some(topic) => newest(&console, topic).await,
                None => Some(Vec::new()),
            };
            (topics, topic.unwrap_or(&topics::ALL[0]), letters)
        }
    };
    let wanted = Wanted {
        action: REPLAY.to_owned(),
        ..Wanted::default()
    };
    let (replays, _) = console.accounts.audit_search(&wanted, 0, REPLAYS).await?;
    // The newest come first, and stay.
    let mut replayed = BTreeMap::new();
    for line in replays {
        replayed.entry(line.subject).or_insert(line.at);
    }
    let unavailable = topics.is_none() || letters.is_none();
    let letters = letters.unwrap_or_default();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for letter in &letters {
        *reasons.entry(mask(&letter.reason)).or_default() += 1;
    }
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let page = DeadLettersPage {
        topics: (topics::ALL.iter())
            .zip(topics.unwrap_or_default())
            .map(|(known, count)| TopicLine {
                name: known.name,
                count,
                current: known.name == topic.name,
            })
            .collect(),
        topic: topic.name,
        reasons,
        letters: (letters.iter())
            .map(|letter| {
                line(
                    letter,
                    replayed.get(&subject(topic, letter.offset)).copied(),
                )
            })
            .collect(),
        most: MOST,
        may_replay: signed_in.user.role == Role::Administrator,
        unavailable,
        problem: String::new(),
        done,
        frame: Frame::new(&console, &signed_in, "/dead-letters", "死信"),
    };
    render_as(StatusCode::OK, &page)
}

/// How many each topic has; none where Kafka does not answer.
async fn counts(console: &Console) -> Option<Vec<u64>> {
    let counts = dead_letters::count(&console.surroundings.looking()).await;
    counts
        .inspect_err(|error| warn!(%error, "the dead letters cannot be counted"))
        .ok()
}

/// The newest of a topic; none where Kafka does not answer.
async fn newest(console: &Console, topic: &Topic) -> Option<Vec<DeadLetter>> {
    let letters = dead_letters::newest(&console.surroundings.looking(), topic, MOST).await;
    letters
        .inspect_err(|error| warn!(%error, "the dead letters cannot be read"))
        .ok()
}

fn known(name: &str) -> Option<&'static Topic> {
    topics::ALL.iter().find(|topic| topic.name == name)
}

fn subject(topic: &Topic, offset: i64) -> String {
    format!("{}@{offset}", topic.name)
}

/// Sends one back to its topic, to be read again. Ids are deterministic, so one that was handled after all changes nothing.
pub(super) async fn replay(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let topic = known(fields.get("topic")).ok_or(Problem::NotFound)?;
    let offset: i64 = (fields.get("offset").parse()).map_err(|_| Problem::NotFound)?;
    let kafka = console.surroundings.looking();
    // First, so that nothing is sent of which nobody knows by whom.
    let (user, subject) = (&signed_in.user.name, subject(topic, offset));
    (console.accounts)
        .audit(user, REPLAY, &subject, Timestamp::now())
        .await?;
    match dead_letters::replay(&kafka, topic, offset).await {
        Ok(true) => {
            let to = format!("/dead-letters?topic={}&done=replayed", topic.name);
            Ok(Redirect::to(&to).into_response())
        }
        Ok(false) => Err(Problem::NotFound),
        Err(error) => {
            warn!(%error, subject, "a dead letter could not be sent back");
            let page = DeadLettersPage {
                topics: Vec::new(),
                topic: topic.name,
                reasons: Vec::new(),
                letters: Vec::new(),
                most: MOST,
                may_replay: false,
                unavailable: true,
                problem: "没有重新投递：消息队列暂时不可用，请稍后重试。".to_owned(),
                done: "",
                frame: Frame::new(&console, &signed_in, "/dead-letters", "死信"),
            };
            render_as(StatusCode::SERVICE_UNAVAILABLE, &page)
        }
    }
}

fn line(letter: &DeadLetter, replayed: Option<Timestamp>) -> LetterLine {
    LetterLine {
        offset: letter.offset,
        at: letter.at.map(show::time).unwrap_or_default(),
        reason: mask(&letter.reason),
        partition: letter.partition.clone(),
        original_offset: letter.original_offset.clone(),
        group: letter.group.clone(),
        content: content(&letter.payload),
        bytes: show::bytes(letter.payload.len() as u64),
        replayed: replayed.map(show::time).unwrap_or_default(),
    }
}

/// The beginning of what a message holds, for people: personal data masked, what is no text replaced.
fn content(bytes: &[u8]) -> String {
    // A number may lie across the end: what is masked goes on beyond what is shown.
    let beginning = bytes.get(..SHOWN * 8).unwrap_or(bytes);
    let text: String = String::from_utf8_lossy(beginning)
        .chars()
        .map(|letter| match letter {
            '\n' | '\t' => letter,
            letter if letter.is_control() => '\u{fffd}',
            letter => letter,
        })
        .collect();
    let masked = mask(&text);
    let mut letters = masked.chars();
    let mut shown: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() || beginning.len() < bytes.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_letter_holds_is_masked_bounded_and_text() {
        let said = content("{\"text\":\"请打13800138000\u{0}\"}".as_bytes());
        assert!(!said.contains("13800138000"), "{said}");
        assert!(said.contains('\u{fffd}'), "{said}");
        let long = content("长".repeat(9_000).as_bytes());
        assert_eq!(long.chars().count(), SHOWN + 1);
        assert!(content(&[0xff, 0xfe]).contains('\u{fffd}'));
    }
}
