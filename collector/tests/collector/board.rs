use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backbone::message::Certainty;
use collector::schedule::Outcome;
use jiff::SignedDuration;

use crate::desk::{Desk, SOURCE, contains, until};
use crate::site::{Page, Site};

fn list(posts: &[&str], next: Option<&str>) -> String {
    let items: String = posts
        .iter()
        .map(|post| format!("<li><a href='/post/{post}?utm_source=list#top'>帖</a></li>"))
        .collect();
    let next = next.map_or_else(String::new, |next| {
        format!("<a class=next href='{next}'>下一页</a>")
    });
    format!("<meta charset=gb2312><ul>{items}</ul><a href='/about'>关于</a>{next}")
}

fn post(title: &str, text: &str) -> String {
    format!(
        "<meta charset=\"gb2312\"><h1>{title}</h1><span class=by>张三丰</span>\
         <span class=at>发布时间：2023年7月18日 08:30</span><i class=up>赞(12)</i>\
         <div class=text><p>{text}</p><script>var a = 1;</script></div>"
    )
}

fn source(site: &Site) -> String {
    format!(
        "[board]\nurl = \"{}\"\nitem = \"li a\"\nnext = \"a.next\"\n[board.post]\ntitle = \"h1\"\ntext = \"div.text\"\n\
         time = \"span.at\"\nauthor = \"span.by\"\nlikes = \"i.up\"",
        site.at("list")
    )
}

