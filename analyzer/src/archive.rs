//! The archiver: assessments, alerts, signals and case events into ClickHouse, each by a consumer group of its
//! own, so a ClickHouse that fails holds up nothing but the archive.

mod hours;

use std::marker::PhantomData;

use ::clickhouse::{Client, RowOwned, RowWrite};
use backbone::clickhouse;
use backbone::kafka::{Handler, NotNow, Received, Rejected};
use backbone::message::Message;
use backbone::settings::ClickHouse;
use tokio::time::Instant;
use tracing::warn;

use crate::metrics::Metrics;
use hours::Hours;

/// Writes messages of one kind to one table. Tables replace a row of the same key by the later version, so a batch
/// written twice is there once, and it does not matter which of two batches is written first.
#[derive(Debug)]
pub struct Archiver<M, R> {
    settings: ClickHouse,
    client: Client,
    table: &'static str,
    kept: Kept,
    hours: Option<Hours>,
    prepared: bool,
    metrics: Metrics,
    kind: PhantomData<fn(M) -> R>,
}

/// How long the rows of a table are kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// The time it is measured from.
    pub column: &'static str,
    /// Days; 0 for good.
    pub days: u32,
}

impl<M, R> Archiver<M, R> {
    /// Writes to the given table; the tables are made before the first batch.
    ///
    /// # Errors
    /// When the password cannot be read.
    pub fn new(
        settings: &ClickHouse,
        table: &'static str,
        kept: Kept,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            settings: settings.clone(),
            client: clickhouse::client(settings)?,
            table,
            kept,
            hours: None,
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

    async fn prepare(&mut self) -> Result<(), NotNow> {
        if !self.prepared {
            clickhouse::migrate(&self.settings)
                .await
                .map_err(NotNow::because)?;
            let Kept { column, days } = self.kept;
            clickhouse::keep(&self.client, self.table, column, days)
                .await
                .map_err(NotNow::because)?;
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
            warn!(%error, "posts could not be counted by hour; they will be");
            self.metrics
                .archive_failures_total
                .with_label_values(&["post_hours"])
                .inc();
        }
    }
}

impl<M, R> Handler for Archiver<M, R>
where
    M: Message,
    R: for<'a> From<&'a M> + RowOwned + RowWrite + Send + Sync,
    for<'a> R: ::clickhouse::Row<Value<'a> = R>,
{
    type Message = M;

    async fn idle(&mut self) -> Result<(), NotNow> {
        if self.prepared {
            self.count_hours().await;
        }
        Ok(())
    }

    async fn handle(&mut self, batch: &[Received<M>]) -> Result<Vec<Rejected>, NotNow> {
        self.prepare().await?;
        let rows: Vec<R> = batch
            .iter()
            .map(|received| R::from(&received.message))
            .collect();
        if let Err(failure) = clickhouse::insert(&self.client, self.table, &rows).await {
            self.metrics
                .archive_failures_total
                .with_label_values(&[self.table])
                .inc();
            return Err(NotNow::because(failure));
        }
        self.metrics
            .archived_rows_total
            .with_label_values(&[self.table])
            .inc_by(rows.len() as u64);
        if let Some(hours) = &mut self.hours {
            hours.touched(batch.len(), Instant::now());
        }
        self.count_hours().await;
        Ok(Vec::new())
    }
}
