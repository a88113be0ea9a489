//! The links to posts on a list page, found without a word on its template: of the lists on the page the
//! one whose links say most, lie beside dates, and lead to pages of one kind.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ego_tree::NodeId;
use jiff::Timestamp;
use regex::Regex;
use scraper::{ElementRef, Html};
use url::Url;

use super::page::{elements, names};
use super::text;
use super::time::{self, Told};

/// A link of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it leads.
    pub url: Url,
    /// What it says.
    pub title: String,
    /// The time beside it.
    pub time: Option<Told>,
}

/// Links of a list, at least.
const FEWEST: usize = 3;
/// Characters of a row beside its link that may tell its time.
const ROW: usize = 300;

#[allow(
    clippy::expect_used,
    reason = "constant patterns, compiled by every test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static APART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[ _-])nav|menu|foot|side|(?:^|[ _-])hot|rank|recommend|related|link|crumb|(?:^|[ _-])pag(?:e|er|ination|es)(?:$|[ _-])|login|header|top(?:bar|nav)|widget|tags?(?:$|[ _-])",
    )
});
/// Pages that tell of people, not of matters: never followed.
static PEOPLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)space-uid|mod=space|/home/main|/u(?:ser)?/|/member|/profile|/author/|userinfo|/people/|login|register|logout",
    )
});
/// What links say that lead to other pages of the list, or nothing at all.
static PAGER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A(?:[\s\d\[\]<>«»‹›.…-]*|[\[<«‹]?(?:首页|上一?页|下一?页|尾页|末页|前一?页|后一?页)[\]>»›]?)\z",
    )
});
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| pattern("[0-9]{2,}|[?&][a-z]*id="));

/// A link, and where it leads.
type Link<'a> = (ElementRef<'a>, Url);

/// A list: its links look alike, and lie in one element.
struct List<'a> {
    holder: ElementRef<'a>,
    links: Vec<Link<'a>>,
}

/// The links to posts, in the order of the page; `base` is what its addresses begin at. Links of people's own pages are left out.
#[must_use]
pub fn entries(html: &Html, base: &Url, now: Timestamp) -> Vec<Entry> {
    let mut best: Option<(f64, Vec<Entry>)> = None;
    for list in lists(html, base) {
        let entries = read(&list, now);
        let score = score(&list, &entries);
        if entries.len() >= FEWEST && best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, entries));
        }
    }
    best.map(|(_, entries)| entries).unwrap_or_default()
}

/// The link to the next list page.
#[must_use]
pub fn next(html: &Html, base: &Url) -> Option<Url> {
    let links = || elements(html.root_element()).filter(|element| element.value().name() == "a");
    let to = |element: ElementRef<'_>| target(element, base);
    let related = links()
        .filter(|link| link.value().attr("rel") == Some("next"))
        .find_map(to);
    related.or_else(|| {
        links()
            .filter(|link| {
                let says: String = link
                    .text()
                    .flat_map(str::chars)
                    .filter(|c| !c.is_whitespace())
                    .collect();
                let says = says.trim_matches(['>', '»', '›', '→', '[', ']', '<']);
                matches!(
                    says,
                    "下一页" | "下页" | "后一页" | "下一頁" | "次页" | "Next" | "next"
                ) || (says.is_empty() && names(*link).contains("next"))
            })
            .find_map(to)
    })
}

/// Whether scripts, which never run here, make the list: the page has fewer links than a list without them.
#[must_use]
pub fn needs_a_browser(html: &Html) -> bool {
    let names = || elements(html.root_element()).map(|element| element.value().name());
    names().any(|name| name == "script") && names().filter(|name| *name == "a").count() < FEWEST
}

fn target(link: ElementRef<'_>, base: &Url) -> Option<Url> {
    let href = link.value().attr("href")?.trim();
    if href.is_empty() || href.starts_with('#') {
        return None;
    }
    let url = base.join(href).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// Links that look alike: the classes of the link, and the elements that it is in.
fn look(link: ElementRef<'_>) -> (String, Vec<&str>) {
    let class: String = link
        .value()
        .attr("class")
        .unwrap_or_default()
        .split_whitespace()
        .filter(|class| !class.contains(|c: char| c.is_ascii_digit()))
        .collect::<Vec<_>>()
        .join(" ");
    let within = link
        .ancestors()
        .filter_map(ElementRef::wrap)
        .map(|element| element.value().name())
        .filter(|name| !matches!(*name, "b" | "strong" | "span" | "font" | "em" | "i" | "u"))
        .take(2)
        .collect();
    (class, within)
}

fn lists<'a>(html: &'a Html, base: &Url) -> Vec<List<'a>> {
    let mut alike: HashMap<_, Vec<Link<'a>>> = HashMap::new();
    for link in elements(html.root_element()).filter(|element| element.value().name() == "a") {
        if let Some(url) = target(link, base)
            && !PEOPLE.is_match(url.as_str())
            && !PAGER.is_match(&said(link))
        {
            alike.entry(look(link)).or_default().push((link, url));
        }
    }
    let mut lists = Vec::new();
    for links in alike.into_values().filter(|links| links.len() >= FEWEST) {
        lists.extend(parted(links));
    }
    lists
}

