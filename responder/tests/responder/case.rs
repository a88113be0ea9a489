//! A case from the alert to the answer, and what may not be done to it.

use std::sync::{Arc, Mutex};

use crate::office::{actor, alert, at, morning, office, routed};
use crate::stores::{Kept, on_each_store};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use backbone::message::Alert;
use jiff::SignedDuration;
use responder::case::{Action, Deed, MoveError, Refusal, Role, State, Taken};
use responder::metrics::Metrics;
use responder::notify::channel::Channel;
use responder::notify::{self, Carrier};

on_each_store!(
    a_matter_is_dispatched_signed_answered_and_closed,
    an_alert_delivered_again_changes_nothing_and_a_graver_one_raises_the_case,
    alerts_that_come_together_do_what_they_do_one_after_the_other,
    an_alert_brought_up_to_date_tells_the_case_more_and_disturbs_nobody,
    what_had_ended_is_judged_again_when_it_grows,
    a_case_that_an_officer_opened_is_told_by_the_alert_of_its_level_and_raised_by_a_graver_one,
    a_move_needs_the_role_the_state_the_version_and_its_note,
    a_dispatch_to_a_unit_that_does_not_exist_is_refused,
    units_are_told_once_even_when_their_webhook_fails_at_first,
    a_joint_case_waits_for_every_unit_before_it_is_answered,
    a_case_that_is_handed_back_three_times_goes_to_the_leader,
    two_cases_of_one_matter_are_handled_as_one_and_taken_apart_again,
    more_time_is_asked_for_and_given_and_clocks_stand_for_a_stated_reason_only,
    what_was_answered_badly_is_handled_again,
    files_are_taken_by_what_is_in_them,
);

async fn a_matter_is_dispatched_signed_answered_and_closed(kept: Kept) {
    let office = office(kept);
    let (officer, lead) = (
        actor(Role::DutyOfficer, ""),
        actor(Role::UnitLead, "zhujian"),
    );
    let town = actor(Role::UnitContact, "fengchuan");
    assert_eq!(office.take(3).await, Taken::Opened);
    assert_eq!(office.only().await.state, State::Pending);

    let case = office
        .act(&officer, Action::Dispatch, "请尽快核实")
        .await
        .unwrap();
    assert_eq!(
        case.sign_by(),
        Some(morning() + SignedDuration::from_hours(2)),
        "Ⅲ: two hours to sign"
    );
    assert_eq!(case.respond_by, morning() + SignedDuration::from_hours(48));
    for (who, action, note, state) in [
        (&lead, Action::Sign, "", State::Signed),
        (&lead, Action::Report, "已到现场", State::Handling),
        (&town, Action::Sign, "", State::Handling),
        (&town, Action::Report, "已协助", State::Handling),
        (
            &lead,
            Action::Reply,
            "经核实，已于今日修复。",
            State::Review,
        ),
        (
            &officer,
            Action::SendBack,
            "请写明依据和联系人",
            State::Handling,
        ),
        (
            &lead,
            Action::Reply,
            "经核实，已于今日修复，联系人王工。",
            State::Review,
        ),
        (&officer, Action::Approve, "", State::Answered),
        (&officer, Action::Close, "", State::Closed),
        (
            &officer,
            Action::FollowUp,
            "来信人表示满意",
            State::Followed,
        ),
    ] {
        let case = office.act(who, action, note).await.unwrap();
        assert_eq!(case.state, state, "{}", action.title());
    }

    let case = office.only().await;
    assert_eq!(case.reply, "经核实，已于今日修复，联系人王工。");
    let moves = office.cases.moves(&case.id).await.unwrap();
    let events = office.outbox().await;
    assert_eq!(moves.len(), 12);
    assert!(
        events.iter().map(|event| event.sequence).eq(1..=12),
        "one message per move, no gaps"
    );
    assert!(
        moves
            .iter()
            .zip(&events)
            .all(|(made, event)| made.action.name() == event.action)
    );
}

async fn an_alert_delivered_again_changes_nothing_and_a_graver_one_raises_the_case(kept: Kept) {
    let office = office(kept);
    assert_eq!(office.take(4).await, Taken::Opened);
    assert_eq!(office.take(4).await, Taken::Known);
    assert_eq!(office.only().await.version, 1);
    assert_eq!(office.take(2).await, Taken::Raised);
    assert_eq!(office.take(3).await, Taken::Known, "a late, milder alert");
    let case = office.only().await;
    assert_eq!((case.level, case.version), (2, 2));
    assert_eq!(case.respond_by, morning() + SignedDuration::from_hours(24));
    assert_eq!(
        case.first_information_by,
        Some(morning() + SignedDuration::from_hours(5))
    );
}

