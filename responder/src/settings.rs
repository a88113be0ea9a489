//! The responder's settings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use backbone::region::Reach;
use backbone::settings::{
    ClickHouse, Kafka, Operations, Secret, SettingsError, beside, check_regions, load,
};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::account::Limits;
use crate::calendar;
use crate::case::Escalation;
use crate::deadline::Deadlines;
use crate::notify::channel::{Channel, check_reach};
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
    /// The working calendar.
    #[serde(default)]
    pub calendar: calendar::Settings,
    /// Deadlines by level.
    #[serde(default)]
    pub deadlines: Deadlines,
    /// Whom the clocks of a case are told to, and when.
    #[serde(default)]
    pub escalation: Escalation,
    /// Channels that carry notices.
    #[serde(default)]
    pub channel: Vec<Channel>,
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

/// How the administrator is told.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// Where the administrator is reached, the first choice first.
    pub reach: Vec<Reach>,
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
    /// Minutes after which someone who did nothing must sign in again. A page that refreshes itself counts as used.
    #[serde(default = "default_session_idle_minutes")]
    pub session_idle_minutes: u32,
    /// Addresses of proxies whose `X-Forwarded-For` is believed, for counting wrong passwords by address.
    #[serde(default = "default_proxies")]
    pub proxies: Vec<IpAddr>,
    /// The first administrator's password; made at the first start and written to
    /// `initial-administrator.txt` beside `store.file` where it is not set.
    #[serde(default)]
    pub administrator_password: Secret,
}

fn default_session_hours() -> u32 {
    12
}

fn default_session_idle_minutes() -> u32 {
    120
}

fn default_proxies() -> Vec<IpAddr> {
    vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
}

impl Console {
    /// How long sessions last.
    #[must_use]
    pub fn session_limits(&self) -> Limits {
        Limits {
            absolute: SignedDuration::from_hours(i64::from(self.session_hours)),
            idle: SignedDuration::from_mins(i64::from(self.session_idle_minutes)),
        }
    }
}

impl Settings {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let mut settings = load(path, Self::check)?;
        settings.store.file = settings.store.file.map(|file| beside(path, &file));
        settings.calendar.holidays = beside(path, &settings.calendar.holidays);
        for region in &mut settings.regions {
            *region = beside(path, region);
        }
        settings.channel = settings
            .channel
            .into_iter()
            .map(|channel| channel.beside(path))
            .collect();
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
            channel.check()?;
        }
        for reach in self.administrator.iter().flat_map(|known| &known.reach) {
            check_reach(reach, &self.channel)
                .map_err(|problem| format!("`administrator.reach`: {problem}"))?;
        }
        if (self.administrator.as_ref()).is_some_and(|known| known.reach.is_empty()) {
            return Err(
                "`administrator.reach` is empty; name a channel, or remove [administrator]"
                    .to_owned(),
            );
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
