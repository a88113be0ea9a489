//! What goes between machines: encrypted, to an end that is known, and to nobody who will not say what they want.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use backbone::kafka::{Producer, Start, read_partition};
use backbone::message::Post;
use backbone::serve::{Certificate, PATIENCE, serve};
use backbone::settings::{ClickHouse, Kafka};
use backbone::topics::{self, POSTS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use wensheng_tests::{Broker, Store, project};

/// A certificate for loopback, in a folder.
fn certificate(folder: &Path) -> Certificate {
    let made = Command::new(project().join("tests/certificate"))
        .arg(folder)
        .status();
    assert!(made.unwrap().success());
    Certificate {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    }
}

fn post() -> Post {
    let example = project().join("backbone/examples/posts/v1/board.json");
    backbone::message::decode(&std::fs::read(example).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_are_spoken_to_by_tls_and_by_name() {
    let (_broker, kafka) = Broker::secure();
    topics::create_missing(&kafka).await.unwrap();
    let producer = Producer::new(&kafka).unwrap();
    producer.send(&POSTS, &post()).await.unwrap();
    let mut read = Vec::new();
    for partition in 0..kafka.partitions {
        read_partition::<Post>(&kafka, &POSTS, partition, Start::Beginning, |received| {
            read.push(received.message.id.clone());
        })
        .await
        .unwrap();
    }
    assert_eq!(read, [post().id]);

    // Whoever has no password, the wrong one, or trusts somebody else gets nothing.
    let folder = tempfile::tempdir().unwrap();
    let other = certificate(folder.path());
    std::fs::write(folder.path().join("password"), "guessed").unwrap();
    let impatient = Kafka {
        request_timeout_ms: 3_000,
        ..kafka.clone()
    };
    let plain = Kafka {
        tls: None,
        sasl: None,
        ..impatient.clone()
    };
    let mut guessing = impatient.clone();
    guessing.sasl.as_mut().unwrap().password.file = Some(folder.path().join("password"));
    let mut deceived = impatient;
    deceived.tls.as_mut().unwrap().ca = Some(other.certificate);
    for refused in [plain, guessing, deceived] {
        let error = topics::create_missing(&refused)
            .await
            .unwrap_err()
            .to_string();
        assert!(!error.contains("guessed"), "{error}");
    }

    // A password is not sent where others could act in its name.
    let readable = Kafka { tls: None, ..kafka };
    let error = readable.client_config().unwrap_err().to_string();
    assert!(error.contains("`kafka.sasl` needs [kafka.tls]"), "{error}");
}

/// Ends TLS before ClickHouse, as its own server would. Gives the port.
async fn tls_before(store: &Store, certificate: &Certificate) -> u16 {
    let chain = CertificateDer::pem_file_iter(&certificate.certificate)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_file(&certificate.key).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = store.url.replace("http://", "");
    let address = address.trim_end_matches('/').to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, address) = (acceptor.clone(), address.clone());
            tokio::spawn(async move {
                let mut inner = TcpStream::connect(address).await?;
                let mut outer = acceptor.accept(stream).await?;
                tokio::io::copy_bidirectional(&mut outer, &mut inner).await
            });
        }
    });
    port
}

#[tokio::test]
async fn clickhouse_is_spoken_to_by_tls() {
    backbone::tls::install();
    let store = Store::start();
    let folder = tempfile::tempdir().unwrap();
    let certificate = certificate(folder.path());
    let port = tls_before(&store, &certificate).await;
    let settings = |ca: &Path| -> ClickHouse {
        serde_json::from_value(serde_json::json!({
            "url": format!("https://127.0.0.1:{port}"),
            "ca": ca,
        }))
        .unwrap()
    };
    let settings_known = settings(&certificate.certificate);
    backbone::clickhouse::migrate(&settings_known)
        .await
        .unwrap();
    let client = backbone::clickhouse::client(&settings_known).unwrap();
    let tables = client
        .query("SELECT count() FROM assessments")
        .fetch_one::<u64>();
    assert_eq!(tables.await.unwrap(), 0);

    let elsewhere = tempfile::tempdir().unwrap();
    let other = self::certificate(elsewhere.path());
    let client = backbone::clickhouse::client(&settings(&other.certificate)).unwrap();
    assert!(client.query("SELECT 1").fetch_one::<u8>().await.is_err());
    let missing = settings(Path::new("/nowhere/ca.pem"));
    let error = backbone::clickhouse::client(&missing).err().unwrap();
    assert!(error.to_string().contains("clickhouse.ca"), "{error}");
}

#[tokio::test]
async fn the_console_serves_its_certificate_and_closes_on_those_who_stall() {
    backbone::tls::install();
    let folder = tempfile::tempdir().unwrap();
    let certificate = certificate(folder.path());
    let stop = CancellationToken::new();
    let start = async |certificate: Option<Certificate>, patience: Duration| {
        let router = Router::new().route("/", get(async || "值守").post(async |body: Bytes| body));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = stop.clone();
        let served = tokio::spawn(async move {
            serve(listener, router, certificate.as_ref(), patience, stop).await
        });
        (address, served)
    };
    let (address, served) = start(Some(certificate.clone()), PATIENCE).await;
    let pem = std::fs::read(&certificate.certificate).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
        .build()
        .unwrap();
    let page = client.get(format!("https://{address}/")).send().await;
    assert_eq!(page.unwrap().text().await.unwrap(), "值守");
    let readable = reqwest::get(format!("http://{address}/")).await;
    assert!(readable.is_err(), "nothing is served in the clear");

    // Half a request, and then nothing: the connection is closed, and the next one is served.
    let (slow, _) = start(None, Duration::from_millis(200)).await;
    for said in [
        "",
        "GET / HTTP/1.1\r\nhost: console\r\nx-slow: ",
        "POST / HTTP/1.1\r\nhost: console\r\ncontent-length: 20\r\n\r\nhalf",
    ] {
        let mut stalled = TcpStream::connect(slow).await.unwrap();
        stalled.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends when the server closes; without that the test does not.
        stalled.read_to_end(&mut answer).await.unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
    let page = reqwest::get(format!("http://{slow}/")).await.unwrap();
    assert_eq!(page.text().await.unwrap(), "值守");

    // Files that do not belong together are named.
    let elsewhere = tempfile::tempdir().unwrap();
    let mixed = Certificate {
        key: self::certificate(elsewhere.path()).key,
        ..certificate
    };
    let error = format!("{:#}", mixed.read().await.unwrap_err());
    assert!(error.contains("PEM files that belong together"), "{error}");
    stop.cancel();
    served.await.unwrap().unwrap();
}
