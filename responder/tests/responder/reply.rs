//! Drafts on their way to review: what a good one has, and what is marked in the others.

use crate::endpoint::Endpoint;
use crate::ground::project;
use crate::served::{office, office_with};
use crate::stores::{Kept, on_each_store};
use backbone::region::Region;
use jiff::Timestamp;
use responder::knowledge::{Content, Entry, Status};
use responder::reply::command::unit_names;
use responder::reply::draft::{Drafter, NoDraft};
use responder::reply::model::Model;
use responder::reply::suggest::{Answered, Source, suggest};
use responder::reply::train;
use responder::reply::{Asks, Check, Kind, PointKind, Post, Rules, Severity, check};
use serde_json::Value;

on_each_store!(
    a_unit_has_a_draft_written_into_its_form_and_submits_it_itself,
    without_draft_help_the_form_offers_none,
);

fn rules() -> Rules {
    Rules::load(&project().join("deploy/config/region/rules")).unwrap()
}

fn checked(posts: &[Post], draft: &str) -> Check {
    let region = Region::load(&project().join("deploy/config/region/360921")).unwrap();
    let model = Model::shipped().unwrap();
    check(posts, draft, &unit_names(&region), &rules(), &model)
}

fn post(title: &str, text: &str) -> Post {
    Post {
        title: title.to_owned(),
        text: text.to_owned(),
    }
}

/// A street without light, a question and a demand.
fn street() -> Vec<Post> {
    vec![post(
        "城南新区文化路路灯不亮",
        "尊敬的领导：您好！城南新区文化路的路灯有半个月不亮了，晚上学生放学很危险。请问路灯什么时候能修好？\
         另外希望在小学门口增设一条斑马线。谢谢！",
    )]
}

const GOOD: &str = "您好！您反映的问题已收悉，现答复如下：一、关于文化路路灯不亮的问题。经查，文化路有12盏路灯因电缆被施工挖断停电，\
县住建局已要求施工单位于2026年12月5日前修好路灯。二、关于小学门口增设斑马线的问题。根据《江西省实施道路交通安全法办法》的规定，\
小学门口符合增设斑马线的条件，县公安局交警大队将于12月20日前划好。如有疑问，可拨打县住建局电话0795-4620000。感谢您的支持！2026年11月23日";

/// The kinds found, with the words.
fn found(check: &Check) -> Vec<(Kind, String)> {
    let words = |finding: &responder::reply::Finding| {
        finding
            .at
            .as_ref()
            .map_or(String::new(), |at| at.words.clone())
    };
    check
        .findings
        .iter()
        .map(|finding| (finding.kind, words(finding)))
        .collect()
}

fn has(check: &Check, kind: Kind, words: &str) -> bool {
    found(check).contains(&(kind, words.to_owned()))
}

#[test]
fn a_good_draft_goes_to_review_with_each_point_answered() {
    let check = checked(&street(), GOOD);
    let answers: Vec<(PointKind, &str)> = check
        .points
        .iter()
        .map(|point| {
            let answer = point.answer.as_ref().expect("an answer");
            (point.kind, answer.at.words.as_str())
        })
        .collect();
    assert_eq!(answers.len(), 3, "{:#?}", check.points);
    assert_eq!(answers[0].0, PointKind::Matter);
    assert_eq!(answers[1].0, PointKind::Question);
    assert!(answers[1].1.contains("12月5日前修好路灯"));
    assert_eq!(answers[2].0, PointKind::Demand);
    assert!(answers[2].1.contains("将于12月20日前划好"));
    assert_eq!(found(&check), []);
    assert!(check.may_go_to_review());
    assert_eq!(check.elements.len(), 7, "{:?}", check.elements);
}

#[test]
fn a_point_that_is_passed_over_is_named() {
    let draft = "您好！经查，文化路路灯因电缆被挖断停电，县住建局将于2026年12月5日前修好路灯。电话0795-4620000。谢谢您的反映。";
    let check = checked(&street(), draft);
    let missing: Vec<&str> = (check.findings.iter())
        .filter(|finding| finding.kind == Kind::Unanswered)
        .filter(|finding| finding.severity == Severity::Must)
        .map(|finding| check.points[finding.point.unwrap()].at.words.as_str())
        .collect();
    assert_eq!(missing, ["另外希望在小学门口增设一条斑马线。"]);
    assert!(!check.may_go_to_review());
}

