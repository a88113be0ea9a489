//! The dead letters: what a reader could not take, with the reason, and the way back.

use std::io::Write;

use anyhow::{Context, bail};
use jiff::Timestamp;
use rdkafka::Message as _;
use rdkafka::message::OwnedHeaders;

use crate::kafka::{self, Producer, ReadPartitionError, SendError, Start, header};
use crate::settings::Kafka;
use crate::topics::{self, Topic};

/// Lists or replays the dead letters of a topic.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Prints one line per dead letter: its offset, where it was, and why it is here. No content.
    List {
        /// The topic whose dead letters are meant, such as `posts`.
        #[arg(long)]
        topic: String,
    },
    /// Sends dead letters back to their topic, to be read again. Ids are deterministic, so one that
    /// was handled after all changes nothing.
    Replay {
        /// The topic whose dead letters are meant, such as `posts`.
        #[arg(long)]
        topic: String,
        /// Only the dead letter at this offset; all of them where absent.
        #[arg(long)]
        offset: Option<i64>,
    },
}

/// A message that a reader could not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its offset among the dead letters of its topic.
    pub offset: i64,
    /// When it was put there.
    pub at: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// The partition it was in.
    pub partition: String,
    /// Its offset there.
    pub original_offset: String,
    /// The consumer group that could not take it.
    pub group: String,
    /// Its bytes.
    pub payload: Vec<u8>,
    key: Option<Vec<u8>>,
}

/// How many dead letters each topic has, in the order of [`topics::ALL`].
///
/// # Errors
/// When the brokers do not answer.
pub async fn count(kafka: &Kafka) -> Result<Vec<u64>, ReadPartitionError> {
    let extents = kafka::aside(kafka, |kafka| {
        let places = topics::ALL.map(|topic| (topic.dead, 0));
        kafka::extent(kafka, &places)
    });
    Ok((extents.await?.into_iter())
        .map(|(oldest, next)| u64::try_from(next - oldest).unwrap_or(0))
        .collect())
}

/// The newest dead letters of a topic, the newest first.
///
/// # Errors
/// When the brokers do not give them.
pub async fn newest(
    kafka: &Kafka,
    topic: &Topic,
    most: u32,
) -> Result<Vec<DeadLetter>, ReadPartitionError> {
    let mut letters = read_aside(kafka, topic, Start::Last(most)).await?;
    letters.reverse();
    Ok(letters)
}

/// Sends the dead letter at an offset back to its topic, to be read again. Says whether there is one.
///
/// # Errors
/// When the brokers fail.
pub async fn replay(kafka: &Kafka, topic: &Topic, offset: i64) -> anyhow::Result<bool> {
    let producer = Producer::new(kafka)?;
    let letters = read_aside(kafka, topic, Start::Offset(offset)).await?;
    let Some(letter) = letters.iter().find(|letter| letter.offset == offset) else {
        return Ok(false);
    };
    send_back(&producer, topic, letter).await?;
    Ok(true)
}

async fn send_back(
    producer: &Producer,
    topic: &Topic,
    letter: &DeadLetter,
) -> Result<(), SendError> {
    // The partition it had, because an event's window belongs to a partition.
    producer
        .send_raw(
            topic.name,
            letter.partition.parse().ok(),
            letter.key.as_deref(),
            &letter.payload,
            OwnedHeaders::new(),
        )
        .await
        .map(drop)
}

/// Carries out a command and writes what it did to `out`.
///
/// # Errors
/// When the topic is unknown, the brokers fail, or `out` cannot be written.
pub async fn run(kafka: &Kafka, command: &Command, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        Command::List { topic } => {
            let known = find(topic)?;
            let letters = read_aside(kafka, known, Start::Beginning).await?;
            for letter in &letters {
                writeln!(
                    out,
                    "{}\t{topic}[{}]@{}\t{}\t{}",
                    letter.offset,
                    letter.partition,
                    letter.original_offset,
                    letter.group,
                    letter.reason
                )?;
            }
            writeln!(out, "{} dead letters of {topic}", letters.len())?;
        }
        Command::Replay { topic, offset } => {
            let known = find(topic)?;
            let producer = Producer::new(kafka)?;
            let letters = read_aside(kafka, known, Start::Beginning).await?;
            let there = letters.len();
            let is_wanted =
                |letter: &DeadLetter| offset.is_none_or(|wanted| wanted == letter.offset);
            let wanted: Vec<_> = letters.into_iter().filter(is_wanted).collect();
            if let (Some(offset), true) = (offset, wanted.is_empty()) {
                bail!(
                    "no dead letter of `{topic}` at offset {offset}; `dead-letters list --topic {topic}` shows them"
                );
            }
            for (done, letter) in wanted.iter().enumerate() {
                let sent = send_back(&producer, known, letter).await;
                sent.with_context(|| {
                    format!(
                        "{done} of {} dead letters of {topic} were sent back; replay them again once the brokers answer: what was read after all changes nothing",
                        wanted.len()
                    )
                })?;
            }
            let sent = wanted.len();
            writeln!(
                out,
                "{sent} of {there} dead letters of {topic} sent back to it"
            )?;
            if sent > 0 {
                writeln!(
                    out,
                    "they stay listed; one that cannot be read this time either is listed once more within seconds, with its reason: dead-letters list --topic {topic}"
                )?;
            }
        }
    }
    Ok(())
}

/// The topic of that name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> anyhow::Result<&'static Topic> {
    topics::ALL
        .iter()
        .find(|topic| topic.name == name)
        .with_context(|| {
            let names: Vec<&str> = topics::ALL.iter().map(|topic| topic.name).collect();
            format!("no topic `{name}`; the topics are {}", names.join(", "))
        })
}

async fn read_aside(
    kafka: &Kafka,
    topic: &Topic,
    start: Start,
) -> Result<Vec<DeadLetter>, ReadPartitionError> {
    let topic = *topic;
    kafka::aside(kafka, move |kafka| read(kafka, &topic, start)).await
}

/// The dead letters of a topic from a point on. Blocks.
fn read(kafka: &Kafka, topic: &Topic, start: Start) -> Result<Vec<DeadLetter>, ReadPartitionError> {
    let mut letters = Vec::new();
    kafka::read_raw(kafka, topic.dead, 0, start, |raw| {
        let text = |name| kafka::header_text(raw, name).unwrap_or_default();
        let at = raw.timestamp().to_millis();
        letters.push(DeadLetter {
            offset: raw.offset(),
            at: at.and_then(|at| Timestamp::from_millisecond(at).ok()),
            reason: text(header::REASON),
            partition: text(header::PARTITION),
            original_offset: text(header::OFFSET),
            group: text(header::GROUP),
            key: raw.key().map(<[u8]>::to_vec),
            payload: raw.payload().unwrap_or_default().to_vec(),
        });
    })?;
    Ok(letters)
}
