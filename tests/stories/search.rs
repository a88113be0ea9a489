//! The search as the office uses it: by words and by what was read in the posts, with the counts that go with it, saved
//! searches and files. Posts may be hostile.

use std::io::Cursor;
use std::time::Duration;

use backbone::clickhouse::rows::{AlertRow, AssessmentRow};
use backbone::message::{Alert, Assessment, Message, Polarity, SourceKind};
use backbone::settings::ClickHouse;
use calamine::{Data, Reader, Xlsx};
use clickhouse::Client;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_DISPOSITION, COOKIE};
use responder::account::Entry;
use responder::store::Place;
use wensheng_tests::{Officer, Page, Store, officer, project};

const REGION: &str = "990101";
const HOSTILE: &str = "</p><script>alert('1')</script>\"'\u{202e}<img src=x onerror=alert(2)>";

fn example<M: Message>(name: &str) -> M {
    let path = project().join("backbone/examples").join(name);
    backbone::message::decode(&std::fs::read(path).unwrap()).unwrap()
}

/// An office with an archive of some posts.
struct Office {
    officer: Officer,
    archive: Client,
    _store: Store,
}

impl Office {
    async fn with(posts: &[Assessment]) -> Self {
        let store = Store::start();
        let settings: ClickHouse =
            serde_json::from_value(serde_json::json!({ "url": store.url })).unwrap();
        backbone::clickhouse::migrate(&settings).await.unwrap();
        let archive = backbone::clickhouse::client(&settings).unwrap();
        let region = project().join("deploy/sample/region").join(REGION);
        let office = Self {
            officer: officer(archive.clone(), &region).await,
            archive,
            _store: store,
        };
        office.write(posts).await;
        office
    }

    async fn write(&self, posts: &[Assessment]) {
        let rows: Vec<AssessmentRow> = posts.iter().map(AssessmentRow::from).collect();
        backbone::clickhouse::insert::<AssessmentRow>(&self.archive, AssessmentRow::TABLE, &rows)
            .await
            .unwrap();
    }

