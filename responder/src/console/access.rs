//! The guard that every request to the console passes: by the table of routes, who is signed in, and what a form brings.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{
    ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, MatchedPath, Multipart, Request,
    State,
};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::time::Instant;

use super::fields::Fields;
use super::problem::Problem;
use super::routes::{REPORT_TEXT, WITH_A_FILE, Who, find};
use super::{Console, cookie};
use crate::account::{AccountError, Known, Origin, User, browser};
use crate::case::{LARGEST, NewAttachment};

/// Paths that are open while a password must be changed.
const WHILE_PASSWORD_MUST_CHANGE: [&str; 2] = ["/account", "/logout"];

/// Largest form without a file, in bytes.
const LARGEST_FORM: usize = 64 * 1024;
/// Largest form with the wording of a report: a Chinese character is nine bytes in a form.
const LARGEST_REPORT: usize = 2 * 1024 * 1024;

/// Put among the extensions of an answer: pages of the console may have it in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Framed;

/// Who is signed in, and the secrets of the session.
#[derive(Clone)]
pub(super) struct SignedIn {
    pub(super) user: User,
    pub(super) csrf: String,
    /// What the session is called.
    pub(super) session: String,
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::SignIn(parts.uri.clone()))
    }
}

/// Lets a request through when its route, role and form allow it; counts it; sets the headers that
/// every answer carries.
pub(super) async fn guard(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("none", MatchedPath::as_str);
    let begun = Instant::now();
    let mut renewed = None;
    let mut response = match admit(&console, path, request, &mut renewed).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    finish(&console, path, begun, renewed, &mut response);
    response
}

/// What every answer gets: the headers that keep it safe, the session's token where it was replaced, a place in the count.
pub(crate) fn finish(
    console: &Console,
    path: &str,
    begun: Instant,
    renewed: Option<String>,
    response: &mut Response,
) {
    let framed = response.extensions().get::<Framed>().is_some();
    secure(response.headers_mut(), framed);
    if let Some(token) = renewed
        && !response.headers().contains_key(header::SET_COOKIE)
    {
        cookie::keep(console, response, &token);
    }
    let status = response.status();
    console
        .metrics
        .console_requests_total
        .with_label_values(&[path, status.as_str()])
        .inc();
    console
        .metrics
        .console_request_seconds
        .with_label_values(&[path])
        .observe(begun.elapsed().as_secs_f64());
}

async fn admit(
    console: &Console,
    path: &str,
    request: Request,
    renewed: &mut Option<String>,
) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let posted = parts.method == Method::POST;
    let method = if parts.method == Method::HEAD {
        "GET"
    } else {
        parts.method.as_str()
    };
    let route = find(method, path).ok_or(Problem::NotFound)?;
    let known = known(console, &parts.headers, !posted).await?;
    let signed_in = known.map(|known| {
        *renewed = known.renewed;
        SignedIn {
            user: known.user,
            csrf: known.csrf,
            session: known.id,
        }
    });
    if let Who::Roles(roles) = route.who {
        match &signed_in {
            None if posted => {
                let ours = comes_from_here(&parts.headers) && !WITH_A_FILE.contains(&path);
                let fields = match posted_fields(body, largest(path)).await {
                    Ok(fields) if ours => fields,
                    _ => Fields::default(),
                };
                return Err(Problem::SignedOut(fields.texts()));
            }
            None => return Err(Problem::SignIn(parts.uri)),
            Some(SignedIn { user, .. }) if !roles.contains(&user.role) => {
                return Err(Problem::Forbidden);
            }
            Some(SignedIn { user, .. })
                if user.must_change && !WHILE_PASSWORD_MUST_CHANGE.contains(&path) =>
            {
                return Err(Problem::PasswordMustChange);
            }
            Some(_) => {}
        }
    }
    let fields = if !posted {
        asked_fields(&parts.uri)
    } else if WITH_A_FILE.contains(&path) {
        let (fields, file) = posted_file(&parts, body).await?;
        parts.extensions.insert(file);
        fields
    } else {
        posted_fields(body, largest(path)).await?
    };
    if posted {
        let expected = match route.who {
            Who::Anyone => cookie::read(&parts.headers, cookie::SIGN_IN),
            Who::Roles(_) => signed_in.as_ref().map(|signed_in| signed_in.csrf.clone()),
        };
        if !expected.is_some_and(|expected| same(&expected, fields.get("csrf"))) {
            return Err(Problem::Forged);
        }
    }
    let origin = origin(console, &parts);
    parts.extensions.insert(origin);
    parts.extensions.insert(fields);
    if let Some(signed_in) = signed_in {
        parts.extensions.insert(signed_in);
    }
    Ok(Request::from_parts(parts, Body::empty()))
}

