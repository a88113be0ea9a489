//! What was erased on request, known to every process that reads posts or what was found in them. It is a set that only grows:
//! it does not matter in which order erasures and the posts that they are about come, nor how often.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::kafka::{Producer, follow_whole};
use crate::message::{Alert, Assessment, Erasure};
use crate::service::Readiness;
use crate::settings::Kafka;
use crate::topics::ERASURES;

/// What stands in place of a title that was erased.
pub const ERASED_TITLE: &str = "（内容已依申请删除）";
/// The name under which readiness lists it, and by which dead letters say who refused them.
const READER: &str = "erasures";
/// For so long after an erasure an alert may have been worded by who did not know of it yet.
pub const LATE: SignedDuration = SignedDuration::from_mins(10);

/// What is known of all erasures.
#[derive(Debug)]
struct Known {
    posts: BTreeSet<String>,
    /// Of the posts.
    digest: String,
    events: HashMap<String, Event>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            posts: BTreeSet::new(),
            digest: digest(&BTreeSet::new()),
            events: HashMap::new(),
        }
    }
}

fn digest(posts: &BTreeSet<String>) -> String {
    let posts: Vec<&str> = posts.iter().map(String::as_str).collect();
    crate::id::of("erased", &posts)
}

/// What is known of an event that an erased post was in.
#[derive(Debug, Default)]
struct Event {
    /// What it is called from now on; absent where its title was not an erased post's.
    title: Option<String>,
    /// When the last of its posts was erased.
    at: Timestamp,
}

/// What was erased on request. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Erased {
    /// Nothing until it is known.
    known: watch::Sender<Option<Known>>,
}

impl Erased {
    /// Nothing was erased, and nothing will be.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            known: watch::Sender::new(Some(Known::default())),
        }
    }

    /// Learns of erasures; from then on it is known what was erased.
    pub fn learn(&self, erasures: impl IntoIterator<Item = Erasure>) {
        self.known.send_modify(|known| {
            let known = known.get_or_insert_default();
            let before = known.posts.len();
            for erasure in erasures {
                for from in erasure.events {
                    let event = known.events.entry(from.event).or_default();
                    event.at = event.at.max(erasure.at);
                    // Whatever comes first: the title is a function of what came.
                    event.title = event.title.take().max(from.title);
                }
                known.posts.insert(erasure.post);
            }
            if known.posts.len() > before {
                known.digest = digest(&known.posts);
            }
        });
    }

    /// Whether it is known what was erased.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known.borrow().is_some()
    }

    /// Returns once that is known.
    pub async fn known(&self) {
        let mut known = self.known.subscribe();
        // The sender is in `self`: it is not dropped meanwhile.
        drop(known.wait_for(Option::is_some).await);
    }

    /// Whether a post was erased.
    #[must_use]
    pub fn has(&self, post: &str) -> bool {
        (self.known.borrow().as_ref()).is_some_and(|known| known.posts.contains(post))
    }

    /// How many posts were erased: another number than before tells that there is something to forget.
    #[must_use]
    pub fn count(&self) -> usize {
        (self.known.borrow().as_ref()).map_or(0, |known| known.posts.len())
    }

    /// A digest of the posts that were erased.
    #[must_use]
    pub fn digest(&self) -> String {
        match &*self.known.borrow() {
            Some(known) => known.digest.clone(),
            None => digest(&BTreeSet::new()),
        }
    }

    /// What an event is called now, where its title was an erased post's.
    #[must_use]
    pub fn title(&self, event: &str) -> Option<String> {
        let known = self.known.borrow();
        known.as_ref()?.events.get(event)?.title.clone()
    }

    /// Whether an erased post was in an event.
    #[must_use]
    pub fn is_from(&self, event: &str) -> bool {
        (self.known.borrow().as_ref()).is_some_and(|known| known.events.contains_key(event))
    }

    /// Whether an alert on an event, raised at a time, may hold sentences of an erased post.
    #[must_use]
    pub fn may_quote(&self, event: &str, raised_at: Timestamp) -> bool {
        let known = self.known.borrow();
        (known.as_ref().and_then(|known| known.events.get(event)))
            .is_some_and(|event| raised_at < event.at + LATE)
    }

    /// Takes from an assessment what was erased. What was found in the post stays, as far as it is not in its words: it was
    /// said, and is counted.
    pub fn cleanse(&self, assessment: &mut Assessment) {
        if let Some(event) = &mut assessment.event
            && let Some(title) = self.title(&event.id)
        {
            event.title = title;
        }
        if !self.has(&assessment.post.id) {
            return;
        }
        let post = &mut assessment.post;
        ERASED_TITLE.clone_into(&mut post.title);
        post.text.clear();
        post.url.clear();
        post.author = None;
        assessment.relevant_because.clear();
        assessment.keywords.clear();
        assessment.evidence.clear();
        assessment.sentiment.because.clear();
        if let Some(subject) = &mut assessment.subject {
            subject.because.clear();
        }
        if let Some(appeal) = &mut assessment.appeal {
            appeal.because.clear();
        }
    }

    /// Takes from an alert what was erased.
    pub fn cleanse_alert(&self, alert: &mut Alert) {
        let event = &mut alert.event;
        if let Some(title) = self.title(&event.id) {
            event.title = title;
        }
        if self.may_quote(&event.id, alert.raised_at) {
            event.gist.clear();
        }
        if let Some(recurrence) = &mut event.recurrence
            && let Some(title) = self.title(&recurrence.event)
        {
            recurrence.title = title;
        }
    }
}

