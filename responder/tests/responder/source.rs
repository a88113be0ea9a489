//! Sources as the collector tells of them, and what the administrator hears.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use backbone::kafka::{Handler as _, Received};
use backbone::message::{self, Condition, SourceHealth};
use backbone::region::{Reach, Region};
use jiff::{SignedDuration, Timestamp};
use responder::intake::SourceIntake;
use responder::metrics::Metrics;
use responder::notify::Carrier;
use responder::notify::channel::Channel;
use responder::settings::Administrator;
use responder::source::Sources;
use responder::store::Store;
use serde_json::{Value, json};

use crate::ground::project;
use crate::stores::{self, Kept, on_each_store};

const REGION: &str = "360921";

struct Office {
    sources: Sources,
    kept: Kept,
}

fn morning() -> Timestamp {
    "2026-11-23T00:30:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    morning() + SignedDuration::from_mins(minutes)
}

fn health(condition: Condition, since: i64, at: i64) -> SourceHealth {
    let path = project().join("backbone/examples/source-health/v1/changed.json");
    let mut health: SourceHealth = message::decode(&std::fs::read(path).unwrap()).unwrap();
    if condition == Condition::Well {
        health.problem.clear();
    }
    SourceHealth {
        condition,
        since: after(since),
        at: after(at),
        ..health
    }
}

fn with_channel(store: &Store) -> Sources {
    let administrator = Administrator {
        reach: vec![Reach {
            channel: "phone".to_owned(),
            to: String::new(),
        }],
    };
    let console = "http://127.0.0.1:8080/".parse().unwrap();
    Sources::new(store.clone(), Some(administrator), console)
}

fn office(kept: Kept) -> Office {
    Office {
        sources: with_channel(&kept.store),
        kept,
    }
}

impl Office {
    /// Tells how the source is, and gives whether that was news.
    async fn tell(&self, condition: Condition, since: i64, at: i64) -> bool {
        self.sources
            .take(&health(condition, since, at), after(at))
            .await
            .unwrap()
    }

    /// The conditions of the notices queued so far, in order.
    async fn notices(&self) -> Vec<String> {
        let bodies: Vec<String> =
            sqlx::query_scalar("SELECT body FROM notices ORDER BY updated_at")
                .fetch_all(self.kept.store.pool())
                .await
                .unwrap();
        let condition = |body: String| {
            let body: Value = serde_json::from_str(&body).unwrap();
            body["condition"].as_str().unwrap().to_owned()
        };
        bodies.into_iter().map(condition).collect()
    }
}

on_each_store!(
    a_source_that_fails_for_an_hour_is_told_of_once_and_once_when_it_is_well,
    a_pause_is_no_trouble_and_nobody_is_told,
    an_older_or_repeated_message_changes_nothing,
    without_a_channel_nobody_is_told_until_there_is_one,
    those_in_trouble_come_first_the_longest_before_the_others,
    a_region_that_is_not_served_is_put_aside_and_its_neighbours_go_on,
    the_notice_says_which_source_what_is_wrong_and_where_to_look,
);

async fn a_source_that_fails_for_an_hour_is_told_of_once_and_once_when_it_is_well(kept: Kept) {
    let office = office(kept);
    for at in [0, 30, 59] {
        assert!(office.tell(Condition::Failing, 0, at).await);
    }
    assert!(
        office.notices().await.is_empty(),
        "many a site is back by then"
    );
    for at in [60, 60, 70, 24 * 60] {
        office.tell(Condition::Failing, 0, at).await;
    }
    assert_eq!(office.notices().await, ["failing"]);
    office.tell(Condition::Well, 1_450, 1_450).await;
    office.tell(Condition::Well, 1_450, 1_460).await;
    assert_eq!(office.notices().await, ["failing", "well"]);

    // A short failure is not worth two notices; a long one is told of again.
    office.tell(Condition::Failing, 1_470, 1_470).await;
    office.tell(Condition::Well, 1_480, 1_480).await;
    office.tell(Condition::Failing, 1_490, 1_490).await;
    office.tell(Condition::Failing, 1_490, 1_550).await;
    assert_eq!(office.notices().await, ["failing", "well", "failing"]);
}

