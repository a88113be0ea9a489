//! The one table of moves: who may make which, from which state, to which, and on what condition.

use thiserror::Error;

use super::{Action, Actor, Case, Deed, MOST_HAND_BACKS, Progress, Role, State};

/// One kind of move.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What is done.
    pub action: Action,
    /// States it may be done in.
    pub from: &'static [State],
    /// State after; the same as before where absent, and where a unit that assists moves its own part.
    pub to: Option<State>,
    /// Who may do it.
    pub roles: &'static [Role],
    /// What must hold besides.
    pub guards: &'static [Guard],
    /// What must be chosen: one of these; nothing where empty.
    pub choices: &'static [&'static str],
    /// What must be written, as pages call it; may be left out where empty.
    pub note: &'static str,
}

/// A condition of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A unit acts as the lead of the case.
    Lead,
    /// A unit acts on a part of its own.
    OwnPart,
    /// The unit has not signed for its part.
    PartUnsigned,
    /// The unit has signed for its part.
    PartSigned,
    /// The unit does not lead a case that it has begun to handle.
    NotBegun,
    /// Every unit that assists has reported.
    PartsReported,
    /// The reply to Ⅰ or Ⅱ is approved by the office's leader.
    LeaderIfGrave,
    /// A case that was handed back too often is dispatched by the office's leader.
    LeaderIfHandedBack,
    /// The clocks run.
    Running,
    /// The clocks are paused.
    Paused,
    /// More time was asked for.
    ExtensionAsked,
    /// No more time was asked for.
    ExtensionNotAsked,
}

/// Why a move may not be made. The text is for the person who tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The state machine or the role does not allow it.
    #[error("当前状态（{state}）下不能由{role}{action}")]
    NotAllowed {
        /// The case's state.
        state: State,
        /// The actor's role.
        role: Role,
        /// The action's title.
        action: &'static str,
    },
    /// A condition does not hold.
    #[error("{0}")]
    Guard(&'static str),
}

use Action as A;
use Guard::{
    ExtensionAsked, ExtensionNotAsked, Lead, LeaderIfGrave, LeaderIfHandedBack, NotBegun, OwnPart,
    PartSigned, PartUnsigned, PartsReported, Paused, Running,
};
use Role::{Administrator, DutyOfficer, Leader, UnitContact, UnitLead};
use State::{
    Answered, Closed, Dismissed, Dispatched, Followed, Handling, Merged, Pending, Review, Signed,
};

const OFFICE: &[Role] = &[DutyOfficer, Leader, Administrator];
const LEADERS: &[Role] = &[Leader, Administrator];
const UNIT: &[Role] = &[UnitLead, UnitContact];
const HEAD: &[Role] = &[UnitLead];
const ALL: &[Role] = &[DutyOfficer, Leader, Administrator, UnitLead, UnitContact];

const WITH_UNIT: &[State] = &[Dispatched, Signed, Handling];
const UNANSWERED: &[State] = &[Pending, Dispatched, Signed, Handling];
const OPEN: &[State] = &[Pending, Dispatched, Signed, Handling, Review];
const ANY: &[State] = &State::ALL;

/// Reasons for which a clock may be paused.
const PAUSES: &[&str] = &[
    "等待检测鉴定结果",
    "等待当事人补充材料",
    "等待司法或复议结果",
    "不可抗力",
];
/// What those asked at the follow-up say.
const SATISFACTION: &[&str] = &["满意", "基本满意", "不满意", "未能联系"];

/// All moves that people make. The usual next move of a state stands before the others.
#[rustfmt::skip]
pub const RULES: [Rule; 23] = [
    //   action             from                  to                roles    guards                          choices       note
    row(A::Dispatch,        &[Pending],           Some(Dispatched), OFFICE,  &[LeaderIfHandedBack],          &[],          ""),
    row(A::Dismiss,         &[Pending],           Some(Dismissed),  OFFICE,  &[],                            &[],          "误报理由"),
    row(A::Sign,            WITH_UNIT,            Some(Signed),     UNIT,    &[OwnPart, PartUnsigned],       &[],          ""),
    row(A::Report,          WITH_UNIT,            Some(Handling),   UNIT,    &[OwnPart, PartSigned],         &[],          "核查处置情况"),
    row(A::Reply,           &[Signed, Handling],  Some(Review),     HEAD,    &[Lead, PartsReported, Running],&[],          "答复内容"),
    row(A::Return,          WITH_UNIT,            Some(Pending),    HEAD,    &[OwnPart, NotBegun],           &[],          "退回理由"),
    row(A::AskExtension,    &[Signed, Handling],  None,             HEAD,    &[Lead, ExtensionNotAsked, Running], &[],     "申请延期理由"),
    row(A::Approve,         &[Review],            Some(Answered),   OFFICE,  &[LeaderIfGrave],               &[],          ""),
    row(A::SendBack,        &[Review],            Some(Handling),   OFFICE,  &[],                            &[],          "修改意见"),
    row(A::Close,           &[Answered],          Some(Closed),     OFFICE,  &[],                            &[],          ""),
    row(A::FollowUp,        &[Closed],            Some(Followed),   OFFICE,  &[],                            SATISFACTION, "回访情况"),
    row(A::Reopen,          &ENDED,                Some(Pending),    OFFICE,  &[],                            &[],          "重办理由"),
    row(A::Extend,          WITH_UNIT,            None,             OFFICE,  &[Running],                     &[],          "延期理由"),
    row(A::RefuseExtension, WITH_UNIT,            None,             OFFICE,  &[ExtensionAsked],              &[],          "不同意理由"),
    row(A::Urge,            WITH_UNIT,            None,             OFFICE,  &[],                            &[],          ""),
    row(A::Supervise,       WITH_UNIT,            None,             LEADERS, &[],                            &[],          "督办要求"),
    row(A::Redispatch,      WITH_UNIT,            Some(Dispatched), OFFICE,  &[],                            &[],          "改派理由"),
    row(A::Pause,           WITH_UNIT,            None,             OFFICE,  &[Running],                     PAUSES,       "暂停说明"),
    row(A::Resume,          WITH_UNIT,            None,             OFFICE,  &[Paused],                      &[],          ""),
    row(A::Merge,           UNANSWERED,           Some(Merged),     OFFICE,  &[],                            &[],          "并案理由"),
    row(A::Split,           &[Merged],            Some(Pending),    OFFICE,  &[],                            &[],          "拆案理由"),
    row(A::Attach,          OPEN,                 None,             ALL,     &[],                            &[],          ""),
    row(A::Note,            ANY,                  None,             ALL,     &[],                            &[],          "备注内容"),
];

