//! How the parts are: what is wrong first, in words, with the remedy.

mod look;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::page::{Frame, render};
use super::problem::Problem;

/// Seconds after which the page is loaded again.
const REFRESH: u32 = 30;

/// A part, with how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: String,
    how: How,
    /// What is known of it.
    facts: Vec<String>,
    /// What is wrong, and the remedy; empty where nothing is.
    wrong: String,
    /// Where more is said; empty where nowhere.
    link: &'static str,
}

/// How a part is; what is worse comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Down,
    Doubtful,
    Well,
}

impl How {
    /// The class of its sign.
    fn name(self) -> &'static str {
        match self {
            Self::Down => "faulty",
            Self::Doubtful => "changed",
            Self::Well => "well",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Down => "异常",
            Self::Doubtful => "注意",
            Self::Well => "正常",
        }
    }
}

impl Part {
    fn well(name: impl Into<String>, facts: Vec<String>) -> Self {
        Self {
            name: name.into(),
            how: How::Well,
            facts,
            wrong: String::new(),
            link: "",
        }
    }

    /// The same, but wrong.
    fn wrong(self, how: How, wrong: impl Into<String>) -> Self {
        Self {
            how,
            wrong: wrong.into(),
            ..self
        }
    }

    fn see(self, link: &'static str) -> Self {
        Self { link, ..self }
    }
}

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    frame: Frame,
    at: String,
    parts: Vec<Part>,
    /// How many are not well.
    unwell: usize,
    lags: Vec<LagLine>,
    versions: Vec<(&'static str, String)>,
    /// How long the store keeps what.
    periods: Vec<(&'static str, String)>,
}

/// How far a consumer group is behind.
struct LagLine {
    topic: &'static str,
    group: &'static str,
    messages: u64,
    began: bool,
}

/// The page.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let mut seen = look::at(&console, now).await;
    seen.parts.sort_by_key(|part| part.how);
    let mut frame = Frame::new(&console, &signed_in, "/system", "系统");
    frame.refresh = REFRESH;
    render(&SystemPage {
        at: super::show::time(now),
        unwell: (seen.parts.iter())
            .filter(|part| part.how != How::Well)
            .count(),
        parts: seen.parts,
        lags: seen.lags,
        versions: seen.versions,
        periods: console.surroundings.retention.told().collect(),
        frame,
    })
}
