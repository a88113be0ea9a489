//! What a duty officer may say of events, and that what was said is kept, told and noted together.

use backbone::message::{Change, EventEdit, decode};
use jiff::{SignedDuration, Timestamp};
use responder::account::{Accounts, Limits};
use responder::case::{Actor, Role};
use responder::event_edit::{EditError, EventEdits, Known, RECENT, merge, split};
use responder::store::Store;
use sqlx::Row;

use crate::stores::{Kept, on_each_store};

fn accounts(store: &Store) -> Accounts {
    let limits = Limits {
        absolute: SignedDuration::from_hours(12),
        idle: SignedDuration::from_hours(2),
    };
    Accounts::new(store.clone(), limits)
}

fn known(id: &str) -> Known {
    Known {
        id: id.to_owned(),
        title: format!("事件{id}"),
        region: "360921".to_owned(),
        posts: 3,
        current: true,
        merged: false,
    }
}

fn ids(posts: &[&str]) -> Vec<String> {
    posts.iter().map(|post| (*post).to_owned()).collect()
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let (one, other) = (known("one"), known("other"));
    let elsewhere = Known {
        region: "990000".to_owned(),
        ..known("elsewhere")
    };
    let old = Known {
        current: false,
        ..known("old")
    };
    let merged = Known {
        merged: true,
        ..known("merged")
    };
    assert!(merge(&one, &other).is_ok());
    for (from, into, error) in [
        (&one, &one, EditError::Same),
        (&one, &elsewhere, EditError::OtherRegion),
        (&one, &old, EditError::Old("事件old".to_owned())),
        (&old, &one, EditError::Old("事件old".to_owned())),
        (&one, &merged, EditError::Merged("事件merged".to_owned())),
        (&merged, &one, EditError::Merged("事件merged".to_owned())),
    ] {
        assert_eq!(merge(from, into), Err(error));
    }
    let there = ids(&["a", "b", "c"]);
    let long = "长".repeat(61);
    for (event, ticked, title, error) in [
        (&one, vec![], "", EditError::NoPosts),
        (&one, vec!["a", "b", "c"], "", EditError::AllPosts),
        (&one, vec!["a", "x"], "", EditError::Gone),
        (&one, vec!["a"], long.as_str(), EditError::TitleTooLong),
        (&old, vec!["a"], "", EditError::Old("事件old".to_owned())),
    ] {
        assert_eq!(split(event, &there, &ids(&ticked), title), Err(error));
    }
    let twice = split(&one, &there, &ids(&["b", "a", "a"]), "  ").unwrap();
    assert_eq!(
        twice,
        Change::Split {
            event: "one".to_owned(),
            posts: ids(&["a", "b"]),
            title: None
        }
    );
}

on_each_store!(
    an_edit_is_kept_told_and_noted_once,
    an_edit_whose_message_cannot_be_kept_is_not_made,
);

async fn an_edit_is_kept_told_and_noted_once(kept: Kept) {
    let store = kept.store.clone();
    let edits = EventEdits::new(store.clone());
    let officer = Actor {
        name: "officer".to_owned(),
        role: Role::DutyOfficer,
        region: String::new(),
        unit: String::new(),
        via: String::new(),
    };
    let now: Timestamp = "2026-11-23T00:30:00Z".parse().unwrap();
    let change = merge(&known("one"), &known("other")).unwrap();
    let make = |at: Timestamp| edits.make("360921", change.clone(), ("甲", "乙"), &officer, at);
    let made = make(now).await.unwrap();
    let again = make(now + SignedDuration::from_secs(1)).await.unwrap();
    assert_eq!(again, made, "a form sent twice");

    let rows = sqlx::query("SELECT topic, message FROM outbox")
        .fetch_all(store.pool())
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<&str, _>("topic"), "event-edits");
    let told: EventEdit = decode(rows[0].get::<&str, _>("message").as_bytes()).unwrap();
    assert_eq!((&told, told.role.as_str()), (&made, "duty-officer"));
    let audit = accounts(&store).audit_log(10).await.unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!(
        (audit[0].user.as_str(), audit[0].action.as_str()),
        ("officer", "merge-event")
    );
    assert_eq!(audit[0].subject, "one → other");

    for event in ["one", "other"] {
        let of = edits.of(event).await.unwrap();
        assert_eq!((of.len(), of[0].officer.as_str()), (1, "officer"));
    }
    assert_eq!(
        edits.merged("one").await.unwrap(),
        Some(("other".to_owned(), now))
    );
    assert_eq!(edits.merged("other").await.unwrap(), None);
    // The other one goes into a third: that has the posts of all three, and their cases.
    let onward = merge(&known("other"), &known("third")).unwrap();
    edits
        .make("360921", onward, ("乙", "丙"), &officer, now)
        .await
        .unwrap();
    for event in ["one", "other", "third"] {
        assert_eq!(edits.holder(event).await.unwrap(), "third");
    }
    let held = edits.held_by("third").await.unwrap();
    assert_eq!(held, ["third", "other", "one"]);
    assert_eq!(edits.held_by("one").await.unwrap(), ["one"]);
    let later = make(now + RECENT + SignedDuration::from_secs(1))
        .await
        .unwrap();
    assert_ne!(later.id, made.id, "meant anew");
}

async fn an_edit_whose_message_cannot_be_kept_is_not_made(kept: Kept) {
    let store = kept.store.clone();
    sqlx::query("ALTER TABLE outbox RENAME TO away")
        .execute(store.pool())
        .await
        .unwrap();
    let edits = EventEdits::new(store.clone());
    let change = merge(&known("one"), &known("other")).unwrap();
    let made = edits
        .make(
            "360921",
            change,
            ("甲", "乙"),
            &Actor::system(),
            Timestamp::UNIX_EPOCH,
        )
        .await;
    assert!(made.is_err());
    assert_eq!(edits.of("one").await.unwrap(), []);
    assert_eq!(accounts(&store).audit_log(10).await.unwrap(), []);
}
