//! A few connections to the engine, lent to one statement each.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::library::{Connection, Library, Statement};

/// Connections to one folder. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    library: Library,
    folder: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    /// Opens the folder with at most `size` connections.
    ///
    /// # Errors
    /// When the engine cannot open it.
    pub(crate) fn open(library: Library, folder: &Path, size: usize) -> anyhow::Result<Self> {
        let first = library.open(folder)?;
        Ok(Self {
            library,
            folder: folder.to_owned(),
            idle: Arc::new(Mutex::new(vec![first])),
            permits: Arc::new(Semaphore::new(size)),
        })
    }

    /// Waits for a free connection.
    ///
    /// # Errors
    /// When the pool is closed or the engine opens no further connection.
    pub(crate) async fn take(&self) -> anyhow::Result<Lent> {
        let permit = self.permits.clone().acquire_owned().await?;
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let (library, folder) = (self.library.clone(), self.folder.clone());
                tokio::task::spawn_blocking(move || library.open(&folder)).await??
            }
        };
        Ok(Lent {
            connection: Some(connection),
            settings: Vec::new(),
            idle: self.idle.clone(),
            _permit: permit,
        })
    }

    /// Lends no more and closes the idle connections; those at work close when they are done.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// A connection at work; it goes back to the pool when dropped, with its settings undone.
#[derive(Debug)]
pub(crate) struct Lent {
    connection: Option<Connection>,
    settings: Vec<String>,
    idle: Arc<Mutex<Vec<Connection>>>,
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    /// The connection.
    ///
    /// # Panics
    /// Never: it is there until drop.
    #[allow(
        clippy::missing_panics_doc,
        clippy::expect_used,
        reason = "taken only in drop"
    )]
    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("it is there until drop")
    }

    /// Chooses the database and applies settings for this loan.
    ///
    /// # Errors
    /// The engine's message, for example for an unknown setting.
    pub(crate) fn prepare(
        &mut self,
        database: &str,
        settings: &[(String, String)],
    ) -> Result<(), String> {
        let database = database.replace('\\', "\\\\").replace('`', "\\`");
        self.connection()
            .query(&Statement::plain(&format!("USE `{database}`")))?;
        for (name, value) in settings {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            self.connection()
                .query(&Statement::plain(&format!("SET {name} = '{quoted}'")))?;
            self.settings.push(name.clone());
        }
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let undone = self.settings.iter().all(|name| {
            connection
                .query(&Statement::plain(&format!("SET {name} = DEFAULT")))
                .is_ok()
        });
        // A connection whose settings cannot be undone is closed; the next loan opens another.
        if undone {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}
