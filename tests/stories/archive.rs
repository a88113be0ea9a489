//! The archive: a ClickHouse that is down delays no alert and loses no row, nothing is counted twice however often and in
//! whatever order it is written, what was there before a change of the tables is there afterwards, and the tables can be made with
//! replicas, as far as the library can show.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use analyzer::archive::{Archiver, Kept};
use analyzer::metrics::Metrics;
use analyzer::settings::Settings;
use backbone::clickhouse::MigrateError;
use backbone::clickhouse::rows::{AlertRow, AssessmentRow, OfMessage};
use backbone::kafka::{Handler, Producer, Received, Rejected, Start, Unread, read_partition};
use backbone::message::{
    Alert, Assessment, Certainty, Message, Polarity, Post, Reactions, SourceKind,
};
use backbone::settings::{ClickHouse, Kafka};
use backbone::topics::{self, ALERTS, POSTS};
use clickhouse::Client;
use futures::future::join_all;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use wensheng_tests::{Broker, Store, ZooKeeper, number, officer, project, wait_for};

const REGION: &str = "990101";

fn settings_of(store: &Store) -> ClickHouse {
    serde_json::from_value(serde_json::json!({ "url": store.url })).unwrap()
}

fn example<M: Message>(name: &str) -> M {
    let path = project().join("backbone/examples").join(name);
    backbone::message::decode(&std::fs::read(path).unwrap()).unwrap()
}

/// The posts of the sample county, as a collector sends them.
fn sample() -> Vec<Post> {
    let text = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let of = |field: &str| row[field].as_str().unwrap().to_owned();
            let at: Timestamp = format!("{}+08:00", of("time").replace(' ', "T"))
                .parse()
                .unwrap();
            Post {
                id: backbone::id::of_post("信箱", "", &of("id")),
                revision: 1,
                region: REGION.to_owned(),
                source: "信箱".to_owned(),
                kind: SourceKind::Import,
                url: String::new(),
                title: of("title"),
                text: of("text"),
                author: Some(of("user")),
                published_at: at,
                certainty: Certainty::Exact,
                collected_at: at,
                reactions: Reactions::default(),
                answered_at: None,
            }
        })
        .collect()
}

fn analyzer_of(kafka: &Broker, store: &Store) -> Settings {
    let shipped = project().join("deploy/config/analyzer.toml");
    let mut settings = Settings::load(&shipped).unwrap();
    settings.regions = vec![project().join("deploy/sample/region").join(REGION)];
    settings.kafka.brokers = kafka.address().to_owned();
    settings.clickhouse.url = store.url.clone();
    settings.operations.listen = "127.0.0.1:0".parse().unwrap();
    settings
}

