//! The pipeline on Kafka: posts in, alerts and assessments out.
//!
//! The assessment of a post goes to the partition of the same number, after its alert; the post's
//! offset moves when both are acknowledged. So whoever is assigned a partition of posts finds in the
//! same partitions of assessments and alerts all that it needs to go on. What duty officers say of its events is in the same
//! partition of edits, followed from the last edit that left a trace among the assessments.

mod edits;
mod forget;
mod partition;
mod rebuild;

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::erased::Erased;
use backbone::kafka::{ClientConfigError, Handler, NotNow, Producer, Received, Rejected, Tail};
use backbone::message::{Alert, Assessment, EventEdit, Message, Post};
use backbone::settings::Kafka;
use backbone::topics::{ALERTS, ASSESSMENTS, EVENT_EDITS, SIGNALS, Topic, group};
use futures::future::try_join_all;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tracing::warn;

use crate::checkpoint::Checkpoints;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::second_opinion::Desk;
use partition::Partition;

/// The consumer group that assesses posts.
pub const GROUP: &str = group::ANALYZER;

/// Handles posts.
#[derive(Debug)]
pub struct Assessor {
    kafka: Kafka,
    producer: Producer,
    pipeline: Arc<Pipeline>,
    metrics: Metrics,
    /// Where unsure assessments are offered; absent where nobody is asked.
    desk: Option<Desk>,
    /// Assessments that got a second opinion.
    opinions: mpsc::Receiver<(i32, Assessment)>,
    edits: Tail<EventEdit>,
    /// The edit that is applied next, read and not applied yet.
    next_edit: Option<Received<EventEdit>>,
    /// Where checkpoints are kept; absent where none are.
    checkpoints: Option<Checkpoints>,
    /// What was erased on request.
    erased: Erased,
    partitions: BTreeMap<i32, Partition>,
}

impl Assessor {
    /// Assesses with the given pipeline.
    ///
    /// # Errors
    /// When the settings make no client.
    pub fn new(
        kafka: &Kafka,
        producer: &Producer,
        pipeline: Arc<Pipeline>,
        desk: Option<Desk>,
        opinions: mpsc::Receiver<(i32, Assessment)>,
        checkpoints: Option<Checkpoints>,
        metrics: Metrics,
    ) -> Result<Self, ClientConfigError> {
        Ok(Self {
            kafka: kafka.clone(),
            producer: producer.clone(),
            pipeline,
            metrics,
            desk,
            opinions,
            edits: Tail::new(kafka, &EVENT_EDITS, GROUP, producer)?,
            next_edit: None,
            checkpoints,
            erased: Erased::nothing(),
            partitions: BTreeMap::new(),
        })
    }

    /// The same, which forgets what was erased on request.
    #[must_use]
    pub fn without(self, erased: Erased) -> Self {
        Self { erased, ..self }
    }

    fn assess(&mut self, received: &Received<Post>) -> Option<(Assessment, Vec<Alert>)> {
        let partition = self.partitions.get_mut(&received.partition)?;
        let result = match partition.unacknowledged.remove(&received.offset) {
            Some(result) => result,
            None => {
                let post = received.message.clone();
                self.pipeline
                    .assess(post, &mut partition.state, Timestamp::now())
            }
        };
        partition
            .unacknowledged
            .insert(received.offset, result.clone());
        Some(result)
    }

    /// Raises the alerts that became due because nobody answered.
    async fn raise_overdue(&mut self) -> Result<(), NotNow> {
        let now = Timestamp::now();
        for (number, partition) in &mut self.partitions {
            let due = self.pipeline.look_again(&mut partition.state, now);
            partition.overdue.extend(due);
            for offset in send_all(&self.producer, &ALERTS, *number, &partition.overdue).await? {
                partition.holds_alert(offset);
            }
            for alert in std::mem::take(&mut partition.overdue) {
                count_alert(&self.metrics, &alert);
            }
        }
        Ok(())
    }

    /// Raises the signals that posts and the passing of time brought.
    async fn raise_signals(&mut self) -> Result<(), NotNow> {
        for (number, partition) in &mut self.partitions {
            let due = self.pipeline.signals(&mut partition.state);
            partition.signals.extend(due);
            for offset in send_all(&self.producer, &SIGNALS, *number, &partition.signals).await? {
                partition.holds_signal(offset);
            }
            for signal in std::mem::take(&mut partition.signals) {
                if signal.update == 0 {
                    self.metrics
                        .signals_total
                        .with_label_values(&[signal.region.as_str(), signal.kind.name()])
                        .inc();
                }
            }
        }
        Ok(())
    }

    /// Writes assessments and remembers where they stand.
    async fn write(&mut self, assessments: Vec<(i32, &Assessment)>) -> Result<(), NotNow> {
        let sending = (assessments.iter()).map(|(partition, assessment)| {
            self.producer.send_to(&ASSESSMENTS, *partition, *assessment)
        });
        let offsets = try_join_all(sending).await.map_err(NotNow::because)?;
        if offsets.iter().any(|offset| *offset < 0) {
            return Err(NotNow::because(
                "the brokers did not say where they put an assessment",
            ));
        }
        for ((number, assessment), offset) in assessments.into_iter().zip(offsets) {
            if let Some(partition) = self.partitions.get_mut(&number) {
                partition.state.window.written(&assessment.post, offset);
                partition.holds(offset, &assessment.post.id);
            }
        }
        Ok(())
    }

