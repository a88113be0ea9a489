//! What people wrote of themselves by mistake: telephone, identity and card numbers, addresses and plates, in every way in which
//! people write them and by every way in, are in no topic, table, file, log, metric, page, export or report. Only the folder from
//! which an export is read has them, and a message that was put into a topic from outside stays there as it is.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;
use tokio::net::TcpListener;
use wensheng_tests::duty::{self, PASSWORD};
use wensheng_tests::everywhere::{self, Kept};
use wensheng_tests::{Broker, Browser, Office, REGION, Store, number, project, send_raw, wait_for};

use super::plants::{Plant, found, plants, written};
use super::report;

const TOKEN: &str = "a token of sixteen characters";
/// By this a message is known that was put into a topic from outside.
const FROM_OUTSIDE: &str = "from outside";

/// A site with a feed that changes, and a message board whose posts show their answers.
#[derive(Clone)]
struct Site {
    feed: Arc<Mutex<String>>,
    post: Arc<String>,
}

async fn site(feed: String, post: String) -> (String, Arc<Mutex<String>>) {
    async fn feed_of(State(site): State<Site>) -> impl IntoResponse {
        (
            [(CONTENT_TYPE, "application/xml")],
            site.feed.lock().unwrap().clone(),
        )
    }
    async fn list() -> impl IntoResponse {
        (
            [(CONTENT_TYPE, "text/html; charset=utf-8")],
            "<ul><li><a href='/board/post/1'>帖</a></li></ul>",
        )
    }
    async fn post_of(State(site): State<Site>) -> impl IntoResponse {
        (
            [(CONTENT_TYPE, "text/html; charset=utf-8")],
            site.post.to_string(),
        )
    }
    let state = Site {
        feed: Arc::new(Mutex::new(feed)),
        post: Arc::new(post),
    };
    let shared = Arc::clone(&state.feed);
    let router = Router::new()
        .route("/feed", get(feed_of))
        .route("/board/list", get(list))
        .route("/board/post/1", get(post_of))
        .with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, shared)
}

fn feed(author: &str, title: &str, text: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>论坛</title><item><guid>https://forum.example/t/1</guid>\
         <link>https://forum.example/t/1</link><title>望江镇自来水发黄{title}</title><author>{author}</author>\
         <pubDate>Mon, 16 Nov 2026 08:00:00 +0800</pubDate><description>望江镇的自来水发黄，没有人管。{text}</description>\
         </item></channel></rss>"
    )
}

fn board(plants: &[Plant], answer: &[Plant]) -> String {
    format!(
        "<meta charset=utf-8><h1>柳桥镇垃圾没人收</h1><span class=at>2026年11月16日 09:30</span><span class=by>{}</span>\
         <div class=text><p>柳桥镇的垃圾三天没有人收。{}</p><div class=reply>官方回复：网友你好，请联系{}</div></div>",
        plants[0].number,
        written(plants),
        written(answer),
    )
}

/// The sample's posts, each with numbers of its writer, and rows that cannot be read.
fn export(plants: &[Plant], unreadable: &[Plant]) -> String {
    let sample = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    let mut lines: Vec<String> = sample
        .lines()
        .map(|line| {
            let mut post: Value = serde_json::from_str(line).unwrap();
            let text = format!("{}{}", post["text"].as_str().unwrap(), written(plants));
            post["text"] = text.into();
            let title = format!("{}{}", post["title"].as_str().unwrap(), plants[0].written);
            post["title"] = title.into();
            post["user"] = plants[1].number.clone().into();
            post.to_string()
        })
        .collect();
    let [wrong_type, no_time, broken, ..] = unreadable else {
        panic!("too few");
    };
    lines.insert(3, format!("{{\"id\": \"1\", \"text\": \"好\", \"time\": \"2026-11-01 08:00:00\", \"like\": \"{}\"}}", wrong_type.written));
    lines.insert(
        5,
        format!(
            "{{\"id\": \"2\", \"text\": \"没有时间\", \"time\": \"{}\"}}",
            no_time.written
        ),
    );
    lines.insert(
        7,
        format!("{{\"id\": \"3\", \"text\": \"{}", broken.written),
    );
    lines.join("\n") + "\n"
}

