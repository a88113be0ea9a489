//! Messages of an app of WeCom (企业微信应用消息) to members: text of at most 2,048 bytes; what one member is sent beyond
//! 30 messages a minute is dropped unseen (developer.work.weixin.qq.com/document/path/90236 and …/path/90312).

use std::time::Duration;

use backbone::settings::Secret;
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;
use url::Url;

use super::http::{self, Codes};
use super::message::Message;
use super::rate::Rate;
use super::refusal::Refusal;
use super::wecom_robot::wecom;
use super::{address, form};

const MOST_BYTES: usize = 2_048;

pub(super) const RATE: Rate = Rate {
    of_one: Some(30),
    ..Rate::per_minute(600)
};

/// The access token is not valid any more, or never was.
const STALE: [i64; 3] = [40_014, 41_001, 42_001];
/// A token is renewed so long before it ends.
const EARLY: SignedDuration = SignedDuration::from_secs(120);

const CODES: Codes = Codes {
    fields: ("errcode", "errmsg"),
    busy: (&[45_009, 45_033], 60),
    later: &[-1, 6_000, 40_014, 41_001, 42_001],
    remedies: &[
        (40_001, "the secret is wrong; set `secret` anew"),
        (40_013, "the corporation's id is wrong; correct `corp_id`"),
        (40_056, "the app's id is wrong; correct `agent_id`"),
        (
            60_020,
            "this machine's address is not among the app's trusted ones (企业可信IP); add it",
        ),
        (
            81_013,
            "the contact's `to` is no member who may use the app; correct it in units.toml or add the member",
        ),
        (
            48_002,
            "the app may not send messages; give it the right in the administration",
        ),
    ],
};

/// Settings of an app of WeCom.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WecomApp {
    /// Address of the service; another one for a WeCom of one's own.
    #[serde(default = "wecom")]
    pub url: Url,
    /// Id of the corporation (企业ID).
    pub corp_id: String,
    /// Id of the app (AgentId).
    pub agent_id: u64,
    /// The app's secret.
    pub secret: Secret,
}

/// An app that sends.
#[derive(Debug)]
pub(super) struct Sender {
    tokens: Url,
    messages: Url,
    agent: u64,
    secret: String,
    client: Client,
    token: Mutex<Option<Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    value: String,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    invaliduser: String,
    #[serde(default)]
    unlicenseduser: String,
}

impl Sender {
    pub(super) fn new(settings: &WecomApp, field: &str, timeout: Duration) -> anyhow::Result<Self> {
        let secret = settings.secret.require(&format!("{field}.secret"))?;
        let mut tokens = address(&settings.url, "cgi-bin/gettoken")?;
        tokens
            .query_pairs_mut()
            .append_pair("corpid", &settings.corp_id)
            .append_pair("corpsecret", &secret);
        Ok(Self {
            tokens,
            messages: address(&settings.url, "cgi-bin/message/send")?,
            agent: settings.agent_id,
            secret,
            client: http::client(timeout)?,
            token: Mutex::new(None),
        })
    }

    pub(super) async fn send(&self, message: &Message<'_>, now: Timestamp) -> Result<(), Refusal> {
        let token = self.token(None, now).await?;
        let sent = match self.post(message, &token).await {
            Err(refusal) if refusal.code.is_some_and(|code| STALE.contains(&code)) => {
                let renewed = self.token(Some(&token), now).await?;
                self.post(message, &renewed).await
            }
            other => other,
        };
        sent.map_err(|refusal| refusal.without([self.secret.as_str(), token.as_str(), message.to]))
    }

    /// The access token, asked for anew where there is none, where it ends, or where `stale` was refused.
    async fn token(&self, stale: Option<&str>, now: Timestamp) -> Result<String, Refusal> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref()
            && now < token.until
            && stale != Some(token.value.as_str())
        {
            return Ok(token.value.clone());
        }
        *kept = None;
        let granted: Granted = http::ask(self.client.get(self.tokens.clone()), &CODES)
            .await
            .map_err(|refusal| refusal.without([self.secret.as_str()]))?;
        let lasts = SignedDuration::from_secs(granted.expires_in.clamp(0, 86_400));
        *kept = Some(Token {
            value: granted.access_token.clone(),
            until: now + lasts - EARLY,
        });
        Ok(granted.access_token)
    }

    async fn post(&self, message: &Message<'_>, token: &str) -> Result<(), Refusal> {
        let mut address = self.messages.clone();
        address.query_pairs_mut().append_pair("access_token", token);
        // The same text to the same member within half an hour is a try repeated after a crash: each text has the
        // time at which it was queued.
        let body = json!({
            "touser": message.to,
            "msgtype": "text",
            "agentid": self.agent,
            "text": { "content": form::plain(&message.wording, MOST_BYTES) },
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 1_800,
        });
        let sent: Sent = http::ask(self.client.post(address).json(&body), &CODES).await?;
        let unknown = [&sent.invaliduser, &sent.unlicenseduser];
        let unknown: usize = unknown.iter().map(|users| members(users).count()).sum();
        if unknown >= members(message.to).count() {
            return Err(Refusal::never(
                "the contact's `to` is no member who may use the app; correct it in units.toml or add the member",
            ));
        }
        Ok(())
    }
}

fn members(users: &str) -> impl Iterator<Item = &str> {
    users.split('|').filter(|user| !user.is_empty())
}