async fn alerts_that_come_together_do_what_they_do_one_after_the_other(kept: Kept) {
    let office = office(kept);
    let mut other = alert(4);
    "another event".clone_into(&mut other.event.id);
    other.id = backbone::id::of_alert(&other.event.id, 4);
    let mut newer = alert(2);
    newer.update = 1;
    newer.event.posts = 12;
    let matters = [alert(4), other, alert(4), alert(2), alert(3), newer];
    let routed = routed();
    let together: Vec<_> = matters.iter().map(|matter| (matter, &routed)).collect();
    let taken = office.cases.take_all(&together, morning()).await.unwrap();
    let opened = [Taken::Opened, Taken::Opened, Taken::Known];
    let rest = [Taken::Raised, Taken::Known, Taken::Updated];
    assert_eq!(taken, [opened, rest].concat());

    let id = backbone::id::of_case(&alert(4).event.id);
    let officer = actor(Role::DutyOfficer, "");
    let case = office.cases.get(&id, &officer).await.unwrap().unwrap();
    assert_eq!((case.level, case.version), (2, 2));
    assert_eq!(case.alert.event.posts, 12);
    let moves = office.cases.moves(&id).await.unwrap();
    assert!(moves.iter().map(|made| made.sequence).eq([1, 2]));
    let told = office.outbox().await;
    let told: Vec<_> = (told.iter().filter(|event| event.case == id))
        .map(|event| (event.sequence, event.level, event.from.as_str()))
        .collect();
    assert_eq!(told, [(1, 4, ""), (2, 2, "pending")]);

    let again = office.cases.take_all(&together, morning()).await.unwrap();
    assert!(again.iter().all(|taken| *taken == Taken::Known));
    assert_eq!(office.outbox().await.len(), 3);
}

async fn an_alert_brought_up_to_date_tells_the_case_more_and_disturbs_nobody(kept: Kept) {
    let office = office(kept);
    assert_eq!(office.take(4).await, Taken::Opened);
    let mut newer = alert(4);
    newer.update = 1;
    newer.event.posts = 12;
    let take = |alert: Alert| {
        let cases = office.cases.clone();
        async move { cases.take(&alert, &routed(), morning()).await.unwrap() }
    };
    assert_eq!(take(newer.clone()).await, Taken::Updated);
    assert_eq!(take(newer).await, Taken::Known);
    assert_eq!(office.take(4).await, Taken::Known, "the older one again");
    let case = office.only().await;
    assert_eq!((case.alert.event.posts, case.version), (12, 1));
    assert_eq!(office.outbox().await.len(), 1, "no move, no case event");
}

async fn what_had_ended_is_judged_again_when_it_grows(kept: Kept) {
    let office = office(kept);
    office.take(4).await;
    office
        .act(&actor(Role::DutyOfficer, ""), Action::Dismiss, "与本县无关")
        .await
        .unwrap();
    assert_eq!(office.take(3).await, Taken::Raised);
    assert_eq!(office.only().await.state, State::Pending);
}

async fn a_case_that_an_officer_opened_is_told_by_the_alert_of_its_level_and_raised_by_a_graver_one(
    kept: Kept,
) {
    let office = office(kept);
    let officer = actor(Role::DutyOfficer, "");
    let mut known = alert(4);
    known.event.posts = 1;
    known.terms.clear();
    let open = || async {
        let note = "来信人已两次来电";
        let cases = &office.cases;
        (cases
            .open_for(&known, &routed(), &officer, note, morning())
            .await)
            .unwrap()
    };
    assert!(open().await);
    assert!(!open().await, "there is one already");
    let case = office.only().await;
    assert_eq!((case.state, case.level), (State::Pending, 4));
    let moves = office.cases.moves(&case.id).await.unwrap();
    assert_eq!(moves[0].actor, officer.name);
    assert_eq!(moves[0].note, "来信人已两次来电");

    assert_eq!(office.take(4).await, Taken::Updated, "now more is known");
    let case = office.only().await;
    assert_eq!(case.alert.event.posts, alert(4).event.posts);
    assert_eq!(case.version, 1);
    assert_eq!(office.take(2).await, Taken::Raised);
}

