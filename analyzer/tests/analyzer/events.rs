//! The story of an event: it grows, rises, is answered, falls quiet, returns, and is told of once.

use std::sync::LazyLock;

use analyzer::pipeline::Pipeline;
use analyzer::settings::Risk;
use analyzer::state::State;
use backbone::message::{Alert, Assessment, EventMembership, EventSummary, Post, SourceKind, Turn};
use jiff::{SignedDuration, Timestamp};

use crate::ground::{self, SAMPLE, pipeline, project};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| pipeline(SAMPLE, &Risk::default()));

fn at(hours: i64) -> Timestamp {
    let monday: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    monday + SignedDuration::from_hours(hours)
}

const DRY: &str =
    "青禾县望江花园小区又停水了，三天没有水用，物业不接电话，没有人管，老百姓怎么生活";

fn post(id: &str, author: &str, hours: i64) -> Post {
    Post {
        author: Some(author.to_owned()),
        ..ground::post(id, ["投诉望江花园停水没有人管！", DRY], at(hours))
    }
}

/// The duty team's day: time passes, then the post comes.
fn hear(state: &mut State, post: Post) -> (Assessment, Vec<Alert>) {
    let now = post.collected_at;
    let mut alerts = PIPELINE.look_again(state, now);
    let (assessment, raised) = PIPELINE.assess(post, state, now);
    alerts.extend(raised);
    (assessment, alerts)
}

fn score(state: &State, event: &str, hours: i64) -> f64 {
    let event = state.window.event(event).unwrap();
    PIPELINE.risk(event, at(hours)).unwrap().score
}

#[test]
fn an_event_rises_with_its_voices_by_one_alert_a_level_and_updates_when_its_posts_double() {
    let mut state = PIPELINE.state();
    let mut told = Vec::new();
    for voice in 0..40 {
        let voice = voice.to_string();
        for alert in hear(&mut state, post(&voice, &voice, 0)).1 {
            told.push((alert.level, alert.update, alert.event.posts));
        }
    }
    let levels: Vec<u8> = (told.iter())
        .filter(|(_, update, _)| *update == 0)
        .map(|(level, _, _)| *level)
        .collect();
    assert!(levels.starts_with(&[4, 3]), "{told:?}");
    assert!(levels.is_sorted_by(|one, other| one > other), "{told:?}");
    for pair in told.windows(2) {
        let ((before, _, earlier), (level, update, posts)) = (pair[0], pair[1]);
        assert!(
            level < before || (update > 0 && posts >= 2 * earlier),
            "{told:?}"
        );
    }
    assert!(
        told.len() <= levels.len() + 6,
        "no alert for each post: {told:?}"
    );
}

#[test]
fn one_voice_that_writes_forty_times_is_one_voice() {
    let (mut many, mut one) = (PIPELINE.state(), PIPELINE.state());
    let (mut graver, mut graver_of_one) = (5, 5);
    for number in 0..40 {
        let number = number.to_string();
        for alert in hear(&mut many, post(&number, &number, 0)).1 {
            graver = graver.min(alert.level);
        }
        for alert in hear(&mut one, post(&number, "甲", 0)).1 {
            graver_of_one = graver_of_one.min(alert.level);
        }
    }
    assert!(graver < graver_of_one, "{graver} {graver_of_one}");
}

#[test]
fn silence_raises_an_event_by_itself_and_an_answer_lowers_it() {
    let mut state = PIPELINE.state();
    let grave = Post {
        text: format!("{DRY}，有老人受伤骨折住院"),
        ..post("1", "甲", 0)
    };
    let (assessment, alerts) = hear(&mut state, grave.clone());
    let event = assessment.event.unwrap().id;
    assert_eq!(alerts.len(), 1);
    let first = alerts[0].level;
    assert!(PIPELINE.look_again(&mut state, at(0)).is_empty());
    let waited = score(&state, &event, 48);
    assert!(waited > score(&state, &event, 0) + 0.1);
    let later = PIPELINE.look_again(&mut state, at(48));
    assert_eq!(later.len(), 1, "nobody wrote, nobody answered");
    assert!(later[0].level < first);
    let silence = |alert: &Alert| {
        (alert.terms.iter()).any(|term| term.name == "silence" && term.share > 0.05)
    };
    assert!(silence(&later[0]));
    assert!(PIPELINE.look_again(&mut state, at(480)).is_empty(), "once");

    // The board shows an answer: the post comes again, changed.
    let answered = Post {
        revision: 2,
        answered_at: Some(at(50)),
        collected_at: at(51),
        ..grave
    };
    let (_, alerts) = hear(&mut state, answered);
    assert_eq!(alerts.len(), 1, "the alert is brought up to date");
    let told = &alerts[0];
    assert_eq!((told.update, told.event.answered_at), (1, Some(at(50))));
    assert_eq!(told.event.revisions, 1);
    assert!(score(&state, &event, 60) < waited - 0.2);

    hear(&mut state, post("2", "乙", 70));
    assert_eq!(
        state.window.event(&event).unwrap().unanswered_since(),
        Some(at(70)),
        "who complains after the answer waits again"
    );
}

