//! Finds posts, the newest first. The index of words (`pairs`, migration 5) tells at once which rows hold all pairs of
//! neighbouring characters of a word, in whatever version of the post; so candidates come from the index, and only as
//! many of them as a page needs are looked at: whether the post as it is now is what was asked for.

mod export;
mod facets;
mod words;

use backbone::clickhouse::rows::AssessmentRow;
use clickhouse::query::Query;
use clickhouse::{Client, Row};
use serde::Deserialize;

pub(in crate::console) use export::{Exported, Exporting, MOST_EXPORTED};
pub(in crate::console) use facets::{Facets, MOST_OVER_ALL, Over, facets};
pub(in crate::console) use words::Words;
use words::is_indexed;
pub(super) use words::{holds, is_pair, may_hold};

use super::{Filter, LATELY, Unavailable, all, within};

/// Posts counted; beyond, there are "more than" so many.
const MOST_COUNTED: u64 = 10_000;
/// Candidates looked at before it is said that there are no more.
const MOST_CANDIDATES: usize = 20_000;
/// Characters of a text that a list begins with.
const BEGINNING: u32 = 300;
/// Characters of a text in which a list looks for the words found.
const SEARCHED: u32 = 20_000;

/// How many posts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// So many.
    Exactly(u64),
    /// So many by the index, of which some may be otherwise.
    About(u64),
    /// That many at least.
    MoreThan(u64),
}

/// Where a post stands in the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row, Deserialize)]
struct Key {
    published_at: i64,
    post_id: String,
    region: String,
}

/// The posts asked for in some regions, the newest first, with as much of their texts as a list shows, and how many there
/// are.
pub(in crate::console) async fn posts(
    client: &Client,
    regions: &[&str],
    filter: &Filter,
) -> Result<(Vec<AssessmentRow>, Total), Unavailable> {
    let length = if filter.text.is_empty() {
        BEGINNING
    } else {
        SEARCHED
    };
    posts_with_texts(client, regions, filter, length).await
}

/// The same, with so many characters of their texts.
pub(crate) async fn posts_with_texts(
    client: &Client,
    regions: &[&str],
    filter: &Filter,
    length: u32,
) -> Result<(Vec<AssessmentRow>, Total), Unavailable> {
    let search = Search::new(client, regions, filter);
    let from = filter.offset as usize;
    let to = from + filter.limit as usize;
    // Of a page that lies too deep nothing is given, but for how many there are.
    let reach = if from < MOST_CANDIDATES {
        to
    } else {
        filter.limit as usize
    };
    // Some are otherwise now, or hold a word's pairs apart.
    let mut most = (reach + reach / 2 + 20).min(MOST_CANDIDATES);
    let looking = async {
        loop {
            let mut candidates = search.candidates(most).await?;
            let exhausted = candidates.len() < most;
            // A row written twice, or a post assessed again, is one candidate.
            candidates.dedup();
            let found = search.as_they_are_now(&candidates).await?;
            if exhausted || found.len() >= reach || most >= MOST_CANDIDATES {
                return Ok((found, candidates.len(), exhausted));
            }
            most = (most * 5).min(MOST_CANDIDATES);
        }
    };
    let ((found, looked_at, exhausted), by_index) =
        tokio::try_join!(looking, search.count_by_index(MOST_COUNTED))?;
    let total = if exhausted {
        Total::Exactly(found.len() as u64)
    } else {
        search.total(by_index, found.len(), looked_at)
    };
    let page = found.get(from..to.min(found.len())).unwrap_or_default();
    Ok((search.rows(page, length).await?, total))
}

/// How many posts asked for were collected after a time, of those published in the week before it and since. More than
/// `most` are not counted.
pub(in crate::console) async fn count_new(
    client: &Client,
    regions: &[&str],
    filter: &Filter,
    since: i64,
    most: u64,
) -> Result<u64, Unavailable> {
    let search = Search::new(client, regions, filter);
    let mut total = 0;
    for region in regions {
        let sql = format!(
            "SELECT uniqExact(post_id) FROM (SELECT post_id FROM assessments WHERE {} AND {} \
             AND published_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') - INTERVAL 7 DAY \
             AND collected_at > fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') LIMIT {most})",
            search.conditions(Exactness::ByIndex),
            search.conditions(Exactness::ByText)
        );
        let query = search.put(client.query(&sql)).param("region", region);
        total += within(query.param("since", since).fetch_one::<u64>()).await?;
    }
    Ok(total.min(most))
}

