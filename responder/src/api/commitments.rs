//! Commitments: what units promised in replies by a date. A unit sees its own and those of its cases.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::cases::seen;
use super::problem::Problem;
use crate::case::Actor;
use crate::commitment::{Commitment, LONGEST, NewCommitment, Query, State as Stage};
use crate::console::Console;

/// Longest code or id, in characters.
const LONGEST_TEXT: usize = 100;

/// Where a commitment stands.
#[derive(Debug)]
pub(super) struct CommitmentStateName;

impl PartialSchema for CommitmentStateName {
    fn schema() -> RefOr<Schema> {
        asked::names(Stage::ALL.map(Stage::name))
    }
}

impl ToSchema for CommitmentStateName {}

/// A commitment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Commitment)]
pub(super) struct CommitmentView {
    id: String,
    /// Id of the case in whose reply it was made.
    case: String,
    /// Code of the case's region.
    region: String,
    /// What is promised.
    what: String,
    /// Code of the unit that promised it.
    unit: String,
    /// The last day on which it is kept in time.
    #[schema(value_type = String, format = Date)]
    due: Date,
    #[schema(value_type = CommitmentStateName)]
    state: &'static str,
    /// What shows that it was kept; empty before.
    proof: String,
    /// Id of the case's file that shows it; may be empty.
    attachment: String,
    /// Why it was withdrawn; empty where it was not.
    reason: String,
    /// The account that added it.
    added_by: String,
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    /// The account that kept or withdrew it; empty before.
    ended_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// When it was found broken; stays when it is kept late.
    #[schema(value_type = Option<String>, format = DateTime)]
    broken_at: Option<Timestamp>,
}

impl From<Commitment> for CommitmentView {
    fn from(commitment: Commitment) -> Self {
        Self {
            due: commitment.due(),
            id: commitment.id,
            case: commitment.case_id,
            region: commitment.region,
            what: commitment.what,
            unit: commitment.unit,
            state: commitment.state.name(),
            proof: commitment.proof,
            attachment: commitment.attachment,
            reason: commitment.reason,
            added_by: commitment.added_by,
            added_at: commitment.added_at,
            ended_by: commitment.ended_by,
            ended_at: commitment.ended_at,
            broken_at: commitment.escalated_at,
        }
    }
}

/// The commitments asked for, the one due first before the others. Where they are of one case, that they were read is
/// noted in the audit.
#[utoipa::path(
    get,
    path = "/commitments",
    tag = "commitments",
    params(
        ("region" = Option<String>, Query, description = "Only of this region", max_length = 100),
        ("unit" = Option<String>, Query, description = "Only of this unit", max_length = 100),
        ("state" = Option<CommitmentStateName>, Query, description = "Only of this state"),
        ("case" = Option<String>, Query, description = "Only of this case", max_length = 100),
        ("offset" = Option<u32>, Query, description = "How many to pass over", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The commitments", body = Vec<CommitmentView>))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<Vec<CommitmentView>>, Problem> {
    let asked = asked.only(&["region", "unit", "state", "case", "offset", "limit"])?;
    let actor = caller.actor();
    let (offset, limit) = asked.page()?;
    let mut query = Query {
        region: asked.text("region", LONGEST_TEXT)?,
        unit: asked.text("unit", LONGEST_TEXT)?,
        case_id: asked.text("case", LONGEST_TEXT)?,
        state: asked.choice("state", &Stage::ALL, Stage::name)?,
        offset,
        limit,
    };
    if !query.case_id.is_empty() {
        let id = &query.case_id;
        if console.cases.get(id, &actor).await?.is_none() {
            return Ok(Json(Vec::new()));
        }
        caller
            .audit(&console, "read-commitments", id, Timestamp::now())
            .await?;
    } else if actor.role.of_unit() {
        // Without a case of its own, a unit meets its own.
        for (wanted, own) in [
            (&mut query.region, &actor.region),
            (&mut query.unit, &actor.unit),
        ] {
            if !wanted.is_empty() && wanted != own {
                return Ok(Json(Vec::new()));
            }
            wanted.clone_from(own);
        }
    }
    let commitments = console.commitments.list(&query).await?;
    Ok(Json(
        (commitments.into_iter())
            .map(CommitmentView::from)
            .collect(),
    ))
}

/// A commitment to keep track of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCommitment)]
pub(super) struct CommitmentAsked {
    /// What is promised.
    #[schema(min_length = 1, max_length = 1_000)]
    what: String,
    /// The last day on which it is kept in time.
    #[schema(value_type = String, format = Date)]
    due: Date,
    /// Code of the unit that promised it, one of the case's; for a unit's account it is that unit, otherwise the lead, where
    /// it is not said.
    #[serde(default)]
    #[schema(max_length = 100)]
    unit: String,
}

/// Keeps track of what was promised in a case's reply. The same again changes nothing.
#[utoipa::path(
    post,
    path = "/cases/{id}/commitments",
    tag = "commitments",
    params(("id" = String, Path, description = "The case's id")),
    request_body = CommitmentAsked,
    responses((status = 201, description = "It is kept track of", body = CommitmentView))
)]
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<CommitmentAsked>,
) -> Result<(StatusCode, Json<CommitmentView>), Problem> {
    asked.only(&[])?;
    let (now, actor) = (Timestamp::now(), caller.actor());
    asked::within("what", &asks.what, LONGEST)?;
    asked::within("unit", &asks.unit, LONGEST_TEXT)?;
    let case = seen(&console, &id, &actor).await?;
    let unit = match asks.unit.as_str() {
        "" if actor.role.of_unit() => &actor.unit,
        "" => case.lead(),
        unit => unit,
    };
    if actor.role.of_unit() && unit != actor.unit {
        return Err(Problem::NotAllowed("只能登记本单位的承诺。".to_owned()));
    }
    if case.part(unit).is_none() {
        let detail = "该单位不是本案的牵头或协办单位，请核对单位代码。";
        return Err(Problem::Refused(detail.to_owned()));
    }
    let new = NewCommitment {
        unit: unit.to_owned(),
        case_id: case.id,
        region: case.region,
        what: asks.what,
        due: asks.due,
    };
    let commitment = console.commitments.add(&new, &actor, now).await?;
    caller.audit(&console, "add-commitment", &id, now).await?;
    Ok((StatusCode::CREATED, Json(commitment.into())))
}

