//! Posts with some words by day.

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};

use super::super::search::{AMONG, Words, holds, is_pair, may_hold};
use super::super::{Unavailable, all, within};
use super::{Scope, date_of, number};
use crate::trend::{Counts, Day, Period};

/// Candidates that are all looked up; of more, so many.
const LOOKED_UP: u64 = 100;

const TIME: &str = "published_at >= toDateTime64({first:Int32} * 86400 - 28800, 3, 'UTC') \
    AND published_at < toDateTime64(({last:Int32} + 1) * 86400 - 28800, 3, 'UTC')";
const OF_SCOPE: &str = "relevant AND ({region:String} = '' OR region = {region:String}) \
    AND ({subject:String} = '' OR subject = {subject:String}) \
    AND ({source:String} = '' OR source = {source:String}) \
    AND ({place:String} = '' OR has(places, {place:String}))";
const BY_DAY: &str = "toInt32(intDiv(toUnixTimestamp(published_at) + 28800, 86400)) AS day, count() AS posts, \
    countIf(sentiment = 'negative') AS negative, countIf(sentiment = 'positive') AS positive";

/// Posts with the words.
#[derive(Debug, Default)]
pub(crate) struct Worded {
    /// By day, in order.
    pub(crate) days: Vec<Day>,
    /// Where the days are estimated from some that were looked up.
    pub(crate) estimated: Option<LookedUp>,
}

/// Of posts in which all pairs of neighbouring characters of the words occur: how many were looked up, and how many of these
/// hold the words whole.
#[derive(Debug, Clone, Copy, Row, Serialize, Deserialize)]
pub(crate) struct LookedUp {
    pub(crate) posts: u64,
    pub(crate) whole: u64,
}

#[derive(Debug, Clone, Copy, Row, Deserialize)]
struct Found {
    day: i32,
    posts: u64,
    negative: u64,
    positive: u64,
}

/// Posts that hold some words, and not those that are left out, of those that concern the region.
///
/// The index has pairs of characters, so it tells exactly which posts hold words of two. Longer words may stand apart in a
/// post: of a few posts that is looked up, of many a sample is, and the counts by index are taken times its share.
pub(crate) async fn with_words(
    client: &Client,
    text: &str,
    scope: &Scope,
    period: Period,
) -> Result<Worded, Unavailable> {
    let asked = Asked {
        client,
        words: Words::read(text),
        scope,
        period,
    };
    let found = asked.by_index().await?;
    let candidates: u64 = found.iter().map(|row| row.posts).sum();
    let words = &asked.words;
    if (words.wanted.iter().chain(&words.unwanted)).all(|word| is_pair(word)) || candidates == 0 {
        return Ok(Worded::exactly(&found));
    }
    if candidates <= LOOKED_UP {
        return Ok(Worded::exactly(&asked.by_text().await?));
    }
    let looked_up = asked.look_up().await?;
    Ok(Worded {
        days: days(&estimated(&found, looked_up)),
        estimated: Some(looked_up),
    })
}

/// What a post says, for a line of it to be quoted.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Said {
    pub(crate) appeal: String,
    pub(crate) text: String,
}

/// Where a post stands in the archive.
#[derive(Debug, Row, Deserialize)]
struct Key {
    at: i64,
    id: String,
}

/// The beginnings of posts of a region and a period that hold some words, so many of each appeal at most: those that were published last, or,
/// with `first`, those published first. Which they are is found without their texts, and only theirs are read.
pub(crate) async fn said(
    client: &Client,
    text: &str,
    scope: &Scope,
    period: Period,
    first: bool,
    limit: u32,
) -> Result<Vec<Said>, Unavailable> {
    let asked = Asked {
        client,
        words: Words::read(text),
        scope,
        period,
    };
    let order = if first { "" } else { "DESC" };
    let sql = format!(
        "SELECT toUnixTimestamp64Milli(published_at) AS at, post_id AS id FROM assessments FINAL \
         WHERE {TIME} AND {OF_SCOPE}{} AND appeal != '' \
         ORDER BY at {order}, id LIMIT {{limit:UInt32}} BY appeal LIMIT 200 \
         SETTINGS do_not_merge_across_partitions_select_final = 1",
        asked.may_hold()
    );
    let keys: Vec<Key> = all(asked.put(&sql).param("limit", limit)).await?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT toString(assessments.appeal) AS appeal, substringUTF8(assessments.text, 1, 400) AS text FROM assessments FINAL \
         PREWHERE {AMONG} WHERE {OF_SCOPE}{} ORDER BY published_at {order}, post_id",
        asked.hold()
    );
    let times: Vec<i64> = keys.iter().map(|key| key.at).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    all(asked.put(&sql).param("times", times).param("ids", ids)).await
}

impl Worded {
    fn exactly(found: &[Found]) -> Self {
        Self {
            days: days(found),
            estimated: None,
        }
    }
}

struct Asked<'a> {
    client: &'a Client,
    words: Words,
    scope: &'a Scope,
    period: Period,
}

