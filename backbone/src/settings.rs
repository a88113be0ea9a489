//! Settings: TOML files with unknown fields refused, and secrets from the environment or files.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::ClientConfig;
use reqwest::Url;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::de::{DeArray, DeTable};

use crate::kafka::ClientConfigError;

/// Why a settings file was refused. The text names the file, the line where it is known, and the remedy.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file could not be read.
    #[error("cannot read {path}; see that it is there, is text and may be read, and that its name is right where it is given", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML of the expected shape, or its values do not agree with each other or with another file.
    #[error("{path}{line}: {problem}", path = path.display(), line = line.map_or_else(String::new, |line| format!(":{line}")))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line of the field or the entry at fault, from 1, where it is found.
        line: Option<usize>,
        /// The field at fault, what is wrong and the remedy.
        problem: Flaw,
    },
    /// A secret is neither in the environment nor in a file, or a file that is named cannot be read.
    #[error("`{field}` {problem}")]
    Secret {
        /// The field that names the secret.
        field: String,
        /// What is wrong with it, and what to set.
        problem: String,
    },
    /// Several of these.
    #[error("{}", .0.iter().map(Self::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<Self>),
}

impl SettingsError {
    /// Each of several; itself where it is one.
    #[must_use]
    pub fn each(&self) -> &[Self] {
        match self {
            Self::Several(all) => all,
            one => std::slice::from_ref(one),
        }
    }
}

/// Problems that are told at once, at most: a file may come from anybody who uploads one.
const MOST_PROBLEMS: usize = 200;

/// What is wrong with settings, in the order in which it was found: who reads them goes on where that can be done, so that all of it is
/// told at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<SettingsError>);

impl Problems {
    /// Adds a problem, once; none beyond the two hundredth.
    pub fn add(&mut self, problem: SettingsError) {
        if let SettingsError::Several(all) = problem {
            all.into_iter().for_each(|one| self.add(one));
            return;
        }
        let is_same = |known: &SettingsError| known.to_string() == problem.to_string();
        if self.0.len() < MOST_PROBLEMS && !self.0.iter().any(is_same) {
            self.0.push(problem);
        }
    }

    /// What was read; nothing where it could not be, which is added.
    pub fn take<T>(&mut self, read: Result<T, SettingsError>) -> Option<T> {
        read.map_err(|problem| self.add(problem)).ok()
    }

    /// Adds what is wrong with the values of a file.
    pub fn note(&mut self, path: &Path, flaws: impl IntoIterator<Item = impl Into<Flaw>>) {
        let mut flaws = flaws.into_iter().peekable();
        if flaws.peek().is_some() {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            self.note_in(path, &text, flaws);
        }
    }

    /// As [`Problems::note`], of the text that the file has, or is to have.
    pub fn note_in(
        &mut self,
        path: &Path,
        text: &str,
        flaws: impl IntoIterator<Item = impl Into<Flaw>>,
    ) {
        let document = DeTable::parse(text).ok();
        for flaw in flaws.into_iter().take(MOST_PROBLEMS) {
            let problem = flaw.into();
            let place = (document.as_ref().zip(problem.field()))
                .and_then(|(document, field)| place_of(document.get_ref(), &field));
            self.add(SettingsError::Invalid {
                path: path.to_owned(),
                line: place.map(|place| line_at(text, place)),
                problem,
            });
        }
    }