    /// The posts that a search finds.
    async fn found(&mut self, query: &str) -> Vec<String> {
        let page = self.officer.browser.get(&format!("/posts?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let found = page.values("data-post");
        found.into_iter().map(str::to_owned).collect()
    }

    /// A file, with its name.
    async fn file(&self, address: &str) -> (String, Vec<u8>) {
        let answer = reqwest::Client::new()
            .get(format!("{}{address}", self.officer.browser.console()))
            .header(COOKIE, self.officer.browser.cookie())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{address}");
        let name = answer
            .headers()
            .get(CONTENT_DISPOSITION)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        (name, answer.bytes().await.unwrap().to_vec())
    }

    /// The newest line of the audit.
    async fn audited(&self) -> Entry {
        let place = Place::File(self.officer.folder.path().join("responder.sqlite"));
        let store = responder::store::Store::open(&place).await.unwrap();
        let limits = serde_json::from_value::<responder::settings::Console>(serde_json::json!({
            "listen": "127.0.0.1:0", "public_url": "http://127.0.0.1"
        }));
        let accounts = responder::account::Accounts::new(store, limits.unwrap().session_limits());
        accounts.audit_log(1).await.unwrap().remove(0)
    }

    async fn csrf(&mut self) -> String {
        let page = self.officer.browser.get("/account").await;
        page.hidden("csrf").unwrap().to_owned()
    }
}

/// A post of some minutes after a morning.
fn post(id: &str, minutes: i64, title: &str, text: &str) -> Assessment {
    let mut post: Assessment = example("assessments/v1/read.json");
    id.clone_into(&mut post.post.id);
    REGION.clone_into(&mut post.post.region);
    title.clone_into(&mut post.post.title);
    text.clone_into(&mut post.post.text);
    let morning: Timestamp = "2026-11-20T08:00:00+08:00".parse().unwrap();
    post.post.published_at = morning + SignedDuration::from_mins(minutes);
    post.post.collected_at = post.post.published_at;
    post
}

/// A morning's posts of several kinds.
fn morning() -> Vec<Assessment> {
    let mut lamp = post("lamp", 1, "路灯", "冯川镇 路灯 不亮，物业不管");
    lamp.sentiment.label = Polarity::Negative;
    lamp.subject.as_mut().unwrap().name = "城乡建设".to_owned();
    lamp.appeal.as_mut().unwrap().name = "投诉".to_owned();
    let mut fee = post("fee", 2, "物业收费", "物业 收费太高，停车也收费");
    fee.sentiment.label = Polarity::Negative;
    fee.subject.as_mut().unwrap().name = "市场监管".to_owned();
    fee.appeal.as_mut().unwrap().name = "投诉".to_owned();
    fee.post.source = "热线".to_owned();
    fee.post.kind = SourceKind::Import;
    let mut thanks = post("thanks", 3, "感谢物业", "收费合理，服务好");
    thanks.sentiment.label = Polarity::Positive;
    thanks.subject.as_mut().unwrap().name = "城乡建设".to_owned();
    thanks.appeal.as_mut().unwrap().name = "表扬".to_owned();
    for unit in &mut thanks.units {
        unit.code = "weijian".to_owned();
    }
    let mut next_day = post("next-day", 24 * 60, "", "次日的物业");
    next_day.sentiment.label = Polarity::Neutral;
    next_day.appeal.as_mut().unwrap().name = "咨询".to_owned();
    next_day.event.as_mut().unwrap().id = "reached".to_owned();
    let mut elsewhere = post("elsewhere", 4, "", "外地的物业");
    elsewhere.relevant = false;
    vec![lamp, fee, thanks, next_day, elsewhere]
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_found_by_phrases_by_what_was_read_in_them_and_by_time() {
    let mut office = Office::with(&morning()).await;
    let mut alert: Alert = example("alerts/v1/answered.json");
    REGION.clone_into(&mut alert.region);
    let mut alerts = Vec::new();
    for level in [3, 2] {
        alert.level = level;
        alert.event.id = "reached".to_owned();
        alert.id = backbone::id::of_alert("reached", level);
        alerts.push(AlertRow::from(&alert));
    }
    backbone::clickhouse::insert::<AlertRow>(&office.archive, AlertRow::TABLE, &alerts)
        .await
        .unwrap();
    for (query, expected) in [
        ("text=物业", vec!["next-day", "thanks", "fee", "lamp"]),
        (
            "text=物业&all=1",
            vec!["next-day", "elsewhere", "thanks", "fee", "lamp"],
        ),
        ("text=“物业 收费”", vec!["fee"]),
        ("text=\"物业收费\"", vec!["fee"]),
        ("text=物业 收费", vec!["thanks", "fee"]),
        ("text=物业 -收费", vec!["next-day", "lamp"]),
        ("text=物业 -“收费合理” -次日", vec!["fee", "lamp"]),
        ("text=-物业", vec![]),
        ("sentiment=negative", vec!["fee", "lamp"]),
        ("subject=城乡建设&sentiment=positive", vec!["thanks"]),
        ("appeal=投诉", vec!["fee", "lamp"]),
        ("unit=weijian", vec!["thanks"]),
        ("unit=nobody", vec![]),
        ("source=热线", vec!["fee"]),
        ("kind=import", vec!["fee"]),
        ("level=2", vec!["next-day"]),
        ("level=3", vec![]),
        ("from=2026-11-21", vec!["next-day"]),
        ("to=2026-11-20", vec!["thanks", "fee", "lamp"]),
        ("from=2026-11-21&to=2026-11-20", vec![]),
        (
            "span=365&from=2026-11-20&to=2026-11-20&text=路灯",
            vec!["lamp"],
        ),
        ("text=物业&page=9", vec![]),
        ("text=物业&page=100000", vec![]),
    ] {
        assert_eq!(office.found(query).await, expected, "{query}");
    }
}

fn today(mut assessment: Assessment, hours: i64) -> Assessment {
    assessment.post.published_at = Timestamp::now() - SignedDuration::from_hours(hours);
    assessment
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_end_today_are_of_the_clock() {
    let week_ago = 24 * 8;
    let posts = [
        today(post("now", 0, "路灯", "不亮"), 0),
        today(post("week", 0, "路灯", "不亮"), week_ago),
        today(post("months", 0, "路灯", "不亮"), 24 * 100),
        today(post("years", 0, "路灯", "不亮"), 24 * 500),
    ];
    let mut office = Office::with(&posts).await;
    for (query, expected) in [
        ("span=today", vec!["now"]),
        ("span=7", vec!["now"]),
        ("span=30", vec!["now", "week"]),
        ("span=365", vec!["now", "week", "months"]),
        ("", vec!["now", "week", "months", "years"]),
    ] {
        assert_eq!(office.found(query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_looked_for_is_marked_and_stays_text() {
    let long = format!(
        "{}路灯坏了{HOSTILE}{}",
        "很久以前".repeat(100),
        "后".repeat(100_000)
    );
    let mut office = Office::with(&[
        post("long", 2, HOSTILE, &long),
        post("wide", 1, "ＥＴＣ与路灯", "短"),
    ])
    .await;
    let page = office.officer.browser.get("/posts?text=路灯").await;
    assert_eq!(page.values("data-post"), ["long", "wide"]);
    assert!(
        page.html
            .contains("以前<mark class=\"found\">路灯</mark>坏了"),
        "{}",
        page.html
    );
    assert!(
        page.html
            .contains("ＥＴＣ与<mark class=\"found\">路灯</mark>")
    );
    assert!(page.html.len() < 60_000, "{} bytes", page.html.len());
    is_only_text(&page);
    let page = office.officer.browser.get("/posts?text=etc").await;
    assert!(page.html.contains("<mark class=\"found\">ＥＴＣ</mark>"));
    for query in [
        "text=%3Cscript%3Ealert%281%29%3C%2Fscript%3E",
        "place=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E&source=%3Cscript%3E&unit=%3Cscript%3E&from=%3Cscript%3E",
        "sentiment=%27%3Cscript%3E&level=%3Cscript%3E&span=%3Cscript%3E&kind=%3Cscript%3E&subject=%3Cscript%3E&appeal=%3Cscript%3E",
    ] {
        for path in ["/posts", "/posts/facets"] {
            let page = office.officer.browser.get(&format!("{path}?{query}")).await;
            assert_eq!(page.status, 200, "{path}?{query}");
            is_only_text(&page);
        }
    }
}

fn is_only_text(page: &Page) {
    let scripts = page.html.matches("<script").count();
    let own = page.html.matches("<script src=\"/assets/").count();
    assert_eq!(scripts, own, "{}", page.html);
    assert!(!page.html.contains("<img src=x"), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_counted_by_kind_and_each_count_narrows_the_search() {
    let mut posts = morning();
    let mut changed = posts[0].clone();
    changed.post.revision = 2;
    changed.sentiment.label = Polarity::Neutral;
    posts.push(changed);
    let mut office = Office::with(&posts).await;
    let page = office.officer.browser.get("/posts?text=物业").await;
    assert!(
        page.html
            .contains("hx-get=\"/posts/facets?text=%E7%89%A9%E4%B8%9A\""),
        "{}",
        page.html
    );
    let page = office.officer.browser.get("/posts/facets?text=物业").await;
    for expected in [
        "按找到的全部 4 条统计",
        // The lamp's post is neutral now, and counted as that once.
        "sentiment=negative\">负面</a><span>1 条",
        "sentiment=neutral\">中性</a><span>2 条",
        "sentiment=positive\">正面</a><span>1 条",
        "appeal=%E8%A1%A8%E6%89%AC\">表扬</a><span>1 条",
        "source=%E7%83%AD%E7%BA%BF\">热线</a><span>1 条",
    ] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
    let narrowed = office.found("text=物业&sentiment=neutral").await;
    assert_eq!(narrowed, ["next-day", "lamp"]);
    let page = office
        .officer
        .browser
        .get("/posts?text=物业&sentiment=neutral")
        .await;
    assert!(page.html.contains("情感：中性"), "a chip");
    assert!(
        page.html
            .contains("href=\"/posts?text=%E7%89%A9%E4%B8%9A\""),
        "without it"
    );
    let page = office
        .officer
        .browser
        .get("/posts/facets?text=物业&sentiment=neutral")
        .await;
    assert!(
        !page.html.contains("<h3>情感</h3>"),
        "what is chosen is not offered"
    );
    let page = office
        .officer
        .browser
        .get("/posts/facets?text=没有这个词")
        .await;
    assert!(page.html.contains("没有可统计的帖文"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_counted_by_the_index_and_of_too_many_the_newest() {
    let many: Vec<Assessment> = (0..400)
        .map(|number| post(&format!("{number:05}"), number, "路灯", "不亮"))
        .collect();
    let mut office = Office::with(&many).await;
    let page = office.officer.browser.get("/posts/facets?text=路灯").await;
    assert!(
        page.html.contains("按索引统计找到的约 400 条"),
        "{}",
        page.html
    );
    let flood: Vec<Assessment> = (400..10_700)
        .map(|number| post(&format!("{number:05}"), number, "路灯", "不亮"))
        .collect();
    office.write(&flood).await;
    let page = office.officer.browser.get("/posts/facets?text=路灯").await;
    let said = "找到的超过 1000 条，只统计其中最近45天里最新的 10000 条";
    assert!(page.html.contains(said), "{}", page.html);
    // A file holds the newest of them, and no more than is said.
    let (_, bytes) = office.file("/posts/export?format=csv&text=路灯").await;
    let rows = records(&bytes);
    assert_eq!(rows.len(), 10_000);
    assert_eq!(rows[0].get(17), Some("10699"));
    assert_eq!(rows[9_999].get(17), Some("00700"));
}

/// The rows of a CSV file.
fn records(bytes: &[u8]) -> Vec<csv::StringRecord> {
    let text = std::str::from_utf8(bytes).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("the mark of UTF-8");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.records().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_search_tells_its_owner_what_is_new() {
    let lamp = |id: &str| {
        let mut lamp = today(post(id, 0, "路灯", "不亮"), 1);
        lamp.post.collected_at = lamp.post.published_at;
        lamp
    };
    let mut office = Office::with(&[lamp("before")]).await;
    let csrf = office.csrf().await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "路灯<b>"),
        ("query", "text=%E8%B7%AF%E7%81%AF&page=3&csrf=x&all="),
    ];
    let kept = office.officer.browser.post("/posts/saved", &fields).await;
    assert_eq!(
        kept.location, "/posts?text=%E8%B7%AF%E7%81%AF",
        "filters and nothing else"
    );
    let page = office.officer.browser.get("/posts").await;
    assert!(
        page.html.contains("路灯&#60;b&#62;"),
        "listed beside the form: {}",
        page.html
    );
    let id = page.values("data-saved")[0].to_owned();
    let page = office.officer.browser.get("/posts/saved").await;
    assert!(
        !page.html.contains("class=\"new\""),
        "nothing is new: {}",
        page.html
    );

    // One comes that was published before it was saved, one of long ago, one of something else.
    let mut late = lamp("late");
    late.post.collected_at = Timestamp::now() + Duration::from_secs(1);
    let mut old = today(post("old", 0, "路灯", "不亮"), 24 * 30);
    old.post.collected_at = late.post.collected_at;
    let mut other = today(post("other", 0, "停水", "三天"), 0);
    other.post.collected_at = late.post.collected_at;
    office.write(&[late, old, other]).await;
    let page = office.officer.browser.get("/posts/saved").await;
    assert!(
        page.html.contains("<b class=\"new\">新 1</b>"),
        "{}",
        page.html
    );
    let opened = office
        .officer
        .browser
        .get(&format!("/posts/saved/{id}"))
        .await;
    assert_eq!(opened.location, "/posts?text=%E8%B7%AF%E7%81%AF");

    for (name, query) in [("", "text=a"), ("空", ""), ("空", "page=2")] {
        let fields = [("csrf", csrf.as_str()), ("name", name), ("query", query)];
        let refused = office.officer.browser.post("/posts/saved", &fields).await;
        assert_eq!(refused.status, 422, "{name} {query}");
    }
    let fields = [("csrf", csrf.as_str())];
    let delete = format!("/posts/saved/{id}/delete");
    assert_eq!(
        office.officer.browser.post(&delete, &fields).await.status,
        303
    );
    assert_eq!(
        office.officer.browser.post(&delete, &fields).await.status,
        404
    );
    assert_eq!(
        office
            .officer
            .browser
            .get(&format!("/posts/saved/{id}"))
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_what_was_found_is_harmless_and_in_the_audit() {
    let mut formula = post(
        "formula",
        3,
        "=cmd|'/c calc'!A1",
        &format!("+1{HOSTILE}\n第二行,\"引号\""),
    );
    formula.post.url = "javascript:alert(1)".to_owned();
    formula.post.source = "@来源".to_owned();
    formula.post.author = Some("某某的散列".to_owned());
    let mut plain = post("plain", 2, "路灯", &"长".repeat(2_500));
    plain.post.url = "https://board.example.test/1".to_owned();
    let office = Office::with(&[
        formula,
        plain,
        post("control", 1, "-2", "\u{1}\u{b}铃\u{7}"),
    ])
    .await;

    let (name, bytes) = office
        .file("/posts/export?format=csv&from=2026-11-20")
        .await;
    assert!(
        name.contains("filename=\"posts-") && name.contains(".csv"),
        "{name}"
    );
    let rows = records(&bytes);
    assert_eq!(
        rows.iter().map(|row| &row[17]).collect::<Vec<_>>(),
        ["formula", "plain", "control"]
    );
    assert_eq!(&rows[0][1], "'=cmd|'/c calc'!A1");
    assert_eq!(&rows[0][2], format!("'+1{HOSTILE}\n第二行,\"引号\""));
    assert_eq!(&rows[0][3], "'@来源");
    assert_eq!(&rows[0][16], "", "no address of a script");
    assert_eq!(rows[1][2].chars().count(), 2_001);
    assert!(rows[1][2].ends_with('…'));
    assert_eq!(
        (&rows[1][0], &rows[1][16]),
        ("2026-11-20 08:02", "https://board.example.test/1")
    );
    assert_eq!(&rows[2][2], "铃");
    let all = String::from_utf8(bytes).unwrap();
    assert!(!all.contains("散列"), "nothing of who wrote");
    let line = office.audited().await;
    assert_eq!(
        (line.user.as_str(), line.action.as_str()),
        ("officer", "export-posts")
    );
    assert_eq!(line.subject, "csv 3条：从：2026-11-20");

    let (name, bytes) = office.file("/posts/export?format=xlsx&text=路灯").await;
    assert!(name.contains(".xlsx"), "{name}");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("帖文").unwrap();
    assert_eq!(sheet.height(), 2);
    assert_eq!(
        sheet.get_value((1, 1)),
        Some(&Data::String("路灯".to_owned()))
    );
    let (_, bytes) = office.file("/posts/export?format=xlsx").await;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("帖文").unwrap();
    let title = sheet.get_value((1, 1)).unwrap();
    assert_eq!(
        title,
        &Data::String("=cmd|'/c calc'!A1".to_owned()),
        "a string"
    );
    let formulas = book.worksheet_formula("帖文").unwrap();
    assert!(
        formulas
            .used_cells()
            .all(|(_, _, formula)| formula.is_empty())
    );
    let line = office.audited().await;
    assert_eq!(line.subject, "xlsx 3条：全部涉及本地的帖文");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_find_what_people_find() {
    let office = Office::with(&morning()).await;
    let get = async |query: &str| {
        let answer = reqwest::Client::new()
            .get(format!(
                "{}/api/v1/posts?{query}",
                office.officer.browser.console()
            ))
            .header(COOKIE, office.officer.browser.cookie())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let body: serde_json::Value = answer.json().await.unwrap();
        (status, body)
    };
    let (status, page) = get("text=物业 -停车&limit=2&from=2026-11-20T00:00:00%2B08:00").await;
    assert_eq!(status, 200, "{page}");
    let ids: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|post| post["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["next-day", "thanks"]);
    assert_eq!(
        (&page["total"], &page["certainty"]),
        (&3.into(), &"exact".into())
    );
    let first = &page["items"][1];
    assert_eq!(
        (&first["sentiment"], &first["text"]),
        (&"positive".into(), &"收费合理，服务好".into())
    );
    assert!(!page.to_string().contains("author"), "{page}");
    let line = office.audited().await;
    assert_eq!(
        (line.action.as_str(), line.subject.as_str()),
        ("search-posts", "2条：物业 -停车")
    );
    for wrong in [
        "words=a",
        "level=5",
        "from=yesterday",
        "sentiment=furious",
        "all=1",
    ] {
        assert_eq!(get(wrong).await.0, 400, "{wrong}");
    }
}
