//! Posts that have pages of their own: fetched one by one, taken apart by CSS selectors or by
//! themselves, looked at again for edits.

use std::cell::LazyCell;
use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::SignedDuration;
use schemars::JsonSchema;
use scraper::{Html, Selector};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use url::Url;

use super::{Item, Misfit, Round, SourceError};
use crate::extract::article::{Article, Found, MADE_BY_SCRIPTS, needs_a_browser};
use crate::extract::{charset, page, text, time};
use crate::fetch::{FetchError, Page, Validators};
use crate::item::How;
use crate::publish::Unseen;
use crate::state::StateError;

/// Posts published together, at most.
const BATCH: usize = 20;
/// Longest wait for another post to be published with those read.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Pages looked at again in a round, at most.
const MOST_RECHECKED: u32 = 20;
/// Posts in a row that cannot be had because the server is away, before it is left alone.
const MOST_AWAY: u32 = 3;

/// What the pages of posts are like.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Posts {
    /// CSS selector of the title, on a post's page; found by itself where absent.
    #[serde(default)]
    pub title: Option<String>,
    /// CSS selector of the text; found by itself where absent.
    #[serde(default)]
    pub text: Option<String>,
    /// CSS selector of the time; found by itself where absent.
    #[serde(default)]
    pub time: Option<String>,
    /// CSS selector of the author; found by itself where absent.
    #[serde(default)]
    pub author: Option<String>,
    /// CSS selector of the number of votes for it.
    #[serde(default)]
    pub likes: Option<String>,
    /// CSS selector of the number of votes against it.
    #[serde(default)]
    pub opposes: Option<String>,
    /// CSS selector of the time of the official answer, once there is one.
    #[serde(default)]
    pub answered: Option<String>,
    /// Hours after which a post's page is looked at again, for edits.
    #[serde(default = "default_recheck_hours")]
    pub recheck_hours: u32,
    /// Days for which that is done; 0 for never.
    #[serde(default = "default_recheck_days")]
    pub recheck_days: u32,
    /// The charset, where the site itself says a wrong one.
    #[serde(default)]
    pub charset: Option<String>,
}

fn default_recheck_hours() -> u32 {
    24
}

fn default_recheck_days() -> u32 {
    14
}

impl Default for Posts {
    fn default() -> Self {
        Self {
            title: None,
            text: None,
            time: None,
            author: None,
            likes: None,
            opposes: None,
            answered: None,
            recheck_hours: default_recheck_hours(),
            recheck_days: default_recheck_days(),
            charset: None,
        }
    }
}

impl Posts {
    /// What is wrong with it, and the remedy.
    ///
    /// # Errors
    /// Names the field.
    pub(super) fn check(&self) -> Result<(), String> {
        for (field, selector) in [
            ("post.title", self.title.as_ref()),
            ("post.text", self.text.as_ref()),
            ("post.time", self.time.as_ref()),
            ("post.author", self.author.as_ref()),
            ("post.likes", self.likes.as_ref()),
            ("post.opposes", self.opposes.as_ref()),
            ("post.answered", self.answered.as_ref()),
        ] {
            if let Some(selector) = selector {
                parse(field, selector)?;
            }
        }
        match &self.charset {
            Some(label) if encoding_rs::Encoding::for_label(label.as_bytes()).is_none() => {
                Err(format!(
                    "`post.charset` is \"{label}\", which is no charset; use \"utf-8\" or \"gbk\""
                ))
            }
            _ => Ok(()),
        }
    }