#[test]
fn who_asks_when_wants_a_date() {
    let posts = [post("", "请问梅岭小区的天然气什么时候能通？")];
    let draft = "您好！经查，梅岭小区的天然气管道正由县住建局组织施工，通气要等管道验收。谢谢！";
    let check = checked(&posts, draft);
    assert_eq!(check.points[0].asks, Some(Asks::When));
    let finding = (check.findings.iter())
        .find(|finding| finding.kind == Kind::AskedOtherwise)
        .expect("a finding");
    assert!(
        finding.advice.ends_with("来信问的是时间。"),
        "{}",
        finding.advice
    );
    let dated = draft.replace("通气要等管道验收", "验收后于2026年12月底前通气");
    let kinds: Vec<Kind> = found(&checked(&posts, &dated))
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert!(!kinds.contains(&Kind::AskedOtherwise));
}

#[test]
fn numbered_points_of_several_posts_are_told_apart_and_repeats_are_one() {
    let posts = [
        post(
            "",
            "反映三件事：1、下水道堵塞污水漫到路上；2、小区门口垃圾没人清运；3、物业乱收停车费。",
        ),
        post("", "我们小区门口垃圾没人清运，还乱收装修押金。"),
    ];
    let check = checked(&posts, "");
    let words: Vec<&str> = check
        .points
        .iter()
        .map(|point| point.at.words.as_str())
        .collect();
    assert_eq!(words.len(), 4, "{words:?}");
    assert_eq!(words[0], "1、下水道堵塞污水漫到路上；");
    assert_eq!(words[3], "我们小区门口垃圾没人清运，还乱收装修押金。");
    let again = checked(&[posts[0].clone(), posts[0].clone()], "");
    assert_eq!(again.points.len(), 3);
}

#[test]
fn words_are_marked_where_they_stand() {
    let draft = "你好，张晓明先生，你不了解情况就投诉，属于无理取闹。您的手机13812345678和身份证360921199001011234我们已记下。";
    let check = checked(&street(), draft);
    for (kind, words) in [
        (Kind::Name, "张晓明先生"),
        (Kind::Blame, "不了解情况"),
        (Kind::Blame, "无理取闹"),
        (Kind::Personal, "13812345678"),
        (Kind::Personal, "360921199001011234"),
        (Kind::Address, "你"),
    ] {
        assert!(
            has(&check, kind, words),
            "{kind:?} {words} in {:?}",
            found(&check)
        );
    }
    let letters: Vec<char> = draft.chars().collect();
    for at in check
        .findings
        .iter()
        .filter_map(|finding| finding.at.as_ref())
    {
        let marked: String = letters[at.start..at.end].iter().collect();
        assert_eq!(marked, at.words);
    }
    let first = check.findings.first().unwrap();
    assert_eq!(first.severity, Severity::Must);
}

#[test]
fn office_lines_surnames_and_everyday_words_are_no_personal_data() {
    for draft in [
        "请拨打0795-4620000或12345热线。",
        "王先生您好，李某某先生反映的问题已办结。",
        "各位先生女士，网友先生您好，关于李先生反映的情况。",
        "来信请寄fx@jxfx.gov.cn。",
        "文号奉府办字〔2023〕36号，2026年11月23日。",
    ] {
        let check = checked(&street(), draft);
        let personal: Vec<_> = (found(&check).into_iter())
            .filter(|(kind, _)| matches!(kind, Kind::Personal | Kind::Name))
            .collect();
        assert_eq!(personal, [], "{draft}");
    }
    let check = checked(&street(), "举报人陈建所说不实。欧阳春梅女士已签字。");
    assert!(has(&check, Kind::Name, "陈建"));
    assert!(has(&check, Kind::Name, "欧阳春梅女士"));
}

