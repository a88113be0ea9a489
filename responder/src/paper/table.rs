//! The table of what is done with papers: from which states, to which, by whom.

use super::{PaperError, State};
use crate::case::Role;

/// What is done with a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// 提出: it was asked for.
    Ask,
    /// 生成: a responder made it.
    Make,
    /// 重新生成: from fresh data.
    Remake,
    /// 修改.
    Edit,
    /// 润色: a language model reworded a paragraph.
    Polish,
    /// 提交审核.
    Submit,
    /// 退回.
    Return,
    /// 签发.
    Approve,
    /// 发送.
    Send,
    /// 撤回.
    Withdraw,
}

/// A row of the table.
struct Row {
    action: Action,
    /// The name in the store, in forms and in the audit, before `-report`.
    name: &'static str,
    title: &'static str,
    from: &'static [State],
    to: State,
    who: &'static [Role],
    /// What must be written with it; empty for nothing.
    note: &'static str,
}

use Role::{Administrator, DutyOfficer, Leader};
use State::{Approved, Draft, Failed, Making, Sent, Submitted, Withdrawn};

/// Those of the office.
const OFFICE: &[Role] = &[DutyOfficer, Leader, Administrator];
/// The office, and the schedule.
const ASKERS: &[Role] = &[DutyOfficer, Leader, Administrator, Role::System];
/// Those who sign, as they do grave replies.
const LEADERS: &[Role] = &[Leader, Administrator];
/// Only the responder itself.
const SYSTEM: &[Role] = &[Role::System];

#[rustfmt::skip]
const TABLE: [Row; 10] = [
    row(Action::Ask,      "make",     "提出",     &[],                          Making,    ASKERS,  ""),
    row(Action::Make,     "made",     "生成",     &[Making],                    Draft,     SYSTEM,  ""),
    row(Action::Remake,   "remake",   "重新生成", &[Failed, Draft, Withdrawn],  Making,    OFFICE,  ""),
    row(Action::Edit,     "edit",     "修改",     &[Draft],                     Draft,     OFFICE,  ""),
    row(Action::Polish,   "polish",   "润色",     &[Draft],                     Draft,     OFFICE,  ""),
    row(Action::Submit,   "submit",   "提交审核", &[Draft],                     Submitted, OFFICE,  ""),
    row(Action::Return,   "return",   "退回修改", &[Submitted],                 Draft,     LEADERS, "退回理由"),
    row(Action::Approve,  "approve",  "签发",     &[Submitted],                 Approved,  LEADERS, ""),
    row(Action::Send,     "send",     "发送",     &[Approved, Sent],            Sent,      OFFICE,  ""),
    row(Action::Withdraw, "withdraw", "撤回",     &[Failed, Draft, Submitted],  Withdrawn, OFFICE,  ""),
];

const fn row(
    action: Action,
    name: &'static str,
    title: &'static str,
    from: &'static [State],
    to: State,
    who: &'static [Role],
    note: &'static str,
) -> Row {
    Row {
        action,
        name,
        title,
        from,
        to,
        who,
        note,
    }
}

impl Action {
    /// Those that are one button or one line of a form.
    pub const MOVES: [Self; 5] = [
        Self::Submit,
        Self::Return,
        Self::Approve,
        Self::Remake,
        Self::Withdraw,
    ];

    fn row(self) -> &'static Row {
        // Each action has its row; the first stands in for what cannot be missing.
        let [first, ..] = &TABLE;
        (TABLE.iter().find(|row| row.action == self)).unwrap_or(first)
    }

    /// The name in the store and in forms.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What must be written with it; empty for nothing.
    #[must_use]
    pub fn note(self) -> &'static str {
        self.row().note
    }

    /// The state that it leads to.
    pub(super) fn to(self) -> State {
        self.row().to
    }

    /// The action of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        (TABLE.iter())
            .find(|row| row.name == name)
            .map(|row| row.action)
    }

    /// Whether it is for a role at all.
    #[must_use]
    pub fn is_of(self, role: Role) -> bool {
        self.row().who.contains(&role)
    }

    /// Whether a role does it with a paper in that state.
    #[must_use]
    pub fn is_for(self, role: Role, state: State) -> bool {
        self.check(role, state).is_ok()
    }

    /// Whether a role may, in that state.
    pub(super) fn check(self, role: Role, state: State) -> Result<(), PaperError> {
        if !self.is_of(role) {
            return Err(PaperError::NotAllowed);
        }
        if !self.row().from.contains(&state) {
            return Err(PaperError::Stale);
        }
        Ok(())
    }

    /// The states from which it leads, for SQL.
    pub(super) fn leads_from(self) -> String {
        let names: Vec<String> = (self.row().from.iter())
            .map(|state| format!("'{}'", state.name()))
            .collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_its_row_and_nothing_leads_away_from_what_is_signed() {
        for row in &TABLE {
            assert_eq!(row.action.name(), row.name);
            assert_eq!(Action::named(row.name), Some(row.action));
            let signed = row.from.iter().any(|state| state.is_signed());
            assert!(!signed || row.to == Sent, "{}", row.name);
        }
    }
}
