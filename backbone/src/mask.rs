//! Masks what tells who a person is: mobile, identity and bank card numbers, plates and e-mail addresses.
//!
//! Digits are read as groups: whole runs of them, parted by a few spaces, hyphens or points. A number is masked when
//! its groups are of the lengths in which people write it, so that dates, amounts and years side by side
//! stay as they are. An identity number has a province (GB/T 2260) and a birthday (GB 11643), a card the
//! prefix of UnionPay or the check digit of ISO/IEC 7812, so that case and order numbers stay too.

mod bytes;

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

pub(crate) use bytes::{masked, masked_text};

#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[0-9０-９]+[xXＸ]?(?:[- \u{a0}\u{2002}-\u{200a}\u{2010}-\u{2015}\u{202f}\u{2212}\u{3000}－_.．·]{1,3}(?:[0-9０-９]+[xXＸ]?|[xXＸ]))*",
    )
        .expect("a valid pattern")
});

#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([A-Za-z0-9])[A-Za-z0-9._%+-]*[@＠]([A-Za-z0-9-]+(?:[.．][A-Za-z0-9-]+)+)")
        .expect("a valid pattern")
});
/// A plate (GA 36): province, letter, five characters or six.
#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"([京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z])[·•. －—–-]?([A-HJ-NP-Z0-9]{5,6})([A-Za-z0-9]?)",
    )
    .expect("a valid pattern")
});

/// Characters of an identity number (GB 11643).
const IDENTITY: usize = 18;

/// The groups of digits in which a number is written.
struct Form {
    groups: &'static [usize],
    is_one: fn(&str) -> bool,
    /// Digits left at the front; two are left at the end.
    kept: usize,
}

static FORMS: [Form; 16] = [
    form(&[3, 4, 4], is_mobile, 3),
    form(&[3, 8], is_mobile, 3),
    form(&[7, 4], is_mobile, 3),
    form(&[5, 6], is_mobile, 3),
    form(&[4, 4, 3], is_mobile, 3),
    form(&[3, 3, 3, 2], is_mobile, 3),
    form(&[1; 11], is_mobile, 3),
    form(&[4, 4, 4, 4, 3], is_card, 2),
    form(&[4, 4, 4, 4, 2], is_card, 2),
    form(&[4, 4, 4, 4, 1], is_card, 2),
    form(&[4, 4, 4, 4], is_card, 2),
    form(&[11], is_mobile, 3),
    form(&[12], is_mobile_dialled, 4),
    form(&[13], is_mobile_dialled, 5),
    form(&[15], is_identity, 2),
    form(&[15], is_mobile_dialled, 7),
];

const fn form(groups: &'static [usize], is_one: fn(&str) -> bool, kept: usize) -> Form {
    Form {
        groups,
        is_one,
        kept,
    }
}

/// Whether a character is not seen: it may stand between digits, and nobody reads it.
#[must_use]
pub const fn has_no_width(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// The text with these masked: of a mobile number the first three and last two digits are left, of other
/// numbers the first and last two, of a plate the place, of an address its first letter and its host.
#[must_use]
pub fn mask(text: &str) -> String {
    // Twice: of two written together the host of the first is the second's name.
    let text = EMAIL.replace_all(text, "$1***@$2");
    let text = EMAIL.replace_all(&text, "$1***@$2");
    let text = PLATE.replace_all(&text, |found: &Captures<'_>| {
        let of = |group| found.get(group).map_or("", |found| found.as_str());
        let is_plate = of(3).is_empty() && of(2).chars().filter(char::is_ascii_digit).count() >= 2;
        if is_plate {
            format!("{}{}", of(1), "*".repeat(of(2).len()))
        } else {
            of(0).to_owned()
        }
    });
    NUMBERS
        .replace_all(&text, |found: &Captures<'_>| {
            mask_groups(found.get(0).map_or("", |found| found.as_str()))
        })
        .into_owned()
}

