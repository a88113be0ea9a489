//! The API for programs and for the console's own pages, under [`ROOT`]: one file per noun. Who may use what is one table,
//! [`RULES`]; what there is, is told by `openapi.json`, which is made from the handlers.

#![allow(unused_qualifications, reason = "utoipa's macros write them")]

mod access;
mod accounts;
mod asked;
mod attachments;
mod audit;
mod cases;
mod commitments;
mod counts;
mod erasures;
mod events;
mod knowledge;
mod me;
mod posts;
mod problem;
mod reply_check;
mod reports;
mod roster;
mod silences;
mod sources;
mod tokens;
mod units;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use access::{CSRF_HEADER, RULES, Rule, Tokens};

use crate::console::{Console, SESSION_COOKIE, Who};
use problem::{CONTENT_TYPE as PROBLEM, ProblemView};

/// Where the API begins.
pub const ROOT: &str = "/api/v1";

/// The routes, to be put under [`ROOT`].
pub(crate) fn router(console: Arc<Console>) -> Router {
    let (router, _) = served()
        .fallback(problem::missing)
        .layer(from_fn_with_state(Arc::clone(&console), access::guard))
        .split_for_parts();
    router.with_state(console)
}

/// All that is served.
fn served() -> OpenApiRouter<Arc<Console>> {
    OpenApiRouter::default()
        .routes(routes!(document))
        .routes(routes!(me::show))
        .routes(routes!(me::sessions))
        .routes(routes!(me::end_session))
        .routes(routes!(counts::show))
        .routes(routes!(cases::list))
        .routes(routes!(cases::show))
        .routes(routes!(cases::perform))
        .routes(routes!(cases::notices))
        .routes(routes!(attachments::list, attachments::add))
        .routes(routes!(attachments::show))
        .routes(routes!(reply_check::check))
        .routes(routes!(commitments::add))
        .routes(routes!(commitments::list))
        .routes(routes!(commitments::keep))
        .routes(routes!(commitments::withdraw))
        .routes(routes!(knowledge::list, knowledge::add))
        .routes(routes!(knowledge::show))
        .routes(routes!(knowledge::approve))
        .routes(routes!(knowledge::retire))
        .routes(routes!(silences::list, silences::add))
        .routes(routes!(silences::end))
        .routes(routes!(roster::show))
        .routes(routes!(roster::swap))
        .routes(routes!(posts::list))
        .routes(routes!(posts::held))
        .routes(routes!(erasures::list, erasures::begin))
        .routes(routes!(erasures::show))
        .routes(routes!(events::list))
        .routes(routes!(events::show))
        .routes(routes!(events::open))
        .routes(routes!(events::edits))
        .routes(routes!(events::merge))
        .routes(routes!(events::split))
        .routes(routes!(reports::list))
        .routes(routes!(reports::show))
        .routes(routes!(reports::file))
        .routes(routes!(units::list))
        .routes(routes!(sources::list))
        .routes(routes!(sources::pause))
        .routes(routes!(sources::resume))
        .routes(routes!(accounts::list, accounts::add))
        .routes(routes!(accounts::change))
        .routes(routes!(accounts::set_password))
        .routes(routes!(tokens::list, tokens::add))
        .routes(routes!(tokens::revoke))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
}

/// The OpenAPI document of the API, as JSON.
///
/// # Panics
/// Never: the document is made of plain values.
#[must_use]
pub fn openapi() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
        let document = described();
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    });
    &DOCUMENT
}

fn described() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Wensheng responder")
        .description(Some(
            "Cases, commitments, the knowledge base, posts, erasures, events, reports, silences, the roster, units, sources, accounts and the audit of a county's opinion-handling office. \
             Problems are told as RFC 9457 `application/problem+json`, with a `type` for programs and a `title` for people.",
        ))
        .version("1")
        .license(Some(License::new("Apache-2.0")))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                SESSION_COOKIE,
                "The console's session. Writes carry its secret, `csrf` of `/me`, in the header `x-csrf-token`.",
            ))),
        )
        .security_scheme(
            "token",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("A token that an administrator made for an account."))
                    .build(),
            ),
        )
        .schema(ProblemView::name(), ProblemView::schema())
        .build();
    let base = OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .build();
    let mut document = OpenApiRouter::<Arc<Console>>::with_openapi(base)
        .nest(ROOT, served())
        .into_openapi();
    let problem = ResponseBuilder::new()
        .description("What went wrong")
        .content(
            PROBLEM,
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(ProblemView::name())))
                .build(),
        )
        .build();
    for rule in RULES {
        let item = document.paths.paths.get_mut(rule.path);
        let operation = item.and_then(|item| match rule.method {
            "GET" => item.get.as_mut(),
            "POST" => item.post.as_mut(),
            "PATCH" => item.patch.as_mut(),
            "PUT" => item.put.as_mut(),
            _ => item.delete.as_mut(),
        });
        let Some(operation) = operation else { continue };
        let responses = &mut operation.responses.responses;
        responses.insert("default".to_owned(), RefOr::T(problem.clone()));
        operation.security = match (rule.who, rule.tokens) {
            (Who::Anyone, _) => Some(Vec::new()),
            (Who::Roles(_), Tokens::None) => Some(vec![by("session")]),
            (Who::Roles(_), _) => Some(vec![by("session"), by("token")]),
        };
    }
    document
}

fn by(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, Vec::<String>::new())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "document", responses((status = 200, description = "The document", body = Object, content_type = "application/json")))]
async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], openapi())
}
