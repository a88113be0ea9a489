//! An analyzer that is killed and started again knows its events by their checkpoint and reads only what came since; a
//! checkpoint that is damaged costs time and nothing else.

use std::path::Path;
use std::sync::{Arc, Mutex};

use backbone::kafka::{Producer, Start, read_partition};
use backbone::message::{Assessment, Certainty, Post, Reactions, SourceKind};
use backbone::settings::Kafka;
use backbone::topics::{self, ASSESSMENTS, POSTS};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use wensheng_tests::{Broker, Program, project, wait_for};

const REGION: &str = "990101";
/// Enough for a checkpoint, and a few more.
const POSTS_BEFORE: usize = 10_050;

fn post(number: usize, title: &str, text: &str) -> Post {
    let at = Timestamp::now() - SignedDuration::from_secs(20_000 - number as i64);
    Post {
        id: format!("post-{number}"),
        revision: 1,
        region: REGION.to_owned(),
        source: "留言板".to_owned(),
        kind: SourceKind::Import,
        url: String::new(),
        title: title.to_owned(),
        text: text.to_owned(),
        author: Some(format!("voice-{}", number % 500)),
        published_at: at,
        certainty: Certainty::Exact,
        collected_at: at,
        reactions: Reactions::default(),
        answered_at: None,
    }
}

/// The sample county's posts over and over, each time of another house.
fn history() -> Vec<Post> {
    let sample = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    let rows: Vec<serde_json::Value> = (sample.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (rows.iter().cycle().take(POSTS_BEFORE).enumerate())
        .map(|(number, row)| {
            let text = format!("{}（{number}号楼）", row["text"].as_str().unwrap());
            post(number, row["title"].as_str().unwrap(), &text)
        })
        .collect()
}

struct Analyzer {
    program: Program,
    metrics: String,
}

impl Analyzer {
    fn start(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let config = folder.join("analyzer.toml");
        let text = std::fs::read_to_string(folder.join("settings.toml")).unwrap();
        std::fs::write(&config, text.replace("PORT", &port.to_string())).unwrap();
        let mut command = Program::command("analyzer");
        command.arg("--config").arg(config);
        Self {
            program: Program::start(command),
            metrics: format!("http://127.0.0.1:{port}/metrics"),
        }
    }

    /// The sum of a gauge over the partitions, once it is told.
    async fn gauge(&self, name: &str) -> Option<f64> {
        let text = reqwest::get(&self.metrics).await.ok()?.text().await.ok()?;
        let name = format!("wensheng_analyzer_{name}{{");
        let of = |line: &str| {
            line.starts_with(&name)
                .then(|| line.rsplit(' ').next()?.parse().ok())?
        };
        let values: Vec<f64> = text.lines().filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// How many posts were read to know the events again.
    async fn read_again(&self) -> f64 {
        wait_for("the events to be rebuilt", || self.gauge("rebuilt_posts")).await
    }
}

/// All that was assessed, by its post.
async fn assessed(kafka: &Kafka) -> Vec<Assessment> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let read = read_partition::<Assessment>(kafka, &ASSESSMENTS, 0, Start::Beginning, |received| {
        all.lock().unwrap().push(received.message);
    });
    read.await.unwrap();
    std::mem::take(&mut *all.lock().unwrap())
}

/// The event of a post, once it is assessed.
async fn event_of(kafka: &Kafka, id: &str) -> String {
    wait_for("the post's assessment", || async {
        let found = assessed(kafka)
            .await
            .into_iter()
            .find(|known| known.post.id == id);
        Some(found?.event?.id)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_it_reads_only_what_came_since_its_checkpoint() {
    backbone::tls::install();
    let broker = Broker::apache(1);
    let folder = tempfile::tempdir().unwrap();
    let project = project();
    std::fs::write(
        folder.path().join("settings.toml"),
        format!(
            "regions = [\"{}\"]\nmodel = \"{}\"\ncheckpoints = \"checkpoints\"\n\
             [kafka]\nbrokers = \"{}\"\npartitions = 1\n\
             [clickhouse]\nurl = \"http://127.0.0.1:9\"\n[operations]\nlisten = \"127.0.0.1:PORT\"\n",
            project.join("deploy/sample/region").join(REGION).display(),
            project.join("analyzer/model").display(),
            broker.address()
        ),
    )
    .unwrap();
    let kafka = Kafka {
        partitions: 1,
        ..Kafka::at(broker.address())
    };
    topics::create_missing(&kafka).await.unwrap();
    let producer = Producer::new(&kafka).unwrap();
    let history = history();
    for batch in history.chunks(500) {
        try_join_all(batch.iter().map(|post| producer.send(&POSTS, post)))
            .await
            .unwrap();
    }

    let mut analyzer = Analyzer::start(folder.path());
    let checkpoint = folder.path().join("checkpoints/events-0.checkpoint");
    wait_for("a checkpoint", || async {
        checkpoint.exists().then_some(())
    })
    .await;
    wait_for("all posts to be assessed", || async {
        (assessed(&kafka).await.len() >= POSTS_BEFORE).then_some(())
    })
    .await;
    let events = wait_for("the events", || analyzer.gauge("window_events")).await;
    assert_eq!(analyzer.read_again().await, 0.0, "there was nothing yet");
    analyzer.program.kill();

    // A copy of a post known only by the checkpoint.
    let copy = Post {
        id: "copy-1".to_owned(),
        ..history[9].clone()
    };
    producer.send(&POSTS, &copy).await.unwrap();
    let mut analyzer = Analyzer::start(folder.path());
    let read = analyzer.read_again().await;
    assert!(read > 0.0 && read < 1_000.0, "{read} posts read again");
    let first = event_of(&kafka, &history[9].id).await;
    assert_eq!(event_of(&kafka, "copy-1").await, first);
    assert_eq!(analyzer.gauge("window_events").await, Some(events));
    analyzer.program.kill();

    let bytes = std::fs::read(&checkpoint).unwrap();
    std::fs::write(&checkpoint, &bytes[..bytes.len() / 2]).unwrap();
    let again = Post {
        id: "copy-2".to_owned(),
        ..copy
    };
    producer.send(&POSTS, &again).await.unwrap();
    let analyzer = Analyzer::start(folder.path());
    let read = analyzer.read_again().await;
    assert!(read >= POSTS_BEFORE as f64, "{read} posts read again");
    assert_eq!(event_of(&kafka, "copy-2").await, first);
    assert_eq!(analyzer.gauge("window_events").await, Some(events));
}
