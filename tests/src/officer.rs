//! A duty officer before a console that has nothing but an archive to show.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use clickhouse::Client;
use jiff::Timestamp;
use responder::account::{Accounts, NewUser};
use responder::case::Role;
use responder::console::{self, Console};
use responder::routing::Routing;
use responder::settings;
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
    let code = routing.region().code().to_owned();
    let routings = Arc::new(BTreeMap::from([(code, routing)]));
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
    let console = Console::new(settings, store, routings, archive).expect("a console");
    tokio::spawn(console::serve(console, listener, CancellationToken::new()));
    let browser = Browser::sign_in(&address, "officer", PASSWORD).await;
    (browser, folder)
}
