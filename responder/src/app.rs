//! The responder as a process runs it, embeddable: what it reads, what it serves, how it stops.

use std::future::Future;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use backbone::kafka::{Batch, ConsumerMetrics, Consumption, Producer, consume};
use backbone::service::{Readiness, serve_operations};
use backbone::topics::{self, ALERTS, SOURCE_HEALTH, Topic};
use futures::future::{join, try_join, try_join_all};
use jiff::Timestamp;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::account::{AccountError, Accounts, NewUser, Provider};
use crate::calendar::Calendar;
use crate::case::{Cases, Role, Timing};
use crate::console::{Console, Surroundings};
use crate::correction::Corrections;
use crate::erasure::{Eraser, Erasures};
use crate::intake::{Intake, SourceIntake};
use crate::live::{self, Limits, Live};
use crate::metrics::Metrics;
use crate::notify::Carrier;
use crate::outbox;
use crate::paper::{Maker, Papers, Polisher, Press};
use crate::regions;
use crate::reply::draft::Drafter;
use crate::retention::Cleaner;
use crate::roster::Roster;
use crate::routing::Silences;
use crate::settings::Settings;
use crate::source::Sources;
use crate::store::Store;
use crate::watch::Watch;
use crate::web;

/// The consumer group that takes alerts in.
pub const GROUP: &str = topics::group::RESPONDER;

/// The consumer group that takes in how the sources are.
pub const SOURCES_GROUP: &str = topics::group::RESPONDER_SOURCES;

/// Name of the first account.
pub const FIRST_ADMINISTRATOR: &str = "admin";

/// How often viewers are told what officers said of the posts that came lately.
const VERDICTS_EVERY: Duration = Duration::from_secs(2);

type Task<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

/// Runs the responder until `stop`.
///
/// # Errors
/// When it cannot start, or a part of it ends by a failure that trying again does not mend.
pub fn run(settings: Settings, stop: CancellationToken) -> Task<'static> {
    // In a box its code is made here once, and not again in every program that runs it.
    Box::pin(run_all(settings, stop))
}

async fn run_all(settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    let routings = regions::load(&settings)?;
    let routings = Arc::new(routings);
    let registry = Registry::new();
    let metrics = Metrics::new(&registry)?;
    let consumer_metrics = ConsumerMetrics::new(&registry)?;
    let readiness = Readiness::default();
    readiness.down("kafka", "not connected yet");

    let store = Store::open(&settings.store.place()?).await?;
    let accounts = Accounts::new(store.clone(), settings.console.session_limits());
    add_first_administrator(&settings, &accounts).await?;
    let calendar = Calendar::load(&settings.calendar)?;
    let timing = Timing {
        deadlines: settings.deadlines.clone(),
        calendar: calendar.clone(),
        escalation: settings.escalation.clone(),
    };
    let cases = Cases::new(store.clone(), timing);
    let sources = Sources::new(
        store.clone(),
        settings.administrator.clone(),
        settings.console.public_url.clone(),
    );
    let archive = backbone::clickhouse::client(&settings.clickhouse)?;
    let console = Console::new(
        settings.console.clone(),
        store.clone(),
        Arc::clone(&routings),
        archive,
    )?;
    let (regions, notices) = (Arc::clone(&console.regions), Arc::clone(&console.notices));
    let carrier = Carrier::new(
        store.clone(),
        &settings.channel,
        &settings.console.public_url,
        metrics.clone(),
    )?;
    let producer = Producer::new(&settings.kafka)?;
    let intake = Intake::new(cases.clone(), Arc::clone(&routings), metrics.clone());
    let watch = Watch {
        store: store.clone(),
        cases: cases.clone(),
        roster: Roster::new(store.clone()),
        silences: Silences::new(store.clone()),
        routings,
        calendar: calendar.clone(),
        notices,
    };
    let maker = Maker {
        papers: Papers::new(store.clone()),
        archive: console.archive.clone(),
        cases: cases.clone(),
        commitments: console.commitments.clone(),
        routings: Arc::clone(&console.routings),
        public_url: settings.console.public_url.clone(),
        schedules: settings.reports.clone(),
        holder: hex::encode(rand::random::<[u8; 16]>()),
    };
    let eraser = Eraser {
        store: store.clone(),
        archive: console.archive.clone(),
        kafka: settings.kafka.clone(),
        press: Press::new(settings.fonts.clone()),
        holder: maker.holder.clone(),
    };
    let cleaner = Cleaner {
        store: store.clone(),
        retention: settings.retention.clone(),
        holder: maker.holder.clone(),
    };
    let source_intake = SourceIntake::new(sources.clone(), Arc::clone(&regions));

    let live = Live::new(Limits::default(), metrics.clone(), stop.clone());
    let address = settings.console.listen;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on console.listen = {address}; choose a free port")
    })?;
    info!(address = %listener.local_addr()?, "the console is served");
    let drafter = settings.draft_help.as_ref().map(Drafter::new).transpose()?;
    let console = Console {
        cases,
        accounts,
        provider: identity_provider(&settings)?,
        sources,
        drafter,
        live: live.clone(),
        calendar,
        surroundings: Surroundings {
            kafka: settings.kafka.clone(),
            channels: settings.channel.clone(),
            data: (settings.store.file.as_deref())
                .and_then(Path::parent)
                .map(Path::to_owned),
            retention: settings.retention.clone(),
        },
        metrics: metrics.clone(),
        press: Press::new(settings.fonts.clone()),
        polisher: settings
            .report_help
            .as_ref()
            .map(Polisher::new)
            .transpose()?,
        ..console
    };
    let of = |topic: &'static Topic, group, linger| Consumption {
        kafka: &settings.kafka,
        topic,
        group,
        batch: Batch::new(200, linger),
        producer: &producer,
        metrics: &consumer_metrics,
        readiness: &readiness,
    };
    let taking_alerts = consume(
        of(&ALERTS, GROUP, Duration::from_millis(20)),
        intake,
        stop.clone(),
    );
    let taking_health = consume(
        of(&SOURCE_HEALTH, SOURCES_GROUP, Duration::from_millis(500)),
        source_intake,
        stop.clone(),
    );
    let consuming = async {
        topics::create_missing_once_up(&settings.kafka, &readiness, &stop).await?;
        try_join(taking_alerts, taking_health).await.map(|_| ())
    };
    // A task of its own: reading what viewers see takes no time from alerts.
    let watching = tokio::spawn(join(
        live::read(
            settings.kafka.clone(),
            live.clone(),
            move |region| regions.contains_key(region),
            stop.clone(),
        ),
        live::tell_verdicts(
            live,
            Corrections::new(store.clone()),
            Erasures::new(store.clone()),
            VERDICTS_EVERY,
            stop.clone(),
        ),
    ));
    let tasks: [Task<'_>; 10] = [
        Box::pin(serve_operations(
            &settings.operations,
            registry,
            readiness.clone(),
            stop.clone(),
        )),
        Box::pin(web::serve(
            console,
            listener,
            settings.console.tls.as_ref(),
            stop.clone(),
        )),
        Box::pin(consuming),
        Box::pin(outbox::run(
            store.clone(),
            producer.clone(),
            metrics,
            stop.clone(),
        )),
        Box::pin(carrier.run(stop.clone())),
        Box::pin(watch.run(stop.clone())),
        Box::pin(maker.run(stop.clone())),
        Box::pin(eraser.run(stop.clone())),
        Box::pin(cleaner.run(stop.clone())),
        Box::pin(async { Ok(watching.await.map(|_| ())?) }),
    ];
    let ended = try_join_all(tasks).await.map(|_| ());
    stop.cancel();
    store.close().await;
    ended
}

