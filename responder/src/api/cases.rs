//! Cases: the list, one with its moves, a move, and the notices that were sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::problem::Problem;
use crate::case::{
    Action, Actor, Case, Deed, Move, Part, Progress, Query, RULES, Role, Rule, State as Stage,
    allowed,
};
use crate::console::Console;
use crate::notify::{self, Notice};

/// Most levels there are.
const LEVELS: std::ops::RangeInclusive<u8> = 1..=4;
/// Longest text to look for, in characters.
const LONGEST_TEXT: usize = 100;
/// Longest note, in characters.
const LONGEST_NOTE: usize = 5_000;
/// Most units that assist.
const MOST_ASSISTS: usize = 50;

macro_rules! names {
    ($(#[$doc:meta] $name:ident: $names:expr;)+) => {
        $(
            #[$doc]
            #[derive(Debug)]
            pub(super) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    asked::names($names)
                }
            }

            impl ToSchema for $name {}
        )+
    };
}

names! {
    /// Name of a state.
    StateName: Stage::ALL.map(Stage::name);
    /// Name of a move.
    ActionName: Action::ALL.map(Action::name);
    /// Name of a move that people make.
    DeedName: deeds().map(|rule| rule.action.name());
    /// Name of a role.
    RoleName: std::iter::once(Role::System.name()).chain(Role::ACCOUNTS.map(Role::name));
    /// Name of a role that an account can have.
    AccountRoleName: Role::ACCOUNTS.map(Role::name);
}

/// A case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub(super) struct CaseView {
    id: String,
    /// Code of its region.
    region: String,
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Level, 1 (gravest) to 4.
    #[schema(minimum = 1, maximum = 4)]
    level: u8,
    /// Its units, the lead first; what is proposed while it is pending.
    parts: Vec<PartView>,
    /// How often a lead unit handed it back.
    hand_backs: u32,
    /// The case it is merged into; empty where it is not.
    merged_into: String,
    /// Id of its event.
    event: String,
    /// Title of its event.
    title: String,
    /// The matter in two lines.
    gist: String,
    /// How many posts its event has.
    posts: u32,
    /// How many distinct voices.
    voices: u32,
    /// The reply submitted last; empty before.
    reply: String,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// Until when the next unit must sign for its part.
    #[schema(value_type = Option<String>, format = DateTime)]
    sign_by: Option<Timestamp>,
    /// Until when first information must go out.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_information_by: Option<Timestamp>,
    /// Until when the people must be answered.
    #[schema(value_type = String, format = DateTime)]
    respond_by: Timestamp,
    /// Since when no clock runs; absent where they run.
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_at: Option<Timestamp>,
    /// When they were.
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// What those asked at the follow-up said; empty before.
    satisfaction: String,
    /// Whether something due is missing.
    overdue: bool,
    /// To be shown with a move: one made on an older version is refused.
    version: i64,
}

impl CaseView {
    fn new(case: &Case, now: Timestamp) -> Self {
        let event = &case.alert.event;
        Self {
            id: case.id.clone(),
            region: case.region.clone(),
            state: case.state.name(),
            level: case.level,
            parts: case.parts.iter().map(PartView::from).collect(),
            hand_backs: case.hand_backs,
            merged_into: case.merged_into.clone(),
            event: event.id.clone(),
            title: event.title.clone(),
            gist: event.gist.clone(),
            posts: event.posts,
            voices: event.voices,
            reply: case.reply.clone(),
            opened_at: case.opened_at,
            sign_by: case.sign_by(),
            first_information_by: case.first_information_by,
            respond_by: case.respond_by,
            paused_at: case.paused_at,
            answered_at: case.answered_at,
            updated_at: case.updated_at,
            satisfaction: case.satisfaction.clone(),
            overdue: case.overdue(now),
            version: case.version,
        }
    }
}

/// What one unit has to do in a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Part)]
pub(super) struct PartView {
    /// The unit's code.
    unit: String,
    /// `sent`, `signed` or `reported`.
    progress: &'static str,
    /// Until when the unit must sign.
    #[schema(value_type = Option<String>, format = DateTime)]
    sign_by: Option<Timestamp>,
}

impl From<&Part> for PartView {
    fn from(part: &Part) -> Self {
        Self {
            unit: part.unit.clone(),
            progress: match part.progress {
                Progress::Sent => "sent",
                Progress::Signed => "signed",
                Progress::Reported => "reported",
            },
            sign_by: part.sign_by,
        }
    }
}

