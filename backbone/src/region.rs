//! A region as configured: one folder with its places (`region.toml`) and its units (`units.toml`).
//! Nothing in code names a county; everything about one is here.

mod contact;
mod hours;
mod tiles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::{self, Flaw, Problems, SettingsError, faultless};

pub use contact::{Contact, ContactRole, Reach};
pub use hours::Hours;
pub use tiles::Tile;

/// The first-level subjects a matter can have: seven of the public message boards whose complaints
/// the subject model is trained on, then what a county's own units are for beyond them.
pub const SUBJECTS: [&str; 14] = [
    "城乡建设",
    "环境保护",
    "交通运输",
    "教育文体",
    "劳动和社会保障",
    "商贸旅游",
    "卫生计生",
    "农业农村",
    "民政",
    "公安交管",
    "征地拆迁",
    "政务服务",
    "市场监管",
    "应急管理",
];

/// The kinds of places a region can list.
pub const KINDS: [&str; 19] = [
    "county", "town", "village", "road", "estate", "school", "hospital", "scenic", "temple",
    "river", "bridge", "market", "park", "square", "station", "site", "factory", "zone",
    "district",
];

/// A county or other region: its names, its places and its units.
#[derive(Debug, Clone)]
pub struct Region {
    /// What `region.toml` says.
    pub gazetteer: Gazetteer,
    /// What `units.toml` says.
    pub units: Vec<Unit>,
}

/// The contents of `region.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gazetteer {
    /// Code of the region (GB/T 2260 where it has one).
    pub code: String,
    /// Its full name.
    pub name: String,
    /// Its other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its other names that count only beside another sign of the region: old names and nicknames
    /// that others bear too, its name in Latin letters and its initials, both in upper case.
    #[serde(default)]
    pub weak_aliases: Vec<String>,
    /// Names of the larger places it lies in; one of them beside a homonym tells that the place of
    /// this region is meant.
    #[serde(default)]
    pub parents: Vec<String>,
    /// Names of the neighbouring counties: to name one is no sign of this region, however many places
    /// they share.
    #[serde(default)]
    pub neighbours: Vec<String>,
    /// Strings in which an alias is no place name.
    #[serde(default)]
    pub traps: Vec<String>,
    /// What may follow an alias that is then the name of something else (a shop, a dish, a street of
    /// another town), so that the alias counts only beside another sign.
    #[serde(default)]
    pub carriers: Vec<String>,
    /// The folder of rules, relative to the region's folder.
    #[serde(default = "default_rules")]
    pub rules: PathBuf,
    /// Its places.
    #[serde(default)]
    pub place: Vec<GazetteerPlace>,
}

fn default_rules() -> PathBuf {
    PathBuf::from("../rules")
}

/// A place of the region.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GazetteerPlace {
    /// Its name.
    pub name: String,
    /// Its kind: county, town, village, road, estate, school, hospital, scenic, temple, river, bridge,
    /// market, park, square, station, site, factory, zone or district.
    pub kind: String,
    /// Its other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its other names that count only beside another sign of the region, whether or not its full name
    /// does: 沿里 for 沿里村.
    #[serde(default)]
    pub short: Vec<String>,
    /// The larger place of the region that it lies in; empty when that is the region itself.
    #[serde(default)]
    pub within: String,
    /// Whether the name is found elsewhere too, so that it counts only beside another sign of the
    /// region: its name, a parent, a unit or a place without homonyms.
    #[serde(default)]
    pub needs_sign: bool,
    /// Where it stands on the map of towns, which has a tile for each place that says so: row and column, from 1. Where no
    /// place says so, the towns stand in the order in which they are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tile: Option<[u8; 2]>,
}

