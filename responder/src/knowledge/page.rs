//! The knowledge base as one page that needs nothing else, to be put on a site of the government.

use askama::Template;
use backbone::region::Region;
use jiff::Timestamp;

use super::Entry;
use crate::clock::CHINA;

#[derive(Template)]
#[template(path = "knowledge-page.html")]
struct Page<'a> {
    region: &'a str,
    day: String,
    total: usize,
    subjects: Vec<Subject<'a>>,
}

struct Subject<'a> {
    name: &'a str,
    entries: Vec<Shown<'a>>,
}

struct Shown<'a> {
    anchor: String,
    question: &'a str,
    answer: &'a str,
    basis: &'a str,
    unit: &'a str,
    since: String,
}

/// The page of a region's approved entries, by subject, as HTML.
///
/// # Errors
/// When it cannot be rendered.
pub fn page(region: &Region, approved: &[Entry], now: Timestamp) -> Result<String, askama::Error> {
    let day = |at: Timestamp| CHINA.to_datetime(at).strftime("%Y年%-m月%-d日").to_string();
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for entry in approved {
        let shown = Shown {
            anchor: entry.id.chars().take(8).collect(),
            question: &entry.content.question,
            answer: &entry.content.answer,
            basis: &entry.content.basis,
            unit: region
                .unit(&entry.content.unit)
                .map_or(entry.content.unit.as_str(), |unit| unit.name.as_str()),
            since: entry.decided_at.map(day).unwrap_or_default(),
        };
        let name = entry.content.subject.as_str();
        match subjects.iter_mut().find(|subject| subject.name == name) {
            Some(subject) => subject.entries.push(shown),
            None => subjects.push(Subject {
                name,
                entries: vec![shown],
            }),
        }
    }
    Page {
        region: &region.gazetteer.name,
        day: day(now),
        total: approved.len(),
        subjects,
    }
    .render()
}
