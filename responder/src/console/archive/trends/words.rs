//! Posts with some words by day.

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};

use super::super::search::{AT, NAMED, Words, holds, is_pair, may_hold};
use super::super::{Unavailable, all, within};
use super::{Scope, date_of, number};
use crate::trend::{Counts, Day, Period};

/// Times of candidates that are looked up, at most.
const LOOKED_UP: u64 = 50;

const TIME: &str = "published_at >= toDateTime64({first:Int32} * 86400 - 28800, 3, 'UTC') \
    AND published_at < toDateTime64(({last:Int32} + 1) * 86400 - 28800, 3, 'UTC')";
const OF_SCOPE: &str = "relevant AND ({region:String} = '' OR region = {region:String}) \
    AND ({subject:String} = '' OR subject = {subject:String}) \
    AND ({source:String} = '' OR source = {source:String}) \
    AND ({place:String} = '' OR has(places, {place:String}))";
const DAY: &str = "toInt32(intDiv(toUnixTimestamp(published_at) + 28800, 86400))";

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
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct LookedUp {
    pub(crate) posts: u64,
    pub(crate) whole: u64,
}

/// Posts of a day.
#[derive(Debug, Clone, Copy)]
struct OfDay {
    day: i32,
    posts: u64,
    negative: u64,
    positive: u64,
}

/// The same as the archive writes it, in that order.
type Counted = (i32, u64, u64, u64);

impl From<Counted> for OfDay {
    fn from((day, posts, negative, positive): Counted) -> Self {
        Self {
            day,
            posts,
            negative,
            positive,
        }
    }
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
    let (days, sample) = asked.by_index().await?;
    if asked.is_indexed_whole() || sample.is_empty() {
        return Ok(Worded::exactly(&days));
    }
    let (candidates, whole) = asked.by_text(&sample).await?;
    if candidates == posts(&days) {
        return Ok(Worded::exactly(&whole));
    }
    let looked_up = LookedUp {
        posts: candidates,
        whole: posts(&whole),
    };
    Ok(Worded {
        days: by_day(&estimated(&days, looked_up)),
        estimated: Some(looked_up),
    })
}

/// What a post says, for a line of it to be quoted.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Said {
    pub(crate) appeal: String,
    pub(crate) text: String,
}

/// Where a post stands in the archive: when it was published, in milliseconds, and its name.
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
         PREWHERE {AT} AND {NAMED} WHERE {OF_SCOPE}{} ORDER BY published_at {order}, post_id",
        asked.hold()
    );
    let times: Vec<i64> = keys.iter().map(|key| key.at).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    all(asked.put(&sql).param("times", times).param("ids", ids)).await
}

impl Worded {
    fn exactly(days: &[OfDay]) -> Self {
        Self {
            days: by_day(days),
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
    /// Whether the index tells exactly which posts are asked for.
    fn is_indexed_whole(&self) -> bool {
        let Words { wanted, unwanted } = &self.words;
        wanted.iter().chain(unwanted).all(|word| is_pair(word))
    }

    /// The candidates by day, and the times of those that are looked up: times with the least hashes, for these have nothing to do with
    /// what a post says. They are read anyway; names of posts take as long again.
    async fn by_index(&self) -> Result<(Vec<OfDay>, Vec<i64>), Unavailable> {
        #[derive(Row, Deserialize)]
        struct Candidates {
            days: Vec<Counted>,
            sample: Vec<i64>,
        }
        // Of what is estimated, a post whose newest version lost the words may be counted until versions are merged.
        let exact = u8::from(self.is_indexed_whole());
        let sql = format!(
            "SELECT arraySort(groupArray((day, posts, negative, positive))) AS days, \
                arrayMap(one -> one.2, arraySlice(arraySort(arrayFlatten(groupArray(least))), 1, {LOOKED_UP})) AS sample \
             FROM (SELECT {DAY} AS day, count() AS posts, countIf(sentiment = 'negative') AS negative, \
                    countIf(sentiment = 'positive') AS positive, \
                    groupArraySorted({LOOKED_UP})((cityHash64(published_at), toUnixTimestamp64Milli(published_at))) AS least \
                FROM assessments FINAL WHERE {TIME} AND {OF_SCOPE}{} GROUP BY day) \
             SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = {exact}",
            self.may_hold()
        );
        let Candidates { days, sample } = within(self.put(&sql).fetch_one()).await?;
        let days = days.into_iter().map(OfDay::from).collect();
        Ok((days, sample))
    }

    /// How many candidates are of some times, and by day those that hold the words. Only their texts are read.
    async fn by_text(&self, times: &[i64]) -> Result<(u64, Vec<OfDay>), Unavailable> {
        #[derive(Row, Deserialize)]
        struct Found {
            candidates: u64,
            days: Vec<Counted>,
        }
        let sql = format!(
            "SELECT sum(candidates) AS candidates, arraySort(groupArray((day, posts, negative, positive))) AS days \
             FROM (SELECT {DAY} AS day, count() AS candidates, countIf(whole) AS posts, \
                    countIf(whole AND sentiment = 'negative') AS negative, countIf(whole AND sentiment = 'positive') AS positive \
                FROM (SELECT published_at, sentiment, true{} AS whole FROM assessments FINAL PREWHERE {AT} WHERE {TIME} AND {OF_SCOPE}{}) \
                GROUP BY day)",
            self.hold(),
            self.may_hold()
        );
        let query = self.put(&sql).param("times", times);
        let Found { candidates, days } = within(query.fetch_one()).await?;
        Ok((candidates, days.into_iter().map(OfDay::from).collect()))
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
fn estimated(days: &[OfDay], looked_up: LookedUp) -> Vec<OfDay> {
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
    (days.iter())
        .map(|of| OfDay {
            day: of.day,
            posts: part(0, of.posts),
            negative: part(1, of.negative),
            positive: part(2, of.positive),
        })
        .collect()
}

fn posts(days: &[OfDay]) -> u64 {
    days.iter().map(|of| of.posts).sum()
}

fn by_day(days: &[OfDay]) -> Vec<Day> {
    (days.iter())
        .filter_map(|of| {
            let mut day = Day::empty(date_of(of.day)?);
            day.all = Counts {
                posts: of.posts,
                negative: of.negative,
                positive: of.positive,
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
        let days: Vec<OfDay> = (0..100)
            .map(|day| OfDay {
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
        let days = estimated(&days, looked_up);
        let sum = |of: fn(&OfDay) -> u64| days.iter().map(of).sum::<u64>();
        assert_eq!(
            [
                sum(|of| of.posts),
                sum(|of| of.negative),
                sum(|of| of.positive)
            ],
            [30, 0, 3]
        );
    }
}
