//! What a post's page tells, found without a word on its template: title, text, author and time.
//!
//! First by what is written beside it (来信内容, 作者), then by what pages say of themselves to machines
//! (`ArticleTitle`, `PubDate`, which the standards for government sites ask for), then by the shape of the
//! page: the text is where sentences are dense and links are few.

mod densest;
mod words;

use std::collections::HashSet;

use jiff::Timestamp;
use scraper::{ElementRef, Html};

use densest::densest;
use words::{
    APART, AUTHOR_LABELS, AUTHOR_NAMES, BESIDE, INLINE_AUTHOR, OTHERS, TEXT_LABELS, TIME_LABELS,
    TITLE_LABELS, TITLE_NAMES, is_outside, is_unread,
};

use super::page::{elements, names};
use super::text;
use super::time::{self, Told};

/// Lines next to the text that may tell its time though they do not say so.
const NEAR: usize = 8;

/// Nodes and bytes of an element that may be a label, a name or a heading, at most: elements within each other would each
/// be read to their end otherwise.
const SMALL_NODES: usize = 200;
const SMALL_BYTES: usize = 4_000;
/// Characters of the titles that a page tells that are read.
const TOLD: usize = 1_000;

/// A page whose scripts make it has fewer characters than this without them.
const SCARCE: usize = 80;

/// What was found, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// What was found.
    pub value: T,
    /// How: by a label, by a meta element, by the shape of the page.
    pub how: String,
}

/// A post's page.
#[derive(Debug)]
pub struct Article<'a> {
    html: &'a Html,
    /// The element that holds the text, and how it was found.
    text: Option<(ElementRef<'a>, String)>,
    /// The elements around it, in the order of the page; with how many of them are before it.
    around: Vec<ElementRef<'a>>,
    before: usize,
}

impl<'a> Article<'a> {
    /// Of a page.
    #[must_use]
    pub fn new(html: &'a Html) -> Self {
        let text = labelled(html, TEXT_LABELS)
            .filter(|(value, _)| text::of_element(*value).chars().count() >= 5)
            .map(|(value, label)| (value, format!("beside “{label}”")))
            .or_else(|| densest(html).map(|element| (element, shape(element))));
        Self::with(html, text)
    }

    /// Of a page whose text is known to be in that element.
    #[must_use]
    pub fn around_text(html: &'a Html, text: ElementRef<'a>) -> Self {
        Self::with(html, Some((text, shape(text))))
    }

