//! Papers: reports that the office keeps, words, signs and sends. A paper is made by a responder from what was asked for
//! ([`maker`]), edited with its numbers watched ([`edit`]), signed, whereupon nothing of it changes ([`sign`]), and sent to
//! a list ([`send`]). A schedule ([`schedule`]) asks for those that come again and again.

pub mod asked;
pub mod difference;
pub mod edit;
pub mod link;
pub mod maker;
pub mod polish;
pub mod press;
pub mod schedule;
pub mod send;
pub mod sign;
mod store;
pub mod table;

use jiff::Timestamp;
use report::{Document, Figures, ReportError, markdown};
use thiserror::Error;

pub use maker::Maker;
pub use polish::Polisher;
pub use press::{Press, Printed};
pub use send::{List, Lists, Named};
pub use store::{Papers, Query};
pub use table::Action;

use crate::case::StoreError;
use crate::report::{Kind, Wanted};
use crate::trend::Period;

/// Where a paper stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// 正在生成: a responder makes it, or will.
    Making,
    /// 生成失败: it could not be made.
    Failed,
    /// 草稿.
    Draft,
    /// 待审: it waits to be signed.
    Submitted,
    /// 已签发: nothing of it changes any more.
    Approved,
    /// 已发送: it is signed, and went to a list.
    Sent,
    /// 已撤回: nobody needs it; it can be made anew.
    Withdrawn,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Making,
        Self::Failed,
        Self::Draft,
        Self::Submitted,
        Self::Approved,
        Self::Sent,
        Self::Withdrawn,
    ];

    /// The name in the store and in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::Failed => "failed",
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Sent => "sent",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The name on pages.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Making => "正在生成",
            Self::Failed => "生成失败",
            Self::Draft => "草稿",
            Self::Submitted => "待审",
            Self::Approved => "已签发",
            Self::Sent => "已发送",
            Self::Withdrawn => "已撤回",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it is signed.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Approved | Self::Sent)
    }
}

/// A paper, without what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Paper {
    /// Its id: what is asked for twice is one paper.
    pub id: String,
    /// Code of its region.
    pub region: String,
    /// What it is about.
    pub wanted: Wanted,
    /// The days that it is about.
    pub period: Period,
    /// Where it stands.
    pub state: State,
    /// Grows with each change.
    pub version: i64,
    /// Why it could not be made; empty where it could.
    pub problem: String,
    /// Its title; of its kind while it is not made.
    pub title: String,
    /// The number of the paper (文号); may be empty.
    pub number: String,
    /// Why its numbers are not those that were generated; empty where they are.
    pub reason: String,
    /// Why it was returned, until it is submitted again.
    pub returned: String,
    /// Who asked for it; empty where the schedule did.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// When it was made last; none before.
    pub made_at: Option<Timestamp>,
    /// Who edited it last; empty where nobody did.
    pub edited_by: String,
    /// When.
    pub edited_at: Option<Timestamp>,
    /// Who signed it; empty before.
    pub approved_by: String,
    /// When.
    pub approved_at: Option<Timestamp>,
}

impl Paper {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.wanted.kind()
    }
}

/// What a paper says.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The wording as it was generated.
    pub generated: String,
    /// The wording as it is.
    pub text: String,
    /// The document without what it says.
    pub cover: Document,
    /// The tables and charts that the wording may place.
    pub figures: Figures,
    /// The data that it was made from, as JSON.
    pub facts: String,
}

impl Content {
    /// The document with its wording.
    ///
    /// # Errors
    /// When the wording places a figure that is not there; the line is named.
    pub fn document(&self, paper: &Paper) -> Result<Document, ReportError> {
        let mut document = self.cover.clone();
        document.blocks = markdown::read(&self.text, &self.figures)?;
        document.title.clone_from(&paper.title);
        if !paper.number.is_empty() {
            let office = document.head.take().map(|head| head.office);
            document.head = Some(report::Head {
                office: office.unwrap_or_else(|| document.issuer.clone()),
                number: paper.number.clone(),
            });
        }
        Ok(document)
    }
}

/// What was done with a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The version that it made.
    pub version: i64,
    /// What.
    pub action: Action,
    /// By whom; empty for the responder itself.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// What was written with it.
    pub note: String,
}

/// Something was not done with a paper. The text is for the person who tried.
#[derive(Debug, Error)]
pub enum PaperError {
    /// There is no such paper.
    #[error("没有这份报告")]
    NotFound,
    /// Others changed it in the meantime, or it is not in a state in which this is done.
    #[error("报告刚被他人更改或状态已变，请核对最新内容后再提交")]
    Stale,
    /// The role may not.
    #[error("您的角色不能办理此事项")]
    NotAllowed,
    /// Who edited it does not sign it where another may.
    #[error("您修改过这份报告，请由另一位分管领导签发")]
    Own,
    /// Something is missing.
    #[error("请填写{0}")]
    Missing(&'static str),
    /// Something is too long.
    #[error("{0}过长，不超过{1}字")]
    TooLong(&'static str, usize),
    /// The numbers are not those that were generated, and nobody said why.
    #[error("数字与生成时不一致：{0}。请改回；确需更改的，请填写理由")]
    Numbers(String),
    /// The wording cannot be read as a report.
    #[error("{0}")]
    Wording(String),
    /// Nobody of the list can be reached.
    #[error("名单中没有可以送达的联系人，请在单位配置中为其登记通知渠道")]
    NobodyReached,
    /// There is no such list in the region.
    #[error("没有这份名单")]
    NoList,
    /// There are as many as there may be.
    #[error("{0}过多，不超过{1}个")]
    TooMany(&'static str, usize),
    /// It could not be written: a font is missing, or the fault is this program's.
    #[error("报告文件未能写成（{0}）。请管理员检查字体设置后重试")]
    Press(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for PaperError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
