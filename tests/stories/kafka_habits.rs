//! How every reader of a topic behaves, on Apache Kafka and on the embedded broker alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backbone::dead_letters;
use backbone::kafka::{
    Batch, ConsumerMetrics, Consumption, Handler, Newest, NotNow, Producer, Received, Rejected,
    Start, Tail, consume, lags, read_partition,
};
use backbone::message::{self, Post};
use backbone::service::Readiness;
use backbone::settings::Kafka;
use backbone::topics::{self, POSTS, Topic};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wensheng_tests::{Broker, project, wait_for};

/// What is read, and by which group.
static READ: [(Topic, &str); 1] = [(POSTS, "story")];

/// Ids handled, with how often.
type Handled = Arc<Mutex<BTreeMap<String, u32>>>;

struct Reader {
    handled: Handled,
    failing: Arc<Mutex<bool>>,
}

impl Handler for Reader {
    type Message = Post;

    async fn handle(&mut self, batch: &[Received<Post>]) -> Result<Vec<Rejected>, NotNow> {
        if *self.failing.lock().unwrap() {
            return Err(NotNow::because("the store is down"));
        }
        let mut rejected = Vec::new();
        for received in batch {
            if received.message.region == "unknown" {
                rejected.push(Rejected {
                    partition: received.partition,
                    offset: received.offset,
                    reason: "region `unknown` is not served; add its folder".to_owned(),
                });
                continue;
            }
            *self
                .handled
                .lock()
                .unwrap()
                .entry(received.message.id.clone())
                .or_default() += 1;
        }
        Ok(rejected)
    }
}

