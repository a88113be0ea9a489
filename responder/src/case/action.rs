//! What is done to a case.

/// A move of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Opened by an alert, or by an officer where there was none.
    Open,
    /// Raised to a graver level by a later alert; a case at its end is pending again.
    Raise,
    /// 派单.
    Dispatch,
    /// 误报.
    Dismiss,
    /// 签收: a unit has its part.
    Sign,
    /// 退回改派: a unit says that the matter is not its own, and whose it is.
    Return,
    /// 改派: the office changes the units of a case on its way.
    Redispatch,
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
    /// 重办: what was answered is to be handled again.
    Reopen,
    /// 申请延期.
    AskExtension,
    /// 延期: the office gives more time, asked for or not.
    Extend,
    /// 不同意延期.
    RefuseExtension,
    /// 催办.
    Urge,
    /// 督办.
    Supervise,
    /// 暂停计时: nothing is due until the stated reason is gone.
    Pause,
    /// 恢复计时.
    Resume,
    /// 并案: to be handled with another case.
    Merge,
    /// 并入: another case was merged into this one.
    Absorb,
    /// 拆案: a merged case is handled by itself again.
    Split,
    /// 拆出: a case merged into this one is handled by itself again.
    Release,
    /// 备注.
    Note,
    /// 上传附件.
    Attach,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 27] = [
        Self::Open,
        Self::Raise,
        Self::Dispatch,
        Self::Dismiss,
        Self::Sign,
        Self::Return,
        Self::Redispatch,
        Self::Report,
        Self::Reply,
        Self::SendBack,
        Self::Approve,
        Self::Close,
        Self::FollowUp,
        Self::Reopen,
        Self::AskExtension,
        Self::Extend,
        Self::RefuseExtension,
        Self::Urge,
        Self::Supervise,
        Self::Pause,
        Self::Resume,
        Self::Merge,
        Self::Absorb,
        Self::Split,
        Self::Release,
        Self::Note,
        Self::Attach,
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
            Self::Redispatch => "redispatch",
            Self::Report => "report",
            Self::Reply => "reply",
            Self::SendBack => "send-back",
            Self::Approve => "approve",
            Self::Close => "close",
            Self::FollowUp => "follow-up",
            Self::Reopen => "reopen",
            Self::AskExtension => "ask-extension",
            Self::Extend => "extend",
            Self::RefuseExtension => "refuse-extension",
            Self::Urge => "urge",
            Self::Supervise => "supervise",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Merge => "merge",
            Self::Absorb => "absorb",
            Self::Split => "split",
            Self::Release => "release",
            Self::Note => "note",
            Self::Attach => "attach",
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
            Self::Redispatch => "改派",
            Self::Report => "报告核查处置情况",
            Self::Reply => "提交答复",
            Self::SendBack => "退回修改",
            Self::Approve => "审核通过",
            Self::Close => "办结",
            Self::FollowUp => "回访",
            Self::Reopen => "重办",
            Self::AskExtension => "申请延期",
            Self::Extend => "延期",
            Self::RefuseExtension => "不同意延期",
            Self::Urge => "催办",
            Self::Supervise => "督办",
            Self::Pause => "暂停计时",
            Self::Resume => "恢复计时",
            Self::Merge => "并案",
            Self::Absorb => "并入",
            Self::Split => "拆案",
            Self::Release => "拆出",
            Self::Note => "备注",
            Self::Attach => "上传附件",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}
