use backbone::message::Certainty;
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

/// Feeds in every version, and broken in the usual ways; each tells of one post, 停水.
fn feeds() -> Vec<(&'static str, Vec<u8>)> {
    let item = "<item><title>停水</title><link>http://forum.test/t/1</link><description>停水三天了</description><pubDate>Tue, 18 Jul 2023 08:30:00 +0800</pubDate></item>";
    let rss = |head: &str, body: &str| {
        format!("{head}<rss version=\"2.0\"><channel><title>论坛</title>{body}</channel></rss>")
    };
    let texts = vec![
        ("RSS 0.91", format!("<rss version=\"0.91\"><channel><title>论坛</title>{item}</channel></rss>")),
        ("RSS 0.92", format!("<rss version=\"0.92\"><channel><title>论坛</title>{item}</channel></rss>")),
        ("RSS 1.0", "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel rdf:about=\"http://forum.test/\"><title>论坛</title><link>http://forum.test/</link><description>论坛</description></channel><item rdf:about=\"http://forum.test/t/1\"><title>停水</title><link>http://forum.test/t/1</link><description>停水三天了</description><dc:date>2023-07-18T08:30:00+08:00</dc:date></item></rdf:RDF>".to_owned()),
        ("RSS 2.0", rss("<?xml version=\"1.0\" encoding=\"utf-8\"?>", item)),
        ("Atom", "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>论坛</title><id>x</id><updated>2023-07-18T00:30:00Z</updated><entry><title>停水</title><id>1</id><link href=\"http://forum.test/t/1\"/><updated>2023-07-18T00:30:00Z</updated><summary>停水三天了</summary></entry></feed>".to_owned()),
        ("Atom with content of XHTML", "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>论坛</title><id>x</id><updated>2023-07-18T00:30:00Z</updated><entry><title>停水</title><id>1</id><link rel=\"self\" href=\"/x\"/><link rel=\"alternate\" href=\"/t/1\"/><published>2023-07-18T08:30:00+08:00</published><updated>2023-07-19T00:30:00Z</updated><content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>停水三天了</p></div></content></entry></feed>".to_owned()),
        ("JSON Feed", "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"论坛\",\"items\":[{\"id\":\"1\",\"url\":\"http://forum.test/t/1\",\"title\":\"停水\",\"content_html\":\"<p>停水三天了</p>\",\"date_published\":\"2023-07-18T08:30:00+08:00\"}]}".to_owned()),
        ("with a mark before the declaration", format!("\u{feff}{}", rss("<?xml version=\"1.0\"?>", item))),
        ("with blank lines before the declaration", format!("\n\n {}", rss("<?xml version=\"1.0\"?>", item))),
        ("declared to be in UTF-16", rss("<?xml version=\"1.0\" encoding=\"utf-16\"?>", item)),
        ("declared twice", rss("<?xml version=\"1.0\"?><?xml version=\"1.0\" encoding=\"gbk\"?>", item)),
        ("with bare ampersands", rss("", &item.replace("停水三天了", "停水&三天了 & 没人管"))),
        ("with references of HTML", rss("", &item.replace("停水三天了", "停水&nbsp;三天了&mdash;"))),
        ("with control characters", rss("", &item.replace("停水三天了", "停水\u{b}三\u{0}天了\u{1f}"))),
        ("with text in CDATA", rss("", &item.replace("停水三天了", "<![CDATA[<p>停水<b>三天</b>了</p>]]>"))),
        ("with HTML that is not escaped", rss("", &item.replace("停水三天了", "<p>停水三天了</p>"))),
        ("with an unknown namespace", rss("", &item.replace("</item>", "<zw:note>x</zw:note></item>"))),
        ("with a document type", rss("<!DOCTYPE rss PUBLIC \"-//Netscape//DTD RSS 0.91//EN\" \"http://my.netscape.test/rss.dtd\">", item)),
        ("with a stylesheet", rss("<?xml-stylesheet type=\"text/xsl\" href=\"/rss.xsl\"?>", item)),
        ("with a comment before", rss("<!-- 由论坛生成 -->", item)),
        ("cut off behind its item", rss("", item).replace("</channel></rss>", "")),
        ("with a date as people write it", rss("", &item.replace("Tue, 18 Jul 2023 08:30:00 +0800", "2023年7月18日 08:30"))),
        ("with a date without a zone", rss("", &item.replace("Tue, 18 Jul 2023 08:30:00 +0800", "2023-07-18 08:30:00"))),
        ("with a date of the wrong weekday", rss("", &item.replace("Tue", "Fri"))),
        ("with a relative link", rss("", &item.replace("http://forum.test/t/1", "/t/1"))),
        ("with a link in CDATA", rss("", &item.replace("http://forum.test/t/1", "<![CDATA[ http://forum.test/t/1 ]]>"))),
        ("with HTML in its title", rss("", &item.replace("<title>停水</title>", "<title>&lt;b&gt;停水&lt;/b&gt;</title>"))),
        ("with an id for its link", rss("", &item.replace("<link>http://forum.test/t/1</link>", "<guid>http://forum.test/t/1</guid>"))),
        ("JSON Feed with a number for an id", "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"论坛\",\"items\":[{\"id\":1,\"url\":\"http://forum.test/t/1\",\"title\":\"停水\",\"content_text\":\"停水三天了\",\"date_published\":\"2023-07-18T08:30:00+08:00\"}]}".to_owned()),
        ("with an empty channel title", rss("", item).replace("<title>论坛</title>", "<title/>")),
    ];
    let mut feeds: Vec<_> = texts
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect();
    let declared = rss("<?xml version=\"1.0\" encoding=\"gb18030\"?>", item);
    feeds.push((
        "in GB18030",
        encoding_rs::GB18030.encode(&declared).0.into_owned(),
    ));
    let undeclared = rss("<?xml version=\"1.0\" encoding=\"utf-8\"?>", item);
    feeds.push((
        "in GBK, declared to be in UTF-8",
        encoding_rs::GBK.encode(&undeclared).0.into_owned(),
    ));
    feeds
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_of_every_version_and_broken_in_the_usual_ways_are_read() {
    let mut wrong = Vec::new();
    for (name, bytes) in feeds() {
        let (desk, site) = (Desk::new().await, Site::start().await);
        site.set("/feed", Page::new("application/xml", bytes));
        let source = format!("[feed]\nurl = \"{}\"", site.at("feed"));
        let outcome = desk.read(&source).await;
        let posts = desk.posts();
        let post = posts.first();
        let at = Some("2023-07-18T00:30:00Z".parse().unwrap());
        let is_read = outcome == Outcome::Read
            && posts.len() == 1
            && post.is_some_and(|post| {
                post.title == "停水" && post.text.contains('停') && post.url.ends_with("/t/1")
            })
            && post.map(|post| post.published_at) == at;
        if !is_read {
            let problem = desk.health().await.problem;
            wrong.push(format!("{name}: {outcome:?} {posts:?} {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_tells_no_more_than_it_knows_of_times_and_links() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let item = |guid: &str, date: &str| {
        format!("<item><title>停水</title>{guid}<pubDate>{date}</pubDate></item>")
    };
    let items = [
        item(
            "<guid isPermaLink=\"false\">http://forum.test/?a=1&amp;p=1</guid>",
            "2023-07-16",
        ),
        item(
            "<guid isPermaLink='true'>http://forum.test/?p=2</guid>",
            "2天前",
        ),
        item("<guid>t3</guid>", "Tue, 18 Jul 2023 00:00:00 +0800"),
    ]
    .concat();
    let feed = format!("<rss version=\"2.0\"><channel>{items}</channel></rss>");
    site.set("/feed", Page::new("application/xml", feed));
    let source = format!("[feed]\nurl = \"{}\"", site.at("feed"));
    assert_eq!(desk.read(&source).await, Outcome::Read);
    let seen: Vec<_> = desk
        .posts()
        .into_iter()
        .map(|post| (post.url, post.certainty))
        .collect();
    let expected = [
        (String::new(), Certainty::Day),
        ("http://forum.test/?p=2".to_owned(), Certainty::Guessed),
        (String::new(), Certainty::Exact),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_a_bomb_is_read_or_refused_and_nothing_else() {
    let deep = format!("<rss><channel><item>{}", "<a>".repeat(15_000));
    let entities = "<!DOCTYPE rss [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>\
        <rss version=\"2.0\"><channel><item><title>&c;</title><link>http://forum.test/t/1</link></item></channel></rss>";
    let outside = "<!DOCTYPE rss [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><rss version=\"2.0\"><channel><item><title>&f;</title><link>http://forum.test/t/1</link></item></channel></rss>";
    let json = format!(
        "{{\"version\":\"https://jsonfeed.org/version/1\",\"title\":\"x\",\"items\":{}",
        "[".repeat(40_000)
    );
    for bomb in [deep.as_str(), entities, outside, &json] {
        let (desk, site) = (Desk::new().await, Site::start().await);
        site.set("/feed", Page::new("application/xml", bomb));
        desk.read(&format!("[feed]\nurl = \"{}\"", site.at("feed")))
            .await;
        for post in desk.posts() {
            assert!(
                post.title.len() < 100 && !post.title.contains("root:"),
                "{}",
                post.title
            );
        }
    }
}
