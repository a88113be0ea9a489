//! What units promise in their replies, and that it is not forgotten.

use jiff::civil::{Date, Weekday, date};
use jiff::{SignedDuration, Timestamp};
use responder::case::{Actor, Role};
use responder::commitment::{
    Commitment, CommitmentError, Commitments, NewCommitment, Query, State, promises, take_broken,
    take_reminders,
};
use responder::store::Store;

use crate::stores::{Kept, on_each_store};

/// Monday.
const REPLIED: Date = date(2026, 11, 23);

fn weekdays(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The dates promised in a reply.
fn due(reply: &str) -> Vec<Date> {
    promises(reply, REPLIED, &weekdays)
        .into_iter()
        .map(|promise| promise.due)
        .collect()
}

#[test]
fn a_reply_says_until_when_something_will_be_done() {
    for (reply, expected) in [
        ("我局将于2026年12月20日前更换全部路灯。", date(2026, 12, 20)),
        ("计划12月底前完成路面修补。", date(2026, 12, 31)),
        ("预计明年3月建成通车。", date(2027, 3, 31)),
        ("预计3月开工。", date(2027, 3, 31)),
        ("我镇将在12月上旬组织清理河道。", date(2026, 12, 10)),
        ("将在15个工作日内给您书面答复。", date(2026, 12, 14)),
        ("将在三天内派人上门。", date(2026, 11, 26)),
        ("争取两个月内完成改造。", date(2027, 1, 23)),
        ("我局将在48小时内修复。", date(2026, 11, 25)),
        ("确保年底前通水。", date(2026, 12, 31)),
        ("力争明年底建成。", date(2027, 12, 31)),
        ("计划2027年上半年动工。", date(2027, 6, 30)),
        ("下月底前将安装到位。", date(2026, 12, 31)),
        ("本周内我们将再去现场。", date(2026, 11, 29)),
        ("力争元旦前完工。", date(2026, 12, 31)),
        ("将于五一前开放。", date(2027, 4, 30)),
        ("12月5日前，我局将完成清淤。", date(2026, 12, 5)),
        ("我局将抓紧施工，12月8日前完工。", date(2026, 12, 8)),
    ] {
        assert_eq!(due(reply), [expected], "{reply}");
    }
}

#[test]
fn what_was_done_or_is_asked_of_the_writer_is_no_promise() {
    for reply in [
        "我局已于11月20日到现场查看。",
        "请您于12月31日前到窗口缴费，逾期将产生滞纳金。",
        "2026年10月完成招标，目前正在施工。",
        "我局将加强管理，尽快解决。",
        "感谢您对我们工作的支持！2026年11月23日",
        "该路段将按规划建设。",
    ] {
        assert_eq!(due(reply), Vec::<Date>::new(), "{reply}");
    }
}

#[test]
fn one_sentence_is_one_promise_by_its_last_date_and_points_at_its_words() {
    let reply = "您好！我局已于11月20日派人查看，将于12月1日开工，12月20日前修好。道路划线计划在年底前完成。";
    let found = promises(reply, REPLIED, &weekdays);
    let due: Vec<Date> = found.iter().map(|promise| promise.due).collect();
    assert_eq!(due, [date(2026, 12, 20), date(2026, 12, 31)]);
    let first = &found[0];
    let letters: Vec<char> = reply.chars().collect();
    let marked: String = letters[first.start..first.end].iter().collect();
    assert_eq!(
        (marked.as_str(), first.words.as_str()),
        ("12月20日", "12月20日")
    );
    assert_eq!(found[1].what, "道路划线计划在年底前完成");
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn monday() -> Timestamp {
    at("2026-11-23T01:00:00Z")
}

fn account(role: Role, unit: &str) -> Actor {
    Actor {
        name: "li".to_owned(),
        role,
        region: if unit.is_empty() { "" } else { "360921" }.to_owned(),
        unit: unit.to_owned(),
        via: String::new(),
    }
}

fn officer() -> Actor {
    account(Role::DutyOfficer, "")
}

fn lamp(due: Date) -> NewCommitment {
    NewCommitment {
        case_id: "c1".to_owned(),
        region: "360921".to_owned(),
        what: "更换文化路的路灯".to_owned(),
        unit: "chengguan".to_owned(),
        due,
    }
}

async fn reminders(store: &Store, now: Timestamp) -> Vec<Commitment> {
    let mut transaction = store.begin().await.unwrap();
    let taken = take_reminders(&mut transaction, SignedDuration::from_hours(48), now)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    taken
}

async fn broken(store: &Store, now: Timestamp) -> Vec<Commitment> {
    let mut transaction = store.begin().await.unwrap();
    let taken = take_broken(&mut transaction, now).await.unwrap();
    transaction.commit().await.unwrap();
    taken
}

on_each_store!(
    a_promise_is_kept_with_proof,
    the_unit_is_reminded_once_and_a_broken_promise_escalates_once,
    two_responders_take_each_promise_once,
    a_withdrawn_promise_rings_no_more,
    only_the_unit_and_the_office_act,
);

async fn a_promise_is_kept_with_proof(kept: Kept) {
    let commitments = Commitments::new(kept.store.clone());
    let lamp = lamp(date(2026, 12, 20));
    let added = commitments.add(&lamp, &officer(), monday()).await.unwrap();
    assert_eq!(added.due(), date(2026, 12, 20));
    // Until the end of the day in China.
    assert_eq!(added.due_at, at("2026-12-20T16:00:00Z"));
    let again = commitments.add(&lamp, &officer(), monday()).await.unwrap();
    assert_eq!(again, added);

    let unit = account(Role::UnitContact, "chengguan");
    let missing = commitments.keep(&added.id, " ", "", &unit, monday()).await;
    assert!(matches!(missing, Err(CommitmentError::Field("兑现情况"))));
    let proof = "12月3日已更换36盏，现场照片见附件";
    commitments
        .keep(&added.id, proof, "a1", &unit, monday())
        .await
        .unwrap();
    let now = commitments.get(&added.id).await.unwrap().unwrap();
    assert_eq!((now.state, now.proof.as_str()), (State::Kept, proof));
    assert_eq!(
        (now.attachment.as_str(), now.ended_by.as_str()),
        ("a1", "li")
    );
    let twice = commitments
        .keep(&added.id, "又换了", "", &unit, monday())
        .await;
    assert!(matches!(twice, Err(CommitmentError::Ended)));
    assert_eq!(broken(&kept.store, at("2027-01-01T00:00:00Z")).await, []);
}

async fn the_unit_is_reminded_once_and_a_broken_promise_escalates_once(kept: Kept) {
    let commitments = Commitments::new(kept.store.clone());
    let added = commitments
        .add(&lamp(date(2026, 11, 27)), &officer(), monday())
        .await
        .unwrap();
    assert_eq!(reminders(&kept.store, monday()).await, []);
    let wednesday = at("2026-11-25T17:00:00Z");
    let taken = reminders(&kept.store, wednesday).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].reminded_at, Some(wednesday));
    assert_eq!(reminders(&kept.store, wednesday).await, []);

    let last_minute = at("2026-11-27T15:59:59Z");
    assert_eq!(broken(&kept.store, last_minute).await, []);
    let over = at("2026-11-27T16:00:00Z");
    let taken = broken(&kept.store, over).await;
    assert_eq!((taken.len(), taken[0].state), (1, State::Broken));
    assert_eq!(broken(&kept.store, over).await, []);

    // Late is better than never, and it stays known that it was late.
    let unit = account(Role::UnitLead, "chengguan");
    commitments
        .keep(
            &added.id,
            "12月1日换好",
            "",
            &unit,
            at("2026-12-01T00:00:00Z"),
        )
        .await
        .unwrap();
    let now = commitments.get(&added.id).await.unwrap().unwrap();
    assert_eq!((now.state, now.escalated_at), (State::Kept, Some(over)));
}

