//! Searches that people keep under a name: each account has its own, and sees how much is new since it opened one.

use backbone::id;
use jiff::Timestamp;
use thiserror::Error;

use crate::case::StoreError;
use crate::store::Store;

/// Longest name, in characters.
pub const LONGEST_NAME: usize = 30;
/// Most searches of an account.
pub const MOST_SAVED: u32 = 20;
/// Longest list of filters, in bytes as an address has them.
const LONGEST_QUERY: usize = 4_000;

/// A search that is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SavedSearch {
    /// What it is called in addresses.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Its filters, as an address has them.
    pub query: String,
    /// When it was last opened, in milliseconds since 1970.
    pub opened_at: i64,
}

/// A search was not kept. The text is for its owner.
#[derive(Debug, Error)]
pub enum SavedSearchError {
    /// It has no name, or too long a one.
    #[error("请填写名称，不超过{LONGEST_NAME}字")]
    Name,
    /// Nothing is looked for, or far too much.
    #[error("请先设定检索条件再保存")]
    Query,
    /// The account has as many as it may have.
    #[error("已保存{MOST_SAVED}个检索，请先删除不用的")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SavedSearchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The saved searches of a store.
#[derive(Debug, Clone)]
pub struct SavedSearches {
    store: Store,
}

impl SavedSearches {
    /// The saved searches of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a search; one of the same name has these filters from now on.
    ///
    /// # Errors
    /// When the name or the filters will not do, the account has too many, or the store fails; nothing is changed then.
    pub async fn keep(
        &self,
        account: &str,
        name: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<(), SavedSearchError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(SavedSearchError::Name);
        }
        if query.is_empty() || query.len() > LONGEST_QUERY {
            return Err(SavedSearchError::Query);
        }
        let kept = sqlx::query(
            "INSERT INTO saved_searches (id, account, name, query, opened_at) \
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT) \
             WHERE (SELECT COUNT(*) FROM saved_searches WHERE account = $2 AND id <> $1) < $6 \
             ON CONFLICT (id) DO UPDATE SET query = excluded.query, opened_at = excluded.opened_at",
        )
        .bind(id::of("saved-search", &[account, name]))
        .bind(account)
        .bind(name)
        .bind(query)
        .bind(now.as_millisecond())
        .bind(i64::from(MOST_SAVED))
        .execute(self.store.pool())
        .await?;
        if kept.rows_affected() == 0 {
            return Err(SavedSearchError::TooMany);
        }
        Ok(())
    }

    /// The searches of an account, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, account: &str) -> Result<Vec<SavedSearch>, SavedSearchError> {
        let kept = sqlx::query_as(
            "SELECT id, name, query, opened_at FROM saved_searches WHERE account = $1 ORDER BY name, id",
        )
        .bind(account)
        .fetch_all(self.store.pool())
        .await?;
        Ok(kept)
    }

    /// Notes that the owner opens a search; none where the account has none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(
        &self,
        account: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<SavedSearch>, SavedSearchError> {
        let opened = sqlx::query_as(
            "UPDATE saved_searches SET opened_at = $3 WHERE account = $1 AND id = $2 \
             RETURNING id, name, query, opened_at",
        )
        .bind(account)
        .bind(id)
        .bind(now.as_millisecond())
        .fetch_optional(self.store.pool())
        .await?;
        Ok(opened)
    }

    /// Deletes a search of an account; says whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, account: &str, id: &str) -> Result<bool, SavedSearchError> {
        let deleted = sqlx::query("DELETE FROM saved_searches WHERE account = $1 AND id = $2")
            .bind(account)
            .bind(id)
            .execute(self.store.pool())
            .await?;
        Ok(deleted.rows_affected() == 1)
    }
}
