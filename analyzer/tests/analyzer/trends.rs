//! What is more than usual, and what events have in common, as a duty officer should hear of it: once, and not at all when it is
//! usual, or when too little is known.

use analyzer::settings::{self, Risk};
use analyzer::trend::Trends;
use backbone::message::{
    Assessment, Certainty, EventMembership, Message, Place, Post, Signal, SignalKind, SourceKind,
    Subject,
};
use jiff::{SignedDuration, Timestamp};

use crate::ground::{self, SAMPLE, pipeline};

const WEEK: i64 = 168;

/// Hours after Monday, 2 March 2026, 00:00 in China.
fn at(hours: i64) -> Timestamp {
    let monday: Timestamp = "2026-03-01T16:00:00Z".parse().unwrap();
    monday + SignedDuration::from_hours(hours) + SignedDuration::from_mins(10)
}

fn post(id: &str, hours: i64) -> Post {
    ground::post(id, ["夜间施工吵得睡不着", "工地半夜还在打桩"], at(hours))
}

/// A post about noise in Willow Bridge, of an event of its own.
fn assessed(id: &str, hours: i64) -> Assessment {
    let mut assessment = Assessment::unread(post(id, hours), "test", at(hours));
    assessment.relevant = true;
    assessment.subject = Some(Subject {
        name: "环境保护".to_owned(),
        second: "噪声扰民".to_owned(),
        probability: 0.9,
        because: Vec::new(),
    });
    assessment.places = vec![town("柳桥镇")];
    assessment.event = Some(EventMembership {
        id: format!("event of {id}"),
        title: "夜间施工".to_owned(),
        similarity: 1.0,
        level: None,
        edit: None,
    });
    assessment
}

fn town(name: &str) -> Place {
    Place {
        name: name.to_owned(),
        kind: "town".to_owned(),
        within: String::new(),
    }
}

fn about(first: &str, second: &str, mut assessment: Assessment) -> Assessment {
    let subject = assessment.subject.as_mut().unwrap();
    first.clone_into(&mut subject.name);
    second.clone_into(&mut subject.second);
    assessment
}

/// An office: what it knows, and what it was told.
#[derive(Default)]
struct Office {
    trends: Trends,
    settings: settings::Trends,
    told: Vec<Signal>,
    heard: Vec<Assessment>,
}

impl Office {
    /// After some weeks in which a region of middling size was heard: 8 posts each Monday at nine, 2 at nine and at fifteen o'clock
    /// on all days, of four subjects, in two towns.
    fn after(weeks: i64) -> Self {
        let mut office = Self::default();
        office.usual_weeks(0, weeks);
        office.told.clear();
        office
    }

    fn usual_weeks(&mut self, from: i64, to: i64) {
        for hours in from * WEEK..to * WEEK {
            let posts = match (hours % WEEK, hours % 24) {
                (9, _) => 8,
                (_, 9 | 15) => 2,
                _ => 0,
            };
            for number in 0..posts {
                self.hear(usual(hours, number));
            }
        }
        self.pass(to * WEEK);
    }

    fn hear(&mut self, assessment: Assessment) {
        self.heard.push(assessment.clone());
        let now = assessment.assessed_at;
        self.trends.hear(&self.settings, &assessment, now);
        let told = self.trends.take();
        assert!(told.iter().all(|signal| signal.check().is_ok()));
        self.told.extend(told);
    }

    fn pass(&mut self, hours: i64) {
        self.trends.pass(&self.settings, at(hours));
        self.told.extend(self.trends.take());
    }

    fn hear_many(&mut self, name: &str, hours: i64, count: i64) {
        for number in 0..count {
            self.hear(assessed(&format!("{name} {number}"), hours));
        }
    }

    /// The signals of a kind, each as it was first told.
    fn told_first(&self, kind: SignalKind) -> Vec<&Signal> {
        let told = self.told.iter();
        told.filter(|signal| signal.kind == kind && signal.update == 0)
            .collect()
    }
}

fn usual(hours: i64, number: i64) -> Assessment {
    let assessment = assessed(&format!("usual {hours} {number}"), hours);
    let mut assessment = match (hours / 24 + number) % 4 {
        0 => assessment,
        1 => about("城乡建设", "物业服务", assessment),
        2 => about("交通运输", "公交", assessment),
        _ => about("教育文体", "招生入学", assessment),
    };
    if hours % 48 < 24 {
        assessment.places = vec![town("石门镇")];
    }
    assessment
}

/// Saturday night of a week.
fn saturday_night(week: i64) -> i64 {
    week * WEEK + 5 * 24 + 22
}