    /// What came of trying a value of a file; nothing where that failed, which is added.
    pub fn tried<T>(
        &mut self,
        path: &Path,
        tried: Result<T, impl Into<anyhow::Error>>,
    ) -> Option<T> {
        let told = |failure: anyhow::Error| format!("{failure:#}");
        tried
            .map_err(|failure| self.note(path, [told(failure.into())]))
            .ok()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes them, a line each.
    ///
    /// # Errors
    /// When there are any, or `out` cannot be written.
    pub fn tell(&self, out: &mut impl Write) -> anyhow::Result<()> {
        for problem in &self.0 {
            writeln!(out, "{problem}")?;
        }
        match self.0.len() {
            0 => Ok(()),
            1 => bail!("1 problem, see above"),
            MOST_PROBLEMS => bail!(
                "{MOST_PROBLEMS} problems, see above; mend them and check again, for there may be more"
            ),
            several => bail!("{several} problems, see above"),
        }
    }
}

/// What is read, where nothing is wrong with it.
///
/// # Errors
/// All that is wrong.
pub fn faultless<T>(read: impl FnOnce(&mut Problems) -> Option<T>) -> Result<T, SettingsError> {
    let mut problems = Problems::default();
    match read(&mut problems) {
        Some(read) if problems.is_empty() => Ok(read),
        _ if problems.0.len() == 1 => Err(problems.0.remove(0)),
        _ => Err(SettingsError::Several(problems.0)),
    }
}

/// Where a field begins, such as `fetch.per_host` or `unit[2].places`; where it is not there itself, what it would be in.
fn place_of(document: &DeTable<'_>, field: &str) -> Option<usize> {
    let mut found = None;
    let (mut table, mut list) = (Some(document), None);
    for part in field.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        let index = part.parse::<usize>().ok();
        let named = table.and_then(|table: &DeTable<'_>| table.get_key_value(part));
        let numbered = list
            .zip(index)
            .and_then(|(list, index): (&DeArray<'_>, _)| list.get(index));
        let (start, value) = match (named, numbered) {
            (Some((key, value)), _) => (key.span().start, value),
            (None, Some(value)) => (value.span().start, value),
            (None, None) => break,
        };
        found = Some(start);
        (table, list) = (value.get_ref().as_table(), value.get_ref().as_array());
    }
    found
}

/// The line of a byte, from 1.
fn line_at(text: &str, start: usize) -> usize {
    let before = text.bytes().take(start);
    before.filter(|byte| *byte == b'\n').count() + 1
}

/// Why values are refused: the field at fault, what is wrong and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{english}")]
pub struct Flaw {
    english: String,
    chinese: String,
    entry: Option<String>,
}

impl Flaw {
    /// In the words of the programs, which `Display` gives, and in those of the console.
    #[must_use]
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self {
            english: english.into(),
            chinese: chinese.into(),
            entry: None,
        }
    }

    /// The same of an entry of a list, such as `unit[2]`, that the text calls by name.
    #[must_use]
    pub fn of(self, entry: String) -> Self {
        Self {
            entry: Some(entry),
            ..self
        }
    }

    /// The field at fault: what the text quotes first, within the entry that it is of.
    fn field(&self) -> Option<String> {
        let quoted = self.english.split('`').nth(1);
        match &self.entry {
            Some(entry) => Some(format!("{entry}.{}", quoted.unwrap_or_default())),
            None => quoted.map(str::to_owned),
        }
    }

    /// As the console says it.
    #[must_use]
    pub fn told(&self) -> &str {
        &self.chinese
    }
}

/// Of settings that the console does not show.
impl From<String> for Flaw {
    fn from(english: String) -> Self {
        Self::new(english.clone(), english)
    }
}

/// Reads a TOML file of type `T`, which should refuse unknown fields, and checks what types cannot say. What is wrong is added to the
/// problems; a file that has the expected shape is read all the same.
pub fn load<T: DeserializeOwned, F: Into<Flaw>>(
    path: &Path,
    check: impl FnOnce(&T) -> Vec<F>,
    problems: &mut Problems,
) -> Option<T> {
    let text = problems.take(read(path))?;
    parse(path, &text, check, problems)
}

/// The text of a settings file.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map_err(|source| SettingsError::Read {
        path: path.to_owned(),
        source,
    })
}

/// As [`load`], of the text that the file has, or is to have.
pub fn parse<T: DeserializeOwned, F: Into<Flaw>>(
    path: &Path,
    text: &str,
    check: impl FnOnce(&T) -> Vec<F>,
    problems: &mut Problems,
) -> Option<T> {
    let settings = match toml::from_str(text) {
        Ok(settings) => settings,
        Err(error) => {
            let problem = error.message().replace('\n', " ");
            problems.add(SettingsError::Invalid {
                path: path.to_owned(),
                line: Some(line_at(text, error.span().map_or(0, |span| span.start))),
                problem: Flaw::new(problem.as_str(), format!("写法或字段不对：{problem}")),
            });
            return None;
        }
    };
    problems.note_in(path, text, check(&settings));
    Some(settings)
}

/// Writes settings as a file that [`load`] reads.
///
/// # Errors
/// When they have no form in TOML, or the file cannot be written.
pub fn write<T: Serialize>(path: &Path, settings: &T) -> anyhow::Result<()> {
    let text = toml::to_string(settings).with_context(|| path.display().to_string())?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A path of a settings file, which is relative to that file.
#[must_use]
pub fn beside(settings: &Path, path: &Path) -> PathBuf {
    settings.parent().unwrap_or(Path::new(".")).join(path)
}

/// What is wrong with the list of the regions that a process serves.
#[must_use]
pub fn check_regions(regions: &[PathBuf]) -> Option<String> {
    regions.is_empty().then(|| {
        "`regions` is empty; name the folder of a region, such as \"region/360921\"".to_owned()
    })
}

/// What is wrong with an address on the web. The address itself is not repeated: there may be a secret in it.
#[must_use]
pub fn check_web(field: &str, address: &str) -> Option<String> {
    match Url::parse(address) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some(format!("`{field}` must begin with https:// or http://"))
        }
        Ok(url) if url.password().is_some() => Some(format!(
            "`{field}` holds a password; put it into an environment variable or a file, and name that in the settings"
        )),
        Ok(_) => None,
        Err(problem) => Some(format!(
            "`{field}` is no address ({problem}); write it as https://host/path"
        )),
    }
}

