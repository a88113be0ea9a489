//! Posts that have pages of their own: fetched one by one, taken apart by CSS selectors, looked at again for
//! edits.

use jiff::SignedDuration;
use schemars::JsonSchema;
use scraper::{Html, Selector};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Item, Round, SourceError};
use crate::extract::{charset, text, time};
use crate::fetch::{FetchError, Page, Validators};

/// Posts published together: few, because each is a page that is waited for.
const BATCH: usize = 5;
/// Pages looked at again in a round, at most.
const MOST_RECHECKED: u32 = 20;
/// Posts in a row that cannot be had because the server is away, before it is left alone.
const MOST_AWAY: u32 = 3;

/// What the pages of posts are like.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Posts {
    /// CSS selector of the title, on a post's page.
    #[serde(default = "default_title")]
    pub title: String,
    /// CSS selector of the text.
    #[serde(default = "default_text")]
    pub text: String,
    /// CSS selector of the time; the time of reading where absent.
    #[serde(default)]
    pub time: Option<String>,
    /// CSS selector of the author.
    #[serde(default)]
    pub author: Option<String>,
    /// CSS selector of the number of votes for it.
    #[serde(default)]
    pub likes: Option<String>,
    /// CSS selector of the number of votes against it.
    #[serde(default)]
    pub opposes: Option<String>,
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

fn default_title() -> String {
    "h1".to_owned()
}

fn default_text() -> String {
    "article".to_owned()
}

impl Posts {
    /// What is wrong with it, and the remedy.
    ///
    /// # Errors
    /// Names the field.
    pub(super) fn check(&self) -> Result<(), String> {
        for (field, selector) in [
            ("post.title", Some(&self.title)),
            ("post.text", Some(&self.text)),
            ("post.time", self.time.as_ref()),
            ("post.author", self.author.as_ref()),
            ("post.likes", self.likes.as_ref()),
            ("post.opposes", self.opposes.as_ref()),
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
    fn item(&self, page: &Page, round: &Round<'_>) -> Result<Item, String> {
        let html = Html::parse_document(&self.decode(page)?);
        let of = |field: &str, selector: &str| -> Result<String, String> {
            let selector = parse(field, selector)?;
            let found = html.select(&selector).next();
            Ok(found.map(text::of_element).unwrap_or_default())
        };
        let count = |field: &str, selector: &Option<String>| -> Result<u32, String> {
            let Some(selector) = selector else {
                return Ok(0);
            };
            let told: String = of(field, selector)?
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            told.parse().map_err(|_| {
                format!("tells no number at `{field}`; has the site's template changed?")
            })
        };
        let text = of("post.text", &self.text)?;
        if text.is_empty() {
            return Err("has no text at `post.text`; has the site's template changed?".to_owned());
        }
        let published = match &self.time {
            Some(selector) => Some(
                time::tell(&of("post.time", selector)?, round.now)
                    .ok_or("tells no time at `post.time`; has the site's template changed?")?,
            ),
            None => None,
        };
        Ok(Item {
            id: String::new(),
            url: page.url.to_string(),
            title: of("post.title", &self.title)?.replace('\n', " "),
            text,
            author: match &self.author {
                Some(selector) => of("post.author", selector)?,
                None => String::new(),
            },
            published,
            likes: count("post.likes", &self.likes)?,
            opposes: count("post.opposes", &self.opposes)?,
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

    /// Fetches and publishes those of a list that are new.
    pub(super) async fn read(
        &self,
        links: Vec<Url>,
        round: &Round<'_>,
    ) -> Result<Yield, SourceError> {
        let mut yielded = Yield::default();
        let mut items = Vec::new();
        let mut read_pages = Vec::new();
        let mut away = 0;
        for url in round
            .publisher
            .unseen(&round.definition.name, links)
            .await?
        {
            if round.stop.is_cancelled() {
                break;
            }
            let read = match round.fetch(&url, &Validators::default()).await {
                Ok(page) => {
                    away = 0;
                    page.ok_or_else(|| "has no contents".to_owned())
                        .and_then(|page| {
                            // The post is known by the address that the list gives it.
                            let page = Page {
                                url: url.clone(),
                                ..page
                            };
                            tokio::task::block_in_place(|| self.item(&page, round))
                        })
                }
                Err(error) => {
                    yielded.missing |= error.is_passing();
                    let resting = matches!(error, FetchError::Resting { .. });
                    away += u32::from(matches!(error, FetchError::Connection { .. }));
                    if resting || away == MOST_AWAY {
                        round.publish(items, None).await?;
                        return Err(error.into());
                    }
                    Err(format!("was not had: {error}"))
                }
            };
            match read {
                Ok(item) => {
                    yielded.new += 1;
                    items.push(item);
                    read_pages.push(url);
                }
                Err(problem) => {
                    yielded.refused += 1;
                    round.refuse(url.as_str(), &problem).await?;
                }
            }
            if items.len() == BATCH {
                let batch = std::mem::take(&mut items);
                round.publish(batch, None).await?;
            }
        }
        round.publish(items, None).await?;
        if self.recheck_days > 0 {
            for url in read_pages {
                let state = round.publisher.state();
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
                    match tokio::task::block_in_place(|| self.item(&page, round)) {
                        Ok(item) => {
                            round.publish(vec![item], None).await?;
                            state.remember_validators(&url, &validators).await?;
                        }
                        Err(problem) => round.refuse(url.as_str(), &problem).await?,
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
    /// Posts refused.
    pub(super) refused: u32,
    /// Whether some of these may well be had later.
    pub(super) missing: bool,
}

/// A CSS selector of the settings.
pub(super) fn parse(field: &str, selector: &str) -> Result<Selector, String> {
    Selector::parse(selector).map_err(|_| format!("`{field}` is no CSS selector: `{selector}`"))
}
