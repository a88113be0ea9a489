//! What a day had: posts that concern the regions, by hour (view `posts_by_hour`), and the events they tell of. Every
//! question is of some hours only, so that it costs the same however much the archive holds.

use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{Unavailable, all, within};

/// The time that the archive's posts were published in, in milliseconds; both 0 where it holds none.
#[derive(Debug, Clone, Copy, Row, Deserialize)]
pub(in crate::console) struct Span {
    pub(in crate::console) first: i64,
    /// One dated in the future counts as now.
    pub(in crate::console) last: i64,
}

/// When the first and the last post was published.
pub(in crate::console) async fn span(client: &Client) -> Result<Span, Unavailable> {
    let query = client.query(
        "SELECT min(published_at) AS first, least(max(published_at), now64(3, 'UTC')) AS last FROM assessments",
    );
    within(query.fetch_one()).await
}

/// The hours given, in milliseconds.
const AMONG: &str = "place = '' AND relevant AND hour IN (SELECT toDateTime(intDiv(arrayJoin({hours:Array(Int64)}), 1000), 'UTC'))";

/// Posts of one kind.
#[derive(Debug, Clone, Row, Deserialize)]
pub(in crate::console) struct Counted {
    pub(in crate::console) subject: String,
    pub(in crate::console) sentiment: String,
    pub(in crate::console) posts: u64,
}

/// Posts in some hours, by subject and sentiment.
pub(in crate::console) async fn counted(
    client: &Client,
    hours: &[i64],
) -> Result<Vec<Counted>, Unavailable> {
    let query = client.query(&format!(
        "SELECT toString(counted.subject) AS subject, toString(counted.sentiment) AS sentiment, sum(counted.posts) AS posts \
         FROM posts_by_hour AS counted WHERE {AMONG} GROUP BY subject, sentiment"
    ));
    all(query.param("hours", hours)).await
}

/// Posts in one hour.
#[derive(Debug, Clone, Copy, Row, Deserialize)]
pub(in crate::console) struct Hour {
    /// When it begins, in milliseconds.
    pub(in crate::console) begins: i64,
    pub(in crate::console) posts: u64,
    pub(in crate::console) negative: u64,
}

/// Posts in each of some hours that has any.
pub(in crate::console) async fn counted_by_hour(
    client: &Client,
    hours: &[i64],
) -> Result<Vec<Hour>, Unavailable> {
    let query = client.query(&format!(
        "SELECT toInt64(toUnixTimestamp(hour)) * 1000 AS begins, sum(counted.posts) AS posts, \
         sumIf(counted.posts, sentiment = 'negative') AS negative \
         FROM posts_by_hour AS counted WHERE {AMONG} GROUP BY begins"
    ));
    all(query.param("hours", hours)).await
}

/// An event by its posts of a day.
#[derive(Debug, Clone, Row, Deserialize)]
pub(in crate::console) struct EventOfDay {
    pub(in crate::console) event: String,
    pub(in crate::console) title: String,
    pub(in crate::console) posts: u64,
    pub(in crate::console) voices: u64,
    pub(in crate::console) negative: u64,
    /// The gravest level; 0 where it has none.
    pub(in crate::console) gravest: u8,
}

/// The events that most was told of since a time.
pub(in crate::console) async fn events_of_day(
    client: &Client,
    since: i64,
    limit: u32,
) -> Result<Vec<EventOfDay>, Unavailable> {
    let query = client.query(
        "SELECT event_id AS event, any(event_title) AS title, count() AS posts, uniqExact(author) AS voices, \
         countIf(sentiment = 'negative') AS negative, minIf(event_level, event_level > 0) AS gravest \
         FROM assessments FINAL WHERE published_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') \
         AND relevant AND event_id != '' GROUP BY event ORDER BY posts DESC, event LIMIT {limit:UInt32}",
    );
    all(query.param("since", since).param("limit", limit)).await
}
