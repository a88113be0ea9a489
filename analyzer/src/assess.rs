//! The pipeline on Kafka: posts in, alerts and assessments out.
//!
//! The assessment of a post goes to the partition of the same number, after its alert; the post's
//! offset moves when both are acknowledged. So whoever is assigned a partition of posts finds in the
//! same partition of assessments all that it needs to go on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use backbone::kafka::{Handler, NotNow, Producer, Received, Rejected, read_partition};
use backbone::message::{Alert, Assessment, Post};
use backbone::settings::Kafka;
use backbone::topics::{ALERTS, ASSESSMENTS};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use tracing::info;

use crate::event::Window;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::second_opinion::Desk;

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
    window: Window,
    /// Results the brokers have not acknowledged yet, by offset: sent again when the batch comes
    /// again, for the window has taken these posts in already.
    unacknowledged: HashMap<i64, (Assessment, Option<Alert>)>,
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

    /// The window of a partition as its assessments tell it.
    async fn rebuild(&self, partition: i32) -> Result<Partition, NotNow> {
        let since = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(self.window_days));
        let mut window = self.pipeline.window();
        read_partition(
            &self.kafka,
            &ASSESSMENTS,
            partition,
            Some(since),
            |received| {
                self.pipeline.restore(&received.message, &mut window);
            },
        )
        .await
        .map_err(NotNow::because)?;
        info!(partition, events = window.len(), "event window rebuilt");
        Ok(Partition {
            window,
            unacknowledged: HashMap::new(),
        })
    }

    fn assess(&mut self, received: &Received<Post>) -> Option<(Assessment, Option<Alert>)> {
        let partition = self.partitions.get_mut(&received.partition)?;
        let result = match partition.unacknowledged.remove(&received.offset) {
            Some(result) => result,
            None => {
                let post = received.message.clone();
                self.pipeline
                    .assess(post, &mut partition.window, Timestamp::now())
            }
        };
        partition
            .unacknowledged
            .insert(received.offset, result.clone());
        Some(result)
    }

    fn count(&self, assessment: &Assessment, alert: Option<&Alert>) {
        let region = assessment.post.region.as_str();
        let relevant = if assessment.relevant { "yes" } else { "no" };
        self.metrics
            .posts_total
            .with_label_values(&[region, relevant])
            .inc();
        if let Some(alert) = alert {
            let level = alert.level.to_string();
            self.metrics
                .alerts_total
                .with_label_values(&[region, &level])
                .inc();
            let latency = alert.raised_at.duration_since(alert.published_at);
            self.metrics
                .publication_to_alert_seconds
                .observe(latency.as_secs_f64().max(0.0));
        }
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

    async fn handle(&mut self, batch: &[Received<Post>]) -> Result<Vec<Rejected>, NotNow> {
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
                } else if let Some((assessment, alert)) = self.assess(received) {
                    results.push((received.partition, assessment, alert));
                }
            }
        });
        timer.observe_duration();

        let alerts = results.iter().filter_map(|(_, _, alert)| alert.as_ref());
        try_join_all(alerts.map(|alert| self.producer.send(&ALERTS, alert)))
            .await
            .map_err(NotNow::because)?;
        let assessments = results.iter().map(|(partition, assessment, _)| {
            self.producer.send_to(&ASSESSMENTS, *partition, assessment)
        });
        try_join_all(assessments).await.map_err(NotNow::because)?;

        for (partition, assessment, alert) in &results {
            self.count(assessment, alert.as_ref());
            if let Some(desk) = &self.desk {
                desk.offer(*partition, assessment);
            }
        }
        for (number, partition) in &mut self.partitions {
            partition.unacknowledged.clear();
            let events = i64::try_from(partition.window.len()).unwrap_or(i64::MAX);
            self.metrics
                .window_events
                .with_label_values(&[&number.to_string()])
                .set(events);
        }
        Ok(rejected)
    }
}
