//! A feed: RSS, Atom or JSON Feed.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use backbone::message::Certainty;
use feed_rs::model::{Entry, FeedType};
use feed_rs::parser::ParseFeedError;
use jiff::Timestamp;
use regex::{Captures, Regex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Item, Round, Source, SourceError};
use crate::extract::time::{self, Told};
use crate::extract::{address, charset, text};
use crate::fetch::Page;
use crate::item::How;

/// Entries published together.
const BATCH: usize = 100;

/// A feed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Its address.
    pub url: Url,
}

impl Source for Feed {
    fn check(&self) -> Result<(), String> {
        super::board::check_url("feed.url", &self.url)
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let state = round.publisher.state();
        let known = state.validators(&self.url).await?;
        let Some(page) = round.fetch(&self.url, &known).await? else {
            return Ok(());
        };
        let entries = page.work(|| entries(&page, round.now))?;
        let mut items = Vec::new();
        for entry in entries {
            match entry {
                Ok(item) => items.push(item),
                Err((place, problem)) => {
                    round.refuse(&place, &problem).await?;
                }
            }
        }
        // The oldest first: that is how they happened.
        items.sort_by_key(|item| item.published.map(|told| told.at));
        while !items.is_empty() && !round.stop.is_cancelled() {
            let rest = items.split_off(items.len().min(BATCH));
            round
                .publish(std::mem::replace(&mut items, rest), None)
                .await?;
        }
        if items.is_empty() {
            state
                .remember_validators(&self.url, &page.validators)
                .await?;
        }
        Ok(())
    }
}

#[allow(
    clippy::expect_used,
    reason = "constant patterns, compiled by every test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static DECLARATION: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)<\?xml\b[^>]*>?"));
static DESCRIPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?s)(<(?:description|content:encoded)>)(.*?)(</(?:description|content:encoded)>)")
});
static NO_LINK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?is)<guid\s[^>]*isPermaLink\s*=\s*["']false["'][^>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]*[^<\]\s])"#,
    )
});
static AMPERSAND: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"&(#[0-9]{1,7};|#x[0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,31};)?"));

pub(crate) type Read = Result<Item, (String, String)>;

pub(crate) fn entries(page: &Page, now: Timestamp) -> Result<Vec<Read>, SourceError> {
    let content = |problem: &str| SourceError::Content(format!("{} {problem}", page.url));
    let text = charset::decode(&page.bytes, None, page.content_type.as_deref())
        .map_err(|error| content(&error.to_string()))?;
    let feed = parse(&whole(&text), page, now)
        .or_else(|_| parse(&mended(&whole(&text)), page, now))
        .map_err(|_| content("is no feed; is the address that of a page?"))?;
    // The reader does not tell which ids of RSS are no addresses.
    let no_links: HashSet<String> = NO_LINK
        .captures_iter(&text)
        .filter_map(|found| Some(found.get(1)?.as_str().replace("&amp;", "&")))
        .collect();
    let is_rss = matches!(feed.feed_type, FeedType::RSS0 | FeedType::RSS2);
    Ok(feed
        .entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let place = format!("{} entry {}", page.url, index + 1);
            let id_is_link = is_rss && !no_links.contains(&entry.id);
            item(entry, id_is_link, page).map_err(|problem| (place, problem))
        })
        .collect())
}

/// What was decoded is UTF-8 now, whatever its declaration says, and the reader bears none further down. HTML
/// in a description that is neither escaped nor quoted is quoted.
fn whole(text: &str) -> String {
    let text = DECLARATION.replace_all(text, "");
    DESCRIPTION
        .replace_all(&text, |found: &Captures<'_>| {
            let of = |group| found.get(group).map_or("", |found| found.as_str());
            match of(2).contains('<') && !of(2).contains("<![CDATA[") && !of(2).contains("]]>") {
                true => format!("{}<![CDATA[{}]]>{}", of(1), of(2), of(3)),
                false => of(0).to_owned(),
            }
        })
        .into_owned()
}

