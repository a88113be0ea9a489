//! A board: list pages that lead to detail pages, taken apart by CSS selectors.

use std::collections::HashSet;

use jiff::SignedDuration;
use schemars::JsonSchema;
use scraper::{Html, Selector};
use serde::{Deserialize, Serialize};
use tracing::info;
use url::Url;

use super::{Item, Round, Source, SourceError};
use crate::extract::{address, charset, text, time};
use crate::fetch::{FetchError, Page, Validators};

/// Posts published together: few, because each is a page that is waited for.
const BATCH: usize = 5;
/// Pages looked at again in a round, at most.
const MOST_RECHECKED: u32 = 20;
/// Posts in a row that cannot be had because the server is away, before it is left alone.
const MOST_AWAY: u32 = 3;

/// A list page with detail pages.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Address of the first list page.
    #[schemars(with = "String")]
    pub url: Url,
    /// CSS selector of the links to posts, on a list page.
    pub item: String,
    /// CSS selector of the link to the next list page; only the first is read where absent.
    #[serde(default)]
    pub next: Option<String>,
    /// Most list pages read in a round.
    #[serde(default = "default_most_pages")]
    pub most_pages: u32,
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

fn default_most_pages() -> u32 {
    20
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

pub(super) fn check_url(field: &str, url: &Url) -> Result<(), String> {
    if matches!(url.scheme(), "http" | "https") {
        return Ok(());
    }
    Err(format!("`{field}` must begin with http or https"))
}

impl Board {
    /// The links of a list page, and the next one.
    fn links(&self, page: &Page) -> Result<(Vec<Url>, Option<Url>), String> {
        let html = Html::parse_document(&self.decode(page)?);
        let targets = |field: &str, selector: &str| -> Result<Vec<Url>, String> {
            let selector = parse(field, selector)?;
            Ok(html
                .select(&selector)
                .filter_map(|link| page.url.join(link.value().attr("href")?).ok())
                .filter(|link| matches!(link.scheme(), "http" | "https"))
                .map(address::canonical)
                .collect())
        };
        let next = match &self.next {
            Some(selector) => targets("board.next", selector)?.into_iter().next(),
            None => None,
        };
        let mut links = targets("board.item", &self.item)?;
        let mut seen = HashSet::new();
        links.retain(|link| seen.insert(link.clone()));
        Ok((links, next))
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
        let text = of("board.text", &self.text)?;
        if text.is_empty() {
            return Err("has no text at `board.text`; has the site's template changed?".to_owned());
        }
        let published_at = match &self.time {
            Some(selector) => time::parse(&of("board.time", selector)?, round.now)
                .ok_or("tells no time at `board.time`; has the site's template changed?")?,
            None => round.now,
        };
        Ok(Item {
            id: String::new(),
            url: page.url.to_string(),
            title: of("board.title", &self.title)?.replace('\n', " "),
            text,
            author: match &self.author {
                Some(selector) => of("board.author", selector)?,
                None => String::new(),
            },
            published_at,
            likes: count("board.likes", &self.likes)?,
            opposes: count("board.opposes", &self.opposes)?,
        })
    }

    fn decode(&self, page: &Page) -> Result<String, String> {
        charset::decode(
            &page.bytes,
            self.charset.as_deref(),
            page.content_type.as_deref(),
        )
        .map_err(|error| error.to_string())
    }

    /// Fetches and publishes the new posts of a list page.
    async fn read_posts(&self, links: Vec<Url>, round: &Round<'_>) -> Result<Yield, SourceError> {
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
    async fn recheck(&self, round: &Round<'_>) -> Result<(), SourceError> {
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

    /// Reads the list pages and what is new on them.
    async fn read_lists(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let (source, state) = (&round.definition.name, round.publisher.state());
        // Boards put the newest first: behind a page of known posts there is nothing new, unless the last
        // round was broken off.
        let unfinished = state.is_unfinished(source).await?;
        let known = match unfinished {
            true => Validators::default(),
            false => state.validators(&self.url).await?,
        };
        let Some(first) = round.fetch(&self.url, &known).await? else {
            return Ok(());
        };
        state.note_unfinished(source, true).await?;
        let validators = first.validators.clone();
        let (mut new, mut refused, mut missing) = (0, 0, false);
        let mut visited = HashSet::from([self.url.clone()]);
        let mut page = Some(first);
        while let Some(list) = page.take() {
            let (links, next) = tokio::task::block_in_place(|| self.links(&list))
                .map_err(|problem| SourceError::Content(format!("{} {problem}", list.url)))?;
            if links.is_empty() && visited.len() == 1 {
                let problem = "has no links at `board.item`; has the site's template changed?";
                return Err(SourceError::Content(format!("{} {problem}", list.url)));
            }
            let yielded = self.read_posts(links, round).await?;
            new += yielded.new;
            refused += yielded.refused;
            missing |= yielded.missing;
            if round.stop.is_cancelled() {
                return Ok(());
            }
            let go_on = yielded.new > 0 || unfinished;
            if let Some(next) = next
                && go_on
                && visited.len() < self.most_pages as usize
                && visited.insert(next.clone())
            {
                page = round.fetch(&next, &Validators::default()).await?;
            }
        }
        state.note_unfinished(source, missing).await?;
        // A list that has not changed is not read again, so only when nothing of it is left to be had.
        if refused == 0 {
            state.remember_validators(&self.url, &validators).await?;
        }
        let pages = visited.len();
        info!(source, pages, new, refused, "board read");
        Ok(())
    }
}

/// What a list page yielded.
#[derive(Debug, Default)]
struct Yield {
    /// Posts not known before.
    new: u32,
    /// Posts refused.
    refused: u32,
    /// Whether some of these may well be had later.
    missing: bool,
}

fn parse(field: &str, selector: &str) -> Result<Selector, String> {
    Selector::parse(selector).map_err(|_| format!("`{field}` is no CSS selector: `{selector}`"))
}

impl Source for Board {
    fn check(&self) -> Result<(), String> {
        check_url("board.url", &self.url)?;
        if self.most_pages == 0 {
            return Err("`board.most_pages` must be 1 or more".to_owned());
        }
        parse("board.item", &self.item)?;
        parse("board.title", &self.title)?;
        parse("board.text", &self.text)?;
        for (field, selector) in [
            ("board.next", &self.next),
            ("board.time", &self.time),
            ("board.author", &self.author),
            ("board.likes", &self.likes),
            ("board.opposes", &self.opposes),
        ] {
            if let Some(selector) = selector {
                parse(field, selector)?;
            }
        }
        match &self.charset {
            Some(label) if encoding_rs::Encoding::for_label(label.as_bytes()).is_none() => {
                Err(format!(
                    "`board.charset` is \"{label}\", which is no charset; use \"utf-8\" or \"gbk\""
                ))
            }
            _ => Ok(()),
        }
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        self.read_lists(round).await?;
        self.recheck(round).await
    }
}
