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

/// What words behind the heading of the replies count for.
const BEHIND: f64 = 0.2;
/// Lines next to the text that may tell its time though they do not say so.
const NEAR: usize = 8;

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
}

const TEXT_LABELS: &str = "来信内容|信件内容|留言内容|问题内容|诉求内容|咨询内容|投诉内容|反映内容|事项内容|写信内容|提问内容|建议内容|主要内容|正文|内容";
const TIME_LABELS: &str = "来信时间|写信时间|信件时间|留言时间|提交时间|诉求时间|提问时间|咨询时间|投诉时间|反映时间|发布时间|发表时间|发帖时间|发布日期|发表日期|发文日期|来信日期|写信日期|留言日期|提交日期";
const TITLE_LABELS: &str = "来信标题|信件标题|留言标题|诉求标题|事项标题|来信主题|信件主题|留言主题|诉求主题|问题标题|标题|主题";
const AUTHOR_LABELS: &str = "来信人|写信人|发信人|留言人|诉求人|提问人|咨询人|投诉人|反映人|发布人|发帖人|发表人|网友|昵称|作者|姓名|author|by";

#[allow(
    clippy::expect_used,
    reason = "constant patterns, compiled by every test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static UNREAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"comment|reply|respond|author-?(?:box|bio|info)|foot|side|(?:^|[ _-])nav|menu|share|related|relat|recommend|(?:^|[ _-])hot|copyright|breadcrumb|crumb|pager|pagination|page-?nav|toolbar|login|search|banner|(?:^|[ _-])ads?(?:$|[ _-])|signature|(?:^|[ _-])sign|pstatus|hidden|attach|qrcode|sns|prev|next|locmin|modact|rate|tags?(?:$|[ _-])|meta(?:$|[ _-])",
    )
});
static READ: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"article|content|zoom|editor|(?:^|[ _-])text|body|main|detail|post|t_f|message|entry|news|con(?:$|[ _-])|view",
    )
});
/// Parts of a page that are not of the post, nor around it.
static OUTSIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"comment|respond|foot|side|(?:^|[ _-])nav|menu|related|recommend|(?:^|[ _-])hot|copyright|breadcrumb|crumb|login|search|banner|(?:^|[ _-])ads?(?:$|[ _-])|widget|hidden|topbar|prev|next|rank|logo|brand|masthead|site-title|(?:^| )header(?:$|[ _-])|site-header",
    )
});
/// Lines beside a text that tell of it, or of the site.
static BESIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:发布时间|发布日期|信息来源|来源|作者|编辑|浏览(?:次数)?|点击(?:次数|率)?|阅读|字体|字号|时间|日期)\s*[:：]|主办单位|承办单位|技术支持|版权所有|copyright|备案|网站标识码|浏览器|访客|您(?:现)?在的位置|当前位置|上一[篇条封]|下一[篇条封]",
    )
});
/// Headings of what others wrote about the text.
static REPLIES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A[【\[]?(?:网友|最新|全部|相关|精彩|热门|所有|用户|官方|读者)?(?:评论|跟帖|回帖|留言回复|回复内容|答复内容|办理结果|官方回复|答复情况)",
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
        "注册|生日|开站|建站|今天是|现在时间|当前时间|copyright|版权|备案|icp|在线|上次|最后登录|有效期|截止|gmt",
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
    is_of(element, &UNREAD)
}

/// Of a page's class and id: whether what is in it is not even around the post.
fn is_outside(element: ElementRef<'_>) -> bool {
    is_of(element, &OUTSIDE)
}