    /// A post's page as an item.
    fn item(&self, page: &Page, round: &Round<'_>) -> Result<Item, Misfit> {
        let text = self.decode(page).map_err(Misfit::Other)?;
        let html = page::parse(&text).map_err(|error| Misfit::Other(error.to_string()))?;
        let fields = Fields { html: &html };
        // Only where something is to be found by itself.
        let article = LazyCell::new(|| {
            let selected = self.text.as_ref().and_then(|selector| {
                let selector = parse("post.text", selector).ok()?;
                html.select(&selector).next()
            });
            match selected {
                Some(text) => Article::around_text(&html, text),
                None => Article::new(&html),
            }
        });
        let count = |field: &'static str, selector: &Option<String>| -> Result<u32, Misfit> {
            let Some(selector) = selector else {
                return Ok(0);
            };
            let told: String = fields
                .of(field, selector)?
                .value
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            told.parse().map_err(|_| Misfit::missing("number", field))
        };
        let text = match &self.text {
            Some(selector) => Some(fields.of("post.text", selector)?),
            None => article.text(),
        };
        let Some(text) = text.filter(|text| !text.value.is_empty()) else {
            if needs_a_browser(&html) {
                return Err(Misfit::Other(MADE_BY_SCRIPTS.to_owned()));
            }
            return Err(Misfit::missing("text", "post.text"));
        };
        let title = match &self.title {
            Some(selector) => Some(fields.of("post.title", selector)?),
            None => article.title(),
        };
        let author = match &self.author {
            Some(selector) => Some(fields.of("post.author", selector)?),
            None => article.author(),
        };
        let published = match &self.time {
            Some(selector) => {
                let found = fields.of("post.time", selector)?;
                let told = time::tell(&found.value, round.now);
                let told = told.ok_or_else(|| Misfit::missing("time", "post.time"))?;
                Some(Found {
                    value: told,
                    how: found.how,
                })
            }
            None => article.time(round.now),
        };
        // A post that has no answer yet has no place for its time either.
        let answered = (self.answered.as_ref())
            .and_then(|selector| fields.of("post.answered", selector).ok())
            .and_then(|found| time::tell(&found.value, round.now));
        let mut how = How::default();
        how.note("text", Some(&text));
        how.note("title", title.as_ref());
        how.note("author", author.as_ref());
        how.note("time", published.as_ref());
        Ok(Item {
            id: String::new(),
            url: page.url.to_string(),
            title: title.map_or_else(String::new, |title| title.value.replace('\n', " ")),
            text: text.value,
            author: author.map_or_else(String::new, |author| author.value),
            published: published.map(|published| published.value),
            likes: count("post.likes", &self.likes)?,
            opposes: count("post.opposes", &self.opposes)?,
            answered: answered.map(|told| told.at),
            how,
        })
    }

    /// A page's text in the charset that it is in.
    pub(super) fn decode(&self, page: &Page) -> Result<String, String> {
        charset::decode(
            &page.bytes,
            self.charset.as_deref(),
            page.content_type.as_deref(),
        )
        .map_err(|error| error.to_string())
    }

    /// How pages are read: what yielded nothing may yield something once that is another way.
    fn way(&self) -> String {
        backbone::id::of("way", &[&serde_json::json!(self).to_string()])
    }

    /// Those of a list whose posts were never sent, as they are to be asked for.
    pub(super) async fn unseen(
        &self,
        links: Vec<Url>,
        round: &Round<'_>,
    ) -> Result<Unseen, StateError> {
        let (source, publisher) = (&round.definition.name, round.publisher);
        publisher
            .unseen(source, &self.way(), links, round.now)
            .await
    }

    /// Fetches and publishes those of a list that are new.
    pub(super) async fn read(
        &self,
        links: Vec<Url>,
        round: &Round<'_>,
    ) -> Result<Yield, SourceError> {
        let Unseen { due, resting } = self.unseen(links, round).await?;
        let mut yielded = Yield {
            resting,
            ..Yield::default()
        };
        let (way, state) = (self.way(), round.publisher.state());
        let mut items = Vec::new();
        let mut read_pages = Vec::new();
        let mut away = 0;
        // As many are asked for ahead as the host is asked for at a time; they come in their order.
        let mut pages = stream::iter(due)
            .map(|url| async move {
                let page = round.fetch(&url, &Validators::default()).await;
                (url, page)
            })
            .buffered(round.fetcher.per_host());
        loop {
            let next = match items.is_empty() {
                true => pages.next().await,
                false => match timeout(LONGEST_WAIT, pages.next()).await {
                    Ok(next) => next,
                    Err(_) => {
                        round.publish(std::mem::take(&mut items), None).await?;
                        continue;
                    }
                },
            };
            let Some((url, page)) = next else {
                break;
            };
            if round.stop.is_cancelled() {
                break;
            }
            let may_pass = page.as_ref().is_err_and(FetchError::is_passing);
            let read = match page {
                Ok(page) => {
                    away = 0;
                    page.ok_or_else(|| "has no contents".to_owned())
                        .map_err(Misfit::Other)
                        .and_then(|page| {
                            // The post is known by the address that the list gives it.
                            let page = Page {
                                url: url.clone(),
                                ..page
                            };
                            page.work(|| self.item(&page, round))
                        })
                }
                Err(error) => {
                    yielded.missing |= may_pass;
                    let resting = matches!(error, FetchError::Resting { .. });
                    away += u32::from(matches!(error, FetchError::Connection { .. }));
                    if resting || away == MOST_AWAY {
                        round.publish(items, None).await?;
                        return Err(error.into());
                    }
                    Err(Misfit::Other(format!("was not had: {error}")))
                }
            };
            match read {
                Ok(item) => {
                    round.fits();
                    yielded.new += 1;
                    yielded.recent += u32::from(round.is_recent(&item));
                    items.push(item);
                    read_pages.push(url);
                }
                Err(problem) => {
                    yielded.refused += 1;
                    round.misfit(url.as_str(), &problem).await?;
                    let source = &round.definition.name;
                    (state.note_asked(source, &way, &url, !may_pass, round.now)).await?;
                }
            }
            if items.len() == BATCH {
                round.publish(std::mem::take(&mut items), None).await?;
            }
        }
        round.publish(items, None).await?;
        if self.recheck_days > 0 {
            for url in read_pages {
                state.watch(&round.definition.name, &url, round.now).await?;
            }
        }
        Ok(yielded)
    }

    /// Looks at posts again that were read some time ago: people edit what they wrote.
    /// A page that is gone is looked at no more; what was sent of it stays.
    pub(super) async fn recheck(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let (source, state) = (&round.definition.name, round.publisher.state());
        let found = round.now - SignedDuration::from_hours(i64::from(self.recheck_days) * 24);
        let checked = round.now - SignedDuration::from_hours(i64::from(self.recheck_hours));
        for url in state.due(source, found, checked, MOST_RECHECKED).await? {
            if round.stop.is_cancelled() {
                break;
            }
            let known = state.validators(&url).await?;
            match round.fetch(&url, &known).await {
                Ok(None) => {}
                Ok(Some(page)) => {
                    let validators = page.validators.clone();
                    let page = Page {
                        url: url.clone(),
                        ..page
                    };
                    match page.work(|| self.item(&page, round)) {
                        Ok(item) => {
                            round.publish(vec![item], None).await?;
                            state.remember_validators(&url, &validators).await?;
                        }
                        Err(problem) => round.misfit(url.as_str(), &problem).await?,
                    }
                }
                Err(error) if error.is_passing() => return Err(error.into()),
                Err(_) => {
                    state.unwatch(source, &url).await?;
                    continue;
                }
            }
            state.watch(source, &url, round.now).await?;
        }
        Ok(())
    }
}

/// What a list of posts yielded.
#[derive(Debug, Default)]
pub(super) struct Yield {
    /// Posts not known before.
    pub(super) new: u32,
    /// Those of them that are recent enough to be sent.
    pub(super) recent: u32,
    /// Posts refused.
    pub(super) refused: u32,
    /// Pages not asked for, because they yielded nothing before.
    pub(super) resting: usize,
    /// Whether some of these may well be had later.
    pub(super) missing: bool,
}

/// What selectors find on a page.
struct Fields<'a> {
    html: &'a Html,
}

impl Fields<'_> {
    fn of(&self, field: &'static str, selector: &str) -> Result<Found<String>, Misfit> {
        let parsed = parse(field, selector).map_err(Misfit::Other)?;
        let found = self.html.select(&parsed).next();
        Ok(Found {
            value: found.map(text::of_element).unwrap_or_default(),
            how: format!("by `{field}`, `{selector}`"),
        })
    }
}

/// A CSS selector of the settings.
pub(super) fn parse(field: &str, selector: &str) -> Result<Selector, String> {
    Selector::parse(selector).map_err(|_| format!("`{field}` is no CSS selector: `{selector}`"))
}