/// States from which a later, graver alert makes a case pending again.
pub(super) const ENDED: [State; 4] = [Answered, Closed, Followed, Dismissed];

const fn row(
    action: Action,
    from: &'static [State],
    to: Option<State>,
    roles: &'static [Role],
    guards: &'static [Guard],
    choices: &'static [&'static str],
    note: &'static str,
) -> Rule {
    Rule {
        action,
        from,
        to,
        roles,
        guards,
        choices,
        note,
    }
}

impl Guard {
    /// Why it does not let an actor move a case; nothing where it does.
    fn refuses(self, case: &Case, actor: &Actor) -> Option<&'static str> {
        let own = case.part(&actor.unit);
        let progress = |wanted: fn(Progress) -> bool| own.is_some_and(|part| wanted(part.progress));
        let leader = actor.role != DutyOfficer;
        let (holds, why) = match self {
            Self::Lead => (case.lead() == actor.unit, "须由牵头单位办理"),
            Self::OwnPart => (own.is_some(), "本单位不在承办单位之列"),
            Self::PartUnsigned => (progress(|is| is == Progress::Sent), "本单位已经签收"),
            Self::PartSigned => (progress(|is| is != Progress::Sent), "请先签收"),
            Self::NotBegun => (
                case.lead() != actor.unit || case.state != Handling,
                "已开始核查处置，不能再退回",
            ),
            Self::PartsReported => (
                (case.assisting().iter()).all(|part| part.progress == Progress::Reported),
                "协办单位尚未全部反馈，请待其反馈或请值班员改派",
            ),
            Self::LeaderIfGrave => (leader || case.level > 2, "Ⅰ、Ⅱ级事项的答复须由分管领导审核"),
            Self::LeaderIfHandedBack => (
                leader || case.hand_backs < MOST_HAND_BACKS,
                "该案已三次被退回，须由分管领导指定承办单位",
            ),
            Self::Running => (case.paused_at.is_none(), "计时已暂停，请先恢复计时"),
            Self::Paused => (case.paused_at.is_some(), "计时没有暂停"),
            Self::ExtensionAsked => (case.extension_by.is_some(), "没有待批的延期申请"),
            Self::ExtensionNotAsked => (case.extension_by.is_none(), "已有待批的延期申请"),
        };
        (!holds).then_some(why)
    }
}

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
        .filter(|rule| permits(rule, case, actor).is_ok())
        .collect()
}

/// The move that would bring a case on and is the actor's to make, by its title, and why it may not be made yet; nothing where
/// there is none.
#[must_use]
pub fn hindered(case: &Case, actor: &Actor) -> Option<(&'static str, &'static str)> {
    [A::Dispatch, A::Report, A::Reply, A::Approve]
        .into_iter()
        .filter_map(rule)
        .find_map(|rule| match permits(rule, case, actor) {
            Err(Refusal::Guard(why)) => Some((rule.action.title(), why)),
            _ => None,
        })
}

/// Whether a rule lets an actor move a case now.
pub(super) fn permits(rule: &Rule, case: &Case, actor: &Actor) -> Result<(), Refusal> {
    if !rule.roles.contains(&actor.role) || !rule.from.contains(&case.state) {
        return Err(not_allowed(rule.action, case, actor));
    }
    match (rule.guards.iter()).find_map(|guard| guard.refuses(case, actor)) {
        Some(why) => Err(Refusal::Guard(why)),
        None => Ok(()),
    }
}

/// The rule by which an actor makes a move, and the state after it.
pub(super) fn find(
    deed: &Deed,
    case: &Case,
    actor: &Actor,
) -> Result<(&'static Rule, State), Refusal> {
    let rule = rule(deed.action).ok_or_else(|| not_allowed(deed.action, case, actor))?;
    permits(rule, case, actor)?;
    let assists = actor.role.of_unit() && actor.unit != case.lead();
    let to = rule.to.filter(|_| !assists).unwrap_or(case.state);
    Ok((rule, to))
}

fn not_allowed(action: Action, case: &Case, actor: &Actor) -> Refusal {
    Refusal::NotAllowed {
        state: case.state,
        role: actor.role,
        action: action.title(),
    }
}
