//! The archiver: assessments, alerts, signals and case events into ClickHouse, each by a consumer group of its
//! own, so a ClickHouse that fails holds up nothing but the archive.

use std::marker::PhantomData;

use ::clickhouse::{Client, RowOwned, RowWrite};
use backbone::clickhouse;
use backbone::kafka::{Handler, NotNow, Received, Rejected};
use backbone::message::Message;
use backbone::settings::ClickHouse;

use crate::metrics::Metrics;

/// Writes messages of one kind to one table. Tables replace a row of the same key, so a batch written
/// twice is there once.
#[derive(Debug)]
pub struct Archiver<M, R> {
    settings: ClickHouse,
    client: Client,
    table: &'static str,
    migrated: bool,
    metrics: Metrics,
    kind: PhantomData<fn(M) -> R>,
}

impl<M, R> Archiver<M, R> {
    /// Writes to the given table; the tables are made before the first batch.
    ///
    /// # Errors
    /// When the password cannot be read.
    pub fn new(
        settings: &ClickHouse,
        table: &'static str,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            settings: settings.clone(),
            client: clickhouse::client(settings)?,
            table,
            migrated: false,
            metrics,
            kind: PhantomData,
        })
    }
}

impl<M, R> Handler for Archiver<M, R>
where
    M: Message,
    R: for<'a> From<&'a M> + RowOwned + RowWrite + Send + Sync,
    for<'a> R: ::clickhouse::Row<Value<'a> = R>,
{
    type Message = M;

    async fn handle(&mut self, batch: &[Received<M>]) -> Result<Vec<Rejected>, NotNow> {
        if !self.migrated {
            clickhouse::migrate(&self.settings)
                .await
                .map_err(NotNow::because)?;
            self.migrated = true;
        }
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
        Ok(Vec::new())
    }
}
