//! Sources: what is read, described in a few lines of TOML each, one file of code per kind.

pub mod api;
pub mod board;
pub mod feed;
pub mod import;
pub mod posts;
pub mod push;
pub mod sitemap;
pub mod watch;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use backbone::id;
use backbone::message::{Finding, SourceKind};
use backbone::settings::{Flaw, Problems, SettingsError, beside, faultless, load};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::fetch::{FetchError, Fetcher, Page, Validators};
use crate::item::{Item, Origin};
use crate::publish::{PublishError, Publisher};
use crate::quiet::QuietHours;
use crate::state::{Cursor, StateError};

pub use api::Api;
pub use board::Board;
pub use feed::Feed;
pub use import::Import;
pub use posts::Posts;
pub use push::Push;
pub use sitemap::Sitemap;
pub use watch::Watch;

/// A source, as `[[source]]` in a file of the sources' folder. It has exactly one of `import`, `board`,
/// `sitemap`, `feed`, `api`, `push` and `watch`.
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
    /// Where set, the time between two rounds grows up to so many seconds while there is nothing new.
    #[serde(default)]
    pub longest_seconds: Option<u64>,
    /// Hours of the day in which it is left alone, such as `23:00-06:00`, in Asia/Shanghai.
    #[serde(default)]
    pub quiet_hours: Option<QuietHours>,
    /// Of what is there already when it is first read, only so many days are taken; 0 for all. Exports and
    /// what is pushed are always taken whole.
    #[serde(default = "default_first_visit_days")]
    pub first_visit_days: u32,
    /// Whether its addresses may be in private networks, such as those of the office. Its pages can name any
    /// address, so only for sites that are trusted.
    #[serde(default)]
    pub allow_private: bool,
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
    /// A site of the government's own that is watched.
    #[serde(default)]
    pub watch: Option<Watch>,
}

/// A file of the sources' folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: Vec<Definition>,
}

fn yes() -> bool {
    true
}

fn default_every_seconds() -> u64 {
    600
}

fn default_first_visit_days() -> u32 {
    30
}

