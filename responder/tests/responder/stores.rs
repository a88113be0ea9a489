//! The two kinds of store, so that each story is told on both.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use responder::store::{Place, Store};
use tempfile::TempDir;
use url::Url;

/// A store of a test's own.
pub(crate) struct Kept {
    pub(crate) store: Store,
    /// Where it is, to open it once more.
    pub(crate) place: Place,
    _folder: Option<TempDir>,
}

/// A new SQLite file.
pub(crate) async fn sqlite() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("responder.sqlite"));
    Kept {
        store: Store::open(&place).await.unwrap(),
        place,
        _folder: Some(folder),
    }
}

/// A new database, without tables, of a PostgreSQL that ends with the test program.
pub(crate) async fn empty_database() -> Url {
    static SERVER: OnceLock<(Url, Child)> = OnceLock::new();
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let (url, _) = SERVER.get_or_init(|| {
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/postgres/run");
        let mut server = Command::new(run)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        (url.trim().parse().unwrap(), server)
    });
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    sqlx::any::install_default_drivers();
    let maintenance = sqlx::AnyPool::connect(url.as_str()).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(create).execute(&maintenance).await.unwrap();
    maintenance.close().await;
    let mut url = url.clone();
    url.set_path(&name);
    url
}

/// A new PostgreSQL database.
pub(crate) async fn postgres() -> Kept {
    let place = Place::Postgres(empty_database().await);
    Kept {
        store: Store::open(&place).await.unwrap(),
        place,
        _folder: None,
    }
}

/// Tells each of the stories on each kind of store.
macro_rules! on_each_store {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $story() { super::$story(crate::stores::sqlite().await).await; })+
        }
        mod on_postgres {
            $(#[tokio::test] async fn $story() { super::$story(crate::stores::postgres().await).await; })+
        }
    };
}
pub(crate) use on_each_store;
