//! The sources that posts come from.

use clickhouse::Client;

use super::{Unavailable, within};

/// The names of the sources that posts of the last weeks came from.
pub(in crate::console) async fn sources(client: &Client) -> Result<Vec<String>, Unavailable> {
    within(
        client
            .query(
                "SELECT DISTINCT toString(arrayJoin(arrayDistinct(cells.source))) AS source FROM post_hours \
                 WHERE hour >= (SELECT least(max(hour), now('UTC')) - INTERVAL 45 DAY FROM post_hours) \
                 ORDER BY source LIMIT 200",
            )
            .fetch_all(),
    )
    .await
}
