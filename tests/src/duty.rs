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

/// The unit that a case's page proposes to lead it.
fn proposed(page: &Page) -> String {
    let (_, select) = page
        .html
        .split_once("name=\"lead\"")
        .expect("a form to dispatch");
    let (before, _) = select.split_once("\" selected").expect("a proposal");
    before.rsplit('"').next().unwrap_or_default().to_owned()
}
