//! Posts: how one stands in a list, and its page with what was read in it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use backbone::clickhouse::rows::AssessmentRow;
use backbone::message::{APPEALS, Evidence, Part, SecondOpinion};
use backbone::region::SUBJECTS;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::archive;
use super::fields::{Choice, Fields};
use super::marks::{self, Piece};
use super::page::{Frame, archive_unavailable, render};
use super::problem::Problem;
use super::show;
use crate::case::Role;
use crate::correction::{Correction, Kept};

/// A post in a list.
pub(super) struct PostLine {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) excerpt: String,
    pub(super) source: String,
    pub(super) kind: &'static str,
    pub(super) published_at: String,
    pub(super) sentiment: String,
    pub(super) sentiment_word: &'static str,
    pub(super) score: String,
    pub(super) because: String,
    pub(super) subject: String,
    pub(super) places: String,
    pub(super) event: String,
    pub(super) link: String,
    pub(super) relevant: bool,
}

impl PostLine {
    pub(super) fn new(row: AssessmentRow) -> Self {
        let title = if row.title.trim().is_empty() {
            show::excerpt(&row.text, 24)
        } else {
            row.title
        };
        Self {
            id: row.post_id,
            title,
            excerpt: show::excerpt(&row.text, 110),
            source: row.source,
            kind: show::kind(&row.kind),
            published_at: show::time_of(row.published_at),
            sentiment_word: show::sentiment(&row.sentiment),
            sentiment: row.sentiment,
            score: show::score(row.sentiment_score),
            because: row.sentiment_because.join("、"),
            subject: row.subject,
            places: row.places.join("、"),
            event: row.event_id,
            link: show::link(&row.url),
            relevant: row.relevant,
        }
    }
}

/// A unit responsible, as the page shows it.
struct UnitLine {
    role: &'static str,
    name: String,
    reason: String,
}

/// A select of the correction's form.
struct Select {
    name: &'static str,
    title: &'static str,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "post.html")]
struct PostPage {
    frame: Frame,
    post: PostLine,
    /// The title in pieces; empty where the post has none.
    title: Vec<Piece>,
    lines: Vec<Vec<Piece>>,
    legend: Vec<(&'static str, &'static str)>,
    relevant_because: String,
    second: String,
    subject_because: String,
    subject_percent: u64,
    appeal: String,
    appeal_because: String,
    appeal_percent: u64,
    confidence_percent: u64,
    intensity: String,
    units: Vec<UnitLine>,
    /// What another model said, a line; empty where none was asked.
    second_opinion: String,
    keywords: String,
    model: String,
    collected_at: String,
    likes: u32,
    opposes: u32,
    /// What was corrected, a line; empty where nothing was.
    corrected: String,
    /// The form's selects; none for who may not correct.
    selects: Vec<Select>,
}

/// One post.
pub(super) async fn one(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&console, &signed_in, "/posts", "帖文");
    let Ok(row) = archive::post(&console.archive, &id).await else {
        return archive_unavailable(frame);
    };
    let row = row.ok_or(Problem::NotFound)?;
    console
        .accounts
        .audit(
            &signed_in.user.name,
            "read-post",
            &row.post_id,
            Timestamp::now(),
        )
        .await?;
    let kept = console.corrections.of(&row.post_id).await?;
    render(&page(&console, &signed_in, frame, row, kept.as_ref()))
}

/// Keeps what an officer corrected.
pub(super) async fn correct(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let frame = Frame::new(&console, &signed_in, "/posts", "帖文");
    let Ok(row) = archive::post(&console.archive, &id).await else {
        return archive_unavailable(frame);
    };
    let row = row.ok_or(Problem::NotFound)?;
    let of = |name: &str| fields.get(name).to_owned();
    let correction = Correction {
        relevant: of("relevant"),
        sentiment: of("sentiment"),
        appeal: of("appeal"),
        subject: of("subject"),
        unit: of("unit"),
        post_id: row.post_id,
        region: row.region,
        title: row.title,
        text: row.text,
    };
    let (officer, now) = (signed_in.user.name.as_str(), Timestamp::now());
    let region = console.regions.get(&correction.region);
    console
        .corrections
        .keep(&correction, region, officer, now)
        .await?;
    console
        .accounts
        .audit(officer, "correct-post", &correction.post_id, now)
        .await?;
    Ok(Redirect::to(&format!("/posts/{}", correction.post_id)).into_response())
}

