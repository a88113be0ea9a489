//! Drafting a gazetteer: lists of places in, a `region.toml` out, for the county's people to check.
//!
//! A list of the county's own places says what is there. A list of the whole country tells which of
//! these names are found elsewhere too, and brings the county's towns and villages.

mod division;
mod table;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use backbone::region::{GazetteerPlace, KINDS};
use jieba_rs::Jieba;

use division::{Village, is_placeholder, significant, stem};

/// Drafts the gazetteer of a county.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  analyzer region --code 360921 --name 奉新县 --places places.tsv --out region.toml
  analyzer region --code 360921 --name 奉新县 --places places.tsv --elsewhere villages.csv --elsewhere streets.csv")]
pub struct Arguments {
    /// Code of the county: the six digits of GB/T 2260.
    #[arg(long)]
    code: String,
    /// Full name of the county.
    #[arg(long)]
    name: String,
    /// List of the county's places, .csv or .tsv, with the columns name and, where known, kind, aliases
    /// and short (both separated by spaces), within, homonym (yes or no) and source.
    #[arg(long, required_unless_present = "elsewhere")]
    places: Vec<PathBuf>,
    /// List of the places of the whole country, .csv or .tsv, with the columns code (statistical division
    /// code) and name: provinces, prefectures, counties, towns, villages or several of these.
    #[arg(long)]
    elsewhere: Vec<PathBuf>,
    /// File to write; standard output where absent. It must not exist.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Drafts the gazetteer and writes it to the file named, or else to `out`.
///
/// # Errors
/// When a list cannot be read or a row does not fit; names file, line, column and remedy.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<()> {
    let text = draft(arguments)?;
    let Some(path) = &arguments.out else {
        return Ok(out.write_all(text.as_bytes())?);
    };
    std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| {
            format!(
                "cannot write {}; name a new file in an existing folder with --out",
                path.display()
            )
        })
}

fn draft(arguments: &Arguments) -> anyhow::Result<String> {
    ensure!(
        arguments.code.len() == 6 && significant(&arguments.code) == Some(&arguments.code),
        "--code `{}` is no county's; give the six digits of GB/T 2260, such as 360921",
        arguments.code
    );
    let mut country = Country::default();
    for path in &arguments.elsewhere {
        country.read(path, &arguments.code)?;
    }
    let mut places = listed(&arguments.places)?;
    let county = stem(&arguments.name).unwrap_or(&arguments.name);
    let jieba = Jieba::new();
    add_towns(&mut places, &country, &arguments.name, &jieba);
    for place in &mut places {
        mark(place, &country, county);
    }
    let left_out = add_short_names(&mut places, &country, &jieba);
    places.sort_by(|one, other| one.order().cmp(&other.order()));
    text::write(arguments, &country, &places, &left_out)
}

/// A place of the draft.
#[derive(Debug)]
struct Draft {
    place: GazetteerPlace,
    /// Whether the list says that the name is found elsewhere too.
    homonym: Option<bool>,
    /// Where the list has it from.
    source: String,
}

impl Draft {
    fn new(name: String, kind: &str) -> Self {
        Self {
            place: GazetteerPlace {
                name,
                kind: kind.to_owned(),
                aliases: Vec::new(),
                short: Vec::new(),
                within: String::new(),
                needs_sign: false,
                tile: None,
            },
            homonym: None,
            source: String::new(),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.place.name == name || self.place.aliases.iter().any(|alias| alias == name)
    }

    /// By town, and there by kind and name.
    fn order(&self) -> (&str, Option<usize>, &str) {
        let kind = KINDS.iter().position(|kind| *kind == self.place.kind);
        (&self.place.within, kind, &self.place.name)
    }
}

/// What the lists of the whole country say.
#[derive(Debug, Default)]
struct Country {
    /// Names found in other counties, as people say them.
    names: HashSet<String>,
    /// What towns and larger places elsewhere are called without the word for what they are.
    stems: HashSet<String>,
    /// Names of provinces, prefectures and counties, in full and without the word for what they are.
    divisions: HashSet<String>,
    /// The larger places that the county lies in, the largest first.
    parents: BTreeMap<String, String>,
    /// The county's towns by their codes.
    towns: BTreeMap<String, String>,
    /// The county's villages by their codes.
    villages: BTreeMap<String, Village>,
}

impl Country {
    fn read(&mut self, path: &std::path::Path, county: &str) -> anyhow::Result<()> {
        table::read(path, &["code", "name"], None, |row| {
            let Some(code) = significant(row.get("code")) else {
                return Err(row.refuse(
                    "code",
                    format_args!(
                        "`{}` is no division code; give 2, 4, 6, 9 or 12 digits",
                        row.get("code")
                    ),
                ));
            };
            let name = row.get("name");
            if name.is_empty() {
                return Err(row.refuse("name", "is empty; give the name or remove the line"));
            }
            if !is_placeholder(name) {
                self.add(code, name, county);
            }
            Ok(())
        })
    }