#[test]
fn a_quiet_county_of_which_little_is_known_is_told_nothing() {
    let mut office = Office::after(3);
    office.hear_many("burst", saturday_night(3), 30);
    assert_eq!(office.told, Vec::new(), "three weeks are too few");

    let mut silent = Office::default();
    silent.hear_many("first", 0, 30);
    silent.pass(20 * WEEK);
    assert_eq!(silent.told, Vec::new());
}

#[test]
fn single_old_posts_are_no_history() {
    let mut office = Office::default();
    for week in [0, 20, 40, 60, 65] {
        office.hear_many(&format!("old {week}"), week * WEEK, 1);
    }
    office.usual_weeks(70, 72);
    office.hear_many("many", saturday_night(72), 30);
    office.pass(73 * WEEK);
    assert!(office.told.is_empty(), "{:?}", office.told);
}

#[test]
fn what_is_usual_on_monday_morning_is_a_burst_on_saturday_night() {
    let mut office = Office::after(6);
    office.hear_many("monday", 6 * WEEK + 9, 11);
    assert_eq!(office.told_first(SignalKind::Burst), Vec::<&Signal>::new());

    office.hear_many("saturday", saturday_night(6), 11);
    let bursts = office.told_first(SignalKind::Burst);
    assert_eq!(bursts.len(), 1, "{bursts:?}");
    let burst = bursts[0];
    assert_eq!((burst.subject.as_str(), burst.weeks), ("环境保护", 6));
    assert!(burst.usual < 1.0, "{burst:?}");
    assert!(
        burst.title.starts_with("4月18日22时 环境保护 突增：1小时"),
        "{}",
        burst.title
    );
    assert!(burst.title.ends_with("条（据6周）"), "{}", burst.title);
    assert_eq!(burst.places[0].name, "柳桥镇");
    assert_eq!(burst.subjects[0].name, "噪声扰民");
    assert!(burst.event_count >= 5);
}

#[test]
fn a_burst_is_told_again_when_it_doubles_and_when_it_is_over_and_not_for_each_post() {
    let mut office = Office::after(6);
    office.hear_many("burst", saturday_night(6), 40);
    let told: Vec<(u32, u32)> = (office.told.iter())
        .map(|signal| (signal.update, signal.count))
        .collect();
    assert!((2..=4).contains(&told.len()), "{told:?}");
    for pair in told.windows(2) {
        assert_eq!(pair[1].0, pair[0].0 + 1);
        assert!(pair[1].1 >= pair[0].1 * 2, "{told:?}");
    }
    office.pass(saturday_night(6) + 12);
    assert!(office.told.last().unwrap().over_at.is_none());
    office.pass(saturday_night(6) + 13);
    let last = office.told.last().unwrap();
    assert_eq!(
        last.over_at,
        Some(at(saturday_night(6) + 1) - SignedDuration::from_mins(10))
    );
    assert_eq!(last.count, 40, "its greatest count");
    assert_eq!(last.events.len(), 20);
    assert!(office.told.iter().all(|signal| signal.id == last.id));

    // The next one is another.
    office.hear_many("again", saturday_night(7), 40);
    assert_eq!(office.told_first(SignalKind::Burst).len(), 2);
}

#[test]
fn one_voice_and_one_matter_are_no_burst() {
    let mut office = Office::after(6);
    for number in 0..40 {
        let mut by_one = assessed(&format!("{number}"), saturday_night(6));
        by_one.post.author = Some("甲".to_owned());
        office.hear(by_one);
    }
    for number in 0..40 {
        // Nobody knows who wrote: copies of one matter.
        let mut copy = assessed(&format!("copy {number}"), saturday_night(6));
        copy.post.author = None;
        copy.event.as_mut().unwrap().id = "one".to_owned();
        office.hear(copy);
    }
    for number in 0..40 {
        let mut telling = assessed(&format!("telling {number}"), saturday_night(6));
        telling.event.as_mut().unwrap().id = "one".to_owned();
        office.hear(telling);
    }
    let notices = (0..40).map(|number| {
        let mut notice = assessed(&format!("notice {number}"), saturday_night(6));
        notice.post.kind = SourceKind::Official;
        notice
    });
    notices.for_each(|notice| office.hear(notice));
    assert!(
        office.told.is_empty(),
        "of one event its alerts tell: {:?}",
        office.told
    );
}

#[test]
fn old_posts_that_come_now_count_in_their_own_hours() {
    let mut office = Office::after(6);
    for number in 0..300 {
        let mut old = assessed(&format!("old {number}"), number % 40 * 24 + 22);
        old.post.collected_at = at(6 * WEEK);
        old.assessed_at = at(6 * WEEK);
        office.hear(old);
    }
    assert!(office.told.is_empty(), "a backfill");
    for number in 0..12 {
        // Of which only the day is known, as of many columns.
        let mut of_a_day = assessed(&format!("day {number}"), 6 * WEEK - 48);
        of_a_day.post.certainty = Certainty::Day;
        of_a_day.assessed_at = at(6 * WEEK);
        office.hear(of_a_day);
    }
    assert!(office.told.is_empty(), "too late to be a burst");
    office.hear_many("now", saturday_night(6), 9);
    assert!(
        office.told_first(SignalKind::Burst).is_empty(),
        "what was imported tells that seven an evening are usual: {:?}",
        office.told
    );
}

