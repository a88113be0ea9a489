//! What a case is and how far: its clocks, its risk, its story, who was told.

use backbone::message::{EventSummary, Turn};
use jiff::Timestamp;

use crate::case::{self, Case, Move};
use crate::console::show;
use crate::notify::{self, Notice};

/// A deadline of the case.
pub(super) struct Clock {
    pub(super) title: &'static str,
    pub(super) due: String,
    pub(super) left: String,
    pub(super) late: bool,
}

/// A term of the risk formula.
pub(super) struct Term {
    pub(super) title: &'static str,
    pub(super) value: String,
    pub(super) share: String,
    /// Of 100: the length of its bar.
    pub(super) length: u64,
}

/// A date in the story of the event.
pub(super) struct KeyDateLine {
    pub(super) title: &'static str,
    pub(super) at: String,
}

/// The earlier event that one repeats.
pub(super) struct Earlier {
    pub(super) event: String,
    pub(super) title: String,
    pub(super) last_at: String,
}

/// A unit and how far it is.
pub(super) struct PartLine {
    pub(super) unit: String,
    pub(super) leads: bool,
    pub(super) progress: &'static str,
}

pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) state: &'static str,
    pub(super) who: String,
    pub(super) at: String,
    pub(super) note: String,
}

pub(super) struct NoticeLine {
    pub(super) to: String,
    pub(super) what: String,
    pub(super) channel: String,
    pub(super) state: &'static str,
    pub(super) failed: bool,
    pub(super) attempts: u32,
    pub(super) problem: String,
    pub(super) at: String,
}

pub(super) fn terms(case: &Case) -> Vec<Term> {
    let title = |name: &str| match name {
        "subject" => "事项敏感程度",
        "sentiment" => "负面程度",
        "intensity" => "伤害与紧急用词",
        "posts" => "帖文数量",
        "voices" => "反映人数",
        "spread" => "传播范围",
        "speed" => "一天内增长",
        "silence" => "等待答复时间",
        "answer" => "已有官方回应",
        _ => "其他",
    };
    case.alert
        .terms
        .iter()
        .map(|term| Term {
            title: title(&term.name),
            value: format!("{:.2}", term.value),
            share: format!("{:+.3}", term.share),
            length: (term.value.clamp(0.0, 1.0) * 100.0).round() as u64,
        })
        .collect()
}

pub(super) fn turn(what: Turn) -> &'static str {
    match what {
        Turn::First => "首次反映",
        Turn::Level => "达到等级",
        Turn::Peak => "单日最多",
        Turn::Answered => "官方回应",
        Turn::Revived => "再度出现",
        Turn::Newest => "最新反映",
    }
}

pub(super) fn counts(event: &EventSummary) -> String {
    let moods = &event.sentiments;
    let moods = [
        ("负面", moods.negative),
        ("中性", moods.neutral),
        ("正面", moods.positive),
        ("修改", event.revisions),
    ];
    let appeals = (event.appeals.iter()).map(|appeal| (appeal.name.as_str(), appeal.posts));
    appeals
        .chain(moods)
        .filter(|(_, posts)| *posts > 0)
        .map(|(name, posts)| format!("{name}{posts}"))
        .collect::<Vec<_>>()
        .join(" ")
}

pub(super) fn clocks(case: &Case, now: Timestamp) -> Vec<Clock> {
    let answered = case.answered_at.map(|at| Clock {
        title: "回应",
        due: show::time(case.respond_by),
        left: format!("{} 已回应", show::time(at)),
        late: at > case.respond_by,
    });
    let paused = case.paused_at.map(|since| Clock {
        title: "全部",
        due: format!("{} 起", show::time(since)),
        left: "计时暂停".to_owned(),
        late: false,
    });
    // Of several units that have to sign, the first due.
    let mut shown: Vec<case::Clock> = Vec::new();
    let running = case.clocks();
    let running = running.iter().filter_map(|(clock, _, due)| {
        let first = !shown.contains(clock);
        shown.push(*clock);
        first.then(|| Clock {
            title: clock.title(),
            due: show::time(*due),
            left: show::until(*due, now),
            late: *due < now,
        })
    });
    running.chain(answered).chain(paused).collect()
}

pub(super) fn step(made: &Move, person: &impl Fn(&str) -> String) -> Step {
    let who = if made.actor.is_empty() {
        made.role.title().to_owned()
    } else {
        format!("{} {}", made.role.title(), person(&made.actor))
    };
    Step {
        title: made.action.title(),
        state: made.to.title(),
        who,
        at: show::time(made.at),
        note: match made.choice.as_str() {
            "" => made.note.clone(),
            choice => format!("{choice}。{}", made.note),
        },
    }
}

pub(super) fn notice_line(notice: &Notice, unit_name: &impl Fn(&str) -> String) -> NoticeLine {
    let unit = unit_name(&notice.addressee.unit);
    NoticeLine {
        to: format!("{unit}{}", notice.addressee.contact),
        what: notice.body.action().to_owned(),
        channel: notice.channel().to_owned(),
        state: notice.state.title(),
        failed: notice.state == notify::State::Failed,
        attempts: notice.attempts,
        problem: notice.problem.clone(),
        at: show::time(notice.updated_at),
    }
}
