//! An office with its accounts and a few cases, served on a port of its own: stories use it as browsers and programs do.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, redirect};
use responder::account::{Accounts, Limits, NewToken, NewUser, Provider, Scope};
use responder::api::CSRF_HEADER;
use responder::case::{Action, Actor, Cases, Deed, Role};
use responder::console::Console;
use responder::live::{self, Live};
use responder::metrics::Metrics;
use responder::notify::Composer;
use responder::reply::draft::Drafter;
use responder::routing::{Routed, Routing};
use responder::{settings, web};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::ground::{project, yellow};
use crate::stores::Kept;

pub(crate) const REGION: &str = "990101";
pub(crate) const PASSWORD: &str = "a password for tests";

/// Account names, what they are, and their units.
pub(crate) const PEOPLE: [(&str, Role, &str); 7] = [
    ("admin", Role::Administrator, ""),
    ("officer", Role::DutyOfficer, ""),
    ("leader", Role::Leader, ""),
    ("housing", Role::UnitLead, "zhujian"),
    ("contact", Role::UnitContact, "zhujian"),
    ("health", Role::UnitLead, "weijian"),
    ("auditor", Role::Auditor, ""),
];

/// How many streams there may be: few, so that the bounds are met.
const STREAMS: live::Limits = live::Limits {
    per_session: 2,
    in_all: 3,
    lasting: Duration::from_secs(60),
    beat: Duration::from_millis(50),
};

pub(crate) struct Office {
    pub(crate) address: String,
    pub(crate) accounts: Accounts,
    pub(crate) cases: Cases,
    pub(crate) notices: Arc<Composer>,
    pub(crate) limits: Limits,
    pub(crate) live: Live,
    pub(crate) metrics: Metrics,
    pub(crate) kept: Kept,
    pub(crate) stop: CancellationToken,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// An answer of the office.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The name of the problem that it tells.
    pub(crate) fn problem(&self) -> String {
        let kind = self.headers.get("content-type");
        assert_eq!(
            kind.map(|kind| kind.to_str().unwrap()),
            Some("application/problem+json"),
            "{}",
            self.text
        );
        let told = self.json();
        assert_eq!(told["status"], self.status);
        let kind = told["type"].as_str().unwrap();
        kind.strip_prefix("urn:wensheng:problem:")
            .unwrap()
            .to_owned()
    }

    pub(crate) fn location(&self) -> &str {
        let location = self.headers.get(LOCATION);
        location.map_or("", |location| location.to_str().unwrap())
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let (_, rest) = (self.text)
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap_or_else(|| panic!("no field {name}: {}", self.text));
        rest.split_once('"').unwrap().0.to_owned()
    }
}

/// Someone, or a program, before the office.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    client: Client,
    address: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
    pub(crate) token: String,
    /// Where a proxy says that they are.
    pub(crate) from: String,
}

pub(crate) async fn office(kept: Kept) -> Office {
    office_with(kept, &Value::Null, None).await
}

