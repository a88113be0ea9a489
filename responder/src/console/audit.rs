//! The audit: who did what when, looked through by account, action, object and time.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use url::form_urlencoded::Serializer;

use super::access::SignedIn;
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, render};
use super::problem::Problem;
use super::{Console, show};
use crate::account::Wanted;
use crate::case::Action;
use crate::clock::local;

/// Lines of a page.
const PER_PAGE: u32 = 100;

/// What else than moves of cases is written down.
const ACTIONS: [(&str, &str); 64] = [
    ("sign-in", "登录"),
    ("sign-out", "退出"),
    ("end-session", "结束本人登录"),
    ("end-user-session", "结束他人登录"),
    ("change-password", "修改本人密码"),
    ("read-case", "查看案件"),
    ("print-case", "打开交办处置单"),
    ("draft-reply", "请语言模型起草答复"),
    ("search-posts", "检索帖文"),
    ("export-posts", "导出帖文"),
    ("read-attachment", "下载附件"),
    ("read-attachments", "查看附件目录"),
    ("read-notices", "查看通知记录"),
    ("check-reply", "检查答复"),
    ("read-post", "查看帖文"),
    ("read-event", "查看事件"),
    ("correct-post", "更正研判"),
    ("read-held", "查看保存的内容"),
    ("erase-post", "登记删除帖文"),
    ("clean-up", "到期清理"),
    ("merge-event", "并入事件"),
    ("split-event", "拆分事件"),
    ("pause-source", "暂停来源"),
    ("resume-source", "恢复来源"),
    ("add-silence", "设置静默"),
    ("end-silence", "解除静默"),
    ("swap-shifts", "换班"),
    ("import-roster", "导入值班表"),
    ("propose-knowledge", "提出问答"),
    ("change-knowledge", "修改问答"),
    ("approve-knowledge", "审定问答"),
    ("retire-knowledge", "停用问答"),
    ("export-knowledge", "下载问答公开页"),
    ("read-commitments", "查看承诺"),
    ("add-commitment", "登记承诺"),
    ("keep-commitment", "登记承诺兑现"),
    ("withdraw-commitment", "撤回承诺"),
    ("make-report", "提出报告"),
    ("made-report", "生成报告"),
    ("remake-report", "重新生成报告"),
    ("read-report", "查看报告"),
    ("read-reports", "查看报告目录"),
    ("edit-report", "修改报告"),
    ("ask-polish", "请语言模型润色报告"),
    ("polish-report", "采用报告润色"),
    ("submit-report", "报告送审"),
    ("return-report", "退回报告"),
    ("approve-report", "签发报告"),
    ("send-report", "发送报告"),
    ("withdraw-report", "撤回报告"),
    ("export-report", "下载报告"),
    ("change-report-list", "修改送阅名单"),
    ("delete-report-list", "删除送阅名单"),
    ("save-region-file", "保存配置文件"),
    ("replay-dead-letter", "重新投递死信"),
    ("add-user", "添加账号"),
    ("change-user", "变更账号"),
    ("activate-user", "启用账号"),
    ("deactivate-user", "停用账号"),
    ("reset-password", "重设密码"),
    ("add-token", "添加接口令牌"),
    ("revoke-token", "吊销接口令牌"),
    ("read-audit", "查看审计"),
    ("export-audit", "导出审计"),
];

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
    users: Vec<Choice>,
    actions: Vec<Choice>,
    subject: String,
    from: String,
    to: String,
    lines: Vec<AuditLine>,
    pages: Pages,
    /// Addresses of the time asked for as files: as a table, and as lines of JSON.
    csv: String,
    jsonl: String,
    problem: &'static str,
}

/// The lines asked for, the newest first.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let time = |name: &str| local(fields.get(name));
    let wrong = |name: &str| !fields.get(name).is_empty() && time(name).is_none();
    let (from, to) = (time("from"), time("to"));
    let wanted = Wanted {
        user: fields.get("user").to_owned(),
        action: fields.get("action").to_owned(),
        subject: fields.get("subject").to_owned(),
        from,
        // The minute that was chosen belongs to the time.
        to: to.map(|to| to + SignedDuration::from_mins(1)),
    };
    let offset = (fields.page() - 1).saturating_mul(PER_PAGE);
    let (lines, more) = (console.accounts)
        .audit_search(&wanted, offset, PER_PAGE)
        .await?;
    let known = u64::from(offset) + lines.len() as u64 + u64::from(more);
    let pages = Pages::new("/audit", &fields, PER_PAGE, known);
    let users = console.accounts.list().await?;
    let actions = (ACTIONS.iter().map(|(name, title)| (*name, *title)))
        .chain(Action::ALL.map(|action| (action.name(), action.title())));
    render(&AuditPage {
        users: (users.into_iter())
            .map(|user| {
                let title = format!("{}（{}）", user.name, user.display_name);
                Choice::new(user.name, title, fields.get("user"))
            })
            .collect(),
        actions: actions
            .map(|(name, title)| Choice::new(name, title, fields.get("action")))
            .collect(),
        subject: wanted.subject.clone(),
        from: fields.get("from").to_owned(),
        to: fields.get("to").to_owned(),
        csv: export("csv", &wanted),
        jsonl: export("jsonl", &wanted),
        pages: if more { pages.at_least() } else { pages },
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
        problem: if wrong("from") || wrong("to") {
            "时间请按“2026-10-01 08:30”的格式填写。"
        } else {
            ""
        },
        frame: Frame::new(&console, &signed_in, "/audit", "审计"),
    })
}

/// Address of the lines of a time as a file; that it is fetched is written down there.
fn export(format: &str, wanted: &Wanted) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("format", format);
    let times: [(&str, Option<Timestamp>); 2] = [("from", wanted.from), ("to", wanted.to)];
    for (name, at) in times {
        if let Some(at) = at {
            query.append_pair(name, &at.to_string());
        }
    }
    format!("/api/v1/audit/export?{}", query.finish())
}

fn title(action: &str) -> String {
    let known = ACTIONS.iter().find(|(name, _)| *name == action);
    match (known, Action::named(action)) {
        (Some((_, title)), _) => (*title).to_owned(),
        (None, Some(known)) => known.title().to_owned(),
        (None, None) => action.to_owned(),
    }
}
