//! Who gets what, by the routing of the first county; what holds notices back, and what gathers them.

use std::path::PathBuf;

use crate::ground::{at, calendar, project, yellow};
use crate::stores::{Kept, on_each_store};
use backbone::message::{Alert, Count, Place, SourceKind};
use jiff::SignedDuration;
use responder::routing::{
    Group, Hold, Match, Moment, NewSilence, Open, Outcome, Routed, Routing, Silence, SilenceError,
    Silences,
};
use tempfile::TempDir;

fn fengxin() -> Routing {
    Routing::load(&project().join("deploy/config/region/360921")).unwrap()
}

fn alert(title: &str, subject: &str, place: Option<&str>, level: u8) -> Alert {
    let mut alert = yellow("360921");
    alert.level = level;
    title.clone_into(&mut alert.event.title);
    alert.event.gist.clear();
    subject.clone_into(&mut alert.event.subject);
    alert.event.places = place
        .map(|name| Place {
            name: name.to_owned(),
            kind: "town".to_owned(),
            within: String::new(),
        })
        .into_iter()
        .collect();
    alert
}

fn check(title: &str, subject: &str, place: Option<&str>, level: u8, lead: &str, assists: &[&str]) {
    let routed: Routed = fengxin().route(&alert(title, subject, place, level));
    assert_eq!(
        (routed.lead.as_str(), routed.assists.as_slice()),
        (lead, &*own(assists)),
        "{title}: {routed:?}"
    );
    assert!(!routed.because.is_empty());
}