fn page(
    console: &Console,
    signed_in: &SignedIn,
    frame: Frame,
    row: AssessmentRow,
    kept: Option<&Kept>,
) -> PostPage {
    let unit_name = |code: &str| console.unit_name(&row.region, code).to_owned();
    let evidence: Vec<Evidence> = serde_json::from_str(&row.evidence).unwrap_or_default();
    let may_correct = matches!(signed_in.user.role, Role::Administrator | Role::DutyOfficer);
    let selects = if may_correct {
        selects(console, &row, kept)
    } else {
        Vec::new()
    };
    let units = row
        .units
        .iter()
        .zip(&row.unit_reasons)
        .enumerate()
        .map(|(index, (code, reason))| UnitLine {
            role: if index == 0 { "牵头" } else { "协办" },
            name: unit_name(code),
            reason: reason.clone(),
        })
        .collect();
    let title = if row.title.trim().is_empty() {
        Vec::new()
    } else {
        let lines = marks::lines(&row.title, Part::Title, &evidence, unit_name);
        lines.into_iter().flatten().collect()
    };
    PostPage {
        frame,
        title,
        lines: marks::lines(&row.text, Part::Text, &evidence, unit_name),
        legend: marks::legend().collect(),
        relevant_because: row.relevant_because.join("、"),
        second: row.subject_second.clone(),
        subject_because: row.subject_because.join("、"),
        subject_percent: percent(row.subject_probability),
        appeal: row.appeal.clone(),
        appeal_because: row.appeal_because.join("、"),
        appeal_percent: percent(row.appeal_probability),
        confidence_percent: percent(row.sentiment_confidence),
        intensity: row.intensity.join("、"),
        units,
        second_opinion: second_opinion(&row.second_opinion),
        keywords: row.keywords.join("、"),
        model: row.model.clone(),
        collected_at: show::time_of(row.collected_at),
        likes: row.likes,
        opposes: row.opposes,
        corrected: kept.map_or_else(String::new, |kept| {
            format!(
                "{}（{}，{}）",
                said(&kept.correction, unit_name).join("，"),
                kept.officer,
                show::time_of(kept.at)
            )
        }),
        selects,
        post: PostLine::new(row),
    }
}

fn second_opinion(message: &str) -> String {
    let opinion: Option<SecondOpinion> = serde_json::from_str(message).ok();
    opinion.map_or_else(String::new, |opinion| {
        format!(
            "情感{}，诉求{}，事项{}（{}）",
            show::sentiment(opinion.sentiment.name()),
            opinion.appeal,
            opinion.subject,
            opinion.model
        )
    })
}

fn percent(share: f64) -> u64 {
    (share * 100.0).round() as u64
}

fn yes_or_no(relevant: &str) -> &'static str {
    if relevant == "yes" {
        "涉及本地"
    } else {
        "不涉及本地"
    }
}

/// What a correction says, for people.
fn said(correction: &Correction, unit_name: impl Fn(&str) -> String) -> Vec<String> {
    let parts = [
        (
            &correction.relevant,
            "",
            yes_or_no(&correction.relevant).to_owned(),
        ),
        (
            &correction.sentiment,
            "情感为",
            show::sentiment(&correction.sentiment).to_owned(),
        ),
        (&correction.appeal, "诉求为", correction.appeal.clone()),
        (&correction.subject, "事项为", correction.subject.clone()),
        (&correction.unit, "责任单位为", unit_name(&correction.unit)),
    ];
    parts
        .into_iter()
        .filter(|(value, ..)| !value.is_empty())
        .map(|(_, prefix, value)| format!("{prefix}{value}"))
        .collect()
}

fn selects(console: &Console, row: &AssessmentRow, kept: Option<&Kept>) -> Vec<Select> {
    let correction = kept.map(|kept| kept.correction.clone()).unwrap_or_default();
    let select = |name, title, found: &str, chosen: &str, choices: Vec<(String, String)>| {
        let found = if found.is_empty() { "未判定" } else { found };
        let mut all = vec![Choice::new("", format!("不更正（{found}）"), chosen)];
        all.extend(
            choices
                .into_iter()
                .map(|(value, title)| Choice::new(value, title, chosen)),
        );
        Select {
            name,
            title,
            choices: all,
        }
    };
    let plain = |values: &[&str]| -> Vec<(String, String)> {
        let pair = |value: &&str| ((*value).to_owned(), (*value).to_owned());
        values.iter().map(pair).collect()
    };
    let named = |values: &[&str], title: fn(&str) -> &'static str| -> Vec<(String, String)> {
        let pair = |value: &&str| ((*value).to_owned(), title(value).to_owned());
        values.iter().map(pair).collect()
    };
    let units = console
        .regions
        .get(&row.region)
        .map_or_else(Vec::new, |region| {
            let units = region.units.iter();
            units
                .map(|unit| (unit.code.clone(), unit.name.clone()))
                .collect()
        });
    let relevant = yes_or_no(if row.relevant { "yes" } else { "no" });
    let lead = row.units.first().map_or("", String::as_str);
    vec![
        select(
            "relevant",
            "涉及本地",
            relevant,
            &correction.relevant,
            named(&["yes", "no"], yes_or_no),
        ),
        select(
            "sentiment",
            "情感",
            show::sentiment(&row.sentiment),
            &correction.sentiment,
            named(&["negative", "neutral", "positive"], show::sentiment),
        ),
        select(
            "appeal",
            "诉求",
            &row.appeal,
            &correction.appeal,
            plain(&APPEALS),
        ),
        select(
            "subject",
            "事项",
            &row.subject,
            &correction.subject,
            plain(&SUBJECTS),
        ),
        select(
            "unit",
            "责任单位",
            console.unit_name(&row.region, lead),
            &correction.unit,
            units,
        ),
    ]
}