/// Cases asked for, the gravest and most urgent first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CasePage {
    items: Vec<CaseView>,
    /// How many there are in all.
    total: u64,
}

/// A move that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Move)]
pub(super) struct MoveView {
    /// Position among the case's moves, from 1.
    sequence: u32,
    #[schema(value_type = ActionName)]
    action: &'static str,
    /// State before; absent for the first.
    #[schema(value_type = Option<StateName>)]
    from: Option<&'static str>,
    #[schema(value_type = StateName)]
    to: &'static str,
    #[schema(value_type = RoleName)]
    role: &'static str,
    /// Account name; empty for the system.
    actor: String,
    /// Code of the unit whose account it is; empty for the office.
    unit: String,
    /// What was chosen where the move has choices.
    choice: String,
    note: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Move> for MoveView {
    fn from(made: Move) -> Self {
        Self {
            sequence: made.sequence,
            action: made.action.name(),
            from: made.from.map(Stage::name),
            to: made.to.name(),
            role: made.role.name(),
            actor: made.actor,
            unit: made.unit,
            choice: made.choice,
            note: made.note,
            at: made.at,
        }
    }
}

/// A case with its moves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseWithMoves {
    case: CaseView,
    /// Its moves, the first first.
    moves: Vec<MoveView>,
    /// The moves that the one who asks may make now.
    #[schema(value_type = Vec<DeedName>)]
    may: Vec<&'static str>,
}

/// The cases asked for.
#[utoipa::path(
    get,
    path = "/cases",
    tag = "cases",
    params(
        ("state" = Option<StateName>, Query, description = "Only of this state"),
        ("level" = Option<u8>, Query, description = "Only of this level", minimum = 1, maximum = 4),
        ("region" = Option<String>, Query, description = "Only of this region", max_length = 100),
        ("unit" = Option<String>, Query, description = "Only those led or assisted by this unit", max_length = 100),
        ("event" = Option<String>, Query, description = "Only of this event", max_length = 100),
        ("text" = Option<String>, Query, description = "Only those whose title holds this text", max_length = 100),
        ("overdue" = Option<bool>, Query, description = "Only those overdue now"),
        ("offset" = Option<u32>, Query, description = "How many to pass over", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The cases", body = CasePage))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<CasePage>, Problem> {
    let asked = asked.only(&[
        "state", "level", "region", "unit", "event", "text", "overdue", "offset", "limit",
    ])?;
    let now = Timestamp::now();
    let (offset, limit) = asked.page()?;
    let state = asked.choice("state", &Stage::ALL, Stage::name)?;
    let query = Query {
        states: state.into_iter().collect(),
        level: asked.number("level", &LEVELS)?,
        region: asked.text("region", LONGEST_TEXT)?,
        unit: asked.text("unit", LONGEST_TEXT)?,
        event: asked.text("event", LONGEST_TEXT)?,
        text: asked.text("text", LONGEST_TEXT)?,
        due_before: asked.flag("overdue")?.then_some(now),
        due_after: None,
        offset,
        limit,
    };
    let page = console.cases.list(&query, &caller.actor()).await?;
    Ok(Json(CasePage {
        items: (page.cases.iter())
            .map(|case| CaseView::new(case, now))
            .collect(),
        total: page.total,
    }))
}

/// One case with its moves. That it was read is noted in the audit.
#[utoipa::path(
    get,
    path = "/cases/{id}",
    tag = "cases",
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The case", body = CaseWithMoves))
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<CaseWithMoves>, Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    let case = seen(&console, &id, &caller.actor()).await?;
    caller.audit(&console, "read-case", &id, now).await?;
    let moves = console.cases.moves(&id).await?;
    let may = allowed(&case, &caller.actor());
    Ok(Json(CaseWithMoves {
        case: CaseView::new(&case, now),
        moves: moves.into_iter().map(MoveView::from).collect(),
        may: (may.iter().map(|rule| rule.action))
            .filter(|action| *action != Action::Attach)
            .map(Action::name)
            .collect(),
    }))
}

/// A case that the actor may see.
pub(super) async fn seen(console: &Console, id: &str, actor: &Actor) -> Result<Case, Problem> {
    let case = console.cases.get(id, actor).await?;
    case.ok_or(Problem::NotFound)
}

