//! The generic webhook: a POST, of the notice as JSON or of a body made from a template, for SMS gateways and systems of
//! one's own. 2xx means taken, unless the settings say what the answer must hold.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context;
use backbone::settings::Secret;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Output, UndefinedBehavior, Value, context};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use super::body::{Body, CaseBody, DigestBody, Kind, SourceBody, TestBody};
use super::message::Message;
use super::rate::Rate;
use super::refusal::Refusal;
use super::wording::Wording;
use super::{form, http};

/// No service is known, so no limit; enough that a flood does not look like an attack.
pub(super) const RATE: Rate = Rate::per_minute(300);
/// Most bytes of `text`.
const TEXT_BYTES: usize = 2_048;
/// Most bytes of `short`: about two hundred Chinese characters, three parts of a long text message.
const SHORT_BYTES: usize = 600;

const TEMPLATE: &str = "body";
const NAMES: [&str; 8] = [
    "id", "kind", "to", "subject", "text", "short", "link", "notice",
];

/// Settings of a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address.
    pub url: Url,
    /// A token sent as `Authorization: Bearer`; none where it is not named.
    #[serde(default)]
    pub token: Option<Secret>,
    /// The body, a Jinja template that knows `id`, `kind`, `to`, `subject`, `text` (several lines), `short` (one
    /// line), `link` and `notice` (the notice with its fields); the notice as JSON where it is not set.
    #[serde(default)]
    pub body: Option<String>,
    /// What `body` is: `json`, `form`, `xml` or `text`. Values in it are escaped accordingly; in `json` each stands for
    /// a whole JSON value, quotes included.
    #[serde(default)]
    pub body_type: BodyType,
    /// What the answer, as JSON, holds when the message was taken; 2xx is enough where it is not set.
    #[serde(default)]
    pub done: Option<Done>,
}

/// What a webhook's body is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyType {
    /// JSON.
    #[default]
    Json,
    /// A form, as browsers send it.
    Form,
    /// XML.
    Xml,
    /// Plain text.
    Text,
}

impl BodyType {
    fn mime(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Xml => "application/xml; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    fn escape(self) -> AutoEscape {
        match self {
            Self::Json => AutoEscape::Json,
            Self::Form => AutoEscape::Custom("form".into()),
            Self::Xml => AutoEscape::Html,
            Self::Text => AutoEscape::None,
        }
    }
}

/// What an answer holds when a message was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// Where in the answer to look, a JSON pointer such as `/result/code`.
    pub at: String,
    /// The values that tell that it was taken, such as `["0", "OK"]`; numbers are written as text.
    pub is: Vec<String>,
}

impl Webhook {
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(done) = &self.done
            && (!done.at.starts_with('/') || done.is.is_empty())
        {
            return Err(
                "`done` needs `at` beginning with / and at least one value in `is`".to_owned(),
            );
        }
        let Some(body) = &self.body else {
            return Ok(());
        };
        let template = Template::new(body, self.body_type).map_err(|problem| told(&problem))?;
        let mut unknown: Vec<String> = template
            .names()
            .into_iter()
            .filter(|name| !NAMES.contains(&name.as_str()))
            .collect();
        unknown.sort_unstable();
        if let Some(name) = unknown.first() {
            return Err(format!(
                "`body` names `{name}`; known are {}",
                NAMES.join(" ")
            ));
        }
        for body in samples() {
            let message = Message {
                id: "0",
                to: "0",
                wording: Wording::of(&body, jiff::Timestamp::UNIX_EPOCH),
                body: &body,
                files: &[],
            };
            template.render(&message)?;
        }
        Ok(())
    }

    /// Whether the body names who gets it.
    pub(super) fn names_recipient(&self) -> bool {
        let template = self
            .body
            .as_ref()
            .and_then(|body| Template::new(body, self.body_type).ok());
        template.is_some_and(|template| template.names().contains("to"))
    }
}

/// One notice of each shape, with what must not break a body in it.
fn samples() -> [Body; 4] {
    let hostile = "\"'<&>\\\n{{ 1 }}%=".to_owned();
    let case = |kind: Kind| CaseBody {
        id: "0".to_owned(),
        kind,
        action: kind.title().to_owned(),
        case: "0".to_owned(),
        title: hostile.clone(),
        level: 3,
        unit: "0".to_owned(),
        unit_name: hostile.clone(),
        lead: true,
        sign_by: String::new(),
        respond_by: String::new(),
        note: hostile.clone(),
        link: String::new(),
    };
    [
        Body::Case(case(Kind::Dispatch)),
        Body::Digest(DigestBody {
            id: "0".to_owned(),
            kind: Kind::Digest,
            action: Kind::Digest.title().to_owned(),
            unit: "0".to_owned(),
            notices: vec![case(Kind::Urge)],
            link: String::new(),
        }),
        Body::Source(SourceBody {
            id: "0".to_owned(),
            kind: Kind::Source,
            action: Kind::Source.title().to_owned(),
            title: hostile.clone(),
            region: "0".to_owned(),
            source: hostile.clone(),
            condition: "failing".to_owned(),
            since: String::new(),
            problem: hostile.clone(),
            link: String::new(),
        }),
        Body::Test(TestBody {
            id: "0".to_owned(),
            kind: Kind::Test,
            action: Kind::Test.title().to_owned(),
            channel: hostile,
            link: String::new(),
        }),
    ]
}

