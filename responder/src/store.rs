//! The SQLite file that holds cases, accounts and notices.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

/// Opens the file, made where missing, and brings its tables up to date.
///
/// # Errors
/// When it cannot be opened or migrated.
pub async fn open(path: &Path) -> anyhow::Result<SqlitePool> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| {
            format!(
                "cannot create {}; set `store` to a writable place",
                folder.display()
            )
        })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A move that was confirmed on a page is there after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new()
        .max_connections(8)
        .connect_with(options)
        .await
        .with_context(|| format!("cannot open the case store {}", path.display()))?;
    sqlx::migrate!()
        .run(&pool)
        .await
        .with_context(|| format!("cannot bring the case store {} up to date", path.display()))?;
    Ok(pool)
}
