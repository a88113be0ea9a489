//! What is told of the clocks of a case, and when: a reminder before a deadline, and after it who is next above, along the
//! roster (contact → unit lead → duty leader → office leader).

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Case;
use crate::calendar::Calendar;
use crate::deadline::Deadlines;

/// A clock of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Clock {
    /// 签收.
    Sign,
    /// 首次信息.
    FirstInformation,
    /// 回应.
    Response,
    /// 延期审批.
    Extension,
    /// 答复审核.
    Review,
    /// 回访.
    FollowUp,
}

impl Clock {
    /// All clocks.
    pub const ALL: [Self; 6] = [
        Self::Sign,
        Self::FirstInformation,
        Self::Response,
        Self::Extension,
        Self::Review,
        Self::FollowUp,
    ];

    /// The name in the store and in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::FirstInformation => "first-information",
            Self::Response => "response",
            Self::Extension => "extension",
            Self::Review => "review",
            Self::FollowUp => "follow-up",
        }
    }

    /// The name on pages and in notices.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Sign => "签收",
            Self::FirstInformation => "首次信息",
            Self::Response => "回应",
            Self::Extension => "延期审批",
            Self::Review => "答复审核",
            Self::FollowUp => "回访",
        }
    }

    /// The clock of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|clock| clock.name() == name)
    }

    /// Whether the office, not a unit, has to act.
    #[must_use]
    pub fn of_office(self) -> bool {
        matches!(self, Self::Extension | Self::Review | Self::FollowUp)
    }
}

/// How far up it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// 即将到期: who has to act, before it is due.
    Remind,
    /// 已超期, to the lead of the unit that has to act; to the duty officer where that is the office.
    Lead,
    /// 已超期, to the duty leader (带班领导).
    DutyLeader,
    /// 已超期, to the office's leader (分管领导).
    OfficeLeader,
}

impl Step {
    /// All steps, in their order.
    pub const ALL: [Self; 4] = [
        Self::Remind,
        Self::Lead,
        Self::DutyLeader,
        Self::OfficeLeader,
    ];

    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Remind => "remind",
            Self::Lead => "lead",
            Self::DutyLeader => "duty-leader",
            Self::OfficeLeader => "office-leader",
        }
    }

    /// The step of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// How long before a deadline who has to act is reminded, and how long after it who is told.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Escalation {
    /// Minutes before a signature is due.
    pub remind_sign_minutes: u32,
    /// Minutes before first information, the decision on more time or a review is due.
    pub remind_decision_minutes: u32,
    /// Minutes before an answer or a follow-up is due.
    pub remind_answer_minutes: u32,
    /// Minutes after any deadline until the unit's lead, the duty leader and the office's leader are told.
    pub after_minutes: [u32; 3],
}

impl Default for Escalation {
    fn default() -> Self {
        Self {
            remind_sign_minutes: 10,
            remind_decision_minutes: 60,
            remind_answer_minutes: 240,
            after_minutes: [0, 30, 120],
        }
    }
}

/// What the clocks of cases run by.
#[derive(Debug, Clone, Default)]
pub struct Timing {
    /// How long what may take.
    pub deadlines: Deadlines,
    /// Which days and hours are worked.
    pub calendar: Calendar,
    /// Whom the clocks are told to, and when.
    pub escalation: Escalation,
}

impl Timing {
    pub(crate) fn sign(&self, level: u8, now: Timestamp) -> Timestamp {
        self.deadlines.sign(level, now, &self.calendar)
    }

    pub(crate) fn first_information(&self, level: u8, now: Timestamp) -> Option<Timestamp> {
        (self.deadlines).first_information(level, now, &self.calendar)
    }

    pub(super) fn response(&self, level: u8, now: Timestamp) -> Timestamp {
        self.deadlines.response(level, now, &self.calendar)
    }

    pub(super) fn extended(&self, level: u8, due: Timestamp, now: Timestamp) -> Timestamp {
        self.deadlines.extended(level, due, now, &self.calendar)
    }

    pub(super) fn decision(&self, level: u8, now: Timestamp) -> Timestamp {
        self.deadlines.decision(level, now, &self.calendar)
    }

    pub(super) fn review(&self, level: u8, now: Timestamp) -> Timestamp {
        self.deadlines.review(level, now, &self.calendar)
    }

    pub(super) fn follow_up(&self, level: u8, now: Timestamp) -> Timestamp {
        self.deadlines.follow_up(level, now, &self.calendar)
    }
}

/// Something to tell of a clock, at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The clock.
    pub clock: Clock,
    /// The unit whose clock it is; empty where it is the lead's or the office's.
    pub unit: String,
    /// How far up.
    pub step: Step,
    /// When the clock is due.
    pub due_at: Timestamp,
    /// When to tell.
    pub at: Timestamp,
}

impl Escalation {
    /// What is to be told of the running clocks of a case as it stands now. A reminder whose time has passed is due at once,
    /// as long as the deadline has not passed.
    #[must_use]
    pub fn plan(&self, case: &Case, now: Timestamp) -> Vec<Telling> {
        let mut plan = Vec::new();
        for (clock, unit, due_at) in case.clocks() {
            let before = match clock {
                Clock::Sign => self.remind_sign_minutes,
                Clock::FirstInformation | Clock::Extension | Clock::Review => {
                    self.remind_decision_minutes
                }
                Clock::Response | Clock::FollowUp => self.remind_answer_minutes,
            };
            let minutes = |minutes: u32| SignedDuration::from_mins(i64::from(minutes));
            let [lead, duty_leader, office_leader] = self.after_minutes.map(minutes);
            let mut tell = |step, at| {
                plan.push(Telling {
                    clock,
                    unit: unit.to_owned(),
                    step,
                    due_at,
                    at,
                });
            };
            if now < due_at {
                tell(Step::Remind, due_at - minutes(before));
            }
            tell(Step::Lead, due_at + lead);
            tell(Step::DutyLeader, due_at + duty_leader);
            tell(Step::OfficeLeader, due_at + office_leader);
        }
        plan
    }
}
