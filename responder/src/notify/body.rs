//! What notices say, as data: the JSON that a webhook gets and the store keeps. Enough to know that one must
//! look, and where; no post text.

use serde::{Deserialize, Serialize};

/// The kinds of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 新预警: a matter waits to be judged.
    Alert,
    /// 派单: a case is the unit's.
    Dispatch,
    /// 催办.
    Urge,
    /// 督办.
    Supervise,
    /// 退回修改: a reply must be written anew.
    SendBack,
    /// 审核通过.
    Approve,
    /// 延期申请: a unit asks for more time.
    Extension,
    /// 延期批复: whether there is more time.
    Decision,
    /// 答复待审核: a reply waits for review.
    Review,
    /// 退回改派: a unit handed a case back to the office.
    HandBack,
    /// 即将到期: a deadline is near.
    Reminder,
    /// 已超期: a deadline has passed, told to who is next above.
    Escalation,
    /// 承诺事项提醒: what a reply promised is due.
    Commitment,
    /// 多件事项: many notices to one contact, in one.
    Digest,
    /// How a source is.
    Source,
    /// 报告送阅: a signed report.
    Paper,
    /// 测试.
    Test,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 17] = [
        Self::Alert,
        Self::Dispatch,
        Self::Urge,
        Self::Supervise,
        Self::SendBack,
        Self::Approve,
        Self::Extension,
        Self::Decision,
        Self::Review,
        Self::HandBack,
        Self::Reminder,
        Self::Escalation,
        Self::Commitment,
        Self::Digest,
        Self::Source,
        Self::Paper,
        Self::Test,
    ];

    /// The name in the store and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Dispatch => "dispatch",
            Self::Urge => "urge",
            Self::Supervise => "supervise",
            Self::SendBack => "send-back",
            Self::Approve => "approve",
            Self::Extension => "extension",
            Self::Decision => "decision",
            Self::Review => "review",
            Self::HandBack => "hand-back",
            Self::Reminder => "reminder",
            Self::Escalation => "escalation",
            Self::Commitment => "commitment",
            Self::Digest => "digest",
            Self::Source => "source",
            Self::Paper => "paper",
            Self::Test => "test",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Alert => "新预警",
            Self::Dispatch => "派单",
            Self::Urge => "催办",
            Self::Supervise => "督办",
            Self::SendBack => "退回修改",
            Self::Approve => "审核通过",
            Self::Extension => "延期申请",
            Self::Decision => "延期批复",
            Self::Review => "答复待审核",
            Self::HandBack => "退回改派",
            Self::Reminder => "即将到期",
            Self::Escalation => "已超期",
            Self::Commitment => "承诺事项提醒",
            Self::Digest => "多件事项",
            Self::Source => "来源状况",
            Self::Paper => "报告送阅",
            Self::Test => "测试",
        }
    }

    /// Whether many of these to one contact may go out as one message, where none is grave.
    #[must_use]
    pub fn folds(self) -> bool {
        matches!(
            self,
            Self::Alert
                | Self::Dispatch
                | Self::Urge
                | Self::SendBack
                | Self::Approve
                | Self::Extension
                | Self::Decision
                | Self::Review
                | Self::HandBack
                | Self::Reminder
                | Self::Commitment
        )
    }
}

/// What a channel carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Body {
    /// Of a case.
    Case(CaseBody),
    /// Of many cases.
    Digest(DigestBody),
    /// Of a source, to the administrator.
    Source(SourceBody),
    /// Of a signed report.
    Paper(PaperBody),
    /// Of nothing: whether it arrives.
    Test(TestBody),
}

impl Body {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Case(body) => body.kind,
            Self::Digest(body) => body.kind,
            Self::Source(body) => body.kind,
            Self::Paper(body) => body.kind,
            Self::Test(body) => body.kind,
        }
    }

    /// What happened.
    #[must_use]
    pub fn action(&self) -> &str {
        match self {
            Self::Case(body) => &body.action,
            Self::Digest(body) => &body.action,
            Self::Source(body) => &body.action,
            Self::Paper(body) => &body.action,
            Self::Test(body) => &body.action,
        }
    }

    /// Level of the case, 1 (gravest) to 4; 4 where it is of none.
    #[must_use]
    pub fn level(&self) -> u8 {
        match self {
            Self::Case(body) => body.level,
            Self::Digest(_) | Self::Source(_) | Self::Paper(_) | Self::Test(_) => 4,
        }
    }
}

/// What is carried of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseBody {
    /// Deterministic id: one that comes twice is the same notice.
    pub id: String,
    /// Which kind of notice it is.
    pub kind: Kind,
    /// The kind in Chinese, such as 派单.
    pub action: String,
    /// The case's id.
    pub case: String,
    /// Title of the event.
    pub title: String,
    /// Level, 1 (gravest) to 4.
    pub level: u8,
    /// Code of the unit that the matter is with.
    pub unit: String,
    /// Its name.
    pub unit_name: String,
    /// Whether it leads.
    pub lead: bool,
    /// Until when the unit must sign for it; empty where nothing is to be signed.
    #[serde(default)]
    pub sign_by: String,
    /// Until when the people must be answered.
    pub respond_by: String,
    /// What was written with it: by the office, or by a clock.
    pub note: String,
    /// Address of the case page.
    pub link: String,
}

/// What is carried of many cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestBody {
    /// Deterministic id: one that comes twice is the same notice.
    pub id: String,
    /// [`Kind::Digest`].
    pub kind: Kind,
    /// 多件事项.
    pub action: String,
    /// Code of the unit addressed.
    pub unit: String,
    /// The notices in it, the gravest first.
    pub notices: Vec<CaseBody>,
    /// Address of the page of cases.
    pub link: String,
}

impl DigestBody {
    /// Several notices to one unit as one.
    pub(super) fn new(id: &str, unit: &str, notices: Vec<CaseBody>, link: String) -> Self {
        Self {
            id: id.to_owned(),
            kind: Kind::Digest,
            action: Kind::Digest.title().to_owned(),
            unit: unit.to_owned(),
            notices,
            link,
        }
    }
}

/// What is carried to the administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceBody {
    /// Deterministic id: one that comes twice is the same notice.
    pub id: String,
    /// [`Kind::Source`].
    pub kind: Kind,
    /// What happened: 来源异常 or 来源恢复.
    pub action: String,
    /// The same in a sentence: which source, what is wrong, since when.
    pub title: String,
    /// Code of the region the source is about.
    pub region: String,
    /// The source's name.
    pub source: String,
    /// How it is, such as `failing`.
    pub condition: String,
    /// Since when.
    pub since: String,
    /// What is wrong, as the collector tells it; empty where nothing is.
    pub problem: String,
    /// Address of the page of sources.
    pub link: String,
}

/// What is carried of a signed report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperBody {
    /// Deterministic id: one that comes twice is the same notice.
    pub id: String,
    /// [`Kind::Paper`].
    pub kind: Kind,
    /// 报告送阅.
    pub action: String,
    /// The report's id.
    pub paper: String,
    /// Its title.
    pub title: String,
    /// Its number (文号); may be empty.
    pub number: String,
    /// The first of the days that it is about.
    pub from: String,
    /// The last of them.
    pub to: String,
    /// Address of its page.
    pub link: String,
}

/// What is carried to see whether it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestBody {
    /// Id of this test.
    pub id: String,
    /// [`Kind::Test`].
    pub kind: Kind,
    /// 测试.
    pub action: String,
    /// Name of the channel tried.
    pub channel: String,
    /// Address of the console.
    pub link: String,
}
