//! What an alert tells of its event: how its risk came about, the dates of its story, what it repeats.

use backbone::message::{Alert, EventSummary, Turn};

use super::show;

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

/// What a term of the risk formula is called.
pub(crate) fn term_title(name: &str) -> &'static str {
    match name {
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
    }
}

pub(super) fn terms(alert: &Alert) -> Vec<Term> {
    alert
        .terms
        .iter()
        .map(|term| Term {
            title: term_title(&term.name),
            value: format!("{:.2}", term.value),
            share: format!("{:+.3}", term.share + 0.0),
            length: (term.value.clamp(0.0, 1.0) * 100.0).round() as u64,
        })
        .collect()
}

/// When it reached a level is told with the level, elsewhere on the page.
pub(super) fn key_dates(event: &EventSummary) -> Vec<KeyDateLine> {
    (event.key_dates.iter())
        .filter_map(|date| {
            Some(KeyDateLine {
                title: turn(date.what)?,
                at: show::time(date.at),
            })
        })
        .collect()
}

pub(super) fn earlier(event: &EventSummary) -> Option<Earlier> {
    (event.recurrence.as_ref()).map(|earlier| Earlier {
        event: earlier.event.clone(),
        title: earlier.title.clone(),
        last_at: show::time(earlier.last_at),
    })
}

fn turn(what: Turn) -> Option<&'static str> {
    match what {
        Turn::First => Some("首次反映"),
        Turn::Level => None,
        Turn::Peak => Some("单日最多"),
        Turn::Answered => Some("官方回应"),
        Turn::Revived => Some("再度出现"),
        Turn::Newest => Some("最新反映"),
    }
}