/// A unit that answers for matters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its code in routing rules, accounts and messages.
    pub code: String,
    /// Its full name.
    pub name: String,
    /// Its short names, as people write them.
    #[serde(default)]
    pub short: Vec<String>,
    /// What it answers for.
    pub kind: UnitKind,
    /// Code of the unit above it, which hears of what it leaves undone; none where absent.
    #[serde(default)]
    pub parent: Option<String>,
    /// Its working hours, such as `08:30-12:00,14:30-17:30`; those of the responder's settings where absent.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// The subjects it is in charge of: a whole one (环境保护) or a part of one (环境保护/噪声污染).
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Words that tell that a matter is its own.
    #[serde(default)]
    pub words: Vec<String>,
    /// The places it answers for, by their names in `region.toml`.
    #[serde(default)]
    pub places: Vec<String>,
    /// Whom notices go to; nobody where absent.
    #[serde(default)]
    pub contact: Vec<Contact>,
    /// Whether it is the duty office: it gets what no other unit answers for. Exactly one is.
    #[serde(default)]
    pub duty_office: bool,
}

/// What a unit answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnitKind {
    /// Subjects, in the whole region (谁主管谁负责).
    Department,
    /// Places, whatever the subject (属地管理).
    Place,
    /// The office of the government itself.
    Office,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    unit: Vec<Unit>,
}

impl Region {
    /// Reads a region's folder and checks that its two files agree.
    ///
    /// # Errors
    /// Names the file, the entry at fault and the remedy.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        faultless(|problems| {
            let mut text = |name: &str| problems.take(settings::read(&folder.join(name)));
            let (gazetteer, units) = (text("region.toml"), text("units.toml"));
            Self::parse(folder, &gazetteer?, &units?, problems)
        })
    }

    /// As [`Region::load`], of the texts that the two files of a folder have, or are to have. What is wrong is added to the problems.
    pub fn parse(
        folder: &Path,
        gazetteer: &str,
        units: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        let path = folder.join("region.toml");
        let gazetteer: Option<Gazetteer> =
            settings::parse(&path, gazetteer, check_gazetteer, problems);
        let check = |units: &Units| {
            (gazetteer.as_ref()).map_or_else(Vec::new, |known| check_units(&units.unit, known))
        };
        let units = settings::parse(&folder.join("units.toml"), units, check, problems);
        let mut gazetteer = gazetteer?;
        gazetteer.rules = folder.join(&gazetteer.rules);
        Some(Self {
            gazetteer,
            units: units?.unit,
        })
    }

    /// Reads several regions' folders.
    ///
    /// # Errors
    /// As [`Region::load`], and when two folders have the same code.
    pub fn load_all<P: AsRef<Path>>(
        folders: &[P],
    ) -> Result<BTreeMap<String, Self>, SettingsError> {
        faultless(|problems| Some(Self::read_all(folders, problems)))
    }

    /// As [`Region::load_all`], of those that can be read; what is wrong is added to the problems.
    pub fn read_all<P: AsRef<Path>>(
        folders: &[P],
        problems: &mut Problems,
    ) -> BTreeMap<String, Self> {
        let mut regions = BTreeMap::new();
        for folder in folders {
            let Some(region) = problems.take(Self::load(folder.as_ref())) else {
                continue;
            };
            let code = region.gazetteer.code.clone();
            if regions.insert(code.clone(), region).is_some() {
                problems.note(&folder.as_ref().join("region.toml"), [code_taken(&code)]);
            }
        }
        regions
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.gazetteer.code
    }

    /// The unit of that code.
    #[must_use]
    pub fn unit(&self, code: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.code == code)
    }

    /// The name of a unit; its code where the region has no such unit (any more).
    #[must_use]
    pub fn unit_name<'a>(&'a self, code: &'a str) -> &'a str {
        self.unit(code).map_or(code, |unit| unit.name.as_str())
    }

    /// The name of the unit in charge of a subject; none where the region names none.
    #[must_use]
    pub fn in_charge(&self, subject: &str) -> Option<&str> {
        (self.units.iter())
            .find(|unit| unit.subjects.iter().any(|own| own == subject))
            .map(|unit| unit.name.as_str())
    }

    /// The units above a unit, the nearest first.
    #[must_use]
    pub fn above(&self, code: &str) -> Vec<&Unit> {
        std::iter::successors(self.unit(code), |unit| {
            unit.parent.as_deref().and_then(|above| self.unit(above))
        })
        .skip(1)
        .collect()
    }

    /// The place and the larger places it lies in, the smallest first.
    #[must_use]
    pub fn place_and_around<'a>(&'a self, name: &str) -> Vec<&'a GazetteerPlace> {
        let mut around: Vec<&GazetteerPlace> = Vec::new();
        let mut next = name;
        while let Some(place) = self.gazetteer.place.iter().find(|place| place.name == next) {
            if around.iter().any(|known| known.name == place.name) {
                break;
            }
            around.push(place);
            next = &place.within;
        }
        around
    }
}

