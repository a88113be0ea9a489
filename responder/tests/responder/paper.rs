//! Reports as papers of the office: made once whoever asks, worded with their numbers watched, signed by who did not word
//! them, unchanged from then on, and told once to each who is on a list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use crate::endpoint::Endpoint;
use crate::ground::project;
use crate::stores::{self, Kept, on_each_store};
use backbone::region::{Contact, ContactRole, Reach, Region};
use jiff::{SignedDuration, Timestamp};
use report::{Column, Document, Figures, Form, Table, Value};
use responder::account::{Accounts, Limits, NewUser};
use responder::case::{Actor, Cases, Role, Timing};
use responder::commitment::Commitments;
use responder::notify;
use responder::paper::edit::Edit;
use responder::paper::polish::{NoPolish, Polisher};
use responder::paper::schedule::{self, Schedule};
use responder::paper::{
    Action, Lists, Maker, Named, Paper, PaperError, Papers, Press, Query, State, asked,
};
use responder::report::{Kind, Made, Wanted};
use responder::routing::Routing;
use responder::trend::Period;
use sqlx::Row;
use url::Url;

on_each_store!(
    a_report_asked_for_twice_is_one_and_one_responder_makes_it,
    what_cannot_be_made_is_told_and_tried_again_while_that_may_help,
    a_changed_number_needs_a_reason_and_an_unknown_figure_is_named_with_its_line,
    what_is_signed_changes_no_more,
    of_two_who_sign_at_once_one_does,
    who_worded_it_does_not_sign_it_where_another_leader_may,
    each_role_does_what_is_its_own,
    who_is_on_a_list_is_told_once,
    a_draft_is_made_anew_from_fresh_data_and_a_signed_one_is_not,
    what_a_model_reworded_is_marked_for_who_signs,
);

const REGION: &str = "360921";
const TEXT: &str = "# 一、总体情况\n\n本周共收到帖文1,234件，其中投诉56件。\n\n![](table:subjects)\n\n全县平稳。\n";

fn monday() -> Timestamp {
    "2026-11-23T08:00:00+08:00".parse().unwrap()
}

fn later(minutes: i64) -> Timestamp {
    monday() + SignedDuration::from_mins(minutes)
}

fn actor(name: &str, role: Role) -> Actor {
    Actor {
        name: name.to_owned(),
        role,
        ..Actor::system()
    }
}

fn officer() -> &'static Actor {
    static OFFICER: LazyLock<Actor> = LazyLock::new(|| actor("officer", Role::DutyOfficer));
    &OFFICER
}

fn leader() -> &'static Actor {
    static LEADER: LazyLock<Actor> = LazyLock::new(|| actor("leader", Role::Leader));
    &LEADER
}

fn week() -> Wanted {
    Wanted::Weekly(Period {
        from: "2026-11-16".parse().unwrap(),
        to: "2026-11-22".parse().unwrap(),
    })
}

/// A report as it is made, of a text.
fn made(text: &str) -> Made {
    let table = Table {
        name: "subjects".to_owned(),
        title: "事项".to_owned(),
        columns: vec![
            Column {
                name: "事项".to_owned(),
                number: false,
            },
            Column {
                name: "件".to_owned(),
                number: true,
            },
        ],
        rows: vec![vec![
            Value::Text("城乡建设".to_owned()).into(),
            Value::Number {
                value: 56.0,
                digits: 0,
            }
            .into(),
        ]],
    };
    let figures = Figures {
        tables: vec![table],
        charts: Vec::new(),
    };
    Made {
        facts: serde_json::json!({ "posts": 1234 }),
        text: text.to_owned(),
        document: Document {
            title: "奉新县舆情周报".to_owned(),
            subtitle: "2026年11月16日至11月22日".to_owned(),
            head: None,
            issuer: "奉新县人民政府办公室".to_owned(),
            date: "2026-11-22".parse().unwrap(),
            blocks: report::markdown::read(text, &figures).unwrap(),
        },
        figures,
    }
}

/// Asks for the report of the week and makes it.
async fn drafted(papers: &Papers) -> Paper {
    let asked = (papers.ask(REGION, &week(), false, officer(), monday())).await;
    let id = asked.unwrap().id;
    make(papers, &id, TEXT, monday()).await;
    papers.get(&id).await.unwrap().unwrap()
}

