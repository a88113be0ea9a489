//! Channels as configured, and each as something that sends: all say only that a message was taken, or why not and
//! whether to try again.

use std::path::Path;
use std::time::Duration;

use backbone::region::Reach;
use backbone::settings::{Flaw, Secret, beside};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::dingtalk::{self, Dingtalk};
use super::feishu::{self, Feishu};
use super::message::Message;
use super::rate::Rate;
use super::refusal::Refusal;
use super::smtp::{self, Smtp};
use super::webhook::{self, Webhook};
use super::wecom_app::{self, WecomApp};
use super::wecom_robot::{self, WecomRobot};

/// A channel that carries notices.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// Its name, in `units.toml` and `administrator.reach`.
    pub name: String,
    /// Longest wait for one message to be taken, in seconds, 1 to 120.
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u64,
    /// Tries before a message is given up and shown as failed; at most three where the contact has another channel to
    /// turn to.
    #[serde(default = "default_attempts")]
    pub attempts: u32,
    /// Most messages a minute, of all responders together; what the service takes where it is not set.
    #[serde(default)]
    pub per_minute: Option<u32>,
    /// What it is, with the fields of its kind.
    #[serde(flatten)]
    pub kind: ChannelKind,
}

/// The kinds of channels, each with fields of its own.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ChannelKind {
    /// A group robot of WeCom.
    WecomRobot(WecomRobot),
    /// Messages of an app of WeCom to members.
    WecomApp(WecomApp),
    /// A group robot of DingTalk.
    Dingtalk(Dingtalk),
    /// A group robot of Feishu.
    Feishu(Feishu),
    /// Mail.
    Smtp(Smtp),
    /// An address that takes a message by POST, such as an SMS gateway's.
    Webhook(Webhook),
}

fn default_timeout_seconds() -> u64 {
    10
}

fn default_attempts() -> u32 {
    12
}

impl Channel {
    /// What is wrong with it that types cannot say: the channel, the field and the remedy.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let of_kind = match &self.kind {
            ChannelKind::WecomRobot(robot) => web(&robot.url),
            ChannelKind::WecomApp(app) => web(&app.url),
            ChannelKind::Dingtalk(robot) => web(&robot.url),
            ChannelKind::Feishu(robot) => web(&robot.url),
            ChannelKind::Smtp(smtp) => smtp.check(),
            ChannelKind::Webhook(webhook) => web(&webhook.url).and_then(|()| webhook.check()),
        };
        let mut flaws: Vec<String> = of_kind.err().into_iter().collect();
        if !(1..=120).contains(&self.timeout_seconds) {
            flaws.push("`timeout_seconds` must be 1 to 120".to_owned());
        }
        if self.attempts == 0 || self.per_minute == Some(0) {
            flaws.push("`attempts` and `per_minute` must be 1 or more".to_owned());
        }
        let named = |problem| format!("channel \"{}\": {problem}", self.name);
        flaws.into_iter().map(named).collect()
    }

    /// The same with the paths of its files relative to the settings file.
    #[must_use]
    pub fn beside(mut self, settings: &Path) -> Self {
        let place = |secret: &mut Secret| secret.put_beside(settings);
        match &mut self.kind {
            ChannelKind::WecomRobot(robot) => place(&mut robot.key),
            ChannelKind::WecomApp(app) => place(&mut app.secret),
            ChannelKind::Dingtalk(robot) => {
                place(&mut robot.access_token);
                robot.secret.iter_mut().for_each(place);
            }
            ChannelKind::Feishu(robot) => {
                place(&mut robot.hook);
                robot.secret.iter_mut().for_each(place);
            }
            ChannelKind::Smtp(smtp) => {
                smtp.password.iter_mut().for_each(place);
                smtp.authority = smtp.authority.take().map(|file| beside(settings, &file));
            }
            ChannelKind::Webhook(webhook) => webhook.token.iter_mut().for_each(place),
        }
        self
    }

    /// Checks that a recipient is one for this channel.
    fn check_recipient(&self, to: &str) -> Result<(), Flaw> {
        let needs = |what: &str, told: &str| {
            Err(Flaw::new(
                format!("`to` is missing; give {what}"),
                format!("缺少 to，请填写{told}"),
            ))
        };
        match &self.kind {
            ChannelKind::WecomApp(_) if to.is_empty() => needs(
                "the member's account, or several with | between",
                "成员账号，多个之间用 | 隔开",
            ),
            ChannelKind::Smtp(_) => smtp::check_recipient(to)
                .map_err(|problem| Flaw::new(problem, "to 须是一个邮箱地址")),
            ChannelKind::Webhook(webhook) if webhook.names_recipient() && to.is_empty() => needs(
                "what the channel's `body` needs as `to`",
                "渠道的 body 所需的 to",
            ),
            ChannelKind::WecomRobot(_) | ChannelKind::Dingtalk(_) | ChannelKind::Feishu(_)
                if !to.is_empty() =>
            {
                Err(Flaw::new(
                    "`to` is of no use: a robot speaks to its whole group; remove it",
                    "to 没有用：机器人对全群发言，请去掉",
                ))
            }
            _ => Ok(()),
        }
    }
}

