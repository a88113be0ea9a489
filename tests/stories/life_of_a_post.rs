//! The life of a post on the embedded engines, as `deploy/up` runs them: posts of a real board become
//! cases, one is dispatched, signed for, answered and closed, and nothing is lost when it is killed.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde::Deserialize;
use wensheng_tests::{Browser, duty, number, project, shared_data, wait_for, wait_for_moves};

#[derive(Deserialize)]
struct Addresses {
    pid: u32,
    console: String,
    collector: String,
    analyzer: String,
    responder: String,
    clickhouse: String,
    sample_posts: u64,
}

struct Up {
    folder: tempfile::TempDir,
}

impl Up {
    fn command(&self, program: &str, arguments: &[&str]) -> Output {
        let test = std::env::current_exe().unwrap();
        let target = test.ancestors().nth(3).unwrap();
        let mut command = Command::new(project().join("deploy").join(program));
        // What cargo tells a test would have the cargo of deploy/up build dependencies anew.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PKG_")
                || name.to_string_lossy().starts_with("CARGO_MANIFEST_")
            {
                command.env_remove(name);
            }
        }
        command
            .args(["--data"])
            .arg(self.folder.path())
            .args(arguments)
            .env("CARGO_TARGET_DIR", target);
        command.output().unwrap()
    }

    fn start(&self, arguments: &[&str]) -> (Addresses, String) {
        let output = self.command("up", &[&["--port", "0", "--detach"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = std::fs::read_to_string(self.folder.path().join("standalone.json")).unwrap();
        let addresses: Addresses = serde_json::from_str(&text).unwrap();
        assert!(
            said.contains(&addresses.console),
            "it says where the console is: {said}"
        );
        (addresses, said)
    }

    /// Runs a command by the settings that all run with, from another folder.
    fn asked(&self, program: &str, arguments: &[&str]) -> String {
        let test = std::env::current_exe().unwrap();
        let settings = self.folder.path().join(format!("settings/{program}.toml"));
        let output = Command::new(test.ancestors().nth(2).unwrap().join(program))
            .arg("--config")
            .arg(settings)
            .args(arguments)
            .current_dir("/")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    fn kill(pid: u32) {
        let killed = Command::new("kill")
            .args(["-KILL", &pid.to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        while Path::new(&format!("/proc/{pid}/exe")).exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&self) {
        let output = self.command("down", &[]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && said.contains("stopped"),
            "{said}"
        );
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.command("down", &[]);
    }
}

/// The process of an engine that a program started.
fn engine_of(program: u32, engine: &str) -> u32 {
    let name = format!("({engine}) ");
    let found = std::fs::read_dir("/proc").unwrap().find_map(|entry| {
        let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let (pid, rest) = stat.split_once(' ')?;
        let parent = rest.strip_prefix(&name)?.split(' ').nth(1)?;
        (parent == program.to_string()).then(|| pid.parse().ok())?
    });
    found.expect("a process")
}

async fn all_archived(addresses: &Addresses) {
    let clickhouse = addresses.clickhouse.clone();
    let expected = addresses.sample_posts;
    wait_for("every post in the archive, once", || {
        let clickhouse = clickhouse.clone();
        async move {
            let distinct =
                number(&clickhouse, "SELECT uniqExact(post_id) FROM assessments").await?;
            assert!(distinct <= expected, "{distinct} posts of {expected}");
            (distinct == expected).then_some(())
        }
    })
    .await;
    let rows = number(&clickhouse, "SELECT count() FROM assessments FINAL")
        .await
        .unwrap();
    assert_eq!(rows, expected);
}

async fn metric(address: &str, name: &str) -> f64 {
    let text = reqwest::get(format!("{address}/metrics"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_becomes_a_case_that_is_answered_and_nothing_is_lost() {
    backbone::tls::install();
    let region = if shared_data().is_some() {
        "990000"
    } else {
        "990101"
    };
    let up = Up {
        folder: tempfile::tempdir().unwrap(),
    };
    let (addresses, said) = up.start(&[]);
    let password = said
        .split_once("with the password ")
        .expect("the password is shown")
        .1;
    let password = password.lines().next().unwrap().to_owned();
    assert!(
        !up.folder.path().join("initial-administrator.txt").exists(),
        "it is shown once"
    );

    // Every post is there, from the export, the GBK board and the feed.
    all_archived(&addresses).await;
    for kind in ["import", "board", "feed"] {
        let query = format!("SELECT count() FROM assessments FINAL WHERE kind = '{kind}'");
        assert!(
            number(&addresses.clickhouse, &query).await.unwrap() > 15,
            "{kind}"
        );
    }
    let damaged = "SELECT count() FROM assessments WHERE position(text, '\u{fffd}') > 0";
    assert_eq!(
        number(&addresses.clickhouse, damaged).await,
        Some(0),
        "charsets were found"
    );
    let cases = "SELECT uniqExact(case_id) FROM case_events";
    wait_for("cases", || async {
        number(&addresses.clickhouse, cases)
            .await
            .filter(|count| *count > 20)
    })
    .await;

    let mut administrator = Browser::sign_in(&addresses.console, "admin", &password).await;
    assert_eq!(
        administrator.get("/").await.location,
        "/account",
        "a password that stood in a file is good for one sign-in"
    );
    administrator
        .change_password(&password, duty::PASSWORD)
        .await;
    let case = duty::answer_a_case(&addresses.console, &mut administrator, region).await;

    // Commands reach its store, its broker and its archive.
    up.asked("responder", &["audit", "verify"]);
    let dead = up.asked("analyzer", &["dead-letters", "list", "--topic", "posts"]);
    assert!(dead.contains("0 dead letters of posts"), "{dead}");
    let replayed = up.folder.path().join("replayed").display().to_string();
    let county = project().join(match region {
        "990000" => "deploy/config/region/990000",
        _ => "deploy/sample/region/990101",
    });
    let told = up.asked(
        "analyzer",
        &[
            "replay",
            "--from",
            "2000-01-01",
            "--region",
            county.to_str().unwrap(),
            "--out",
            &replayed,
        ],
    );
    assert!(told.contains("posts replayed"), "{told}");

    // Killed in the middle of it all, and started again: it has what it had, and goes on.
    Up::kill(addresses.pid);
    let (addresses, said) = up.start(&[]);
    assert!(
        !said.contains("password"),
        "the password is not shown again"
    );
    all_archived(&addresses).await;

    // Its engines killed, too: they are started again, and each move of the case goes its way through both, once.
    for engine in ["broker", "clickhouse"] {
        Up::kill(engine_of(addresses.pid, engine));
    }
    duty::close(&addresses.console, &case).await;
    let clickhouse = addresses.clickhouse.clone();
    wait_for_moves(&clickhouse, &case, 7).await;

    // The pages for posts and events show what the archive has.
    let mut officer = Browser::sign_in(&addresses.console, "officer", duty::PASSWORD).await;
    let page = officer.get("/posts").await;
    assert_eq!(
        (page.status.as_u16(), page.values("data-post").len()),
        (200, 30)
    );
    let page = officer.get("/events").await;
    let event = page
        .values("data-event")
        .first()
        .expect("events")
        .to_string();
    assert_eq!(officer.get(&format!("/events/{event}")).await.status, 200);
    assert_eq!(officer.get("/").await.status, 200);
    // The page of sources shows what the collector told of the sample's.
    let page = officer.get("/sources").await;
    assert_eq!(page.values("data-condition"), ["well", "well", "well"]);

    let alerted = "SELECT uniqExact(event_id) FROM alerts";
    wait_for("one case per event", || async {
        let cases = number(&clickhouse, cases).await?;
        (Some(cases) == number(&clickhouse, alerted).await).then_some(())
    })
    .await;

    // What operators look at. After a start a program is ready when it has looked at all it depends on.
    for address in [
        &addresses.collector,
        &addresses.analyzer,
        &addresses.responder,
    ] {
        wait_for("a program that is ready", async || {
            let answer = reqwest::get(format!("{address}/health/ready"))
                .await
                .unwrap();
            let ready = answer.status().is_success();
            println!("{address}: {}", answer.text().await.unwrap());
            ready.then_some(())
        })
        .await;
    }
    assert!(metric(&addresses.collector, "wensheng_collector_source_up").await >= 3.0);
    assert_eq!(
        metric(&addresses.analyzer, "wensheng_consumer_dead_letters_total").await,
        0.0
    );

    up.stop();
}