async fn make(papers: &Papers, id: &str, text: &str, now: Timestamp) {
    let claimed = papers.claim(id, "one", now).await.unwrap().unwrap();
    papers.settle(&claimed, made(text), now).await.unwrap();
}

async fn submitted(papers: &Papers) -> Paper {
    let paper = drafted(papers).await;
    let submit = papers.perform(
        &paper.id,
        paper.version,
        Action::Submit,
        "",
        officer(),
        later(5),
    );
    submit.await.unwrap();
    papers.get(&paper.id).await.unwrap().unwrap()
}

fn press() -> Press {
    Press::new(Vec::new())
}

async fn signed(papers: &Papers) -> Paper {
    let paper = submitted(papers).await;
    (papers.approve(&paper.id, paper.version, &press(), leader(), later(9)))
        .await
        .unwrap();
    papers.get(&paper.id).await.unwrap().unwrap()
}

fn edit(text: &str, reason: &str) -> Edit {
    Edit {
        title: "奉新县舆情周报".to_owned(),
        number: String::new(),
        text: text.to_owned(),
        reason: reason.to_owned(),
        polished_by: String::new(),
    }
}

async fn a_report_asked_for_twice_is_one_and_one_responder_makes_it(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let (week, system) = (week(), Actor::system());
    let one = papers.ask(REGION, &week, false, officer(), monday());
    let other = papers.ask(REGION, &week, true, &system, monday());
    let (one, other) = futures::future::join(one, other).await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.id, other.id);
    assert_ne!(one.known, other.known);
    let id = one.id;

    let claims = futures::future::join(
        papers.claim(&id, "one", monday()),
        papers.claim(&id, "two", monday()),
    );
    let (first, second) = claims.await;
    let claimed = [first.unwrap(), second.unwrap()];
    assert_eq!(claimed.iter().flatten().count(), 1);
    let killed = claimed.into_iter().flatten().next().unwrap();
    assert!(papers.waiting(later(1)).await.unwrap().is_empty());

    // It did not come back: another takes it over, and what the first still brings is of no use.
    assert_eq!(papers.waiting(later(10)).await.unwrap(), [id.as_str()]);
    let relieved = papers
        .claim(&id, "three", later(10))
        .await
        .unwrap()
        .unwrap();
    papers
        .settle(&killed, made("# 旧\n"), later(11))
        .await
        .unwrap();
    assert_eq!(papers.get(&id).await.unwrap().unwrap().state, State::Making);
    papers
        .settle(&relieved, made(TEXT), later(11))
        .await
        .unwrap();
    let (paper, content) = papers.read(&id).await.unwrap().unwrap();
    assert!(matches!(paper.state, State::Draft | State::Submitted));
    assert_eq!(
        (content.text.as_str(), content.generated.as_str()),
        (TEXT, TEXT)
    );
    assert_eq!(content.facts, "{\"posts\":1234}");
    assert_eq!(paper.title, "奉新县舆情周报");
    let moves = papers.moves(&id).await.unwrap();
    let actions: Vec<Action> = moves.into_iter().map(|done| done.action).collect();
    assert_eq!(actions, [Action::Make, Action::Ask]);
}

async fn what_cannot_be_made_is_told_and_tried_again_while_that_may_help(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let id = (papers
        .ask(REGION, &week(), false, officer(), monday())
        .await
        .unwrap())
    .id;
    let claimed = papers.claim(&id, "one", monday()).await.unwrap().unwrap();
    papers
        .fail(&claimed, "舆情库没有应答", true, monday())
        .await
        .unwrap();
    let paper = papers.get(&id).await.unwrap().unwrap();
    assert_eq!(
        (paper.state, paper.problem.as_str()),
        (State::Making, "舆情库没有应答")
    );
    assert!(papers.waiting(monday()).await.unwrap().is_empty());
    let claimed = papers.claim(&id, "one", later(1)).await.unwrap().unwrap();
    papers
        .fail(&claimed, "模板有误", false, later(1))
        .await
        .unwrap();
    let paper = papers.get(&id).await.unwrap().unwrap();
    assert_eq!(paper.state, State::Failed);
    assert!(papers.waiting(later(1_000)).await.unwrap().is_empty());
    assert!(papers.read(&id).await.unwrap().is_none());
    let again = papers.perform(&id, paper.version, Action::Remake, "", officer(), later(2));
    again.await.unwrap();
    make(&papers, &id, TEXT, later(3)).await;
    let paper = papers.get(&id).await.unwrap().unwrap();
    assert_eq!((paper.state, paper.problem.as_str()), (State::Draft, ""));
}

