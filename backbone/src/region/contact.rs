//! Contacts: whom of a unit notices go to, and by what.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Unit;
use crate::settings::Flaw;

/// A person or a post of a unit that notices go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name of the person or the post, such as 值班室; one of its unit's.
    pub name: String,
    /// What the contact is told of.
    pub role: ContactRole,
    /// Where the contact is reached, the first choice first: the next is taken when one is out of order.
    pub reach: Vec<Reach>,
}

/// One way to reach someone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// The channel of the responder's settings.
    pub channel: String,
    /// Who of those the channel reaches: a member's account, a mailbox, a number. A group's robot needs none.
    #[serde(default)]
    pub to: String,
}

/// What a contact is told of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ContactRole {
    /// 联络员: what a unit has to do.
    Contact,
    /// 单位负责人: what the contact leaves undone.
    Lead,
    /// 值班员 of the duty office: what units send back.
    DutyOfficer,
    /// 带班领导 of the duty office: what units leave undone.
    DutyLeader,
    /// 分管领导 of the duty office: what nobody else brought to an end.
    OfficeLeader,
}

impl ContactRole {
    /// All roles, in the order in which a matter is escalated.
    pub const ALL: [Self; 5] = [
        Self::Contact,
        Self::Lead,
        Self::DutyOfficer,
        Self::DutyLeader,
        Self::OfficeLeader,
    ];

    /// The name in `units.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::DutyOfficer => "duty-officer",
            Self::DutyLeader => "duty-leader",
            Self::OfficeLeader => "office-leader",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Contact => "联络员",
            Self::Lead => "单位负责人",
            Self::DutyOfficer => "值班员",
            Self::DutyLeader => "带班领导",
            Self::OfficeLeader => "分管领导",
        }
    }

    /// Whether only the duty office has such people.
    #[must_use]
    pub fn of_duty_office(self) -> bool {
        !matches!(self, Self::Contact | Self::Lead)
    }
}

impl Unit {
    /// Its contacts of a role, as they are listed.
    pub fn contacts_as(&self, role: ContactRole) -> impl Iterator<Item = &Contact> {
        self.contact
            .iter()
            .filter(move |contact| contact.role == role)
    }

    /// Whom to tell what the unit has to do: those of the first role, in the order of [`ContactRole::ALL`],
    /// that it has people of.
    #[must_use]
    pub fn first_contacts(&self) -> Vec<&Contact> {
        ContactRole::ALL
            .into_iter()
            .map(|role| self.contacts_as(role).collect::<Vec<_>>())
            .find(|contacts| !contacts.is_empty())
            .unwrap_or_default()
    }
}

/// What is wrong with the contacts of a unit.
pub(super) fn check(unit: &Unit) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let code = &unit.code;
    let mut names = BTreeSet::new();
    for contact in &unit.contact {
        let name = contact.name.trim();
        if name.is_empty() {
            flaws.push(Flaw::new(
                format!("unit `{code}` has a contact without a name; give a person's or a post's"),
                format!("单位 {code} 有联系人没有名称，请填写姓名或岗位"),
            ));
        }
        if !names.insert(name) {
            flaws.push(Flaw::new(
                format!("unit `{code}` has two contacts `{name}`; remove one or tell them apart"),
                format!("单位 {code} 有两个联系人“{name}”，请去掉一个或分别命名"),
            ));
        }
        if contact.reach.is_empty() {
            flaws.push(Flaw::new(
                format!(
                    "contact `{name}` of unit `{code}` cannot be reached; give `reach` a channel"
                ),
                format!("单位 {code} 的联系人“{name}”没有联系方式，请在 reach 中写明渠道"),
            ));
        }
        if contact.role.of_duty_office() && !unit.duty_office {
            flaws.push(Flaw::new(
                format!(
                    "contact `{name}` of unit `{code}` is a {}, which only the duty office has; make it contact or lead",
                    contact.role.name()
                ),
                format!(
                    "单位 {code} 的联系人“{name}”的角色 {} 只有值班室才有，请改为 contact 或 lead",
                    contact.role.name()
                ),
            ));
        }
    }
    flaws
}