/// Reads what was erased so far, waiting for brokers that are down, and follows it from then on, until `stop`.
pub fn follow<'a>(
    kafka: &'a Kafka,
    producer: &'a Producer,
    erased: &'a Erased,
    readiness: &'a Readiness,
    stop: &'a CancellationToken,
) -> impl Future<Output = ()> + Send + 'a {
    let learn = |erasures: Vec<Erasure>| {
        let before = erased.count();
        erased.learn(erasures);
        let posts = erased.count();
        if posts > before {
            info!(posts, "posts were erased on request");
        }
    };
    let following = follow_whole(kafka, &ERASURES, READER, producer, readiness, learn);
    async move {
        stop.run_until_cancelled(following).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id;
    use crate::message::{ErasedFrom, Post, decode};

    fn assessment() -> Assessment {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/assessments/v1/relevant.json"
        );
        decode(&std::fs::read(path).unwrap()).unwrap()
    }

    fn erasure(post: &str, event: &str, title: Option<&str>) -> Erasure {
        Erasure {
            id: id::of_erasure(post),
            region: "360921".to_owned(),
            post: post.to_owned(),
            events: vec![ErasedFrom {
                event: event.to_owned(),
                title: title.map(str::to_owned),
            }],
            role: "administrator".to_owned(),
            at: "2026-11-26T08:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn what_was_found_stays_and_the_words_go() {
        let (erased, whole) = (Erased::default(), assessment());
        assert!(!erased.is_known());
        let event = whole.event.clone().unwrap();
        erased.learn([erasure(&whole.post.id, &event.id, Some("物业管理"))]);
        let mut left = whole.clone();
        erased.cleanse(&mut left);
        let json = serde_json::to_string(&left).unwrap();
        for gone in [
            &whole.post.title,
            &whole.post.text,
            &whole.post.url,
            &event.title,
        ] {
            assert!(!gone.is_empty() && !json.contains(gone), "{gone}");
        }
        assert_eq!((left.post.author, left.evidence.len()), (None, 0));
        assert_eq!(left.sentiment.label, whole.sentiment.label);
        assert_eq!(left.places, whole.places);
        assert_eq!(left.event.unwrap().title, "物业管理");

        // Another post of the event loses no word of its own.
        let mut other = whole.clone();
        other.post.id = "another".to_owned();
        erased.cleanse(&mut other);
        assert_eq!(
            other.post,
            Post {
                id: "another".to_owned(),
                ..whole.post
            }
        );
        assert_eq!(other.event.unwrap().title, "物业管理");
    }

    #[test]
    fn erasures_may_come_in_any_order_and_again() {
        let all = [
            erasure("1", "e", Some("甲")),
            erasure("2", "e", Some("乙")),
            erasure("3", "e", None),
        ];
        let (one, other) = (Erased::default(), Erased::nothing());
        one.learn(all.clone());
        other.learn(all.iter().rev().cloned().chain(all.iter().cloned()));
        assert_eq!(one.digest(), other.digest());
        assert_eq!(one.title("e"), other.title("e"));
        assert_eq!((one.count(), other.count()), (3, 3));
        assert_ne!(one.digest(), Erased::nothing().digest());
    }
}