/// Hands posts over, among them some that are refused.
async fn push(intake: &str, posts: Value) -> Value {
    let answer = reqwest::Client::new()
        .post(format!("{intake}/v1/posts"))
        .bearer_auth(TOKEN)
        .header(CONTENT_TYPE, "application/json")
        .body(posts.to_string())
        .send()
        .await
        .unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_that_people_wrote_of_themselves_is_kept_anywhere() {
    backbone::tls::install();
    let (kafka, clickhouse) = (Broker::embedded(), Store::start());
    let ways: Vec<Vec<Plant>> = (1..=9).map(plants).collect();
    let [
        imported,
        of_feed,
        changed,
        of_board,
        answered,
        pushed,
        refused,
        rows,
        outside,
    ] = ways.as_slice()
    else {
        panic!("nine ways");
    };
    let office = Office::new(kafka.address(), &clickhouse.url, &export(imported, rows));
    let (address, shown) = site(
        feed(&of_feed[0].number, &of_feed[1].written, &written(of_feed)),
        board(of_board, answered),
    )
    .await;
    let intake = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    std::fs::write(office.folder().join("token"), TOKEN).unwrap();
    office.change("collector", |settings| {
        let mut table = toml::Table::new();
        table.insert("listen".to_owned(), intake.clone().into());
        settings.insert("intake".to_owned(), table.into());
    });
    office.add_sources(&format!(
        "[[source]]\nname = \"论坛\"\nregion = \"{REGION}\"\nallow_private = true\nevery_seconds = 1\n\
         [source.feed]\nurl = \"{address}/feed\"\n\
         [[source]]\nname = \"留言板\"\nregion = \"{REGION}\"\nallow_private = true\nevery_seconds = 1\n\
         [source.board]\nurl = \"{address}/board/list\"\nitem = \"li a\"\n[source.board.post]\ntitle = \"h1\"\n\
         text = \"div.text\"\ntime = \"span.at\"\nauthor = \"span.by\"\n\
         [[source]]\nname = \"热线\"\nregion = \"{REGION}\"\n[source.push]\ntoken = {{ file = \"{}\" }}\n",
        office.folder().join("token").display()
    ));

    let mut responder = office.start_logging("responder");
    wait_for("the responder", || office.ready(3)).await;
    // What nobody can read, put into topics by others, each with numbers: as a text, as names and numbers of JSON, and as what
    // an error would quote.
    let number_of = |plant: &Plant| plant.number.clone();
    for topic in [
        "posts",
        "assessments",
        "alerts",
        "source-health",
        "case-events",
    ] {
        let quoted = outside[1].written.replace('，', "");
        for payload in [
            format!("{FROM_OUTSIDE} {}", written(outside)),
            format!(
                "{{\"schema\": \"{}\", \"version\": 1, \"note\": \"{FROM_OUTSIDE}\"}}",
                number_of(&outside[0])
            ),
            format!(
                "{{\"schema\": \"{}\", \"version\": 1, \"note\": \"{FROM_OUTSIDE}\", \"id\": {}, \"likes\": \"{quoted}\", \
                 \"{}\": \"{}\"}}",
                topic.trim_end_matches('s'),
                number_of(&outside[2]),
                number_of(&outside[4]),
                written(outside)
            ),
        ] {
            send_raw(kafka.address(), topic, &payload).await;
        }
    }
    let mut analyzer = office.start_logging("analyzer");
    let mut collector = office.start_logging("collector");
    let archived = async |condition: &str| {
        let query = format!("SELECT uniqExact(post_id) FROM assessments WHERE {condition}");
        number(&clickhouse.url, &query).await.unwrap_or(0)
    };
    wait_for("posts of the export, the feed and the board", async || {
        let all = archived("source = '信箱导出'").await >= 140
            && archived("source = '论坛'").await == 1
            && archived("source = '留言板'").await == 1;
        all.then_some(())
    })
    .await;
    *shown.lock().unwrap() = feed(&changed[0].number, &changed[1].written, &written(changed));
    let post = |id: &str| {
        serde_json::json!({ "id": id, "title": format!("青源乡路灯不亮{}", pushed[0].written),
            "text": format!("青源乡的路灯坏了半个月。{}", written(pushed)), "time": "2026-11-17 20:00:00",
            "author": pushed[1].number })
    };
    let mut wrong = post("2");
    wrong["likes"] = refused[0].written.clone().into();
    let mut unknown = post("3");
    unknown[refused[1].number.as_str()] = 1.into();
    let mut when = post("4");
    when["time"] = refused[2].written.clone().into();
    let told = push(
        &format!("http://{intake}"),
        serde_json::json!([post("1"), wrong, unknown, when]),
    )
    .await;
    assert_eq!(
        (told["taken"].clone(), told["refused"].clone()),
        (1.into(), 3.into())
    );
    wait_for("what was changed and handed over", async || {
        let all = archived("source = '论坛' AND revision = 2").await == 1
            && archived("source = '热线'").await == 1;
        all.then_some(())
    })
    .await;

    // The office works with it.
    let console = office.console();
    let mut administrator = Browser::sign_in(&console, "admin", PASSWORD).await;
    wait_for("a case", async || {
        number(&clickhouse.url, "SELECT count() FROM case_events")
            .await
            .filter(|cases| *cases > 0)
    })
    .await;
    let case = duty::answer_a_case(&console, &mut administrator, REGION).await;
    duty::close(&console, &case).await;
    let mut kept = report(&mut administrator).await;
    let said: usize = kept.iter().map(|kept| kept.text.len()).sum();
    assert!(said > 10_000, "the report says something");
    let alerts = number(&clickhouse.url, "SELECT count() FROM alerts").await;
    assert!(alerts.is_some_and(|alerts| alerts > 0));
    for path in [
        "/",
        "/posts",
        "/posts?q=联系方式",
        "/posts/export?format=csv",
        "/events",
        "/cases",
        "/live",
        "/sources",
        "/trends",
        "/audit",
        "/system",
        "/dead-letters?topic=posts",
        "/dead-letters?topic=alerts",
        "/knowledge/frequent",
    ] {
        let page = administrator.get(path).await;
        assert!(
            page.status.is_success(),
            "{path}: {} {}",
            page.status,
            page.html
        );
        kept.push(Kept {
            place: format!("page {path}"),
            text: page.html,
        });
    }
    let posts = administrator.get("/posts").await;
    let links: Vec<String> = (posts.values("href").iter())
        .filter(|link| link.starts_with("/posts/") && link.len() > 30)
        .map(|link| (*link).to_owned())
        .collect();
    assert!(!links.is_empty());
    let of_case = [format!("/cases/{case}"), format!("/cases/{case}/sheet")];
    for path in links.iter().take(5).chain(&of_case) {
        let page = administrator.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        kept.push(Kept {
            place: format!("page {path}"),
            text: page.html,
        });
    }
    let token = office.run(
        "responder",
        &[
            "token",
            "add",
            "admin",
            "--label",
            "大屏",
            "--scope",
            "posts:read",
            "--scope",
            "cases:read",
            "--scope",
            "events:read",
        ],
    );
    let token = String::from_utf8_lossy(&token.stdout)
        .trim()
        .lines()
        .last()
        .unwrap()
        .trim()
        .to_owned();
    for path in ["posts", "cases", "events"] {
        let answer = reqwest::Client::new()
            .get(format!("{console}/api/v1/{path}"))
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        kept.push(Kept {
            place: format!("API {path}"),
            text: answer.text().await.unwrap(),
        });
    }
    for process in 1..=3 {
        let metrics = reqwest::get(format!("{}/metrics", office.operations(process)))
            .await
            .unwrap();
        kept.push(Kept {
            place: format!("metrics {process}"),
            text: metrics.text().await.unwrap(),
        });
    }
    for (process, arguments) in [
        ("analyzer", vec!["dead-letters", "list", "--topic", "posts"]),
        (
            "analyzer",
            vec!["dead-letters", "list", "--topic", "assessments"],
        ),
        (
            "responder",
            vec!["dead-letters", "list", "--topic", "alerts"],
        ),
        ("collector", vec!["sources"]),
        ("responder", vec!["audit", "export", "--format", "csv"]),
        ("responder", vec!["corrections"]),
    ] {
        let said = office.run(process, &arguments);
        kept.push(Kept {
            place: format!("{process} {}", arguments.join(" ")),
            text: String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned(),
        });
    }
    let copy = office.folder().join("copy.backup");
    let backed_up = office.run("responder", &["backup", copy.to_str().unwrap()]);
    assert!(backed_up.status.success());

    let numbers: Vec<String> = ways.iter().flatten().map(number_of).collect();
    let of_outside: Vec<String> = outside.iter().map(number_of).collect();
    let others: Vec<String> = (numbers.iter())
        .filter(|number| !of_outside.contains(number))
        .cloned()
        .collect();
    let mut from_outside = 0;
    let mut messages = everywhere::messages(kafka.address());
    let dead = messages
        .iter()
        .filter(|kept| kept.place.contains(".dead["))
        .count();
    assert!(dead >= 12, "{dead} dead letters");
    messages.retain(|kept| {
        let outside = kept.text.contains(FROM_OUTSIDE) && !kept.place.contains(".dead[");
        from_outside += usize::from(outside);
        !outside
    });
    assert_eq!(from_outside, 15);
    assert!(messages.len() > 300, "{} messages", messages.len());
    kept.extend(messages);
    let rows = everywhere::archive(&clickhouse.url).await;
    assert!(rows.len() > 150, "{} rows", rows.len());
    // It was all there, masked.
    let masked = rows
        .iter()
        .filter(|kept| kept.text.contains("联系方式：电话13") && kept.text.contains("******61"))
        .count();
    assert!(masked > 140, "{masked} masked posts");
    kept.extend(rows);
    collector.stop();
    analyzer.stop();
    responder.stop();
    for name in ["responder.sqlite", "collector.sqlite"] {
        let url = format!("sqlite://{}", office.folder().join(name).display());
        let rows = everywhere::store(&url).await;
        assert!(rows.len() > 100, "{} values in {name}", rows.len());
        kept.extend(rows);
    }
    kept.extend(everywhere::files(office.folder(), &["export.jsonl"]));
    kept.extend(everywhere::files(clickhouse.folder(), &[]));
    let logs = kept
        .iter()
        .filter(|kept| kept.place.ends_with(".log") && !kept.text.is_empty());
    assert_eq!(logs.count(), 3);
    assert_eq!(found(&kept, &numbers), Vec::<(&str, &str)>::new());
    // What others put into topics is in the broker's files; nothing else is.
    let of_broker = everywhere::files(kafka.folder(), &[]);
    assert_eq!(found(&of_broker, &others), Vec::<(&str, &str)>::new());
    assert!(
        !found(&of_broker, &of_outside).is_empty(),
        "looking finds what is there"
    );
}