fn web(url: &Url) -> Result<(), String> {
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        return Ok(());
    }
    Err("`url` must begin with http or https".to_owned())
}

/// Checks that what someone is reached by exists and is complete.
///
/// # Errors
/// Names what is wrong and the remedy.
pub fn check_reach(reach: &Reach, channels: &[Channel]) -> Result<(), Flaw> {
    let name = &reach.channel;
    let Some(channel) = channels.iter().find(|known| known.name == *name) else {
        return Err(Flaw::new(
            format!("the channel `{name}` is not in the settings; add a [[channel]] of that name"),
            format!("设置中没有渠道 {name}，请添加该名称的 [[channel]]"),
        ));
    };
    channel.check_recipient(&reach.to).map_err(|problem| {
        Flaw::new(
            format!("channel `{name}`: {problem}"),
            format!("渠道 {name}：{}", problem.told()),
        )
    })
}

/// A channel that sends.
#[derive(Debug)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// How many messages it takes.
    pub rate: Rate,
    /// Tries before a message is given up.
    pub attempts: u32,
    /// Longest wait for one message.
    pub timeout: Duration,
    sender: Sender,
}

#[derive(Debug)]
enum Sender {
    WecomRobot(wecom_robot::Sender),
    WecomApp(wecom_app::Sender),
    Dingtalk(dingtalk::Sender),
    Feishu(feishu::Sender),
    Smtp(Box<smtp::Sender>),
    Webhook(Box<webhook::Sender>),
}

impl Line {
    /// Opens a channel.
    ///
    /// # Errors
    /// When a secret of it is missing; names what to set.
    pub fn open(channel: &Channel) -> anyhow::Result<Self> {
        let timeout = Duration::from_secs(channel.timeout_seconds);
        let field = format!("channel.{}", channel.name);
        let (sender, rate) = match &channel.kind {
            ChannelKind::WecomRobot(settings) => (
                Sender::WecomRobot(wecom_robot::Sender::new(settings, &field, timeout)?),
                wecom_robot::RATE,
            ),
            ChannelKind::WecomApp(settings) => (
                Sender::WecomApp(wecom_app::Sender::new(settings, &field, timeout)?),
                wecom_app::RATE,
            ),
            ChannelKind::Dingtalk(settings) => (
                Sender::Dingtalk(dingtalk::Sender::new(settings, &field, timeout)?),
                dingtalk::RATE,
            ),
            ChannelKind::Feishu(settings) => (
                Sender::Feishu(feishu::Sender::new(settings, &field, timeout)?),
                feishu::RATE,
            ),
            ChannelKind::Smtp(settings) => (
                Sender::Smtp(Box::new(smtp::Sender::new(settings, &field, timeout)?)),
                smtp::RATE,
            ),
            ChannelKind::Webhook(settings) => (
                Sender::Webhook(Box::new(webhook::Sender::new(settings, &field, timeout)?)),
                webhook::RATE,
            ),
        };
        Ok(Self {
            name: channel.name.clone(),
            rate: Rate {
                per_minute: channel.per_minute.unwrap_or(rate.per_minute),
                ..rate
            },
            attempts: channel.attempts,
            timeout,
            sender,
        })
    }

    /// Whether files go along with its messages.
    #[must_use]
    pub fn takes_files(&self) -> bool {
        matches!(self.sender, Sender::Smtp(_))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When it was not taken, or not in time.
    pub async fn send(&self, message: &Message<'_>, now: Timestamp) -> Result<(), Refusal> {
        let sending = async {
            match &self.sender {
                Sender::WecomRobot(sender) => sender.send(message).await,
                Sender::WecomApp(sender) => sender.send(message, now).await,
                Sender::Dingtalk(sender) => sender.send(message, now).await,
                Sender::Feishu(sender) => sender.send(message, now).await,
                Sender::Smtp(sender) => sender.send(message, now).await,
                Sender::Webhook(sender) => sender.send(message).await,
            }
        };
        tokio::time::timeout(self.timeout, sending)
            .await
            .unwrap_or_else(|_| Err(Refusal::later("did not answer in time")))
    }
}
