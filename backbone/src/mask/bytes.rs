//! Masks bytes that may be anybody's: messages that could not be read, of which nobody can say that they were masked.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{has_no_width, mask};

/// Digits of an id, see [`crate::id`].
const ID: usize = 32;

/// The bytes masked: of JSON each text, name and number, but no id, so that what is sent back after a remedy is still the same
/// thing; of anything else the whole. Bytes in which nothing is masked are as they were.
pub(crate) fn masked(bytes: &[u8]) -> Cow<'_, [u8]> {
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        let after = masked_value(value.clone());
        return match serde_json::to_vec(&after) {
            Ok(json) if after != value => Cow::Owned(json),
            _ => Cow::Borrowed(bytes),
        };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let after = masked_text(text);
            if after == text {
                Cow::Borrowed(bytes)
            } else {
                Cow::Owned(after.into_bytes())
            }
        }
        // Of another charset: its digits are those of ASCII in all that are met, and every byte is a character here.
        Err(_) => {
            let text: String = bytes.iter().copied().map(char::from).collect();
            let after = mask(&text).chars().map(|letter| letter as u8).collect();
            Cow::Owned(after)
        }
    }
}

/// A text masked as it is seen: what has no width parts no number. One in which nothing is masked is as it was.
pub(crate) fn masked_text(text: &str) -> String {
    let seen: String = text
        .chars()
        .filter(|letter| !has_no_width(*letter))
        .collect();
    let after = mask(&seen);
    if after == seen {
        text.to_owned()
    } else {
        after
    }
}

fn masked_value(value: Value) -> Value {
    match value {
        Value::String(text) if is_id(&text) => Value::String(text),
        Value::String(text) => Value::String(masked_text(&text)),
        // One with a fraction tells of no person.
        Value::Number(number) if number.is_u64() => {
            let text = number.to_string();
            let after = mask(&text);
            if after == text {
                Value::Number(number)
            } else {
                Value::String(after)
            }
        }
        Value::Array(values) => values.into_iter().map(masked_value).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (masked_text(&name), masked_value(value)))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

fn is_id(text: &str) -> bool {
    text.len() == ID
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_could_read_is_masked_and_what_is_in_order_stays_as_it_was() {
        let of = |text: &str| String::from_utf8_lossy(&masked(text.as_bytes())).into_owned();
        for (text, expected) in [
            ("电话13812345678 {", "电话138******78 {"),
            (
                r#"{"13912345678":1,"likes":13812345678,"text":"电话13812345678"}"#,
                r#"{"139******78":1,"likes":"138******78","text":"电话138******78"}"#,
            ),
            // An id may hold what looks like a number.
            (
                r#"{ "id": "ab13812345678cdef0123456789abcde", "score": 0.13812345678 }"#,
                r#"{ "id": "ab13812345678cdef0123456789abcde", "score": 0.13812345678 }"#,
            ),
            ("no JSON at all", "no JSON at all"),
            ("电话1\u{200b}3\u{200b}812345678", "电话138******78"),
            ("没有\u{200b}号码", "没有\u{200b}号码"),
        ] {
            assert_eq!(of(text), expected);
        }
        // 电话 in GBK.
        let gbk = [b"\xb5\xe7\xbb\xb0".as_slice(), b"13812345678"].concat();
        let after = [b"\xb5\xe7\xbb\xb0".as_slice(), b"138******78"].concat();
        assert_eq!(masked(&gbk).as_ref(), after);
    }
}
