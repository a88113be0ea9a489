//! How a process starts, says how it is, and stops.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write, stdout};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::{Registry, TextEncoder};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use crate::serve::{PATIENCE, serve};
use crate::settings::Operations;

/// What a process depends on, and what of it is down. Clones share the same record.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    dependencies: Arc<Mutex<BTreeMap<&'static str, Option<String>>>>,
}

impl Readiness {
    /// Records that a dependency does not serve, and why.
    pub fn down(&self, dependency: &'static str, reason: impl Into<String>) {
        let reason = reason.into();
        let before = self.set(dependency, Some(reason.clone()));
        if before != Some(Some(reason.clone())) {
            warn!(dependency, reason, "dependency is down");
        }
    }

    /// Records that a dependency serves.
    pub fn up(&self, dependency: &'static str) {
        if self.set(dependency, None) != Some(None) {
            info!(dependency, "dependency is up");
        }
    }

    /// The dependencies that are down, with the reasons.
    #[must_use]
    pub fn failing(&self) -> Vec<(&'static str, String)> {
        self.dependencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter_map(|(name, reason)| reason.clone().map(|reason| (*name, reason)))
            .collect()
    }

    fn set(&self, dependency: &'static str, state: Option<String>) -> Option<Option<String>> {
        self.dependencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(dependency, state)
    }
}

/// The routes for operators: `/health/live` answers while the process runs, `/health/ready` says
/// which dependency is down, `/metrics` is Prometheus text.
pub fn operations_router(registry: Registry, readiness: Readiness) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready).with_state(readiness))
        .route("/metrics", get(metrics).with_state(registry))
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, String) {
    let failing = readiness.failing();
    if failing.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let lines = failing
        .iter()
        .map(|(dependency, reason)| format!("{dependency} is down: {reason}\n"))
        .collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}

async fn metrics(State(registry): State<Registry>) -> impl IntoResponse {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )],
            text,
        ),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            format!("metrics cannot be encoded: {error}\n"),
        ),
    }
}

/// Serves [`operations_router`] until `stop`.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve_operations(
    operations: &Operations,
    registry: Registry,
    readiness: Readiness,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(operations.listen)
        .await
        .with_context(|| {
            format!(
                "cannot listen on operations.listen = {}; choose a free port",
                operations.listen
            )
        })?;
    info!(address = %listener.local_addr()?, "health and metrics are served");
    let router = operations_router(registry, readiness);
    serve(listener, router, None, PATIENCE, stop).await
}

/// Starts structured logs on standard error: readable lines, or JSON where `WENSHENG_LOG_FORMAT`
/// is `json`. `RUST_LOG` chooses what is logged.
pub fn start_logs() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,librdkafka=warn,rdkafka=warn"));
    let logs = tracing_subscriber::fmt()
        // It would panic where the log cannot be written, on a full disk for instance.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let started = if std::env::var("WENSHENG_LOG_FORMAT").is_ok_and(|format| format == "json") {
        logs.json().try_init()
    } else {
        logs.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init()
    };
    if started.is_err() {
        warn!("logs were started already");
    }
}

/// Standard output of a command. Where whoever reads it reads no more (`… | head`), the program ends there and says nothing of it.
#[derive(Debug, Clone, Copy)]
pub struct Output;

/// What a shell says of a program that a closed pipe ended: 128 and the number of SIGPIPE.
const PIPE_CLOSED: i32 = 141;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        ending_silently(stdout().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        ending_silently(stdout().flush())
    }
}

fn ending_silently<T>(written: std::io::Result<T>) -> std::io::Result<T> {
    if (written.as_ref()).is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(PIPE_CLOSED);
    }
    written
}

/// What a process ends with: 0, or 2 after saying what went wrong.
#[must_use]
pub fn exit_code(ended: anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// A token that is cancelled by the first Ctrl-C or SIGTERM; a second one ends the process at once.
///
/// # Errors
/// When the system refuses to hand over the signals.
pub fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let told = stop.clone();
    tokio::spawn(async move {
        let mut first = true;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if !first {
                std::process::exit(130);
            }
            first = false;
            info!("stopping");
            told.cancel();
        }
    });
    Ok(stop)
}