fn own(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

#[test]
fn the_unit_in_charge_leads_and_the_unit_of_the_place_assists() {
    check(
        "楼上漏水没人修",
        "城乡建设",
        Some("冯川镇"),
        4,
        "zhujian",
        &["fengchuan"],
    );
    check("楼上漏水没人修", "城乡建设", None, 4, "zhujian", &[]);
}

#[test]
fn a_word_of_a_unit_tells_more_than_the_subject() {
    check(
        "孩子的学区怎么划",
        "城乡建设",
        Some("赤岸镇"),
        4,
        "jiaoti",
        &["chian"],
    );
}

#[test]
fn a_rule_names_who_leads_and_who_assists() {
    check(
        "工地拖欠工资",
        "劳动和社会保障",
        Some("上富镇"),
        4,
        "renshe",
        &["zhujian", "shangfu"],
    );
    check(
        "村委会账目不公开",
        "城乡建设",
        Some("罗市镇"),
        4,
        "luoshi",
        &["zhujian"],
    );
}

#[test]
fn a_grave_matter_is_known_to_the_county_office_too() {
    check(
        "楼上漏水没人修",
        "城乡建设",
        Some("冯川镇"),
        1,
        "zhujian",
        &["zhengfuban", "fengchuan"],
    );
}

#[test]
fn what_belongs_to_no_one_goes_to_the_duty_office() {
    check("一件说不清的事", "", None, 4, "zhengfuban", &[]);
}

/// The first county with a routing of a test's own.
fn with_routing(routing: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let county = folder.path().join("360921");
    std::fs::create_dir(&county).unwrap();
    let from = project().join("deploy/config/region");
    for file in ["region.toml", "units.toml"] {
        std::fs::copy(from.join("360921").join(file), county.join(file)).unwrap();
    }
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::copy(
        from.join("rules/subjects.toml"),
        folder.path().join("rules/subjects.toml"),
    )
    .unwrap();
    std::fs::write(county.join("routing.toml"), routing).unwrap();
    (folder, county)
}

fn routing(text: &str) -> Routing {
    let (_folder, county) = with_routing(text);
    Routing::load(&county).unwrap()
}

fn refusal(routing: &str) -> String {
    let (_folder, county) = with_routing(routing);
    match Routing::load(&county) {
        Ok(_) => "taken".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_mistake_is_named_with_file_rule_and_remedy() {
    const ROOT: &str = "[route]\nlead = \"by-place-and-subject\"\n";
    let below = |rule: &str| format!("{ROOT}[[route.routes]]\n{rule}\n");
    let two = |first: &str, second: &str| {
        format!("{ROOT}[[route.routes]]\n{first}\n[[route.routes]]\n{second}\n")
    };
    let cases = [
        (
            "[route]\nlead = \"huanbao\"\n".to_owned(),
            "`route.lead` names the unit `huanbao`",
        ),
        (
            below("assist = [\"huanbao\"]"),
            "`route.routes[0].assist` names the unit `huanbao`",
        ),
        (
            below("match = { words = [\"x\"] }"),
            "`route.routes[0]` sends its matters to no one",
        ),
        (
            below("match = { place = [\"南昌\"] }\nlead = \"zhujian\""),
            "`route.routes[0].match.place` names `南昌`",
        ),
        (
            below("match = { subject = [\"天文\"] }\nlead = \"zhujian\""),
            "`route.routes[0].match.subject` has the unknown subject `天文`",
        ),
        (
            below("match = { appeal = [\"吐槽\"] }\nlead = \"zhujian\""),
            "`route.routes[0].match.appeal` has the unknown appeal `吐槽`",
        ),
        (
            below("match = { level = [5] }\nlead = \"zhujian\""),
            "`route.routes[0].match.level` has 5",
        ),
        (
            below("match = { region = [\"990000\"] }\nlead = \"zhujian\""),
            "`route.routes[0].match.region` has `990000`",
        ),
        (
            below("match = { words = [\"\"] }\nlead = \"zhujian\""),
            "`route.routes[0].match` has an empty word",
        ),
        (
            below("lead = \"zhujian\"\ncontinue = true"),
            "`route.routes[0]` has a `lead` and says `continue`",
        ),
        (
            below("assist = [\"zhujian\"]\ncontinue = true\nrepeat = { hours = 1 }"),
            "`route.routes[0]` says when it is told of and says `continue`",
        ),
        (
            below("lead = \"zhujian\"\nrepeat = { hours = 1, days = 1 }"),
            "`route.routes[0].repeat`: a term has one of",
        ),
        (
            below("lead = \"zhujian\"\ngroup_by = []"),
            "`route.routes[0].group_by` is empty",
        ),
        (
            below("lead = \"zhujian\"\ngroup_by = [\"mood\"]"),
            "unknown variant `mood`",
        ),
        (
            below("lead = \"zhujian\"\nmute_times = [\"nights\"]"),
            "`route.routes[0].mute_times` names the time `nights`",
        ),
        (
            format!("{ROOT}[[time]]\nname = \"nights\"\n"),
            "the time `nights` has no condition",
        ),
        (
            format!(
                "{ROOT}{}",
                "[[time]]\nname = \"a\"\nworkdays = true\n".repeat(2)
            ),
            "the time `a` is listed twice",
        ),
        (
            format!("{ROOT}[[time]]\nname = \"a\"\nhours = \"22:00-07:00\"\n"),
            "a span ends before it begins",
        ),
        (
            format!(
                "{ROOT}[[inhibit]]\nsource = {{}}\ntarget = {{ level = [4] }}\nequal = [\"place\"]\n"
            ),
            "`inhibit[0]` would hold back by any alert",
        ),
        (
            format!(
                "{ROOT}[[inhibit]]\nsource = {{ level = [1] }}\ntarget = {{ level = [4] }}\nequal = []\n"
            ),
            "`inhibit[0].equal` is empty",
        ),
        (
            format!(
                "{ROOT}[[inhibit]]\nsource = {{ level = [9] }}\ntarget = {{ level = [4] }}\nequal = [\"place\"]\n"
            ),
            "`inhibit[0].source.level` has 9",
        ),
        (
            // Whatever the second takes, the first took.
            two(
                "match = { words = [\"拖欠\"] }\nlead = \"renshe\"",
                "match = { words = [\"拖欠工资\"], level = [1] }\nlead = \"zhujian\"",
            ),
            "`route.routes[1]` is never reached: `route.routes[0]` before it",
        ),
        (
            two(
                "match = { subject = [\"环境保护\"] }\nlead = \"zhujian\"",
                "match = { subject = [\"环境保护/噪声污染\"] }\nlead = \"renshe\"",
            ),
            "`route.routes[1]` is never reached",
        ),
        (
            two("lead = \"zhujian\"", "lead = \"renshe\""),
            "`route.routes[1]` is never reached",
        ),
        (
            format!(
                "{ROOT}[[route.routes]]\nmatch = {{ level = [1] }}\n[[route.routes.routes]]\nmatch = {{ level = [3] }}\nlead = \"renshe\"\n"
            ),
            "`route.routes[0].routes[0]` is never reached: no matter fits",
        ),
        (
            "[route]\nlead = \"zhujian\"\nreceiver = 1\n".to_owned(),
            "routing.toml:3: unknown field `receiver`",
        ),
    ];
    for (routing, expected) in cases {
        let said = refusal(&routing);
        assert!(
            said.contains("routing.toml") && said.contains(expected),
            "{routing}\n{said}"
        );
    }
}

#[test]
fn rules_that_only_seem_to_hide_others_are_taken() {
    for (first, second) in [
        // It goes on.
        (
            "assist = [\"weijian\"]\ncontinue = true",
            "lead = \"zhujian\"",
        ),
        // The second takes more.
        (
            "match = { words = [\"拖欠工资\"] }\nlead = \"renshe\"",
            "match = { words = [\"拖欠\"] }\nlead = \"zhujian\"",
        ),
        (
            "match = { place = [\"高新区\"], level = [1] }\nlead = \"renshe\"",
            "match = { place = [\"高新区\"] }\nlead = \"zhujian\"",
        ),
    ] {
        let text = format!(
            "[route]\nlead = \"by-subject\"\n[[route.routes]]\n{first}\n[[route.routes]]\n{second}\n"
        );
        assert_eq!(refusal(&text), "taken");
    }
}

#[test]
fn every_rule_tried_is_explained() {
    let routed = fengxin().route(&alert("工地拖欠工资", "劳动和社会保障", Some("上富镇"), 2));
    let told: Vec<(&str, Outcome, &str)> = (routed.steps.iter())
        .map(|step| (step.rule.as_str(), step.outcome, step.why.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("route", Outcome::DecidedBelow, "不设条件"),
            ("route.routes[0]", Outcome::Added, "级别为Ⅱ级"),
            ("route.routes[1]", Outcome::Decided, "事由含“拖欠工资”"),
        ]
    );
    let routed = fengxin().route(&alert("饭菜里有虫", "商贸旅游", None, 4));
    assert_eq!(routed.steps[1].why, "级别为Ⅳ级，要Ⅰ级、Ⅱ级");
    assert_eq!(routed.steps[3].why, "事项为商贸旅游，要教育文体");
    assert_eq!(routed.steps[0].outcome, Outcome::Decided);
    assert_eq!(routed.steps.len(), 9, "the root and all eight rules");
}

fn count(name: &str) -> Vec<Count> {
    vec![Count {
        name: name.to_owned(),
        posts: 1,
    }]
}

#[test]
fn a_rule_may_ask_for_part_appeal_source_and_region() {
    let routing = routing(
        "[route]\nlead = \"by-subject\"\n\
         [[route.routes]]\nmatch = { subject = [\"环境保护/噪声污染\"], region = [\"360921\"] }\nlead = \"zhujian\"\n\
         [[route.routes]]\nmatch = { appeal = [\"表扬\"] }\nlead = \"sifa\"\n\
         [[route.routes]]\nmatch = { source = [\"12345-hotline\"] }\nlead = \"renshe\"\n\
         [[route.routes]]\nmatch = { source = [\"import\"] }\nlead = \"weijian\"\n",
    );
    let lead = |change: &dyn Fn(&mut Alert)| {
        let mut alert = alert("一件事", "环境保护", None, 4);
        change(&mut alert);
        routing.route(&alert).lead
    };
    assert_eq!(lead(&|_| {}), "shengtai-huanjing");
    assert_eq!(
        lead(&|alert| alert.event.parts = count("环境保护/噪声污染")),
        "zhujian"
    );
    // A part of another subject says nothing of the main one.
    assert_eq!(
        lead(&|alert| alert.event.parts = count("城乡建设/违法建设")),
        "shengtai-huanjing"
    );
    assert_eq!(lead(&|alert| alert.event.appeals = count("表扬")), "sifa");
    assert_eq!(
        lead(&|alert| alert.event.sources = vec!["12345-hotline".to_owned()]),
        "renshe"
    );
    assert_eq!(
        lead(&|alert| alert.event.source_kinds = vec![SourceKind::Import]),
        "weijian"
    );
}

#[test]
fn a_unit_in_charge_of_the_part_goes_before_one_in_charge_of_the_whole() {
    let mut matter = alert("一件事", "教育文体", None, 4);
    assert_eq!(fengxin().route(&matter).lead, "jiaoti");
    matter.event.parts = count("教育文体/文化体育");
    let routed = fengxin().route(&matter);
    assert_eq!(routed.lead, "wenlv");
    assert!(
        routed.because[0].contains("主管教育文体/文化体育"),
        "{routed:?}"
    );
}

const TIMES: &str = "[route]\nlead = \"by-place-and-subject\"\nrepeat = { minutes = 30 }\n\
    [[route.routes]]\nmatch = { level = [1, 2] }\nlead = \"by-place-and-subject\"\n\
    [[route.routes]]\nmatch = { subject = [\"城乡建设\"] }\nlead = \"by-subject\"\nmute_times = [\"nights\"]\ngroup_by = [\"lead\", \"place\"]\ngroup_wait = { minutes = 5 }\n\
    [[route.routes]]\nmatch = { subject = [\"环境保护\"] }\nlead = \"by-subject\"\nactive_times = [\"office\"]\nrepeat = { hours = 1, time = \"working\" }\n\
    [[time]]\nname = \"nights\"\nhours = \"00:00-07:00,22:00-24:00\"\n\
    [[time]]\nname = \"office\"\nhours = \"08:30-17:30\"\nworkdays = true\n\
    [[time]]\nname = \"market-days\"\nweekdays = [\"saturday\"]\n\
    [[inhibit]]\ncomment = \"停水期间的水压投诉\"\nsource = { words = [\"停水\"] }\ntarget = { words = [\"水压\"] }\nequal = [\"place\"]\n";

fn holds(matter: &Alert, now: &str, silences: &[Silence], open: &[Alert]) -> Vec<Hold> {
    let routing = routing(TIMES);
    let calendar = calendar();
    let routed = routing.route(matter);
    assert!(!routed.lead.is_empty(), "nothing is dropped");
    let moment = Moment {
        now: at(now),
        calendar: &calendar,
        silences,
        open: &routing.open(open.to_vec()),
    };
    routing.holds(matter, &routed, &moment)
}

#[test]
fn what_is_not_grave_waits_until_the_morning() {
    let leak = alert("楼上漏水", "城乡建设", Some("冯川镇"), 4);
    let until = |holds: &[Hold]| match holds {
        [Hold::Time { time, until }] => (time.clone(), *until),
        other => panic!("{other:?}"),
    };
    let night = holds(&leak, "2026-11-26 23:10", &[], &[]);
    assert_eq!(
        until(&night),
        ("nights".to_owned(), Some(at("2026-11-27 07:00")))
    );
    assert!(night[0].told().contains("2026-11-27 07:00起发出"));
    assert_eq!(holds(&leak, "2026-11-27 07:00", &[], &[]), []);
    let grave = alert("楼上漏水", "城乡建设", Some("冯川镇"), 1);
    assert_eq!(holds(&grave, "2026-11-26 23:10", &[], &[]), []);
    // In working time only: over the seven days of National Day it waits for 8 October.
    let smoke = alert("餐馆的味道", "环境保护", Some("冯川镇"), 4);
    assert_eq!(
        until(&holds(&smoke, "2026-09-30 17:30", &[], &[])),
        ("非office".to_owned(), Some(at("2026-10-08 08:30")))
    );
    // What a rule says holds for those below it, unless they say otherwise.
    let nested = routing(
        "[route]\nlead = \"by-subject\"\nmute_times = [\"nights\"]\n\
         [[route.routes]]\nmatch = { level = [3] }\nlead = \"by-subject\"\n\
         [[route.routes]]\nmatch = { level = [1, 2] }\nlead = \"by-subject\"\nmute_times = []\n\
         [[time]]\nname = \"nights\"\nhours = \"00:00-07:00,22:00-24:00\"\n",
    );
    let (calendar, silences, open) = (calendar(), [], Open::default());
    let at_night = Moment {
        now: at("2026-11-26 23:10"),
        calendar: &calendar,
        silences: &silences,
        open: &open,
    };
    for (level, held) in [(1, 0), (3, 1), (4, 1)] {
        let matter = alert("楼上漏水", "城乡建设", None, level);
        let routed = nested.route(&matter);
        assert_eq!(
            nested.holds(&matter, &routed, &at_night).len(),
            held,
            "{level}"
        );
    }
    // A Saturday that is worked is a workday.
    assert_eq!(holds(&smoke, "2026-10-10 10:00", &[], &[]), []);
}

fn other_event(mut alert: Alert, event: &str) -> Alert {
    event.clone_into(&mut alert.event.id);
    alert.id = backbone::id::of_alert(event, alert.level);
    alert
}

#[test]
fn a_graver_alert_of_the_same_event_is_told_of_instead_of_the_lower_one() {
    let lower = other_event(alert("桥面开裂", "交通运输", Some("冯川镇"), 3), "bridge");
    let graver = other_event(alert("桥面开裂", "交通运输", Some("冯川镇"), 1), "bridge");
    let noon = "2026-11-26 12:00";
    let [
        Hold::Alert {
            alert, level: 1, ..
        },
    ] = &holds(&lower, noon, &[], std::slice::from_ref(&graver))[..]
    else {
        panic!("the lower alert is told of");
    };
    assert_eq!(*alert, graver.id);
    assert_eq!(holds(&graver, noon, &[], std::slice::from_ref(&lower)), []);
    assert_eq!(holds(&graver, noon, &[], std::slice::from_ref(&graver)), []);
}

#[test]
fn an_inhibition_needs_both_alerts_and_the_same_place() {
    let noon = "2026-11-26 12:00";
    let cut = other_event(alert("全镇停水", "城乡建设", Some("冯川镇"), 2), "cut");
    let low = other_event(alert("水压太低", "城乡建设", Some("冯川镇"), 4), "low");
    let elsewhere = other_event(alert("水压太低", "城乡建设", Some("赤岸镇"), 4), "far");
    let nowhere = other_event(alert("水压太低", "城乡建设", None, 4), "nowhere");
    let open = [cut.clone(), low.clone()];
    let held = holds(&low, noon, &[], &open);
    assert!(
        matches!(&held[..], [Hold::Alert { reason, .. }] if reason == "停水期间的水压投诉"),
        "{held:?}"
    );
    assert!(
        held[0].told().contains("Ⅱ级预警“全镇停水”"),
        "{}",
        held[0].told()
    );
    assert_eq!(holds(&elsewhere, noon, &[], &open), []);
    assert_eq!(holds(&nowhere, noon, &[], &open), []);
    assert_eq!(holds(&cut, noon, &[], &open), []);
    // Two that are both would hold each other back: neither does.
    let both = other_event(alert("停水后水压低", "城乡建设", Some("冯川镇"), 4), "both");
    let again = other_event(
        alert("又停水，水压也低", "城乡建设", Some("冯川镇"), 4),
        "again",
    );
    assert_eq!(holds(&both, noon, &[], &[again]), []);
}

fn new_silence() -> NewSilence {
    NewSilence {
        region: "360921".to_owned(),
        author: "王值班".to_owned(),
        reason: "管网抢修，已发公告".to_owned(),
        matches: Match {
            place: vec!["冯川镇".to_owned()],
            words: vec!["停水".to_owned()],
            ..Match::default()
        },
        from: at("2026-11-26 08:00"),
        until: at("2026-11-26 20:00"),
    }
}

async fn a_silence_holds_notices_back_until_it_ends_or_is_ended(kept: Kept) {
    let silences = Silences::new(kept.store.clone());
    let region = fengxin().region().clone();
    let now = at("2026-11-26 09:00");
    let made = silences.add(&new_silence(), &region, now).await.unwrap();
    let active = silences.active(&["990000", "360921"], now).await.unwrap();
    assert_eq!(active, std::slice::from_ref(&made));
    assert_eq!(silences.active(&[], now).await.unwrap(), []);
    let cut = alert("又停水了", "城乡建设", Some("冯川镇"), 4);
    let held = holds(&cut, "2026-11-26 09:00", &active, &[]);
    let [Hold::Silence { author, reason, .. }] = &held[..] else {
        panic!("{held:?}");
    };
    assert_eq!(
        (author.as_str(), reason.as_str()),
        ("王值班", "管网抢修，已发公告")
    );
    assert_eq!(
        held[0].told(),
        "王值班设置静默至2026-11-26 20:00：管网抢修，已发公告"
    );
    let elsewhere = alert("又停水了", "城乡建设", Some("赤岸镇"), 4);
    assert_eq!(holds(&elsewhere, "2026-11-26 09:00", &active, &[]), []);
    // Its time is over by itself, whoever still holds the list.
    assert_eq!(holds(&cut, "2026-11-26 20:00", &active, &[]), []);
    let evening = at("2026-11-26 20:00");
    assert_eq!(silences.active(&["360921"], evening).await.unwrap(), []);
    assert_eq!(silences.active(&["990000"], now).await.unwrap(), []);

    silences
        .expire("360921", &made.id, "李值班", now)
        .await
        .unwrap();
    assert_eq!(silences.active(&["360921"], now).await.unwrap(), []);
    let listed = silences.list("360921").await.unwrap();
    assert_eq!(listed[0].expired, Some((now, "李值班".to_owned())));
    let again = silences.expire("360921", &made.id, "李值班", now).await;
    assert!(matches!(again, Err(SilenceError::NotFound)));
}

async fn a_silence_needs_a_reason_a_condition_and_an_end(kept: Kept) {
    let silences = Silences::new(kept.store.clone());
    let region = fengxin().region().clone();
    let now = at("2026-11-26 09:00");
    let good = new_silence();
    for (new, expected) in [
        (
            NewSilence {
                reason: " ".to_owned(),
                ..good.clone()
            },
            "理由",
        ),
        (
            NewSilence {
                matches: Match::default(),
                ..good.clone()
            },
            "至少设一个条件",
        ),
        (
            NewSilence {
                until: good.from,
                ..good.clone()
            },
            "结束时间",
        ),
        (
            NewSilence {
                until: now - SignedDuration::from_mins(1),
                ..good.clone()
            },
            "结束时间",
        ),
        (
            NewSilence {
                matches: Match {
                    place: vec!["南昌".to_owned()],
                    ..Match::default()
                },
                ..good.clone()
            },
            "matches.place 的“南昌”不在 region.toml 中",
        ),
    ] {
        let said = silences
            .add(&new, &region, now)
            .await
            .unwrap_err()
            .to_string();
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(silences.list("360921").await.unwrap(), []);
}

on_each_store!(
    a_silence_holds_notices_back_until_it_ends_or_is_ended,
    a_silence_needs_a_reason_a_condition_and_an_end,
);

#[test]
fn alerts_of_one_lead_and_place_are_gathered_and_told_of_after_a_wait() {
    let (routing, calendar) = (routing(TIMES), calendar());
    let key = |matter: &Alert| {
        let routed = routing.route(matter);
        routed.grouping.key(matter, &routed.lead)
    };
    let leak = other_event(alert("楼上漏水", "城乡建设", Some("冯川镇"), 4), "leak");
    let crack = other_event(alert("外墙开裂", "城乡建设", Some("冯川镇"), 4), "crack");
    let far = other_event(alert("外墙开裂", "城乡建设", Some("赤岸镇"), 4), "far");
    assert_eq!(key(&leak), key(&crack));
    assert_ne!(key(&leak), key(&far));
    // Where nothing is said each event is told of by itself.
    let grave = |event: &str| key(&other_event(alert("x", "城乡建设", None, 1), event));
    assert_ne!(grave("leak"), grave("crack"));
    assert_eq!(grave("leak"), grave("leak"));

    let grouping = routing.route(&leak).grouping;
    let group = Group {
        untold_since: Some(at("2026-11-26 09:00")),
        ..Group::default()
    };
    assert_eq!(
        grouping.due(&group, &calendar),
        Some(at("2026-11-26 09:05"))
    );
    let told = Group {
        untold_since: None,
        told_at: Some(at("2026-11-26 09:05")),
        unsigned: true,
    };
    assert_eq!(
        grouping.due(&told, &calendar),
        Some(at("2026-11-26 09:35")),
        "the root's repeat holds for the rule below it"
    );
    let signed = Group {
        unsigned: false,
        ..told
    };
    assert_eq!(grouping.due(&signed, &calendar), None);
    let joined = Group {
        untold_since: Some(at("2026-11-26 09:10")),
        ..told
    };
    assert_eq!(
        grouping.due(&joined, &calendar),
        Some(at("2026-11-26 09:15"))
    );

    let smoke = alert("餐馆的味道", "环境保护", Some("冯川镇"), 4);
    let evening = Group {
        told_at: Some(at("2026-11-26 17:00")),
        ..told
    };
    assert_eq!(
        routing.route(&smoke).grouping.due(&evening, &calendar),
        Some(at("2026-11-27 09:00")),
        "half an hour of the evening and half an hour of the morning"
    );
}

#[test]
fn who_would_be_told_is_shown_for_people_and_as_json() {
    let (routing, calendar) = (routing(TIMES), calendar());
    let moment = Moment {
        now: at("2026-11-26 23:10"),
        calendar: &calendar,
        silences: &[],
        open: &Open::default(),
    };
    let leak = alert("楼上漏水", "城乡建设", Some("冯川镇"), 4);
    let explained = routing.explain(&leak, &moment);
    let mut text = Vec::new();
    explained.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    for line in [
        "alert    Ⅳ级 楼上漏水",
        "rule     route  适用，由下级规则决定：不设条件",
        "rule       route.routes[0]  不适用：级别为Ⅳ级，要Ⅰ级、Ⅱ级",
        "rule       route.routes[1]  适用，决定：事项为城乡建设",
        "lead     县住房和城乡建设局 (zhujian)  console only",
        "held     nights时段不发，2026-11-27 07:00起发出",
        "again    2026-11-26 23:45 while not signed for",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["told"][0]["unit"], "zhujian");
    assert_eq!(json["holds"][0]["by"], "time");
    assert_eq!(json["steps"][2]["outcome"], "decided");
}

#[test]
fn what_leaves_someone_unheard_is_a_warning() {
    let warnings = |units: &dyn Fn(String) -> String, rules: &str| {
        let (folder, county) = with_routing(&format!(
            "[route]\nlead = \"by-place-and-subject\"\n{rules}"
        ));
        let file = county.join("units.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, units(text)).unwrap();
        let warnings = Routing::load(&county).unwrap().warnings();
        let warnings: Vec<String> = (warnings.iter())
            .map(|warning| format!("{}: {warning}", warning.file()))
            .collect();
        let warnings = warnings.join("\n");
        drop(folder);
        warnings
    };
    let same = |units: String| units;
    let said = warnings(&same, "");
    assert!(
        said.contains("units.toml: no one is told of the matters of 40 units (zhengfuban, "),
        "{said}"
    );
    assert!(!said.contains("in charge"), "{said}");
    let said = warnings(
        &|units: String| units.replace("subjects = [\"民政\"]", "subjects = []"),
        "",
    );
    assert!(said.contains("no unit is in charge of 民政;"), "{said}");
    let said = warnings(
        &|units: String| units.replace("民政/退役军人与优抚", "民政/退伍军人"),
        "",
    );
    assert!(
        said.contains("unit `tuiyi-junren` has the subject `民政/退伍军人`"),
        "{said}"
    );
    let said = warnings(
        &same,
        "[[route.routes]]\nmatch = { subject = [\"环境保护/噪音\"] }\nlead = \"zhujian\"\n",
    );
    assert!(
        said.contains("routing.toml: a `match` has the subject `环境保护/噪音`"),
        "{said}"
    );
}
