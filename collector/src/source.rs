//! Sources: what is read, described in a few lines of TOML each, one file of code per kind.

pub mod api;
pub mod board;
pub mod feed;
pub mod import;
pub mod posts;
pub mod push;
pub mod sitemap;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};

use backbone::message::SourceKind;
use backbone::settings::{SettingsError, beside, load};
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::fetch::{FetchError, Fetcher, Page, Validators};
use crate::item::{Item, Origin};
use crate::publish::{PublishError, Publisher};
use crate::state::{Cursor, StateError};

pub use api::Api;
pub use board::Board;
pub use feed::Feed;
pub use import::Import;
pub use posts::Posts;
pub use push::Push;
pub use sitemap::Sitemap;

/// A source, from a file of the sources' folder. It has exactly one of `import`,
/// `board`, `sitemap`, `feed`, `api` and `push`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name, as shown with its posts. Part of the posts' ids: a renamed source is another one.
    pub name: String,
    /// Code of the region that it is about.
    pub region: String,
    /// Whether it is read.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether it is an official column: notices and news of the government itself.
    #[serde(default)]
    pub official: bool,
    /// Time between two rounds, in seconds.
    #[serde(default = "default_every_seconds")]
    pub every_seconds: u64,
    /// A file exported from a hotline or a mailbox.
    #[serde(default)]
    pub import: Option<Import>,
    /// A list page with detail pages.
    #[serde(default)]
    pub board: Option<Board>,
    /// An RSS, Atom or JSON feed.
    #[serde(default)]
    pub feed: Option<Feed>,
    /// A sitemap that leads to the posts' own pages.
    #[serde(default)]
    pub sitemap: Option<Sitemap>,
    /// A JSON API.
    #[serde(default)]
    pub api: Option<Api>,
    /// A system that hands its posts over.
    #[serde(default)]
    pub push: Option<Push>,
}

fn yes() -> bool {
    true
}

fn default_every_seconds() -> u64 {
    600
}

/// Why a round of a source ended early. A row, an entry or a page that does not fit does not end one.
#[derive(Debug, Error)]
pub enum SourceError {
    /// Its file or its page could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is not what the source should be.
    #[error("{0}")]
    Content(String),
    /// A file could not be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What it yielded was not taken.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The collector's own state failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What a round of reading works with.
#[derive(Debug)]
pub struct Round<'a> {
    /// The source.
    pub definition: &'a Definition,
    /// Fetches pages.
    pub fetcher: &'a Fetcher,
    /// Takes what is found.
    pub publisher: &'a Publisher,
    /// Ends the round between two items.
    pub stop: &'a CancellationToken,
    /// When it began.
    pub now: Timestamp,
}

impl Round<'_> {
    /// Publishes those items that are new or whose words have changed, and tells how many were sent. The
    /// cursor is kept with them.
    ///
    /// # Errors
    /// When they are not taken; sent again they have the same ids.
    pub async fn publish(
        &self,
        items: Vec<Item>,
        cursor: Option<&Cursor>,
    ) -> Result<u64, PublishError> {
        let origin = self.definition.origin();
        self.publisher
            .publish(origin, items, cursor, self.now)
            .await
    }

    /// Refuses a row, an entry or a page: told with its place, not with its content.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn refuse(&self, place: &str, problem: &str) -> Result<(), StateError> {
        self.publisher
            .refuse(&self.definition.name, place, problem)
            .await
    }

    /// Fetches a page of the source, counted; nothing when it has not changed since `known`.
    ///
    /// # Errors
    /// Says why it was not had.
    pub async fn fetch(&self, url: &Url, known: &Validators) -> Result<Option<Page>, FetchError> {
        self.fetch_with(url, known, &HeaderMap::new()).await
    }

    /// As [`Round::fetch`], with headers that only the address's own site is sent.
    ///
    /// # Errors
    /// Says why it was not had.
    pub async fn fetch_with(
        &self,
        url: &Url,
        known: &Validators,
        headers: &HeaderMap,
    ) -> Result<Option<Page>, FetchError> {
        let fetched = self.fetcher.get_with(url, known, headers).await;
        let outcome = match &fetched {
            Ok(Some(_)) => "read",
            Ok(None) => "unchanged",
            Err(_) => "failed",
        };
        self.publisher
            .metrics()
            .fetches_total
            .with_label_values(&[self.definition.name.as_str(), outcome])
            .inc();
        fetched
    }
}

/// Reads a source of one kind.
pub trait Source {
    /// Reads what is new and hands it to the publisher.
    fn read(&self, round: &Round<'_>) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// What is wrong with its description, and the remedy.
    ///
    /// # Errors
    /// Names the field.
    fn check(&self) -> Result<(), String>;
}

impl Definition {
    /// Reads and checks a source's file.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let mut definition = load(path, Self::check)?;
        if let Some(import) = &mut definition.import {
            import.file = beside(path, &import.file);
        }
        Ok(definition)
    }