#[tokio::test]
async fn what_a_round_more_does_not_mend_is_told_of_at_once() {
    for condition in [Condition::Changed, Condition::Quiet, Condition::Faulty] {
        let office = office(stores::sqlite().await);
        office.tell(condition, 0, 0).await;
        office.tell(condition, 0, 10).await;
        // From one trouble into another: the administrator knows already.
        office.tell(Condition::Failing, 20, 20).await;
        office.tell(Condition::Failing, 20, 200).await;
        office.tell(condition, 210, 210).await;
        assert_eq!(office.notices().await, [condition.name()]);
        office.tell(Condition::Well, 220, 220).await;
        office.tell(condition, 230, 230).await;
        assert_eq!(
            office.notices().await,
            [condition.name(), "well", condition.name()]
        );
    }
}

async fn a_pause_is_no_trouble_and_nobody_is_told(kept: Kept) {
    let office = office(kept);
    office.tell(Condition::Paused, 0, 0).await;
    office.tell(Condition::Paused, 0, 24 * 60).await;
    office.tell(Condition::Well, 1_450, 1_450).await;
    assert!(office.notices().await.is_empty());
    // Told to be in trouble, then paused for mending: the news is that it is well again.
    office.tell(Condition::Changed, 1_460, 1_460).await;
    office.tell(Condition::Paused, 1_470, 1_470).await;
    assert_eq!(office.notices().await, ["changed"]);
    office.tell(Condition::Changed, 1_480, 1_480).await;
    assert_eq!(office.notices().await, ["changed"], "that is known");
    office.tell(Condition::Paused, 1_490, 1_490).await;
    office.tell(Condition::Well, 1_500, 1_500).await;
    assert_eq!(office.notices().await, ["changed", "well"]);
}

async fn an_older_or_repeated_message_changes_nothing(kept: Kept) {
    let office = office(kept);
    assert!(office.tell(Condition::Well, 0, 30).await);
    assert!(!office.tell(Condition::Changed, 20, 20).await, "older");
    assert!(!office.tell(Condition::Changed, 30, 30).await, "repeated");
    let kept = office.sources.list(REGION).await.unwrap();
    assert_eq!(kept, [health(Condition::Well, 0, 30)]);
    assert!(office.notices().await.is_empty());
    assert!(office.sources.list("990101").await.unwrap().is_empty());
}

async fn without_a_channel_nobody_is_told_until_there_is_one(kept: Kept) {
    let mut office = office(kept);
    let console = "http://127.0.0.1:8080/".parse().unwrap();
    office.sources = Sources::new(office.kept.store.clone(), None, console);
    office.tell(Condition::Changed, 0, 0).await;
    assert!(office.notices().await.is_empty());
    office.sources = with_channel(&office.kept.store);
    office.tell(Condition::Changed, 0, 10).await;
    assert_eq!(office.notices().await, ["changed"]);
}

async fn those_in_trouble_come_first_the_longest_before_the_others(kept: Kept) {
    let office = office(kept);
    for (name, condition, since) in [
        ("b", Condition::Well, 0),
        ("a", Condition::Well, 5),
        ("c", Condition::Quiet, 9),
        ("d", Condition::Faulty, 3),
        ("e", Condition::Paused, 8),
    ] {
        let told = SourceHealth {
            id: backbone::id::of_source(REGION, name),
            source: name.to_owned(),
            ..health(condition, since, 10)
        };
        office.sources.take(&told, after(10)).await.unwrap();
    }
    let listed = office.sources.list(REGION).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|health| health.source.as_str()).collect();
    assert_eq!(names, ["d", "c", "e", "a", "b"]);
}

