use collector::pause::Pauses;
use collector::source::Definition;
use collector::source::push;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::desk::Desk;
use crate::pause::decided;

const TOKEN: &str = "a token of the hotline";

/// The address that takes posts for a source named as in the desk.
async fn intake(desk: &Desk) -> String {
    let pauses = Pauses::default();
    pauses.learn([]);
    intake_with(desk, pauses).await
}

/// The same, with what officers decide.
async fn intake_with(desk: &Desk, pauses: Pauses) -> String {
    std::fs::write(desk.path("token"), TOKEN).unwrap();
    let text = format!(
        "[[source]]\nname = \"留言板\"\nregion = \"990101\"\n[source.push]\ntoken = {{ file = \"{}\" }}\n",
        desk.path("token").display()
    );
    std::fs::write(desk.path("push.toml"), text).unwrap();
    let definition = Definition::load(&desk.path("push.toml")).unwrap().remove(0);
    let router = push::Receiver::new(&[definition], desk.publisher(), pauses)
        .unwrap()
        .router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1/posts", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn send(address: &str, token: &str, body: &Value) -> (StatusCode, Value) {
    backbone::tls::install();
    let response = reqwest::Client::new()
        .post(address)
        .bearer_auth(token)
        .json(body)
        .send()
        .await
        .unwrap();
    (response.status(), response.json().await.unwrap())
}

fn post(id: &str, text: &str) -> Value {
    json!({ "id": id, "text": text, "time": "2023-07-18 08:30:00", "author": "张三丰" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_post_by_post_and_is_there_once() {
    let desk = Desk::new().await;
    let address = intake(&desk).await;
    let batch = json!([
        post("1", "路灯坏了，电话13812345612"),
        { "id": "2", "text": "没有时间" },
        post("3", ""),
        { "id": "4", "text": "水", "time": "2023-07-18", "colour": 1 },
        post("5", "停水三天了"),
    ]);
    let (status, answer) = send(&address, TOKEN, &batch).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&answer["taken"], &answer["refused"]),
        (&json!(2), &json!(3))
    );
    let told = |index: usize| answer["posts"][index]["problem"].as_str().unwrap();
    assert!(told(1).contains("missing field `time`"), "{answer}");
    assert!(told(2).contains("both empty"), "{answer}");
    assert!(told(3).contains("unknown field `colour`"), "{answer}");
    let posts = desk.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].text, "路灯坏了，电话138******12");
    assert_eq!(posts[0].kind.name(), "import");

    let (status, answer) = send(&address, TOKEN, &batch).await;
    assert_eq!((status.as_u16(), &answer["taken"]), (200, &json!(2)));
    assert_eq!(desk.posts(), [], "handed over again it changes nothing");
    let (_, _) = send(&address, TOKEN, &json!([post("5", "来水了")])).await;
    assert_eq!(desk.posts()[0].revision, 2);
    assert_eq!(desk.health().await.posts, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_token_and_what_is_no_batch_is_refused() {
    let desk = Desk::new().await;
    let address = intake(&desk).await;
    let batch = json!([post("1", "路灯坏了")]);
    assert_eq!(send(&address, "a guess", &batch).await.0, 401);
    assert_eq!(send(&address, TOKEN, &json!({ "id": "1" })).await.0, 400);
    let many: Vec<Value> = (0..1_001).map(|id| post(&id.to_string(), "水")).collect();
    assert_eq!(send(&address, TOKEN, &json!(many)).await.0, 413);
    assert_eq!(desk.posts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_the_brokers_do_not_take_is_sent_again_later() {
    let desk = Desk::new().await;
    let address = intake(&desk).await;
    let batch = json!([post("1", "路灯坏了")]);
    desk.take_batches(Some(0));
    assert_eq!(send(&address, TOKEN, &batch).await.0, 503);
    desk.take_batches(None);
    assert_eq!(send(&address, TOKEN, &batch).await.0, 200);
    assert_eq!(desk.posts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_paused_source_hands_over_is_asked_for_again_later() {
    let (desk, pauses) = (Desk::new().await, Pauses::default());
    let address = intake_with(&desk, pauses.clone()).await;
    let batch = json!([post("1", "路灯坏了")]);
    let refused = async |wait: &str| {
        let response = reqwest::Client::new()
            .post(&address)
            .bearer_auth(TOKEN)
            .json(&batch)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], wait);
        assert_eq!(desk.posts(), []);
    };
    backbone::tls::install();
    refused("30").await;
    pauses.learn([decided("留言板", true, 1)]);
    refused("600").await;
    assert_eq!(send(&address, "a guess", &batch).await.0, 401);
    pauses.learn([decided("留言板", false, 2)]);
    assert_eq!(send(&address, TOKEN, &batch).await.0, 200);
    assert_eq!(desk.posts().len(), 1);
}
