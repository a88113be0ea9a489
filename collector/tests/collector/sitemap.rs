use collector::schedule::Outcome;

use jiff::SignedDuration;

use crate::desk::Desk;
use crate::site::{Page, Site};

fn post(title: &str) -> Page {
    let html = format!(
        "<h1>{title}</h1><div class=text>冯川镇的路灯坏了</div><i class=at>2023-07-18 08:30</i>"
    );
    Page::new("text/html", html)
}

fn map(entries: &[(String, &str)]) -> Page {
    let urls: String = entries
        .iter()
        .map(|(url, changed)| format!("<url><loc>{url}</loc><lastmod>{changed}</lastmod></url>"))
        .collect();
    Page::new("application/xml", format!("<urlset>{urls}</urlset>"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_sitemap_are_read_that_are_asked_for_and_recent() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let index = format!(
        "<sitemapindex><sitemap><loc>{}</loc></sitemap></sitemapindex>",
        site.at("map.xml")
    );
    site.set("/sitemap.xml", Page::new("application/xml", index));
    let entry = |path: &str, changed| (site.at(path).to_string(), changed);
    let entries = [
        entry("hudong/1", "2023-07-18"),
        entry("hudong/2", "2023-07-19"),
        entry("hudong/3", "2020-01-01"),
        entry("news/4", "2023-07-18"),
    ];
    site.set("/map.xml", map(&entries));
    for number in 1..=3 {
        site.set(&format!("/hudong/{number}"), post(&format!("路灯{number}")));
    }
    let source = format!(
        "[sitemap]\nurl = \"{}\"\nunder = \"{}\"\n[sitemap.post]\ntext = \"div.text\"\ntime = \"i.at\"",
        site.at("sitemap.xml"),
        site.at("hudong/")
    );
    assert_eq!(desk.read(&source).await, Outcome::Read);
    assert_eq!(desk.titles(), ["路灯1", "路灯2"]);
    site.asked();
    assert_eq!(desk.read(&source).await, Outcome::Read);
    assert_eq!(site.asked(), ["/sitemap.xml", "/map.xml"]);
    site.set("/sitemap.xml", Page::new("text/html", "<p>moved</p>"));
    assert_eq!(desk.read(&source).await, Outcome::Failed);
    assert!(desk.health().await.problem.contains("is no sitemap"));
}

/// The posts' paths that were asked for since the last call.
fn posts_asked(site: &Site) -> Vec<String> {
    let mut asked = site.asked();
    asked.retain(|path| !path.ends_with(".xml"));
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_yields_nothing_rests_and_keeps_no_other_from_being_read() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let entries: Vec<_> = (1..=4)
        .map(|number| (site.at(&number.to_string()).to_string(), "2023-07-18"))
        .collect();
    site.set("/sitemap.xml", map(&entries));
    site.set("/2", Page::new("text/html", "<p></p>"));
    site.set("/3", Page::status(500));
    site.set("/4", post("路灯4"));
    let source = format!(
        "[sitemap]\nurl = \"{}\"\nmost_posts = 3\n[sitemap.post]\nrecheck_days = 0\ntext = \"div.text\"\ntime = \"i.at\"",
        site.at("sitemap.xml")
    );
    desk.read(&source).await;
    assert_eq!(posts_asked(&site), ["/1", "/2", "/3"], "4 is one too many");
    desk.read(&source).await;
    assert_eq!(posts_asked(&site), ["/4", "/3"], "what may pass comes last");
    assert_eq!(desk.titles(), ["路灯4"]);
    site.set("/3", post("路灯3"));
    desk.read(&source).await;
    assert_eq!(desk.titles(), ["路灯3"]);
    site.asked();

    let mut rests = Vec::new();
    for hour in 1..=80 {
        desk.wait(SignedDuration::from_hours(1));
        desk.read(&source).await;
        if !posts_asked(&site).is_empty() {
            rests.push(hour);
        }
    }
    assert_eq!(
        rests,
        [1, 3, 7, 15, 31, 55, 79],
        "longer each time, up to a day"
    );
    site.set("/1", post("路灯1"));
    desk.read(&source.replace("div.text", "div")).await;
    assert_eq!(
        desk.titles(),
        ["路灯1"],
        "described another way it is asked at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_maps_of_a_large_index_take_turns_and_one_at_fault_keeps_no_other_from_being_read() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let maps: String = (10..40)
        .map(|number| {
            let (at, day) = (site.at(&format!("{number}.xml")), number - 9);
            format!("<sitemap><loc>{at}</loc><lastmod>2023-06-{day:02}</lastmod></sitemap>")
        })
        .collect();
    let index = format!("<sitemapindex>{maps}</sitemapindex>");
    site.set("/sitemap.xml", Page::new("application/xml", index));
    for number in 10..40 {
        let entry = (site.at(&format!("post/{number}")).to_string(), "2023-07-18");
        site.set(&format!("/{number}.xml"), map(&[entry]));
        site.set(&format!("/post/{number}"), post(&format!("路灯{number}")));
    }
    site.set("/39.xml", Page::status(404));
    let source = format!(
        "[sitemap]\nurl = \"{}\"\nrecent_days = 100\n[sitemap.post]\ntext = \"div.text\"\ntime = \"i.at\"",
        site.at("sitemap.xml")
    );
    let titles = |from: u32, to: u32| -> Vec<String> {
        (from..=to).map(|number| format!("路灯{number}")).collect()
    };
    assert_eq!(desk.read(&source).await, Outcome::Read);
    assert_eq!(desk.titles(), titles(21, 38), "those changed last");
    assert!(desk.health().await.problem.contains("39.xml answers 404"));
    assert_eq!(desk.read(&source).await, Outcome::Read);
    assert_eq!(desk.titles(), titles(10, 20), "then the others");
}
