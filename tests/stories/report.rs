//! Reports as the office signs them: made from the posts of a message board, with every number counted anew straight from
//! the file.

mod kinds;
mod units;
mod weekly;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::pipeline::Pipeline;
use backbone::clickhouse::rows::AlertRow;
use backbone::message::{Alert, Assessment, Certainty, Post, Reactions, SourceKind};
use backbone::region::Region;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use report::{Fonts, Form};
use responder::case::{Actor, Cases, Role, Timing};
use responder::commitment::Commitments;
use responder::notify::Composer;
use responder::report::{Desk, Made, Wanted, make};
use responder::routing::Routing;
use responder::store::{Place, Store};
use responder::trend::Period;
use serde::Deserialize;
use serde_json::Value;
use wensheng_tests::walk::staff;
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
fn read(region: &Region, lines: &[Line]) -> (Vec<Assessment>, Vec<Alert>) {
    let regions = BTreeMap::from([(region.code().to_owned(), region.clone())]);
    let settings =
        analyzer::settings::Settings::load(&project().join("deploy/config/analyzer.toml"));
    let settings = settings.unwrap();
    let pipeline =
        Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk).unwrap();
    let mut state = pipeline.state();
    let mut raised = Vec::new();
    let read = (lines.iter())
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
            let (read, alerts) = pipeline.assess_as_relevant(post, &mut state, now);
            raised.extend(alerts);
            read
        })
        .collect();
    (read, raised)
}

struct Office {
    archived: Archived,
    store: Store,
    routing: Routing,
    lines: Vec<Line>,
    read: Vec<Assessment>,
    alerts: Vec<Alert>,
    _kept: tempfile::TempDir,
}

async fn office() -> Office {
    let (folder, lines) = lines();
    office_of(&folder, lines).await
}

/// The office of a region with posts.
async fn office_of(folder: &Path, lines: Vec<Line>) -> Office {
    let routing = Routing::load(folder).unwrap();
    let (read, alerts) = read(routing.region(), &lines);
    let mut archived = Archived::start().await;
    for batch in read.chunks(1_000) {
        archived.archive(batch).await;
    }
    let mut insert = archived
        .client()
        .insert::<AlertRow>("alerts")
        .await
        .unwrap();
    for alert in &alerts {
        insert.write(&AlertRow::from(alert)).await.unwrap();
    }
    insert.end().await.unwrap();
    let kept = tempfile::tempdir().unwrap();
    let place = Place::File(kept.path().join("responder.sqlite"));
    Office {
        archived,
        store: Store::open(&place).await.unwrap(),
        routing,
        lines,
        read,
        alerts,
        _kept: kept,
    }
}

impl Office {
    fn desk(&self) -> Desk<'_> {
        Desk {
            archive: self.archived.client(),
            cases: Cases::new(self.store.clone(), Timing::default()),
            commitments: Commitments::new(self.store.clone()),
            routing: &self.routing,
            public_url: "https://console.example.test/".parse().unwrap(),
            now: Timestamp::now(),
        }
    }

    async fn make(&self, wanted: &Wanted) -> Made {
        let made = make(&self.desk(), wanted).await;
        made.unwrap_or_else(|error| panic!("{wanted:?}: {error}"))
    }

    async fn weekly(&self, period: Period) -> Made {
        self.make(&Wanted::Weekly(period)).await
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

/// Keeps a file to look at where `WENSHENG_REPORTS` names a folder.
fn keep(folder_of: &str, name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("WENSHENG_REPORTS") {
        let folder = PathBuf::from(folder).join(folder_of);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Keeps a report in every form.
fn keep_all(name: &str, made: &Made) {
    let fonts = Fonts::find(&[]).unwrap();
    for form in Form::ALL {
        for file in made.document.write(form, name, &fonts).unwrap() {
            keep(name, &file.name, &file.bytes);
        }
    }
}

/// What tells the units of the office's region, and who acts in it.
fn acting(office: &Office) -> (Composer, impl Fn(Role, &str) -> Actor + use<>) {
    let mut region = office.routing.region().clone();
    staff(&mut region);
    let code = region.code().to_owned();
    let regions = Arc::new(BTreeMap::from([(code.clone(), region)]));
    let notices = Composer::new(regions, "http://127.0.0.1/".parse().unwrap());
    let actor = move |role: Role, unit: &str| Actor {
        name: role.name().to_owned(),
        role,
        region: if unit.is_empty() {
            String::new()
        } else {
            code.clone()
        },
        unit: unit.to_owned(),
        via: String::new(),
    };
    (notices, actor)
}