#[test]
fn an_empty_phrase_alone_is_no_answer_and_beside_a_finding_is_only_marked() {
    for (draft, words) in [
        ("您好！您反映的问题正在核实。感谢您的支持！", "正在核实"),
        (
            "您好，您的问题已转交相关部门，请耐心等待。",
            "已转交相关部门",
        ),
    ] {
        let check = checked(&street(), draft);
        assert!(has(&check, Kind::OnlyEmpty, words), "{:?}", found(&check));
        assert!(!check.may_go_to_review());
        assert!(check.points.iter().all(|point| point.answer.is_none()));
    }
    let with_more = GOOD.replace("感谢您的支持", "其余情况正在核实，感谢您的支持");
    let check = checked(&street(), &with_more);
    assert_eq!(found(&check), [(Kind::Empty, "正在核实".to_owned())]);
    assert!(has(
        &checked(&street(), "收到。"),
        Kind::OnlyEmpty,
        "收到。"
    ));
}

#[test]
fn vague_words_officialese_and_long_sentences_are_shown_with_plain_ones() {
    let draft = format!(
        "您好！业已责成施工单位尽快整改。{}。谢谢！",
        "我们到现场看了路灯和电缆，".repeat(9)
    );
    let check = checked(&street(), &draft);
    assert!(has(&check, Kind::Vague, "尽快"));
    let plain = (check.findings.iter())
        .find(|finding| finding.at.as_ref().is_some_and(|at| at.words == "业已"))
        .expect("a finding");
    assert!(plain.advice.ends_with("“已经”"), "{}", plain.advice);
    assert_eq!(plain.severity, Severity::May);
    let kinds: Vec<Kind> = check.findings.iter().map(|finding| finding.kind).collect();
    assert!(kinds.contains(&Kind::LongSentence));
}

#[test]
fn the_date_it_is_signed_with_is_no_date_of_the_matter() {
    let check = checked(
        &street(),
        "您好！路灯由县住建局负责维修。谢谢！2026年11月23日",
    );
    let kinds: Vec<Kind> = check.findings.iter().map(|finding| finding.kind).collect();
    assert!(kinds.contains(&Kind::Date), "{kinds:?}");
    assert!(!kinds.contains(&Kind::Unit), "{kinds:?}");
}

#[test]
fn a_full_reply_is_likelier_to_be_marked_complete_and_explaining() {
    let full = checked(&street(), GOOD);
    let short = checked(&street(), "您好！您的建议我们将认真考虑。感谢您的支持！");
    assert!(
        full.complete > short.complete + 0.3,
        "{} {}",
        full.complete,
        short.complete
    );
    assert!(
        full.explains > short.explains + 0.3,
        "{} {}",
        full.explains,
        short.explains
    );
}

#[test]
fn odd_drafts_do_no_harm() {
    for draft in [
        "",
        "。。。",
        "？",
        "👍",
        "一、",
        "   \n",
        "《》",
        &"好".repeat(20_000),
    ] {
        let check = checked(&street(), draft);
        assert!((0.0..=1.0).contains(&check.complete), "{draft}");
    }
    assert_eq!(checked(&[], GOOD).points, []);
}

#[test]
fn a_file_of_rules_that_leaves_a_kind_out_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = project().join("deploy/config/region/rules/reply.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let without: String = (text.lines())
        .filter(|line| !line.starts_with("basis = "))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(folder.path().join("reply.toml"), without).unwrap();
    let error = Rules::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("`missing` says nothing of Basis"), "{error}");
}

#[test]
fn the_model_is_what_its_file_says() {
    let model = Model::shipped().unwrap();
    let again: Model = toml::from_str(&model.to_file()).unwrap();
    assert_eq!(again, model);
}

#[test]
fn the_same_replies_train_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("replies.jsonl");
    let mut rows = String::new();
    for number in 0..24 {
        let full = number % 2 == 0;
        let reply = if full {
            GOOD
        } else {
            "您好！您的建议我们将认真考虑。"
        };
        let row = serde_json::json!({
            "title": format!("第{number}村的路灯"), "text": "什么时候能修好？", "reply": format!("{reply}{number}"),
            "complete": if full { "1.0" } else { "0.0" }, "explains": if number < 20 { "1.0" } else { "" },
        });
        rows.push_str(&format!("{row}\n"));
    }
    std::fs::write(&data, rows).unwrap();
    let trained = |name: &str| {
        let arguments = train::Arguments {
            data: data.clone(),
            out: folder.path().join(name),
        };
        let mut said = Vec::new();
        train::run(&arguments, &rules(), &mut said).unwrap();
        let weights = std::fs::read_to_string(arguments.out).unwrap();
        (weights, String::from_utf8(said).unwrap())
    };
    let (weights, said) = trained("one.toml");
    assert_eq!((&weights, &said), (&trained("two.toml").0, &said));
    assert!(
        said.contains("complete: 24 marked, 12 of them yes"),
        "{said}"
    );
    let model: Model = toml::from_str(&weights).unwrap();
    assert!(model.complete.term[0].weight > 0.5, "{weights}");
    std::fs::write(&data, "{}\n").unwrap();
    let arguments = train::Arguments {
        data,
        out: folder.path().join("three.toml"),
    };
    let error = train::run(&arguments, &rules(), &mut Vec::new()).unwrap_err();
    assert!(
        format!("{error:#}").contains("replies.jsonl:1"),
        "{error:#}"
    );
}

