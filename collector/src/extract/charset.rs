//! Text of bytes: by byte order mark, by what the server says, by what the page says, by detection.

use std::sync::LazyLock;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use regex::bytes::Regex;
use thiserror::Error;

/// How far into a page its charset is looked for, in bytes (the HTML standard asks for 1,024).
const HEAD: usize = 2_048;

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

/// Decodes bytes. `configured` is the source's own word, `header` the `Content-Type`.
///
/// # Errors
/// When they do not fit the charset that the configuration, the server or the page names.
pub fn decode(
    bytes: &[u8],
    configured: Option<&str>,
    header: Option<&str>,
) -> Result<String, WrongCharset> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let by_mark = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let declared = configured
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .or(by_mark)
        .or_else(|| header.and_then(|header| declared_in(header.as_bytes())))
        .or_else(|| declared_in(head));
    let encoding = declared.unwrap_or_else(|| detect(bytes));
    let (text, _, damaged) = encoding.decode(bytes);
    // What nobody named was guessed; a stray byte there is not worth losing a page for.
    if damaged && declared.is_some() {
        return Err(WrongCharset {
            charset: encoding.name(),
        });
    }
    Ok(text.into_owned())
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
    fn a_wrong_charset_is_an_error_with_the_remedy() {
        let said = decode(&gbk("路灯坏了"), None, Some("text/html; charset=utf-8")).unwrap_err();
        assert!(
            said.to_string().contains("UTF-8") && said.to_string().contains("`charset`"),
            "{said}"
        );
    }
}
