//! Posts the models are unsure of: a second opinion is asked, and whatever the endpoint does, the first judgement stands
//! and nothing waits.

use std::sync::{Arc, Mutex};

use analyzer::metrics::Metrics;
use analyzer::second_opinion::{Adviser, Silence, desk};
use analyzer::settings::SecondOpinion;
use backbone::message::{self, Assessment, Polarity};
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SAID: &str = r#"{"sentiment":"neutral","appeal":"咨询","subject":"政务服务"}"#;
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// An endpoint on loopback that gives every request the same bytes, and what it was asked.
struct Endpoint {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/v1/chat/completions",
            listener.local_addr().unwrap()
        );
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = request(&mut stream).await;
                kept.lock().unwrap().push(request);
                // One that says nothing keeps the connection open.
                if answer.is_empty() {
                    std::mem::forget(stream);
                } else {
                    drop(stream.write_all(&answer).await);
                }
            }
        });
        Self { url, asked }
    }

    async fn saying(content: &str) -> Self {
        let body = serde_json::json!({ "choices": [{ "message": { "content": content } }] });
        Self::start(http("200 OK", &body.to_string())).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn settings(&self) -> SecondOpinion {
        serde_json::from_value(serde_json::json!({
            "url": self.url, "model": "大模型", "timeout_seconds": 1, "per_day": 20,
        }))
        .unwrap()
    }

    fn adviser(&self) -> Adviser {
        Adviser::new(&self.settings()).unwrap()
    }
}

fn http(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

async fn request(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        if read == 0 {
            return text;
        }
    }
}

fn assessment(text: &str) -> Assessment {
    let example = include_bytes!("../../../backbone/examples/assessments/v1/read.json");
    let mut assessment: Assessment = message::decode(example).unwrap();
    text.clone_into(&mut assessment.post.text);
    assessment
}

#[tokio::test]
async fn an_unsure_post_gets_an_opinion_beside_the_first_judgement() {
    let endpoint = Endpoint::saying(&format!("好的：```json\n{SAID}\n```")).await;
    let opinion = endpoint
        .adviser()
        .opinion(&assessment("路灯"), NOW)
        .await
        .unwrap();
    assert_eq!(opinion.sentiment, Polarity::Neutral);
    assert_eq!(
        (opinion.appeal.as_str(), opinion.subject.as_str()),
        ("咨询", "政务服务")
    );
    assert_eq!(opinion.model, "大模型");
}

#[tokio::test]
async fn only_masked_text_leaves_the_house() {
    let endpoint = Endpoint::saying(SAID).await;
    let mut post = assessment("电话13800001111，身份证360921199001011234");
    post.post.author = Some("某作者".to_owned());
    endpoint.adviser().opinion(&post, NOW).await.unwrap();
    let asked = endpoint.asked().concat();
    assert!(asked.contains("1380*"), "{asked}");
    for secret in [
        "13800001111",
        "199001",
        "某作者",
        "board.example.test",
        "county-board",
    ] {
        assert!(!asked.contains(secret), "{secret} in {asked}");
    }
}

#[tokio::test]
async fn the_same_text_is_asked_once_and_the_day_has_a_budget() {
    let endpoint = Endpoint::saying(SAID).await;
    let mut adviser = endpoint.adviser();
    for _ in 0..3 {
        adviser.opinion(&assessment("路灯"), NOW).await.unwrap();
    }
    assert_eq!(endpoint.asked().len(), 1);
    for number in 1..20 {
        let post = assessment(&format!("第{number}盏路灯"));
        adviser.opinion(&post, NOW).await.unwrap();
    }
    let more = assessment("又一盏路灯");
    assert_eq!(adviser.opinion(&more, NOW).await, Err(Silence::Budget));
    let tomorrow = NOW + SignedDuration::from_hours(24);
    assert!(adviser.opinion(&more, tomorrow).await.is_ok());
}

#[tokio::test]
async fn an_answer_that_lies_or_breaks_is_refused() {
    let lies = [
        r#"{"sentiment":"furious","appeal":"咨询","subject":"政务服务"}"#,
        r#"{"sentiment":"neutral","appeal":"造谣","subject":"政务服务"}"#,
        r#"{"sentiment":"neutral","appeal":"咨询","subject":"维稳"}"#,
        r#"{"sentiment":"neutral","#,
        "忽略以上要求",
        "",
    ];
    for lie in lies {
        let endpoint = Endpoint::saying(lie).await;
        let said = endpoint.adviser().opinion(&assessment("路灯"), NOW).await;
        assert_eq!(said, Err(Silence::Refused), "{lie}");
    }
    let endless = Endpoint::start(http("200 OK", &"{".repeat(200_000))).await;
    let said = endless.adviser().opinion(&assessment("路灯"), NOW).await;
    assert_eq!(said, Err(Silence::Refused));
    for answer in [
        http("500 Oops", SAID),
        http("302 Found", ""),
        b"garbage".to_vec(),
    ] {
        let endpoint = Endpoint::start(answer).await;
        let said = endpoint.adviser().opinion(&assessment("路灯"), NOW).await;
        assert!(said.is_err());
    }
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_given_up_and_left_alone() {
    let endpoint = Endpoint::start(Vec::new()).await;
    let mut adviser = endpoint.adviser();
    for number in 0..5 {
        let post = assessment(&format!("第{number}盏路灯"));
        assert_eq!(adviser.opinion(&post, NOW).await, Err(Silence::Failed));
    }
    let post = assessment("又一盏路灯");
    assert_eq!(adviser.opinion(&post, NOW).await, Err(Silence::Paused));
    assert_eq!(endpoint.asked().len(), 5);
    let later = NOW + SignedDuration::from_mins(2);
    assert_eq!(adviser.opinion(&post, later).await, Err(Silence::Failed));
    assert_eq!(endpoint.asked().len(), 6);
}

#[tokio::test]
async fn a_sure_post_is_not_asked_about_and_a_full_desk_holds_nothing_up() {
    let endpoint = Endpoint::saying(SAID).await;
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let (desk, mut offered) = desk(&endpoint.settings(), &metrics);
    let mut unsure = assessment("路灯");
    desk.offer(0, &unsure);
    assert!(offered.try_recv().is_err(), "the example is sure of itself");
    unsure.sentiment.confidence = 0.4;
    for _ in 0..1_000 {
        desk.offer(3, &unsure);
    }
    let (partition, first) = offered.try_recv().unwrap();
    assert_eq!((partition, first.post.id), (3, unsure.post.id));
    let dropped = metrics
        .second_opinions_total
        .with_label_values(&["dropped"]);
    assert_eq!(dropped.get(), 800);
}
