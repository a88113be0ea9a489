//! Services that channels speak to: each checks what it is sent as the real one would, and misbehaves where it is told to.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use responder::notify::channel::{Channel, Line};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::NamedTempFile;
use url::Url;

/// One request that a service got.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// The body, where it is JSON.
    pub(crate) body: Value,
    pub(crate) at: Timestamp,
}

impl Call {
    pub(crate) fn query(&self, name: &str) -> String {
        let mut pairs = self.url.query_pairs();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }
}

/// How a service answers one request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Json(Value),
    Status(u16, Vec<(&'static str, &'static str)>),
    Text(&'static str),
    /// Never.
    Hang,
    /// With bytes that do not end.
    Endless,
    /// With half of what it announced.
    CutOff,
}

/// How a service answers a request, given those before.
pub(crate) type Judge = fn(&Call, &[Call]) -> Value;

#[derive(Debug)]
struct Inside {
    calls: Mutex<Vec<Call>>,
    next: Mutex<VecDeque<Answer>>,
    usual: Mutex<Option<Answer>>,
    now: Mutex<Timestamp>,
    judge: Judge,
}

/// A service on a loopback port.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) url: String,
    inside: Arc<Inside>,
}

impl Service {
    pub(crate) async fn start(judge: Judge) -> Self {
        let inside = Arc::new(Inside {
            calls: Mutex::default(),
            next: Mutex::default(),
            usual: Mutex::default(),
            now: Mutex::new(Timestamp::UNIX_EPOCH),
            judge,
        });
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inside));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inside }
    }

    /// Answers the next requests so, and those after as usual.
    pub(crate) fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inside.next.lock().unwrap().extend(answers);
    }

    /// Answers every request so, or by its own judgement.
    pub(crate) fn always(&self, answer: Option<Answer>) {
        *self.inside.usual.lock().unwrap() = answer;
    }

    /// What time it is for the service.
    pub(crate) fn is_at(&self, now: Timestamp) {
        *self.inside.now.lock().unwrap() = now;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.inside.calls.lock().unwrap().clone()
    }
}

async fn answer(State(inside): State<Arc<Inside>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let call = Call {
        url: format!("http://service.test{}", parts.uri).parse().unwrap(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        bytes: bytes.to_vec(),
        at: *inside.now.lock().unwrap(),
    };
    let chosen = inside.next.lock().unwrap().pop_front();
    let chosen = chosen.or_else(|| inside.usual.lock().unwrap().clone());
    let judged = {
        let mut calls = inside.calls.lock().unwrap();
        let judged = (inside.judge)(&call, &calls);
        calls.push(call);
        judged
    };
    match chosen.unwrap_or(Answer::Json(judged)) {
        Answer::Json(body) => Response::new(Body::from(body.to_string())),
        Answer::Text(text) => Response::new(Body::from(text)),
        Answer::Status(status, headers) => {
            let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::empty()).unwrap()
        }
        Answer::Hang => std::future::pending().await,
        Answer::Endless => {
            let chunk = Bytes::from_static(&[b' '; 4_096]);
            Response::new(Body::from_stream(stream::repeat_with(move || {
                Ok::<_, std::io::Error>(chunk.clone())
            })))
        }
        Answer::CutOff => {
            let part = Ok(Bytes::from_static(b"{\"errcode\":"));
            let broken = Err(std::io::Error::other("gone"));
            let body = stream::iter([part, broken]).then(|chunk| async {
                tokio::task::yield_now().await;
                chunk
            });
            Response::builder()
                .header("content-length", "40")
                .body(Body::from_stream(body))
                .unwrap()
        }
    }
}

/// Whether more than so many messages came within the length before the call.
fn too_many(call: &Call, before: &[Call], most: usize, length: SignedDuration) -> bool {
    let since = call.at - length;
    before.iter().filter(|one| one.at > since).count() >= most
}

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// A group robot of WeCom.
pub(crate) fn wecom_robot(call: &Call, before: &[Call]) -> Value {
    let content = call.body["markdown"]["content"]
        .as_str()
        .unwrap_or_default();
    if call.url.path() != "/cgi-bin/webhook/send" || call.query("key") != "robot-key" {
        return json!({ "errcode": 93000, "errmsg": "invalid webhook url" });
    }
    if call.body["msgtype"] != "markdown" || content.is_empty() {
        return json!({ "errcode": 40008, "errmsg": "invalid message type" });
    }
    if content.len() > 4_096 {
        return json!({ "errcode": 40058, "errmsg": "markdown.content exceed max length 4096" });
    }
    if too_many(call, before, 20, MINUTE) {
        return json!({ "errcode": 45009, "errmsg": "api freq out of limit" });
    }
    json!({ "errcode": 0, "errmsg": "ok" })
}

