//! Where cases, accounts and notices are kept: a SQLite file, or a PostgreSQL database where more than one responder
//! runs. One code serves both: statements number their parameters and say only what both engines know.

mod backup;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};
use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Arguments, Connection, Executor, Transaction};
use url::Url;

pub use backup::{backup, restore};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file; made where missing.
    File(PathBuf),
    /// A PostgreSQL database that exists; the address may hold the password.
    Postgres(Url),
}

impl Place {
    /// Looks that a file is there; a database is looked for when it is opened.
    fn require(&self) -> anyhow::Result<()> {
        if let Self::File(path) = self
            && !path.is_file()
        {
            bail!(
                "there is no store at {}; give --config the settings of the responder that has it, or start that first",
                path.display()
            );
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    engine: Engine,
}

impl Store {
    /// Opens a store and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be opened or migrated.
    pub async fn open(place: &Place) -> anyhow::Result<Self> {
        install_default_drivers();
        let store = match place {
            Place::File(path) => sqlite(path).await?,
            Place::Postgres(url) => postgres(url).await?,
        };
        let migrations = match store.engine {
            Engine::Sqlite => &SQLITE,
            Engine::Postgres => &POSTGRES,
        };
        (migrations.run(&store.pool).await)
            .context("cannot bring the tables of the case store up to date")?;
        Ok(store)
    }

    /// Opens a store that a responder has made: a command that would make one has been given the wrong place.
    ///
    /// # Errors
    /// When there is none, and as [`Store::open`].
    pub async fn existing(place: &Place) -> anyhow::Result<Self> {
        place.require()?;
        Self::open(place).await
    }

    /// Opens a store as it is; none where its file is not there. Nothing of it is made or changed, so that it can be looked
    /// into beside a responder of another version.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn look(place: &Place) -> anyhow::Result<Option<Self>> {
        install_default_drivers();
        match place {
            Place::File(path) if !path.is_file() => Ok(None),
            Place::File(path) => Ok(Some(sqlite(path).await?)),
            Place::Postgres(url) => Ok(Some(postgres(url).await?)),
        }
    }

    /// The connections, for what is read or written by one statement.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins to write. SQLite lets one writer in at a time; PostgreSQL lets many, so that who changes a row says in
    /// the statement from which version of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let statement = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        // By a task that ends even when nobody waits for it any more: sqlx 0.9.0 leaves a transaction of PostgreSQL open that
        // was broken off while it began (its issue 4385), and what the connection writes after it is never committed.
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(statement).await });
        begun.await.map_err(|ended| sqlx::Error::Io(ended.into()))?
    }

    /// Takes or keeps a piece of work that one responder does at a time, for a while from `now`; says whether it is the
    /// holder's. A lease that ends later than twice its span from now was taken by a clock that was ahead, and holds nobody up.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lease(
        &self,
        work: &str,
        holder: &str,
        span: SignedDuration,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let taken = sqlx::query(
            "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE \
             SET holder = excluded.holder, until = excluded.until \
             WHERE leases.holder = excluded.holder OR leases.until < $4 OR leases.until > $5",
        )
        .bind(work)
        .bind(holder)
        .bind((now + span).as_millisecond())
        .bind(now.as_millisecond())
        .bind((now + span * 2).as_millisecond())
        .execute(&self.pool)
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Has what was removed leave the files too, as far as the engine does so when it is asked: SQLite empties its log.
    /// PostgreSQL's vacuum comes by itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle(&self) -> Result<(), sqlx::Error> {
        if self.engine == Engine::Sqlite {
            self.pool.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Ok(())
    }

    /// Closes it, once what is under way has ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn sqlite(path: &Path) -> anyhow::Result<Store> {
    let open = || format!("cannot open the case store {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| {
            format!(
                "cannot create {}; set `store.file` to a writable place",
                folder.display()
            )
        })?;
    }
    let url = sqlite_url(path, "rwc")?;
    let options = AnyPoolOptions::new().max_connections(8);
    // Of a transaction that SQLite rolled back by itself, as on a full disk, sqlx 0.9.0 knows nothing, and begins no other on that connection.
    let options = options.before_acquire(|connection, _| {
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    });
    // What was confirmed on a page is there after a power cut; what was removed is not in the file any more.
    let options = options.after_connect(|connection, _| {
        Box::pin(async move {
            connection
                .execute(
                    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON",
                )
                .await?;
            Ok(())
        })
    });
    let connect: AnyConnectOptions = url.parse().with_context(open)?;
    Ok(Store {
        pool: options.connect_with(connect).await.with_context(open)?,
        engine: Engine::Sqlite,
    })
}