async fn a_changed_number_needs_a_reason_and_an_unknown_figure_is_named_with_its_line(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let paper = drafted(&papers).await;
    let try_edit = |version: i64, typed: Edit| {
        let (papers, id) = (papers.clone(), paper.id.clone());
        async move { papers.edit(&id, version, &typed, officer(), later(1)).await }
    };
    let refused = |text: String| async move {
        let problem = try_edit(paper.version, edit(&text, "")).await.unwrap_err();
        problem.to_string()
    };
    let told = refused(TEXT.replace("56件", "65件")).await;
    assert!(told.contains("缺少56") && told.contains("多出65"), "{told}");
    let told = refused(TEXT.replace("1,234件", "若干件")).await;
    assert!(told.contains("缺少1234"), "{told}");
    let told = refused(TEXT.replace("table:subjects", "table:nothing")).await;
    assert!(
        told.contains("第5行") && told.contains("table:subjects"),
        "{told}"
    );
    let told = refused(format!("{TEXT}\n#### 四级标题\n")).await;
    assert!(told.contains("第9行"), "{told}");
    assert_eq!(refused(" ".to_owned()).await, "请填写正文");

    // Words may change as they like, with lines that end as a browser sends them.
    let worded = TEXT
        .replace("全县平稳", "全县总体平稳")
        .replace('\n', "\r\n");
    try_edit(paper.version, edit(&worded, "用不着的理由"))
        .await
        .unwrap();
    let (now, content) = papers.read(&paper.id).await.unwrap().unwrap();
    assert_eq!(content.text, TEXT.replace("全县平稳", "全县总体平稳"));
    assert_eq!(content.generated, TEXT);
    assert_eq!(
        (now.reason.as_str(), now.edited_by.as_str()),
        ("", "officer")
    );

    // On the version before nothing is kept, and with a reason a number may go.
    let stale = try_edit(paper.version, edit(TEXT, "")).await;
    assert!(matches!(stale, Err(PaperError::Stale)), "{stale:?}");
    let with_reason = edit(&TEXT.replace("56件", "57件"), "有一件重复，已核");
    try_edit(now.version, with_reason).await.unwrap();
    let now = papers.get(&paper.id).await.unwrap().unwrap();
    assert_eq!(now.reason, "有一件重复，已核");
    let moves = papers.moves(&paper.id).await.unwrap();
    assert_eq!(moves[0].note, "有一件重复，已核");
}

/// All that the store has of a paper.
async fn row(kept: &Kept, id: &str) -> Vec<String> {
    let of = "SELECT text, generated, facts, figures, cover, title, number, reason FROM papers WHERE id = $1";
    let row = sqlx::query(of)
        .bind(id)
        .fetch_one(kept.store.pool())
        .await
        .unwrap();
    (0..8).map(|column| row.get::<String, _>(column)).collect()
}

async fn files(papers: &Papers, id: &str) -> BTreeMap<String, (Vec<u8>, String)> {
    let mut files = BTreeMap::new();
    for kept in papers.kept(id).await.unwrap() {
        let file = papers
            .file(id, &kept.file, &press())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(file.sha256(), kept.sha256);
        assert_eq!(file.bytes.len() as u64, kept.size);
        files.insert(kept.file, (file.bytes, kept.sha256));
    }
    files
}

