//! What the console asks ClickHouse. Every value goes as a server-side parameter, never into the text.

mod day;
pub(crate) mod event;
mod filter;
mod health;
mod lines;
pub(crate) mod period;
mod search;
mod sources;
pub(crate) mod towns;
pub(crate) mod trends;

use std::fmt;
use std::time::Duration;

use backbone::clickhouse::rows::{AlertRow, AssessmentRow, SignalRow};
use backbone::clickhouse::told;
use clickhouse::query::Query;
use clickhouse::{Client, Row, RowOwned, RowRead};
use serde::Deserialize;
use tracing::warn;

pub(super) use day::{Counted, EventOfDay, Hour, counted, counted_by_hour, events_of_day, span};
pub(crate) use filter::{ASKING, Filter};
pub(super) use filter::{LONGEST_TEXT, RECENT, days};
pub(super) use health::{Disk, Health, disks, health};
pub(super) use lines::with_marks;
use search::AT;
pub(super) use search::{
    Exported, Exporting, Facets, MOST_EXPORTED, MOST_OVER_ALL, Over, Words, count_new, facets,
    posts,
};
pub(crate) use search::{Total, posts_with_texts};
pub(super) use sources::sources;

/// Longest a page waits for ClickHouse.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was published in the last weeks before the newest post; one dated in the future counts as now.
const LATELY: &str = "published_at >= \
    (SELECT least(max(published_at), now64(3, 'UTC')) - INTERVAL 45 DAY FROM assessments)";

/// ClickHouse did not answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unavailable;

/// A post.
pub(super) async fn post(client: &Client, id: &str) -> Result<Option<AssessmentRow>, Unavailable> {
    let query = client.query(
        "SELECT ?fields FROM assessments WHERE post_id = {id:String} ORDER BY version DESC LIMIT 1",
    );
    within(query.param("id", id).fetch_optional()).await
}

/// Between which times posts of events are looked for, in milliseconds since 1970, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Times {
    /// From a time on.
    pub(super) const fn since(first: i64) -> Self {
        // The last second of 2299, beyond which ClickHouse's DateTime64 does not go.
        let last = 10_413_791_999_000;
        Self { first, last }
    }
}

/// The posts of some events: all concern the region. Where a query's table and conditions stand it is written, and then it
/// is [`put`](Self::put) into the query.
pub(super) struct OfEvents<'a> {
    events: Vec<&'a str>,
    times: Option<Times>,
}

impl<'a> OfEvents<'a> {
    /// Of all times.
    pub(super) fn all(events: impl IntoIterator<Item = &'a str>) -> Self {
        let events = events.into_iter().collect();
        let times = None;
        Self { events, times }
    }

    /// Of some times only.
    pub(super) fn within(self, times: Times) -> Self {
        let times = Some(times);
        Self { times, ..self }
    }

    pub(super) fn put(&self, query: Query) -> Query {
        let query = query.param("events", &self.events);
        match self.times {
            Some(times) => query.param("first", times.first).param("last", times.last),
            None => query,
        }
    }
}

/// A post's time is a part of its key, so it may be looked for before the newest versions are; the other columns are read
/// only where a post of the events may be. Bounds that hold all there is are left out: each step of the key would be
/// compared with them, which takes twice as long as the rest.
impl fmt::Display for OfEvents<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_times = match self.times {
            Some(_) => {
                " AND published_at >= fromUnixTimestamp64Milli({first:Int64}, 'UTC') \
                  AND published_at <= fromUnixTimestamp64Milli({last:Int64}, 'UTC')"
            }
            None => "",
        };
        write!(
            formatter,
            "assessments FINAL PREWHERE published_at IN (\
                SELECT published_at FROM assessments WHERE event_id IN {{events:Array(String)}}{of_times}) \
             WHERE event_id IN {{events:Array(String)}} AND relevant"
        )
    }
}

/// Posts of events, the newest first, and how many there are in all.
pub(super) async fn posts_of_events(
    client: &Client,
    of: &OfEvents<'_>,
    limit: u32,
) -> Result<(Vec<AssessmentRow>, u64), Unavailable> {
    let count = client.query(&format!("SELECT count() FROM {of}"));
    let total = within(of.put(count).fetch_one::<u64>()).await?;
    let query = client.query(&format!(
        "SELECT ?fields FROM {of} ORDER BY published_at DESC, post_id LIMIT {{limit:UInt32}}"
    ));
    Ok((all(of.put(query).param("limit", limit)).await?, total))
}

/// An event, put together from its posts.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct EventRow {
    pub(crate) event: String,
    /// Code of its region.
    pub(crate) county: String,
    pub(crate) named: String,
    pub(crate) posts: u64,
    pub(crate) voices: u64,
    pub(crate) found_in: Vec<String>,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    pub(crate) mean_sentiment: f64,
    pub(crate) gravest: u8,
    pub(crate) subjects: Vec<String>,
    pub(crate) named_places: Vec<String>,
}

impl EventRow {
    /// Its posts.
    pub(super) fn posts(&self) -> OfEvents<'_> {
        OfEvents::all([self.event.as_str()]).within(Times {
            first: self.first_at,
            last: self.last_at,
        })
    }
}

const EVENT: &str = "event_id AS event, any(region) AS county, argMin(event_title, published_at) AS named, count() AS posts, \
    uniqExact(author) AS voices, arraySort(groupUniqArray(20)(source)) AS found_in, \
    min(published_at) AS first_at, max(published_at) AS last_at, avg(sentiment_score) AS mean_sentiment, \
    minIf(event_level, event_level > 0) AS gravest, topKIf(1)(toString(subject), subject != '') AS subjects, \
    topKArray(5)(places) AS named_places";