fn is_of(element: ElementRef<'_>, kinds: &Regex) -> bool {
    match element.value().name() {
        "html" | "body" => return false,
        "nav" | "footer" | "aside" | "script" | "style" | "noscript" | "template" | "iframe"
        | "head" | "select" | "button" | "textarea" => return true,
        _ => {}
    }
    let style = element.value().attr("style").unwrap_or_default();
    if style.replace(' ', "").contains("display:none") {
        return true;
    }
    let names = names(element);
    let names = names.trim();
    !names.is_empty() && kinds.is_match(names) && !READ_STRONGLY.is_match(names)
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

    /// Of a page whose text is known to be in that element.
    #[must_use]
    pub fn around_text(html: &'a Html, text: ElementRef<'a>) -> Self {
        let text = Some((text, shape(text)));
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
        let heads = || elements(self.html.root_element()).filter(|head| !self.is_apart(*head));
        let of = |head: ElementRef<'_>| {
            let says = text::of_element(head).replace('\n', " ");
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
        let (before, _) = self.around();
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
        let main = self.text.as_ref().map(|(element, _)| element.id());
        let named = elements(self.html.root_element())
            .take_while(|element| Some(element.id()) != main)
            .filter(|head| TITLE_NAMES.is_match(&names(*head)) && !self.is_apart(*head))
            .filter_map(of)
            .filter(|says| stands(&says))
            .last();
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
        let (before, after) = self.around();
        for line in before.iter().rev().chain(&after) {
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
        let (before, after) = self.around();
        let ahead = || before.iter().rev().take(NEAR).filter(is_own);
        let behind = || after.iter().take(NEAR).filter(is_own);
        let all = || before.iter().rev().chain(&after).filter(is_own);
        let says = |line: &&String| time::is_labelled_published(line, now);
        let tells = |line: &String| told(line);
        let machine = || {
            elements(self.html.root_element())
                .filter(|element| element.value().name() == "time" && !self.is_apart(*element))
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
        let titles = [window, self.meta(&["og:title"])];
        titles
            .iter()
            .flatten()
            .flat_map(|title| title.split(" - "))
            .flat_map(|part| part.split(['_', '|', '–', '—', '\n']))
            .map(text::tidy)
            .filter(|part| part.chars().count() >= 2)
            .collect()
    }

    /// Whether an element is in the text, or in what is not of the post at all.
    fn is_apart(&self, element: ElementRef<'_>) -> bool {
        let text = self.text.as_ref().map(|(element, _)| element.id());
        std::iter::once(*element)
            .chain(element.ancestors())
            .any(|node| Some(node.id()) == text || ElementRef::wrap(node).is_some_and(is_outside))
    }

    /// The lines before the text, and those behind it.
    fn around(&self) -> (Vec<String>, Vec<String>) {
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

/// The value beside a label: in the next element, or the one next to the label's parent.
fn labelled<'a>(html: &'a Html, labels: &str) -> Option<(ElementRef<'a>, String)> {
    let wanted: HashSet<&str> = labels.split('|').collect();
    elements(html.root_element()).find_map(|element| {
        // Only short elements are labels, and those of forms are for what is to be filled in.
        let is_field = matches!(
            element.value().name(),
            "option" | "label" | "a" | "button" | "title"
        );
        if is_field || element.children().count() > 3 || is_unread(element) {
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
    let mut share_here = 1.0;
    let mut waiting = vec![html.root_element()];
    while let Some(element) = waiting.pop() {
        if is_unread(element) {
            continue;
        }
        let children: Vec<_> = element.children().filter_map(ElementRef::wrap).collect();
        waiting.extend(children.iter().rev());
        let own = own_text(element);
        let length = own.chars().count();
        if length < 30 && REPLIES.is_match(&own) {
            share_here = BEHIND;
        }
        if length < 8 {
            continue;
        }
        let sentences = SENTENCES.find_iter(&own).count();
        if (sentences == 0 && length < 20) || BESIDE.is_match(&own) {
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
                0.0
            });
            *entry += score * share * share_here;
        }
    }
    let best = order
        .into_iter()
        .map(|element| {
            let score = scores.get(&element.id()).copied().unwrap_or_default();
            (
                element,
                score * weight(element) * (1.0 - link_share(element)),
            )
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

/// What the name of an element makes of the words in it.
fn weight(element: ElementRef<'_>) -> f64 {
    let names = names(element);
    let mut weight = match element.value().name() {
        "body" | "html" => 0.3,
        _ => 1.0,
    };
    if READ.is_match(&names) {
        weight *= 1.4;
    }
    if UNREAD.is_match(&names) {
        weight *= 0.6;
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
}
