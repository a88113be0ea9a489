//! A site of the government's own, watched: is it there, are its columns kept up, do its links lead
//! somewhere, does its certificate hold. It yields no posts; what is wrong goes to the console.

use std::collections::HashSet;

use backbone::message::{Fault, Finding};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use scraper::Selector;
use serde::{Deserialize, Serialize};
use tracing::info;
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::board::check_url;
use super::posts::parse;
use super::{Round, Source, SourceError};
use crate::extract::time::{self, zone};
use crate::extract::{address, charset, listing, page, text};
use crate::fetch::{FetchError, Page, Validators};

/// Days after which a link that no page has any more is forgotten.
const FORGOTTEN_DAYS: i64 = 7;
/// Days after which a link that led somewhere is followed again.
const AGAIN_DAYS: i64 = 7;

/// A site of the government's own.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Address of its first page.
    pub url: Url,
    /// Its columns, each of which must be kept up.
    #[serde(default)]
    pub column: Vec<Column>,
    /// Links of the first page and the columns followed in a round, to see whether they lead somewhere;
    /// 0 for none.
    #[serde(default = "default_links")]
    pub links: u32,
    /// Days before its certificate runs out from which that is told.
    #[serde(default = "default_certificate_days")]
    pub certificate_days: u32,
}

/// A column of a site.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Address of its list page.
    pub url: Url,
    /// Days within which something new must appear.
    pub every_days: u32,
    /// CSS selector of the times on the page; found by themselves, beside the links, where absent.
    #[serde(default)]
    pub time: Option<String>,
}

fn default_links() -> u32 {
    50
}

fn default_certificate_days() -> u32 {
    30
}

/// When a certificate runs out; nothing for bytes that are none.
fn runs_out(certificate: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn date(time: Timestamp) -> String {
    time.to_zoned_datetime(zone())
        .strftime("%Y-%m-%d")
        .to_string()
}

/// What was seen of a site in a round.
struct Seen<'a> {
    round: &'a Round<'a>,
    findings: Vec<Finding>,
    links: HashSet<Url>,
}

impl Seen<'_> {
    fn note(&mut self, fault: Fault, url: &Url, detail: String) {
        self.findings.push(Finding {
            fault,
            url: url.to_string(),
            detail,
            since: self.round.now,
        });
    }

    /// Fetches a page; notes why it was not had. What is the collector's own affair is no fault of the site.
    async fn fetch(&mut self, url: &Url) -> Result<Option<Page>, SourceError> {
        match self.round.fetch(url, &Validators::default()).await {
            Ok(page) => Ok(page),
            Err(error) => match fault(&error) {
                Some(fault) => {
                    self.note(fault, url, error.to_string());
                    Ok(None)
                }
                None => Err(error.into()),
            },
        }
    }

    /// Looks at a page: takes its links, and tells when the newest of what it lists was published.
    fn look(&mut self, page: &Page, times: Option<&str>) -> Result<Option<Timestamp>, String> {
        let text = charset::decode(&page.bytes, None, page.content_type.as_deref())
            .map_err(|error| error.to_string())?;
        let html = page::parse(&text).map_err(|error| error.to_string())?;
        let base = page::base(&html, &page.url);
        let anchors = parse("a[href]", "a[href]")?;
        let links = html
            .select(&anchors)
            .filter_map(|link| base.join(link.value().attr("href")?.trim()).ok())
            .filter(|link| matches!(link.scheme(), "http" | "https"))
            .map(address::canonical);
        self.links.extend(links);
        let now = self.round.now;
        let newest = match times {
            Some(selector) => newest_at(&html, &parse("watch.column.time", selector)?, now),
            None => listing::entries(&html, &base, now)
                .into_iter()
                .filter_map(|entry| entry.time.map(|told| told.at))
                .max(),
        };
        Ok(newest)
    }
}

fn newest_at(html: &scraper::Html, times: &Selector, now: Timestamp) -> Option<Timestamp> {
    html.select(times)
        .filter_map(|element| time::tell(&text::of_element(element), now)?.by(now))
        .map(|told| told.at)
        .max()
}

/// What an error says of the site; nothing for what is the collector's own affair.
fn fault(error: &FetchError) -> Option<Fault> {
    match error {
        FetchError::Connection { problem, .. } if problem.contains("certificate") => {
            Some(Fault::Certificate)
        }
        FetchError::Connection { .. }
        | FetchError::Status { .. }
        | FetchError::Redirects { .. } => Some(Fault::Unreachable),
        FetchError::NotAllowed { .. }
        | FetchError::Private { .. }
        | FetchError::TooLarge { .. }
        | FetchError::NotWeb { .. }
        | FetchError::Resting { .. } => None,
    }
}