async fn what_is_signed_changes_no_more(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let draft = submitted(&papers).await;
    let before = (papers.file(&draft.id, "docx", &press()).await)
        .unwrap()
        .unwrap();
    (papers.approve(&draft.id, draft.version, &press(), leader(), later(9)))
        .await
        .unwrap();
    let paper = papers.get(&draft.id).await.unwrap().unwrap();
    assert_eq!(
        (paper.state, paper.approved_by.as_str()),
        (State::Approved, "leader")
    );
    let (whole, signed) = (row(&kept, &paper.id).await, files(&papers, &paper.id).await);
    let names: BTreeSet<&str> = signed.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        BTreeSet::from(["docx", "html", "pdf", "subjects.csv", "xlsx"])
    );
    assert_ne!(signed["docx"].0, before.bytes, "it has the day of signing");
    let html = String::from_utf8(signed["html"].0.clone()).unwrap();
    assert!(html.contains("2026年11月23日"), "{html}");

    let (id, version) = (paper.id.as_str(), paper.version);
    let edited = papers
        .edit(id, version, &edit("# 改\n", "改"), officer(), later(10))
        .await;
    assert!(matches!(edited, Err(PaperError::Stale)), "{edited:?}");
    for action in [
        Action::Remake,
        Action::Submit,
        Action::Return,
        Action::Withdraw,
    ] {
        let moved = papers
            .perform(id, version, action, "理由", leader(), later(10))
            .await;
        assert!(
            matches!(moved, Err(PaperError::Stale)),
            "{action:?} {moved:?}"
        );
    }
    let again = papers
        .approve(id, version, &press(), leader(), later(10))
        .await;
    assert!(matches!(again, Err(PaperError::Stale)), "{again:?}");
    assert!(papers.claim(id, "one", later(100)).await.unwrap().is_none());
    let asked = papers
        .ask(REGION, &week(), true, officer(), later(100))
        .await;
    assert!(asked.unwrap().known);
    assert_eq!(row(&kept, id).await, whole);
    assert_eq!(files(&papers, id).await, signed);

    // One whose bytes were changed behind its back is not given out.
    sqlx::query("UPDATE paper_files SET content = $1 WHERE paper = $2 AND file = 'pdf'")
        .bind(b"%PDF-forged".as_slice())
        .bind(id)
        .execute(kept.store.pool())
        .await
        .unwrap();
    assert!(papers.file(id, "pdf", &press()).await.is_err());
}

async fn of_two_who_sign_at_once_one_does(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let paper = submitted(&papers).await;
    let second = actor("second", Role::Leader);
    let (press, id, version) = (press(), paper.id.as_str(), paper.version);
    let both = futures::future::join(
        papers.approve(id, version, &press, leader(), later(9)),
        papers.approve(id, version, &press, &second, later(9)),
    );
    let (one, other) = both.await;
    assert_eq!(
        [&one, &other]
            .iter()
            .filter(|signed| signed.is_ok())
            .count(),
        1
    );
    let refused = [one, other].into_iter().find_map(Result::err).unwrap();
    assert!(
        matches!(refused, PaperError::Stale | PaperError::Store(_)),
        "{refused:?}"
    );
    assert_eq!(files(&papers, id).await.len(), 5);
    let moves = papers.moves(id).await.unwrap();
    assert_eq!(
        moves
            .iter()
            .filter(|done| done.action == Action::Approve)
            .count(),
        1
    );
}

async fn account(kept: &Kept, name: &str, role: Role) {
    let limits = Limits {
        absolute: SignedDuration::from_hours(12),
        idle: SignedDuration::from_hours(2),
    };
    let user = NewUser {
        name: name.to_owned(),
        display_name: name.to_owned(),
        role,
        region: String::new(),
        unit: String::new(),
        password: "a password for tests".to_owned(),
        must_change: false,
    };
    let accounts = Accounts::new(kept.store.clone(), limits);
    accounts.add(&user, monday()).await.unwrap();
}

async fn who_worded_it_does_not_sign_it_where_another_leader_may(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    account(&kept, "leader", Role::Leader).await;
    let paper = drafted(&papers).await;
    let worded = edit(&TEXT.replace("平稳", "稳定"), "");
    (papers
        .edit(&paper.id, paper.version, &worded, leader(), later(1))
        .await)
        .unwrap();
    let version = paper.version + 1;
    let submit = papers.perform(&paper.id, version, Action::Submit, "", officer(), later(2));
    submit.await.unwrap();

    account(&kept, "second", Role::Leader).await;
    let (press, version) = (press(), version + 1);
    let own = papers
        .approve(&paper.id, version, &press, leader(), later(3))
        .await;
    assert!(matches!(own, Err(PaperError::Own)), "{own:?}");
    // Who leads alone signs alone.
    sqlx::query("UPDATE users SET active = 0 WHERE name = 'second'")
        .execute(kept.store.pool())
        .await
        .unwrap();
    (papers
        .approve(&paper.id, version, &press, leader(), later(4))
        .await)
        .unwrap();
}

