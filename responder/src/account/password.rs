//! Passwords: hashed with Argon2id, and tries counted by account name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use super::AccountError;

/// A hash that no password is known for: verified against where there is no account.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Wrong passwords after which a name must wait.
const MOST_FAILURES: u32 = 10;
const WAIT: SignedDuration = SignedDuration::from_mins(5);
/// Names remembered before those whose wait is over are forgotten.
const MOST_NAMES: usize = 10_000;

/// Hashes off the threads that serve requests, a few at a time: each takes 19 MiB.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(4)),
        }
    }
}

impl Hasher {
    pub(super) async fn hash(&self, password: String) -> Result<String, AccountError> {
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|_| AccountError::Hash)
        })
        .await
    }

    pub(super) async fn matches(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, AccountError> {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let hash = PasswordHash::new(&hash).map_err(|_| AccountError::Hash)?;
            Ok(Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
                && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let _turn = self.turns.acquire().await.map_err(|_| AccountError::Hash)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| AccountError::Hash)?
    }
}

/// Wrong passwords by account name, whether or not there is such an account.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: Mutex<HashMap<String, (u32, Timestamp)>>,
}

impl Attempts {
    pub(super) fn refused(&self, name: &str, now: Timestamp) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures
            .get(name)
            .is_some_and(|(count, last)| *count >= MOST_FAILURES && now < *last + WAIT)
    }

    pub(super) fn failed(&self, name: &str, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST_NAMES {
            failures.retain(|_, (_, last)| now < *last + WAIT);
        }
        let (count, last) = failures.entry(name.to_owned()).or_insert((0, now));
        if now >= *last + WAIT {
            *count = 0;
        }
        *count += 1;
        *last = now;
    }

    pub(super) fn forget(&self, name: &str) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_passwords_wait_five_minutes_and_other_names_do_not() {
        let attempts = Attempts::default();
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        for _ in 0..MOST_FAILURES {
            assert!(!attempts.refused("duty", now));
            attempts.failed("duty", now);
        }
        assert!(attempts.refused("duty", now));
        assert!(attempts.refused("duty", now + SignedDuration::from_secs(299)));
        assert!(!attempts.refused("other", now));
        let later = now + WAIT;
        assert!(!attempts.refused("duty", later));
        attempts.failed("duty", later);
        assert!(!attempts.refused("duty", later));
    }

    #[tokio::test]
    async fn an_unknown_name_is_refused_by_the_same_work() {
        let hasher = Hasher::default();
        let hash = hasher.hash("correct horse".to_owned()).await.unwrap();
        // The same variant, version and costs as real hashes.
        assert_eq!(
            hash.split('$').take(4).collect::<Vec<_>>(),
            NOBODY.split('$').take(4).collect::<Vec<_>>()
        );
        assert!(
            hasher
                .matches("correct horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .matches("wrong horse".to_owned(), Some(hash))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .matches("correct horse".to_owned(), None)
                .await
                .unwrap()
        );
    }
}
