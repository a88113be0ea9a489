//! What all pages share: the frame around them, how they are rendered, and the pages that say what
//! went wrong and what to do.

use std::sync::LazyLock;

use askama::Template;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use sha2::{Digest, Sha256};
use tracing::error;
use url::form_urlencoded::byte_serialize;

use super::Console;
use super::access::{SignedIn, may_open};
use crate::account::AccountError;
use crate::case::StoreError;

const STYLESHEET: &str = include_str!("../../assets/console.css");
const ICON: &str = include_str!("../../assets/icon.svg");

/// Changes with the stylesheet, so that browsers may keep it for long.
static STYLESHEET_VERSION: LazyLock<String> = LazyLock::new(|| {
    hex::encode(Sha256::digest(STYLESHEET.as_bytes()))
        .chars()
        .take(12)
        .collect()
});

const PLACES: [(&str, &str); 7] = [
    ("/", "总览"),
    ("/posts", "舆情"),
    ("/events", "事件"),
    ("/cases", "案件"),
    ("/units", "单位"),
    ("/users", "用户"),
    ("/audit", "审计"),
];

/// A link of the navigation.
pub(super) struct Place {
    pub(super) path: &'static str,
    pub(super) title: &'static str,
    pub(super) current: bool,
}

/// The frame of a page for someone signed in.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) region: String,
    pub(super) user: String,
    /// The role, or the unit of a unit's account.
    pub(super) capacity: String,
    pub(super) csrf: String,
    pub(super) places: Vec<Place>,
    pub(super) version: &'static str,
    /// Seconds after which the page is loaded again; 0 for never.
    pub(super) refresh: u32,
}

impl Frame {
    pub(super) fn new(
        console: &Console,
        signed_in: &SignedIn,
        current: &str,
        title: impl Into<String>,
    ) -> Self {
        let user = &signed_in.user;
        let capacity = if user.unit.is_empty() {
            user.role.title().to_owned()
        } else {
            console.unit_name(&user.region, &user.unit).to_owned()
        };
        let places = PLACES
            .into_iter()
            .filter(|(path, _)| may_open(user.role, path))
            .map(|(path, title)| Place {
                path,
                title,
                current: path == current,
            })
            .collect();
        Self {
            title: title.into(),
            region: region_name(console, &user.region),
            user: user.display_name.clone(),
            capacity,
            csrf: signed_in.csrf.clone(),
            places,
            version: &STYLESHEET_VERSION,
            refresh: 0,
        }
    }
}

/// The name of the region of a unit's account, or of the only region served.
fn region_name(console: &Console, code: &str) -> String {
    let region = match console.regions.get(code) {
        Some(region) => Some(region),
        None if console.regions.len() == 1 => console.regions.values().next(),
        None => None,
    };
    region
        .map(|region| region.gazetteer.name.clone())
        .unwrap_or_default()
}

/// The name of the only region served, for those not signed in.
pub(super) fn only_region(console: &Console) -> String {
    region_name(console, "")
}

/// The part of a stylesheet's address that changes with it.
pub(super) fn stylesheet_version() -> &'static str {
    &STYLESHEET_VERSION
}

/// Renders a page.
pub(super) fn render(template: &impl Template) -> Result<Response, Problem> {
    render_as(StatusCode::OK, template)
}

/// Renders a page with a status.
pub(super) fn render_as(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(text) => Ok((status, Html(text)).into_response()),
        Err(error) => {
            error!(%error, "a page could not be rendered");
            Err(Problem::Broken)
        }
    }
}

#[derive(Template)]
#[template(path = "unavailable.html")]
struct UnavailablePage {
    frame: Frame,
}

/// The page that says that posts and events cannot be shown now.
pub(super) fn archive_unavailable(frame: Frame) -> Result<Response, Problem> {
    render_as(StatusCode::SERVICE_UNAVAILABLE, &UnavailablePage { frame })
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Problem {
    /// Nobody is signed in; after signing in they come back here.
    SignIn(Uri),
    /// Nobody is signed in any more who could post this form.
    SignedOut,
    /// The role may not.
    Forbidden,
    /// The form does not carry the session's secret.
    Forged,
    /// There is no such page, or not for this account.
    NotFound,
    /// The form is too large.
    TooLarge,
    /// The store of cases and accounts fails.
    Store,
    /// The fault is the program's own.
    Broken,
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        error!(%error, "the store failed");
        Self::Store
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => error.into(),
            AccountError::Unknown => Self::NotFound,
            error => {
                error!(?error, "the accounts failed");
                Self::Broken
            }
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    title: &'static str,
    advice: &'static str,
    status: u16,
    version: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, advice) = match self {
            Self::SignIn(uri) => {
                let next: String = byte_serialize(uri.to_string().as_bytes()).collect();
                return Redirect::to(&format!("/login?next={next}")).into_response();
            }
            Self::SignedOut => (
                StatusCode::UNAUTHORIZED,
                "登录已失效",
                "您填写的内容尚未提交。请返回上一页复制已填内容，重新登录后再提交。",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "您无权打开此页面",
                "此页面不在您账号的权限范围内。如工作需要，请联系管理员。",
            ),
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "页面已过期",
                "为保证安全，本次提交未被受理。请返回上一页刷新后重新提交。",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "没有找到此页面",
                "内容可能不存在，或您无权查看。请核对链接，或返回总览查找。",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "提交的内容过长",
                "请精简后重新提交，文字内容请控制在5000字以内。",
            ),
            Self::Store => (
                StatusCode::SERVICE_UNAVAILABLE,
                "案件库暂时不可用",
                "本次操作未生效。请稍后重试；如持续出现，请联系管理员。",
            ),
            Self::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "页面出错",
                "请稍后重试；如持续出现，请联系管理员。",
            ),
        };
        let page = ProblemPage {
            title,
            advice,
            status: status.as_u16(),
            version: stylesheet_version(),
        };
        match page.render() {
            Ok(text) => (status, Html(text)).into_response(),
            Err(_) => (status, title).into_response(),
        }
    }
}

/// What answers for addresses that do not exist.
pub(super) async fn missing() -> Problem {
    Problem::NotFound
}

/// The stylesheet.
pub(super) async fn stylesheet() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLESHEET)
}

/// The icon.
pub(super) async fn icon() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "image/svg+xml"),
            (CACHE_CONTROL, "public, max-age=86400"),
        ],
        ICON,
    )
}
