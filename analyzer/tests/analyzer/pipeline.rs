//! The chain on the sample county's posts: what a day's posts become.

use analyzer::pipeline::Pipeline;
use analyzer::settings::Risk;
use analyzer::state::State;
use backbone::message::{Alert, Assessment, Post};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::ground::{SAMPLE, pipeline, post, project};

#[derive(Deserialize)]
struct Row {
    id: String,
    user: String,
    title: String,
    time: String,
    text: String,
}

fn sample() -> Vec<Post> {
    let text = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let row: Row = serde_json::from_str(line).unwrap();
            let time: DateTime = row.time.replace(' ', "T").parse().unwrap();
            let published = TimeZone::fixed(jiff::tz::offset(8))
                .to_timestamp(time)
                .unwrap();
            Post {
                author: Some(row.user),
                ..post(&row.id, [&row.title, &row.text], published)
            }
        })
        .collect()
}

fn assess(
    pipeline: &Pipeline,
    state: &mut State,
    posts: Vec<Post>,
) -> (Vec<Assessment>, Vec<Alert>) {
    let (mut assessments, mut alerts) = (Vec::new(), Vec::new());
    for post in posts {
        let now = post.collected_at;
        alerts.extend(pipeline.look_again(state, now));
        let (assessment, raised) = pipeline.assess(post, state, now);
        assessments.push(assessment);
        alerts.extend(raised);
    }
    (assessments, alerts)
}

#[test]
fn a_matter_told_by_many_becomes_one_event_that_rises() {
    let pipeline = pipeline(SAMPLE, &Risk::default());
    let (assessments, alerts) = assess(&pipeline, &mut pipeline.state(), sample());
    let water: Vec<&Assessment> = assessments
        .iter()
        .filter(|assessment| {
            assessment.post.text.contains("望江花园") && assessment.post.text.contains("停水")
        })
        .collect();
    assert!(water.len() >= 8);
    let mut events: Vec<&str> = water
        .iter()
        .filter_map(|assessment| assessment.event.as_ref())
        .map(|event| event.id.as_str())
        .collect();
    events.sort_unstable();
    let largest = events
        .chunk_by(|one, other| one == other)
        .map(<[_]>::len)
        .max()
        .unwrap();
    assert!(
        largest >= 6,
        "{largest} of {} posts met in one event",
        water.len()
    );

    let largest = alerts.iter().max_by_key(|alert| alert.event.posts).unwrap();
    let levels: Vec<u8> = alerts
        .iter()
        .filter(|alert| alert.event.id == largest.event.id && alert.update == 0)
        .map(|alert| alert.level)
        .collect();
    assert!(
        levels.len() >= 2,
        "an event told by many rises above its first level: {levels:?}"
    );
    assert!(
        levels.is_sorted_by(|before, after| before > after),
        "one alert per level: {levels:?}"
    );
}

#[test]
fn what_does_not_concern_the_county_stays_out() {
    let pipeline = pipeline(SAMPLE, &Risk::default());
    let (assessments, _) = assess(&pipeline, &mut pipeline.state(), sample());
    let irrelevant = assessments
        .iter()
        .filter(|assessment| !assessment.relevant)
        .count();
    assert_eq!((assessments.len(), irrelevant), (150, 6));
    assert!(
        assessments
            .iter()
            .filter(|assessment| !assessment.relevant)
            .all(|assessment| assessment.event.is_none() && assessment.units.is_empty())
    );
}

#[test]
fn a_window_rebuilt_from_assessments_goes_on_as_the_first_one() {
    let pipeline = pipeline(SAMPLE, &Risk::default());
    let posts = sample();
    let (mut first, mut later) = (posts.clone(), posts.clone());
    later.drain(..75);
    first.truncate(75);

    let mut state = pipeline.state();
    let (before, raised) = assess(&pipeline, &mut state, first.clone());
    let (expected, expected_alerts) = assess(&pipeline, &mut state, later.clone());

    let mut rebuilt = pipeline.state();
    for alert in &raised {
        rebuilt.restore_alert(alert);
    }
    for (offset, assessment) in before.iter().enumerate() {
        pipeline.restore(assessment, offset as i64, &mut rebuilt);
    }
    pipeline.settle(&mut rebuilt, first.last().unwrap().collected_at);
    let (again, no_alerts) = assess(&pipeline, &mut rebuilt, first);
    assert_eq!(
        no_alerts,
        [],
        "what was assessed before raises nothing again"
    );
    let event = |assessment: &Assessment| assessment.event.as_ref().map(|event| event.id.clone());
    assert!(again.iter().map(event).eq(before.iter().map(event)));
    let (after, alerts) = assess(&pipeline, &mut rebuilt, later);
    assert_eq!(after, expected);
    assert_eq!(alerts, expected_alerts);
}

#[test]
fn posts_far_apart_in_time_are_events_of_their_own() {
    let pipeline = pipeline(SAMPLE, &Risk::default());
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let told = |id: &str, time: &str| {
        let telling = [
            "青禾县望江花园停水",
            "望江花园小区又停水了，三天没有水用，物业不接电话",
        ];
        Post {
            author: None,
            ..post(id, telling, at(time))
        }
    };
    let (assessments, _) = assess(
        &pipeline,
        &mut pipeline.state(),
        vec![
            told("1", "2026-03-01T00:00:00Z"),
            told("2", "2026-03-20T00:00:00Z"),
            told("3", "2026-08-01T00:00:00Z"),
        ],
    );
    let events: Vec<&str> = assessments
        .iter()
        .filter_map(|assessment| assessment.event.as_ref())
        .map(|event| event.id.as_str())
        .collect();
    assert_eq!(events.first(), events.get(1));
    assert_ne!(events.first(), events.get(2));
}
