//! One account: what it may do, where it is signed in, and the tokens with which programs act for it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::unit_of;
use crate::account::{AccountError, Change, MOST_TOKEN_DAYS, NewToken, Scope, User};
use crate::case::Role;
use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields};
use crate::console::page::{Frame, render_as};
use crate::console::problem::Problem;
use crate::console::units::choices;
use crate::console::{Console, show};

struct SessionLine {
    id: String,
    browser: String,
    address: String,
    started_at: String,
    seen_at: String,
}

struct TokenLine {
    id: String,
    label: String,
    scopes: String,
    made_by: String,
    created_at: String,
    expires_at: String,
    used_at: String,
    /// Whether it is good no more: expired or revoked.
    over: &'static str,
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    frame: Frame,
    name: String,
    display_name: String,
    role: &'static str,
    unit: String,
    active: bool,
    created_at: String,
    roles: Vec<Choice>,
    units: Vec<Choice>,
    sessions: Vec<SessionLine>,
    tokens: Vec<TokenLine>,
    scopes: Vec<Choice>,
    label: String,
    days: String,
    most_days: u32,
    may_change: bool,
    /// A token that was made now; it is shown this once.
    secret: String,
    problem: String,
    done: &'static str,
}

/// What a form led to.
#[derive(Default)]
struct Told {
    status: StatusCode,
    problem: String,
    secret: String,
    done: &'static str,
}

/// The page.
pub(in crate::console) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "changed" => "账号已变更；角色或单位变了的，其登录已失效，须重新登录。",
        "session" => "该设备上的登录已失效。",
        "revoked" => "令牌已吊销，持有它的程序不能再用。",
        _ => "",
    };
    let told = Told {
        done,
        ..Told::default()
    };
    page(&console, &signed_in, &name, &Fields::default(), told).await
}

/// Changes what an account is called and may do.
pub(in crate::console) async fn change(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let role = Role::named(fields.get("role")).unwrap_or(Role::System);
    let (region, unit) = unit_of(&console, role, &fields);
    let change = Change {
        display_name: Some(fields.get("display_name").to_owned()),
        capacity: Some((role, region, unit)),
        active: None,
    };
    let changed = console.accounts.change(&name, &change).await.map(drop);
    let done = ("change-user", name.as_str(), "changed");
    answer(&console, &signed_in, &name, &fields, changed, done).await
}

/// Ends a session of an account.
pub(in crate::console) async fn end_session(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    if !(console.accounts)
        .end_session(&name, fields.get("id"))
        .await?
    {
        return Err(Problem::NotFound);
    }
    let done = ("end-user-session", name.as_str(), "session");
    answer(&console, &signed_in, &name, &fields, Ok(()), done).await
}

/// Makes a token for an account and shows it, this once.
pub(in crate::console) async fn add_token(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let token = NewToken {
        account: name.clone(),
        label: fields.get("label").to_owned(),
        scopes: (fields.all("scope").iter())
            .filter_map(|name| Scope::named(name))
            .collect(),
        days: fields.get("days").parse().unwrap_or(0),
    };
    let by = &signed_in.user.name;
    match console.accounts.add_token(&token, by, now).await {
        Ok((token, secret)) => {
            (console.accounts)
                .audit(by, "add-token", &token.id, now)
                .await?;
            let told = Told {
                secret,
                ..Told::default()
            };
            page(&console, &signed_in, &name, &Fields::default(), told).await
        }
        Err(error) => {
            let done = ("add-token", "", "");
            answer(&console, &signed_in, &name, &fields, Err(error), done).await
        }
    }
}

/// Revokes a token.
pub(in crate::console) async fn revoke_token(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let id = fields.get("id");
    let revoked = console.accounts.revoke_token(id, Timestamp::now()).await;
    let done = ("revoke-token", id, "revoked");
    answer(&console, &signed_in, &name, &fields, revoked, done).await
}

