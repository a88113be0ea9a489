//! A statement that changes the tables, and why it could not.

use clickhouse::Client;
use thiserror::Error;

use crate::settings::SettingsError;

/// The tables could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The settings make no client.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database is there, and not in the form that is set.
    #[error(
        "the database `{database}` has the engine {engine}, which does not go with clickhouse.replicated = {replicated}; \
         name another database in clickhouse.database and carry the rows over, or set clickhouse.replicated as the database is"
    )]
    AnotherForm {
        /// The database's name.
        database: String,
        /// Its engine.
        engine: String,
        /// The setting.
        replicated: bool,
    },
    /// ClickHouse refused a statement.
    #[error("migration {number} failed: {source}")]
    Statement {
        /// The migration's number; 0 for the database and the table of migrations.
        number: u32,
        /// What ClickHouse said.
        source: clickhouse::error::Error,
    },
    /// Another is at it: try again later.
    #[error(
        "ClickHouse's tables are being brought up to date by another; this goes on when that is done"
    )]
    UnderWay,
}

impl MigrateError {
    /// What became of a statement of a migration.
    pub(super) fn of(number: u32) -> impl Fn(clickhouse::error::Error) -> Self {
        move |source| Self::Statement { number, source }
    }
}

/// Runs a statement of a migration.
pub(super) async fn execute(
    client: &Client,
    number: u32,
    statement: &str,
) -> Result<(), MigrateError> {
    client
        // The crate binds question marks; a statement of ours has none to bind.
        .query(&statement.replace('?', "??"))
        .execute()
        .await
        .map_err(MigrateError::of(number))
}
