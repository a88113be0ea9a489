//! A post that is erased on request is nowhere any more, whatever is killed, replayed or changed meanwhile.

use backbone::kafka::lags;
use backbone::settings::Kafka;
use backbone::topics::GROUPS;
use serde_json::{Value, json};
use wensheng_tests::duty::{self, PASSWORD};
use wensheng_tests::everywhere::{self, Kept};
use wensheng_tests::{
    Broker, Browser, Office, Postgres, REGION, Store, number, project, send_raw, wait_for,
};

use super::report;

/// What an office without these words of a post must not show.
struct Erased {
    id: String,
    text: String,
    title: String,
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A stretch of a text by which it is known.
fn stretch(text: &str) -> String {
    letters(text).chars().skip(4).take(20).collect()
}

/// The sample's posts without those that say what an earlier one says: what another wrote stays when a post is erased.
fn posts_that_differ() -> String {
    let sample = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    let mut kept: Vec<(&str, [String; 3])> = Vec::new();
    for line in sample.lines() {
        let post: Value = serde_json::from_str(line).unwrap();
        let (title, text) = (
            post["title"].as_str().unwrap(),
            post["text"].as_str().unwrap(),
        );
        let this = [
            letters(title),
            stretch(text),
            letters(&format!("{title}{text}")),
        ];
        let says = |one: &[String; 3], other: &[String; 3]| {
            (one[..2].iter()).any(|words| words.chars().count() >= 8 && other[2].contains(words))
        };
        if !(kept.iter()).any(|(_, other)| says(&this, other) || says(other, &this)) {
            kept.push((line, this));
        }
    }
    kept.iter().map(|(line, _)| format!("{line}\n")).collect()
}

/// Where the words of a post are, of what is kept.
fn words_in<'a>(kept: &'a [Kept], erased: &Erased) -> Vec<&'a str> {
    let stretch = stretch(&erased.text);
    let title = letters(&erased.title);
    assert_eq!(stretch.chars().count(), 20);
    (kept.iter())
        .filter(|kept| {
            let said = letters(&kept.text);
            said.contains(&stretch) || (title.chars().count() >= 8 && said.contains(&title))
        })
        .map(|kept| kept.place.as_str())
        .collect()
}

async fn text(clickhouse: &str, query: &str) -> String {
    let client = clickhouse::Client::default()
        .with_url(clickhouse)
        .with_database("wensheng");
    client.query(query).fetch_one::<String>().await.unwrap()
}

/// What the console does, programs do by the API with a token of their own.
async fn another_is_erased_by_a_program(
    office: &Office,
    console: &str,
    clickhouse: &str,
    erased: &str,
) {
    let made = office.run(
        "responder",
        &[
            "token",
            "add",
            "admin",
            "--label",
            "个人信息申请",
            "--scope",
            "erasures:read",
            "--scope",
            "erasures:write",
        ],
    );
    let said = String::from_utf8(made.stdout).unwrap();
    let token = (said.split_whitespace()).find(|word| word.starts_with("wensheng_"));
    let client = reqwest::Client::new();
    let asked = async |request: reqwest::RequestBuilder| {
        let answer = request.bearer_auth(token.unwrap()).send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap(),
        )
    };
    let erasures = format!("{console}/api/v1/erasures");
    let (status, proof) = asked(client.get(format!("{erasures}/{erased}"))).await;
    assert_eq!(
        (status, &proof["erasure"]["state"]),
        (200, &"erased".into())
    );
    assert!(proof["places"].as_array().unwrap().len() > 10, "{proof}");

    let erase = |post: &str| {
        client
            .post(&erasures)
            .json(&json!({ "post": post, "reason": "本人申请，已核实" }))
    };
    assert_eq!(asked(erase(erased)).await.0, 422, "it is erased already");
    assert_eq!(asked(erase("no-such-post")).await.0, 404);
    let other = format!("SELECT max(post_id) FROM assessments WHERE post_id != '{erased}'");
    let other = text(clickhouse, &other).await;
    let (status, begun) = asked(erase(&other)).await;
    assert_eq!((status, &begun["post"]), (202, &other.as_str().into()));
    let (_, list) = asked(client.get(&erasures)).await;
    assert_eq!(list["total"], 2, "{list}");
}

