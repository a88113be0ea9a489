//! Brings the tables up to date: numbered SQL files, each applied once, in order.
//!
//! The files are written for one server. On replicas the database is `Replicated`, which takes every statement to the other
//! servers by itself, and the tables' engines are named as those that copy their rows.

use std::borrow::Cow;

use clickhouse::{Client, Row};
use serde::Serialize;
use tracing::info;

use super::statement::{MigrateError, execute};
use super::turn::{self, Turn};
use crate::settings::ClickHouse;

/// The migrations, oldest first. One that has been released is never changed.
const MIGRATIONS: [(u32, &str); 7] = [
    (1, include_str!("../../migrations/0001_first_tables.sql")),
    (2, include_str!("../../migrations/0002_findings.sql")),
    (4, include_str!("../../migrations/0004_answers.sql")),
    (5, include_str!("../../migrations/0005_posts_by_time.sql")),
    (6, include_str!("../../migrations/0006_alerts_updated.sql")),
    (7, include_str!("../../migrations/0007_posts_by_hour.sql")),
    (10, include_str!("../../migrations/0010_signals.sql")),
];

/// Which migrations were applied.
const MIGRATIONS_TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (number UInt32) ENGINE = ReplacingMergeTree ORDER BY number";

#[derive(Row, Serialize)]
struct Applied {
    number: u32,
}

/// Begins the line of a statement that says when it is run: only where the query after it answers 1.
const ONLY_IF: &str = "-- if ";

/// Creates the database and applies the migrations that it lacks. One at a time does, and every step can be repeated, for it may
/// be killed anywhere.
///
/// # Errors
/// When ClickHouse does not answer or refuses a statement, and [`MigrateError::UnderWay`] while another does it.
pub async fn migrate(settings: &ClickHouse) -> Result<(), MigrateError> {
    let database = &settings.database;
    let server = super::server_client(settings)?;
    execute(&server, 0, &database_of(settings)).await?;
    let client = super::client(settings)?;
    let engine: String = client
        .query("SELECT engine FROM system.databases WHERE name = currentDatabase()")
        .fetch_one()
        .await
        .map_err(MigrateError::of(0))?;
    let replicated = settings.replicated;
    if (engine == "Replicated") != replicated {
        return Err(MigrateError::AnotherForm {
            database: database.clone(),
            engine,
            replicated,
        });
    }
    let as_set = |statement| {
        if replicated {
            Cow::Owned(on_replicas(statement))
        } else {
            Cow::Borrowed(statement)
        }
    };
    execute(&client, 0, &as_set(MIGRATIONS_TABLE)).await?;
    if lacking(&client).await?.is_empty() {
        return Ok(());
    }
    let turn = Turn::take(&client, &as_set(turn::TABLE)).await?;
    turn.during(async {
        for (number, sql) in lacking(&client).await? {
            for statement in statements(sql) {
                if is_due(&client, number, statement).await? {
                    execute(&client, number, &as_set(statement)).await?;
                }
            }
            super::insert::<Applied>(&client, "migrations", &[Applied { number }])
                .await
                .map_err(MigrateError::of(number))?;
            info!(number, "ClickHouse migration applied");
        }
        Ok(())
    })
    .await
}

/// The migrations that were not applied yet.
async fn lacking(client: &Client) -> Result<Vec<(u32, &'static str)>, MigrateError> {
    let applied: Vec<u32> = client
        .query("SELECT number FROM migrations FINAL")
        .fetch_all()
        .await
        .map_err(MigrateError::of(0))?;
    Ok(MIGRATIONS
        .into_iter()
        .filter(|(number, _)| !applied.contains(number))
        .collect())
}

fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n")
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
}

/// The statement that makes the database. Servers whose databases have one path are replicas of each other.
fn database_of(settings: &ClickHouse) -> String {
    let database = &settings.database;
    let plain = format!("CREATE DATABASE IF NOT EXISTS `{database}`");
    if settings.replicated {
        format!(
            "{plain} ENGINE = Replicated('/clickhouse/databases/{database}', '{{shard}}', '{{replica}}')"
        )
    } else {
        plain
    }
}

/// A statement of a migration as it is run on replicas: a table that it makes copies its rows to the other servers. Where it keeps its
/// state in Keeper is the server's `default_replica_path`.
#[must_use]
pub fn on_replicas(statement: &str) -> String {
    statement.replace("ENGINE = ", "ENGINE = Replicated")
}

/// Whether the condition of a statement holds; one without is always run.
async fn is_due(client: &Client, number: u32, statement: &str) -> Result<bool, MigrateError> {
    let condition = statement
        .lines()
        .find_map(|line| line.strip_prefix(ONLY_IF));
    match condition {
        None => Ok(true),
        Some(condition) => client
            .query(&condition.replace('?', "??"))
            .fetch_one::<u8>()
            .await
            .map(|holds| holds == 1)
            .map_err(MigrateError::of(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_replicas_where_the_database_has() {
        let statements = MIGRATIONS.map(|(_, sql)| sql);
        for sql in statements
            .into_iter()
            .chain([MIGRATIONS_TABLE, turn::TABLE])
        {
            let replicated = on_replicas(sql);
            let tables = sql.matches("MergeTree").count();
            let named = |engine: &str| {
                replicated
                    .matches(&format!(" ENGINE = Replicated{engine}MergeTree"))
                    .count()
            };
            assert_eq!(
                named("Replacing") + named("Aggregating"),
                tables,
                "an engine is written in another way than ` ENGINE = …MergeTree`: {sql}"
            );
            assert_eq!(sql.matches("CREATE TABLE").count(), tables, "{sql}");
            assert_eq!(replicated.replace("= Replicated", "= "), sql);
        }
    }

    #[test]
    fn the_database_is_made_in_the_form_that_is_set() {
        let of = |replicated: bool| -> String {
            database_of(
                &serde_json::from_value(serde_json::json!({
                    "url": "http://127.0.0.1:8123",
                    "database": "county",
                    "replicated": replicated,
                }))
                .unwrap(),
            )
        };
        assert_eq!(of(false), "CREATE DATABASE IF NOT EXISTS `county`");
        assert_eq!(
            of(true),
            "CREATE DATABASE IF NOT EXISTS `county` ENGINE = Replicated('/clickhouse/databases/county', '{shard}', '{replica}')"
        );
    }
}
