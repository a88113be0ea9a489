//! What reports ask of a period: its events, what people said of them, where the posts came from and what read them.

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};

use super::trends::number;
use super::{Unavailable, all};
use crate::trend::Period;

/// The posts of a region in a period.
const OF_PERIOD: &str = "assessments FINAL WHERE region = {region:String} \
    AND published_at >= toDateTime64({first:Int32} * 86400 - 28800, 3, 'UTC') \
    AND published_at < toDateTime64(({last:Int32} + 1) * 86400 - 28800, 3, 'UTC')";

fn of_period(query: Query, region: &str, period: Period) -> Query {
    query
        .param("region", region)
        .param("first", number(period.from))
        .param("last", number(period.to))
}

/// An event by its posts of a period.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct EventOfPeriod {
    pub(crate) event: String,
    pub(crate) title: String,
    pub(crate) posts: u64,
    pub(crate) voices: u64,
    pub(crate) negative: u64,
    /// The gravest level; 0 where it reached none.
    pub(crate) gravest: u8,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    pub(crate) found_in: Vec<String>,
    pub(crate) subjects: Vec<String>,
    pub(crate) named_places: Vec<String>,
    /// The day of most posts, in days since 1970, and how many it had.
    pub(crate) peak: i32,
    pub(crate) peak_posts: u64,
}

/// An event that is told of, and how many there are in all.
#[derive(Debug, Row, Deserialize)]
struct Chosen {
    event: String,
    total: u64,
}

/// The events of a period: the gravest first, then those with the most posts. Which they are is found by no more than that
/// takes, and only they are put together from their posts.
pub(crate) async fn events(
    client: &Client,
    region: &str,
    period: Period,
    limit: u32,
) -> Result<(Vec<EventOfPeriod>, u64), Unavailable> {
    let query = client.query(&format!(
        "SELECT event_id AS event, count() OVER () AS total FROM {OF_PERIOD} AND relevant AND event_id != '' \
         GROUP BY event ORDER BY min(if(event_level = 0, 9, event_level)), count() DESC, event LIMIT {{limit:UInt32}} \
         SETTINGS do_not_merge_across_partitions_select_final = 1"
    ));
    let chosen: Vec<Chosen> = all(of_period(query, region, period).param("limit", limit)).await?;
    let total = chosen.first().map_or(0, |one| one.total);
    let ids: Vec<&str> = chosen.iter().map(|one| one.event.as_str()).collect();
    let query = client.query(&format!(
        "SELECT event, argMin(named, day_first) AS title, sum(day_posts) AS posts, uniqExactMerge(day_voices) AS voices, \
            sum(day_negative) AS negative, minIf(day_level, day_level > 0) AS gravest, min(day_first) AS first_at, \
            max(day_last) AS last_at, arraySort(groupUniqArrayArray(day_sources)) AS found_in, \
            topKArray(1)(day_subjects) AS subjects, topKArray(5)(day_places) AS named_places, \
            argMax(day, (day_posts, -day)) AS peak, max(day_posts) AS peak_posts \
         FROM (SELECT event_id AS event, toInt32(intDiv(toUnixTimestamp(published_at) + 28800, 86400)) AS day, \
            argMin(event_title, published_at) AS named, count() AS day_posts, uniqExactState(author) AS day_voices, \
            countIf(sentiment = 'negative') AS day_negative, minIf(event_level, event_level > 0) AS day_level, \
            min(published_at) AS day_first, max(published_at) AS day_last, groupUniqArray(20)(toString(source)) AS day_sources, \
            groupArrayIf(200)(toString(subject), subject != '') AS day_subjects, \
            arrayFlatten(groupArray(200)(arrayMap(place -> toString(place), places))) AS day_places \
            FROM {OF_PERIOD} AND relevant AND event_id IN {{events:Array(String)}} GROUP BY event, day) \
         GROUP BY event"
    ));
    let query = of_period(query, region, period).param("events", &ids);
    let mut events: Vec<EventOfPeriod> = all(query).await?;
    events.sort_by_key(|event| ids.iter().position(|id| *id == event.event));
    Ok((events, total))
}

