//! The red head (发文机关标志) of a region's reports, where its folder has one: `report/head.toml`.

use std::io::ErrorKind;
use std::path::Path;

use jiff::civil::Date;
use report::Head;
use serde::Deserialize;

use super::MakeError;

/// The region's head.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letterhead {
    /// The office, such as `某某县人民政府办公室文件`.
    office: String,
    /// The number of a paper, such as `某府办〔{year}〕{n}号`.
    #[serde(default)]
    number: String,
}

impl Letterhead {
    /// Reads it from a region's folder; none where there is none.
    ///
    /// # Errors
    /// Names the file, what is wrong and what to do.
    pub fn read(folder: &Path) -> Result<Option<Self>, MakeError> {
        let path = folder.join("report").join("head.toml");
        let wrong = |problem: String| MakeError::Head(path.display().to_string(), problem);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let head: Self = toml::from_str(&text).map_err(|error| {
            let line = (error.span()).map_or(1, |span| {
                1 + text
                    .bytes()
                    .take(span.start)
                    .filter(|byte| *byte == b'\n')
                    .count()
            });
            wrong(format!("line {line}: {}", error.message()))
        })?;
        if head.office.trim().is_empty() {
            return Err(wrong("`office` is empty".to_owned()));
        }
        if !head.number.is_empty() && !head.number.contains("{n}") {
            return Err(wrong("`number` has no {n}".to_owned()));
        }
        Ok(Some(head))
    }

    /// The head of a paper of a date, with its number where it has one yet.
    #[must_use]
    pub fn head(&self, date: Date, number: Option<u32>) -> Head {
        let number = number.map_or_else(String::new, |number| {
            (self.number.replace("{year}", &date.year().to_string()))
                .replace("{n}", &number.to_string())
        });
        Head {
            office: self.office.trim().to_owned(),
            number,
        }
    }

    /// Whether papers are numbered.
    #[must_use]
    pub fn numbers(&self) -> bool {
        !self.number.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Letterhead>, MakeError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("report")).unwrap();
        std::fs::write(folder.path().join("report/head.toml"), text).unwrap();
        Letterhead::read(folder.path())
    }

    #[test]
    fn a_paper_has_the_head_and_number_of_its_region() {
        let text = "office = \"样例县人民政府办公室文件\"\nnumber = \"样府办〔{year}〕{n}号\"\n";
        let head = read(text).unwrap().unwrap();
        let date = jiff::civil::date(2026, 11, 22);
        assert_eq!(head.head(date, Some(3)).number, "样府办〔2026〕3号");
        assert_eq!(head.head(date, None).number, "");
        let nowhere = tempfile::tempdir().unwrap();
        assert!(Letterhead::read(nowhere.path()).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_with_a_head_is_told_with_its_line() {
        for (text, told) in [
            ("office = \"县\"\nnumbers = \"〔{year}〕{n}号\"\n", "line 2"),
            ("office = \" \"\n", "`office` is empty"),
            ("office = \"县\"\nnumber = \"〔2026〕号\"\n", "no {n}"),
        ] {
            let problem = read(text).unwrap_err().to_string();
            assert!(problem.contains(told), "{problem}");
            assert!(problem.contains("head.toml"), "{problem}");
        }
    }
}
