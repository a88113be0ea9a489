//! Numbers of posts, from those that the archiver keeps by hour (view `posts_by_hour`).

use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{Unavailable, all, within};

/// How many posts there are.
#[derive(Debug, Clone, Row, Deserialize)]
pub(in crate::console) struct Totals {
    pub(in crate::console) posts: u64,
    pub(in crate::console) about_us: u64,
    /// When the newest was published; 0 where there is none. One dated in the future counts as now.
    pub(in crate::console) newest_at: i64,
}

/// How many posts there are in all.
pub(in crate::console) async fn totals(client: &Client) -> Result<Totals, Unavailable> {
    let query = client.query(
        "SELECT sum(counted.posts) AS posts, sumIf(counted.posts, relevant) AS about_us, \
         assumeNotNull((SELECT least(max(published_at), now64(3, 'UTC')) FROM assessments)) AS newest_at \
         FROM posts_by_hour AS counted WHERE place = ''",
    );
    within(query.fetch_one()).await
}

/// How many posts there are of a kind.
#[derive(Debug, Clone, Row, Deserialize)]
pub(in crate::console) struct Share {
    pub(in crate::console) name: String,
    pub(in crate::console) posts: u64,
    pub(in crate::console) negative: u64,
}

/// Posts that concern the region since the hour of a time, by sentiment.
pub(in crate::console) async fn by_sentiment(
    client: &Client,
    since: i64,
) -> Result<Vec<Share>, Unavailable> {
    let query = client.query(
        "SELECT toString(sentiment) AS name, sum(counted.posts) AS posts, sumIf(counted.posts, sentiment = 'negative') AS negative \
         FROM posts_by_hour AS counted WHERE place = '' AND relevant AND hour >= toDateTime(intDiv({since:Int64}, 1000), 'UTC') \
         GROUP BY name ORDER BY name",
    );
    all(query.param("since", hour_of(since))).await
}

/// Posts that concern the region since the hour of a time, by subject, the most first.
pub(in crate::console) async fn by_subject(
    client: &Client,
    since: i64,
) -> Result<Vec<Share>, Unavailable> {
    let query = client.query(
        "SELECT toString(subject) AS name, sum(counted.posts) AS posts, sumIf(counted.posts, sentiment = 'negative') AS negative \
         FROM posts_by_hour AS counted WHERE place = '' AND relevant AND subject != '' \
         AND hour >= toDateTime(intDiv({since:Int64}, 1000), 'UTC') \
         GROUP BY name ORDER BY posts DESC, name",
    );
    all(query.param("since", hour_of(since))).await
}

/// Posts in one hour.
#[derive(Debug, Clone, Row, Deserialize)]
pub(in crate::console) struct Hour {
    /// When it begins, in milliseconds.
    pub(in crate::console) begins: i64,
    pub(in crate::console) posts: u64,
}

/// Posts since the hour of a time, by hour.
pub(in crate::console) async fn by_hour(
    client: &Client,
    since: i64,
) -> Result<Vec<Hour>, Unavailable> {
    let query = client.query(
        "SELECT toInt64(toUnixTimestamp(hour)) * 1000 AS begins, sum(counted.posts) AS posts FROM posts_by_hour AS counted \
         WHERE place = '' AND hour >= toDateTime(intDiv({since:Int64}, 1000), 'UTC') \
         GROUP BY begins ORDER BY begins",
    );
    all(query.param("since", hour_of(since))).await
}

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

/// When the hour of a time begins, in milliseconds.
fn hour_of(time: i64) -> i64 {
    time - time.rem_euclid(3_600_000)
}
