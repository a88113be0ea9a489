//! Who may use what: the one table of the API's routes, and the guard that every request passes.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::time::Instant;

use super::problem::Problem;
use crate::account::{AccountError, Scope, User};
use crate::case::Actor;
use crate::console::routes::{ADMINISTRATOR, ALL, AUDIT, DECIDERS, DUTY, MOVERS, OFFICE, OFFICERS};
use crate::console::{Console, Who, finish, known, same};
use crate::erasure::ERASERS;

/// The header in which writes of a session carry its secret, as the pages' forms do.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// A route of the API.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its method.
    pub method: &'static str,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// Which roles may use it.
    pub who: Who,
    /// Which tokens may, of accounts of these roles.
    pub tokens: Tokens,
}

/// Which tokens may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// None: one must be signed in.
    None,
    /// All.
    Any,
    /// Those with this scope.
    With(Scope),
}

use Tokens::With;
use Who::{Anyone, Roles};

const fn rule(method: &'static str, path: &'static str, who: Who, tokens: Tokens) -> Rule {
    Rule {
        method,
        path,
        who,
        tokens,
    }
}

/// All routes. One that is served but not listed here is refused. What a unit sees of the cases is for
/// [`crate::case::Actor::sees`] to say. No token makes accounts or tokens.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("GET",    "/api/v1/openapi.json",             Anyone,               Tokens::Any),
    rule("GET",    "/api/v1/me",                       Roles(ALL),           Tokens::Any),
    rule("GET",    "/api/v1/me/sessions",              Roles(ALL),           Tokens::None),
    rule("DELETE", "/api/v1/me/sessions/{id}",         Roles(ALL),           Tokens::None),
    rule("GET",    "/api/v1/counts",                   Roles(ALL),           With(Scope::CasesRead)),
    rule("GET",    "/api/v1/cases",                    Roles(ALL),           With(Scope::CasesRead)),
    rule("GET",    "/api/v1/cases/{id}",               Roles(ALL),           With(Scope::CasesRead)),
    rule("POST",   "/api/v1/cases/{id}/moves",         Roles(MOVERS),        With(Scope::CasesMove)),
    rule("GET",    "/api/v1/cases/{id}/notices",       Roles(ALL),           With(Scope::CasesRead)),
    rule("GET",    "/api/v1/cases/{id}/attachments",   Roles(ALL),           With(Scope::CasesRead)),
    rule("POST",   "/api/v1/cases/{id}/attachments",   Roles(MOVERS),        With(Scope::CasesMove)),
    rule("GET",    "/api/v1/cases/{id}/attachments/{attachment}", Roles(ALL), With(Scope::CasesRead)),
    rule("POST",   "/api/v1/cases/{id}/reply-check",   Roles(MOVERS),        With(Scope::CasesRead)),
    rule("POST",   "/api/v1/cases/{id}/commitments",   Roles(MOVERS),        With(Scope::CommitmentsWrite)),
    rule("GET",    "/api/v1/commitments",              Roles(ALL),           With(Scope::CommitmentsRead)),
    rule("POST",   "/api/v1/commitments/{id}/keep",    Roles(MOVERS),        With(Scope::CommitmentsWrite)),
    rule("POST",   "/api/v1/commitments/{id}/withdraw", Roles(MOVERS),       With(Scope::CommitmentsWrite)),
    rule("GET",    "/api/v1/knowledge",                Roles(ALL),           With(Scope::KnowledgeRead)),
    rule("POST",   "/api/v1/knowledge",                Roles(MOVERS),        With(Scope::KnowledgeWrite)),
    rule("GET",    "/api/v1/knowledge/{id}",           Roles(ALL),           With(Scope::KnowledgeRead)),
    rule("POST",   "/api/v1/knowledge/{id}/approve",   Roles(MOVERS),        With(Scope::KnowledgeWrite)),
    rule("POST",   "/api/v1/knowledge/{id}/retire",    Roles(MOVERS),        With(Scope::KnowledgeWrite)),
    rule("GET",    "/api/v1/silences",                 Roles(OFFICE),        With(Scope::SilencesRead)),
    rule("POST",   "/api/v1/silences",                 Roles(OFFICERS),      With(Scope::SilencesWrite)),
    rule("DELETE", "/api/v1/silences/{id}",            Roles(OFFICERS),      With(Scope::SilencesWrite)),
    rule("GET",    "/api/v1/roster",                   Roles(OFFICE),        With(Scope::RosterRead)),
    rule("POST",   "/api/v1/roster/swaps",             Roles(OFFICERS),      With(Scope::RosterWrite)),
    rule("GET",    "/api/v1/posts",                    Roles(OFFICE),        With(Scope::PostsRead)),
    rule("GET",    "/api/v1/posts/{id}/held",          Roles(OFFICE),        With(Scope::PostsRead)),
    rule("GET",    "/api/v1/erasures",                 Roles(DECIDERS),      With(Scope::ErasuresRead)),
    rule("POST",   "/api/v1/erasures",                 Roles(&ERASERS),      With(Scope::ErasuresWrite)),
    rule("GET",    "/api/v1/erasures/{id}",            Roles(DECIDERS),      With(Scope::ErasuresRead)),
    rule("GET",    "/api/v1/events",                   Roles(OFFICE),        With(Scope::EventsRead)),
    rule("GET",    "/api/v1/events/{id}",              Roles(OFFICE),        With(Scope::EventsRead)),
    rule("POST",   "/api/v1/events/{id}/case",         Roles(DUTY),          With(Scope::CasesMove)),
    rule("GET",    "/api/v1/events/{id}/edits",        Roles(OFFICE),        With(Scope::EventsRead)),
    rule("POST",   "/api/v1/events/{id}/merge",        Roles(DUTY),          With(Scope::EventsWrite)),
    rule("POST",   "/api/v1/events/{id}/split",        Roles(DUTY),          With(Scope::EventsWrite)),
    rule("GET",    "/api/v1/reports",                  Roles(OFFICE),        With(Scope::ReportsRead)),
    rule("GET",    "/api/v1/reports/{id}",             Roles(OFFICE),        With(Scope::ReportsRead)),
    rule("GET",    "/api/v1/reports/{id}/files/{file}", Roles(OFFICE),       With(Scope::ReportsRead)),
    rule("GET",    "/api/v1/units",                    Roles(OFFICE),        With(Scope::UnitsRead)),
    rule("GET",    "/api/v1/sources",                  Roles(OFFICE),        With(Scope::SourcesRead)),
    rule("POST",   "/api/v1/sources/{id}/pause",       Roles(DUTY),          With(Scope::SourcesWrite)),
    rule("POST",   "/api/v1/sources/{id}/resume",      Roles(DUTY),          With(Scope::SourcesWrite)),
    rule("GET",    "/api/v1/accounts",                 Roles(AUDIT),         With(Scope::AccountsRead)),
    rule("POST",   "/api/v1/accounts",                 Roles(ADMINISTRATOR), Tokens::None),
    rule("PATCH",  "/api/v1/accounts/{name}",          Roles(ADMINISTRATOR), Tokens::None),
    rule("PUT",    "/api/v1/accounts/{name}/password", Roles(ADMINISTRATOR), Tokens::None),
    rule("GET",    "/api/v1/tokens",                   Roles(AUDIT),         Tokens::None),
    rule("POST",   "/api/v1/tokens",                   Roles(ADMINISTRATOR), Tokens::None),
    rule("DELETE", "/api/v1/tokens/{id}",              Roles(ADMINISTRATOR), Tokens::None),
    rule("GET",    "/api/v1/audit",                    Roles(AUDIT),         With(Scope::AuditRead)),
    rule("GET",    "/api/v1/audit/export",             Roles(AUDIT),         With(Scope::AuditRead)),
];

