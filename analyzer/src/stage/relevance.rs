//! Relevance: does a post concern the region? By its names and places, with word boundaries, traps
//! and a second sign for names found elsewhere too.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;
use backbone::message::{Place, SourceKind};
use backbone::region::Region;

/// What a string of the gazetteer stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The region itself.
    Region,
    /// The place at this index of the gazetteer.
    Place(usize),
    /// The place at this index, by a name that counts only beside another sign.
    Short(usize),
    /// A larger place: no sign of relevance alone.
    Parent,
    /// A department: no sign of relevance alone, for other counties have a bureau of that name.
    Unit,
    /// A string in which a name is no name.
    Trap,
}

/// Whether a post concerns the region, and where in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relevance {
    /// Whether it does.
    pub relevant: bool,
    /// The mentions that make it so.
    pub because: Vec<String>,
    /// The places named, the smallest and most named first.
    pub places: Vec<Place>,
}

/// A region's names, ready for search.
#[derive(Debug)]
pub struct Gazetteer {
    names: AhoCorasick,
    signs: Vec<Sign>,
    region: Vec<String>,
    places: Vec<(Place, bool)>,
}

impl Gazetteer {
    /// # Errors
    /// When the automaton cannot be built.
    pub fn new(region: &Region) -> anyhow::Result<Self> {
        let gazetteer = &region.gazetteer;
        let mut entries: Vec<(&str, Sign)> = Vec::new();
        entries.push((&gazetteer.name, Sign::Region));
        entries.extend(
            gazetteer
                .aliases
                .iter()
                .map(|name| (name.as_str(), Sign::Region)),
        );
        entries.extend(
            gazetteer
                .traps
                .iter()
                .map(|name| (name.as_str(), Sign::Trap)),
        );
        for (index, place) in gazetteer.place.iter().enumerate() {
            let names = std::iter::once(&place.name).chain(&place.aliases);
            entries.extend(names.map(|name| (name.as_str(), Sign::Place(index))));
            let short = place.short.iter();
            entries.extend(short.map(|name| (name.as_str(), Sign::Short(index))));
        }
        entries.extend(
            gazetteer
                .parents
                .iter()
                .map(|name| (name.as_str(), Sign::Parent)),
        );
        for unit in &region.units {
            let names = std::iter::once(&unit.name).chain(&unit.short);
            // To name the unit of a place, such as a town's government, is to name the place.
            let sign = unit
                .places
                .first()
                .and_then(|name| gazetteer.place.iter().position(|place| &place.name == name))
                .map_or(Sign::Unit, Sign::Place);
            entries.extend(names.map(|name| (name.as_str(), sign)));
        }
        Ok(Self {
            names: AhoCorasick::new(entries.iter().map(|(name, _)| name))?,
            signs: entries.into_iter().map(|(_, sign)| sign).collect(),
            region: std::iter::once(&gazetteer.name)
                .chain(&gazetteer.aliases)
                .cloned()
                .collect(),
            places: gazetteer
                .place
                .iter()
                .map(|place| {
                    let known = Place {
                        name: place.name.clone(),
                        kind: place.kind.clone(),
                        within: place.within.clone(),
                    };
                    (known, place.needs_sign)
                })
                .collect(),
        })
    }

    /// Reads a cleaned text and its words. An export of the region's own hotline or mailbox is
    /// addressed to its government, so its posts concern the region whatever they name.
    #[must_use]
    pub fn read(&self, text: &str, words: &[&str], kind: SourceKind) -> Relevance {
        let mut region = Vec::new();
        let mut other_sign = false;
        // How often each place is named, where first, and whether only by short names.
        let mut named: Vec<(usize, u32, bool)> = Vec::new();
        for (mention, sign) in self.mentions(text, words) {
            match sign {
                Sign::Region => push_once(&mut region, mention),
                Sign::Place(index) | Sign::Short(index) => {
                    let short = matches!(sign, Sign::Short(_));
                    // 奉新县实验小学 names the county too.
                    other_sign |= self.region.iter().any(|name| mention.contains(name));
                    match named.iter_mut().find(|(known, ..)| *known == index) {
                        Some((_, count, only_short)) => {
                            *count += 1;
                            *only_short &= short;
                        }
                        None => named.push((index, 1, short)),
                    }
                }
                Sign::Parent | Sign::Unit => other_sign = true,
                Sign::Trap => {}
            }
        }
        let addressed = kind == SourceKind::Import;
        let mut places: Vec<(&Place, bool, u32)> = named
            .iter()
            .filter_map(|(index, count, only_short)| {
                let (place, needs_sign) = self.places.get(*index)?;
                Some((place, *needs_sign || *only_short, *count))
            })
            .collect();
        let signed = addressed
            || other_sign
            || !region.is_empty()
            || places.iter().any(|(_, needs_sign, _)| !needs_sign);
        places.retain(|(_, needs_sign, _)| signed || !needs_sign);
        // The smaller place tells more than the one around it; then what is named more often.
        places
            .sort_by_key(|(place, _, count)| (place.within.is_empty(), std::cmp::Reverse(*count)));
        let mut because = region;
        for (place, _, _) in &places {
            push_once(&mut because, &place.name);
        }
        if because.is_empty() && addressed {
            because.push("写给本地政府的来件".to_owned());
        }
        Relevance {
            relevant: !because.is_empty(),
            because,
            places: places
                .into_iter()
                .map(|(place, _, _)| place.clone())
                .collect(),
        }
    }

