//! What a post's page tells, found without a word on its template: title, text, author and time.
//!
//! First by what is written beside it (来信内容, 作者), then by what pages say of themselves to machines
//! (`ArticleTitle`, `PubDate`, which the standards for government sites ask for), then by the shape of the
//! page: the text is where sentences are dense and links are few.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ego_tree::NodeId;
use jiff::Timestamp;
use regex::Regex;
use scraper::{ElementRef, Html, Node};

use super::page::{elements, names};
use super::text;
use super::time::{self, Told};

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
}

const TEXT_LABELS: &str = "来信内容|信件内容|留言内容|问题内容|诉求内容|咨询内容|投诉内容|反映内容|事项内容|写信内容|提问内容|建议内容|主要内容|正文|内容";
const TITLE_LABELS: &str = "来信标题|信件标题|留言标题|诉求标题|事项标题|来信主题|信件主题|留言主题|诉求主题|问题标题|标题|主题";
const AUTHOR_LABELS: &str = "来信人|写信人|发信人|留言人|诉求人|提问人|咨询人|投诉人|反映人|发布人|发帖人|发表人|网友|昵称|楼主|作者|姓名|author|by";

#[allow(
    clippy::expect_used,
    reason = "constant patterns, compiled by every test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static UNREAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"comment|reply|respond|foot|side|(?:^|[ _-])nav|menu|share|related|relat|recommend|(?:^|[ _-])hot|copyright|breadcrumb|crumb|(?:^|[ _-])pag(?:e|er|ination)(?:$|[ _-])|toolbar|login|search|banner|(?:^|[ _-])ads?(?:$|[ _-])|signature|(?:^|[ _-])sign|pstatus|hidden|attach|qrcode|sns|prev|next|locmin|modact|rate|tags?(?:$|[ _-])|meta(?:$|[ _-])",
    )
});
static READ: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"article|content|zoom|editor|(?:^|[ _-])text|body|main|detail|post|t_f|message|entry|news|con(?:$|[ _-])|view",
    )
});
/// What is not written by the author though it stands in the text.
static APART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A(?:本帖最后由 .{1,60} 编辑|来自[:：]?.{0,12}客户端|分享到[:：]?.{0,30}|【?(?:打印|关闭)(?:本页|窗口)?】?|责任编辑[:：].{0,20}|编辑[:：].{0,12}|扫一扫.{0,20})\z",
    )
});
/// Lines with times that are no post's.
static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "注册|生日|今天是|现在时间|当前时间|copyright|版权|备案|icp|在线|上次|最后登录|有效期|截止|gmt",
    )
});
static SENTENCES: LazyLock<Regex> = LazyLock::new(|| pattern("[，。；：！？、,;!?]"));
static INLINE_AUTHOR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)(?:^|[\s|　【\[(（])(?P<label>{AUTHOR_LABELS})\s*[:：]\s*(?P<name>[^\s|　：:，。;；\])）】]{{1,24}})"
    ))
});
static AUTHOR_NAMES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"author|username|user-name|nickname|(?:^|[ _-])by(?:$|[ _-])|poster|authi|writer")
});
static TITLE_NAMES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"title|(?:^|[ _-])tit(?:$|[ _-])|subject|headline|biaoti"));

/// Of a page's class and id: whether what is in it is not of the post.
fn is_unread(element: ElementRef<'_>) -> bool {
    if matches!(
        element.value().name(),
        "nav"
            | "footer"
            | "aside"
            | "script"
            | "style"
            | "noscript"
            | "template"
            | "iframe"
            | "head"
            | "select"
            | "button"
            | "textarea"
    ) {
        return true;
    }
    let style = element.value().attr("style").unwrap_or_default();
    if style.replace(' ', "").contains("display:none") {
        return true;
    }
    let names = names(element);
    let names = names.trim();
    !names.is_empty() && UNREAD.is_match(names) && !READ_STRONGLY.is_match(names)
}

/// Names that only the text has, whatever else is among them.
static READ_STRONGLY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"trs_editor|zoom|article-?content|entry-content|post_?content|postmessage|t_f(?:$| )|news_?content|main|wrap|container|content-?box|pcb|plc|layout",
    )
});

