//! The numbers of a text, and whether an edited text still has exactly the same ones.
//!
//! Whoever rewords a paragraph, a person or a language model, may not touch its numbers. Numbers are Arabic digits with
//! what belongs to them: thousands, decimals, sign, percent, 万 and 亿; and dates and clock times as wholes. Numbers
//! in Chinese numerals (三件, 十二个) are not looked at: there are too many that count nothing, such as 一般 and 统一.

use std::collections::BTreeMap;

/// How the numbers of two texts differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Numbers that only the edited text has, or has more often.
    pub added: Vec<String>,
    /// Numbers that the edited text lacks.
    pub missing: Vec<String>,
    /// Whether the same numbers come in another order, so that each may now count something else.
    pub reordered: bool,
}

impl Changes {
    /// Whether the numbers are the same.
    pub fn are_none(&self) -> bool {
        self.added.is_empty() && self.missing.is_empty() && !self.reordered
    }
}

/// What an edit did to the numbers.
pub fn changes(before: &str, edited: &str) -> Changes {
    let (before, edited) = (numbers(before), numbers(edited));
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for number in &edited {
        *counts.entry(number).or_default() += 1;
    }
    for number in &before {
        *counts.entry(number).or_default() -= 1;
    }
    let mut changes = Changes::default();
    for (number, count) in counts {
        let times = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        let side = if count > 0 {
            &mut changes.added
        } else {
            &mut changes.missing
        };
        side.extend(std::iter::repeat_n(number.to_owned(), times));
    }
    changes.reordered = changes.added.is_empty() && changes.missing.is_empty() && before != edited;
    changes
}

