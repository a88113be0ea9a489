//! A duty officer before a console that has nothing but an archive to show.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use backbone::settings::Kafka;
use clickhouse::Client;
use jiff::Timestamp;
use responder::account::{Accounts, NewUser};
use responder::case::{Cases, Role};
use responder::console::{Console, Surroundings};
use responder::notify::Composer;
use responder::routing::Routing;
use responder::store::{Place, Store};
use responder::{settings, web};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Browser;
use crate::duty::PASSWORD;

/// A duty officer who is signed in, and what the console has.
#[derive(Debug)]
pub struct Officer {
    /// The officer's browser.
    pub browser: Browser,
    /// Where the console is, for others.
    pub address: String,
    /// Who may sign in.
    pub accounts: Accounts,
    /// The console's cases.
    pub cases: Cases,
    /// What composes its notices.
    pub notices: Arc<Composer>,
    /// The folder of its store; removed with this.
    pub folder: TempDir,
    _stop: DropGuard,
}

/// Serves a console of the region in the given folder over an archive, with a duty officer signed in, as long as that is kept.
///
/// # Panics
/// When it does not start.
pub async fn officer(archive: Client, region: &Path) -> Officer {
    // Nobody listens there.
    officer_beside(archive, region, Kafka::at("127.0.0.1:9")).await
}

/// The same, beside a Kafka.
///
/// # Panics
/// When it does not start.
pub async fn officer_beside(archive: Client, region: &Path, kafka: Kafka) -> Officer {
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
    let surroundings = Surroundings {
        kafka,
        ..console.surroundings
    };
    let console = Console {
        surroundings,
        ..console
    };
    let (cases, notices) = (console.cases.clone(), Arc::clone(&console.notices));
    let stop = CancellationToken::new();
    tokio::spawn(web::serve(console, listener, None, stop.clone()));
    Officer {
        browser: Browser::sign_in(&address, "officer", PASSWORD).await,
        address,
        accounts,
        cases,
        notices,
        folder,
        _stop: stop.drop_guard(),
    }
}
