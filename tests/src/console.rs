//! The console, as someone with a browser and no scripts uses it.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;

/// A browser of one person.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    console: String,
    cookies: BTreeMap<String, String>,
}

/// A page that was opened.
#[derive(Debug)]
pub struct Page {
    /// Its status.
    pub status: StatusCode,
    /// Where it redirects to; empty where it does not.
    pub location: String,
    /// Its HTML.
    pub html: String,
}

impl Page {
    /// The value of the first hidden field of that name.
    #[must_use]
    pub fn hidden(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.html.split_once(&format!("name=\"{name}\" value=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    }

    /// The values of an attribute, in order.
    #[must_use]
    pub fn values(&self, attribute: &str) -> Vec<&str> {
        self.html
            .split(&format!("{attribute}=\""))
            .skip(1)
            .filter_map(|rest| rest.split_once('"').map(|(value, _)| value))
            .collect()
    }
}

impl Browser {
    /// A browser that opens the console at this address.
    ///
    /// # Panics
    /// When no client can be made.
    #[must_use]
    pub fn new(console: &str) -> Self {
        backbone::tls::install();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .expect("a client");
        Self {
            client,
            console: console.trim_end_matches('/').to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Signs in.
    ///
    /// # Panics
    /// When the console refuses.
    pub async fn sign_in(console: &str, name: &str, password: &str) -> Self {
        let mut browser = Self::new(console);
        let page = browser.get("/login").await;
        let csrf = page.hidden("csrf").expect("a form to sign in").to_owned();
        let page = browser
            .post(
                "/login",
                &[
                    ("csrf", &csrf),
                    ("name", name),
                    ("password", password),
                    ("next", "/"),
                ],
            )
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{name} cannot sign in");
        browser
    }

    /// Opens a page.
    ///
    /// # Panics
    /// When the console does not answer.
    pub async fn get(&mut self, path: &str) -> Page {
        let request = self
            .client
            .get(format!("{}{path}", self.console))
            .header(COOKIE, self.cookie());
        let response = request.send().await.expect("the console answers");
        self.take(response).await
    }

    /// Sends a form.
    ///
    /// # Panics
    /// When the console does not answer.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut body = reqwest::Url::parse("http://form.invalid/").expect("an address");
        body.query_pairs_mut().extend_pairs(fields);
        let request = self
            .client
            .post(format!("{}{path}", self.console))
            .header(COOKIE, self.cookie())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.query().unwrap_or_default().to_owned());
        let response = request.send().await.expect("the console answers");
        self.take(response).await
    }

    /// Has the API do something, as a script of a page would.
    ///
    /// # Panics
    /// When the console does not answer, or not in JSON.
    pub async fn ask(&mut self, path: &str, body: &Value) -> (StatusCode, Value) {
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let me = read(&self.get("/api/v1/me").await.html);
        let request = self
            .client
            .post(format!("{}/api/v1{path}", self.console))
            .header(COOKIE, self.cookie())
            .header("x-csrf-token", me["csrf"].as_str().unwrap_or_default())
            .json(body);
        let response = request.send().await.expect("the console answers");
        let page = self.take(response).await;
        (page.status, read(&page.html))
    }

    /// Sends a form of a page, with the version and the secret that it shows.
    ///
    /// # Panics
    /// When the console does not answer, or the page has no form.
    pub async fn send(&mut self, page: &str, to: &str, fields: &[(&str, &str)]) -> Page {
        let shown = self.get(page).await;
        let mut all = vec![
            ("csrf", shown.hidden("csrf").expect("a form")),
            ("version", shown.hidden("version").unwrap_or("0")),
        ];
        all.extend(fields);
        self.post(&format!("{page}/{to}"), &all).await
    }

    /// Makes a move on a case, with the version and the secret that its page shows, and gives the page
    /// that follows.
    ///
    /// # Panics
    /// When the move is refused.
    pub async fn act(&mut self, case: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        let path = format!("/cases/{case}");
        let page = self.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{action}: the case page");
        let of = |name: &str| page.hidden(name).unwrap_or_default().to_owned();
        let (csrf, version) = (of("csrf"), of("version"));
        let mut form = vec![
            ("csrf", csrf.as_str()),
            ("version", version.as_str()),
            ("action", action),
        ];
        form.extend_from_slice(fields);
        let answer = self.post(&format!("{path}/moves"), &form).await;
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{action} was refused: {}",
            answer.html
        );
        self.get(&path).await
    }

    /// Changes the password of the one who is signed in.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn change_password(&mut self, old: &str, new: &str) {
        let page = self.get("/account").await;
        let csrf = page.hidden("csrf").expect("one's own page").to_owned();
        let fields = [
            ("csrf", csrf.as_str()),
            ("old", old),
            ("new", new),
            ("again", new),
        ];
        let answer = self.post("/account", &fields).await;
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "the password was refused: {}",
            answer.html
        );
    }

    /// Adds an account, as the administrator; its owner gives it the password.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn add_user(&mut self, name: &str, role: &str, unit: &str, password: &str) {
        let first = format!("first, {password}");
        let page = self.get("/users").await;
        let csrf = page.hidden("csrf").expect("the page of users").to_owned();
        let fields = [
            ("csrf", csrf.as_str()),
            ("name", name),
            ("display_name", name),
            ("role", role),
            ("unit", unit),
            ("password", &first),
        ];
        let answer = self.post("/users", &fields).await;
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "account {name} was refused: {}",
            answer.html
        );
        let mut owner = Self::sign_in(&self.console, name, &first).await;
        owner.change_password(&first, password).await;
    }

    /// The console's address.
    #[must_use]
    pub fn console(&self) -> &str {
        &self.console
    }

    /// Its cookies, as it sends them.
    #[must_use]
    pub fn cookie(&self) -> String {
        self.cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    async fn take(&mut self, response: Response) -> Page {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie
                .to_str()
                .unwrap_or_default()
                .split(';')
                .next()
                .unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let location = location.unwrap_or_default().to_owned();
        let status = response.status();
        Page {
            status,
            location,
            html: response.text().await.unwrap_or_default(),
        }
    }
}
