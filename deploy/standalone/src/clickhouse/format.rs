//! Which formats can be handed over in blocks. The engine writes every block as an output of its own, with
//! the format's beginning and end, so that not every format's blocks joined are what a server would send.

/// Formats whose output is its rows or blocks one after another, with nothing before or after.
const PLAIN: [&str; 11] = [
    "CSV",
    "JSONCompactEachRow",
    "JSONCompactStringsEachRow",
    "JSONEachRow",
    "JSONLines",
    "LineAsString",
    "NDJSON",
    "Native",
    "RowBinary",
    "TSV",
    "TabSeparated",
];
/// The format that `ClickHouse`'s own Rust client reads: a heading of names and types, then rows.
const HEADED: &str = "RowBinaryWithNamesAndTypes";

/// Joins the blocks of a result as they come.
#[derive(Debug)]
pub(crate) enum Joiner {
    /// Blocks follow each other as they are.
    Plain,
    /// Every block but the first is without its heading.
    Headed {
        /// Whether a block has gone before.
        begun: bool,
    },
}

impl Joiner {
    /// How the blocks of a format are joined; `None` where only the whole output will do.
    pub(crate) fn of(format: &str) -> Option<Self> {
        if PLAIN.contains(&format) {
            Some(Self::Plain)
        } else if format == HEADED {
            Some(Self::Headed { begun: false })
        } else {
            None
        }
    }

    /// What of the next block goes to the client.
    ///
    /// # Errors
    /// When a block's heading ends early.
    pub(crate) fn join<'a>(&mut self, block: &'a [u8]) -> Result<&'a [u8], String> {
        match self {
            Self::Plain => Ok(block),
            Self::Headed { begun } => {
                let whole = !std::mem::replace(begun, true);
                if whole {
                    return Ok(block);
                }
                after_heading(block).ok_or_else(|| {
                    "Code: 1001. DB::Exception: a block of the result has a broken heading"
                        .to_owned()
                })
            }
        }
    }
}

/// The rows of a block in [`HEADED`]: after the number of columns, their names and their types.
fn after_heading(block: &[u8]) -> Option<&[u8]> {
    let (columns, mut rest) = length(block)?;
    for _ in 0..columns.checked_mul(2)? {
        let (bytes, text) = length(rest)?;
        rest = text.get(bytes..)?;
    }
    Some(rest)
}

/// A length in LEB128 and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(4) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_headings_are_left_out() {
        let block = |row: &[u8]| [b"\x01\x06number\x06UInt32", row].concat();
        let mut joiner = Joiner::of(HEADED).unwrap();
        let (first, second) = (block(&[1, 0, 0, 0]), block(&[2, 0, 0, 0]));
        assert_eq!(joiner.join(&first).unwrap(), first);
        assert_eq!(joiner.join(&second).unwrap(), [2, 0, 0, 0]);
        assert!(joiner.join(b"\x01\x7fshort").is_err());
        assert!(Joiner::of("JSON").is_none());
    }
}
