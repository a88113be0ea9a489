//! Measures what viewers of live posts cost alerts: the same flow of posts without and with viewers, the time from each post's
//! message to its case, and to a viewer's line. `tests/bench/live/run` tells how it is called.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on fails, and prints what it measured"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backbone::kafka::{Producer, Received, Start, read_partition};
use backbone::message::{Alert, CaseEvent, Post};
use backbone::settings::Kafka;
use backbone::topics::{ALERTS, CASE_EVENTS, POSTS};
use futures::future::try_join_all;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use wensheng_tests::duty::PASSWORD;
use wensheng_tests::load::{board_texts, parts_of, post_now, processor_seconds, standalone};
use wensheng_tests::{Browser, number, wait_for};

const REGION: &str = "360921";
/// The programs that are measured.
const MEASURED: [&str; 3] = ["standalone", "broker", "clickhouse"];
/// Streams that a session may have.
const OF_SESSION: usize = 4;
/// Viewers whose lines are read; the others' bytes are only counted.
const READERS: usize = 4;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    backbone::tls::install();
    let mut arguments = std::env::args().skip(1);
    let mut options = BTreeMap::new();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        options.insert(name, value.parse::<u64>()?);
    }
    let option = |name: &str, otherwise| options.get(name).copied().unwrap_or(otherwise);
    let (rate, seconds) = (option("--rate", 20), option("--seconds", 50));
    let viewers = option("--viewers", 200) as usize;

    let folder = tempfile::tempdir()?;
    let (mut program, addresses) = standalone(folder.path()).await;
    let address = |name: &str| addresses[name].clone();
    let kafka = Kafka::at(&address("kafka"));
    let flow = Flow {
        producer: Producer::new(&kafka)?,
        texts: board_texts(),
        rate,
        posts: rate * seconds,
        sent: Arc::default(),
    };
    let archived = async |posts: u64| {
        let database = address("clickhouse");
        let count = "SELECT uniqExact(post_id) FROM assessments";
        wait_for("all posts in the archive", || async {
            (number(&database, count).await? >= posts).then_some(())
        })
        .await;
    };
    println!("{rate} posts a second for {seconds} s, three times");
    // The first posts find programs that have never read one.
    flow.send(3 * flow.posts, rate).await?;
    archived(rate).await;

    let before = flow.measured(0, 0).await?;
    archived(rate + flow.posts).await;
    // What a stream begins with came before.
    flow.sent.lock().unwrap().clear();
    let seen = watch(&address("console"), viewers, &flow.sent).await;
    let with = flow.measured(1, viewers).await?;
    archived(rate + 2 * flow.posts).await;
    for stream in &seen.1 {
        stream.abort();
    }
    let after = flow.measured(2, 0).await?;
    archived(rate + 3 * flow.posts).await;
    tokio::time::sleep(Duration::from_secs(5)).await;

    let opened = cases(&kafka).await?;
    for (title, phase) in [
        ("without viewers", before),
        ("with viewers", with),
        ("without viewers again", after),
    ] {
        let in_phase = |at: &Timestamp| *at >= phase.0 && *at <= phase.1;
        let waits: Vec<f64> = (opened.iter())
            .filter(|(published, _)| in_phase(published))
            .map(|(published, opened)| opened.duration_since(*published).as_millis() as f64)
            .collect();
        told(
            &format!("{title}: from a post's message to its case"),
            waits,
        );
    }
    let seen = seen.0.lock().unwrap();
    told(
        "from a post's message to a viewer's line",
        seen.waits.clone(),
    );
    println!(
        "{} viewers: {} posts shown, {} passed over, {:.1} MB sent, {} streams that ended early",
        viewers,
        seen.posts,
        seen.skipped,
        seen.bytes as f64 / 1e6,
        seen.ended
    );
    program.stop();
    Ok(())
}

fn told(what: &str, mut waits: Vec<f64>) {
    if waits.is_empty() {
        println!("{what}: none");
        return;
    }
    let count = waits.len();
    let [median, most, nearly_all, longest] = parts_of(&mut waits, [0.5, 0.95, 0.99, 1.0]);
    println!(
        "{what}, {count} of them: median {median:.0} ms, 95 % within {most:.0} ms, 99 % within {nearly_all:.0} ms, longest {longest:.0} ms"
    );
}

/// When each post was sent.
type Sent = Arc<Mutex<BTreeMap<String, Instant>>>;

struct Flow {
    producer: Producer,
    texts: Vec<(String, String)>,
    rate: u64,
    posts: u64,
    sent: Sent,
}