/// That two folders are of one region.
#[must_use]
pub fn code_taken(code: &str) -> Flaw {
    Flaw::new(
        format!("`code` is \"{code}\", as that of another region served; give each its own"),
        format!("编码 {code} 与另一区域相同，请各用各的"),
    )
}

fn check_gazetteer(gazetteer: &Gazetteer) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if gazetteer.code.trim().is_empty() || gazetteer.name.trim().is_empty() {
        flaws.push(Flaw::new(
            "`code` and `name` must not be empty",
            "code 和 name 不能为空",
        ));
    }
    let names: BTreeSet<&str> = gazetteer
        .place
        .iter()
        .map(|place| place.name.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    for (index, place) in gazetteer.place.iter().enumerate() {
        let name = &place.name;
        let mut wrong = |flaw: Flaw| flaws.push(flaw.of(format!("place[{index}]")));
        if name.chars().count() < 2 {
            wrong(Flaw::new(
                format!("place `{name}` needs a name of two characters or more"),
                format!("地名“{name}”太短，至少两个字"),
            ));
        }
        if !seen.insert(name) {
            wrong(Flaw::new(
                format!("place `{name}` is listed twice; remove one"),
                format!("地名“{name}”重复，请去掉一个"),
            ));
        }
        if !KINDS.contains(&place.kind.as_str()) {
            wrong(Flaw::new(
                format!(
                    "place `{name}` has the unknown kind `{}`; known are {}",
                    place.kind,
                    KINDS.join(" ")
                ),
                format!(
                    "地名“{name}”的类别 {} 不认识，可用：{}",
                    place.kind,
                    KINDS.join(" ")
                ),
            ));
        }
        if !place.within.is_empty() && !names.contains(place.within.as_str()) {
            wrong(Flaw::new(
                format!(
                    "place `{name}` lies within `{}`, which is not listed; add a [[place]] of that name",
                    place.within
                ),
                format!(
                    "地名“{name}”所在的“{}”没有列出，请添加该名称的 [[place]]",
                    place.within
                ),
            ));
        }
    }
    flaws.extend(tiles::check(&gazetteer.place));
    flaws
}

fn check_units(units: &[Unit], gazetteer: &Gazetteer) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut codes = BTreeSet::new();
    for (index, unit) in units.iter().enumerate() {
        let code = &unit.code;
        let mut wrong = |flaw: Flaw| flaws.push(flaw.of(format!("unit[{index}]")));
        if code.is_empty() || !code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            wrong(Flaw::new(
                format!("unit code `{code}` must be letters, digits and hyphens"),
                format!("单位编码“{code}”只能用字母、数字和连字符"),
            ));
        }
        if !codes.insert(code) {
            wrong(Flaw::new(
                format!("unit `{code}` is listed twice; remove one"),
                format!("单位 {code} 重复，请去掉一个"),
            ));
        }
        for subject in &unit.subjects {
            let first = subject.split('/').next().unwrap_or_default();
            if !SUBJECTS.contains(&first) {
                wrong(Flaw::new(
                    format!(
                        "unit `{code}` has the unknown subject `{subject}`; known are {}",
                        SUBJECTS.join(" ")
                    ),
                    format!(
                        "单位 {code} 的事项“{subject}”不认识，可用：{}",
                        SUBJECTS.join(" ")
                    ),
                ));
            }
        }
        for place in &unit.places {
            if !gazetteer.place.iter().any(|known| &known.name == place) {
                wrong(Flaw::new(
                    format!(
                        "unit `{code}` answers for `{place}`, which is not in region.toml; add it there or correct the name"
                    ),
                    format!("单位 {code} 负责的“{place}”不在 region.toml 中，请添加或更正"),
                ));
            }
        }
        contact::check(unit).into_iter().for_each(&mut wrong);
        check_parents(unit, units).into_iter().for_each(&mut wrong);
    }
    let count = units.iter().filter(|unit| unit.duty_office).count();
    if count != 1 {
        flaws.push(Flaw::new(
            format!(
                "exactly one unit must have `duty_office = true`, not {count}; it gets what no other unit answers for"
            ),
            format!(
                "须有且只有一个单位写 duty_office = true（现有{count}个），无人负责的事项由它处理"
            ),
        ));
    }
    flaws
}

