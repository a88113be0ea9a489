//! Looking through the knowledge base as an account may.

use super::{Entry, Hit, Knowledge, KnowledgeError, Query, Status};
use crate::case::Actor;

/// Most entries that are found by a text.
const MOST_FOUND: usize = 60;

impl Entry {
    /// Whether an account may see it: the office sees all, a unit its own, and of its region what is approved.
    #[must_use]
    pub fn seen_by(&self, actor: &Actor) -> bool {
        let own = self.content.unit == actor.unit || self.status == Status::Approved;
        !actor.role.of_unit() || (self.region == actor.region && own)
    }
}

impl Knowledge {
    /// The entries asked for that an account may see, by subject and question; with a text those most like it, the likest
    /// first, with how much of it they have. `regions` are those served.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(
        &self,
        mut query: Query,
        text: &str,
        regions: impl IntoIterator<Item = &str>,
        actor: &Actor,
    ) -> Result<Vec<(Entry, Option<f64>)>, KnowledgeError> {
        if actor.role.of_unit() {
            if !query.region.is_empty() && query.region != actor.region {
                return Ok(Vec::new());
            }
            query.region.clone_from(&actor.region);
            query.seen_by.clone_from(&actor.unit);
        }
        if text.trim().is_empty() {
            let entries = self.list(&query).await?;
            return Ok(entries.into_iter().map(|entry| (entry, None)).collect());
        }
        let mut hits = Vec::new();
        for region in regions {
            if query.region.is_empty() || query.region == *region {
                hits.extend(self.search(region, text, query.status, MOST_FOUND).await?);
            }
        }
        let of = |wanted: &str, has: &str| wanted.is_empty() || wanted == has;
        hits.retain(|Hit { entry, .. }| {
            entry.seen_by(actor)
                && of(&query.subject, &entry.content.subject)
                && of(&query.unit, &entry.content.unit)
        });
        hits.sort_by(|one, other| other.score.total_cmp(&one.score));
        Ok((hits.into_iter())
            .skip(query.offset as usize)
            .take(query.limit as usize)
            .map(|hit| (hit.entry, Some(hit.score)))
            .collect())
    }
}
