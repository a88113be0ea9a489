//! The cookies that a browser keeps for the console.

use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::Response;

use super::Console;
use crate::account::Session;

/// Name of the cookie of a session.
pub(crate) const SESSION: &str = "wensheng_session";
/// Name of the cookie that a sign-in form must agree with.
pub(super) const SIGN_IN: &str = "wensheng_sign_in";

/// Has the browser keep the token of a session.
pub(super) fn keep(console: &Console, response: &mut Response, token: &str) {
    let seconds = u64::from(console.settings.session_hours) * 3600;
    set(console, response, SESSION, token, seconds);
}

/// Gives the browser a session.
pub(super) fn give(console: &Console, response: &mut Response, session: &Session) {
    keep(console, response, &session.token);
    set(console, response, SIGN_IN, "", 0);
}

/// Has the browser keep a cookie for so many seconds; 0 has it forget one.
pub(super) fn set(
    console: &Console,
    response: &mut Response,
    name: &str,
    value: &str,
    seconds: u64,
) {
    let secure = if console.settings.public_url.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    let cookie =
        format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The value of a cookie.
pub(super) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("theme=x; wensheng_session=abc"),
        );
        assert_eq!(read(&headers, SESSION).as_deref(), Some("abc"));
        assert_eq!(read(&headers, SIGN_IN), None);
    }
}