/// A board of two pages, two posts each, the newest first.
async fn board() -> Site {
    let site = Site::start().await;
    site.set("/list", Page::gbk(&list(&["4", "3"], Some("/list2"))));
    site.set("/list2", Page::gbk(&list(&["2", "1"], None)));
    for number in 1..=4 {
        let page = post(
            &format!("路灯{number}"),
            "冯川<b>镇</b>的路\u{200B}灯坏了，电话138\u{200B}1234\u{2060}5612",
        );
        site.set(&format!("/post/{number}"), Page::gbk(&page));
    }
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gbk_board_of_several_pages_is_read_masked_and_only_once() {
    let (desk, site) = (Desk::new().await, board().await);
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 4);
    let first = &posts[0];
    assert_eq!(first.title, "路灯4");
    assert_eq!(first.text, "冯川镇的路灯坏了，电话138******12");
    assert_eq!(first.url, site.at("post/4").as_str());
    assert_eq!(first.published_at, "2023-07-18T00:30:00Z".parse().unwrap());
    assert_eq!((first.reactions.likes, first.revision), (12, 1));
    assert_eq!(first.author.as_ref().map(String::len), Some(32));
    for private in ["张三丰", "13812345612", "路灯"] {
        assert!(!contains(&desk.state_bytes(), private), "{private} is kept");
    }

    site.asked();
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    assert_eq!(site.asked(), ["/list"], "nothing new on the first page");
    assert_eq!(desk.posts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let (desk, site) = (Desk::new().await, board().await);
    let page = Page::gbk(&list(&["4", "3"], None)).with("etag", "\"1\"");
    site.set("/list", page);
    desk.read(&source(&site)).await;
    desk.read(&source(&site)).await;
    let unchanged = desk
        .metrics
        .fetches_total
        .with_label_values(&[SOURCE, "unchanged"]);
    assert_eq!(unchanged.get(), 1);
    assert_eq!(desk.titles(), ["路灯3", "路灯4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_broken_off_is_taken_up_behind_the_posts_known() {
    let (desk, site) = (Desk::new().await, board().await);
    desk.take_batches(Some(1));
    assert_eq!(desk.read(&source(&site)).await, Outcome::NotTaken);
    assert_eq!(desk.titles(), ["路灯3", "路灯4"]);
    desk.take_batches(None);
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    assert_eq!(desk.titles(), ["路灯1", "路灯2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_fit_is_told_with_its_address_and_the_others_go_on() {
    let (desk, site) = (Desk::new().await, board().await);
    let mut wrong = "<h1>路灯3</h1><div class=text>".to_owned().into_bytes();
    wrong.extend([0xff, 0x80, 0xfe, 0xff, 0xa0].repeat(40));
    site.set("/post/3", Page::new("text/html; charset=utf-8", wrong));
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    assert_eq!(desk.titles(), ["路灯1", "路灯2", "路灯4"]);
    let health = desk.health().await;
    assert_eq!((health.posts, health.refused), (3, 1));
    for part in [site.at("post/3").as_str(), "UTF-8", "`charset`"] {
        assert!(health.problem.contains(part), "{}", health.problem);
    }
    let failures = desk
        .metrics
        .parse_failures_total
        .with_label_values(&[SOURCE]);
    assert_eq!(failures.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_robots_txt_disallows_is_not_asked_for() {
    let (desk, site) = (Desk::new().await, board().await);
    let rules = "User-agent: wensheng\nDisallow: /post/2\n";
    site.set("/robots.txt", Page::new("text/plain", rules));
    desk.read(&source(&site)).await;
    assert_eq!(desk.titles(), ["路灯1", "路灯3", "路灯4"]);
    assert!(!site.asked().contains(&"/post/2".to_owned()));
    assert!(desk.health().await.problem.contains("robots.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_was_away_is_read_once_it_is_back() {
    let (desk, site) = (Desk::new().await, board().await);
    site.set("/post/1", Page::status(503));
    desk.read(&source(&site)).await;
    assert_eq!(desk.titles(), ["路灯2", "路灯3", "路灯4"]);
    site.set("/post/1", Page::gbk(&post("路灯1", "坏了")));
    desk.read(&source(&site)).await;
    assert_eq!(desk.titles(), ["路灯1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_changed_is_a_failure_of_the_source() {
    let (desk, site) = (Desk::new().await, board().await);
    site.set("/list", Page::gbk("<meta charset=gbk><p>新版</p>"));
    assert_eq!(desk.read(&source(&site)).await, Outcome::Failed);
    let problem = desk.health().await.problem;
    assert!(problem.contains("`board.item`"), "{problem}");
    assert_eq!(desk.metrics.source_up.with_label_values(&[SOURCE]).get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_noticed_and_a_page_that_is_gone_is_let_be() {
    let (desk, site) = (Desk::new().await, board().await);
    desk.read(&source(&site)).await;
    let first: Vec<_> = desk.posts();
    site.asked();
    let edited = post("路灯4", "冯川镇的路灯修好了，谢谢");
    site.set("/post/4", Page::gbk(&edited));
    site.set("/post/3", Page::status(404));

    desk.wait(SignedDuration::from_hours(1));
    desk.read(&source(&site)).await;
    assert_eq!(site.asked(), ["/list"], "not yet");
    desk.wait(SignedDuration::from_hours(24));
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    let changed = desk.posts();
    assert_eq!(changed.len(), 1);
    assert_eq!((&changed[0].id, changed[0].revision), (&first[0].id, 2));
    assert_eq!(changed[0].text, "冯川镇的路灯修好了，谢谢");
    assert_eq!(site.asked().len(), 5, "the list and four posts");

    desk.wait(SignedDuration::from_hours(24));
    desk.read(&source(&site)).await;
    assert_eq!((site.asked().len(), desk.posts().len()), (4, 0));
    desk.wait(SignedDuration::from_hours(24 * 14));
    desk.read(&source(&site)).await;
    assert_eq!(site.asked(), ["/list"], "after two weeks no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_one_post_by_whichever_of_its_addresses_and_wherever_these_begin() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let list = "<base href='/bbs/'><li><a href='thread-7-1-2.html'>路灯</a></li>\
        <li><a href='forum.php?mod=viewthread&amp;tid=7&amp;extra=page%3D2'>路灯</a></li>\
        <a class=next href='forum-2-2.html'>下一页</a>";
    site.set("/list", Page::new("text/html", list));
    site.set("/bbs/forum-2-2.html", Page::new("text/html", list));
    for path in ["/bbs/thread-7-1-1.html", "/bbs/forum.php"] {
        site.set(path, Page::gbk(&post("路灯", "坏了")));
    }
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!(posts[0].url, site.at("bbs/thread-7-1-1.html").as_str());
    assert!(site.asked().contains(&"/bbs/forum-2-2.html".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_little_ahead_tells_now_and_one_that_is_far_ahead_tells_nothing() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    site.set("/list", Page::gbk(&list(&["1", "2"], None)));
    // It is 12:00 in Shanghai.
    for (number, at) in [(1, "12:07"), (2, "15:00")] {
        let page = post(
            &format!("路灯{number}"),
            "冯川镇的路灯坏了，2023年3月1日就报修过，没有人来。",
        )
        .replace("2023年7月18日 08:30", &format!("2023-07-19 {at}"));
        site.set(&format!("/post/{number}"), Page::gbk(&page));
    }
    let by_itself = format!("[board]\nurl = \"{}\"\nitem = \"li a\"", site.at("list"));
    for source in [source(&site), by_itself] {
        let desk = Desk::new().await;
        assert_eq!(desk.read(&source).await, Outcome::Read);
        let posts = desk.posts();
        let first = posts.iter().find(|post| post.title == "路灯1").unwrap();
        assert_eq!(first.certainty, Certainty::Exact);
        assert_eq!(first.published_at, first.collected_at);
    }
    desk.read(&source(&site)).await;
    let posts = desk.posts();
    let second = posts.iter().find(|post| post.title == "路灯2").unwrap();
    assert_eq!(second.certainty, Certainty::Collected);
}

/// A board of one list page of so many posts.
async fn long_board(posts: u32) -> Site {
    let site = Site::start().await;
    let numbers: Vec<String> = (1..=posts).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    site.set("/list", Page::gbk(&list(&numbers, None)));
    for number in numbers {
        let page = post(&format!("路灯{number}"), "冯川镇的路灯坏了");
        site.set(&format!("/post/{number}"), Page::gbk(&page));
    }
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_brokers_make_it_fetch_less() {
    let (desk, site) = (Arc::new(Desk::new().await), long_board(200).await);
    let slow = desk.slow_brokers().await;
    let reading = {
        let (desk, source) = (Arc::clone(&desk), source(&site));
        tokio::spawn(async move { desk.read(&source).await })
    };
    let mut asked = 0;
    until("ten pages are asked for", || {
        asked += site.asked().len();
        asked >= 10
    })
    .await;
    // Until nothing more is.
    let mut before = 0;
    while asked != before {
        before = asked;
        tokio::time::sleep(Duration::from_millis(300)).await;
        asked += site.asked().len();
    }
    assert!((10..50).contains(&asked), "{asked} pages are held");
    drop(slow);
    assert_eq!(reading.await.unwrap(), Outcome::Read);
    assert_eq!(desk.posts().len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_killed_at_any_moment_loses_and_doubles_nothing() {
    let (desk, site) = (Arc::new(Desk::new().await), long_board(60).await);
    let mut found = BTreeSet::new();
    let mut killed = 0;
    for moment in 1_u64.. {
        let reading = {
            let (desk, source) = (Arc::clone(&desk), source(&site));
            tokio::spawn(async move { desk.read(&source).await })
        };
        tokio::time::sleep(Duration::from_millis(3 * moment)).await;
        let is_done = reading.is_finished();
        reading.abort();
        drop(reading.await);
        found.extend(
            desk.posts()
                .into_iter()
                .map(|post| (post.id, post.revision)),
        );
        if is_done {
            break;
        }
        killed += 1;
    }
    assert!(killed > 0);
    assert_eq!(
        found.len(),
        60,
        "each post, in its first revision, after {killed} kills"
    );
}
