use std::path::Path;

use backbone::region::Region;

use super::*;

const PLACES: &str = "name\tkind\taliases\tshort\twithin\thomonym\tsource
冯川镇\ttown\t冯川\t\t\tno\t
高新区\tzone\t工业园区 青禾县工业园区\t\t\tyes\tnotice
应星大道\troad\t\t\t冯川\tno\t
光明路\t\t\t\t冯川镇\t\t
青禾大桥\t\t\t\t\t\t
第一中学\tschool\t青禾一中\t一中\t\tyes\t
";
const TOWNS: &str = "code,name,areaCode
990101100,\"冯川镇\",990101
990101101,\"赤岸镇\",990101
990101102,\"团结镇\",990101
990101400,\"青禾县工业园区\",990101
330782101,\"赤岸镇\",330782
";
const VILLAGES: &str = "code,name,streetCode
990101100001,\"罗山社区居委会\",990101100
990101100002,\"河南社区居委会\",990101100
990101101200,\"沿里村委会\",990101101
990101101201,\"源头村委会\",990101101
990101101202,\"下村村委会\",990101101
990101101203,\"前进村委会\",990101101
990101101001,\"赤岸集镇居委会\",990101101
990101100200,\"涂家村委会\",990101100
990101101002,\"涂家居委会\",990101101
990101100201,\"华林村委会\",990101100
990101101204,\"华林村委会\",990101101
990101400498,\"工业园区虚拟社区\",990101400
330782101200,\"源头村村民委员会\",330782101
";
const DIVISIONS: &str = "code,name
99,\"西地省\"
9901,\"宜春市\"
990101,\"青禾县\"
41,\"河南省\"
";

fn arguments(folder: &Path, places: &str, elsewhere: &[(&str, &str)]) -> Arguments {
    std::fs::write(folder.join("places.tsv"), places).unwrap();
    let mut paths = Vec::new();
    for (name, text) in elsewhere {
        std::fs::write(folder.join(name), text).unwrap();
        paths.push(folder.join(name));
    }
    Arguments {
        code: "990101".to_owned(),
        name: "青禾县".to_owned(),
        places: vec![folder.join("places.tsv")],
        elsewhere: paths,
        out: Some(folder.join("region.toml")),
    }
}

/// What loads beside a minimal `units.toml`, and its text.
fn region(places: &str, elsewhere: &[(&str, &str)]) -> (Region, String) {
    let folder = tempfile::tempdir().unwrap();
    run(
        &arguments(folder.path(), places, elsewhere),
        &mut Vec::new(),
    )
    .unwrap();
    std::fs::write(
        folder.path().join("units.toml"),
        "[[unit]]\ncode = \"office\"\nname = \"县政府办公室\"\nkind = \"office\"\nduty_office = true\n",
    )
    .unwrap();
    let text = std::fs::read_to_string(folder.path().join("region.toml")).unwrap();
    (Region::load(folder.path()).unwrap(), text)
}

fn whole() -> (Region, String) {
    let lists = [
        ("streets.csv", TOWNS),
        ("villages.csv", VILLAGES),
        ("divisions.csv", DIVISIONS),
    ];
    region(PLACES, &lists)
}

fn place<'a>(region: &'a Region, name: &str) -> &'a GazetteerPlace {
    let mut places = region.gazetteer.place.iter();
    places.find(|place| place.name == name).unwrap()
}