struct Member {
    stop: CancellationToken,
    failing: Arc<Mutex<bool>>,
    readiness: Readiness,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Member {
    fn join(kafka: &Kafka, handled: &Handled) -> Self {
        let stop = CancellationToken::new();
        let failing = Arc::new(Mutex::new(false));
        let readiness = Readiness::default();
        let reader = Reader {
            handled: handled.clone(),
            failing: failing.clone(),
        };
        let task = tokio::spawn({
            let (kafka, stop, readiness) = (kafka.clone(), stop.clone(), readiness.clone());
            async move {
                let producer = Producer::new(&kafka)?;
                let metrics = ConsumerMetrics::new(&prometheus::Registry::new())?;
                let consumption = Consumption {
                    kafka: &kafka,
                    topic: &POSTS,
                    group: "story",
                    batch: Batch::new(50, Duration::from_millis(20)),
                    producer: &producer,
                    metrics: &metrics,
                    readiness: &readiness,
                };
                consume(consumption, reader, stop).await
            }
        });
        Self {
            stop,
            failing,
            readiness,
            task,
        }
    }

    async fn leave(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

fn post(region: &str, number: u32) -> Post {
    let example = std::fs::read(project().join("backbone/examples/posts/v1/least.json")).unwrap();
    let mut post: Post = message::decode(&example).unwrap();
    post.region = region.to_owned();
    post.id = format!("post-{number}");
    post
}

async fn send(producer: &Producer, numbers: std::ops::Range<u32>) {
    for number in numbers {
        // Many counties, so that every partition has some.
        producer
            .send(&POSTS, &post(&format!("region-{}", number % 40), number))
            .await
            .unwrap();
    }
}

async fn until_handled(handled: &Handled, count: usize) {
    wait_for(&format!("{count} posts handled"), || async {
        (handled.lock().unwrap().len() == count).then_some(())
    })
    .await;
}

async fn dead_letters(kafka: &Kafka, command: dead_letters::Command) -> String {
    let mut out = Vec::new();
    dead_letters::run(kafka, &command, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

async fn a_day_of_a_reader(broker: Broker) {
    let name = broker.name();
    let kafka = Kafka::at(broker.address());
    topics::create_missing(&kafka).await.unwrap();
    topics::create_missing(&kafka)
        .await
        .expect("creating what is there changes nothing");
    let producer = Producer::new(&kafka).unwrap();
    let handled = Handled::default();

    // One member reads alone.
    let first = Member::join(&kafka, &handled);
    send(&producer, 0..200).await;
    until_handled(&handled, 200).await;

    // A second joins; the partitions are shared, and nothing is left out.
    let second = Member::join(&kafka, &handled);
    send(&producer, 200..600).await;
    until_handled(&handled, 600).await;

    // The first leaves; the second goes on with all partitions.
    first.leave().await;
    send(&producer, 600..800).await;
    until_handled(&handled, 800).await;

    // Its store fails: it pauses, says so, and has skipped nothing when the store is back.
    *second.failing.lock().unwrap() = true;
    send(&producer, 800..900).await;
    wait_for("the failing store to be named", || async {
        second
            .readiness
            .failing()
            .iter()
            .any(|(_, reason)| reason == "the store is down")
            .then_some(())
    })
    .await;
    assert_eq!(handled.lock().unwrap().len(), 800);

    // Another takes some of the paused partitions over and goes when the store is back: none of them stays paused.
    let third = Member::join(&kafka, &handled);
    wait_for("the other member to read", || async {
        (handled.lock().unwrap().len() > 800).then_some(())
    })
    .await;
    *second.failing.lock().unwrap() = false;
    until_handled(&handled, 900).await;
    third.leave().await;

    // A poison message, one of an unknown version and one of a region not served, between good ones.
    let raw: FutureProducer = kafka.client_config().unwrap().create().unwrap();
    let mut unknown_version = serde_json::to_value(post("region-1", 1)).unwrap();
    unknown_version["schema"] = "post".into();
    unknown_version["version"] = 7.into();
    for payload in ["{not json".to_owned(), unknown_version.to_string()] {
        raw.send(
            FutureRecord::to(POSTS.name)
                .key("region-1")
                .payload(&payload),
            Duration::from_secs(10),
        )
        .await
        .unwrap();
    }
    producer.send(&POSTS, &post("unknown", 5000)).await.unwrap();
    send(&producer, 900..950).await;
    until_handled(&handled, 950).await;
    let listed = || {
        dead_letters(
            &kafka,
            dead_letters::Command::List {
                topic: "posts".to_owned(),
            },
        )
    };
    let list = wait_for("three dead letters", || async {
        let list = listed().await;
        list.contains("3 dead letters of posts").then_some(list)
    })
    .await;
    assert!(list.contains("malformed post message"), "{list}");
    assert!(
        list.contains("unknown version 7; this reader knows version 1"),
        "{list}"
    );
    assert!(
        list.contains("region `unknown` is not served; add its folder"),
        "{list}"
    );

    // Replayed, a dead letter that still cannot be read is put aside again.
    let replayed = dead_letters(
        &kafka,
        dead_letters::Command::Replay {
            topic: "posts".to_owned(),
            offset: Some(0),
        },
    )
    .await;
    assert!(
        replayed.contains("1 of 3 dead letters of posts sent back"),
        "{replayed}"
    );
    wait_for("the fourth dead letter", || async {
        listed()
            .await
            .contains("4 dead letters of posts")
            .then_some(())
    })
    .await;

    // The console's page shows the newest, says how many there are, and sends one back.
    let newest = dead_letters::newest(&kafka, &POSTS, 2).await.unwrap();
    let offsets: Vec<i64> = newest.iter().map(|letter| letter.offset).collect();
    assert_eq!(offsets, [3, 2]);
    assert!(newest[0].reason.contains("malformed post message"));
    assert_eq!(newest[0].payload, b"{not json");
    assert_eq!(newest[0].group, "story");
    assert!(newest[0].at.is_some());
    assert!(!dead_letters::replay(&kafka, &POSTS, 99).await.unwrap());
    assert!(dead_letters::replay(&kafka, &POSTS, 1).await.unwrap());
    wait_for("the fifth dead letter", || async {
        let counts = dead_letters::count(&kafka).await.unwrap();
        let others: u64 = counts.iter().skip(1).sum();
        (counts.first() == Some(&5) && others == 0).then_some(())
    })
    .await;
    let behind = || async { lags(&kafka, &READ).await.unwrap().remove(0) };
    wait_for("the reader to have handled all", || async {
        let lag = behind().await;
        (lag.began && lag.messages == 0).then_some(())
    })
    .await;

    // A new member of the same group starts where the last one stopped: nothing twice.
    second.leave().await;
    let repeated = handled
        .lock()
        .unwrap()
        .values()
        .filter(|times| **times > 1)
        .count();
    let third = Member::join(&kafka, &handled);
    send(&producer, 950..1000).await;
    until_handled(&handled, 1000).await;
    third.leave().await;
    let now = handled
        .lock()
        .unwrap()
        .values()
        .filter(|times| **times > 1)
        .count();
    assert_eq!(repeated, now, "{name}: an orderly stop repeats nothing");

    // The partitions hold every post once, for whoever rebuilds state from them.
    let mut kept = BTreeMap::<String, u32>::new();
    for partition in 0..kafka.partitions {
        read_partition::<Post>(&kafka, &POSTS, partition, Start::Beginning, |received| {
            *kept.entry(received.message.id).or_default() += 1;
        })
        .await
        .unwrap();
    }
    assert_eq!(
        kept.values().filter(|times| **times == 1).count(),
        1001,
        "{name}"
    );

    // Who only looks begins at the end, sees what comes from there on, passes over what cannot be read, and leaves no trace.
    let newest = Newest::<Post>::new(&kafka, &POSTS).await.unwrap();
    let poison = FutureRecord::to(POSTS.name)
        .key("region-1")
        .payload("{not json");
    raw.send(poison, Duration::from_secs(10)).await.unwrap();
    send(&producer, 2_000..2_080).await;
    let mut seen = BTreeSet::new();
    for _ in 0..80 {
        let received = tokio::time::timeout(Duration::from_secs(30), newest.next()).await;
        seen.insert(received.expect("what was sent").message.id);
    }
    let sent: BTreeSet<String> = (2_000..2_080)
        .map(|number| format!("post-{number}"))
        .collect();
    assert_eq!(seen, sent, "{name}");
    assert!(listed().await.contains("5 dead letters of posts"), "{name}");
}

/// librdkafka ends the program where a partition is taken away a second time before its reader has stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_followed_while_partitions_come_and_go() {
    let broker = Broker::embedded();
    let kafka = Kafka::at(broker.address());
    topics::create_missing(&kafka).await.unwrap();
    let producer = Producer::new(&kafka).unwrap();
    send(&producer, 0..60).await;
    let mut tail = Tail::<Post>::new(&kafka, &POSTS, "story", &producer).unwrap();
    for _ in 0..10 {
        for partition in 0..kafka.partitions {
            tail.follow(partition, None).unwrap();
        }
        next_of(&mut tail).await;
        for partition in 0..kafka.partitions {
            tail.leave(partition).unwrap();
        }
        assert!(tail.next().await.unwrap().is_none(), "nothing is followed");
    }
    for partition in 0..kafka.partitions {
        tail.follow(partition, None).unwrap();
    }
    let mut read = BTreeSet::new();
    while read.len() < 60 {
        assert!(read.insert(next_of(&mut tail).await), "each post once");
    }
}

/// The id of the post that comes next.
async fn next_of(tail: &mut Tail<Post>) -> String {
    wait_for("a post", async || {
        let received = tail.next().await.unwrap();
        received.map(|received| received.message.id)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_apache_kafka() {
    a_day_of_a_reader(Broker::apache(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_the_embedded_broker() {
    a_day_of_a_reader(Broker::embedded()).await;
}
