//! Serving HTTP, over TLS where that is set, and only to those who say in time what they want.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tracing::warn;

use crate::settings::beside;

/// Longest that a connection may take for its handshake and for the head of each request, and between two parts of a body.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Longest that requests under way at a stop are waited for.
const GRACE: Duration = Duration::from_secs(10);
/// How often the certificate is read again, for those that renew themselves on disk.
const READ_AGAIN: Duration = Duration::from_secs(3_600);

/// A certificate to serve with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// PEM file of the certificate, and of those it was signed with.
    pub certificate: PathBuf,
    /// PEM file of its private key. Both files are read again every hour.
    pub key: PathBuf,
}

impl Certificate {
    /// The same with paths relative to a settings file.
    #[must_use]
    pub fn beside(self, settings: &Path) -> Self {
        Self {
            certificate: beside(settings, &self.certificate),
            key: beside(settings, &self.key),
        }
    }

    /// What TLS is served with.
    ///
    /// # Errors
    /// When the files cannot be read or do not belong together.
    pub async fn read(&self) -> anyhow::Result<RustlsConfig> {
        let Self { certificate, key } = self;
        crate::tls::install();
        RustlsConfig::from_pem_file(certificate, key)
            .await
            .with_context(|| {
                format!(
                    "cannot serve with the certificate {} and the key {}; give PEM files that belong together",
                    certificate.display(),
                    key.display()
                )
            })
    }
}

/// Serves until `stop`; requests under way are then waited for, ten seconds at most. A connection that does not say in `patience`
/// what it wants is closed. An answer goes out at once: the end of one that was put together in pieces would wait for
/// the other side to confirm its beginning, which takes it 40 ms or more.
///
/// # Errors
/// When the certificate is of no use or the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    certificate: Option<&Certificate>,
    patience: Duration,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener.into_std()?)?;
    server.http_builder().http1().header_read_timeout(patience);
    let server = server
        .first_request_timeout(patience)
        .handle(handle.clone());
    let router = router.layer(RequestBodyTimeoutLayer::new(patience));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async {
        stop.cancelled().await;
        handle.graceful_shutdown(Some(GRACE));
        std::future::pending().await
    };
    match certificate {
        None => tokio::select! {
            served = server.acceptor(NoDelayAcceptor::new()).serve(service) => Ok(served?),
            () = stopped => Ok(()),
        },
        Some(certificate) => {
            let config = certificate.read().await?;
            let acceptor = RustlsAcceptor::new(config.clone())
                .handshake_timeout(patience)
                .acceptor(NoDelayAcceptor::new());
            tokio::select! {
                served = server.acceptor(acceptor).serve(service) => Ok(served?),
                () = stopped => Ok(()),
                () = keep_current(&config, certificate) => Ok(()),
            }
        }
    }
}

/// Reads the certificate again now and then, and goes on with the one before where it cannot be read.
async fn keep_current(config: &RustlsConfig, certificate: &Certificate) {
    let Certificate { certificate, key } = certificate;
    loop {
        tokio::time::sleep(READ_AGAIN).await;
        if let Err(error) = config.reload_from_pem_file(certificate, key).await {
            warn!(%error, certificate = %certificate.display(), "the certificate cannot be read again; the one before is served");
        }
    }
}