    fn with(html: &'a Html, text: Option<(ElementRef<'a>, String)>) -> Self {
        let main = text.as_ref().map(|(element, _)| element.id());
        let (mut around, mut before) = (Vec::new(), None);
        let mut waiting = vec![html.root_element()];
        while let Some(element) = waiting.pop() {
            if Some(element.id()) == main {
                before = Some(around.len());
            } else if !is_outside(element) {
                around.push(element);
                let children: Vec<_> = element.children().filter_map(ElementRef::wrap).collect();
                waiting.extend(children.into_iter().rev());
            }
        }
        Self {
            html,
            text,
            before: before.unwrap_or(around.len()),
            around,
        }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> Option<Found<String>> {
        let (element, how) = self.text.as_ref()?;
        let value = written(*element);
        (!value.is_empty()).then(|| Found {
            value,
            how: how.clone(),
        })
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> Option<Found<String>> {
        let found = |value: String, how: &str| {
            let value = value.replace('\n', " ").trim().to_owned();
            (!value.is_empty()).then(|| Found {
                value,
                how: how.to_owned(),
            })
        };
        if let Some(title) = self.meta(&["articletitle"]) {
            return found(title, "by its meta element");
        }
        if let Some((value, label)) = labelled(self.html, TITLE_LABELS) {
            let value = text::of_element(value);
            if value.chars().count() <= 100 {
                return found(value, &format!("beside “{label}”"));
            }
        }
        let told = self.told_titles();
        let heads = || self.around.iter().copied();
        let of = |head: ElementRef<'_>| {
            let says = small(head)?.replace('\n', " ");
            (says.chars().count() <= 200).then_some(says)
        };
        for name in ["h1", "h2", "h3"] {
            let mut named = heads()
                .filter(|head| head.value().name() == name)
                .filter_map(of);
            if let Some(value) = named.find_map(|says| agreed(&says, &told)) {
                return found(value, &format!("in `{name}`"));
            }
        }
        let named = heads()
            .filter(|head| TITLE_NAMES.is_match(&names(*head)))
            .filter_map(of)
            .find_map(|says| agreed(&says, &told));
        if let Some(value) = named {
            return found(value, "by the name of its element");
        }
        let (before, _) = self.lines();
        let mut nearest = before.iter().rev();
        if let Some(value) = nearest.find_map(|line| told.iter().find(|told| *told == line)) {
            return found(value.clone(), "by the title of the window");
        }
        // What the page tells is the name of the site: the title is what stands before the text.
        let stands = |line: &&String| {
            (4..=100).contains(&line.chars().count())
                && !BESIDE.is_match(line)
                && !told.contains(line)
        };
        let mut heads = heads()
            .filter(|head| head.value().name() == "h1")
            .filter_map(of)
            .filter(|says| !says.is_empty() && !told.contains(says));
        if let (Some(only), None) = (heads.next(), heads.next()) {
            return found(only, "in `h1`");
        }
        let before_text = self.around.iter().take(self.before).rev().copied();
        let named = before_text
            .filter(|head| TITLE_NAMES.is_match(&names(*head)))
            .filter_map(of)
            .find(|says| stands(&says));
        if let Some(value) = named {
            return found(value, "by the name of its element");
        }
        if let Some(value) = before.iter().rev().take(NEAR).find(stands) {
            return found(value.clone(), "before the text");
        }
        found(told.into_iter().next()?, "by the title of the window")
    }

    /// Its author.
    #[must_use]
    pub fn author(&self) -> Option<Found<String>> {
        let found = |value: &str, how: String| {
            let value = value.trim().to_owned();
            (!value.is_empty() && value.chars().count() <= 40).then_some(Found { value, how })
        };
        if let Some((value, label)) = labelled(self.html, AUTHOR_LABELS) {
            let value = text::of_element(value).replace('\n', " ");
            if let Some(author) = found(&value, format!("beside “{label}”")) {
                return Some(author);
            }
        }
        let (before, after) = self.lines();
        for line in before.iter().rev().chain(&after) {
            if let Some(told) = INLINE_AUTHOR.captures(line)
                && let (Some(label), Some(name)) = (told.name("label"), told.name("name"))
            {
                return found(name.as_str(), format!("beside “{}”", label.as_str()));
            }
        }
        let named = (self.around.iter())
            .filter(|element| AUTHOR_NAMES.is_match(&names(**element)))
            .filter_map(|element| {
                // A name is often a link among other words.
                let value = small(*element)?;
                let link = elements(*element).find(|inner| inner.value().name() == "a");
                let value = link.map_or(value, text::of_element);
                let is_name = value.chars().count() <= 20
                    && !value.contains(['\n', '|'])
                    && !BESIDE.is_match(&value)
                    && value.chars().any(char::is_alphanumeric);
                is_name.then_some(value)
            })
            .next();
        if let Some(value) = named {
            return found(&value, "by the name of its element".to_owned());
        }
        found(&self.meta(&["author"])?, "by its meta element".to_owned())
    }

    /// Its time, seen at `now`.
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Option<Found<Told>> {
        let found = |told: Told, how: &str| Found {
            value: told,
            how: how.to_owned(),
        };
        let told = |text: &str| time::tell(text, now).and_then(|told| told.by(now));
        let of_meta = self.meta(&[
            "pubdate",
            "article:published_time",
            "publishdate",
            "og:release_date",
        ]);
        if let Some(value) = of_meta.and_then(|text| told(&text)) {
            return Some(found(value, "by its meta element"));
        }
        if let Some((value, label)) = labelled(self.html, TIME_LABELS)
            && let Some(value) = told(&text::of_element(value))
        {
            return Some(found(value, &format!("beside “{label}”")));
        }
        let title = self.title().map_or_else(String::new, |title| title.value);
        let is_own = |line: &&String| {
            !OTHERS.is_match(&line.to_ascii_lowercase())
                && (title.is_empty() || !line.contains(&title))
        };
        let (before, after) = self.lines();
        let ahead = || before.iter().rev().take(NEAR).filter(is_own);
        let behind = || after.iter().take(NEAR).filter(is_own);
        let all = || before.iter().rev().chain(&after).filter(is_own);
        let says = |line: &&String| time::is_labelled_published(line, now);
        let tells = |line: &String| told(line);
        let machine = || {
            (self.around.iter())
                .filter(|element| element.value().name() == "time")
                .find_map(|element| told(element.value().attr("datetime")?))
        };
        // First what says that it is the time of publishing, before the text rather than behind it, where
        // replies have theirs.
        let ways: [(&dyn Fn() -> Option<Told>, &str); 6] = [
            (&|| ahead().filter(says).find_map(tells), "beside its label"),
            (&machine, "by its `time` element"),
            (&|| ahead().find_map(tells), "before the text"),
            (
                &|| behind().filter(says).find_map(tells),
                "beside its label",
            ),
            (&|| behind().find_map(tells), "behind the text"),
            (&|| all().find_map(tells), "on the page"),
        ];
        let (value, how) = ways.iter().find_map(|(way, how)| Some((way()?, *how)))?;
        Some(found(value, how))
    }

    /// The value of the first such meta element.
    fn meta(&self, wanted: &[&str]) -> Option<String> {
        wanted.iter().find_map(|wanted| {
            elements(self.html.root_element())
                .filter(|element| element.value().name() == "meta")
                .filter(|element| {
                    let of = |name| element.value().attr(name).unwrap_or_default();
                    [of("name"), of("property"), of("itemprop")]
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(wanted))
                })
                .filter_map(|element| element.value().attr("content"))
                .map(str::trim)
                .find(|content| !content.is_empty())
                .map(str::to_owned)
        })
    }

    /// What the page says its title is, to windows and to other sites, in the parts that are divided from the
    /// name of the site.
    fn told_titles(&self) -> Vec<String> {
        let window = elements(self.html.root_element())
            .find(|element| element.value().name() == "title")
            .map(|element| element.text().collect::<String>());
        let titles = [window, self.meta(&["og:title"])]
            .map(|title| Some(title?.chars().take(TOLD).collect::<String>()));
        titles
            .iter()
            .flatten()
            .flat_map(|title| title.split(" - "))
            .flat_map(|part| part.split(['_', '|', '–', '—', '\n']))
            .map(text::tidy)
            .filter(|part| part.chars().count() >= 2)
            .collect()
    }

    /// The lines before the text, and those behind it.
    fn lines(&self) -> (Vec<String>, Vec<String>) {
        let main = self.text.as_ref().map(|(element, _)| element.id());
        let whole = text::Reading {
            left_out: |element: ElementRef<'_>| Some(element.id()) != main && is_outside(element),
            cut: main,
            parts: true,
        }
        .of(self.html.root_element());
        let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
        let (before, after) = whole.split_once(text::CUT).unwrap_or((&whole, ""));
        (lines(before), lines(after.trim_start()))
    }
}

