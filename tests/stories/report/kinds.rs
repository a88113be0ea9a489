//! The daily brief, the special report of an event, questions, what to publish and the policy note, each counted anew from the file.

use std::collections::{BTreeMap, BTreeSet};

use backbone::message::Polarity;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use responder::case::{Action, Actor, Deed, Role};
use responder::commitment::NewCommitment;
use responder::knowledge::{Content, Knowledge};
use responder::report::{MakeError, Policy, Wanted, make};
use responder::routing::{Routed, Routing};
use responder::trend::Period;
use serde_json::Value;

use super::{Office, keep_all, lines, office, office_of, value};

fn half() -> Period {
    Period {
        from: date(2019, 1, 1),
        to: date(2019, 6, 30),
    }
}

/// The whole of what the file has, where it is not the board's.
fn span(office: &Office) -> Period {
    let of_board = office.lines.len() > 1_000;
    if of_board {
        half()
    } else {
        Period {
            from: office.lines[0].day(),
            to: office.lines[office.lines.len() - 1].day(),
        }
    }
}

fn on(office: &Office, day: Date) -> usize {
    office.of(Period::until(day, 1)).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_told_against_its_like_and_with_what_began_on_it() {
    let office = office().await;
    let mut days: BTreeMap<Date, usize> = BTreeMap::new();
    let last = span(&office).to;
    for line in office.lines.iter().filter(|line| line.day() <= last) {
        *days.entry(line.day()).or_default() += 1;
    }
    let (busiest, _) = days
        .into_iter()
        .max_by_key(|(day, posts)| (*posts, *day))
        .unwrap();
    let made = office.make(&Wanted::Daily(Period::until(busiest, 1))).await;
    let now = office.of(Period::until(busiest, 1));
    assert_eq!(value(&made, "/posts/value") as usize, now.len());
    let negative = now
        .iter()
        .filter(|(_, read)| read.sentiment.label == Polarity::Negative);
    assert_eq!(value(&made, "/negative/value") as usize, negative.count());
    assert_eq!(
        value(&made, "/day_before") as usize,
        on(&office, busiest.yesterday().unwrap())
    );
    let first = office.lines[0].day();
    let like: Vec<usize> = (1..=8)
        .map(|week| busiest - (7 * week).days())
        .take_while(|day| *day >= first)
        .map(|day| on(&office, day))
        .collect();
    if like.len() >= 4 {
        let mean = like.iter().sum::<usize>() as f64 / like.len() as f64;
        assert!((value(&made, "/usual/posts") - mean).abs() < 1e-9);
    } else {
        assert_eq!(made.facts["usual"], Value::Null);
    }
    // Events without a post before.
    let mut begun: BTreeMap<&str, Date> = BTreeMap::new();
    for (line, read) in office.lines.iter().zip(&office.read) {
        if let Some(event) = &read.event {
            begun.entry(&event.id).or_insert(line.day());
        }
    }
    for event in made.facts["new"].as_array().unwrap() {
        assert_eq!(begun[event["id"].as_str().unwrap()], busiest);
    }
    for kind in ["new", "growing", "grave"] {
        for event in made.facts[kind].as_array().unwrap() {
            let id = event["id"].as_str().unwrap();
            let of = |day: Date| {
                let posts = office.of(Period::until(day, 1));
                let own = posts
                    .iter()
                    .filter(|(_, read)| read.event.as_ref().is_some_and(|event| event.id == id));
                own.count()
            };
            assert_eq!(
                event["posts"]["value"].as_f64().unwrap() as usize,
                of(busiest)
            );
            assert_eq!(
                event["day_before"].as_u64().unwrap() as usize,
                of(busiest.yesterday().unwrap())
            );
        }
    }
    keep_all("daily", &made);
    // A day after all, and the first of all.
    let empty = office.lines[office.lines.len() - 1].day() + 3.days();
    let made = office.make(&Wanted::Daily(Period::until(empty, 1))).await;
    for said in [
        "没有收到涉及",
        "没有新事件",
        "当日没有立案",
        "没有必须当天办理的事项",
    ] {
        let silent = said.starts_with("没有必须") && made.text.contains("检查没有来帖的来源");
        assert!(silent || made.text.contains(said), "{said}: {}", made.text);
    }
    keep_all("daily-empty", &made);
    let made = office.make(&Wanted::Daily(Period::until(first, 1))).await;
    assert!(made.text.contains("无从比较平常的"), "{}", made.text);
}

/// The event with the most posts of the period, and the case that the test opens for it.
async fn handled(office: &Office) -> (String, Vec<usize>) {
    let mut events: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, read) in office.read.iter().enumerate() {
        if let Some(event) = &read.event {
            events.entry(&event.id).or_default().push(at);
        }
    }
    let raised: BTreeSet<&str> = office
        .alerts
        .iter()
        .map(|alert| alert.event.id.as_str())
        .collect();
    let (id, posts) = (events.into_iter())
        .max_by_key(|(id, posts)| (raised.contains(id), posts.len()))
        .unwrap();
    (id.to_owned(), posts)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_told_from_its_first_post_to_its_answer() {
    let office = office().await;
    let (id, posts) = handled(&office).await;
    let alert = office
        .alerts
        .iter()
        .rfind(|alert| alert.event.id == id)
        .unwrap();
    let first = &office.lines[posts[0]];
    let last = &office.lines[posts[posts.len() - 1]];
    let lead = office.routing.region().units[0].clone();
    let cases = office.desk().cases;
    let routed = Routed {
        lead: lead.code.clone(),
        ..Routed::default()
    };
    let hours = jiff::SignedDuration::from_hours;
    cases.take(alert, &routed, last.at()).await.unwrap();
    let (notices, actor) = super::acting(&office);
    let query = responder::case::Query {
        event: id.clone(),
        limit: 1,
        ..responder::case::Query::default()
    };
    for (number, (action, role, note)) in [
        (Action::Dispatch, Role::DutyOfficer, ""),
        (Action::Sign, Role::UnitLead, ""),
        (
            Action::Reply,
            Role::UnitLead,
            "经核实情况属实，我局将加强管理。",
        ),
        (Action::Approve, Role::Leader, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let case = cases
            .list(&query, &Actor::system())
            .await
            .unwrap()
            .cases
            .remove(0);
        let deed = Deed {
            lead: lead.code.clone(),
            ..Deed::plain(action, case.version, note)
        };
        let unit = if role == Role::UnitLead {
            lead.code.as_str()
        } else {
            ""
        };
        let now = last.at() + hours(number as i64 + 1);
        (cases
            .perform(&case.id, &deed, &actor(role, unit), &notices, now)
            .await)
            .unwrap();
    }
    let case = cases
        .list(&query, &Actor::system())
        .await
        .unwrap()
        .cases
        .remove(0);
    let promise = NewCommitment {
        case_id: case.id.clone(),
        region: case.region.clone(),
        what: "修好路灯".to_owned(),
        unit: lead.code.clone(),
        due: last.day() + 1.days(),
    };
    let (commitments, officer) = (office.desk().commitments, actor(Role::DutyOfficer, ""));
    let added = commitments
        .add(&promise, &officer, last.at() + hours(5))
        .await;
    added.unwrap();
    let to = last.day() + 3.days();
    let wanted = Wanted::Event {
        event: id.clone(),
        to,
    };
    let made = office.make(&wanted).await;
    let own: Vec<_> = posts.iter().map(|at| &office.lines[*at]).collect();
    assert_eq!(value(&made, "/event/posts/value") as usize, own.len());
    let voices: BTreeSet<&str> = own.iter().map(|line| line.user.as_str()).collect();
    assert_eq!(value(&made, "/event/voices") as usize, voices.len());
    let negative = posts
        .iter()
        .filter(|at| office.read[**at].sentiment.label == Polarity::Negative);
    let share = negative.count() as f64 / own.len() as f64;
    assert!((value(&made, "/event/negative_share") - share).abs() < 1e-9);
    let points = made.facts["course"].as_array().unwrap();
    for (at, point) in points.iter().enumerate() {
        let from: Date = point["from"].as_str().unwrap().parse().unwrap();
        let until = points.get(at + 1).map_or(to + 1.days(), |next| {
            next["from"].as_str().unwrap().parse().unwrap()
        });
        let count = own
            .iter()
            .filter(|line| (from..until).contains(&line.day()))
            .count();
        assert_eq!(
            point["posts"].as_u64().unwrap() as usize,
            count,
            "from {from}"
        );
    }
    let raised = office.alerts.iter().filter(|alert| alert.event.id == id);
    let gravest = raised.map(|alert| alert.level).min().unwrap();
    assert_eq!(value(&made, "/level/level") as u8, gravest);
    assert!(!made.facts["level"]["terms"].as_array().unwrap().is_empty());
    let moves: Vec<&str> = made.facts["moves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|made| made["what"].as_str().unwrap())
        .collect();
    assert_eq!(moves, ["立案", "派单", "签收", "提交答复", "审核通过"]);
    assert!(
        made.text.contains("修好路灯") && made.text.contains("已逾期"),
        "{}",
        made.text
    );
    let length = (last.at() + hours(4)).duration_since(first.at()).as_hours();
    assert!(made.text.contains("距首帖") && length > 0, "{}", made.text);
    // Nobody who wrote or acted is named.
    for name in ["officer", "duty-officer", "unit-lead"]
        .iter()
        .chain(voices.iter())
    {
        assert!(!made.text.contains(name), "{name}");
    }
    keep_all("event", &made);
    // On the day of its first post nothing later is known.
    let made = office
        .make(&Wanted::Event {
            event: id.clone(),
            to: first.day(),
        })
        .await;
    let then = own.iter().filter(|line| line.day() == first.day()).count();
    assert_eq!(value(&made, "/event/posts/value") as usize, then);
    if first.day() < last.day() {
        assert!(made.text.contains("尚未立案"), "{}", made.text);
    }
    // Before it there is none.
    let before = Wanted::Event {
        event: id,
        to: first.day() - 1.days(),
    };
    let error = make(&office.desk(), &before).await.unwrap_err();
    assert!(matches!(error, MakeError::NoEvent(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_and_demands_are_those_of_the_posts() {
    let office = office().await;
    let period = span(&office);
    let now = office.of(period);
    let mut events: BTreeMap<&str, (usize, usize, BTreeSet<&str>)> = BTreeMap::new();
    for (line, read) in &now {
        if let Some(event) = &read.event {
            let (posts, asks, voices) = events.entry(&event.id).or_default();
            *posts += 1;
            *asks += usize::from(
                read.appeal
                    .as_ref()
                    .is_some_and(|appeal| appeal.name == "咨询"),
            );
            voices.insert(&line.user);
        }
    }
    events.retain(|_, (posts, asks, _)| *asks * 2 >= *posts);
    let made = office.make(&Wanted::Faq(period)).await;
    assert_eq!(value(&made, "/matters") as usize, events.len().min(2_000));
    let posts: usize = events.values().map(|(posts, ..)| posts).sum();
    assert_eq!(value(&made, "/posts/value") as usize, posts);
    let told = made.facts["questions"].as_array().unwrap().clone();
    for question in &told {
        let id = question["link"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        let (posts, _, voices) = &events[id];
        let told = question["posts"]["value"].as_f64().unwrap() as usize;
        if question["matters"] == 1 {
            assert_eq!(told, *posts);
            assert_eq!(question["voices"].as_u64().unwrap() as usize, voices.len());
        } else {
            assert!(told > *posts);
        }
        assert!(told >= 2);
    }
    assert!(!told.is_empty(), "{}", made.text);
    keep_all("faq", &made);
    // Once the knowledge base has it, the report says so.
    let unit = office
        .routing
        .region()
        .units
        .iter()
        .find(|unit| !unit.duty_office)
        .unwrap();
    let (_, actor) = super::acting(&office);
    let knowledge = Knowledge::new(office.store.clone());
    let content = Content {
        question: told[0]["question"].as_str().unwrap().to_owned(),
        answer: "请到政务服务中心办理。".to_owned(),
        subject: "政务服务".to_owned(),
        unit: unit.code.clone(),
        ..Content::default()
    };
    let head = actor(Role::UnitLead, &unit.code);
    let at = office.lines[0].at();
    let entry = (knowledge
        .propose(office.routing.region(), &content, &head, at)
        .await)
        .unwrap();
    knowledge
        .approve(&entry.id, entry.version, &head, at)
        .await
        .unwrap();
    let made = office.make(&Wanted::Faq(period)).await;
    assert_eq!(made.facts["questions"][0]["known"]["approved"], true);
    assert!(made.text.contains("问答库已发布"), "{}", made.text);

    let mut demands: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut by_subject: BTreeMap<String, usize> = BTreeMap::new();
    for (_, read) in &now {
        let wants = read
            .appeal
            .as_ref()
            .is_some_and(|appeal| ["咨询", "投诉", "求助"].contains(&appeal.name.as_str()));
        if let Some(subject) = read.subject.as_ref().filter(|_| wants) {
            let place = read
                .places
                .first()
                .map_or(String::new(), |place| place.name.clone());
            *demands.entry((subject.name.clone(), place)).or_default() += 1;
            *by_subject.entry(subject.name.clone()).or_default() += 1;
        }
    }
    let made = office.make(&Wanted::Demand(period)).await;
    for subject in made.facts["subjects"].as_array().unwrap() {
        let name = subject["name"].as_str().unwrap();
        assert_eq!(
            subject["posts"]["value"].as_f64().unwrap() as usize,
            by_subject[name],
            "{name}"
        );
    }
    assert_eq!(
        made.facts["subjects"].as_array().unwrap().len(),
        by_subject.len()
    );
    for demand in made.facts["demands"].as_array().unwrap() {
        let place = demand["place"].as_str().unwrap_or_default();
        let key = (
            demand["subject"].as_str().unwrap().to_owned(),
            place.to_owned(),
        );
        assert_eq!(
            demand["posts"]["value"].as_f64().unwrap() as usize,
            demands[&key],
            "{key:?}"
        );
    }
    let high = demands.values().filter(|posts| **posts >= 3).count();
    assert_eq!(value(&made, "/demands_in_all") as usize, high);
    let before = office.of(period.before());
    let wants = before.iter().filter(|(_, read)| {
        let wants = read.appeal.as_ref();
        let wants =
            wants.is_some_and(|appeal| ["咨询", "投诉", "求助"].contains(&appeal.name.as_str()));
        wants && read.subject.is_some()
    });
    let whole = office.lines[0].day() <= period.before().from && wants.count() >= 10;
    assert_eq!(made.facts["compared"], whole);
    keep_all("demand", &made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_note_counts_both_sides_of_its_day() {
    let office = office().await;
    let of_board = office.lines.len() > 1_000;
    let (day, days) = if of_board {
        (date(2019, 5, 1), 84)
    } else {
        (office.lines[office.lines.len() / 2].day(), 7)
    };
    let words = if of_board { "噪音" } else { "路" };
    let policy = |words: &str| Policy {
        name: "夜间施工管理办法".to_owned(),
        day,
        days,
        subject: String::new(),
        place: String::new(),
        words: words.to_owned(),
    };
    for words in ["", words] {
        let made = office.make(&Wanted::Policy(policy(words))).await;
        let period =
            |side: &str| -> Period { serde_json::from_value(made.facts[side].clone()).unwrap() };
        let (before, after) = (period("before"), period("after"));
        assert_eq!(after.from, day);
        assert_eq!((before.days() % 7, after.days() % 7), (0, 0));
        let of = |period: Period| {
            let mut all = office.of(period);
            all.retain(|(line, _)| line.title.contains(words) || line.text.contains(words));
            all
        };
        let count = |period| {
            let of = of(period);
            let label = |label| {
                of.iter()
                    .filter(|(_, read)| read.sentiment.label == label)
                    .count() as f64
            };
            (
                of.len() as f64,
                label(Polarity::Negative),
                label(Polarity::Positive),
            )
        };
        let ((posts, negative, positive), (later, negative_later, positive_later)) =
            (count(before), count(after));
        assert_eq!(value(&made, "/posts_before/value"), posts, "{words}");
        assert_eq!(value(&made, "/posts_after/value"), later, "{words}");
        assert!((value(&made, "/per_day_after") - later / f64::from(after.days())).abs() < 1e-9);
        let near = |path: &str, expected: f64| {
            assert!((value(&made, path) - expected).abs() < 1e-9, "{path}")
        };
        if posts > 0.0 && later > 0.0 {
            near("/negative_before/value", negative / posts);
            near("/negative_after/value", negative_later / later);
            near("/mean_before", (positive - negative) / posts);
            near("/mean_after", (positive_later - negative_later) / later);
        }
        for (at, week) in made.facts["course"].as_array().unwrap().iter().enumerate() {
            let from: Date = week["from"].as_str().unwrap().parse().unwrap();
            assert_eq!(from, before.from + (7 * at as i64).days());
            let week_of = Period {
                from,
                to: from + 6.days(),
            };
            assert_eq!(
                week["posts"].as_f64().unwrap() as usize,
                of(week_of).len(),
                "{from}"
            );
        }
        if words.is_empty() {
            assert_eq!(made.facts["beside"], Value::Null);
            assert!(made.text.contains("无从与其他帖文比较"));
        } else {
            let others = (
                office.of(before).len() as f64 - posts,
                office.of(after).len() as f64 - later,
            );
            assert_eq!(value(&made, "/beside/before"), others.0);
            assert_eq!(value(&made, "/beside/after"), others.1);
            if posts > 0.0 && later > 0.0 {
                near(
                    "/beside/volume/value",
                    (later / posts) / (others.1 / others.0),
                );
            }
        }
        keep_all(
            if words.is_empty() {
                "policy"
            } else {
                "policy-words"
            },
            &made,
        );
    }
    // Nothing of it on either side, and days that the archive does not have.
    let made = office.make(&Wanted::Policy(policy("没有谁这样写过"))).await;
    assert!(made.text.contains("前后都没有这样的帖文"), "{}", made.text);
    for (day, days) in [(office.lines[0].day() - 30.days(), 84), (day, 6)] {
        let wanted = Wanted::Policy(Policy {
            day,
            days,
            ..policy("")
        });
        let error = make(&office.desk(), &wanted).await.unwrap_err();
        assert!(matches!(error, MakeError::Outside(_)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_county_without_any_posts_or_cases_still_has_its_reports() {
    let office = office_of(
        &wensheng_tests::project().join("deploy/sample/region/990101"),
        Vec::new(),
    )
    .await;
    let week = Period::until(date(2026, 11, 22), 7);
    for (wanted, said) in [
        (Wanted::Weekly(week), "没有采集到帖文"),
        (Wanted::Daily(week), "也没有采集到其他帖文"),
        (Wanted::Scorecard(week), "没有立案"),
        (Wanted::Faq(week), "没有候选问题"),
        (Wanted::Demand(week), "没有需要建议主动公开的事项"),
    ] {
        let made = office.make(&wanted).await;
        assert!(made.text.contains(said), "{said}: {}", made.text);
        assert!(made.document.head.is_none());
    }
    for wanted in [
        Wanted::Event {
            event: "e".to_owned(),
            to: week.to,
        },
        Wanted::Policy(Policy {
            name: "办法".to_owned(),
            day: week.from,
            days: 28,
            subject: String::new(),
            place: String::new(),
            words: String::new(),
        }),
    ] {
        assert!(make(&office.desk(), &wanted).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_post_is_an_event_a_day_and_a_question() {
    let (folder, mut lines) = lines();
    lines.retain(|line| line.title.contains("请问") || line.title.contains("咨询"));
    lines.truncate(1);
    let day = lines[0].day();
    let office = office_of(&folder, lines).await;
    let event = office.read[0].event.clone().unwrap().id;
    let made = office.make(&Wanted::Event { event, to: day }).await;
    for said in [
        "只有1帖",
        "只见于",
        "尚未立案",
        "没有同类事项、相同地点的事件",
    ] {
        assert!(made.text.contains(said), "{said}: {}", made.text);
    }
    keep_all("event-one", &made);
    let made = office.make(&Wanted::Daily(Period::until(day, 1))).await;
    assert_eq!(value(&made, "/posts/value"), 1.0);
    assert_eq!(made.facts["new"].as_array().unwrap().len(), 1);
    let made = office.make(&Wanted::Faq(Period::until(day, 7))).await;
    assert!(
        made.text.contains("同一个问题都没有被问到两次")
            || made.text.contains("没有以咨询为主的事项"),
        "{}",
        made.text
    );
    let made = office.make(&Wanted::Demand(Period::until(day, 7))).await;
    assert!(
        made.text.contains("不列高频事项") || made.text.contains("没有需要建议"),
        "{}",
        made.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_has_its_own_templates_and_head_and_a_broken_one_is_named_with_its_line() {
    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().join("990101");
    for (from, to) in [
        ("deploy/sample/region/990101", folder.clone()),
        ("deploy/config/region/rules", kept.path().join("rules")),
    ] {
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(wensheng_tests::project().join(from)).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        }
    }
    let region = folder.join("region.toml");
    let text = std::fs::read_to_string(&region).unwrap();
    let rules: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("rules ="))
        .collect();
    std::fs::write(&region, rules.join("\n")).unwrap();
    std::fs::create_dir(folder.join("report")).unwrap();
    let mut office = office_of(&folder, Vec::new()).await;
    let day = Wanted::Daily(Period::until(date(2026, 11, 22), 1));
    let own = folder.join("report/daily.md");
    std::fs::write(&own, "# 本县的样式\n\n{{ posts.value | thousands }}帖\n").unwrap();
    std::fs::write(
        folder.join("report/head.toml"),
        "office = \"青禾县人民政府办公室文件\"\nnumber = \"青府办〔{year}〕{n}号\"\n",
    )
    .unwrap();
    let made = office.make(&day).await;
    assert_eq!(made.text.trim(), "# 本县的样式\n\n0帖");
    assert_eq!(
        made.document.head.unwrap().office,
        "青禾县人民政府办公室文件"
    );
    // Other kinds stay as they are.
    let other = office
        .make(&Wanted::Faq(Period::until(date(2026, 11, 22), 7)))
        .await;
    assert!(other.text.contains("没有候选问题"));
    std::fs::write(&own, "# 标题\n\n{{ postz.value }}帖\n").unwrap();
    let error = make(&office.desk(), &day).await.unwrap_err().to_string();
    assert!(error.contains("`daily`, line 3"), "{error}");
    std::fs::write(&own, "# 标题\n{% if posts %}\n").unwrap();
    let error = make(&office.desk(), &day).await.unwrap_err().to_string();
    assert!(error.contains("`daily`, line"), "{error}");
    std::fs::remove_file(&own).unwrap();
    std::fs::write(folder.join("report/head.toml"), "office = 3\n").unwrap();
    let error = make(&office.desk(), &day).await.unwrap_err().to_string();
    assert!(
        error.contains("head.toml") && error.contains("line 1"),
        "{error}"
    );
    std::fs::remove_file(folder.join("report/head.toml")).unwrap();
    office.routing = Routing::load(&folder).unwrap();
    assert!(make(&office.desk(), &day).await.is_ok());
}
