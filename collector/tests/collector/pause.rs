//! An officer pauses sources and resumes them while the collector runs.

use std::collections::HashSet;

use backbone::id;
use backbone::message::{Condition, SourceEdit};
use collector::fetch::Fetcher;
use collector::pause::Pauses;
use collector::schedule::run_all;
use collector::settings::Fetch;
use collector::source::Definition;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, PATIENCE, SOURCE, loopback, until};
use crate::site::{Page, Site};

/// A source that nobody pauses: what it is asked for tells that time went by.
const OTHER: &str = "另一个";
const OFTEN: &str = "every_seconds = 1\nfirst_visit_days = 0\n";

/// What an officer decided, so many seconds after others.
pub(crate) fn decided(source: &str, paused: bool, second: i64) -> SourceEdit {
    SourceEdit {
        id: format!("{source}{second}"),
        region: "990101".to_owned(),
        source: source.to_owned(),
        source_id: id::of_source("990101", source),
        paused,
        role: "duty-officer".to_owned(),
        at: Timestamp::from_second(second).unwrap(),
    }
}

struct Running {
    pauses: Pauses,
    stop: CancellationToken,
    reading: JoinHandle<()>,
}

impl Running {
    fn start(desk: &Desk, settings: &Fetch, definitions: Vec<Definition>, pauses: Pauses) -> Self {
        let stop = CancellationToken::new();
        let (fetcher, publisher) = (Fetcher::new(settings).unwrap(), desk.publisher());
        let reading = {
            let (pauses, stop) = (pauses.clone(), stop.clone());
            tokio::spawn(async move {
                run_all(definitions, &fetcher, &publisher, &pauses, &stop).await;
            })
        };
        Self {
            pauses,
            stop,
            reading,
        }
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.reading)
            .await
            .expect("it stops")
            .unwrap();
    }
}

fn html(text: String) -> Page {
    Page::new("text/html; charset=utf-8", text)
}

/// A board of the posts from the first to the last, the newest first.
fn set_board(site: &Site, posts: std::ops::RangeInclusive<u32>) {
    let items: String = posts
        .clone()
        .rev()
        .map(|post| format!("<li><a href='/post/{post}'>帖子{post}</a></li>"))
        .collect();
    site.set("/list", html(format!("<ul>{items}</ul>")));
    for post in posts {
        let page = format!("<h1>帖子{post}</h1><i>2023-07-18 08:30</i><p>冯川镇的路灯坏了。</p>");
        site.set(&format!("/post/{post}"), html(page));
    }
}

fn board(desk: &Desk, site: &Site) -> Definition {
    let kind = format!(
        "{OFTEN}[board]\nurl = \"{}\"\nitem = \"li a\"\n[board.post]\ntitle = \"h1\"\ntext = \"p\"\ntime = \"i\"\nrecheck_days = 0",
        site.at("list")
    );
    desk.source(SOURCE, &kind)
}

/// A feed without anything in it, at a site of its own.
async fn other(desk: &Desk) -> (Definition, Site) {
    let site = Site::start().await;
    let feed = "<rss version=\"2.0\"><channel><title>空</title></channel></rss>";
    site.set("/feed", Page::new("application/xml", feed));
    let kind = format!("{OFTEN}[feed]\nurl = \"{}\"", site.at("feed"));
    (desk.source(OTHER, &kind), site)
}