async fn each_role_does_what_is_its_own(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let paper = submitted(&papers).await;
    let (id, version, press) = (paper.id.as_str(), paper.version, press());
    for role in [Role::UnitLead, Role::UnitContact, Role::Auditor] {
        let stranger = actor("stranger", role);
        let asked = papers
            .ask(REGION, &week(), false, &stranger, later(6))
            .await;
        assert!(matches!(asked, Err(PaperError::NotAllowed)), "{asked:?}");
        let moved = papers
            .perform(id, version, Action::Withdraw, "", &stranger, later(6))
            .await;
        assert!(matches!(moved, Err(PaperError::NotAllowed)), "{moved:?}");
    }
    let signed = papers
        .approve(id, version, &press, officer(), later(6))
        .await;
    assert!(matches!(signed, Err(PaperError::NotAllowed)), "{signed:?}");
    let without = papers
        .perform(id, version, Action::Return, " ", leader(), later(6))
        .await;
    assert!(
        matches!(without, Err(PaperError::Missing(_))),
        "{without:?}"
    );
    let returned = papers.perform(
        id,
        version,
        Action::Return,
        "请补第二部分",
        leader(),
        later(6),
    );
    returned.await.unwrap();
    let paper = papers.get(id).await.unwrap().unwrap();
    assert_eq!(
        (paper.state, paper.returned.as_str()),
        (State::Draft, "请补第二部分")
    );
    let submit = papers.perform(id, paper.version, Action::Submit, "", officer(), later(7));
    submit.await.unwrap();
    let paper = papers.get(id).await.unwrap().unwrap();
    assert_eq!(paper.returned, "");
    let withdraw = papers.perform(id, paper.version, Action::Withdraw, "", officer(), later(8));
    withdraw.await.unwrap();

    let withdrawn = Query {
        region: REGION.to_owned(),
        kind: Some(Kind::Weekly),
        state: Some(State::Withdrawn),
        from: Some("2026-11-22".parse().unwrap()),
        to: Some("2026-12-31".parse().unwrap()),
        offset: 0,
        limit: 10,
    };
    let (found, total) = papers.list(&withdrawn).await.unwrap();
    assert_eq!((found.len(), total), (1, 1));
    let of_other_days = Query {
        from: Some("2026-11-23".parse().unwrap()),
        ..withdrawn
    };
    assert_eq!(papers.list(&of_other_days).await.unwrap().1, 0);
}

fn region() -> Region {
    let folder = project().join("deploy/config/region").join(REGION);
    let mut region = Region::load(&folder).unwrap();
    let unit = region
        .units
        .iter_mut()
        .find(|unit| unit.duty_office)
        .unwrap();
    unit.contact = ["分管领导", "值班室", "无渠道"]
        .map(|name| Contact {
            name: name.to_owned(),
            role: ContactRole::OfficeLeader,
            reach: if name == "无渠道" {
                Vec::new()
            } else {
                vec![Reach {
                    channel: "mail".to_owned(),
                    to: "office@county.example".to_owned(),
                }]
            },
        })
        .into();
    region
}

