//! Relevance: does a post concern the region, and which of its places? By names at word boundaries, with
//! traps, and with a second sign for names that are found elsewhere too.

use std::cmp::Reverse;

use backbone::message::{Place, SourceKind};
use backbone::region::Region;

use crate::stage::lexicon::{Found, Sense};
use crate::stage::segment::Words;

/// Family names that stand before a given name; those that are also common words of place (于, 和, 从) are
/// left out.
const FAMILY_NAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚";
/// What follows a person's name.
const TITLES: [&str; 14] = [
    "先生", "女士", "同志", "老师", "教授", "主任", "经理", "医生", "师傅", "老板", "书记", "说",
    "告诉", "同学",
];

/// Whether a post concerns the region, and where in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relevance {
    /// Whether it does.
    pub relevant: bool,
    /// The mentions that make it so, in the gazetteer's words.
    pub because: Vec<String>,
    /// The places named, the smallest and most named first.
    pub places: Vec<Place>,
    /// Where the deciding names stand: bytes of the cleaned text and what they stand for.
    pub mentions: Vec<Mention>,
    /// Whether the post speaks of a place elsewhere and not of the region.
    pub elsewhere: bool,
}

/// A name in the cleaned text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Its first byte.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
    /// What it stands for.
    pub detail: String,
    /// Whether it stands for a place.
    pub is_place: bool,
}

/// A region's names, ready to be judged.
#[derive(Debug)]
pub struct Names {
    /// The region's name, which is never anything else.
    name: String,
    aliases: Vec<String>,
    carriers: Vec<String>,
    places: Vec<(Place, bool)>,
    /// The place of each unit that is there for one.
    unit_places: Vec<Option<u32>>,
}

/// How much a name counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Alone.
    Strong,
    /// Beside another sign.
    Weak,
}

/// A name accepted for now.
#[derive(Debug, Clone, Copy)]
struct Named {
    start: usize,
    end: usize,
    sense: Sense,
    weight: Weight,
}

impl Names {
    /// The names of a region.
    #[must_use]
    pub fn new(region: &Region) -> Self {
        let gazetteer = &region.gazetteer;
        Self {
            name: gazetteer.name.clone(),
            aliases: gazetteer.aliases.clone(),
            carriers: gazetteer.carriers.clone(),
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
            unit_places: region
                .units
                .iter()
                .map(|unit| {
                    // To name the unit of a place, such as a town's government, is to name the place.
                    let name = unit.places.first()?;
                    let index = gazetteer
                        .place
                        .iter()
                        .position(|place| &place.name == name)?;
                    u32::try_from(index).ok()
                })
                .collect(),
        }
    }

