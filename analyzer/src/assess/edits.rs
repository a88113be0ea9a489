//! What duty officers say of events, as it comes.

use backbone::kafka::{NotNow, read_at};
use backbone::message::Assessment;
use backbone::topics::{ALERTS, ASSESSMENTS};
use jiff::Timestamp;
use tracing::info;

use super::{Assessor, count_alert, send_all};
use crate::edit::Edited;

impl Assessor {
    /// Applies what duty officers said of events. While results of posts are not acknowledged it waits, for it is not known
    /// yet where those stand.
    pub(super) async fn apply_edits(&mut self) -> Result<(), NotNow> {
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
            for offset in send_all(&self.producer, &ALERTS, number, &edited.alerts).await? {
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
}