async fn who_is_on_a_list_is_told_once(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let lists = Lists::new(kept.store.clone());
    let region = region();
    let unit = region.units.iter().find(|unit| unit.duty_office).unwrap();
    let named = |contact: &str| Named {
        unit: unit.code.clone(),
        contact: contact.to_owned(),
    };
    let refused = lists
        .keep(&region, "空", &[named("没有的人")], officer(), monday())
        .await;
    assert!(
        matches!(refused, Err(PaperError::Missing(_))),
        "{refused:?}"
    );
    let not_by = lists
        .keep(&region, "领导", &[named("分管领导")], leader(), monday())
        .await;
    assert!(matches!(not_by, Err(PaperError::NotAllowed)), "{not_by:?}");
    for (name, on_it) in [
        ("领导", vec![named("分管领导"), named("无渠道")]),
        ("全体", vec![named("分管领导"), named("值班室")]),
        ("不通", vec![named("无渠道")]),
    ] {
        (lists.keep(&region, name, &on_it, officer(), monday()).await).unwrap();
    }
    let of_region = lists.of(REGION).await.unwrap();
    let list = |name: &str| of_region.iter().find(|list| list.name == name).unwrap();
    let url: Url = "https://wensheng.test/".parse().unwrap();
    let to_where = (&region, &url);

    let draft = submitted(&papers).await;
    let early = papers.send(
        &draft.id,
        draft.version,
        list("领导"),
        to_where,
        officer(),
        later(6),
    );
    assert!(matches!(early.await, Err(PaperError::Stale)));
    (papers
        .approve(&draft.id, draft.version, &press(), leader(), later(9))
        .await)
        .unwrap();
    let (id, version) = (draft.id.as_str(), draft.version + 1);
    let nobody = papers
        .send(id, version, list("不通"), to_where, officer(), later(10))
        .await;
    assert!(
        matches!(nobody, Err(PaperError::NobodyReached)),
        "{nobody:?}"
    );
    assert!(notify::of_case(&kept.store, id).await.unwrap().is_empty());

    // Two press the button at once: one does it, and nobody is told twice.
    let (one, other) = futures::future::join(
        papers.send(id, version, list("领导"), to_where, officer(), later(10)),
        papers.send(id, version, list("领导"), to_where, leader(), later(10)),
    )
    .await;
    assert_eq!(
        [one.is_ok(), other.is_ok()]
            .iter()
            .filter(|sent| **sent)
            .count(),
        1
    );
    let sent = papers.send(
        id,
        version + 1,
        list("全体"),
        to_where,
        officer(),
        later(11),
    );
    assert_eq!(sent.await.unwrap().reached, 2);
    let told = notify::of_case(&kept.store, id).await.unwrap();
    let mut names: Vec<&str> = told
        .iter()
        .map(|told| told.addressee.contact.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["值班室", "分管领导"]);
    let notify::Body::Paper(body) = &told[0].body else {
        panic!("{:?}", told[0].body);
    };
    assert_eq!(body.link, format!("https://wensheng.test/reports/{id}"));
    let paper = papers.get(id).await.unwrap().unwrap();
    assert_eq!(paper.state, State::Sent);
    (lists.delete(&list("不通").id, officer(), later(12)).await).unwrap();
    assert_eq!(lists.of(REGION).await.unwrap().len(), 2);
}

async fn a_draft_is_made_anew_from_fresh_data_and_a_signed_one_is_not(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let paper = drafted(&papers).await;
    let with_reason = edit(&TEXT.replace("56件", "57件"), "已核");
    (papers
        .edit(&paper.id, paper.version, &with_reason, officer(), later(1))
        .await)
        .unwrap();
    let remake = papers.perform(
        &paper.id,
        paper.version + 1,
        Action::Remake,
        "",
        officer(),
        later(2),
    );
    remake.await.unwrap();
    make(
        &papers,
        &paper.id,
        &TEXT.replace("1,234", "1,300"),
        later(3),
    )
    .await;
    let (now, content) = papers.read(&paper.id).await.unwrap().unwrap();
    assert_eq!(content.text, content.generated);
    assert!(content.text.contains("1,300件"));
    assert_eq!((now.reason.as_str(), now.edited_by.as_str()), ("", ""));

    let other = Papers::new(kept.store.clone());
    let signed = signed_again(&other, &now).await;
    let remake = other.perform(
        &signed.id,
        signed.version,
        Action::Remake,
        "",
        officer(),
        later(9),
    );
    assert!(matches!(remake.await, Err(PaperError::Stale)));
}

async fn signed_again(papers: &Papers, draft: &Paper) -> Paper {
    let submit = papers.perform(
        &draft.id,
        draft.version,
        Action::Submit,
        "",
        officer(),
        later(4),
    );
    submit.await.unwrap();
    let version = draft.version + 1;
    (papers
        .approve(&draft.id, version, &press(), leader(), later(5))
        .await)
        .unwrap();
    papers.get(&draft.id).await.unwrap().unwrap()
}

