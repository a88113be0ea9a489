//! A post as a line of the live page.

use askama::Template;
use backbone::clickhouse::rows::AssessmentRow;
use backbone::message::{Evidence, Part};

use crate::console::Console;
use crate::console::marks::{self, Piece};
use crate::console::show::{self, Level};

/// Characters of a text that a line shows.
const SHOWN: usize = 160;

/// A line.
pub(super) struct LiveLine {
    pub(super) id: String,
    pub(super) title: Vec<Piece>,
    pub(super) text: Vec<Piece>,
    /// The level of the post's event; none where it has none.
    pub(super) level: Option<Level>,
    pub(super) source: String,
    pub(super) kind: &'static str,
    pub(super) published_at: String,
    pub(super) sentiment: String,
    pub(super) sentiment_word: &'static str,
    pub(super) score: String,
    pub(super) subject: String,
    pub(super) places: String,
    pub(super) unit: String,
    pub(super) event: String,
    pub(super) link: String,
    pub(super) relevant: bool,
    /// What an officer said of it; empty where none did.
    pub(super) verdict: String,
}

impl LiveLine {
    pub(super) fn new(console: &Console, row: &AssessmentRow, verdict: String) -> Self {
        let name = |code: &str| console.unit_name(&row.region, code).to_owned();
        let evidence: Vec<Evidence> = serde_json::from_str(&row.evidence).unwrap_or_default();
        let marked = |text: &str, part| {
            marks::lines(text, part, &evidence, name)
                .into_iter()
                .flatten()
                .collect::<Vec<Piece>>()
        };
        let begin: String = row.text.chars().take(SHOWN).collect();
        let goes_on = row.text.chars().nth(SHOWN).is_some();
        let mut text = marked(&begin, Part::Text);
        if goes_on {
            text.push(plain("…"));
        }
        let mut title = marked(row.title.trim_end(), Part::Title);
        if row.title.trim().is_empty() {
            title = vec![plain("（无标题）")];
        }
        Self {
            id: row.post_id.clone(),
            title,
            text,
            level: (row.event_level > 0).then(|| show::level(row.event_level)),
            source: row.source.clone(),
            kind: show::kind(&row.kind),
            published_at: show::time_of(row.published_at),
            sentiment: row.sentiment.clone(),
            sentiment_word: show::sentiment(&row.sentiment),
            score: show::score(row.sentiment_score),
            subject: row.subject.clone(),
            places: row.places.join("、"),
            unit: row.units.first().map(|code| name(code)).unwrap_or_default(),
            event: row.event_id.clone(),
            link: show::link(&row.url),
            relevant: row.relevant,
            verdict,
        }
    }
}

fn plain(text: &str) -> Piece {
    Piece {
        text: text.to_owned(),
        ..Piece::default()
    }
}

/// A line by itself, as streams carry it: without the secret of a session, which the page has.
#[derive(Template)]
#[template(path = "live-line.html")]
pub(super) struct Fragment {
    pub(super) line: LiveLine,
}
