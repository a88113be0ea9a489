//! The posts of a search for a file: the newest first, a few hundred at a time, with what an office needs of them. Who
//! wrote them is not among it.

use std::collections::BTreeMap;

use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{AT, Exactness, Filter, Key, MOST_CANDIDATES, NAMED, Search, Unavailable, all, among};

/// Most posts of a file.
pub(in crate::console) const MOST_EXPORTED: usize = 10_000;
/// Posts read at a time.
const BATCH: usize = 500;

/// A post for a file.
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
pub(in crate::console) struct Exported {
    pub(in crate::console) published_at: i64,
    pub(in crate::console) post_id: String,
    pub(in crate::console) region: String,
    pub(in crate::console) source: String,
    pub(in crate::console) kind: String,
    pub(in crate::console) title: String,
    /// The first characters of its text, one more than are told.
    pub(in crate::console) beginning: String,
    pub(in crate::console) sentiment: String,
    pub(in crate::console) appeal: String,
    pub(in crate::console) subject: String,
    pub(in crate::console) subject_second: String,
    pub(in crate::console) places: Vec<String>,
    /// Codes of the units responsible, the lead first.
    pub(in crate::console) units: Vec<String>,
    pub(in crate::console) relevant: bool,
    pub(in crate::console) event_id: String,
    pub(in crate::console) event_title: String,
    /// The gravest level that its event reached; 0 for none.
    pub(in crate::console) level: u8,
    /// When its source showed an answer; 0 where it shows none.
    pub(in crate::console) answered_at: i64,
    pub(in crate::console) url: String,
}

/// The posts of a search, read from the newest on.
pub(in crate::console) struct Exporting<'a> {
    search: Search<'a>,
    candidates: Vec<Key>,
    told: usize,
}

impl<'a> Exporting<'a> {
    /// Finds which posts may be asked for in some regions.
    pub(in crate::console) async fn begin(
        client: &'a Client,
        regions: &'a [&'a str],
        filter: &'a Filter,
    ) -> Result<Self, Unavailable> {
        let search = Search::new(client, regions, filter);
        let mut candidates = search.candidates(MOST_CANDIDATES).await?;
        candidates.dedup();
        // The next ones are at the end, to be taken away.
        candidates.reverse();
        Ok(Self {
            search,
            candidates,
            told: 0,
        })
    }

    /// The next posts, each with so many characters of its text; none when all are told, or as many as a file holds.
    pub(in crate::console) async fn next(
        &mut self,
        length: usize,
    ) -> Result<Option<Vec<Exported>>, Unavailable> {
        while self.told < MOST_EXPORTED && !self.candidates.is_empty() {
            let rest = self.candidates.len().saturating_sub(BATCH);
            let keys = self.candidates.split_off(rest);
            let mut rows = self.search.exported(&keys, length).await?;
            rows.truncate(MOST_EXPORTED - self.told);
            self.told += rows.len();
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }
}

/// The gravest level that each of some events reached.
#[derive(Row, Deserialize)]
struct Reached {
    event: String,
    gravest: u8,
}

impl Search<'_> {
    /// Those of the keys that are what was asked for as they are now, the newest first.
    async fn exported(&self, keys: &[Key], length: usize) -> Result<Vec<Exported>, Unavailable> {
        let sql = format!(
            "SELECT published_at, post_id, region, source, kind, title, substringUTF8(text, 1, {length}) AS beginning, sentiment, \
             appeal, subject, subject_second, places, units, relevant, event_id, event_title, toUInt8(0) AS level, answered_at, url \
             FROM assessments FINAL PREWHERE {AT} AND {NAMED} WHERE {}",
            self.conditions(Exactness::ByText)
        );
        let mut rows: Vec<Exported> = Vec::new();
        for region in self.regions {
            if let Some(query) = among(self.client.query(&sql), region, keys) {
                rows.extend(all::<Exported>(self.put(query)).await?);
            }
        }
        rows.sort_by(|one, other| {
            (other.published_at, &other.post_id).cmp(&(one.published_at, &one.post_id))
        });
        let events: Vec<&str> = rows.iter().map(|row| row.event_id.as_str()).collect();
        let reached = self.client.query(
            "SELECT event_id AS event, min(level) AS gravest FROM alerts WHERE event_id IN {events:Array(String)} GROUP BY event_id",
        );
        let reached: BTreeMap<String, u8> = all::<Reached>(reached.param("events", &events))
            .await?
            .into_iter()
            .map(|reached| (reached.event, reached.gravest))
            .collect();
        for row in &mut rows {
            row.level = reached.get(&row.event_id).copied().unwrap_or(0);
        }
        Ok(rows)
    }
}
