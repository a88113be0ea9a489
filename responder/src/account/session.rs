//! Sessions: a random token in the browser, its SHA-256 here. A session ends when it was not used for long, when it is
//! old, when its account's password, role or leave to sign in changes, and when its account says so. Its token is
//! replaced with age, and the one before is good for a moment more, since a browser asks for several things at once.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Row};

use super::{AccountError, Accounts, User, read, timestamp};

/// Age at which a token is replaced.
const RENEWED_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// How long the token before is good.
const GRACE: SignedDuration = SignedDuration::from_secs(60);
/// That a session is used is written this often.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What a browser is given at sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The secret of the session cookie: 64 hexadecimal digits.
    pub token: String,
    /// The secret that every form of the session carries.
    pub csrf: String,
}

/// From where someone signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address, where it is known.
    pub address: Option<IpAddr>,
    /// What kind of browser, see [`browser`].
    pub browser: String,
    /// Whether an identity provider vouches for them, and no password was needed.
    pub vouched: bool,
}

/// A session as its token tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// Whose it is.
    pub user: User,
    /// The secret of its forms.
    pub csrf: String,
    /// What it is called in the list of sessions.
    pub id: String,
    /// The token that takes the place of the one that was shown, where that was due.
    pub renewed: Option<String>,
}

/// A session in the list of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it is called.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was last used, within a minute.
    pub seen_at: Timestamp,
    /// From which address; empty where that was not known.
    pub address: String,
    /// With what kind of browser.
    pub browser: String,
}

/// 32 random bytes as hexadecimal digits.
pub(crate) fn secret() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