    fn add(&mut self, code: &str, name: &str, county: &str) {
        let own = code.starts_with(county);
        match code.len() {
            12 => {
                let Some(village) = Village::of(name) else {
                    return;
                };
                if own {
                    self.villages.insert(code.to_owned(), village);
                } else {
                    self.names.insert(village.name);
                }
            }
            9 if own => {
                self.towns.insert(code.to_owned(), name.to_owned());
            }
            length => {
                let names = std::iter::once(name).chain(stem(name)).map(str::to_owned);
                if length < 9 {
                    self.divisions.extend(names);
                }
                if county.starts_with(code) {
                    if !own {
                        self.parents.insert(code.to_owned(), name.to_owned());
                    }
                    return;
                }
                self.names.insert(name.to_owned());
                self.stems.extend(stem(name).map(str::to_owned));
            }
        }
    }

    /// Whether a list was given at all.
    fn is_known(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether a place elsewhere bears the name.
    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
            || Village::of(name).is_some_and(|village| self.names.contains(&village.name))
    }
}

/// The places of the county's own lists, checked against each other.
fn listed(paths: &[PathBuf]) -> anyhow::Result<Vec<Draft>> {
    let mut places: Vec<Draft> = Vec::new();
    // Which name is whose, and where that is said.
    let mut owners: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut within: Vec<(String, anyhow::Error)> = Vec::new();
    for path in paths {
        let optional = ["kind", "aliases", "short", "within", "homonym", "source"];
        table::read(path, &["name"], Some(&optional), |row| {
            let name = row.get("name");
            if name.chars().count() < 2 {
                return Err(row.refuse(
                    "name",
                    format_args!("`{name}` needs two characters or more; correct or remove it"),
                ));
            }
            let kind = match row.get("kind") {
                "" => kind_of(name),
                kind if KINDS.contains(&kind) => kind,
                kind => {
                    let known = KINDS.join(" ");
                    return Err(row.refuse(
                        "kind",
                        format_args!("`{kind}` is unknown; known are {known}"),
                    ));
                }
            };
            let mut draft = Draft::new(name.to_owned(), kind);
            draft.place.aliases = row.words("aliases");
            draft.place.short = row.words("short");
            draft.place.within = row.get("within").to_owned();
            draft.homonym = match row.get("homonym") {
                "" => None,
                "yes" => Some(true),
                "no" => Some(false),
                other => {
                    return Err(row.refuse(
                        "homonym",
                        format_args!(
                            "`{other}` is neither yes nor no; write one or leave it empty"
                        ),
                    ));
                }
            };
            draft.source = row.get("source").to_owned();
            let names = std::iter::once(("name", name))
                .chain(
                    draft
                        .place
                        .aliases
                        .iter()
                        .map(|name| ("aliases", name.as_str())),
                )
                .chain(
                    draft
                        .place
                        .short
                        .iter()
                        .map(|name| ("short", name.as_str())),
                );
            for (column, called) in names {
                if called.chars().count() < 2 {
                    return Err(row.refuse(
                        column,
                        format_args!("`{called}` needs two characters or more; remove it"),
                    ));
                }
                if let Some((owner, at)) =
                    owners.insert(called.to_owned(), (name.to_owned(), row.at()))
                {
                    return Err(row.refuse(
                        column,
                        format_args!(
                            "`{called}` is a name of `{owner}` too ({at}); keep it in one place"
                        ),
                    ));
                }
            }
            if !draft.place.within.is_empty() {
                let refusal = row.refuse(
                    "within",
                    format_args!(
                        "`{}` is no other place of the lists; list it, correct the name or leave it empty",
                        draft.place.within
                    ),
                );
                within.push((name.to_owned(), refusal));
            }
            places.push(draft);
            Ok(())
        })?;
    }
    for (name, refusal) in within {
        let Some(position) = places.iter().position(|draft| draft.place.name == name) else {
            continue;
        };
        let around = places
            .get(position)
            .and_then(|draft| owners.get(&draft.place.within));
        match around {
            Some((around, _)) if *around != name => {
                let around = around.clone();
                if let Some(draft) = places.get_mut(position) {
                    draft.place.within = around;
                }
            }
            _ => return Err(refusal),
        }
    }
    Ok(places)
}

/// The kind that a name's ending tells.
fn kind_of(name: &str) -> &'static str {
    [
        ("县", "county"),
        ("镇", "town"),
        ("乡", "town"),
        ("街道", "town"),
        ("办事处", "town"),
        ("村", "village"),
        ("社区", "village"),
        ("组", "village"),
        ("路", "road"),
        ("街", "road"),
        ("大道", "road"),
        ("高速", "road"),
        ("小区", "estate"),
        ("花园", "estate"),
        ("学", "school"),
        ("学校", "school"),
        ("幼儿园", "school"),
        ("医院", "hospital"),
        ("卫生院", "hospital"),
        ("景区", "scenic"),
        ("风景名胜区", "scenic"),
        ("山", "scenic"),
        ("寺", "temple"),
        ("河", "river"),
        ("水库", "river"),
        ("桥", "bridge"),
        ("市场", "market"),
        ("公园", "park"),
        ("广场", "square"),
        ("站", "station"),
        ("厂", "factory"),
        ("公司", "factory"),
        ("园区", "zone"),
        ("场", "zone"),
        ("区", "district"),
    ]
    .into_iter()
    .filter(|(ending, _)| name.ends_with(ending))
    .max_by_key(|(ending, _)| ending.len())
    .map_or("site", |(_, kind)| kind)
}