/// Events as they are now, whichever versions of posts they were found by.
async fn events_named(client: &Client, events: &[&str]) -> Result<Vec<EventRow>, Unavailable> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let of = OfEvents::all(events.iter().copied());
    let query = client.query(&format!(
        "SELECT ?fields FROM (SELECT {EVENT} FROM {of} GROUP BY event_id)"
    ));
    let mut rows: Vec<EventRow> = all(of.put(query)).await?;
    rows.sort_by_key(|row| events.iter().position(|event| *event == row.event));
    Ok(rows)
}

/// An event of the list, and how many there are in all.
#[derive(Debug, Row, Deserialize)]
struct Listed {
    hash: u64,
    newest_at: i64,
    total: u64,
}

/// An event by its hash.
#[derive(Debug, Row, Deserialize)]
struct Hashed {
    hash: u64,
    event: String,
}

/// The events asked for that have a post of the last weeks, the gravest first, then the newest. Which they are is found
/// by no more than what they are chosen by, and only those of the page are put together from all their posts.
pub(crate) async fn events(
    client: &Client,
    filter: &Filter,
) -> Result<(Vec<EventRow>, u64), Unavailable> {
    let chosen = [
        (
            !filter.text.is_empty(),
            "position(argMin(event_title, published_at), {text:String}) > 0",
        ),
        (filter.level != 0, "gravest = {level:UInt8}"),
        (
            !filter.subject.is_empty(),
            "has(topKIf(1)(toString(subject), subject != ''), {subject:String})",
        ),
        (
            !filter.place.is_empty(),
            "has(topKArray(5)(places), {place:String})",
        ),
    ];
    let having: String = chosen
        .iter()
        .filter(|(is_wanted, _)| *is_wanted)
        .map(|(_, condition)| format!(" AND {condition}"))
        .collect();
    // Events are told apart by a number, which takes half as long as by their names.
    let query = client.query(&format!(
        "SELECT hash, toUnixTimestamp64Milli(last_at) AS newest_at, count() OVER () AS total FROM \
         (SELECT cityHash64(event_id) AS hash, minIf(event_level, event_level > 0) AS gravest, max(published_at) AS last_at \
         FROM assessments FINAL WHERE event_id != '' AND relevant AND {LATELY} GROUP BY hash HAVING 1{having}) \
         ORDER BY if(gravest = 0, 9, gravest), last_at DESC, hash LIMIT {{limit:UInt32}} OFFSET {{offset:UInt32}}"
    ));
    let listed: Vec<Listed> = all(filter.put(query)).await?;
    let total = listed.first().map_or(0, |listed| listed.total);
    let query = client.query(&format!(
        "SELECT DISTINCT cityHash64(event_id) AS hash, event_id AS event FROM assessments FINAL PREWHERE {AT} \
         WHERE hash IN {{hashes:Array(UInt64)}} AND relevant"
    ));
    let hashes: Vec<u64> = listed.iter().map(|listed| listed.hash).collect();
    let times: Vec<i64> = listed.iter().map(|listed| listed.newest_at).collect();
    let mut named: Vec<Hashed> = all(query.param("hashes", &hashes).param("times", &times)).await?;
    named.sort_by_key(|one| hashes.iter().position(|hash| *hash == one.hash));
    let events: Vec<&str> = named.iter().map(|one| one.event.as_str()).collect();
    Ok((events_named(client, &events).await?, total))
}

/// An event.
pub(crate) async fn event(client: &Client, id: &str) -> Result<Option<EventRow>, Unavailable> {
    Ok(events_named(client, &[id]).await?.pop())
}

/// The newest alerts.
pub(super) async fn alerts(client: &Client, limit: u32) -> Result<Vec<AlertRow>, Unavailable> {
    let query = client.query(
        "SELECT ?fields FROM alerts FINAL ORDER BY raised_at DESC, alert_id LIMIT {limit:UInt32}",
    );
    all(query.param("limit", limit)).await
}

/// Bursts and common problems, where the archive has them yet: those that last first, then the newest; none that is sixty days older than the newest.
pub(super) async fn signals(client: &Client, limit: u32) -> Result<Vec<SignalRow>, Unavailable> {
    let query = client.query(
        "SELECT ?fields FROM signals FINAL \
         WHERE raised_at > (SELECT max(raised_at) FROM signals) - INTERVAL 60 DAY \
         ORDER BY over_at > fromUnixTimestamp64Milli(0), found_at DESC, signal_id LIMIT {limit:UInt32}",
    );
    all(query.param("limit", limit)).await
}

/// The rows of an answer.
pub(super) async fn all<T: RowOwned + RowRead>(query: Query) -> Result<Vec<T>, Unavailable> {
    within(query.fetch_all()).await
}

async fn within<T>(
    asking: impl Future<Output = Result<T, clickhouse::error::Error>>,
) -> Result<T, Unavailable> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            warn!(error = %without_values(&error), "ClickHouse did not answer the console");
            Err(Unavailable)
        }
        Err(_) => {
            warn!(
                seconds = PATIENCE.as_secs(),
                "ClickHouse did not answer the console in time"
            );
            Err(Unavailable)
        }
    }
}

/// The server's text may repeat what was searched for, so only its code is logged.
fn without_values(error: &clickhouse::error::Error) -> String {
    match error {
        clickhouse::error::Error::BadResponse(text) => {
            format!(
                "refused: {}",
                text.split('.')
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(40)
                    .collect::<String>()
            )
        }
        error => told(error),
    }
}
