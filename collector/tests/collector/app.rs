use std::path::Path;

use backbone::settings::Problems;
use collector::check::{self, Look};
use collector::settings::Settings;
use tokio_util::sync::CancellationToken;

use crate::desk::PATIENCE;
use crate::site::{Page, Site};

fn settings(folder: &Path, sources: &[(&str, &str)]) -> Settings {
    std::fs::create_dir(folder.join("sources.d")).unwrap();
    for (name, text) in sources {
        std::fs::write(folder.join("sources.d").join(name), text).unwrap();
    }
    let text = "sources = \"sources.d\"\nstate = \"state.sqlite\"\n\
        [kafka]\nbrokers = \"127.0.0.1:1\"\nrequest_timeout_ms = 200\n\
        [operations]\nlisten = \"127.0.0.1:0\"\n[fetch]\ndelay_ms = 0\n";
    std::fs::write(folder.join("collector.toml"), text).unwrap();
    Settings::load(&folder.join("collector.toml")).unwrap()
}

const IMPORT: &str =
    "[[source]]\nname = \"信箱\"\nregion = \"990101\"\n[source.import]\nfile = \"posts.jsonl\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_brokers_that_are_down_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(collector::app::run(
        settings(folder.path(), &[("a.toml", IMPORT)]),
        stop.clone(),
    ));
    stop.cancel();
    tokio::time::timeout(PATIENCE, running)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn every_problem_of_the_sources_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let sources = [
        ("a.toml", IMPORT),
        ("b.toml", IMPORT),
        ("c.toml", "[[source]]\nname = \"信箱\"\ncolour = 1\n"),
    ];
    settings(folder.path(), &sources);
    let (sources, told) = checked(folder.path()).await;
    assert_eq!(sources, 2);
    assert_eq!(
        told,
        [
            "b.toml:2: `name` is \"信箱\", which another source has; give each its own",
            "c.toml:3: unknown field `colour`",
        ]
    );
}

/// What `check-config` tells of the settings in a folder: each problem, as far as its field.
async fn checked(folder: &Path) -> (usize, Vec<String>) {
    let (mut problems, mut told) = (Problems::default(), Vec::new());
    let sources = check::config(&folder.join("collector.toml"), &mut problems).await;
    problems.tell(&mut told).unwrap_err();
    let told = String::from_utf8(told).unwrap();
    let names = told
        .lines()
        .map(|line| line.rsplit_once('/').map_or(line, |(_, name)| name));
    let short = names.map(|name| name.split_once(", expected").map_or(name, |(name, _)| name));
    (sources, short.map(str::to_owned).collect())
}

