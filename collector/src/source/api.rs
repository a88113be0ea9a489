//! A JSON API: pages of posts as a site's own app or a platform gives them.

use std::collections::BTreeMap;

use backbone::settings::Secret;
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;
use url::Url;

use super::{Item, Misfit, Round, Source, SourceError};
use crate::extract::{address, charset, text, time};
use crate::fetch::{FetchError, Page, Validators};
use crate::item::How;

/// Stands for the number of a page in an address.
const PAGE: &str = "{page}";
/// Stands for a post's id in an address.
const ID: &str = "{id}";

/// A JSON API. Places in its answers are JSON Pointers (RFC 6901), such as `/data/list`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Its address; `{page}` in it stands for the number of the page.
    pub url: String,
    /// Number of the first page.
    #[serde(default = "default_first_page")]
    pub first_page: u32,
    /// Most pages read in a round; the newest posts must be on the first.
    #[serde(default = "default_most_pages")]
    pub most_pages: u32,
    /// Headers sent along: values kept in the environment or a file.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Where the list of posts is; the whole answer where empty.
    #[serde(default)]
    pub items: String,
    /// Where a post has its id.
    pub id: String,
    /// Where it has its title.
    #[serde(default)]
    pub title: Option<String>,
    /// Where it has its text; HTML is made text.
    pub text: String,
    /// Where it has its time.
    pub time: String,
    /// Where it has its author.
    #[serde(default)]
    pub author: Option<String>,
    /// Where it has the number of votes for it.
    #[serde(default)]
    pub likes: Option<String>,
    /// Where it has the number of votes against it.
    #[serde(default)]
    pub opposes: Option<String>,
    /// Where it has the time of the official answer, once there is one.
    #[serde(default)]
    pub answered: Option<String>,
    /// Where it has its address.
    #[serde(default)]
    pub link: Option<String>,
    /// Its address, where the answer has none; `{id}` in it stands for the post's id.
    #[serde(default)]
    pub page: Option<String>,
}

fn default_first_page() -> u32 {
    1
}

fn default_most_pages() -> u32 {
    20
}

impl Api {
    fn address(&self, page: u32) -> Result<Url, String> {
        let url: Url = self
            .url
            .replace(PAGE, &page.to_string())
            .parse()
            .map_err(|error| format!("`api.url` is no address: {error}"))?;
        super::board::check_url("api.url", &url)?;
        Ok(url)
    }

    /// Where it is; nothing for an address that is none.
    pub(super) fn site(&self) -> Option<Url> {
        self.address(self.first_page).ok()
    }

