//! The responder's settings.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use backbone::settings::{
    ClickHouse, Kafka, Operations, Secret, SettingsError, beside, check_regions, load,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::deadline::Deadlines;

/// The responder's settings, from `responder.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folders of the regions served, relative to this file.
    pub regions: Vec<PathBuf>,
    /// The SQLite file of cases and accounts, relative to this file; made where missing.
    pub store: PathBuf,
    /// Kafka.
    pub kafka: Kafka,
    /// ClickHouse.
    pub clickhouse: ClickHouse,
    /// The port for operators.
    pub operations: Operations,
    /// The console.
    pub console: Console,
    /// Deadlines by level.
    #[serde(default)]
    pub deadlines: Deadlines,
    /// Channels that carry notices to units.
    #[serde(default)]
    pub channel: Vec<Channel>,
}

/// The console.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Address to listen on, such as `127.0.0.1:8080`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address under which people open it, for the links in notices. Where it begins with `https`,
    /// cookies are sent over TLS only.
    #[schemars(with = "String")]
    pub public_url: Url,
    /// Hours after which someone signed in must sign in again.
    #[serde(default = "default_session_hours")]
    pub session_hours: u32,
    /// The first administrator's password; made at the first start and written to
    /// `initial-administrator.txt` beside the store where it is not set.
    #[serde(default)]
    pub administrator_password: Secret,
}

fn default_session_hours() -> u32 {
    12
}

/// A generic webhook: an address that takes a notice as JSON by POST.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name in `units.toml`.
    pub name: String,
    /// The address.
    #[schemars(with = "String")]
    pub url: Url,
    /// A token sent as `Authorization: Bearer`.
    #[serde(default)]
    pub token: Secret,
    /// Longest wait for an answer, in seconds.
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u64,
    /// Tries before a notice is given up and shown as failed.
    #[serde(default = "default_attempts")]
    pub attempts: u32,
}

fn default_timeout_seconds() -> u64 {
    10
}

fn default_attempts() -> u32 {
    8
}

impl Settings {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let mut settings = load(path, Self::check)?;
        settings.store = beside(path, &settings.store);
        for region in &mut settings.regions {
            *region = beside(path, region);
        }
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        check_regions(&self.regions)?;
        for (index, channel) in self.channel.iter().enumerate() {
            if self
                .channel
                .iter()
                .take(index)
                .any(|other| other.name == channel.name)
            {
                return Err(format!(
                    "channel `{}` is listed twice; remove one",
                    channel.name
                ));
            }
            if !matches!(channel.url.scheme(), "http" | "https") {
                return Err(format!(
                    "channel `{}`: `url` must begin with http or https",
                    channel.name
                ));
            }
        }
        Ok(())
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
