//! Bursts and common problems (突发与共性问题), as the overview and the page of events show them.

use backbone::clickhouse::rows::SignalRow;

use super::show;

/// A signal.
pub(super) struct SignalLine {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) word: &'static str,
    pub(super) title: String,
    pub(super) when: String,
    pub(super) lasts: bool,
    pub(super) places: String,
    pub(super) weekly: String,
    pub(super) events: Vec<EventLink>,
    pub(super) event_count: u32,
}

/// The word for a kind of signal.
pub(crate) fn word(kind: &str) -> &'static str {
    match kind {
        "burst" => "突增",
        "many-places" => "多地同类",
        "many-subjects" => "一地多类",
        "rise" => "持续上升",
        _ => "提示",
    }
}

/// One of its events.
pub(super) struct EventLink {
    pub(super) id: String,
    pub(super) title: String,
}

impl SignalLine {
    pub(super) fn new(row: SignalRow) -> Self {
        let events = row.events.into_iter().zip(row.event_titles);
        let weekly: Vec<String> = row.weekly.iter().map(u32::to_string).collect();
        Self {
            id: row.signal_id,
            word: word(&row.kind),
            kind: row.kind,
            title: row.title,
            when: show::time_of(row.found_at),
            lasts: row.over_at == 0,
            places: row
                .places
                .into_iter()
                .take(5)
                .collect::<Vec<_>>()
                .join("、"),
            weekly: weekly.join(" → "),
            events: events
                .map(|(id, title)| EventLink {
                    title: if title.is_empty() {
                        "未命名事件".to_owned()
                    } else {
                        show::excerpt(&title, 40)
                    },
                    id,
                })
                .collect(),
            event_count: row.event_count,
        }
    }
}