struct Search<'a> {
    client: &'a Client,
    regions: &'a [&'a str],
    filter: &'a Filter,
    words: Words,
}

impl<'a> Search<'a> {
    fn new(client: &'a Client, regions: &'a [&'a str], filter: &'a Filter) -> Self {
        Self {
            client,
            regions,
            filter,
            words: Words::read(&filter.text),
        }
    }

    /// The newest rows of each region that may be asked for, whatever their version. Most searches have a page in what was
    /// published lately, and only those months' indexes are looked at; the others go on to all that is there.
    async fn candidates(&self, most: usize) -> Result<Vec<Key>, Unavailable> {
        let lately = self.candidates_where(self.lately(), most).await?;
        if lately.len() >= most {
            return Ok(lately);
        }
        self.candidates_where("1", most).await
    }

    /// What was published in the last weeks of the time asked for.
    fn lately(&self) -> &'static str {
        match self.filter.to {
            Some(_) => {
                "published_at >= fromUnixTimestamp64Milli({to:Int64}, 'UTC') - INTERVAL 45 DAY"
            }
            None => LATELY,
        }
    }

    async fn candidates_where(&self, time: &str, most: usize) -> Result<Vec<Key>, Unavailable> {
        let mut keys: Vec<Key> = Vec::new();
        for region in self.regions {
            // With the dynamic filter of ClickHouse 26, a search by the index of words takes a hundred times as long and
            // misses rows.
            let sql = format!(
                "SELECT published_at, post_id, region FROM assessments WHERE {time} AND {} \
                 ORDER BY published_at DESC, post_id DESC LIMIT {most} SETTINGS use_top_k_dynamic_filtering = 0",
                self.conditions(Exactness::ByIndex)
            );
            let query = self.put(self.client.query(&sql)).param("region", region);
            keys.extend(all::<Key>(query).await?);
        }
        keys.sort_unstable_by(|one, other| other.cmp(one));
        keys.truncate(most);
        Ok(keys)
    }

    /// Those of the candidates that are what was asked for as they are now, in the same order.
    async fn as_they_are_now(&self, candidates: &[Key]) -> Result<Vec<Key>, Unavailable> {
        let sql = format!(
            "SELECT published_at, post_id, region FROM assessments FINAL PREWHERE region = {{region:String}} AND {AT} AND {NAMED} WHERE {} \
             ORDER BY published_at DESC, post_id DESC",
            self.conditions(Exactness::ByText)
        );
        let mut keys: Vec<Key> = Vec::new();
        for region in self.regions {
            if let Some(query) = among(self.client.query(&sql), region, candidates) {
                keys.extend(all::<Key>(self.put(query)).await?);
            }
        }
        keys.sort_unstable_by(|one, other| other.cmp(one));
        Ok(keys)
    }

    /// How many rows there are by the index; one more than `most` is enough to know.
    async fn count_by_index(&self, most: u64) -> Result<u64, Unavailable> {
        let mut total = 0;
        for region in self.regions {
            let sql = format!(
                "SELECT count() FROM (SELECT 1 FROM assessments WHERE {} LIMIT {})",
                self.conditions(Exactness::ByIndex),
                most + 1
            );
            let query = self.put(self.client.query(&sql)).param("region", region);
            total += within(query.fetch_one::<u64>()).await?;
        }
        Ok(total)
    }

    /// How many there are by the index, less the share of those looked at that were otherwise.
    fn total(&self, by_index: u64, found: usize, looked_at: usize) -> Total {
        let likely = by_index.min(MOST_COUNTED) * found as u64 / (looked_at as u64).max(1);
        let likely = likely.max(found as u64);
        if by_index > MOST_COUNTED || self.has_unindexed() {
            Total::MoreThan(likely)
        } else {
            Total::About(likely)
        }
    }