/// The ids of the alerts in Kafka.
async fn alerts_told(kafka: &Kafka) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for partition in 0..kafka.partitions {
        let each = |received: Received<Alert>| {
            ids.insert(received.message.id);
        };
        read_partition(kafka, &ALERTS, partition, Start::Beginning, each)
            .await
            .unwrap();
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_down_delays_no_alert_and_loses_no_row() {
    let (kafka, mut store) = (Broker::embedded(), Store::start());
    store.kill();
    let settings = analyzer_of(&kafka, &store);
    let brokers = settings.kafka.clone();
    let stop = CancellationToken::new();
    let running = tokio::spawn(analyzer::app::run(settings, stop.clone()));
    let producer = Producer::new(&brokers).unwrap();
    wait_for("the topics", || async {
        topics::create_missing(&brokers).await.ok()
    })
    .await;
    let posts = sample();
    for post in &posts {
        producer.send(&POSTS, post).await.unwrap();
    }
    wait_for("an alert while ClickHouse is down", || async {
        (!alerts_told(&brokers).await.is_empty()).then_some(())
    })
    .await;
    // A part of them comes again, as after a crash.
    for post in &posts[..60] {
        producer.send(&POSTS, post).await.unwrap();
    }

    store.start_again();
    let count = posts.len() as u64;
    wait_for("every post in the archive, once", || async {
        let rows = number(&store.url, "SELECT count() FROM assessments FINAL").await?;
        assert!(rows <= count);
        (rows == count).then_some(())
    })
    .await;
    wait_for("every alert in the archive, once", || async {
        let told = alerts_told(&brokers).await.len() as u64;
        let rows = number(&store.url, "SELECT count() FROM alerts FINAL").await?;
        (rows == told).then_some(())
    })
    .await;
    wait_for("every post counted, once", || async {
        let counted = "SELECT toUInt64(sum(posts)) FROM posts_by_hour WHERE place = ''";
        let counted = number(&store.url, counted).await?;
        assert!(counted <= count);
        (counted == count).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// An archiver of one kind of message without Kafka.
struct Hand<R>(Archiver<R>);

impl<R: OfMessage> Hand<R> {
    async fn write(&mut self, messages: &[&impl Message]) {
        let bytes = messages
            .iter()
            .map(|message| backbone::message::encode(*message).unwrap());
        assert_eq!(self.write_bytes(bytes).await, []);
    }

    async fn write_bytes(&mut self, messages: impl IntoIterator<Item = Vec<u8>>) -> Vec<Rejected> {
        let batch: Vec<Received<Unread>> = (0..)
            .zip(messages)
            .map(|(offset, bytes)| Received {
                message: Unread(bytes),
                partition: 0,
                offset,
            })
            .collect();
        self.0.handle(&batch).await.unwrap()
    }
}

fn metrics() -> Metrics {
    Metrics::new(&prometheus::Registry::new()).unwrap()
}

fn keeping(column: &'static str, days: u32) -> Kept {
    Kept { column, days }
}

/// An archiver of assessments that keeps posts so many days.
fn archiver(store: &Store, days: u32) -> Archiver<AssessmentRow> {
    let kept = keeping("collected_at", days);
    Archiver::new(&settings_of(store), kept, metrics()).unwrap()
}

/// Posts counted that have a sentiment.
async fn counted(store: &Store, sentiment: Polarity, place: &str) -> u64 {
    let query = format!(
        "SELECT toUInt64(sum(posts)) FROM posts_by_hour WHERE place = '{place}' AND sentiment = '{}'",
        sentiment.name()
    );
    number(&store.url, &query).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_twice_or_out_of_order_counts_once_and_as_it_is_last() {
    let store = Store::start();
    let mut archiver = Hand(archiver(&store, 0).counting_hours());
    let mut first: Assessment = example("assessments/v1/relevant.json");
    first.sentiment.label = Polarity::Negative;
    let place = first.places[0].name.clone();
    let mut other = first.clone();
    "another".clone_into(&mut other.post.id);
    // The same revision once more, by other models.
    let mut again = first.clone();
    again.sentiment.label = Polarity::Neutral;
    again.assessed_at = first.assessed_at + Duration::from_secs(60);
    // A change by its writer that was assessed by a machine whose clock is behind.
    let mut changed = first.clone();
    changed.post.revision = 2;
    changed.sentiment.label = Polarity::Positive;
    changed.assessed_at = first.assessed_at - Duration::from_secs(3_600);

    archiver.write(&[&first, &other, &first]).await;
    archiver.write(&[&first]).await;
    wait_for("both counted", || async {
        (counted(&store, Polarity::Negative, "").await == 2).then_some(())
    })
    .await;
    assert_eq!(counted(&store, Polarity::Negative, &place).await, 2);

    // The later ones come first.
    archiver.write(&[&changed]).await;
    archiver.write(&[&again, &first]).await;
    wait_until_counted(&store, &mut archiver.0).await;
    let now = [Polarity::Negative, Polarity::Neutral, Polarity::Positive];
    let mut by_sentiment = Vec::new();
    for sentiment in now {
        by_sentiment.push(counted(&store, sentiment, "").await);
    }
    assert_eq!(by_sentiment, [1, 0, 1], "negative, neutral, positive");
    let shown = format!(
        "SELECT toUInt64(count()) FROM assessments FINAL WHERE post_id = '{}' AND revision = 2 AND sentiment = 'positive'",
        first.post.id
    );
    assert_eq!(number(&store.url, &shown).await, Some(1));

    // The same revision, whichever assessment comes first.
    let (mut early, mut late) = (other.clone(), other.clone());
    late.assessed_at = other.assessed_at + Duration::from_secs(60);
    "late-event".clone_into(&mut late.event.as_mut().unwrap().id);
    early.assessed_at = other.assessed_at + Duration::from_secs(30);
    archiver.write(&[&late]).await;
    archiver.write(&[&early]).await;
    let moved = "SELECT toUInt64(count()) FROM assessments FINAL WHERE post_id = 'another' AND event_id = 'late-event'";
    assert_eq!(number(&store.url, moved).await, Some(1));
}

/// Two collectors, each of which worked out by itself when `3小时前` was.
#[tokio::test(flavor = "multi_thread")]
async fn a_post_dated_by_two_collectors_is_there_once() {
    let store = Store::start();
    let mut archiver = Hand(archiver(&store, 0));
    let seen = |post: &str, certainty, later: u64| {
        let mut seen: Assessment = example("assessments/v1/relevant.json");
        post.clone_into(&mut seen.post.id);
        seen.post.certainty = certainty;
        seen.post.published_at += Duration::from_secs(later);
        seen.assessed_at += Duration::from_secs(later);
        seen
    };
    let guessed = |post, later| seen(post, Certainty::Guessed, later);
    archiver
        .write(&[&guessed("one", 0), &guessed("two", 60), &guessed("two", 0)])
        .await;
    // The second comes much later, of another month at that.
    archiver
        .write(&[&guessed("one", 40 * 86_400), &guessed("two", 90)])
        .await;
    archiver
        .write(&[&seen("three", Certainty::Collected, 5)])
        .await;
    archiver
        .write(&[&seen("three", Certainty::Collected, 0)])
        .await;

    let first = example::<Assessment>("assessments/v1/relevant.json").post;
    let first = first.published_at.as_second();
    let times =
        "SELECT post_id, toUnixTimestamp(published_at) - ? FROM assessments FINAL ORDER BY post_id";
    let times = client(&store).query(times).bind(first);
    let times: Vec<(String, i64)> = times.fetch_all().await.unwrap();
    let expected = [("one", 0), ("three", 5), ("two", 60)];
    assert_eq!(
        times,
        expected.map(|(post, later)| (post.to_owned(), later))
    );
}

/// Lets the archiver count as it does while no message comes.
async fn wait_until_counted<H: Handler>(store: &Store, archiver: &mut H) {
    let end = Instant::now() + wensheng_tests::PATIENCE;
    let marked = "SELECT countIf(touched >= counted) FROM \
        (SELECT max(touched_at) AS touched, max(counted_at) AS counted FROM hour_marks GROUP BY region, hour)";
    while number(&store.url, marked).await != Some(0) {
        assert!(Instant::now() < end, "waited in vain for the counts");
        archiver.idle().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_written_whole_but_for_what_cannot_be_read() {
    let store = Store::start();
    let mut archiver = Hand(archiver(&store, 0));
    let mut assessment: Assessment = example("assessments/v1/relevant.json");
    "她说\"停水\"了\n三天".clone_into(&mut assessment.post.text);
    let mut messages: Vec<Vec<u8>> = (0..12_000)
        .map(|number| {
            assessment.post.id = number.to_string();
            backbone::message::encode(&assessment).unwrap()
        })
        .collect();
    messages[7] = b"{".to_vec();
    let alert: Alert = example("alerts/v1/answered.json");
    messages[11_000] = backbone::message::encode(&alert).unwrap();
    let rejected = archiver.write_bytes(messages).await;
    let at: Vec<i64> = rejected.iter().map(|rejected| rejected.offset).collect();
    assert_eq!(at, [7, 11_000]);
    assert!(rejected[1].reason.contains("`alert`"), "{rejected:?}");
    for (query, expected) in [
        ("SELECT count() FROM assessments FINAL", 11_998),
        ("SELECT uniqExact(post_id) FROM assessments", 11_998),
    ] {
        assert_eq!(number(&store.url, query).await, Some(expected), "{query}");
    }
    let kept: AssessmentRow = client(&store)
        .query("SELECT ?fields FROM assessments FINAL WHERE post_id = '11999'")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(kept, AssessmentRow::from(&assessment));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_an_alert_stays_when_the_first_comes_after_it() {
    let store = Store::start();
    let archiver =
        Archiver::<AlertRow>::new(&settings_of(&store), keeping("raised_at", 0), metrics());
    let mut archiver = Hand(archiver.unwrap());
    let mut first: Alert = example("alerts/v1/answered.json");
    first.update = 0;
    let mut updated = first.clone();
    updated.update = 1;
    updated.event.posts = first.event.posts + 7;
    // Its clock is behind that of the machine before it.
    updated.raised_at = first.raised_at - Duration::from_secs(5);
    archiver.write(&[&updated]).await;
    archiver.write(&[&first]).await;
    let posts = number(&store.url, "SELECT toUInt64(sum(posts)) FROM alerts FINAL").await;
    assert_eq!(posts, Some(u64::from(updated.event.posts)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_when_they_are_older_than_they_are_kept() {
    let store = Store::start();
    let old: Assessment = example("assessments/v1/relevant.json");
    let mut old = old;
    old.post.collected_at = Timestamp::now() - Duration::from_secs(100 * 86_400);
    let mut new = old.clone();
    "new".clone_into(&mut new.post.id);
    // An old post that was collected lately.
    new.post.collected_at = Timestamp::now();
    for (days, left) in [(0, 2), (120, 2), (90, 1)] {
        Hand(archiver(&store, days)).write(&[&old, &new]).await;
        client(&store)
            .query("OPTIMIZE TABLE assessments FINAL")
            .execute()
            .await
            .unwrap();
        let rows = number(&store.url, "SELECT count() FROM assessments FINAL").await;
        assert_eq!(rows, Some(left), "kept for {days} days");
    }
}

fn client(store: &Store) -> Client {
    backbone::clickhouse::client(&settings_of(store)).unwrap()
}

/// Makes the tables as they were before posts stood in the order of time, with a row in each.
async fn tables_of_before(store: &Store) {
    Client::default()
        .with_url(&store.url)
        .query("CREATE DATABASE wensheng")
        .execute()
        .await
        .unwrap();
    let execute = async |sql: &str| client(store).query(sql).execute().await.unwrap();
    execute("CREATE TABLE migrations (number UInt32) ENGINE = ReplacingMergeTree ORDER BY number")
        .await;
    for file in ["0001_first_tables", "0002_findings", "0004_answers"] {
        let path = project().join(format!("backbone/migrations/{file}.sql"));
        for statement in std::fs::read_to_string(path).unwrap().split(";\n") {
            execute(statement).await;
        }
    }
    execute("INSERT INTO migrations VALUES (1), (2), (4)").await;
    execute(
        "INSERT INTO assessments (region, post_id, revision, text, published_at) VALUES \
         ('r', 'kept', 1, '旧文', '2019-05-01 08:00:00'), ('r', 'another', 1, '旧文', '2026-05-01 08:00:00')",
    )
    .await;
    execute("INSERT INTO alerts (region, alert_id, level) VALUES ('r', 'kept', 2)").await;
}

/// As programs do that are started together: each until there is nothing left to do.
async fn five_bring_up_to_date(store: &Store) {
    let settings = settings_of(store);
    let one = |_| {
        Box::pin(wait_for(
            "the tables are up to date",
            async || match backbone::clickhouse::migrate(&settings).await {
                Ok(()) => Some(()),
                Err(MigrateError::UnderWay) => None,
                Err(error) => panic!("{error}"),
            },
        ))
    };
    join_all((0..5).map(one)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_started_together_make_each_table_once() {
    let store = Store::start();
    for _ in 0..5 {
        let dropped = "DROP DATABASE IF EXISTS wensheng SYNC";
        let server = Client::default().with_url(&store.url);
        server.query(dropped).execute().await.unwrap();
        five_bring_up_to_date(&store).await;
        let made = "SELECT toUInt64(count() = 9 AND countIf(name IN ('alerts', 'assessments', 'case_events', 'hour_marks', \
                    'mark_hours', 'migrations', 'post_hours', 'posts_by_hour', 'signals')) = 9) \
                    FROM system.tables WHERE database = 'wensheng'";
        assert_eq!(number(&store.url, made).await, Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_before_are_carried_over_wherever_it_was_broken_off() {
    for broken_off in [
        "",
        // The table of before moved away, the next one not yet in its place.
        "RENAME TABLE assessments TO assessments_old",
        // Killed before it did anything.
        "CREATE TABLE migrating (at DateTime64(3, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY tuple() COMMENT 'killed'",
    ] {
        let store = Store::start();
        tables_of_before(&store).await;
        if !broken_off.is_empty() {
            client(&store).query(broken_off).execute().await.unwrap();
        }
        five_bring_up_to_date(&store).await;
        for (query, expected) in [
            ("SELECT count() FROM assessments FINAL WHERE version > 0", 2),
            (
                "SELECT count() FROM alerts FINAL WHERE alert_id = 'kept' AND level = 2",
                1,
            ),
            ("SELECT count() FROM hour_marks", 2),
            (
                "SELECT count() FROM system.tables WHERE database = 'wensheng' AND (name LIKE '%_old' OR name LIKE '%_next' OR name LIKE 'migrating%')",
                0,
            ),
        ] {
            assert_eq!(
                number(&store.url, query).await,
                Some(expected),
                "{query} after {broken_off}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_be_moved_away_is_told_of_and_not_waited_for() {
    let store = Store::start();
    tables_of_before(&store).await;
    for name in ["migrating", "migrating_killed"] {
        let killed = format!(
            "CREATE TABLE {name} (at DateTime64(3, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY tuple() COMMENT 'killed'"
        );
        client(&store).query(&killed).execute().await.unwrap();
    }
    let settings = settings_of(&store);
    let refused = Box::pin(wait_for("what ClickHouse refused is told", async || {
        match backbone::clickhouse::migrate(&settings).await {
            Err(MigrateError::UnderWay) => None,
            refused => Some(refused),
        }
    }))
    .await;
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("migrating_killed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_finds_posts_by_their_words_as_they_are_now() {
    let store = Store::start();
    backbone::clickhouse::migrate(&settings_of(&store))
        .await
        .unwrap();
    let template: Assessment = example("assessments/v1/relevant.json");
    let row = |id: &str, minutes: u64, title: &str, text: &str| {
        let mut assessment = template.clone();
        id.clone_into(&mut assessment.post.id);
        REGION.clone_into(&mut assessment.post.region);
        title.clone_into(&mut assessment.post.title);
        text.clone_into(&mut assessment.post.text);
        assessment.post.published_at += Duration::from_secs(60 * minutes);
        assessment
    };
    let mut dry = row("changed", 5, "停水", "停水三天了");
    let of = |assessment: &Assessment| AssessmentRow::from(assessment);
    let mut rows = vec![
        of(&row("wide", 1, "ＥＴＣ车道", "设备坏了")),
        of(&row("apart", 2, "", "公司拖欠工人工资三个月")),
        of(&row("together", 3, "讨薪", "公司拖欠工资")),
        of(&row("property", 4, "物业", "乱收费，没有人管")),
        of(&dry),
        of(&row("water", 6, "", "小区停水")),
    ];
    backbone::clickhouse::insert::<AssessmentRow>(&client(&store), AssessmentRow::TABLE, &rows)
        .await
        .unwrap();
    dry.post.revision = 2;
    "来水了".clone_into(&mut dry.post.title);
    "已经来水".clone_into(&mut dry.post.text);
    // In a part of its own, written twice; the row it replaces is still there.
    rows = vec![of(&dry)];
    for _ in 0..2 {
        backbone::clickhouse::insert::<AssessmentRow>(&client(&store), AssessmentRow::TABLE, &rows)
            .await
            .unwrap();
    }
    let region = project().join("deploy/sample/region").join(REGION);
    let mut officer = officer(client(&store), &region).await;
    for (text, expected) in [
        ("etc", vec!["wide"]),
        ("ＥＴＣ", vec!["wide"]),
        ("拖欠工资", vec!["together"]),
        ("拖欠 工资", vec!["together", "apart"]),
        ("拖欠　工资", vec!["together", "apart"]),
        ("物业 收费", vec!["property"]),
        ("停水", vec!["water"]),
        ("来水", vec!["changed"]),
        ("水", vec!["water", "changed"]),
        ("物业 停水", vec![]),
        ("没有这个词", vec![]),
        (
            "",
            vec!["water", "changed", "property", "together", "apart", "wide"],
        ),
    ] {
        let page = officer.browser.get(&format!("/posts?text={text}")).await;
        assert_eq!(page.values("data-post"), expected, "{text}");
        let total = format!("共 {} 条", expected.len());
        assert!(page.html.contains(&total), "{text}: {total}");
    }
    assert_eq!(officer.browser.get("/posts/changed").await.status, 200);
    let page = officer.browser.get("/posts/changed").await;
    assert!(
        page.html.contains("已经来水"),
        "the newest revision is shown"
    );
}

/// The statements of the migrations that make a table.
fn tables() -> Vec<String> {
    let folder = project().join("backbone/migrations");
    let mut tables: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .flat_map(|sql| sql.split(";\n").map(str::to_owned).collect::<Vec<_>>())
        .filter(|statement| statement.contains("CREATE TABLE"))
        .collect();
    tables.sort();
    tables
}

/// The settings of a store whose tables should have replicas.
fn with_replicas(store: &Store) -> ClickHouse {
    ClickHouse {
        replicated: true,
        ..settings_of(store)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_can_be_made_with_replicas() {
    let coordinator = ZooKeeper::start();
    let replicas = ["one", "other"].map(|name| Store::replica(&coordinator, name));
    for replica in &replicas {
        let server = Client::default().with_url(&replica.url);
        let made = server.query("CREATE DATABASE wensheng").execute();
        made.await.unwrap();
        for table in tables() {
            let statement = backbone::clickhouse::on_replicas(&table);
            let made = client(replica).query(&statement).execute();
            made.await.unwrap();
        }
    }
    for replica in &replicas {
        let both = "SELECT count() FROM system.replicas WHERE total_replicas = 2";
        assert_eq!(
            number(&replica.url, both).await,
            Some(tables().len() as u64)
        );
    }
    // They compare what they are: one that differs is none.
    let [one, other] = &replicas;
    let odd = |column: &str| {
        format!("CREATE TABLE odd (a {column}) ENGINE = ReplicatedReplacingMergeTree ORDER BY a")
    };
    let made = client(one).query(&odd("UInt32")).execute();
    made.await.unwrap();
    let refused = client(other).query(&odd("String")).execute().await;
    let refused = refused.unwrap_err();
    assert!(
        refused.to_string().contains("INCOMPATIBLE_COLUMNS"),
        "{refused}"
    );
}

/// The library goes no further: it has no address at which other servers could get rows. Once it has, the stories can run on replicas.
#[tokio::test(flavor = "multi_thread")]
async fn the_library_understands_a_database_with_replicas() {
    let coordinator = ZooKeeper::start();
    let store = Store::replica(&coordinator, "one");
    let refused = backbone::clickhouse::migrate(&with_replicas(&store)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("interserver_http(s)_port"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_not_taken_for_one_with_replicas() {
    let store = Store::start();
    backbone::clickhouse::migrate(&settings_of(&store))
        .await
        .unwrap();
    let refused = backbone::clickhouse::migrate(&with_replicas(&store)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("`wensheng` has the engine Atomic"),
        "{refused}"
    );
}
