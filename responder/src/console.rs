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
mod commitments;
mod cookie;
mod dead_letters;
mod edits;
mod erasures;
mod event;
mod events;
mod fields;
mod identity;
mod knowledge;
mod live;
mod marks;
mod overview;
mod own;
mod page;
mod papers;
mod place;
mod posts;
mod problem;
pub(crate) mod reply_check;
mod roster;
pub(crate) mod routes;
mod routing;
mod search;
mod session;
mod show;
pub(crate) mod signals;
mod silences;
mod sources;
pub(crate) mod story;
mod system;
mod towns;
mod trends;
mod units;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use backbone::region::Region;
use backbone::settings::Kafka;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

pub(crate) use access::{finish, known, same};
pub(crate) use attachments::saved;
pub(crate) use cookie::SESSION as SESSION_COOKIE;
pub(crate) use edits::{MOST_POSTS, NotMade, merging, splitting};
pub(crate) use event::{LONGEST_NOTE, open_case};
pub(crate) use papers::saved as saved_paper;
pub use routes::{ROUTES, Route, Who};
pub(crate) use sources::served as served_source;

use crate::account::{Accounts, Provider};
use crate::calendar::Calendar;
use crate::case::{Cases, Timing};
use crate::commitment::Commitments;
use crate::correction::Corrections;
use crate::event_edit::EventEdits;
use crate::knowledge::Knowledge;
use crate::live::{self as stream, Live};
use crate::metrics::Metrics;
use crate::notify::channel::Channel;
use crate::paper::{Lists, Papers, Polisher, Press};
use crate::reply::draft::Drafter;
use crate::retention::Retention;
use crate::roster::Roster;
use crate::routing::{Routing, Silences};
use crate::saved_search::SavedSearches;
use crate::source::Sources;
use crate::source_edit::SourceEdits;
use crate::store::Store;
use crate::{notify, reply, settings};

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
    /// What officers decided of them.
    pub source_edits: SourceEdits,
    /// The silences.
    pub silences: Silences,
    /// Who is on duty when.
    pub roster: Roster,
    /// The knowledge base.
    pub knowledge: Knowledge,
    /// The reports that are kept.
    pub papers: Papers,
    /// To whom they go.
    pub lists: Lists,
    /// What writes their files.
    pub press: Press,
    /// What may reword a paragraph of one, where the settings name it.
    pub polisher: Option<Polisher>,
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
    /// Their routings.
    pub routings: Arc<BTreeMap<String, Routing>>,
    /// The working calendar.
    pub calendar: Calendar,
    /// What the responder runs among.
    pub surroundings: Surroundings,
    /// ClickHouse, for posts and events.
    pub archive: clickhouse::Client,
    /// Composes the notices that moves cause.
    pub notices: Arc<notify::Composer>,
    /// What is counted.
    pub metrics: Metrics,
}

/// What the responder runs among, for the pages that say how it is.
pub struct Surroundings {
    /// Kafka.
    pub kafka: Kafka,
    /// The channels that carry notices.
    pub channels: Vec<Channel>,
    /// The folder in which the store's file is; none where the store is elsewhere.
    pub data: Option<PathBuf>,
    /// How long the store keeps what.
    pub retention: Retention,
}

impl Surroundings {
    /// Kafka as a page asks it: nobody waits for a page as long as for a message.
    fn looking(&self) -> Kafka {
        const PATIENCE_MS: u64 = 3_000;
        Kafka {
            request_timeout_ms: self.kafka.request_timeout_ms.min(PATIENCE_MS),
            ..self.kafka.clone()
        }
    }
}

