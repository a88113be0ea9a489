//! What the benchmarks share: the standalone program, real posts to measure with, what the measured programs used, and the alerts
//! that came.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use backbone::message::{self, Alert, Certainty, Post, Reactions, SourceKind};
use backbone::settings::Kafka;
use backbone::topics::ALERTS;
use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::duty::PASSWORD;
use crate::{PATIENCE, Program, project, shared_data, wait_within};

/// Bytes of a page of memory, by which `/proc` counts.
const PAGE: u64 = 4096;

/// Starts the standalone program on a folder, with the settings that ship, and waits until it says where its parts are: their
/// addresses by name. The administrator's password is [`PASSWORD`].
///
/// # Panics
/// When it does not start.
pub async fn standalone(folder: &Path) -> (Program, BTreeMap<String, String>) {
    standalone_by(&project().join("deploy/config"), folder, PATIENCE).await
}

/// The same with the settings of another folder, and for as long as that.
///
/// # Panics
/// When it does not start.
pub async fn standalone_by(
    settings: &Path,
    folder: &Path,
    patience: Duration,
) -> (Program, BTreeMap<String, String>) {
    let library = Command::new(project().join("deploy/libchdb")).output();
    let library = library.expect("the library's path").stdout;
    let mut command = Program::command("standalone");
    command
        .args(["--port", "0", "--config"])
        .arg(settings)
        .arg("--data")
        .arg(folder)
        .env("CHDB_LIB", String::from_utf8_lossy(&library).trim())
        .env("WENSHENG_ADMIN_PASSWORD", PASSWORD)
        .env("RUST_LOG", "warn")
        .stderr(File::create(folder.join("log")).expect("a log"));
    let program = Program::start(command);
    let said = wait_within(patience, "the standalone program", async || {
        let text = std::fs::read_to_string(folder.join("standalone.json")).ok()?;
        serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&text).ok()
    })
    .await;
    let addresses = said
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
    (program, addresses.collect())
}

/// A post of a region that was published now: one of the texts, of a house that seven posts share, so that they are not all copies.
#[must_use]
pub fn post_now(number: u64, texts: &[(String, String)], region: &str) -> Post {
    let (title, text) = &texts[number as usize % texts.len()];
    let house = number / 7;
    let now = Timestamp::now();
    Post {
        id: backbone::id::of_post("bench", "", &number.to_string()),
        revision: 1,
        region: region.to_owned(),
        source: "信箱".to_owned(),
        kind: SourceKind::Import,
        url: String::new(),
        title: format!("{title}（{house}号）"),
        text: format!("{text}（{house}号院）"),
        author: Some(backbone::id::of("author", &[&(number % 9_973).to_string()])),
        published_at: now,
        certainty: Certainty::Exact,
        collected_at: now,
        reactions: Reactions::default(),
        answered_at: None,
    }
}

/// Titles and texts of the message board's posts in the shared data, or of the sample county's where that is not there.
///
/// # Panics
/// When the file cannot be read.
#[must_use]
pub fn board_texts() -> Vec<(String, String)> {
    match shared_data() {
        Some(folder) => texts_of(&folder.join("board_posts.jsonl")),
        None => texts_of(&project().join("deploy/sample/posts.jsonl")),
    }
}

fn texts_of(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).expect("posts to measure with");
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("a post a line");
            let of = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            (of("title"), of("text"))
        })
        .collect()
}

/// What programs have used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// Processor time so far, in seconds.
    pub processor_seconds: f64,
    /// Memory that they have now, in bytes; what several processes of a name share counts for each.
    pub memory_bytes: u64,
}

/// What the programs of these names that were started in this one's session have used; of PostgreSQL, whose processes part from who
/// started them, all that run.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn used(names: &[&str]) -> BTreeMap<String, Used> {
    let stat_of = |process: &Path| {
        let stat = std::fs::read_to_string(process.join("stat")).ok()?;
        let (heading, rest) = stat.rsplit_once(')')?;
        let name = heading.split_once(" (")?.1.to_owned();
        Some((name, rest.split_whitespace().map(str::to_owned).collect()))
    };
    let session_of = |fields: &Vec<String>| fields.get(3).cloned();
    let (_, own): (String, Vec<String>) = stat_of(Path::new("/proc/self")).expect("Linux");
    let mut used: BTreeMap<String, Used> = BTreeMap::new();
    for process in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let Some((name, fields)) = stat_of(&process.path()) else {
            continue;
        };
        let is_ours = name == "postgres" || session_of(&fields) == session_of(&own);
        if is_ours && names.contains(&name.as_str()) {
            let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
            let used = used.entry(name).or_default();
            let ticks: u64 = [11, 12].into_iter().filter_map(number).sum();
            used.processor_seconds += ticks as f64 / 100.0;
            used.memory_bytes += number(21).unwrap_or_default() * PAGE;
        }
    }
    used
}

/// Processor time of [`used`] alone.
#[must_use]
pub fn processor_seconds(names: &[&str]) -> BTreeMap<String, f64> {
    let used = used(names).into_iter();
    used.map(|(name, used)| (name, used.processor_seconds))
        .collect()
}

/// First alerts of events, each with when it came, from there on until none has come for twenty seconds; those raised because
/// nobody had answered for long are left out.
///
/// # Panics
/// When the brokers do not answer.
#[must_use]
pub fn heard(kafka: &Kafka, from: Offset) -> Vec<(Alert, Timestamp)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("group.id", "bench-alerts")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10")
        .create()
        .expect("a client");
    let mut partitions = TopicPartitionList::new();
    for partition in 0..kafka.partitions {
        partitions
            .add_partition_offset(ALERTS.name, partition, from)
            .expect("a partition");
    }
    consumer
        .assign(&partitions)
        .expect("partitions can be read");
    let mut heard = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_secs(if heard.is_empty() { 60 } else { 20 }) {
        let Some(Ok(raw)) = consumer.poll(Duration::from_secs(1)) else {
            continue;
        };
        let alert: Alert = message::decode(raw.payload().unwrap_or_default()).expect("an alert");
        let is_by_silence = alert.raised_at.duration_since(alert.published_at).as_secs() > 3_600;
        if alert.update == 0 && !is_by_silence {
            heard.push((alert, Timestamp::now()));
            last = Instant::now();
        }
    }
    heard
}

/// The values below which these parts of all are; sorts them.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn parts_of<const COUNT: usize>(values: &mut [f64], parts: [f64; COUNT]) -> [f64; COUNT] {
    values.sort_by(f64::total_cmp);
    parts.map(|part| values[((values.len() - 1) as f64 * part) as usize])
}