async fn a_region_that_is_not_served_is_put_aside_and_its_neighbours_go_on(kept: Kept) {
    let office = office(kept);
    let region = Region::load(&project().join("deploy/config/region").join(REGION)).unwrap();
    let regions = Arc::new(BTreeMap::from([(REGION.to_owned(), region)]));
    let mut intake = SourceIntake::new(office.sources.clone(), regions);
    let elsewhere = SourceHealth {
        id: "elsewhere".to_owned(),
        region: "110000".to_owned(),
        ..health(Condition::Well, 0, 0)
    };
    let batch = [elsewhere, health(Condition::Well, 0, 0)];
    let batch: Vec<_> = batch
        .into_iter()
        .zip(0..)
        .map(|(message, offset)| Received {
            message,
            partition: 2,
            offset,
        })
        .collect();
    let rejected = intake.handle(&batch).await.unwrap();
    assert_eq!(rejected.len(), 1);
    assert_eq!((rejected[0].partition, rejected[0].offset), (2, 0));
    assert!(rejected[0].reason.contains("`110000` is not served"));
    assert_eq!(office.sources.list(REGION).await.unwrap().len(), 1);
    assert!(office.sources.list("110000").await.unwrap().is_empty());
}

async fn the_notice_says_which_source_what_is_wrong_and_where_to_look(kept: Kept) {
    let office = office(kept);
    office.tell(Condition::Changed, 0, 10).await;
    let example =
        std::fs::read(project().join("backbone/examples/source-health/v1/faulty.json")).unwrap();
    let faulty: SourceHealth = message::decode(&example).unwrap();
    office.sources.take(&faulty, after(20)).await.unwrap();
    office.tell(Condition::Well, 30, 30).await;

    let taken: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&taken);
    let receiver = Router::new().route(
        "/notices",
        post(
            move |headers: HeaderMap, Json(body): Json<Value>| async move {
                assert_eq!(
                    headers.get("idempotency-key").unwrap(),
                    &body["id"].as_str().unwrap()
                );
                seen.lock().unwrap().push(body);
                StatusCode::NO_CONTENT
            },
        ),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notices", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    let channel: Channel =
        serde_json::from_value(json!({ "name": "phone", "kind": "webhook", "url": url })).unwrap();
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let carrier = Carrier::new(
        office.kept.store.clone(),
        &[channel],
        &"http://127.0.0.1:8080/".parse().unwrap(),
        metrics,
    )
    .unwrap();
    carrier.carry_due(after(40)).await.unwrap();
    carrier.carry_due(after(4_000)).await.unwrap();

    let mut taken: Vec<Value> = std::mem::take(&mut taken.lock().unwrap());
    for body in &mut taken {
        body.as_object_mut().unwrap().remove("id");
    }
    taken.sort_by_key(|body| body["since"].as_str().unwrap().to_owned());
    let problem = health(Condition::Changed, 0, 10).problem;
    assert_eq!(
        taken,
        [
            json!({
                "kind": "source",
                "action": "来源异常",
                "title": "来源“县政府网站监测”站点异常，自2026-11-20 00:00起",
                "region": REGION,
                "source": "县政府网站监测",
                "condition": "faulty",
                "since": "2026-11-19T16:00:00Z",
                "problem": "栏目未更新 https://county.example.test/zwdt/ (last updated 2026-10-20, which is 31 days ago; meant to be every 14)",
                "link": "http://127.0.0.1:8080/sources",
            }),
            json!({
                "kind": "source",
                "action": "来源异常",
                "title": "来源“网上留言板”疑似改版，自2026-11-23 08:30起",
                "region": REGION,
                "source": "网上留言板",
                "condition": "changed",
                "since": "2026-11-23T00:30:00Z",
                "problem": problem,
                "link": "http://127.0.0.1:8080/sources",
            }),
            json!({
                "kind": "source",
                "action": "来源恢复",
                "title": "来源“网上留言板”已恢复正常，自2026-11-23 09:00起",
                "region": REGION,
                "source": "网上留言板",
                "condition": "well",
                "since": "2026-11-23T01:00:00Z",
                "problem": "",
                "link": "http://127.0.0.1:8080/sources",
            }),
        ]
    );
}