/// An app of WeCom. Tokens are `token-1`, `token-2` and so on; the newest is good.
pub(crate) fn wecom_app(call: &Call, before: &[Call]) -> Value {
    let granted = |calls: &[Call]| {
        let asked = calls
            .iter()
            .filter(|one| one.url.path() == "/cgi-bin/gettoken");
        asked.count()
    };
    if call.url.path() == "/cgi-bin/gettoken" {
        if call.query("corpid") != "ww1" || call.query("corpsecret") != "app-secret" {
            return json!({ "errcode": 40001, "errmsg": "invalid credential app-secret" });
        }
        let token = format!("token-{}", granted(before) + 1);
        return json!({ "errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": 7200 });
    }
    let content = call.body["text"]["content"].as_str().unwrap_or_default();
    let to = call.body["touser"].as_str().unwrap_or_default();
    if call.query("access_token") != format!("token-{}", granted(before)) {
        return json!({ "errcode": 40014, "errmsg": "invalid access_token" });
    }
    if call.body["agentid"] != 1_000_002 {
        return json!({ "errcode": 40056, "errmsg": "invalid agentid" });
    }
    if content.is_empty() || content.len() > 2_048 {
        return json!({ "errcode": 45002, "errmsg": "content size out of limit" });
    }
    if to.split('|').all(|user| user == "nobody") {
        return json!({ "errcode": 81013, "errmsg": "user nobody & party & tag all invalid" });
    }
    json!({ "errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "1" })
}

fn hmac(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A group robot of DingTalk with 加签.
pub(crate) fn dingtalk(call: &Call, before: &[Call]) -> Value {
    if call.url.path() != "/robot/send" || call.query("access_token") != "ding-token" {
        return json!({ "errcode": 300001, "errmsg": "token is not exist" });
    }
    let time = call.query("timestamp");
    let near = time
        .parse::<i64>()
        .is_ok_and(|time| (time - call.at.as_millisecond()).abs() < 3_600_000);
    if !near || call.query("sign") != hmac("SECding", &format!("{time}\nSECding")) {
        return json!({ "errcode": 310000, "errmsg": "sign not match" });
    }
    if call.bytes.len() > 20_000 {
        return json!({ "errcode": 460101, "errmsg": "message too long, exceed 20000 bytes" });
    }
    if call.body["markdown"]["title"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        return json!({ "errcode": 40035, "errmsg": "miss param : markdown->title" });
    }
    if too_many(call, before, 20, MINUTE) {
        return json!({ "errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute" });
    }
    json!({ "errcode": 0, "errmsg": "ok" })
}

/// A group robot of Feishu with 签名校验.
pub(crate) fn feishu(call: &Call, before: &[Call]) -> Value {
    if call.url.path() != "/open-apis/bot/v2/hook/feishu-hook" {
        return json!({ "code": 19001, "msg": "param invalid: incoming webhook access token invalid" });
    }
    let time = call.body["timestamp"].as_str().unwrap_or_default();
    let near = time
        .parse::<i64>()
        .is_ok_and(|time| (time - call.at.as_second()).abs() < 3_600);
    if !near || call.body["sign"] != hmac(&format!("{time}\nfeishu-secret"), "") {
        return json!({ "code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time" });
    }
    if call.bytes.len() > 20 * 1_024 {
        return json!({ "code": 11247, "msg": "request body too large" });
    }
    if too_many(call, before, 100, MINUTE)
        || too_many(call, before, 5, SignedDuration::from_secs(1))
    {
        return json!({ "code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]" });
    }
    json!({ "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success" })
}

/// A webhook that takes everything.
pub(crate) fn webhook(_: &Call, _: &[Call]) -> Value {
    json!({ "code": "OK" })
}

/// A secret as settings name it. What is secret here is in a file: the environment is the whole process's.
pub(crate) fn secret(value: &str) -> Value {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = NamedTempFile::new_in(folder).unwrap();
    std::fs::write(file.path(), value).unwrap();
    let path = folder.join(value);
    file.persist(&path).unwrap();
    json!({ "file": path })
}

/// Settings of a channel named by its kind.
pub(crate) fn settings(kind: &str, url: &str) -> Channel {
    let mut fields = match kind {
        "wecom-robot" => json!({ "key": secret("robot-key") }),
        "wecom-app" => {
            json!({ "corp_id": "ww1", "agent_id": 1_000_002, "secret": secret("app-secret") })
        }
        "dingtalk" => {
            json!({ "access_token": secret("ding-token"), "secret": secret("SECding") })
        }
        "feishu" => json!({ "hook": secret("feishu-hook"), "secret": secret("feishu-secret") }),
        _ => json!({}),
    };
    let more = json!({ "name": kind, "kind": kind, "url": url, "timeout_seconds": 1 });
    let more = more.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(more);
    serde_json::from_value(fields).unwrap()
}

/// A channel named by its kind.
pub(crate) fn line(kind: &str, url: &str) -> Line {
    Line::open(&settings(kind, url)).unwrap()
}
