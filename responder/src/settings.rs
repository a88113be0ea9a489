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
use crate::store::Place;

/// The responder's settings, from `responder.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folders of the regions served, relative to this file.
    pub regions: Vec<PathBuf>,
    /// Where cases and accounts are kept.
    pub store: Store,
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
    /// Channels that carry notices.
    #[serde(default)]
    pub channel: Vec<Channel>,
    /// A language model that may draft replies, which a person reads, mends and submits; none where it is not set.
    #[serde(default)]
    pub draft_help: Option<DraftHelp>,
    /// How the administrator is told of sources in trouble; not at all where it is not set.
    #[serde(default)]
    pub administrator: Option<Administrator>,
}

/// Where cases and accounts are kept: a SQLite file, or a PostgreSQL database where more than one responder runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The SQLite file, relative to this file; made where missing.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The PostgreSQL database, such as `postgres://wensheng@db.example/wensheng?sslmode=verify-full`; it must exist.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub url: Option<Url>,
    /// The password of the user in `url`.
    #[serde(default)]
    pub password: Secret,
}

impl Store {
    /// The place to open.
    ///
    /// # Errors
    /// When the password cannot be read.
    pub fn place(&self) -> Result<Place, SettingsError> {
        let Some(mut url) = self.url.clone() else {
            return Ok(Place::File(self.file.clone().unwrap_or_default()));
        };
        if let Some(password) = self.password.read("store.password")? {
            // Fails for addresses without a host only, which `check` refuses.
            let _set = url.set_password(Some(&password));
        }
        Ok(Place::Postgres(url))
    }

    fn check(&self) -> Result<(), String> {
        match (&self.file, &self.url) {
            (Some(_), None) => Ok(()),
            (None, Some(url)) if !matches!(url.scheme(), "postgres" | "postgresql") => Err(format!(
                "`store.url` begins with `{}`; it must begin with postgres",
                url.scheme()
            )),
            (None, Some(url)) if !url.has_host() => {
                Err("`store.url` names no host; write postgres://user@host/database".to_owned())
            }
            (None, Some(url)) if url.password().is_some() => Err(
                "`store.url` holds a password; put it into an environment variable or a file and name that in `store.password`"
                    .to_owned(),
            ),
            (None, Some(_)) => Ok(()),
            _ => Err("`store` needs either `file` or `url`".to_owned()),
        }
    }
}

/// An OpenAI-compatible endpoint that drafts replies. It gets masked posts and what the knowledge base has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftHelp {
    /// Address of its chat completions, such as `https://llm.example.gov.cn/v1/chat/completions`.
    pub url: String,
    /// The model to ask.
    pub model: String,
    /// Its key, sent as a bearer token; none where neither variable nor file is set.
    #[serde(default)]
    pub key: Secret,
    /// Seconds to wait for a draft, 1 to 120.
    #[serde(default = "default_draft_seconds")]
    pub timeout_seconds: u64,
}

fn default_draft_seconds() -> u64 {
    30
}

/// How the administrator is told.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// Name of the channel.
    pub channel: String,
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
    /// `initial-administrator.txt` beside `store.file` where it is not set.
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
    /// Its name, in `units.toml` and `administrator.channel`.
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
        settings.store.file = settings.store.file.map(|file| beside(path, &file));
        for region in &mut settings.regions {
            *region = beside(path, region);
        }
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        check_regions(&self.regions)?;
        self.store.check()?;
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
        if let Some(asked) = &self.draft_help {
            if !["https://", "http://"]
                .iter()
                .any(|scheme| asked.url.starts_with(scheme))
            {
                return Err("`draft_help.url` must begin with https:// or http://".to_owned());
            }
            if !(1..=120).contains(&asked.timeout_seconds) {
                return Err("`draft_help.timeout_seconds` must be 1 to 120".to_owned());
            }
        }
        match &self.administrator {
            Some(administrator)
                if !self
                    .channel
                    .iter()
                    .any(|known| known.name == administrator.channel) =>
            {
                Err(format!(
                    "`administrator.channel` is `{}`, which there is not; add a [[channel]] of that name",
                    administrator.channel
                ))
            }
            _ => Ok(()),
        }
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

    #[test]
    fn the_administrator_is_told_by_a_channel_that_there_is() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config/responder.toml");
        let mut settings = Settings::load(&shipped).unwrap();
        assert_eq!(
            settings.administrator.as_ref().map(|known| &known.channel),
            None
        );
        settings.administrator = Some(Administrator {
            channel: "phone".to_owned(),
        });
        assert!(settings.check().unwrap_err().contains("`phone`"));
        settings.channel.push(
            serde_json::from_value(
                serde_json::json!({ "name": "phone", "url": "http://127.0.0.1:9/" }),
            )
            .unwrap(),
        );
        assert_eq!(settings.check(), Ok(()));
    }
}