/// Parts links that look alike by the element that holds them; lists of one class are one list.
fn parted(links: Vec<Link<'_>>) -> Vec<List<'_>> {
    let mut held: HashMap<NodeId, usize> = HashMap::new();
    for (link, _) in &links {
        for node in link.ancestors() {
            *held.entry(node.id()).or_default() += 1;
        }
    }
    let mut lists: Vec<List<'_>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (link, url) in links {
        let holder = link
            .ancestors()
            .filter_map(ElementRef::wrap)
            .find(|element| {
                held.get(&element.id())
                    .is_some_and(|links| *links >= FEWEST)
            });
        let Some(holder) = holder else {
            continue;
        };
        let class = holder.value().attr("class").unwrap_or_default().trim();
        let key = match class {
            "" => format!("{:?}", holder.id()),
            class => format!("{} {class}", holder.value().name()),
        };
        let index = *known.entry(key).or_insert_with(|| {
            lists.push(List {
                holder,
                links: Vec::new(),
            });
            lists.len() - 1
        });
        if let Some(list) = lists.get_mut(index) {
            list.links.push((link, url));
        }
    }
    lists
}

/// What a link says: its words, or in full what they were cut from.
fn said(link: ElementRef<'_>) -> String {
    let words = text::of_element(link).replace('\n', " ");
    let full = link.value().attr("title").unwrap_or_default().trim();
    let is_cut = words.ends_with("...") || words.ends_with('…');
    match is_cut && full.chars().count() > words.chars().count() {
        true => full.to_owned(),
        false => words,
    }
}

fn read(list: &List<'_>, now: Timestamp) -> Vec<Entry> {
    let mut seen = HashSet::new();
    list.links
        .iter()
        .filter(|(_, url)| seen.insert(url.clone()))
        .map(|(link, url)| Entry {
            url: url.clone(),
            title: said(*link),
            time: beside(*link, list.holder, now),
        })
        .collect()
}

/// The time in the row of a link: in what holds it and no other row.
fn beside(link: ElementRef<'_>, holder: ElementRef<'_>, now: Timestamp) -> Option<Told> {
    let row = link
        .ancestors()
        .filter_map(ElementRef::wrap)
        .take_while(|element| element.id() != holder.id())
        .last()?;
    let own = link.id();
    let words = text::Reading {
        left_out: |element: ElementRef<'_>| element.id() == own,
        cut: None,
        parts: true,
    }
    .of(row);
    let words: String = words.chars().take(ROW).collect();
    time::tell(&words, now)?.by(now)
}

fn score(list: &List<'_>, entries: &[Entry]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a page's links")]
    let share = |of: &dyn Fn(&Entry) -> bool| {
        entries.iter().filter(|entry| of(entry)).count() as f64 / entries.len().max(1) as f64
    };
    #[allow(clippy::cast_precision_loss, reason = "a page's links")]
    let words: f64 = entries
        .iter()
        .map(|entry| entry.title.chars().count().min(30) as f64)
        .filter(|length| *length >= 4.0)
        .sum();
    let dated = share(&|entry| entry.time.is_some());
    let numbered =
        share(&|entry| NUMBERS.is_match(entry.url.path()) || NUMBERS.is_match(entry.url.as_str()));
    let apart = std::iter::once(list.holder)
        .chain(list.holder.ancestors().filter_map(ElementRef::wrap))
        .any(|element| {
            matches!(
                element.value().name(),
                "nav" | "footer" | "aside" | "header"
            ) || (element.value().name() != "body" && APART.is_match(names(element).trim()))
        });
    words * (1.0 + 2.0 * dated) * (0.4 + numbered) * if apart { 0.2 } else { 1.0 }
}
