//! The knowledge base: a question that is asked again and again, from the proposal to the page.

use std::path::Path;

use backbone::region::Region;
use jiff::Timestamp;
use responder::case::{Actor, Role};
use responder::knowledge::{
    Asked, Content, Knowledge, KnowledgeError, Query, Status, frequent, page,
};
use responder::likeness::Pairs;

use crate::stores::{self, Kept, on_each_store};

const REGION: &str = "360921";

fn region() -> Region {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config/region");
    Region::load(&config.join(REGION)).unwrap()
}

fn morning() -> Timestamp {
    "2026-11-23T00:30:00Z".parse().unwrap()
}

fn account(role: Role, unit: &str) -> Actor {
    Actor {
        name: format!("{}-{unit}", role.name()),
        role,
        region: if unit.is_empty() { "" } else { REGION }.to_owned(),
        unit: unit.to_owned(),
        via: String::new(),
    }
}

fn officer() -> Actor {
    account(Role::DutyOfficer, "")
}

fn insurer() -> Actor {
    account(Role::UnitLead, "yibao")
}

fn content(question: &str, answer: &str) -> Content {
    Content {
        question: question.to_owned(),
        answer: answer.to_owned(),
        subject: "劳动和社会保障".to_owned(),
        unit: "yibao".to_owned(),
        basis: String::new(),
        source: String::new(),
    }
}

fn deadline() -> Content {
    content(
        "城乡居民医保什么时候截止缴费？",
        "2027年度的缴费期到2026年12月31日止，可在手机上或到镇便民服务中心缴纳。",
    )
}

on_each_store!(
    a_question_is_proposed_approved_found_and_retired,
    only_its_unit_approves_it,
    what_changed_meanwhile_is_not_approved_unseen,
    what_is_missing_or_unknown_is_refused,
    the_right_answer_is_found_among_ten_thousand,
);

async fn a_question_is_proposed_approved_found_and_retired(kept: Kept) {
    let knowledge = Knowledge::new(kept.store.clone());
    let entry = knowledge
        .propose(&region(), &deadline(), &officer(), morning())
        .await
        .unwrap();
    let other = content("灵活就业人员怎样参加养老保险？", "带身份证到窗口办理。");
    knowledge
        .propose(&region(), &other, &officer(), morning())
        .await
        .unwrap();
    let again = knowledge
        .propose(&region(), &deadline(), &officer(), morning())
        .await;
    assert!(matches!(again, Err(KnowledgeError::Known)));

    let asked = "医保缴费截止到哪天";
    let approved = Some(Status::Approved);
    assert_eq!(
        knowledge.search(REGION, asked, approved, 5).await.unwrap(),
        []
    );
    knowledge
        .approve(&entry.id, 1, &insurer(), morning())
        .await
        .unwrap();
    let hits = knowledge.search(REGION, asked, approved, 5).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].entry.content, deadline());
    assert_eq!(hits[0].entry.decided_by, insurer().name);
    // By the words of the answer, too, but not in another county.
    assert_eq!(
        knowledge
            .search(REGION, "便民服务中心", approved, 5)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        knowledge.search("990000", asked, None, 5).await.unwrap(),
        []
    );
    assert_eq!(knowledge.search(REGION, "？", None, 5).await.unwrap(), []);

    knowledge
        .retire(&entry.id, 2, &officer(), morning())
        .await
        .unwrap();
    let left = knowledge.search(REGION, asked, None, 5).await.unwrap();
    assert!(left.iter().all(|hit| hit.entry.id != entry.id));
    let retired = Query {
        status: Some(Status::Retired),
        limit: 10,
        ..Query::default()
    };
    assert_eq!(knowledge.list(&retired).await.unwrap()[0].id, entry.id);
}

