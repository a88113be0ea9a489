//! Copies of the post in topics. A log loses no single message; it lets go what is past its retention, and until when that is at the
//! latest is known.

use backbone::kafka::{ReadPartitionError, copies};
use backbone::message::ErasedFrom;
use backbone::settings::Kafka;
use backbone::topics::{
    ALERTS, ASSESSMENTS, DEAD_LETTER_RETENTION_DAYS, EVENT_EDITS, POSTS, SIGNALS, Topic,
};
use jiff::{SignedDuration, Timestamp};

/// Topics that may hold words of a post.
const TOPICS: [Topic; 5] = [POSTS, ASSESSMENTS, ALERTS, SIGNALS, EVENT_EDITS];
/// A broker removes whole segments, which it closes after seven days, and looks for them now and then.
const SEGMENT_DAYS: u32 = 8;

/// A topic with what it was looked through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) name: &'static str,
    days: u32,
}

/// Where copies of words are that were in a topic at a time, and when they are gone, at the latest.
#[must_use]
pub fn copies_in(topic: &Topic, at: Timestamp) -> (String, Timestamp) {
    let log = Log::of(topic);
    (log.place(), log.until(at))
}

impl Log {
    fn of(topic: &Topic) -> Self {
        Self {
            name: topic.name,
            days: topic.retention_days,
        }
    }

    /// Those that may hold words of a post, and their dead letters.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        TOPICS.into_iter().flat_map(|topic| {
            [
                Self::of(&topic),
                Self {
                    name: topic.dead,
                    days: DEAD_LETTER_RETENTION_DAYS,
                },
            ]
        })
    }

    /// The place's name in a proof.
    pub(super) fn place(self) -> String {
        format!("消息记录：{}", self.name)
    }

    /// When what was in it at a time is gone, at the latest.
    pub(super) fn until(self, at: Timestamp) -> Timestamp {
        at + SignedDuration::from_hours(24 * i64::from(self.days + SEGMENT_DAYS))
    }

    /// How many messages are about the post, or call an event by its words.
    pub(super) async fn copies(
        self,
        kafka: &Kafka,
        post: &str,
        events: &[ErasedFrom],
    ) -> Result<u64, ReadPartitionError> {
        let mut needles = vec![post.to_owned()];
        let named = events.iter().filter(|event| event.title.is_some());
        needles.extend(named.map(|event| event.event.clone()));
        copies(kafka, self.name, needles).await
    }
}
