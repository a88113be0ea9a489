//! The responder's settings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use backbone::region::Reach;
use backbone::serve::Certificate;
use backbone::settings::{
    ClickHouse, Flaw, Kafka, Operations, Problems, Secret, SettingsError, beside, check_regions,
    check_web, faultless, load,
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
use crate::paper::schedule::Schedule;
use crate::retention::Retention;
use crate::store::Place;

/// The responder's settings, from `responder.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file that they were read from.
    #[serde(skip)]
    pub file: PathBuf,
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
    /// A language model that may draft replies, which a person reads, mends and submits; none where it is not set.
    #[serde(default)]
    pub draft_help: Option<DraftHelp>,
    /// A language model that may reword a paragraph of a report, which a person takes or leaves; none where it is not set.
    #[serde(default)]
    pub report_help: Option<DraftHelp>,
    /// Reports that are made again and again.
    #[serde(default)]
    pub reports: Vec<Schedule>,
    /// Folders with fonts for reports, such as 仿宋_GB2312, besides those of the system; relative to this file.
    #[serde(default)]
    pub fonts: Vec<PathBuf>,
    /// How long the store keeps what.
    #[serde(default)]
    pub retention: Retention,
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

/// An OpenAI-compatible endpoint that drafts replies, or rewords a paragraph of a report. It gets masked posts and what the
/// knowledge base has, or that paragraph.
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
    pub public_url: Url,
    /// The certificate to serve with; without one, put a TLS proxy before it to serve other machines.
    #[serde(default)]
    pub tls: Option<Certificate>,
    /// Hours after which someone signed in must sign in again.
    #[serde(default = "default_session_hours")]
    pub session_hours: u32,
    /// Minutes after which someone who did nothing must sign in again. A page that refreshes itself counts as used.
    #[serde(default = "default_session_idle_minutes")]
    pub session_idle_minutes: u32,
    /// Addresses of proxies whose `X-Forwarded-For` is believed, for counting wrong passwords by address.
    #[serde(default = "default_proxies")]
    pub proxies: Vec<IpAddr>,
    /// The identity provider that people may sign in with; none where it is not set.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// The first administrator's password; made at the first start and written to
    /// `initial-administrator.txt` beside `store.file` where it is not set.
    #[serde(default)]
    pub administrator_password: Secret,
}

/// An identity provider that speaks OpenID Connect.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its issuer, such as `https://id.example/realms/county`, exactly as it writes it.
    pub issuer: String,
    /// The name under which it knows the console. It sends browsers back to `login/identity/back` of `public_url`.
    pub client_id: String,
    /// The secret it gave the console; none for a public client.
    #[serde(default)]
    pub client_secret: Secret,
    /// The claim that is the name of the account.
    #[serde(default)]
    pub claim: Claim,
    /// What the page to sign in calls it.
    #[serde(default = "default_identity_label")]
    pub label: String,
}

/// A claim that may be the name of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// `sub`.
    Subject,
    /// `preferred_username`.
    #[default]
    PreferredUsername,
    /// `email`, where the provider has verified it.
    Email,
}

