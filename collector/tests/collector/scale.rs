use std::sync::Arc;

use collector::fetch::Fetcher;
use collector::pause::Pauses;
use collector::schedule::run_all;
use collector::settings::Fetch;
use collector::source::Definition;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, loopback, until};
use crate::site::{Page, Site};

const SOURCES: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn one_process_reads_ten_thousand_sources() {
    let desk = Desk::new().await;
    let mut sites = Vec::new();
    for _ in 0..20 {
        sites.push(Site::start().await);
    }
    let mut text = String::new();
    for number in 0..SOURCES {
        let site = &sites[number % sites.len()];
        let path = format!("/feed/{number}");
        let feed = format!(
            "<rss version=\"2.0\"><channel><item><title>停水{number}</title><link>/t/{number}</link></item></channel></rss>"
        );
        site.set(&path, Page::new("application/xml", feed));
        text += &format!(
            "[[source]]\nname = \"来源{number}\"\nregion = \"990101\"\nallow_private = true\nevery_seconds = 86400\n\
             [source.feed]\nurl = \"{}\"\n",
            site.at(&path)
        );
    }
    std::fs::write(desk.path("sources.toml"), text).unwrap();
    let definitions = Definition::load(&desk.path("sources.toml")).unwrap();
    assert_eq!(definitions.len(), SOURCES);
    let settings = Fetch {
        per_host: 4,
        most_at_once: 64,
        timeout_seconds: 60,
        ..loopback()
    };
    let fetcher = Fetcher::new(&settings).unwrap();
    let publisher = desk.publisher();
    let (stop, pauses) = (CancellationToken::new(), Pauses::default());
    pauses.learn([]);
    let reading = {
        let (stop, fetcher) = (stop.clone(), Arc::new(fetcher));
        tokio::spawn(
            async move { run_all(definitions, &fetcher, &publisher, &pauses, &stop).await },
        )
    };
    let mut posts = 0;
    until("all sources are read", || {
        posts += desk.posts().len();
        posts >= SOURCES
    })
    .await;
    stop.cancel();
    reading.await.unwrap();
    let asked: usize = sites.iter().map(|site| site.asked().len()).sum();
    assert_eq!(asked, SOURCES, "each once");
}
