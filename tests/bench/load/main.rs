//! Measures the whole: posts pushed into the collector, all the way to archive, alerts and cases. `tests/bench/load/run` tells how it is
//! called.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on fails, and prints what it measured"
)]

mod course;
mod feed;
mod scene;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use rdkafka::Offset;
use tokio::time::Instant;
use wensheng_tests::load::{heard, parts_of};
use wensheng_tests::number;

use course::{Course, LOOK, posts_in_words};
use feed::{Feed, History};
use scene::{Engines, Scene};

/// Posts made and pushed at a time.
const SLICE: usize = 5_000;
/// Posts that may be on their way: the flow waits for the archive beyond these, so that what each program did belongs to the
/// same posts and nobody works ahead.
const AHEAD: u64 = 20_000;
/// Posts archived at which the cost is told: ten times as many each time.
const FIRST_MARK: u64 = 10_000;

#[derive(Parser)]
struct Arguments {
    /// On which engines: `kafka` (with ClickHouse and PostgreSQL) or `standalone`.
    #[arg(long, value_enum, default_value = "kafka")]
    engines: Engines,
    /// Posts to go through.
    #[arg(long, default_value_t = 1_000_000)]
    posts: u64,
    /// Regions that they are of.
    #[arg(long, default_value_t = 1)]
    regions: usize,
    /// What they are drawn from.
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// Posts a second afterwards, timed to their alerts.
    #[arg(long, default_value_t = 500)]
    rate: u64,
    /// Seconds of these.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    backbone::tls::install();
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let steady = arguments.rate * arguments.seconds;
    println!(
        "making {} posts from seed {}",
        arguments.posts + steady,
        arguments.seed
    );
    let mut history = History::make(folder.path(), arguments.posts + steady, arguments.seed)?;
    let scene = Scene::start(arguments.engines, arguments.regions, folder.path()).await?;
    println!(
        "everything is ready; {} go in",
        posts_in_words(arguments.posts)
    );

    let mut course = Course::begin(&scene).await?;
    let feed = Feed::new(&scene);
    let mut mark = FIRST_MARK;
    let mut pushed = 0;
    while pushed < arguments.posts {
        let most = SLICE.min((arguments.posts - pushed) as usize);
        let slice = history.take(most)?;
        pushed += slice.len() as u64;
        feed.push(&slice, &scene.regions).await?;
        loop {
            let archived = course.look(&scene).await?;
            if archived >= mark {
                course.mark(&scene, archived).await?;
                mark *= 10;
            }
            if archived + AHEAD >= pushed.min(arguments.posts) + SLICE as u64 || archived == pushed
            {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    course.until_archived(&scene, arguments.posts).await?;
    course.end(&scene, arguments.posts).await?;
    println!("{course}");

    let begun = Instant::now();
    let hearing = std::thread::spawn({
        let kafka = scene.kafka.clone();
        move || heard(&kafka, Offset::End)
    });
    // The listener must have found the end before the first alert.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let sent = feed
        .steadily(
            &mut history,
            &scene.regions,
            arguments.rate,
            arguments.seconds,
        )
        .await?;
    println!(
        "{} at {} a second, pushed in {:.0} s",
        posts_in_words(steady),
        arguments.rate,
        begun.elapsed().as_secs_f64()
    );
    let lag = course.lag(&scene).await?;
    let heard = hearing.join().expect("the listener ends");
    told(&heard, &sent, lag);
    course
        .until_archived(&scene, arguments.posts + steady)
        .await?;
    let distinct = number(
        &scene.clickhouse,
        "SELECT uniqExact(post_id) FROM assessments",
    )
    .await;
    anyhow::ensure!(
        distinct == Some(arguments.posts + steady),
        "{distinct:?} posts are in the archive"
    );
    scene.stop();
    Ok(())
}

/// Prints how long alerts took from the push of the post that raised them.
fn told(
    heard: &[(backbone::message::Alert, Timestamp)],
    sent: &BTreeMap<String, Timestamp>,
    lag: u64,
) {
    let mut waits: Vec<f64> = (heard.iter())
        .filter_map(|(alert, at)| {
            let raised_by = alert
                .event
                .post_ids
                .iter()
                .filter_map(|post| sent.get(post))
                .max()?;
            Some(at.duration_since(*raised_by).as_secs_f64() * 1e3)
        })
        .collect();
    let count = waits.len();
    let [median, most, nearly_all, longest] = parts_of(&mut waits, [0.5, 0.95, 0.99, 1.0]);
    println!(
        "{count} alerts, from the push of the post that raised it: median {median:.0} ms, 95 % within {most:.0} ms, 99 % within {nearly_all:.0} ms, \
         longest {longest:.0} ms; {lag} messages behind when the last was pushed"
    );
}