fn schedule_of(text: &str) -> Result<Schedule, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_due_is_about_the_days_that_ended_last() {
    let weekly = schedule_of("kind = \"weekly\"\ncron = \"0 8 * * 1\"").unwrap();
    let served = [REGION.to_owned(), "990101".to_owned()];
    let due = |now: &str| {
        let due = schedule::due(
            std::slice::from_ref(&weekly),
            served.iter(),
            now.parse().unwrap(),
        );
        let of: Vec<String> = (due.iter())
            .map(|due| format!("{} {}", due.region, due.wanted.period().to))
            .collect();
        of.join(" ")
    };
    for (now, expected) in [
        ("2026-11-23T07:59:59+08:00", "2026-11-15"),
        ("2026-11-23T08:00:00+08:00", "2026-11-22"),
        // It was down all Monday: on Wednesday it is still that week that is due.
        ("2026-11-25T12:00:00+08:00", "2026-11-22"),
        ("2026-11-29T23:59:59+08:00", "2026-11-22"),
    ] {
        assert_eq!(
            due(now),
            format!("{REGION} {expected} 990101 {expected}"),
            "{now}"
        );
    }
    let of_one = schedule_of(&format!(
        "kind = \"weekly\"\ncron = \"30 6 1 * *\"\nregions = [\"{REGION}\"]\nsubmit = true"
    ))
    .unwrap();
    let due = schedule::due(std::slice::from_ref(&of_one), served.iter(), monday());
    assert_eq!(due.len(), 1);
    assert!(due[0].submits);
    assert_eq!(due[0].wanted.period().to.to_string(), "2026-10-25");
    assert!(schedule::check(std::slice::from_ref(&of_one), served.iter()).is_empty());
    let told = schedule::check(&[weekly, of_one], served.iter().skip(1)).join("\n");
    assert!(
        told.contains("`reports[1].regions`") && told.contains(REGION),
        "{told}"
    );
}

#[test]
fn a_schedule_that_makes_no_sense_is_told_with_its_line() {
    for (text, told) in [
        (
            "kind = \"weekly\"\ncron = \"0 8 * *\"",
            ["line 2", "0 8 * * 1"],
        ),
        (
            "kind = \"weekly\"\ncron = \"0 25 * * 1\"",
            ["line 2", "no cron expression"],
        ),
        (
            "kind = \"weekly\"\ncron = \"0 8 30 2 *\"",
            ["line 2", "never"],
        ),
        (
            "kind = \"event\"\ncron = \"0 8 * * 1\"",
            ["line 1", "weekly"],
        ),
        (
            "kind = \"weekly\"\nwhen = \"0 8 * * 1\"",
            ["line 2", "when"],
        ),
    ] {
        let problem = schedule_of(text).unwrap_err();
        assert!(told.iter().all(|told| problem.contains(told)), "{problem}");
    }
    assert_eq!(asked::needs(Kind::Weekly).every, Some(asked::Every::Week));
}

/// Two responders, ClickHouse out of reach: one paper is asked for, and each tells that it is tried again.
#[tokio::test]
async fn two_responders_ask_for_one_scheduled_report() {
    let kept = stores::sqlite().await;
    let routing = Routing::load(&project().join("deploy/config/region").join(REGION)).unwrap();
    let routings = Arc::new(BTreeMap::from([(REGION.to_owned(), routing)]));
    let responder = |holder: &str| Maker {
        papers: Papers::new(kept.store.clone()),
        // Nobody listens there.
        archive: clickhouse::Client::default().with_url("http://127.0.0.1:9"),
        cases: Cases::new(kept.store.clone(), Timing::default()),
        commitments: Commitments::new(kept.store.clone()),
        routings: Arc::clone(&routings),
        public_url: "https://wensheng.test/".parse().unwrap(),
        schedules: vec![schedule_of("kind = \"weekly\"\ncron = \"0 8 * * 1\"").unwrap()],
        holder: holder.to_owned(),
    };
    let (one, two) = (responder("one"), responder("two"));
    let (first, second) = futures::future::join(one.look(monday()), two.look(monday())).await;
    first.unwrap();
    second.unwrap();
    let everything = Query {
        limit: 10,
        ..Query::default()
    };
    let (found, total) = one.papers.list(&everything).await.unwrap();
    assert_eq!(total, 1);
    assert_eq!(
        (found[0].state, found[0].asked_by.as_str()),
        (State::Making, "")
    );
    assert!(
        found[0].problem.contains("自动重试"),
        "{}",
        found[0].problem
    );
    // The next day it is still that one.
    two.look(later(24 * 60)).await.unwrap();
    assert_eq!(two.papers.list(&everything).await.unwrap().1, 1);
}

