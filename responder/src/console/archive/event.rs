//! One event: its course, where it is seen, its posts with those that say the same folded, and the events like it.

use backbone::clickhouse::rows::{AlertRow, AssessmentRow};
use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{EventRow, Unavailable, all, events_named};

/// Posts of a part of an event's time.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Step {
    /// Number of the part, from 0.
    pub(crate) number: i64,
    pub(crate) negative: u64,
    pub(crate) neutral: u64,
    pub(crate) positive: u64,
}

/// The posts of an event by parts of `length` milliseconds since `begin`; parts without posts are left out.
pub(crate) async fn course(
    client: &Client,
    event: &EventRow,
    begin: i64,
    length: i64,
) -> Result<Vec<Step>, Unavailable> {
    let of = event.posts();
    let query = client.query(&format!(
        "SELECT intDiv(toUnixTimestamp64Milli(published_at) - {{begin:Int64}}, {{length:Int64}}) AS number, \
         countIf(sentiment = 'negative') AS negative, countIf(sentiment = 'neutral') AS neutral, \
         countIf(sentiment = 'positive') AS positive FROM {of} GROUP BY number ORDER BY number"
    ));
    let query = of.put(query).param("begin", begin).param("length", length);
    all(query).await
}

/// A source that an event was seen in.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct SeenIn {
    pub(crate) name: String,
    pub(crate) posts: u64,
    pub(crate) voices: u64,
    pub(crate) first_at: i64,
}

/// Where an event was seen, in the order of its spread.
pub(crate) async fn spread(client: &Client, event: &EventRow) -> Result<Vec<SeenIn>, Unavailable> {
    let of = event.posts();
    let query = client.query(&format!(
        "SELECT toString(source) AS name, count() AS posts, uniqExact(author) AS voices, min(published_at) AS first_at \
         FROM {of} GROUP BY name ORDER BY first_at, name LIMIT 30"
    ));
    all(of.put(query)).await
}

/// Posts that say the same, told by the first of them.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct Fold {
    pub(crate) first: String,
    pub(crate) posts: u64,
    /// Ids, sources and times of the others, the first twenty.
    pub(crate) others: Vec<(String, String, i64)>,
    /// How many such folds the event has.
    pub(crate) folds: u64,
}

/// The posts of an event, those with nearly the same text as one, the newest first: texts are the same where the six least
/// hashes of their runs of three characters are (MinHash, Broder 1997).
pub(crate) async fn folds(
    client: &Client,
    event: &EventRow,
    offset: u32,
    limit: u32,
) -> Result<Vec<Fold>, Unavailable> {
    let of = event.posts();
    let query = client.query(&format!(
        "SELECT argMin(id, (at, id)) AS first, count() AS posts, \
         arraySlice(arraySort(one -> one.3, groupArray((id, source, at))), 2, 20) AS others, count() OVER () AS folds \
         FROM (SELECT post_id AS id, toString(assessments.source) AS source, toUnixTimestamp64Milli(published_at) AS at, \
         tupleElement(ngramMinHashUTF8(lowerUTF8(normalizeUTF8NFKC(concat(title, '\\n', text))), 3, 6), 1) AS same \
         FROM {of}) \
         GROUP BY same ORDER BY max(at) DESC, first LIMIT {{limit:UInt32}} OFFSET {{offset:UInt32}}"
    ));
    all(of.put(query).param("limit", limit).param("offset", offset)).await
}

/// Posts of an event by their ids.
pub(crate) async fn posts_named(
    client: &Client,
    event: &EventRow,
    ids: &[&str],
) -> Result<Vec<AssessmentRow>, Unavailable> {
    let of = event.posts();
    let query = client.query(&format!(
        "SELECT ?fields FROM {of} AND post_id IN {{ids:Array(String)}}"
    ));
    all(of.put(query).param("ids", ids)).await
}

/// The alerts that an event raised, the first first.
pub(crate) async fn alerts_of(client: &Client, event: &str) -> Result<Vec<AlertRow>, Unavailable> {
    let query = client.query(
        "SELECT ?fields FROM alerts FINAL WHERE event_id = {event:String} ORDER BY raised_at, level DESC LIMIT 8",
    );
    all(query.param("event", event)).await
}

#[derive(Debug, Row, Deserialize)]
struct Like {
    event: String,
}

/// Days before and after an event in which those like it are looked for.
const AROUND: u32 = 30;
/// Posts before and after it among which they are, of its region.
const NEAREST: u32 = 50_000;

/// Events of the same subject that name one of the same places in the weeks around, those with the most posts first.
pub(crate) async fn related(
    client: &Client,
    event: &EventRow,
    limit: u32,
) -> Result<Vec<EventRow>, Unavailable> {
    let Some(subject) = event.subjects.first() else {
        return Ok(Vec::new());
    };
    let query = client.query(&format!(
        "WITH fromUnixTimestamp64Milli({{first:Int64}}, 'UTC') AS first, fromUnixTimestamp64Milli({{last:Int64}}, 'UTC') AS last \
         SELECT event_id AS event FROM assessments WHERE region = {{region:String}} \
         AND published_at >= greatest(first - toIntervalDay({AROUND}), (SELECT min(published_at) FROM (\
            SELECT published_at FROM assessments WHERE region = {{region:String}} AND published_at < first \
            ORDER BY region DESC, published_at DESC LIMIT {NEAREST}))) \
         AND published_at <= least(last + toIntervalDay({AROUND}), greatest(last, (SELECT max(published_at) FROM (\
            SELECT published_at FROM assessments WHERE region = {{region:String}} AND published_at > last \
            ORDER BY region, published_at LIMIT {NEAREST})))) \
         AND subject = {{subject:String}} AND hasAny(places, {{places:Array(String)}}) AND relevant \
         AND event_id NOT IN ('', {{event:String}}) \
         GROUP BY event ORDER BY count() DESC, event LIMIT {{limit:UInt32}}"
    ));
    let query = query
        .param("region", &event.county)
        .param("first", event.first_at)
        .param("last", event.last_at)
        .param("subject", subject)
        .param("places", &event.named_places)
        .param("event", &event.event)
        .param("limit", limit);
    let found: Vec<Like> = all(query).await?;
    let events: Vec<&str> = found.iter().map(|found| found.event.as_str()).collect();
    events_named(client, &events).await
}
