//! Notices: composed with what causes them, queued in its transaction, carried by a channel until they are taken or
//! given up. Those of cases go to contacts of units, those of sources to the administrator.
//!
//! [`compose`] says what is told to whom, [`wording`] in which words, [`form`] in which shape; a [`channel`] says only that
//! it took a message or why not; the [`carrier`] has the policy, and [`log`] keeps what was sent.

pub mod body;
pub mod carrier;
pub mod channel;
mod circuit;
pub mod compose;
pub mod dingtalk;
pub mod feishu;
mod flood;
pub mod form;
mod http;
pub mod log;
pub mod message;
pub mod rate;
pub mod refusal;
pub mod smtp;
pub mod trial;
pub mod webhook;
pub mod wecom_app;
pub mod wecom_robot;
pub mod wording;

use anyhow::Context;
use backbone::region::Reach;
use jiff::Timestamp;
use url::Url;

pub use body::{Body, CaseBody, DigestBody, Kind, PaperBody, SourceBody, TestBody};
pub use carrier::Carrier;
pub use compose::Composer;
pub use log::{Try, failed_since, of_case, of_unit, queue, tries, waiting};

/// To whom a notice goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addressee {
    /// Code of the region.
    pub region: String,
    /// Code of the contact's unit; empty for the administrator.
    pub unit: String,
    /// The contact's name; empty for the administrator.
    pub contact: String,
}

/// How far a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits to be sent.
    Queued,
    /// A responder sends it.
    Sending,
    /// It waits as part of another, which tells of many.
    Folded,
    /// It was taken.
    Sent,
    /// It was given up.
    Failed,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Sending,
        Self::Folded,
        Self::Sent,
        Self::Failed,
    ];

    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Folded => "folded",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Queued | Self::Folded => "待发送",
            Self::Sending => "发送中",
            Self::Sent => "已送达",
            Self::Failed => "失败",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A notice as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Id of the case, the source or the report it is about; its own where it tells of many cases.
    pub about: String,
    /// To whom.
    pub addressee: Addressee,
    /// The ways to reach them that are left, the one in use first.
    pub reach: Vec<Reach>,
    /// How far it is.
    pub state: State,
    /// Tries so far.
    pub attempts: u32,
    /// Those of them by the way in use.
    pub attempts_here: u32,
    /// Why the last one failed; empty where it did not.
    pub problem: String,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What is sent.
    pub body: Body,
}

impl Notice {
    /// One that waits to be carried; none where there is no way to reach the addressee.
    pub(crate) fn queued(
        id: String,
        about: &str,
        addressee: Addressee,
        reach: &[Reach],
        now: Timestamp,
        body: Body,
    ) -> Option<Self> {
        (!reach.is_empty()).then(|| Self {
            id,
            about: about.to_owned(),
            addressee,
            reach: reach.to_vec(),
            state: State::Queued,
            attempts: 0,
            attempts_here: 0,
            problem: String::new(),
            queued_at: now,
            updated_at: now,
            body,
        })
    }

    /// Name of the channel in use.
    #[must_use]
    pub fn channel(&self) -> &str {
        self.reach
            .first()
            .map_or("", |reach| reach.channel.as_str())
    }

    /// Who of those the channel reaches.
    #[must_use]
    pub fn recipient(&self) -> &str {
        self.reach.first().map_or("", |reach| reach.to.as_str())
    }

    /// Notices with the same line are sent one after the other.
    fn line(&self) -> String {
        let Addressee {
            region,
            unit,
            contact,
        } = &self.addressee;
        format!("{} {region}/{unit}/{contact}", self.about)
    }
}

/// A path under a base address, which may have a path of its own.
fn address(base: &Url, path: &str) -> anyhow::Result<Url> {
    let mut base = base.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    base.join(path).context("the channel's `url` has no paths")
}
