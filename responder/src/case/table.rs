//! The one table of moves: who may make which, from which state, to which.

use super::{Action, Actor, Case, Role, State};

/// One kind of move.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What is done.
    pub action: Action,
    /// States it may be done in.
    pub from: &'static [State],
    /// State after; the same as before where absent.
    pub to: Option<State>,
    /// Who may do it. A unit only as the lead of the case.
    pub roles: &'static [Role],
    /// Whether a note must be written, and what it is called on pages; optional where empty.
    pub note: &'static str,
}

use Role::{Administrator, DutyOfficer, Leader, UnitContact, UnitLead};
use State::{Answered, Closed, Dismissed, Dispatched, Followed, Handling, Pending, Review, Signed};

const OFFICE: &[Role] = &[DutyOfficer, Leader, Administrator];
const UNIT: &[Role] = &[UnitLead, UnitContact];
const WITH_UNIT: &[State] = &[Dispatched, Signed, Handling];

/// All moves that people make.
pub const RULES: [Rule; 13] = [
    Rule {
        action: Action::Dispatch,
        from: &[Pending],
        to: Some(Dispatched),
        roles: OFFICE,
        note: "",
    },
    Rule {
        action: Action::Dismiss,
        from: &[Pending],
        to: Some(Dismissed),
        roles: OFFICE,
        note: "误报理由",
    },
    Rule {
        action: Action::Sign,
        from: &[Dispatched],
        to: Some(Signed),
        roles: UNIT,
        note: "",
    },
    Rule {
        action: Action::Return,
        from: &[Dispatched, Signed],
        to: Some(Pending),
        roles: &[UnitLead],
        note: "退回理由",
    },
    Rule {
        action: Action::Report,
        from: &[Signed, Handling],
        to: Some(Handling),
        roles: UNIT,
        note: "核查处置情况",
    },
    Rule {
        action: Action::Reply,
        from: &[Signed, Handling],
        to: Some(Review),
        roles: &[UnitLead],
        note: "答复内容",
    },
    Rule {
        action: Action::SendBack,
        from: &[Review],
        to: Some(Handling),
        roles: OFFICE,
        note: "修改意见",
    },
    Rule {
        action: Action::Approve,
        from: &[Review],
        to: Some(Answered),
        roles: OFFICE,
        note: "",
    },
    Rule {
        action: Action::Close,
        from: &[Answered],
        to: Some(Closed),
        roles: OFFICE,
        note: "",
    },
    Rule {
        action: Action::FollowUp,
        from: &[Closed],
        to: Some(Followed),
        roles: OFFICE,
        note: "回访情况",
    },
    Rule {
        action: Action::Extend,
        from: WITH_UNIT,
        to: None,
        roles: OFFICE,
        note: "延期理由",
    },
    Rule {
        action: Action::Urge,
        from: WITH_UNIT,
        to: None,
        roles: OFFICE,
        note: "",
    },
    Rule {
        action: Action::Supervise,
        from: WITH_UNIT,
        to: None,
        roles: &[Leader, Administrator],
        note: "督办要求",
    },
];

/// States from which a later, graver alert makes a case pending again.
pub(super) const ENDED: [State; 4] = [Answered, Closed, Followed, Dismissed];

/// The rule of an action; none for those of the system.
#[must_use]
pub fn rule(action: Action) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.action == action)
}

/// The moves that an actor may make on a case now.
#[must_use]
pub fn allowed(case: &Case, actor: &Actor) -> Vec<&'static Rule> {
    RULES
        .iter()
        .filter(|rule| permits(rule, case, actor))
        .collect()
}

/// Whether a rule lets an actor move a case now. The reply to a case of level Ⅰ or Ⅱ is approved by the
/// office's leader or the administrator.
pub(super) fn permits(rule: &Rule, case: &Case, actor: &Actor) -> bool {
    let lead = !actor.role.of_unit() || (actor.region == case.region && actor.unit == case.lead);
    let grave = rule.action == Action::Approve && case.level <= 2 && actor.role == DutyOfficer;
    lead && !grave && rule.roles.contains(&actor.role) && rule.from.contains(&case.state)
}
