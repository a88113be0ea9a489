//! What must not be kept: numbers that people wrote of themselves, and posts erased on request.

mod erasure;
mod numbers;
mod plants;

use wensheng_tests::duty;
use wensheng_tests::everywhere::{self, Kept};
use wensheng_tests::{Browser, REGION, wait_for};

/// Has the report of the week made, and gives its forms and the posts as a table.
async fn report(browser: &mut Browser) -> Vec<Kept> {
    let page = duty::ask_for_report(browser, REGION).await;
    wait_for("the report", async || {
        let shown = browser.get(&page).await;
        (shown.values("data-state") == ["draft"]).then_some(())
    })
    .await;
    let mut kept = Vec::new();
    let forms = ["docx", "xlsx", "html", "pdf"].map(|form| format!("{page}/files/{form}"));
    let found = "/posts/export?format=xlsx".to_owned();
    for form in forms.into_iter().chain([found]) {
        let bytes = reqwest::Client::new()
            .get(format!("{}{form}", browser.console()))
            .header("cookie", browser.cookie())
            .send()
            .await
            .unwrap();
        assert!(bytes.status().is_success(), "{form}: {}", bytes.status());
        let bytes = bytes.bytes().await.unwrap();
        kept.extend(everywhere::texts_of(&form, &bytes));
    }
    kept
}