impl Console {
    /// The console on a store, for these regions, as it is by default: nobody to sign in with elsewhere, no draft help,
    /// nobody who is told of sources in trouble, and nothing known of what is around.
    ///
    /// # Errors
    /// When what drafts are checked by is at fault, or the metrics cannot be registered.
    pub fn new(
        settings: settings::Console,
        store: Store,
        routings: Arc<BTreeMap<String, Routing>>,
        archive: clickhouse::Client,
    ) -> anyhow::Result<Self> {
        let regions = routings.iter();
        let regions = regions.map(|(code, routing)| (code.clone(), routing.region().clone()));
        let regions = Arc::new(regions.collect());
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
            source_edits: SourceEdits::new(store.clone()),
            silences: Silences::new(store.clone()),
            roster: Roster::new(store.clone()),
            knowledge: Knowledge::new(store.clone()),
            papers: Papers::new(store.clone()),
            lists: Lists::new(store.clone()),
            press: Press::new(Vec::new()),
            polisher: None,
            commitments: Commitments::new(store.clone()),
            replies: reply::Checks::load(&regions)?,
            drafter: None,
            notices: Arc::new(notify::Composer::new(Arc::clone(&regions), url)),
            metrics,
            calendar: Calendar::default(),
            surroundings: Surroundings {
                // Nobody listens there.
                kafka: Kafka::at("127.0.0.1:9"),
                channels: Vec::new(),
                data: None,
                retention: Retention::default(),
            },
            settings,
            store,
            regions,
            routings,
            archive,
        })
    }

    /// The name of a unit; its code where the region has no such unit (any more).
    fn unit_name<'a>(&'a self, region: &str, code: &'a str) -> &'a str {
        self.regions
            .get(region)
            .map_or(code, |region| region.unit_name(code))
    }
}

/// The console's pages.
pub(crate) fn pages(console: Arc<Console>) -> Router {
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
        .route("/posts/{id}/held", get(erasures::held))
        .route("/posts/{id}/erase", post(erasures::erase))
        .route("/erasures", get(erasures::list))
        .route("/erasures/{id}", get(erasures::one))
        .route("/events", get(events::list))
        .route("/events/{id}", get(event::page))
        .route("/events/{id}/edit", get(edits::form))
        .route("/events/{id}/merge", post(edits::merge))
        .route("/events/{id}/split", post(edits::split))
        .route("/events/{id}/case", post(event::open))
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
        .route("/reports", get(papers::list).post(papers::ask))
        .route("/reports/new", get(papers::form))
        .route("/reports/lists", get(papers::lists).post(papers::keep_list))
        .route("/reports/lists/{id}/delete", post(papers::delete_list))
        .route("/reports/{id}", get(papers::show))
        .route("/reports/{id}/preview", get(papers::preview))
        .route("/reports/{id}/snapshot", get(papers::snapshot))
        .route("/reports/{id}/files/{file}", get(papers::download))
        .route("/reports/{id}/edit", get(papers::edit_form))
        .route("/reports/{id}/text", post(papers::save))
        .route("/reports/{id}/polish", post(papers::polish))
        .route("/reports/{id}/moves", post(papers::perform))
        .route("/reports/{id}/send", post(papers::send))
        .route("/roster", get(roster::show))
        .route("/roster/swaps", post(roster::swap))
        .route("/roster/import", post(roster::import))
        .route("/silences", get(silences::list).post(silences::add))
        .route("/silences/end", post(silences::end))
        .route("/routing", get(routing::show))
        .route("/knowledge", get(knowledge::list).post(knowledge::add))
        .route("/knowledge/new", get(knowledge::form))
        .route("/knowledge/frequent", get(knowledge::asked))
        .route("/knowledge/page", get(knowledge::export))
        .route(
            "/knowledge/{id}",
            get(knowledge::one).post(knowledge::change),
        )
        .route("/knowledge/{id}/approve", post(knowledge::approve))
        .route("/knowledge/{id}/retire", post(knowledge::retire))
        .route("/units", get(units::list))
        .route("/units/files", get(units::files).post(units::check))
        .route("/units/{region}/{code}", get(units::one))
        .route("/sources", get(sources::list))
        .route("/sources/{id}/pause", post(sources::pause))
        .route("/sources/{id}/resume", post(sources::resume))
        .route("/commitments", get(commitments::list))
        .route("/commitments/{id}/keep", post(commitments::keep))
        .route("/commitments/{id}/withdraw", post(commitments::withdraw))
        .route("/dead-letters", get(dead_letters::list))
        .route("/dead-letters/replay", post(dead_letters::replay))
        .route("/system", get(system::show))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{name}", get(users::show).post(users::change))
        .route("/users/{name}/sessions", post(users::end_session))
        .route("/users/{name}/tokens", post(users::add_token))
        .route("/users/{name}/tokens/revoke", post(users::revoke_token))
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
        .with_state(console)
}