#[tokio::test]
async fn all_that_would_keep_it_from_working_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let push = "[[source]]\nname = \"热线\"\nregion = \"990101\"\n\
                push = { token = { env = \"WENSHENG_NOT_SET_ANYWHERE\" } }\n";
    settings(folder.path(), &[("a.toml", push)]);
    let settings = folder.path().join("collector.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let wrong = text
        .replace("127.0.0.1:1", "127.0.0.1")
        .replace("delay_ms = 0", "per_host = 0\nmost_at_once = 0");
    let tls = "[kafka.tls]\ncertificate = \"none.pem\"\n";
    std::fs::write(&settings, format!("{wrong}{tls}")).unwrap();
    let (_, told) = checked(folder.path()).await;
    assert_eq!(
        told,
        [
            "collector.toml:9: `fetch.per_host` must be 1 to 16",
            "collector.toml:10: `fetch.most_at_once` must be 1 or more",
            "collector.toml:4: `kafka.brokers` must be host:port, with commas between several",
            "collector.toml:11: `kafka.tls` has one of `certificate` and `key`; give both or neither",
            "a.toml:4: source \"热线\": `push.token` is not set: set the environment variable WENSHENG_NOT_SET_ANYWHERE",
            "collector.toml: source \"热线\": has [push], and the settings have no [intake]; add one with `listen`",
        ]
    );

    let tls = "[kafka.tls]\nca = \"no-ca.pem\"\n[intake]\nlisten = \"127.0.0.1:0\"\ntls = { certificate = \"none.pem\", key = \"none.pem\" }\n";
    std::fs::write(&settings, format!("{text}{tls}")).unwrap();
    let (_, told) = checked(folder.path()).await;
    let all = told.join("\n");
    assert_eq!(told.len(), 3, "{all}");
    assert!(all.contains("no-ca.pem: No such file"), "{all}");
    assert!(all.contains("none.pem`: No such file"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_looked_at_field_by_field_and_nothing_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), &[("a.toml", IMPORT)]);
    let row =
        "{\"id\": 1, \"text\": \"路灯坏了，电话13812345612\", \"time\": \"2023-07-18 08:30:00\"}\n";
    std::fs::write(
        folder.path().join("sources.d/posts.jsonl"),
        format!("{row}no json\n"),
    )
    .unwrap();
    let mut shown = Vec::new();
    let look = Look {
        file: settings.sources.join("a.toml"),
        source: Some("信箱".to_owned()),
        save: None,
    };
    check::run(&settings, &look, &mut shown).await.unwrap();
    let shown = String::from_utf8(shown).unwrap();
    for part in [
        "title      (missing)",
        "text       路灯坏了，电话138******12 (18 characters)",
        "published  2023-07-18 08:30:00",
        "author     (missing)",
        "1 posts read, 1 refused",
        "posts.jsonl:2: is not a JSON object",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let mut table = Vec::new();
    check::sources(&settings, &mut table).await.unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("信箱  import  not read yet"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_a_site_tells_by_what_each_field_was_found_and_keeps_the_pages() {
    let (folder, site) = (tempfile::tempdir().unwrap(), Site::start().await);
    let text = format!(
        "[[source]]\nname = \"信箱\"\nregion = \"990101\"\nallow_private = true\n[source.board]\nurl = \"{}\"\n\
         [source.board.post]\ntitle = \"h1\"\n[[source]]\nname = \"另一个\"\nregion = \"990101\"\n[source.import]\nfile = \"none.csv\"\n",
        site.at("list")
    );
    let settings = settings(folder.path(), &[("a.toml", text.as_str())]);
    let rows: String = (101..105)
        .map(|id| format!("<li><a href=/post/{id}>冯川镇的路灯坏了</a> 2023-07-18</li>"))
        .collect();
    site.set(
        "/list",
        Page::new("text/html; charset=utf-8", format!("<ul>{rows}</ul>")),
    );
    let post = "<h1>路灯</h1><p>发布时间：2023-07-18 08:30</p><table><tr><th>来信人</th><td>张三</td></tr>\
        <tr><th>来信内容</th><td>冯川镇的路灯坏了半年，电话13812345612</td></tr></table>";
    for id in 101..105 {
        site.set(
            &format!("/post/{id}"),
            Page::new("text/html; charset=utf-8", post),
        );
    }
    let look = |source: &str| Look {
        file: settings.sources.join("a.toml"),
        source: Some(source.to_owned()),
        save: Some(folder.path().join("saved")),
    };
    let mut shown = Vec::new();
    check::run(&settings, &look("信箱"), &mut shown)
        .await
        .unwrap();
    let shown = String::from_utf8(shown).unwrap();
    for part in [
        "source     信箱 (board)",
        "title      路灯   [by `post.title`, `h1`]",
        "电话138******12 (24 characters)   [beside “来信内容”]",
        "published  2023-07-18 08:30:00   [beside its label]",
        "[beside “来信人”]",
        "4 posts read, 0 refused",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!shown.contains("张三"), "{shown}");
    let saved = std::fs::read_dir(folder.path().join("saved"))
        .unwrap()
        .count();
    assert_eq!(saved, 5, "the list and the posts: {shown}");

    // Without a time a post is not what it must be.
    for id in 101..105 {
        let timeless = post.replace("发布时间：2023-07-18 08:30", "");
        site.set(
            &format!("/post/{id}"),
            Page::new("text/html; charset=utf-8", timeless),
        );
    }
    let mut shown = Vec::new();
    let said = check::run(&settings, &look("信箱"), &mut shown)
        .await
        .unwrap_err()
        .to_string();
    assert!(said.contains("4 posts tell no time; set `time`"), "{said}");
    assert!(
        String::from_utf8(shown)
            .unwrap()
            .contains("published  (missing)")
    );

    // A page that its scripts make says so.
    for id in 101..105 {
        site.set(
            &format!("/post/{id}"),
            Page::new(
                "text/html",
                "<div id=app></div><script src=app.js></script>",
            ),
        );
    }
    let mut shown = Vec::new();
    let said = check::run(&settings, &look("信箱"), &mut shown)
        .await
        .unwrap_err()
        .to_string();
    assert!(said.contains("no post could be read"), "{said}");
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("shows nothing without its scripts"),
        "{shown}"
    );
    let said = check::run(&settings, &look("无此来源"), &mut Vec::new())
        .await
        .unwrap_err();
    assert!(
        said.to_string().contains("has no source \"无此来源\""),
        "{said}"
    );
}
