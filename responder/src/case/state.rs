//! Where a case stands.

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
    /// 已并案: handled with another case.
    Merged,
}

impl State {
    /// All states, in the order of a case's life.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Dispatched,
        Self::Signed,
        Self::Handling,
        Self::Review,
        Self::Answered,
        Self::Closed,
        Self::Followed,
        Self::Dismissed,
        Self::Merged,
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
            Self::Merged => "merged",
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
            Self::Merged => "已并案",
        }
    }

    /// Whether the matter is still to be answered.
    #[must_use]
    pub fn open(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Dispatched | Self::Signed | Self::Handling | Self::Review
        )
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