/// The environment variable that names the folder of a process's secrets: set by systemd for `LoadCredential=`, and in
/// the containers' settings for the secrets that are mounted there.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A secret, kept out of the settings file: the environment variable or the file that holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Environment variable that holds the secret; where it is not set, the file of that name in the folder
    /// `CREDENTIALS_DIRECTORY`, as its first line.
    #[serde(default)]
    pub env: Option<String>,
    /// File that holds the secret, as its first line; relative to the file that names it.
    #[serde(default)]
    pub file: Option<PathBuf>,
}

impl Secret {
    /// Makes its file relative to the settings file that names it.
    pub fn put_beside(&mut self, settings: &Path) {
        self.file = self.file.take().map(|file| beside(settings, &file));
    }

    /// The secret's value, or nothing where neither variable nor file is set.
    ///
    /// # Errors
    /// When the named file cannot be read.
    pub fn read(&self, field: &str) -> Result<Option<String>, SettingsError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        self.read_with(field, &variable)
    }

    fn read_with(
        &self,
        field: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, SettingsError> {
        if let Some(name) = &self.env {
            if let Some(value) = variable(name) {
                return Ok(Some(value));
            }
            let credential = variable(CREDENTIALS).map(|folder| Path::new(&folder).join(name));
            if let Some(path) = credential.filter(|path| path.exists()) {
                return first_line(&path, field);
            }
        }
        match &self.file {
            Some(path) => first_line(path, field),
            None => Ok(None),
        }
    }

    /// Looks that it is set, where it names a variable or a file at all.
    ///
    /// # Errors
    /// When it is not set; the error names what to set.
    pub fn check(&self, field: &str) -> Result<(), SettingsError> {
        match *self == Self::default() {
            true => Ok(()),
            false => self.require(field).map(drop),
        }
    }

    /// The secret's value.
    ///
    /// # Errors
    /// When it is not set; the error names what to set.
    pub fn require(&self, field: &str) -> Result<String, SettingsError> {
        self.read(field)?.ok_or_else(|| SettingsError::Secret {
            field: field.to_owned(),
            problem: match (&self.env, &self.file) {
                (Some(name), _) => format!("is not set: set the environment variable {name}"),
                (None, Some(path)) => format!("is not set: write it to {}", path.display()),
                (None, None) => "is not set: give it an `env` or a `file`".to_owned(),
            },
        })
    }
}

/// The first line of a secret's file, or nothing where it is empty.
fn first_line(path: &Path, field: &str) -> Result<Option<String>, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text
            .lines()
            .next()
            .map(str::to_owned)
            .filter(|line| !line.is_empty())),
        Err(error) => Err(SettingsError::Secret {
            field: field.to_owned(),
            problem: format!("cannot be read from {}: {error}", path.display()),
        }),
    }
}

/// Where Kafka is and how topics are made there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// Broker addresses, `host:port` separated by commas.
    pub brokers: String,
    /// Partitions of the topics Wensheng creates. Equal for all of them: an assessment has the
    /// partition number of its post.
    #[serde(default = "default_partitions")]
    pub partitions: i32,
    /// Copies of each partition of the topics Wensheng creates: 1 on one broker, 3 on three.
    #[serde(default = "default_replication")]
    pub replication: i32,
    /// Longest wait for an answer of the brokers, in milliseconds.
    #[serde(default = "default_request_timeout_ms")]
    pub request_timeout_ms: u64,
    /// Whether the brokers are to know a message that is sent again by its producer's number and place. Without it one is on its way at
    /// a time, and one sent again may stand in a topic twice, which changes nothing: ids tell.
    #[serde(default = "default_idempotence")]
    pub idempotence: bool,
    /// How connections to the brokers are encrypted; in the clear where it is not set.
    #[serde(default)]
    pub tls: Option<KafkaTls>,
    /// Whom the brokers know this process as; needs `tls`.
    #[serde(default)]
    pub sasl: Option<KafkaSasl>,
}

