//! Passwords, hashed with Argon2id.

use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use super::AccountError;

/// A hash that no password is known for: verified against where there is no account.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

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

#[cfg(test)]
mod tests {
    use super::*;

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