/// What is written is what the forms say.
#[tokio::test]
async fn a_signed_paper_is_written_in_every_form() {
    let kept = stores::sqlite().await;
    let papers = Papers::new(kept.store.clone());
    let paper = signed(&papers).await;
    let files = files(&papers, &paper.id).await;
    for form in Form::ALL.into_iter().filter(|form| *form != Form::Csv) {
        assert!(files.contains_key(form.name()), "{}", form.name());
    }
    assert!(files["pdf"].0.starts_with(b"%PDF-"));
    assert!(files["docx"].0.starts_with(b"PK"));
}

const PARAGRAPH: &str = "本周共收到帖文[1,234件](#1)，其中投诉56件，有人说“路灯不亮”。";

async fn polished(endpoint: &Endpoint) -> Result<String, NoPolish> {
    let polisher = Polisher::new(&endpoint.settings()).unwrap();
    polisher.polish(PARAGRAPH).await
}

#[tokio::test]
async fn a_model_rewords_a_paragraph_and_touches_no_fact() {
    let good = "本周收到帖文[1,234件](#1)，其中投诉类56件，有网民反映“路灯不亮”。";
    let endpoint = Endpoint::saying(good).await;
    assert_eq!(polished(&endpoint).await.as_deref(), Ok(good));
    let asked = endpoint.asked.lock().unwrap().clone();
    assert!(
        asked.contains("路灯不亮") && asked.contains("大模型"),
        "{asked}"
    );

    for (answer, expected) in [
        (good.replace("56", "65"), "数字"),
        (good.replace("#1", "#2"), "数字"),
        (good.replace("[1,234件](#1)", "1,234件"), "数字"),
        (good.replace("路灯不亮", "路灯坏了"), "引文"),
        (format!("{good}\n\n以上。"), "无法使用"),
        (String::new(), "无法使用"),
        (good.repeat(9), "无法使用"),
    ] {
        let none = polished(&Endpoint::saying(&answer).await)
            .await
            .unwrap_err();
        assert!(none.to_string().contains(expected), "{answer}: {none}");
    }
    let late = polished(&Endpoint::start(Vec::new()).await).await;
    assert_eq!(late, Err(NoPolish::Failed));
    let broken = Endpoint::answering("200 OK", "{\"choices\":[{\"mess").await;
    assert_eq!(polished(&broken).await, Err(NoPolish::Refused));
    let down = Endpoint::answering("503 Service Unavailable", "{}").await;
    assert_eq!(polished(&down).await, Err(NoPolish::Failed));

    // What tells of a person does not leave the house.
    let polisher = Polisher::new(&endpoint.settings()).unwrap();
    let before = endpoint.asked.lock().unwrap().len();
    let personal = polisher.polish("请拨打13812345678。").await;
    assert_eq!(personal, Err(NoPolish::Personal));
    assert_eq!(polisher.polish("# 标题").await, Err(NoPolish::Paragraph));
    assert_eq!(endpoint.asked.lock().unwrap().len(), before);
}

async fn what_a_model_reworded_is_marked_for_who_signs(kept: Kept) {
    let papers = Papers::new(kept.store.clone());
    let paper = drafted(&papers).await;
    let reworded = Edit {
        polished_by: "大模型".to_owned(),
        ..edit(&TEXT.replace("全县平稳", "全县总体平稳"), "")
    };
    (papers
        .edit(&paper.id, paper.version, &reworded, officer(), later(1))
        .await)
        .unwrap();
    let moves = papers.moves(&paper.id).await.unwrap();
    assert_eq!(
        (moves[0].action, moves[0].note.as_str()),
        (Action::Polish, "大模型")
    );
}
