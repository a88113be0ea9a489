//! Pages of HTML as trees.

use scraper::{ElementRef, Html};
use thiserror::Error;

/// Elements within each other, at most, about as many as browsers bear: what is done with a page takes time with
/// its depth.
const DEEPEST: usize = 512;
/// Elements that end by themselves: they hold nothing, or end with the next of their kind.
const UNCLOSED: [&str; 28] = [
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
    "colgroup", "optgroup", "rp",
];
/// The page is nested too deeply to be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("is nested more than {DEEPEST} elements deep; that is no page for people")]
pub struct TooDeep;

/// A page as a tree. Its scripts do not run.
///
/// # Errors
/// When it is nested too deeply.
pub fn parse(text: &str) -> Result<Html, TooDeep> {
    if depth(text) > DEEPEST {
        return Err(TooDeep);
    }
    Ok(Html::parse_document(text))
}

/// How deep the tags are within each other, told from their names alone.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
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
        if is_end {
            depth = depth.saturating_sub(1);
        } else {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
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
}
