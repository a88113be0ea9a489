//! A duty officer before a console that has nothing but an archive to show.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use clickhouse::Client;
use jiff::Timestamp;
use prometheus::Registry;
use responder::account::{Accounts, NewUser};
use responder::calendar::Calendar;
use responder::case::{Cases, Role, Timing};
use responder::commitment::Commitments;
use responder::console::{self, Console, Surroundings};
use responder::correction::Corrections;
use responder::event_edit::EventEdits;
use responder::knowledge::Knowledge;
use responder::metrics::Metrics;
use responder::notify::Composer;
use responder::reply::Checks;
use responder::roster::Roster;
use responder::routing::{Routing, Silences};
use responder::settings;
use responder::source::Sources;
use responder::store::{Place, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Browser;
use crate::duty::PASSWORD;

/// Serves a console of the region in the given folder over an archive until the test ends, with a duty officer signed in.
/// Keep the folder as long.
///
/// # Panics
/// When it does not start.
pub async fn officer(archive: Client, region: &Path) -> (Browser, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = Place::File(folder.path().join("responder.sqlite"));
    let store = Store::open(&place).await.expect("a store");
    let routing = Routing::load(region).expect("a region");
    let region = routing.region().clone();
    let routings = BTreeMap::from([(region.code().to_owned(), routing)]);
    let regions = Arc::new(BTreeMap::from([(region.code().to_owned(), region)]));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let settings: settings::Console = serde_json::from_value(
        serde_json::json!({ "listen": "127.0.0.1:0", "public_url": address }),
    )
    .expect("settings");
    let accounts = Accounts::new(store.clone(), settings.session_limits());
    let user = NewUser {
        name: "officer".to_owned(),
        display_name: "officer".to_owned(),
        role: Role::DutyOfficer,
        region: String::new(),
        unit: String::new(),
        password: PASSWORD.to_owned(),
        must_change: false,
    };
    accounts
        .add(&user, Timestamp::now())
        .await
        .expect("an account");
    let url = || address.parse().expect("an address");
    let console = Console {
        settings,
        cases: Cases::new(store.clone(), Timing::default()),
        accounts,
        provider: None,
        corrections: Corrections::new(store.clone()),
        edits: EventEdits::new(store.clone()),
        sources: Sources::new(store.clone(), None, url()),
        silences: Silences::new(store.clone()),
        roster: Roster::new(store.clone()),
        knowledge: Knowledge::new(store.clone()),
        commitments: Commitments::new(store.clone()),
        replies: Checks::load(&regions).expect("rules of replies"),
        store,
        notices: Arc::new(Composer::new(Arc::clone(&regions), url())),
        regions,
        routings: Arc::new(routings),
        calendar: Calendar::default(),
        surroundings: Surroundings {
            // Nobody listens there.
            kafka: serde_json::from_value(
                serde_json::json!({ "brokers": "127.0.0.1:9", "request_timeout_ms": 1000 }),
            )
            .expect("settings"),
            channels: Vec::new(),
            data: None,
        },
        archive,
        metrics: Metrics::new(&Registry::new()).expect("metrics"),
    };
    tokio::spawn(console::serve(console, listener, CancellationToken::new()));
    let browser = Browser::sign_in(&address, "officer", PASSWORD).await;
    (browser, folder)
}
