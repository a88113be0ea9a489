//! The analyzer as a process runs it, embeddable: what it reads, what it serves, how it stops.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backbone::clickhouse::rows::{AlertRow, AssessmentRow, CaseEventRow, SignalRow};
use backbone::erased::{self, Erased};
use backbone::kafka::{Batch, ConsumerMetrics, Consumption, Handler, Producer, consume};
use backbone::region::Region;
use backbone::service::{Readiness, serve_operations};
use backbone::topics::{self, ALERTS, ASSESSMENTS, CASE_EVENTS, POSTS, SIGNALS, Topic, group};
use futures::FutureExt;
use futures::future::try_join_all;
use prometheus::Registry;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::archive::{Archiver, Kept};
use crate::assess::{Assessor, GROUP};
use crate::checkpoint::Checkpoints;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::second_opinion::{self, Adviser};
use crate::settings::Settings;

const ASSESSED: Batch = Batch::new(500, Duration::from_millis(50));
/// ClickHouse likes few large writes: it merges what it is given until it is large, and builds the index of words anew each time. When the
/// archive is behind, batches are full and nothing waits.
const ARCHIVED: Batch =
    Batch::new(20_000, Duration::from_millis(500)).in_flood(Duration::from_secs(5));

type Task<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

/// Runs the analyzer until `stop`.
///
/// # Errors
/// When it cannot start, or a part of it ends by a failure that trying again does not mend.
pub fn run(settings: Settings, stop: CancellationToken) -> Task<'static> {
    // In a box its code is made here once, and not again in every program that runs it.
    Box::pin(run_all(settings, stop))
}

async fn run_all(settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    let regions = Region::load_all(&settings.regions)?;
    let pipeline = Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk)?;
    let pipeline = Arc::new(pipeline.with_trends(&settings.trends));
    let registry = Registry::new();
    let metrics = Metrics::new(&registry)?;
    let consumer_metrics = ConsumerMetrics::new(&registry)?;
    let readiness = Readiness::default();
    readiness.down("kafka", "not connected yet");
    let producer = Producer::new(&settings.kafka)?;
    let erased = Erased::default();

    let operations: Task<'_> = Box::pin(serve_operations(
        &settings.operations,
        registry,
        readiness.clone(),
        stop.clone(),
    ));
    let reader = Reader {
        settings: &settings,
        producer: &producer,
        metrics: &consumer_metrics,
        readiness: &readiness,
        stop: &stop,
    };
    let (desk, advising) = match &settings.second_opinion {
        Some(asked) => {
            let (desk, offered) = second_opinion::desk(asked, &metrics);
            (Some(desk), Some((Adviser::new(asked)?, offered)))
        }
        None => (None, None),
    };
    let (given, opinions) = mpsc::channel(second_opinion::WAITING);
    let advice_metrics = metrics.clone();
    let advising: Task<'_> = Box::pin(async {
        if let Some((adviser, offered)) = advising {
            adviser
                .run(offered, given, &advice_metrics, stop.clone())
                .await;
        }
        Ok(())
    });
    let (events, trends) = (&settings.events, &settings.trends);
    let chain = format!("{} {events:?} {trends:?}", pipeline.version());
    let checkpoints = settings.checkpoints.as_deref();
    let checkpoints = checkpoints
        .map(|folder| Checkpoints::new(folder, chain))
        .transpose()?;
    let assessor = Assessor::new(
        &settings.kafka,
        &producer,
        pipeline,
        desk,
        opinions,
        checkpoints,
        metrics.clone(),
    )?
    .without(erased.clone());
    let (clickhouse, archive) = (&settings.clickhouse, &settings.archive);
    let kept = |column, days| Kept { column, days };
    let assessments = Archiver::<AssessmentRow>::new(
        clickhouse,
        kept("collected_at", archive.keep_posts_days),
        metrics.clone(),
    )?
    .counting_hours()
    .without(erased.clone());
    let alerts = Archiver::<AlertRow>::new(
        clickhouse,
        kept("raised_at", archive.keep_alerts_days),
        metrics.clone(),
    )?
    .without(erased.clone());
    let signals = Archiver::<SignalRow>::new(
        clickhouse,
        kept("raised_at", archive.keep_alerts_days),
        metrics.clone(),
    )?
    .without(erased.clone());
    let case_events = Archiver::<CaseEventRow>::new(
        clickhouse,
        kept("at", archive.keep_case_events_days),
        metrics,
    )?;
    let learning_erasures = erased::follow(&settings.kafka, &producer, &erased, &readiness, &stop);
    // A group for each topic that is archived, so that none waits for another.
    let readers: [Task<'_>; 6] = [
        Box::pin(learning_erasures.map(Ok)),
        reader.read(&POSTS, GROUP, ASSESSED, assessor),
        reader.read(
            &ASSESSMENTS,
            group::ARCHIVE_ASSESSMENTS,
            ARCHIVED,
            assessments,
        ),
        reader.read(&ALERTS, group::ARCHIVE_ALERTS, ARCHIVED, alerts),
        reader.read(&SIGNALS, group::ARCHIVE_SIGNALS, ARCHIVED, signals),
        reader.read(
            &CASE_EVENTS,
            group::ARCHIVE_CASE_EVENTS,
            ARCHIVED,
            case_events,
        ),
    ];
    let consuming: Task<'_> = Box::pin(async {
        topics::create_missing_once_up(&settings.kafka, &readiness, &stop).await?;
        try_join_all(readers).await.map(|_| ())
    });
    let ended = try_join_all([operations, advising, consuming])
        .await
        .map(|_| ());
    stop.cancel();
    ended
}

struct Reader<'a> {
    settings: &'a Settings,
    producer: &'a Producer,
    metrics: &'a ConsumerMetrics,
    readiness: &'a Readiness,
    stop: &'a CancellationToken,
}

impl<'a> Reader<'a> {
    fn read<H: Handler + 'a>(
        &self,
        topic: &'a Topic,
        group: &'static str,
        batch: Batch,
        handler: H,
    ) -> Task<'a> {
        let consumption = Consumption {
            kafka: &self.settings.kafka,
            topic,
            group,
            batch,
            producer: self.producer,
            metrics: self.metrics,
            readiness: self.readiness,
        };
        Box::pin(consume(consumption, handler, self.stop.clone()))
    }
}
