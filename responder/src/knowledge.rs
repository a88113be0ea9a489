//! Knowledge base 政策咨询问答库: questions that people ask again and again, and the unit's answer. An entry is proposed, from
//! published replies or written for the purpose, approved by an account of its unit, and retired when it no longer holds.
//!
//! Entries are found by the pairs of neighbouring characters that they share with what is looked for, which are kept in a table, so that the
//! same statements serve both stores and no search reads all entries.

pub mod command;
mod frequent;
mod look;
mod page;
mod store;

use jiff::Timestamp;
use serde::Deserialize;
use thiserror::Error;

pub(crate) use frequent::KNOWN;
pub use frequent::{Asked, Frequent, asked, frequent};
pub use page::page;
pub use store::{Knowledge, Query};

/// Most characters of a question, an answer and a basis.
pub const LONGEST: [usize; 3] = [300, 5_000, 500];

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// 待审定: no unit stands for it yet.
    Proposed,
    /// 已发布: its unit approved it.
    Approved,
    /// 已停用: it holds no longer.
    Retired,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Proposed, Self::Approved, Self::Retired];

    /// The name in the store and in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Retired => "retired",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Proposed => "待审定",
            Self::Approved => "已发布",
            Self::Retired => "已停用",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What an entry says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The question, as people ask it.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Its first-level subject.
    pub subject: String,
    /// Code of the unit that stands for it.
    pub unit: String,
    /// The law, regulation or document it rests on; may be empty.
    #[serde(default)]
    pub basis: String,
    /// The case whose published reply it is; empty where it was written for the purpose.
    #[serde(default)]
    pub source: String,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, by its region and first question.
    pub id: String,
    /// Code of its region.
    pub region: String,
    /// What it says.
    pub content: Content,
    /// Where it stands.
    pub status: Status,
    /// The account that wrote it, or changed it last.
    pub written_by: String,
    /// When.
    pub written_at: Timestamp,
    /// The account that approved or retired it; empty before.
    pub decided_by: String,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Counts its changes: what is done to an older version is refused.
    pub version: i64,
}

/// An entry that was looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The entry.
    pub entry: Entry,
    /// How much of what was looked for it has, in `[0, 1]`; what the question has counts more.
    pub score: f64,
}

/// What was asked of the knowledge base was not done. The text is for the person who asked.
#[derive(Debug, Error)]
pub enum KnowledgeError {
    /// There is no such entry.
    #[error("没有这条问答")]
    NotFound,
    /// Its question is another's already.
    #[error("问答库中已有这个问题，请修改原有的问答")]
    Known,
    /// Someone else was faster.
    #[error("这条问答刚刚被修改过，请核对最新内容后再提交")]
    Stale,
    /// The account may not do this.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// A field is missing or too long.
    #[error("请填写{0}，并控制在{1}字以内")]
    Field(&'static str, usize),
    /// A field has numbers that tell who a person is.
    #[error("{0}中有手机号、身份证号、银行卡号或车牌号，问答对外公开，请删去或改为办公电话")]
    Personal(&'static str),
    /// It is not of the subjects there are.
    #[error("没有“{0}”这个事项类别")]
    Subject(String),
    /// There is no such unit.
    #[error("没有这个单位：{0}")]
    Unit(String),
    /// A row holds what this version does not know.
    #[error("问答库由更新的版本写入，请升级")]
    Unknown,
    /// The store failed.
    #[error("问答库暂时不可用，请稍后再试")]
    Store(#[from] sqlx::Error),
}
