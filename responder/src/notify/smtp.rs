//! Mail by SMTP (RFC 5321), with STARTTLS unless the settings say otherwise. A mail has the notice's id as its
//! `Message-ID`, so that a mailbox shows one that came twice once, where it can.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use backbone::settings::Secret;
use jiff::Timestamp;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body as MailBody, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::form;
use super::message::Message;
use super::rate::Rate;
use super::refusal::Refusal;

/// What a mail server of an office takes without complaint.
pub(super) const RATE: Rate = Rate::per_minute(60);
/// Most bytes of a mail's text.
const MOST_BYTES: usize = 32 * 1024;

/// Settings of mail.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The mail server.
    pub host: String,
    /// Its port; 587 with `starttls`, 465 with `tls`, 25 with `none` where it is not set.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected: `starttls`, `tls` or `none`.
    #[serde(default)]
    pub protection: Protection,
    /// A file with the certificate (PEM) of the authority that signed the server's, where this machine does not know it.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// Name to sign in with; not signed in where it is not set.
    #[serde(default)]
    pub user: Option<String>,
    /// The password of `user`.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The mailbox that mails come from, such as `闻声 <wensheng@county.example>`.
    pub from: String,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// TLS begun within the connection; without it nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all: for a server on the same machine.
    None,
}

impl Smtp {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.host.trim().is_empty() {
            return Err("`host` is empty; name the mail server".to_owned());
        }
        if self.from.parse::<Mailbox>().is_err() {
            return Err(format!(
                "`from` is `{}`, which is no mailbox; write it as 闻声 <name@host>",
                self.from
            ));
        }
        if self.user.is_some() != self.password.is_some() {
            return Err("`user` and `password` go together; give both or neither".to_owned());
        }
        if self.user.is_some() && self.protection == Protection::None {
            return Err(
                "`user` and `password` would be sent for all to read; set `protection` to starttls or tls"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Checks that a recipient is a mailbox.
pub(super) fn check_recipient(to: &str) -> Result<(), String> {
    match to.parse::<Address>() {
        Ok(_) => Ok(()),
        Err(_) if to.is_empty() => Err("`to` is missing; give a mailbox".to_owned()),
        Err(_) => Err("`to` is no mailbox; write it as name@host".to_owned()),
    }
}

/// Mail that is sent.
#[derive(Debug)]
pub(super) struct Sender {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    secrets: [String; 2],
}

impl Sender {
    pub(super) fn new(settings: &Smtp, field: &str, timeout: Duration) -> anyhow::Result<Self> {
        backbone::tls::install();
        let mut parameters = TlsParameters::builder(settings.host.clone());
        if let Some(path) = &settings.authority {
            let read = || format!("{field}.authority: cannot use {}", path.display());
            let pem = std::fs::read(path).with_context(read)?;
            parameters =
                parameters.add_root_certificate(Certificate::from_pem(&pem).with_context(read)?);
        }
        let parameters = parameters.build_rustls()?;
        let (tls, usual_port) = match settings.protection {
            Protection::Starttls => (Tls::Required(parameters), 587),
            Protection::Tls => (Tls::Wrapper(parameters), 465),
            Protection::None => (Tls::None, 25),
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.as_str())
                .port(settings.port.unwrap_or(usual_port))
                .tls(tls)
                .timeout(Some(timeout));
        let mut secrets = [String::new(), String::new()];
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            let password = password.require(&format!("{field}.password"))?;
            secrets = [user.clone(), password.clone()];
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            transport: builder.build(),
            from: settings
                .from
                .parse()
                .with_context(|| format!("{field}.from"))?,
            secrets,
        })
    }

    pub(super) async fn send(&self, message: &Message<'_>, now: Timestamp) -> Result<(), Refusal> {
        let mail = self
            .mail(message, now)
            .map_err(|problem| Refusal::never(problem.to_string()))?;
        let [user, password] = &self.secrets;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(refusal(&error).without([user.as_str(), password.as_str(), message.to]))
            }
        }
    }

    fn mail(&self, message: &Message<'_>, now: Timestamp) -> anyhow::Result<lettre::Message> {
        let domain = self.from.email.domain();
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, message.to.parse()?))
            .subject(form::subject(&message.wording))
            .date(SystemTime::try_from(now)?)
            .message_id(Some(format!("<{}@{domain}>", message.id)));
        let text = form::plain(&message.wording, MOST_BYTES);
        if message.files.is_empty() {
            return Ok(mail.header(ContentType::TEXT_PLAIN).body(text)?);
        }
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(text));
        for file in message.files {
            // Short, so that the header is one line: not all mailboxes read names on several.
            let attachment = Attachment::new(format!("report.{}", file.file));
            let kind = ContentType::parse(&file.kind)?;
            let bytes =
                MailBody::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64)
                    .map_err(|_| anyhow::anyhow!("a file cannot be attached"))?;
            parts = parts.singlepart(attachment.body(bytes, kind));
        }
        Ok(mail.multipart(parts)?)
    }
}

fn refusal(error: &lettre::transport::smtp::Error) -> Refusal {
    // The first cause says what the server said; the kind alone does not help.
    let mut problem = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !problem.contains(&said) {
            problem = format!("{problem}: {said}");
        }
        cause = inner.source();
    }
    // A server without STARTTLS stays one; what it refuses for good is refused for good.
    if error.is_permanent() || error.is_client() {
        Refusal::never(problem)
    } else {
        Refusal::later(problem)
    }
}
