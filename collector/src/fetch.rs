//! Fetching, politely and with care: robots.txt honoured, few requests to a host at a time and not too
//! often, sizes and times bounded, no private addresses unless allowed.

mod body;
mod guard;
mod host;
pub(crate) mod robots;
mod save;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::tls::TlsInfo;
use reqwest::{Client, Response, StatusCode, redirect};
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::warn;
use url::Url;

use crate::settings::Fetch;
use guard::Guard;
use host::{Host, Went};
use robots::Robots;
use save::Folder;

/// Redirects followed.
const MOST_REDIRECTS: usize = 5;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Hosts kept in mind; beyond that, those that nothing waits for are forgotten.
const MOST_HOSTS: usize = 20_000;

/// A page was not had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// robots.txt does not allow it.
    #[error("{url} is not allowed by its robots.txt")]
    NotAllowed {
        /// The address.
        url: Url,
    },
    /// Its host is, or leads to, a private address.
    #[error("{url} is at a private address; set `allow_private` of the source if that is meant")]
    Private {
        /// The address.
        url: Url,
    },
    /// It is larger than is read.
    #[error("{url} is larger than {most} bytes; raise `fetch.most_bytes` if that is meant")]
    TooLarge {
        /// The address.
        url: Url,
        /// The limit.
        most: usize,
    },
    /// It is no address of the web, such as `javascript:` or `ftp:`.
    #[error("{url} is no address of the web; name one that begins with http or https")]
    NotWeb {
        /// The address.
        url: Url,
    },
    /// It redirects too often or to nowhere.
    #[error("{url} redirects too often or to nowhere")]
    Redirects {
        /// The address.
        url: Url,
    },
    /// The server says no.
    #[error("{url} answers {status}")]
    Status {
        /// The address.
        url: Url,
        /// The answer.
        status: StatusCode,
        /// How long it asks to be left alone, where it does.
        retry_after: Option<Duration>,
    },
    /// Its host is left alone for a while: it failed again and again, or asked for it.
    #[error(
        "{url} was not asked for: its host is left alone for another {seconds} s, because it failed again and again or asked for it"
    )]
    Resting {
        /// The address.
        url: Url,
        /// How long still.
        seconds: u64,
    },
    /// The server cannot be reached, or did not answer in time.
    #[error("{url} cannot be fetched: {problem}")]
    Connection {
        /// The address.
        url: Url,
        /// What failed.
        problem: String,
    },
}

impl FetchError {
    /// Whether the same page may well be had later: the server is away, failing or busy.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::Resting { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}

/// What a page is known by, to ask for it only when it has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`; may be empty.
    pub etag: String,
    /// `Last-Modified`; may be empty.
    pub modified: String,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its address after redirects.
    pub url: Url,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The body, decompressed.
    pub bytes: Vec<u8>,
    /// For the next time.
    pub validators: Validators,
    /// The site's certificate (DER), where it has one.
    pub certificate: Option<Vec<u8>>,
}

/// Bytes from which taking a page apart keeps a thread for so long that its other work is handed on.
const HEAVY: usize = 200_000;

impl Page {
    /// Does work on the page; on a heavy one without keeping other work of the thread waiting.
    pub(crate) fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.bytes.len() >= HEAVY {
            true => tokio::task::block_in_place(work),
            false => work(),
        }
    }
}

/// Fetches pages. Clones share the hosts' turns.
#[derive(Debug, Clone)]
pub struct Fetcher {
    /// For public addresses only, and for any.
    clients: [Client; 2],
    allow_private: bool,
    settings: Arc<Fetch>,
    hosts: Arc<Mutex<HashMap<String, Arc<Shared>>>>,
    /// One permit for each request at a time, to whatever host.
    requests: Arc<Semaphore>,
    /// Keeps pages as they came, for those who set a source up.
    saved: Option<Arc<Folder>>,
}

/// A host, and a permit for each request to it at a time.
#[derive(Debug)]
struct Shared {
    host: Mutex<Host>,
    requests: Semaphore,
}

/// A turn of a host: as long as it is held, the request counts as under way.
struct Turn<'a> {
    shared: &'a Shared,
    least: Duration,
    _host: SemaphorePermit<'a>,
    _any: SemaphorePermit<'a>,
}