    /// The names that begin where a word begins, from left to right, the longest where several begin,
    /// none inside another: in 信奉新教 the words are 信奉 and 新教, so 奉新 is no name there.
    fn mentions<'a>(&self, text: &'a str, words: &[&str]) -> Vec<(&'a str, Sign)> {
        let mut starts = HashSet::new();
        let mut position = 0;
        for word in words {
            starts.insert(position);
            position += word.len();
        }
        let mut found: Vec<_> = self
            .names
            .find_overlapping_iter(text)
            .filter(|found| starts.contains(&found.start()))
            .filter(|found| stands_alone(text, found.start()))
            .collect();
        found.sort_by_key(|found| (found.start(), std::cmp::Reverse(found.end())));
        let mut mentions = Vec::new();
        let mut end = 0;
        for found in found {
            if found.start() < end {
                continue;
            }
            end = found.end();
            if let (Some(mention), Some(sign)) = (
                text.get(found.range()),
                self.signs.get(found.pattern().as_usize()),
            ) {
                mentions.push((mention, *sign));
            }
        }
        mentions
    }
}

/// A name that begins with a letter or digit, such as `A3区`, is not the end of a longer one.
fn stands_alone(text: &str, start: usize) -> bool {
    let joined = |c: char| c.is_ascii_alphanumeric();
    let (before, after) = text.split_at_checked(start).unwrap_or_default();
    !(after.starts_with(joined) && before.ends_with(joined))
}

fn push_once(mentions: &mut Vec<String>, mention: &str) {
    if !mentions.iter().any(|known| known == mention) {
        mentions.push(mention.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::stage::segment::Segmenter;

    fn read(text: &str, kind: SourceKind) -> Relevance {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config/region/360921");
        let region = Region::load(&folder).unwrap();
        let segmenter = Segmenter::new([&region]);
        Gazetteer::new(&region)
            .unwrap()
            .read(text, &segmenter.words(text), kind)
    }

    fn check(text: &str, expected: Option<&[&str]>) {
        let read = read(text, SourceKind::Board);
        let places: Vec<&str> = read
            .places
            .iter()
            .map(|place| place.name.as_str())
            .collect();
        match expected {
            None => assert!(!read.relevant, "{text}: {read:?}"),
            Some(expected) => {
                assert!(read.relevant, "{text}");
                assert_eq!(places, expected, "{text}");
            }
        }
    }

    #[test]
    fn a_name_counts_only_where_it_is_one() {
        check("奉新县城什么时候通公交", Some(&[]));
        check("他全家信奉新教已多年", None);
        check("冯川镇的路灯坏了半年", Some(&["冯川镇"]));
        check("冯川镇政府的路灯坏了半年", Some(&["冯川镇"]));
        check("相信奉新教体局会处理好", Some(&[]));
    }

    #[test]
    fn a_homonym_needs_another_sign() {
        check("义乌赤岸镇的红糖真好吃", None);
        check("宜春赤岸镇的垃圾没人收", Some(&["赤岸镇"]));
        check("赤岸镇到冯川镇的班车", Some(&["赤岸镇", "冯川镇"]));
    }

    #[test]
    fn a_short_name_needs_another_sign_though_the_full_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            (
                "region.toml",
                "code = \"990101\"\nname = \"青禾县\"\n[[place]]\nname = \"沿里村\"\nkind = \"village\"\nshort = [\"沿里\"]\n",
            ),
            (
                "units.toml",
                "[[unit]]\ncode = \"office\"\nname = \"县政府办公室\"\nkind = \"office\"\nduty_office = true\n",
            ),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let region = Region::load(folder.path()).unwrap();
        let segmenter = Segmenter::new([&region]);
        let gazetteer = Gazetteer::new(&region).unwrap();
        let cases = [
            ("沿里的路灯坏了", false),
            ("青禾县沿里的路灯坏了", true),
            ("沿里村的路灯坏了", true),
            ("沿里的路灯，沿里村谁来管", true),
        ];
        for (text, expected) in cases {
            let read = gazetteer.read(text, &segmenter.words(text), SourceKind::Board);
            assert_eq!(!read.places.is_empty(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_addressed_to_the_county_concerns_it() {
        assert!(read("小区停水三天了", SourceKind::Import).relevant);
        assert!(!read("小区停水三天了", SourceKind::Feed).relevant);
    }
}