    /// Reads all sources of a folder, in the order of their file names.
    ///
    /// # Errors
    /// As [`Definition::load`], and when two sources have the same name.
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, SettingsError> {
        let (definitions, problems) = Self::read_all(folder);
        match problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(definitions),
        }
    }

    /// As [`Definition::load_all`], but going on at a problem: the sources in order, and every problem.
    #[must_use]
    pub fn read_all(folder: &Path) -> (Vec<Self>, Vec<SettingsError>) {
        let mut names = BTreeSet::new();
        let (mut definitions, mut problems) = (Vec::new(), Vec::new());
        let paths = match files_of(folder) {
            Ok(paths) => paths,
            Err(error) => {
                let problem =
                    format!("cannot be read: {error}; set `sources` to the folder of the sources");
                problems.push(SettingsError::Invalid {
                    path: folder.to_owned(),
                    problem,
                });
                Vec::new()
            }
        };
        for path in paths {
            match Self::load(&path) {
                Ok(definition) if names.insert(definition.name.clone()) => {
                    definitions.push(definition);
                }
                Ok(definition) => {
                    let problem = format!(
                        "`name` is \"{}\", which another source has; give each its own",
                        definition.name
                    );
                    problems.push(SettingsError::Invalid { path, problem });
                }
                Err(problem) => problems.push(problem),
            }
        }
        (definitions, problems)
    }

    fn check(&self) -> Result<(), String> {
        if self.name.trim().is_empty() || self.region.trim().is_empty() {
            return Err("`name` and `region` must not be empty".to_owned());
        }
        if self.every_seconds == 0 {
            return Err("`every_seconds` must be 1 or more".to_owned());
        }
        let import = self.import.as_ref().map(Source::check);
        let board = self.board.as_ref().map(Source::check);
        let sitemap = self.sitemap.as_ref().map(Source::check);
        let feed = self.feed.as_ref().map(Source::check);
        let api = self.api.as_ref().map(Source::check);
        let push = self.push.as_ref().map(Source::check);
        let mut kinds = [import, board, sitemap, feed, api, push]
            .into_iter()
            .flatten();
        match (kinds.next(), kinds.next()) {
            (Some(checked), None) => checked,
            _ => Err(
                "must have exactly one of [import], [board], [sitemap], [feed], [api] and [push]"
                    .to_owned(),
            ),
        }
    }

    /// What of it goes into its posts.
    #[must_use]
    pub fn origin(&self) -> Origin<'_> {
        Origin {
            name: &self.name,
            region: &self.region,
            kind: self.kind(),
        }
    }

    /// What kind of place its posts come from.
    #[must_use]
    pub fn kind(&self) -> SourceKind {
        if self.official {
            SourceKind::Official
        } else if self.import.is_some() || self.push.is_some() {
            SourceKind::Import
        } else if self.feed.is_some() {
            SourceKind::Feed
        } else {
            SourceKind::Board
        }
    }

    /// Reads it once.
    ///
    /// # Errors
    /// When the round ended early.
    pub async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        if let Some(import) = &self.import {
            import.read(round).await
        } else if let Some(board) = &self.board {
            board.read(round).await
        } else if let Some(sitemap) = &self.sitemap {
            sitemap.read(round).await
        } else if let Some(feed) = &self.feed {
            feed.read(round).await
        } else if let Some(api) = &self.api {
            api.read(round).await
        } else if let Some(push) = &self.push {
            push.read(round).await
        } else {
            Ok(())
        }
    }
}

fn files_of(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_documented() {
        assert_eq!(
            backbone::settings::undocumented_fields::<Definition>(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_mistake_is_named_with_file_field_and_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let head = "name = \"留言板\"\nregion = \"990101\"\n";
        for (text, expected) in [
            (
                format!("{head}[feed]\nurl = \"http://a.test/f\"\ncolour = 1\n"),
                "source.toml:5: unknown field `colour`",
            ),
            (head.to_owned(), "exactly one of"),
            (
                format!("{head}[import]\nfile = \"a.csv\"\n[feed]\nurl = \"http://a.test/f\"\n"),
                "exactly one of",
            ),
            (
                format!("{head}[board]\nurl = \"http://a.test/\"\nitem = \"a[\"\n[board.post]\n"),
                "`board.item`",
            ),
            (
                format!("{head}[feed]\nurl = \"ftp://a.test/f\"\n"),
                "`feed.url`",
            ),
            (
                format!(
                    "{head}[api]\nurl = \"http://a.test/\"\nid = \"id\"\ntext = \"/t\"\ntime = \"/at\"\n"
                ),
                "write `/id`",
            ),
            (
                format!("{head}[import]\nfile = \"a.xls\"\n"),
                "`import.format`",
            ),
        ] {
            let path = folder.path().join("source.toml");
            std::fs::write(&path, &text).unwrap();
            let said = Definition::load(&path).unwrap_err().to_string();
            assert!(
                said.contains("source.toml") && said.contains(expected),
                "{said}"
            );
        }
    }
}