/// A feed that cannot be read, with what often is the matter mended: ampersands that begin no reference, an end that did
/// not come, and in JSON ids that are numbers.
fn mended(text: &str) -> String {
    if let Ok(mut feed) = serde_json::from_str::<Value>(text) {
        let items = feed.get_mut("items").and_then(Value::as_array_mut);
        for id in items
            .into_iter()
            .flatten()
            .filter_map(|item| item.get_mut("id"))
        {
            if let Value::Number(number) = id {
                *id = Value::String(number.to_string());
            }
        }
        return feed.to_string();
    }
    let mut text = AMPERSAND
        .replace_all(text, |found: &Captures<'_>| {
            let reference = found.get(1).map_or("amp;", |found| found.as_str());
            format!("&{reference}")
        })
        .into_owned();
    for (last, open, close) in [
        ("</item>", "<channel", "</channel></rss>"),
        ("</entry>", "<feed", "</feed>"),
    ] {
        if let Some(at) = text.rfind(last)
            && text.contains(open)
            && !text.contains(close.rsplit('<').next().unwrap_or_default())
        {
            text.truncate(at + last.len());
            text.push_str(close);
        }
    }
    text
}

/// What the times of feeds can be, in the order of their numbers. feed-rs hands on a time alone, of which feeds tell seconds:
/// in its nanoseconds goes along how far it can be relied on.
const CERTAINTIES: [Certainty; 3] = [Certainty::Exact, Certainty::Day, Certainty::Guessed];

fn parse(text: &str, page: &Page, now: Timestamp) -> Result<feed_rs::model::Feed, ParseFeedError> {
    feed_rs::parser::Builder::new()
        .base_uri(Some(page.url.as_str()))
        // An id that is made up may be another one the next time.
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(move |text| {
            let told = time::tell(text, now)?;
            let seconds = u64::try_from(told.at.as_second()).ok()?;
            let since = Duration::new(seconds, told.certainty as u32);
            UNIX_EPOCH.checked_add(since).map(Into::into)
        })
        .build()
        .parse(text.as_bytes())
}

fn item(entry: Entry, id_is_link: bool, page: &Page) -> Result<Item, String> {
    // Atom has links of other kinds too: to the feed itself, to enclosures.
    let is_own =
        |link: &&feed_rs::model::Link| link.rel.as_deref().is_none_or(|rel| rel == "alternate");
    let linked = (entry.links.iter().find(is_own)).and_then(|link| page.url.join(&link.href).ok());
    let url = linked
        .or_else(|| id_is_link.then(|| entry.id.parse().ok())?)
        .filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
        .map(|url| address::canonical(url).to_string())
        .unwrap_or_default();
    let body = entry
        .content
        .and_then(|content| content.body)
        .or_else(|| entry.summary.map(|summary| summary.content))
        .unwrap_or_default();
    let title = entry
        .title
        .map(|title| text::of_html(&title.content).replace('\n', " "));
    let title = title.unwrap_or_default();
    let text = text::of_html(&body);
    if text.is_empty() && title.is_empty() {
        return Err("has neither title nor text; is it meant to?".to_owned());
    }
    if entry.id.is_empty() && url.is_empty() {
        return Err("has neither id nor link; the feed must give it one".to_owned());
    }
    Ok(Item {
        id: entry.id,
        url,
        title,
        text,
        author: entry
            .authors
            .into_iter()
            .next()
            .and_then(|author| author.name)
            .unwrap_or_default(),
        published: entry.published.or(entry.updated).and_then(|time| {
            Some(Told {
                at: Timestamp::from_second(time.timestamp()).ok()?,
                certainty: *CERTAINTIES.get(time.timestamp_subsec_nanos() as usize)?,
            })
        }),
        likes: 0,
        opposes: 0,
        answered: None,
        how: How::default(),
    })
}