/// How a commitment was kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    /// What shows that it was kept.
    #[schema(min_length = 1, max_length = 1_000)]
    proof: String,
    /// Id of the case's file that shows it.
    #[serde(default)]
    #[schema(max_length = 100)]
    attachment: String,
}

/// Marks a commitment as kept, in time or late.
#[utoipa::path(
    post,
    path = "/commitments/{id}/keep",
    tag = "commitments",
    params(("id" = String, Path, description = "The commitment's id")),
    request_body = Proof,
    responses((status = 200, description = "The commitment as it is now", body = CommitmentView))
)]
pub(super) async fn keep(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<Proof>,
) -> Result<Json<CommitmentView>, Problem> {
    asked.only(&[])?;
    let (now, actor) = (Timestamp::now(), caller.actor());
    asked::within("proof", &asks.proof, LONGEST)?;
    asked::within("attachment", &asks.attachment, LONGEST_TEXT)?;
    let commitment = own(&console, &id, &actor).await?;
    if !asks.attachment.is_empty() {
        let files = console.cases.attachments(&commitment.case_id).await?;
        if !files.iter().any(|file| file.id == asks.attachment) {
            let detail = "本案没有这个附件，请先上传。";
            return Err(Problem::Refused(detail.to_owned()));
        }
    }
    console
        .commitments
        .keep(&id, &asks.proof, &asks.attachment, &actor, now)
        .await?;
    caller.audit(&console, "keep-commitment", &id, now).await?;
    Ok(Json(own(&console, &id, &actor).await?.into()))
}

/// Why a commitment is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// Why.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
}

/// Withdraws a commitment.
#[utoipa::path(
    post,
    path = "/commitments/{id}/withdraw",
    tag = "commitments",
    params(("id" = String, Path, description = "The commitment's id")),
    request_body = Withdrawal,
    responses((status = 200, description = "The commitment as it is now", body = CommitmentView))
)]
pub(super) async fn withdraw(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<Withdrawal>,
) -> Result<Json<CommitmentView>, Problem> {
    asked.only(&[])?;
    let (now, actor) = (Timestamp::now(), caller.actor());
    asked::within("reason", &asks.reason, LONGEST)?;
    own(&console, &id, &actor).await?;
    console
        .commitments
        .withdraw(&id, &asks.reason, &actor, now)
        .await?;
    caller
        .audit(&console, "withdraw-commitment", &id, now)
        .await?;
    Ok(Json(own(&console, &id, &actor).await?.into()))
}

/// A commitment that the actor may move: the office all, a unit its own.
async fn own(console: &Console, id: &str, actor: &Actor) -> Result<Commitment, Problem> {
    let known = console.commitments.get(id).await?;
    let known = known.filter(|known| {
        !actor.role.of_unit() || (known.region == actor.region && known.unit == actor.unit)
    });
    known.ok_or(Problem::NotFound)
}
