//! The audit: what was read and done in the console, by whom, when. Nothing removes from it.

use jiff::Timestamp;
use sqlx::Row;

use super::{AccountError, Accounts};

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The account.
    pub user: String,
    /// What was done, such as `read-case` or `dispatch`.
    pub action: String,
    /// To what: a case's id, an account's name.
    pub subject: String,
}

impl Accounts {
    /// Writes a line.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit(
        &self,
        user: &str,
        action: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        sqlx::query("INSERT INTO audit (at, account, action, subject) VALUES ($1, $2, $3, $4)")
            .bind(now.as_millisecond())
            .bind(user)
            .bind(action)
            .bind(subject)
            .execute(self.store.pool())
            .await?;
        Ok(())
    }

    /// The newest lines, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_log(&self, limit: u32) -> Result<Vec<Entry>, AccountError> {
        let rows = sqlx::query("SELECT * FROM audit ORDER BY number DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(self.store.pool())
            .await?;
        rows.iter()
            .map(|row| {
                let at = Timestamp::from_millisecond(row.try_get("at")?)
                    .map_err(|error| sqlx::Error::Decode(error.into()))?;
                Ok(Entry {
                    at,
                    user: row.try_get("account")?,
                    action: row.try_get("action")?,
                    subject: row.try_get("subject")?,
                })
            })
            .collect()
    }
}