    /// Writes again the assessments that got a second opinion, with the event that each post is in by now.
    async fn write_opinions(&mut self) {
        while let Ok((number, mut assessment)) = self.opinions.try_recv() {
            if self.erased.has(&assessment.post.id) {
                continue;
            }
            let partition = self.partitions.get(&number);
            assessment.event = partition
                .and_then(|partition| partition.state.window.membership(&assessment.post.id));
            assessment.assessed_at = Timestamp::now();
            let written = match &assessment.event {
                Some(_) => self.write(vec![(number, &assessment)]).await,
                None => Err(NotNow::because("its event is not held any more")),
            };
            let outcome = match written {
                Ok(()) => "given",
                Err(not_now) => {
                    warn!(
                        reason = not_now.reason,
                        "a second opinion was not published"
                    );
                    "unpublished"
                }
            };
            self.metrics
                .second_opinions_total
                .with_label_values(&[outcome])
                .inc();
        }
    }

    fn count(&self, assessment: &Assessment, alerts: &[Alert]) {
        let region = assessment.post.region.as_str();
        let relevant = if assessment.relevant { "yes" } else { "no" };
        self.metrics
            .posts_total
            .with_label_values(&[region, relevant])
            .inc();
        for alert in alerts {
            count_alert(&self.metrics, alert);
            if alert.update == 0 {
                let latency = alert.raised_at.duration_since(alert.published_at);
                self.metrics
                    .publication_to_alert_seconds
                    .observe(latency.as_secs_f64().max(0.0));
            }
        }
    }
}

/// Sends messages to a partition; their offsets once the brokers have them all.
async fn send_all<M: Message>(
    producer: &Producer,
    topic: &Topic,
    partition: i32,
    messages: &[M],
) -> Result<Vec<i64>, NotNow> {
    let sent = (messages.iter()).map(|message| producer.send_to(topic, partition, message));
    try_join_all(sent).await.map_err(NotNow::because)
}

fn count_alert(metrics: &Metrics, alert: &Alert) {
    let level = alert.level.to_string();
    if alert.update == 0 {
        metrics
            .alerts_total
            .with_label_values(&[alert.region.as_str(), &level])
            .inc();
    }
}

impl Handler for Assessor {
    type Message = Post;

    async fn assigned(&mut self, partitions: &[i32]) -> Result<(), NotNow> {
        if !self.erased.is_known() {
            return Err(NotNow::because("it is not known yet what was erased"));
        }
        for partition in partitions {
            let rebuilt = self.rebuild(*partition).await?;
            let edited = rebuilt.state.window.edited();
            self.edits
                .follow(*partition, edited)
                .map_err(NotNow::because)?;
            self.partitions.insert(*partition, rebuilt);
        }
        Ok(())
    }

    fn revoked(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.partitions.remove(partition);
            self.next_edit
                .take_if(|received| received.partition == *partition);
            if let Err(error) = self.edits.leave(*partition) {
                warn!(%error, partition, "the edits of a partition that went are still read");
            }
            let label = partition.to_string();
            // The gauges may not have been set yet.
            drop(self.metrics.window_events.remove_label_values(&[&label]));
            drop(self.metrics.rebuilt_posts.remove_label_values(&[&label]));
        }
    }

    async fn idle(&mut self) -> Result<(), NotNow> {
        self.forget().await?;
        self.apply_edits().await?;
        self.write_opinions().await;
        self.raise_overdue().await?;
        self.raise_signals().await
    }

    async fn handle(&mut self, batch: &[Received<Post>]) -> Result<Vec<Rejected>, NotNow> {
        self.forget().await?;
        self.apply_edits().await?;
        self.write_opinions().await;
        self.raise_overdue().await?;
        let timer = self.metrics.assess_seconds.start_timer();
        let mut rejected = Vec::new();
        let mut results = Vec::with_capacity(batch.len());
        tokio::task::block_in_place(|| {
            for received in batch {
                let region = &received.message.region;
                if !self.pipeline.serves(region) {
                    rejected.push(Rejected {
                        partition: received.partition,
                        offset: received.offset,
                        reason: format!(
                            "region `{region}` is not served; add its folder to `regions` and replay"
                        ),
                    });
                } else if self.erased.has(&received.message.id) {
                    // Nobody reads again what was erased; that it was said is counted already.
                    continue;
                } else if let Some((assessment, alerts)) = self.assess(received) {
                    results.push((received.partition, assessment, alerts));
                }
            }
        });
        timer.observe_duration();

        let alerts = results.iter().flat_map(|(partition, _, alerts)| {
            alerts.iter().map(|alert| async {
                let sent = self.producer.send_to(&ALERTS, *partition, alert).await;
                Ok::<_, NotNow>((*partition, sent.map_err(NotNow::because)?))
            })
        });
        for (number, offset) in try_join_all(alerts).await? {
            if let Some(partition) = self.partitions.get_mut(&number) {
                partition.holds_alert(offset);
            }
        }
        self.raise_signals().await?;
        let assessments = results
            .iter()
            .map(|(partition, assessment, _)| (*partition, assessment));
        self.write(assessments.collect()).await?;

        for (partition, assessment, alerts) in &results {
            self.count(assessment, alerts);
            if let Some(desk) = &self.desk {
                desk.offer(*partition, assessment);
            }
        }
        for (number, partition) in &mut self.partitions {
            partition.unacknowledged.clear();
            if let Some(checkpoints) = &self.checkpoints {
                partition.keep(*number, checkpoints, Checkpoints::due);
            }
            let events = i64::try_from(partition.state.window.len()).unwrap_or(i64::MAX);
            self.metrics
                .window_events
                .with_label_values(&[&number.to_string()])
                .set(events);
        }
        Ok(rejected)
    }
}