async fn a_move_needs_the_role_the_state_the_version_and_its_note(kept: Kept) {
    let office = office(kept);
    let (officer, lead) = (
        actor(Role::DutyOfficer, ""),
        actor(Role::UnitLead, "zhujian"),
    );
    office.take(2).await;
    assert!(
        matches!(
            office.act(&lead, Action::Sign, "").await,
            Err(MoveError::NotFound)
        ),
        "not dispatched yet"
    );
    assert!(matches!(
        office.act(&officer, Action::Close, "").await,
        Err(MoveError::Refused(_))
    ));
    assert!(matches!(
        office.act(&officer, Action::Dismiss, " ").await,
        Err(MoveError::NoteMissing("误报理由"))
    ));
    office.act(&officer, Action::Dispatch, "").await.unwrap();
    let assisting = actor(Role::UnitLead, "fengchuan");
    assert!(
        matches!(
            office
                .act(&assisting, Action::AskExtension, "人手不足")
                .await,
            Err(MoveError::Refused(_))
        ),
        "for the lead to ask"
    );
    let contact = actor(Role::UnitContact, "zhujian");
    assert!(
        matches!(
            office.act(&contact, Action::Return, "不属于本单位").await,
            Err(MoveError::Refused(_))
        ),
        "handing back is for the unit's lead"
    );
    let auditor = actor(Role::Auditor, "");
    assert!(auditor.sees(&office.only().await));
    let stranger = actor(Role::UnitLead, "jiaoti");
    assert!(matches!(
        office.act(&stranger, Action::Sign, "").await,
        Err(MoveError::NotFound)
    ));

    let case = office.only().await;
    let stale = Deed::plain(Action::Sign, case.version - 1, "");
    let refused = office
        .cases
        .perform(&case.id, &stale, &lead, &office.notices, morning())
        .await;
    assert!(matches!(refused, Err(MoveError::Stale)));

    office.act(&contact, Action::Sign, "").await.unwrap();
    office
        .act(&contact, Action::Report, "已到现场")
        .await
        .unwrap();
    assert!(matches!(
        office.act(&contact, Action::Reply, "答复").await,
        Err(MoveError::Refused(_))
    ));
    for action in Action::ALL {
        assert!(
            matches!(
                office.act(&auditor, action, "看看").await,
                Err(MoveError::Refused(_))
            ),
            "the auditor moves nothing, not by {}",
            action.name()
        );
    }
    office
        .act(&assisting, Action::Return, "与本镇无关")
        .await
        .unwrap();
    office.act(&lead, Action::Reply, "答复").await.unwrap();
    assert!(
        matches!(
            office.act(&officer, Action::Approve, "").await,
            Err(MoveError::Refused(_))
        ),
        "a reply to Ⅱ is for the leader to approve"
    );
    office
        .act(&actor(Role::Leader, ""), Action::Approve, "")
        .await
        .unwrap();
}

async fn a_dispatch_to_a_unit_that_does_not_exist_is_refused(kept: Kept) {
    let office = office(kept);
    office.take(4).await;
    let case = office.only().await;
    let mut deed = Deed::plain(Action::Dispatch, case.version, "");
    "nobody".clone_into(&mut deed.lead);
    let officer = actor(Role::DutyOfficer, "");
    let refused = office
        .cases
        .perform(&case.id, &deed, &officer, &office.notices, morning())
        .await;
    assert!(matches!(refused, Err(MoveError::UnknownUnit(unit)) if unit == "nobody"));
    assert_eq!(office.outbox().await.len(), 1, "nothing was written");
}

