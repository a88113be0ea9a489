//! The words of every kind of notice, in one place. How they are laid out for a channel is in
//! [`form`](super::form).

use jiff::Timestamp;

use super::body::{Body, CaseBody, DigestBody, Kind, PaperBody, SourceBody, TestBody};
use crate::clock;
use crate::level::level;

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// What it is: 派单通知.
    pub heading: &'static str,
    /// What it is about, on one line.
    pub title: String,
    /// What one has to know, each with its label: the short ones first.
    pub facts: Vec<(&'static str, String)>,
    /// What one is asked to do.
    pub request: &'static str,
    /// What the link leads to.
    pub link_title: &'static str,
    /// Where to look.
    pub link: String,
    /// Level, 1 (gravest) to 4.
    pub level: u8,
}

struct Words {
    heading: &'static str,
    note: &'static str,
    request: &'static str,
}

/// What each kind of notice of a case is called, what the note with it is, and what it asks for.
fn words(kind: Kind) -> Words {
    let (heading, note, request) = match kind {
        Kind::Alert => ("新预警待研判", "情况", "请尽快研判并派单。"),
        Kind::Dispatch => ("派单通知", "派单意见", "请在签收期限内签收并办理。"),
        Kind::Urge => ("催办通知", "催办意见", "请抓紧办理并报告进展。"),
        Kind::Supervise => ("督办通知", "督办要求", "请按督办要求办理并报告结果。"),
        Kind::SendBack => ("答复退回修改", "修改意见", "请按意见修改后重新提交。"),
        Kind::Approve => ("答复审核通过", "审核意见", "请按审核通过的内容答复群众。"),
        Kind::Extension => ("延期申请", "申请理由", "请审批是否同意延期。"),
        Kind::Decision => ("延期批复", "批复意见", "请按答复期限办理。"),
        Kind::Review => ("答复待审核", "说明", "请审核答复。"),
        Kind::HandBack => ("责任单位退回", "退回理由", "请重新研判并派单。"),
        Kind::Reminder => ("办理时限提醒", "提醒", "请在期限前办理。"),
        Kind::Escalation => ("办理已超期", "情况", "请督促尽快办理。"),
        Kind::Commitment => (
            "承诺事项提醒",
            "承诺内容",
            "请按期兑现，并在案件中登记完成情况。",
        ),
        Kind::Digest => ("多件事项", "事项", "请逐件查看并办理。"),
        Kind::Source => ("来源状况", "问题", "请在来源页查看。"),
        Kind::Paper => ("报告送阅", "文号", "请登录后阅览。"),
        Kind::Test => ("通知测试", "说明", "收到即表示该渠道可用，无需处理。"),
    };
    Words {
        heading,
        note,
        request,
    }
}

impl Wording {
    /// The words of a notice that was queued at the given time. They tell it, so that two notices of the same matter
    /// never read the same and one that comes late shows it.
    #[must_use]
    pub fn of(body: &Body, queued_at: Timestamp) -> Self {
        let mut wording = match body {
            Body::Case(body) => of_case(body),
            Body::Digest(body) => of_digest(body),
            Body::Source(body) => of_source(body),
            Body::Paper(body) => of_paper(body),
            Body::Test(body) => of_test(body),
        };
        wording
            .facts
            .insert(0, ("通知时间", clock::time(queued_at)));
        wording
    }

    /// The subject of a mail: what it is, and about what.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("【{}】{}", self.heading, self.title)
    }
}

fn of_case(body: &CaseBody) -> Wording {
    let Words {
        heading,
        note,
        request,
    } = words(body.kind);
    let level_name = level(body.level);
    let part = if body.lead { "牵头" } else { "协办" };
    let mut facts = vec![
        (
            "级别",
            format!("{}（{}）", level_name.numeral, level_name.word),
        ),
        ("单位", format!("{}（{part}）", body.unit_name)),
    ];
    if !body.sign_by.is_empty() {
        facts.push(("签收期限", time(&body.sign_by)));
    }
    facts.push(("答复期限", time(&body.respond_by)));
    if !body.note.is_empty() {
        facts.push((note, body.note.clone()));
    }
    Wording {
        heading,
        title: body.title.clone(),
        facts,
        request,
        link_title: "查看案件",
        link: body.link.clone(),
        level: body.level,
    }
}

fn of_digest(body: &DigestBody) -> Wording {
    let Words {
        heading,
        note,
        request,
    } = words(body.kind);
    let facts = body.notices.iter().map(|notice| {
        let level = level(notice.level).numeral;
        let due = time(&notice.respond_by);
        let line = format!(
            "{}：{}（{level}，{due}前答复）",
            notice.action, notice.title
        );
        (note, line)
    });
    Wording {
        heading,
        title: format!("共{}件待办理", body.notices.len()),
        facts: facts.collect(),
        request,
        link_title: "查看全部案件",
        link: body.link.clone(),
        level: body
            .notices
            .iter()
            .map(|notice| notice.level)
            .min()
            .unwrap_or(4),
    }
}

fn of_source(body: &SourceBody) -> Wording {
    let Words {
        heading: _,
        note,
        request,
    } = words(body.kind);
    let well = body.problem.is_empty();
    let facts = if well {
        Vec::new()
    } else {
        vec![(note, body.problem.clone())]
    };
    Wording {
        heading: if well { "来源恢复" } else { "来源异常" },
        title: body.title.clone(),
        facts,
        request,
        link_title: "查看来源",
        link: body.link.clone(),
        level: 4,
    }
}

fn of_paper(body: &PaperBody) -> Wording {
    let Words {
        heading,
        note,
        request,
    } = words(body.kind);
    let days = if body.from == body.to {
        body.from.clone()
    } else {
        format!("{} 至 {}", body.from, body.to)
    };
    let mut facts = vec![("期间", days)];
    if !body.number.is_empty() {
        facts.push((note, body.number.clone()));
    }
    Wording {
        heading,
        title: body.title.clone(),
        facts,
        request,
        link_title: "查看报告",
        link: body.link.clone(),
        level: 4,
    }
}

fn of_test(body: &TestBody) -> Wording {
    let Words {
        heading, request, ..
    } = words(body.kind);
    Wording {
        heading,
        title: format!("闻声通知渠道“{}”", body.channel),
        facts: Vec::new(),
        request,
        link_title: "打开闻声",
        link: body.link.clone(),
        level: 4,
    }
}

/// A time of a body, for people.
fn time(written: &str) -> String {
    written
        .parse::<Timestamp>()
        .map_or_else(|_| written.to_owned(), clock::time)
}
