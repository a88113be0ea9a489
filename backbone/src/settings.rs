//! Settings: TOML files with unknown fields refused, and secrets from the environment or files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rdkafka::ClientConfig;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

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
    /// The file is not TOML of the expected shape.
    #[error("{path}:{line}: {problem}", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line of the problem, from 1.
        line: usize,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// The values do not agree with each other or with another file.
    #[error("{path}: {problem}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The field at fault, what is wrong and the remedy.
        problem: Flaw,
    },
    /// A secret is neither in the environment nor in a file.
    #[error("secret for `{field}` is not set: {remedy}")]
    Secret {
        /// The field that names the secret.
        field: String,
        /// What to set.
        remedy: String,
    },
}

/// Why values are refused: the field at fault, what is wrong and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{english}")]
pub struct Flaw {
    english: String,
    chinese: String,
}

impl Flaw {
    /// In the words of the programs, which `Display` gives, and in those of the console.
    #[must_use]
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self {
            english: english.into(),
            chinese: chinese.into(),
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

/// Reads a TOML file of type `T`, which should refuse unknown fields, and checks what types cannot say.
///
/// # Errors
/// When the file cannot be read, or does not fit; the error names file, line and field.
pub fn load<T: DeserializeOwned>(
    path: &Path,
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, SettingsError> {
    parse(path, &read(path)?, |settings| {
        check(settings).map_err(Flaw::from)
    })
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
///
/// # Errors
/// When it does not fit; the error names file, line and field.
pub fn parse<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    check: impl FnOnce(&T) -> Result<(), Flaw>,
) -> Result<T, SettingsError> {
    let settings = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            text.bytes()
                .take(span.start)
                .filter(|byte| *byte == b'\n')
                .count()
                + 1
        });
        SettingsError::Parse {
            path: path.to_owned(),
            line,
            problem: error.message().replace('\n', " "),
        }
    })?;
    match check(&settings) {
        Ok(()) => Ok(settings),
        Err(problem) => Err(SettingsError::Invalid {
            path: path.to_owned(),
            problem,
        }),
    }
}

/// A path of a settings file, which is relative to that file.
#[must_use]
pub fn beside(settings: &Path, path: &Path) -> PathBuf {
    settings.parent().unwrap_or(Path::new(".")).join(path)
}

/// Checks that a process serves a region at all.
///
/// # Errors
/// Says what to name.
pub fn check_regions(regions: &[PathBuf]) -> Result<(), String> {
    if regions.is_empty() {
        return Err(
            "`regions` is empty; name the folder of a region, such as \"region/360921\"".to_owned(),
        );
    }
    Ok(())
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

    /// The secret's value.
    ///
    /// # Errors
    /// When it is not set; the error names what to set.
    pub fn require(&self, field: &str) -> Result<String, SettingsError> {
        self.read(field)?.ok_or_else(|| SettingsError::Secret {
            field: field.to_owned(),
            remedy: match (&self.env, &self.file) {
                (Some(name), _) => format!("set the environment variable {name}"),
                (None, Some(path)) => format!("write it to {}", path.display()),
                (None, None) => format!("give `{field}` an `env` or a `file`"),
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
            remedy: format!("cannot read {}: {error}", path.display()),
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

    /// The settings common to every client.
    ///
    /// # Errors
    /// When a value makes no sense; the error names the field.
    pub fn client_config(&self) -> Result<ClientConfig, ClientConfigError> {
        if self.brokers.trim().is_empty() {
            return Err(ClientConfigError::new(
                "kafka.brokers",
                "is empty; give host:port",
            ));
        }
        if self.partitions < 1 {
            return Err(ClientConfigError::new(
                "kafka.partitions",
                "must be 1 or more",
            ));
        }
        if self.replication < 1 {
            return Err(ClientConfigError::new(
                "kafka.replication",
                "must be 1 or more",
            ));
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
            return match self.sasl {
                Some(_) => Err(ClientConfigError::new(
                    "kafka.sasl",
                    "needs [kafka.tls], or others on the way could act in its name",
                )),
                None => Ok(()),
            };
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
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err(ClientConfigError::new(
                "kafka.tls",
                "has one of `certificate` and `key`; give both or neither",
            ));
        }
        if let Some(sasl) = &self.sasl {
            let password = sasl
                .password
                .require("kafka.sasl.password")
                .map_err(|error| ClientConfigError::new("kafka.sasl", error.to_string()))?;
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
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    let mut missing = Vec::new();
    collect_undocumented(&schema, "", &mut missing);
    missing
}

fn collect_undocumented(schema: &serde_json::Value, path: &str, missing: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(|value| value.as_object()) {
        for (name, field) in properties {
            let field_path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            // What tells variants apart is explained by the variant.
            if field.get("description").is_none() && field.get("const").is_none() {
                missing.push(field_path.clone());
            }
            collect_undocumented(field, &field_path, missing);
        }
    }
    for part in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(part) {
            collect_undocumented(inner, path, missing);
        }
    }
    for part in ["anyOf", "oneOf"] {
        for inner in schema
            .get(part)
            .and_then(|value| value.as_array())
            .into_iter()
            .flatten()
        {
            collect_undocumented(inner, path, missing);
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