async fn two_responders_take_each_promise_once(kept: Kept) {
    let commitments = Commitments::new(kept.store.clone());
    for case in 0..20 {
        let promise = NewCommitment {
            case_id: format!("c{case}"),
            ..lamp(date(2026, 11, 24))
        };
        commitments
            .add(&promise, &officer(), monday())
            .await
            .unwrap();
    }
    let other = Store::open(&kept.place).await.unwrap();
    let over = at("2026-11-25T00:00:00Z");
    let (one, two) = tokio::join!(
        tokio::spawn({
            let store = kept.store.clone();
            async move { broken(&store, over).await }
        }),
        tokio::spawn(async move { broken(&other, over).await }),
    );
    let mut cases: Vec<String> = (one.unwrap().into_iter().chain(two.unwrap()))
        .map(|commitment| commitment.case_id)
        .collect();
    cases.sort();
    let taken = cases.len();
    cases.dedup();
    assert_eq!((taken, cases.len()), (20, 20));
}

async fn a_withdrawn_promise_rings_no_more(kept: Kept) {
    let commitments = Commitments::new(kept.store.clone());
    let added = commitments
        .add(&lamp(date(2026, 11, 24)), &officer(), monday())
        .await
        .unwrap();
    let silent = commitments
        .withdraw(&added.id, "", &officer(), monday())
        .await;
    assert!(matches!(silent, Err(CommitmentError::Field("撤回原因"))));
    commitments
        .withdraw(
            &added.id,
            "该路段已并入改造工程，另行承诺",
            &officer(),
            monday(),
        )
        .await
        .unwrap();
    assert_eq!(reminders(&kept.store, monday()).await, []);
    assert_eq!(broken(&kept.store, at("2026-12-01T00:00:00Z")).await, []);
    let open = Query {
        state: Some(State::Open),
        limit: 10,
        ..Query::default()
    };
    assert_eq!(commitments.list(&open).await.unwrap(), []);
}

async fn only_the_unit_and_the_office_act(kept: Kept) {
    let commitments = Commitments::new(kept.store.clone());
    let added = commitments
        .add(&lamp(date(2026, 11, 24)), &officer(), monday())
        .await
        .unwrap();
    for stranger in [
        account(Role::UnitLead, "shuili"),
        account(Role::Auditor, ""),
    ] {
        let kept = commitments
            .keep(&added.id, "换好了", "", &stranger, monday())
            .await;
        assert!(matches!(kept, Err(CommitmentError::NotFound)));
        let new = commitments
            .add(&lamp(date(2026, 12, 1)), &stranger, monday())
            .await;
        assert!(matches!(new, Err(CommitmentError::NotFound)));
    }
    let theirs = Query {
        unit: "chengguan".to_owned(),
        limit: 10,
        ..Query::default()
    };
    assert_eq!(commitments.list(&theirs).await.unwrap(), [added]);
}
