//! Saved searches: each account keeps its own, under names of its own.

use crate::stores::{Kept, on_each_store};
use jiff::{SignedDuration, Timestamp};
use responder::saved_search::{LONGEST_NAME, MOST_SAVED, SavedSearchError, SavedSearches};

on_each_store!(
    a_search_is_its_owners_alone,
    a_name_kept_again_has_the_new_filters,
    what_will_not_do_is_refused,
);

fn morning() -> Timestamp {
    "2026-11-26T08:00:00+08:00".parse().unwrap()
}

async fn names(searches: &SavedSearches, account: &str) -> Vec<String> {
    let kept = searches.of(account).await.unwrap();
    kept.into_iter().map(|search| search.name).collect()
}

async fn a_search_is_its_owners_alone(kept: Kept) {
    let searches = SavedSearches::new(kept.store.clone());
    for (account, name) in [("wang", "路灯"), ("wang", "停水"), ("li", "路灯")] {
        searches
            .keep(account, name, "text=%E8%B7%AF%E7%81%AF", morning())
            .await
            .unwrap();
    }
    assert_eq!(names(&searches, "wang").await, ["停水", "路灯"]);
    let own = searches.of("li").await.unwrap().remove(0);
    let later = morning() + SignedDuration::from_hours(2);
    assert_eq!(searches.open("wang", &own.id, later).await.unwrap(), None);
    assert!(!searches.delete("wang", &own.id).await.unwrap());

    let opened = searches.open("li", &own.id, later).await.unwrap().unwrap();
    assert_eq!(opened.query, "text=%E8%B7%AF%E7%81%AF");
    let seen = searches.of("li").await.unwrap().remove(0);
    assert_eq!(seen.opened_at, later.as_millisecond());
    assert!(searches.delete("li", &own.id).await.unwrap());
    assert!(!searches.delete("li", &own.id).await.unwrap());
    assert_eq!(names(&searches, "li").await, [""; 0]);
    assert_eq!(names(&searches, "wang").await.len(), 2);
}

async fn a_name_kept_again_has_the_new_filters(kept: Kept) {
    let searches = SavedSearches::new(kept.store.clone());
    for query in ["text=a", "text=b&subject=c"] {
        searches
            .keep("wang", " 早班 ", query, morning())
            .await
            .unwrap();
    }
    let all = searches.of("wang").await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].name.as_str(), all[0].query.as_str()),
        ("早班", "text=b&subject=c")
    );
}

async fn what_will_not_do_is_refused(kept: Kept) {
    let searches = SavedSearches::new(kept.store.clone());
    let keep = async |name: &str, query: &str| searches.keep("wang", name, query, morning()).await;
    let long = "长".repeat(LONGEST_NAME + 1);
    for name in ["", "  ", &long] {
        assert!(matches!(
            keep(name, "text=a").await,
            Err(SavedSearchError::Name)
        ));
    }
    let far_too_much = "a".repeat(5_000);
    for query in ["", &far_too_much] {
        assert!(matches!(
            keep("空", query).await,
            Err(SavedSearchError::Query)
        ));
    }
    for number in 0..MOST_SAVED {
        keep(&number.to_string(), "text=a").await.unwrap();
    }
    assert!(matches!(
        keep("又一个", "text=a").await,
        Err(SavedSearchError::TooMany)
    ));
    // One that is there may be kept again, and another account has its own.
    keep("3", "text=b").await.unwrap();
    searches
        .keep("li", "又一个", "text=a", morning())
        .await
        .unwrap();
}
