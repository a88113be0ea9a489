//! The fonts of an official paper, or what is there in their place.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use resvg::usvg::fontdb::{Database, Family, ID, Query, Source, Style, Weight};
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};

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
    faces: Arc<OnceLock<Faces>>,
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
        // In the order of their paths: that of a folder differs from machine to machine.
        let paths: BTreeSet<&PathBuf> = (database.faces())
            .filter_map(|face| match &face.source {
                Source::File(path) | Source::SharedFile(path, _) => Some(path),
                Source::Binary(_) => None,
            })
            .collect();
        let mut ordered = Database::new();
        for path in paths {
            if ordered.load_font_file(path).is_err() {
                // It was there a moment ago; without it another font is found.
                continue;
            }
        }
        Self::among(ordered, folders)
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

    /// The faces for typst: those of the uses first, then others for letters that these lack, such as of other scripts.
    pub(crate) fn faces(&self) -> &Faces {
        self.faces.get_or_init(|| {
            let mut ids: Vec<ID> = Vec::new();
            for family in self.chosen.iter().flatten() {
                for weight in [Weight::NORMAL, Weight::BOLD] {
                    let query = Query {
                        families: &[Family::Name(family)],
                        weight,
                        ..Query::default()
                    };
                    ids.extend(self.database.query(&query));
                }
            }
            let others = (self.database.faces())
                .filter(|face| face.weight == Weight::NORMAL && face.style == Style::Normal)
                .map(|face| face.id);
            ids.extend(others);
            let mut faces = Faces::default();
            let mut taken: Vec<ID> = Vec::new();
            for id in ids {
                if !taken.contains(&id) {
                    taken.push(id);
                    faces.add(&self.database, id);
                }
            }
            faces
        })
    }
}

/// Faces of fonts, each read from its file when it is first used.
#[derive(Debug, Default)]
pub(crate) struct Faces {
    /// What typst chooses by.
    pub(crate) book: FontBook,
    places: Vec<(PathBuf, u32)>,
    read: Vec<OnceLock<Option<Font>>>,
}

impl Faces {
    fn add(&mut self, database: &Database, id: ID) {
        let Some((Source::File(path) | Source::SharedFile(path, _), index)) =
            database.face_source(id)
        else {
            return;
        };
        if let Some(Some(about)) = database.with_face_data(id, FontInfo::new) {
            self.book.push(about);
            self.places.push((path, index));
            self.read.push(OnceLock::new());
        }
    }

    /// The face of that number in the book.
    pub(crate) fn font(&self, number: usize) -> Option<Font> {
        let (path, index) = self.places.get(number)?;
        let font = self.read.get(number)?.get_or_init(|| {
            // The faces of one file share its bytes.
            let beside = (self.places.iter().zip(&self.read))
                .filter(|((other, _), _)| other == path)
                .find_map(|(_, read)| read.get().cloned().flatten());
            let bytes = match beside {
                Some(font) => font.data().clone(),
                None => Bytes::new(std::fs::read(path).ok()?),
            };
            Font::new(bytes, *index)
        });
        font.clone()
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
        assert!(fonts.faces().font(0).is_some());
    }
}
