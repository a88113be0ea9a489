//! What reports ask of a period: its events, what people said of them, where the posts came from and what read them.

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};

use super::trends::number;
use super::{ASKING, Unavailable, all};
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
    Ok((events_named(client, region, period, &ids).await?, total))
}

/// Events by their posts of a period, in the order of their ids; those without posts in it are left out.
pub(crate) async fn events_named(
    client: &Client,
    region: &str,
    period: Period,
    ids: &[&str],
) -> Result<Vec<EventOfPeriod>, Unavailable> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
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
    let query = of_period(query, region, period).param("events", ids);
    let mut events: Vec<EventOfPeriod> = all(query).await?;
    events.sort_by_key(|event| ids.iter().position(|id| *id == event.event));
    Ok(events)
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

/// What the alerts of an event said of it.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Gist {
    pub(crate) event: String,
    pub(crate) gist: String,
}

/// The gists of some events, each as the last alert up to the end of a period has it.
pub(crate) async fn gists(
    client: &Client,
    region: &str,
    period: Period,
    events: &[&str],
) -> Result<Vec<Gist>, Unavailable> {
    let query = client.query(
        "SELECT event_id AS event, argMax(alerts.gist, (raised_at, update)) AS gist FROM alerts FINAL \
         WHERE region = {region:String} AND event_id IN {events:Array(String)} \
            AND raised_at < toDateTime64(({last:Int32} + 1) * 86400 - 28800, 3, 'UTC') GROUP BY event",
    );
    all(of_period(query, region, period).param("events", events)).await
}

/// An event, by when it began.
#[derive(Debug, Clone, Row, Deserialize)]
struct Begun {
    event: String,
}

/// Which of some events have no post before a period.
pub(crate) async fn new_events(
    client: &Client,
    region: &str,
    period: Period,
    events: &[&str],
) -> Result<Vec<String>, Unavailable> {
    let query = client.query(
        "SELECT event_id AS event FROM assessments FINAL WHERE region = {region:String} AND relevant \
            AND event_id IN {events:Array(String)} \
            AND published_at >= toDateTime64(({first:Int32} - 400) * 86400 - 28800, 3, 'UTC') \
            AND published_at < toDateTime64(({last:Int32} + 1) * 86400 - 28800, 3, 'UTC') \
         GROUP BY event HAVING min(published_at) >= toDateTime64({first:Int32} * 86400 - 28800, 3, 'UTC') \
         ORDER BY event SETTINGS do_not_merge_across_partitions_select_final = 1",
    );
    let found: Vec<Begun> = all(of_period(query, region, period).param("events", events)).await?;
    Ok(found.into_iter().map(|row| row.event).collect())
}

/// A matter of which most posts ask something.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Question {
    pub(crate) event: String,
    pub(crate) title: String,
    pub(crate) posts: u64,
    pub(crate) voices: u64,
    /// Its first-level subject; may be empty.
    pub(crate) about: String,
}

/// The matters of a period of which half of the posts or more ask something (咨询), those with the most posts first.
pub(crate) async fn questions(
    client: &Client,
    region: &str,
    period: Period,
    limit: u32,
) -> Result<Vec<Question>, Unavailable> {
    let query = client.query(&format!(
        "SELECT event_id AS event, argMin(event_title, published_at) AS title, count() AS posts, uniqExact(author) AS voices, \
            arrayElement(topKIf(1)(toString(subject), subject != ''), 1) AS about \
         FROM {OF_PERIOD} AND relevant AND event_id != '' GROUP BY event HAVING countIf(appeal = '咨询') * 2 >= posts \
         ORDER BY posts DESC, event LIMIT {{limit:UInt32}} SETTINGS do_not_merge_across_partitions_select_final = 1"
    ));
    all(of_period(query, region, period).param("limit", limit)).await
}

/// Posts that ask for something, of one subject and place in one week.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Demand {
    pub(crate) subject: String,
    /// Empty where the posts name none.
    pub(crate) place: String,
    /// The day, in days since 1970.
    pub(crate) day: i32,
    pub(crate) posts: u64,
    pub(crate) negative: u64,
}

/// What people asked, complained of or wanted help with in a period, by subject, the place that a post names first, and day.
pub(crate) async fn demands(
    client: &Client,
    region: &str,
    period: Period,
) -> Result<Vec<Demand>, Unavailable> {
    let query = client.query(&format!(
        "SELECT toString(assessments.subject) AS subject, toString(arrayElement(places, 1)) AS place, \
            toInt32(intDiv(toUnixTimestamp(published_at) + 28800, 86400)) AS day, count() AS posts, \
            countIf(sentiment = 'negative') AS negative \
         FROM {OF_PERIOD} AND relevant AND subject != '' AND has(splitByString('、', '{ASKING}'), appeal) \
         GROUP BY subject, place, day ORDER BY subject, place, day SETTINGS do_not_merge_across_partitions_select_final = 1"
    ));
    all(of_period(query, region, period)).await
}

/// A matter that people of a subject and place speak of.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Matter {
    pub(crate) event: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) at_place: String,
    pub(crate) posts: u64,
    pub(crate) voices: u64,
}

/// The matters of a period with the most posts that ask, complain or want help, so many of each subject and place.
pub(crate) async fn matters(
    client: &Client,
    region: &str,
    period: Period,
    limit: u32,
) -> Result<Vec<Matter>, Unavailable> {
    let query = client.query(&format!(
        "SELECT event_id AS event, argMin(event_title, published_at) AS title, toString(subject) AS about, \
            toString(arrayElement(places, 1)) AS at_place, count() AS posts, uniqExact(author) AS voices \
         FROM {OF_PERIOD} AND relevant AND event_id != '' AND subject != '' AND has(splitByString('、', '{ASKING}'), appeal) \
         GROUP BY event, about, at_place ORDER BY posts DESC, event, at_place LIMIT {{limit:UInt32}} BY about, at_place \
         LIMIT 2000 SETTINGS do_not_merge_across_partitions_select_final = 1"
    ));
    all(of_period(query, region, period).param("limit", limit)).await
}