/// What is read of a source.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// A file exported from a hotline or a mailbox.
    Import(&'a Import),
    /// A list page with detail pages.
    Board(&'a Board),
    /// An RSS, Atom or JSON feed.
    Feed(&'a Feed),
    /// A sitemap.
    Sitemap(&'a Sitemap),
    /// A JSON API.
    Api(&'a Api),
    /// A system that hands its posts over.
    Push(&'a Push),
    /// A site of the government's own that is watched.
    Watch(&'a Watch),
}

impl Kind<'_> {
    /// Its name, that of its table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Import(_) => "import",
            Self::Board(_) => "board",
            Self::Feed(_) => "feed",
            Self::Sitemap(_) => "sitemap",
            Self::Api(_) => "api",
            Self::Push(_) => "push",
            Self::Watch(_) => "watch",
        }
    }
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
    /// A page is not as its source's description says.
    #[error("{place} {misfit}")]
    Changed {
        /// The page.
        place: String,
        /// What is missing on it.
        misfit: Misfit,
    },
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

/// A page that is not as its source's description says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Misfit {
    /// What a selector should find is not there.
    #[error("has no {what} at `{field}`; has the site changed?")]
    Missing {
        /// What it should find.
        what: &'static str,
        /// The field of the description.
        field: &'static str,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Misfit {
    /// Something is not there.
    #[must_use]
    pub fn missing(what: &'static str, field: &'static str) -> Self {
        Self::Missing { what, field }
    }
}

/// What a round of reading works with.
#[derive(Debug)]
pub struct Round<'a> {
    /// The source.
    pub definition: &'a Definition,
    /// Fetches pages.
    pub fetcher: Fetcher,
    /// Takes what is found.
    pub publisher: &'a Publisher,
    /// Ends the round between two items.
    pub stop: &'a CancellationToken,
    /// When it began.
    pub now: Timestamp,
    /// What was published before is remembered, but not sent: the source is read for the first time.
    pub since: Option<Timestamp>,
    /// What it came to so far.
    pub(crate) tally: Mutex<Tally>,
}

/// What a round came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Posts sent.
    pub(crate) sent: u64,
    /// Whether a page was as its source's description says.
    pub(crate) fits: bool,
    /// Pages on which a selector found nothing.
    pub(crate) misfits: u32,
    /// The field of the last such selector.
    pub(crate) missing: Option<&'static str>,
    /// What is wrong with a site that is watched; nothing where none is.
    pub(crate) findings: Option<Vec<Finding>>,
}

impl<'a> Round<'a> {
    /// A round that begins at `now`.
    #[must_use]
    pub fn new(
        definition: &'a Definition,
        fetcher: &Fetcher,
        publisher: &'a Publisher,
        stop: &'a CancellationToken,
        now: Timestamp,
    ) -> Self {
        Self {
            definition,
            fetcher: fetcher.allowing_private(definition.allow_private),
            publisher,
            stop,
            now,
            since: None,
            tally: Mutex::default(),
        }
    }
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
        let origin = Origin {
            since: self.since,
            ..self.definition.origin()
        };
        let sent = self
            .publisher
            .publish(origin, items, cursor, self.now)
            .await?;
        self.tally().sent += sent;
        Ok(sent)
    }

    /// Whether an item is recent enough to be sent.
    #[must_use]
    pub fn is_recent(&self, item: &Item) -> bool {
        match (item.published, self.since) {
            (Some(told), Some(since)) => told.at >= since,
            _ => true,
        }
    }

    /// Notes that a page is as its source's description says.
    pub fn fits(&self) {
        self.tally().fits = true;
    }

    /// Refuses a page that is not as its source's description says.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn misfit(&self, place: &str, misfit: &Misfit) -> Result<(), StateError> {
        if let Misfit::Missing { field, .. } = misfit {
            let mut tally = self.tally();
            tally.misfits += 1;
            tally.missing = Some(field);
        }
        self.refuse(place, &misfit.to_string()).await
    }

    /// What the round came to so far.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Reads and checks the sources of a file.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(path: &Path) -> Result<Vec<Self>, SettingsError> {
        faultless(|problems| Self::read_file(path, problems))
    }

    fn read_file(path: &Path, problems: &mut Problems) -> Option<Vec<Self>> {
        let check = |file: &File| -> Vec<Flaw> {
            let numbered = file.source.iter().enumerate();
            numbered
                .flat_map(|(index, definition)| {
                    definition.check().into_iter().map(move |problem| {
                        let problem = format!("source \"{}\": {problem}", definition.name);
                        Flaw::from(problem).of(format!("source[{index}]"))
                    })
                })
                .collect()
        };
        let mut definitions = load(path, check, problems)?.source;
        for definition in &mut definitions {
            if let Some(import) = &mut definition.import {
                import.file = beside(path, &import.file);
            }
            let token = definition.push.iter_mut().map(|push| &mut push.token);
            let headers = (definition.api.iter_mut()).flat_map(|api| api.headers.values_mut());
            token
                .chain(headers)
                .for_each(|secret| secret.put_beside(path));
        }
        Some(definitions)
    }

    /// Reads all sources of a folder, in the order of their file names.
    ///
    /// # Errors
    /// As [`Definition::load`], and when two sources have the same name.
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, SettingsError> {
        faultless(|problems| {
            let read = Self::read_all(folder, problems).into_iter();
            Some(read.map(|(.., definition)| definition).collect())
        })
    }

    /// As [`Definition::load_all`], but going on at a problem: the sources in order, each with its file and its place there.
    pub fn read_all(folder: &Path, problems: &mut Problems) -> Vec<(PathBuf, usize, Self)> {
        let mut names = BTreeSet::new();
        let mut definitions = Vec::new();
        let paths = files_of(folder).unwrap_or_else(|error| {
            let problem =
                format!("cannot be read: {error}; set `sources` to the folder of the sources");
            problems.note(folder, [problem]);
            Vec::new()
        });
        for path in paths {
            let found = Self::read_file(&path, problems).unwrap_or_default();
            for (index, definition) in found.into_iter().enumerate() {
                if !names.insert(definition.name.clone()) {
                    let problem = format!(
                        "`name` is \"{}\", which another source has; give each its own",
                        definition.name
                    );
                    problems.note(&path, [Flaw::from(problem).of(format!("source[{index}]"))]);
                }
                definitions.push((path.clone(), index, definition));
            }
        }
        definitions
    }

    fn check(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        if self.name.trim().is_empty() || self.region.trim().is_empty() {
            flaws.push("`name` and `region` must not be empty".to_owned());
        }
        if self.every_seconds == 0 {
            flaws.push("`every_seconds` must be 1 or more".to_owned());
        }
        if (self.longest_seconds).is_some_and(|longest| longest < self.every_seconds) {
            flaws.push("`longest_seconds` must not be less than `every_seconds`".to_owned());
        }
        let mut kinds = self.kinds();
        let of_kind = match (kinds.next(), kinds.next()) {
            (Some(Kind::Import(import)), None) => import.check(),
            (Some(Kind::Board(board)), None) => board.check(),
            (Some(Kind::Sitemap(sitemap)), None) => sitemap.check(),
            (Some(Kind::Feed(feed)), None) => feed.check(),
            (Some(Kind::Api(api)), None) => api.check(),
            (Some(Kind::Push(push)), None) => push.check(),
            (Some(Kind::Watch(watch)), None) => watch.check(),
            _ => Err(
                "must have exactly one of [source.import], [source.board], [source.sitemap], [source.feed], \
                 [source.api], [source.push] and [source.watch]"
                    .to_owned(),
            ),
        };
        flaws.extend(of_kind.err());
        flaws
    }

    fn kinds(&self) -> impl Iterator<Item = Kind<'_>> {
        [
            self.import.as_ref().map(Kind::Import),
            self.board.as_ref().map(Kind::Board),
            self.sitemap.as_ref().map(Kind::Sitemap),
            self.feed.as_ref().map(Kind::Feed),
            self.api.as_ref().map(Kind::Api),
            self.push.as_ref().map(Kind::Push),
            self.watch.as_ref().map(Kind::Watch),
        ]
        .into_iter()
        .flatten()
    }

    /// What is read of it; a source that was checked has it.
    #[must_use]
    pub fn kind(&self) -> Option<Kind<'_>> {
        self.kinds().next()
    }

    /// Its id, by which officers pause it.
    #[must_use]
    pub fn id(&self) -> String {
        id::of_source(&self.region, &self.name)
    }

    /// What of it goes into its posts.
    #[must_use]
    pub fn origin(&self) -> Origin<'_> {
        let kind = match self.kind() {
            _ if self.official => SourceKind::Official,
            Some(Kind::Import(_) | Kind::Push(_)) => SourceKind::Import,
            Some(Kind::Feed(_)) => SourceKind::Feed,
            _ => SourceKind::Board,
        };
        Origin {
            name: &self.name,
            region: &self.region,
            kind,
            since: None,
        }
    }

    /// The site that it is read from; nothing for what is not fetched.
    #[must_use]
    pub fn site(&self) -> Option<String> {
        let url = match self.kind()? {
            Kind::Import(_) | Kind::Push(_) => return None,
            Kind::Board(board) => board.url.clone(),
            Kind::Feed(feed) => feed.url.clone(),
            Kind::Sitemap(sitemap) => sitemap.url.clone(),
            Kind::Api(api) => api.site()?,
            Kind::Watch(watch) => watch.url.clone(),
        };
        url.host_str().map(str::to_owned)
    }

    /// What was published before that time is not sent on a first visit at `now`.
    #[must_use]
    pub fn first_visit_since(&self, now: Timestamp) -> Option<Timestamp> {
        let takes_all = matches!(self.kind(), Some(Kind::Import(_) | Kind::Push(_)));
        if takes_all || self.first_visit_days == 0 {
            return None;
        }
        let days = SignedDuration::from_hours(i64::from(self.first_visit_days) * 24);
        now.checked_sub(days).ok()
    }

    /// Reads it once.
    ///
    /// # Errors
    /// When the round ended early.
    pub async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        match self.kind() {
            Some(Kind::Import(import)) => import.read(round).await,
            Some(Kind::Board(board)) => board.read(round).await,
            Some(Kind::Sitemap(sitemap)) => sitemap.read(round).await,
            Some(Kind::Feed(feed)) => feed.read(round).await,
            Some(Kind::Api(api)) => api.read(round).await,
            Some(Kind::Push(push)) => push.read(round).await,
            Some(Kind::Watch(watch)) => watch.read(round).await,
            None => Ok(()),
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
    fn files_with_secrets_are_relative_to_the_file_of_the_source() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source.toml");
        let text = "[[source]]\nname = \"热线\"\nregion = \"990101\"\npush = { token = { file = \"secret\" } }\n\
             [[source]]\nname = \"信箱\"\nregion = \"990101\"\n\
             [source.api]\nurl = \"http://a.test/\"\nid = \"/id\"\ntext = \"/text\"\ntime = \"/time\"\n\
             headers = { authorization = { file = \"secret\" } }\n";
        std::fs::write(&path, text).unwrap();
        let definitions = format!("{:?}", Definition::load(&path).unwrap());
        let beside = format!("{:?}", folder.path().join("secret"));
        assert_eq!(definitions.matches(&beside).count(), 2, "{definitions}");
    }

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
        let head = "[[source]]\nname = \"留言板\"\nregion = \"990101\"\n";
        for (text, expected) in [
            (
                format!("{head}[source.feed]\nurl = \"http://a.test/f\"\ncolour = 1\n"),
                "source.toml:6: unknown field `colour`",
            ),
            (head.to_owned(), "exactly one of"),
            (
                format!(
                    "{head}[source.import]\nfile = \"a.csv\"\n[source.feed]\nurl = \"http://a.test/f\"\n"
                ),
                "exactly one of",
            ),
            (
                format!(
                    "{head}[source.board]\nurl = \"http://a.test/\"\nitem = \"a[\"\n[source.board.post]\n"
                ),
                "`board.item`",
            ),
            (
                format!("{head}[source.feed]\nurl = \"ftp://a.test/f\"\n"),
                "`feed.url`",
            ),
            (
                format!(
                    "{head}[source.api]\nurl = \"http://a.test/\"\nid = \"id\"\ntext = \"/t\"\ntime = \"/at\"\n"
                ),
                "write `/id`",
            ),
            (
                format!("{head}[source.import]\nfile = \"a.xls\"\n"),
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
