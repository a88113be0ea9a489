use collector::schedule::Outcome;

use crate::desk::Desk;
use crate::site::{Page, Site};

fn rss(text: &str) -> Page {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"GB2312\"?><rss version=\"2.0\"><channel><title>论坛</title>\
         <item><title>停水</title><link>http://forum.test/t/1?spm=2</link><guid>t1</guid>\
         <pubDate>Tue, 18 Jul 2023 08:30:00 +0800</pubDate><description>&lt;p&gt;{text}&lt;/p&gt;</description></item>\
         <item><title>修路</title><link>http://forum.test/t/2</link>\
         <pubDate>2023-07-18 09:30:00</pubDate><description>路修好了</description></item>\
         <item><title>无处可寻</title></item>\
         </channel></rss>"
    );
    let bytes = encoding_rs::GBK.encode(&xml).0.into_owned();
    Page::new("application/rss+xml", bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_read_again_only_when_it_has_changed() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let source = format!("official = true\n[feed]\nurl = \"{}\"", site.at("feed"));
    site.set("/feed", rss("停水三天了").with("etag", "\"1\""));
    assert_eq!(desk.read(&source).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].kind.name(), "official");
    assert_eq!(
        (posts[0].title.as_str(), posts[0].text.as_str()),
        ("停水", "停水三天了")
    );
    assert_eq!(posts[0].url, "http://forum.test/t/1");
    assert_eq!(
        posts[1].published_at,
        "2023-07-18T01:30:00Z".parse().unwrap()
    );
    let problem = desk.health().await.problem;
    assert!(
        problem.contains("entry 3: has neither id nor link"),
        "{problem}"
    );

    desk.read(&source).await;
    assert_eq!(desk.posts(), [], "it answered that it has not changed");

    site.set("/feed", rss("停水四天了").with("etag", "\"2\""));
    desk.read(&source).await;
    let changed = desk.posts();
    assert_eq!(changed.len(), 1);
    assert_eq!((&changed[0].id, changed[0].revision), (&posts[0].id, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_no_feed_is_a_failure_of_the_source() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    site.set("/feed", Page::new("text/html", "<p>hello</p>"));
    let source = format!("[feed]\nurl = \"{}\"", site.at("feed"));
    assert_eq!(desk.read(&source).await, Outcome::Failed);
    assert!(desk.health().await.problem.contains("is no feed"));
}
