//! Fetching, politely and with care: robots.txt honoured, one request per host at a time and not too
//! often, sizes and times bounded, no private addresses unless allowed.

mod guard;
mod host;
mod robots;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Response, StatusCode, redirect};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::settings::Fetch;
use guard::Guard;
use host::{Host, Went};
use robots::Robots;

/// Redirects followed.
const MOST_REDIRECTS: usize = 5;

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
    #[error("{url} is at a private address; set `fetch.allow_private` if that is meant")]
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
}

/// Fetches pages. Clones share the hosts' turns.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: Client,
    settings: Arc<Fetch>,
    hosts: Arc<Mutex<HashMap<String, Arc<Mutex<Host>>>>>,
}

impl Fetcher {
    /// By the given settings. Proxies of the environment are not used: behind one, nobody here would see
    /// which address a name leads to.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(settings: &Fetch) -> anyhow::Result<Self> {
        backbone::tls::install();
        let client = Client::builder()
            .user_agent(&settings.user_agent)
            .timeout(Duration::from_secs(settings.timeout_seconds))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Guard {
                allow_private: settings.allow_private,
            })
            .build()?;
        Ok(Self {
            client,
            settings: Arc::new(settings.clone()),
            hosts: Arc::default(),
        })
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
        let mut next = url.clone();
        let none = HeaderMap::new();
        for _ in 0..=MOST_REDIRECTS {
            self.check_address(&next)?;
            let headers = match next.origin() == url.origin() {
                true => headers,
                false => &none,
            };
            let response = self.take_turn(&next, known, headers).await?;
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
                return Err(FetchError::Status { url: next, status });
            }
            return self.read(next, response).await.map(Some);
        }
        Err(FetchError::Redirects { url: url.clone() })
    }

    fn check_address(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::NotWeb { url: url.clone() });
        }
        if !self.settings.allow_private && guard::is_private_literal(url) {
            return Err(FetchError::Private { url: url.clone() });
        }
        Ok(())
    }

    /// Waits for the host's turn, asks its robots.txt, and requests.
    async fn take_turn(
        &self,
        url: &Url,
        known: &Validators,
        headers: &HeaderMap,
    ) -> Result<Response, FetchError> {
        let origin = url.origin().ascii_serialization();
        let host = Arc::clone(
            (self.hosts.lock().await)
                .entry(origin)
                .or_insert_with(|| Arc::new(Mutex::new(Host::new(Instant::now())))),
        );
        let mut host = host.lock().await;
        if let Some(left) = host.rests(Instant::now()) {
            return Err(FetchError::Resting {
                url: url.clone(),
                seconds: left.as_secs() + 1,
            });
        }
        let least = Duration::from_millis(self.settings.delay_ms);
        if host.robots.as_ref().is_none_or(Robots::is_old) {
            tokio::time::sleep_until(host.turn()).await;
            let asked = Instant::now();
            let robots = self.fetch_robots(url).await;
            let went = match &robots {
                Ok(_) => Went::Served,
                Err(_) => Went::Failed,
            };
            let now = Instant::now();
            host.note(went, now - asked, least, now, rand::random());
            host.robots = Some(robots?);
        }
        let robots = host.robots.as_ref();
        if !robots.is_some_and(|robots| robots.allows(url)) {
            return Err(FetchError::NotAllowed { url: url.clone() });
        }
        let least = least.max(robots.and_then(Robots::delay).unwrap_or_default());
        tokio::time::sleep_until(host.turn()).await;
        let asked = Instant::now();
        let response = self.request(url, known, headers).await;
        let went = match &response {
            Ok(response) => Went::of(response.status(), response.headers(), Timestamp::now()),
            Err(_) => Went::Failed,
        };
        let now = Instant::now();
        host.note(went, now - asked, least, now, rand::random());
        response
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
                return Err(FetchError::Status { url: next, status });
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
        let mut request = self.client.get(url.clone()).headers(headers.clone());
        if !known.etag.is_empty() {
            request = request.header(header::IF_NONE_MATCH, &known.etag);
        }
        if !known.modified.is_empty() {
            request = request.header(header::IF_MODIFIED_SINCE, &known.modified);
        }
        request.send().await.map_err(|error| connection(url, error))
    }

    async fn read(&self, url: Url, mut response: Response) -> Result<Page, FetchError> {
        let most = self.settings.most_bytes;
        // What is announced is not waited for; what comes is counted after decompression, as it comes.
        if response
            .content_length()
            .is_some_and(|length| length > most as u64)
        {
            return Err(FetchError::TooLarge { url, most });
        }
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
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| connection(&url, error))?
        {
            if bytes.len() + chunk.len() > most {
                return Err(FetchError::TooLarge { url, most });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Page {
            url,
            content_type,
            bytes,
            validators,
        })
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

fn redirected(from: &Url, headers: &HeaderMap) -> Option<Url> {
    from.join(headers.get(header::LOCATION)?.to_str().ok()?)
        .ok()
}