/// Who asks, and by what right.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) user: User,
    pub(super) by: By,
}

/// By what right someone asks.
#[derive(Clone)]
pub(super) enum By {
    /// The console's session.
    Session {
        /// What it is called.
        id: String,
        /// The secret that its writes carry.
        csrf: String,
    },
    /// A token.
    Token {
        /// What it is called.
        id: String,
        /// What it may be used for.
        scopes: Vec<Scope>,
    },
}

impl Caller {
    /// The account as it acts on cases.
    pub(super) fn actor(&self) -> Actor {
        Actor {
            via: self.via().to_owned(),
            ..self.user.actor()
        }
    }

    /// Id of the token; empty for a session.
    fn via(&self) -> &str {
        match &self.by {
            By::Session { .. } => "",
            By::Token { id, .. } => id,
        }
    }

    /// Writes a line of the audit, and gives its number.
    pub(super) async fn audit(
        &self,
        console: &Console,
        action: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<i64, AccountError> {
        console
            .accounts
            .audit_via(self.via(), &self.user.name, action, subject, now)
            .await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Problem::Unauthenticated)
    }
}

/// Lets a request through when its rule allows it; counts it; sets the headers that every answer carries.
pub(super) async fn guard(
    State(console): State<Arc<Console>>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("none", MatchedPath::as_str);
    let begun = Instant::now();
    let mut renewed = None;
    let mut response = match admit(&console, path, &mut request, &mut renewed).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    finish(&console, path, begun, renewed, &mut response);
    response
}