#[test]
fn a_new_source_is_no_burst_and_raises_what_is_usual() {
    let mut office = Office::after(6);
    let of_new = |week: i64, day: i64, number: i64| {
        let hours = week * WEEK + day * 24 + 20;
        let mut of_new = assessed(&format!("new {week} {day} {number}"), hours);
        of_new.post.source = "热线".to_owned();
        of_new
    };
    for week in 6..10 {
        office.usual_weeks(week, week);
        for day in 0..7 {
            for number in 0..10 {
                office.hear(of_new(week, day, number));
            }
        }
    }
    assert!(
        office.told_first(SignalKind::Burst).is_empty(),
        "ten an evening is what it brings: {:?}",
        office.told_first(SignalKind::Burst)
    );
}

#[test]
fn a_subject_in_seven_places_is_a_common_problem_and_in_two_is_not() {
    let mut office = Office::after(6);
    let names = ["甲镇", "乙镇", "丙镇", "丁镇", "戊镇", "己镇", "庚镇"];
    for (day, name) in (0..).zip(names) {
        let mut straw = about(
            "环境保护",
            "大气污染",
            assessed(name, 6 * WEEK + day * 24 + 11),
        );
        straw.places = vec![town(name)];
        office.hear(straw);
    }
    office.pass(6 * WEEK + 8 * 24);
    let found = office.told_first(SignalKind::ManyPlaces);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].second.as_str(), found[0].count), ("大气污染", 6));
    assert_eq!(found[0].usual, 0.0);
    assert_eq!(
        found[0].title,
        "环境保护·大气污染 多地同类：近14天6处有反映（丁镇、丙镇、乙镇等），平常约0.0处（据6周）"
    );
    assert_eq!(found[0].event_count, 6);
    // Over a week later, and told so.
    office.pass(6 * WEEK + 40 * 24);
    let last = office.told.last().unwrap();
    assert_eq!((&last.id, last.update), (&found_id(&office), 1));
    assert!(last.over_at.is_some());

    // One matter that is told in seven towns is one event.
    let mut office = Office::after(6);
    for (day, name) in (0..).zip(names) {
        let mut copy = about(
            "环境保护",
            "大气污染",
            assessed(name, 6 * WEEK + day * 24 + 11),
        );
        copy.places = vec![town(name)];
        copy.event.as_mut().unwrap().id = "one".to_owned();
        office.hear(copy);
    }
    office.pass(6 * WEEK + 8 * 24);
    assert!(office.told_first(SignalKind::ManyPlaces).is_empty());
}

fn found_id(office: &Office) -> String {
    office.told_first(SignalKind::ManyPlaces)[0].id.clone()
}

#[test]
fn a_place_of_six_subjects_is_told_where_it_has_few() {
    let mut office = Office::after(6);
    let subjects = [
        ("环境保护", "大气污染"),
        ("交通运输", "公路建设"),
        ("农业农村", "农田水利"),
        ("民政", "低保救助"),
        ("卫生计生", "医疗服务"),
        ("公安交管", "交通秩序"),
    ];
    for (day, (first, second)) in (0..).zip(subjects) {
        let mut assessment = about(first, second, assessed(second, 6 * WEEK + day * 24 + 11));
        assessment.places = vec![Place {
            name: "红土坳村".to_owned(),
            kind: "village".to_owned(),
            within: "望江镇".to_owned(),
        }];
        office.hear(assessment);
    }
    office.pass(6 * WEEK + 8 * 24);
    let found = office.told_first(SignalKind::ManySubjects);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, "望江镇");
    assert!(
        found[0]
            .title
            .starts_with("望江镇 一地多类：近14天有6类事项反映（"),
        "{}",
        found[0].title
    );
    assert!(
        office.told_first(SignalKind::ManyPlaces).is_empty(),
        "each subject in one place"
    );
}