impl Fetcher {
    /// By the given settings. Proxies of the environment are not used: behind one, nobody here would see
    /// which address a name leads to.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(settings: &Fetch) -> anyhow::Result<Self> {
        backbone::tls::install();
        let timeout = Duration::from_secs(settings.timeout_seconds);
        let accepted = HeaderValue::from_static(body::ACCEPTED);
        let client = |allow_private| {
            Client::builder()
                .user_agent(settings.agent())
                .default_headers(HeaderMap::from_iter([(
                    header::ACCEPT_ENCODING,
                    accepted.clone(),
                )]))
                .connect_timeout(CONNECT.min(timeout))
                .read_timeout(timeout)
                .timeout(timeout)
                .redirect(redirect::Policy::none())
                .tls_info(true)
                .no_proxy()
                .dns_resolver(Guard { allow_private })
                .build()
        };
        Ok(Self {
            clients: [client(false)?, client(true)?],
            allow_private: false,
            settings: Arc::new(settings.clone()),
            hosts: Arc::default(),
            requests: Arc::new(Semaphore::new(usize::from(settings.most_at_once))),
            saved: None,
        })
    }

    /// The same, keeping every page in a folder as it came.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn saving(self, folder: &Path) -> anyhow::Result<Self> {
        let folder = Folder::new(folder.to_owned())
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self {
            saved: Some(Arc::new(folder)),
            ..self
        })
    }

    /// The same for a source whose addresses may, or may not, be in private networks.
    #[must_use]
    pub fn allowing_private(&self, allow_private: bool) -> Self {
        Self {
            allow_private,
            ..self.clone()
        }
    }

    /// Requests to one host at a time.
    #[must_use]
    pub fn per_host(&self) -> usize {
        usize::from(self.settings.per_host)
    }

    /// Fetches a page; nothing when it has not changed since `known`.
    ///
    /// # Errors
    /// Says why it was not had.
    pub async fn get(&self, url: &Url, known: &Validators) -> Result<Option<Page>, FetchError> {
        self.get_with(url, known, &HeaderMap::new()).await
    }

    /// As [`Fetcher::get`], with headers that only the address's own site is sent.
    ///
    /// # Errors
    /// Says why it was not had.
    pub async fn get_with(
        &self,
        url: &Url,
        known: &Validators,
        headers: &HeaderMap,
    ) -> Result<Option<Page>, FetchError> {
        match self.open(url, known, headers).await? {
            Some((at, response)) => self.read(at, response).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether there is a page, without reading it.
    ///
    /// # Errors
    /// Says why it was not had.
    pub async fn probe(&self, url: &Url) -> Result<(), FetchError> {
        self.open(url, &Validators::default(), &HeaderMap::new())
            .await
            .map(drop)
    }

    /// The answer that a page begins with, and its address after redirects; nothing when it has not changed.
    async fn open(
        &self,
        url: &Url,
        known: &Validators,
        headers: &HeaderMap,
    ) -> Result<Option<(Url, Response)>, FetchError> {
        let mut next = url.clone();
        let none = HeaderMap::new();
        for _ in 0..=MOST_REDIRECTS {
            self.check_address(&next)?;
            let headers = match next.origin() == url.origin() {
                true => headers,
                false => &none,
            };
            let shared = self.shared(&next).await;
            let turn = self.take_turn(&shared, &next).await?;
            let asked = Instant::now();
            let response = self.request(&next, known, headers).await;
            turn.note(&response, asked.elapsed()).await;
            let response = response?;
            let status = response.status();
            if status == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            if status.is_redirection() {
                next = redirected(&next, response.headers())
                    .ok_or_else(|| FetchError::Redirects { url: next.clone() })?;
                continue;
            }
            if !status.is_success() {
                return Err(refused(next, &response));
            }
            return Ok(Some((next, response)));
        }
        Err(FetchError::Redirects { url: url.clone() })
    }

    fn check_address(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::NotWeb { url: url.clone() });
        }
        if !self.allow_private && guard::is_private_literal(url) {
            return Err(FetchError::Private { url: url.clone() });
        }
        Ok(())
    }

    async fn shared(&self, url: &Url) -> Arc<Shared> {
        let mut hosts = self.hosts.lock().await;
        if hosts.len() >= MOST_HOSTS {
            hosts.retain(|_, shared| Arc::strong_count(shared) > 1);
        }
        let origin = url.origin().ascii_serialization();
        let shared = hosts.entry(origin).or_insert_with(|| {
            Arc::new(Shared {
                host: Mutex::new(Host::new(Instant::now())),
                requests: Semaphore::new(self.per_host()),
            })
        });
        Arc::clone(shared)
    }

    /// Waits for the host's turn, and asks its robots.txt.
    async fn take_turn<'a>(
        &'a self,
        shared: &'a Shared,
        url: &Url,
    ) -> Result<Turn<'a>, FetchError> {
        let closed = |_| unreachable(url);
        let of_host = shared.requests.acquire().await.map_err(closed)?;
        let mut host = shared.host.lock().await;
        if let Some(left) = host.rests(Instant::now()) {
            return Err(FetchError::Resting {
                url: url.clone(),
                seconds: left.as_secs() + 1,
            });
        }
        let least = Duration::from_millis(self.settings.delay_ms);
        if host.robots.as_ref().is_none_or(Robots::is_old) {
            tokio::time::sleep_until(host.turn(Instant::now(), least, self.settings.per_host))
                .await;
            let _any = self.requests.acquire().await.map_err(closed)?;
            let asked = Instant::now();
            let robots = self.fetch_robots(url).await;
            let went = match &robots {
                Ok(_) => Went::Served,
                Err(FetchError::Status {
                    retry_after: asked @ Some(_),
                    ..
                }) => Went::Busy(*asked),
                Err(_) => Went::Failed,
            };
            host.note(went, asked.elapsed(), least, Instant::now(), rand::random());
            host.robots = Some(robots?);
        }
        let robots = host.robots.as_ref();
        if !robots.is_some_and(|robots| robots.allows(url)) {
            return Err(FetchError::NotAllowed { url: url.clone() });
        }
        let least = least.max(robots.and_then(Robots::delay).unwrap_or_default());
        let turn = host.turn(Instant::now(), least, self.settings.per_host);
        drop(host);
        tokio::time::sleep_until(turn).await;
        Ok(Turn {
            shared,
            least,
            _host: of_host,
            _any: self.requests.acquire().await.map_err(closed)?,
        })
    }

    /// What the host allows. RFC 9309: a robots.txt that is not there allows all; one that cannot be had
    /// allows nothing, and why it cannot is the answer.
    async fn fetch_robots(&self, url: &Url) -> Result<Robots, FetchError> {
        match self.read_robots(url).await {
            Err(FetchError::Status { status, .. })
                if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS =>
            {
                Ok(Robots::all_allowed())
            }
            robots => robots,
        }
    }

    async fn read_robots(&self, url: &Url) -> Result<Robots, FetchError> {
        let mut next = url
            .join("/robots.txt")
            .map_err(|_| FetchError::NotWeb { url: url.clone() })?;
        for _ in 0..=MOST_REDIRECTS {
            self.check_address(&next)?;
            let response = self
                .request(&next, &Validators::default(), &HeaderMap::new())
                .await?;
            let status = response.status();
            if status.is_redirection() {
                next = redirected(&next, response.headers())
                    .ok_or_else(|| FetchError::Redirects { url: next.clone() })?;
                continue;
            }
            if !status.is_success() {
                return Err(refused(next, &response));
            }
            let page = self.read(next, response).await?;
            return Ok(Robots::read(&self.settings.user_agent, &page.bytes));
        }
        Err(FetchError::Redirects { url: next })
    }

    async fn request(
        &self,
        url: &Url,
        known: &Validators,
        headers: &HeaderMap,
    ) -> Result<Response, FetchError> {
        let [public, any] = &self.clients;
        let client = if self.allow_private { any } else { public };
        let mut request = client.get(url.clone()).headers(headers.clone());
        if !known.etag.is_empty() {
            request = request.header(header::IF_NONE_MATCH, &known.etag);
        }
        if !known.modified.is_empty() {
            request = request.header(header::IF_MODIFIED_SINCE, &known.modified);
        }
        request.send().await.map_err(|error| connection(url, error))
    }

    async fn read(&self, url: Url, response: Response) -> Result<Page, FetchError> {
        let most = self.settings.most_bytes;
        let header = |name| {
            let value = response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let content_type = header(header::CONTENT_TYPE);
        let validators = Validators {
            etag: header(header::ETAG).unwrap_or_default(),
            modified: header(header::LAST_MODIFIED).unwrap_or_default(),
        };
        let certificate = response
            .extensions()
            .get::<TlsInfo>()
            .and_then(TlsInfo::peer_certificate)
            .map(<[u8]>::to_vec);
        let bytes = body::read(response, most)
            .await
            .map_err(|problem| match problem {
                body::Problem::TooLarge => FetchError::TooLarge {
                    url: url.clone(),
                    most,
                },
                body::Problem::Broken(error) => FetchError::Connection {
                    url: url.clone(),
                    problem: error.to_string(),
                },
            })?;
        if let Some(folder) = &self.saved
            && let Err(error) = folder.take(&url, &bytes)
        {
            warn!(%error, "a page could not be kept");
        }
        Ok(Page {
            url,
            content_type,
            bytes,
            validators,
            certificate,
        })
    }
}

