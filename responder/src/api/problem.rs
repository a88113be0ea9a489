//! What went wrong, as RFC 9457 tells it: `type` for programs, `title` and `detail` for people.

use axum::http::StatusCode;
use axum::http::header::{ALLOW, CONTENT_TYPE as HEADER, HeaderValue, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::account::AccountError;
use crate::case::{AttachmentError, MoveError, StoreError};
use crate::commitment::CommitmentError;
use crate::console::NotMade;
use crate::erasure::ErasureError;
use crate::event_edit::EditError;
use crate::knowledge::KnowledgeError;
use crate::roster::SwapError;
use crate::routing::SilenceError;
use crate::source_edit::SourceEditError;

/// The content type of problems.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Problem {
    /// Nobody is signed in, or the token is not good.
    Unauthenticated,
    /// The role may not.
    Forbidden,
    /// The token's scopes do not reach so far; the scope it lacks, or none where no token may.
    Scope(Option<&'static str>),
    /// A write of a session lacks its secret.
    Forged,
    /// The password must be changed first.
    PasswordMustChange,
    /// There is no such thing, or not for this account.
    NotFound,
    /// The path has other methods.
    Method(String),
    /// A parameter of the address is wrong.
    Parameter {
        /// Its name.
        field: String,
        /// What is wrong, and the remedy.
        detail: String,
    },
    /// A field of the body is wrong.
    Body {
        /// Its path; empty where the body is no JSON.
        field: String,
        /// What is wrong, and the remedy.
        detail: String,
    },
    /// The body is larger than this.
    TooLarge(&'static str),
    /// The body is not said to be of this type.
    MediaType(&'static str),
    /// The case was changed meanwhile.
    Stale(String),
    /// State or role do not allow it now.
    NotAllowed(String),
    /// What was asked for was not done.
    Refused(String),
    /// The store of cases and accounts fails.
    Store,
    /// ClickHouse does not answer.
    Archive,
    /// The fault is the program's own.
    Broken,
}

/// A problem, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemView {
    /// What it is, for programs: `urn:wensheng:problem:` and a name that does not change.
    #[serde(rename = "type")]
    kind: String,
    /// What it is, for people.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong here, and the remedy.
    detail: String,
    /// The parameter, or the field of the body, that is wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    field: String,
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        error!(%error, "the store failed");
        Self::Store
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => StoreError::from(error).into(),
            AccountError::Unknown | AccountError::UnknownToken => Self::NotFound,
            AccountError::Hash => Self::Broken,
            AccountError::Stale => Self::Stale(format!("{error}。")),
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl From<MoveError> for Problem {
    fn from(error: MoveError) -> Self {
        let said = format!("{error}。");
        match error {
            MoveError::NotFound => Self::NotFound,
            MoveError::Store(error) => error.into(),
            MoveError::Stale => Self::Stale(said),
            MoveError::Refused(_) => Self::NotAllowed(said),
            _ => Self::Refused(said),
        }
    }
}

impl From<ErasureError> for Problem {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::Store(error) => error.into(),
            ErasureError::NotAllowed => Self::Forbidden,
            ErasureError::Unknown => Self::NotFound,
            ErasureError::Unavailable => Self::Archive,
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl From<AttachmentError> for Problem {
    fn from(error: AttachmentError) -> Self {
        match error {
            AttachmentError::Move(error) => error.into(),
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl From<SilenceError> for Problem {
    fn from(error: SilenceError) -> Self {
        match error {
            SilenceError::NotFound => Self::NotFound,
            SilenceError::Store(error) => error.into(),
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl From<SourceEditError> for Problem {
    fn from(error: SourceEditError) -> Self {
        match error {
            SourceEditError::Unknown => Self::NotFound,
            SourceEditError::Paused | SourceEditError::NotPaused => {
                Self::Stale(format!("{error}。"))
            }
            SourceEditError::Store(error) => error.into(),
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl From<NotMade> for Problem {
    fn from(error: NotMade) -> Self {
        match error {
            NotMade::NotFound => Self::NotFound,
            NotMade::Refused(error @ (EditError::Gone | EditError::Merged(_))) => {
                Self::Stale(format!("{error}。"))
            }
            NotMade::Refused(refused) => Self::Refused(format!("{refused}。")),
            NotMade::Archive => Self::Archive,
            NotMade::Store(error) => error.into(),
        }
    }
}

impl From<SwapError> for Problem {
    fn from(error: SwapError) -> Self {
        match error {
            SwapError::Stale => Self::Stale(format!("{error}。")),
            SwapError::Store(error) => error.into(),
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl From<KnowledgeError> for Problem {
    fn from(error: KnowledgeError) -> Self {
        match error {
            KnowledgeError::NotFound => Self::NotFound,
            KnowledgeError::Stale => Self::Stale(format!("{error}。")),
            KnowledgeError::NotAllowed(_) => Self::NotAllowed(format!("{error}。")),
            KnowledgeError::Store(error) => StoreError::from(error).into(),
            KnowledgeError::Unknown => StoreError::Unknown { what: "entry" }.into(),
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl From<CommitmentError> for Problem {
    fn from(error: CommitmentError) -> Self {
        match error {
            CommitmentError::NotFound => Self::NotFound,
            CommitmentError::Ended => Self::Stale(format!("{error}。")),
            CommitmentError::Store(error) => StoreError::from(error).into(),
            CommitmentError::Unknown => StoreError::Unknown { what: "commitment" }.into(),
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}

impl Problem {
    /// There is no such region.
    pub(super) fn no_region() -> Self {
        Self::Refused("没有这个地区，请核对地区代码。".to_owned())
    }

    fn told(self) -> (StatusCode, &'static str, &'static str, String, String) {
        let plain = |status, kind, title, detail: &str| {
            (status, kind, title, detail.to_owned(), String::new())
        };
        match self {
            Self::Unauthenticated => plain(
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "未登录或令牌无效",
                "请登录工作台，或在 Authorization 请求头中提供有效的接口令牌。",
            ),
            Self::Forbidden => plain(
                StatusCode::FORBIDDEN,
                "forbidden",
                "无权使用此接口",
                "此接口不在您账号的权限范围内。如工作需要，请联系管理员。",
            ),
            Self::Scope(Some(scope)) => plain(
                StatusCode::FORBIDDEN,
                "scope",
                "令牌权限不足",
                &format!("此接口需要权限 {scope}，请联系管理员另发令牌。"),
            ),
            Self::Scope(None) => plain(
                StatusCode::FORBIDDEN,
                "scope",
                "令牌不能使用此接口",
                "此接口须由本人登录工作台后使用。",
            ),
            Self::Forged => plain(
                StatusCode::FORBIDDEN,
                "csrf",
                "缺少页面校验码",
                "请在 X-CSRF-Token 请求头中提供 /api/v1/me 返回的 csrf。",
            ),
            Self::PasswordMustChange => plain(
                StatusCode::FORBIDDEN,
                "password-must-change",
                "须先修改密码",
                "当前密码由管理员设置，请先在工作台“本人账号”中修改密码。",
            ),
            Self::NotFound => plain(
                StatusCode::NOT_FOUND,
                "not-found",
                "没有找到",
                "内容可能不存在，或您无权查看。请核对地址。",
            ),
            Self::Method(allowed) => plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "不支持此请求方法",
                &format!("此地址支持的方法：{allowed}。"),
            ),
            Self::Parameter { field, detail } => (
                StatusCode::BAD_REQUEST,
                "parameter",
                "查询参数有误",
                detail,
                field,
            ),
            Self::Body { field, detail } => (
                StatusCode::BAD_REQUEST,
                "body",
                "提交的内容有误",
                detail,
                field,
            ),
            Self::TooLarge(most) => plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "提交的内容过长",
                &format!("请精简后重新提交，每次不超过{most}。"),
            ),
            Self::MediaType(wanted) => plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "提交的内容类型不符",
                &format!("请将 Content-Type 设为 {wanted}。"),
            ),
            Self::Stale(detail) => (
                StatusCode::CONFLICT,
                "stale",
                "内容已有变化",
                detail,
                String::new(),
            ),
            Self::NotAllowed(detail) => (
                StatusCode::CONFLICT,
                "not-allowed",
                "当前不能这样操作",
                detail,
                String::new(),
            ),
            Self::Refused(detail) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "refused",
                "操作未被受理",
                detail,
                String::new(),
            ),
            Self::Store => plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "store",
                "案件库暂时不可用",
                "本次操作未生效。请稍后重试；如持续出现，请联系管理员。",
            ),
            Self::Archive => plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "archive",
                "舆情库暂时不可用",
                "请稍后重试；案件不受影响。",
            ),
            Self::Broken => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "broken",
                "程序出错",
                "请稍后重试；如持续出现，请联系管理员。",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let allowed = match &self {
            Self::Method(allowed) => HeaderValue::from_str(allowed).ok(),
            _ => None,
        };
        let (status, kind, title, detail, field) = self.told();
        let view = ProblemView {
            kind: format!("urn:wensheng:problem:{kind}"),
            title,
            status: status.as_u16(),
            detail,
            field,
        };
        let body = serde_json::to_string(&view).unwrap_or_default();
        let mut response = (status, [(HEADER, CONTENT_TYPE)], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(allowed) = allowed {
            headers.insert(ALLOW, allowed);
        }
        response
    }
}

/// What answers for addresses that do not exist.
pub(super) async fn missing() -> Problem {
    Problem::NotFound
}
