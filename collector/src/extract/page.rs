//! Pages of HTML as trees.

use scraper::{ElementRef, Html};
use thiserror::Error;
use url::Url;

/// Elements within each other, at most, about as many as browsers bear: what is done with a page takes time with
/// its depth.
const DEEPEST: usize = 512;
/// Elements that end by themselves: they hold nothing, or end with the next of their kind.
const UNCLOSED: [&str; 28] = [
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
    "colgroup", "optgroup", "rp",
];
/// Elements that format text. One that is left open is opened anew in each element that comes later, as HTML has it
/// (WHATWG HTML, 13.2.4.3); of equal ones three at most.
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
const EQUAL: usize = 3;
/// Elements that are opened anew, at most.
const MOST_REOPENED: usize = 200_000;
/// The page is nested too deeply to be read, or leaves too much open.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "is nested more than {DEEPEST} elements deep, or leaves so many open that they would be opened anew {MOST_REOPENED} times; \
     that is no page for people"
)]
pub struct TooDeep;

/// A page as a tree. Its scripts do not run.
///
/// # Errors
/// When it is nested too deeply or leaves too much open.
pub fn parse(text: &str) -> Result<Html, TooDeep> {
    if is_too_deep(text) {
        return Err(TooDeep);
    }
    Ok(Html::parse_document(text))
}

/// How deep the tags are within each other and what they leave open, told from the tags alone.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut reopened) = (0_usize, 0);
    // What is open of formatting: its name, and its tag.
    let mut open: Vec<(String, &str)> = Vec::new();
    for piece in text.split('<').skip(1) {
        let (is_end, piece) = match piece.strip_prefix('/') {
            Some(piece) => (true, piece),
            None => (false, piece),
        };
        let length = piece
            .find(|character: char| !character.is_ascii_alphanumeric())
            .unwrap_or(piece.len());
        let name = piece.get(..length).unwrap_or_default().to_ascii_lowercase();
        if name.is_empty() || UNCLOSED.contains(&name.as_str()) {
            continue;
        }
        let formats = FORMATTING.contains(&name.as_str());
        if is_end {
            depth = depth.saturating_sub(1);
            if formats && let Some(last) = open.iter().rposition(|(known, _)| *known == name) {
                open.remove(last);
            }
            continue;
        }
        depth += 1;
        reopened += open.len();
        if depth > DEEPEST || reopened > MOST_REOPENED {
            return true;
        }
        let tag = piece.split('>').next().unwrap_or_default();
        if formats && open.iter().filter(|(_, known)| *known == tag).count() < EQUAL {
            open.push((name, tag));
        }
    }
    false
}

/// What the relative addresses of a page begin at: its own address, or that of its `base` element (WHATWG HTML, 4.2.3).
#[must_use]
pub fn base(html: &Html, url: &Url) -> Url {
    elements(html.root_element())
        .filter(|element| element.value().name() == "base")
        .find_map(|element| element.value().attr("href"))
        .and_then(|href| url.join(href.trim()).ok())
        .filter(|base| matches!(base.scheme(), "http" | "https"))
        .unwrap_or_else(|| url.clone())
}

/// The elements within one, in the order of the page.
pub(super) fn elements<'a>(of: ElementRef<'a>) -> impl Iterator<Item = ElementRef<'a>> {
    of.descendants().filter_map(ElementRef::wrap)
}

/// The class and id of an element, in small letters.
pub(super) fn names(element: ElementRef<'_>) -> String {
    let of = |name| element.value().attr(name).unwrap_or_default();
    format!("{} {}", of("class"), of("id")).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_end_of_nesting_is_refused() {
        let deep = "<div>".repeat(DEEPEST + 1);
        assert_eq!(parse(&deep).unwrap_err(), TooDeep);
        let sloppy = "<p>一<br><li>二<td>三<img src=x>".repeat(DEEPEST);
        assert!(parse(&sloppy).is_ok());
        let long = "<div><b>一</b></div>".repeat(DEEPEST);
        assert!(parse(&long).is_ok());
    }

    #[test]
    fn a_page_may_say_where_its_addresses_begin() {
        let url = "http://a.test/list/index.html".parse().unwrap();
        for (head, expected) in [
            ("", "http://a.test/list/index.html"),
            ("<base href='/bbs/'>", "http://a.test/bbs/"),
            (
                "<base target=_blank><base href=' http://b.test/x/ '><base href='/c/'>",
                "http://b.test/x/",
            ),
            (
                "<base href='javascript:alert(1)'>",
                "http://a.test/list/index.html",
            ),
            ("<base href='http://'>", "http://a.test/list/index.html"),
        ] {
            let html = parse(&format!("<head>{head}</head><p>帖子")).unwrap();
            assert_eq!(base(&html, &url).as_str(), expected, "{head}");
        }
    }

    #[test]
    fn a_page_that_would_be_opened_anew_without_end_is_refused() {
        let formats: String = (0..400).map(|number| format!("<b id={number}>")).collect();
        let blocks = "<div>一</div>".repeat(8_000);
        assert_eq!(
            parse(&format!("<div>{formats}</div>{blocks}")).unwrap_err(),
            TooDeep
        );
        let wrong: String = (0..20_000)
            .map(|number| format!("<b id={number}></q>"))
            .collect();
        assert_eq!(parse(&wrong).unwrap_err(), TooDeep);
        let careless = format!("{}{blocks}", "<p><font color=red>一".repeat(400));
        assert!(parse(&careless).is_ok());
    }
}
