//! What a careful duty officer reads in a post, and the words that say why.

use std::sync::LazyLock;

use analyzer::pipeline::Pipeline;
use analyzer::score;
use analyzer::settings::Risk;
use analyzer::stage::clean::LIMIT;
use backbone::message::{Assessment, FindingKind, Part, Polarity, Role, SourceKind};

use crate::ground::{FENGXIN, pipeline, project};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| pipeline(FENGXIN, &Risk::default()));

fn read_from(kind: SourceKind, title: &str, text: &str) -> Assessment {
    score::assess(&PIPELINE, "360921", title, text, kind)
}

fn read(text: &str) -> Assessment {
    read_from(SourceKind::Board, "", text)
}

fn places(assessment: &Assessment) -> Vec<&str> {
    let places = assessment.places.iter();
    places.map(|place| place.name.as_str()).collect()
}

fn rows(file: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(project().join("analyzer/tests").join(file)).unwrap();
    text.lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(label, text)| (label.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn nearly_every_case_of_what_is_ours_and_what_is_not_is_told_right() {
    for file in ["relevance.tsv", "relevance-unseen.tsv"] {
        let rows = rows(file);
        let wrong: Vec<&str> = rows
            .iter()
            .filter(|(label, text)| (label == "yes") != read(text).relevant)
            .map(|(_, text)| text.as_str())
            .collect();
        assert!(
            wrong.len() * 100 <= rows.len() * 3,
            "{file}: {} of {} wrong: {wrong:#?}",
            wrong.len(),
            rows.len()
        );
    }
}

#[test]
fn another_county_named_beside_it_takes_nothing_away() {
    for (ours, text) in [
        (true, "奉新路灯不亮，南昌的路灯就很亮"),
        (true, "奉新大米掺假，卖到了广东"),
        (true, "希望奉新建一个游泳馆"),
        (true, "奉新建学校征了我们的地"),
        (true, "奉新罗市停水了"),
        (false, "江西赣州的碧云花园物业太差"),
        (false, "宜春市袁州区的书院路堵车"),
        (false, "杭州西湖边的奉新饭店难吃"),
        (false, "上海徐汇区奉新路上的梧桐树被砍了"),
    ] {
        assert_eq!(read(text).relevant, ours, "{text}");
    }
}

#[test]
fn places_are_told_with_the_town_each_lies_in() {
    let post = read("上富镇九溪村的自来水断了半个月，奉新县供水公司没人管");
    assert_eq!(places(&post), ["九溪村", "上富镇"]);
    assert_eq!(post.places[0].within, "上富镇");
    let post = read("从奉新高铁站到耕香寺怎么坐车");
    assert_eq!(places(&post), ["奉新高铁站", "耕香寺"]);
}

#[test]
fn every_finding_points_at_its_words_in_the_post_as_shown() {
    let title = " 馮川鎮路燈 壞了 ";
    let text = "三個月沒人修，孩子放學摔傷了，奉\u{200b}新縣住建局推諉。";
    let post = read_from(SourceKind::Board, title, text);
    let shown = |part: Part, start: u32, end: u32| -> String {
        let of = match part {
            Part::Title => title,
            Part::Text => text,
        };
        let characters = of.chars().skip(start as usize);
        characters.take((end - start) as usize).collect()
    };
    let words: Vec<(FindingKind, String)> = post
        .evidence
        .iter()
        .map(|found| (found.finding, shown(found.part, found.start, found.end)))
        .collect();
    for expected in [
        (FindingKind::Place, "馮川鎮"),
        (FindingKind::Intensity, "摔傷"),
        (FindingKind::Intensity, "孩子"),
    ] {
        let expected = (expected.0, expected.1.to_owned());
        assert!(words.contains(&expected), "{expected:?} in {words:#?}");
    }
    let kinds = [
        FindingKind::Relevance,
        FindingKind::Subject,
        FindingKind::Sentiment,
        FindingKind::Appeal,
        FindingKind::Unit,
    ];
    for kind in kinds {
        assert!(
            words
                .iter()
                .any(|(of, word)| *of == kind && !word.is_empty()),
            "{kind:?} in {words:#?}"
        );
    }
}

#[test]
fn the_department_leads_and_the_place_assists() {
    let post = read("冯川镇城南小学门口的路灯坏了，晚上孩子过马路很危险");
    let lead = &post.units[0];
    assert_eq!(
        (lead.name.as_str(), lead.role),
        ("县住房和城乡建设局", Role::Lead)
    );
    assert!(lead.reason.contains("路灯"), "{}", lead.reason);
    let assist = post.units.iter().find(|unit| unit.role == Role::Assist);
    assert_eq!(assist.unwrap().name, "冯川镇人民政府");
    let nobody = read("奉新的天空真蓝啊");
    assert_eq!(nobody.units.len(), 1, "{:?}", nobody.units);
}

#[test]
fn two_of_three_ironic_posts_without_the_usual_signs_are_told_for_what_they_are() {
    let rows = rows("irony-unseen.tsv");
    let wrong: Vec<&str> = (rows.iter().map(|(_, text)| text.as_str()))
        .filter(|text| read(text).sentiment.label != Polarity::Negative)
        .collect();
    assert!(wrong.len() * 3 <= rows.len(), "{wrong:#?}");
}

#[test]
fn nearly_every_matter_goes_to_the_unit_in_charge() {
    let rows = rows("units.tsv");
    let wrong: Vec<String> = (rows.iter())
        .map(|(unit, text)| (unit, text, read(text).units))
        .filter(|(unit, _, units)| units.first().is_none_or(|lead| &lead.code != *unit))
        .map(|(unit, text, units)| format!("{text}: not {unit}: {units:?}"))
        .collect();
    assert!(
        wrong.len() * 100 <= rows.len() * 3,
        "{} of {} wrong: {wrong:#?}",
        wrong.len(),
        rows.len()
    );
}

#[test]
fn a_word_said_by_the_way_does_not_outweigh_what_a_long_post_is_about() {
    let text = "奉新县城这条河边建了一家石材厂，白天切割夜里打磨，粉尘飘得满街都是，窗台一天擦三遍还是白的，噪音吵得老人小孩睡不着。\
        我家旁边就是学校，学生上课也受影响，去医院看过两次，医生说是咽喉炎。请环保部门来查一查。";
    assert_eq!(read(text).units[0].code, "shengtai-huanjing");
}

#[test]
fn who_writes_to_a_board_seldom_wants_nothing() {
    let text = "奉新急诊没有医生，老人等了一个小时";
    assert_eq!(read(text).appeal.unwrap().name, "投诉");
    let rows = rows("units.tsv");
    let nothing: Vec<&str> = (rows.iter().map(|(_, text)| text.as_str()))
        .filter(|text| read(text).appeal.is_some_and(|wish| wish.name == "陈述"))
        .collect();
    assert!(nothing.len() * 20 <= rows.len(), "{nothing:#?}");
}

#[test]
fn a_subject_has_two_levels() {
    let cases = [
        (
            "奉新的物业公司乱收物业费，业委会也没有",
            "城乡建设",
            "物业管理",
        ),
        (
            "奉新一家工厂拖欠农民工工资半年",
            "劳动和社会保障",
            "拖欠工资",
        ),
        ("奉新工地半夜施工，噪音太大睡不着", "环境保护", "噪声污染"),
    ];
    for (text, first, second) in cases {
        let subject = read(text).subject.unwrap();
        assert_eq!(
            (subject.name.as_str(), subject.second.as_str()),
            (first, second),
            "{text}"
        );
    }
}

#[test]
fn what_is_denied_is_no_harm() {
    assert!(
        read("奉新三楼着火，多人受伤")
            .intensity
            .contains(&"受伤".to_owned())
    );
    assert!(
        read("奉新三楼着火，幸好无人受伤")
            .intensity
            .iter()
            .all(|word| word != "受伤")
    );
}

#[test]
fn a_word_of_harm_is_one_of_its_own() {
    for (text, word) in [
        ("奉新县城乱停电动车没人管", "停电"),
        ("奉新县人社局电话拨打人社局没人接", "打人"),
        ("奉新县开展防溺水宣传进校园活动", "溺水"),
        ("奉新县没有发生人员死亡", "死亡"),
    ] {
        let found = read(text).intensity;
        assert!(
            !found.iter().any(|known| known == word),
            "{text}: {found:?}"
        );
    }
    for (text, word) in [
        ("奉新县城又停电了", "停电"),
        ("奉新县城时不时停电", "停电"),
        ("奉新工地塔吊倒了，压死两个工人", "压死"),
        ("奉新三百多名业主围在门口", "百多名"),
        ("奉新小学生食物中毒住院", "中毒"),
    ] {
        let found = read(text).intensity;
        assert!(found.iter().any(|known| known == word), "{text}: {found:?}");
    }
}

#[test]
fn who_is_named_for_how_it_serves_leads() {
    let post = read("奉新县人社局的工作人员态度恶劣，办事推诿，电话也不接");
    assert_eq!(post.units[0].code, "renshe", "{:?}", post.units);
}

#[test]
fn an_official_notice_is_neutral_however_bad_its_words() {
    let text = "奉新县应急管理局通报：事故造成三人死亡，有关责任人已被依法处理。";
    let post = read_from(SourceKind::Official, "", text);
    assert_eq!(post.sentiment.label, Polarity::Neutral);
    assert_eq!(post.sentiment.because, ["官方发布"]);
}

#[test]
fn trouble_elsewhere_says_nothing_about_this_government() {
    let post = read("靖安县的窗口态度恶劣，推诿扯皮，气死人了");
    assert!(!post.relevant);
    assert_eq!(post.sentiment.label, Polarity::Neutral);
    assert_eq!(post.sentiment.because, ["说的是外地的事"]);
}

#[test]
fn any_text_is_read_in_bounded_room() {
    let long = "奉新县".repeat(400_000);
    let post = read(&long);
    assert!(post.relevant);
    let furthest = post.evidence.iter().map(|found| found.end).max().unwrap();
    assert!(furthest as usize <= LIMIT);
    for text in ["", " ", "\0", "\u{200b}", "👍👍👍", "﷽", "a\u{300}\u{301}"] {
        assert!(!read(text).relevant, "{text:?}");
    }
}
