//! A group robot of Feishu (飞书自定义机器人), signed: a card; at most 20 KB a request, 100 messages a minute and 5 a
//! second (open.feishu.cn/document/client-docs/bot-v3/add-custom-bot, which gives 30 KB for a card elsewhere).

use std::time::Duration;

use anyhow::Context;
use backbone::settings::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
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

/// What is left of 20 KB for the text when each of its characters is escaped in JSON.
const MOST_BYTES: usize = 9_000;

pub(super) const RATE: Rate = Rate {
    short: Some((5, SignedDuration::from_secs(1))),
    ..Rate::per_minute(100)
};

const CODES: Codes = Codes {
    fields: ("code", "msg"),
    // 11232 comes at full hours too, when the service is under load.
    busy: (&[9_499, 11_232, 99_991_400], 60),
    later: &[19_099],
    remedies: &[
        (
            19_001,
            "the hook is wrong or the robot is gone; set `hook` anew",
        ),
        (
            19_021,
            "the signature does not fit: set `secret` anew and check this machine's clock",
        ),
        (
            19_022,
            "this machine's address is not among those the robot allows",
        ),
        (
            19_024,
            "none of the robot's keywords is in the message; add 【 to them",
        ),
    ],
};

/// Settings of a group robot of Feishu.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feishu {
    /// Address of the service; another one for a Feishu of one's own.
    #[serde(default = "feishu")]
    pub url: Url,
    /// The last part of the robot's address, behind `/hook/`.
    pub hook: Secret,
    /// The secret that messages are signed with (签名校验); not signed where it is not named.
    #[serde(default)]
    pub secret: Option<Secret>,
}

#[allow(clippy::unwrap_used, reason = "a constant address, which a test reads")]
fn feishu() -> Url {
    Url::parse("https://open.feishu.cn/").unwrap()
}

/// A robot that sends.
#[derive(Debug)]
pub(super) struct Sender {
    address: Url,
    hook: String,
    secret: Option<String>,
    client: Client,
}

impl Sender {
    pub(super) fn new(settings: &Feishu, field: &str, timeout: Duration) -> anyhow::Result<Self> {
        let hook = settings.hook.require(&format!("{field}.hook"))?;
        let secret = settings.secret.as_ref();
        Ok(Self {
            address: address(&settings.url, &format!("open-apis/bot/v2/hook/{hook}"))?,
            hook,
            secret: secret
                .map(|secret| secret.require(&format!("{field}.secret")))
                .transpose()?,
            client: http::client(timeout)?,
        })
    }

    pub(super) async fn send(&self, message: &Message<'_>, now: Timestamp) -> Result<(), Refusal> {
        let mut body = json!({ "msg_type": "interactive", "card": card(message) });
        if let (Some(secret), Some(body)) = (&self.secret, body.as_object_mut()) {
            let time = now.as_second().to_string();
            let signature = signature(&format!("{time}\n{secret}"))
                .map_err(|error| Refusal::never(error.to_string()))?;
            body.insert("timestamp".to_owned(), Value::from(time));
            body.insert("sign".to_owned(), Value::from(signature));
        }
        let request = self.client.post(self.address.clone()).json(&body);
        let secret = self.secret.as_deref().unwrap_or_default();
        http::ask::<Value>(request, &CODES)
            .await
            .map(|_| ())
            .map_err(|refusal| refusal.without([self.hook.as_str(), secret]))
    }
}

/// A card: all that others wrote is plain text, in which nothing is a mark.
fn card(message: &Message<'_>) -> Value {
    let wording = &message.wording;
    let colour = match wording.level {
        1 => "red",
        2 => "orange",
        3 => "yellow",
        _ => "blue",
    };
    json!({
        "header": {
            "title": { "tag": "plain_text", "content": format!("【{}】", wording.heading) },
            "template": colour,
        },
        "elements": [
            { "tag": "div", "text": { "tag": "plain_text", "content": form::card(wording, MOST_BYTES) } },
            { "tag": "action", "actions": [{
                "tag": "button",
                "text": { "tag": "plain_text", "content": wording.link_title },
                "type": "primary",
                "url": wording.link,
            }] },
        ],
    })
}

/// Feishu's signature: the time and the secret are the key, and nothing is signed.
fn signature(key: &str) -> anyhow::Result<String> {
    let mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).context("cannot sign with this key")?;
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}