async fn units_are_told_once_even_when_their_webhook_fails_at_first(kept: Kept) {
    let office = office(kept);
    office.take(3).await;
    office
        .act(&actor(Role::DutyOfficer, ""), Action::Dispatch, "")
        .await
        .unwrap();

    let taken: Arc<Mutex<Vec<notify::CaseBody>>> = Arc::default();
    let answers = Arc::new(Mutex::new(vec![StatusCode::SERVICE_UNAVAILABLE]));
    let (seen, next) = (Arc::clone(&taken), Arc::clone(&answers));
    let receiver = Router::new().route(
        "/notices",
        post(
            move |headers: HeaderMap, Json(body): Json<notify::CaseBody>| async move {
                assert_eq!(headers.get("idempotency-key").unwrap(), body.id.as_str());
                if let Some(status) = next.lock().unwrap().pop() {
                    return status;
                }
                seen.lock().unwrap().push(body);
                StatusCode::NO_CONTENT
            },
        ),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notices", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    let channel: Channel = serde_json::from_value(
        serde_json::json!({ "name": "phone", "kind": "webhook", "url": url }),
    )
    .unwrap();
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let carrier = Carrier::new(
        office.kept.store.clone(),
        &[channel],
        &"http://127.0.0.1:8080/".parse().unwrap(),
        metrics,
    )
    .unwrap();

    carrier.carry_due(morning()).await.unwrap();
    assert_eq!(taken.lock().unwrap().len(), 1, "one of two was refused");
    carrier
        .carry_due(morning() + SignedDuration::from_secs(3))
        .await
        .unwrap();
    assert_eq!(taken.lock().unwrap().len(), 1, "not before its time");
    carrier
        .carry_due(morning() + SignedDuration::from_secs(7))
        .await
        .unwrap();
    carrier
        .carry_due(morning() + SignedDuration::from_hours(9))
        .await
        .unwrap();
    let taken: Vec<_> = std::mem::take(&mut taken.lock().unwrap());
    let mut units: Vec<(&str, bool)> = taken
        .iter()
        .map(|body| (body.unit.as_str(), body.lead))
        .collect();
    units.sort_unstable();
    assert_eq!(units, [("fengchuan", false), ("zhujian", true)]);
    let case = office.only().await;
    assert!(
        taken
            .iter()
            .all(|body| body.link.ends_with(&format!("/cases/{}", case.id)))
    );
    let log = notify::of_case(&office.kept.store, &case.id).await.unwrap();
    assert!(log.iter().all(|notice| notice.state == notify::State::Sent));
}

async fn a_joint_case_waits_for_every_unit_before_it_is_answered(kept: Kept) {
    let office = office(kept);
    let officer = actor(Role::DutyOfficer, "");
    let (lead, town) = (
        actor(Role::UnitLead, "zhujian"),
        actor(Role::UnitContact, "fengchuan"),
    );
    office.take(3).await;
    let case = office.act(&officer, Action::Dispatch, "").await.unwrap();
    assert!(
        case.parts.iter().all(|part| part.sign_by.is_some()),
        "each unit signs"
    );
    let case = office.act(&town, Action::Sign, "").await.unwrap();
    assert_eq!(case.state, State::Dispatched, "the lead has not signed yet");
    office.act(&lead, Action::Sign, "").await.unwrap();
    office
        .act(&lead, Action::Report, "已现场核查")
        .await
        .unwrap();
    let refused = office.act(&lead, Action::Reply, "已修复。").await;
    assert!(
        matches!(refused, Err(MoveError::Refused(Refusal::Guard(why))) if why.contains("协办单位"))
    );
    office.act(&town, Action::Report, "已劝导").await.unwrap();
    let case = office.act(&lead, Action::Reply, "已修复。").await.unwrap();
    assert_eq!(case.state, State::Review);
    assert_eq!(
        case.review_by,
        Some(at("2026-11-23T15:00:00+08:00")),
        "four hours of work: half past eight to twelve, half past two to three"
    );
    let moves = office.cases.moves(&case.id).await.unwrap();
    assert!(
        moves
            .iter()
            .any(|made| made.unit == "fengchuan" && made.note == "已劝导")
    );
}

async fn a_case_that_is_handed_back_three_times_goes_to_the_leader(kept: Kept) {
    let office = office(kept);
    let officer = actor(Role::DutyOfficer, "");
    office.take(3).await;
    for (unit, next) in [
        ("zhujian", "jiaoti"),
        ("jiaoti", "weijian"),
        ("weijian", ""),
    ] {
        let case = office.act(&officer, Action::Dispatch, "").await.unwrap();
        assert_eq!(case.lead(), unit);
        let mut deed = Deed::plain(Action::Return, case.version, "不属于本单位职责");
        next.clone_into(&mut deed.lead);
        let unit = actor(Role::UnitLead, unit);
        let case = (office
            .cases
            .perform(&case.id, &deed, &unit, &office.notices, morning()))
        .await
        .unwrap();
        assert_eq!(case.state, State::Pending);
        if !next.is_empty() {
            assert_eq!(case.lead(), next, "the proposal of who handed it back");
            assert!(case.part(&unit.unit).is_none());
        }
    }
    assert_eq!(office.only().await.hand_backs, 3);
    let refused = office.act(&officer, Action::Dispatch, "").await;
    assert!(
        matches!(refused, Err(MoveError::Refused(Refusal::Guard(why))) if why.contains("分管领导"))
    );
    let leader = actor(Role::Leader, "");
    office
        .act(&leader, Action::Dispatch, "由卫健委办理")
        .await
        .unwrap();
}

