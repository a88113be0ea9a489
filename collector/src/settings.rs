//! The collector's settings.

use std::path::{Path, PathBuf};

use backbone::settings::{Kafka, Operations, Secret, SettingsError, load};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The collector's settings, from `collector.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder whose `*.toml` files each describe a source, relative to this file.
    pub sources: PathBuf,
    /// The SQLite file that remembers how far each source is read, relative to this file; made where
    /// missing.
    pub state: PathBuf,
    /// Key of the authors' hashes; made and kept as `author-key` beside the state where it is not set.
    #[serde(default)]
    pub author_key: Secret,
    /// Kafka.
    pub kafka: Kafka,
    /// The port for operators.
    pub operations: Operations,
    /// How pages are fetched.
    #[serde(default)]
    pub fetch: Fetch,
}

/// How pages are fetched.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fetch {
    /// `User-Agent`; its first word is what robots.txt knows the collector by.
    pub user_agent: String,
    /// Longest wait for a page, in seconds.
    pub timeout_seconds: u64,
    /// Largest page, in bytes after decompression.
    pub most_bytes: usize,
    /// Least time between two requests to a host, in milliseconds; a longer `Crawl-delay` is kept.
    pub delay_ms: u64,
    /// Whether addresses of private networks may be fetched. Pages can name any address, so only where
    /// the sources themselves are in such a network.
    pub allow_private: bool,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            user_agent: "Wensheng/0.1 (public opinion handling of a county government)".to_owned(),
            timeout_seconds: 20,
            most_bytes: 5_000_000,
            delay_ms: 1_000,
            allow_private: false,
        }
    }
}

impl Settings {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let mut settings: Self = load(path)?;
        if settings.fetch.user_agent.trim().is_empty() {
            return Err(SettingsError::Invalid {
                path: path.to_owned(),
                problem: "`fetch.user_agent` is empty; say who is reading".to_owned(),
            });
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        settings.sources = folder.join(&settings.sources);
        settings.state = folder.join(&settings.state);
        settings.author_key.file = settings.author_key.file.map(|file| folder.join(file));
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_documented() {
        assert_eq!(
            backbone::settings::undocumented_fields::<Settings>(),
            Vec::<String>::new()
        );
    }
}
