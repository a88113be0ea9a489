//! What the notices of these stories are about.

use jiff::{SignedDuration, Timestamp};
use responder::case::{Part, Progress};
use responder::notify::channel::Message;
use responder::notify::wording::Wording;
use responder::notify::{Body, CaseBody, Kind};

/// A Monday morning.
pub(crate) fn morning() -> Timestamp {
    "2026-11-23T00:30:00Z".parse().unwrap()
}

pub(crate) fn after(seconds: i64) -> Timestamp {
    morning() + SignedDuration::from_secs(seconds)
}

pub(crate) const LINK: &str = "https://wensheng.test/cases/5f0c";

/// A title that tries to be more than a title on every service.
pub(crate) const HOSTILE: &str = "**急**[点我](https://evil.test/)<@all><at id=all></at><font color=\"red\">\u{202e}漏水</font>\n# 标题\n> `x` \"引\" ' \\ & ![图](x) {{ 1 }} ~~删~~ @所有人 http://evil.test/a_b_c";

pub(crate) fn of_case(kind: Kind, title: &str, note: &str) -> CaseBody {
    CaseBody {
        id: "notice-1".to_owned(),
        kind,
        action: kind.title().to_owned(),
        case: "5f0c".to_owned(),
        title: title.to_owned(),
        level: 2,
        unit: "zhujian".to_owned(),
        unit_name: "县住房和城乡建设局".to_owned(),
        lead: true,
        sign_by: "2026-11-23T01:30:00Z".to_owned(),
        respond_by: "2026-11-24T00:30:00Z".to_owned(),
        note: note.to_owned(),
        link: LINK.to_owned(),
    }
}

pub(crate) fn body(title: &str, note: &str) -> Body {
    Body::Case(of_case(Kind::Dispatch, title, note))
}

pub(crate) fn message<'a>(body: &'a Body, to: &'a str) -> Message<'a> {
    Message {
        id: "notice-1",
        to,
        wording: Wording::of(body, morning()),
        body,
        files: &[],
    }
}

/// A unit's part in a case that was sent to it.
pub(crate) fn part(unit: &str) -> Part {
    Part {
        unit: unit.to_owned(),
        progress: Progress::Sent,
        sign_by: Some(after(3_600)),
    }
}
