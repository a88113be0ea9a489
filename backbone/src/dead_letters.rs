//! The dead letters: what a reader could not take, with the reason, and the way back.

use std::io::Write;

use anyhow::{Context, bail};
use rdkafka::Message as _;
use rdkafka::message::OwnedHeaders;

use crate::kafka::{self, Producer, header};
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

struct DeadLetter {
    offset: i64,
    reason: String,
    partition: String,
    original_offset: String,
    group: String,
    key: Option<Vec<u8>>,
    payload: Vec<u8>,
}

/// Carries out a command and writes what it did to `out`.
///
/// # Errors
/// When the topic is unknown, the brokers fail, or `out` cannot be written.
pub async fn run(kafka: &Kafka, command: &Command, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        Command::List { topic } => {
            let letters = read(kafka, find(topic)?)?;
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
            let mut replayed = 0_u64;
            for letter in read(kafka, known)? {
                if offset.is_some_and(|wanted| wanted != letter.offset) {
                    continue;
                }
                // The partition it had, because an event's window belongs to a partition.
                producer
                    .send_raw(
                        known.name,
                        letter.partition.parse().ok(),
                        letter.key.as_deref(),
                        &letter.payload,
                        OwnedHeaders::new(),
                    )
                    .await?;
                replayed += 1;
            }
            if let (Some(offset), 0) = (offset, replayed) {
                bail!(
                    "no dead letter of `{topic}` at offset {offset}; `dead-letters list --topic {topic}` shows them"
                );
            }
            writeln!(out, "{replayed} dead letters of {topic} sent back to it")?;
        }
    }
    Ok(())
}

fn find(name: &str) -> anyhow::Result<&'static Topic> {
    topics::ALL
        .iter()
        .find(|topic| topic.name == name)
        .with_context(|| {
            let names: Vec<&str> = topics::ALL.iter().map(|topic| topic.name).collect();
            format!("no topic `{name}`; the topics are {}", names.join(", "))
        })
}

fn read(kafka: &Kafka, topic: &Topic) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    tokio::task::block_in_place(|| {
        kafka::read_raw(kafka, topic.dead, 0, kafka::Start::Beginning, |raw| {
            let text = |name| kafka::header_text(raw, name).unwrap_or_default();
            letters.push(DeadLetter {
                offset: raw.offset(),
                reason: text(header::REASON),
                partition: text(header::PARTITION),
                original_offset: text(header::OFFSET),
                group: text(header::GROUP),
                key: raw.key().map(<[u8]>::to_vec),
                payload: raw.payload().unwrap_or_default().to_vec(),
            });
        })
    })?;
    Ok(letters)
}