/// The numbers of a text in order, each written one way: `12345`, `-3.5%`, `1.2万`, `2026-11-03`, `11-03`, `08:30`.
pub fn numbers(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().map(half_width).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        if letter.is_ascii_digit() {
            let (number, end) = whole(&letters, at);
            found.push(number);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// Full-width digits and signs as the narrow ones that mean the same.
fn half_width(letter: char) -> char {
    match letter {
        '０'..='９' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '％' => '%',
        '－' | '−' => '-',
        '＋' => '+',
        '．' => '.',
        '：' => ':',
        letter => letter,
    }
}

fn digits(letters: &[char], from: usize) -> String {
    (letters.iter().skip(from))
        .take_while(|letter| letter.is_ascii_digit())
        .collect()
}

/// The date, time or number whose digits begin at `from`, and where it ends.
fn whole(letters: &[char], from: usize) -> (String, usize) {
    date(letters, from)
        .or_else(|| clock(letters, from))
        .unwrap_or_else(|| number(letters, from))
}

/// `2026年11月3日`, `2026年11月`, `11月3日`, `2026-11-03`.
fn date(letters: &[char], from: usize) -> Option<(String, usize)> {
    let part = |at: usize, end: char, longest: usize| {
        let digits = digits(letters, at);
        let after = at + digits.len();
        let fits = (1..=longest).contains(&digits.len()) && letters.get(after) == Some(&end);
        fits.then_some((digits, after + 1))
    };
    if let Some((year, at)) = part(from, '-', 4).filter(|(year, _)| year.len() == 4)
        && let Some((month, at)) = part(at, '-', 2)
    {
        let day = digits(letters, at);
        if (1..=2).contains(&day.len()) {
            return Some((format!("{year}-{month:0>2}-{day:0>2}"), at + day.len()));
        }
    }
    let (year, at) = match part(from, '年', 4).filter(|(year, _)| year.len() == 4) {
        Some((year, at)) => (Some(year), at),
        None => (None, from),
    };
    let (month, at) = part(at, '月', 2)?;
    let day = part(at, '日', 2);
    let end = day.as_ref().map_or(at, |(_, end)| *end);
    // A month by itself, such as the 3 of 3月, is a number; of a year it is a part.
    if year.is_none() && day.is_none() {
        return None;
    }
    let parts = [year, Some(month), day.map(|(day, _)| day)];
    let written: Vec<String> = (parts.into_iter().flatten())
        .map(|part| format!("{part:0>2}"))
        .collect();
    Some((written.join("-"), end))
}

/// `08:30`, `8:30:05`.
fn clock(letters: &[char], from: usize) -> Option<(String, usize)> {
    let hour = digits(letters, from);
    let mut at = from + hour.len();
    if hour.len() > 2 {
        return None;
    }
    let mut written = format!("{hour:0>2}");
    for _ in 0..2 {
        let part = digits(letters, at + 1);
        if letters.get(at) != Some(&':') || part.len() != 2 {
            break;
        }
        written = format!("{written}:{part}");
        at += 3;
    }
    written.contains(':').then_some((written, at))
}

fn number(letters: &[char], from: usize) -> (String, usize) {
    let mut written = String::new();
    let before = |back: usize| from.checked_sub(back).and_then(|at| letters.get(at));
    // In 3-5 the dash is no sign.
    if let Some(sign @ ('-' | '+')) = before(1)
        && !before(2)
            .is_some_and(|letter| letter.is_alphanumeric() && letter.is_ascii() || *letter == '%')
    {
        written.push(*sign);
    }
    let first = digits(letters, from);
    let mut at = from + first.len();
    written.push_str(&first);
    // 1,234,567 is one number; 1,2 are two.
    if first.len() <= 3 {
        loop {
            let group = digits(letters, at + 1);
            if letters.get(at) != Some(&',') || group.len() != 3 {
                break;
            }
            written.push_str(&group);
            at += 4;
        }
    }
    let after_point = digits(letters, at + 1);
    if letters.get(at) == Some(&'.') && !after_point.is_empty() {
        written.push('.');
        written.push_str(&after_point);
        at += 1 + after_point.len();
    }
    while let Some(unit @ ('%' | '‰' | '万' | '亿')) = letters.get(at) {
        written.push(*unit);
        at += 1;
    }
    (written, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_with_what_belongs_to_them() {
        for (text, expected) in [
            (
                "共12,345件，占12.3%，比上周-3.5%",
                &["12345", "12.3%", "-3.5%"] as &[_],
            ),
            ("１２件，占３０％，约1.2万人", &["12", "30%", "1.2万"]),
            (
                "2026年11月3日至11月9日8:30",
                &["2026-11-03", "11-09", "08:30"],
            ),
            ("2026-11-03 与 2026年11月", &["2026-11-03", "2026-11"]),
            ("3-5个，1,2,3", &["3", "5", "1", "2", "3"]),
            ("国办发〔2016〕61号 v1.2.3", &["2016", "61", "1.2", "3"]),
            ("12.", &["12"]),
            ("三件、十二个", &[]),
            ("", &[]),
        ] {
            assert_eq!(numbers(text), expected, "{text}");
        }
    }

    #[test]
    fn a_reworded_text_with_the_same_numbers_passes() {
        let before = "本周共收到1,234件，比上周增加12%。";
        assert!(changes(before, "本周收到网民留言1234件，较上周上升12%。").are_none());
    }

    #[test]
    fn a_number_that_was_touched_is_told() {
        let before = "投诉5件，表扬3件，截至11月3日。";
        let told = changes(before, "投诉6件，表扬3件，截至11月3日，共3起。");
        assert_eq!(told.added, ["3", "6"]);
        assert_eq!(told.missing, ["5"]);
        assert!(!told.are_none());
        let swapped = changes(before, "投诉3件，表扬5件，截至11月3日。");
        assert!(swapped.reordered && !swapped.are_none(), "{swapped:?}");
        let other_day = changes(before, "投诉5件，表扬3件，截至3月11日。");
        assert_eq!(
            (other_day.added, other_day.missing),
            (vec!["03-11".to_owned()], vec!["11-03".to_owned()])
        );
    }
}
