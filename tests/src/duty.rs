//! A case on its way from the duty office to the unit and back, in the console.

use reqwest::StatusCode;

use crate::{Browser, Page};

/// The password of the accounts made here.
pub const PASSWORD: &str = "a password for tests";

/// The duty officer dispatches the first pending case to the unit proposed, whose account signs for it,
/// reports and answers. Makes the accounts `officer`, `leader` and `unit`, and gives the case's id.
///
/// # Panics
/// When the console does not do its part.
pub async fn answer_a_case(console: &str, administrator: &mut Browser, region: &str) -> String {
    administrator
        .add_user("officer", "duty-officer", "", PASSWORD)
        .await;
    administrator
        .add_user("leader", "leader", "", PASSWORD)
        .await;
    let mut officer = Browser::sign_in(console, "officer", PASSWORD).await;
    let page = officer.get("/cases?state=pending").await;
    let case = (*page.values("data-case").first().expect("a pending case")).to_owned();
    let lead = proposed(&officer.get(&format!("/cases/{case}")).await);
    administrator
        .add_user("unit", "unit-lead", &format!("{region}/{lead}"), PASSWORD)
        .await;
    let mut unit = Browser::sign_in(console, "unit", PASSWORD).await;
    assert_eq!(
        unit.get(&format!("/cases/{case}")).await.status,
        StatusCode::NOT_FOUND,
        "not before it is dispatched"
    );

    let dispatch = [("lead", lead.as_str()), ("note", "请尽快核实处理")];
    let page = officer.act(&case, "dispatch", &dispatch).await;
    assert_eq!(page.values("data-state"), ["dispatched"]);
    assert!(
        unit.get("/").await.html.contains(&case),
        "it is among the unit's tasks"
    );
    unit.act(&case, "sign", &[]).await;
    unit.act(&case, "report", &[("note", "已到现场查看")]).await;
    let reply = [("note", "经核实情况属实，已于今日处理完毕。")];
    let page = unit.act(&case, "reply", &reply).await;
    assert_eq!(page.values("data-state"), ["review"]);
    case
}

/// The leader approves the answer, and the duty officer closes the case.
///
/// # Panics
/// When the console does not do its part.
pub async fn close(console: &str, case: &str) {
    let mut leader = Browser::sign_in(console, "leader", PASSWORD).await;
    let page = leader.act(case, "approve", &[]).await;
    assert!(page.html.contains("已于今日处理完毕"), "the reply is there");
    let mut officer = Browser::sign_in(console, "officer", PASSWORD).await;
    let page = officer.act(case, "close", &[]).await;
    assert_eq!(page.values("data-state"), ["closed"]);
}

/// Asks for the report of a week of a region, and gives the address of its page.
///
/// # Panics
/// When it is refused.
pub async fn ask_for_report(browser: &mut Browser, region: &str) -> String {
    let form = browser.get("/reports/new?kind=weekly").await;
    assert_eq!(form.status, 200);
    let fields = [
        ("csrf", form.hidden("csrf").expect("a form")),
        ("kind", "weekly"),
        ("region", region),
        ("from", "2026-11-16"),
        ("to", "2026-11-22"),
    ];
    let asked = browser.post("/reports", &fields).await;
    assert_eq!(asked.status, 303, "{}", asked.html);
    asked.location
}

/// The wording in the form of a report.
///
/// # Panics
/// When the page has none.
#[must_use]
pub fn wording(page: &Page) -> String {
    let (_, rest) = (page.html.split_once("spellcheck=\"false\">")).expect("a wording");
    let (text, _) = rest.split_once("</textarea>").expect("its end");
    [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ]
    .into_iter()
    .fold(text.trim().to_owned(), |text, (from, to)| {
        text.replace(from, to)
    })
}

/// The unit that a case's page proposes to lead it.
fn proposed(page: &Page) -> String {
    let (_, select) = page
        .html
        .split_once("name=\"lead\"")
        .expect("a form to dispatch");
    let (before, _) = select.split_once("\" selected").expect("a proposal");
    before.rsplit('"').next().unwrap_or_default().to_owned()
}