async fn two_cases_of_one_matter_are_handled_as_one_and_taken_apart_again(kept: Kept) {
    let office = office(kept);
    let officer = actor(Role::DutyOfficer, "");
    office.take(4).await;
    let first = office.act(&officer, Action::Dispatch, "").await.unwrap();
    let mut other = alert(3);
    "other".clone_into(&mut other.event.id);
    "other-3".clone_into(&mut other.id);
    let mut units = routed();
    units.assists = vec!["jiaoti".to_owned()];
    office.cases.take(&other, &units, morning()).await.unwrap();
    let second = backbone::id::of_case("other");

    let act = |case: String, action, into: String| {
        let (office, officer) = (&office, &officer);
        async move {
            let known = office.cases.get(&case, officer).await.unwrap().unwrap();
            let mut deed = Deed::plain(action, known.version, "同一事项");
            deed.into = into;
            let cases = &office.cases;
            cases
                .perform(&case, &deed, officer, &office.notices, morning())
                .await
        }
    };
    let itself = act(second.clone(), Action::Merge, second.clone()).await;
    assert!(matches!(itself, Err(MoveError::MergeInto(_))));
    let merged = act(second.clone(), Action::Merge, first.id.clone())
        .await
        .unwrap();
    assert_eq!(
        (merged.state, &merged.merged_into),
        (State::Merged, &first.id)
    );
    assert_eq!(merged.clocks(), [], "its clocks have stopped");
    let host = office
        .cases
        .get(&first.id, &officer)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(host.level, 3, "the graver of the two");
    assert!(
        host.part("jiaoti")
            .is_some_and(|part| part.sign_by.is_some())
    );

    // A graver alert of the merged event raises the case that handles it.
    other.level = 2;
    "other-2".clone_into(&mut other.id);
    assert_eq!(
        office.cases.take(&other, &units, morning()).await.unwrap(),
        Taken::Raised
    );
    let host = office
        .cases
        .get(&first.id, &officer)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(host.level, 2);

    let apart = act(second.clone(), Action::Split, String::new())
        .await
        .unwrap();
    assert_eq!(
        (apart.state, apart.merged_into.as_str()),
        (State::Pending, "")
    );
    assert_eq!(apart.level, 2);
    let actions: Vec<Action> = (office.cases.moves(&first.id).await.unwrap().iter())
        .map(|made| made.action)
        .collect();
    assert_eq!(
        actions,
        [
            Action::Open,
            Action::Dispatch,
            Action::Absorb,
            Action::Raise,
            Action::Release
        ]
    );
}

async fn more_time_is_asked_for_and_given_and_clocks_stand_for_a_stated_reason_only(kept: Kept) {
    let office = office(kept);
    let (officer, lead) = (
        actor(Role::DutyOfficer, ""),
        actor(Role::UnitLead, "zhujian"),
    );
    office.take(3).await;
    office.act(&officer, Action::Dispatch, "").await.unwrap();
    office.act(&lead, Action::Sign, "").await.unwrap();
    let case = office
        .act(&lead, Action::AskExtension, "需等配件到货")
        .await
        .unwrap();
    assert_eq!(case.extension_by, Some(at("2026-11-23T15:00:00+08:00")));
    assert!(
        office
            .act(&lead, Action::AskExtension, "再问一次")
            .await
            .is_err()
    );
    let due = case.respond_by;
    let case = office.act(&officer, Action::Extend, "同意").await.unwrap();
    assert_eq!(
        (case.extension_by, case.respond_by),
        (None, due + SignedDuration::from_hours(24))
    );

    let mut pause = Deed::plain(Action::Pause, case.version, "水质送检");
    "想休息一下".clone_into(&mut pause.choice);
    let perform = |deed: Deed, now| {
        let (office, officer, id) = (&office, &officer, case.id.clone());
        async move {
            (office.cases)
                .perform(&id, &deed, officer, &office.notices, now)
                .await
        }
    };
    assert!(matches!(
        perform(pause.clone(), morning()).await,
        Err(MoveError::Choice(_))
    ));
    "等待检测鉴定结果".clone_into(&mut pause.choice);
    let paused = perform(pause, morning()).await.unwrap();
    assert_eq!(paused.clocks(), []);
    assert!(!paused.overdue(morning() + SignedDuration::from_hours(1_000)));
    // A unit that reports meanwhile does not end it.
    let report = Deed::plain(Action::Report, paused.version, "水样已送检");
    let reported = (office.cases)
        .perform(&case.id, &report, &lead, &office.notices, morning())
        .await
        .unwrap();
    assert_eq!(reported.paused_at, paused.paused_at);
    let resume = Deed::plain(Action::Resume, reported.version, "");
    let later = morning() + SignedDuration::from_hours(30);
    let resumed = perform(resume, later).await.unwrap();
    assert_eq!(
        resumed.respond_by,
        case.respond_by + SignedDuration::from_hours(30),
        "by as long as they stood"
    );
}

