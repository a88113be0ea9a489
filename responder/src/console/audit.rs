//! The audit, for the administrator.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Console;
use super::access::SignedIn;
use super::page::{Frame, render};
use super::problem::Problem;
use super::show;
use crate::case::Action;

/// Lines shown: the newest.
const SHOWN: u32 = 200;

struct AuditLine {
    at: String,
    user: String,
    action: String,
    subject: String,
    case: bool,
    /// Whether it was done with an API token.
    program: bool,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    lines: Vec<AuditLine>,
}

/// The newest lines.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let lines = console.accounts.audit_log(SHOWN).await?;
    render(&AuditPage {
        frame: Frame::new(&console, &signed_in, "/audit", "审计"),
        lines: lines
            .into_iter()
            .map(|line| AuditLine {
                at: show::time(line.at),
                user: line.user,
                program: !line.via.is_empty(),
                case: matches!(
                    line.action.as_str(),
                    "read-case" | "print-case" | "draft-reply"
                ) || Action::named(&line.action).is_some(),
                action: title(&line.action),
                subject: line.subject,
            })
            .collect(),
    })
}

fn title(action: &str) -> String {
    match action {
        "sign-in" => "登录".to_owned(),
        "sign-out" => "退出".to_owned(),
        "read-case" => "查看案件".to_owned(),
        "print-case" => "打开交办处置单".to_owned(),
        "draft-reply" => "请语言模型起草答复".to_owned(),
        "read-attachment" => "下载附件".to_owned(),
        "read-post" => "查看帖文".to_owned(),
        "search-posts" => "检索帖文".to_owned(),
        "export-posts" => "导出帖文".to_owned(),
        "read-event" => "查看事件".to_owned(),
        "correct-post" => "更正研判".to_owned(),
        "merge-event" => "并入事件".to_owned(),
        "split-event" => "拆分事件".to_owned(),
        "add-user" => "添加账号".to_owned(),
        "activate-user" => "启用账号".to_owned(),
        "deactivate-user" => "停用账号".to_owned(),
        "reset-password" => "重设密码".to_owned(),
        "change-password" => "修改本人密码".to_owned(),
        "change-user" => "变更账号".to_owned(),
        "end-session" => "结束本人登录".to_owned(),
        "add-token" => "添加接口令牌".to_owned(),
        "revoke-token" => "吊销接口令牌".to_owned(),
        "read-notices" => "查看通知记录".to_owned(),
        "read-audit" => "查看审计".to_owned(),
        "export-audit" => "导出审计".to_owned(),
        action => match Action::named(action) {
            Some(known) => known.title().to_owned(),
            None => action.to_owned(),
        },
    }
}
