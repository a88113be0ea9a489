//! Posts by day of China's time, from those that the archiver keeps by hour. A year of them is a lot to count, and days that
//! are over hardly change: each is counted once, and again when one of its hours was.

mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clickhouse::{Client, Row};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::Deserialize;
use tokio::sync::Mutex;

pub(crate) use self::words::{LookedUp, Said, said, with_words};
use super::{Unavailable, all, within};
use crate::trend::{Aspect, Counts, Day, Period};

/// Selections of which days are remembered; a day of one is a few kilobytes.
const MOST_SCOPES: usize = 12;
/// Days remembered of one.
const MOST_DAYS: usize = 1_500;
/// The day that days are numbered from.
const FIRST: Date = date(1970, 1, 1);

/// Which posts that concern the region are counted; all where empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) region: String,
    pub(crate) subject: String,
    pub(crate) place: String,
    pub(crate) source: String,
}

/// The days that were counted, as far as they are remembered. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Days(Arc<Mutex<Vec<Remembered>>>);

/// Days of a selection, the one used last at the end.
#[derive(Debug)]
struct Remembered {
    scope: Scope,
    days: BTreeMap<i32, (Stand, Arc<Day>)>,
}

/// How a day's hours stood when it was counted: how many there were, and when the last of them was counted.
type Stand = (u64, i64);

#[derive(Debug, Row, Deserialize)]
struct Standing {
    day: i32,
    hours: u64,
    counted: i64,
}

#[derive(Debug, Row, Deserialize)]
struct Counted {
    aspect: u8,
    day: i32,
    name: String,
    posts: u64,
    negative: u64,
    positive: u64,
}

/// The first and the last day that have posts, the last not after a day.
#[derive(Debug, Clone, Copy, Row, Deserialize)]
struct Covered {
    first: i32,
    last: i32,
    posts: u64,
}

/// The day of an hour, in days since 1970: China is eight hours ahead.
const DAY: &str = "toInt32(intDiv(toUnixTimestamp(hour) + 28800, 86400))";

impl Days {
    /// The days of some periods that have posts, in order.
    pub(crate) async fn read(
        &self,
        client: &Client,
        scope: &Scope,
        periods: &[Period],
    ) -> Result<Vec<Arc<Day>>, Unavailable> {
        let asked: BTreeSet<i32> = periods
            .iter()
            .flat_map(|period| number(period.from)..=number(period.to))
            .collect();
        let (Some(first), Some(last)) = (asked.first(), asked.last()) else {
            return Ok(Vec::new());
        };
        let standing = client.query(&format!(
            "SELECT {DAY} AS day, count() AS hours, toInt64(toUnixTimestamp64Milli(max(counted_at))) AS counted \
             FROM post_hours WHERE {WITHIN} GROUP BY day"
        ));
        let standing =
            (standing.param("first", first).param("last", last)).param("region", &scope.region);
        let standing: BTreeMap<i32, Stand> = (all::<Standing>(standing).await?.into_iter())
            .filter(|row| asked.contains(&row.day))
            .map(|row| (row.day, (row.hours, row.counted)))
            .collect();
        let mut found = self.known(scope, &standing).await;
        let missing: Vec<i32> = (standing.keys().copied())
            .filter(|day| !found.contains_key(day))
            .collect();
        if !missing.is_empty() {
            let counted = count(client, scope, &missing).await?;
            self.remember(scope, &standing, &counted).await;
            found.extend(counted);
        }
        Ok(found.into_values().collect())
    }

    async fn known(
        &self,
        scope: &Scope,
        standing: &BTreeMap<i32, Stand>,
    ) -> BTreeMap<i32, Arc<Day>> {
        let mut scopes = self.0.lock().await;
        let Some(at) = scopes.iter().position(|known| known.scope == *scope) else {
            return BTreeMap::new();
        };
        let known = scopes.remove(at);
        let days = standing
            .iter()
            .filter_map(|(day, stand)| {
                let (counted, of) = known.days.get(day)?;
                (counted == stand).then(|| (*day, Arc::clone(of)))
            })
            .collect();
        scopes.push(known);
        days
    }

    async fn remember(
        &self,
        scope: &Scope,
        standing: &BTreeMap<i32, Stand>,
        counted: &BTreeMap<i32, Arc<Day>>,
    ) {
        let mut scopes = self.0.lock().await;
        let at = scopes.iter().position(|known| known.scope == *scope);
        let mut known = match at {
            Some(at) => scopes.remove(at),
            None => Remembered {
                scope: scope.clone(),
                days: BTreeMap::new(),
            },
        };
        for (day, of) in counted {
            if let Some(stand) = standing.get(day) {
                known.days.insert(*day, (*stand, Arc::clone(of)));
            }
        }
        while known.days.len() > MOST_DAYS {
            known.days.pop_first();
        }
        scopes.push(known);
        if scopes.len() > MOST_SCOPES {
            scopes.remove(0);
        }
    }
}

