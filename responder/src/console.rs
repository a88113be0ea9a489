//! The console: pages for the duty office, the units and the administrator. Rendered here, and whole without scripts;
//! what a role may open is one table, [`ROUTES`].

mod access;
pub(crate) mod archive;
mod assets;
mod attachments;
mod audit;
mod board;
mod case;
mod cases;
mod chart;
mod edits;
mod event;
mod events;
mod fields;
mod identity;
mod live;
mod marks;
mod overview;
mod own;
mod page;
mod posts;
mod problem;
pub(crate) mod reply_check;
mod search;
mod session;
mod show;
mod signals;
mod sources;
mod story;
mod towns;
mod trends;
mod units;
mod users;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use backbone::region::Region;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use access::{ROUTES, Route, Who};
pub(crate) use access::{SESSION_COOKIE, finish, known, same};
pub(crate) use attachments::saved;

use crate::account::{Accounts, Provider};
use crate::case::{Cases, Timing};
use crate::commitment::Commitments;
use crate::correction::Corrections;
use crate::event_edit::EventEdits;
use crate::knowledge::Knowledge;
use crate::live::{self as stream, Live};
use crate::metrics::Metrics;
use crate::reply::draft::Drafter;
use crate::roster::Roster;
use crate::routing::Silences;
use crate::saved_search::SavedSearches;
use crate::source::Sources;
use crate::store::Store;
use crate::{api, notify, reply, settings};

/// What the console shows and changes.
pub struct Console {
    /// Its settings.
    pub settings: settings::Console,
    /// The cases.
    pub cases: Cases,
    /// The accounts.
    pub accounts: Accounts,
    /// The identity provider that people may sign in with.
    pub provider: Option<Provider>,
    /// What officers corrected.
    pub corrections: Corrections,
    /// What officers said of events.
    pub edits: EventEdits,
    /// Posts as they come.
    pub live: Live,
    /// The searches that people keep.
    pub searches: SavedSearches,
    /// The sources.
    pub sources: Sources,
    /// The silences.
    pub silences: Silences,
    /// Who is on duty when.
    pub roster: Roster,
    /// The knowledge base.
    pub knowledge: Knowledge,
    /// What units promised.
    pub commitments: Commitments,
    /// What drafts are checked by.
    pub replies: reply::Checks,
    /// What may draft replies, where the settings name it.
    pub drafter: Option<Drafter>,
    /// The store, for the log of notices.
    pub store: Store,
    /// The regions served, by code.
    pub regions: Arc<BTreeMap<String, Region>>,
    /// ClickHouse, for posts and events.
    pub archive: clickhouse::Client,
    /// Composes the notices that moves cause.
    pub notices: Arc<notify::Composer>,
    /// What is counted.
    pub metrics: Metrics,
}

impl Console {
    /// The console on a store, for these regions, as it is by default: nobody to sign in with elsewhere, no draft help,
    /// nobody who is told of sources in trouble.
    ///
    /// # Errors
    /// When what drafts are checked by is at fault, or the metrics cannot be registered.
    pub fn new(
        settings: settings::Console,
        store: Store,
        regions: Arc<BTreeMap<String, Region>>,
        archive: clickhouse::Client,
    ) -> anyhow::Result<Self> {
        let url = settings.public_url.clone();
        let metrics = Metrics::new(&Registry::new())?;
        Ok(Self {
            live: Live::new(
                stream::Limits::default(),
                metrics.clone(),
                CancellationToken::new(),
            ),
            cases: Cases::new(store.clone(), Timing::default()),
            accounts: Accounts::new(store.clone(), settings.session_limits()),
            provider: None,
            corrections: Corrections::new(store.clone()),
            edits: EventEdits::new(store.clone()),
            searches: SavedSearches::new(store.clone()),
            sources: Sources::new(store.clone(), None, url.clone()),
            silences: Silences::new(store.clone()),
            roster: Roster::new(store.clone()),
            knowledge: Knowledge::new(store.clone()),
            commitments: Commitments::new(store.clone()),
            replies: reply::Checks::load(&regions)?,
            drafter: None,
            notices: Arc::new(notify::Composer::new(Arc::clone(&regions), url)),
            metrics,
            settings,
            store,
            regions,
            archive,
        })
    }

    /// The name of a unit; its code where the region has no such unit (any more).
    fn unit_name<'a>(&'a self, region: &str, code: &'a str) -> &'a str {
        self.regions
            .get(region)
            .and_then(|region| region.unit(code))
            .map_or(code, |unit| unit.name.as_str())
    }
}

/// The console's pages.
pub fn router(console: Console) -> Router {
    let console = Arc::new(console);
    Router::new()
        .route("/login", get(session::page).post(session::sign_in))
        .route("/login/identity", get(identity::begin))
        .route("/login/identity/back", get(identity::back))
        .route("/logout", post(session::sign_out))
        .route("/", get(overview::page))
        .route("/live", get(live::page))
        .route("/live/stream", get(live::stream))
        .route("/live/posts/{id}", get(live::one))
        .route("/posts", get(search::list))
        .route("/posts/facets", get(search::facets))
        .route("/posts/export", get(search::export))
        .route("/posts/saved", get(search::saved).post(search::keep))
        .route("/posts/saved/{id}", get(search::open))
        .route("/posts/saved/{id}/delete", post(search::delete))
        .route("/posts/{id}", get(posts::one))
        .route("/posts/{id}/correction", post(posts::correct))
        .route("/events", get(events::list))
        .route("/events/{id}", get(event::page))
        .route("/events/{id}/edit", get(edits::form))
        .route("/events/{id}/merge", post(edits::merge))
        .route("/events/{id}/split", post(edits::split))
        .route("/cases", get(cases::list))
        .route("/cases/board", get(board::page))
        .route("/cases/{id}", get(case::show))
        .route("/cases/{id}/sheet", get(case::sheet::page))
        .route("/cases/{id}/moves", post(case::perform))
        .route("/cases/{id}/attachments", post(attachments::add))
        .route(
            "/cases/{id}/attachments/{attachment}",
            get(attachments::show),
        )
        .route("/trends", get(trends::page))
        .route("/trends/effect", get(trends::effect_page))
        .route("/units", get(units::list))
        .route("/sources", get(sources::list))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{name}/active", post(users::set_active))
        .route("/users/{name}/password", post(users::set_password))
        .route("/audit", get(audit::list))
        .route("/account", get(own::page).post(own::set_password))
        .route("/account/sessions", post(own::end_session))
        .route("/assets/{name}", get(assets::asset))
        .fallback(problem::missing)
        .layer(axum::Extension(archive::trends::Days::default()))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&console),
            access::guard,
        ))
        .with_state(Arc::clone(&console))
        .nest(api::ROOT, api::router(console))
}

/// Serves the console until `stop`; requests under way are answered first.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    console: Console,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let router = router(console).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}
