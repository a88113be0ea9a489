//! The pipeline on Kafka: posts in, alerts and assessments out.
//!
//! The assessment of a post goes to the partition of the same number, after its alert; the post's
//! offset moves when both are acknowledged. So whoever is assigned a partition of posts finds in the
//! same partitions of assessments and alerts all that it needs to go on. What duty officers say of its events is in the same
//! partition of edits, followed from the last edit that left a trace among the assessments.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use backbone::kafka::{
    ClientConfigError, Handler, NotNow, Producer, Received, Rejected, Start, Tail, read_at,
    read_partition,
};
use backbone::message::{Alert, Assessment, EventEdit, Post, Signal};
use backbone::settings::Kafka;
use backbone::topics::{ALERTS, ASSESSMENTS, EVENT_EDITS, SIGNALS};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::app::GROUP;
use crate::checkpoint::{Checkpoints, Position};
use crate::edit::Edited;
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
    /// Assessments that got a second opinion.
    opinions: mpsc::Receiver<(i32, Assessment)>,
    edits: Tail<EventEdit>,
    /// The edit that is applied next, read and not applied yet.
    next_edit: Option<Received<EventEdit>>,
    /// Where checkpoints are kept; absent where none are.
    checkpoints: Option<Checkpoints>,
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
    /// What came of an edit and the brokers have not acknowledged yet.
    edited: Edited,
    /// How far what was written to the partition is part of the state.
    position: Position,
    /// Posts since the last checkpoint.
    posts_since: usize,
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
        window_days: u32,
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
            window_days,
            desk,
            opinions,
            edits: Tail::new(kafka, &EVENT_EDITS, GROUP, producer)?,
            next_edit: None,
            checkpoints,
            partitions: BTreeMap::new(),
        })
    }

    /// What is known of a partition: by its checkpoint and what came since, or else as its alerts and assessments tell it.
    async fn rebuild(&self, partition: i32) -> Result<Partition, NotNow> {
        let begun = Instant::now();
        let now = Timestamp::now();
        let kept = self.checkpoints.as_ref().and_then(|checkpoints| {
            let kept = tokio::task::block_in_place(|| checkpoints.read(partition));
            kept.unwrap_or_else(|error| {
                info!(partition, error = %format!("{error:#}"), "checkpoint passed over");
                None
            })
        });
        let mut rebuilt = None;
        if let Some((state, position)) = kept {
            rebuilt = self.go_on(partition, state, position).await?;
        }
        let from_checkpoint = rebuilt.is_some();
        let mut rebuilt = match rebuilt {
            Some(rebuilt) => rebuilt,
            None => self.read_window(partition, now).await?,
        };
        self.pipeline.settle(&mut rebuilt.state, now);
        let posts = i64::try_from(rebuilt.posts_since).unwrap_or(i64::MAX);
        let label = partition.to_string();
        self.metrics
            .rebuilt_posts
            .with_label_values(&[&label])
            .set(posts);
        info!(
            partition,
            events = rebuilt.state.window.len(),
            posts,
            from_checkpoint,
            milliseconds = begun.elapsed().as_millis() as u64,
            "events rebuilt"
        );
        Ok(rebuilt)
    }

    /// From the alerts and assessments of the whole window.
    async fn read_window(&self, partition: i32, now: Timestamp) -> Result<Partition, NotNow> {
        let since = now - SignedDuration::from_hours(24 * i64::from(self.window_days));
        let mut rebuilt = Partition::new(self.pipeline.state(), Position::default());
        self.read_on(partition, [Start::Time(since); 3], &mut rebuilt)
            .await?;
        Ok(rebuilt)
    }

    /// From a checkpoint and what came since; nothing when the log is not the one it was made from.
    async fn go_on(
        &self,
        partition: i32,
        state: State,
        position: Position,
    ) -> Result<Option<Partition>, NotNow> {
        // The last assessment known is read again: it must be the same.
        let starts = [
            Start::Offset(position.next_alert),
            Start::Offset(position.next_signal),
            Start::Offset(position.assessment),
        ];
        let mut rebuilt = Partition::new(state, position.clone());
        let first = self.read_on(partition, starts, &mut rebuilt).await?;
        let same = first
            .is_some_and(|(offset, post)| offset == position.assessment && post == position.post);
        if !same {
            info!(partition, "checkpoint of another log passed over");
        }
        Ok(same.then_some(rebuilt))
    }

    /// Takes alerts, signals and assessments into the state; gives the offset and the post of the first assessment read.
    async fn read_on(
        &self,
        partition: i32,
        [alerts, signals, assessments]: [Start; 3],
        rebuilt: &mut Partition,
    ) -> Result<Option<(i64, String)>, NotNow> {
        let next = read_partition(&self.kafka, &ALERTS, partition, alerts, |received| {
            rebuilt.state.restore_alert(&received.message);
        });
        rebuilt.position.next_alert = next.await.map_err(NotNow::because)?;
        let next = read_partition(&self.kafka, &SIGNALS, partition, signals, |received| {
            rebuilt.state.restore_signal(&received.message);
        });
        rebuilt.position.next_signal = next.await.map_err(NotNow::because)?;
        let mut first = None;
        read_partition(
            &self.kafka,
            &ASSESSMENTS,
            partition,
            assessments,
            |received| {
                let assessment: Assessment = received.message;
                (self.pipeline).restore(&assessment, received.offset, &mut rebuilt.state);
                rebuilt.holds(received.offset, &assessment.post.id);
                first.get_or_insert((received.offset, assessment.post.id));
            },
        )
        .await
        .map_err(NotNow::because)?;
        Ok(first)
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
            let sent = alerts.map(|alert| self.producer.send_to(&ALERTS, *number, alert));
            for offset in try_join_all(sent).await.map_err(NotNow::because)? {
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
            let signals = partition.signals.iter();
            let sent = signals.map(|signal| self.producer.send_to(&SIGNALS, *number, signal));
            for offset in try_join_all(sent).await.map_err(NotNow::because)? {
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

    /// Applies what duty officers said of events. While results of posts are not acknowledged it waits, for it is not known
    /// yet where those stand.
    async fn apply_edits(&mut self) -> Result<(), NotNow> {
        self.write_edited().await?;
        loop {
            if self.next_edit.is_none() {
                self.next_edit = self.edits.next().await.map_err(NotNow::because)?;
            }
            let Some(received) = &self.next_edit else {
                return Ok(());
            };
            let Some(partition) = self.partitions.get_mut(&received.partition) else {
                self.next_edit = None;
                continue;
            };
            if !partition.unacknowledged.is_empty() {
                return Ok(());
            }
            let (edit, offset) = (&received.message, received.offset);
            let offsets = partition.state.window.moved_by(edit);
            let moved = if offsets.is_empty() {
                Vec::new()
            } else {
                read_at::<Assessment>(&self.kafka, &ASSESSMENTS, received.partition, &offsets)
                    .await
                    .map_err(NotNow::because)?
            };
            let moved = moved.into_iter().map(|received| received.message).collect();
            let state = &mut partition.state;
            partition.edited = tokio::task::block_in_place(|| {
                (self.pipeline).edit(edit, offset, moved, state, Timestamp::now())
            });
            let posts = partition.edited.assessments.len();
            let kind = edit.change.kind();
            info!(
                kind,
                event = edit.source(),
                into = edit.target(),
                posts,
                missing = offsets.len() - posts,
                "an officer's edit was applied"
            );
            let outcome = if posts > 0 { "moved" } else { "nothing" };
            self.metrics
                .edits_total
                .with_label_values(&[kind, outcome])
                .inc();
            self.next_edit = None;
            self.write_edited().await?;
        }
    }

    /// Writes what came of edits: the alerts, then the assessments.
    async fn write_edited(&mut self) -> Result<(), NotNow> {
        let numbers: Vec<i32> = self.partitions.keys().copied().collect();
        for number in numbers {
            let Some(partition) = self.partitions.get_mut(&number) else {
                continue;
            };
            let edited = partition.edited.clone();
            let alerts = edited.alerts.iter();
            let sent = alerts.map(|alert| self.producer.send_to(&ALERTS, number, alert));
            for offset in try_join_all(sent).await.map_err(NotNow::because)? {
                partition.holds_alert(offset);
            }
            let assessments = edited
                .assessments
                .iter()
                .map(|assessment| (number, assessment));
            self.write(assessments.collect()).await?;
            for alert in &edited.alerts {
                count_alert(&self.metrics, alert);
            }
            if let Some(partition) = self.partitions.get_mut(&number) {
                partition.edited = Edited::default();
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

impl Partition {
    fn new(state: State, position: Position) -> Self {
        Self {
            state,
            unacknowledged: HashMap::new(),
            overdue: Vec::new(),
            signals: Vec::new(),
            edited: Edited::default(),
            position,
            posts_since: 0,
        }
    }

    /// The assessment at an offset is part of the state, and acknowledged.
    fn holds(&mut self, offset: i64, post: &str) {
        self.posts_since += 1;
        if offset > self.position.assessment {
            self.position.assessment = offset;
            post.clone_into(&mut self.position.post);
        }
    }

    /// The alert at an offset is part of the state, and acknowledged.
    fn holds_alert(&mut self, offset: i64) {
        self.position.next_alert = self.position.next_alert.max(offset + 1);
    }

    /// The signal at an offset is part of the state, and acknowledged.
    fn holds_signal(&mut self, offset: i64) {
        self.position.next_signal = self.position.next_signal.max(offset + 1);
    }

    /// Writes a checkpoint where it is time for one and all that the state holds is acknowledged.
    fn keep(&mut self, number: i32, checkpoints: &Checkpoints) {
        let pending = !self.overdue.is_empty()
            || !self.signals.is_empty()
            || self.edited != Edited::default();
        if pending || !Checkpoints::due(self.posts_since, self.state.window.posts()) {
            return;
        }
        self.posts_since = 0;
        let begun = Instant::now();
        match tokio::task::block_in_place(|| checkpoints.write(number, &self.state, &self.position))
        {
            Ok(()) => info!(
                partition = number,
                events = self.state.window.len(),
                milliseconds = begun.elapsed().as_millis() as u64,
                "checkpoint written"
            ),
            Err(error) => {
                warn!(partition = number, error = %format!("{error:#}"), "no checkpoint written");
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
        self.apply_edits().await?;
        self.write_opinions().await;
        self.raise_overdue().await?;
        self.raise_signals().await
    }

    async fn handle(&mut self, batch: &[Received<Post>]) -> Result<Vec<Rejected>, NotNow> {
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
                partition.keep(*number, checkpoints);
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
