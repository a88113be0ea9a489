//! Sessions: a random token in the browser, its SHA-256 here.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Row};

use super::{AccountError, Accounts, User, read};

/// What a browser is given at sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The secret of the session cookie: 64 hexadecimal digits.
    pub token: String,
    /// The secret that every form of the session carries.
    pub csrf: String,
}

/// 32 random bytes as hexadecimal digits.
pub(crate) fn secret() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

impl Accounts {
    /// Starts a session, and forgets those that have expired.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start_session(
        &self,
        user: &User,
        now: Timestamp,
    ) -> Result<Session, AccountError> {
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(now.as_millisecond())
            .execute(self.store.pool())
            .await?;
        let session = Session {
            token: secret(),
            csrf: secret(),
        };
        let expires_at = now + SignedDuration::from_hours(i64::from(self.session_hours));
        sqlx::query(
            "INSERT INTO sessions (token, account, csrf, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(digest(&session.token))
        .bind(&user.name)
        .bind(&session.csrf)
        .bind(expires_at.as_millisecond())
        .execute(self.store.pool())
        .await?;
        Ok(session)
    }

    /// Who a session's token belongs to, and the secret of its forms; none when it has expired or the
    /// account is no longer active.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<(User, String)>, AccountError> {
        let row = sqlx::query(
            "SELECT users.*, sessions.csrf FROM sessions JOIN users ON users.name = sessions.account \
             WHERE sessions.token = $1 AND sessions.expires_at > $2 AND users.active = 1",
        )
        .bind(digest(token))
        .bind(now.as_millisecond())
        .fetch_optional(self.store.pool())
        .await?;
        row.map(|row| Ok((read(&row)?, row.try_get("csrf")?)))
            .transpose()
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_session(&self, token: &str) -> Result<(), AccountError> {
        sqlx::query("DELETE FROM sessions WHERE token = $1")
            .bind(digest(token))
            .execute(self.store.pool())
            .await?;
        Ok(())
    }
}

pub(super) async fn end_all(
    connection: &mut AnyConnection,
    name: &str,
) -> Result<(), AccountError> {
    sqlx::query("DELETE FROM sessions WHERE account = $1")
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}