impl Turn<'_> {
    /// Notes how the request went that took so long.
    async fn note(&self, response: &Result<Response, FetchError>, took: Duration) {
        let went = match response {
            Ok(response) => Went::of(response.status(), response.headers(), Timestamp::now()),
            Err(_) => Went::Failed,
        };
        let now = Instant::now();
        let mut host = self.shared.host.lock().await;
        host.note(went, took, self.least, now, rand::random());
    }
}

/// The server says no.
fn refused(url: Url, response: &Response) -> FetchError {
    FetchError::Status {
        url,
        status: response.status(),
        retry_after: host::retry_after(response.headers(), Timestamp::now()),
    }
}

/// The semaphores are never closed; were they, nothing could be asked any more.
fn unreachable(url: &Url) -> FetchError {
    FetchError::Connection {
        url: url.clone(),
        problem: "the collector is stopping".to_owned(),
    }
}

fn connection(url: &Url, error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    let mut problem = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(deeper) = source {
        let deeper_text = deeper.to_string();
        if deeper_text == guard::REFUSED {
            return FetchError::Private { url: url.clone() };
        }
        problem = format!("{problem}: {deeper_text}");
        source = deeper.source();
    }
    FetchError::Connection {
        url: url.clone(),
        problem,
    }
}

/// Where it redirects to. Bytes beyond ASCII are taken as they are, under percent signs.
fn redirected(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let mut to = String::new();
    for byte in headers.get(header::LOCATION)?.as_bytes() {
        match byte.is_ascii() {
            true => to.push(char::from(*byte)),
            false => to.push_str(&format!("%{byte:02X}")),
        }
    }
    from.join(&to).ok()
}
