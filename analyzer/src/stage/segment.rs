//! Segment: the words of a text. Models need none; explanations, which people read, do.

use backbone::region::Region;
use jieba_rs::Jieba;

/// Cuts texts into words, knowing the regions' own names.
#[derive(Debug)]
pub struct Segmenter {
    jieba: Jieba,
}

impl Segmenter {
    /// With the default dictionary and the names of the regions' places and units.
    #[must_use]
    pub fn new<'a>(regions: impl IntoIterator<Item = &'a Region>) -> Self {
        let mut jieba = Jieba::new();
        for region in regions {
            let gazetteer = &region.gazetteer;
            let places = gazetteer.place.iter().flat_map(|place| {
                std::iter::once(&place.name)
                    .chain(&place.aliases)
                    .chain(&place.short)
            });
            let units = region
                .units
                .iter()
                .flat_map(|unit| std::iter::once(&unit.name).chain(&unit.short));
            let own = std::iter::once(&gazetteer.name).chain(&gazetteer.aliases);
            for name in own.chain(places).chain(units) {
                jieba.add_word(name, None, None);
            }
        }
        Self { jieba }
    }

    /// The words of a cleaned text, in order.
    #[must_use]
    pub fn words<'a>(&self, text: &'a str) -> Vec<&'a str> {
        self.jieba
            .cut(text, false)
            .into_iter()
            .map(|token| token.word)
            .collect()
    }
}
