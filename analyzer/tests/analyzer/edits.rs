//! A duty officer says that two events are one matter, or that one is two; it sticks, whatever comes and whatever is killed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use analyzer::explain::Gathered;
use analyzer::pipeline::Pipeline;
use analyzer::settings::Risk;
use analyzer::state::State;
use backbone::id;
use backbone::message::{Alert, Assessment, Change, EventEdit, EventSummary, Post, encode};
use jiff::{SignedDuration, Timestamp};

use crate::ground::{self, SAMPLE, pipeline};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| pipeline(SAMPLE, &Risk::default()));

fn at(hours: i64) -> Timestamp {
    let monday: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    monday + SignedDuration::from_hours(hours)
}

/// Two tellings that the analyzer does not find alike, though an officer knows that the works broke the pipe.
const DRY: [&str; 2] = [
    "投诉望江花园停水没有人管",
    "青禾县望江花园小区又停水了，三天没有水用，物业不接电话，没有人管，老百姓怎么生活",
];
const WORKS: [&str; 2] = [
    "青禾县地铁口工地夜里打桩",
    "青禾县城东工地每天夜里打桩到两点，噪音太大，孩子睡不着觉，请城管来查处违规施工",
];

fn post(id: &str, telling: [&str; 2], hours: i64) -> Post {
    let text = format!("{}。留言{id}", telling[1]);
    ground::post(id, [telling[0], &text], at(hours))
}

/// A partition: what was written to it, and what is known of it.
struct Partition {
    state: State,
    written: Vec<Assessment>,
    alerts: Vec<Alert>,
}

impl Partition {
    fn new() -> Self {
        Self {
            state: PIPELINE.state(),
            written: Vec::new(),
            alerts: Vec::new(),
        }
    }

    fn write(&mut self, assessment: Assessment) {
        let offset = self.written.len() as i64;
        self.state.window.written(&assessment.post, offset);
        self.written.push(assessment);
    }

    /// A post comes; gives the event it joined.
    fn hear(&mut self, post: Post) -> String {
        let now = post.collected_at;
        let (assessment, alerts) = PIPELINE.assess(post, &mut self.state, now);
        let event = assessment.event.clone().unwrap().id;
        self.alerts.extend(alerts);
        self.write(assessment);
        event
    }

    /// An edit comes; `most` of the assessments it moves are written before all is killed.
    fn edit_until(&mut self, edit: &EventEdit, offset: i64, most: usize) -> Vec<Alert> {
        let offsets = self.state.window.moved_by(edit);
        let moved = (offsets.iter())
            .map(|offset| self.written[usize::try_from(*offset).unwrap()].clone())
            .collect();
        let edited = PIPELINE.edit(edit, offset, moved, &mut self.state, at(100));
        self.alerts.extend(edited.alerts.clone());
        for assessment in edited.assessments.into_iter().take(most) {
            self.write(assessment);
        }
        edited.alerts
    }

    fn edit(&mut self, edit: &EventEdit, offset: i64) -> Vec<Alert> {
        self.edit_until(edit, offset, usize::MAX)
    }

    /// All is killed and started again.
    fn rebuild(&mut self) {
        self.state = PIPELINE.state();
        for alert in &self.alerts {
            self.state.restore_alert(alert);
        }
        for (offset, assessment) in self.written.iter().enumerate() {
            PIPELINE.restore(assessment, offset as i64, &mut self.state);
        }
        PIPELINE.settle(&mut self.state, at(100));
    }

    fn events(&self) -> BTreeMap<String, EventSummary> {
        let events = self.state.window.events();
        events
            .map(|event| (event.id().to_owned(), event.summary()))
            .collect()
    }

    fn posts(&self, event: &str) -> Vec<String> {
        let event = self.state.window.event(event);
        let mut posts = event
            .map(|event| event.summary().post_ids)
            .unwrap_or_default();
        posts.sort();
        posts
    }
}

fn edit(name: &str, change: Change) -> EventEdit {
    EventEdit {
        id: name.to_owned(),
        region: "990101".to_owned(),
        change,
        role: "duty-officer".to_owned(),
        at: at(100),
    }
}

fn merge(from: &str, into: &str) -> EventEdit {
    edit(
        "a merge",
        Change::Merge {
            from: from.to_owned(),
            into: into.to_owned(),
        },
    )
}

fn split(event: &str, posts: &[&str], title: Option<&str>) -> EventEdit {
    let posts = posts.iter().map(|post| (*post).to_owned()).collect();
    edit(
        "a split",
        Change::Split {
            event: event.to_owned(),
            posts,
            title: title.map(str::to_owned),
        },
    )
}

/// Twelve posts of no water and three of the works.
fn two_events() -> (Partition, String, String) {
    let mut partition = Partition::new();
    for number in 0..12 {
        partition.hear(post(&format!("w{number:02}"), DRY, number));
    }
    for number in 0..3 {
        partition.hear(post(&format!("n{number}"), WORKS, 20 + number));
    }
    let event = |post: &str| id::of_event("990101", post);
    let (dry, works) = (event("w00"), event("n0"));
    assert_eq!(partition.posts(&dry).len(), 12, "{:?}", partition.events());
    assert_eq!(partition.posts(&works), ["n0", "n1", "n2"]);
    (partition, dry, works)
}

