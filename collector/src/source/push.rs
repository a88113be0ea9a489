//! Push: another system hands its posts over, `POST /v1/posts`, a batch at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use backbone::settings::Secret;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tower_http::timeout::TimeoutLayer;
use tracing::warn;
use url::Url;

use super::{Definition, Item, Round, Source, SourceError};
use crate::extract::{address, text, time};
use crate::health;
use crate::item::How;
use crate::pause::Pauses;
use crate::publish::Publisher;
use crate::state::Pages;

/// Posts in a batch, at most.
const MOST_POSTS: usize = 1_000;
/// Largest batch, in bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Longest time a batch may take to arrive and be acknowledged.
const LONGEST: Duration = Duration::from_secs(60);

/// Seconds after which a batch that was not taken is welcome again.
const AGAIN: &str = "30";
/// The same while the source is paused.
const PAUSED: &str = "600";

/// A system that hands its posts over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// What it shows that it is: `Authorization: Bearer TOKEN`. At least 16 characters, its own.
    pub token: Secret,
}

impl Source for Push {
    fn check(&self) -> Result<(), String> {
        if self.token == Secret::default() {
            return Err("`push.token` must have an `env` or a `file`".to_owned());
        }
        Ok(())
    }

    /// Nothing is asked for: the other system comes by itself.
    async fn read(&self, _round: &Round<'_>) -> Result<(), SourceError> {
        Ok(())
    }
}

/// Takes what the sources of kind push hand over.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The sources, by the hash of their tokens: comparing these tells nothing of a token.
    sources: Arc<HashMap<[u8; 32], Definition>>,
    publisher: Publisher,
    pauses: Pauses,
}

impl Receiver {
    /// For those of the sources that push, and are not paused.
    ///
    /// # Errors
    /// When a token is not set, too short, or that of another source too.
    pub fn new(
        definitions: &[Definition],
        publisher: Publisher,
        pauses: Pauses,
    ) -> anyhow::Result<Self> {
        let mut sources = HashMap::new();
        for definition in definitions {
            let Some(push) = &definition.push else {
                continue;
            };
            let token = push.token.require("push.token")?;
            if token.len() < 16 {
                anyhow::bail!(
                    "source `{}`: its token is shorter than 16 characters; make a longer one",
                    definition.name
                );
            }
            if let Some(other) = sources.insert(hash(&token), definition.clone()) {
                anyhow::bail!(
                    "sources `{}` and `{}` have the same token; give each its own",
                    other.name,
                    definition.name
                );
            }
        }
        Ok(Self {
            sources: Arc::new(sources),
            publisher,
            pauses,
        })
    }

    /// Whether there is nobody to take anything from.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sources.is_empty()
    }

    /// Its route.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/posts", post(take))
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::REQUEST_TIMEOUT,
                LONGEST,
            ))
            .with_state(self)
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A post as it is handed over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    time: String,
    #[serde(default)]
    author: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    likes: u32,
    #[serde(default)]
    opposes: u32,
    /// When it was officially answered.
    #[serde(default)]
    answered: String,
}

/// What became of a batch, post by post.
#[derive(Debug, Serialize)]
struct Answer {
    taken: usize,
    refused: usize,
    posts: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    id: String,
    taken: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    problem: String,
}

/// Takes a batch. Everything in it that fits is with the brokers when this answers 200; handed over again it
/// has the same ids.
async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(definition) = token.and_then(|token| receiver.sources.get(&hash(token))) else {
        return refused(
            StatusCode::UNAUTHORIZED,
            "send `Authorization: Bearer` with the token of a source",
        );
    };
    match receiver.pauses.is_paused(&definition.id()) {
        Some(false) if receiver.publisher.knows_erased() => {}
        Some(true) => {
            return later(
                "the source is paused; keep the posts and send them later",
                PAUSED,
            );
        }
        Some(false) | None => {
            return later(
                "the collector is starting; send the posts again later",
                AGAIN,
            );
        }
    }
    let rows: Vec<serde_json::Value> = match serde_json::from_slice(&body) {
        Ok(rows) => rows,
        Err(error) => {
            let problem = format!("the body must be a JSON array of posts: {error}");
            return refused(StatusCode::BAD_REQUEST, &problem);
        }
    };
    if rows.len() > MOST_POSTS {
        let problem = format!("more than {MOST_POSTS} posts; send them in several batches");
        return refused(StatusCode::PAYLOAD_TOO_LARGE, &problem);
    }
    let now = Timestamp::now();
    match publish(&receiver.publisher, definition, rows, now).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            warn!(source = definition.name, %error, "a batch was not taken");
            later("the posts were not taken; send them again later", AGAIN)
        }
    }
}

async fn publish(
    publisher: &Publisher,
    definition: &Definition,
    rows: Vec<serde_json::Value>,
    now: Timestamp,
) -> Result<Answer, SourceError> {
    let (mut items, mut posts) = (Vec::new(), Vec::new());
    for row in rows {
        let id = row.get("id").and_then(serde_json::Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        let problem = match item(row, now) {
            Ok(item) => {
                items.push(item);
                String::new()
            }
            Err(problem) => {
                let place = format!("post {}", posts.len() + 1);
                publisher.refuse(&definition.name, &place, &problem).await?;
                problem
            }
        };
        posts.push(Told {
            id,
            taken: problem.is_empty(),
            problem,
        });
    }
    let taken = items.len();
    publisher
        .publish(definition.origin(), items, None, now)
        .await?;
    publisher
        .state()
        .ended(&definition.name, None, Pages::None, now)
        .await?;
    health::tell(definition, publisher, None, now).await?;
    Ok(Answer {
        taken,
        refused: posts.len() - taken,
        posts,
    })
}

pub(crate) fn item(row: serde_json::Value, now: Timestamp) -> Result<Item, String> {
    let pushed: Pushed = serde_json::from_value(row).map_err(|error| error.to_string())?;
    if pushed.id.trim().is_empty() {
        return Err("`id` is empty; give each post the id it has in your system".to_owned());
    }
    let (title, text) = (pushed.title.trim().to_owned(), text::tidy(&pushed.text));
    if title.is_empty() && text.is_empty() {
        return Err("`title` and `text` are both empty".to_owned());
    }
    let published = time::tell(&pushed.time, now)
        .ok_or("`time` tells no time; write it as 2023-07-18T08:30:00+08:00")?;
    let url = match pushed.url.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => address::canonical(url).to_string(),
        _ if pushed.url.is_empty() => String::new(),
        _ => return Err("`url` must begin with http or https".to_owned()),
    };
    let answered = match pushed.answered.trim() {
        "" => None,
        told => Some(
            time::tell(told, now)
                .ok_or("`answered` tells no time; write it as 2023-07-18T08:30:00+08:00")?
                .at,
        ),
    };
    Ok(Item {
        id: pushed.id.trim().to_owned(),
        url,
        title,
        text,
        author: pushed.author,
        published: Some(published),
        likes: pushed.likes,
        opposes: pushed.opposes,
        answered,
        how: How::default(),
    })
}

/// Nothing is taken now; the other system keeps it and comes again.
fn later(problem: &str, after: &'static str) -> Response {
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, problem);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static(after));
    response
}

fn refused(status: StatusCode, problem: &str) -> Response {
    (status, Json(serde_json::json!({ "problem": problem }))).into_response()
}
