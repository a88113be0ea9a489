use backbone::message::{Condition, Fault};
use collector::schedule::Outcome;
use jiff::SignedDuration;

use crate::desk::Desk;
use crate::site::{Page, Site};

fn list(posts: std::ops::Range<u32>) -> Page {
    let items: String = posts
        .rev()
        .map(|post| format!("<li><a href='/post/{post}'>帖子{post}</a></li>"))
        .collect();
    Page::new("text/html; charset=utf-8", format!("<ul>{items}</ul>"))
}

fn post(class: &str, date: &str) -> Page {
    let html =
        format!("<h1>路灯</h1><i>{date} 08:30</i><div class={class}>冯川镇的路灯坏了。</div>");
    Page::new("text/html; charset=utf-8", html)
}

const TODAY: &str = "2023-07-18";

fn board(site: &Site) -> String {
    format!(
        "[board]\nurl = \"{}\"\nitem = \"li a\"\n[board.post]\ntitle = \"h1\"\ntext = \"div.text\"\ntime = \"i\"\nrecheck_days = 0",
        site.at("list")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_changed_is_told_with_the_selector_and_so_is_its_mending() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    site.set("/list", list(1..3));
    for number in 1..3 {
        site.set(&format!("/post/{number}"), post("text", TODAY));
    }
    desk.read(&board(&site)).await;
    assert_eq!(desk.told().condition, Condition::Well);
    assert_eq!((desk.told().posts, desk.told().today), (2, 2));
    assert_eq!(desk.told().lag_seconds, Some(27 * 3_600 + 1_800));

    // The site gets a new face. Two pages may be two odd pages; three are a template.
    site.set("/list", list(1..5));
    for number in 3..6 {
        site.set(&format!("/post/{number}"), post("content", TODAY));
    }
    desk.read(&board(&site)).await;
    assert_eq!(desk.told().condition, Condition::Well);
    site.set("/list", list(1..6));
    desk.wait(SignedDuration::from_hours(1));
    desk.read(&board(&site)).await;
    let told = desk.told();
    assert_eq!(told.condition, Condition::Changed);
    assert!(told.problem.contains("`post.text`"), "{}", told.problem);
    let since = told.since;
    desk.wait(SignedDuration::from_hours(1));
    desk.read(&board(&site)).await;
    assert_eq!(
        (desk.told().condition, desk.told().since),
        (Condition::Changed, since)
    );

    let mended = board(&site).replace("div.text", "div.content");
    desk.read(&mended).await;
    assert_eq!(desk.told().condition, Condition::Well);
    assert_eq!(desk.told().posts, 5, "what was missed is there");
    assert!(desk.told().since > since);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_links_is_a_changed_template_at_once() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    site.set("/list", Page::new("text/html", "<ol><li>帖子</li></ol>"));
    assert_eq!(desk.read(&board(&site)).await, Outcome::Failed);
    let told = desk.told();
    assert_eq!(told.condition, Condition::Changed);
    assert!(told.problem.contains("`board.item`"), "{}", told.problem);
    let gauge = &desk.metrics.source_condition;
    assert_eq!(gauge.with_label_values(&["留言板", "changed"]).get(), 1);
    assert_eq!(gauge.with_label_values(&["留言板", "well"]).get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_scripts_make_is_told_with_the_remedy() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let page = "<title>留言板</title><div id=app></div><script src=app.js></script><a href=/beian>备案</a>";
    site.set("/list", Page::new("text/html", page));
    let by_itself = format!("[board]\nurl = \"{}\"", site.at("list"));
    for source in [board(&site), by_itself] {
        assert_eq!(desk.read(&source).await, Outcome::Failed);
        let problem = desk.told().problem;
        assert!(
            problem.contains("scripts") && problem.contains("[source.api]"),
            "{problem}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_away_fails_until_it_is_back() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    site.set("/list", Page::status(500));
    desk.read(&board(&site)).await;
    let failing = desk.told();
    assert_eq!(failing.condition, Condition::Failing);
    assert!(
        failing.problem.contains("answers 500"),
        "{}",
        failing.problem
    );
    site.set("/list", list(1..2));
    site.set("/post/1", post("text", TODAY));
    desk.wait(SignedDuration::from_mins(10));
    desk.read(&board(&site)).await;
    assert_eq!(
        (desk.told().condition, desk.told().problem.as_str()),
        (Condition::Well, "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_falls_silent_is_told_by_its_own_history() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    for day in 1..=10 {
        site.set("/list", list(day..day + 2));
        site.set(&format!("/post/{}", day + 1), post("text", TODAY));
        site.set(&format!("/post/{day}"), post("text", TODAY));
        desk.read(&board(&site)).await;
        assert_eq!(desk.told().condition, Condition::Well, "day {day}");
        desk.wait(SignedDuration::from_hours(24));
    }
    assert_eq!(desk.told().usual, Some(1.0));
    desk.wait(SignedDuration::from_hours(24));
    desk.read(&board(&site)).await;
    assert_eq!(
        desk.told().condition,
        Condition::Well,
        "it may be a day off"
    );
    desk.wait(SignedDuration::from_hours(24));
    desk.read(&board(&site)).await;
    assert_eq!(desk.told().condition, Condition::Quiet);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_not_held_against_a_source() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let day = SignedDuration::from_hours(24);
    for number in 1..=10 {
        site.set("/list", list(number..number + 1));
        site.set(&format!("/post/{number}"), post("text", TODAY));
        desk.read(&board(&site)).await;
        desk.wait(day);
    }
    for _ in 0..6 {
        desk.pause(&board(&site)).await;
        let told = desk.told();
        assert_eq!(
            (told.condition, told.problem.as_str()),
            (Condition::Paused, "")
        );
        desk.wait(day);
    }
    let gauge = &desk.metrics.source_condition;
    assert_eq!(gauge.with_label_values(&["留言板", "paused"]).get(), 1);
    assert_eq!(desk.health().await.condition, "paused");
    desk.read(&board(&site)).await;
    let told = desk.told();
    assert_eq!(
        (told.condition, told.usual),
        (Condition::Well, Some(1.0)),
        "not quiet: it was not read"
    );
    for _ in 0..3 {
        desk.wait(day);
        desk.read(&board(&site)).await;
    }
    assert_eq!(desk.told().condition, Condition::Quiet, "it is read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_visit_takes_what_is_recent_and_edits_of_what_is_not() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    site.set("/list", list(1..4));
    site.set("/post/3", post("text", TODAY));
    site.set("/post/2", post("text", "2023-05-01"));
    site.set("/post/1", post("text", "2019-05-01"));
    let source = board(&site).replace("recheck_days = 0", "recheck_hours = 1");
    desk.read(&source).await;
    assert_eq!(desk.posts().len(), 1);
    assert_eq!(desk.told().posts, 1);
    site.asked();
    desk.read(&source).await;
    assert_eq!(
        site.asked(),
        ["/list"],
        "old posts are known, and not asked for again"
    );
    // What is written now into an old post is as new as any.
    let edited = "<h1>路灯</h1><i>2023-05-01 08:30</i><div class=text>冯川镇的路灯又坏了！</div>";
    site.set("/post/2", Page::new("text/html; charset=utf-8", edited));
    desk.wait(SignedDuration::from_hours(2));
    desk.read(&source).await;
    let posts = desk.posts();
    assert_eq!((posts.len(), posts[0].revision), (1, 2));
    // With 0 all is taken.
    let (desk, all) = (Desk::new().await, format!("first_visit_days = 0\n{source}"));
    desk.read(&all).await;
    assert_eq!(desk.posts().len(), 3);
}

fn column(rows: &[(&str, &str)]) -> Page {
    let rows: String = rows
        .iter()
        .map(|(path, date)| {
            format!(
                "<li><a href='{path}'>县政府召开常务会议研究部署工作</a><span>{date}</span></li>"
            )
        })
        .collect();
    Page::new(
        "text/html; charset=utf-8",
        format!("<p>今天是2023年7月19日</p><ul class=list>{rows}</ul>"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_site_is_watched_for_what_the_county_is_checked_by() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let watch = format!(
        "[watch]\nurl = \"{}\"\n[[watch.column]]\nname = \"政务动态\"\nurl = \"{}\"\nevery_days = 14\n\
         [[watch.column]]\nname = \"通知公告\"\nurl = \"{}\"\nevery_days = 30",
        site.at("/"),
        site.at("/zwdt/"),
        site.at("/tzgg/")
    );
    site.set(
        "/",
        Page::new(
            "text/html",
            "<a href=/zwdt/>a</a><a href=/gone.html>b</a><a href=/private/>c</a>",
        ),
    );
    let fresh = [
        ("/a/101.html", "2023-07-18"),
        ("/a/102.html", "2023-07-11"),
        ("/a/103.html", "2023-07-01"),
    ];
    let stale = [
        ("/a/104.html", "2023-05-18"),
        ("/a/105.html", "2023-05-11"),
        ("/a/106.html", "2023-04-01"),
    ];
    site.set("/zwdt/", column(&fresh));
    site.set("/tzgg/", column(&stale));
    site.set(
        "/robots.txt",
        Page::new("text/plain", "User-agent: *\nDisallow: /private/"),
    );
    for (path, _) in fresh.iter().chain(&stale) {
        site.set(path, Page::new("text/html", "文"));
    }
    assert_eq!(desk.read(&watch).await, Outcome::Read);
    let told = desk.told();
    assert_eq!(told.condition, Condition::Faulty);
    let found: Vec<_> = told
        .findings
        .iter()
        .map(|found| (found.fault, found.detail.as_str()))
        .collect();
    let expected = "通知公告: last updated 2023-05-18, 62 days ago; meant to be every 30";
    assert_eq!(
        found,
        [(Fault::Stale, expected)],
        "a link that leads nowhere once may pass"
    );
    desk.wait(SignedDuration::from_hours(1));
    site.set("/zwdt/", Page::status(502));
    desk.read(&watch).await;
    let faults: Vec<_> = desk
        .told()
        .findings
        .iter()
        .map(|found| (found.fault, found.url.clone()))
        .collect();
    let gone = (Fault::DeadLink, site.at("/gone.html").to_string());
    assert!(faults.contains(&gone) && faults.len() == 2, "{faults:?}");
    assert_eq!(desk.told().findings[0].since, told.findings[0].since);
    // All is mended, each by its own unit.
    site.set("/zwdt/", column(&fresh));
    site.set("/tzgg/", column(&fresh));
    site.set("/gone.html", Page::new("text/html", "文"));
    desk.wait(SignedDuration::from_hours(1));
    desk.read(&watch).await;
    assert_eq!(desk.told().findings, []);
    assert_eq!(desk.told().condition, Condition::Well);
    assert_eq!(desk.posts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_trusts_is_a_fault_of_the_site() {
    let desk = Desk::new().await;
    let address = crate::site::start_with_own_certificate().await;
    let watch = format!("[watch]\nurl = \"https://{address}/\"\nlinks = 0");
    desk.read(&watch).await;
    let told = desk.told();
    assert_eq!(told.findings.len(), 1);
    assert_eq!(told.findings[0].fault, Fault::Certificate, "{told:?}");
}