#[test]
fn a_subject_that_rises_over_eight_weeks_is_told_once_and_brought_up_to_date() {
    let mut office = Office::default();
    for (week, count) in (0..).zip([3, 4, 4, 6, 7, 8, 11, 14, 16]) {
        for number in 0..count {
            let day = number % 7;
            let hours = week * WEEK + day * 24 + 19;
            let id = format!("rising {week} {number}");
            office.hear(about("城乡建设", "老旧小区", assessed(&id, hours)));
        }
        // Within a week the order of the days is that of the hours.
        office.usual_weeks(week, week + 1);
    }
    office.pass(9 * WEEK + 7);
    let told: Vec<&Signal> = (office.told.iter())
        .filter(|signal| signal.kind == SignalKind::Rise)
        .collect();
    let first = told[0];
    assert_eq!(
        (first.subject.as_str(), first.second.as_str(), first.update),
        ("城乡建设", "老旧小区", 0)
    );
    assert!(
        first.weekly.len() >= 6 && first.weekly.is_sorted(),
        "{first:?}"
    );
    let last = told.last().unwrap();
    assert_eq!(last.weekly, [4, 4, 6, 7, 8, 11, 14, 16]);
    assert_eq!(
        last.title,
        "城乡建设·老旧小区 持续上升：8周间由每周4条升至16条"
    );
    assert!(told.iter().all(|signal| signal.id == first.id), "{told:?}");
    for pair in told.windows(2) {
        assert_eq!(pair[1].update, pair[0].update + 1);
        assert!(pair[0].ends < pair[1].ends, "once a week");
    }
    office.pass(20 * WEEK);
    assert!(office.told.last().unwrap().over_at.is_some());
}

#[test]
fn a_rebuild_gives_the_same_state_and_repeats_nothing() {
    let mut office = Office::after(6);
    office.hear_many("burst", saturday_night(6), 13);
    assert_eq!(office.told_first(SignalKind::Burst).len(), 1);

    // The process is killed, and another reads what was written.
    let mut rebuilt = Office::default();
    for signal in &office.told {
        rebuilt.trends.told(signal);
    }
    for assessment in &office.heard {
        rebuilt.trends.restore(&rebuilt.settings, assessment);
    }
    assert!(rebuilt.trends.take().is_empty(), "told already");

    // A copy kept as a checkpoint goes on the same way, too.
    let kept = serde_json::to_vec(&office.trends).unwrap();
    let mut checkpoint = Office {
        trends: serde_json::from_slice(&kept).unwrap(),
        ..Office::default()
    };
    office.told.clear();
    for office in [&mut office, &mut rebuilt, &mut checkpoint] {
        office.hear_many("more", saturday_night(6), 30);
        office.pass(7 * WEEK);
        office.hear_many("later", saturday_night(7), 20);
        office.pass(8 * WEEK);
    }
    assert!(office.told.len() > 3);
    assert!(office.told[0].update > 0, "{:?}", office.told[0]);
    assert_eq!(office.told, rebuilt.told);
    assert_eq!(office.told, checkpoint.told);
}

#[test]
fn a_post_that_is_delivered_again_or_revised_is_counted_once() {
    let pipeline = pipeline(SAMPLE, &Risk::default());
    let tellings = [
        "柳桥镇中心小学门口夜间施工噪声扰民，半夜两点还在打桩",
        "石门镇菜市场旁的垃圾站恶臭，苍蝇满天飞没人清运",
        "望江镇自来水停水三天，物业不接电话，老人没有水喝",
        "云台乡通村公路路面坑洼，摩托车摔伤了好几个人",
        "青源乡秸秆焚烧黑烟滚滚，孩子咳嗽得厉害",
        "青禾大道路灯不亮，晚上走路看不清，希望修一修",
        "鹿鸣湖景区乱收停车费，游客意见很大",
    ];
    let of = |number: usize, week: i64, revision: u32| {
        let id = format!("{week} {number}");
        let hours = week * WEEK + if week < 6 { 60 } else { 21 };
        Post {
            title: String::new(),
            text: tellings[number].to_owned(),
            revision,
            ..post(&id, hours)
        }
    };
    let mut state = pipeline.state();
    let mut told = Vec::new();
    let mut assess = |post: Post, told: &mut Vec<Signal>| {
        let now = post.collected_at;
        pipeline.look_again(&mut state, now);
        pipeline.assess_as_relevant(post, &mut state, now);
        told.extend(pipeline.signals(&mut state));
    };
    for week in 0..6 {
        for number in 0..2 {
            assess(of(number, week, 1), &mut told);
        }
    }
    for revision in [1, 1, 1, 2, 3, 4] {
        for number in 0..4 {
            assess(of(number, 6, revision), &mut told);
        }
    }
    assert!(told.is_empty(), "four posts, often: {told:?}");
    for number in 4..7 {
        assess(of(number, 6, 1), &mut told);
    }
    let bursts: Vec<_> = (told.iter())
        .filter(|signal| signal.kind == SignalKind::Burst)
        .collect();
    assert_eq!(bursts.len(), 1, "{told:?}");
    assert!((5..=7).contains(&bursts[0].count));
    let titles = bursts[0].events.iter().map(|event| event.title.as_str());
    assert!(titles.into_iter().all(|title| !title.is_empty()));
}
