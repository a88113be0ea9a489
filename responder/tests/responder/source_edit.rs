//! Officers pause sources and have them read again; what they decide is kept, told and noted together.

use backbone::message::{Condition, SourceEdit, SourceHealth, decode};
use jiff::{SignedDuration, Timestamp};
use responder::account::{Accounts, Limits, Scope};
use responder::case::{Actor, Role};
use responder::source::Sources;
use responder::source_edit::{REASON_LIMIT, SourceEditError, SourceEdits};
use serde_json::{Value, json};
use sqlx::Row;

use crate::served::{REGION, office};
use crate::stores::{Kept, on_each_store};

const REASON: &str = "网站改版，待调整规则";

fn morning() -> Timestamp {
    "2026-11-23T00:30:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    morning() + SignedDuration::from_mins(minutes)
}

fn source(name: &str) -> SourceHealth {
    SourceHealth {
        id: backbone::id::of_source("360921", name),
        region: "360921".to_owned(),
        source: name.to_owned(),
        kind: "board".to_owned(),
        condition: Condition::Well,
        since: morning(),
        problem: String::new(),
        last_success: None,
        last_failure: None,
        posts: 0,
        today: 0,
        usual: None,
        refused: 0,
        lag_seconds: None,
        findings: Vec::new(),
        at: morning(),
    }
}

fn officer() -> Actor {
    Actor {
        name: "officer".to_owned(),
        role: Role::DutyOfficer,
        region: String::new(),
        unit: String::new(),
        via: String::new(),
    }
}

/// What waits to be published.
async fn published(kept: &Kept) -> Vec<SourceEdit> {
    let rows = sqlx::query("SELECT topic, message FROM outbox ORDER BY number")
        .fetch_all(kept.store.pool())
        .await
        .unwrap();
    let read = |row: &sqlx::any::AnyRow| {
        assert_eq!(row.get::<&str, _>("topic"), "source-edits");
        decode(row.get::<&str, _>("message").as_bytes()).unwrap()
    };
    rows.iter().map(read).collect()
}

/// What the audit has of it.
async fn audited(kept: &Kept) -> Vec<(String, String, String)> {
    let limits = Limits {
        absolute: SignedDuration::from_hours(12),
        idle: SignedDuration::from_hours(2),
    };
    let accounts = Accounts::new(kept.store.clone(), limits);
    let lines = accounts.audit_log(50).await.unwrap();
    (lines.into_iter().rev())
        .map(|line| (line.user, line.action, line.subject))
        .collect()
}

on_each_store!(
    a_source_is_paused_with_its_reason_and_read_again,
    what_cannot_be_is_refused_and_leaves_no_trace,
    each_decision_is_later_than_the_one_before,
    of_two_officers_at_once_one_pauses,
    a_program_pauses_a_source_and_has_it_read_again,
);

async fn a_source_is_paused_with_its_reason_and_read_again(kept: Kept) {
    let edits = SourceEdits::new(kept.store.clone());
    let board = source("留言板");
    edits
        .pause(Some(&board), &format!(" {REASON}\n"), &officer(), after(1))
        .await
        .unwrap();
    let paused = edits.paused().await.unwrap();
    assert_eq!(paused.len(), 1);
    let pause = &paused[&board.id];
    assert_eq!(
        (pause.reason.as_str(), pause.officer.as_str(), pause.at),
        (REASON, "officer", after(1))
    );
    edits
        .resume(Some(&board), &officer(), after(9))
        .await
        .unwrap();
    assert!(edits.paused().await.unwrap().is_empty());
    let told = published(&kept).await;
    let decided: Vec<_> = told.iter().map(|edit| (edit.paused, edit.at)).collect();
    assert_eq!(decided, [(true, after(1)), (false, after(9))]);
    assert!(told.iter().all(|edit| edit.source_id == board.id
        && edit.source == "留言板"
        && edit.role == "duty-officer"));
    assert_ne!(told[0].id, told[1].id);
    let line = |action: &str| ("officer".to_owned(), action.to_owned(), "留言板".to_owned());
    assert_eq!(
        audited(&kept).await,
        [line("pause-source"), line("resume-source")]
    );
}

