//! What the responder serves at its one address: the console's pages and the API.

use std::sync::Arc;

use axum::Router;
use backbone::serve::{Certificate, PATIENCE};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::console::{self, Console};

fn router(console: Console) -> Router {
    let console = Arc::new(console);
    console::pages(Arc::clone(&console)).nest(api::ROOT, api::router(console))
}

/// Serves them until `stop`, with TLS where there is a certificate; requests under way are answered first.
///
/// # Errors
/// When the certificate is of no use or the listener fails.
pub async fn serve(
    console: Console,
    listener: TcpListener,
    certificate: Option<&Certificate>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    backbone::serve::serve(listener, router(console), certificate, PATIENCE, stop).await
}
