//! Numbers as people write them, and looking for them.

use wensheng_tests::everywhere::Kept;

/// What tells who somebody is, as somebody wrote it.
pub(crate) struct Plant {
    pub(crate) written: String,
    /// What must be nowhere, once it is narrow and without spaces and points.
    pub(crate) number: String,
}

/// All the ways in which people write such things, no two alike; `way` is the way in.
pub(crate) fn plants(way: u32) -> Vec<Plant> {
    let mobile = |n: u32| format!("13{}{way:02}7{n:02}461", 8 + n % 2);
    let parted = |number: &str, lengths: &[usize], by: &str| {
        let mut rest = number;
        let parts: Vec<&str> = (lengths.iter())
            .map(|length| {
                let (part, after) = rest.split_at(*length);
                rest = after;
                part
            })
            .collect();
        parts.join(by)
    };
    let wide = |number: &str| -> String {
        number
            .chars()
            .map(|digit| char::from_u32(u32::from(digit) + 0xfee0).unwrap())
            .collect()
    };
    let identity = |n: u32| format!("36092119850612{way:02}{n}X");
    let card = |n: u32| format!("6222021{way:02}4567{n:02}1230");
    let of = |written: String, number: String| Plant { written, number };
    let mut all = vec![
        of(format!("电话{}。", mobile(1)), mobile(1)),
        of(parted(&mobile(2), &[3, 4, 4], " "), mobile(2)),
        of(parted(&mobile(3), &[3, 4, 4], "-"), mobile(3)),
        of(wide(&mobile(4)), mobile(4)),
        of(format!("+86 {}", mobile(5)), mobile(5)),
        of(format!("+86{}", mobile(6)), mobile(6)),
        of(format!("0086{}", mobile(7)), mobile(7)),
        of(format!("微信{}x", mobile(8)), mobile(8)),
        of(parted(&mobile(9), &[3, 8], " "), mobile(9)),
        of(parted(&mobile(10), &[7, 4], "　"), mobile(10)),
        of(parted(&mobile(11), &[3, 4, 4], "."), mobile(11)),
        of(parted(&mobile(12), &[1; 11], " "), mobile(12)),
        of(
            wide(&mobile(13))
                .chars()
                .flat_map(|digit| [digit, '\u{200b}'])
                .collect(),
            mobile(13),
        ),
        of(format!("身份证{}", identity(1)), identity(1)),
        of(identity(2).to_lowercase(), identity(2)),
        of(parted(&identity(3), &[6, 8, 4], " "), identity(3)),
        of(wide(&identity(4)), identity(4)),
        of(
            format!("旧证360921850612{way:02}7"),
            format!("360921850612{way:02}7"),
        ),
        of(format!("卡号{}", card(1)), card(1)),
        of(parted(&card(2), &[4, 4, 4, 4, 3], " "), card(2)),
        of(
            format!("写信到wensheng{way:02}planted@example.com"),
            format!("WENSHENG{way:02}PLANTED"),
        ),
        of(format!("赣C·QK7D{way:02}"), format!("QK7D{way:02}")),
    ];
    for plant in &mut all {
        plant.written.push('，');
    }
    all
}

pub(crate) fn written(plants: &[Plant]) -> String {
    let all: String = plants.iter().map(|plant| plant.written.as_str()).collect();
    format!("联系方式：{all}谢谢。")
}

/// A text narrow, in capital letters, without what people put between digits and without masks' stars.
fn squeezed(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '！'..='～' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
            other => other.to_ascii_uppercase(),
        })
        .filter(|letter| {
            !letter.is_whitespace()
                && !matches!(letter, '-' | '–' | '—' | '.' | '·' | '_' | '\u{200b}')
        })
        .collect()
}

pub(crate) fn found<'a>(kept: &'a [Kept], numbers: &'a [String]) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    for kept in kept {
        let text = squeezed(&kept.text);
        for number in numbers {
            if text.contains(number.as_str()) {
                found.push((kept.place.as_str(), number.as_str()));
            }
        }
    }
    found
}