#[test]
fn an_official_notice_of_the_matter_is_an_answer() {
    let mut state = PIPELINE.state();
    let opened = hear(&mut state, post("1", "甲", 0)).0.event.unwrap().id;
    let notice = Post {
        kind: SourceKind::Official,
        source: "县政府网站".to_owned(),
        title: "关于望江花园停水的情况说明".to_owned(),
        author: None,
        ..post("2", "", 5)
    };
    let joined = hear(&mut state, notice).0.event.unwrap().id;
    assert_eq!(joined, opened);
    let event = state.window.event(&opened).unwrap();
    assert_eq!(event.unanswered_since(), None);
    assert_eq!(event.negative_since_answer(), Some(0));
    assert_eq!(event.voices(), 1, "an office is no voice of the people");
}

#[test]
fn an_event_that_was_quiet_revives_and_one_that_is_long_over_is_found_again() {
    let mut state = PIPELINE.state();
    hear(&mut state, post("1", "甲", 0));
    let event = hear(&mut state, post("2", "乙", 24 * 10)).0.event.unwrap();
    let summary = state.window.event(&event.id).unwrap().summary();
    let turns: Vec<Turn> = summary.key_dates.iter().map(|date| date.what).collect();
    assert_eq!(turns.first(), Some(&Turn::First));
    assert!(turns.contains(&Turn::Revived), "{turns:?}");
    assert_eq!(summary.days.len(), 2);
    assert_eq!(summary.title, "望江花园停水没有人管");
    assert!(summary.gist.contains("停水"), "{}", summary.gist);

    let (assessment, alerts) = hear(&mut state, post("3", "丙", 24 * 120));
    assert_ne!(assessment.event.unwrap().id, event.id);
    assert!(
        state.window.event(&event.id).is_none(),
        "the window let it go"
    );
    let recurrence = alerts[0].event.recurrence.as_ref().unwrap();
    assert_eq!(
        (&recurrence.event, recurrence.last_at),
        (&event.id, at(240))
    );
}

#[test]
fn a_flood_of_small_events_is_one_digest_and_none_is_silent() {
    let few = Risk {
        most_alerts_an_hour: 20,
        ..Risk::default()
    };
    let pipeline = pipeline(SAMPLE, &few);
    let mut state = pipeline.state();
    let (mut rang, mut gathered, mut digests) = (0, 0, Vec::new());
    let sample = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    for (number, line) in sample.lines().enumerate() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let number = number.to_string();
        let post = Post {
            title: row["title"].as_str().unwrap().to_owned(),
            text: row["text"].as_str().unwrap().to_owned(),
            ..post(&number, &number, 1)
        };
        for alert in pipeline.assess(post, &mut state, at(1)).1 {
            let small = u32::from(alert.level == 4 && alert.update == 0);
            match (&alert.digest, alert.event.post_ids.is_empty()) {
                (None, true) => digests.push(alert),
                (None, false) => rang += small,
                (Some(_), _) => gathered += small,
            }
        }
    }
    assert_eq!(rang, 20);
    assert!(gathered > 20, "each has an alert of its own: {gathered}");
    let updates: Vec<u32> = digests.iter().map(|digest| digest.update).collect();
    assert!(updates.is_sorted() && updates.len() <= 7, "{updates:?}");
    assert!(digests.iter().all(|digest| digest.id == digests[0].id));
    let title = &digests[0].event.title;
    assert!(title.contains("3月2日9时"), "{title}");
}

#[test]
fn a_post_that_a_later_assessment_puts_elsewhere_moves_with_all_it_counts() {
    let mut state = PIPELINE.state();
    let mut last = None;
    for number in 0..6 {
        let id = number.to_string();
        last = Some(hear(&mut state, post(&id, &id, number)).0);
    }
    let mut moved = last.unwrap();
    let whole = moved.event.clone().unwrap().id;
    moved.event = Some(EventMembership {
        id: "another".to_owned(),
        title: "另一件事".to_owned(),
        similarity: 1.0,
        level: None,
        edit: None,
    });
    PIPELINE.restore(&moved, 6, &mut state);
    PIPELINE.restore(&moved, 6, &mut state);
    let summary = |id: &str| state.window.event(id).unwrap().summary();
    let (left, other) = (summary(&whole), summary("another"));
    assert_eq!(
        (left.posts, left.voices, left.sentiments.negative),
        (5, 5, 5)
    );
    assert_eq!((other.posts, other.voices), (1, 1));
    assert_eq!((left.last_at, other.first_at), (at(4), at(5)));
    let part = |event: &EventSummary| {
        let part = event.parts.first().unwrap();
        (part.name.clone(), part.posts)
    };
    assert_eq!(part(&left), ("城乡建设/水电气暖".to_owned(), 5));
    assert_eq!(part(&other), ("城乡建设/水电气暖".to_owned(), 1));
    assert_eq!(left.source_kinds, [SourceKind::Board]);
    assert!(!left.post_ids.contains(&moved.post.id));
}
