//! How long the console takes to find words in a year of posts.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use analyzer::archive::{Archiver, Kept};
use analyzer::metrics::Metrics;
use backbone::clickhouse::rows::AssessmentRow;
use backbone::kafka::Handler;
use backbone::settings::{ClickHouse, Kafka};
use backbone::topics;
use clickhouse::{Client, Row};
use prometheus::Registry;
use serde::Serialize;
use wensheng_tests::{Broker, Browser, Program, officer_beside, project};

use super::{option, pages, texts};

pub(crate) const REGION: &str = "360921";
/// Months that the posts are spread over, 28 days of each.
const MONTHS: u64 = 12;

/// What officers look for: words of two to six characters, rare and frequent, several at once.
const SEARCHES: [&str; 24] = [
    "物业",
    "小区",
    "高尔夫",
    "路灯",
    "噪音",
    "拖欠工资",
    "物业管理",
    "公积金",
    "噪音扰民",
    "业主委员会",
    "垃圾分类",
    "农民工工资",
    "房产证",
    "违章建筑",
    "二胎产假",
    "地铁七号线",
    "油烟",
    "暖气",
    "物业 收费",
    "学校 补课 收费",
    "公交 站台",
    "停水 小区",
    "ETC",
    "麒麟鸟",
];

/// The same by more than words: phrases, words left out, what was read in the posts, and time.
const NARROWED: [&str; 12] = [
    "text=“物业管理费”",
    "text=物业+-小区",
    "text=“噪音扰民”+路灯",
    "text=物业&subject=城乡建设",
    "text=停水&from=2026-03-01&to=2026-03-31",
    "text=路灯&unit=zhujian&sentiment=negative",
    "appeal=表扬",
    "unit=zhujian&place=冯川镇",
    "level=2",
    "source=县长信箱&kind=board",
    "subject=环境保护&place=赤岸镇&sentiment=positive&appeal=建议",
    "from=2025-11-05&to=2025-11-06",
];

/// Fills a folder's ClickHouse where it has not that many posts yet, and asks the console.
pub(crate) async fn measure(options: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let posts: u64 = option(options, "posts", 10_000_000);
    let rounds: usize = option(options, "rounds", 5);
    let database: String = option(options, "database", "wensheng".to_owned());
    let folder = options
        .get("data")
        .ok_or_else(|| anyhow::anyhow!("--data names the folder to fill"))?;
    let (_program, client) = filled(folder, posts, &database).await?;
    let region = project().join("deploy/config/region").join(REGION);
    let broker = Broker::embedded();
    let kafka = Kafka::at(broker.address());
    topics::create_missing(&kafka).await?;
    let mut officer = officer_beside(client, &region, kafka).await;
    pages::measure(&officer).await?;
    let browser = &mut officer.browser;
    let by_words: Vec<String> = SEARCHES
        .map(|words| format!("all=1&text={}", words.replace(' ', "+")))
        .to_vec();
    let narrowed = NARROWED.map(str::to_owned).to_vec();
    let (mut pages, mut counts) = (Vec::new(), Vec::new());
    for query in by_words.iter().chain(&narrowed) {
        let page_times = times(browser, &format!("/posts?{query}"), rounds).await;
        let count_times = times(browser, &format!("/posts/facets?{query}"), rounds).await;
        let page = browser.get(&format!("/posts?{query}")).await;
        let total = page.html.split_once("<span>共 ").map_or("?", |(_, rest)| {
            rest.split_once(' ').map_or("?", |(total, _)| total)
        });
        println!(
            "{:6.0} ms  first {:5.0} ms  {} on the page of {total}; counts {:5.0} ms, first {:5.0} ms  {query}",
            at(&page_times, 0.5),
            page_times.first().copied().unwrap_or_default(),
            page.values("data-post").len(),
            at(&count_times, 0.5),
            count_times.first().copied().unwrap_or_default(),
        );
        pages.push(page_times);
        counts.push(count_times);
    }
    let words = by_words.len();
    say("first page of 30 with its count, by words", &pages[..words]);
    say("first page of 30 with its count, narrowed", &pages[words..]);
    say("counts by facet, by words", &counts[..words]);
    say("counts by facet, narrowed", &counts[words..]);
    saved(browser, &by_words, rounds).await;
    files(browser).await;
    Ok(())
}

