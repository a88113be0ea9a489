//! The embedded ClickHouse: the engine as a library behind a loopback endpoint that speaks
//! ClickHouse's HTTP interface, so that every client of ClickHouse can use it.

mod format;
mod http;
mod library;
mod pool;
mod request;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use library::Library;
use pool::Pool;

/// Connections to the engine, and so statements at once.
const CONNECTIONS: usize = 8;

/// Opens `folder` with the engine at `library` and serves it on `listen` until `stop`. `ready` is
/// told the address once it answers.
///
/// # Errors
/// When `listen` is not loopback or taken, or the engine cannot be loaded or open the folder.
pub async fn serve(
    library: &Path,
    folder: &Path,
    listen: SocketAddr,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    if !listen.ip().is_loopback() {
        bail!(
            "{listen} is not a loopback address; the embedded ClickHouse has no users and serves this machine only"
        );
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; choose another port"))?;
    let engine = Library::load(library)?;
    let pool = Pool::open(engine, folder, CONNECTIONS)?;
    ready(listener.local_addr()?);
    // The end of an answer would wait until its beginning is confirmed, which takes the client 40 ms.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            debug!(%error, "a connection is gone already");
        }
    });
    axum::serve(listener, http::router(pool.clone()))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    tokio::task::spawn_blocking(move || pool.close()).await?;
    Ok(())
}