/// TLS to the brokers. The host of each must be in its certificate.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaTls {
    /// PEM file of the certificates that the brokers' were signed with; those that the system trusts where it is not set.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// PEM file of this process's own certificate, for brokers that want one.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// A user of the brokers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaSasl {
    /// How the password is proved.
    #[serde(default)]
    pub mechanism: SaslMechanism,
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: Secret,
}

/// How a password is proved to the brokers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SaslMechanism {
    /// Without telling it (RFC 5802), by SHA-512.
    #[default]
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
    /// The same by SHA-256.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// By telling it.
    Plain,
}

fn default_partitions() -> i32 {
    6
}

fn default_replication() -> i32 {
    1
}

fn default_idempotence() -> bool {
    true
}

fn default_request_timeout_ms() -> u64 {
    30_000
}

impl ClickHouse {
    /// What is wrong with its values.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let name = (!is_name(&self.database)).then(|| {
            format!(
                "`clickhouse.database` is \"{}\"; write a name of letters, digits and underscores",
                self.database
            )
        });
        let url = check_web("clickhouse.url", &self.url);
        url.into_iter().chain(name).collect()
    }

    /// The same with paths relative to a settings file.
    #[must_use]
    pub fn beside(mut self, settings: &Path) -> Self {
        self.ca = self.ca.map(|file| beside(settings, &file));
        self.password.put_beside(settings);
        self
    }
}

impl Kafka {
    /// Kafka at these addresses, everything else as it is by default.
    #[must_use]
    pub fn at(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            partitions: default_partitions(),
            replication: default_replication(),
            request_timeout_ms: default_request_timeout_ms(),
            idempotence: default_idempotence(),
            tls: None,
            sasl: None,
        }
    }

    /// The same with paths relative to a settings file.
    #[must_use]
    pub fn beside(mut self, settings: &Path) -> Self {
        let of = |file: &mut Option<PathBuf>| {
            *file = file.take().map(|file| beside(settings, &file));
        };
        if let Some(tls) = &mut self.tls {
            of(&mut tls.ca);
            of(&mut tls.certificate);
            of(&mut tls.key);
        }
        if let Some(sasl) = &mut self.sasl {
            sasl.password.put_beside(settings);
        }
        self
    }

    /// The longest wait for an answer of the brokers.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// What is wrong with its values.
    #[must_use]
    pub fn check(&self) -> Vec<ClientConfigError> {
        let is_place = |broker: &str| {
            let place = broker.trim().rsplit_once(':');
            place.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        let has_half = |tls: &KafkaTls| tls.certificate.is_some() != tls.key.is_some();
        [
            (
                !self.brokers.split(',').all(is_place),
                "kafka.brokers",
                "must be host:port, with commas between several",
            ),
            (self.partitions < 1, "kafka.partitions", "must be 1 or more"),
            (
                !(1..=i32::from(i16::MAX)).contains(&self.replication),
                "kafka.replication",
                "must be 1 or more, and no more than there are brokers",
            ),
            (
                !(100..=300_000).contains(&self.request_timeout_ms),
                "kafka.request_timeout_ms",
                "must be 100 to 300000",
            ),
            (
                self.tls.as_ref().is_some_and(has_half),
                "kafka.tls",
                "has one of `certificate` and `key`; give both or neither",
            ),
            (
                self.sasl.is_some() && self.tls.is_none(),
                "kafka.sasl",
                "needs [kafka.tls], or others on the way could act in its name",
            ),
        ]
        .into_iter()
        .filter(|(is_wrong, ..)| *is_wrong)
        .map(|(_, field, problem)| ClientConfigError::new(field, problem))
        .collect()
    }

    /// The settings common to every client.
    ///
    /// # Errors
    /// When a value makes no sense; the error names the field.
    pub fn client_config(&self) -> Result<ClientConfig, ClientConfigError> {
        if let Some(problem) = self.check().into_iter().next() {
            return Err(problem);
        }
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "wensheng")
            .set("reconnect.backoff.max.ms", "2000")
            .set("socket.keepalive.enable", "true");
        self.protect(&mut config)?;
        Ok(config)
    }

    fn protect(&self, config: &mut ClientConfig) -> Result<(), ClientConfigError> {
        let Some(tls) = &self.tls else {
            return Ok(());
        };
        config.set("security.protocol", "ssl");
        for (field, setting, file) in [
            ("kafka.tls.ca", "ssl.ca.location", &tls.ca),
            (
                "kafka.tls.certificate",
                "ssl.certificate.location",
                &tls.certificate,
            ),
            ("kafka.tls.key", "ssl.key.location", &tls.key),
        ] {
            let Some(file) = file else { continue };
            std::fs::File::open(file).map_err(|error| {
                ClientConfigError::new(field, format!("cannot read {}: {error}", file.display()))
            })?;
            config.set(setting, file.to_string_lossy());
        }
        if let Some(sasl) = &self.sasl {
            let password = sasl
                .password
                .require("kafka.sasl.password")
                .map_err(|error| {
                    ClientConfigError::new("kafka.sasl", format!("has no password: {error}"))
                })?;
            let mechanism = match sasl.mechanism {
                SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
                SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
                SaslMechanism::Plain => "PLAIN",
            };
            config
                .set("security.protocol", "sasl_ssl")
                .set("sasl.mechanism", mechanism)
                .set("sasl.username", &sasl.user)
                .set("sasl.password", password);
        }
        Ok(())
    }
}

