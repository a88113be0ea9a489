//! Accounts, for the administrator.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Caller;
use super::asked::{Asked, Body, Id};
use super::cases::AccountRoleName;
use super::problem::Problem;
use crate::account::{Change, NewUser, User};
use crate::case::Role;
use crate::console::Console;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountView {
    /// The name to sign in with.
    name: String,
    /// The name on pages.
    display_name: String,
    #[schema(value_type = AccountRoleName)]
    role: &'static str,
    /// Region code of a unit's account; empty for the office's accounts.
    region: String,
    /// Unit code of a unit's account; empty for the office's accounts.
    unit: String,
    /// Whether it may sign in.
    active: bool,
    /// Whether its password must be changed at the next sign-in.
    must_change: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<User> for AccountView {
    fn from(user: User) -> Self {
        Self {
            name: user.name,
            display_name: user.display_name,
            role: user.role.name(),
            region: user.region,
            unit: user.unit,
            active: user.active,
            must_change: user.must_change,
            created_at: user.created_at,
        }
    }
}

/// All accounts, the active first, by name.
#[utoipa::path(get, path = "/accounts", tag = "accounts", responses((status = 200, description = "The accounts", body = Vec<AccountView>)))]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<Vec<AccountView>>, Problem> {
    asked.only(&[])?;
    let users = console.accounts.list().await?;
    Ok(Json(users.into_iter().map(AccountView::from).collect()))
}

/// An account to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    /// ASCII letters, digits, `-`, `_` and `.`.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    name: String,
    #[schema(min_length = 1, max_length = 40)]
    display_name: String,
    #[schema(value_type = AccountRoleName)]
    role: String,
    /// For a unit's account only.
    #[serde(default)]
    region: String,
    /// For a unit's account only.
    #[serde(default)]
    unit: String,
    /// To be changed at the first sign-in.
    #[schema(min_length = 10, max_length = 200)]
    password: String,
}

/// Adds an account.
#[utoipa::path(
    post,
    path = "/accounts",
    tag = "accounts",
    request_body = NewAccount,
    responses((status = 201, description = "It was added"))
)]
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
    Body(asks): Body<NewAccount>,
) -> Result<StatusCode, Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    let role = role(&asks.role)?;
    check_unit(&console, &asks.region, &asks.unit)?;
    let user = NewUser {
        name: asks.name,
        display_name: asks.display_name,
        role,
        region: asks.region,
        unit: asks.unit,
        password: asks.password,
        must_change: true,
    };
    console.accounts.add(&user, now).await?;
    caller.audit(&console, "add-user", &user.name, now).await?;
    Ok(StatusCode::CREATED)
}

/// What of an account is to be another; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    display_name: Option<String>,
    /// Comes with `region` and `unit` where it is a unit's. The account's sessions end.
    #[serde(default)]
    #[schema(value_type = Option<AccountRoleName>)]
    role: Option<String>,
    #[serde(default)]
    region: String,
    #[serde(default)]
    unit: String,
    /// Where it is false, the account's sessions end.
    #[serde(default)]
    active: Option<bool>,
}

/// Changes an account.
#[utoipa::path(
    patch,
    path = "/accounts/{name}",
    tag = "accounts",
    params(("name" = String, Path, description = "The account's name")),
    request_body = AccountChange,
    responses((status = 200, description = "The account as it is now", body = AccountView))
)]
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(name): Id,
    asked: Asked,
    Body(asks): Body<AccountChange>,
) -> Result<Json<AccountView>, Problem> {
    asked.only(&[])?;
    check_unit(&console, &asks.region, &asks.unit)?;
    let capacity = match asks.role {
        Some(name) => Some((role(&name)?, asks.region, asks.unit)),
        None if asks.region.is_empty() && asks.unit.is_empty() => None,
        None => {
            return Err(Problem::Body {
                field: "role".to_owned(),
                detail: "变更单位时请同时填写角色。".to_owned(),
            });
        }
    };
    let change = Change {
        display_name: asks.display_name,
        capacity,
        active: asks.active,
    };
    let user = console.accounts.change(&name, &change).await?;
    caller
        .audit(&console, "change-user", &name, Timestamp::now())
        .await?;
    Ok(Json(user.into()))
}

/// A password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    /// To be changed at the next sign-in.
    #[schema(min_length = 10, max_length = 200)]
    password: String,
}

/// Sets an account's password and ends its sessions.
#[utoipa::path(
    put,
    path = "/accounts/{name}/password",
    tag = "accounts",
    params(("name" = String, Path, description = "The account's name")),
    request_body = Password,
    responses((status = 204, description = "It is set"))
)]
pub(super) async fn set_password(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(name): Id,
    asked: Asked,
    Body(asks): Body<Password>,
) -> Result<StatusCode, Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    console
        .accounts
        .set_password(&name, &asks.password, true, now)
        .await?;
    caller.audit(&console, "reset-password", &name, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn role(name: &str) -> Result<Role, Problem> {
    let known = Role::ACCOUNTS.into_iter().find(|role| role.name() == name);
    known.ok_or_else(|| Problem::Body {
        field: "role".to_owned(),
        detail: format!("可用的值：{}。", Role::ACCOUNTS.map(Role::name).join("、")),
    })
}

fn check_unit(console: &Console, region: &str, unit: &str) -> Result<(), Problem> {
    let known = (console.regions.get(region)).and_then(|region| region.unit(unit));
    if known.is_none() && !(region.is_empty() && unit.is_empty()) {
        return Err(Problem::Refused(
            "没有这个单位，请核对地区和单位代码。".to_owned(),
        ));
    }
    Ok(())
}
