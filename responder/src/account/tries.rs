//! Tries to sign in, counted in the store by name and by address, whether or not there is such an account: a restart
//! and another responder know them too. Each try is counted before its password is looked at, so that many at once
//! are as many.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::AccountError;
use crate::store::Store;

/// Without a wrong password for this long, those before are forgotten.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The first wait; each further wrong password doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
/// The longest wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// Tries to be the one who counts, while others count too.
const TURNS: u32 = 20;

/// By what tries are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Address,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
        }
    }

    /// Wrong passwords after which one waits. Many people share the address of an office.
    fn free(self) -> i64 {
        match self {
            Self::Name => 5,
            Self::Address => 50,
        }
    }

    /// How long one waits after the given number of wrong passwords.
    fn wait(self, failures: i64) -> SignedDuration {
        let over = failures - self.free();
        match u32::try_from(over) {
            Err(_) => SignedDuration::ZERO,
            Ok(over) => {
                let longer = 2_i32.saturating_pow(over.min(16));
                FIRST_WAIT.saturating_mul(longer).min(LONGEST_WAIT)
            }
        }
    }
}

/// A try that was counted.
pub(super) struct Try {
    keys: Vec<(Kind, String)>,
}

/// Counts a try.
///
/// # Errors
/// When name or address must wait, with the minutes left.
pub(super) async fn begin(
    store: &Store,
    name: &str,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<Try, AccountError> {
    let mut keys = vec![(Kind::Name, digest(name))];
    keys.extend(address.map(|address| (Kind::Address, digest(&address.to_string()))));
    for (kind, key) in &keys {
        let known = read(store, *kind, key).await?;
        refuse(known, now)?;
    }
    for (kind, key) in &keys {
        count(store, *kind, key, now).await?;
    }
    Ok(Try { keys })
}

/// The password was right: the name starts afresh, and the address has one wrong password less.
pub(super) async fn succeeded(store: &Store, tried: &Try) -> Result<(), AccountError> {
    for (kind, key) in &tried.keys {
        let statement = match kind {
            Kind::Name => "DELETE FROM sign_in_tries WHERE kind = $1 AND key = $2",
            Kind::Address => {
                "UPDATE sign_in_tries SET failures = failures - 1, wait_until = 0 WHERE kind = $1 AND key = $2 AND failures > 0"
            }
        };
        sqlx::query(statement)
            .bind(kind.name())
            .bind(key)
            .execute(store.pool())
            .await?;
    }
    Ok(())
}

/// Forgets the wrong passwords of a name.
pub(super) async fn forget(store: &Store, name: &str) -> Result<(), AccountError> {
    let tried = Try {
        keys: vec![(Kind::Name, digest(name))],
    };
    succeeded(store, &tried).await
}

type Known = Option<(i64, i64, i64)>;

async fn read(store: &Store, kind: Kind, key: &str) -> Result<Known, AccountError> {
    let known = sqlx::query_as(
        "SELECT failures, wait_until, last_at FROM sign_in_tries WHERE kind = $1 AND key = $2",
    )
    .bind(kind.name())
    .bind(key)
    .fetch_optional(store.pool())
    .await?;
    Ok(known)
}

fn refuse(known: Known, now: Timestamp) -> Result<(), AccountError> {
    let wait_until = known.map_or(0, |(_, wait_until, _)| wait_until);
    let left = wait_until - now.as_millisecond();
    if left <= 0 {
        return Ok(());
    }
    Err(AccountError::TooMany(left.div_euclid(60_000) + 1))
}

async fn count(store: &Store, kind: Kind, key: &str, now: Timestamp) -> Result<(), AccountError> {
    for _ in 0..TURNS {
        let known = read(store, kind, key).await?;
        refuse(known, now)?;
        let forgotten = (now - FORGOTTEN_AFTER).as_millisecond();
        let before = match known {
            Some((failures, _, last_at)) if last_at > forgotten => failures,
            _ => 0,
        };
        let failures = before + 1;
        let wait_until = match kind.wait(failures) {
            SignedDuration::ZERO => 0,
            wait => (now + wait).as_millisecond(),
        };
        let statement = match known {
            None => {
                sqlx::query("DELETE FROM sign_in_tries WHERE last_at <= $1")
                    .bind(forgotten)
                    .execute(store.pool())
                    .await?;
                "INSERT INTO sign_in_tries (kind, key, failures, wait_until, last_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT DO NOTHING"
            }
            Some(_) => {
                "UPDATE sign_in_tries SET failures = $3, wait_until = $4, last_at = $5 WHERE kind = $1 AND key = $2 \
                 AND failures = $6 AND last_at = $7"
            }
        };
        let query = sqlx::query(statement)
            .bind(kind.name())
            .bind(key)
            .bind(failures)
            .bind(wait_until)
            .bind(now.as_millisecond());
        let query = match known {
            None => query,
            Some((failures, _, last_at)) => query.bind(failures).bind(last_at),
        };
        if query.execute(store.pool()).await?.rows_affected() == 1 {
            return Ok(());
        }
    }
    Err(AccountError::TooMany(1))
}

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key.trim().to_lowercase().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let seconds = |kind: Kind, failures| kind.wait(failures).as_secs();
        assert_eq!(
            [1, 4, 5, 6, 7, 9, 10, 11, 1_000].map(|failures| seconds(Kind::Name, failures)),
            [0, 0, 30, 60, 120, 480, 900, 900, 900]
        );
        assert_eq!(
            [49, 50, 51].map(|failures| seconds(Kind::Address, failures)),
            [0, 30, 60]
        );
    }
}
