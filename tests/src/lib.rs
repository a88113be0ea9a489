//! What the stories under `tests/stories/` share: they start the real programs and the real engines,
//! use them as people do, wait for what they expect, and stop everything at the end.

#![allow(
    clippy::expect_used,
    reason = "a test whose engines do not start fails"
)]

mod archived;
mod console;
mod counties;
pub mod disk;
pub mod duty;
mod engines;
pub mod everywhere;
pub mod load;
mod office;
mod officer;
mod program;
pub mod soak;
pub mod walk;

pub use archived::Archived;
pub use console::{Browser, Page};
pub use counties::counties;
pub use engines::{Broker, Postgres, Shutdown, Store, ZooKeeper};
pub use office::{Office, REGION, free_ports, send_raw};
pub use officer::{Officer, officer, officer_beside};
pub use program::{Program, project, shared_data};

use std::time::Duration;

/// Longest wait for something that should happen by itself.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Asks every tenth of a second until `ask` answers, and panics with `what` when patience ends.
///
/// # Panics
/// When nothing came within [`PATIENCE`].
pub async fn wait_for<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, ask).await
}

/// The same within another time.
///
/// # Panics
/// When nothing came within it.
pub async fn wait_within<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = tokio::time::Instant::now() + patience;
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

/// Waits until each move of a case is in the archive once, and there are as many as expected.
///
/// # Panics
/// When there are more, or they do not come.
pub async fn wait_for_moves(clickhouse: &str, case: &str, least: u64) {
    let of = |what: &str| format!("SELECT {what} FROM case_events FINAL WHERE case_id = '{case}'");
    wait_for("the case's moves in the archive", || async {
        let count = number(clickhouse, &of("count()")).await?;
        let last = number(clickhouse, &of("toUInt64(max(sequence))")).await?;
        assert!(count <= last, "{count} moves up to the {last}th");
        (count >= least && count == last).then_some(())
    })
    .await;
}