async fn what_cannot_be_is_refused_and_leaves_no_trace(kept: Kept) {
    let edits = SourceEdits::new(kept.store.clone());
    let board = source("留言板");
    let pause = async |source: Option<&SourceHealth>, reason: &str| {
        edits.pause(source, reason, &officer(), after(1)).await
    };
    let long = "长".repeat(REASON_LIMIT + 1);
    assert!(matches!(
        pause(None, REASON).await,
        Err(SourceEditError::Unknown)
    ));
    assert!(matches!(
        pause(Some(&board), " \n").await,
        Err(SourceEditError::NoReason)
    ));
    assert!(matches!(
        pause(Some(&board), &long).await,
        Err(SourceEditError::ReasonTooLong)
    ));
    let resumed = edits.resume(Some(&board), &officer(), after(1)).await;
    assert!(matches!(resumed, Err(SourceEditError::NotPaused)));
    let resumed = edits.resume(None, &officer(), after(1)).await;
    assert!(matches!(resumed, Err(SourceEditError::Unknown)));
    assert!(edits.paused().await.unwrap().is_empty());
    assert!(published(&kept).await.is_empty() && audited(&kept).await.is_empty());

    let whole = "长".repeat(REASON_LIMIT);
    pause(Some(&board), &whole).await.unwrap();
    let again = pause(Some(&board), REASON).await;
    assert!(matches!(again, Err(SourceEditError::Paused)));
    assert_eq!(edits.paused().await.unwrap()[&board.id].reason, whole);
    assert_eq!(published(&kept).await.len(), 1);
    pause(Some(&source("论坛")), REASON).await.unwrap();
    assert_eq!(edits.paused().await.unwrap().len(), 2, "each by itself");
}

async fn each_decision_is_later_than_the_one_before(kept: Kept) {
    let edits = SourceEdits::new(kept.store.clone());
    let board = source("留言板");
    // Three responders whose clocks differ.
    edits
        .pause(Some(&board), REASON, &officer(), after(5))
        .await
        .unwrap();
    edits
        .resume(Some(&board), &officer(), after(3))
        .await
        .unwrap();
    edits
        .pause(Some(&board), REASON, &officer(), after(4))
        .await
        .unwrap();
    let told = published(&kept).await;
    assert!(told.is_sorted_by(|one, next| one.at < next.at), "{told:?}");
    assert_eq!(edits.paused().await.unwrap()[&board.id].at, told[2].at);
}

async fn of_two_officers_at_once_one_pauses(kept: Kept) {
    let edits = SourceEdits::new(kept.store.clone());
    let board = source("留言板");
    let pause = async || {
        edits
            .pause(Some(&board), REASON, &officer(), after(1))
            .await
    };
    let (one, other) = tokio::join!(pause(), pause());
    assert_ne!(one.is_ok(), other.is_ok());
    assert_eq!(published(&kept).await.len(), 1);
    assert_eq!(audited(&kept).await.len(), 1);
}

async fn a_program_pauses_a_source_and_has_it_read_again(kept: Kept) {
    let office = office(kept).await;
    let board = SourceHealth {
        id: backbone::id::of_source(REGION, "留言板"),
        region: REGION.to_owned(),
        ..source("留言板")
    };
    let console = office.address.parse().unwrap();
    Sources::new(office.kept.store.clone(), None, console)
        .take(&board, morning())
        .await
        .unwrap();
    let scopes = [Scope::SourcesRead, Scope::SourcesWrite];
    let mut program = office.program("officer", &scopes).await;
    let path = |id: &str, what: &str| format!("/api/v1/sources/{id}/{what}");
    let (pause, resume) = (path(&board.id, "pause"), path(&board.id, "resume"));
    let reason = json!({ "reason": REASON });
    let long = json!({ "reason": "长".repeat(REASON_LIMIT + 1) });
    for (path, body, status) in [
        (&path("none", "pause"), &reason, 404),
        (&path("none", "resume"), &Value::Null, 404),
        (&pause, &json!({ "reason": " " }), 422),
        (&pause, &long, 400),
        (&resume, &Value::Null, 409),
    ] {
        let refused = program.ask("POST", path, body).await;
        assert_eq!(refused.status, status, "{}", refused.text);
    }
    let paused = program.ask("POST", &pause, &reason).await;
    assert_eq!(paused.status, 202, "{}", paused.text);
    let why = &paused.json()["pause"];
    assert_eq!([&why["reason"], &why["by"]], [REASON, "officer"]);
    let again = program.ask("POST", &pause, &reason).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "stale"));
    let list = program.get("/api/v1/sources").await.json();
    assert_eq!(list[0]["pause"]["reason"], REASON, "{list}");
    let read = program.ask("POST", &resume, &Value::Null).await;
    assert_eq!((read.status, &read.json()["pause"]), (202, &Value::Null));

    let told: Vec<bool> = (published(&office.kept).await.iter())
        .map(|edit| edit.paused)
        .collect();
    assert_eq!(told, [true, false]);
    let lines = office.accounts.audit_log(50).await.unwrap();
    let lines = lines.iter().filter(|line| line.subject == "留言板");
    let by_token: Vec<bool> = lines.map(|line| !line.via.is_empty()).collect();
    assert_eq!(by_token, [true, true], "the audit names the token");
}
