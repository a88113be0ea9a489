//! The archiver: assessments, alerts, signals and case events into ClickHouse, each by a consumer group of its
//! own, so a ClickHouse that fails holds up nothing but the archive.

mod hours;
mod times;

use std::marker::PhantomData;
use std::num::NonZero;

use ::clickhouse::Client;
use ::clickhouse::error::Error;
use backbone::clickhouse;
use backbone::clickhouse::rows::{OfMessage, Times};
use backbone::clickhouse::told;
use backbone::erased::Erased;
use backbone::kafka::{Handler, NotNow, Received, Rejected, Unread};
use backbone::settings::ClickHouse;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::warn;

use crate::metrics::Metrics;
use hours::Hours;

/// Least messages of an insert beside which there is another: a backlog is written on all cores.
const SHARE: usize = 5_000;

/// Room on ClickHouse's disk below which it refuses what is to be written, in bytes. Of a disk that fills up meanwhile it takes no notice: version 26.7
/// acknowledges rows then of which nothing is in the files.
const ROOM: &str = "1073741824";

/// Writes messages of one kind to one table. Tables replace a row of the same key by the later version, so a batch
/// written twice is there once, and it does not matter which of two batches is written first.
#[derive(Debug)]
pub struct Archiver<R> {
    settings: ClickHouse,
    client: Client,
    kept: Kept,
    hours: Option<Hours>,
    erased: Erased,
    prepared: bool,
    metrics: Metrics,
    kind: PhantomData<fn() -> R>,
}

/// How long the rows of a table are kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// The time it is measured from.
    pub column: &'static str,
    /// Days; 0 for good.
    pub days: u32,
}

impl<R: OfMessage> Archiver<R> {
    /// Writes to the rows' table; the tables are made before the first batch.
    ///
    /// # Errors
    /// When the password cannot be read.
    pub fn new(settings: &ClickHouse, kept: Kept, metrics: Metrics) -> anyhow::Result<Self> {
        Ok(Self {
            settings: settings.clone(),
            client: clickhouse::client(settings)?
                .with_setting("min_free_disk_bytes_to_perform_insert", ROOM),
            kept,
            hours: None,
            erased: Erased::nothing(),
            prepared: false,
            metrics,
            kind: PhantomData,
        })
    }

    /// Keeps the counts of posts by hour up to date, too.
    #[must_use]
    pub fn counting_hours(mut self) -> Self {
        self.hours = Some(Hours::new(self.client.clone()));
        self
    }

    /// Writes nothing of what was erased on request.
    #[must_use]
    pub fn without(mut self, erased: Erased) -> Self {
        self.erased = erased;
        self
    }

    async fn prepare(&mut self) -> Result<(), NotNow> {
        if !self.prepared {
            clickhouse::migrate(&self.settings)
                .await
                .map_err(|failure| NotNow::because(told(&failure)))?;
            let Kept { column, days } = self.kept;
            clickhouse::keep(&self.client, R::TABLE, column, days)
                .await
                .map_err(|failure| NotNow::because(told(&failure)))?;
            self.prepared = true;
        }
        Ok(())
    }

    /// Counts hours when it is time to. What fails is tried again later and holds up no row.
    async fn count_hours(&mut self) {
        let Some(hours) = &mut self.hours else {
            return;
        };
        if let Err(error) = hours.count_when_due(Instant::now()).await {
            warn!(
                error = told(&error),
                "posts could not be counted by hour; they will be"
            );
            self.metrics
                .archive_failures_total
                .with_label_values(&["post_hours"])
                .inc();
        }
    }
}

impl<R: OfMessage> Handler for Archiver<R> {
    type Message = Unread;

    async fn idle(&mut self) -> Result<(), NotNow> {
        // An archive that nothing has come to yet is empty, not missing.
        self.prepare().await?;
        self.count_hours().await;
        Ok(())
    }

    async fn handle(&mut self, batch: &[Received<Unread>]) -> Result<Vec<Rejected>, NotNow> {
        self.prepare().await?;
        if !self.erased.is_known() {
            return Err(NotNow::because("it is not known yet what was erased"));
        }
        let times = times::known::<R>(&self.client, batch).await;
        let written = times.and_then(|times| write::<R>(&self.client, batch, &times, &self.erased));
        let rejected = match written {
            Ok(rejected) => rejected,
            Err(failure) => {
                self.metrics
                    .archive_failures_total
                    .with_label_values(&[R::TABLE])
                    .inc();
                return Err(NotNow::because(told(&failure)));
            }
        };
        self.metrics
            .archived_rows_total
            .with_label_values(&[R::TABLE])
            .inc_by((batch.len() - rejected.len()) as u64);
        if let Some(hours) = &mut self.hours {
            hours.touched(batch.len(), Instant::now());
        }
        self.count_hours().await;
        Ok(rejected)
    }
}

/// Writes a batch, a large one in several inserts at once, and gives what cannot be read.
fn write<R: OfMessage>(
    client: &Client,
    batch: &[Received<Unread>],
    times: &Times,
    erased: &Erased,
) -> Result<Vec<Rejected>, Error> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = batch.len().div_ceil(cores).max(SHARE);
    let runtime = Handle::current();
    let write = |share| runtime.block_on(write_share::<R>(client, share, times, erased));
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let writers: Vec<_> = batch
                .chunks(share)
                .map(|share| (share, scope.spawn(move || write(share))))
                .collect();
            let mut rejected = Vec::new();
            for (share, writer) in writers {
                // A share whose writer could not go on is written here, where its failure is seen.
                rejected.extend(writer.join().unwrap_or_else(|_| write(share))?);
            }
            Ok(rejected)
        })
    })
}

/// Writes a part of a batch. Rows are made as they are sent, so that no more than one is held.
async fn write_share<R: OfMessage>(
    client: &Client,
    share: &[Received<Unread>],
    times: &Times,
    erased: &Erased,
) -> Result<Vec<Rejected>, Error> {
    let mut rejected = Vec::new();
    let rows = share
        .iter()
        .filter_map(|received| match R::read(&received.message.0) {
            Ok(row) => Some(R::cleansed(R::dated(row, times), erased)),
            Err(error) => {
                rejected.push(Rejected {
                    partition: received.partition,
                    offset: received.offset,
                    reason: error.to_string(),
                });
                None
            }
        });
    clickhouse::insert::<R::Written<'_>>(client, R::TABLE, rows).await?;
    Ok(rejected)
}
