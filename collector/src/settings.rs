//! The collector's settings.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use backbone::serve::Certificate;
use backbone::settings::{
    Kafka, Operations, Problems, Secret, SettingsError, beside, faultless, load,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::share::Share;

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
    /// Where other systems hand posts over; nowhere where absent.
    #[serde(default)]
    pub intake: Option<Intake>,
    /// The share of this collector, where several share the sources; all of them where absent.
    #[serde(default)]
    pub share: Option<Share>,
}

/// Where other systems hand posts over, see the sources with `[push]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// Address to listen on for `POST /v1/posts`.
    pub listen: SocketAddr,
    /// The certificate to serve with; without one, put a TLS proxy before it to serve other machines.
    #[serde(default)]
    pub tls: Option<Certificate>,
}

/// How pages are fetched.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fetch {
    /// `User-Agent`; its first word is what robots.txt knows the collector by.
    pub user_agent: String,
    /// Address or mailbox under which whoever runs a site reaches the office; goes into `User-Agent`.
    pub contact: Option<String>,
    /// Longest wait for a page, in seconds.
    pub timeout_seconds: u64,
    /// Largest page, in bytes after decompression.
    pub most_bytes: usize,
    /// Least time between two requests to a host, in milliseconds; a longer `Crawl-delay` is kept.
    pub delay_ms: u64,
    /// Requests to one host at a time, 1 to 16.
    pub per_host: u8,
    /// Requests to all hosts at a time.
    pub most_at_once: u16,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            user_agent: "Wensheng/0.1".to_owned(),
            contact: None,
            timeout_seconds: 20,
            most_bytes: 5_000_000,
            delay_ms: 1_000,
            per_host: 1,
            most_at_once: 64,
        }
    }
}

impl Fetch {
    /// `User-Agent` as it is sent: who is reading, and how to reach them.
    #[must_use]
    pub fn agent(&self) -> String {
        match &self.contact {
            Some(contact) => format!("{} (+{contact})", self.user_agent),
            None => self.user_agent.clone(),
        }
    }

    fn check(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        let is_plain = |text: &str| {
            !text.trim().is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        };
        if !is_plain(&self.user_agent) {
            flaws.push(
                "`fetch.user_agent` must be ASCII and not empty; say who is reading".to_owned(),
            );
        }
        if self
            .contact
            .as_deref()
            .is_some_and(|contact| !is_plain(contact))
        {
            flaws.push(
                "`fetch.contact` must be ASCII and not empty; give a web address or a mailbox"
                    .to_owned(),
            );
        }
        if !(1..=16).contains(&self.per_host) {
            flaws.push("`fetch.per_host` must be 1 to 16".to_owned());
        }
        if self.most_at_once == 0 {
            flaws.push("`fetch.most_at_once` must be 1 or more".to_owned());
        }
        if !(1..=300).contains(&self.timeout_seconds) {
            flaws.push("`fetch.timeout_seconds` must be 1 to 300".to_owned());
        }
        if self.most_bytes == 0 {
            flaws.push("`fetch.most_bytes` must be 1 or more".to_owned());
        }
        flaws
    }
}

impl Settings {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        faultless(|problems| Self::read(path, problems))
    }

    /// As [`Settings::load`], going on where a value is wrong, which is added to the problems.
    pub fn read(path: &Path, problems: &mut Problems) -> Option<Self> {
        let mut settings = load(path, Self::check, problems)?;
        settings.sources = beside(path, &settings.sources);
        settings.state = beside(path, &settings.state);
        settings.kafka = settings.kafka.beside(path);
        if let Some(intake) = &mut settings.intake {
            intake.tls = intake.tls.take().map(|tls| tls.beside(path));
        }
        settings.author_key.put_beside(path);
        Some(settings)
    }

    fn check(&self) -> Vec<String> {
        let mut flaws = self.fetch.check();
        flaws.extend(self.kafka.check().iter().map(ToString::to_string));
        flaws.extend(self.share.iter().flat_map(Share::check));
        flaws
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(extra: &str) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collector.toml");
        let text = format!(
            "sources = \"sources.d\"\nstate = \"s.sqlite\"\n[kafka]\nbrokers = \"127.0.0.1:9\"\n\
             [operations]\nlisten = \"127.0.0.1:0\"\n{extra}"
        );
        std::fs::write(&path, text).unwrap();
        Settings::load(&path).map(|mut settings| {
            settings.state = settings.state.strip_prefix(folder.path()).unwrap().into();
            settings
        })
    }

    #[test]
    fn paths_are_relative_to_the_settings_file() {
        assert_eq!(load("").unwrap().state, Path::new("s.sqlite"));
    }

    #[test]
    fn a_mistake_is_named_with_field_and_remedy() {
        for (extra, expected) in [
            (
                "[fetch]\nspeed = 1\n",
                "collector.toml:8: unknown field `speed`",
            ),
            (
                "[fetch]\nuser_agent = \"闻声\"\n",
                "`fetch.user_agent` must be ASCII",
            ),
            (
                "[fetch]\ntimeout_seconds = 0\n",
                "`fetch.timeout_seconds` must be 1 to 300",
            ),
            (
                "[fetch]\nmost_bytes = 0\n",
                "`fetch.most_bytes` must be 1 or more",
            ),
            (
                "[fetch]\nper_host = 100\n",
                "`fetch.per_host` must be 1 to 16",
            ),
            (
                "[share]\nname = \"a\"\namong = [\"b\"]\n",
                "`share.among` does not have",
            ),
        ] {
            let said = load(extra).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn the_settings_that_ship_show_every_field() {
        let shipped = include_str!("../../deploy/config/collector.toml");
        assert_eq!(
            backbone::settings::fields_not_shown::<Settings>(shipped),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_field_is_documented() {
        assert_eq!(
            backbone::settings::undocumented_fields::<Settings>(),
            Vec::<String>::new()
        );
    }
}
