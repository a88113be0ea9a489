//! What the stories under `tests/stories/` share: they start the real programs and the real engines,
//! wait for what they expect, and stop everything at the end.

mod engines;
mod program;

pub use engines::{Broker, Store};
pub use program::{Program, project, shared_data};

use std::future::Future;
use std::time::Duration;

/// Longest wait for something that should happen by itself.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks every tenth of a second until `ask` answers, and panics with `what` when patience ends.
///
/// # Panics
/// When nothing came within [`PATIENCE`].
pub async fn wait_for<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "waited in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
