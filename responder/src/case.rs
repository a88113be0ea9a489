//! Cases: a matter on its way from the alert to the answer, and the rules of its moves.

mod store;
mod table;

use std::fmt;

use backbone::message::Alert;
use jiff::Timestamp;

pub use store::{Cases, Counts, MoveError, Page, Query, StoreError, Taken};
pub use table::{RULES, Rule, allowed, rule};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// 待研判: the duty officer has not judged it yet.
    Pending,
    /// 已派单: sent to its units.
    Dispatched,
    /// 已签收: the lead unit has it.
    Signed,
    /// 核查处置中: the lead unit has reported findings.
    Handling,
    /// 待审核: a reply waits for review.
    Review,
    /// 已回应: the people are answered.
    Answered,
    /// 已办结: closed.
    Closed,
    /// 已回访: the writers were asked whether it helped.
    Followed,
    /// 误报: no matter for the county.
    Dismissed,
}

impl State {
    /// All states, in the order of a case's life.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Dispatched,
        Self::Signed,
        Self::Handling,
        Self::Review,
        Self::Answered,
        Self::Closed,
        Self::Followed,
        Self::Dismissed,
    ];

    /// The name in the store and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dispatched => "dispatched",
            Self::Signed => "signed",
            Self::Handling => "handling",
            Self::Review => "review",
            Self::Answered => "answered",
            Self::Closed => "closed",
            Self::Followed => "followed",
            Self::Dismissed => "dismissed",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Pending => "待研判",
            Self::Dispatched => "已派单",
            Self::Signed => "已签收",
            Self::Handling => "核查处置中",
            Self::Review => "待审核",
            Self::Answered => "已回应",
            Self::Closed => "已办结",
            Self::Followed => "已回访",
            Self::Dismissed => "误报",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A move of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Opened by an alert.
    Open,
    /// Raised to a graver level by a later alert; a case at its end is pending again.
    Raise,
    /// 派单.
    Dispatch,
    /// 误报.
    Dismiss,
    /// 签收.
    Sign,
    /// 退回改派.
    Return,
    /// 报告核查处置情况.
    Report,
    /// 提交答复.
    Reply,
    /// 退回修改.
    SendBack,
    /// 审核通过.
    Approve,
    /// 办结.
    Close,
    /// 回访.
    FollowUp,
    /// 延期.
    Extend,
    /// 催办.
    Urge,
    /// 督办.
    Supervise,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 15] = [
        Self::Open,
        Self::Raise,
        Self::Dispatch,
        Self::Dismiss,
        Self::Sign,
        Self::Return,
        Self::Report,
        Self::Reply,
        Self::SendBack,
        Self::Approve,
        Self::Close,
        Self::FollowUp,
        Self::Extend,
        Self::Urge,
        Self::Supervise,
    ];

    /// The name in the store, in messages and in forms.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Raise => "raise",
            Self::Dispatch => "dispatch",
            Self::Dismiss => "dismiss",
            Self::Sign => "sign",
            Self::Return => "return",
            Self::Report => "report",
            Self::Reply => "reply",
            Self::SendBack => "send-back",
            Self::Approve => "approve",
            Self::Close => "close",
            Self::FollowUp => "follow-up",
            Self::Extend => "extend",
            Self::Urge => "urge",
            Self::Supervise => "supervise",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Open => "立案",
            Self::Raise => "升级",
            Self::Dispatch => "派单",
            Self::Dismiss => "误报",
            Self::Sign => "签收",
            Self::Return => "退回改派",
            Self::Report => "报告核查处置情况",
            Self::Reply => "提交答复",
            Self::SendBack => "退回修改",
            Self::Approve => "审核通过",
            Self::Close => "办结",
            Self::FollowUp => "回访",
            Self::Extend => "延期",
            Self::Urge => "催办",
            Self::Supervise => "督办",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// In what capacity someone acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// 系统: the responder itself.
    System,
    /// 管理员.
    Administrator,
    /// 值班员.
    DutyOfficer,
    /// 分管领导.
    Leader,
    /// 单位负责人: answers for one unit.
    UnitLead,
    /// 单位联络员: takes in what comes to one unit.
    UnitContact,
    /// 审计员: sees everything, moves nothing.
    Auditor,
}