/// Adds the county's towns and villages that its own lists do not have.
fn add_towns(places: &mut Vec<Draft>, country: &Country, county: &str, jieba: &Jieba) {
    let mut towns: BTreeMap<&str, String> = BTreeMap::new();
    for (code, published) in &country.towns {
        let local = published.strip_prefix(county).unwrap_or(published);
        let known = [published, local]
            .into_iter()
            .find_map(|name| places.iter().find(|draft| draft.is_called(name)));
        let name = known.map_or(local, |draft| &draft.place.name).to_owned();
        if known.is_none() {
            let town = ["镇", "乡", "街道", "办事处"]
                .iter()
                .any(|ending| local.ends_with(ending));
            let mut draft = Draft::new(name.clone(), if town { "town" } else { "zone" });
            let alias = stem(local)
                .filter(|alias| town && !places.iter().any(|draft| draft.is_called(alias)));
            // 团结 for 团结镇 is a word first.
            match alias {
                Some(word) if is_everyday(jieba, word) => draft.place.short.push(word.to_owned()),
                alias => draft.place.aliases.extend(alias.map(str::to_owned)),
            }
            places.push(draft);
        }
        towns.insert(code, name);
    }
    let mut count: BTreeMap<&str, u32> = BTreeMap::new();
    for village in country.villages.values() {
        *count.entry(&village.name).or_default() += 1;
    }
    for (code, village) in &country.villages {
        let town = code.get(..9).and_then(|code| towns.get(code));
        let mut name = village.name.clone();
        if count.get(name.as_str()) > Some(&1) {
            // Of several villages of one name each is told by its town.
            name.insert_str(0, town.map_or("", String::as_str));
        }
        if places.iter().any(|draft| draft.is_called(&name)) {
            continue;
        }
        let mut draft = Draft::new(name, "village");
        draft.place.within = town.cloned().unwrap_or_default();
        let alias = village.alias.iter();
        draft.place.aliases = alias
            .filter(|alias| !places.iter().any(|draft| draft.is_called(alias)))
            .cloned()
            .collect();
        draft.homonym = village.weak.then_some(true);
        places.push(draft);
    }
}