async fn only_its_unit_approves_it(kept: Kept) {
    let knowledge = Knowledge::new(kept.store.clone());
    let theirs = account(Role::UnitContact, "renshe");
    let foreign = knowledge
        .propose(&region(), &deadline(), &theirs, morning())
        .await;
    assert!(matches!(foreign, Err(KnowledgeError::NotAllowed(_))));
    let entry = knowledge
        .propose(&region(), &deadline(), &insurer(), morning())
        .await
        .unwrap();
    let mut personal = deadline();
    personal.answer.push_str("经办人手机13812345678。");
    let told = (knowledge.propose(&region(), &personal, &insurer(), morning())).await;
    assert!(matches!(told, Err(KnowledgeError::Personal("答复"))));
    for stranger in [theirs, officer(), account(Role::Auditor, "")] {
        let approved = knowledge.approve(&entry.id, 1, &stranger, morning()).await;
        assert!(matches!(approved, Err(KnowledgeError::NotAllowed(_))));
    }
    let retired = knowledge
        .retire(&entry.id, 1, &account(Role::Auditor, ""), morning())
        .await;
    assert!(matches!(retired, Err(KnowledgeError::NotAllowed(_))));
    let now = knowledge.get(&entry.id).await.unwrap().unwrap();
    assert_eq!((now.status, now.version), (Status::Proposed, 1));
}

async fn what_changed_meanwhile_is_not_approved_unseen(kept: Kept) {
    let knowledge = Knowledge::new(kept.store.clone());
    let entry = knowledge
        .propose(&region(), &deadline(), &officer(), morning())
        .await
        .unwrap();
    let mended = content("城乡居民医保缴费期到哪天？", "到2027年2月28日止。");
    knowledge
        .change(&region(), &entry.id, 1, &mended, &officer(), morning())
        .await
        .unwrap();
    let stale = knowledge.approve(&entry.id, 1, &insurer(), morning()).await;
    assert!(matches!(stale, Err(KnowledgeError::Stale)));
    knowledge
        .approve(&entry.id, 2, &insurer(), morning())
        .await
        .unwrap();
    let twice = knowledge.approve(&entry.id, 3, &insurer(), morning()).await;
    assert!(matches!(twice, Err(KnowledgeError::Stale)));

    // It is found by what it says now, and changed once more it must be approved again.
    let hits = knowledge.search(REGION, "手机上", None, 5).await.unwrap();
    assert_eq!(hits, []);
    knowledge
        .change(&region(), &entry.id, 3, &deadline(), &insurer(), morning())
        .await
        .unwrap();
    let now = knowledge.get(&entry.id).await.unwrap().unwrap();
    assert_eq!((now.status, now.decided_at), (Status::Proposed, None));
}

async fn what_is_missing_or_unknown_is_refused(kept: Kept) {
    let knowledge = Knowledge::new(kept.store.clone());
    let refused = async |content: Content| {
        knowledge
            .propose(&region(), &content, &officer(), morning())
            .await
            .unwrap_err()
            .to_string()
    };
    let empty = content(" ", "有");
    assert_eq!(refused(empty).await, "请填写问题，并控制在300字以内");
    let long = content("有", &"长".repeat(5_001));
    assert_eq!(refused(long).await, "请填写答复，并控制在5000字以内");
    let subject = Content {
        subject: "天文".to_owned(),
        ..deadline()
    };
    assert_eq!(refused(subject).await, "没有“天文”这个事项类别");
    let unit = Content {
        unit: "nobody".to_owned(),
        ..deadline()
    };
    assert_eq!(refused(unit).await, "没有这个单位：nobody");
}