async fn what_was_answered_badly_is_handled_again(kept: Kept) {
    let office = office(kept);
    let (officer, lead) = (
        actor(Role::DutyOfficer, ""),
        actor(Role::UnitLead, "zhujian"),
    );
    office.take(3).await;
    let case = office.act(&officer, Action::Dispatch, "").await.unwrap();
    let mut alone = Deed::plain(Action::Redispatch, case.version, "镇里不需协办");
    "zhujian".clone_into(&mut alone.lead);
    (office
        .cases
        .perform(&case.id, &alone, &officer, &office.notices, morning()))
    .await
    .unwrap();
    for (who, action, note) in [
        (&lead, Action::Sign, ""),
        (&lead, Action::Reply, "已修复。"),
        (&officer, Action::Approve, ""),
        (&officer, Action::Close, ""),
    ] {
        office.act(who, action, note).await.unwrap();
    }
    let case = office.only().await;
    assert_eq!(
        case.follow_up_by,
        Some(at("2026-11-30T17:30:00+08:00")),
        "five workdays"
    );
    let case = office
        .act(&officer, Action::FollowUp, "路灯又坏了")
        .await
        .unwrap();
    assert_eq!(
        (case.satisfaction.as_str(), case.follow_up_by),
        ("满意", None)
    );
    let case = office
        .act(&officer, Action::Reopen, "问题复现")
        .await
        .unwrap();
    assert_eq!((case.state, case.answered_at), (State::Pending, None));
    assert_eq!(case.respond_by, morning() + SignedDuration::from_hours(48));
}

async fn files_are_taken_by_what_is_in_them(kept: Kept) {
    use responder::case::{AttachmentError, LARGEST, NewAttachment};

    let office = office(kept);
    let officer = actor(Role::DutyOfficer, "");
    office.take(3).await;
    let case = office.only().await.id;
    let png = b"\x89PNG\r\n\x1a\n0000".to_vec();
    let attach = |name: &str, content: Vec<u8>| {
        let file = NewAttachment {
            name: name.to_owned(),
            content,
        };
        let (office, officer, case) = (&office, &officer, &case);
        async move {
            (office.cases)
                .attach(case, &file, officer, &office.notices, morning())
                .await
        }
    };
    let page = b"<html><script>alert(1)</script>".to_vec();
    assert!(matches!(
        attach("现场.png", page).await,
        Err(AttachmentError::Kind)
    ));
    assert!(matches!(
        attach("现场.exe", png.clone()).await,
        Err(AttachmentError::Kind)
    ));
    assert!(matches!(
        attach("空.png", Vec::new()).await,
        Err(AttachmentError::Empty)
    ));
    let mut large = png.clone();
    large.resize(LARGEST + 1, 0);
    assert!(matches!(
        attach("大.png", large).await,
        Err(AttachmentError::TooLarge)
    ));

    let changed = attach("C:\\照片\\现场.png", png.clone()).await.unwrap();
    let again = attach("现场.png", png.clone()).await.unwrap();
    assert_eq!(again, changed, "the same file again");
    let files = office.cases.attachments(&case).await.unwrap();
    assert_eq!((files.len(), files[0].name.as_str()), (1, "现场.png"));
    let (_, content) = (office.cases.attachment(&case, &files[0].id).await.unwrap()).unwrap();
    assert_eq!(content, png);
    assert_eq!(
        office
            .cases
            .attachment("another", &files[0].id)
            .await
            .unwrap(),
        None
    );
}