/// The session of a request's cookie.
pub(crate) async fn known(
    console: &Console,
    headers: &HeaderMap,
    renew: bool,
) -> Result<Option<Known>, AccountError> {
    match cookie::read(headers, cookie::SESSION) {
        Some(token) => (console.accounts.session(&token, renew, Timestamp::now())).await,
        None => Ok(None),
    }
}

/// From where a request comes. A proxy is believed where the settings name it, and then only what it says itself.
fn origin(console: &Console, parts: &Parts) -> Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let mut address = peer.map(|peer| peer.0.ip().to_canonical());
    let proxies = &console.settings.proxies;
    if address.is_some_and(|address| proxies.contains(&address)) {
        let forwarded = (parts.headers.get_all("x-forwarded-for").iter())
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|value| value.trim().parse::<IpAddr>().ok())
            .rfind(|address| !proxies.contains(address));
        // A proxy that does not say for whom is no address to count by.
        address = forwarded;
    }
    let agent = parts.headers.get(header::USER_AGENT);
    Origin {
        vouched: false,
        address,
        browser: browser(
            agent
                .and_then(|agent| agent.to_str().ok())
                .unwrap_or_default(),
        ),
    }
}

/// Largest form of a path without a file, in bytes.
fn largest(path: &str) -> usize {
    if path == REPORT_TEXT {
        LARGEST_REPORT
    } else {
        LARGEST_FORM
    }
}

/// Whether a form was sent by a page of the console: what another site has a browser send is not shown as typed here.
fn comes_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, origin)| Some(origin) == text(header::HOST))
}

async fn posted_fields(body: Body, largest: usize) -> Result<Fields, Problem> {
    let bytes = to_bytes(body, largest)
        .await
        .map_err(|_| Problem::TooLarge)?;
    Ok(Fields::read(&bytes))
}

/// The fields of a form with a file, and the file.
async fn posted_file(parts: &Parts, body: Body) -> Result<(Fields, NewAttachment), Problem> {
    let bytes = to_bytes(body, LARGEST + LARGEST_FORM)
        .await
        .map_err(|_| Problem::TooLarge)?;
    let mut file = NewAttachment {
        name: String::new(),
        content: Vec::new(),
    };
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let is_multipart = |kind: &&HeaderValue| kind.as_bytes().starts_with(b"multipart/form-data");
    let Some(kind) = kind.filter(is_multipart) else {
        // A form that brings no file: it is refused for that.
        return Ok((Fields::read(&bytes), file));
    };
    let mut request = Request::new(Body::from(bytes));
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, kind.clone());
    // What is read is bounded above.
    DefaultBodyLimit::disable().apply(&mut request);
    let refused = |_| Problem::Forged;
    let mut form = (Multipart::from_request(request, &()).await).map_err(|_| Problem::Forged)?;
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.map_err(refused)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            file.name = field.file_name().unwrap_or_default().to_owned();
            file.content = field.bytes().await.map_err(refused)?.to_vec();
        } else {
            fields.push((name, field.text().await.map_err(refused)?));
        }
    }
    Ok((Fields::from(fields), file))
}

fn asked_fields(uri: &Uri) -> Fields {
    Fields::read(uri.query().unwrap_or_default().as_bytes())
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let differing = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |differing, (one, other)| differing | (one ^ other));
    one.len() == other.len() && differing == 0
}

fn secure(headers: &mut HeaderMap, framed: bool) {
    const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; \
                          frame-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    // Of nobody's origin: it runs nothing, loads nothing, posts nothing, and a link opens beside it.
    const FRAMED: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'; \
                          sandbox allow-popups allow-popups-to-escape-sandbox";
    let (policy, frame) = if framed {
        (FRAMED, "SAMEORIGIN")
    } else {
        (POLICY, "DENY")
    };
    let fixed: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, frame),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_only_as_a_whole() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "ab"));
        assert!(!same("abc", ""));
    }
}
