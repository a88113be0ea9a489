//! Masks what tells who a person is: mobile, identity and bank card numbers.
//!
//! Digits are read as groups: whole runs of them, parted by one space or hyphen. A number is masked when
//! its groups are of the lengths in which people write it, so that dates, amounts and years side by side
//! stay as they are.

use std::sync::LazyLock;

use regex::{Captures, Regex};

#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9０-９]+[xXＸ]?(?:[- \u{3000}－][0-9０-９]+[xXＸ]?)*").expect("a valid pattern")
});

/// The groups of digits in which a number is written.
struct Form {
    groups: &'static [usize],
    is_one: fn(&str) -> bool,
    /// Digits left at the front; two are left at the end.
    kept: usize,
}

static FORMS: [Form; 12] = [
    form(&[3, 4, 4], is_mobile, 3),
    form(&[6, 8, 4], is_identity, 2),
    form(&[6, 4, 4, 4], is_identity, 2),
    form(&[4, 4, 4, 4, 3], is_card, 2),
    form(&[4, 4, 4, 4, 2], is_card, 2),
    form(&[4, 4, 4, 4, 1], is_card, 2),
    form(&[4, 4, 4, 4], is_card, 2),
    form(&[11], is_mobile, 3),
    form(&[12], is_mobile_dialled, 4),
    form(&[13], is_mobile_dialled, 5),
    form(&[15], is_identity, 2),
    form(&[18], is_identity, 2),
];

const fn form(groups: &'static [usize], is_one: fn(&str) -> bool, kept: usize) -> Form {
    Form {
        groups,
        is_one,
        kept,
    }
}

/// The text with such numbers masked: of a mobile number the first three and last two digits are left, of
/// the others the first and last two.
#[must_use]
pub fn mask(text: &str) -> String {
    NUMBERS
        .replace_all(text, |found: &Captures<'_>| {
            mask_groups(found.get(0).map_or("", |found| found.as_str()))
        })
        .into_owned()
}

fn mask_groups(found: &str) -> String {
    let mut groups: Vec<(String, String)> = Vec::new();
    for part in found.split_inclusive(is_separator) {
        let digits = part.trim_end_matches(is_separator);
        let separator = part.strip_prefix(digits).unwrap_or_default();
        groups.push((digits.to_owned(), separator.to_owned()));
    }
    let mut masked = String::new();
    let mut rest = groups.as_slice();
    while let Some(((digits, separator), after)) = rest.split_first() {
        match number_at(rest) {
            Some((number, length)) => {
                masked.push_str(&number);
                let last = rest.get(length - 1);
                masked.push_str(last.map_or("", |(_, separator)| separator));
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                masked.push_str(digits);
                masked.push_str(separator);
                rest = after;
            }
        }
    }
    masked
}

/// The number that the groups begin with, masked, and how many groups it takes.
fn number_at(groups: &[(String, String)]) -> Option<(String, usize)> {
    for form in &FORMS {
        let Some(taken) = groups.get(..form.groups.len()) else {
            continue;
        };
        let narrow: Vec<String> = taken
            .iter()
            .map(|(digits, _)| digits.chars().map(narrow).collect())
            .collect();
        let last = narrow.len() - 1;
        let fits = narrow
            .iter()
            .zip(form.groups)
            .enumerate()
            .all(|(index, (digits, length))| {
                digits.len() == *length && (index == last || !digits.ends_with('X'))
            });
        let number = narrow.concat();
        if fits && (form.is_one)(&number) {
            return Some((stars(&number, form.kept), taken.len()));
        }
    }
    // What is left: a card in one run, and a mobile number with a letter x behind it.
    let digits: String = groups.first()?.0.chars().map(narrow).collect();
    if is_card(&digits) {
        return Some((stars(&digits, 2), 1));
    }
    let before_x = digits.strip_suffix('X')?;
    (is_mobile(before_x) || is_card(before_x)).then(|| (format!("{}x", stars(before_x, 3)), 1))
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '-' | '\u{3000}' | '－')
}

fn narrow(character: char) -> char {
    match character {
        '０'..='９' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        'x' | 'Ｘ' => 'X',
        other => other,
    }
}

fn stars(digits: &str, kept: usize) -> String {
    let last = digits.chars().count().saturating_sub(2);
    digits
        .chars()
        .enumerate()
        .map(|(index, digit)| {
            if (kept..last).contains(&index) {
                '*'
            } else {
                digit
            }
        })
        .collect()
}

/// A mobile number of the mainland.
fn is_mobile(digits: &str) -> bool {
    let mut digits_of = digits.chars();
    digits.len() == 11
        && !digits.ends_with('X')
        && digits_of.next() == Some('1')
        && digits_of
            .next()
            .is_some_and(|second| ('3'..='9').contains(&second))
}

/// One with the long-distance 0 or the country's 86 before it.
fn is_mobile_dialled(digits: &str) -> bool {
    ["0", "86"]
        .iter()
        .any(|prefix| digits.strip_prefix(prefix).is_some_and(is_mobile))
}

/// An identity number. Of one of 15 digits the middle must be a birthday; 18 digits may be a card too.
fn is_identity(digits: &str) -> bool {
    let of = |from: usize, to: usize| -> u32 {
        digits
            .get(from..to)
            .and_then(|part| part.parse().ok())
            .unwrap_or(0)
    };
    match digits.len() {
        15 => {
            !digits.ends_with('X')
                && (1..=12).contains(&of(8, 10))
                && (1..=31).contains(&of(10, 12))
        }
        18 => !is_dated(digits),
        _ => false,
    }
}

/// A card number.
fn is_card(digits: &str) -> bool {
    let run = (16..=19).contains(&digits.len()) && !digits.ends_with('X');
    run && !is_dated(digits)
}

/// Whether digits begin as a year does, which no card and no identity number does.
fn is_dated(digits: &str) -> bool {
    ["19", "20"].iter().any(|year| digits.starts_with(year))
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn numbers_of_persons_are_masked() {
        for (text, expected) in [
            ("电话13812345612，急", "电话138******12，急"),
            ("电话138-1234-5678", "电话138******78"),
            ("电话138 1234 5678。", "电话138******78。"),
            ("+86 13812345678", "+86 138******78"),
            ("8613812345678", "86138******78"),
            ("013812345678", "0138******78"),
            ("微信13812345678x", "微信138******78x"),
            ("１３８１２３４５６７８", "138******78"),
            ("13812345678 13912345678", "138******78 139******78"),
            ("2019-04-25 13812345678", "2019-04-25 138******78"),
            ("身份证36092119900101123X", "身份证36**************3X"),
            ("360921 19900101 123x", "36**************3X"),
            ("身份证360921900101123", "身份证36***********23"),
            ("卡号6222021234567890123", "卡号62***************23"),
            ("6222 0212 3456 7890 123", "62***************23"),
            ("6222021234567890", "62************90"),
        ] {
            assert_eq!(mask(text), expected);
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "2019-04-25 09:32 交了 12000 元",
            "2019-04-25 2019-04-26 两天",
            "20190425 20190426",
            "12000 13000 14000 元",
            "2016 2017 2018 2019 年",
            "文号202311010001",
            "订单20170608173120123456",
            "流水201706081731201234",
            "12345热线",
            "0795-4622123",
            "12812345678",
            "合计138123456789元",
            "3.1415926",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