/// ClickHouse on a folder, filled where it has not that many posts yet.
pub(crate) async fn filled(
    folder: &str,
    posts: u64,
    database: &str,
) -> anyhow::Result<(Program, Client)> {
    let library = Command::new(project().join("deploy/libchdb")).output()?;
    let mut command = Program::command("clickhouse");
    command
        .env("CHDB_LIB", String::from_utf8_lossy(&library.stdout).trim())
        .args(["--data", folder, "--port", "0"]);
    let (program, url) = Program::start_and_wait(command);
    let archive: ClickHouse =
        serde_json::from_value(serde_json::json!({ "url": url, "database": database }))?;
    backbone::clickhouse::migrate(&archive).await?;
    let client = backbone::clickhouse::client(&archive)?;
    fill(&client, posts).await?;
    count_hours(&archive, &client).await?;
    Ok((program, client))
}

pub(crate) fn say(what: &str, times: &[Vec<f64>]) {
    let all = times.concat();
    println!(
        "{what}, {} pages: p50 {:.0} ms, p95 {:.0} ms, longest {:.0} ms",
        all.len(),
        at(&all, 0.5),
        at(&all, 0.95),
        at(&all, 1.0)
    );
}

/// How long the list of as many saved searches as one may have takes, with what is new in each.
async fn saved(browser: &mut Browser, queries: &[String], rounds: usize) {
    let page = browser.get("/account").await;
    let csrf = page.hidden("csrf").unwrap().to_owned();
    for (number, query) in queries.iter().take(20).enumerate() {
        let name = number.to_string();
        let fields = [("csrf", csrf.as_str()), ("name", &name), ("query", query)];
        let kept = browser.post("/posts/saved", &fields).await;
        assert!(kept.status.is_redirection(), "{}", kept.status);
    }
    let times = times(browser, "/posts/saved", rounds).await;
    say("20 saved searches with what is new", &[times]);
}

/// How long files take.
async fn files(browser: &mut Browser) {
    for query in ["text=物业", "text=二胎产假", ""] {
        for format in ["csv", "xlsx"] {
            let begun = Instant::now();
            let address = format!("/posts/export?format={format}&{query}");
            let file = browser.get(&address).await;
            println!(
                "{:6.0} ms  a file, {format}, {} KB  {query}",
                begun.elapsed().as_secs_f64() * 1e3,
                file.html.len() / 1024
            );
        }
    }
}

/// The milliseconds that opening a page takes, each time.
pub(crate) async fn times(browser: &mut Browser, path: &str, rounds: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        let page = browser.get(path).await;
        assert!(page.status.is_success(), "{path}: {}", page.status);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times
}

