//! Silences: which notices are held back, and by whom.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backbone::message::APPEALS;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::problem::Problem;
use crate::console::Console;
use crate::routing::{Match, NewSilence, Silence, SilenceError};

/// Longest code or condition, in characters.
const LONGEST_TEXT: usize = 100;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// Most values of a condition.
const MOST_VALUES: usize = 50;

/// Name of what writers want.
#[derive(Debug)]
pub(super) struct AppealName;

impl PartialSchema for AppealName {
    fn schema() -> RefOr<Schema> {
        asked::names(APPEALS)
    }
}

impl ToSchema for AppealName {}

/// A value of a condition.
#[derive(Debug)]
pub(super) struct ConditionText;

impl PartialSchema for ConditionText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(LONGEST_TEXT))
            .build()
            .into()
    }
}

impl ToSchema for ConditionText {}

/// A level, 1 (gravest) to 4.
#[derive(Debug)]
pub(super) struct LevelNumber;

impl PartialSchema for LevelNumber {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(4))
            .build()
            .into()
    }
}

impl ToSchema for LevelNumber {}

/// Which matters: all conditions that are given hold.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SilenceMatch)]
pub(super) struct MatchView {
    /// One of these subjects: a whole one (环境保护) or a part of one (环境保护/噪声污染).
    #[schema(value_type = Vec<ConditionText>, max_items = 50)]
    subject: Vec<String>,
    /// One of these places, or a place within them.
    #[schema(value_type = Vec<ConditionText>, max_items = 50)]
    place: Vec<String>,
    /// What most of the writers want is one of these.
    #[schema(value_type = Vec<AppealName>, max_items = 50)]
    appeal: Vec<String>,
    /// One of these levels.
    #[serde(deserialize_with = "levels")]
    #[schema(value_type = Vec<LevelNumber>, max_items = 50)]
    level: Vec<u8>,
    /// One of these sources, by name or kind.
    #[schema(value_type = Vec<ConditionText>, max_items = 50)]
    source: Vec<String>,
    /// One of these words in the event's title or gist.
    #[schema(value_type = Vec<ConditionText>, max_items = 50)]
    words: Vec<String>,
}

/// A level.
#[derive(Deserialize)]
struct Level(#[serde(deserialize_with = "asked::whole")] u8);

fn levels<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let levels = Vec::<Level>::deserialize(deserializer)?;
    Ok(levels.into_iter().map(|level| level.0).collect())
}

impl MatchView {
    /// The conditions, when every field is within its bounds.
    fn conditions(self) -> Result<Match, Problem> {
        for (field, texts) in [
            ("matches.subject", &self.subject),
            ("matches.place", &self.place),
            ("matches.appeal", &self.appeal),
            ("matches.source", &self.source),
            ("matches.words", &self.words),
        ] {
            asked::at_most(field, texts.len(), MOST_VALUES)?;
            for text in texts {
                asked::within(field, text, LONGEST_TEXT)?;
            }
        }
        asked::at_most("matches.level", self.level.len(), MOST_VALUES)?;
        Ok(Match {
            region: Vec::new(),
            subject: self.subject,
            place: self.place,
            appeal: self.appeal,
            level: self.level,
            source: self.source,
            words: self.words,
        })
    }
}

/// A silence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Silence)]
pub(super) struct SilenceView {
    id: String,
    /// Code of the region.
    region: String,
    /// Account name of who made it.
    author: String,
    reason: String,
    matches: MatchView,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Whether it holds notices back now.
    active: bool,
    /// When it was ended before its time.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Account name of who ended it; empty where nobody did.
    ended_by: String,
}

impl SilenceView {
    fn new(silence: Silence, now: Timestamp) -> Self {
        let active = silence.is_active(now);
        let (ended_at, ended_by) = silence
            .expired
            .map_or_else(Default::default, |(at, by)| (Some(at), by));
        Self {
            id: silence.id,
            region: silence.region,
            author: silence.author,
            reason: silence.reason,
            matches: MatchView {
                subject: silence.matches.subject,
                place: silence.matches.place,
                appeal: silence.matches.appeal,
                level: silence.matches.level,
                source: silence.matches.source,
                words: silence.matches.words,
            },
            from: silence.from,
            until: silence.until,
            made_at: silence.made_at,
            active,
            ended_at,
            ended_by,
        }
    }
}

/// The silences, the newest first, those that have ended too.
#[utoipa::path(
    get,
    path = "/silences",
    tag = "silences",
    params(
        ("region" = Option<String>, Query, description = "Only of this region", max_length = 100),
        ("active" = Option<bool>, Query, description = "Only those that hold notices back now"),
        ("offset" = Option<u32>, Query, description = "How many to pass over", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The silences", body = Vec<SilenceView>))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<Vec<SilenceView>>, Problem> {
    let asked = asked.only(&["region", "active", "offset", "limit"])?;
    let wanted = asked.text("region", LONGEST_TEXT)?;
    let active = asked.flag("active")?;
    let (offset, limit) = asked.page()?;
    let now = Timestamp::now();
    let regions = console.regions.keys().map(String::as_str);
    let regions: Vec<&str> = regions
        .filter(|region| wanted.is_empty() || *region == wanted)
        .collect();
    let mut silences = Vec::new();
    if active {
        silences = console.silences.active(&regions, now).await?;
    } else {
        for region in regions {
            silences.extend(console.silences.list(region).await?);
        }
    }
    silences.sort_by_key(|silence| std::cmp::Reverse(silence.made_at));
    let page = (silences.into_iter())
        .skip(offset as usize)
        .take(limit as usize);
    Ok(Json(
        page.map(|silence| SilenceView::new(silence, now)).collect(),
    ))
}

/// A silence to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSilence)]
pub(super) struct SilenceAsked {
    /// Code of the region.
    #[schema(max_length = 100)]
    region: String,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Which matters; at least one condition.
    matches: MatchView,
    /// Its begin; now where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// Makes a silence: the notices of these matters are held back for a while. Their cases are opened all the same.
#[utoipa::path(
    post,
    path = "/silences",
    tag = "silences",
    request_body = SilenceAsked,
    responses((status = 201, description = "It was made", body = SilenceView))
)]
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
    Body(asks): Body<SilenceAsked>,
) -> Result<(StatusCode, Json<SilenceView>), Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    asked::within("region", &asks.region, LONGEST_TEXT)?;
    asked::within("reason", &asks.reason, LONGEST_REASON)?;
    let matches = asks.matches.conditions()?;
    let region = console.regions.get(&asks.region);
    let region = region.ok_or_else(Problem::no_region)?;
    let new = NewSilence {
        region: asks.region,
        author: caller.user.name.clone(),
        reason: asks.reason,
        matches,
        from: asks.from.unwrap_or(now),
        until: asks.until,
    };
    let silence = console.silences.add(&new, region, now).await?;
    caller
        .audit(&console, "add-silence", &silence.id, now)
        .await?;
    Ok((StatusCode::CREATED, Json(SilenceView::new(silence, now))))
}

/// Ends a silence before its time.
#[utoipa::path(
    delete,
    path = "/silences/{id}",
    tag = "silences",
    params(("id" = String, Path, description = "The silence's id")),
    responses((status = 204, description = "It holds nothing back any more"))
)]
pub(super) async fn end(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<StatusCode, Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    for region in console.regions.keys() {
        let ended = console.silences.expire(region, &id, &caller.user.name, now);
        match ended.await {
            Err(SilenceError::NotFound) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                caller.audit(&console, "end-silence", &id, now).await?;
                return Ok(StatusCode::NO_CONTENT);
            }
        }
    }
    Err(Problem::NotFound)
}