    /// Judges the words found in a cleaned text, whose words are asked for around them. An export of the
    /// region's own hotline or mailbox is addressed to its government, so its posts concern the region
    /// whatever they name.
    #[must_use]
    pub fn read(&self, words: &mut Words<'_>, found: &[Found], kind: SourceKind) -> Relevance {
        let named = self.named(words, found);
        let addressed = kind == SourceKind::Import;
        let elsewhere = named.iter().any(|named| named.sense == Sense::Elsewhere);
        let strong = |named: &Named| {
            named.weight == Weight::Strong
                && !matches!(named.sense, Sense::Parent | Sense::Elsewhere)
        };
        // 江西 in 江西赣州 says that it is another county.
        let of_ours =
            |named: &Named| named.sense == Sense::Parent && named.weight == Weight::Strong;
        let is_town = |index: u32| {
            let place = self.places.get(index as usize);
            place.is_some_and(|(place, _)| place.kind == "town")
        };
        let within = |inner: u32, outer: u32| {
            let of = |index: u32| self.places.get(index as usize).map(|(place, _)| place);
            of(inner)
                .zip(of(outer))
                .is_some_and(|(inner, outer)| inner.within == outer.name)
        };
        let weak_places: Vec<u32> = named
            .iter()
            .filter_map(|named| place_of(named.sense))
            .collect();
        let weak_region = named.iter().any(|named| named.sense == Sense::WeakRegion);
        let signed = addressed
            || named.iter().any(strong)
            || named.iter().any(of_ours)
            || (weak_region && !weak_places.is_empty())
            || weak_places.iter().any(|inner| {
                weak_places.iter().any(|outer| {
                    // A village with its town, or two towns: homonyms of both would hardly meet elsewhere too.
                    within(*inner, *outer) || (inner != outer && is_town(*inner) && is_town(*outer))
                })
            });
        let mut relevance = Relevance::default();
        // How often each place is named.
        let mut places: Vec<(u32, u32)> = Vec::new();
        for name in &named {
            let counts = strong(name) || signed;
            match name.sense {
                Sense::Region | Sense::WeakRegion if counts => {
                    relevance.say(&self.name, name, false);
                }
                sense => {
                    let Some(index) = place_of(sense).filter(|_| counts) else {
                        continue;
                    };
                    match places.iter_mut().find(|(known, _)| *known == index) {
                        Some((_, count)) => *count += 1,
                        None => places.push((index, 1)),
                    }
                    if let Some((place, _)) = self.places.get(index as usize) {
                        relevance.say(&place.name, name, true);
                    }
                }
            }
        }
        // Of several places of one name, the one whose surroundings are named is meant.
        let names_outer = |place: &Place| {
            places.iter().any(|(index, _)| {
                self.places
                    .get(*index as usize)
                    .is_some_and(|(outer, _)| outer.name == place.within)
            })
        };
        let mut ordered: Vec<(&Place, u32)> = places
            .iter()
            .filter_map(|(index, count)| Some((&self.places.get(*index as usize)?.0, *count)))
            .collect();
        // The smaller place tells more than the one around it; then what is named more often.
        ordered.sort_by_key(|(place, count)| {
            (
                place.within.is_empty(),
                !names_outer(place),
                Reverse(*count),
            )
        });
        relevance.places = ordered
            .into_iter()
            .map(|(place, _)| place.clone())
            .collect();
        if relevance.because.is_empty() && addressed {
            relevance.because.push("写给本地政府的来件".to_owned());
        }
        relevance.relevant = !relevance.because.is_empty();
        relevance.elsewhere = !relevance.relevant && elsewhere;
        relevance
    }

    /// The names that begin and end where words do, from left to right, the longest where several begin,
    /// none inside another: in 信奉新教 the words are 信奉 and 新教, so 奉新 is no name there.
    fn named(&self, words: &mut Words<'_>, found: &[Found]) -> Vec<Named> {
        let text = words.text();
        let mut named: Vec<Named> = Vec::new();
        let mut end = 0;
        let mut span = (0, 0);
        for word in found {
            let sense = match word.sense {
                Sense::Unit(index) => match self.unit_places.get(index as usize) {
                    Some(Some(place)) => Sense::Place(*place),
                    _ => continue,
                },
                Sense::Duty(_) | Sense::Subject(_) | Sense::Intensity(_) | Sense::Cue(_) => {
                    continue;
                }
                sense => sense,
            };
            if (word.start, word.end) != span && word.start < end {
                continue;
            }
            let in_region = named.last().is_some_and(|before| {
                before.end == word.start
                    && (before.sense == Sense::Region || place_of(before.sense).is_some())
            });
            let mut is_name = || {
                // 罗市 in 奉新罗市政府 follows on a name that is ours, however 市政府 is cut.
                (in_region && place_of(sense).is_some())
                    || words.is_bound(word.start)
                        && (words.is_bound(word.end)
                            || (matches!(sense, Sense::Region | Sense::Elsewhere)
                                && words.goes_on(word.end))
                            || (sense == Sense::Region && begins_alone(words, word)))
            };
            if sense != Sense::Trap && !(stands_alone(text, word.start, word.end) && is_name()) {
                continue;
            }
            span = (word.start, word.end);
            end = word.end;
            if sense == Sense::Trap {
                continue;
            }
            let mut weight = self.weight(words, word, sense);
            if weight == Weight::Strong
                && sense == Sense::Region
                && self.is_carried(words, word)
                && named.iter().any(|before| {
                    before.sense == Sense::Elsewhere && words.in_one_clause(before.end, word.start)
                })
            {
                weight = Weight::Weak;
            }
            let after_elsewhere = named
                .last()
                .is_some_and(|before| before.sense == Sense::Elsewhere && before.end == word.start);
            if sense == Sense::Elsewhere {
                let mut start = word.start;
                for before in named.iter_mut().rev() {
                    if before.end != start || before.sense != Sense::Parent {
                        break;
                    }
                    start = before.start;
                    before.weight = Weight::Weak;
                }
            }
            // 义乌赤岸镇 is another one.
            if after_elsewhere && weight == Weight::Weak && sense != Sense::Elsewhere {
                continue;
            }
            named.push(Named {
                start: word.start,
                end: word.end,
                sense,
                weight,
            });
        }
        named
    }

