//! What the stories under `tests/stories/` share: they start the real programs and the real engines,
//! use them as people do, wait for what they expect, and stop everything at the end.

#![allow(
    clippy::expect_used,
    reason = "a test whose engines do not start fails"
)]

mod console;
mod engines;
mod program;

pub use console::{Browser, Page};
pub use engines::{Broker, Store};
pub use program::{Program, project, shared_data};

use std::future::Future;
use std::time::Duration;

/// Longest wait for something that should happen by itself.
pub const PATIENCE: Duration = Duration::from_secs(180);

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

/// Asks ClickHouse for one number.
pub async fn number(clickhouse: &str, query: &str) -> Option<u64> {
    let client = clickhouse::Client::default()
        .with_url(clickhouse)
        .with_database("wensheng");
    client.query(query).fetch_one::<u64>().await.ok()
}