/// The same, with an identity provider where it is not null, and with draft help.
pub(crate) async fn office_with(kept: Kept, identity: &Value, drafter: Option<Drafter>) -> Office {
    backbone::tls::install();
    let store = kept.store.clone();
    let routing = Routing::load(&project().join("deploy/sample/region").join(REGION)).unwrap();
    let routings = Arc::new(BTreeMap::from([(REGION.to_owned(), routing)]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port: SocketAddr = listener.local_addr().unwrap();
    let address = format!("http://{port}");
    let settings: settings::Console = serde_json::from_value(serde_json::json!({
        "listen": "127.0.0.1:0", "public_url": address, "identity": identity
    }))
    .unwrap();
    let limits = settings.session_limits();
    let accounts = Accounts::new(store.clone(), limits);
    for (name, role, unit) in PEOPLE {
        let user = NewUser {
            name: name.to_owned(),
            display_name: name.to_owned(),
            role,
            region: if unit.is_empty() { "" } else { REGION }.to_owned(),
            unit: unit.to_owned(),
            password: PASSWORD.to_owned(),
            must_change: false,
        };
        accounts.add(&user, Timestamp::now()).await.unwrap();
    }
    let back = format!("{address}/login/identity/back").parse().unwrap();
    let provider = settings.identity.clone();
    let provider = provider.map(|identity| Provider::new(identity, back).unwrap());
    // Nobody listens there: what asks the archive says that it is not there.
    let archive = serde_json::from_value(serde_json::json!({ "url": "http://127.0.0.1:9" }));
    let archive = backbone::clickhouse::client(&archive.unwrap()).unwrap();
    let stop = CancellationToken::new();
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let live = Live::new(STREAMS, metrics.clone(), stop.clone());
    let console = Console {
        provider,
        drafter,
        live: live.clone(),
        metrics: metrics.clone(),
        ..Console::new(settings, store, routings, archive).unwrap()
    };
    let (cases, notices) = (console.cases.clone(), Arc::clone(&console.notices));
    tokio::spawn(web::serve(console, listener, None, stop.clone()));
    Office {
        address,
        accounts,
        cases,
        notices,
        limits,
        live,
        metrics,
        kept,
        stop,
    }
}

impl Office {
    /// Opens a case of its own event that routing proposes a lead for, and gives its id.
    pub(crate) async fn case(&self, event: &str, lead: &str) -> String {
        let mut alert = yellow(REGION);
        alert.level = 3;
        alert.event.id = event.to_owned();
        alert.id = backbone::id::of_alert(event, 3);
        alert.event.title = format!("{event}问题");
        let routed = Routed {
            lead: lead.to_owned(),
            ..Routed::default()
        };
        self.cases
            .take(&alert, &routed, Timestamp::now())
            .await
            .unwrap();
        backbone::id::of_case(event)
    }

    /// Dispatches a case to the unit that is proposed.
    pub(crate) async fn dispatch(&self, case: &str) {
        let officer = Actor {
            name: "officer".to_owned(),
            role: Role::DutyOfficer,
            region: String::new(),
            unit: String::new(),
            via: String::new(),
        };
        let found = self.cases.get(case, &officer).await.unwrap().unwrap();
        let deed = Deed {
            lead: found.lead().to_owned(),
            ..Deed::plain(Action::Dispatch, found.version, "")
        };
        self.cases
            .perform(case, &deed, &officer, &self.notices, Timestamp::now())
            .await
            .unwrap();
    }

    pub(crate) fn nobody(&self) -> Person {
        Person {
            client: Client::builder()
                .redirect(redirect::Policy::none())
                .build()
                .unwrap(),
            address: self.address.clone(),
            cookies: BTreeMap::new(),
            csrf: String::new(),
            token: String::new(),
            from: String::new(),
        }
    }

    /// Someone who signed in, and knows the secret of their session.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let mut person = self.nobody();
        let answer = person.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{name}: {}", answer.text);
        person.csrf = person.get("/account").await.hidden("csrf");
        person
    }

    /// A program that acts for an account.
    pub(crate) async fn program(&self, account: &str, scopes: &[Scope]) -> Person {
        let token = NewToken {
            account: account.to_owned(),
            label: "大屏".to_owned(),
            scopes: scopes.to_vec(),
            days: 1,
        };
        let made = (self.accounts)
            .add_token(&token, "admin", Timestamp::now())
            .await;
        Person {
            token: made.unwrap().1,
            ..self.nobody()
        }
    }
}

impl Person {
    /// Asks for something; a JSON body where it is not null.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        self.send(request).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    /// Sends a form.
    pub(crate) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &self.csrf).extend_pairs(fields);
        let request = self
            .request("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.finish());
        self.send(request).await
    }

    /// Sends a form with a file, whose content is said to be a page, whatever it is.
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        (name, content): (&str, &[u8]),
    ) -> Answer {
        let mut body = Vec::new();
        for (field, value) in fields.iter().chain(&[("csrf", self.csrf.as_str())]) {
            let part = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        let heading = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
        );
        body.extend_from_slice(heading.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = self
            .request("POST", path)
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(body);
        self.send(request).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.csrf = self.get("/login").await.hidden("csrf");
        self.form("/login", &[("name", name), ("password", password)])
            .await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let cookies: Vec<_> = (self.cookies.iter())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address))
            .header(COOKIE, cookies.join("; "))
            .header(CSRF_HEADER, &self.csrf);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if !self.from.is_empty() {
            request = request.header("x-forwarded-for", &self.from);
        }
        request
    }

    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            // What is taken back is empty.
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }
}
