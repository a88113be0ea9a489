//! A sitemap: a site's own list of its pages (sitemaps.org), the way into sites without list pages.

use std::collections::HashSet;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use jiff::{SignedDuration, Timestamp};
use quick_xml::Reader;
use quick_xml::events::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::info;
use url::Url;

use super::{Posts, Round, Source, SourceError};
use crate::extract::{address, charset, time};
use crate::fetch::{Page, Validators};

/// Sitemaps read in a round, at most: an index names others, which take turns.
const MOST_MAPS: usize = 20;
/// The way in which sitemaps are asked for.
const MAPS: &str = "sitemap";
/// Largest sitemap, unpacked, in bytes: the 50 MB that sitemaps.org allows.
const LARGEST: u64 = 50 * 1024 * 1024;
/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A sitemap.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sitemap {
    /// Address of the sitemap, or of an index of sitemaps.
    pub url: Url,
    /// Only pages whose address begins so.
    #[serde(default)]
    pub under: String,
    /// Only pages changed in so many days; those of which the sitemap tells no time are read too.
    #[serde(default = "default_recent_days")]
    pub recent_days: u32,
    /// Most new pages read in a round.
    #[serde(default = "default_most_posts")]
    pub most_posts: usize,
    /// What a post's page is like.
    #[serde(default)]
    pub post: Posts,
}

fn default_recent_days() -> u32 {
    30
}

fn default_most_posts() -> usize {
    200
}

/// An address of a sitemap, and when what is there was last changed.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    url: Url,
    changed: Option<Timestamp>,
}

/// What a sitemap lists: pages, or other sitemaps.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pages: Vec<Entry>,
    maps: Vec<Entry>,
}

/// Unpacks a `sitemap.xml.gz`.
fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(LARGEST + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| format!("is no sitemap: {error}"))?;
    if unpacked.len() as u64 > LARGEST {
        return Err(format!(
            "is larger than {LARGEST} bytes when unpacked, which no sitemap may be"
        ));
    }
    Ok(unpacked)
}

pub(crate) fn read_map(page: &Page, now: Timestamp) -> Result<Listed, String> {
    let unpacked;
    let bytes = match page.bytes.starts_with(&GZIP) {
        true => {
            unpacked = unpack(&page.bytes)?;
            &unpacked
        }
        false => &page.bytes,
    };
    let text = charset::decode(bytes, Some("utf-8"), None).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(&text);
    let mut listed = Listed::default();
    let (mut element, mut location, mut changed) = (String::new(), String::new(), None);
    let mut is_map = false;
    loop {
        match reader.read_event() {
            Err(error) => return Err(format!("is no sitemap: {error}")),
            Ok(Event::Eof) => break,
            // An image:loc is no page's.
            Ok(Event::Start(start)) => {
                element.clear();
                if (start.name().prefix()).is_none_or(|prefix| prefix.as_ref() != "image") {
                    start.local_name().as_ref().clone_into(&mut element);
                }
                is_map |= matches!(element.as_str(), "urlset" | "sitemapindex");
            }
            Ok(Event::Text(words)) => match element.as_str() {
                "loc" => location.push_str(&words),
                "lastmod" => changed = time::parse(&words, now),
                _ => {}
            },
            Ok(Event::CData(words)) if element == "loc" => location.push_str(&words),
            // Of the references an address only ever has this one.
            Ok(Event::GeneralRef(reference)) if element == "loc" && reference.as_ref() == "amp" => {
                location.push('&');
            }
            Ok(Event::End(end)) => {
                element.clear();
                let list = match end.local_name().as_ref() {
                    "url" => &mut listed.pages,
                    "sitemap" => &mut listed.maps,
                    _ => continue,
                };
                let named = std::mem::take(&mut location);
                let changed = changed.take();
                if !named.trim().is_empty()
                    && let Ok(url) = page.url.join(named.trim())
                    && matches!(url.scheme(), "http" | "https")
                {
                    list.push(Entry { url, changed });
                }
            }
            Ok(_) => {}
        }
    }
    if is_map {
        Ok(listed)
    } else {
        Err("is no sitemap; is the address that of a page?".to_owned())
    }
}

impl Sitemap {
    /// What a sitemap lists.
    async fn map(&self, url: &Url, round: &Round<'_>) -> Result<Listed, SourceError> {
        let Some(map) = round.fetch(url, &Validators::default()).await? else {
            return Ok(Listed::default());
        };
        tokio::task::block_in_place(|| read_map(&map, round.now))
            .map_err(|problem| SourceError::Content(format!("{} {problem}", map.url)))
    }