async fn the_right_answer_is_found_among_ten_thousand(kept: Kept) {
    let knowledge = Knowledge::new(kept.store.clone());
    let things = [
        "医保",
        "社保",
        "低保",
        "户口",
        "驾照",
        "学位",
        "公租房",
        "营业执照",
        "宅基地",
        "退休金",
    ];
    let doings = [
        "怎么办理",
        "什么时候截止",
        "需要什么材料",
        "在哪里申请",
        "多少钱",
        "能不能代办",
        "多久办好",
        "怎样补办",
        "可以网上办吗",
        "谁来审批",
    ];
    let answer = "请携带身份证和户口簿到镇便民服务中心窗口办理，五个工作日内办结，咨询电话见公告。";
    let (mut entries, mut pairs) = (Vec::new(), Vec::new());
    for number in 0..10_000 {
        let thing = things[number % 10];
        let doing = doings[number / 10 % 10];
        let question = format!("第{number}村的人{thing}{doing}");
        entries.push(format!(
            "('k{number}', '{REGION}', '{question}', '{answer}', '民政', 'minzheng', '', '', 'approved', 'x', 0, 'x', 1, 1)"
        ));
        let mut all = Pairs::of(&question);
        all.add(answer);
        let of = |pair: &[char; 2]| {
            let pair: String = pair.iter().collect();
            format!("('{REGION}', '{pair}', 'k{number}', 1)")
        };
        pairs.extend(all.iter().map(of));
    }
    let mut transaction = kept.store.begin().await.unwrap();
    for (table, rows) in [("knowledge", entries), ("knowledge_pairs", pairs)] {
        for rows in rows.chunks(1_000) {
            let insert = format!("INSERT INTO {table} VALUES {}", rows.join(", "));
            sqlx::query(sqlx::AssertSqlSafe(insert))
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
    }
    sqlx::query(
        "INSERT INTO knowledge_pair_entries SELECT region, pair, COUNT(*) FROM knowledge_pairs GROUP BY region, pair",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    // A store that has grown over months knows how its rows are spread.
    sqlx::query("ANALYZE")
        .execute(kept.store.pool())
        .await
        .unwrap();
    for thing in things {
        for doing in doings {
            let asked = format!("请问{thing}{doing}，要不要带身份证");
            let hits = (knowledge.search(REGION, &asked, Some(Status::Approved), 10))
                .await
                .unwrap();
            let best = &hits[0].entry.content.question;
            assert!(
                best.ends_with(&format!("{thing}{doing}")),
                "{asked}: {best}"
            );
        }
    }
}

fn asked(case: &str, question: &str) -> Asked {
    Asked {
        question: question.to_owned(),
        reply: format!("{case}的答复"),
        subject: "劳动和社会保障".to_owned(),
        unit: "yibao".to_owned(),
        case: case.to_owned(),
    }
}

#[test]
fn what_is_asked_again_and_again_is_found() {
    let all = [
        asked("c1", "咨询城乡居民医保缴费截止时间"),
        asked("c2", "文化路什么时候通公交"),
        asked("c3", "城乡居民医保什么时候截止缴费"),
        asked("c4", "城乡居民医保缴费截止时间是哪天"),
        asked("c5", "小学报名需要什么材料"),
    ];
    let found = frequent(&all, 2);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].times, 3);
    assert_eq!(found[0].asked.case, "c4");
    assert_eq!(found[0].others, ["c1", "c3"]);
    assert_eq!(frequent(&all, 4), []);
    assert_eq!(frequent(&[], 1), []);
}

#[tokio::test]
async fn the_page_shows_what_was_approved_and_runs_nothing() {
    let kept = stores::sqlite().await;
    let knowledge = Knowledge::new(kept.store.clone());
    let tricky = content(
        "<script>alert(1)</script>怎么缴费？",
        "第一步：打开\"手机\"。\n第二步：<b>缴费</b>。",
    );
    for content in [tricky, deadline()] {
        let entry = knowledge
            .propose(&region(), &content, &officer(), morning())
            .await
            .unwrap();
        knowledge
            .approve(&entry.id, 1, &insurer(), morning())
            .await
            .unwrap();
    }
    let approved = Query {
        status: Some(Status::Approved),
        limit: 10,
        ..Query::default()
    };
    let page = page(
        &region(),
        &knowledge.list(&approved).await.unwrap(),
        morning(),
    )
    .unwrap();
    assert!(!page.contains("<script") && !page.contains("<b>缴费"));
    assert!(!page.contains("src=") && !page.contains("http"));
    assert!(page.contains("共2条，整理于2026年11月23日"));
    assert!(page.contains("县医疗保障局"), "{page}");
    let anchors = page.matches("href=\"#q-").count();
    assert_eq!((anchors, page.matches("<article id=\"q-").count()), (2, 2));
}