async fn a_post_is_erased_everywhere_on_request(postgres: Option<Postgres>) {
    backbone::tls::install();
    // The embedded broker gives the partitions of a program that was killed to no other.
    let (kafka, clickhouse) = (Broker::apache(1), Store::start());
    let sample = posts_that_differ();
    let office = Office::new(kafka.address(), &clickhouse.url, &sample);
    let sqlite = format!(
        "sqlite://{}",
        office.folder().join("responder.sqlite").display()
    );
    let store = postgres
        .as_ref()
        .map_or(sqlite, |postgres| postgres.url.clone());
    if let Some(postgres) = &postgres {
        office.change("responder", |settings| {
            let mut table = toml::Table::new();
            table.insert("url".to_owned(), postgres.url.clone().into());
            settings.insert("store".to_owned(), table.into());
        });
    }
    let mut responder = office.start_logging("responder");
    wait_for("the responder", || office.ready(3)).await;
    let mut analyzer = office.start_logging("analyzer");
    let mut collector = office.start_logging("collector");
    let posts = sample.lines().count() as u64;
    let all_posts = "SELECT uniqExact(post_id) FROM assessments";
    wait_for("every post in the archive", async || {
        number(&clickhouse.url, all_posts)
            .await
            .filter(|count| *count == posts)
    })
    .await;
    let console = office.console();
    let mut administrator = Browser::sign_in(&console, "admin", PASSWORD).await;
    wait_for("a case", async || {
        let page = administrator_cases(&console).await;
        page.then_some(())
    })
    .await;
    let case = duty::answer_a_case(&console, &mut administrator, REGION).await;
    let event = text(
        &clickhouse.url,
        &format!("SELECT any(event_id) FROM case_events WHERE case_id = '{case}'"),
    )
    .await;
    let opener = |what: &str| {
        format!(
            "SELECT argMin({what}, published_at) FROM assessments FINAL WHERE event_id = '{event}'"
        )
    };
    let erased = Erased {
        id: text(&clickhouse.url, &opener("post_id")).await,
        text: text(&clickhouse.url, &opener("text")).await,
        title: text(&clickhouse.url, &opener("title")).await,
    };
    let in_event = format!("SELECT uniqExact(post_id) FROM assessments WHERE event_id = '{event}'");
    let in_event_before = number(&clickhouse.url, &in_event).await;
    // What the writer wrote is quoted: in the reply, in a verdict, in a report that is signed.
    duty::close(&console, &case).await;
    let quote = format!("网友反映“{}”，已记下。", erased.text);
    let mut officer = Browser::sign_in(&console, "officer", PASSWORD).await;
    officer
        .act(&case, "follow-up", &[("note", &quote), ("choice", "满意")])
        .await;
    let page = officer.get(&format!("/posts/{}", erased.id)).await;
    let csrf = page.hidden("csrf").unwrap().to_owned();
    let judged = [("csrf", csrf.as_str()), ("verdict", "confirm")];
    let judged = officer
        .post(&format!("/posts/{}/correction", erased.id), &judged)
        .await;
    assert_eq!(judged.status, 303);
    report(&mut officer).await;
    let reports = officer.get("/reports").await;
    let paper = format!("/reports/{}", reports.values("data-paper")[0]);
    let mut leader = Browser::sign_in(&console, "leader", PASSWORD).await;
    let edit = officer.get(&format!("{paper}/edit")).await;
    let quoting = format!("{}\n\n{quote}\n", duty::wording(&edit));
    let answer = officer
        .send(
            &format!("{paper}/edit"),
            "../text",
            &[
                ("text", &quoting),
                ("title", "网络舆情周报"),
                ("reason", "补充原文"),
            ],
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.html);
    let answer = officer.send(&paper, "moves", &[("action", "submit")]).await;
    assert_eq!(answer.status, 303, "{}", answer.html);
    let answer = leader.send(&paper, "moves", &[("action", "approve")]).await;
    assert_eq!(answer.status, 303, "{}", answer.html);
    let rows = everywhere::store(&store).await;
    let before = words_in(&rows, &erased);
    for place in [
        "store moves.note",
        "store papers.text",
        "store corrections.text",
        "store paper_files.content: word/document.xml",
    ] {
        assert!(before.contains(&place), "{place} of {before:?}");
    }

    // What is in topics, to come again later.
    let messages = everywhere::messages(kafka.address());
    let of_post = |topic: &str| {
        let found = messages
            .iter()
            .find(|kept| kept.place.starts_with(topic) && kept.text.contains(&erased.id));
        found.unwrap().text.lines().last().unwrap().to_owned()
    };
    let (sent, assessed) = (of_post("posts["), of_post("assessments["));

    // Only who decides may, and says why.
    let path = format!("/posts/{}/erase", erased.id);
    let csrf = officer
        .get("/posts")
        .await
        .hidden("csrf")
        .unwrap()
        .to_owned();
    assert_eq!(
        officer
            .post(&path, &[("csrf", &csrf), ("reason", "申请")])
            .await
            .status,
        403
    );
    let held = administrator
        .get(&format!("/posts/{}/held", erased.id))
        .await;
    assert!(
        held.html.contains(&erased.title) && held.html.contains(&paper),
        "{}",
        held.html
    );
    let csrf = held.hidden("csrf").unwrap().to_owned();
    assert_eq!(
        administrator
            .post(&path, &[("csrf", &csrf), ("reason", " ")])
            .await
            .status,
        422
    );
    let begun = administrator
        .post(&path, &[("csrf", &csrf), ("reason", "本人申请，已核实")])
        .await;
    assert_eq!(
        (begun.status.as_u16(), begun.location.clone()),
        (303, format!("/erasures/{}", erased.id))
    );
    // Killed in the middle of it.
    let so_far = async || {
        let said = office.run("responder", &["erasure", &erased.id]).stdout;
        String::from_utf8_lossy(&said).into_owned()
    };
    wait_for("a first place to be looked through", async || {
        so_far().await.contains("案件库：").then_some(())
    })
    .await;
    responder.kill();
    collector.kill();
    // The writer changes the post meanwhile, and an old log is read again.
    let changed: Value = {
        let line = sample
            .lines()
            .find(|line| line.contains(erased.text.chars().take(30).collect::<String>().as_str()));
        let mut post: Value = serde_json::from_str(line.unwrap()).unwrap();
        post["text"] = format!(
            "{}（补充：到现在还没有解决）",
            post["text"].as_str().unwrap()
        )
        .into();
        post
    };
    std::fs::write(
        office.folder().join("export.jsonl"),
        format!("{sample}{changed}\n"),
    )
    .unwrap();
    let mut later: Value = serde_json::from_str(&sent).unwrap();
    later["revision"] = 7.into();
    send_raw(kafka.address(), "posts", &later.to_string()).await;
    send_raw(kafka.address(), "assessments", &assessed).await;
    let mut responder = office.start_logging("responder");
    let mut collector = office.start_logging("collector");
    // The analyzer is killed once it has forgotten the post: what it begins with then is what it kept.
    let is_kept = |kept: &Kept| kept.place.ends_with(".checkpoint, unpacked");
    wait_for("a checkpoint without the post", async || {
        let files = everywhere::files(&office.folder().join("checkpoints"), &[]);
        files.iter().any(is_kept).then_some(())
    })
    .await;
    analyzer.kill();
    let mut analyzer = office.start_logging("analyzer");
    wait_for("the responder", || office.ready(3)).await;
    wait_for("the collector", || office.ready(1)).await;
    wait_for("the analyzer", || office.ready(2)).await;
    let mut administrator = Browser::sign_in(&console, "admin", PASSWORD).await;
    let proof = format!("/erasures/{}", erased.id);
    wait_for("the post to be erased", async || {
        so_far()
            .await
            .lines()
            .next()?
            .ends_with("erased")
            .then_some(())
    })
    .await;
    // What came again is written once more by the archiver, without the words.
    let settings = Kafka::at(kafka.address());
    wait_for("what came again to be handled", async || {
        let lags = lags(&settings, &GROUPS).await.ok()?;
        lags.iter().all(|lag| lag.messages == 0).then_some(())
    })
    .await;

    let page = administrator.get(&proof).await;
    assert_eq!(page.values("data-state"), ["erased"], "{}", page.html);
    assert!(!page.html.contains(&erased.text) && page.html.contains("消息记录：assessments"));
    another_is_erased_by_a_program(&office, &console, &clickhouse.url, &erased.id).await;
    let mut kept = everywhere::archive(&clickhouse.url).await;
    kept.extend(everywhere::store(&store).await);
    for path in [
        format!("/posts/{}", erased.id),
        format!("/posts/{}/held", erased.id),
        format!("/api/v1/posts/{}/held", erased.id),
        format!("/api/v1/erasures/{}", erased.id),
        "/api/v1/posts".to_owned(),
        "/posts".to_owned(),
        "/posts/export?format=csv".to_owned(),
        format!("/events/{event}"),
        format!("/cases/{case}"),
        format!("/cases/{case}/sheet"),
        "/live".to_owned(),
        "/cases".to_owned(),
        paper.clone(),
        format!("{paper}/preview"),
        format!("{paper}/files/html"),
        "/audit".to_owned(),
    ] {
        let page = administrator.get(&path).await;
        assert!(page.status.is_success(), "{path}: {}", page.status);
        kept.push(Kept {
            place: format!("page {path}"),
            text: page.html,
        });
    }
    assert_eq!(words_in(&kept, &erased), Vec::<&str>::new());
    // The matter was said and stays counted; the paper says what happened to it.
    assert_eq!(number(&clickhouse.url, all_posts).await, Some(posts));
    assert_eq!(number(&clickhouse.url, &in_event).await, in_event_before);
    let page = administrator.get(&paper).await;
    assert!(page.html.contains("data-erased=\"1\""), "{}", page.html);
    let preview = administrator.get(&format!("{paper}/preview")).await;
    assert!(preview.html.contains("依申请删除"));
    let audit = office.run("responder", &["audit", "verify"]);
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
    assert!(
        kept.iter()
            .any(|kept| kept.place == "page /audit" && kept.text.contains("登记删除帖文"))
    );
    // In the log of posts a copy is left until it is past its retention, and the proof says so.
    assert!(!words_in(&messages, &erased).is_empty());
    collector.stop();
    analyzer.stop();
    responder.stop();
    // The engines' files, but the broker's.
    let files = everywhere::files(office.folder(), &["export.jsonl"]);
    assert!(files.iter().any(is_kept));
    assert_eq!(words_in(&files, &erased), Vec::<&str>::new());
}

async fn administrator_cases(console: &str) -> bool {
    let mut administrator = Browser::sign_in(console, "admin", PASSWORD).await;
    !administrator
        .get("/cases?state=pending")
        .await
        .values("data-case")
        .is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_erased_everywhere_on_request_from_sqlite() {
    a_post_is_erased_everywhere_on_request(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_erased_everywhere_on_request_from_postgresql() {
    a_post_is_erased_everywhere_on_request(Some(Postgres::start())).await;
}
