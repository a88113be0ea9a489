//! Users: the accounts, for the administrator.

mod one;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::fields::{Choice, Fields};
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::show;
use super::units::choices;
use crate::account::{AccountError, Change, NewUser, SHORTEST_PASSWORD};
use crate::case::Role;

pub(super) use one::{add_token, change, end_session, revoke_token, show};

struct UserLine {
    name: String,
    display_name: String,
    role: &'static str,
    unit: String,
    active: bool,
    created_at: String,
    own: bool,
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    frame: Frame,
    users: Vec<UserLine>,
    roles: Vec<Choice>,
    units: Vec<Choice>,
    name: String,
    display_name: String,
    shortest: usize,
    /// Whether the one who looks may change anything.
    may_change: bool,
    problem: String,
    done: &'static str,
}

/// The accounts, and the form for another.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "added" => "账号已添加，首次登录须修改密码。",
        "active" => "账号状态已更新。",
        "password" => "密码已重设，该账号的登录已全部失效；下次登录须修改密码。",
        _ => "",
    };
    page(
        &console,
        &signed_in,
        StatusCode::OK,
        &Fields::default(),
        "",
        done,
    )
    .await
}

/// Adds an account.
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let role = Role::named(fields.get("role")).unwrap_or(Role::System);
    let (region, unit) = unit_of(&console, role, &fields);
    let user = NewUser {
        name: fields.get("name").to_owned(),
        display_name: fields.get("display_name").to_owned(),
        role,
        region,
        unit,
        password: fields.raw("password").to_owned(),
        must_change: true,
    };
    let now = Timestamp::now();
    let added = console.accounts.add(&user, now).await;
    if added.is_ok() {
        console
            .accounts
            .audit(&signed_in.user.name, "add-user", &user.name, now)
            .await?;
    }
    answer(&console, &signed_in, &fields, added, "added").await
}

/// Lets an account sign in or not.
pub(super) async fn set_active(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let active = fields.get("active") == "1";
    let change = Change {
        active: Some(active),
        ..Change::default()
    };
    let set = console.accounts.change(&name, &change).await.map(|_| ());
    if set.is_ok() {
        let action = if active {
            "activate-user"
        } else {
            "deactivate-user"
        };
        console
            .accounts
            .audit(&signed_in.user.name, action, &name, Timestamp::now())
            .await?;
    }
    answer(&console, &signed_in, &Fields::default(), set, "active").await
}

/// Sets an account's password.
pub(super) async fn set_password(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let set = console
        .accounts
        .set_password(&name, fields.raw("password"), true, now)
        .await;
    if set.is_ok() {
        console
            .accounts
            .audit(&signed_in.user.name, "reset-password", &name, now)
            .await?;
    }
    answer(&console, &signed_in, &Fields::default(), set, "password").await
}

async fn answer(
    console: &Console,
    signed_in: &SignedIn,
    typed: &Fields,
    result: Result<(), AccountError>,
    done: &str,
) -> Result<Response, Problem> {
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/users?done={done}")).into_response()),
        Err(failed) if !failed.refused() => Err(failed.into()),
        Err(refused) => {
            let problem = format!("{refused}。");
            page(
                console,
                signed_in,
                StatusCode::UNPROCESSABLE_ENTITY,
                typed,
                &problem,
                "",
            )
            .await
        }
    }
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    status: StatusCode,
    typed: &Fields,
    problem: &str,
    done: &'static str,
) -> Result<Response, Problem> {
    let users = console.accounts.list().await?;
    let units = choices(console, typed.get("unit"));
    let page = UsersPage {
        users: users
            .into_iter()
            .map(|user| UserLine {
                own: user.name == signed_in.user.name,
                role: user.role.title(),
                unit: if user.unit.is_empty() {
                    String::new()
                } else {
                    console.unit_name(&user.region, &user.unit).to_owned()
                },
                created_at: show::time(user.created_at),
                name: user.name,
                display_name: user.display_name,
                active: user.active,
            })
            .collect(),
        roles: Role::ACCOUNTS
            .into_iter()
            .map(|role| Choice::new(role.name(), role.title(), typed.get("role")))
            .collect(),
        units,
        name: typed.get("name").to_owned(),
        display_name: typed.get("display_name").to_owned(),
        shortest: SHORTEST_PASSWORD,
        may_change: signed_in.user.role == Role::Administrator,
        problem: problem.to_owned(),
        done,
        frame: Frame::new(console, signed_in, "/users", "用户"),
    };
    render_as(status, &page)
}

/// Region and code of the unit that a form chooses, as `region/code`; none for those who are of no unit.
fn unit_of(console: &Console, role: Role, fields: &Fields) -> (String, String) {
    let (region, unit) = fields.get("unit").split_once('/').unwrap_or_default();
    let known = console
        .regions
        .get(region)
        .is_some_and(|region| region.unit(unit).is_some());
    if role.of_unit() && known {
        (region.to_owned(), unit.to_owned())
    } else {
        (String::new(), String::new())
    }
}