/// Tells whether the name is found elsewhere too, and which of its aliases are.
fn mark(draft: &mut Draft, country: &Country, county: &str) {
    let place = &mut draft.place;
    // Lists of divisions cannot vouch for a road or an estate; its own list must, or the county's name in it.
    let vouched = match draft.homonym {
        Some(homonym) => !homonym,
        None => {
            country.is_known() && ["town", "village", "zone"].contains(&place.kind.as_str())
                || place.name.contains(county)
        }
    };
    place.needs_sign = !vouched || country.has(&place.name);
    if !place.needs_sign {
        let (short, aliases) = std::mem::take(&mut place.aliases)
            .into_iter()
            .partition(|alias| {
                country.has(alias)
                    || country.stems.contains(alias)
                    || country.divisions.contains(alias)
            });
        place.aliases = aliases;
        place.short.extend::<Vec<String>>(short);
    }
}

/// Short names that the draft does without.
#[derive(Debug, Default)]
struct LeftOut {
    /// Names of larger divisions and everyday words.
    common: BTreeSet<String>,
    /// Names that two places could claim.
    claimed: BTreeSet<String>,
}

/// Gives villages their short names, such as 沿里 for 沿里村.
fn add_short_names(places: &mut [Draft], country: &Country, jieba: &Jieba) -> LeftOut {
    let mut left_out = LeftOut::default();
    let mut claims: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, draft) in places.iter().enumerate() {
        let place = &draft.place;
        for name in place
            .short
            .iter()
            .chain(&place.aliases)
            .chain([&place.name])
        {
            claims.entry(name.clone()).or_default().push(index);
        }
    }
    let listed: BTreeSet<String> = claims.keys().cloned().collect();
    for (index, draft) in places.iter().enumerate() {
        let place = &draft.place;
        if place.kind != "village" {
            continue;
        }
        // 金洞分场 for 甘坊金洞分场, whose name begins with its town's.
        let town = stem(&place.within).unwrap_or(&place.within);
        let local = place.name.strip_prefix(town).unwrap_or(&place.name);
        let farm =
            (local != place.name && local.ends_with("分场") && local != "分场").then_some(local);
        let local = place
            .name
            .strip_prefix(&place.within)
            .unwrap_or(&place.name);
        if let Some(short) = farm.or_else(|| stem(local).filter(|stem| !is_numbered(stem))) {
            claims.entry(short.to_owned()).or_default().push(index);
        }
    }
    for (short, claims) in claims {
        if listed.contains(&short) {
            continue;
        }
        if country.divisions.contains(&short) || is_everyday(jieba, &short) {
            left_out.common.insert(short);
        } else if let [index] = claims.as_slice()
            && let Some(draft) = places.get_mut(*index)
        {
            draft.place.short.push(short);
        } else {
            left_out.claimed.insert(short);
        }
    }
    left_out
}

/// Whether it ends in a number, as 上溪一 of 上溪一村 does.
fn is_numbered(name: &str) -> bool {
    name.ends_with(['一', '二', '三', '四', '五', '六', '七', '八', '九', '十'])
}

/// Whether the dictionary has it as a word, and not as the name of a place or person.
fn is_everyday(jieba: &Jieba, name: &str) -> bool {
    match jieba.tag(name, false).as_slice() {
        [word] => !["ns", "nr", "nz", "x"]
            .iter()
            .any(|tag| word.tag.starts_with(tag)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