    fn headers(&self) -> Result<HeaderMap, SourceError> {
        let mut headers = HeaderMap::new();
        for (name, secret) in &self.headers {
            let field = format!("api.headers.{name}");
            let problem = |problem: &str| SourceError::Content(format!("`{field}` {problem}"));
            let value = secret
                .read(&field)
                .map_err(|error| SourceError::Content(error.to_string()))?
                .ok_or_else(|| problem("is not set; set its variable or its file"))?;
            let mut value =
                HeaderValue::from_str(&value).map_err(|_| problem("holds what no header may"))?;
            value.set_sensitive(true);
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| problem("has a name that no header may have"))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    pub(crate) fn posts(&self, page: &Page) -> Result<Vec<Value>, String> {
        let body = charset::decode(&page.bytes, None, page.content_type.as_deref())
            .map_err(|error| error.to_string())?;
        let mut answer: Value =
            serde_json::from_str(&body).map_err(|error| format!("is no JSON: {error}"))?;
        match answer.pointer_mut(&self.items).map(Value::take) {
            Some(Value::Array(posts)) => Ok(posts),
            Some(Value::Null) => Ok(Vec::new()),
            _ => Err("has no list at `api.items`; has the API changed?".to_owned()),
        }
    }

    pub(crate) fn item(&self, post: &Value, page: &Page, now: Timestamp) -> Result<Item, Misfit> {
        let of = |place: &str| written(post.pointer(place));
        let or_empty = |place: &Option<String>| place.as_deref().map(of).unwrap_or_default();
        let count = |place: &Option<String>| or_empty(place).parse().unwrap_or(0);
        let id = of(&self.id);
        if id.is_empty() {
            return Err(Misfit::missing("id", "api.id"));
        }
        let title = text::of_html(&or_empty(&self.title)).replace('\n', " ");
        let text = text::of_html(&of(&self.text));
        if title.is_empty() && text.is_empty() {
            return Err(Misfit::missing("text", "api.text"));
        }
        let published =
            time::tell(&of(&self.time), now).ok_or_else(|| Misfit::missing("time", "api.time"))?;
        let named = match (&self.link, &self.page) {
            (Some(place), _) => of(place),
            (None, Some(pattern)) => pattern.replace(ID, &id),
            (None, None) => String::new(),
        };
        let url = match named.as_str() {
            "" => None,
            named => page.url.join(named).ok(),
        };
        Ok(Item {
            id,
            url: url
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .map(|url| address::canonical(url).to_string())
                .unwrap_or_default(),
            title,
            text,
            author: or_empty(&self.author),
            published: Some(published),
            likes: count(&self.likes),
            opposes: count(&self.opposes),
            answered: time::tell(&or_empty(&self.answered), now).map(|told| told.at),
            how: How::default()
                .at("id", &self.id)
                .at("text", &self.text)
                .at("time", &self.time)
                .at("title", self.title.as_deref().unwrap_or_default())
                .at("author", self.author.as_deref().unwrap_or_default()),
        })
    }
}

/// A value as it would be written; nothing for a list or an object.
fn written(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

impl Source for Api {
    fn check(&self) -> Result<(), String> {
        self.address(self.first_page)?;
        if self.most_pages == 0 {
            return Err("`api.most_pages` must be 1 or more".to_owned());
        }
        let optional = [
            ("api.title", &self.title),
            ("api.author", &self.author),
            ("api.likes", &self.likes),
            ("api.opposes", &self.opposes),
            ("api.answered", &self.answered),
            ("api.link", &self.link),
        ];
        let places = optional
            .into_iter()
            .filter_map(|(field, place)| Some((field, place.as_ref()?)))
            .chain([
                ("api.items", &self.items),
                ("api.id", &self.id),
                ("api.text", &self.text),
                ("api.time", &self.time),
            ]);
        for (field, place) in places {
            if !place.is_empty() && !place.starts_with('/') {
                return Err(format!(
                    "`{field}` must be a JSON Pointer; write `/{}`",
                    place.replace('.', "/")
                ));
            }
        }
        Ok(())
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let (source, state) = (&round.definition.name, round.publisher.state());
        let headers = self.headers()?;
        let pages = match self.url.contains(PAGE) {
            true => self.most_pages,
            false => 1,
        };
        let mut sent = 0;
        let unfinished = state.is_unfinished(source).await?;
        state.note_unfinished(source, true).await?;
        for number in 0..pages {
            if round.stop.is_cancelled() {
                return Ok(());
            }
            let url = self
                .address(self.first_page + number)
                .map_err(SourceError::Content)?;
            let known = Validators::default();
            let page = match round.fetch_with(&url, &known, &headers).await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                // Some APIs have no page behind the last.
                Err(FetchError::Status { status, .. })
                    if number > 0 && status == StatusCode::NOT_FOUND =>
                {
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let content = |problem: String| SourceError::Content(format!("{} {problem}", page.url));
            let posts = self.posts(&page).map_err(content)?;
            let mut items = Vec::new();
            for (index, post) in posts.iter().enumerate() {
                match self.item(post, &page, round.now) {
                    Ok(item) => {
                        round.fits();
                        items.push(item);
                    }
                    Err(misfit) => {
                        let place = format!("{} item {}", page.url, index + 1);
                        round.misfit(&place, &misfit).await?;
                    }
                }
            }
            // Behind a page without anything new there is nothing new, unless the last round was broken off.
            let new = round.publish(items, None).await?;
            sent += new;
            if posts.is_empty() || (new == 0 && !unfinished) {
                break;
            }
        }
        state.note_unfinished(source, false).await?;
        info!(source, sent, "API read");
        Ok(())
    }
}
