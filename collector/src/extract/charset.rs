//! Text of bytes: by byte order mark, by what the server says, by what the page says, by detection.

use std::sync::LazyLock;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use regex::bytes::Regex;
use thiserror::Error;

/// How far into a page its charset is looked for, in bytes (the HTML standard asks for 1,024).
const HEAD: usize = 2_048;
/// Bytes beyond ASCII from which text that is UTF-8 is taken for such, whatever is said of it.
const LEAST_UTF8: usize = 12;

#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:charset|encoding)\s*=\s*["']?\s*([a-z0-9_:.-]+)"#)
        .expect("a valid pattern")
});

/// The bytes are not text in the charset they are said to be in.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("is said to be in {charset} but is not; correct the site, or set `charset` in the source")]
pub struct WrongCharset {
    charset: &'static str,
}

/// Decodes bytes. `configured` is the source's own word, `header` the `Content-Type`. Sites name a wrong
/// charset often enough, so of the mark, the header, the page and detection the first that fits is taken.
///
/// # Errors
/// When they do not fit the configured charset, or any other.
pub fn decode(
    bytes: &[u8],
    configured: Option<&str>,
    header: Option<&str>,
) -> Result<String, WrongCharset> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let mark = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let told = configured.and_then(|label| Encoding::for_label(label.as_bytes()));
    let mut candidates: Vec<_> = match told {
        Some(told) => vec![told],
        None => [
            mark,
            is_surely_utf8(bytes).then_some(UTF_8),
            header.and_then(|header| declared_in(header.as_bytes())),
            declared_in(head),
        ]
        .into_iter()
        .flatten()
        // What is told in single bytes is not in double ones.
        .filter(|encoding| {
            mark == Some(*encoding) || encoding.is_ascii_compatible() || head.contains(&0)
        })
        .collect(),
    };
    // A charset of single bytes fits anything: it is guessed only where nothing else is told.
    if candidates.first() != Some(&UTF_8) || !is_surely_utf8(bytes) {
        let guessed = detect(bytes);
        if candidates.is_empty() || (told.is_none() && !guessed.is_single_byte()) {
            candidates.push(guessed);
        }
    }
    for encoding in &candidates {
        let (text, _, damaged) = encoding.decode(bytes);
        if !damaged || is_nearly_whole(&text) {
            return Ok(text.into_owned());
        }
    }
    Err(WrongCharset {
        charset: candidates.first().map_or("", |encoding| encoding.name()),
    })
}

/// Text in another charset is hardly ever UTF-8 too, once it is longer than a few words.
fn is_surely_utf8(bytes: &[u8]) -> bool {
    let beyond_ascii = bytes
        .iter()
        .filter(|byte| !byte.is_ascii())
        .take(LEAST_UTF8);
    beyond_ascii.count() == LEAST_UTF8 && std::str::from_utf8(bytes).is_ok()
}

/// A stray byte, or a character cut in the middle, is not worth losing a page for.
fn is_nearly_whole(text: &str) -> bool {
    let (mut characters, mut lost) = (0, 0);
    for character in text.chars() {
        characters += 1;
        lost += usize::from(character == char::REPLACEMENT_CHARACTER);
    }
    lost * 200 <= characters
}

fn declared_in(text: &[u8]) -> Option<&'static Encoding> {
    let label = DECLARED.captures(text)?.get(1)?;
    Encoding::for_label(label.as_bytes())
}

/// The charset of bytes that nobody names.
#[must_use]
pub fn detect(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(Some(b"cn"), Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbk(text: &str) -> Vec<u8> {
        encoding_rs::GBK.encode(text).0.into_owned()
    }

    #[test]
    fn the_charset_is_found_wherever_it_is_named() {
        let page = "<meta charset=\"gb2312\"><p>冯川镇的路灯坏了</p>";
        assert_eq!(decode(&gbk(page), None, None).unwrap(), page);
        assert_eq!(
            decode(&gbk("路灯"), None, Some("text/html; charset=GBK")).unwrap(),
            "路灯"
        );
        assert_eq!(decode("路灯".as_bytes(), None, None).unwrap(), "路灯");
        assert_eq!(
            decode(&gbk("冯川镇的路灯坏了半年没有人来修"), None, None).unwrap(),
            "冯川镇的路灯坏了半年没有人来修"
        );
        assert_eq!(
            decode(&gbk("路灯"), Some("gbk"), Some("text/html; charset=utf-8")).unwrap(),
            "路灯"
        );
    }

    #[test]
    fn a_wrong_label_is_seen_through() {
        let page = "<meta charset=gbk><p>冯川镇的路灯坏了半年没有人来修</p>";
        let wrong = Some("text/html; charset=ISO-8859-1; charset=x");
        for (bytes, header) in [
            (gbk(page), Some("text/html; charset=utf-8")),
            (page.as_bytes().to_vec(), None),
            (page.as_bytes().to_vec(), Some("text/html; charset=big5")),
        ] {
            assert_eq!(decode(&bytes, None, header).unwrap(), page, "{header:?}");
        }
        let big5 = encoding_rs::BIG5
            .encode("奉新縣的路燈壞了半年沒有人來修理")
            .0;
        assert_eq!(
            decode(&big5, None, Some("text/html; charset=big5")).unwrap(),
            "奉新縣的路燈壞了半年沒有人來修理"
        );
        // A label that fits every byte cannot be seen through; `charset` in the source can.
        assert_ne!(decode(&gbk(page), None, wrong).unwrap(), page);
        assert_eq!(decode(&gbk(page), Some("gb18030"), wrong).unwrap(), page);
    }

    #[test]
    fn a_stray_byte_is_not_worth_a_page() {
        let mut bytes = "冯川镇的路灯坏了半年没有人来修".repeat(20).into_bytes();
        bytes.pop();
        assert!(decode(&bytes, None, Some("text/html; charset=utf-8")).is_ok());
    }

    #[test]
    fn a_wrong_charset_is_an_error_with_the_remedy() {
        let said = decode(&gbk("路灯坏了"), Some("utf-8"), None).unwrap_err();
        assert!(
            said.to_string().contains("UTF-8") && said.to_string().contains("`charset`"),
            "{said}"
        );
    }
}
