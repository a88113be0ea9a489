//! A group robot of DingTalk (钉钉自定义机器人), signed: at most 20,000 bytes, 20 messages a minute, beyond which it
//! takes none for ten minutes (open.dingtalk.com/document/orgapp/custom-robots-send-group-messages).

use std::time::Duration;

use anyhow::Context;
use backbone::settings::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::http::{self, Codes};
use super::message::Message;
use super::rate::Rate;
use super::refusal::Refusal;
use super::{address, form};

/// What is left of 20,000 bytes for the text when each of its characters is escaped in JSON.
const MOST_BYTES: usize = 9_000;

pub(super) const RATE: Rate = Rate::per_minute(20);

const CODES: Codes = Codes {
    fields: ("errcode", "errmsg"),
    busy: (&[130_101, 410_100], 600),
    later: &[-1],
    remedies: &[
        (
            310_000,
            "the robot's security settings refuse it: give `secret` for 加签, add 【 to its keywords, or this machine to its addresses",
        ),
        (300_001, "the token is wrong; set `access_token` anew"),
        (400_101, "the token is wrong; set `access_token` anew"),
        (
            400_102,
            "the robot is switched off; switch it on in the group",
        ),
        (400_013, "the group is dissolved; make a robot in another"),
        (400_106, "the robot is gone; make another"),
    ],
};

/// Settings of a group robot of DingTalk.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dingtalk {
    /// Address of the service; another one for a DingTalk of one's own.
    #[serde(default = "dingtalk")]
    pub url: Url,
    /// The token in the robot's address, behind `access_token=`.
    pub access_token: Secret,
    /// The secret that messages are signed with (加签); not signed where it is not named.
    #[serde(default)]
    pub secret: Option<Secret>,
}

#[allow(clippy::unwrap_used, reason = "a constant address, which a test reads")]
fn dingtalk() -> Url {
    Url::parse("https://oapi.dingtalk.com/").unwrap()
}

/// A robot that sends.
#[derive(Debug)]
pub(super) struct Sender {
    address: Url,
    token: String,
    secret: Option<String>,
    client: Client,
}

impl Sender {
    pub(super) fn new(settings: &Dingtalk, field: &str, timeout: Duration) -> anyhow::Result<Self> {
        let token = settings
            .access_token
            .require(&format!("{field}.access_token"))?;
        let secret = settings.secret.as_ref();
        let mut address = address(&settings.url, "robot/send")?;
        address
            .query_pairs_mut()
            .append_pair("access_token", &token);
        Ok(Self {
            address,
            token,
            secret: secret
                .map(|secret| secret.require(&format!("{field}.secret")))
                .transpose()?,
            client: http::client(timeout)?,
        })
    }

    pub(super) async fn send(&self, message: &Message<'_>, now: Timestamp) -> Result<(), Refusal> {
        let mut address = self.address.clone();
        if let Some(secret) = &self.secret {
            let time = now.as_millisecond().to_string();
            let signature = signed(&format!("{time}\n{secret}"), secret)
                .map_err(|error| Refusal::never(error.to_string()))?;
            address
                .query_pairs_mut()
                .append_pair("timestamp", &time)
                .append_pair("sign", &signature);
        }
        let body = json!({
            "msgtype": "markdown",
            "markdown": {
                "title": form::subject(&message.wording),
                "text": form::markdown(&message.wording, MOST_BYTES, "\n\n"),
            },
        });
        let request = self.client.post(address).json(&body);
        let secret = self.secret.as_deref().unwrap_or_default();
        http::ask::<Value>(request, &CODES)
            .await
            .map(|_| ())
            .map_err(|refusal| refusal.without([self.token.as_str(), secret]))
    }
}

/// HMAC-SHA256 of a text, in Base64.
fn signed(text: &str, key: &str) -> anyhow::Result<String> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).context("cannot sign with this key")?;
    mac.update(text.as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}