/// The identity provider of the settings.
fn identity_provider(settings: &Settings) -> anyhow::Result<Option<Provider>> {
    let Some(identity) = settings.console.identity.clone() else {
        return Ok(None);
    };
    let back = settings.console.public_url.join("login/identity/back")?;
    Provider::new(identity, back).map(Some)
}

/// Where there is no account yet, makes the administrator's. A password that is not set is made and
/// written, readable by the owner only, beside the store.
async fn add_first_administrator(settings: &Settings, accounts: &Accounts) -> anyhow::Result<()> {
    if !accounts.is_empty().await? {
        return Ok(());
    }
    let given = settings
        .console
        .administrator_password
        .read("console.administrator_password")?;
    let password = match &given {
        Some(password) => password.clone(),
        None => {
            let Some(store) = &settings.store.file else {
                anyhow::bail!(
                    "the first administrator has no password; set the variable or file that console.administrator_password names"
                );
            };
            let made = made_password();
            let path = store.with_file_name("initial-administrator.txt");
            write_secret(&path, &format!("{FIRST_ADMINISTRATOR}\n{made}\n"))
                .with_context(|| format!("cannot write {}", path.display()))?;
            info!(file = %path.display(), "the first administrator's name and password are in a file");
            made
        }
    };
    let administrator = NewUser {
        name: FIRST_ADMINISTRATOR.to_owned(),
        display_name: "系统管理员".to_owned(),
        role: Role::Administrator,
        region: String::new(),
        unit: String::new(),
        // What stands in a file must not stay the key.
        must_change: given.is_none(),
        password,
    };
    match accounts.add(&administrator, Timestamp::now()).await {
        // Another responder started at the same time, and was faster.
        Err(AccountError::Taken) => Ok(()),
        added => added.context(
            "cannot make the first administrator's account; correct console.administrator_password",
        ),
    }
}

fn made_password() -> String {
    // 20 characters of 5 bits: no letters that are easily mistaken.
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
    let random: [u8; 20] = rand::random();
    random
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)))
        .map(|byte| char::from(*byte))
        .collect()
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