/// What a heading and the titles that the page tells have in common.
fn agreed(says: &str, told: &[String]) -> Option<String> {
    let flat = |text: &str| text.replace([' ', '\u{a0}'], "");
    let says_flat = flat(says);
    if says_flat.chars().count() < 2 {
        return None;
    }
    told.iter().find_map(|told| {
        let told_flat = flat(told);
        if told_flat.contains(&says_flat) {
            Some(says.trim().to_owned())
        } else if told_flat.chars().count() >= 4 && says_flat.contains(&told_flat) {
            Some(told.clone())
        } else {
            None
        }
    })
}

/// How an element is called in a message: its name with its class or id.
fn shape(element: ElementRef<'_>) -> String {
    let value = element.value();
    let name = match (value.attr("id"), value.attr("class")) {
        (Some(id), _) => format!("{}#{id}", value.name()),
        (None, Some(class)) => {
            let first = class.split_whitespace().next().unwrap_or_default();
            format!("{}.{first}", value.name())
        }
        (None, None) => value.name().to_owned(),
    };
    format!("by the shape of the page, in `{name}`")
}

/// The text of an element as its author wrote it.
fn written(element: ElementRef<'_>) -> String {
    let main = element.id();
    let whole = text::Reading {
        left_out: |inner: ElementRef<'_>| inner.id() != main && is_unread(inner),
        cut: None,
        parts: false,
    }
    .of(element);
    let lines: Vec<&str> = whole
        .lines()
        .map(|line| line.trim_matches(['\u{3000}', ' ', '\u{a0}']))
        .filter(|line| !line.is_empty() && !APART.is_match(line))
        .collect();
    lines.join("\n")
}