impl Asked<'_> {
    async fn by_index(&self) -> Result<Vec<Found>, Unavailable> {
        let sql = format!(
            "SELECT {BY_DAY} FROM assessments FINAL WHERE {TIME} AND {OF_SCOPE}{} GROUP BY day ORDER BY day \
             SETTINGS do_not_merge_across_partitions_select_final = 1",
            self.may_hold()
        );
        all(self.put(&sql)).await
    }

    /// The index tells which posts may hold the words in any version; whether they do is looked up in the newest.
    async fn by_text(&self) -> Result<Vec<Found>, Unavailable> {
        let may_hold = self.may_hold();
        let sql = format!(
            "SELECT {BY_DAY} FROM assessments FINAL \
             PREWHERE {TIME} AND published_at IN (SELECT published_at FROM assessments WHERE {TIME}{may_hold}) \
                AND post_id IN (SELECT post_id FROM assessments WHERE {TIME}{may_hold}) \
             WHERE {OF_SCOPE}{} GROUP BY day ORDER BY day \
             SETTINGS do_not_merge_across_partitions_select_final = 1",
            self.hold()
        );
        all(self.put(&sql)).await
    }

    /// Looks up some, whichever their versions: those with the least hashes. Which they are is found without their texts, and only
    /// theirs are read.
    async fn look_up(&self) -> Result<LookedUp, Unavailable> {
        let sql = format!(
            "SELECT count() AS posts, countIf(true{}) AS whole FROM assessments \
             PREWHERE (published_at, post_id) IN (SELECT published_at, post_id FROM assessments \
                WHERE {TIME} AND {OF_SCOPE}{} ORDER BY cityHash64(post_id) LIMIT {LOOKED_UP}) \
             WHERE {TIME}",
            self.hold(),
            self.may_hold()
        );
        within(self.put(&sql).fetch_one()).await
    }

    fn may_hold(&self) -> String {
        let wanted = self.named("wanted", &self.words.wanted);
        let unwanted = self.named("unwanted", &self.words.unwanted);
        // A longer word that is left out may stand apart: only of a pair the index tells that it is there.
        let not_held = unwanted
            .filter(|(word, _)| is_pair(word))
            .filter_map(|(word, parameter)| may_hold(word, &parameter))
            .map(|condition| format!("NOT {condition}"));
        wanted
            .filter_map(|(word, parameter)| may_hold(word, &parameter))
            .chain(not_held)
            .map(|condition| format!(" AND {condition}"))
            .collect()
    }

    fn hold(&self) -> String {
        let wanted = self.named("wanted", &self.words.wanted);
        let unwanted = self.named("unwanted", &self.words.unwanted);
        let held = wanted.map(|(_, parameter)| holds(&parameter));
        let not_held = unwanted.map(|(_, parameter)| format!("NOT ({})", holds(&parameter)));
        (held.chain(not_held))
            .map(|condition| format!(" AND {condition}"))
            .collect()
    }

    fn named<'a>(
        &self,
        list: &'a str,
        words: &'a [String],
    ) -> impl Iterator<Item = (&'a String, String)> {
        (words.iter().enumerate()).map(move |(at, word)| (word, format!("{list}_{at}")))
    }

    fn put(&self, sql: &str) -> Query {
        let Scope {
            region,
            subject,
            place,
            source,
        } = self.scope;
        let mut query = (self.client.query(sql))
            .param("first", number(self.period.from))
            .param("last", number(self.period.to))
            .param("region", region)
            .param("subject", subject)
            .param("source", source)
            .param("place", place);
        for (list, words) in [
            ("wanted", &self.words.wanted),
            ("unwanted", &self.words.unwanted),
        ] {
            for (word, parameter) in self.named(list, words) {
                query = query.param(&parameter, word);
            }
        }
        query
    }
}

/// The counts times the share of those looked up that hold the words; rounded so that sums over days are right too.
fn estimated(found: &[Found], looked_up: LookedUp) -> Vec<Found> {
    let share = looked_up.whole as f64 / looked_up.posts.max(1) as f64;
    let mut sums = [0_u64; 3];
    let mut part = |list: usize, count: u64| {
        let Some(sum) = sums.get_mut(list) else {
            return 0;
        };
        let scaled = |sum: u64| (sum as f64 * share).round() as u64;
        let before = scaled(*sum);
        *sum += count;
        scaled(*sum) - before
    };
    (found.iter())
        .map(|row| Found {
            day: row.day,
            posts: part(0, row.posts),
            negative: part(1, row.negative),
            positive: part(2, row.positive),
        })
        .collect()
}

fn days(found: &[Found]) -> Vec<Day> {
    (found.iter())
        .filter_map(|row| {
            let mut day = Day::empty(date_of(row.day)?);
            day.all = Counts {
                posts: row.posts,
                negative: row.negative,
                positive: row.positive,
            };
            Some(day)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_keeps_its_sum_however_small_the_days() {
        let found: Vec<Found> = (0..100)
            .map(|day| Found {
                day,
                posts: 1,
                negative: 0,
                positive: u64::from(day % 10 == 0),
            })
            .collect();
        let looked_up = LookedUp {
            posts: 10,
            whole: 3,
        };
        let found = estimated(&found, looked_up);
        let sum = |of: fn(&Found) -> u64| found.iter().map(of).sum::<u64>();
        assert_eq!(
            [
                sum(|row| row.posts),
                sum(|row| row.negative),
                sum(|row| row.positive)
            ],
            [30, 0, 3]
        );
    }
}
