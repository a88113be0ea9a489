//! The weekly report.

use std::collections::{BTreeMap, BTreeSet};

use backbone::message::{Assessment, Polarity};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use report::{Fonts, Form};
use responder::report::Made;
use responder::trend::Period;
use serde_json::Value;

use super::{Line, Office, busiest, keep, office, value};

fn named(period: Period) -> String {
    format!("{}_{}", period.from, period.to)
}

/// Counts everything that the report counts.
fn is_counted_right(office: &Office, made: &Made, period: Period) {
    let (now, before) = (office.of(period), office.of(period.before()));
    assert_eq!(value(made, "/posts/value") as usize, now.len());
    let first = office.lines[0].day();
    if first <= period.before().from {
        assert_eq!(value(made, "/before/posts/value") as usize, before.len());
    } else {
        assert_eq!(made.facts["before"], Value::Null, "the file begins later");
    }
    let label = |label: Polarity| {
        let has = |(_, read): &&(&Line, &Assessment)| read.sentiment.label == label;
        now.iter().filter(has).count()
    };
    assert_eq!(
        value(made, "/negative/value") as usize,
        label(Polarity::Negative)
    );
    assert_eq!(
        value(made, "/positive/value") as usize,
        label(Polarity::Positive)
    );
    let points = made.facts["course"]["points"].as_array().unwrap();
    let mut posts = 0;
    for (at, point) in points.iter().enumerate() {
        let from: Date = point["from"].as_str().unwrap().parse().unwrap();
        let next = points
            .get(at + 1)
            .map(|next| next["from"].as_str().unwrap());
        let until: Date = next.map_or(period.to.tomorrow().unwrap(), |next| next.parse().unwrap());
        let of_point = now
            .iter()
            .filter(|(line, _)| (from..until).contains(&line.day()));
        let count = of_point.count() as u64;
        assert_eq!(point["posts"], count, "from {from}");
        posts += count;
    }
    assert_eq!(posts as usize, now.len(), "no post between two points");
    let mut subjects: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (_, read) in &now {
        if let Some(subject) = &read.subject {
            subjects.entry(&subject.name).or_default().0 += 1;
        }
    }
    for (_, read) in &before {
        if let Some(subject) = &read.subject {
            subjects.entry(&subject.name).or_default().1 += 1;
        }
    }
    for row in made.facts["subjects"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let (posts, earlier) = subjects[name];
        assert_eq!(
            row["posts"]["value"].as_f64().unwrap() as usize,
            posts,
            "{name}"
        );
        assert_eq!(row["before"].as_u64().unwrap() as usize, earlier, "{name}");
        let rank = 1 + subjects.values().filter(|other| other.0 > posts).count();
        assert_eq!(row["rank"].as_u64().unwrap() as usize, rank, "{name}");
    }
    let mut events: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for (line, read) in &now {
        if let Some(event) = &read.event {
            events.entry(&event.id).or_default().push(line);
        }
    }
    assert_eq!(value(made, "/events_in_all/value") as usize, events.len());
    for event in made.facts["events"].as_array().unwrap() {
        let lines = &events[event["id"].as_str().unwrap()];
        assert_eq!(
            event["posts"]["value"].as_f64().unwrap() as usize,
            lines.len()
        );
        let voices: BTreeSet<&str> = lines.iter().map(|line| line.user.as_str()).collect();
        assert_eq!(event["voices"].as_u64().unwrap() as usize, voices.len());
        let day = |of: &str| -> Date { event[of].as_str().unwrap().parse().unwrap() };
        let told = [day("first"), day("last")];
        assert_eq!(told, [lines[0].day(), lines[lines.len() - 1].day()]);
    }
    // What is written is what was counted.
    let numbers = report::numbers::numbers(&made.text);
    assert!(numbers.contains(&now.len().to_string()), "{}", made.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_of_a_report_is_that_of_the_posts() {
    let office = office().await;
    let busy = busiest(&office.lines);
    let half = Period {
        from: date(2019, 1, 1),
        to: date(2019, 6, 30),
    };
    let fonts = Fonts::find(&[]).unwrap();
    for period in [busy, half] {
        let made = office.weekly(period).await;
        is_counted_right(&office, &made, period);
        let again = office.weekly(period).await;
        for form in Form::ALL {
            let files = made.document.write(form, "weekly", &fonts).unwrap();
            let same = again.document.write(form, "weekly", &fonts).unwrap();
            assert_eq!(files.len(), same.len());
            for (file, same) in files.iter().zip(&same) {
                assert!(file.bytes == same.bytes, "{}", file.name);
                keep(&named(period), &file.name, &file.bytes);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_without_posts_says_so_and_a_source_that_fell_silent_is_named() {
    let office = office().await;
    let last = office.lines.last().unwrap().day();
    let empty = Period::until(last + 7.days(), 7);
    let made = office.weekly(empty).await;
    assert_eq!(value(&made, "/posts/value"), 0.0);
    for said in [
        "没有采集到帖文",
        "没有形成事件",
        "没有立案",
        "没有一周内到期或已逾期的承诺",
    ] {
        assert!(made.text.contains(said), "{said}: {}", made.text);
    }
    let quiet = office.of(Period::until(last, 28));
    let days: BTreeSet<Date> = quiet.iter().map(|(line, _)| line.day()).collect();
    assert_eq!(made.text.contains("请先核对来源是否正常"), days.len() >= 14);
    let fonts = Fonts::find(&[]).unwrap();
    for form in Form::ALL {
        for file in made.document.write(form, "weekly", &fonts).unwrap() {
            keep(&named(empty), &file.name, &file.bytes);
        }
    }
    // Nothing before the first post is compared with.
    let first = Period {
        from: office.lines[0].day(),
        to: office.lines[0].day() + 6.days(),
    };
    let made = office.weekly(first).await;
    assert!(made.text.contains("不作环比"), "{}", made.text);
    is_counted_right(&office, &made, first);
}
