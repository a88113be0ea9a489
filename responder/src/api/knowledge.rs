//! The knowledge base: questions that people ask again and again, and the units' answers. Of other units, a unit sees what
//! is approved.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backbone::region::SUBJECTS;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::cases::seen;
use super::events::SubjectName;
use super::problem::Problem;
use crate::case::Actor;
use crate::console::Console;
use crate::knowledge::{Content, Entry, LONGEST, Query, Status};

/// Longest code, id or text to look for, in characters.
const LONGEST_TEXT: usize = 100;

/// Where an entry stands.
#[derive(Debug)]
pub(super) struct StatusName;

impl PartialSchema for StatusName {
    fn schema() -> RefOr<Schema> {
        asked::names(Status::ALL.map(Status::name))
    }
}

impl ToSchema for StatusName {}

/// An entry of the knowledge base.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(super) struct EntryView {
    id: String,
    /// Code of its region.
    region: String,
    /// The question, as people ask it.
    question: String,
    answer: String,
    #[schema(value_type = SubjectName)]
    subject: String,
    /// Code of the unit that stands for it.
    unit: String,
    /// The law, regulation or document it rests on; may be empty.
    basis: String,
    /// Id of the case whose published reply it is; empty where it was written for the purpose.
    source: String,
    #[schema(value_type = StatusName)]
    state: &'static str,
    /// The account that wrote it, or changed it last.
    written_by: String,
    #[schema(value_type = String, format = DateTime)]
    written_at: Timestamp,
    /// The account that approved or retired it; empty before.
    decided_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// To be shown with a decision: one made on an older version is refused.
    version: i64,
    /// How much of the text that was looked for it has, in `[0, 1]`; absent where none was.
    score: Option<f64>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            region: entry.region,
            question: entry.content.question,
            answer: entry.content.answer,
            subject: entry.content.subject,
            unit: entry.content.unit,
            basis: entry.content.basis,
            source: entry.content.source,
            state: entry.status.name(),
            written_by: entry.written_by,
            written_at: entry.written_at,
            decided_by: entry.decided_by,
            decided_at: entry.decided_at,
            version: entry.version,
            score: None,
        }
    }
}

/// The entries asked for, by subject and question; with a text, those most like it, the likest first.
#[utoipa::path(
    get,
    path = "/knowledge",
    tag = "knowledge",
    params(
        ("text" = Option<String>, Query, description = "Only the 60 that are most like this text; none that is retired", max_length = 100),
        ("subject" = Option<SubjectName>, Query, description = "Only of this subject"),
        ("state" = Option<StatusName>, Query, description = "Only of this state"),
        ("region" = Option<String>, Query, description = "Only of this region", max_length = 100),
        ("unit" = Option<String>, Query, description = "Only of this unit", max_length = 100),
        ("offset" = Option<u32>, Query, description = "How many to pass over", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The entries", body = Vec<EntryView>))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<Vec<EntryView>>, Problem> {
    let asked = asked.only(&[
        "text", "subject", "state", "region", "unit", "offset", "limit",
    ])?;
    let actor = caller.actor();
    let text = asked.text("text", LONGEST_TEXT)?;
    let (offset, limit) = asked.page()?;
    let subject = asked.choice("subject", &SUBJECTS, |subject| subject)?;
    let query = Query {
        region: asked.text("region", LONGEST_TEXT)?,
        status: asked.choice("state", &Status::ALL, Status::name)?,
        unit: asked.text("unit", LONGEST_TEXT)?,
        subject: subject.unwrap_or_default().to_owned(),
        seen_by: String::new(),
        offset,
        limit,
    };
    let regions = console.regions.keys().map(String::as_str);
    let found = (console.knowledge)
        .look(query, &text, regions, &actor)
        .await?;
    let view = |(entry, score): (Entry, Option<f64>)| EntryView {
        score,
        ..entry.into()
    };
    Ok(Json(found.into_iter().map(view).collect()))
}

/// One entry.
#[utoipa::path(
    get,
    path = "/knowledge/{id}",
    tag = "knowledge",
    params(("id" = String, Path, description = "The entry's id")),
    responses((status = 200, description = "The entry", body = EntryView))
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<EntryView>, Problem> {
    asked.only(&[])?;
    Ok(Json(found(&console, &id, &caller.actor()).await?.into()))
}

/// An entry that the actor may see.
async fn found(console: &Console, id: &str, actor: &Actor) -> Result<Entry, Problem> {
    let entry = console.knowledge.get(id).await?;
    let entry = entry.filter(|entry| entry.seen_by(actor));
    entry.ok_or(Problem::NotFound)
}

/// An entry to propose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEntry {
    /// Code of the region.
    #[schema(max_length = 100)]
    region: String,
    /// The question, as people ask it.
    #[schema(min_length = 1, max_length = 300)]
    question: String,
    #[schema(min_length = 1, max_length = 5_000)]
    answer: String,
    #[schema(value_type = SubjectName)]
    subject: String,
    /// Code of the unit that stands for it.
    #[schema(max_length = 100)]
    unit: String,
    /// The law, regulation or document it rests on.
    #[serde(default)]
    #[schema(max_length = 500)]
    basis: String,
    /// Id of the case whose published reply it is.
    #[serde(default)]
    #[schema(max_length = 100)]
    source: String,
}

