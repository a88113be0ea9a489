//! The sources that posts come from.

use clickhouse::Client;

use super::{LATELY, Unavailable, within};

/// The names of the sources that posts of the last weeks came from.
pub(in crate::console) async fn sources(client: &Client) -> Result<Vec<String>, Unavailable> {
    within(
        client
            .query(
                &format!("SELECT DISTINCT toString(source) AS name FROM assessments WHERE {LATELY} ORDER BY name LIMIT 200"),
            )
            .fetch_all(),
    )
    .await
}
