//! The store itself: carried over from an older version, backed up while in use and read back, one piece of work at a time.

use crate::office::{self, actor, morning, office};
use crate::stores::{self, Kept, on_each_store};
use jiff::SignedDuration;
use responder::case::{Action, Cases, Progress, Role, State, Timing};
use responder::store::{Place, Store, backup, restore};
use sqlx::Connection as _;
use sqlx::migrate::Migrator;

on_each_store!(
    a_backup_made_while_cases_move_is_read_back_whole,
    a_backup_overwrites_nothing_and_rubbish_is_not_read,
    one_responder_works_at_a_time,
    a_request_broken_off_leaves_no_transaction_behind,
    another_transaction_begins_after_the_engine_rolled_one_back,
);

async fn a_backup_made_while_cases_move_is_read_back_whole(kept: Kept) {
    let place = kept.place.clone();
    let office = office(kept);
    office.take(3).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.backup");
    backup(&place, &file).await.unwrap();
    let officer = actor(Role::DutyOfficer, "");
    office.act(&officer, Action::Dispatch, "").await.unwrap();

    let empty = match &place {
        Place::File(_) => Place::File(folder.path().join("elsewhere/responder.sqlite")),
        Place::Postgres(_) => Place::Postgres(stores::empty_database().await),
    };
    restore(&empty, &file).await.unwrap();
    let store = Store::open(&empty).await.unwrap();
    let cases = Cases::new(store, Timing::default());
    let id = office.only().await.id;
    let then = cases.get(&id, &officer).await.unwrap().unwrap();
    assert_eq!(then.state, State::Pending, "as it was at the backup");
    assert_eq!(cases.moves(&id).await.unwrap().len(), 1);
    let refused = restore(&empty, &file).await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("store at") || format!("{refused:#}").contains("tables"),
        "{refused:#}"
    );
}

async fn a_backup_overwrites_nothing_and_rubbish_is_not_read(kept: Kept) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.backup");
    std::fs::write(&file, "not a backup").unwrap();
    assert!(backup(&kept.place, &file).await.is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not a backup");
    let empty = match &kept.place {
        Place::File(_) => Place::File(folder.path().join("responder.sqlite")),
        Place::Postgres(_) => Place::Postgres(stores::empty_database().await),
    };
    assert!(restore(&empty, &file).await.is_err());
    if let Place::File(path) = &empty {
        assert!(!path.exists(), "nothing is left of it");
    }
}

async fn one_responder_works_at_a_time(kept: Kept) {
    let span = SignedDuration::from_secs(30);
    let lease = |holder: &'static str, seconds: i64| {
        let store = kept.store.clone();
        let now = morning() + SignedDuration::from_secs(seconds);
        async move { store.lease("outbox", holder, span, now).await.unwrap() }
    };
    assert!(lease("first", 0).await);
    assert!(!lease("second", 10).await);
    assert!(lease("first", 20).await, "kept while it works");
    assert!(!lease("second", 49).await);
    assert!(lease("second", 51).await, "the first has stopped");
    assert!(!lease("first", 52).await);
    assert!(lease("third", 7_200).await, "its clock is two hours ahead");
    assert!(lease("first", 60).await, "and it holds nobody up");
}

async fn a_request_broken_off_leaves_no_transaction_behind(kept: Kept) {
    const REQUESTS: usize = 200;
    let span = SignedDuration::from_secs(30);
    for turns in 0..REQUESTS {
        let broken_off = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = broken_off => {}
            begun = kept.store.begin() => drop(begun.unwrap()),
        }
        let work = format!("after {turns}");
        assert!((kept.store.lease(&work, "holder", span, morning()).await).unwrap());
    }
    let elsewhere = Store::open(&kept.place).await.unwrap();
    let written: i64 = sqlx::query_scalar("SELECT count(*) FROM leases")
        .fetch_one(elsewhere.pool())
        .await
        .unwrap();
    assert_eq!(written, REQUESTS as i64);
}

async fn another_transaction_begins_after_the_engine_rolled_one_back(kept: Kept) {
    let span = SignedDuration::from_secs(30);
    let pool = kept.store.pool();
    let mut connections = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        connections.push(pool.acquire().await.unwrap());
    }
    for connection in &mut connections {
        // As SQLite does by itself when a transaction finds no room on the disk.
        let mut full = connection.begin().await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *full).await.unwrap();
    }
    drop(connections);
    let mut next = kept.store.begin().await.unwrap();
    sqlx::query("DELETE FROM leases")
        .execute(&mut *next)
        .await
        .unwrap();
    next.commit().await.unwrap();
    assert!((kept.store.lease("after", "holder", span, morning()).await).unwrap());
}

#[tokio::test]
async fn the_cases_of_an_older_store_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("responder.sqlite");
    let older = folder.path().join("older");
    std::fs::create_dir(&older).unwrap();
    let migrations = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    for entry in std::fs::read_dir(migrations).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap() < "0006" {
            std::fs::copy(entry.path(), older.join(entry.file_name())).unwrap();
        }
    }
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&format!("sqlite://{}?mode=rwc", path.display()))
        .await
        .unwrap();
    Migrator::new(older)
        .await
        .unwrap()
        .run(&pool)
        .await
        .unwrap();
    let alert = serde_json::to_string(&office::alert(3)).unwrap();
    sqlx::query(
        "INSERT INTO cases (id, region, event, state, level, lead, assists, routed_because, alert, reply, opened_at, \
         sign_by, respond_by, updated_at, version) \
         VALUES ('c', '360921', 'e', 'dispatched', 3, 'zhujian', '[\"fengchuan\"]', '', $1, '', 1, 7200000, 172800000, 1, 2)",
    )
    .bind(alert)
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;

    let store = Store::open(&Place::File(path)).await.unwrap();
    let cases = Cases::new(store, Timing::default());
    let town = actor(Role::UnitLead, "fengchuan");
    let case = cases.get("c", &town).await.unwrap().unwrap();
    assert_eq!(case.lead(), "zhujian");
    assert_eq!(case.parts[0].progress, Progress::Sent);
    assert_eq!(case.sign_by().unwrap().as_millisecond(), 7_200_000);
    assert_eq!(case.assisting()[0].unit, "fengchuan");
    assert!(!case.alert.event.title.is_empty());
}
