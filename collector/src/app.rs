//! The collector as a process runs it, embeddable: what it reads, what it serves, how it stops.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use backbone::erased::{self, Erased};
use backbone::kafka::Producer;
use backbone::serve::{PATIENCE, serve};
use backbone::service::{Readiness, serve_operations};
use backbone::topics;
use futures::future::BoxFuture;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::extract::author::AuthorKey;
use crate::fetch::Fetcher;
use crate::metrics::Metrics;
use crate::pause::{self, Pauses};
use crate::publish::Publisher;
use crate::schedule;
use crate::settings::{Intake, Settings};
use crate::source::Definition;
use crate::source::push::Receiver;
use crate::state::State;

/// Runs the collector until `stop`.
///
/// # Errors
/// When it cannot start. A source that fails is tried again.
pub fn run(settings: Settings, stop: CancellationToken) -> BoxFuture<'static, anyhow::Result<()>> {
    // In a box its code is made here once, and not again in every program that runs it.
    Box::pin(run_all(settings, stop))
}

async fn run_all(settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    let mut definitions = Definition::load_all(&settings.sources)?;
    definitions.retain(|definition| definition.enabled);
    if settings.fetch.contact.is_none() && definitions.iter().any(asks_strangers) {
        warn!("`fetch.contact` is not set; set it, so that whoever runs a site can reach you");
    }
    let registry = Registry::new();
    let metrics = Metrics::new(&registry)?;
    let readiness = Readiness::default();
    readiness.down("kafka", "not connected yet");
    let state = State::open(&settings.state).await?;
    let author_key = author_key(&settings)?;
    let fetcher = Fetcher::new(&settings.fetch)?;
    let producer = Producer::new(&settings.kafka)?;
    let outlet = Arc::new(producer.clone());
    let erased = Erased::default();
    let publisher =
        Publisher::new(outlet, state.clone(), author_key, metrics).without(erased.clone());
    let pauses = Pauses::default();

    let receiver = Receiver::new(&definitions, publisher.clone(), pauses.clone())?;
    let (pushed, mut definitions): (Vec<_>, Vec<_>) =
        (definitions.into_iter()).partition(|definition| definition.push.is_some());
    if let Some(share) = &settings.share {
        definitions.retain(|source| share.has(&source.site().unwrap_or(source.name.clone())));
    }
    info!(sources = definitions.len(), "sources to read");
    // Not read, but whoever pauses one sees that it is.
    definitions.extend(pushed);
    let intake = take_in(settings.intake.as_ref(), receiver, stop.clone());
    let learning_pauses = Box::pin(pause::follow(
        &settings.kafka,
        &producer,
        &pauses,
        &readiness,
        &stop,
    ));
    let learning_erasures = Box::pin(erased::follow(
        &settings.kafka,
        &producer,
        &erased,
        &readiness,
        &stop,
    ));
    let reading = async {
        topics::create_missing_once_up(&settings.kafka, &readiness, &stop).await?;
        tokio::join!(learning_pauses, learning_erasures, async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = erased.known() => {
                    schedule::run_all(definitions, &fetcher, &publisher, &pauses, &stop).await;
                }
            }
        });
        anyhow::Ok(())
    };
    let operations = serve_operations(
        &settings.operations,
        registry,
        readiness.clone(),
        stop.clone(),
    );
    let ended = futures::future::try_join3(reading, intake, operations)
        .await
        .map(|_| ());
    stop.cancel();
    state.close().await;
    ended
}

/// Whether a source is read from a site that is not the office's own.
fn asks_strangers(definition: &Definition) -> bool {
    !definition.allow_private && definition.site().is_some()
}

/// Takes what other systems hand over, until `stop`.
async fn take_in(
    intake: Option<&Intake>,
    receiver: Receiver,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let intake = match intake {
        Some(intake) => intake,
        None if receiver.is_idle() => return Ok(()),
        None => {
            bail!("a source has [push], but the settings have no [intake]; add one with `listen`")
        }
    };
    let listen = intake.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on intake.listen = {listen}; choose a free port")
    })?;
    info!(address = %listener.local_addr()?, "posts are taken in");
    serve(
        listener,
        receiver.router(),
        intake.tls.as_ref(),
        PATIENCE,
        stop,
    )
    .await
}

/// The key of the authors' hashes; made and kept, readable by the owner only, where it is not set.
pub(crate) fn author_key(settings: &Settings) -> anyhow::Result<AuthorKey> {
    if let Some(secret) = settings.author_key.read("author_key")? {
        return Ok(AuthorKey::new(&secret));
    }
    let path = settings.state.with_file_name("author-key");
    if !path.exists() {
        let random: [u8; 32] = rand::random();
        write_secret(&path, &hex::encode(random))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let secret = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(AuthorKey::new(secret.trim()))
}

fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    let aside = path.with_extension("part");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    std::fs::rename(aside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collector.toml");
        let text = "sources = \"sources.d\"\nstate = \"state/s.sqlite\"\n[kafka]\nbrokers = \"127.0.0.1:9\"\n\
                    [operations]\nlisten = \"127.0.0.1:0\"\n";
        std::fs::write(&path, text).unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        let settings = Settings::load(&path).unwrap();
        let hash = author_key(&settings).unwrap().hash("留言板", "张三");
        assert_eq!(author_key(&settings).unwrap().hash("留言板", "张三"), hash);
        let about = std::fs::metadata(folder.path().join("state/author-key")).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }
}