/// Back to the page with what was done, written down; or the form with what is wrong.
async fn answer(
    console: &Console,
    signed_in: &SignedIn,
    name: &str,
    typed: &Fields,
    result: Result<(), AccountError>,
    (action, subject, done): (&str, &str, &str),
) -> Result<Response, Problem> {
    match result {
        Ok(()) => {
            let by = &signed_in.user.name;
            (console.accounts)
                .audit(by, action, subject, Timestamp::now())
                .await?;
            Ok(Redirect::to(&format!("/users/{name}?done={done}")).into_response())
        }
        Err(AccountError::UnknownToken) => Err(Problem::NotFound),
        Err(failed) if !failed.refused() => Err(failed.into()),
        Err(refused) => {
            let told = Told {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                problem: format!("{refused}。"),
                ..Told::default()
            };
            page(console, signed_in, name, typed, told).await
        }
    }
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    name: &str,
    typed: &Fields,
    told: Told,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let users = console.accounts.list().await?;
    let user: User = (users.into_iter().find(|user| user.name == name)).ok_or(Problem::NotFound)?;
    let sessions = console.accounts.sessions(name, now).await?;
    let mut tokens = console.accounts.tokens().await?;
    tokens.retain(|token| token.account == name);
    let or = |field: &str, now: String| match typed.get(field) {
        "" => now,
        typed => typed.to_owned(),
    };
    let role = or("role", user.role.name().to_owned());
    let unit = or("unit", format!("{}/{}", user.region, user.unit));
    let chosen = typed.all("scope");
    let dash = || "—".to_owned();
    let page = UserPage {
        display_name: or("display_name", user.display_name.clone()),
        role: user.role.title(),
        unit: (console.unit_name(&user.region, &user.unit)).to_owned(),
        active: user.active,
        created_at: show::time(user.created_at),
        roles: Role::ACCOUNTS
            .map(|known| Choice::new(known.name(), known.title(), &role))
            .into_iter()
            .collect(),
        units: choices(console, &unit),
        sessions: (sessions.into_iter())
            .map(|session| SessionLine {
                id: session.id,
                browser: session.browser,
                address: session.address,
                started_at: show::time(session.started_at),
                seen_at: show::time(session.seen_at),
            })
            .collect(),
        tokens: (tokens.into_iter())
            .map(|token| TokenLine {
                over: match token.revoked_at {
                    Some(_) => "已吊销",
                    None if token.expires_at <= now => "已到期",
                    None => "",
                },
                id: token.id,
                label: token.label,
                scopes: token
                    .scopes
                    .into_iter()
                    .map(scope)
                    .collect::<Vec<_>>()
                    .join("、"),
                made_by: token.made_by,
                created_at: show::time(token.created_at),
                expires_at: show::time(token.expires_at),
                used_at: token.used_at.map_or_else(dash, show::time),
            })
            .collect(),
        scopes: Scope::ALL
            .map(|known| {
                let name = known.name();
                let wanted = chosen.iter().find(|chosen| *chosen == name);
                Choice::new(name, scope(known), wanted.map_or("", String::as_str))
            })
            .into_iter()
            .collect(),
        label: typed.get("label").to_owned(),
        days: or("days", "90".to_owned()),
        most_days: MOST_TOKEN_DAYS,
        may_change: signed_in.user.role == Role::Administrator,
        secret: told.secret,
        problem: told.problem,
        done: told.done,
        name: user.name,
        frame: Frame::new(console, signed_in, "/users", "用户"),
    };
    render_as(told.status, &page)
}

/// The words for what a token may be used for.
fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::CasesRead => "读案件",
        Scope::CasesMove => "办案件",
        Scope::PostsRead => "检索、读帖文",
        Scope::EventsRead => "读事件",
        Scope::EventsWrite => "并拆事件",
        Scope::SilencesRead => "读静默",
        Scope::SilencesWrite => "设静默",
        Scope::RosterRead => "读值班表",
        Scope::RosterWrite => "换班",
        Scope::KnowledgeRead => "读问答",
        Scope::KnowledgeWrite => "写问答",
        Scope::CommitmentsRead => "读承诺",
        Scope::CommitmentsWrite => "写承诺",
        Scope::ReportsRead => "读报告",
        Scope::UnitsRead => "读单位",
        Scope::SourcesRead => "读来源",
        Scope::SourcesWrite => "暂停来源",
        Scope::ErasuresRead => "读删除登记",
        Scope::ErasuresWrite => "办理删除",
        Scope::AccountsRead => "读账号",
        Scope::AuditRead => "读审计",
    }
}
