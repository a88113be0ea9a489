//! Authors: a keyed hash, for counting distinct voices, and nothing else.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key of the hashes. Without it nobody can tell from a hash who wrote.
#[derive(Clone)]
pub struct AuthorKey(Vec<u8>);

impl std::fmt::Debug for AuthorKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AuthorKey")
    }
}

impl AuthorKey {
    /// Of a secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.as_bytes().to_vec())
    }

    /// HMAC-SHA256 of the name at its source, its first 128 bits; nothing for a name that says nothing.
    #[must_use]
    pub fn hash(&self, source: &str, name: &str) -> Option<String> {
        let name = name.trim();
        if name.is_empty() || matches!(name, "匿名" | "匿名网友" | "游客" | "网友") {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(source.as_bytes());
        mac.update(&[0]);
        mac.update(name.as_bytes());
        let bytes = mac.finalize().into_bytes();
        Some(hex::encode(bytes.get(..16)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tells_voices_apart_and_nothing_else() {
        let key = AuthorKey::new("a key");
        let one = key.hash("留言板", "张三").unwrap();
        assert_eq!(key.hash("留言板", " 张三 ").unwrap(), one);
        assert_ne!(key.hash("信箱", "张三").unwrap(), one);
        assert_ne!(
            AuthorKey::new("another").hash("留言板", "张三").unwrap(),
            one
        );
        assert_eq!(one.len(), 32);
        assert_eq!(key.hash("留言板", "匿名"), None);
    }
}