fn entry(id: &str, question: &str, answer: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        region: "360921".to_owned(),
        content: Content {
            question: question.to_owned(),
            answer: answer.to_owned(),
            subject: "劳动和社会保障".to_owned(),
            unit: "yibao".to_owned(),
            basis: "《江西省城乡居民医保缴费通知》".to_owned(),
            source: String::new(),
        },
        status: Status::Approved,
        written_by: String::new(),
        written_at: Timestamp::UNIX_EPOCH,
        decided_by: String::new(),
        decided_at: None,
        version: 1,
    }
}

fn insurance() -> (Vec<Post>, Vec<Entry>, Vec<Answered>) {
    let posts = vec![post(
        "",
        "请问城乡居民医保什么时候截止缴费？另外文化路路灯不亮，希望尽快修好。",
    )];
    let knowledge = vec![
        entry(
            "k1",
            "城乡居民医保缴费什么时候截止？",
            "2027年度的缴费期到2026年12月31日止。",
        ),
        entry(
            "k2",
            "灵活就业人员怎样参加养老保险？",
            "带身份证到人社局窗口办理。",
        ),
    ];
    let cases = vec![Answered {
        case: "c7".to_owned(),
        matter: "文化路路灯不亮".to_owned(),
        reply: "经查为电缆故障，县住建局两天内修复。".to_owned(),
    }];
    (posts, knowledge, cases)
}

#[test]
fn what_is_known_is_suggested_for_its_point_with_its_source() {
    let (posts, knowledge, cases) = insurance();
    let points = checked(&posts, "").points;
    let suggestions = suggest(&points, &knowledge, &cases);
    let told: Vec<(usize, &Source)> = suggestions
        .iter()
        .map(|one| (one.point, &one.source))
        .collect();
    assert_eq!(
        told,
        [
            (0, &Source::Knowledge("k1".to_owned())),
            (1, &Source::Case("c7".to_owned())),
        ]
    );
    assert_eq!(suggestions[0].basis, "《江西省城乡居民医保缴费通知》");
    assert!(
        suggestions
            .iter()
            .all(|one| (0.25..=1.0).contains(&one.similarity))
    );
}

fn drafter(endpoint: &Endpoint) -> Drafter {
    Drafter::new(&endpoint.settings()).unwrap()
}

#[tokio::test]
async fn a_model_drafts_from_masked_posts_and_what_is_known() {
    let (mut posts, knowledge, cases) = insurance();
    posts[0].text.push_str("我的电话13812345678。");
    let points = checked(&posts, "").points;
    let suggestions = suggest(&points, &knowledge, &cases);
    let endpoint = Endpoint::saying("您好！医保缴费期到2026年12月31日止。").await;
    let drafted = drafter(&endpoint)
        .draft(&posts, &suggestions)
        .await
        .unwrap();
    assert_eq!(drafted.text, "您好！医保缴费期到2026年12月31日止。");
    assert_eq!(drafted.sources.len(), 2);
    assert_eq!(drafted.unsupported, []);
    let asked = endpoint.asked.lock().unwrap().clone();
    assert!(asked.contains("缴费期到2026年12月31日止"));
    assert!(asked.contains("138******78") && !asked.contains("13812345678"));
}

