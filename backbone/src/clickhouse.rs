//! ClickHouse: the client, the tables and what is written to them.

mod migrate;
mod retention;
pub mod rows;
mod statement;
mod turn;

use std::borrow::Borrow;
use std::error::Error;
use std::time::Duration;

use axum::http::Uri;
use axum::http::uri::Authority;
use clickhouse::{Client, Compression, Row};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_native_certs::load_native_certs;
use serde::Serialize;
use tower::Service;

pub use migrate::{migrate, on_replicas};
pub use retention::keep;
pub use statement::MigrateError;

use crate::settings::{ClickHouse, SettingsError};

/// Connections that were idle for this long are not used again: ClickHouse closes them after three seconds.
const IDLE: Duration = Duration::from_secs(2);

/// A client for the configured database.
///
/// # Errors
/// When the password's file or the certificates cannot be read.
pub fn client(settings: &ClickHouse) -> Result<Client, SettingsError> {
    Ok(server_client(settings)?.with_database(&settings.database))
}

/// A client that names no database, for creating it.
fn server_client(settings: &ClickHouse) -> Result<Client, SettingsError> {
    let connector = connector(settings)?;
    let connect = tower::service_fn(move |address: Uri| {
        let connecting = connector.clone().call(address.clone());
        Box::pin(async move {
            connecting.await.map_err(|source| NotReached {
                place: address.authority().map_or_else(String::new, place),
                source,
            })
        })
    });
    let connections = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .build(connect);
    let mut client = Client::with_http_client(connections)
        .with_url(&settings.url)
        .with_compression(Compression::None)
        // A missing column or a type that does not fit is an error, not garbage.
        .with_validation(true);
    if !settings.user.is_empty() {
        client = client.with_user(&settings.user);
    }
    if let Some(password) = settings.password.read("clickhouse.password")? {
        client = client.with_password(password);
    }
    Ok(client)
}

/// ClickHouse could not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {place}")]
struct NotReached {
    /// Host and port.
    place: String,
    source: Box<dyn Error + Send + Sync>,
}

/// Host and port, without the user that may stand before them.
fn place(authority: &Authority) -> String {
    match authority.port() {
        Some(port) => format!("{}:{port}", authority.host()),
        None => authority.host().to_owned(),
    }
}

/// An error with what it comes from, where that says more: the client's own says only that something went wrong on the way.
#[must_use]
pub fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut within = error.source();
    while let Some(source) = within {
        let text = source.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        within = source.source();
    }
    told
}

/// How to connect: in the clear or by TLS, as the address says.
fn connector(settings: &ClickHouse) -> Result<HttpsConnector<HttpConnector>, SettingsError> {
    crate::tls::install();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(trusted(settings)?)
        .with_no_client_auth();
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_nodelay(true);
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain))
}

/// The certificates that the server's may be signed with; none are looked for where it is spoken to in the clear.
fn trusted(settings: &ClickHouse) -> Result<RootCertStore, SettingsError> {
    let certificates = match &settings.ca {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| SettingsError::Secret {
                field: "clickhouse.ca".to_owned(),
                problem: format!("cannot be read from {}: {error}", file.display()),
            })?,
        None if settings.url.starts_with("https:") => load_native_certs().certs,
        None => Vec::new(),
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    Ok(roots)
}

/// Inserts rows, which need not be there all at once, as one block; they are stored when this returns. Tables replace a row of
/// the same key, so inserting again changes nothing.
///
/// # Errors
/// When ClickHouse does not acknowledge the insert.
pub async fn insert<R>(
    client: &Client,
    table: &str,
    rows: impl IntoIterator<Item = impl Borrow<R>>,
) -> Result<(), clickhouse::error::Error>
where
    R: Serialize,
    for<'a> R: Row<Value<'a> = R>,
{
    let mut insert = client
        .insert::<R>(table)
        .await?
        // Rows of a long history go to many months' partitions.
        .with_setting("max_partitions_per_insert_block", "0")
        // An index of words takes far longer to build than its rows to write, and each merge builds it again; rows that were not
        // merged yet are few, and searched by reading them.
        .with_setting("materialize_skip_indexes_on_insert", "0");
    for row in rows {
        insert.write(row.borrow()).await?;
    }
    insert.end().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    #[tokio::test]
    async fn an_error_names_the_address_that_was_tried_and_nobody() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let place = free.local_addr().unwrap();
        drop(free);
        let settings = ClickHouse {
            url: format!("http://somebody:secret@{place}"),
            ca: None,
            database: "none".to_owned(),
            replicated: false,
            user: "somebody".to_owned(),
            password: Secret::default(),
        };
        let client = client(&settings).unwrap();
        let failed = client.query("SELECT 1").execute().await.unwrap_err();
        let said = told(&failed);
        assert!(
            said.contains(&format!("cannot connect to {place}: ")),
            "{said}"
        );
        assert!(
            said.contains("refused") && !said.contains("somebody"),
            "{said}"
        );
    }
}
