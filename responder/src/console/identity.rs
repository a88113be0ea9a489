//! Signing in with the identity provider, where the settings name one.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tracing::warn;
use url::form_urlencoded::byte_serialize;

use super::access::same;
use super::fields::Fields;
use super::problem::Problem;
use super::session::{form, within};
use super::{Console, cookie};
use crate::account::Origin;

/// Name of the cookie that keeps what the browser must bring back.
const BEGUN_COOKIE: &str = "wensheng_identity";
/// Seconds within which the provider must send the browser back.
const BEGUN_LASTS: u64 = 600;

/// Sends the browser to the provider.
pub(super) async fn begin(
    State(console): State<Arc<Console>>,
    fields: Fields,
) -> Result<Response, Problem> {
    let provider = console.provider.as_ref().ok_or(Problem::NotFound)?;
    let begun = match provider.begin().await {
        Ok(begun) => begun,
        Err(error) => {
            warn!(%error, "a sign-in with the identity provider was not begun");
            return refused(
                &console,
                "统一身份认证暂时不可用，请稍后再试，或使用账号密码登录。",
            );
        }
    };
    let next: String = byte_serialize(within(fields.get("next")).as_bytes()).collect();
    let kept = [&begun.state, &begun.nonce, &begun.verifier, &next]
        .map(String::as_str)
        .join("|");
    let mut response = Redirect::to(begun.url.as_str()).into_response();
    cookie::set(&console, &mut response, BEGUN_COOKIE, &kept, BEGUN_LASTS);
    Ok(response)
}

/// Signs in whom the provider vouches for.
pub(super) async fn back(
    State(console): State<Arc<Console>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let provider = console.provider.as_ref().ok_or(Problem::NotFound)?;
    let kept = cookie::read(&headers, BEGUN_COOKIE).unwrap_or_default();
    let kept: Vec<&str> = kept.split('|').collect();
    let [state, nonce, verifier, next] = kept.as_slice() else {
        return refused(&console, "登录已过期，请重新登录。");
    };
    if !same(state, fields.get("state")) {
        return refused(&console, "登录已过期，请重新登录。");
    }
    let code = fields.get("code");
    if code.is_empty() {
        return refused(&console, "统一身份认证未完成，请重新登录。");
    }
    let name = match provider.finish(code, nonce, verifier).await {
        Ok(name) => name,
        Err(error) => {
            warn!(%error, "a sign-in with the identity provider was refused");
            return refused(&console, "统一身份认证未通过，请重新登录。");
        }
    };
    let Some(user) = console.accounts.vouched(&name).await? else {
        return refused(&console, "此身份没有对应的账号，请联系管理员。");
    };
    let now = Timestamp::now();
    let origin = Origin {
        vouched: true,
        ..origin
    };
    let session = (console.accounts)
        .start_session(&user, &origin, now)
        .await?;
    (console.accounts)
        .audit(&user.name, "sign-in", "identity-provider", now)
        .await?;
    let next = Fields::read(format!("next={next}").as_bytes());
    let mut response = Redirect::to(within(next.get("next"))).into_response();
    cookie::give(&console, &mut response, &session);
    cookie::set(&console, &mut response, BEGUN_COOKIE, "", 0);
    Ok(response)
}

fn refused(console: &Console, problem: &str) -> Result<Response, Problem> {
    console.metrics.sign_in_failures_total.inc();
    let csrf = crate::account::secret();
    let mut response = form(console, StatusCode::UNAUTHORIZED, &csrf, "/", "", problem)?;
    cookie::set(console, &mut response, cookie::SIGN_IN, &csrf, 3600);
    cookie::set(console, &mut response, BEGUN_COOKIE, "", 0);
    Ok(response)
}