/// Proposes an entry: the office for any unit, a unit for itself.
#[utoipa::path(
    post,
    path = "/knowledge",
    tag = "knowledge",
    request_body = NewEntry,
    responses((status = 201, description = "It was proposed", body = EntryView))
)]
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
    Body(asks): Body<NewEntry>,
) -> Result<(StatusCode, Json<EntryView>), Problem> {
    asked.only(&[])?;
    let (now, actor) = (Timestamp::now(), caller.actor());
    let [question, answer, basis] = LONGEST;
    for (field, text, longest) in [
        ("region", &asks.region, LONGEST_TEXT),
        ("question", &asks.question, question),
        ("answer", &asks.answer, answer),
        ("unit", &asks.unit, LONGEST_TEXT),
        ("basis", &asks.basis, basis),
        ("source", &asks.source, LONGEST_TEXT),
    ] {
        asked::within(field, text, longest)?;
    }
    if !SUBJECTS.contains(&asks.subject.as_str()) {
        return Err(Problem::Body {
            field: "subject".to_owned(),
            detail: format!("可用的值：{}。", SUBJECTS.join("、")),
        });
    }
    let region = console.regions.get(&asks.region);
    let region = region.ok_or_else(Problem::no_region)?;
    if !asks.source.is_empty() {
        let source = seen(&console, &asks.source, &actor).await;
        source.map_err(|problem| match problem {
            Problem::NotFound => Problem::Refused("没有来源案件，或您无权查看。".to_owned()),
            other => other,
        })?;
    }
    let content = Content {
        question: asks.question,
        answer: asks.answer,
        subject: asks.subject,
        unit: asks.unit,
        basis: asks.basis,
        source: asks.source,
    };
    let entry = console
        .knowledge
        .propose(region, &content, &actor, now)
        .await?;
    caller
        .audit(&console, "propose-knowledge", &entry.id, now)
        .await?;
    Ok((StatusCode::CREATED, Json(entry.into())))
}

/// A decision on an entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// The version of the entry that it is made on.
    #[serde(deserialize_with = "asked::whole")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Decision {
    fn version(&self) -> Result<i64, Problem> {
        if self.version < 0 {
            return Err(Problem::Body {
                field: "version".to_owned(),
                detail: "请填写问答的版本号，不小于0。".to_owned(),
            });
        }
        Ok(self.version)
    }
}

/// Approves a proposed entry, by an account of the unit that stands for it.
#[utoipa::path(
    post,
    path = "/knowledge/{id}/approve",
    tag = "knowledge",
    params(("id" = String, Path, description = "The entry's id")),
    request_body = Decision,
    responses((status = 200, description = "The entry as it is now", body = EntryView))
)]
pub(super) async fn approve(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<Decision>,
) -> Result<Json<EntryView>, Problem> {
    asked.only(&[])?;
    let (now, actor) = (Timestamp::now(), caller.actor());
    let version = asks.version()?;
    found(&console, &id, &actor).await?;
    console.knowledge.approve(&id, version, &actor, now).await?;
    caller
        .audit(&console, "approve-knowledge", &id, now)
        .await?;
    Ok(Json(found(&console, &id, &actor).await?.into()))
}

/// Retires an entry: it is found no longer.
#[utoipa::path(
    post,
    path = "/knowledge/{id}/retire",
    tag = "knowledge",
    params(("id" = String, Path, description = "The entry's id")),
    request_body = Decision,
    responses((status = 200, description = "The entry as it is now", body = EntryView))
)]
pub(super) async fn retire(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<Decision>,
) -> Result<Json<EntryView>, Problem> {
    asked.only(&[])?;
    let (now, actor) = (Timestamp::now(), caller.actor());
    let version = asks.version()?;
    found(&console, &id, &actor).await?;
    console.knowledge.retire(&id, version, &actor, now).await?;
    caller.audit(&console, "retire-knowledge", &id, now).await?;
    Ok(Json(found(&console, &id, &actor).await?.into()))
}
