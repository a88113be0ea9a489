//! A language model behind an OpenAI-compatible endpoint, as a process asks it: with a time-out, without following
//! redirects, and reading no more of an answer than there can be of use. What is asked and what is believed of the
//! answer is up to who asks.

use std::time::Duration;

use reqwest::{Client, Response, redirect};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

/// Bytes of an answer that are read, at most.
const ANSWER: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// The endpoint could not be reached, answered too late or with an error.
    #[error("failed")]
    Failed,
    /// The answer is too long or none of a chat completion's form.
    #[error("refused")]
    Refused,
}

/// A model and the way to it.
#[derive(Debug, Clone)]
pub struct LanguageModel {
    url: String,
    model: String,
    key: Option<String>,
    client: Client,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Content,
}

#[derive(Deserialize)]
struct Content {
    content: String,
}

impl LanguageModel {
    /// The model of that name behind the address of chat completions.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(
        url: &str,
        model: &str,
        key: Option<String>,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        crate::tls::install();
        let client = Client::builder()
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self {
            url: url.to_owned(),
            model: model.to_owned(),
            key,
            client,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.model
    }

    /// What it says to a text under instructions, in at most so many tokens.
    ///
    /// # Errors
    /// Why it says nothing.
    pub async fn say(
        &self,
        instructions: &str,
        text: &str,
        most_tokens: u32,
    ) -> Result<String, NoAnswer> {
        let body = json!({
            "model": self.model,
            "temperature": 0,
            "max_tokens": most_tokens,
            "messages": [
                { "role": "system", "content": instructions },
                { "role": "user", "content": text },
            ],
        });
        let mut request = self.client.post(&self.url).json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await.and_then(Response::error_for_status);
        let mut answer = answer.map_err(|_| NoAnswer::Failed)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| NoAnswer::Failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER {
                return Err(NoAnswer::Refused);
            }
        }
        let completion: Completion =
            serde_json::from_slice(&bytes).map_err(|_| NoAnswer::Refused)?;
        let first = completion.choices.into_iter().next();
        first
            .map(|choice| choice.message.content)
            .ok_or(NoAnswer::Refused)
    }
}