    /// The posts of a page. What a list does not show is not read.
    async fn rows(&self, keys: &[Key], length: u32) -> Result<Vec<AssessmentRow>, Unavailable> {
        let unread = [
            "relevant_because",
            "subject_because",
            "appeal_because",
            "intensity",
            "units",
            "unit_reasons",
            "keywords",
        ]
        .map(|list| format!("emptyArrayString() AS {list}"))
        .join(", ");
        let sql = format!(
            "SELECT ?fields FROM (SELECT * REPLACE (substringUTF8(text, 1, {length}) AS text, '' AS author, '' AS event_title, \
             '' AS evidence, '' AS second_opinion, {unread}) FROM assessments FINAL PREWHERE region = {{region:String}} AND {AT} AND {NAMED})"
        );
        let mut rows: Vec<AssessmentRow> = Vec::new();
        for region in self.regions {
            if let Some(query) = among(self.client.query(&sql), region, keys) {
                rows.extend(all::<AssessmentRow>(query).await?);
            }
        }
        rows.sort_by(|one, other| {
            (other.published_at, &other.post_id).cmp(&(one.published_at, &one.post_id))
        });
        Ok(rows)
    }

    /// Whether a word is too short for the index.
    fn has_unindexed(&self) -> bool {
        self.words.wanted.iter().any(|word| !is_indexed(word))
    }

    /// What a row has to be like. Values are parameters, see [`Self::put`].
    fn conditions(&self, exactness: Exactness) -> String {
        let filter = self.filter;
        let mut conditions = vec!["region = {region:String}".to_owned()];
        let wanted = [
            (!filter.all, "relevant"),
            (
                filter.from.is_some(),
                "published_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')",
            ),
            (
                filter.to.is_some(),
                "published_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')",
            ),
            (
                !filter.sentiment.is_empty(),
                "sentiment = {sentiment:String}",
            ),
            (!filter.subject.is_empty(), "subject = {subject:String}"),
            (
                !filter.appeal.is_empty(),
                "has(splitByString('、', {appeal:String}), appeal)",
            ),
            (!filter.place.is_empty(), "has(places, {place:String})"),
            (!filter.unit.is_empty(), "has(units, {unit:String})"),
            (!filter.source.is_empty(), "source = {source:String}"),
            (!filter.kind.is_empty(), "kind = {kind:String}"),
            (filter.level != 0, OF_LEVEL),
        ];
        conditions.extend(
            wanted
                .into_iter()
                .filter(|(is_wanted, _)| *is_wanted)
                .map(|(_, condition)| condition.to_owned()),
        );
        for (at, word) in self.words.wanted.iter().enumerate() {
            let parameter = format!("wanted_{at}");
            conditions.extend(match exactness {
                Exactness::ByIndex => may_hold(word, &parameter),
                Exactness::ByText => Some(holds(&parameter)),
            });
        }
        if exactness == Exactness::ByText {
            let unwanted = 0..self.words.unwanted.len();
            conditions
                .extend(unwanted.map(|at| format!("NOT ({})", holds(&format!("unwanted_{at}")))));
        }
        conditions.join(" AND ")
    }

    fn put(&self, query: Query) -> Query {
        let lists = [
            ("wanted", &self.words.wanted),
            ("unwanted", &self.words.unwanted),
        ];
        let mut query = self.filter.put(query);
        for (name, words) in lists {
            for (at, word) in words.iter().enumerate() {
                query = query.param(&format!("{name}_{at}"), word);
            }
        }
        query
    }
}

/// Posts of events whose alerts reached a level and none graver.
const OF_LEVEL: &str = "event_id IN (SELECT event_id FROM alerts WHERE region = {region:String} \
    GROUP BY event_id HAVING min(level) = {level:UInt8})";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exactness {
    ByIndex,
    ByText,
}

/// Rows of some keys: the times lead to them, for within a region they stand in the order of the table. Asked for by `PREWHERE`,
/// which is safe for what is in the key, so that nothing else is read, or worked out, of the rows beside them.
pub(super) const AT: &str =
    "published_at IN (SELECT fromUnixTimestamp64Milli(arrayJoin({times:Array(Int64)}), 'UTC'))";
/// Which of the rows of those times.
pub(super) const NAMED: &str = "post_id IN {ids:Array(String)}";

/// Asks for those of the keys that are of a region, where there are any.
fn among(query: Query, region: &str, keys: &[Key]) -> Option<Query> {
    let mut times = Vec::new();
    let mut ids = Vec::new();
    for key in keys.iter().filter(|key| key.region == region) {
        times.push(key.published_at);
        ids.push(key.post_id.as_str());
    }
    (!ids.is_empty()).then(|| {
        query
            .param("region", region)
            .param("times", times)
            .param("ids", ids)
    })
}
