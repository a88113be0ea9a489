//! A board: list pages that lead to the posts' own pages.

use std::collections::HashSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::info;
use url::Url;

use super::posts::parse;
use super::{Misfit, Posts, Round, Source, SourceError};
use crate::extract::article::MADE_BY_SCRIPTS;
use crate::extract::{address, listing, page};
use crate::fetch::{Page, Validators};

/// A list page with detail pages.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Address of the first list page.
    pub url: Url,
    /// CSS selector of the links to posts, on a list page; found by themselves where absent.
    #[serde(default)]
    pub item: Option<String>,
    /// CSS selector of the link to the next list page; found by itself where absent.
    #[serde(default)]
    pub next: Option<String>,
    /// Most list pages read in a round.
    #[serde(default = "default_most_pages")]
    pub most_pages: u32,
    /// What a post's page is like.
    #[serde(default)]
    pub post: Posts,
}

fn default_most_pages() -> u32 {
    20
}

pub(super) fn check_url(field: &str, url: &Url) -> Result<(), String> {
    if matches!(url.scheme(), "http" | "https") {
        return Ok(());
    }
    Err(format!("`{field}` must begin with http or https"))
}

impl Board {
    /// The links of a list page, and the next one.
    fn links(&self, page: &Page, now: Timestamp) -> Result<(Vec<Url>, Option<Url>), String> {
        let text = self.post.decode(page)?;
        let html = page::parse(&text).map_err(|error| error.to_string())?;
        let base = page::base(&html, &page.url);
        let targets = |field: &str, selector: &str| -> Result<Vec<Url>, String> {
            let selector = parse(field, selector)?;
            Ok(html
                .select(&selector)
                .filter_map(|link| base.join(link.value().attr("href")?).ok())
                .filter(|link| matches!(link.scheme(), "http" | "https"))
                .collect())
        };
        let next = match &self.next {
            Some(selector) => targets("board.next", selector)?.into_iter().next(),
            None => listing::next(&html, &base),
        };
        let links: Vec<Url> = match &self.item {
            Some(selector) => targets("board.item", selector)?,
            None => listing::entries(&html, &base, now)
                .into_iter()
                .map(|entry| entry.url)
                .collect(),
        };
        if links.is_empty() && listing::needs_a_browser(&html) {
            return Err(MADE_BY_SCRIPTS.to_owned());
        }
        let mut seen = HashSet::new();
        let links = links
            .into_iter()
            .map(address::canonical)
            .filter(|link| seen.insert(address::identity(link.as_str())))
            .collect();
        Ok((links, next.map(address::canonical)))
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
        let (mut new, mut refused, mut resting, mut missing) = (0, 0, 0, false);
        let mut visited = HashSet::from([self.url.clone()]);
        let mut page = Some(first);
        while let Some(list) = page.take() {
            let (links, next) = list
                .work(|| self.links(&list, round.now))
                .map_err(|problem| SourceError::Content(format!("{} {problem}", list.url)))?;
            if links.is_empty() && visited.len() == 1 {
                return Err(SourceError::Changed {
                    place: list.url.to_string(),
                    misfit: Misfit::missing("links", "board.item"),
                });
            }
            let yielded = self.post.read(links, round).await?;
            new += yielded.new;
            refused += yielded.refused;
            resting += yielded.resting;
            missing |= yielded.missing;
            if round.stop.is_cancelled() {
                return Ok(());
            }
            let go_on = yielded.recent > 0 || unfinished;
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
        if refused == 0 && resting == 0 {
            state.remember_validators(&self.url, &validators).await?;
        }
        let pages = visited.len();
        info!(source, pages, new, refused, resting, "board read");
        Ok(())
    }
}

impl Source for Board {
    fn check(&self) -> Result<(), String> {
        check_url("board.url", &self.url)?;
        if self.most_pages == 0 {
            return Err("`board.most_pages` must be 1 or more".to_owned());
        }
        for (field, selector) in [("board.item", &self.item), ("board.next", &self.next)] {
            if let Some(selector) = selector {
                parse(field, selector)?;
            }
        }
        self.post
            .check()
            .map_err(|problem| problem.replacen("`post.", "`board.post.", 1))
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        self.read_lists(round).await?;
        self.post.recheck(round).await
    }
}