fn refusal(places: &str, elsewhere: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let arguments = arguments(folder.path(), places, elsewhere);
    match run(&arguments, &mut Vec::new()) {
        Ok(()) => String::new(),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn a_draft_loads_as_a_region() {
    let (region, text) = whole();
    assert_eq!(region.gazetteer.aliases, ["青禾"]);
    assert_eq!(
        region.gazetteer.parents,
        ["西地省", "西地", "宜春市", "宜春"]
    );
    assert!(text.contains("Check by hand"));
    assert_eq!(text, whole().1);
}

#[test]
fn a_village_lies_within_its_town() {
    let (region, _) = whole();
    assert_eq!(place(&region, "罗山社区").within, "冯川镇");
    assert_eq!(place(&region, "沿里村").within, "赤岸镇");
    assert_eq!(place(&region, "应星大道").within, "冯川镇");
    assert_eq!(place(&region, "赤岸社区").aliases, ["赤岸集镇"]);
}

#[test]
fn what_the_list_of_the_country_repeats_is_not_added() {
    let (region, text) = whole();
    assert!(!text.contains("虚拟"));
    let zones = region.gazetteer.place.iter();
    assert_eq!(zones.filter(|place| place.kind == "zone").count(), 1);
}

#[test]
fn a_name_found_elsewhere_needs_a_sign() {
    let (region, _) = whole();
    let cases = [
        ("冯川镇", false),
        ("赤岸镇", true),
        ("沿里村", false),
        ("下村", true),
        ("源头村", true),
        ("高新区", true),
        ("应星大道", false),
        ("光明路", true),
        ("青禾大桥", false),
    ];
    for (name, expected) in cases {
        assert_eq!(place(&region, name).needs_sign, expected, "{name}");
    }
}

#[test]
fn without_a_list_of_the_country_nobody_vouches_for_a_name() {
    let (region, _) = region("name\n沿里村\n青禾一村\n", &[]);
    assert!(place(&region, "沿里村").needs_sign);
    assert!(!place(&region, "青禾一村").needs_sign);
}

#[test]
fn a_short_name_is_given_where_it_can_be_one() {
    let (region, text) = whole();
    assert_eq!(place(&region, "沿里村").short, ["沿里"]);
    assert_eq!(place(&region, "第一中学").short, ["一中"]);
    assert_eq!(place(&region, "团结镇").short, ["团结"]);
    for name in [
        "下村",
        "前进村",
        "河南社区",
        "涂家村",
        "涂家社区",
        "赤岸社区",
    ] {
        assert!(place(&region, name).short.is_empty(), "{name}");
    }
    assert!(
        text.contains("everyday words or names of larger places: 前进 河南 源头."),
        "{text}"
    );
    assert!(text.contains("claimed by two places: 华林 涂家."), "{text}");
}

#[test]
fn an_alias_found_elsewhere_counts_only_beside_a_sign() {
    let towns = "code,name\n360502103,罗坊镇\n";
    let places = "name\taliases\thomonym\n罗市镇\t罗市 罗坊\tno\n";
    let (region, _) = region(places, &[("streets.csv", towns)]);
    let town = place(&region, "罗市镇");
    assert_eq!(
        (&town.aliases[..], &town.short[..]),
        (&["罗市".to_owned()][..], &["罗坊".to_owned()][..])
    );
}

#[test]
fn villages_of_one_name_are_told_by_their_towns() {
    let (region, _) = whole();
    assert_eq!(place(&region, "冯川镇华林村").within, "冯川镇");
    assert_eq!(place(&region, "赤岸镇华林村").within, "赤岸镇");
}

#[test]
fn a_mistake_is_named_with_file_line_column_and_remedy() {
    let cases = [
        ("town\n冯川镇\n", "places.tsv:1: column `name` is missing"),
        (
            "name\tsize\n冯川镇\t3\n",
            "places.tsv:1: column `size` is unknown; known are name kind",
        ),
        (
            "name\tkind\n冯川镇\thamlet\n",
            "places.tsv:2: column `kind`: `hamlet` is unknown; known are county",
        ),
        (
            "name\n镇\n",
            "places.tsv:2: column `name`: `镇` needs two characters",
        ),
        (
            "name\thomonym\n冯川镇\tmaybe\n",
            "places.tsv:2: column `homonym`: `maybe` is neither yes nor no",
        ),
        (
            "name\twithin\n冯川镇\t\n沿里村\t赤岸镇\n",
            "places.tsv:3: column `within`: `赤岸镇` is no other place",
        ),
        (
            "name\twithin\n冯川镇\t冯川镇\n",
            "places.tsv:2: column `within`: `冯川镇` is no other place",
        ),
        (
            "name\taliases\n冯川镇\t冯川\n冯川村\t冯川\n",
            "places.tsv:3: column `aliases`: `冯川` is a name of `冯川镇` too (",
        ),
        ("name\tkind\n冯川镇\n", "places.tsv:2: has 1 fields, not 2"),
    ];
    for (places, expected) in cases {
        let said = refusal(places, &[]);
        assert!(said.contains(expected), "{said}");
    }
    let said = refusal(PLACES, &[("streets.csv", "code,name\n36O921,赤岸镇\n")]);
    assert!(
        said.contains("streets.csv:2: column `code`: `36O921` is no division code"),
        "{said}"
    );
    let said = refusal(PLACES, &[("streets.txt", TOWNS)]);
    assert!(
        said.contains("streets.txt: cannot tell its format"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = arguments(folder.path(), PLACES, &[]);
    run(&arguments, &mut Vec::new()).unwrap();
    let said = format!("{:#}", run(&arguments, &mut Vec::new()).unwrap_err());
    assert!(said.contains("name a new file"), "{said}");
}
