//! ClickHouse: the client, the tables and what is written to them.

mod migrate;
mod retention;
pub mod rows;
mod statement;
mod turn;

use std::borrow::Borrow;
use std::time::Duration;

use clickhouse::{Client, Compression, Row};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_native_certs::load_native_certs;
use serde::Serialize;

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
    let connections = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .build(connector(settings)?);
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