/// Where such numbers and addresses stand in a text, in bytes and in order, for who would rather show than mask them.
#[must_use]
pub fn marks(text: &str) -> Vec<Range<usize>> {
    let changed = |found: regex::Match<'_>| mask(found.as_str()) != found.as_str();
    let mut marks: Vec<Range<usize>> = [&*EMAIL, &*PLATE, &*NUMBERS]
        .into_iter()
        .flat_map(|pattern| pattern.find_iter(text))
        .filter(|found| changed(*found))
        .map(|found| found.range())
        .collect();
    marks.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
    let mut end = 0;
    marks.retain(|mark| {
        let apart = mark.start >= end;
        end = end.max(mark.end);
        apart
    });
    marks
}

fn mask_groups(found: &str) -> String {
    let mut groups: Vec<(String, String)> = Vec::new();
    for part in found.split_inclusive(is_separator) {
        let digits = part.trim_end_matches(is_separator);
        let separator = part.strip_prefix(digits).unwrap_or_default();
        match groups.last_mut() {
            // One more character between the same two groups.
            Some((_, before)) if digits.is_empty() => before.push_str(separator),
            _ => groups.push((digits.to_owned(), separator.to_owned())),
        }
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

/// An identity number in groups of any lengths: its province and birthday tell it.
fn identity_at(groups: &[(String, String)]) -> Option<(String, usize)> {
    let mut number = String::new();
    for (taken, (digits, _)) in groups.iter().enumerate() {
        if number.ends_with('X') || number.len() >= IDENTITY {
            break;
        }
        number.extend(digits.chars().map(narrow));
        if number.len() == IDENTITY && is_identity(&number) {
            return Some((stars(&number, 2), taken + 1));
        }
    }
    None
}

/// The number that the groups begin with, masked, and how many groups it takes.
fn number_at(groups: &[(String, String)]) -> Option<(String, usize)> {
    if let Some(identity) = identity_at(groups) {
        return Some(identity);
    }
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
    matches!(
        character,
        ' ' | '-' | '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{2010}'..='\u{2015}' | '\u{202f}' | '\u{2212}' | '\u{3000}' | '－' | '_' | '.' | '．' | '·'
    )
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
    ["0", "86", "086", "0086"]
        .iter()
        .any(|prefix| digits.strip_prefix(prefix).is_some_and(is_mobile))
}

/// Birthdays after it are as likely the day of a case whose number looks like an identity number.
const LAST_SURE_BIRTH: u32 = 2012;

/// An identity number: a province, a birthday, and of the very young the check digit too; of others it is
/// not asked for, since people mistype it. 18 digits may be a card too.
fn is_identity(digits: &str) -> bool {
    let of = |from: usize, to: usize| -> u32 {
        digits
            .get(from..to)
            .and_then(|part| part.parse().ok())
            .unwrap_or(0)
    };
    let birthday = |from: usize| {
        (1..=12).contains(&of(from, from + 2)) && (1..=31).contains(&of(from + 2, from + 4))
    };
    let province = matches!(of(0, 2), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83);
    match digits.len() {
        15 => province && !digits.ends_with('X') && birthday(8),
        18 => {
            let year = of(6, 10);
            let born = province && (1900..=2100).contains(&year) && birthday(10);
            (born && (year <= LAST_SURE_BIRTH || has_identity_check(digits))) || is_card(digits)
        }
        _ => false,
    }
}

/// ISO 7064 MOD 11-2, as GB 11643 uses it.
fn has_identity_check(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .zip(0_u32..)
        .map(|(digit, place)| (digit.to_digit(10).unwrap_or(10)) * (2_u32.pow(place) % 11))
        .sum();
    sum % 11 == 1
}

/// A card number.
fn is_card(digits: &str) -> bool {
    let run = (16..=19).contains(&digits.len()) && !digits.ends_with('X');
    run && (digits.starts_with("62") || has_check_digit(digits))
}

/// The Luhn formula of ISO/IEC 7812-1. A number that begins as a year does is no card, for no issuer has
/// such a prefix.
fn has_check_digit(digits: &str) -> bool {
    if ["19", "20"].iter().any(|year| digits.starts_with(year)) {
        return false;
    }
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::string_slice, reason = "marks are of whole characters")]

    use super::{marks, mask};

    #[test]
    fn numbers_of_persons_are_masked() {
        for (text, expected) in [
            ("电话13812345612，急", "电话138******12，急"),
            ("电话138-1234-5678", "电话138******78"),
            ("电话138\u{2011}1234\u{2011}5678", "电话138******78"),
            ("电话138\u{2009}1234\u{2009}5678", "电话138******78"),
            ("电话138 123 456 78", "电话138******78"),
            ("电话13812 345678", "电话138******78"),
            ("证件3609-2119-9001-0112-3X", "证件36**************3X"),
            ("证件360921 1990 0101123X", "证件36**************3X"),
            (
                "证件3 6 0 9 2 1 1 9 9 0 0 1 0 1 1 2 3 X",
                "证件36**************3X",
            ),
            ("写信123456789＠qq．com", "写信1***@qq．com"),
            ("车牌赣C－12345", "车牌赣C*****"),
            ("电话138 1234 5678。", "电话138******78。"),
            ("+86 13812345678", "+86 138******78"),
            ("8613812345678", "86138******78"),
            ("008613812345678", "0086138******78"),
            ("电话138 12345678", "电话138******78"),
            ("电话1381234－5678", "电话138******78"),
            ("电话138 - 1234 - 5678。", "电话138******78。"),
            ("电话138.1234.5678", "电话138******78"),
            ("电话138—1234—5678", "电话138******78"),
            ("电话1 3 8 1 2 3 4 5 6 7 8", "电话138******78"),
            ("1.13812345678", "1.138******78"),
            ("013812345678", "0138******78"),
            ("微信13812345678x", "微信138******78x"),
            ("１３８１２３４５６７８", "138******78"),
            ("13812345678 13912345678", "138******78 139******78"),
            ("2019-04-25 13812345678", "2019-04-25 138******78"),
            ("身份证36092119900101123X", "身份证36**************3X"),
            ("360921 19900101 123x", "36**************3X"),
            ("360921 19900101123X", "36**************3X"),
            ("身份证360921900101123", "身份证36***********23"),
            ("卡号6222021234567890123", "卡号62***************23"),
            ("6222 0212 3456 7890 123", "62***************23"),
            ("6222021234567890", "62************90"),
            ("身份证360921202311010002", "身份证36**************02"),
            ("卡号4111111111111111", "卡号41************11"),
            ("写信到zhang.san88@qq.com，谢谢", "写信到z***@qq.com，谢谢"),
            ("a@b.gov.cn", "a***@b.gov.cn"),
            ("赣C12345乱停车", "赣C*****乱停车"),
            ("赣C·8A123，赣CD12345", "赣C*****，赣C******"),
        ] {
            assert_eq!(mask(text), expected);
        }
    }

    #[test]
    fn what_would_be_masked_can_be_shown() {
        let text = "致电13812345678或0795-4622123，写信到a@b.gov.cn";
        let shown: Vec<&str> = marks(text).into_iter().map(|mark| &text[mark]).collect();
        assert_eq!(shown, ["13812345678", "a@b.gov.cn"]);
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "2019-04-25 09:32 交了 12000 元",
            "2019-04-25 2019-04-26 两天",
            "20190425 20190426",
            "12000 13000 14000 元",
            "1 3 5 7 9 11 13",
            "2019.04.25 12.5 亩",
            "192.168.13.1",
            "2016 2017 2018 2019 年",
            "文号202311010001",
            "订单20170608173120123456",
            "流水201706081731201234",
            "12345热线",
            "0795-4622123",
            "12812345678",
            "合计138123456789元",
            "3.1415926",
            "工单360921202311010001",
            "订单4111111111111112",
            "奉新A区2栋3单元",
            "新A12345678元",
            "云BASICS",
            "@县住建局",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
