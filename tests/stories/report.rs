//! Reports as the office signs them: made from the posts of a message board, with every number counted anew straight from
//! the file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use analyzer::pipeline::Pipeline;
use backbone::message::{Assessment, Certainty, Polarity, Post, Reactions, SourceKind};
use backbone::region::Region;
use jiff::civil::{Date, date};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use report::{Fonts, Form};
use responder::case::{Cases, Timing};
use responder::commitment::Commitments;
use responder::report::{Desk, Made, Wanted, make};
use responder::routing::Routing;
use responder::store::{Place, Store};
use responder::trend::Period;
use serde::Deserialize;
use serde_json::Value;
use wensheng_tests::{Archived, project, shared_data};

/// A line of the file.
#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    user: String,
    title: String,
    time: String,
    text: String,
}

impl Line {
    fn at(&self) -> Timestamp {
        let china = Offset::constant(8);
        (self.time.parse())
            .unwrap_or_else(|_| china.to_timestamp(self.time.parse().unwrap()).unwrap())
    }

    fn day(&self) -> Date {
        Offset::constant(8).to_datetime(self.at()).date()
    }
}

/// The board's posts where they are, else those of the sample county.
fn lines() -> (PathBuf, Vec<Line>) {
    let (region, file) = match shared_data() {
        Some(folder) => (
            "deploy/config/region/990000",
            folder.join("board_posts.jsonl"),
        ),
        None => (
            "deploy/sample/region/990101",
            project().join("deploy/sample/posts.jsonl"),
        ),
    };
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<Line> = lines.collect();
    lines.sort_by_key(|line| (line.at(), line.id.clone()));
    (project().join(region), lines)
}

/// The posts as the analyzer reads them; all are taken to concern the region.
fn read(region: &Region, lines: &[Line]) -> Vec<Assessment> {
    let regions = BTreeMap::from([(region.code().to_owned(), region.clone())]);
    let settings =
        analyzer::settings::Settings::load(&project().join("deploy/config/analyzer.toml"));
    let settings = settings.unwrap();
    let pipeline =
        Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk).unwrap();
    let mut state = pipeline.state();
    (lines.iter())
        .map(|line| {
            let post = Post {
                id: line.id.clone(),
                revision: 1,
                region: region.code().to_owned(),
                source: "留言板".to_owned(),
                kind: SourceKind::Board,
                url: String::new(),
                title: line.title.clone(),
                text: line.text.clone(),
                author: Some(line.user.clone()),
                published_at: line.at(),
                certainty: Certainty::Exact,
                collected_at: line.at(),
                reactions: Reactions::default(),
                answered_at: None,
            };
            let now = post.published_at;
            pipeline.assess_as_relevant(post, &mut state, now).0
        })
        .collect()
}

struct Office {
    archived: Archived,
    store: Store,
    routing: Routing,
    lines: Vec<Line>,
    read: Vec<Assessment>,
    _kept: tempfile::TempDir,
}

async fn office() -> Office {
    let (folder, lines) = lines();
    let routing = Routing::load(&folder).unwrap();
    let read = read(routing.region(), &lines);
    let mut archived = Archived::start().await;
    for batch in read.chunks(1_000) {
        archived.archive(batch).await;
    }
    let kept = tempfile::tempdir().unwrap();
    let place = Place::File(kept.path().join("responder.sqlite"));
    Office {
        archived,
        store: Store::open(&place).await.unwrap(),
        routing,
        lines,
        read,
        _kept: kept,
    }
}

impl Office {
    async fn weekly(&self, period: Period) -> Made {
        let desk = Desk {
            archive: self.archived.client(),
            cases: Cases::new(self.store.clone(), Timing::default()),
            commitments: Commitments::new(self.store.clone()),
            routing: &self.routing,
            public_url: "https://console.example.test/".parse().unwrap(),
        };
        make(&desk, &Wanted::Weekly(period)).await.unwrap()
    }

    /// The posts of a period, straight from the file, with what the analyzer read in each.
    fn of(&self, period: Period) -> Vec<(&Line, &Assessment)> {
        (self.lines.iter().zip(&self.read))
            .filter(|(line, _)| period.holds(line.day()))
            .collect()
    }
}

/// The seven days, from a Monday, with the most posts.
fn busiest(lines: &[Line]) -> Period {
    let mut weeks: BTreeMap<Date, usize> = BTreeMap::new();
    for line in lines {
        let day = line.day();
        let monday = day - i64::from(day.weekday().to_monday_zero_offset()).days();
        *weeks.entry(monday).or_default() += 1;
    }
    let (monday, _) = weeks.into_iter().max_by_key(|(_, posts)| *posts).unwrap();
    Period::until(monday + 6.days(), 7)
}

fn value(made: &Made, path: &str) -> f64 {
    let found = made.facts.pointer(path);
    (found.and_then(Value::as_f64)).unwrap_or_else(|| panic!("{path}: {:?}", made.facts))
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
                keep(period, &file.name, &file.bytes);
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
            keep(empty, &file.name, &file.bytes);
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

/// Keeps a file to look at where `WENSHENG_REPORTS` names a folder.
fn keep(period: Period, name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("WENSHENG_REPORTS") {
        let folder = PathBuf::from(folder).join(format!("{}_{}", period.from, period.to));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