impl Role {
    /// The roles an account can have.
    pub const ACCOUNTS: [Self; 6] = [
        Self::Administrator,
        Self::DutyOfficer,
        Self::Leader,
        Self::UnitLead,
        Self::UnitContact,
        Self::Auditor,
    ];

    /// The name in the store, in messages and in forms.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Administrator => "administrator",
            Self::DutyOfficer => "duty-officer",
            Self::Leader => "leader",
            Self::UnitLead => "unit-lead",
            Self::UnitContact => "unit-contact",
            Self::Auditor => "auditor",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::System => "系统",
            Self::Administrator => "管理员",
            Self::DutyOfficer => "值班员",
            Self::Leader => "分管领导",
            Self::UnitLead => "单位负责人",
            Self::UnitContact => "单位联络员",
            Self::Auditor => "审计员",
        }
    }

    /// Whether it acts and sees for one unit only.
    #[must_use]
    pub fn of_unit(self) -> bool {
        matches!(self, Self::UnitLead | Self::UnitContact)
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        std::iter::once(Self::System)
            .chain(Self::ACCOUNTS)
            .find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}

/// Who acts, or looks. A unit's account acts and sees for that unit of that region only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Account name; empty for the system.
    pub name: String,
    /// Capacity.
    pub role: Role,
    /// Region code of a unit's account; empty for the office's accounts.
    pub region: String,
    /// Code of the unit of a unit's account; empty for the office's accounts.
    pub unit: String,
}

impl Actor {
    /// The responder itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            name: String::new(),
            role: Role::System,
            region: String::new(),
            unit: String::new(),
        }
    }

    /// Whether this account may see a case: the office sees all, a unit those dispatched to it.
    #[must_use]
    pub fn sees(&self, case: &Case) -> bool {
        !self.role.of_unit()
            || (self.region == case.region
                && !matches!(case.state, State::Pending | State::Dismissed)
                && (self.unit == case.lead || case.assists.contains(&self.unit)))
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its id, see [`backbone::id::of_case`].
    pub id: String,
    /// Code of its region.
    pub region: String,
    /// Where it stands.
    pub state: State,
    /// Level, 1 (gravest) to 4.
    pub level: u8,
    /// Code of the lead unit (牵头); what routing proposes while it is pending.
    pub lead: String,
    /// Codes of the assisting units (协办); what routing proposes while it is pending.
    pub assists: Vec<String>,
    /// Why routing proposed these units.
    pub routed_because: String,
    /// The newest alert taken in, with the event as it stood then.
    pub alert: Alert,
    /// The reply submitted last; empty before.
    pub reply: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Until when the lead unit must sign for it; absent while pending and once signed.
    pub sign_by: Option<Timestamp>,
    /// Until when first information must go out; absent for Ⅲ and Ⅳ and once a report or reply is in.
    pub first_information_by: Option<Timestamp>,
    /// Until when the people must be answered.
    pub respond_by: Timestamp,
    /// When they were.
    pub answered_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts its changes: a move made on an older version is refused.
    pub version: i64,
}

impl Case {
    /// Whether something due by now is missing: signature, first information or answer.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> bool {
        let open = !matches!(
            self.state,
            State::Answered | State::Closed | State::Followed | State::Dismissed
        );
        open && [
            self.sign_by,
            self.first_information_by,
            Some(self.respond_by),
        ]
        .into_iter()
        .flatten()
        .any(|due| due < now)
    }
}

/// A move that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Position among the case's moves, from 1.
    pub sequence: u32,
    /// What was done.
    pub action: Action,
    /// State before; absent for the first.
    pub from: Option<State>,
    /// State after.
    pub to: State,
    /// In what capacity.
    pub role: Role,
    /// Account name; empty for the system.
    pub actor: String,
    /// What was written: a reason, findings, a reply.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// A move to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What to do.
    pub action: Action,
    /// The version of the case that the actor saw.
    pub version: i64,
    /// A reason, findings or a reply; may be empty where the rule does not need one.
    pub note: String,
    /// For [`Action::Dispatch`]: the lead unit.
    pub lead: String,
    /// For [`Action::Dispatch`]: the assisting units.
    pub assists: Vec<String>,
}
