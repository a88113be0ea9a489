//! A board: list pages that lead to detail pages, taken apart by CSS selectors.

use schemars::JsonSchema;
use scraper::{Html, Selector};
use serde::{Deserialize, Serialize};
use tracing::info;
use url::Url;

use super::{Item, Round, Source, SourceError};
use crate::extract::{self, address, charset};
use crate::fetch::{Page, Validators};

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
    /// The charset, where the site itself says a wrong one.
    #[serde(default)]
    pub charset: Option<String>,
}

fn default_most_pages() -> u32 {
    20
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
        let targets = |selector: &str| -> Result<Vec<Url>, String> {
            let selector = parse("board.item", selector)?;
            Ok(html
                .select(&selector)
                .filter_map(|link| page.url.join(link.value().attr("href")?).ok())
                .map(address::canonical)
                .collect())
        };
        let next = match &self.next {
            Some(selector) => targets(selector)?.into_iter().next(),
            None => None,
        };
        let mut links = targets(&self.item)?;
        let mut seen = std::collections::HashSet::new();
        links.retain(|link| seen.insert(link.clone()));
        Ok((links, next))
    }

    /// A post's page as an item.
    fn item(&self, page: &Page, round: &Round<'_>) -> Result<Item, String> {
        let html = Html::parse_document(&self.decode(page)?);
        let of = |field: &str, selector: &str| -> Result<String, String> {
            let selector = parse(field, selector)?;
            let found = html.select(&selector).next();
            Ok(found
                .map(|found| extract::tidy(&found.text().collect::<Vec<_>>().join("\n")))
                .unwrap_or_default())
        };
        let text = of("board.text", &self.text)?;
        if text.is_empty() {
            return Err("has no text at `board.text`; has the site's template changed?".to_owned());
        }
        let published_at = match &self.time {
            Some(selector) => extract::time::parse(&of("board.time", selector)?, round.now)
                .ok_or("tells no time at `board.time`; has the site's template changed?")?,
            None => round.now,
        };
        Ok(Item {
            id: page.url.to_string(),
            url: page.url.to_string(),
            title: of("board.title", &self.title)?.replace('\n', " "),
            text,
            author: match &self.author {
                Some(selector) => of("board.author", selector)?,
                None => String::new(),
            },
            published_at,
            likes: 0,
            opposes: 0,
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

    /// Fetches and publishes the new posts of a list page; tells whether there were any.
    async fn read_posts(&self, links: Vec<Url>, round: &Round<'_>) -> Result<bool, SourceError> {
        let new = round.publisher.unseen(round.definition, links).await?;
        let any = !new.is_empty();
        let mut items = Vec::new();
        for url in new {
            if round.stop.is_cancelled() {
                break;
            }
            let read = match round.fetcher.get(&url, &Validators::default()).await {
                Ok(Some(page)) => {
                    // The post is known by the address that the list gives it.
                    let page = Page {
                        url: url.clone(),
                        ..page
                    };
                    tokio::task::block_in_place(|| self.item(&page, round))
                }
                Ok(None) => continue,
                Err(error) => Err(format!("was not had: {error}")),
            };
            match read {
                Ok(item) => items.push(item),
                Err(problem) => {
                    round
                        .publisher
                        .refuse(round.definition, url.as_str(), &problem)
                        .await?
                }
            }
        }
        round.publisher.publish(round, items, None).await?;
        Ok(any)
    }
}

fn parse(field: &str, selector: &str) -> Result<Selector, String> {
    Selector::parse(selector).map_err(|_| format!("`{field}` is no CSS selector: `{selector}`"))
}

impl Source for Board {
    fn check(&self) -> Result<(), String> {
        check_url("board.url", &self.url)?;
        parse("board.item", &self.item)?;
        parse("board.title", &self.title)?;
        parse("board.text", &self.text)?;
        for (field, selector) in [
            ("board.next", &self.next),
            ("board.time", &self.time),
            ("board.author", &self.author),
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
        let mut next = Some(self.url.clone());
        let mut pages = 0;
        while let Some(url) = next.take() {
            let Some(page) = round.fetcher.get(&url, &Validators::default()).await? else {
                break;
            };
            let (links, following) = tokio::task::block_in_place(|| self.links(&page))
                .map_err(|problem| SourceError::Content(format!("{} {problem}", page.url)))?;
            if links.is_empty() && pages == 0 {
                let problem = "has no links at `board.item`; has the site's template changed?";
                return Err(SourceError::Content(format!("{} {problem}", page.url)));
            }
            pages += 1;
            let new = self.read_posts(links, round).await?;
            // Boards put the newest first: behind a page of known posts there is nothing new.
            if new && pages < self.most_pages && !round.stop.is_cancelled() {
                next = following;
            }
        }
        info!(source = round.definition.name, pages, "board read");
        Ok(())
    }
}
