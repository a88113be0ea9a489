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
use super::archive::{self, Unavailable};
use super::fields::{Choice, Fields};
use super::marks::{self, Piece};
use super::page::{Frame, archive_unavailable, render};
use super::problem::Problem;
use super::session::within;
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
pub(super) struct Select {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) choices: Vec<Choice>,
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

/// A post as the archive has it, or as it just came where the archive has not got it yet.
pub(super) async fn find(
    console: &Console,
    id: &str,
) -> Result<Option<AssessmentRow>, Unavailable> {
    match archive::post(&console.archive, id).await {
        Ok(Some(row)) => Ok(Some(row)),
        otherwise => console.live.post(id).map(Some).map_or(otherwise, Ok),
    }
}

/// One post.
pub(super) async fn one(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&console, &signed_in, "/posts", "帖文");
    let Ok(row) = find(&console, &id).await else {
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
    let Ok(row) = find(&console, &id).await else {
        return archive_unavailable(frame);
    };
    let row = row.ok_or(Problem::NotFound)?;
    let region = console.regions.get(&row.region);
    let of = |name: &str| fields.get(name).to_owned();
    let correction = match fields.get("verdict") {
        "confirm" => Correction::confirming(&row, region),
        "dismiss" => Correction::dismissing(&row),
        _ => Correction {
            relevant: of("relevant"),
            sentiment: of("sentiment"),
            appeal: of("appeal"),
            subject: of("subject"),
            unit: of("unit"),
            ..Correction::of(&row)
        },
    };
    let (officer, now) = (signed_in.user.name.as_str(), Timestamp::now());
    console
        .corrections
        .keep(&correction, region, officer, now)
        .await?;
    console
        .accounts
        .audit(officer, "correct-post", &correction.post_id, now)
        .await?;
    let back = match fields.get("back") {
        "" => format!("/posts/{}", correction.post_id),
        back => within(back).to_owned(),
    };
    Ok(Redirect::to(&back).into_response())
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
        selects(console, Some(&row), kept)
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
        corrected: kept.map_or_else(String::new, |kept| verdict(console, &row, kept)),
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

/// What an officer said of a post, and who and when.
pub(super) fn verdict(console: &Console, row: &AssessmentRow, kept: &Kept) -> String {
    let region = console.regions.get(&row.region);
    let says = if kept.correction.confirms(row, region) {
        "确认无误".to_owned()
    } else {
        let unit_name = |code: &str| console.unit_name(&row.region, code).to_owned();
        format!("更正：{}", said(&kept.correction, unit_name).join("，"))
    };
    format!("{says}（{}，{}）", kept.officer, show::time_of(kept.at))
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

/// The selects of a correction of any post.
pub(super) fn selects_of_any(console: &Console) -> Vec<Select> {
    selects(console, None, None)
}

/// The selects of a correction: of a post, with what was found in it, or of any.
fn selects(console: &Console, row: Option<&AssessmentRow>, kept: Option<&Kept>) -> Vec<Select> {
    let correction = kept.map(|kept| kept.correction.clone()).unwrap_or_default();
    let select = |name, title, found: &str, chosen: &str, choices: Vec<(String, String)>| {
        let as_found = match (row, found) {
            (None, _) => "不更正".to_owned(),
            (Some(_), "") => "不更正（未判定）".to_owned(),
            (Some(_), found) => format!("不更正（{found}）"),
        };
        let mut all = vec![Choice::new("", as_found, chosen)];
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
    let regions = console.regions.values();
    let units = regions
        .filter(|region| row.is_none_or(|row| row.region == region.code()))
        .flat_map(|region| &region.units)
        .map(|unit| (unit.code.clone(), unit.name.clone()))
        .collect();
    let of = |found: fn(&AssessmentRow) -> &str| row.map_or("", found);
    let lead = of(|row| row.units.first().map_or("", String::as_str));
    vec![
        select(
            "relevant",
            "涉及本地",
            of(|row| yes_or_no(if row.relevant { "yes" } else { "no" })),
            &correction.relevant,
            named(&["yes", "no"], yes_or_no),
        ),
        select(
            "sentiment",
            "情感",
            of(|row| show::sentiment(&row.sentiment)),
            &correction.sentiment,
            named(&["negative", "neutral", "positive"], show::sentiment),
        ),
        select(
            "appeal",
            "诉求",
            of(|row| &row.appeal),
            &correction.appeal,
            plain(&APPEALS),
        ),
        select(
            "subject",
            "事项",
            of(|row| &row.subject),
            &correction.subject,
            plain(&SUBJECTS),
        ),
        select(
            "unit",
            "责任单位",
            row.map_or("", |row| console.unit_name(&row.region, lead)),
            &correction.unit,
            units,
        ),
    ]
}
