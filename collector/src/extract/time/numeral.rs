//! Numbers as they are written: in digits, 二〇二三, 十八, 一百一十二.

/// The characters of Chinese numerals, for a character class.
pub(super) const NUMERALS: &str = "〇零一二两三四五六七八九十百廿卅";

/// A month, a day or a part of the time of day.
pub(super) const PART: &str = "(?:[0-9]{1,2}|[〇零一二两三四五六七八九十廿卅]{1,3})";

/// The number a text writes.
pub(super) fn number(text: &str) -> Option<i64> {
    if text.contains(['十', '百', '廿', '卅']) {
        return by_tens(text);
    }
    let mut number: i64 = 0;
    for character in text.chars() {
        number = number.checked_mul(10)?.checked_add(digit(character)?)?;
    }
    (!text.is_empty()).then_some(number)
}

fn by_tens(text: &str) -> Option<i64> {
    let mut number = 0;
    let mut last = None;
    for character in text.chars() {
        match character {
            '十' => number += last.take().filter(|last| *last > 0).unwrap_or(1) * 10,
            '百' => number += last.take().unwrap_or(1) * 100,
            '廿' => number += 20,
            '卅' => number += 30,
            other => last = Some(digit(other)?),
        }
    }
    Some(number + last.unwrap_or(0))
}

fn digit(character: char) -> Option<i64> {
    Some(match character {
        '〇' | '零' | 'o' => 0,
        '一' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        other => i64::from(other.to_digit(10)?),
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn the_times_numbers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("18", Some(18)),
            ("十", Some(10)),
            ("十八", Some(18)),
            ("二十", Some(20)),
            ("三十一", Some(31)),
            ("廿一", Some(21)),
            ("一八", Some(18)),
            ("零五", Some(5)),
            ("二〇二三", Some(2023)),
            ("二0二三", Some(2023)),
            ("一百一十二", Some(112)),
            ("一百零二", Some(102)),
            ("两", Some(2)),
            ("", None),
            ("万", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