/// The hours of some days.
const WITHIN: &str = "({region:String} = '' OR region = {region:String}) AND hour >= toDateTime({first:Int32} * 86400 - 28800, 'UTC') \
    AND hour < toDateTime(({last:Int32} + 1) * 86400 - 28800, 'UTC')";

/// Counts days anew. A post is in a cell without a place, and in one for each of its places.
async fn count(
    client: &Client,
    scope: &Scope,
    days: &[i32],
) -> Result<BTreeMap<i32, Arc<Day>>, Unavailable> {
    let query = client.query(&format!(
        "SELECT toUInt8(multiIf(grouping(subject) = 0, 1, grouping(source) = 0, 2, grouping(appeal) = 0, 3, \
            grouping(named) = 0, 4, 0)) AS aspect, \
            day, toString(multiIf(aspect = 1, subject, aspect = 2, source, aspect = 3, appeal, aspect = 4, named, '')) AS name, \
            if(aspect = 4, sum(cell), sumIf(cell, counts)) AS posts, \
            if(aspect = 4, sumIf(cell, sentiment = 'negative'), sumIf(cell, counts AND sentiment = 'negative')) AS negative, \
            if(aspect = 4, sumIf(cell, sentiment = 'positive'), sumIf(cell, counts AND sentiment = 'positive')) AS positive \
         FROM (SELECT {DAY} AS day, cell_place AS named, cell_place = {{place:String}} AS counts, subject, source, appeal, \
            sentiment, cell \
            FROM post_hours FINAL ARRAY JOIN cells.place AS cell_place, cells.subject AS subject, cells.source AS source, \
                cells.appeal AS appeal, cells.sentiment AS sentiment, cells.relevant AS relevant, cells.posts AS cell \
            WHERE {WITHIN} AND has({{days:Array(Int32)}}, day) AND relevant \
                AND ({{subject:String}} = '' OR subject = {{subject:String}}) \
                AND ({{source:String}} = '' OR source = {{source:String}}) \
                AND ({{place:String}} = '' OR cell_place = {{place:String}})) \
         GROUP BY GROUPING SETS ((day), (day, subject), (day, source), (day, appeal), (day, named)) \
         HAVING posts > 0 AND (aspect = 0 OR name != '')"
    ));
    let query = query
        .param("first", days.iter().min().copied().unwrap_or_default())
        .param("last", days.iter().max().copied().unwrap_or_default())
        .param("days", days)
        .param("region", &scope.region)
        .param("subject", &scope.subject)
        .param("source", &scope.source)
        .param("place", &scope.place);
    let mut counted: BTreeMap<i32, Day> = days
        .iter()
        .filter_map(|day| Some((*day, Day::empty(date_of(*day)?))))
        .collect();
    for row in all::<Counted>(query).await? {
        let Some(day) = counted.get_mut(&row.day) else {
            continue;
        };
        let counts = Counts {
            posts: row.posts,
            negative: row.negative,
            positive: row.positive,
        };
        let aspect = match row.aspect {
            1 => Aspect::Subject,
            2 => Aspect::Source,
            3 => Aspect::Appeal,
            4 => Aspect::Place,
            _ => {
                day.all = counts;
                continue;
            }
        };
        (day.by.entry(aspect).or_default()).insert(row.name, counts);
    }
    Ok((counted.into_iter())
        .map(|(number, day)| (number, Arc::new(day)))
        .collect())
}

/// The days from the first to the last that have posts; what is dated after `today` is not counted. None where there are none.
/// Of one region, or of all where none is named.
pub(crate) async fn covered(
    client: &Client,
    region: &str,
    today: Date,
) -> Result<Option<Period>, Unavailable> {
    let query = client.query(&format!(
        "SELECT min({DAY}) AS first, max({DAY}) AS last, count() AS posts FROM post_hours \
         WHERE hour < toDateTime(({{today:Int32}} + 1) * 86400 - 28800, 'UTC') \
         AND ({{region:String}} = '' OR region = {{region:String}})"
    ));
    let query = query.param("today", number(today)).param("region", region);
    let covered: Covered = within(query.fetch_one()).await?;
    Ok(date_of(covered.first)
        .zip(date_of(covered.last))
        .filter(|_| covered.posts > 0)
        .map(|(from, to)| Period { from, to }))
}

pub(super) fn number(day: Date) -> i32 {
    FIRST.until(day).map_or(0, |span| span.get_days())
}

/// The day of a number of days since 1970; none beyond the end of time.
pub(crate) fn date_of(day: i32) -> Option<Date> {
    FIRST.checked_add(i64::from(day).days()).ok()
}
