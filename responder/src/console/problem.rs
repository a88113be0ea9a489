//! The pages that say what went wrong and what to do.

use askama::Template;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use tracing::error;
use url::form_urlencoded::byte_serialize;

use super::assets;
use crate::account::AccountError;
use crate::case::StoreError;
use crate::correction::CorrectionError;
use crate::saved_search::SavedSearchError;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Problem {
    /// Nobody is signed in; after signing in they come back here.
    SignIn(Uri),
    /// Nobody is signed in any more who could post this form, in which this was written.
    SignedOut(Vec<String>),
    /// The password must be changed first.
    PasswordMustChange,
    /// The role may not.
    Forbidden,
    /// The form does not carry the session's secret.
    Forged,
    /// There is no such page, or not for this account.
    NotFound,
    /// The form is too large.
    TooLarge,
    /// Others are exporting; there is no turn now.
    Busy,
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

impl From<SavedSearchError> for Problem {
    fn from(error: SavedSearchError) -> Self {
        match error {
            SavedSearchError::Store(error) => error.into(),
            error => {
                error!(?error, "a saved search failed");
                Self::Broken
            }
        }
    }
}

impl From<CorrectionError> for Problem {
    fn from(error: CorrectionError) -> Self {
        match error {
            CorrectionError::Store(error) => error.into(),
            // Only a form that was tampered with has other values than the choices.
            CorrectionError::Unknown(_) => Self::NotFound,
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
    /// What was written and is not lost by it.
    written: Vec<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut written = Vec::new();
        let (status, title, advice) = match self {
            Self::SignIn(uri) => {
                let next: String = byte_serialize(uri.to_string().as_bytes()).collect();
                return Redirect::to(&format!("/login?next={next}")).into_response();
            }
            Self::PasswordMustChange => return Redirect::to("/account").into_response(),
            Self::SignedOut(texts) => {
                written = texts;
                (
                    StatusCode::UNAUTHORIZED,
                    "登录已失效",
                    "您填写的内容尚未提交。请复制下面的内容，重新登录后再提交。",
                )
            }
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
                "内容可能不存在，或您无权查看。请核对链接，或返回“今日态势”查找。",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "提交的内容过长",
                "请精简后重新提交，文字内容请控制在5000字以内。",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "正在导出的较多",
                "为不影响他人使用，同时进行的导出有限。请稍候片刻再导出。",
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
            version: assets::version(),
            written,
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
