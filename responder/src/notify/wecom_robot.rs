//! A group robot of WeCom (企业微信群机器人): Markdown of at most 4,096 bytes, 20 messages a minute
//! (developer.work.weixin.qq.com/document/path/91770; codes: …/path/90313).

use std::time::Duration;

use backbone::settings::Secret;
use reqwest::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::http::{self, Codes};
use super::message::Message;
use super::rate::Rate;
use super::refusal::Refusal;
use super::{address, form};

const MOST_BYTES: usize = 4_096;

pub(super) const RATE: Rate = Rate::per_minute(20);

const CODES: Codes = Codes {
    fields: ("errcode", "errmsg"),
    busy: (&[45_009, 45_033], 60),
    later: &[-1, 6_000],
    remedies: &[
        (
            93_000,
            "the robot is not in the group any more or its key is wrong; set `key` anew",
        ),
        (40_058, "the message is not as the service wants it"),
    ],
};

/// Settings of a group robot of WeCom.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WecomRobot {
    /// Address of the service; another one for a WeCom of one's own.
    #[serde(default = "wecom")]
    pub url: Url,
    /// The key in the robot's address, behind `key=`.
    pub key: Secret,
}

/// The public service.
#[allow(clippy::unwrap_used, reason = "a constant address, which a test reads")]
pub(super) fn wecom() -> Url {
    Url::parse("https://qyapi.weixin.qq.com/").unwrap()
}

/// A robot that sends.
#[derive(Debug)]
pub(super) struct Sender {
    address: Url,
    key: String,
    client: Client,
}

impl Sender {
    pub(super) fn new(
        settings: &WecomRobot,
        field: &str,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let key = settings.key.require(&format!("{field}.key"))?;
        let mut address = address(&settings.url, "cgi-bin/webhook/send")?;
        address.query_pairs_mut().append_pair("key", &key);
        Ok(Self {
            address,
            key,
            client: http::client(timeout)?,
        })
    }

    pub(super) async fn send(&self, message: &Message<'_>) -> Result<(), Refusal> {
        let content = form::markdown(&message.wording, MOST_BYTES, "\n");
        let body = json!({ "msgtype": "markdown", "markdown": { "content": content } });
        let request = self.client.post(self.address.clone()).json(&body);
        http::ask::<Value>(request, &CODES)
            .await
            .map(|_| ())
            .map_err(|refusal| refusal.without([self.key.as_str()]))
    }
}
