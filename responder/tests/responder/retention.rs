//! What the store keeps goes when its period is over, and not before; told in the audit by how many.

use crate::stores::{Kept, on_each_store};
use jiff::{SignedDuration, Timestamp};
use responder::account::{Accounts, Limits, Span};
use responder::retention::{Cleaner, Retention};
use responder::store::Store;

fn now() -> Timestamp {
    "2026-11-26T08:00:00Z".parse().unwrap()
}

fn days_ago(days: i64) -> i64 {
    (now() - SignedDuration::from_hours(24 * days)).as_millisecond()
}

fn cleaner(store: &Store, holder: &str, retention: Retention) -> Cleaner {
    Cleaner {
        store: store.clone(),
        retention,
        holder: holder.to_owned(),
    }
}

async fn run(store: &Store, statement: &str) {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    sqlx::query(statement).execute(store.pool()).await.unwrap();
}

async fn count(store: &Store, table: &str) -> i64 {
    let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(statement)
        .fetch_one(store.pool())
        .await
        .unwrap()
}

async fn notice(store: &Store, id: &str, about: &str, state: &str, at: i64) {
    run(store, &format!(
        "INSERT INTO notices (id, about, kind, region, unit, contact, line, level, folds, body, reach, reach_left, channel, \
         recipient, state, attempts, attempts_here, problem, queued_at, due_at, updated_at, claimed_by) VALUES ('{id}', '{about}', \
         'dispatch', '990101', 'u', '', 'l', 3, 0, '{{}}', '[]', 0, 'c', '', '{state}', 1, 1, '', {at}, {at}, {at}, '')"
    )).await;
    run(store, &format!(
        "INSERT INTO notice_tries (notice, number, channel, recipient, began_at, outcome, problem, text) \
         VALUES ('{id}', 1, 'c', '', {at}, 'sent', '', 't')"
    )).await;
}

async fn case(store: &Store, id: &str, state: &str, at: i64) {
    run(store, &format!(
        "INSERT INTO cases (id, region, event, opened_at, version, state, level, lead, parts, title, reply, hand_backs, merged_into, \
         satisfaction, routed_because, respond_by, updated_at) VALUES ('{id}', '990101', 'e-{id}', {at}, 1, '{state}', 3, '', '[]', 't', '', \
         0, '', '', '', 0, {at})"
    )).await;
    run(
        store,
        &format!("INSERT INTO case_alerts (case_id, alert) VALUES ('{id}', '{{}}')"),
    )
    .await;
    run(
        store,
        &format!("INSERT INTO case_units (case_id, unit) VALUES ('{id}', 'u')"),
    )
    .await;
    run(store, &format!(
        "INSERT INTO moves (case_id, sequence, action, to_state, role, actor, note, at) VALUES ('{id}', 1, 'open', 'pending', 'system', '', '', {at})"
    )).await;
}

async fn what_is_past_its_period_goes_with_all_that_belongs_to_it(kept: Kept) {
    let store = &kept.store;
    for number in 0..3 {
        notice(store, &format!("old-{number}"), "-", "sent", days_ago(800)).await;
    }
    notice(store, "waits", "-", "queued", days_ago(800)).await;
    notice(store, "new", "-", "failed", days_ago(700)).await;
    for (id, at) in [("p1", days_ago(2_000)), ("p2", days_ago(10))] {
        run(store, &format!(
            "INSERT INTO corrections (post_id, region, title, text, relevant, sentiment, appeal, subject, unit, officer, at) \
             VALUES ('{id}', '990101', 't', 'x', 'yes', '', '', '', '', 'o', {at})"
        )).await;
    }
    case(store, "ended", "closed", days_ago(4_000)).await;
    notice(store, "of-ended", "ended", "queued", days_ago(1)).await;
    case(store, "open", "handling", days_ago(4_000)).await;
    case(store, "late", "closed", days_ago(100)).await;

    let shipped = cleaner(store, "one", Retention::default());
    let gone = shipped.clean_up(now()).await.unwrap();
    assert_eq!(
        gone,
        [("notices", 3), ("corrections", 1)],
        "cases are records"
    );
    assert_eq!(
        (
            count(store, "notices").await,
            count(store, "notice_tries").await
        ),
        (3, 3)
    );
    assert_eq!(count(store, "cases").await, 3);
    assert_eq!(
        shipped.clean_up(now()).await.unwrap(),
        [],
        "nothing is left to do"
    );

    let ten_years = Retention {
        closed_cases_days: 3_650,
        ..Retention::default()
    };
    // Another responder leaves it to the one that does so.
    let other = cleaner(store, "two", ten_years.clone());
    assert_eq!(other.clean_up(now()).await.unwrap(), []);
    let one = cleaner(store, "one", ten_years);
    assert_eq!(one.clean_up(now()).await.unwrap(), [("closed-cases", 1)]);
    for table in ["cases", "case_alerts", "case_units", "moves"] {
        assert_eq!(count(store, table).await, 2, "{table}");
    }
    assert_eq!(count(store, "notices").await, 2, "its notices went with it");

    let limits = Limits {
        absolute: SignedDuration::from_hours(12),
        idle: SignedDuration::from_hours(2),
    };
    let accounts = Accounts::new(store.clone(), limits);
    let lines = accounts.audit_lines(Span::default(), 10).await.unwrap();
    let said: Vec<&str> = lines.iter().map(|line| line.subject.as_str()).collect();
    assert_eq!(said, ["notices 3", "corrections 1", "closed-cases 1"]);
}

async fn a_great_many_go_in_batches(kept: Kept) {
    let store = &kept.store;
    let rows: Vec<String> = (0..1_203)
        .map(|number| format!("('s{number}', 'a', 'n', 'q', {})", days_ago(1_000)))
        .collect();
    run(
        store,
        &format!(
            "INSERT INTO saved_searches (id, account, name, query, opened_at) VALUES {}",
            rows.join(", ")
        ),
    )
    .await;
    let cleaner = cleaner(store, "one", Retention::default());
    assert_eq!(
        cleaner.clean_up(now()).await.unwrap(),
        [("saved-searches", 1_203)]
    );
    assert_eq!(count(store, "saved_searches").await, 0);
    assert_eq!(count(store, "audit").await, 3, "a line for each batch");
}

on_each_store!(
    what_is_past_its_period_goes_with_all_that_belongs_to_it,
    a_great_many_go_in_batches,
);