#[test]
fn merged_events_stay_one_and_take_the_posts_that_are_like_either() {
    let (mut partition, dry, works) = two_events();
    partition.edit(&merge(&works, &dry), 7);
    assert_eq!(partition.posts(&dry).len(), 15);
    assert!(partition.state.window.event(&works).is_none(), "it ended");
    for (offset, assessment) in partition.written.iter().enumerate().skip(15) {
        let membership = assessment.event.as_ref().unwrap();
        assert_eq!(
            (membership.id.as_str(), membership.edit),
            (dry.as_str(), Some(7)),
            "{offset}"
        );
        assert_eq!(assessment.assessed_at, at(100));
    }
    assert_eq!(
        partition.written.len(),
        18,
        "only the posts that move are written again"
    );

    assert_eq!(partition.hear(post("n8", WORKS, 30)), dry);
    assert_eq!(partition.hear(post("w80", DRY, 31)), dry);
    let revised = Post {
        revision: 2,
        ..post("n1", WORKS, 32)
    };
    assert_eq!(partition.hear(revised), dry, "a revision");
    assert_eq!(
        partition.hear(post("n0", WORKS, 20)),
        dry,
        "delivered again"
    );

    let before = partition.events();
    partition.rebuild();
    assert_eq!(
        partition.events(),
        before,
        "after a restart all is as it was"
    );
    assert_eq!(partition.state.window.edited(), Some(7));
    assert_eq!(partition.hear(post("n9", WORKS, 40)), dry);
}

#[test]
fn a_single_post_merged_into_a_great_event_still_draws_its_like() {
    let mut partition = Partition::new();
    for number in 0..20 {
        partition.hear(post(&format!("w{number:02}"), DRY, number));
    }
    let works = partition.hear(post("n0", WORKS, 20));
    let dry = id::of_event("990101", "w00");
    partition.edit(&merge(&works, &dry), 0);
    assert_eq!(partition.hear(post("n1", WORKS, 21)), dry);
    assert_eq!(partition.hear(post("w20", DRY, 22)), dry);
    partition.rebuild();
    assert_eq!(partition.hear(post("n2", WORKS, 23)), dry);
}

#[test]
fn the_same_edit_again_changes_nothing_and_one_of_unknown_events_does_neither() {
    let (mut partition, dry, works) = two_events();
    let said = [merge(&works, &dry), split(&dry, &["n1", "w03"], None)];
    for round in 0..3 {
        for (offset, edit) in said.iter().enumerate() {
            if round > 0 {
                assert_eq!(partition.edit(edit, offset as i64), []);
            } else {
                partition.edit(edit, offset as i64);
            }
        }
        assert_eq!(partition.written.len(), 15 + 3 + 2, "round {round}");
        partition.rebuild();
    }
    let before = partition.events();
    let mut elsewhere = split(&dry, &["w01"], None);
    elsewhere.region = "990000".to_owned();
    for edit in [
        merge("unknown", &dry),
        merge(&dry, "unknown"),
        split("unknown", &["w01"], None),
        split(&dry, &["unknown"], None),
        elsewhere,
    ] {
        assert_eq!(partition.edit(&edit, 9), []);
    }
    assert_eq!(partition.events(), before);
    assert_eq!(partition.state.window.edited(), Some(9));
}

#[test]
fn posts_split_off_are_an_event_of_their_own_that_new_posts_like_them_join() {
    let (mut partition, dry, works) = two_events();
    partition.edit(&merge(&works, &dry), 0);
    let said = split(&dry, &["n0", "n1", "n2"], Some(" 城东工地夜间施工 "));
    partition.edit(&said, 1);
    let own = id::of_split(&said.id);
    assert_eq!(partition.posts(&own), ["n0", "n1", "n2"]);
    assert_eq!(partition.posts(&dry).len(), 12);
    let event = partition.state.window.event(&own).unwrap();
    assert_eq!(event.title(), "城东工地夜间施工");

    assert_eq!(partition.hear(post("n8", WORKS, 30)), own);
    assert_eq!(partition.hear(post("w80", DRY, 31)), dry);
    assert_eq!(
        partition.hear(post("n2", WORKS, 22)),
        own,
        "delivered again"
    );
    let before = partition.events();
    partition.rebuild();
    assert_eq!(partition.events(), before);
    assert_eq!(partition.hear(post("n9", WORKS, 40)), own);
}

