//! How far a case is: its clocks, its units, its moves, who was told.

use backbone::message::EventSummary;
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

pub(super) fn step(made: &Move, who: String) -> Step {
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
