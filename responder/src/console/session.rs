//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::access::SignedIn;
use super::fields::Fields;
use super::page::{only_region, render_as};
use super::problem::Problem;
use super::{Console, assets, cookie};
use crate::account::{AccountError, Origin, secret};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    region: String,
    version: &'static str,
    csrf: String,
    next: String,
    name: String,
    problem: String,
    /// What the identity provider is called; empty where there is none.
    provider: String,
}

/// The form to sign in with.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    signed_in: Option<Extension<SignedIn>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let next = fields.get("next");
    if signed_in.is_some() {
        return Ok(Redirect::to(within(next)).into_response());
    }
    let kept = cookie::read(&headers, cookie::SIGN_IN).filter(|kept| kept.len() == 64);
    let csrf = kept.unwrap_or_else(secret);
    let mut response = form(&console, StatusCode::OK, &csrf, within(next), "", "")?;
    cookie::set(&console, &mut response, cookie::SIGN_IN, &csrf, 3600);
    Ok(response)
}

/// Signs in. What is said of a wrong name and of a wrong password is the same.
pub(super) async fn sign_in(
    State(console): State<Arc<Console>>,
    Extension(origin): Extension<Origin>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let (name, next) = (fields.get("name"), within(fields.get("next")));
    let (status, problem) = match console
        .accounts
        .verify(name, fields.raw("password"), origin.address, now)
        .await
    {
        Ok(Some(user)) => {
            let session = (console.accounts)
                .start_session(&user, &origin, now)
                .await?;
            console
                .accounts
                .audit(&user.name, "sign-in", "", now)
                .await?;
            let mut response = Redirect::to(next).into_response();
            cookie::give(&console, &mut response, &session);
            return Ok(response);
        }
        Ok(None) => (
            StatusCode::UNAUTHORIZED,
            "账号或密码不正确，请重新输入。".to_owned(),
        ),
        Err(error @ AccountError::TooMany(_)) => {
            (StatusCode::TOO_MANY_REQUESTS, format!("{error}。"))
        }
        Err(error) => return Err(error.into()),
    };
    console.metrics.sign_in_failures_total.inc();
    form(&console, status, fields.get("csrf"), next, name, &problem)
}

/// Signs out.
pub(super) async fn sign_out(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let name = &signed_in.user.name;
    (console.accounts)
        .end_session(name, &signed_in.session)
        .await?;
    console
        .accounts
        .audit(name, "sign-out", "", Timestamp::now())
        .await?;
    let mut response = Redirect::to("/login").into_response();
    cookie::set(&console, &mut response, cookie::SESSION, "", 0);
    Ok(response)
}

/// The form, with what is wrong where something is.
pub(super) fn form(
    console: &Console,
    status: StatusCode,
    csrf: &str,
    next: &str,
    name: &str,
    problem: &str,
) -> Result<Response, Problem> {
    let page = LoginPage {
        region: only_region(console),
        version: assets::version(),
        csrf: csrf.to_owned(),
        next: next.to_owned(),
        name: name.to_owned(),
        problem: problem.to_owned(),
        provider: (console.provider.as_ref())
            .map(|provider| provider.label().to_owned())
            .unwrap_or_default(),
    };
    render_as(status, &page)
}

/// Where to go after signing in: a path of the console, never another site.
pub(super) fn within(next: &str) -> &str {
    let other_site = next.starts_with("//") || next.contains(['\\', '\r', '\n', '\t']);
    if next.starts_with('/') && !other_site && !next.starts_with("/login") {
        next
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn after_signing_in_one_stays_in_the_console() {
        assert_eq!(within("/cases/1?done=sign"), "/cases/1?done=sign");
        for elsewhere in [
            "",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "/\t/evil.test",
            "/login",
        ] {
            assert_eq!(within(elsewhere), "/", "{elsewhere}");
        }
    }
}
