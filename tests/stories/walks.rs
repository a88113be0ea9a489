//! Two hundred cases walked at random by many users at once, whose program is killed at random: no move is lost, no state
//! illegal, no clock missed or told twice, and the outbox is what the audit is.

#![allow(clippy::print_stdout, reason = "a walk says how far it went")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;
use std::time::Duration;

use backbone::message::{self, CaseEvent};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use responder::case::{Action, Move, State, rule};
use responder::store::{Place, Store};
use sqlx::Row;
use wensheng_tests::walk::{Walk, states};
use wensheng_tests::{Postgres, Program};

const CASES: u32 = 200;
const KILLS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("responder.sqlite");
    walked(Place::File(place.clone()), place.to_str().unwrap(), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_by_three_programs() {
    let server = Postgres::start();
    let place = Place::Postgres(server.url.parse().unwrap());
    walked(place, &server.url, 3).await;
}

/// Walks the cases of a store by so many programs, and looks at what is left.
async fn walked(place: Place, argument: &str, programs: usize) {
    let begun = Timestamp::now();
    let walk = Walk::open(&place, begun).await.unwrap();
    for number in 0..CASES {
        walk.open_case(number, 3).await.unwrap();
    }
    let mut seed = 0;
    let mut start = || -> Child {
        seed += 1;
        Program::command("walker")
            .args([argument, &begun.to_string(), &seed.to_string()])
            .spawn()
            .unwrap()
    };
    let mut walkers: Vec<Child> = (0..programs).map(|_| start()).collect();
    let mut random = StdRng::seed_from_u64(7);
    let mut made = moves(&walk).await;
    for _ in 0..KILLS {
        // Killed at a random moment of its work, not before there was some.
        let before = made;
        while made < before + 40 {
            tokio::time::sleep(Duration::from_millis(random.random_range(20..120))).await;
            made = moves(&walk).await;
            for walker in &mut walkers {
                assert_eq!(walker.try_wait().unwrap(), None, "a walker ended by itself");
            }
        }
        let killed = random.random_range(0..programs);
        walkers[killed].kill().unwrap();
        walkers[killed].wait().unwrap();
        walkers[killed] = start();
    }
    for walker in &mut walkers {
        walker.kill().unwrap();
        walker.wait().unwrap();
    }
    look_at(&walk, &place).await;
}

async fn moves(walk: &Walk) -> i64 {
    let cases = walk.all().await.unwrap();
    cases.iter().map(|case| case.version).sum()
}

async fn look_at(walk: &Walk, place: &Place) {
    // What came due while nobody looked is told now.
    let end = walk.now() + SignedDuration::from_hours(1_000);
    let store = Store::open(place).await.unwrap();
    while untold(&store, end).await > 0 {
        walk.watch.look(end).await.unwrap();
    }
    let cases = walk.all().await.unwrap();
    assert_eq!(cases.len() as u32, CASES);
    let mut events: BTreeMap<String, Vec<CaseEvent>> = BTreeMap::new();
    let rows = sqlx::query("SELECT message FROM outbox ORDER BY number")
        .fetch_all(store.pool())
        .await
        .unwrap();
    for row in &rows {
        let event: CaseEvent = message::decode(row.get::<&str, _>("message").as_bytes()).unwrap();
        events.entry(event.case.clone()).or_default().push(event);
    }
    let mut made = 0;
    for case in &cases {
        let moves = walk.cases.moves(&case.id).await.unwrap();
        made += moves.len();
        assert_eq!(moves.len() as i64, case.version, "no move is lost");
        assert_eq!(moves.last().unwrap().to, case.state);
        legal(&moves);
        let told = events.remove(&case.id).unwrap();
        let same = moves.iter().zip(&told).all(|(one, event)| {
            (one.sequence, one.action.name(), one.to.name())
                == (event.sequence, event.action.as_str(), event.to.as_str())
        });
        assert!(
            same && told.len() == moves.len(),
            "the outbox is what the audit is, in order: {}",
            case.id
        );
    }
    assert!(events.is_empty());
    let clocks = told_once(&store).await;
    println!(
        "{made} moves of {CASES} cases, {KILLS} kills, {clocks} clocks told; states: {:?}",
        states(&cases)
    );
}

/// Each move begins where the one before ended, and is in the table.
fn legal(moves: &[Move]) {
    let mut state = None;
    for (one, sequence) in moves.iter().zip(1..) {
        assert_eq!(one.sequence, sequence);
        assert_eq!(one.from, state, "{one:?}");
        if let (Some(rule), Some(from)) = (rule(one.action), one.from) {
            assert!(rule.from.contains(&from), "{one:?}");
            assert!(rule.roles.contains(&one.role), "{one:?}");
            // A unit that assists moves its own part; the lead stays where a case is dispatched anew to it.
            let stays = one.role.of_unit() || one.action == Action::Redispatch;
            let to = rule.to.unwrap_or(from);
            assert!(one.to == to || (stays && one.to == from), "{one:?}");
        } else {
            let raised = matches!(one.action, Action::Raise | Action::Absorb);
            let same = one.from == Some(one.to) || one.from.is_none();
            assert!(same || (raised && one.to == State::Pending), "{one:?}");
        }
        state = Some(one.to);
    }
}

/// What is still to be told of the clocks by then.
async fn untold(store: &Store, by: Timestamp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tellings WHERE told_at IS NULL AND at <= $1")
        .bind(by.as_millisecond())
        .fetch_one(store.pool())
        .await
        .unwrap()
}

/// No contact is told twice of one clock and step; gives how many clocks were told.
async fn told_once(store: &Store) -> i64 {
    let rows = sqlx::query("SELECT contact, body FROM notices")
        .fetch_all(store.pool())
        .await
        .unwrap();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let mut body: serde_json::Value = serde_json::from_str(row.get("body")).unwrap();
        if ["reminder", "escalation"].contains(&body["kind"].as_str().unwrap()) {
            body["id"].take();
            body["level"].take();
            body["sign_by"].take();
            body["respond_by"].take();
            let key = format!("{} {body}", row.get::<&str, _>("contact"));
            assert!(seen.insert(key.clone()), "twice: {key}");
        }
    }
    sqlx::query_scalar("SELECT count(*) FROM tellings WHERE told_at IS NOT NULL")
        .fetch_one(store.pool())
        .await
        .unwrap()
}