fn check_parents(unit: &Unit, units: &[Unit]) -> Option<Flaw> {
    let code = &unit.code;
    let known = |code: &String| units.iter().find(|known| &known.code == code);
    let parent = unit.parent.as_ref()?;
    if known(parent).is_none() {
        return Some(Flaw::new(
            format!(
                "unit `{code}` has the parent `{parent}`, which is not listed; add a [[unit]] of that code or correct it"
            ),
            format!("单位 {code} 的上级 {parent} 没有列出，请添加该编码的 [[unit]] 或更正"),
        ));
    }
    // A circle that it leads into and is not part of is told of by the units that are.
    let mut above =
        std::iter::successors(known(parent), |unit| unit.parent.as_ref().and_then(known));
    above.by_ref().take(units.len()).any(|above| &above.code == code).then(|| {
        Flaw::new(
            format!(
                "unit `{code}` is above itself by way of `parent`; take the `parent` of one of them away"
            ),
            format!("单位 {code} 经 parent 成了自己的上级，请去掉其中一个的 parent"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: &str =
        "code = \"990101\"\nname = \"青禾县\"\n[[place]]\nname = \"柳桥镇\"\nkind = \"town\"\n";
    const OFFICE: &str = "[[unit]]\ncode = \"office\"\nname = \"县政府办公室\"\nkind = \"office\"\nduty_office = true\n";
    const CONTACT: &str = "[[unit.contact]]\nname = \"值班室\"\nrole = \"contact\"\nreach = [{ channel = \"group\" }]\n";

    fn refusal(region: &str, units: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("region.toml"), region).unwrap();
        std::fs::write(folder.path().join("units.toml"), units).unwrap();
        match Region::load(folder.path()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_folder_that_agrees_is_taken() {
        assert_eq!(refusal(REGION, OFFICE), "");
    }

    #[test]
    fn a_unit_is_told_by_its_contacts_else_by_its_lead_else_by_whom_the_duty_office_has() {
        let names = |contacts: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("region.toml"), REGION).unwrap();
            std::fs::write(
                folder.path().join("units.toml"),
                format!("{OFFICE}{contacts}"),
            )
            .unwrap();
            let region = Region::load(folder.path()).unwrap();
            let told = region.unit("office").unwrap().first_contacts();
            told.iter()
                .map(|contact| contact.name.clone())
                .collect::<Vec<_>>()
        };
        let leader = CONTACT
            .replace("值班室", "甲")
            .replace("\"contact\"", "\"duty-officer\"");
        let lead = CONTACT
            .replace("值班室", "乙")
            .replace("\"contact\"", "\"lead\"");
        let other = CONTACT.replace("值班室", "丙");
        assert_eq!(names(""), Vec::<String>::new());
        assert_eq!(names(&leader), ["甲"]);
        assert_eq!(names(&format!("{leader}{lead}")), ["乙"]);
        assert_eq!(
            names(&format!("{leader}{CONTACT}{lead}{other}")),
            ["值班室", "丙"]
        );
    }

    #[test]
    fn the_regions_of_the_project_are_taken() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for folder in ["deploy/config/region", "deploy/sample/region"] {
            for entry in std::fs::read_dir(project.join(folder)).unwrap() {
                let entry = entry.unwrap().path();
                if entry.join("region.toml").is_file() {
                    Region::load(&entry).unwrap();
                }
            }
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_each_with_its_line() {
        let places = "[[place]]\nname = \"石\"\nkind = \"hamlet\"\nwithin = \"望江\"\n";
        let units = "[[unit]]\ncode = \"a\"\nname = \"a\"\nkind = \"place\"\nsubjects = [\"天文\"]\nparent = \"b\"\n";
        let said = refusal(&format!("{REGION}{places}"), &format!("{OFFICE}{units}"));
        let told: Vec<&str> = said
            .lines()
            .map(|line| line.rsplit_once(".toml:").unwrap().1)
            .collect();
        let begins = [
            "6: place `石` needs a name",
            "6: place `石` has the unknown kind `hamlet`",
            "6: place `石` lies within `望江`",
            "6: unit `a` has the unknown subject `天文`",
            "6: unit `a` has the parent `b`",
        ];
        assert_eq!(told.len(), begins.len(), "{said}");
        for (told, begin) in told.iter().zip(begins) {
            assert!(told.starts_with(begin), "{told}");
        }
    }

    #[test]
    fn a_mistake_is_named_with_file_entry_and_remedy() {
        let cases = [
            (
                REGION,
                "[[unit]]\ncode = \"a\"\nname = \"a\"\nkind = \"place\"\n",
                "units.toml: exactly one unit",
            ),
            (
                REGION,
                &format!("{OFFICE}places = [\"石门镇\"]\n"),
                "`石门镇`, which is not in region.toml",
            ),
            (
                REGION,
                &format!("{OFFICE}subjects = [\"天文\"]\n"),
                "unknown subject `天文`",
            ),
            (
                REGION,
                &format!("{OFFICE}parent = \"county\"\n"),
                "unit `office` has the parent `county`, which is not listed",
            ),
            (
                REGION,
                &format!(
                    "{OFFICE}parent = \"b\"\n[[unit]]\ncode = \"b\"\nname = \"b\"\nkind = \"office\"\nparent = \"office\"\n"
                ),
                "unit `office` is above itself",
            ),
            (
                REGION,
                &format!("{OFFICE}hours = \"9 to 5\"\n"),
                "`9 to 5` is no hours of a day",
            ),
            (
                REGION,
                &format!("{OFFICE}colour = 1\n"),
                "units.toml:6: unknown field `colour`",
            ),
            (
                &format!("{REGION}tile = [13, 1]\n"),
                OFFICE,
                "place `柳桥镇` has the tile [13, 1]; rows and columns go from 1 to 12",
            ),
            (
                &format!(
                    "{REGION}tile = [1, 2]\n[[place]]\nname = \"石门镇\"\nkind = \"town\"\ntile = [1, 2]\n"
                ),
                OFFICE,
                "place `石门镇` has the tile [1, 2], where `柳桥镇` is",
            ),
            (
                REGION,
                &format!(
                    "{OFFICE}[[unit.contact]]\nname = \"值班室\"\nrole = \"contact\"\nreach = []\n"
                ),
                "contact `值班室` of unit `office` cannot be reached",
            ),
            (
                REGION,
                &format!("{OFFICE}{CONTACT}{CONTACT}"),
                "unit `office` has two contacts `值班室`",
            ),
            (
                REGION,
                &format!("{OFFICE}{CONTACT}phone = \"1\"\n"),
                "unknown field `phone`",
            ),
            (
                REGION,
                &format!(
                    "{OFFICE}[[unit]]\ncode = \"a\"\nname = \"a\"\nkind = \"place\"\n{}",
                    CONTACT.replace("\"contact\"", "\"duty-leader\"")
                ),
                "contact `值班室` of unit `a` is a duty-leader, which only the duty office has",
            ),
            (
                &format!("{REGION}within = \"望江\"\n"),
                OFFICE,
                "lies within `望江`",
            ),
            (
                &REGION.replace("town", "hamlet"),
                OFFICE,
                "place `柳桥镇` has the unknown kind `hamlet`; known are county town",
            ),
            (
                &format!("{REGION}size = 3\n"),
                OFFICE,
                "region.toml:6: unknown field `size`",
            ),
        ];
        for (region, units, expected) in cases {
            let said = refusal(region, units);
            assert!(said.contains(expected), "{said}");
        }
    }
}
