//! Tokens with which programs use this API, for the administrator.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::problem::Problem;
use crate::account::{NewToken, Scope, Token};
use crate::console::Console;

/// Name of a scope.
#[derive(Debug)]
pub(super) struct ScopeName;

impl PartialSchema for ScopeName {
    fn schema() -> RefOr<Schema> {
        asked::names(Scope::ALL.map(Scope::name))
    }
}

impl ToSchema for ScopeName {}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenView {
    id: String,
    /// Name of the account it acts for.
    account: String,
    /// What it is for.
    label: String,
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Vec<&'static str>,
    /// Name of the account that made it; empty where that was done by a command.
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            account: token.account,
            label: token.label,
            scopes: token.scopes.into_iter().map(Scope::name).collect(),
            made_by: token.made_by,
            created_at: token.created_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// All tokens, the newest first.
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses((status = 200, description = "The tokens", body = Vec<TokenView>)))]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<Vec<TokenView>>, Problem> {
    asked.only(&[])?;
    let tokens = console.accounts.tokens().await?;
    Ok(Json(tokens.into_iter().map(TokenView::from).collect()))
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(super) struct TokenAsked {
    /// Name of the account it acts for.
    account: String,
    /// What it is for.
    #[schema(min_length = 1, max_length = 60)]
    label: String,
    #[schema(value_type = Vec<ScopeName>, min_items = 1)]
    scopes: Vec<String>,
    /// Days that it is good for.
    #[serde(deserialize_with = "asked::whole")]
    #[schema(minimum = 1, maximum = 366)]
    days: u32,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeToken {
    token: TokenView,
    /// What to send as `Authorization: Bearer`. It is shown this once.
    secret: String,
}

/// Makes a token.
#[utoipa::path(
    post,
    path = "/tokens",
    tag = "tokens",
    request_body = TokenAsked,
    responses((status = 201, description = "The token, with its secret", body = MadeToken))
)]
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
    Body(asks): Body<TokenAsked>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    let scopes = asks
        .scopes
        .iter()
        .map(|name| {
            Scope::named(name).ok_or_else(|| Problem::Body {
                field: "scopes".to_owned(),
                detail: format!("可用的值：{}。", Scope::ALL.map(Scope::name).join("、")),
            })
        })
        .collect::<Result<_, _>>()?;
    let token = NewToken {
        account: asks.account,
        label: asks.label,
        scopes,
        days: asks.days,
    };
    let made_by = &caller.user.name;
    let added = console.accounts.add_token(&token, made_by, now).await?;
    let (token, secret) = added;
    caller.audit(&console, "add-token", &token.id, now).await?;
    let made = MadeToken {
        token: token.into(),
        secret,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Revokes a token.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "tokens",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It is good no more"))
)]
pub(super) async fn revoke(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<StatusCode, Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    console.accounts.revoke_token(&id, now).await?;
    caller.audit(&console, "revoke-token", &id, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
