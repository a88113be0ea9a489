//! Who asks, and where they are signed in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::{By, Caller};
use super::asked::{Asked, Id};
use super::cases::AccountRoleName;
use super::problem::Problem;
use super::tokens::ScopeName;
use crate::account::{Listed, Scope};
use crate::console::Console;

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    name: String,
    display_name: String,
    #[schema(value_type = AccountRoleName)]
    role: &'static str,
    /// Region code of a unit's account; empty for the office's accounts.
    region: String,
    /// Unit code of a unit's account; empty for the office's accounts.
    unit: String,
    /// What the token may be used for; absent for a session.
    #[schema(value_type = Option<Vec<ScopeName>>)]
    scopes: Option<Vec<&'static str>>,
    /// The secret that writes of this session carry in `x-csrf-token`; absent for a token.
    csrf: Option<String>,
}

/// Who asks.
#[utoipa::path(get, path = "/me", tag = "me", responses((status = 200, description = "Who asks", body = Me)))]
pub(super) async fn show(caller: Caller, asked: Asked) -> Result<Json<Me>, Problem> {
    asked.only(&[])?;
    let (scopes, csrf) = match caller.by {
        By::Session { csrf, .. } => (None, Some(csrf)),
        By::Token { scopes, .. } => (Some(scopes.into_iter().map(Scope::name).collect()), None),
    };
    let user = caller.user;
    Ok(Json(Me {
        name: user.name,
        display_name: user.display_name,
        role: user.role.name(),
        region: user.region,
        unit: user.unit,
        scopes,
        csrf,
    }))
}

/// A session of the one who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    /// From which address; empty where that was not known.
    address: String,
    /// With what kind of browser.
    browser: String,
    /// Whether it is the session that asks.
    this: bool,
}

impl SessionView {
    fn new(session: Listed, asks: &By) -> Self {
        Self {
            this: matches!(asks, By::Session { id, .. } if *id == session.id),
            id: session.id,
            started_at: session.started_at,
            seen_at: session.seen_at,
            address: session.address,
            browser: session.browser,
        }
    }
}

/// Where one is signed in, the last used first.
#[utoipa::path(get, path = "/me/sessions", tag = "me", responses((status = 200, description = "The sessions", body = Vec<SessionView>)))]
pub(super) async fn sessions(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<Vec<SessionView>>, Problem> {
    asked.only(&[])?;
    let name = &caller.user.name;
    let sessions = console.accounts.sessions(name, Timestamp::now()).await?;
    let view = |session| SessionView::new(session, &caller.by);
    Ok(Json(sessions.into_iter().map(view).collect()))
}

/// Ends a session of one's own.
#[utoipa::path(
    delete,
    path = "/me/sessions/{id}",
    tag = "me",
    params(("id" = String, Path, description = "The session's id")),
    responses((status = 204, description = "It has ended"))
)]
pub(super) async fn end_session(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<StatusCode, Problem> {
    asked.only(&[])?;
    let name = &caller.user.name;
    if !console.accounts.end_session(name, &id).await? {
        return Err(Problem::NotFound);
    }
    caller
        .audit(&console, "end-session", name, Timestamp::now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
