//! Who may open what: the one table of routes, and the guard that every request passes.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::Console;
use super::fields::Fields;
use super::problem::Problem;
use crate::account::User;
use crate::case::Role;

/// A route of the console.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy)]
pub enum Who {
    /// Everyone, signed in or not.
    Anyone,
    /// Accounts of these roles.
    Roles(&'static [Role]),
}

use Who::{Anyone, Roles};

const ALL: &[Role] = &Role::ACCOUNTS;
/// Those who see what comes in: the office, and who audits it.
const OFFICE: &[Role] = &[
    Role::Administrator,
    Role::DutyOfficer,
    Role::Leader,
    Role::Auditor,
];
/// Those who move cases.
const MOVERS: &[Role] = &[
    Role::Administrator,
    Role::DutyOfficer,
    Role::Leader,
    Role::UnitLead,
    Role::UnitContact,
];
pub(super) const DUTY: &[Role] = &[Role::Administrator, Role::DutyOfficer];
const ADMINISTRATOR: &[Role] = &[Role::Administrator];
/// Those who see who did what.
const AUDIT: &[Role] = &[Role::Administrator, Role::Auditor];

/// All routes. A path that is served but not listed here is refused. What a unit sees of the cases
/// it may open is for [`crate::case::Actor::sees`] to say.
pub const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/login",
        who: Anyone,
    },
    Route {
        method: "POST",
        path: "/login",
        who: Anyone,
    },
    Route {
        method: "GET",
        path: "/assets/console.css",
        who: Anyone,
    },
    Route {
        method: "GET",
        path: "/assets/icon.svg",
        who: Anyone,
    },
    Route {
        method: "POST",
        path: "/logout",
        who: Roles(ALL),
    },
    Route {
        method: "GET",
        path: "/",
        who: Roles(ALL),
    },
    Route {
        method: "GET",
        path: "/posts",
        who: Roles(OFFICE),
    },
    Route {
        method: "GET",
        path: "/posts/{id}",
        who: Roles(OFFICE),
    },
    Route {
        method: "POST",
        path: "/posts/{id}/correction",
        who: Roles(DUTY),
    },
    Route {
        method: "GET",
        path: "/events",
        who: Roles(OFFICE),
    },
    Route {
        method: "GET",
        path: "/events/{id}",
        who: Roles(OFFICE),
    },
    Route {
        method: "GET",
        path: "/events/{id}/edit",
        who: Roles(DUTY),
    },
    Route {
        method: "POST",
        path: "/events/{id}/merge",
        who: Roles(DUTY),
    },
    Route {
        method: "POST",
        path: "/events/{id}/split",
        who: Roles(DUTY),
    },
    Route {
        method: "GET",
        path: "/cases",
        who: Roles(ALL),
    },
    Route {
        method: "GET",
        path: "/cases/{id}",
        who: Roles(ALL),
    },
    Route {
        method: "POST",
        path: "/cases/{id}/moves",
        who: Roles(MOVERS),
    },
    Route {
        method: "GET",
        path: "/units",
        who: Roles(OFFICE),
    },
    Route {
        method: "GET",
        path: "/sources",
        who: Roles(OFFICE),
    },
    Route {
        method: "GET",
        path: "/users",
        who: Roles(AUDIT),
    },
    Route {
        method: "POST",
        path: "/users",
        who: Roles(ADMINISTRATOR),
    },
    Route {
        method: "POST",
        path: "/users/{name}/active",
        who: Roles(ADMINISTRATOR),
    },
    Route {
        method: "POST",
        path: "/users/{name}/password",
        who: Roles(ADMINISTRATOR),
    },
    Route {
        method: "GET",
        path: "/audit",
        who: Roles(AUDIT),
    },
    Route {
        method: "GET",
        path: "/account",
        who: Roles(ALL),
    },
    Route {
        method: "POST",
        path: "/account",
        who: Roles(ALL),
    },
];

/// Whether a role may open a path by GET.
pub(super) fn may_open(role: Role, path: &str) -> bool {
    find("GET", path).is_some_and(|route| match route.who {
        Anyone => true,
        Roles(roles) => roles.contains(&role),
    })
}

fn find(method: &str, path: &str) -> Option<&'static Route> {
    ROUTES
        .iter()
        .find(|route| route.method == method && route.path == path)
}

/// Name of the cookie of a session.
pub(super) const SESSION_COOKIE: &str = "wensheng_session";
/// Name of the cookie that a sign-in form must agree with.
pub(super) const SIGN_IN_COOKIE: &str = "wensheng_sign_in";

/// Largest form, in bytes.
const LARGEST_FORM: usize = 64 * 1024;

/// Who is signed in, and the secrets of the session.
#[derive(Clone)]
pub(super) struct SignedIn {
    pub(super) user: User,
    pub(super) csrf: String,
    pub(super) token: String,
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
    let mut response = match admit(&console, path, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    secure(response.headers_mut());
    let status = response.status();
    console
        .metrics
        .console_requests_total
        .with_label_values(&[path, status.as_str()])
        .inc();
    response
}

async fn admit(console: &Console, path: &str, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let posted = parts.method == Method::POST;
    let method = if parts.method == Method::HEAD {
        "GET"
    } else {
        parts.method.as_str()
    };
    let route = find(method, path).ok_or(Problem::NotFound)?;
    let signed_in = signed_in(console, &parts.headers).await?;
    if let Roles(roles) = route.who {
        match &signed_in {
            None if posted => return Err(Problem::SignedOut),
            None => return Err(Problem::SignIn(parts.uri)),
            Some(SignedIn { user, .. }) if !roles.contains(&user.role) => {
                return Err(Problem::Forbidden);
            }
            Some(_) => {}
        }
    }
    let fields = if posted {
        posted_fields(body).await?
    } else {
        asked_fields(&parts.uri)
    };
    if posted {
        let expected = match route.who {
            Anyone => cookie(&parts.headers, SIGN_IN_COOKIE),
            Roles(_) => signed_in.as_ref().map(|signed_in| signed_in.csrf.clone()),
        };
        if !expected.is_some_and(|expected| same(&expected, fields.get("csrf"))) {
            return Err(Problem::Forged);
        }
    }
    parts.extensions.insert(fields);
    if let Some(signed_in) = signed_in {
        parts.extensions.insert(signed_in);
    }
    Ok(Request::from_parts(parts, Body::empty()))
}

async fn signed_in(console: &Console, headers: &HeaderMap) -> Result<Option<SignedIn>, Problem> {
    let Some(token) = cookie(headers, SESSION_COOKIE) else {
        return Ok(None);
    };
    let session = console.accounts.session(&token, Timestamp::now()).await?;
    Ok(session.map(|(user, csrf)| SignedIn { user, csrf, token }))
}

async fn posted_fields(body: Body) -> Result<Fields, Problem> {
    let bytes = to_bytes(body, LARGEST_FORM)
        .await
        .map_err(|_| Problem::TooLarge)?;
    Ok(Fields::read(&bytes))
}

fn asked_fields(uri: &Uri) -> Fields {
    Fields::read(uri.query().unwrap_or_default().as_bytes())
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
fn same(one: &str, other: &str) -> bool {
    let differing = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |differing, (one, other)| differing | (one ^ other));
    one.len() == other.len() && differing == 0
}

fn secure(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                          frame-ancestors 'none'; base-uri 'none'";
    let fixed: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
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

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("theme=x; wensheng_session=abc"),
        );
        assert_eq!(cookie(&headers, SESSION_COOKIE).as_deref(), Some("abc"));
        assert_eq!(cookie(&headers, SIGN_IN_COOKIE), None);
    }
}
