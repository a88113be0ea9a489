//! Counts posts by hour for charts. The rows that come mark their hours (migration 7); marked hours are counted anew over
//! the table as it is, without what was replaced. So neither a batch that is written twice nor a post that is assessed
//! again counts twice, and it does not matter what comes first.

use std::time::Duration;

use clickhouse::error::Error;
use clickhouse::{Client, Row};
use serde::Deserialize;
use tokio::time::Instant;

/// Time between two counts while posts come in.
const PAUSE: Duration = Duration::from_secs(2);
/// Time between two counts while a backlog or a flood is written: it would be counted again and again.
const PAUSE_IN_FLOOD: Duration = Duration::from_secs(30);
/// Rows of a batch from which on there is one.
const FLOOD: usize = 2_000;
/// Wait after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(15);
/// Longest that another archiver's rows may be under way: they mark their hours when they are written, and are there
/// only afterwards. An hour that was counted in between is counted once more after this time.
const UNDER_WAY_SECONDS: u32 = 60;

/// When hours are counted next, and how.
#[derive(Debug)]
pub(super) struct Hours {
    client: Client,
    /// Nothing is to be counted while there is none.
    due: Option<Instant>,
    counted: Option<Instant>,
}

/// Hours of a region that are to be counted, in seconds since 1970.
#[derive(Debug, Row, Deserialize)]
struct Marked {
    region: String,
    hours: Vec<u32>,
    now: i64,
}

impl Hours {
    /// What an archiver before this one left is counted first.
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            due: Some(Instant::now()),
            counted: None,
        }
    }

    /// So many rows were written.
    pub(super) fn touched(&mut self, rows: usize, now: Instant) {
        let pause = if rows < FLOOD { PAUSE } else { PAUSE_IN_FLOOD };
        let next = self.counted.map_or(now, |counted| counted + pause);
        self.due = Some(match self.due {
            // What was due sooner waits for the flood, too, but not longer because more of it comes.
            Some(due) if rows < FLOOD => due.min(next),
            _ => next,
        });
    }

    /// Counts some of the marked hours when it is time to.
    ///
    /// # Errors
    /// When ClickHouse does not answer; they are counted later.
    pub(super) async fn count_when_due(&mut self, now: Instant) -> Result<(), Error> {
        if self.due.is_none_or(|due| now < due) {
            return Ok(());
        }
        self.due = Some(now + PAUSE_AFTER_FAILURE);
        let more = count_some(&self.client).await?;
        self.counted = Some(now);
        self.due = match more {
            Left::Marked => Some(now),
            Left::UnderWay => Some(now + Duration::from_secs(UNDER_WAY_SECONDS.into()) / 4),
            Left::Nothing => None,
        };
        Ok(())
    }
}

/// What is left to be counted.
enum Left {
    Marked,
    /// Only hours that will be counted once more.
    UnderWay,
    Nothing,
}

/// The first 400 hours of the first region that has any which were marked after they were counted, or so shortly before that they are
/// counted once more.
const MARKED: &str = "SELECT region, groupArray(400)(toUnixTimestamp(hour)) AS hours, \
    toUnixTimestamp64Milli(now64(3)) AS now \
    FROM (SELECT region, hour, max(touched_at) AS touched, max(counted_at) AS counted FROM hour_marks \
        GROUP BY region, hour \
        HAVING touched >= counted OR (touched + toIntervalSecond({under_way:UInt32}) >= counted \
            AND now64(3) > counted + toIntervalSecond({under_way:UInt32})) \
        ORDER BY region, hour) \
    GROUP BY region ORDER BY region LIMIT 1";

const COUNT: &str = "INSERT INTO post_hours \
    SELECT region, hour, fromUnixTimestamp64Milli({now:Int64}), \
        groupArray((place, source, kind, subject, appeal, sentiment, level, relevant, posts)) \
    FROM (SELECT region, toDateTime(toStartOfHour(published_at), 'UTC') AS hour, \
            arrayJoin(arrayConcat([''], arrayDistinct(places))) AS place, \
            source, kind, subject, appeal, sentiment, event_level AS level, relevant, toUInt32(count()) AS posts \
        FROM assessments FINAL \
        WHERE region = {region:String} AND published_at >= fromUnixTimestamp64Milli({from:Int64}) \
            AND published_at < fromUnixTimestamp64Milli({to:Int64}) \
            AND toUnixTimestamp(toStartOfHour(published_at)) IN {hours:Array(UInt32)} \
        GROUP BY region, hour, place, source, kind, subject, appeal, sentiment, level, relevant) \
    GROUP BY region, hour";

const COUNTED: &str = "INSERT INTO hour_marks (region, hour, counted_at) \
    SELECT {region:String}, toDateTime(arrayJoin({hours:Array(UInt32)}), 'UTC'), \
        fromUnixTimestamp64Milli({now:Int64})";

const UNDER_WAY: &str = "SELECT count() FROM \
    (SELECT max(touched_at) AS touched, max(counted_at) AS counted FROM hour_marks GROUP BY region, hour \
    HAVING touched + toIntervalSecond({under_way:UInt32}) >= counted)";

async fn count_some(client: &Client) -> Result<Left, Error> {
    let marked: Option<Marked> = client
        .query(MARKED)
        .param("under_way", UNDER_WAY_SECONDS)
        .fetch_optional()
        .await?;
    let Some(Marked { region, hours, now }) = marked else {
        let query = client
            .query(UNDER_WAY)
            .param("under_way", UNDER_WAY_SECONDS);
        let under_way: u64 = query.fetch_one().await?;
        return Ok(match under_way {
            0 => Left::Nothing,
            _ => Left::UnderWay,
        });
    };
    let (first, last) = (
        hours.first().copied().unwrap_or_default(),
        hours.last().copied().unwrap_or_default(),
    );
    // The time of the count is that before it began: rows that come meanwhile mark the hour again.
    client
        .query(COUNT)
        .param("region", &region)
        .param("from", i64::from(first) * 1_000)
        .param("to", (i64::from(last) + 3_600) * 1_000)
        .param("hours", &hours)
        .param("now", now)
        .execute()
        .await?;
    client
        .query(COUNTED)
        .param("region", &region)
        .param("hours", &hours)
        .param("now", now)
        .execute()
        .await?;
    Ok(Left::Marked)
}
