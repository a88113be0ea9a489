//! One's own account: changing the password, and where one is signed in.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::access::SignedIn;
use super::fields::Fields;
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::{Console, cookie, show};
use crate::account::{AccountError, Origin, SHORTEST_PASSWORD};

/// A session of the account.
struct SessionLine {
    id: String,
    browser: String,
    address: String,
    started_at: String,
    seen_at: String,
    this: bool,
}

#[derive(Template)]
#[template(path = "account.html")]
struct OwnPage {
    frame: Frame,
    name: String,
    shortest: usize,
    /// Whether the password must be changed before anything else.
    must_change: bool,
    sessions: Vec<SessionLine>,
    problem: String,
    done: &'static str,
}

/// The page.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "password" => "密码已修改，其他设备上的登录已失效。",
        "session" => "该设备上的登录已失效。",
        _ => "",
    };
    form(&console, &signed_in, StatusCode::OK, String::new(), done).await
}

/// Changes the password; other sessions of the account end.
pub(super) async fn set_password(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Extension(origin): Extension<Origin>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let user = &signed_in.user;
    let refused = match change(&console, &signed_in, &origin, &fields, now).await {
        Ok(refused) => refused,
        Err(error) if error.refused() => format!("{error}。"),
        Err(error) => return Err(error.into()),
    };
    if !refused.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return form(&console, &signed_in, status, refused, "").await;
    }
    console
        .accounts
        .audit(&user.name, "change-password", &user.name, now)
        .await?;
    let session = (console.accounts).start_session(user, &origin, now).await?;
    let mut response = Redirect::to("/account?done=password").into_response();
    cookie::give(&console, &mut response, &session);
    Ok(response)
}

/// Sets the new password; says what is wrong with the form where something is.
async fn change(
    console: &Console,
    signed_in: &SignedIn,
    origin: &Origin,
    fields: &Fields,
    now: Timestamp,
) -> Result<String, AccountError> {
    let name = &signed_in.user.name;
    if fields.raw("new") != fields.raw("again") {
        return Ok("两次输入的新密码不一致，请重新输入。".to_owned());
    }
    let verified = console
        .accounts
        .verify(name, fields.raw("old"), origin.address, now)
        .await?;
    if verified.is_none() {
        return Ok("原密码不正确，请重新输入。".to_owned());
    }
    console
        .accounts
        .set_password(name, fields.raw("new"), false, now)
        .await?;
    Ok(String::new())
}

/// Ends a session of one's own.
pub(super) async fn end_session(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let name = &signed_in.user.name;
    let ended = (console.accounts)
        .end_session(name, fields.get("id"))
        .await?;
    if !ended {
        return Err(Problem::NotFound);
    }
    console
        .accounts
        .audit(name, "end-session", name, Timestamp::now())
        .await?;
    Ok(Redirect::to("/account?done=session").into_response())
}

async fn form(
    console: &Console,
    signed_in: &SignedIn,
    status: StatusCode,
    problem: String,
    done: &'static str,
) -> Result<Response, Problem> {
    let user = &signed_in.user;
    let sessions = (console.accounts)
        .sessions(&user.name, Timestamp::now())
        .await?;
    let page = OwnPage {
        name: user.name.clone(),
        shortest: SHORTEST_PASSWORD,
        must_change: user.must_change,
        sessions: sessions
            .into_iter()
            .map(|session| SessionLine {
                this: session.id == signed_in.session,
                id: session.id,
                browser: session.browser,
                address: session.address,
                started_at: show::time(session.started_at),
                seen_at: show::time(session.seen_at),
            })
            .collect(),
        problem,
        done,
        frame: Frame::new(console, signed_in, "/account", "本人账号"),
    };
    render_as(status, &page)
}