/// A move to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMove {
    /// What to do.
    #[schema(value_type = DeedName)]
    action: String,
    /// The version of the case that it is made on.
    #[serde(deserialize_with = "asked::whole")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// A reason, findings or a reply.
    #[serde(default)]
    #[schema(max_length = 5_000)]
    note: String,
    /// What is chosen, for `follow-up` and `pause`.
    #[serde(default)]
    #[schema(max_length = 100)]
    choice: String,
    /// For `dispatch` and `redispatch`: code of the lead unit. For `return`: code of the unit that should have it.
    #[serde(default)]
    #[schema(max_length = 100)]
    lead: String,
    /// For `dispatch` and `redispatch`: codes of the assisting units.
    #[serde(default)]
    #[schema(max_items = 50)]
    assists: Vec<String>,
    /// For `merge`: id of the case to merge into.
    #[serde(default)]
    #[schema(max_length = 100)]
    into: String,
}

impl NewMove {
    /// The deed, when every field is within its bounds.
    fn deed(self) -> Result<Deed, Problem> {
        let wrong = |field: &str, detail: String| Problem::Body {
            field: field.to_owned(),
            detail,
        };
        let known = deeds().find(|rule| rule.action.name() == self.action);
        let rule = known.ok_or_else(|| {
            let names: Vec<_> = deeds().map(|rule| rule.action.name()).collect();
            wrong("action", format!("可用的值：{}。", names.join("、")))
        })?;
        if self.version < 0 {
            return Err(wrong("version", "请填写案件的版本号，不小于0。".to_owned()));
        }
        for (field, text, longest) in [
            ("note", &self.note, LONGEST_NOTE),
            ("choice", &self.choice, LONGEST_TEXT),
            ("lead", &self.lead, LONGEST_TEXT),
            ("into", &self.into, LONGEST_TEXT),
        ] {
            if text.chars().count() > longest {
                return Err(wrong(field, format!("请控制在{longest}字以内。")));
            }
        }
        if self.assists.len() > MOST_ASSISTS {
            return Err(wrong("assists", format!("协办单位最多{MOST_ASSISTS}个。")));
        }
        Ok(Deed {
            action: rule.action,
            version: self.version,
            note: self.note,
            choice: self.choice,
            lead: self.lead,
            assists: self.assists,
            into: self.into,
        })
    }
}

/// The rules of the moves that are made here: an attachment comes with its file, in the console.
fn deeds() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(|rule| rule.action != Action::Attach)
}

/// What became of a case by a move.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Moved {
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Its version now.
    version: i64,
}

/// Makes a move. One made on an older version than the newest is refused with 409 and the type
/// `urn:wensheng:problem:stale`: read the case again and decide anew.
#[utoipa::path(
    post,
    path = "/cases/{id}/moves",
    tag = "cases",
    params(("id" = String, Path, description = "The case's id")),
    request_body = NewMove,
    responses((status = 200, description = "The move was made", body = Moved))
)]
pub(super) async fn perform(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<NewMove>,
) -> Result<Json<Moved>, Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    let deed = asks.deed()?;
    let case = console
        .cases
        .perform(&id, &deed, &caller.actor(), &console.notices, now)
        .await?;
    caller.audit(&console, deed.action.name(), &id, now).await?;
    Ok(Json(Moved {
        state: case.state.name(),
        version: case.version,
    }))
}

/// A notice that was sent, or is to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
pub(super) struct NoticeView {
    id: String,
    /// Code of the contact's unit.
    unit: String,
    /// Name of the contact.
    contact: String,
    /// What happened, in Chinese.
    action: String,
    /// Name of the channel.
    channel: String,
    /// `queued`, `sending`, `folded` (it waits as part of another), `sent` or `failed`.
    state: &'static str,
    /// Tries so far.
    attempts: u32,
    /// Why the last one failed; empty where it did not.
    problem: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Notice> for NoticeView {
    fn from(notice: Notice) -> Self {
        Self {
            action: notice.body.action().to_owned(),
            channel: notice.channel().to_owned(),
            id: notice.id,
            unit: notice.addressee.unit,
            contact: notice.addressee.contact,
            state: notice.state.name(),
            attempts: notice.attempts,
            problem: notice.problem,
            updated_at: notice.updated_at,
        }
    }
}

/// The notices of a case, the newest first.
#[utoipa::path(
    get,
    path = "/cases/{id}/notices",
    tag = "cases",
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The notices", body = Vec<NoticeView>))
)]
pub(super) async fn notices(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<Vec<NoticeView>>, Problem> {
    asked.only(&[])?;
    seen(&console, &id, &caller.actor()).await?;
    caller
        .audit(&console, "read-notices", &id, Timestamp::now())
        .await?;
    let notices = notify::of_case(&console.store, &id).await?;
    Ok(Json(notices.into_iter().map(NoticeView::from).collect()))
}