#[tokio::test]
async fn what_a_model_makes_up_is_marked_and_personal_numbers_are_masked() {
    let (posts, knowledge, cases) = insurance();
    let suggestions = suggest(&checked(&posts, "").points, &knowledge, &cases);
    let lies = "您好！依据《国务院特别医保令》，缴费期到2027年3月15日止，每人补贴800元，请拨打0795-7654321或13987654321。";
    let endpoint = Endpoint::saying(lies).await;
    let drafted = drafter(&endpoint)
        .draft(&posts, &suggestions)
        .await
        .unwrap();
    assert!(!drafted.text.contains("13987654321"));
    let marked: Vec<&str> = drafted
        .unsupported
        .iter()
        .map(|one| one.words.as_str())
        .collect();
    for lie in ["《国务院特别医保令》", "3月15日", "800元"] {
        assert!(marked.contains(&lie), "{lie} in {marked:?}");
    }
    assert!(
        marked.iter().any(|one| one.contains("0795-7654321")),
        "{marked:?}"
    );
}

#[tokio::test]
async fn a_model_that_is_late_broken_or_endless_leaves_the_officer_to_write() {
    let (posts, ..) = insurance();
    for (endpoint, expected) in [
        (Endpoint::start(Vec::new()).await, NoDraft::Failed),
        (
            Endpoint::answering("500 Internal Server Error", "{}").await,
            NoDraft::Failed,
        ),
        (
            Endpoint::answering("200 OK", "{\"choices\":[{\"mess").await,
            NoDraft::Refused,
        ),
        (
            Endpoint::answering("200 OK", "{\"choices\":[]}").await,
            NoDraft::Refused,
        ),
        (Endpoint::saying("  ").await, NoDraft::Refused),
        (
            Endpoint::saying(&"长".repeat(2_001)).await,
            NoDraft::Refused,
        ),
        (
            Endpoint::saying(&"长".repeat(100_000)).await,
            NoDraft::Refused,
        ),
    ] {
        let drafted = drafter(&endpoint).draft(&posts, &[]).await;
        assert_eq!(drafted, Err(expected));
    }
}

async fn a_unit_has_a_draft_written_into_its_form_and_submits_it_itself(kept: Kept) {
    let lies = "您好！依据《国务院特别令》已派人维修。联系电话：13987654321。";
    let endpoint = Endpoint::saying(lies).await;
    let office = office_with(kept, &Value::Null, Some(drafter(&endpoint))).await;
    let case = office.case("路灯不亮", "zhujian").await;
    office.dispatch(&case).await;
    let mut unit = office.person("housing").await;
    let (page, moves) = (format!("/cases/{case}"), format!("/cases/{case}/moves"));
    let version = unit.get(&page).await.hidden("version");
    unit.form(&moves, &[("action", "sign"), ("version", &version)])
        .await;
    let version = unit.get(&page).await.hidden("version");
    let asked = [
        ("action", "reply"),
        ("version", version.as_str()),
        ("note", "已到现场查看。"),
        ("draft", "1"),
    ];
    let drafted = unit.form(&moves, &asked).await;
    assert_eq!(drafted.status, 200);
    let filled = "已到现场查看。\n\n您好！依据《国务院特别令》已派人维修。联系电话：139******21。</textarea>";
    assert!(drafted.text.contains(filled), "{}", drafted.text);
    assert!(drafted.text.contains("<q>《国务院特别令》</q>"));
    assert!(drafted.text.contains("答复检查"));
    let state = "data-state=\"signed\"";
    assert!(
        unit.get(&page).await.text.contains(state),
        "a draft is no move"
    );

    // Who may see the case but not answer it asks in vain, and the service is not asked.
    let before = endpoint.asked.lock().unwrap().len();
    let mut officer = office.person("officer").await;
    assert_eq!(officer.form(&moves, &asked).await.status, 403);
    assert_eq!(endpoint.asked.lock().unwrap().len(), before);
    let mut other = office.person("health").await;
    assert_eq!(other.form(&moves, &asked).await.status, 404);
}

async fn without_draft_help_the_form_offers_none(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("路灯不亮", "zhujian").await;
    office.dispatch(&case).await;
    let mut unit = office.person("housing").await;
    let (page, moves) = (format!("/cases/{case}"), format!("/cases/{case}/moves"));
    let version = unit.get(&page).await.hidden("version");
    unit.form(&moves, &[("action", "sign"), ("version", &version)])
        .await;
    let shown = unit.get(&page).await;
    assert!(shown.text.contains("检查草稿") && !shown.text.contains("起草答复"));
    let asked = [("action", "reply"), ("version", "2"), ("draft", "1")];
    assert_eq!(unit.form(&moves, &asked).await.status, 404);
}
