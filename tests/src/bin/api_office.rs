//! A small office for `tests/api/run`: the responder's console and API over a new store with a few cases and an archive
//! with an event. Prints one JSON line with how to get in, and ends with its standard input.

use std::io::{Read as _, Write as _};

use backbone::clickhouse::rows::AssessmentRow;
use backbone::message::{self, Alert, Assessment, SourceHealth};
use backbone::settings::ClickHouse;
use jiff::{SignedDuration, Timestamp};
use responder::account::{Accounts, Limits, NewToken, NewUser, Scope};
use responder::case::Role;
use responder::routing::Routed;
use responder::source::Sources;
use responder::store::{Place, Store};
use wensheng_tests::duty::PASSWORD;
use wensheng_tests::{Browser, officer, project};

const REGION: &str = "990101";

fn example<M: message::Message>(path: &str) -> anyhow::Result<M> {
    let bytes = std::fs::read(project().join("backbone/examples").join(path))?;
    Ok(message::decode(&bytes)?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let now = Timestamp::now();
    let clickhouse = wensheng_tests::Store::start();
    let archive: ClickHouse = serde_json::from_value(serde_json::json!({ "url": clickhouse.url }))?;
    backbone::clickhouse::migrate(&archive).await?;
    let archive = backbone::clickhouse::client(&archive)?;
    let mut assessment: Assessment = example("assessments/v1/relevant.json")?;
    REGION.clone_into(&mut assessment.post.region);
    let rows = [AssessmentRow::from(&assessment)];
    backbone::clickhouse::insert::<AssessmentRow>(&archive, AssessmentRow::TABLE, &rows).await?;

    let region = project().join("deploy/sample/region").join(REGION);
    let officer = officer(archive, &region).await;
    let store = Store::open(&Place::File(officer.folder.path().join("responder.sqlite"))).await?;
    let limits = Limits {
        absolute: SignedDuration::from_hours(1),
        idle: SignedDuration::from_hours(1),
    };
    let accounts = Accounts::new(store.clone(), limits);
    for (name, role) in [
        ("admin", Role::Administrator),
        ("leader", Role::Leader),
        ("auditor", Role::Auditor),
    ] {
        let user = NewUser {
            name: name.to_owned(),
            display_name: name.to_owned(),
            role,
            region: String::new(),
            unit: String::new(),
            password: PASSWORD.to_owned(),
            must_change: false,
        };
        accounts.add(&user, now).await?;
    }
    for event in ["水管", "路灯", "门诊", "燃气", "校车"] {
        let mut alert: Alert = example("alerts/v1/yellow.json")?;
        REGION.clone_into(&mut alert.region);
        alert.event.id = event.to_owned();
        alert.id = backbone::id::of_alert(event, alert.level);
        let routed = Routed {
            lead: "zhujian".to_owned(),
            assists: vec!["weijian".to_owned()],
            ..Routed::default()
        };
        officer.cases.take(&alert, &routed, now).await?;
    }
    let mut health: SourceHealth = example("source-health/v1/changed.json")?;
    REGION.clone_into(&mut health.region);
    let console = officer.browser.console();
    Sources::new(store, None, console.parse()?)
        .take(&health, now)
        .await?;

    let token = NewToken {
        account: "admin".to_owned(),
        label: "schemathesis".to_owned(),
        scopes: Scope::ALL.to_vec(),
        days: 1,
    };
    let (_, token) = accounts.add_token(&token, "", now).await?;
    let mut administrator = Browser::sign_in(console, "admin", PASSWORD).await;
    let own = administrator.get("/account").await;
    let cookie = administrator.cookie();
    let session = (cookie.split("; "))
        .find_map(|pair| pair.strip_prefix("wensheng_session="))
        .unwrap_or_default();
    let told = serde_json::json!({
        "url": console,
        "session": session,
        "csrf": own.hidden("csrf"),
        "token": token,
    });
    writeln!(std::io::stdout(), "{told}")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(officer);
    Ok(())
}
