//! Measures the standalone program whole: posts go into its broker at a steady rate, and the time is taken from each post's
//! message to the alert that it raised. `tests/bench/alerts/run` tells how it is called.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on fails, and prints what it measured"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use backbone::kafka::{Producer, Start, read_partition};
use backbone::message::{Alert, Post};
use backbone::settings::Kafka;
use backbone::topics::{ALERTS, POSTS};
use futures::future::try_join_all;
use jiff::Timestamp;
use rdkafka::Offset;
use tokio::time::Instant;
use wensheng_tests::load::{board_texts, heard, parts_of, post_now, processor_seconds, standalone};
use wensheng_tests::{number, wait_for};

const REGION: &str = "360921";
/// The programs that it consists of.
const MEASURED: [&str; 3] = ["standalone", "broker", "clickhouse"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut options = BTreeMap::new();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        options.insert(name, value.parse::<u64>()?);
    }
    let option = |name: &str, otherwise| options.get(name).copied().unwrap_or(otherwise);
    let (rate, seconds) = (option("--rate", 1_000), option("--seconds", 60));

    let folder = tempfile::tempdir()?;
    let (mut program, addresses) = standalone(folder.path()).await;
    let address = |name: &str| addresses[name].clone();
    let kafka = Kafka {
        partitions: 1,
        ..Kafka::at(&address("kafka"))
    };
    let listening = std::thread::spawn({
        let kafka = kafka.clone();
        move || heard(&kafka, Offset::Beginning)
    });

    let posts = rate * seconds;
    println!("{posts} posts at {rate} a second");
    let before = processor_seconds(&MEASURED);
    send(&kafka, rate, posts).await?;
    let sent = Instant::now();
    let archived = "SELECT uniqExact(post_id) FROM assessments";
    let database = address("clickhouse");
    wait_for("all posts in the archive", || async {
        (number(&database, archived).await? == posts).then_some(())
    })
    .await;
    println!(
        "the last post was in the archive {:.1} s after it was sent",
        sent.elapsed().as_secs_f64()
    );
    for (name, used) in processor_seconds(&MEASURED) {
        let used = used - before.get(&name).copied().unwrap_or_default();
        println!(
            "  {name:<12} {:.0} µs of processor time a post",
            used / posts as f64 * 1e6
        );
    }
    let mut alerts = 0;
    for partition in 0..kafka.partitions {
        let each = |_: backbone::kafka::Received<Alert>| alerts += 1;
        read_partition(&kafka, &ALERTS, partition, Start::Beginning, each).await?;
    }
    let heard = listening.join().expect("the listener ends");
    // A post here is published when it is sent.
    let wait = |(alert, at): &(Alert, Timestamp)| {
        at.duration_since(alert.published_at).as_secs_f64() * 1e3
    };
    let mut waits: Vec<f64> = heard.iter().map(wait).collect();
    let [median, nearly_all, longest] = parts_of(&mut waits, [0.5, 0.99, 1.0]);
    println!(
        "{alerts} alerts and updates; from a post's message to the alert it raised: median {median:.0} ms, 99 % within {nearly_all:.0} ms, longest {longest:.0} ms"
    );
    program.stop();
    Ok(())
}

/// Real posts, each of a house of its own so that they are not all copies, evenly spread over the time.
async fn send(kafka: &Kafka, rate: u64, posts: u64) -> anyhow::Result<()> {
    let texts = board_texts();
    let producer = Producer::new(kafka)?;
    let begun = Instant::now();
    for first in (0..posts).step_by(100) {
        tokio::time::sleep_until(begun + Duration::from_secs_f64(first as f64 / rate as f64)).await;
        let batch: Vec<Post> = (first..(first + 100).min(posts))
            .map(|number| post_now(number, &texts, REGION))
            .collect();
        try_join_all(batch.iter().map(|post| producer.send(&POSTS, post))).await?;
    }
    println!("sent in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}