/// The time that so large a share of them does not exceed.
pub(crate) fn at(times: &[f64], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let place = (last as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

#[derive(Row, Serialize)]
struct Text {
    place: u32,
    title: String,
    text: String,
}

/// Writes posts evenly over a year: each a real text with a sentence of another one in it. A month is one insert that
/// builds its index, so that nothing is left to merge.
async fn fill(client: &Client, posts: u64) -> anyhow::Result<()> {
    let there: u64 = client
        .query("SELECT count() FROM assessments")
        .fetch_one()
        .await?;
    if there >= posts {
        println!("{there} posts are there");
        return Ok(());
    }
    client
        .query(
            "CREATE OR REPLACE TABLE bench_texts (place UInt32, title String, text String, \
             sentences Array(String) MATERIALIZED extractAll(text, '[^。！？；]+[。！？；]*')) \
             ENGINE = MergeTree ORDER BY place",
        )
        .execute()
        .await?;
    let rows: Vec<Text> = texts::all()
        .into_iter()
        .zip(0..)
        .map(|((title, text), place)| Text { place, title, text })
        .collect();
    backbone::clickhouse::insert::<Text>(client, "bench_texts", &rows).await?;
    let begun = Instant::now();
    for month in 0..MONTHS {
        client
            .query(FILL)
            .param("month", month)
            .param("count", posts.div_ceil(MONTHS))
            .param("texts", rows.len())
            .param("region", REGION)
            .execute()
            .await?;
    }
    client.query(ALERTS).execute().await?;
    println!(
        "{posts} posts written and indexed in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

const FILL: &str = "INSERT INTO assessments (region, post_id, revision, source, kind, url, title, text, author, published_at, \
    collected_at, relevant, places, subject, subject_probability, sentiment, sentiment_score, sentiment_confidence, event_id, \
    event_title, event_level, model, assessed_at, appeal, units) \
    SELECT {region:String}, lower(hex(MD5(toString(n)))), 1, \
        ['网上留言板', '问政论坛', '县长信箱', '热线导出'][1 + cityHash64(n, 1) % 4], 'board', \
        concat('http://board.example.test/thread-', toString(n), '.html'), one.title, \
        concat(one.text, other.sentences[1 + cityHash64(n, 2) % length(other.sentences)]), \
        lower(hex(MD5(toString(n % 300000)))), at, at + toIntervalMinute(3), cityHash64(n, 3) % 10 < 6, \
        [['冯川镇', '赤岸镇', '赤田镇', '宋埠镇', '干洲镇', '澡下镇', '会埠镇', '罗市镇'][1 + cityHash64(n, 4) % 8]], \
        ['城乡建设', '环境保护', '交通运输', '教育文体', '劳动和社会保障', '商贸旅游', '卫生计生'][1 + cityHash64(n, 5) % 7], \
        0.8, ['negative', 'neutral', 'positive'][1 + cityHash64(n, 6) % 3], -0.4, 0.7, \
        lower(hex(MD5(concat('event', toString(intDiv(n, 50000) * 7500 + cityHash64(n, 7) % 7500))))), one.title, \
        if(cityHash64(n, 8) % 50 = 0, 4, 0), '0.1.0/bench', at + toIntervalMinute(4), \
        ['投诉', '求助', '咨询', '建议', '表扬', '举报'][1 + cityHash64(n, 13) % 6], \
        [['zhujian', 'shengtai-huanjing', 'jiaoti', 'renshe', 'weijian', 'shijian', 'minzheng', 'wenlv'][1 + cityHash64(n, 11) % 8], \
            ['fengchuan', 'chian', 'chitian', 'songbu'][1 + cityHash64(n, 12) % 4]] \
    FROM (SELECT {month:UInt64} * {count:UInt64} + number AS n, cityHash64(n, 9) % {texts:UInt32} AS i, \
            cityHash64(n, 10) % {texts:UInt32} AS j, \
            toDateTime64('2025-11-01 00:00:00', 3, 'UTC') + toIntervalMonth({month:UInt64}) \
                + toIntervalMillisecond(intDiv(number * 28 * 86400000, {count:UInt64})) AS at \
        FROM numbers({count:UInt64})) AS given \
    ANY LEFT JOIN (SELECT place, title, text, sentences FROM bench_texts) AS one ON one.place = given.i \
    ANY LEFT JOIN (SELECT place, title, text, sentences FROM bench_texts) AS other ON other.place = given.j \
    SETTINGS max_insert_threads = 1, max_threads = 1, min_insert_block_size_rows = 2000000, \
        min_insert_block_size_bytes = 20000000000";

/// Ten thousand events reached a level.
const ALERTS: &str = "INSERT INTO alerts (region, alert_id, event_id, level, raised_at) \
    SELECT region, any(post_id), event_id, if(cityHash64(event_id, 1) % 10 = 0, 2, 3), max(published_at) \
    FROM assessments WHERE cityHash64(event_id, 9) % 150 = 0 GROUP BY region, event_id LIMIT 10000";

async fn count_hours(archive: &ClickHouse, client: &Client) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut archiver = Archiver::<AssessmentRow>::new(
        archive,
        Kept {
            column: "collected_at",
            days: 0,
        },
        Metrics::new(&Registry::new())?,
    )?
    .counting_hours();
    archiver
        .handle(&[])
        .await
        .map_err(|not_now| anyhow::anyhow!(not_now.reason))?;
    let marked = "SELECT countIf(touched >= counted) FROM \
        (SELECT max(touched_at) AS touched, max(counted_at) AS counted FROM hour_marks GROUP BY region, hour)";
    while client.query(marked).fetch_one::<u64>().await? > 0 {
        archiver
            .idle()
            .await
            .map_err(|not_now| anyhow::anyhow!(not_now.reason))?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("counted by hour in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}