/// What people of one appeal said of an event.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct View {
    pub(crate) event: String,
    pub(crate) appeal: String,
    pub(crate) posts: u64,
    /// The texts of the first of them.
    pub(crate) texts: Vec<String>,
}

/// What was said of some events in a period, by appeal, the most frequent first.
pub(crate) async fn views(
    client: &Client,
    region: &str,
    period: Period,
    events: &[&str],
) -> Result<Vec<View>, Unavailable> {
    let query = client.query(&format!(
        "SELECT event_id AS event, toString(assessments.appeal) AS appeal, count() AS posts, \
            arrayMap(one -> one.3, arraySlice(arraySort(groupArray(200)((published_at, post_id, substringUTF8(text, 1, 400)))), 1, 8)) AS texts \
         FROM {OF_PERIOD} AND relevant AND event_id IN {{events:Array(String)}} \
         GROUP BY event, appeal ORDER BY posts DESC, event, appeal"
    ));
    all(of_period(query, region, period).param("events", events)).await
}

/// What came from a source in a period.
#[derive(Debug, Clone, Row, Deserialize, Serialize)]
pub(crate) struct Came {
    pub(crate) source: String,
    /// Posts of the period, and of them those that concern the region.
    pub(crate) posts: u64,
    pub(crate) relevant: u64,
    /// Days of the period on which anything came.
    pub(crate) days: u64,
}

/// What came from each source in a period, by name.
pub(crate) async fn came(
    client: &Client,
    region: &str,
    period: Period,
) -> Result<Vec<Came>, Unavailable> {
    let query = client.query(
        "SELECT toString(counted.source) AS source, sum(counted.posts) AS posts, sumIf(counted.posts, counted.relevant) AS relevant, \
            uniqExact(intDiv(toUnixTimestamp(hour) + 28800, 86400)) AS days \
         FROM posts_by_hour AS counted WHERE region = {region:String} AND place = '' \
            AND hour >= toDateTime({first:Int32} * 86400 - 28800, 'UTC') \
            AND hour < toDateTime(({last:Int32} + 1) * 86400 - 28800, 'UTC') \
         GROUP BY source ORDER BY source",
    );
    all(of_period(query, region, period)).await
}

#[derive(Debug, Row, Deserialize)]
struct Named {
    name: String,
}

/// The models that read the posts of a period, by name.
pub(crate) async fn models(
    client: &Client,
    region: &str,
    period: Period,
) -> Result<Vec<String>, Unavailable> {
    let query = client.query(&format!(
        "SELECT DISTINCT toString(model) AS name FROM {OF_PERIOD} ORDER BY name LIMIT 5"
    ));
    let found: Vec<Named> = all(of_period(query, region, period)).await?;
    Ok(found.into_iter().map(|row| row.name).collect())
}

/// The bursts and common problems that were found, or lasted, in a period: those that last first, then the newest.
pub(crate) async fn signals(
    client: &Client,
    region: &str,
    period: Period,
    limit: u32,
) -> Result<Vec<Found>, Unavailable> {
    let query = client.query(
        "SELECT toString(kind) AS kind, title, over_at <= fromUnixTimestamp64Milli(0) AS lasts \
         FROM signals FINAL WHERE region = {region:String} \
            AND found_at < toDateTime64(({last:Int32} + 1) * 86400 - 28800, 3, 'UTC') \
            AND ends_at >= toDateTime64({first:Int32} * 86400 - 28800, 3, 'UTC') \
         ORDER BY lasts DESC, found_at DESC, signal_id LIMIT {limit:UInt32}",
    );
    all(of_period(query, region, period).param("limit", limit)).await
}

/// A burst or a common problem.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Found {
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) lasts: bool,
}
