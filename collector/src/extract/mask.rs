//! Masks what tells who a person is: mobile, identity and bank card numbers.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

// An identity number of 18 or 15 digits or a card of 16 to 19, else a mobile number with or without
// separators. The runs on either side are taken in, so that a part of a longer number is none.
#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9０-９]+(?:[- \u{3000}][0-9０-９]+)*[xXＸ]?").expect("a valid pattern")
});

/// The text with such numbers masked: of a mobile number the first three and last two digits are left,
/// of the others the first and last two.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    NUMBERS.replace_all(text, |found: &Captures<'_>| {
        let found = found.get(0).map_or("", |found| found.as_str());
        mask_number(found).unwrap_or_else(|| found.to_owned())
    })
}

fn mask_number(found: &str) -> Option<String> {
    let digits: String = found.chars().filter_map(narrow).collect();
    if let Some(masked) = mask_digits(&digits) {
        return Some(masked);
    }
    // Several numbers side by side, or words of digits such as dates: each by itself.
    let parts: Vec<&str> = found.split_inclusive([' ', '-', '\u{3000}']).collect();
    if parts.len() < 2 {
        return None;
    }
    let masked: String = parts
        .iter()
        .map(|part| {
            let end = part.trim_end_matches([' ', '-', '\u{3000}']);
            let digits: String = end.chars().filter_map(narrow).collect();
            let separator = part.strip_prefix(end).unwrap_or_default();
            mask_digits(&digits).map_or_else(|| (*part).to_owned(), |masked| masked + separator)
        })
        .collect();
    (masked != found).then_some(masked)
}

fn narrow(character: char) -> Option<char> {
    match character {
        '0'..='9' => Some(character),
        '０'..='９' => char::from_u32(u32::from(character) - 0xfee0),
        'x' | 'X' | 'Ｘ' => Some('X'),
        _ => None,
    }
}

fn mask_digits(digits: &str) -> Option<String> {
    let local = digits
        .strip_prefix("86")
        .filter(|rest| rest.len() == 11)
        .unwrap_or(digits);
    let keep = |first: usize| {
        let end = digits.len().checked_sub(2)?;
        let stars = "*".repeat(end.checked_sub(first)?);
        Some(format!(
            "{}{stars}{}",
            digits.get(..first)?,
            digits.get(end..)?
        ))
    };
    let mobile = local.len() == 11
        && local.starts_with('1')
        && local
            .chars()
            .nth(1)
            .is_some_and(|second| ('3'..='9').contains(&second))
        && !local.ends_with('X');
    match digits.len() {
        _ if mobile => keep(digits.len() - 11 + 3),
        15..=19 => keep(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn numbers_of_persons_are_masked_and_others_are_not() {
        for (text, expected) in [
            ("电话13812345678，急", "电话138******78，急"),
            ("电话138-1234-5678", "电话138******78"),
            ("+86 13812345678", "+86138******78"),
            ("身份证36092119900101123X", "身份证36**************3X"),
            ("卡号6222021234567890123", "卡号62***************23"),
            ("１３８１２３４５６７８", "138******78"),
            (
                "2019-04-25 09:32 交了 12000 元",
                "2019-04-25 09:32 交了 12000 元",
            ),
            ("文号202311010001", "文号202311010001"),
            ("12345热线", "12345热线"),
            ("13812345678 13912345678", "138******78 139******78"),
        ] {
            assert_eq!(mask(text), expected);
        }
    }
}
