//! One's own account: changing the password.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::fields::Fields;
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::session::give;
use crate::account::{AccountError, SHORTEST_PASSWORD};

#[derive(Template)]
#[template(path = "account.html")]
struct OwnPage {
    frame: Frame,
    name: String,
    shortest: usize,
    problem: String,
    done: bool,
}

/// The form.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    form(
        &console,
        &signed_in,
        StatusCode::OK,
        String::new(),
        fields.get("done") == "1",
    )
}

/// Changes the password; other sessions of the account end.
pub(super) async fn set_password(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let refuse = |problem: String| {
        form(
            &console,
            &signed_in,
            StatusCode::UNPROCESSABLE_ENTITY,
            problem,
            false,
        )
    };
    let user = &signed_in.user;
    if fields.raw("new") != fields.raw("again") {
        return refuse("两次输入的新密码不一致，请重新输入。".to_owned());
    }
    match console
        .accounts
        .verify(&user.name, fields.raw("old"), now)
        .await
    {
        Ok(Some(_)) => {}
        Ok(None) => return refuse("原密码不正确，请重新输入。".to_owned()),
        Err(error @ AccountError::TooMany) => return refuse(format!("{error}。")),
        Err(error) => return Err(error.into()),
    }
    match console
        .accounts
        .set_password(&user.name, fields.raw("new"))
        .await
    {
        Ok(()) => {}
        Err(error @ AccountError::Password) => return refuse(format!("{error}。")),
        Err(error) => return Err(error.into()),
    }
    console
        .accounts
        .audit(&user.name, "change-password", &user.name, now)
        .await?;
    let session = console.accounts.start_session(user, now).await?;
    let mut response = Redirect::to("/account?done=1").into_response();
    give(&console, &mut response, &session);
    Ok(response)
}

fn form(
    console: &Console,
    signed_in: &SignedIn,
    status: StatusCode,
    problem: String,
    done: bool,
) -> Result<Response, Problem> {
    let page = OwnPage {
        name: signed_in.user.name.clone(),
        shortest: SHORTEST_PASSWORD,
        problem,
        done,
        frame: Frame::new(console, signed_in, "/account", "本人账号"),
    };
    render_as(status, &page)
}
