//! What the channels over HTTP share: one request, its answer read only so far, and what the answer says. A service
//! answers 200 with a code of its own, so that the body must be read to know whether a message was taken.

use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refusal::Refusal;

/// Most of an answer that is read, in bytes; an answer is a few hundred.
const MOST_BYTES: usize = 64 * 1024;
/// Longest wait that a service may ask for.
const LONGEST_WAIT: i64 = 3_600;
/// Wait where a service says "too often" and not how long to wait.
const USUAL_WAIT: i64 = 60;

/// A client: redirects are not followed, since a message is for who is configured and for nobody else.
pub(super) fn client(timeout: Duration) -> anyhow::Result<Client> {
    backbone::tls::install();
    Client::builder()
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .build()
        .context("cannot make an HTTP client")
}

/// What a service's own codes mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes {
    /// Names of the field with the code, and of that with its words.
    pub(super) fields: (&'static str, &'static str),
    /// Asked too often: the codes, and how many seconds the service then takes nothing.
    pub(super) busy: (&'static [i64], i64),
    /// May be taken later.
    pub(super) later: &'static [i64],
    /// What to do about the others.
    pub(super) remedies: &'static [(i64, &'static str)],
}

/// Sends a request and gives the answer of a service that tells by a code in the body how it went.
pub(super) async fn ask<T: DeserializeOwned>(
    request: RequestBuilder,
    codes: &Codes,
) -> Result<T, Refusal> {
    let response = send(request).await?;
    let status = response.status();
    let body = body(response).await?;
    let answer: Option<Value> = serde_json::from_slice(&body).ok();
    let code = answer
        .as_ref()
        .and_then(|answer| answer.get(codes.fields.0))
        .and_then(Value::as_i64);
    match (code, answer) {
        (Some(0), Some(answer)) if status.is_success() => serde_json::from_value(answer)
            .map_err(|_| Refusal::later("answers without what is asked for")),
        (Some(code), Some(answer)) => {
            let said = answer.get(codes.fields.1).and_then(Value::as_str);
            Err(judged(code, said.unwrap_or_default(), codes).coded(code))
        }
        _ if status.is_success() => Err(Refusal::later("answers in a form that is not known")),
        _ => Err(Refusal::never(format!(
            "answered {status}; check the channel's `url`"
        ))),
    }
}

fn judged(code: i64, said: &str, codes: &Codes) -> Refusal {
    let problem = format!("answered {code}: {said}");
    let (busy, wait) = codes.busy;
    if busy.contains(&code) {
        return Refusal::after(SignedDuration::from_secs(wait), problem);
    }
    if codes.later.contains(&code) {
        return Refusal::later(problem);
    }
    let remedy = codes.remedies.iter().find(|(known, _)| *known == code);
    Refusal::never(match remedy {
        Some((_, remedy)) => format!("answered {code}: {remedy} ({said})"),
        None => problem,
    })
}

/// Sends a request; an answer that tells of trouble by its status is a refusal.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, Refusal> {
    // The address may hold a secret: it is not told.
    let response = request
        .send()
        .await
        .map_err(|error| Refusal::later(told(&error.without_url())))?;
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Refusal::after(
            asked_wait(&response),
            format!("answered {status}"),
        ));
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Err(Refusal::later(format!("answered {status}")));
    }
    if status.is_redirection() {
        return Err(Refusal::never(format!(
            "answered {status}, which is not followed; set the channel's `url` to where it leads"
        )));
    }
    Ok(response)
}

/// The body of an answer.
pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() > MOST_BYTES => {
                return Err(Refusal::later("answers without end"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => {
                return Err(Refusal::later(format!(
                    "broke off its answer: {}",
                    told(&error.without_url())
                )));
            }
        }
    }
}

/// How long a service asks to be left alone, in seconds: `Retry-After`, or Feishu's own header.
fn asked_wait(response: &Response) -> SignedDuration {
    let asked = ["retry-after", "x-ogw-ratelimit-reset"]
        .iter()
        .find_map(|name| {
            response
                .headers()
                .get(*name)?
                .to_str()
                .ok()?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(USUAL_WAIT);
    SignedDuration::from_secs(asked.clamp(1, LONGEST_WAIT))
}

/// What went wrong, with its innermost cause, which is what tells.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "did not answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("cannot be reached: {cause}")
}
