//! The fonts of an official paper, or what is there in their place.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use resvg::usvg::fontdb::{Database, Family, ID, Query, Source, Weight};
use typst::foundations::Bytes;
use typst::text::Font;

use crate::ReportError;

/// What a font is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Titles: 小标宋.
    Title,
    /// Text: 仿宋.
    Text,
    /// Headings of the first level, tables and charts: 黑体.
    Strong,
    /// Headings of the second level: 楷体.
    Second,
}

impl Use {
    /// All uses.
    pub const ALL: [Self; 4] = [Self::Title, Self::Text, Self::Strong, Self::Second];

    /// The names of fonts for it, the best first. What stands last in each is free and in most distributions.
    pub const fn families(self) -> &'static [&'static str] {
        match self {
            Self::Title => &[
                "方正小标宋简体",
                "FZXiaoBiaoSong-B05S",
                "FZXiaoBiaoSong-B05",
                "Noto Serif CJK SC",
                "Source Han Serif SC",
                "Source Han Serif CN",
                "Noto Serif SC",
                "SimSun",
                "Noto Sans CJK SC",
            ],
            Self::Text => &[
                "仿宋_GB2312",
                "FangSong_GB2312",
                "FangSong",
                "仿宋",
                "STFangsong",
                "Noto Serif CJK SC",
                "Source Han Serif SC",
                "Source Han Serif CN",
                "Noto Serif SC",
                "SimSun",
                "Noto Sans CJK SC",
            ],
            Self::Strong => &[
                "SimHei",
                "黑体",
                "Noto Sans CJK SC",
                "Source Han Sans SC",
                "Source Han Sans CN",
                "Noto Sans SC",
                "Microsoft YaHei",
                "WenQuanYi Zen Hei",
                "WenQuanYi Micro Hei",
                "Noto Serif CJK SC",
            ],
            Self::Second => &[
                "楷体_GB2312",
                "KaiTi_GB2312",
                "KaiTi",
                "楷体",
                "STKaiti",
                "Noto Serif CJK SC",
                "Source Han Serif SC",
                "Source Han Serif CN",
                "Noto Serif SC",
                "SimSun",
                "Noto Sans CJK SC",
            ],
        }
    }
}

/// Fonts that were found. The default has none: enough for HTML, XLSX and CSV.
#[derive(Debug, Clone, Default)]
pub struct Fonts {
    database: Arc<Database>,
    /// For each use the family that is there.
    chosen: [Option<&'static str>; 4],
    faces: Arc<OnceLock<Vec<Font>>>,
}

impl Fonts {
    /// Looks in these folders and where the system keeps its fonts.
    ///
    /// # Errors
    /// If there is no Chinese font.
    pub fn find(folders: &[PathBuf]) -> Result<Self, ReportError> {
        let mut database = Database::new();
        for folder in folders {
            database.load_fonts_dir(folder);
        }
        database.load_system_fonts();
        Self::among(database, folders)
    }

    fn among(database: Database, folders: &[PathBuf]) -> Result<Self, ReportError> {
        let chosen = Use::ALL.map(|usage| {
            (usage.families().iter().copied()).find(|family| {
                let query = Query {
                    families: &[Family::Name(family)],
                    ..Query::default()
                };
                database.query(&query).is_some()
            })
        });
        if chosen.iter().any(Option::is_none) {
            let mut searched: Vec<String> = (folders.iter())
                .map(|folder| folder.display().to_string())
                .collect();
            searched.push("the folders of the system".to_owned());
            return Err(ReportError::NoChineseFont {
                searched: searched.join(", "),
            });
        }
        Ok(Self {
            database: Arc::new(database),
            chosen,
            faces: Arc::default(),
        })
    }

    /// The family for a use.
    ///
    /// # Errors
    /// If these are no fonts, as by default.
    pub fn family(&self, usage: Use) -> Result<&'static str, ReportError> {
        (Use::ALL.iter().zip(self.chosen))
            .find(|(known, _)| **known == usage)
            .and_then(|(_, family)| family)
            .ok_or_else(|| ReportError::NoChineseFont {
                searched: "no folder".to_owned(),
            })
    }

    /// All that were found, for drawing.
    pub(crate) fn database(&self) -> Arc<Database> {
        Arc::clone(&self.database)
    }

    /// The faces that are used, read from their files once.
    pub(crate) fn faces(&self) -> &[Font] {
        self.faces.get_or_init(|| {
            let mut taken: Vec<ID> = Vec::new();
            let mut files: Vec<(Source, Bytes)> = Vec::new();
            let mut faces = Vec::new();
            for family in self.chosen.iter().flatten() {
                for weight in [Weight::NORMAL, Weight::BOLD] {
                    let query = Query {
                        families: &[Family::Name(family)],
                        weight,
                        ..Query::default()
                    };
                    if let Some(id) = self.database.query(&query)
                        && !taken.contains(&id)
                    {
                        taken.push(id);
                        faces.extend(self.face(id, &mut files));
                    }
                }
            }
            faces
        })
    }

    /// A face; files that were read are kept for the next.
    fn face(&self, id: ID, files: &mut Vec<(Source, Bytes)>) -> Option<Font> {
        let (source, index) = self.database.face_source(id)?;
        let path = |source: &Source| match source {
            Source::File(path) | Source::SharedFile(path, _) => Some(path.clone()),
            Source::Binary(_) => None,
        };
        let known = (files.iter()).find(|(file, _)| path(file) == path(&source));
        let bytes = match known {
            Some((_, bytes)) => bytes.clone(),
            None => {
                let bytes = Bytes::new(std::fs::read(path(&source)?).ok()?);
                files.push((source, bytes.clone()));
                bytes
            }
        };
        Font::new(bytes, index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_chinese_font_the_error_names_the_remedy() {
        let problem = Fonts::among(Database::new(), &[PathBuf::from("/fonts")]).unwrap_err();
        let told = problem.to_string();
        assert!(
            told.contains("/fonts") && told.contains("apt-get install fonts-noto-cjk"),
            "{told}"
        );
        assert!(Fonts::default().family(Use::Text).is_err());
    }

    #[test]
    fn the_fonts_of_this_machine_are_found() {
        let fonts = Fonts::find(&[]).unwrap();
        for usage in Use::ALL {
            assert!(usage.families().contains(&fonts.family(usage).unwrap()));
        }
        assert!(!fonts.faces().is_empty());
    }
}
