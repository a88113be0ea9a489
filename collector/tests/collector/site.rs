//! A site on loopback whose pages a test sets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use futures::stream;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use url::Url;

#[derive(Clone, Default)]
pub(crate) struct Page {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Page {
    pub(crate) fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", content_type.to_owned())],
            body: Some(body.into()),
        }
    }

    pub(crate) fn gbk(text: &str) -> Self {
        let bytes = encoding_rs::GBK.encode(text).0.into_owned();
        Self::new("text/html", bytes)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            body: Some(Vec::new()),
            ..Self::default()
        }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(302).with("location", to)
    }

    pub(crate) fn endless() -> Self {
        Self {
            status: 200,
            ..Self::default()
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) url: Url,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    asked: Arc<Mutex<Vec<String>>>,
    authorized: Arc<Mutex<Vec<String>>>,
    /// Requests to pages under /slow/ that are under way, and the most there were.
    slow: Arc<Mutex<(usize, usize)>>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Self {
            url: format!("http://{}/", listener.local_addr().unwrap())
                .parse()
                .unwrap(),
            pages: Arc::default(),
            asked: Arc::default(),
            authorized: Arc::default(),
            slow: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(site.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        site
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    pub(crate) fn set(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// The most requests to pages under /slow/ that were under way at a time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.slow.lock().unwrap().1
    }

    /// What was asked for with `Authorization`.
    pub(crate) fn authorized(&self) -> Vec<String> {
        self.authorized.lock().unwrap().clone()
    }

    /// What was asked for since the last call, without robots.txt.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.retain(|path| path != "/robots.txt");
        asked
    }
}

async fn answer(State(site): State<Site>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    site.asked.lock().unwrap().push(path.clone());
    if request.headers().contains_key(header::AUTHORIZATION) {
        site.authorized.lock().unwrap().push(path.clone());
    }
    if path.starts_with("/slow/") {
        {
            let mut slow = site.slow.lock().unwrap();
            slow.0 += 1;
            slow.1 = slow.1.max(slow.0);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        site.slow.lock().unwrap().0 -= 1;
        return Response::new(Body::from("slow"));
    }
    let page = site.pages.lock().unwrap().get(&path).cloned();
    let page = page.unwrap_or_else(|| Page::status(404));
    let known = request.headers().get(header::IF_NONE_MATCH);
    let same = known.is_some_and(|known| {
        let mut headers = page.headers.iter();
        headers.any(|(name, value)| *name == "etag" && known == value.as_str())
    });
    if same {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let mut response = Response::builder().status(page.status);
    for (name, value) in page.headers {
        response = response.header(name, value);
    }
    let body = page.body.map_or_else(
        || {
            let chunk = Bytes::from_static(&[b'a'; 1_000]);
            Body::from_stream(stream::repeat_with(move || {
                Ok::<_, std::io::Error>(chunk.clone())
            }))
        },
        Body::from,
    );
    response.body(body).unwrap()
}

/// A site on TLS with a certificate that it made itself.
pub(crate) async fn start_with_own_certificate() -> String {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(settings));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(acceptor.accept(stream).await);
        }
    });
    address
}
