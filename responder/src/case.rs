//! Cases: a matter on its way from the alert to the answer, and the rules of its moves.

mod action;
mod apply;
mod attachment;
mod clock;
mod figures;
mod role;
mod state;
mod store;
mod table;

use std::fmt;

use backbone::message::Alert;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use action::Action;
pub use attachment::{Attached, Attachment, AttachmentError, LARGEST, MOST, NewAttachment};
pub use clock::{Clock, Escalation, Step, Telling, Timing};
pub use figures::{Figures, OfState};
pub use role::{Actor, Role};
pub use state::State;
pub use store::{Cases, Counts, MoveError, Page, Query, Ring, Rung, StoreError, Taken};
pub use table::{RULES, Refusal, Rule, allowed, hindered, rule};

/// Hand-backs after which only the office's leader dispatches a case: units are not to play ping-pong with it.
pub const MOST_HAND_BACKS: u32 = 3;

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
    /// Its units and how far each is, the lead (牵头) first, then those that assist (协办); what routing or the unit
    /// that handed it back proposes while it is pending.
    pub parts: Vec<Part>,
    /// Why these units are proposed.
    pub routed_because: String,
    /// The newest alert taken in, with the event as it stood then.
    pub alert: Alert,
    /// The reply submitted last; empty before.
    pub reply: String,
    /// How often a lead unit handed it back.
    pub hand_backs: u32,
    /// The case it is merged into; empty where it is not.
    pub merged_into: String,
    /// What those asked at the follow-up said, one of the choices of its rule; empty before.
    pub satisfaction: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Until when first information must go out; absent for Ⅲ and Ⅳ and once a report or reply is in.
    pub first_information_by: Option<Timestamp>,
    /// Until when the people must be answered.
    pub respond_by: Timestamp,
    /// Until when the office must say whether there is more time; absent where nobody asked.
    pub extension_by: Option<Timestamp>,
    /// Until when the reply must be reviewed; absent where none waits.
    pub review_by: Option<Timestamp>,
    /// Until when the writers must be asked whether it helped; absent where it is not closed.
    pub follow_up_by: Option<Timestamp>,
    /// Since when no clock runs; absent where they run.
    pub paused_at: Option<Timestamp>,
    /// When the people were answered.
    pub answered_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts its changes: a move made on an older version is refused.
    pub version: i64,
}

/// What one unit has to do in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The unit's code.
    pub unit: String,
    /// How far it is.
    pub progress: Progress,
    /// Until when the unit must sign; absent before the dispatch and once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_by: Option<Timestamp>,
}

/// How far a unit is with its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// 待签收: proposed or sent.
    Sent,
    /// 已签收.
    Signed,
    /// 已反馈: it reported what it found and did.
    Reported,
}

impl Progress {
    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Sent => "待签收",
            Self::Signed => "已签收",
            Self::Reported => "已反馈",
        }
    }
}

impl Part {
    /// A part that its unit has not signed for.
    #[must_use]
    pub fn sent(unit: &str, sign_by: Option<Timestamp>) -> Self {
        Self {
            unit: unit.to_owned(),
            progress: Progress::Sent,
            sign_by,
        }
    }
}

impl Case {
    /// The code of the lead unit; empty where there is none.
    #[must_use]
    pub fn lead(&self) -> &str {
        self.parts.first().map_or("", |part| &part.unit)
    }

    /// The parts of the units that assist.
    #[must_use]
    pub fn assisting(&self) -> &[Part] {
        self.parts.get(1..).unwrap_or_default()
    }

    /// The part of a unit.
    #[must_use]
    pub fn part(&self, unit: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.unit == unit)
    }

    pub(crate) fn part_mut(&mut self, unit: &str) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.unit == unit)
    }

    /// Until when the next unit must sign; absent where all have.
    #[must_use]
    pub fn sign_by(&self) -> Option<Timestamp> {
        self.parts.iter().filter_map(|part| part.sign_by).min()
    }

    /// The clocks that run, with the unit whose it is (empty where it is the office's or the lead's), and when each is due.
    #[must_use]
    pub fn clocks(&self) -> Vec<(Clock, &str, Timestamp)> {
        if self.paused_at.is_some() {
            return Vec::new();
        }
        let signs = (self.parts.iter())
            .filter(|_| self.state.open())
            .filter_map(|part| Some((Clock::Sign, part.unit.as_str(), part.sign_by?)));
        let respond_by = self.state.open().then_some(self.respond_by);
        let others = [
            (Clock::FirstInformation, self.first_information_by),
            (Clock::Response, respond_by),
            (Clock::Extension, self.extension_by),
            (Clock::Review, self.review_by),
            (Clock::FollowUp, self.follow_up_by),
        ];
        let others = (others.into_iter()).filter_map(|(clock, due)| Some((clock, "", due?)));
        signs.chain(others).collect()
    }

    /// Whether something due by now is missing.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> bool {
        self.clocks().iter().any(|(_, _, due)| *due < now)
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
    /// Code of the unit whose account it is; empty for the office.
    pub unit: String,
    /// What was chosen where the rule has choices; empty where it has none.
    pub choice: String,
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
    /// One of the choices of the rule, where it has any.
    pub choice: String,
    /// For a dispatch: the lead unit. For a hand-back: the unit that should have it, if the actor knows.
    pub lead: String,
    /// For a dispatch: the assisting units.
    pub assists: Vec<String>,
    /// For [`Action::Merge`]: the id of the case to merge into.
    pub into: String,
}

impl Deed {
    /// A move that says nothing more than what is done.
    #[must_use]
    pub fn plain(action: Action, version: i64, note: &str) -> Self {
        Self {
            action,
            version,
            note: note.to_owned(),
            choice: String::new(),
            lead: String::new(),
            assists: Vec::new(),
            into: String::new(),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}