impl<'a> Article<'a> {
    /// Of a page.
    #[must_use]
    pub fn new(html: &'a Html) -> Self {
        let text = labelled(html, TEXT_LABELS)
            .filter(|(value, _)| text::of_element(*value).chars().count() >= 5)
            .map(|(value, label)| (value, format!("beside “{label}”")))
            .or_else(|| densest(html).map(|element| (element, shape(element))));
        Self { html, text }
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
        if let Some(title) = self.meta(&["articletitle", "og:title"]) {
            return found(title, "by its meta element");
        }
        if let Some((value, label)) = labelled(self.html, TITLE_LABELS) {
            let value = text::of_element(value);
            if value.chars().count() <= 100 {
                return found(value, &format!("beside “{label}”"));
            }
        }
        let of_window = self.window_title();
        let heads =
            || elements(self.html.root_element()).filter(|element| !self.is_apart(*element));
        let is_told = |value: &String| {
            let flat = value.replace([' ', '\n'], "");
            flat.chars().count() >= 2 && of_window.replace(' ', "").contains(&flat)
        };
        let of = |name: &str| {
            let all: Vec<String> = heads()
                .filter(|element| element.value().name() == name)
                .map(text::of_element)
                .filter(|value| !value.is_empty() && value.chars().count() <= 200)
                .collect();
            let told = all.iter().find(|value| is_told(value)).cloned();
            told.or_else(|| match all.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            })
        };
        for name in ["h1", "h2", "h3"] {
            if let Some(value) = of(name) {
                return found(value, &format!("in `{name}`"));
            }
        }
        let named = heads()
            .filter(|element| TITLE_NAMES.is_match(&names(*element)))
            .map(text::of_element)
            .find(is_told);
        if let Some(value) = named {
            return found(value, "by the name of its element");
        }
        let line = text::of_element(self.html.root_element())
            .lines()
            .find(|line| is_told(&(*line).to_owned()) && line.chars().count() >= 4)
            .map(str::to_owned);
        found(line.unwrap_or(of_window), "by the title of the window")
    }

    /// Its author.
    #[must_use]
    pub fn author(&self) -> Option<Found<String>> {
        let found = |value: &str, how: String| {
            let value = value.trim().to_owned();
            (!value.is_empty() && value.chars().count() <= 40).then_some(Found { value, how })
        };
        if let Some((value, label)) = labelled(self.html, AUTHOR_LABELS) {
            return found(
                &text::of_element(value).replace('\n', " "),
                format!("beside “{label}”"),
            );
        }
        let around = self.around();
        for line in &around {
            if let Some(told) = INLINE_AUTHOR.captures(line)
                && let (Some(label), Some(name)) = (told.name("label"), told.name("name"))
            {
                return found(name.as_str(), format!("beside “{}”", label.as_str()));
            }
        }
        let named = elements(self.html.root_element())
            .filter(|element| AUTHOR_NAMES.is_match(&names(*element)) && !self.is_apart(*element))
            .filter_map(|element| {
                // A name is often a link among other words.
                let link = elements(element).find(|inner| inner.value().name() == "a");
                let value = text::of_element(link.unwrap_or(element));
                (value.chars().count() <= 20 && !value.contains('\n') && !value.is_empty())
                    .then_some(value)
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
        let told = |text: &str| time::tell(text, now).filter(|told| told.at <= now);
        let of_meta = self.meta(&[
            "pubdate",
            "article:published_time",
            "publishdate",
            "og:release_date",
        ]);
        if let Some(value) = of_meta.and_then(|text| told(&text)) {
            return Some(found(value, "by its meta element"));
        }
        let around = self.around();
        let lines: Vec<&String> = around
            .iter()
            .filter(|line| !OTHERS.is_match(&line.to_ascii_lowercase()))
            .collect();
        // A line that says what its time is; else the first that tells one.
        let says = |line: &&&String| time::is_labelled_published(line, now);
        if let Some(value) = lines.iter().find(says).and_then(|line| told(line)) {
            return Some(found(value, "beside its label"));
        }
        let machine = elements(self.html.root_element())
            .filter(|element| element.value().name() == "time" && !self.is_apart(*element))
            .find_map(|element| told(element.value().attr("datetime")?));
        if let Some(value) = machine {
            return Some(found(value, "by its `time` element"));
        }
        let value = lines.iter().find_map(|line| told(line))?;
        Some(found(value, "near the text"))
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

    /// The title of the window, without the name of the site.
    fn window_title(&self) -> String {
        let title = elements(self.html.root_element())
            .find(|element| element.value().name() == "title")
            .map(|element| element.text().collect::<String>())
            .unwrap_or_default();
        let title = text::tidy(&title).replace('\n', " ");
        let first = title
            .split(" - ")
            .flat_map(|part| part.split(['_', '|', '–', '—']))
            .map(str::trim)
            .find(|part| part.chars().count() >= 2);
        first.unwrap_or_default().to_owned()
    }

    /// Whether an element is in the text, or in what is not of the post at all.
    fn is_apart(&self, element: ElementRef<'_>) -> bool {
        let text = self.text.as_ref().map(|(element, _)| element.id());
        std::iter::once(*element)
            .chain(element.ancestors())
            .any(|node| {
                Some(node.id()) == text
                    || ElementRef::wrap(node).is_some_and(|element| {
                        is_unread(element) && !matches!(element.value().name(), "head")
                    })
            })
    }

    /// The lines around the text, those before it first, the nearest of them last; then those behind it.
    fn around(&self) -> Vec<String> {
        let Some((main, _)) = &self.text else {
            return text::of_element(self.html.root_element())
                .lines()
                .map(str::to_owned)
                .collect();
        };
        let main = main.id();
        let whole = text::of_element_but(
            self.html.root_element(),
            |element| element.id() != main && is_unread(element),
            Some(main),
        );
        let (before, after) = whole.split_once(text::CUT).unwrap_or((&whole, ""));
        let lines = |text: &str| {
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut around = lines(before);
        around.extend(lines(after));
        around
    }
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
    let whole = text::of_element_but(
        element,
        |inner| inner.id() != main && is_unread(inner),
        None,
    );
    let lines: Vec<&str> = whole
        .lines()
        .map(|line| line.trim_matches(['\u{3000}', ' ', '\u{a0}']))
        .filter(|line| !line.is_empty() && !APART.is_match(line))
        .collect();
    lines.join("\n")
}

/// The value beside a label: in the next element, or the one next to the label's parent.
fn labelled<'a>(html: &'a Html, labels: &str) -> Option<(ElementRef<'a>, String)> {
    let wanted: HashSet<&str> = labels.split('|').collect();
    elements(html.root_element()).find_map(|element| {
        // Only short elements are labels.
        if element.children().count() > 3 || is_unread(element) {
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

/// The element in which sentences are densest.
fn densest(html: &Html) -> Option<ElementRef<'_>> {
    let mut scores: HashMap<NodeId, f64> = HashMap::new();
    let mut order = Vec::new();
    let mut waiting = vec![html.root_element()];
    while let Some(element) = waiting.pop() {
        if is_unread(element) && !matches!(element.value().name(), "html" | "body") {
            continue;
        }
        let children: Vec<_> = element.children().filter_map(ElementRef::wrap).collect();
        waiting.extend(children.iter().rev());
        let own = own_text(element);
        let length = own.chars().count();
        if length < 8 {
            continue;
        }
        let sentences = SENTENCES.find_iter(&own).count();
        if sentences == 0 && length < 20 {
            continue;
        }
        #[allow(clippy::cast_precision_loss, reason = "a page's length")]
        let score = 1.0 + sentences as f64 + (length as f64 / 25.0).min(12.0);
        let holds = !matches!(
            element.value().name(),
            "p" | "li" | "dd" | "blockquote" | "pre" | "font" | "span" | "b" | "strong"
        );
        let ancestors = std::iter::once(element)
            .filter(|_| holds)
            .chain(element.ancestors().filter_map(ElementRef::wrap));
        for (ancestor, share) in ancestors.zip([1.0, 0.5, 0.2]) {
            let entry = scores.entry(ancestor.id()).or_insert_with(|| {
                order.push(ancestor);
                weight(ancestor)
            });
            *entry += score * share;
        }
    }
    let best = order
        .into_iter()
        .map(|element| {
            let score = scores.get(&element.id()).copied().unwrap_or_default();
            (element, score * (1.0 - link_share(element)))
        })
        .fold(None::<(ElementRef<'_>, f64)>, |best, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        })?
        .0;
    Some(first_of_its_kind(html, best))
}

/// A thread has many posts of one kind: the first is the one that it is about.
fn first_of_its_kind<'a>(html: &'a Html, best: ElementRef<'a>) -> ElementRef<'a> {
    let Some(class) = best
        .value()
        .attr("class")
        .filter(|class| !class.trim().is_empty())
    else {
        return best;
    };
    elements(html.root_element())
        .find(|element| {
            element.value().name() == best.value().name()
                && element.value().attr("class") == Some(class)
                && text::of_element(*element).chars().count() >= 2
        })
        .unwrap_or(best)
}

fn weight(element: ElementRef<'_>) -> f64 {
    let mut weight = match element.value().name() {
        "article" => 8.0,
        "body" | "html" => -20.0,
        _ => 0.0,
    };
    let names = names(element);
    if READ.is_match(&names) {
        weight += 6.0;
    }
    if UNREAD.is_match(&names) {
        weight -= 6.0;
    }
    weight
}

/// The words directly in an element, or in what is in line with them; not those of links.
fn own_text(element: ElementRef<'_>) -> String {
    let mut own = String::new();
    for child in element.children() {
        match child.value() {
            Node::Text(words) => own.push_str(words.trim()),
            Node::Element(inner)
                if matches!(
                    inner.name(),
                    "b" | "strong" | "span" | "font" | "em" | "i" | "u" | "o:p"
                ) =>
            {
                for words in child.descendants() {
                    if let Node::Text(words) = words.value() {
                        own.push_str(words.trim());
                    }
                }
            }
            _ => {}
        }
    }
    own
}

fn link_share(element: ElementRef<'_>) -> f64 {
    let (mut linked, mut all) = (0_usize, 0_usize);
    for node in element.descendants() {
        if let Node::Text(words) = node.value() {
            let length = words.trim().chars().count();
            all += length;
            let is_linked = node
                .ancestors()
                .take_while(|ancestor| ancestor.id() != element.id())
                .any(|ancestor| {
                    ancestor
                        .value()
                        .as_element()
                        .is_some_and(|inner| inner.name() == "a")
                });
            if is_linked {
                linked += length;
            }
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a page's length")]
    let share = linked as f64 / all.max(1) as f64;
    share
}