/// The rule of a route.
fn find(method: &Method, path: &str) -> Result<&'static Rule, Problem> {
    let method = match method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    let of_path: Vec<&Rule> = RULES.iter().filter(|rule| rule.path == path).collect();
    if of_path.is_empty() {
        return Err(Problem::NotFound);
    }
    match of_path.iter().find(|rule| rule.method == method) {
        Some(rule) => Ok(rule),
        None => {
            let methods: Vec<_> = of_path.iter().map(|rule| rule.method).collect();
            Err(Problem::Method(methods.join(", ")))
        }
    }
}

async fn admit(
    console: &Console,
    path: &str,
    request: &mut Request,
    renewed: &mut Option<String>,
) -> Result<(), Problem> {
    let rule = find(request.method(), path)?;
    let Roles(roles) = rule.who else {
        return Ok(());
    };
    let reads = rule.method == "GET";
    let caller = caller(console, request.headers(), reads, renewed)
        .await?
        .ok_or(Problem::Unauthenticated)?;
    if !roles.contains(&caller.user.role) {
        return Err(Problem::Forbidden);
    }
    match &caller.by {
        By::Token { scopes, .. } => match rule.tokens {
            Tokens::Any => {}
            With(scope) if scopes.contains(&scope) => {}
            With(scope) => return Err(Problem::Scope(Some(scope.name()))),
            Tokens::None => return Err(Problem::Scope(None)),
        },
        By::Session { csrf, .. } => {
            let shown = request.headers().get(CSRF_HEADER);
            let shown = shown.and_then(|shown| shown.to_str().ok());
            if !reads && !shown.is_some_and(|shown| same(csrf, shown)) {
                return Err(Problem::Forged);
            }
            if caller.user.must_change {
                return Err(Problem::PasswordMustChange);
            }
        }
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// Who asks. A request that shows a token is judged by it alone.
async fn caller(
    console: &Console,
    headers: &HeaderMap,
    reads: bool,
    renewed: &mut Option<String>,
) -> Result<Option<Caller>, Problem> {
    if let Some(shown) = headers.get(AUTHORIZATION) {
        let shown = shown.to_str().ok().and_then(bearer);
        let Some(shown) = shown else {
            return Ok(None);
        };
        let found = console.accounts.bearer(shown, Timestamp::now()).await?;
        return Ok(found.map(|bearer| Caller {
            user: bearer.user,
            by: By::Token {
                id: bearer.id,
                scopes: bearer.scopes,
            },
        }));
    }
    let found = known(console, headers, reads).await?;
    Ok(found.map(|known| {
        *renewed = known.renewed;
        Caller {
            user: known.user,
            by: By::Session {
                id: known.id,
                csrf: known.csrf,
            },
        }
    }))
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
