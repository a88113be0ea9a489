//! Numbers, dates and lists in the words of a Chinese report.

use jiff::civil::Date;

/// `12,345`, `-1,234.5`; `—` for what is no number.
pub fn number(value: f64, digits: u8) -> String {
    if !value.is_finite() {
        return "—".to_owned();
    }
    let written = format!("{:.*}", usize::from(digits), value.abs());
    let (whole, rest) = match written.split_once('.') {
        Some((whole, rest)) => (whole, Some(rest)),
        None => (written.as_str(), None),
    };
    let negative = value < 0.0 && written.contains(|digit| matches!(digit, '1'..='9'));
    let mut shown = String::with_capacity(written.len() + 8);
    if negative {
        shown.push('-');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if let Some(rest) = rest {
        shown.push('.');
        shown.push_str(rest);
    }
    shown
}

/// `12.3%` of 0.123.
pub fn percent(value: f64, digits: u8) -> String {
    match number(value * 100.0, digits) {
        none if none == "—" => none,
        shown => shown + "%",
    }
}

/// `+12`, `-3`, `0`.
pub fn signed(value: f64, digits: u8) -> String {
    let shown = number(value, digits);
    let nothing = !shown.contains(|digit| matches!(digit, '1'..='9'));
    if value > 0.0 && !nothing && value.is_finite() {
        format!("+{shown}")
    } else {
        shown
    }
}

/// `11月3日`.
pub fn day(date: Date) -> String {
    format!("{}月{}日", date.month(), date.day())
}

/// `2026年11月3日`.
pub fn full_day(date: Date) -> String {
    format!("{}年{}", date.year(), day(date))
}

/// `一`, `十二`, `一百零五`: what numbers of lists and headings are written in, from 1 to 999; others in digits.
pub fn chinese(number: u64) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |at: u64| {
        usize::try_from(at)
            .ok()
            .and_then(|at| DIGITS.get(at).copied())
    };
    if number == 0 || number > 999 {
        return if number == 0 {
            "零".to_owned()
        } else {
            number.to_string()
        };
    }
    let (hundreds, tens, ones) = (number / 100, number / 10 % 10, number % 10);
    let mut written = String::new();
    if hundreds > 0 {
        written.extend(digit(hundreds));
        written.push('百');
    }
    match (hundreds, tens, ones) {
        (0, 1, _) => written.push('十'),
        (_, 0, 0) => {}
        (_, 0, _) if hundreds > 0 => written.push('零'),
        (_, 0, _) => {}
        _ => {
            written.extend(digit(tens));
            written.push('十');
        }
    }
    if ones > 0 {
        written.extend(digit(ones));
    }
    written
}

/// `Ⅰ` to `Ⅳ`.
pub fn level(number: u64) -> Option<&'static str> {
    ["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ"]
        .get(usize::try_from(number.checked_sub(1)?).ok()?)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_numbered_in_chinese() {
        let written: Vec<String> = [1, 9, 10, 11, 20, 21, 100, 105, 110, 115, 120, 999, 1000]
            .into_iter()
            .map(chinese)
            .collect();
        assert_eq!(
            written,
            [
                "一",
                "九",
                "十",
                "十一",
                "二十",
                "二十一",
                "一百",
                "一百零五",
                "一百一十",
                "一百一十五",
                "一百二十",
                "九百九十九",
                "1000"
            ]
        );
    }

    #[test]
    fn days_and_levels_are_written_as_in_a_notice() {
        let date = jiff::civil::date(2026, 11, 3);
        assert_eq!(
            (day(date), full_day(date)),
            ("11月3日".into(), "2026年11月3日".into())
        );
        assert_eq!(
            (level(1), level(4), level(5), level(0)),
            (Some("Ⅰ"), Some("Ⅳ"), None, None)
        );
    }
}
