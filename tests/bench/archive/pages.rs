//! How long each page of the console takes to open with ten thousand cases beside the archive's posts.

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use responder::account::NewUser;
use responder::case::{Action, Actor, Deed, Query, Role};
use responder::routing::{Routed, Routing};
use wensheng_tests::duty::PASSWORD;
use wensheng_tests::walk::alert_of;
use wensheng_tests::{Browser, Officer, project};

use super::search::{REGION, at, say, times};

const CASES: u32 = 10_000;
/// Days over which they were opened.
const DAYS: i64 = 90;
/// Times that a page is opened after the first.
const ROUNDS: usize = 20;

/// The console's pages: each place, and one of each thing.
const PAGES: [&str; 35] = [
    "/",
    "/live",
    "/posts",
    "/posts/POST",
    "/posts/saved",
    "/events",
    "/events?level=3",
    "/events/EVENT",
    "/events/EVENT/edit",
    "/cases",
    "/cases?state=pending",
    "/cases?page=150",
    "/cases/board",
    "/cases/CASE",
    "/cases/CASE/sheet",
    "/trends",
    "/trends?period=1y",
    "/trends/effect?date=2026-05-06",
    "/trends/effect?date=2026-05-06&text=拖欠工资",
    "/roster",
    "/silences",
    "/routing",
    "/units",
    "/units/360921/zhujian",
    "/knowledge",
    "/knowledge/new",
    "/knowledge/frequent",
    "/knowledge/page",
    "/commitments",
    "/sources",
    "/dead-letters",
    "/system",
    "/users",
    "/audit",
    "/account",
];

/// Opens the pages as an administrator.
pub(crate) async fn measure(officer: &Officer) -> anyhow::Result<()> {
    fill(officer).await?;
    let user = NewUser {
        name: "admin".to_owned(),
        display_name: "admin".to_owned(),
        role: Role::Administrator,
        region: String::new(),
        unit: String::new(),
        password: PASSWORD.to_owned(),
        must_change: false,
    };
    officer.accounts.add(&user, Timestamp::now()).await?;
    let mut browser = Browser::sign_in(&officer.address, "admin", PASSWORD).await;
    let mut first_of = async |path: &str, attribute: &str| {
        let page = browser.get(path).await;
        page.values(attribute).first().copied().map(str::to_owned)
    };
    let event = first_of("/events", "data-event")
        .await
        .context("an event")?;
    let case = first_of("/cases", "data-case").await.context("a case")?;
    let post = first_of("/posts", "data-post").await.context("a post")?;
    let mut all = Vec::new();
    for path in PAGES {
        let path = path
            .replace("EVENT", &event)
            .replace("CASE", &case)
            .replace("POST", &post);
        let mut took = times(&mut browser, &path, ROUNDS + 1).await;
        let first = took.remove(0);
        println!(
            "{:6.0} ms, p95 {:4.0} ms, first {first:5.0} ms  {path}",
            at(&took, 0.5),
            at(&took, 0.95)
        );
        all.push(took);
    }
    say("all pages but the first time", &all);
    Ok(())
}

/// Opens cases over some weeks; every fourth is dispatched.
async fn fill(officer: &Officer) -> anyhow::Result<()> {
    let region = project().join("deploy/config/region").join(REGION);
    let routing = Routing::load(&region)?;
    let units: Vec<String> = (routing.region().units.iter())
        .map(|unit| unit.code.clone())
        .collect();
    let now = Timestamp::now();
    let system = Actor::system();
    for number in 0..CASES {
        let alert = alert_of(REGION, number, u8::try_from(number % 4)? + 1)?;
        let routed = Routed {
            lead: units
                .get(number as usize % units.len())
                .context("a unit")?
                .clone(),
            ..Routed::default()
        };
        let at =
            now - SignedDuration::from_mins(DAYS * 24 * 60 * i64::from(number) / i64::from(CASES));
        officer.cases.take(&alert, &routed, at).await?;
        if number % 4 == 0 {
            let query = Query {
                event: alert.event.id.clone(),
                ..Query::default()
            };
            let found = officer.cases.list(&query, &system).await?;
            let case = found.cases.first().context("a case")?;
            let mut deed = Deed::plain(Action::Dispatch, case.version, "");
            routed.lead.clone_into(&mut deed.lead);
            let who = Actor {
                name: "officer".to_owned(),
                role: Role::DutyOfficer,
                region: String::new(),
                unit: String::new(),
                via: String::new(),
            };
            let dispatched = officer
                .cases
                .perform(&case.id, &deed, &who, &officer.notices, at);
            dispatched
                .await
                .map_err(|error| anyhow::anyhow!("{error}"))?;
        }
    }
    Ok(())
}