/// Where ClickHouse is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClickHouse {
    /// Address of its HTTP interface, such as `http://127.0.0.1:8123` or, with TLS, `https://clickhouse.example.gov.cn:8443`.
    pub url: String,
    /// PEM file of the certificates that its own was signed with; those that the system trusts where it is not set.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Database, created where missing.
    #[serde(default = "default_database")]
    pub database: String,
    /// Whether the analyzer makes the database and its tables with replicas on other servers, which takes Keeper.
    #[serde(default)]
    pub replicated: bool,
    /// User name; empty for ClickHouse's default user.
    #[serde(default)]
    pub user: String,
    /// The user's password.
    #[serde(default)]
    pub password: Secret,
}

fn default_database() -> String {
    "wensheng".to_owned()
}

/// The port for operators: `/health/live`, `/health/ready`, `/metrics`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// Address to listen on, such as `127.0.0.1:9101`; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// The fields of settings `T` that lack a documentation comment, as dotted paths; for the tests
/// that keep every field documented.
#[must_use]
pub fn undocumented_fields<T: JsonSchema>() -> Vec<String> {
    let fields = fields_of::<T>().into_iter();
    let undocumented = fields.filter(|(_, is_documented)| !is_documented);
    undocumented.map(|(path, _)| path).collect()
}

/// The fields of settings `T` that the file which ships does not show; for the tests that keep it whole.
#[must_use]
pub fn fields_not_shown<T: JsonSchema>(shipped: &str) -> Vec<String> {
    let names: BTreeSet<&str> = shipped
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .collect();
    let paths = fields_of::<T>().into_iter().map(|(path, _)| path);
    paths
        .filter(|path| !names.contains(path.rsplit('.').next().unwrap_or_default()))
        .collect()
}

/// The fields of settings `T` as dotted paths, and whether each has a documentation comment.
fn fields_of<T: JsonSchema>() -> Vec<(String, bool)> {
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    let mut fields = Vec::new();
    collect_fields(&schema, "", &mut fields);
    fields
}

fn collect_fields(schema: &serde_json::Value, path: &str, fields: &mut Vec<(String, bool)>) {
    if let Some(properties) = schema.get("properties").and_then(|value| value.as_object()) {
        for (name, field) in properties {
            let field_path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            // What tells variants apart is explained by the variant.
            let is_documented = field.get("description").is_some() || field.get("const").is_some();
            fields.push((field_path.clone(), is_documented));
            collect_fields(field, &field_path, fields);
        }
    }
    for part in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(part) {
            collect_fields(inner, path, fields);
        }
    }
    for part in ["anyOf", "oneOf"] {
        for inner in schema
            .get(part)
            .and_then(|value| value.as_array())
            .into_iter()
            .flatten()
        {
            collect_fields(inner, path, fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_its_variable_then_from_the_folder_of_credentials_then_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let secret = Secret {
            env: Some("WENSHENG_KEY".to_owned()),
            file: Some(write("file", "of the file\n")),
        };
        let read = |variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
                Some((*value).to_owned())
            };
            secret.read_with("key", &variable).unwrap()
        };
        let credentials = (CREDENTIALS, folder.path().to_str().unwrap());
        assert_eq!(read(&[]).unwrap(), "of the file");
        assert_eq!(
            read(&[credentials]).unwrap(),
            "of the file",
            "the folder has none of that name"
        );
        write("WENSHENG_KEY", "of the folder\nnot this\n");
        assert_eq!(read(&[credentials]).unwrap(), "of the folder");
        assert_eq!(
            read(&[credentials, ("WENSHENG_KEY", "of the variable")]).unwrap(),
            "of the variable"
        );
    }
}