fn default_identity_label() -> String {
    "统一身份认证".to_owned()
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
    /// What is wrong with its values.
    fn check(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        flaws.extend(check_web("console.public_url", self.public_url.as_str()));
        if let Some(identity) = &self.identity {
            flaws.extend(check_web("console.identity.issuer", &identity.issuer));
        }
        // A year is as long as anybody could mean.
        for (field, value, most) in [
            ("session_hours", self.session_hours, 8_784),
            ("session_idle_minutes", self.session_idle_minutes, 527_040),
        ] {
            if !(1..=most).contains(&value) {
                flaws.push(format!("`console.{field}` must be 1 to {most}"));
            }
        }
        flaws
    }

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
        faultless(|problems| Self::read(path, problems))
    }

    /// As [`Settings::load`], going on where a value is wrong, which is added to the problems.
    pub fn read(path: &Path, problems: &mut Problems) -> Option<Self> {
        let mut settings = load(path, Self::check, problems)?;
        path.clone_into(&mut settings.file);
        settings.store.file = settings.store.file.map(|file| beside(path, &file));
        settings.store.password.put_beside(path);
        settings.calendar.holidays = beside(path, &settings.calendar.holidays);
        settings.kafka = settings.kafka.beside(path);
        settings.clickhouse = settings.clickhouse.beside(path);
        settings.console.tls = settings.console.tls.map(|tls| tls.beside(path));
        settings.console.administrator_password.put_beside(path);
        if let Some(identity) = &mut settings.console.identity {
            identity.client_secret.put_beside(path);
        }
        for help in [&mut settings.draft_help, &mut settings.report_help]
            .into_iter()
            .flatten()
        {
            help.key.put_beside(path);
        }
        for region in &mut settings.regions {
            *region = beside(path, region);
        }
        for folder in &mut settings.fonts {
            *folder = beside(path, folder);
        }
        settings.channel = settings
            .channel
            .into_iter()
            .map(|channel| channel.beside(path))
            .collect();
        Some(settings)
    }

    fn check(&self) -> Vec<Flaw> {
        let mut flaws: Vec<String> = check_regions(&self.regions).into_iter().collect();
        flaws.extend(self.store.check().err());
        flaws.extend(self.kafka.check().iter().map(ToString::to_string));
        flaws.extend(self.clickhouse.check());
        flaws.extend(self.console.check());
        for (field, help) in [
            ("draft_help", &self.draft_help),
            ("report_help", &self.report_help),
        ] {
            let Some(asked) = help else {
                continue;
            };
            flaws.extend(check_web(&format!("{field}.url"), &asked.url));
            if !(1..=120).contains(&asked.timeout_seconds) {
                flaws.push(format!("`{field}.timeout_seconds` must be 1 to 120"));
            }
        }
        for reach in self.administrator.iter().flat_map(|known| &known.reach) {
            let unreached = check_reach(reach, &self.channel).err();
            flaws.extend(unreached.map(|problem| format!("`administrator.reach`: {problem}")));
        }
        if (self.administrator.as_ref()).is_some_and(|known| known.reach.is_empty()) {
            flaws.push(
                "`administrator.reach` is empty; name a channel, or remove [administrator]"
                    .to_owned(),
            );
        }
        let of_channels = self
            .channel
            .iter()
            .enumerate()
            .flat_map(|(index, channel)| {
                let name = &channel.name;
                let before = self.channel.iter().take(index);
                let twice = format!("channel `{name}` is listed twice; remove one");
                let is_twice = before.clone().any(|other| other.name == *name);
                (channel.check().into_iter())
                    .chain(is_twice.then_some(twice))
                    .map(move |problem| Flaw::from(problem).of(format!("channel[{index}]")))
            });
        flaws
            .into_iter()
            .map(Flaw::from)
            .chain(of_channels)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_secrets_are_relative_to_the_settings_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("responder.toml");
        let secret = "{ file = \"secret\" }";
        let help = format!("url = \"http://127.0.0.1:9\"\nmodel = \"m\"\nkey = {secret}");
        let text = format!(
            "regions = [\"region\"]\n[store]\nurl = \"postgres://w@127.0.0.1/w\"\npassword = {secret}\n\
             [kafka]\nbrokers = \"127.0.0.1:9\"\n[kafka.tls]\n[kafka.sasl]\nuser = \"w\"\npassword = {secret}\n\
             [clickhouse]\nurl = \"http://127.0.0.1:9\"\npassword = {secret}\n\
             [operations]\nlisten = \"127.0.0.1:0\"\n\
             [console]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1\"\nadministrator_password = {secret}\n\
             [console.identity]\nissuer = \"https://127.0.0.1\"\nclient_id = \"w\"\nclient_secret = {secret}\n\
             [draft_help]\n{help}\n[report_help]\n{help}\n\
             [[channel]]\nname = \"c\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9\"\ntoken = {secret}\n"
        );
        std::fs::write(&path, &text).unwrap();
        let settings = format!("{:?}", Settings::load(&path).unwrap());
        let beside = format!("{:?}", folder.path().join("secret"));
        assert_eq!(
            settings.matches(&beside).count(),
            text.matches(secret).count(),
            "{settings}"
        );
    }

    #[test]
    fn the_settings_that_ship_show_every_field() {
        let shipped = include_str!("../../deploy/config/responder.toml");
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