/// Waits until the other source was read so many times more, which takes as many seconds.
async fn rounds_of(other: &Site, rounds: usize) {
    other.asked();
    let mut asked = 0;
    until("the other source is read", || {
        asked += other.asked().len();
        asked >= rounds
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_source_is_asked_for_nothing_and_goes_on_where_it_was() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let (other, other_site) = other(&desk).await;
    set_board(&site, 1..=3);
    let pauses = Pauses::default();
    let definitions = vec![board(&desk, &site), other];
    let running = Running::start(&desk, &loopback(), definitions.clone(), pauses);
    assert_eq!(site.asked().len(), 0, "nothing is known of pauses yet");
    running.pauses.learn([]);
    let mut posts = Vec::new();
    until("the first posts", || {
        posts.append(&mut desk.posts());
        posts.len() == 3
    })
    .await;
    // Broken off before they are remembered, they would be sent again.
    until("the round has ended", || desk.has_told(Condition::Well)).await;

    running.pauses.learn([decided(SOURCE, true, 1)]);
    until("the pause is told", || desk.has_told(Condition::Paused)).await;
    site.asked();
    set_board(&site, 1..=5);
    rounds_of(&other_site, 3).await;
    assert_eq!(site.asked(), [""; 0], "not one request");

    // Started again, it reads what was decided before it reads anything else.
    running.end().await;
    let pauses = Pauses::default();
    let running = Running::start(&desk, &loopback(), definitions, pauses);
    running.pauses.learn([decided(SOURCE, true, 1)]);
    rounds_of(&other_site, 3).await;
    assert_eq!(site.asked(), [""; 0], "not one request after a restart");

    running.pauses.learn([decided(SOURCE, false, 2)]);
    until("the posts of meanwhile", || {
        posts.append(&mut desk.posts());
        posts.len() == 5
    })
    .await;
    until("it is told to be read", || desk.has_told(Condition::Well)).await;
    rounds_of(&other_site, 2).await;
    posts.append(&mut desk.posts());
    let mut titles: Vec<&str> = posts.iter().map(|post| post.title.as_str()).collect();
    titles.sort_unstable();
    let expected = [1, 2, 3, 4, 5].map(|post| format!("帖子{post}"));
    assert_eq!(titles, expected, "each once");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_is_under_way_is_broken_off_and_loses_nothing() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let (other, other_site) = other(&desk).await;
    set_board(&site, 1..=30);
    let slowly = Fetch {
        delay_ms: 50,
        ..loopback()
    };
    let definitions = vec![board(&desk, &site), other];
    let running = Running::start(&desk, &slowly, definitions, Pauses::default());
    running.pauses.learn([]);
    let mut asked = 0;
    until("the list and some of its posts", || {
        asked += site.asked().len();
        asked >= 5
    })
    .await;
    running.pauses.learn([decided(SOURCE, true, 1)]);
    rounds_of(&other_site, 1).await;
    asked += site.asked().len();
    assert!(asked < 31, "the round had not ended: {asked}");
    rounds_of(&other_site, 2).await;
    assert_eq!(site.asked(), [""; 0], "not one request more");

    running.pauses.learn([decided(SOURCE, false, 2)]);
    let mut posts = Vec::new();
    until("all posts", || {
        posts.append(&mut desk.posts());
        let ids: HashSet<&str> = posts.iter().map(|post| post.id.as_str()).collect();
        ids.len() == 30
    })
    .await;
    rounds_of(&other_site, 2).await;
    posts.append(&mut desk.posts());
    assert_eq!(posts.len(), 30, "each once");
    assert!(posts.iter().all(|post| post.revision == 1));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_dropped_during_a_pause_stay_where_they_are() {
    let desk = Desk::new().await;
    let (other, other_site) = other(&desk).await;
    std::fs::create_dir(desk.path("dropped")).unwrap();
    let drop_in = |id: u32| {
        let row = format!(
            "{{\"id\": {id}, \"title\": \"来信{id}\", \"text\": \"停水了\", \"time\": \"2023-07-18 08:30:00\"}}\n"
        );
        std::fs::write(desk.path(&format!("dropped/{id}.jsonl")), row).unwrap();
    };
    drop_in(1);
    let source = desk.source(SOURCE, &format!("{OFTEN}[import]\nfile = \"dropped\""));
    let running = Running::start(&desk, &loopback(), vec![source, other], Pauses::default());
    running.pauses.learn([]);
    let mut titles = Vec::new();
    until("the first file", || {
        titles.append(&mut desk.titles());
        titles.len() == 1
    })
    .await;
    until("the round has ended", || desk.has_told(Condition::Well)).await;
    running.pauses.learn([decided(SOURCE, true, 1)]);
    until("the pause is told", || desk.has_told(Condition::Paused)).await;
    drop_in(2);
    rounds_of(&other_site, 2).await;
    assert_eq!(desk.titles(), [""; 0]);
    assert!(desk.path("dropped/2.jsonl").exists());
    running.pauses.learn([decided(SOURCE, false, 2)]);
    until("the second file", || {
        titles.append(&mut desk.titles());
        titles.len() == 2
    })
    .await;
    assert_eq!(titles, ["来信1", "来信2"]);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_was_never_read_is_told_to_be_paused() {
    let desk = Desk::new().await;
    let site = Site::start().await;
    let pauses = Pauses::default();
    pauses.learn([decided(SOURCE, true, 1)]);
    let sources = vec![board(&desk, &site)];
    let running = Running::start(&desk, &loopback(), sources, pauses);
    until("the pause is told", || desk.has_told(Condition::Paused)).await;
    assert_eq!(desk.told().last_success, None);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_another_system_feeds_is_told_to_be_paused_and_no_longer() {
    let desk = Desk::new().await;
    std::fs::write(desk.path("token"), "a token of the hotline").unwrap();
    let kind = format!(
        "[push]\ntoken = {{ file = \"{}\" }}",
        desk.path("token").display()
    );
    let source = desk.source(SOURCE, &kind);
    let taken = desk.publisher();
    let state = taken.state();
    state
        .ended(
            SOURCE,
            None,
            collector::state::Pages::None,
            Timestamp::now(),
        )
        .await
        .unwrap();
    let running = Running::start(&desk, &loopback(), vec![source], Pauses::default());
    running.pauses.learn([decided(SOURCE, true, 1)]);
    until("the pause is told", || desk.has_told(Condition::Paused)).await;
    running.pauses.learn([decided(SOURCE, false, 2)]);
    until("its end is told", || desk.has_told(Condition::Well)).await;
    running.end().await;
}