impl Watch {
    /// Looks at the first page and its certificate.
    async fn look_at_home(&self, seen: &mut Seen<'_>) -> Result<(), SourceError> {
        let Some(home) = seen.fetch(&self.url).await? else {
            return Ok(());
        };
        if let Some(until) = home.certificate.as_deref().and_then(runs_out) {
            let days = until.duration_since(seen.round.now).as_hours() / 24;
            if days < i64::from(self.certificate_days) {
                let detail = format!("runs out on {}, in {days} days", date(until));
                seen.note(Fault::Certificate, &self.url, detail);
            }
        }
        if let Err(problem) = tokio::task::block_in_place(|| seen.look(&home, None)) {
            seen.round.refuse(self.url.as_str(), &problem).await?;
        }
        Ok(())
    }

    /// Looks at a column: is it kept up?
    async fn look_at_column(
        &self,
        column: &Column,
        seen: &mut Seen<'_>,
    ) -> Result<(), SourceError> {
        let Some(page) = seen.fetch(&column.url).await? else {
            return Ok(());
        };
        let newest = tokio::task::block_in_place(|| seen.look(&page, column.time.as_deref()));
        match newest {
            Ok(Some(newest)) => {
                seen.round.fits();
                let days = seen.round.now.duration_since(newest).as_hours() / 24;
                if days > i64::from(column.every_days) {
                    let detail = format!(
                        "{}: last updated {}, {days} days ago; meant to be every {}",
                        column.name,
                        date(newest),
                        column.every_days
                    );
                    seen.note(Fault::Stale, &column.url, detail);
                }
            }
            Ok(None) => {
                let problem = "tells no time beside its links; set `time` of the column to a CSS selector of them";
                seen.round.refuse(column.url.as_str(), problem).await?;
            }
            Err(problem) => seen.round.refuse(column.url.as_str(), &problem).await?,
        }
        Ok(())
    }

    /// Follows those of the links that were not followed for longest, and those that led nowhere before.
    async fn follow_links(&self, seen: &mut Seen<'_>) -> Result<(), SourceError> {
        let (source, now) = (&seen.round.definition.name, seen.round.now);
        let state = seen.round.publisher.state();
        let links: Vec<Url> = seen.links.iter().cloned().collect();
        state.list_links(source, &links, now).await?;
        let ago = |days: i64| now - SignedDuration::from_hours(days * 24);
        let due = state
            .due(source, ago(FORGOTTEN_DAYS), ago(AGAIN_DAYS), self.links)
            .await?;
        for url in due {
            if seen.round.stop.is_cancelled() {
                break;
            }
            let probed = seen.round.fetcher.probe(&url).await;
            match probed.as_ref().err().map(|error| (fault(error), error)) {
                // Not marked as followed: it is followed in the next round too, and told once it led nowhere twice.
                Some((Some(_), error)) => seen.note(Fault::DeadLink, &url, error.to_string()),
                Some((None, FetchError::Resting { .. })) => {}
                Some((None, _)) | None => state.watch(source, &url, now).await?,
            }
        }
        Ok(())
    }
}

impl Source for Watch {
    fn check(&self) -> Result<(), String> {
        check_url("watch.url", &self.url)?;
        for column in &self.column {
            check_url("watch.column.url", &column.url)?;
            if column.every_days == 0 {
                return Err("`watch.column.every_days` must be 1 or more".to_owned());
            }
            if let Some(selector) = &column.time {
                parse("watch.column.time", selector)?;
            }
        }
        Ok(())
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let mut seen = Seen {
            round,
            findings: Vec::new(),
            links: HashSet::new(),
        };
        self.look_at_home(&mut seen).await?;
        for column in &self.column {
            if round.stop.is_cancelled() {
                return Ok(());
            }
            self.look_at_column(column, &mut seen).await?;
        }
        if self.links > 0 {
            self.follow_links(&mut seen).await?;
        }
        let findings = seen.findings.len();
        round.tally().findings = Some(seen.findings);
        info!(source = round.definition.name, findings, "site looked at");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_tells_when_it_runs_out() {
        let mut parameters = rcgen::CertificateParams::new(vec!["site.test".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2027, 1, 2);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let told = runs_out(certificate.der()).unwrap();
        assert_eq!(date(told), "2027-01-02");
        assert_eq!(runs_out(b"none"), None);
    }
}
