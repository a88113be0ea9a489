//! The three programs apart, on Apache Kafka and ClickHouse: bad input is named and hurts nothing else,
//! and a program killed in the middle loses and doubles nothing.

use std::collections::BTreeSet;

use wensheng_tests::duty::{self, PASSWORD};
use wensheng_tests::{
    Broker, Browser, Office, Program, REGION, Store, free_ports, number, project, send_raw,
    wait_for, wait_for_moves,
};

fn sample() -> Vec<String> {
    let text = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_names_all_that_it_has_not_looked_at_before_it_is_ready() {
    backbone::tls::install();
    let nobody = format!("127.0.0.1:{}", free_ports::<1>()[0]);
    let office = Office::new(&nobody, &format!("http://{nobody}"), "");
    let waited_for = [
        (
            "collector",
            1,
            ["collector source edits", "erasures"].as_slice(),
        ),
        (
            "analyzer",
            2,
            &[
                "analyzer",
                "analyzer-archive-alerts",
                "analyzer-archive-assessments",
                "analyzer-archive-case-events",
                "analyzer-archive-signals",
                "erasures",
            ],
        ),
        ("responder", 3, &["responder", "responder-sources"]),
    ];
    for (process, number, waited_for) in waited_for {
        let _program = office.start(process);
        let address = format!("{}/health/ready", office.operations(number));
        let answer = wait_for("its first answer", async || {
            reqwest::get(&address).await.ok()
        })
        .await;
        assert_eq!(answer.status(), reqwest::StatusCode::SERVICE_UNAVAILABLE);
        let told = answer.text().await.unwrap();
        let named: Vec<_> = told
            .lines()
            .filter_map(|line| line.split_once(" is down: "))
            .map(|(named, _)| named)
            .filter(|named| *named != "kafka")
            .collect();
        assert_eq!(named, waited_for, "{process}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_programs_on_apache_kafka_lose_and_double_nothing() {
    backbone::tls::install();
    let (kafka, store) = (Broker::apache(1), Store::start());
    // A broken line, a row without an id and one without a time, among the good ones.
    let mut lines = sample();
    let good = lines.len() as u64;
    lines.insert(10, "{\"id\": \"1\", \"text\": ".to_owned());
    lines.insert(
        60,
        "{\"text\": \"没有编号\", \"time\": \"2026-11-01 08:00:00\"}".to_owned(),
    );
    lines.insert(
        90,
        "{\"id\": \"2\", \"text\": \"没有时间\", \"time\": \"不详\"}".to_owned(),
    );
    let office = Office::new(kafka.address(), &store.url, &(lines.join("\n") + "\n"));
    for process in ["collector", "analyzer", "responder"] {
        let checked = office.run(process, &["check-config"]);
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }

    let mut responder = office.start("responder");
    wait_for("the responder", || office.ready(3)).await;
    // Messages that nobody can read come before everything else.
    send_raw(
        kafka.address(),
        "posts",
        "{\"schema\": \"post\", \"version\": 99, \"id\": \"x\"}",
    )
    .await;
    send_raw(kafka.address(), "posts", "no JSON at all").await;
    let example = project().join("backbone/examples/source-health/v1/changed.json");
    let health = std::fs::read_to_string(example).unwrap();
    let health = health.replace("360921", REGION);
    send_raw(kafka.address(), "source-health", &health).await;
    let mut analyzer = office.start("analyzer");
    let collector = office.start("collector");
    wait_for("the first posts in the archive", || async {
        number(&store.url, "SELECT count() FROM assessments")
            .await
            .filter(|count| *count > 0)
    })
    .await;
    analyzer.kill();
    let analyzer = office.start("analyzer");
    wait_for("every post in the archive", || async {
        let distinct = number(&store.url, "SELECT uniqExact(post_id) FROM assessments").await?;
        assert!(distinct <= good);
        (distinct == good).then_some(())
    })
    .await;
    assert_eq!(
        number(&store.url, "SELECT count() FROM assessments FINAL").await,
        Some(good)
    );

    // One case per event that raised an alert.
    let alerted = "SELECT uniqExact(event_id) FROM alerts";
    wait_for("a case for every event alerted", || async {
        let cases = number(&store.url, "SELECT uniqExact(case_id) FROM case_events").await?;
        (cases > 0 && Some(cases) == number(&store.url, alerted).await).then_some(())
    })
    .await;

    // The bad input is named with its place; the good rows around it went on.
    let sources = office.run("collector", &["sources"]);
    let sources = String::from_utf8_lossy(&sources.stdout).into_owned();
    let words: Vec<&str> = sources.split_whitespace().collect();
    assert!(
        words
            .windows(2)
            .any(|pair| pair == [good.to_string().as_str(), "3"]),
        "posts taken and rows refused: {sources}"
    );
    assert!(
        sources.contains("export.jsonl:91: field `time` tells no time"),
        "{sources}"
    );
    let dead = office.run("analyzer", &["dead-letters", "list", "--topic", "posts"]);
    let dead = String::from_utf8_lossy(&dead.stdout).into_owned();
    // A killed analyzer may put the same message there again; it is still one message.
    let places: BTreeSet<&str> = dead
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .filter(|place| place.contains("posts["))
        .collect();
    assert_eq!(places.len(), 2, "{dead}");
    assert!(dead.contains("99"), "the unknown version is named: {dead}");

    // And the office can work: a case is dispatched, signed for, answered and closed. A responder killed
    // on the way loses nothing.
    let console = office.console();
    let mut administrator = Browser::sign_in(&console, "admin", PASSWORD).await;
    let page = administrator.get("/sources").await;
    assert!(page.values("data-condition").contains(&"changed"));
    let case = duty::answer_a_case(&console, &mut administrator, REGION).await;
    responder.kill();
    let responder = office.start("responder");
    wait_for("the responder again", || office.ready(3)).await;
    duty::close(&console, &case).await;
    wait_for_moves(&store.url, &case, 7).await;

    // ClickHouse down: cases go on, posts say so.
    let mut store = store;
    store.kill();
    assert_eq!(administrator.get("/posts").await.status, 503);
    let page = administrator.get("/cases?state=pending").await;
    let case = page.values("data-case")[0].to_owned();
    administrator
        .act(&case, "dismiss", &[("note", "测试")])
        .await;
    store.start_again();
    let dismissed = "SELECT count() FROM case_events FINAL WHERE action = 'dismiss'";
    wait_for("what happened meanwhile in the archive", || async {
        number(&store.url, dismissed)
            .await
            .filter(|count| *count == 1)
    })
    .await;

    for mut program in [collector, analyzer, responder] {
        program.stop();
    }
}

#[test]
fn a_mistake_in_the_settings_is_named_with_file_line_and_field() {
    let check = |process: &str, text: &str, expected: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{process}.toml"));
        std::fs::write(&path, text).unwrap();
        let output = Program::command(process)
            .arg("--config")
            .arg(&path)
            .arg("check-config")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in expected {
            assert!(said.contains(part), "{process}: {said}");
        }
    };
    for process in ["collector", "analyzer", "responder"] {
        let shipped = project().join(format!("deploy/config/{process}.toml"));
        let text = std::fs::read_to_string(shipped).unwrap();
        let line = text
            .lines()
            .position(|line| line.starts_with("brokers"))
            .unwrap()
            + 1;
        let mistaken = text.replacen("brokers =", "colour = 1\nbrokers =", 1);
        check(
            process,
            &mistaken,
            &[&format!("{process}.toml:{line}"), "unknown field `colour`"],
        );
    }
}

#[test]
fn a_command_whose_output_nobody_reads_on_ends_silently() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = Program::command("collector")
        .arg("--config")
        .arg(project().join("deploy/config/collector.toml"))
        .arg("sources")
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(
        ended.status.code(),
        Some(141),
        "as a closed pipe ends programs"
    );
}
