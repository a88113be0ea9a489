//! How many of the posts found there are of each subject, sentiment, place …: of few, of the posts as they are now; of
//! many, by the index; of more than are counted, of the newest.

use std::cmp::Reverse;

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{AT, Exactness, Filter, Key, MOST_COUNTED, NAMED, Search, Unavailable, all, among};

/// Posts that are looked at one by one.
const FEW: u64 = 200;
/// Most posts of which all are counted: they may lie anywhere in the archive, and each is read from there.
pub(in crate::console) const MOST_OVER_ALL: u64 = 1_000;
/// Values of a facet that are told: those with the most posts.
const MOST_VALUES: u32 = 12;

/// How many posts there are of a value.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub(in crate::console) struct Counted {
    /// Name of the filter that chooses the value.
    pub(in crate::console) facet: String,
    pub(in crate::console) value: String,
    pub(in crate::console) posts: u64,
}

/// Which posts were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Over {
    /// All that were found, as they are now.
    All,
    /// All that the index says there are; some may be otherwise.
    AllByIndex,
    /// The newest of the last weeks, by the index.
    Newest,
}

/// The counts of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::console) struct Facets {
    pub(in crate::console) over: Over,
    /// How many posts were counted.
    pub(in crate::console) posts: u64,
    /// The values of each facet, those with the most posts first.
    pub(in crate::console) values: Vec<Counted>,
}

/// Counts the posts asked for in some regions.
pub(in crate::console) async fn facets(
    client: &Client,
    regions: &[&str],
    filter: &Filter,
) -> Result<Facets, Unavailable> {
    let search = Search::new(client, regions, filter);
    let by_index = search.count_by_index(MOST_OVER_ALL).await?;
    if by_index <= FEW {
        let mut candidates = search.candidates(FEW as usize + 1).await?;
        candidates.dedup();
        let found = search.as_they_are_now(&candidates).await?;
        search.count_among(&found).await
    } else if by_index <= MOST_OVER_ALL {
        search.count_all_by_index().await
    } else {
        search.count_newest().await
    }
}

/// Counts posts of each value. A post that is there in several versions is one.
const COUNTED: &str = "SELECT pair.1 AS facet, pair.2 AS value, uniqExact(post_id) AS posts FROM (\
    SELECT post_id, arrayJoin(arrayConcat([('', ''), ('subject', toString(subject)), ('sentiment', toString(sentiment)), \
    ('source', toString(source)), ('appeal', toString(appeal))], \
    arrayMap(place -> ('place', toString(place)), places), arrayMap(unit -> ('unit', toString(unit)), units))) AS pair FROM ";

impl Search<'_> {
    async fn count_among(&self, keys: &[Key]) -> Result<Facets, Unavailable> {
        let sql = counting(&format!("assessments FINAL PREWHERE {AT} AND {NAMED}"));
        let mut values = Vec::new();
        for region in self.regions {
            if let Some(query) = among(self.client.query(&sql), region, keys) {
                values.extend(all::<Counted>(query).await?);
            }
        }
        Ok(Facets::new(Over::All, values))
    }

    async fn count_all_by_index(&self) -> Result<Facets, Unavailable> {
        let rows = format!(
            "(SELECT post_id, subject, sentiment, source, appeal, places, units FROM assessments WHERE {} LIMIT {})",
            self.conditions(Exactness::ByIndex),
            MOST_OVER_ALL + 1
        );
        let values = self.count_rows(&counting(&rows)).await?;
        Ok(Facets::new(Over::AllByIndex, values))
    }

    async fn count_newest(&self) -> Result<Facets, Unavailable> {
        let rows = format!(
            "(SELECT post_id, subject, sentiment, source, appeal, places, units FROM assessments WHERE {} AND {} \
             ORDER BY published_at DESC, post_id DESC LIMIT {MOST_COUNTED})",
            self.lately(),
            self.conditions(Exactness::ByIndex)
        );
        let values = self.count_rows(&counting(&rows)).await?;
        Ok(Facets::new(Over::Newest, values))
    }

    async fn count_rows(&self, sql: &str) -> Result<Vec<Counted>, Unavailable> {
        let mut values = Vec::new();
        for region in self.regions {
            let query: Query = self.put(self.client.query(sql)).param("region", region);
            values.extend(all::<Counted>(query).await?);
        }
        Ok(values)
    }
}

fn counting(rows: &str) -> String {
    format!(
        "{COUNTED}{rows}) GROUP BY pair ORDER BY posts DESC, value LIMIT {MOST_VALUES} BY facet \
         SETTINGS use_top_k_dynamic_filtering = 0"
    )
}

impl Facets {
    /// Puts together what the regions have.
    fn new(over: Over, of_regions: Vec<Counted>) -> Self {
        let mut values: Vec<Counted> = Vec::new();
        for counted in of_regions {
            let known = (values.iter_mut())
                .find(|known| known.facet == counted.facet && known.value == counted.value);
            match known {
                Some(known) => known.posts += counted.posts,
                None => values.push(counted),
            }
        }
        values.sort_by_key(|counted| Reverse(counted.posts));
        let all = values.iter().find(|counted| counted.facet.is_empty());
        Self {
            over,
            posts: all.map_or(0, |all| all.posts),
            // A post may have no subject.
            values: (values.into_iter())
                .filter(|counted| !counted.value.is_empty())
                .collect(),
        }
    }
}