impl Flow {
    /// Sends the posts of a phase; gives when the phase began and ended.
    async fn measured(&self, phase: u64, viewers: usize) -> anyhow::Result<(Timestamp, Timestamp)> {
        let (before, begun) = (processor_seconds(&MEASURED), Timestamp::now());
        self.send(phase * self.posts, self.posts).await?;
        let ended = Timestamp::now();
        let took = ended.duration_since(begun).as_secs_f64();
        println!(
            "{} posts sent in {took:.1} s with {viewers} viewers",
            self.posts
        );
        for (name, used) in processor_seconds(&MEASURED) {
            let used = used - before.get(&name).copied().unwrap_or_default();
            println!("  {name:<12} {:.0} % of a processor", used / took * 100.0);
        }
        Ok((begun, ended))
    }

    /// Real posts, of other matters in each phase, evenly spread over the time.
    async fn send(&self, first: u64, posts: u64) -> anyhow::Result<()> {
        let begun = Instant::now();
        let at_once = (self.rate / 10).max(1);
        for from in (0..posts).step_by(at_once as usize) {
            let due = begun + Duration::from_secs_f64(from as f64 / self.rate as f64);
            tokio::time::sleep_until(due).await;
            let batch: Vec<Post> = (from..(from + at_once).min(posts))
                .map(|number| post_now(first + number, &self.texts, REGION))
                .collect();
            let now = Instant::now();
            (self.sent.lock().unwrap()).extend(batch.iter().map(|post| (post.id.clone(), now)));
            try_join_all(batch.iter().map(|post| self.producer.send(&POSTS, post))).await?;
        }
        Ok(())
    }
}

/// What the viewers saw.
#[derive(Default)]
struct Seen {
    waits: Vec<f64>,
    posts: u64,
    skipped: u64,
    bytes: u64,
    ended: u64,
}

/// Opens the streams of so many viewers, who see every post, relevant or not.
async fn watch(
    console: &str,
    viewers: usize,
    sent: &Sent,
) -> (Arc<Mutex<Seen>>, Vec<JoinHandle<()>>) {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let mut streams = Vec::new();
    let client = reqwest::Client::new();
    let mut cookie = String::new();
    for viewer in 0..viewers {
        if viewer % OF_SESSION == 0 {
            cookie = Browser::sign_in(console, "admin", PASSWORD).await.cookie();
        }
        let request = client
            .get(format!(
                "{}/live/stream?all=1&after=none",
                console.trim_end_matches('/')
            ))
            .header("cookie", &cookie);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "a stream is refused");
        streams.push(tokio::spawn(read(
            response,
            viewer < READERS,
            Arc::clone(sent),
            Arc::clone(&seen),
        )));
    }
    println!("{viewers} viewers watch");
    (seen, streams)
}

async fn read(
    mut response: reqwest::Response,
    with_lines: bool,
    sent: Sent,
    seen: Arc<Mutex<Seen>>,
) {
    let mut text = String::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let now = Instant::now();
        text.push_str(&String::from_utf8_lossy(&chunk));
        let mut found = seen.lock().unwrap();
        found.bytes += chunk.len() as u64;
        while let Some((event, rest)) = text.split_once("\n\n") {
            if let Some((_, number)) = event.split_once("event: skipped\ndata: ") {
                found.skipped += number.trim().parse::<u64>().unwrap_or_default();
            } else if event.contains("event: post") {
                let id = event
                    .split_once("data-post=\"")
                    .and_then(|(_, rest)| rest.split_once('"'));
                let at = id.and_then(|(id, _)| sent.lock().unwrap().get(id).copied());
                if let Some(at) = at {
                    found.posts += 1;
                    if with_lines {
                        found.waits.push(now.duration_since(at).as_secs_f64() * 1e3);
                    }
                }
            }
            text = rest.to_owned();
        }
    }
    seen.lock().unwrap().ended += 1;
}

/// When the post was published that raised each event's first alert, and when its case was opened.
async fn cases(kafka: &Kafka) -> anyhow::Result<Vec<(Timestamp, Timestamp)>> {
    let mut raised: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut opened: BTreeMap<String, Timestamp> = BTreeMap::new();
    for partition in 0..kafka.partitions {
        let each = |received: Received<Alert>| {
            let alert = received.message;
            let by_silence = alert.raised_at.duration_since(alert.published_at).as_secs() > 3_600;
            if alert.update == 0 && !by_silence {
                raised.entry(alert.event.id).or_insert(alert.published_at);
            }
        };
        read_partition(kafka, &ALERTS, partition, Start::Beginning, each).await?;
        let each = |received: Received<CaseEvent>| {
            let event = received.message;
            if event.action == "open" {
                opened.insert(event.event, event.at);
            }
        };
        read_partition(kafka, &CASE_EVENTS, partition, Start::Beginning, each).await?;
    }
    let pairs = raised
        .into_iter()
        .filter_map(|(event, published)| Some((published, *opened.get(&event)?)));
    Ok(pairs.collect())
}
