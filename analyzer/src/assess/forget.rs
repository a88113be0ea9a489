//! Forgets posts that are erased on request. An event is known by the sums of its posts, so that none can be taken out of it with
//! certainty; the window is read again instead, without them.

use backbone::kafka::NotNow;
use jiff::Timestamp;
use tracing::info;

use super::Assessor;
use super::partition::Partition;
use crate::event::Window;

impl Assessor {
    /// Forgets what was erased since: once nothing of a partition waits for the brokers, its window is read again.
    pub(super) async fn forget(&mut self) -> Result<(), NotNow> {
        let digest = self.erased.digest();
        let stale: Vec<i32> = (self.partitions.iter())
            .filter(|(_, known)| known.forgotten != digest && !known.is_pending())
            .map(|(number, _)| *number)
            .collect();
        for number in stale {
            let now = Timestamp::now();
            let Some(known) = self.partitions.get(&number) else {
                continue;
            };
            let mut again = (self.read_again(number, &known.state.window, now)).await?;
            if let Some(known) = self.partitions.remove(&number) {
                again.state.trends = known.state.trends;
            }
            self.pipeline.settle(&mut again.state, now);
            if let Some(checkpoints) = &self.checkpoints {
                again.keep(number, checkpoints, |_, _| true);
            }
            info!(
                partition = number,
                events = again.state.window.len(),
                "what was erased is forgotten"
            );
            self.partitions.insert(number, again);
        }
        Ok(())
    }

    /// A partition's window as its log tells it, without what was erased; of long ago, of which the log tells no more, what
    /// another window remembers.
    pub(super) async fn read_again(
        &self,
        partition: i32,
        before: &Window,
        now: Timestamp,
    ) -> Result<Partition, NotNow> {
        let mut state = self.pipeline.state();
        state.window.remember(before, &self.erased);
        self.read_window(partition, state, now).await
    }
}
