//! The generic webhook: a notice as JSON by POST; 2xx means taken. A server error, a time-out, 408 and
//! 429 are tried again, from 5 seconds doubling to an hour; any other answer gives the notice up.
//! Redirects are not followed and the answer's body is not read.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, StatusCode, redirect};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Notice, due};
use crate::case::StoreError;
use crate::metrics::Metrics;
use crate::settings::Channel;
use crate::store::Store;

/// Wait between looks for notices that are due.
const LOOK: Duration = Duration::from_secs(1);
const RETRY_FIRST_SECONDS: i64 = 5;
const RETRY_LONGEST_SECONDS: i64 = 3_600;

/// Carries notices.
#[derive(Debug)]
pub struct Carrier {
    store: Store,
    channels: BTreeMap<String, Webhook>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Webhook {
    settings: Channel,
    token: Option<String>,
    client: Client,
}

/// Why a notice was not taken.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    problem: String,
    again: bool,
}

impl Carrier {
    /// Carries by the given channels.
    ///
    /// # Errors
    /// When a token cannot be read.
    pub fn new(store: Store, channels: &[Channel], metrics: Metrics) -> anyhow::Result<Self> {
        backbone::tls::install();
        let mut by_name = BTreeMap::new();
        for channel in channels {
            let client = Client::builder()
                .timeout(Duration::from_secs(channel.timeout_seconds.clamp(1, 120)))
                .redirect(redirect::Policy::none())
                .build()
                .context("cannot make an HTTP client")?;
            let token = channel
                .token
                .read(&format!("channel.{}.token", channel.name))?;
            by_name.insert(
                channel.name.clone(),
                Webhook {
                    settings: channel.clone(),
                    token,
                    client,
                },
            );
        }
        Ok(Self {
            store,
            channels: by_name,
            metrics,
        })
    }

    /// Carries notices until `stop`.
    ///
    /// # Errors
    /// Never; a store that fails is asked again.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            if let Err(failure) = self.carry_due(Timestamp::now()).await {
                warn!(%failure, "notices cannot be carried now");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(())
    }

    /// Carries the notices that are due at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn carry_due(&self, now: Timestamp) -> Result<(), StoreError> {
        let notices = due(&self.store, now).await?;
        self.metrics
            .notices_due
            .set(i64::try_from(notices.len()).unwrap_or(i64::MAX));
        for notice in notices {
            let result = match self.channels.get(&notice.channel) {
                Some(webhook) => webhook.post(&notice).await,
                None => Err(Refusal {
                    problem: format!("channel `{}` is not configured", notice.channel),
                    again: false,
                }),
            };
            self.write_down(&notice, result, now).await?;
        }
        Ok(())
    }

    async fn write_down(
        &self,
        notice: &Notice,
        result: Result<(), Refusal>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let attempts = notice.attempts + 1;
        let most = self
            .channels
            .get(&notice.channel)
            .map_or(1, |webhook| webhook.settings.attempts);
        let (state, outcome, problem) = match result {
            Ok(()) => ("sent", "sent", String::new()),
            Err(refusal) if refusal.again && attempts < most => {
                ("queued", "retried", refusal.problem)
            }
            Err(refusal) => ("failed", "failed", refusal.problem),
        };
        if state != "sent" {
            warn!(
                notice = notice.id,
                channel = notice.channel,
                attempts,
                problem,
                "notice not taken"
            );
        }
        self.metrics
            .notices_total
            .with_label_values(&[notice.channel.as_str(), outcome])
            .inc();
        sqlx::query(
            "UPDATE notices SET state = $1, attempts = $2, problem = $3, due_at = $4, updated_at = $5 WHERE id = $6",
        )
        .bind(state)
        .bind(i64::from(attempts))
        .bind(problem)
        .bind((now + backoff(attempts)).as_millisecond())
        .bind(now.as_millisecond())
        .bind(&notice.id)
        .execute(self.store.pool())
        .await?;
        Ok(())
    }
}

fn backoff(attempts: u32) -> SignedDuration {
    let doubled = RETRY_FIRST_SECONDS.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    SignedDuration::from_secs(doubled.min(RETRY_LONGEST_SECONDS))
}

impl Webhook {
    async fn post(&self, notice: &Notice) -> Result<(), Refusal> {
        let mut request = self
            .client
            .post(self.settings.url.clone())
            .header("Idempotency-Key", &notice.id)
            .json(&notice.body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Refusal {
                problem: format!("answered {}", answer.status()),
                again: answer.status().is_server_error()
                    || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS]
                        .contains(&answer.status()),
            }),
            // The address may hold a secret: it is not told.
            Err(error) => Err(Refusal {
                problem: error.without_url().to_string(),
                again: true,
            }),
        }
    }
}