/// Whether an element is small enough to be a label, a name or a heading.
fn is_small(element: ElementRef<'_>) -> bool {
    let mut bytes = 0;
    element.descendants().enumerate().all(|(nodes, node)| {
        bytes += node.value().as_text().map_or(0, |words| words.len());
        nodes < SMALL_NODES && bytes <= SMALL_BYTES
    })
}

/// The text of a small element.
fn small(element: ElementRef<'_>) -> Option<String> {
    is_small(element).then(|| text::of_element(element))
}

/// The value beside a label: in the next element, or the one next to the label's parent.
fn labelled<'a>(html: &'a Html, labels: &str) -> Option<(ElementRef<'a>, String)> {
    let wanted: HashSet<&str> = labels.split('|').collect();
    elements(html.root_element()).find_map(|element| {
        // Only short elements are labels, and those of forms are for what is to be filled in.
        let is_field = matches!(
            element.value().name(),
            "option" | "label" | "a" | "button" | "title"
        );
        if is_field || element.children().count() > 3 || is_unread(element) || !is_small(element) {
            return None;
        }
        let mut label = String::new();
        for words in element.text() {
            label.extend(words.chars().filter(|c| {
                !c.is_whitespace() && !matches!(c, ':' | '：' | '【' | '】' | '[' | ']')
            }));
            if label.len() > 30 {
                return None;
            }
        }
        if !wanted.contains(label.as_str()) {
            return None;
        }
        let value = element
            .next_siblings()
            .filter_map(ElementRef::wrap)
            .find(|next| next.text().any(|words| !words.trim().is_empty()))?;
        Some((value, label))
    })
}

/// What is wrong with a page that its scripts make, and the remedy.
pub const MADE_BY_SCRIPTS: &str = "shows nothing without its scripts, which never run here; look for the JSON that they load and read that with [source.api]";

/// Whether the page shows nothing without its scripts, which never run here.
#[must_use]
pub fn needs_a_browser(html: &Html) -> bool {
    let has_scripts =
        elements(html.root_element()).any(|element| element.value().name() == "script");
    has_scripts && text::of_element(html.root_element()).chars().count() < SCARCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::page;

    #[test]
    fn a_page_that_its_scripts_make_is_told() {
        let empty = "<title>留言板</title><div id=app></div><script src=app.js></script>";
        assert!(needs_a_browser(&page::parse(empty).unwrap()));
        let whole = format!("<p>{}</p><script></script>", "路灯坏了。".repeat(30));
        assert!(!needs_a_browser(&page::parse(&whole).unwrap()));
    }

    #[test]
    fn a_page_made_to_be_slow_is_read_all_the_same() {
        let now = "2026-11-23T04:00:00Z".parse().unwrap();
        let deep = "<div class=author>路灯坏了，没人来修。".repeat(500);
        let wide = "<h1 class=title>路灯坏了</h1><p>没人来修，路灯坏了。</p>".repeat(20_000);
        let links = "<i><a href=/t/101>路灯坏了没人修</a></i>".repeat(20_000);
        let within = "<span><div class=title>".repeat(250);
        let empty = format!("{within}{}", "<i></i>".repeat(200_000));
        let long = format!("{within}{}", "路灯坏了。".repeat(150_000));
        let lines = format!("{}{}", "<span>".repeat(500), "路灯坏了。".repeat(150_000));
        let titles = format!("<title>{}</title>{wide}", "坏了_".repeat(200_000));
        for text in [
            format!("{deep}{wide}"),
            format!("{deep}{links}"),
            empty,
            long,
            lines,
            titles,
        ] {
            let html = page::parse(&text).unwrap();
            let article = Article::new(&html);
            drop((
                article.text(),
                article.title(),
                article.author(),
                article.time(now),
            ));
            drop(crate::extract::listing::entries(
                &html,
                &"http://a.test/".parse().unwrap(),
                now,
            ));
        }
    }
}
