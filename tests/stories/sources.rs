//! An officer pauses a source in the console: the collector asks its site for nothing, also after it was killed, until the
//! officer has it read again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use wensheng_tests::duty::PASSWORD;
use wensheng_tests::{Broker, Browser, Office, REGION, Store, send_raw, wait_for};

const PAUSED: &str = "论坛";
const OTHER: &str = "另一论坛";

/// A site with an empty feed, which counts how often it is asked for that.
struct Site {
    address: String,
    asked: Arc<AtomicU64>,
}

impl Site {
    async fn start() -> Self {
        async fn feed(State(asked): State<Arc<AtomicU64>>) -> impl IntoResponse {
            asked.fetch_add(1, Ordering::Relaxed);
            let feed = "<rss version=\"2.0\"><channel><title>空</title></channel></rss>";
            ([(CONTENT_TYPE, "application/xml")], feed)
        }
        let asked = Arc::new(AtomicU64::new(0));
        let router = Router::new()
            .route("/feed", get(feed))
            .with_state(Arc::clone(&asked));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/feed", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked }
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits until it was asked so many times more.
    async fn is_asked(&self, times: u64) {
        let least = self.asked() + times;
        wait_for("the site to be asked", async || {
            (self.asked() >= least).then_some(())
        })
        .await;
    }
}

/// The id of a source and its condition, as the page tells.
async fn source(officer: &mut Browser, name: &str) -> Option<(String, String)> {
    let page = officer.get("/sources").await;
    let row = (page.html.split("<tr data-source=\"").skip(1))
        .find(|row| row.contains(&format!("<span>{name}<small>")))?;
    let (id, rest) = row.split_once('"')?;
    let (_, rest) = rest.split_once("data-condition=\"")?;
    let (condition, _) = rest.split_once('"')?;
    Some((id.to_owned(), condition.to_owned()))
}

async fn is_in(officer: &mut Browser, condition: &str) -> String {
    for _ in 0..600 {
        if let Some((id, told)) = source(officer, PAUSED).await
            && told == condition
        {
            return id;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("the source is not told to be {condition}");
}

async fn change(officer: &mut Browser, id: &str, what: &str) {
    let page = officer.get("/sources").await;
    let csrf = page.hidden("csrf").unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("reason", "网站要求暂停")];
    let page = officer
        .post(&format!("/sources/{id}/{what}"), &fields)
        .await;
    assert_eq!(page.status, 303, "{}", page.html);
}

async fn an_officer_pauses_a_source(kafka: Broker) {
    backbone::tls::install();
    let store = Store::start();
    let (site, other) = (Site::start().await, Site::start().await);
    let office = Office::new(kafka.address(), &store.url, "");
    let text: String = [(PAUSED, &site), (OTHER, &other)]
        .map(|(name, site)| {
            format!(
                "[[source]]\nname = \"{name}\"\nregion = \"{REGION}\"\nallow_private = true\nevery_seconds = 1\n\
                 [source.feed]\nurl = \"{}\"\n",
                site.address
            )
        })
        .concat();
    office.add_sources(&text);
    let _responder = office.start("responder");
    wait_for("the responder", || office.ready(3)).await;
    // What nobody can read is in nobody's way.
    send_raw(kafka.address(), "source-edits", "no JSON at all").await;
    let mut collector = office.start("collector");
    let console = office.console();
    let mut administrator = Browser::sign_in(&console, "admin", PASSWORD).await;
    administrator
        .add_user("officer", "duty-officer", "", PASSWORD)
        .await;
    let mut officer = Browser::sign_in(&console, "officer", PASSWORD).await;
    let id = is_in(&mut officer, "well").await;
    send_raw(kafka.address(), "source-edits", "no JSON either").await;
    wait_for("the dead letter", async || {
        let arguments = ["dead-letters", "list", "--topic", "source-edits"];
        let dead = office.run("analyzer", &arguments);
        let dead = String::from_utf8_lossy(&dead.stdout).into_owned();
        dead.contains("malformed source-edit message").then_some(())
    })
    .await;

    change(&mut officer, &id, "pause").await;
    is_in(&mut officer, "paused").await;
    let asked = site.asked();
    other.is_asked(3).await;
    assert_eq!(site.asked(), asked, "not once more");

    collector.kill();
    let collector = office.start("collector");
    other.is_asked(3).await;
    assert_eq!(site.asked(), asked, "nor after a restart");
    let table = office.run("collector", &["sources"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("paused"), "{table}");

    change(&mut officer, &id, "resume").await;
    site.is_asked(2).await;
    is_in(&mut officer, "well").await;
    drop(collector);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_pauses_a_source_on_the_embedded_broker() {
    an_officer_pauses_a_source(Broker::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_pauses_a_source_on_apache_kafka() {
    an_officer_pauses_a_source(Broker::apache(1)).await;
}
