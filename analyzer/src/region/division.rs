//! The statistical division codes and the names published with them: from a committee's name, such
//! as 沿里村委会, to what people call the place.

/// Endings of the names of villages' committees, the longer before its own ending.
const VILLAGE: [&str; 6] = [
    "村民委员会",
    "村民委会",
    "村委员会",
    "村委会",
    "牧民委员会",
    "牧委会",
];

/// Endings of the names of communities' committees.
const COMMUNITY: [&str; 3] = ["居民委员会", "居民委会", "居委会"];

/// Names that stand for no place.
const PLACEHOLDERS: [&str; 4] = [
    "市辖区",
    "县",
    "省直辖县级行政区划",
    "自治区直辖县级行政区划",
];

/// The part of a code that says something: 2 digits of a province, 4 of a prefecture, 6 of a county, 9
/// of a town, 12 of a village. Nothing when it is no such code.
pub(super) fn significant(code: &str) -> Option<&str> {
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut code = code;
    for (length, zeros) in [(12, "000000"), (12, "000"), (6, "0000"), (6, "00")] {
        if code.len() == length {
            code = code.strip_suffix(zeros).unwrap_or(code);
        }
    }
    matches!(code.len(), 2 | 4 | 6 | 9 | 12).then_some(code)
}

/// Whether the name stands for no place but fills a gap in the codes.
pub(super) fn is_placeholder(name: &str) -> bool {
    PLACEHOLDERS.contains(&name) || name.ends_with("虚拟社区") || name.ends_with("虚拟生活区")
}

/// What people call the place of a committee.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Village {
    /// Its name: 沿里村, 罗山社区.
    pub(super) name: String,
    /// Another name that is as good: 赤岸集镇.
    pub(super) alias: Option<String>,
    /// Whether the name says nothing without the place around it, as that of a farm's division or one
    /// of two characters, 下村.
    pub(super) weak: bool,
}

impl Village {
    /// Nothing when the name stands for no place.
    pub(super) fn of(published: &str) -> Option<Self> {
        if is_placeholder(published) {
            return None;
        }
        let ending = |endings: &[&str]| {
            endings
                .iter()
                .find_map(|ending| published.strip_suffix(ending))
        };
        let mut village = if let Some(farm) = published.strip_suffix("生活区") {
            Self {
                name: farm.to_owned(),
                weak: true,
                ..Self::default()
            }
        } else if let Some(stem) = ending(&COMMUNITY) {
            Self::urban(stem)
        } else if published.ends_with("嘎查委会") {
            Self::rural(published.strip_suffix("委会").unwrap_or(published))
        } else if let Some(stem) = ending(&VILLAGE) {
            Self::rural(stem)
        } else {
            Self {
                name: published.to_owned(),
                ..Self::default()
            }
        };
        let length = village.name.chars().count();
        village.weak |= length == 2;
        (length > 1).then_some(village)
    }

    fn urban(stem: &str) -> Self {
        let stem = stem.strip_suffix("社区").unwrap_or(stem);
        let core = stem.strip_suffix("集镇").filter(|core| !core.is_empty());
        Self {
            name: format!("{}社区", core.unwrap_or(stem)),
            alias: core.map(|_| stem.to_owned()),
            weak: false,
        }
    }

    fn rural(stem: &str) -> Self {
        if stem.ends_with("社区") {
            return Self::urban(stem);
        }
        let stem = stem.strip_suffix("行政村").unwrap_or(stem);
        let whole = ["村", "场", "嘎查"]
            .iter()
            .any(|ending| stem.ends_with(ending));
        Self {
            name: format!("{stem}{}", if whole { "" } else { "村" }),
            ..Self::default()
        }
    }
}

/// The name without the word for what it is, where two characters or more are left: 冯川 of 冯川镇.
pub(super) fn stem(name: &str) -> Option<&str> {
    // Of 柳溪苗族乡 only the whole is a name in use.
    if name.ends_with("族乡") || name.contains("自治") {
        return None;
    }
    [
        "街道办事处",
        "办事处",
        "街道",
        "社区",
        "嘎查",
        "村",
        "镇",
        "乡",
        "省",
        "市",
        "县",
        "区",
        "旗",
    ]
    .iter()
    .find_map(|ending| name.strip_suffix(ending))
    .filter(|stem| stem.chars().count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committee_becomes_what_people_say() {
        let cases = [
            ("沿里村委会", "沿里村"),
            ("源头村村民委员会", "源头村"),
            ("下村村委会", "下村"),
            ("罗山社区居委会", "罗山社区"),
            ("香樟社区居民委员会", "香樟社区"),
            ("青山社区村委会", "青山社区"),
            ("涂家居委会", "涂家社区"),
            ("赤岸集镇居委会", "赤岸社区"),
            ("张庄行政村村委会", "张庄村"),
            ("甘坊金洞分场行政村村委会", "甘坊金洞分场"),
            ("上富分场生活区", "上富分场"),
            ("巴音嘎查委会", "巴音嘎查"),
            ("巴音嘎查村民委员会", "巴音嘎查"),
            ("上富村", "上富村"),
        ];
        for (published, expected) in cases {
            assert_eq!(Village::of(published).unwrap().name, expected);
        }
        let alias = Village::of("赤岸集镇居委会").unwrap().alias;
        assert_eq!(alias.as_deref(), Some("赤岸集镇"));
        assert_eq!(Village::of("工业园区虚拟社区"), None);
        let weak = |published| Village::of(published).unwrap().weak;
        assert!(weak("下村村委会") && weak("上富分场生活区") && !weak("沿里村委会"));
    }

    #[test]
    fn a_short_name_has_two_characters() {
        let cases = [
            ("沿里村", Some("沿里")),
            ("罗山社区", Some("罗山")),
            ("冯川镇", Some("冯川")),
            ("石溪办事处", Some("石溪")),
            ("下村", None),
            ("丰县", None),
            ("柳溪苗族乡", None),
            ("上富分场", None),
        ];
        for (name, expected) in cases {
            assert_eq!(stem(name), expected, "{name}");
        }
    }

    #[test]
    fn a_code_is_read_with_and_without_its_zeros() {
        let cases = [
            ("36", Some("36")),
            ("360000000000", Some("36")),
            ("360900", Some("3609")),
            ("360921000000", Some("360921")),
            ("360921100000", Some("360921100")),
            ("360921100001", Some("360921100001")),
            ("36092", None),
            ("36O921", None),
        ];
        for (code, expected) in cases {
            assert_eq!(significant(code), expected, "{code}");
        }
    }
}
