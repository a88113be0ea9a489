//! One at a time changes the tables.
//!
//! ClickHouse has no locks, but of several who create a table of one name, one does; its comment says which. That one
//! writes to it while it works, and drops it at the end. Whose table has fallen silent was killed: the table is moved out of the
//! way under that one's name, so that of several who want to go on with its work, one does.

use std::time::Duration;

use clickhouse::{Client, Row};
use serde::Deserialize;
use tracing::warn;

use super::statement::{MigrateError, execute};

/// Seconds without a sign of life after which the one whose turn it was has been killed.
const SILENT: i64 = 20;
/// It gives one this often.
const SIGN: Duration = Duration::from_secs(2);

/// The table of the one whose turn it is. `#` stands for its name.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrating (at DateTime64(3, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY tuple() COMMENT '#'";

/// Whose table was moved out of the way. Its name follows.
const MOVED: &str = "migrating_";

/// The turn to change the tables.
pub(super) struct Turn<'a> {
    client: &'a Client,
    holder: String,
}

#[derive(Row, Deserialize)]
struct Held {
    holder: String,
    silent: i64,
}

impl<'a> Turn<'a> {
    /// Takes the turn, or goes on with that of one who was killed. `table` is [`TABLE`] as the database wants it.
    ///
    /// # Errors
    /// [`MigrateError::UnderWay`] while it is another's; or what ClickHouse refused.
    pub(super) async fn take(client: &'a Client, table: &str) -> Result<Self, MigrateError> {
        let turn = Self {
            client,
            holder: hex::encode(rand::random::<[u8; 16]>()),
        };
        let table = table.replace('#', &turn.holder);
        execute(client, 0, &table).await?;
        let refused = match held(client).await? {
            Some(Held { holder, silent }) if silent > SILENT => {
                warn!(
                    silent,
                    "a process was killed while it changed ClickHouse's tables; its work is gone on with"
                );
                let moved = format!("RENAME TABLE migrating TO {MOVED}{holder}");
                let refused = execute(client, 0, &moved).await.err();
                execute(client, 0, &table).await?;
                refused.map(|error| (holder, error))
            }
            _ => None,
        };
        let holder = held(client).await?.map(|held| held.holder);
        match refused {
            _ if holder.as_ref() == Some(&turn.holder) => Ok(turn),
            // Otherwise another process was faster.
            Some((killed, error)) if holder.is_some_and(|holder| holder == killed) => Err(error),
            _ => Err(MigrateError::UnderWay),
        }
    }

    /// Does the work, giving signs of life, and ends the turn.
    ///
    /// # Errors
    /// Those of the work, or what ClickHouse refused.
    pub(super) async fn during(
        self,
        work: impl Future<Output = Result<(), MigrateError>>,
    ) -> Result<(), MigrateError> {
        let done = tokio::select! {
            done = work => done,
            failed = self.give_signs() => failed,
        };
        self.end().await?;
        done
    }

    async fn give_signs(&self) -> Result<(), MigrateError> {
        loop {
            tokio::time::sleep(SIGN).await;
            let sign = "INSERT INTO migrating VALUES (now64(3))";
            execute(self.client, 0, sign).await?;
        }
    }

    /// Tables out of the way go last: while one is there, its name cannot be taken by one who saw it silent before.
    async fn end(self) -> Result<(), MigrateError> {
        if held(self.client)
            .await?
            .is_some_and(|held| held.holder == self.holder)
        {
            execute(self.client, 0, "DROP TABLE IF EXISTS migrating").await?;
        }
        let moved: Vec<String> = self.client
            .query("SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, ?)")
            .bind(MOVED)
            .fetch_all()
            .await
            .map_err(MigrateError::of(0))?;
        for table in moved {
            execute(self.client, 0, &format!("DROP TABLE IF EXISTS {table}")).await?;
        }
        Ok(())
    }
}

/// Whose turn it is, and for how many seconds there was no sign of life.
async fn held(client: &Client) -> Result<Option<Held>, MigrateError> {
    client
        .query(
            "SELECT comment AS holder, assumeNotNull(dateDiff('second', greatest(metadata_modification_time, \
                (SELECT max(modification_time) FROM system.parts \
                    WHERE database = currentDatabase() AND table = 'migrating')), now())) AS silent \
             FROM system.tables WHERE database = currentDatabase() AND name = 'migrating'",
        )
        .fetch_optional()
        .await
        .map_err(MigrateError::of(0))
}
