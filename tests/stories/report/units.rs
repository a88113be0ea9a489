//! The scorecard: a month of cases, with every clock counted by the test from what it did itself.

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use responder::case::{Action, Actor, Case, Deed, Role};
use responder::report::{Made, Wanted};
use responder::routing::Routed;
use responder::trend::Period;
use serde_json::Value;
use wensheng_tests::walk::alert_of;

use super::{Office, acting, keep_all, office_of, value};

const SAMPLE: &str = "deploy/sample/region/990101";

/// What the test did to a case.
#[derive(Debug, Default, Clone)]
struct Done {
    level: u8,
    unit: String,
    opened: Timestamp,
    sent: Timestamp,
    signed: Option<Timestamp>,
    reported: Option<Timestamp>,
    replied: Option<Timestamp>,
    answered: Option<Timestamp>,
    sent_back: Vec<Timestamp>,
    handed_back: Option<(String, Timestamp)>,
    followed: Option<(&'static str, Timestamp)>,
}

fn at(day: i8, hour: i64) -> Timestamp {
    let midnight = date(2026, 9, day).at(0, 0, 0, 0);
    Offset::constant(8).to_timestamp(midnight).unwrap() + SignedDuration::from_hours(hour)
}

fn september() -> Period {
    Period {
        from: date(2026, 9, 1),
        to: date(2026, 9, 30),
    }
}

/// Plays cases, each by its own plan, and gives what was done.
async fn play(office: &Office) -> Vec<Done> {
    let region = office.routing.region();
    let units: Vec<String> = (region.units.iter())
        .filter(|unit| !unit.duty_office)
        .map(|unit| unit.code.clone())
        .collect();
    let code = region.code().to_owned();
    let (notices, actor) = acting(office);
    let cases = office.desk().cases;
    let minutes = SignedDuration::from_mins;
    let mut played = Vec::new();
    for number in 0..90_u32 {
        let turn = i64::from(number);
        let level = 1 + (number % 4) as u8;
        // One unit has many cases, one some, one very few.
        let unit = match number {
            0..60 => &units[0],
            60..87 => &units[1],
            _ => &units[2],
        };
        let opened = at(1 + (number % 30) as i8, (turn * 7) % 24);
        let alert = alert_of(&code, number, level).unwrap();
        let routed = Routed {
            lead: unit.clone(),
            because: vec!["主管".to_owned()],
            ..Routed::default()
        };
        cases.take(&alert, &routed, opened).await.unwrap();
        let mut case = of_event(office, &alert.event.id).await;
        let mut act = async |action, who: &Actor, note: &str, choice: &str, lead: &str, now| {
            let known = of_event(office, &case.alert.event.id).await;
            let deed = Deed {
                choice: choice.to_owned(),
                lead: lead.to_owned(),
                ..Deed::plain(action, known.version, note)
            };
            let moved = cases.perform(&known.id, &deed, who, &notices, now).await;
            case = moved.unwrap_or_else(|error| panic!("{action:?} of {number}: {error}"));
        };
        let officer = actor(Role::DutyOfficer, "");
        let leader = actor(Role::Leader, "");
        let head = actor(Role::UnitLead, unit);
        let mut done = Done {
            level,
            unit: unit.clone(),
            opened,
            sent: opened + minutes(10),
            ..Done::default()
        };
        if number % 9 == 4 {
            // Another unit has it first, and hands it back.
            let other = if unit == &units[0] {
                &units[1]
            } else {
                &units[0]
            };
            act(Action::Dispatch, &officer, "", "", other, done.sent).await;
            let back = done.sent + minutes(20);
            let first = actor(Role::UnitLead, other);
            act(Action::Return, &first, "不属本单位", "", unit, back).await;
            done.handed_back = Some((other.clone(), back));
            done.sent = back + minutes(15);
        }
        act(Action::Dispatch, &officer, "", "", unit, done.sent).await;
        played.push(done);
        let done = played.last_mut().unwrap();
        let slow = if unit == &units[0] { 1 } else { 2 };
        let Some(wait) = [15, 50, 110, 260, -1]
            .get((turn * 7 % 5) as usize)
            .filter(|wait| **wait > 0)
        else {
            continue;
        };
        let signed = done.sent + minutes(*wait * slow);
        act(Action::Sign, &head, "", "", "", signed).await;
        done.signed = Some(signed);
        if number % 3 != 0 {
            let reported = signed + minutes(120 * slow);
            act(Action::Report, &head, "已到现场", "", "", reported).await;
            done.reported = Some(reported);
        }
        if number % 5 == 3 {
            continue;
        }
        let mut replied = signed + minutes(60 * [6, 18, 30, 46][(number % 7 % 4) as usize] * slow);
        act(Action::Reply, &head, "经核实已处理。", "", "", replied).await;
        done.replied = Some(replied);
        if number % 6 == 2 {
            let back = replied + minutes(30);
            act(Action::SendBack, &leader, "请写明依据", "", "", back).await;
            done.sent_back.push(back);
            replied = back + minutes(45);
            act(Action::Reply, &head, "依据条例，已处理。", "", "", replied).await;
        }
        let answered = replied + minutes(60);
        act(Action::Approve, &leader, "", "", "", answered).await;
        done.answered = Some(answered);
        if number % 2 == 0 {
            let closed = answered + minutes(60);
            act(Action::Close, &officer, "", "", "", closed).await;
            let said = ["满意", "基本满意", "不满意", "未能联系"][(number / 2 % 4) as usize];
            let followed = closed + minutes(60 * 24);
            act(Action::FollowUp, &officer, "已回访", said, "", followed).await;
            done.followed = Some((said, followed));
        }
    }
    played
}

async fn of_event(office: &Office, event: &str) -> Case {
    let query = responder::case::Query {
        event: event.to_owned(),
        limit: 1,
        ..responder::case::Query::default()
    };
    let found = office
        .desk()
        .cases
        .list(&query, &Actor::system())
        .await
        .unwrap();
    found.cases.into_iter().next().unwrap()
}

/// The clocks of a case that ended by a moment: which, and whether in time.
fn clocks(done: &Done, end: Timestamp) -> Vec<(&'static str, bool)> {
    let level = usize::from(done.level - 1);
    let hours = SignedDuration::from_hours;
    let mut clocks = Vec::new();
    let mut say = |name, met: Option<Timestamp>, due: Timestamp| match met.filter(|at| *at < end) {
        Some(at) => clocks.push((name, at <= due)),
        None if due < end => clocks.push((name, false)),
        None => {}
    };
    let sign = SignedDuration::from_mins([30, 60, 120, 240][level]);
    say("sign", done.signed, done.sent + sign);
    if done.level <= 2 {
        let informed = [done.reported, done.replied].into_iter().flatten().min();
        say("first_information", informed, done.opened + hours(5));
    }
    say(
        "response",
        done.answered,
        done.opened + hours([24, 24, 48, 48][level]),
    );
    clocks
}

fn unit<'a>(made: &'a Made, code: &str) -> &'a Value {
    let units = made.facts["units"].as_array().unwrap();
    units.iter().find(|unit| unit["code"] == code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_of_a_scorecard_is_that_of_what_was_done() {
    let office = office_of(&wensheng_tests::project().join(SAMPLE), Vec::new()).await;
    let played = play(&office).await;
    let made = office.make(&Wanted::Scorecard(september())).await;
    let (begin, end) = (at(1, 0), at(30, 24));
    assert_eq!(value(&made, "/opened/value") as usize, played.len());
    let within = |at: Timestamp| at >= begin && at < end;
    let answered = played
        .iter()
        .filter(|done| done.answered.is_some_and(within));
    assert_eq!(value(&made, "/answered") as usize, answered.count());
    // Clocks of each unit.
    let mut all: BTreeMap<(&str, u8), (u64, u64)> = BTreeMap::new();
    let mut by_unit: BTreeMap<&str, BTreeMap<&str, (u64, u64)>> = BTreeMap::new();
    for done in &played {
        for (name, met) in clocks(done, end) {
            for (in_time, ended) in [
                all.entry((name, done.level)).or_default(),
                by_unit
                    .entry(&done.unit)
                    .or_default()
                    .entry(name)
                    .or_default(),
            ] {
                *ended += 1;
                *in_time += u64::from(met);
            }
        }
    }
    let mut late = 0;
    for (code, clocks) in &by_unit {
        let told = &unit(&made, code)["clocks"];
        for (name, (in_time, ended)) in clocks {
            assert_eq!(told[name]["in_time"], *in_time, "{code} {name}");
            assert_eq!(told[name]["all"], *ended, "{code} {name}");
            late += ended - in_time;
        }
    }
    assert!(late > 20, "the month had late clocks, and some in time");
    assert_eq!(
        made.facts["units"].as_array().unwrap().len(),
        by_unit.len(),
        "no unit without anything to tell"
    );
    // The comparison: what all do of each kind at each level.
    for (code, clocks_of) in &by_unit {
        let expected: f64 = (played.iter().filter(|done| done.unit == **code))
            .flat_map(|done| {
                clocks(done, end)
                    .into_iter()
                    .map(|(name, _)| (name, done.level))
            })
            .map(|kind| all[&kind].0 as f64 / all[&kind].1 as f64)
            .sum();
        let (in_time, ended) =
            (clocks_of.values()).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let told = &unit(&made, code)["compared"];
        assert!(
            (told["expected"].as_f64().unwrap() - expected).abs() < 1e-9,
            "{code}"
        );
        assert_eq!(told["in_time"], in_time);
        let name = unit(&made, code)["name"].as_str().unwrap();
        if ended < 10 {
            assert_eq!(told["ratio"], Value::Null, "{code}");
            assert!(
                made.text.contains(&format!("不参加排序的单位：{name}")),
                "{}",
                made.text
            );
        } else {
            let ratio = told["ratio"]["value"].as_f64().unwrap();
            assert!((ratio - in_time as f64 / expected).abs() < 1e-9);
            let (low, high) = (
                told["ratio"]["low"].as_f64().unwrap(),
                told["ratio"]["high"].as_f64().unwrap(),
            );
            assert!(low < ratio && ratio < high);
        }
    }
    // What was done in the month.
    let lead = |wanted: &str| {
        played
            .iter()
            .filter(move |done| done.unit == wanted)
            .cloned()
            .collect::<Vec<_>>()
    };
    for code in by_unit.keys() {
        let told = &unit(&made, code)["quality"];
        let own = lead(code);
        let sent_back = own
            .iter()
            .flat_map(|done| &done.sent_back)
            .filter(|at| within(**at));
        assert_eq!(told["sent_back"], sent_back.clone().count());
        let first = own
            .iter()
            .filter(|done| done.replied.is_some_and(within))
            .count();
        // The second reply comes 45 minutes after the first was sent back.
        let again = sent_back.filter(|at| within(**at + SignedDuration::from_mins(45)));
        assert_eq!(told["replies"], first + again.count(), "{code}");
        let handed = (played.iter()).filter(|done| {
            done.handed_back
                .as_ref()
                .is_some_and(|(unit, at)| unit == code && within(*at))
        });
        assert_eq!(told["handed_back"], handed.count());
        let overdue = own.iter().filter(|done| {
            let due = done.opened
                + SignedDuration::from_hours([24, 24, 48, 48][usize::from(done.level - 1)]);
            due < end && done.answered.is_none_or(|at| at >= end)
        });
        assert_eq!(told["overdue"], overdue.count(), "{code}");
        for (said, field) in [
            ("满意", "satisfied"),
            ("基本满意", "rather"),
            ("不满意", "dissatisfied"),
            ("未能联系", "not_reached"),
        ] {
            let followed = own.iter().filter(|done| {
                done.followed
                    .is_some_and(|(one, at)| one == said && within(at))
            });
            assert_eq!(told[field], followed.count(), "{code} {said}");
        }
    }
    // The same store gives the same report; what comes after the month changes nothing.
    let again = office.make(&Wanted::Scorecard(september())).await;
    assert_eq!(made.text, again.text);
    keep_all("scorecard", &made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_without_cases_and_one_with_a_single_clock_read_as_such() {
    let office = office_of(&wensheng_tests::project().join(SAMPLE), Vec::new()).await;
    let made = office.make(&Wanted::Scorecard(september())).await;
    for said in [
        "没有立案，没有时限可以考核",
        "没有到期的时限",
        "本期没有回访",
    ] {
        assert!(made.text.contains(said), "{said}: {}", made.text);
    }
    keep_all("scorecard-empty", &made);
    // A case that came on the last evening: its clocks still run.
    let alert = alert_of("990101", 1, 4).unwrap();
    let routed = Routed {
        lead: office.routing.region().units[0].code.clone(),
        ..Routed::default()
    };
    (office.desk().cases.take(&alert, &routed, at(30, 23)).await).unwrap();
    let made = office.make(&Wanted::Scorecard(september())).await;
    assert!(made.text.contains("立案[1]"), "{}", made.text);
    assert!(made.text.contains("时限都还没有到期"), "{}", made.text);
}
