//! What is known of a partition when it is assigned: by its checkpoint and what came since, or by the whole window.

use std::time::Instant;

use backbone::kafka::{NotNow, Start, read_partition};
use backbone::message::{Alert, Assessment};
use backbone::topics::{ALERTS, ASSESSMENTS, SIGNALS};
use jiff::{SignedDuration, Timestamp};
use tracing::info;

use super::Assessor;
use super::partition::Partition;
use crate::checkpoint::Position;
use crate::state::State;

impl Assessor {
    /// What is known of a partition: by its checkpoint and what came since, or else as its alerts and assessments tell it.
    pub(super) async fn rebuild(&self, partition: i32) -> Result<Partition, NotNow> {
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
        if let Some((state, position, forgotten)) = kept {
            rebuilt = self.go_on(partition, state, position, &forgotten).await?;
        }
        if let Some(stale) = rebuilt.take_if(|rebuilt| rebuilt.forgotten != self.erased.digest()) {
            // Made before something was erased.
            let mut again = (self.read_again(partition, &stale.state.window, now)).await?;
            again.state.trends = stale.state.trends;
            rebuilt = Some(again);
        }
        let from_checkpoint = rebuilt.is_some();
        let mut rebuilt = match rebuilt {
            Some(rebuilt) => rebuilt,
            None => {
                let nothing = self.pipeline.state();
                self.read_window(partition, nothing, now).await?
            }
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
    pub(super) async fn read_window(
        &self,
        partition: i32,
        state: State,
        now: Timestamp,
    ) -> Result<Partition, NotNow> {
        let since = now - SignedDuration::from_hours(24 * i64::from(self.pipeline.window_days()));
        let erased = self.erased.digest();
        let mut rebuilt = Partition::new(state, Position::default(), erased);
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
        forgotten: &str,
    ) -> Result<Option<Partition>, NotNow> {
        // The last assessment known is read again: it must be the same.
        let starts = [
            Start::Offset(position.next_alert),
            Start::Offset(position.next_signal),
            Start::Offset(position.assessment),
        ];
        let mut rebuilt = Partition::new(state, position.clone(), forgotten.to_owned());
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
            let mut alert: Alert = received.message;
            self.erased.cleanse_alert(&mut alert);
            rebuilt.state.restore_alert(&alert);
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
                let mut assessment: Assessment = received.message;
                self.erased.cleanse(&mut assessment);
                (self.pipeline).restore(&assessment, received.offset, &mut rebuilt.state);
                rebuilt.holds(received.offset, &assessment.post.id);
                first.get_or_insert((received.offset, assessment.post.id));
            },
        )
        .await
        .map_err(NotNow::because)?;
        Ok(first)
    }
}
