//! A case from the alert to the answer, and what may not be done to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use backbone::message::{self, Alert, CaseEvent};
use backbone::region::Region;
use jiff::{SignedDuration, Timestamp};
use responder::case::{Action, Actor, Case, Cases, Deed, MoveError, Query, Role, State, Taken};
use responder::deadline::Deadlines;
use responder::metrics::Metrics;
use responder::notify::webhook::Carrier;
use responder::notify::{self, Composer};
use responder::routing::Routed;
use responder::settings::Channel;
use sqlx::Row;

mod stores;
use stores::{Kept, on_each_store};

const REGION: &str = "360921";

struct Office {
    cases: Cases,
    kept: Kept,
    notices: Composer,
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn morning() -> Timestamp {
    at("2026-11-23T00:30:00Z")
}

fn office(kept: Kept) -> Office {
    let mut region = Region::load(&project().join("deploy/config/region").join(REGION)).unwrap();
    for unit in &mut region.units {
        unit.channel = Some("phone".to_owned());
    }
    let regions = Arc::new(BTreeMap::from([(REGION.to_owned(), region)]));
    Office {
        cases: Cases::new(kept.store.clone(), Deadlines::default()),
        kept,
        notices: Composer::new(regions, "http://127.0.0.1:8080/".parse().unwrap()),
    }
}

fn alert(level: u8) -> Alert {
    let example = std::fs::read(project().join("backbone/examples/alerts/v1/yellow.json")).unwrap();
    let mut alert: Alert = message::decode(&example).unwrap();
    REGION.clone_into(&mut alert.region);
    alert.level = level;
    alert.id = backbone::id::of_alert(&alert.event.id, level);
    alert
}

fn routed() -> Routed {
    Routed {
        lead: "zhujian".to_owned(),
        assists: vec!["fengchuan".to_owned()],
        because: vec!["主管城乡建设".to_owned()],
    }
}

fn actor(role: Role, unit: &str) -> Actor {
    let region = if unit.is_empty() { "" } else { REGION };
    Actor {
        name: role.name().to_owned(),
        role,
        region: region.to_owned(),
        unit: unit.to_owned(),
    }
}

impl Office {
    async fn take(&self, level: u8) -> Taken {
        self.cases
            .take(&alert(level), &routed(), morning())
            .await
            .unwrap()
    }

    async fn only(&self) -> Case {
        let officer = actor(Role::DutyOfficer, "");
        let page = self
            .cases
            .list(
                &Query {
                    limit: 10,
                    ..Query::default()
                },
                &officer,
            )
            .await
            .unwrap();
        assert_eq!(page.total, 1);
        page.cases.into_iter().next().unwrap()
    }

    async fn act(&self, who: &Actor, action: Action, note: &str) -> Result<Case, MoveError> {
        let case = self.only().await;
        let deed = Deed {
            action,
            version: case.version,
            note: note.to_owned(),
            lead: case.lead.clone(),
            assists: case.assists.clone(),
        };
        self.cases
            .perform(&case.id, &deed, who, &self.notices, morning())
            .await
    }

    async fn outbox(&self) -> Vec<CaseEvent> {
        let rows = sqlx::query("SELECT message FROM outbox ORDER BY number")
            .fetch_all(self.kept.store.pool())
            .await
            .unwrap();
        rows.iter()
            .map(|row| message::decode(row.get::<String, _>("message").as_bytes()).unwrap())
            .collect()
    }
}

on_each_store!(
    a_matter_is_dispatched_signed_answered_and_closed,
    an_alert_delivered_again_changes_nothing_and_a_graver_one_raises_the_case,
    an_alert_brought_up_to_date_tells_the_case_more_and_disturbs_nobody,
    what_had_ended_is_judged_again_when_it_grows,
    a_move_needs_the_role_the_state_the_version_and_its_note,
    a_dispatch_to_a_unit_that_does_not_exist_is_refused,
    units_are_told_once_even_when_their_webhook_fails_at_first,
);

async fn a_matter_is_dispatched_signed_answered_and_closed(kept: Kept) {
    let office = office(kept);
    let (officer, lead) = (
        actor(Role::DutyOfficer, ""),
        actor(Role::UnitLead, "zhujian"),
    );
    assert_eq!(office.take(3).await, Taken::Opened);
    assert_eq!(office.only().await.state, State::Pending);

    let case = office
        .act(&officer, Action::Dispatch, "请尽快核实")
        .await
        .unwrap();
    assert_eq!(
        case.sign_by,
        Some(morning() + SignedDuration::from_hours(2)),
        "Ⅲ: two hours to sign"
    );
    assert_eq!(case.respond_by, morning() + SignedDuration::from_hours(48));
    for (who, action, note, state) in [
        (&lead, Action::Sign, "", State::Signed),
        (&lead, Action::Report, "已到现场", State::Handling),
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
    assert_eq!(moves.len(), 10);
    assert!(
        events.iter().map(|event| event.sequence).eq(1..=10),
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
        Err(MoveError::NotAllowed { .. })
    ));
    assert!(matches!(
        office.act(&officer, Action::Dismiss, " ").await,
        Err(MoveError::NoteMissing("误报理由"))
    ));
    office.act(&officer, Action::Dispatch, "").await.unwrap();
    let assisting = actor(Role::UnitLead, "fengchuan");
    assert!(matches!(
        office.act(&assisting, Action::Sign, "").await,
        Err(MoveError::NotAllowed { .. })
    ));
    let contact = actor(Role::UnitContact, "zhujian");
    assert!(
        matches!(
            office.act(&contact, Action::Return, "不属于本单位").await,
            Err(MoveError::NotAllowed { .. })
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
    let stale = Deed {
        action: Action::Sign,
        version: case.version - 1,
        note: String::new(),
        lead: String::new(),
        assists: Vec::new(),
    };
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
        Err(MoveError::NotAllowed { .. })
    ));
    for action in Action::ALL {
        assert!(
            matches!(
                office.act(&auditor, action, "看看").await,
                Err(MoveError::NotAllowed { .. })
            ),
            "the auditor moves nothing, not by {}",
            action.name()
        );
    }
    office.act(&lead, Action::Reply, "答复").await.unwrap();
    assert!(
        matches!(
            office.act(&officer, Action::Approve, "").await,
            Err(MoveError::NotAllowed { .. })
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
    let deed = Deed {
        action: Action::Dispatch,
        version: case.version,
        note: String::new(),
        lead: "nobody".to_owned(),
        assists: Vec::new(),
    };
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
    let channel: Channel =
        serde_json::from_value(serde_json::json!({ "name": "phone", "url": url })).unwrap();
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let carrier = Carrier::new(office.kept.store.clone(), &[channel], metrics).unwrap();

    carrier.carry_due(morning()).await.unwrap();
    assert_eq!(taken.lock().unwrap().len(), 1, "one of two was refused");
    carrier
        .carry_due(morning() + SignedDuration::from_secs(4))
        .await
        .unwrap();
    assert_eq!(taken.lock().unwrap().len(), 1, "not before its time");
    carrier
        .carry_due(morning() + SignedDuration::from_secs(6))
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
    assert!(log.iter().all(|notice| notice.state == "sent"));
}
