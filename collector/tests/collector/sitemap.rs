use collector::schedule::Outcome;

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
