//! How ClickHouse is, and what of it is newest.

use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{Unavailable, all, within};

/// How it is.
#[derive(Debug, Clone, Row, Deserialize)]
pub(in crate::console) struct Health {
    pub(in crate::console) server: String,
    /// When the newest post was collected, in milliseconds; 0 where there is none.
    pub(in crate::console) collected_at: i64,
    /// When the newest alert was raised.
    pub(in crate::console) raised_at: i64,
}

/// A disk that it writes to.
#[derive(Debug, Clone, Row, Deserialize)]
pub(in crate::console) struct Disk {
    pub(in crate::console) name: String,
    pub(in crate::console) free: u64,
    pub(in crate::console) whole: u64,
}

/// How it is now.
pub(in crate::console) async fn health(client: &Client) -> Result<Health, Unavailable> {
    let query = client.query(
        // What a query within another gives may be nothing; these never are.
        "SELECT version() AS server, \
         assumeNotNull((SELECT toUnixTimestamp64Milli(max(collected_at)) FROM assessments)) AS collected_at, \
         assumeNotNull((SELECT toUnixTimestamp64Milli(max(raised_at)) FROM alerts)) AS raised_at",
    );
    within(query.fetch_one()).await
}

/// Its disks.
pub(in crate::console) async fn disks(client: &Client) -> Result<Vec<Disk>, Unavailable> {
    all(client.query(
        "SELECT name, free_space AS free, total_space AS whole FROM system.disks \
         WHERE total_space > 0 ORDER BY name LIMIT 8",
    ))
    .await
}