    fn weight(&self, words: &mut Words<'_>, word: &Found, sense: Sense) -> Weight {
        let text = words.text();
        let needs_sign = match sense {
            Sense::WeakRegion | Sense::ShortPlace(_) => true,
            Sense::Place(index) => {
                // 奉新县实验小学 names the county too.
                let named = text.get(word.start..word.end).unwrap_or_default();
                let of_region = std::iter::once(&self.name)
                    .chain(&self.aliases)
                    .any(|own| named.starts_with(own.as_str()));
                !of_region
                    && self
                        .places
                        .get(index as usize)
                        .is_none_or(|(_, needs_sign)| *needs_sign)
            }
            _ => false,
        };
        if needs_sign {
            return Weight::Weak;
        }
        let name = text.get(word.start..word.end).unwrap_or_default();
        if name == self.name {
            return Weight::Strong;
        }
        if is_person(words, word) {
            Weight::Weak
        } else {
            Weight::Strong
        }
    }

    /// Whether a shop, a dish or a road may carry the name: 奉新饭店, but not 奉新路灯.
    fn is_carried(&self, words: &mut Words<'_>, word: &Found) -> bool {
        let text = words.text();
        let after = text.get(word.end..).unwrap_or_default();
        text.get(word.start..word.end) != Some(self.name.as_str())
            && self.carriers.iter().any(|carrier| {
                after.starts_with(carrier.as_str()) && words.is_bound(word.end + carrier.len())
            })
    }
}

/// Whether the first character of a name is a word of its own, as where 奉新建学校 is cut into 奉 and 新建.
fn begins_alone(words: &mut Words<'_>, word: &Found) -> bool {
    let first = words
        .text()
        .get(word.start..)
        .and_then(|text| text.chars().next());
    let end = word.start + first.map_or(0, char::len_utf8);
    words.at(word.start) == Some(word.start..end)
}

/// Whether a family name stands before, as a word of its own, and the name could be a given one.
fn is_person(words: &mut Words<'_>, word: &Found) -> bool {
    let text = words.text();
    let name = text.get(word.start..word.end).unwrap_or_default();
    let before = text.get(..word.start).unwrap_or_default();
    let after = text.get(word.end..).unwrap_or_default();
    let Some(family) = before.chars().next_back() else {
        return false;
    };
    if name.chars().count() > 2 || !FAMILY_NAMES.contains(family) {
        return false;
    }
    let start = word.start - family.len_utf8();
    words.at(start) == Some(start..word.start)
        || TITLES.iter().any(|title| after.starts_with(title))
}

impl Relevance {
    fn say(&mut self, detail: &str, name: &Named, is_place: bool) {
        if !self.because.iter().any(|known| known == detail) {
            self.because.push(detail.to_owned());
        }
        self.mentions.push(Mention {
            start: name.start,
            end: name.end,
            detail: detail.to_owned(),
            is_place,
        });
    }
}

fn place_of(sense: Sense) -> Option<u32> {
    match sense {
        Sense::Place(index) | Sense::ShortPlace(index) => Some(index),
        _ => None,
    }
}

/// A name that begins or ends with a letter or digit, such as `A3区` or `FX`, is no part of a longer one.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joined = |c: char| c.is_ascii_alphanumeric();
    let touches = |before: Option<&str>, after: Option<&str>| {
        before.is_some_and(|before| before.ends_with(joined))
            && after.is_some_and(|after| after.starts_with(joined))
    };
    !touches(text.get(..start), text.get(start..)) && !touches(text.get(..end), text.get(end..))
}