#[test]
fn an_edit_killed_in_the_middle_is_done_to_its_end_after_the_restart() {
    for most in 0..=3 {
        let (mut partition, dry, works) = two_events();
        let said = merge(&works, &dry);
        partition.edit_until(&said, 4, most);
        partition.rebuild();
        let trace = (most > 0).then_some(4);
        assert_eq!(
            partition.state.window.edited(),
            trace,
            "it goes on from there"
        );
        assert_eq!(partition.posts(&works).len(), 3 - most);
        partition.edit(&said, 4);
        assert_eq!(partition.posts(&dry).len(), 15);
        assert_eq!(partition.written.len(), 18, "each post is written once");

        let said = split(&dry, &["n0", "n1", "n2"], None);
        partition.edit_until(&said, 5, most);
        partition.rebuild();
        partition.edit(&said, 5);
        assert_eq!(partition.posts(&id::of_split(&said.id)), ["n0", "n1", "n2"]);
        assert_eq!(partition.written.len(), 21);
    }
}

#[test]
fn a_merged_event_is_alerted_for_the_level_it_reaches_and_the_one_that_ended_for_nothing() {
    let mut partition = Partition::new();
    for number in 0..9 {
        partition.hear(post(&format!("w{number:02}"), DRY, 0));
        partition.hear(post(&format!("n{number}"), WORKS, 0));
    }
    let event = |post: &str| id::of_event("990101", post);
    let (dry, works) = (event("w00"), event("n0"));
    let level = |partition: &Partition, event: &str| {
        partition
            .state
            .window
            .event(event)
            .unwrap()
            .alerted()
            .level()
    };
    let before = level(&partition, &dry).unwrap();
    let alerts = partition.edit(&merge(&works, &dry), 0);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let alert = &alerts[0];
    assert_eq!(
        (alert.event.id.as_str(), alert.event.posts),
        (dry.as_str(), 18)
    );
    assert_eq!(alert.event.voices, 18);
    assert!(alert.level < before || alert.update > 0, "{alert:?}");
    assert_eq!(level(&partition, &dry), Some(alert.level.min(before)));

    // Nobody answers for weeks: only the event that is left rises.
    let later = PIPELINE.look_again(&mut partition.state, at(500));
    assert!(later.iter().all(|alert| alert.event.id == dry), "{later:?}");
    partition.alerts.extend(later);
    partition.rebuild();
    assert!(
        PIPELINE
            .look_again(&mut partition.state, at(500))
            .is_empty(),
        "none again"
    );
}

#[test]
fn an_assessment_older_than_the_edit_moves_nothing_back() {
    let (mut partition, dry, works) = two_events();
    let stale = partition.written[13].clone();
    assert_eq!(stale.event.as_ref().unwrap().id, works);
    partition.edit(&merge(&works, &dry), 0);
    partition.write(stale);
    partition.rebuild();
    assert_eq!(partition.posts(&dry).len(), 15);
}

#[test]
fn an_event_is_explained_by_its_terms_its_words_and_what_was_alerted() {
    let (mut partition, dry, works) = two_events();
    partition.edit(&merge(&works, &dry), 3);
    partition.hear(post("n8", WORKS, 30));
    let gather = |event: &str| {
        let mut gathered = Gathered::new(&PIPELINE, event);
        for alert in &partition.alerts {
            if Gathered::wants(event, &encode(alert).unwrap()) {
                gathered.alert(alert.clone());
            }
        }
        for (offset, assessment) in partition.written.iter().enumerate() {
            if Gathered::wants(event, &encode(assessment).unwrap()) {
                gathered.assessment(&PIPELINE, assessment, offset as i64);
            }
        }
        gathered
    };
    let explained = gather(&dry)
        .explain(&PIPELINE, &Risk::default(), at(40))
        .unwrap();
    let event = partition.state.window.event(&dry).unwrap();
    let assessed = PIPELINE.risk(event, at(40)).unwrap();
    assert_eq!(explained.score, assessed.score);
    assert_eq!(explained.event, event.summary());
    let sum: f64 = explained
        .terms
        .iter()
        .map(|term| term.weight * term.value)
        .sum();
    let answer = explained
        .terms
        .iter()
        .find(|term| term.name == "answer")
        .unwrap();
    assert!((sum - 2.0 * answer.weight * answer.value - explained.score).abs() < 1e-9);
    let because = |name: &str| {
        let term = explained.terms.iter().find(|term| term.name == name);
        term.unwrap().because.clone()
    };
    assert_eq!(because("voices"), "16人");
    assert!(
        because("silence").contains("已等待答复40.0小时"),
        "{}",
        because("silence")
    );
    assert!(
        because("sentiment").contains("停水"),
        "{}",
        because("sentiment")
    );
    assert_eq!(
        explained.alerts.len(),
        partition
            .alerts
            .iter()
            .filter(|alert| alert.event.id == dry)
            .count()
    );
    let mut plain = Vec::new();
    explained.write(&mut plain).unwrap();
    let plain = String::from_utf8(plain).unwrap();
    // Forty hours after Monday 08:00 in China.
    for part in [
        "voices",
        "16人",
        "score",
        "Ⅰ 0.75",
        "首次",
        "as of      2026-03-04 00:00",
    ] {
        assert!(plain.contains(part), "{part}: {plain}");
    }

    let ended = gather(&works);
    assert!(ended.explain(&PIPELINE, &Risk::default(), at(40)).is_none());
    assert_eq!(ended.ended_in(), Some(dry));
    assert_eq!(gather("unknown").ended_in(), None);
}