pub(super) fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// What kind of browser a `User-Agent` names, so that people know their own devices: `企业微信 Android`.
#[must_use]
pub fn browser(agent: &str) -> String {
    let first = |names: &[(&str, &'static str)]| {
        (names.iter())
            .find(|(sign, _)| agent.contains(sign))
            .map(|(_, name)| *name)
    };
    let program = first(&[
        ("wxwork", "企业微信"),
        ("MicroMessenger", "微信"),
        ("DingTalk", "钉钉"),
        ("Lark", "飞书"),
        ("Edg", "Edge"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let device = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, device) {
        (None, None) => "其他浏览器".to_owned(),
        (program, device) => [program, device]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

impl Accounts {
    /// Starts a session, and forgets those that have ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start_session(
        &self,
        user: &User,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Session, AccountError> {
        let (oldest, idle) = self.bounds(now);
        sqlx::query("DELETE FROM sessions WHERE started_at <= $1 OR seen_at <= $2")
            .bind(oldest)
            .bind(idle)
            .execute(self.store.pool())
            .await?;
        let session = Session {
            token: secret(),
            csrf: secret(),
        };
        let address = origin.address.map(|address| address.to_string());
        sqlx::query(
            "INSERT INTO sessions (token, earlier_token, id, account, csrf, address, browser, vouched, started_at, \
             renewed_at, seen_at) VALUES ($1, '', $2, $3, $4, $5, $6, $7, $8, $8, $8)",
        )
        .bind(digest(&session.token))
        .bind(hex::encode(rand::random::<[u8; 8]>()))
        .bind(&user.name)
        .bind(&session.csrf)
        .bind(address.unwrap_or_default())
        .bind(&origin.browser)
        .bind(i64::from(origin.vouched))
        .bind(now.as_millisecond())
        .execute(self.store.pool())
        .await?;
        Ok(session)
    }

    /// The session of a token, or of the token that it took the place of a moment ago; none when it has ended or the
    /// account is no longer active. Where `renew` says so and it is due, the session gets another token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(
        &self,
        token: &str,
        renew: bool,
        now: Timestamp,
    ) -> Result<Option<Known>, AccountError> {
        let (oldest, idle) = self.bounds(now);
        let shown = digest(token);
        let row = sqlx::query(
            "SELECT users.*, sessions.csrf, sessions.id, sessions.token, sessions.renewed_at, sessions.seen_at, sessions.vouched \
             FROM sessions JOIN users ON users.name = sessions.account \
             WHERE (sessions.token = $1 OR (sessions.earlier_token = $1 AND sessions.renewed_at > $2)) \
             AND sessions.started_at > $3 AND sessions.seen_at > $4 AND users.active = 1",
        )
        .bind(&shown)
        .bind((now - GRACE).as_millisecond())
        .bind(oldest)
        .bind(idle)
        .fetch_optional(self.store.pool())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let renewed_at = timestamp(&row, "renewed_at")?;
        let current: String = row.try_get("token")?;
        let mut known = Known {
            user: read(&row)?,
            csrf: row.try_get("csrf")?,
            id: row.try_get("id")?,
            renewed: None,
        };
        // Who needs no password need not change it.
        known.user.must_change &= row.try_get::<i64, _>("vouched")? == 0;
        if renew && current == shown && renewed_at + RENEWED_AFTER <= now {
            let next = secret();
            let replaced = sqlx::query(
                "UPDATE sessions SET token = $1, earlier_token = $2, renewed_at = $3, seen_at = $3 WHERE token = $2",
            )
            .bind(digest(&next))
            .bind(&shown)
            .bind(now.as_millisecond())
            .execute(self.store.pool())
            .await?;
            // Where another request was faster, its answer has the token.
            known.renewed = (replaced.rows_affected() == 1).then_some(next);
        } else if timestamp(&row, "seen_at")? + SEEN_EVERY <= now {
            sqlx::query("UPDATE sessions SET seen_at = $1 WHERE id = $2 AND seen_at < $1")
                .bind(now.as_millisecond())
                .bind(&known.id)
                .execute(self.store.pool())
                .await?;
        }
        Ok(Some(known))
    }

    /// Whose session of that id it is, as long as it lasts; to ask is not to use it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lasting(
        &self,
        name: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<User>, AccountError> {
        let (oldest, idle) = self.bounds(now);
        let row = sqlx::query(
            "SELECT users.* FROM sessions JOIN users ON users.name = sessions.account WHERE sessions.account = $1 \
             AND sessions.id = $2 AND sessions.started_at > $3 AND sessions.seen_at > $4 AND users.active = 1",
        )
        .bind(name)
        .bind(id)
        .bind(oldest)
        .bind(idle)
        .fetch_optional(self.store.pool())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// The sessions of an account that have not ended, the last used first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions(&self, name: &str, now: Timestamp) -> Result<Vec<Listed>, AccountError> {
        let (oldest, idle) = self.bounds(now);
        let rows = sqlx::query(
            "SELECT * FROM sessions WHERE account = $1 AND started_at > $2 AND seen_at > $3 ORDER BY seen_at DESC, id",
        )
        .bind(name)
        .bind(oldest)
        .bind(idle)
        .fetch_all(self.store.pool())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Listed {
                    id: row.try_get("id")?,
                    started_at: timestamp(row, "started_at")?,
                    seen_at: timestamp(row, "seen_at")?,
                    address: row.try_get("address")?,
                    browser: row.try_get("browser")?,
                })
            })
            .collect()
    }

    /// Ends a session of an account; says whether there was one of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_session(&self, name: &str, id: &str) -> Result<bool, AccountError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE account = $1 AND id = $2")
            .bind(name)
            .bind(id)
            .execute(self.store.pool())
            .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// A session that began, or was last used, at these times or before has ended.
    fn bounds(&self, now: Timestamp) -> (i64, i64) {
        (
            (now - self.limits.absolute).as_millisecond(),
            (now - self.limits.idle).as_millisecond(),
        )
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

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn people_know_their_browsers_again() {
        for (agent, known) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/149.0 Safari/537.36 Edg/149.0",
                "Edge Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 wxwork/4.1 MicroMessenger/7",
                "企业微信 Android",
            ),
            ("curl/8.5", "其他浏览器"),
        ] {
            assert_eq!(browser(agent), known);
        }
    }
}