/// A body to be filled in.
#[derive(Debug)]
struct Template {
    environment: Environment<'static>,
    body_type: BodyType,
}

impl Template {
    fn new(body: &str, body_type: BodyType) -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_auto_escape_callback(move |_| body_type.escape());
        environment.set_formatter(|out, state, value| match state.auto_escape() {
            AutoEscape::Custom(_) => percent(out, value),
            _ => minijinja::escape_formatter(out, state, value),
        });
        environment.add_template_owned(TEMPLATE, body.to_owned())?;
        Ok(Self {
            environment,
            body_type,
        })
    }

    /// The names that the template takes from outside.
    fn names(&self) -> HashSet<String> {
        self.environment
            .get_template(TEMPLATE)
            .map(|template| template.undeclared_variables(false))
            .unwrap_or_default()
    }

    fn render(&self, message: &Message<'_>) -> Result<String, String> {
        let wording = &message.wording;
        let values = context! {
            id => message.id,
            kind => message.body.kind().name(),
            to => message.to,
            subject => form::subject(wording),
            text => form::plain(wording, TEXT_BYTES),
            short => form::short(wording, SHORT_BYTES),
            link => &wording.link,
            notice => Value::from(Serde(message.body)),
        };
        let rendered = self
            .environment
            .get_template(TEMPLATE)
            .and_then(|template| template.render(values))
            .map_err(|problem| told(&problem))?;
        if self.body_type == BodyType::Json
            && let Err(problem) = serde_json::from_str::<serde_json::Value>(&rendered)
        {
            return Err(format!(
                "`body` gives no JSON for a notice of kind {} ({problem}); write {{{{ text }}}} without quotes around it, and put what not every notice has into {{% if %}}",
                message.body.kind().name()
            ));
        }
        Ok(rendered)
    }
}

fn told(problem: &minijinja::Error) -> String {
    let line = problem.line().unwrap_or(1);
    format!("`body` is no template: line {line} of it: {problem}")
}

fn percent(out: &mut Output<'_>, value: &Value) -> Result<(), minijinja::Error> {
    let written: String = form_urlencoded::byte_serialize(value.to_string().as_bytes()).collect();
    out.write_str(&written).map_err(minijinja::Error::from)
}

/// A webhook that sends.
#[derive(Debug)]
pub(super) struct Sender {
    url: Url,
    token: Option<String>,
    template: Option<Template>,
    done: Option<Done>,
    client: Client,
}

impl Sender {
    pub(super) fn new(settings: &Webhook, field: &str, timeout: Duration) -> anyhow::Result<Self> {
        let token = settings.token.as_ref();
        let template = settings.body.as_ref();
        Ok(Self {
            url: settings.url.clone(),
            token: token
                .map(|token| token.require(&format!("{field}.token")))
                .transpose()?,
            template: template
                .map(|body| Template::new(body, settings.body_type))
                .transpose()
                .with_context(|| format!("{field}.body"))?,
            done: settings.done.clone(),
            client: http::client(timeout)?,
        })
    }

    pub(super) async fn send(&self, message: &Message<'_>) -> Result<(), Refusal> {
        let token = self.token.as_deref().unwrap_or_default();
        self.post(message)
            .await
            .map_err(|refusal| refusal.without([token, message.to]))
    }

    async fn post(&self, message: &Message<'_>) -> Result<(), Refusal> {
        let response = http::send(self.request(message)?).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(Refusal::never(format!("answered {status}")));
        }
        let Some(done) = &self.done else {
            return Ok(());
        };
        let body = http::body(response).await?;
        let answer: serde_json::Value = serde_json::from_slice(&body)
            .map_err(|_| Refusal::later("answers something that is no JSON"))?;
        let value = match answer.pointer(&done.at) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        if done.is.contains(&value) {
            return Ok(());
        }
        Err(Refusal::never(format!("answered `{value}` at {}", done.at)))
    }

    fn request(&self, message: &Message<'_>) -> Result<RequestBuilder, Refusal> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header("Idempotency-Key", message.id);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(match &self.template {
            None => request.json(message.body),
            Some(template) => request
                .header(CONTENT_TYPE, template.body_type.mime())
                .body(template.render(message).map_err(Refusal::never)?),
        })
    }
}
