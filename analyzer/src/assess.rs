//! The pipeline on Kafka: posts in, alerts and assessments out.
//!
//! The assessment of a post goes to the partition of the same number, after its alert; the post's
//! offset moves when both are acknowledged. So whoever is assigned a partition of posts finds in the
//! same partitions of assessments and alerts all that it needs to go on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use backbone::kafka::{Handler, NotNow, Producer, Received, Rejected, read_partition};
use backbone::message::{Alert, Assessment, Post, Signal};
use backbone::settings::Kafka;
use backbone::topics::{ALERTS, ASSESSMENTS, SIGNALS};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use tracing::info;

use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::second_opinion::Desk;
use crate::state::State;

/// Handles posts.
#[derive(Debug)]
pub struct Assessor {
    kafka: Kafka,
    producer: Producer,
    pipeline: Arc<Pipeline>,
    metrics: Metrics,
    window_days: u32,
    /// Where unsure assessments are offered; absent where nobody is asked.
    desk: Option<Desk>,
    partitions: BTreeMap<i32, Partition>,
}

/// What is known of a partition held.
#[derive(Debug)]
struct Partition {
    state: State,
    /// Results the brokers have not acknowledged yet, by offset: sent again when the batch comes
    /// again, for the state has taken these posts in already.
    unacknowledged: HashMap<i64, (Assessment, Vec<Alert>)>,
    /// Alerts that the passing of time raised and the brokers have not acknowledged yet.
    overdue: Vec<Alert>,
    /// Signals that the brokers have not acknowledged yet.
    signals: Vec<Signal>,
}

impl Assessor {
    /// Assesses with the given pipeline.
    #[must_use]
    pub fn new(
        kafka: &Kafka,
        producer: &Producer,
        pipeline: Arc<Pipeline>,
        window_days: u32,
        desk: Option<Desk>,
        metrics: Metrics,
    ) -> Self {
        Self {
            kafka: kafka.clone(),
            producer: producer.clone(),
            pipeline,
            metrics,
            window_days,
            desk,
            partitions: BTreeMap::new(),
        }
    }

    /// What is known of a partition, as its alerts and assessments tell it.
    async fn rebuild(&self, partition: i32) -> Result<Partition, NotNow> {
        let now = Timestamp::now();
        let since = now - SignedDuration::from_hours(24 * i64::from(self.window_days));
        let mut state = self.pipeline.state();
        read_partition(&self.kafka, &ALERTS, partition, Some(since), |received| {
            state.restore_alert(&received.message);
        })
        .await
        .map_err(NotNow::because)?;
        read_partition(&self.kafka, &SIGNALS, partition, Some(since), |received| {
            state.restore_signal(&received.message);
        })
        .await
        .map_err(NotNow::because)?;
        read_partition(
            &self.kafka,
            &ASSESSMENTS,
            partition,
            Some(since),
            |received| {
                self.pipeline.restore(&received.message, &mut state);
            },
        )
        .await
        .map_err(NotNow::because)?;
        self.pipeline.settle(&mut state, now);
        info!(partition, events = state.window.len(), "events rebuilt");
        Ok(Partition {
            state,
            unacknowledged: HashMap::new(),
            overdue: Vec::new(),
            signals: Vec::new(),
        })
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
            let alerts = partition.overdue.iter();
            try_join_all(alerts.map(|alert| self.producer.send_to(&ALERTS, *number, alert)))
                .await
                .map_err(NotNow::because)?;
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
            let signals = partition.signals.iter();
            try_join_all(signals.map(|signal| self.producer.send_to(&SIGNALS, *number, signal)))
                .await
                .map_err(NotNow::because)?;
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
        for partition in partitions {
            let rebuilt = self.rebuild(*partition).await?;
            self.partitions.insert(*partition, rebuilt);
        }
        Ok(())
    }

    fn revoked(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.partitions.remove(partition);
            let label = partition.to_string();
            // The gauge may not have been set yet.
            drop(self.metrics.window_events.remove_label_values(&[&label]));
        }
    }

    async fn idle(&mut self) -> Result<(), NotNow> {
        self.raise_overdue().await?;
        self.raise_signals().await
    }

    async fn handle(&mut self, batch: &[Received<Post>]) -> Result<Vec<Rejected>, NotNow> {
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
                } else if let Some((assessment, alerts)) = self.assess(received) {
                    results.push((received.partition, assessment, alerts));
                }
            }
        });
        timer.observe_duration();

        let alerts = results.iter().flat_map(|(partition, _, alerts)| {
            alerts
                .iter()
                .map(|alert| self.producer.send_to(&ALERTS, *partition, alert))
        });
        try_join_all(alerts).await.map_err(NotNow::because)?;
        self.raise_signals().await?;
        let assessments = results.iter().map(|(partition, assessment, _)| {
            self.producer.send_to(&ASSESSMENTS, *partition, assessment)
        });
        try_join_all(assessments).await.map_err(NotNow::because)?;

        for (partition, assessment, alerts) in &results {
            self.count(assessment, alerts);
            if let Some(desk) = &self.desk {
                desk.offer(*partition, assessment);
            }
        }
        for (number, partition) in &mut self.partitions {
            partition.unacknowledged.clear();
            let events = i64::try_from(partition.state.window.len()).unwrap_or(i64::MAX);
            self.metrics
                .window_events
                .with_label_values(&[&number.to_string()])
                .set(events);
        }
        Ok(rejected)
    }
}
