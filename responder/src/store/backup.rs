//! Backups: the whole store in one file, made while it is used, and read into an empty place.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection};
use tokio::process::Command;
use url::Url;

use super::{Place, Store, sqlite_url};

/// Writes a store as it is at one moment into a file that does not exist yet, readable by its owner only.
///
/// # Errors
/// When the store cannot be read, the file exists or cannot be written, or PostgreSQL's `pg_dump` is missing.
pub async fn backup(place: &Place, file: &Path) -> anyhow::Result<()> {
    place.require()?;
    ensure!(
        !file.exists(),
        "{} exists; name a file that does not",
        file.display()
    );
    let part = part(file);
    remove(&part)?;
    // Made before it is filled, so that nobody else reads it meanwhile.
    owned(&part)?;
    match place {
        Place::File(path) => {
            // VACUUM INTO takes a file that is empty.
            let mut connection = connect(path).await?;
            sqlx::query("VACUUM INTO $1")
                .bind(part.to_string_lossy().into_owned())
                .execute(&mut connection)
                .await
                .context("cannot write the backup")?;
            connection.close().await?;
        }
        Place::Postgres(url) => {
            let mut dump = command("pg_dump", url)?;
            dump.arg("--format=custom").arg("--no-owner");
            dump.arg("--file").arg(&part);
            run(dump, "pg_dump").await?;
        }
    }
    std::fs::File::open(&part)?.sync_all()?;
    std::fs::rename(&part, file).with_context(|| format!("cannot write {}", file.display()))
}

/// Reads a backup into a place where there is no store, and brings its tables up to date.
///
/// # Errors
/// When there is a store, the file is no whole backup, or PostgreSQL's `pg_restore` is missing; nothing is left then.
pub async fn restore(place: &Place, file: &Path) -> anyhow::Result<()> {
    ensure!(file.is_file(), "there is no backup at {}", file.display());
    match place {
        Place::File(path) => {
            ensure!(
                !path.exists(),
                "there is a store at {}; stop the responder and move it away first",
                path.display()
            );
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let part = part(path);
            std::fs::copy(file, &part)
                .with_context(|| format!("cannot copy {} to {}", file.display(), part.display()))?;
            if let Err(failure) = check(&part).await {
                remove(&part)?;
                return Err(failure.context(format!("{} is no whole backup", file.display())));
            }
            std::fs::rename(&part, path)?;
        }
        Place::Postgres(url) => {
            install_default_drivers();
            let mut connection = AnyConnection::connect(url.as_str())
                .await
                .context("cannot reach the database")?;
            let tables: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'",
            )
            .fetch_one(&mut connection)
            .await?;
            connection.close().await?;
            ensure!(
                tables == 0,
                "the database {} has tables; restore into an empty one",
                url.path()
            );
            let mut restore = command("pg_restore", url)?;
            restore.arg("--exit-on-error").arg("--single-transaction");
            restore.arg("--no-owner").arg(file);
            run(restore, "pg_restore").await?;
        }
    }
    Store::open(place).await?.close().await;
    Ok(())
}

async fn connect(path: &Path) -> anyhow::Result<AnyConnection> {
    install_default_drivers();
    let url = sqlite_url(path, "rw")?;
    AnyConnection::connect(&url)
        .await
        .with_context(|| format!("cannot open {}", path.display()))
}

async fn check(path: &Path) -> anyhow::Result<()> {
    let mut connection = connect(path).await?;
    let found: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await?;
    let cases: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'cases'")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    ensure!(found == "ok", "SQLite finds: {found}");
    ensure!(cases == 1, "it holds no cases");
    Ok(())
}

/// One of PostgreSQL's programs on a database. The password goes by the environment: others see a program's arguments.
fn command(program: &str, url: &Url) -> anyhow::Result<Command> {
    install_default_drivers();
    let mut command = Command::new(program);
    let mut plain = url.clone();
    if let Some(password) = url.password() {
        command.env("PGPASSWORD", percent_decoded(password));
        if plain.set_password(None).is_err() {
            bail!("`store.url` names no host");
        }
    }
    command.arg("--dbname").arg(plain.as_str());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

fn percent_decoded(text: &str) -> String {
    let pairs = format!("p={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pairs.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

async fn run(mut command: Command, program: &str) -> anyhow::Result<()> {
    let done = command.output().await.with_context(|| {
        format!(
            "cannot run {program}; install PostgreSQL's client programs of the server's version"
        )
    })?;
    ensure!(
        done.status.success(),
        "{program} failed: {}",
        String::from_utf8_lossy(&done.stderr).trim()
    );
    Ok(())
}

fn part(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Makes an empty file that only its owner reads.
fn owned(file: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map(|_| ())
        .with_context(|| format!("cannot write {}", file.display()))
}
