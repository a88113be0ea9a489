//! Who acts on cases, and in what capacity.

use std::fmt;

use super::{Case, State};

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
    /// Id of the token that the account acts by; empty where it acts itself.
    pub via: String,
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
            via: String::new(),
        }
    }

    /// Whether this account may see a case: the office sees all, a unit those dispatched to it.
    #[must_use]
    pub fn sees(&self, case: &Case) -> bool {
        !self.role.of_unit()
            || (self.region == case.region
                && !matches!(
                    case.state,
                    State::Pending | State::Dismissed | State::Merged
                )
                && case.part(&self.unit).is_some())
    }
}
