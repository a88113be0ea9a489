//! What the notices of these stories are about.

use jiff::{SignedDuration, Timestamp};
use responder::case::{Case, Part, Progress, State};
use responder::notify::message::Message;
use responder::notify::wording::Wording;
use responder::notify::{Body, CaseBody, Kind};

use crate::ground::yellow;

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

/// The county of these stories.
pub(crate) const REGION: &str = "360921";

/// A case that was dispatched to these units.
pub(crate) fn of_units(id: &str, level: u8, units: &[&str]) -> Case {
    Case {
        id: id.to_owned(),
        region: REGION.to_owned(),
        state: State::Dispatched,
        level,
        parts: units.iter().map(|unit| part(unit)).collect(),
        routed_because: String::new(),
        alert: yellow(REGION),
        reply: String::new(),
        opened_at: morning(),
        hand_backs: 0,
        merged_into: String::new(),
        satisfaction: String::new(),
        first_information_by: None,
        extension_by: None,
        review_by: None,
        follow_up_by: None,
        paused_at: None,
        respond_by: after(86_400),
        answered_at: None,
        updated_at: morning(),
        version: 2,
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
