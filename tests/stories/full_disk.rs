//! The disk of one machine is full for a while: what stands in an export meanwhile is in the archive once when there is room again,
//! and each event has its case once.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpStream;
use wensheng_tests::disk::SmallDisk;
use wensheng_tests::load::standalone_by;
use wensheng_tests::{Office, PATIENCE, REGION, number, wait_for, wait_within};

/// Longest wait for what comes after a full disk: the engines are started again, with growing pauses between.
const LONG: Duration = Duration::from_secs(300);

/// Rows of an export: every fourth tells its age only, so that the time worked out first must hold.
fn rows(numbers: std::ops::Range<u32>) -> String {
    let mut rows = String::new();
    for number in numbers {
        let place = number / 5;
        let published = Timestamp::now() - SignedDuration::from_mins(number.into());
        let time = match number % 4 {
            0 => "2分钟前".to_owned(),
            _ => published.to_string(),
        };
        writeln!(
            rows,
            r#"{{"id":"{number}","title":"青禾县文化路{place}号停水","text":"青禾县文化路{place}号楼从昨天起停水，第{number}户，老人没有水喝","time":"{time}"}}"#
        )
        .expect("a string can be written");
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_one_machine_loses_and_doubles_nothing() {
    backbone::tls::install();
    let office = Office::new("127.0.0.1:9", "http://127.0.0.1:9", &rows(0..200));
    let growing = office.folder().join("growing.jsonl");
    std::fs::write(&growing, rows(200..220)).unwrap();
    office.add_sources(&format!(
        "[[source]]\nname = \"热线导出\"\nregion = \"{REGION}\"\nevery_seconds = 1\n\
         [source.import]\nfile = \"../growing.jsonl\"\n"
    ));
    let data = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(data.path()).unwrap() else {
        println!("left out: nothing can be mounted");
        return;
    };
    let (mut program, addresses) = standalone_by(office.folder(), data.path(), PATIENCE).await;
    let clickhouse = addresses["clickhouse"].clone();
    let has = async |query: &str| number(&clickhouse, query).await.unwrap_or_default();
    let posts = "SELECT uniqExact(post_id) FROM assessments";
    wait_for("the first posts", async || {
        (has(posts).await > 100).then_some(())
    })
    .await;

    disk.fill().unwrap();
    let mut export = OpenOptions::new().append(true).open(&growing).unwrap();
    export.write_all(rows(220..400).as_bytes()).unwrap();
    // The log lies there too, so nobody can say it: the broker ends.
    wait_within(LONG, "the broker to end", async || {
        let connected = TcpStream::connect(&addresses["kafka"]).await;
        connected.is_err().then_some(())
    })
    .await;
    disk.free().unwrap();
    export.write_all(rows(400..500).as_bytes()).unwrap();

    wait_within(LONG, "all posts", async || {
        let posts = has(posts).await;
        assert!(posts <= 500, "{posts} posts of 500");
        (posts == 500).then_some(())
    })
    .await;
    assert_eq!(has("SELECT count() FROM assessments FINAL").await, 500);
    let (alerted, cases) = (
        "SELECT uniqExact(event_id) FROM alerts",
        "SELECT uniqExact(case_id) FROM case_events",
    );
    wait_within(LONG, "one case per event", async || {
        let alerted = has(alerted).await;
        (alerted > 0 && alerted == has(cases).await).then_some(())
    })
    .await;
    program.stop();
}
