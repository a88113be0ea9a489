//! Levels as people read them.

/// A level: its numeral and its word always go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// 1 to 4; 0 for none.
    pub(crate) number: u8,
    pub(crate) numeral: &'static str,
    pub(crate) word: &'static str,
}

/// The level of that number.
pub(crate) fn level(number: u8) -> Level {
    let (number, numeral, word) = match number {
        1 => (1, "Ⅰ级", "特别重大"),
        2 => (2, "Ⅱ级", "重大"),
        3 => (3, "Ⅲ级", "较大"),
        4 => (4, "Ⅳ级", "一般"),
        _ => (0, "未达级", ""),
    };
    Level {
        number,
        numeral,
        word,
    }
}
