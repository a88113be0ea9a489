//! How fast the archiver writes a backlog.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use analyzer::archive::{Archiver, Kept};
use analyzer::metrics::Metrics;
use analyzer::pipeline::Pipeline;
use analyzer::settings::{Events, Risk};
use anyhow::Context;
use backbone::clickhouse::rows::AssessmentRow;
use backbone::kafka::{Batch, ConsumerMetrics, Consumption, Producer, consume};
use backbone::message::{self, Assessment, Certainty, Post, Reactions, SourceKind};
use backbone::region::Region;
use backbone::service::Readiness;
use backbone::settings::{ClickHouse, Kafka};
use backbone::topics::{self, ASSESSMENTS};
use jiff::{SignedDuration, Timestamp};
use prometheus::Registry;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tokio_util::sync::CancellationToken;
use wensheng_tests::load::processor_seconds;
use wensheng_tests::{Broker, Store, number, project};

use super::{option, texts};

const REGION: &str = "360921";
/// Assessments made by the analyzer's chain; the backlog repeats them as other posts.
const ASSESSED: usize = 2_000;

/// The programs that have a part in it.
const MEASURED: [&str; 4] = ["archive", "broker", "clickhouse", "java"];

/// Fills a topic with assessments of real posts and has the archiver write them.
pub(crate) async fn measure(options: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let rows: usize = option(options, "rows", 300_000);
    let batch: usize = option(options, "batch", 20_000);
    let days: usize = option(options, "days", 2);
    let partitions: i32 = option(options, "partitions", 6);
    let broker = match option(options, "broker", "embedded".to_owned()).as_str() {
        "apache" => Broker::apache(1),
        _ => Broker::embedded(),
    };
    let store = Store::start();
    let kafka: Kafka = serde_json::from_value(
        serde_json::json!({ "brokers": broker.address(), "partitions": partitions, "replication": 1 }),
    )?;
    topics::create_missing(&kafka).await?;
    let assessed = assess()?;
    let bytes = tokio::task::block_in_place(|| fill(&kafka, &assessed, rows, days))?;
    println!(
        "{rows} assessments of {} bytes on average, of {days} days, in {partitions} partitions on {}",
        bytes / rows as u64,
        broker.name()
    );

    let archive: ClickHouse = serde_json::from_value(serde_json::json!({ "url": store.url }))?;
    let registry = Registry::new();
    let (metrics, consumer) = (Metrics::new(&registry)?, ConsumerMetrics::new(&registry)?);
    let archived = metrics
        .archived_rows_total
        .with_label_values(&[AssessmentRow::TABLE]);
    let kept = Kept {
        column: "collected_at",
        days: 0,
    };
    let archiver = Archiver::<AssessmentRow>::new(&archive, kept, metrics)?.counting_hours();
    let (producer, readiness, stop) = (
        Producer::new(&kafka)?,
        Readiness::default(),
        CancellationToken::new(),
    );
    let consumption = Consumption {
        kafka: &kafka,
        topic: &ASSESSMENTS,
        group: "bench",
        batch: Batch::new(batch, Duration::from_millis(500)),
        producer: &producer,
        metrics: &consumer,
        readiness: &readiness,
    };
    let watch = async {
        while archived.get() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The first batch waited for the group and the tables.
        let (begun, first) = (Instant::now(), archived.get());
        let used = processor_seconds(&MEASURED);
        while archived.get() < rows as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let took = begun.elapsed().as_secs_f64();
        let written = archived.get() - first;
        println!(
            "{:.0} rows/s, {:.0} MB/s of messages: {written} rows in {took:.1} s",
            written as f64 / took,
            written as f64 * bytes as f64 / rows as f64 / took / 1e6,
        );
        for (name, seconds) in processor_seconds(&MEASURED) {
            let before = used.get(&name).copied().unwrap_or_default();
            println!(
                "  {name:<12} {:.2} cores, {:.1} µs a row",
                (seconds - before) / took,
                (seconds - before) / written as f64 * 1e6
            );
        }
        stop.cancel();
    };
    let (consumed, ()) = tokio::join!(consume(consumption, archiver, stop.clone()), watch);
    consumed?;
    let distinct = number(
        &store.url,
        "SELECT uniqExact(post_id) FROM assessments FINAL",
    )
    .await;
    anyhow::ensure!(distinct == Some(rows as u64), "{distinct:?} rows of {rows}");
    Ok(())
}

fn assess() -> anyhow::Result<Vec<Assessment>> {
    let region = project().join("deploy/config/region").join(REGION);
    let regions = Region::load_all(&[region])?;
    let models = project().join("analyzer/model");
    let pipeline = Pipeline::new(&regions, &models, &Events::default(), &Risk::default())?;
    let mut state = pipeline.state();
    let texts = texts::all();
    let step = (texts.len() / ASSESSED).max(1);
    Ok(texts
        .into_iter()
        .step_by(step)
        .enumerate()
        .map(|(number, (title, text))| {
            let at = Timestamp::from_second(1_760_000_000 + number as i64).unwrap_or_default();
            let post = Post {
                id: number.to_string(),
                revision: 1,
                region: REGION.to_owned(),
                source: "网上留言板".to_owned(),
                kind: SourceKind::Board,
                url: format!("http://board.example.test/thread-{number}.html"),
                title,
                text,
                author: Some(backbone::id::of("author", &[&number.to_string()])),
                published_at: at,
                certainty: Certainty::Exact,
                collected_at: at,
                reactions: Reactions::default(),
                answered_at: None,
            };
            pipeline.assess_as_relevant(post, &mut state, at).0
        })
        .collect())
}

/// Sends as many assessments as asked for, evenly spread over some days and the partitions; gives their bytes.
fn fill(kafka: &Kafka, assessed: &[Assessment], rows: usize, days: usize) -> anyhow::Result<u64> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("linger.ms", "50")
        .set("batch.size", "900000")
        .set("queue.buffering.max.kbytes", "200000")
        .create()?;
    let step = SignedDuration::from_millis((days * 86_400_000 / rows.max(1)) as i64);
    let mut bytes = 0;
    for number in 0..rows {
        let mut assessment = assessed
            .get(number % assessed.len())
            .context("there are no texts")?
            .clone();
        assessment.post.id = backbone::id::of_post("bench", "", &number.to_string());
        assessment.post.published_at =
            Timestamp::from_second(1_760_000_000)? + step * i32::try_from(number)?;
        let payload = message::encode(&assessment)?;
        bytes += payload.len() as u64;
        let partition = i32::try_from(number)? % kafka.partitions;
        let mut record = BaseRecord::<str, [u8]>::to(ASSESSMENTS.name)
            .partition(partition)
            .key(REGION)
            .payload(&payload);
        while let Err((_, refused)) = producer.send(record) {
            producer.poll(Duration::from_millis(20));
            record = refused;
        }
    }
    producer.flush(Duration::from_secs(300))?;
    Ok(bytes)
}