fn sqlite_url(path: &Path, mode: &str) -> anyhow::Result<String> {
    let file = Url::from_file_path(std::path::absolute(path)?)
        .map_err(|()| anyhow::anyhow!("`{}` is no path to a file", path.display()))?;
    Ok(format!("sqlite://{}?mode={mode}", file.path()))
}

async fn postgres(url: &Url) -> anyhow::Result<Store> {
    // The address may hold a password: it is not told.
    let open = || {
        let host = url.host_str().unwrap_or_default();
        format!(
            "cannot open the case store in PostgreSQL at {host}{}; is it running, does the database exist, are user and password right?",
            url.path()
        )
    };
    let connect: AnyConnectOptions = url.as_str().parse().with_context(open)?;
    let pool = AnyPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(connect)
        .await
        .with_context(open)?;
    Ok(Store {
        pool,
        engine: Engine::Postgres,
    })
}

/// The conditions of a query, joined by AND, with what they compare to.
#[derive(Default)]
pub(crate) struct Conditions {
    text: String,
    values: AnyArguments,
}

impl Conditions {
    /// Adds a condition; each `{}` in it stands for the value given.
    pub(crate) fn add<'q, T>(&mut self, condition: &str, value: T) -> Result<(), sqlx::Error>
    where
        T: sqlx::Encode<'q, Any> + sqlx::Type<Any>,
    {
        self.values.add(value).map_err(sqlx::Error::Encode)?;
        let place = format!("${}", self.values.len());
        self.add_plain(&condition.replace("{}", &place));
        Ok(())
    }

    /// Adds a condition that compares to nothing from outside.
    pub(crate) fn add_plain(&mut self, condition: &str) {
        if !self.text.is_empty() {
            self.text.push_str(" AND ");
        }
        self.text.push_str(condition);
    }

    /// The statement that begins and ends as given, with the conditions between, and the values.
    pub(crate) fn into_query(
        self,
        begin: &str,
        end: &str,
    ) -> (sqlx::AssertSqlSafe<String>, AnyArguments) {
        let conditions = if self.text.is_empty() {
            "1 = 1"
        } else {
            &self.text
        };
        // Safe: begin, end and conditions are this program's own words.
        let statement = sqlx::AssertSqlSafe(format!("{begin} WHERE {conditions} {end}"));
        (statement, self.values)
    }
}

/// The places of so many parameters: `$1, $2`.
pub(crate) fn parameters(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|at| format!("${at}")).collect();
    places.join(", ")
}

/// A statement that writes so many rows, of which there is one at least; `then` says what becomes of rows that are there already.
pub(crate) fn insert_rows(
    table: &'static str,
    columns: &[&'static str],
    rows: usize,
    then: &'static str,
) -> sqlx::AssertSqlSafe<String> {
    let row = |at: usize| {
        let places: Vec<String> = (1..=columns.len())
            .map(|column| format!("${}", at * columns.len() + column))
            .collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    // Safe: table, columns and end are this program's own words.
    sqlx::AssertSqlSafe(format!(
        "INSERT INTO {table} ({}) VALUES {} {then}",
        columns.join(", "),
        rows.join(", ")
    ))
}

/// A text to look for anywhere in a column, for `LIKE {} ESCAPE '\'`.
pub(crate) fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