    /// The pages that are asked for, the one changed last first. Of more sitemaps than are read in a round those come first
    /// that were not read yet, the one changed last first, then those that were not read for longest.
    async fn pages(&self, round: &Round<'_>) -> Result<Vec<Url>, SourceError> {
        let since = round.now - SignedDuration::from_hours(i64::from(self.recent_days) * 24);
        let is_recent = |entry: &Entry| entry.changed.is_none_or(|changed| changed >= since);
        let (source, state) = (&round.definition.name, round.publisher.state());
        let Listed { mut pages, maps } = self.map(&self.url, round).await?;
        let mut waiting = maps;
        let mut visited = HashSet::from([self.url.clone()]);
        let mut failed = None;
        while visited.len() < MOST_MAPS && !round.stop.is_cancelled() {
            waiting.retain(|map| is_recent(map) && !visited.contains(&map.url));
            let urls: Vec<Url> = waiting.iter().map(|map| map.url.clone()).collect();
            let asked = state.asked(source, MAPS, &urls, round.now).await?;
            let next = waiting.iter().min_by_key(|map| {
                let asked = asked.get(map.url.as_str()).map(|asked| asked.at);
                (asked, std::cmp::Reverse(map.changed))
            });
            let Some(url) = next.map(|map| map.url.clone()) else {
                break;
            };
            match self.map(&url, round).await {
                Ok(listed) => {
                    pages.extend(listed.pages);
                    waiting.extend(listed.maps);
                }
                // One of many that is at fault does not keep the others from being read.
                Err(error @ (SourceError::Fetch(_) | SourceError::Content(_))) => {
                    round.refuse(url.as_str(), &error.to_string()).await?;
                    failed = Some(error);
                }
                Err(error) => return Err(error),
            }
            (state.note_asked(source, MAPS, &url, false, round.now)).await?;
            visited.insert(url);
        }
        if let Some(failed) = failed
            && pages.is_empty()
        {
            return Err(failed);
        }
        pages.retain(is_recent);
        pages.retain(|page| page.url.as_str().starts_with(&self.under));
        pages.sort_by_key(|page| std::cmp::Reverse(page.changed));
        let mut seen = HashSet::new();
        Ok(pages
            .into_iter()
            .map(|page| address::canonical(page.url))
            .filter(|url| seen.insert(address::identity(url.as_str())))
            .collect())
    }
}

impl Source for Sitemap {
    fn check(&self) -> Result<(), String> {
        super::board::check_url("sitemap.url", &self.url)?;
        if self.most_posts == 0 {
            return Err("`sitemap.most_posts` must be 1 or more".to_owned());
        }
        self.post
            .check()
            .map_err(|problem| problem.replacen("`post.", "`sitemap.post.", 1))
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let source = &round.definition.name;
        let pages = self.pages(round).await?;
        let mut unseen = self.post.unseen(pages, round).await?;
        unseen.due.truncate(self.most_posts);
        let yielded = self.post.read(unseen.due, round).await?;
        info!(
            source,
            new = yielded.new,
            refused = yielded.refused,
            resting = unseen.resting,
            "sitemap read"
        );
        self.post.recheck(round).await
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn listed(text: &str) -> Result<Listed, String> {
        listed_of(text.as_bytes().to_vec())
    }

    fn listed_of(bytes: Vec<u8>) -> Result<Listed, String> {
        let page = Page {
            url: "http://site.test/sitemap.xml".parse().unwrap(),
            content_type: None,
            bytes,
            validators: Validators::default(),
            certificate: None,
        };
        read_map(&page, "2026-11-23T04:00:00Z".parse().unwrap())
    }

    #[test]
    fn pages_and_maps_are_told_apart() {
        let text = "<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\
            <url><loc> http://site.test/a?x=1&amp;y=2 </loc><lastmod>2026-11-20</lastmod></url>\
            <url><loc>/b</loc><priority>0.5</priority></url><url><loc>ftp://site.test/c</loc></url></urlset>";
        let Listed { pages, maps } = listed(text).unwrap();
        let found: Vec<_> = pages.iter().map(|page| page.url.as_str()).collect();
        assert_eq!(found, ["http://site.test/a?x=1&y=2", "http://site.test/b"]);
        assert_eq!(
            pages[0].changed,
            Some("2026-11-19T16:00:00Z".parse().unwrap())
        );
        assert_eq!((pages[1].changed, maps.len()), (None, 0));
        let index =
            "<sitemapindex><sitemap><loc>http://site.test/1.xml</loc></sitemap></sitemapindex>";
        assert_eq!(listed(index).unwrap().maps.len(), 1);
    }

    #[test]
    fn a_packed_map_is_unpacked_up_to_its_limit() {
        let pack = |bytes: &[u8]| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        };
        let map = "<urlset><url><loc>http://site.test/a</loc></url></urlset>";
        assert_eq!(listed_of(pack(map.as_bytes())).unwrap().pages.len(), 1);
        let bomb = pack(&vec![b' '; usize::try_from(LARGEST).unwrap() + 1]);
        assert!(bomb.len() < 1_000_000);
        assert!(listed_of(bomb).unwrap_err().contains("larger than"));
    }

    #[test]
    fn what_is_no_sitemap_is_said() {
        for text in ["<html><body>404</body></html>", "no XML", "<urlset><url>"] {
            let read = listed(text);
            assert!(
                read.is_err() || read == Ok(Listed::default()),
                "{text}: {read:?}"
            );
        }
        assert!(listed("<html></html>").is_err());
        assert!(listed_of(vec![0x1f, 0x8b, 0, 1, 2]).is_err());
        // References are not expanded: nothing swells.
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
            <urlset><url><loc>http://site.test/&b;</loc></url></urlset>";
        let pages = listed(bomb).unwrap().pages;
        assert_eq!(pages[0].url.as_str(), "http://site.test/");
    }
}
