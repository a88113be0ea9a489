//! The embedded Kafka-compatible broker as a program: `broker --data DIR --port N`.
//!
//! A program of its own because the SQLite in its storage and the one in sqlx define the same
//! symbols: no program may link both.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use tansu_broker::broker::Broker;
use tansu_broker::coordinator::group::administrator::Controller;
use tansu_storage::{GroupDetail, GroupState, Storage, StorageContainer, UpdateError};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

// The library of this package links sqlx; its file is taken in, so that the library is not.
#[path = "../parent.rs"]
mod parent;

/// Serves the Kafka protocol on loopback, keeping its messages in SQLite.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:
  broker --data data/broker --port 9092"
)]
struct Arguments {
    /// Folder that holds the messages; made where missing.
    #[arg(long)]
    data: PathBuf,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 9092)]
    port: u16,
    /// Stop when standard input closes: when the program that started this one is gone.
    #[arg(long)]
    stop_with_parent: bool,
}

const CLUSTER: &str = "wensheng";
const NODE: i32 = 1;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.data)
        .with_context(|| format!("cannot create {}", arguments.data.display()))?;
    // The store takes every path as relative to the working directory.
    std::env::set_current_dir(&arguments.data)?;
    anyhow::ensure!(
        has_room()?,
        "less than {ROOM} bytes are free where {} is; the broker starts once there is room",
        arguments.data.display()
    );
    let address = free_address(arguments.port)?;
    let listener = Url::parse(&format!("tcp://{address}"))?;
    let storage = Url::parse("sqlite:///messages.db")?;
    // In a runtime of its own: its end closes the store, which would lock out the broker's.
    Runtime::new()?
        .block_on(forget_members(&listener, &storage))
        .context("the broker's store cannot be opened")?;
    let now = i64::try_from(UNIX_EPOCH.elapsed()?.as_millis())?;
    Runtime::new()?
        .block_on(let_go(now))
        .context("what is past its retention cannot be removed from the broker's store")?;
    Runtime::new()?.block_on(serve(
        address,
        listener,
        storage,
        arguments.stop_with_parent,
    ))
}

async fn serve(
    address: SocketAddr,
    listener: Url,
    storage: Url,
    stop_with_parent: bool,
) -> anyhow::Result<()> {
    backbone::service::start_logs();
    end_where_a_task_panics();
    let stop = backbone::service::stop_on_signal()?;
    if stop_with_parent {
        parent::stop_with_it(stop.clone());
    }
    let mut broker = Broker::<Controller<StorageContainer>, StorageContainer>::builder()
        .node_id(NODE)
        .cluster_id(CLUSTER)
        .incarnation_id(Uuid::from_u128(1))
        .advertised_listener(listener.clone())
        .listener(listener)
        .storage(storage)
        .silent(true)
        .build()
        .await
        .context("the broker's store cannot be opened")?;
    let serving = tokio::spawn(async move { broker.serve(Instant::now()).await });
    wait_until_it_answers(address, &stop).await?;
    parent::say_ready(&address.to_string());
    // What is acknowledged is in SQLite already: there is nothing to flush.
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = serving => ended?.context("the broker ended"),
        full = until_full() => full,
    }
}

/// Room that must be free for messages, in bytes.
const ROOM: u64 = 64 * 1024 * 1024;
/// Wait between looks for it.
const LOOK: Duration = Duration::from_millis(100);

/// Ends where the disk is about to be full: a connection of the store that finds no room may keep a transaction open, and shows for
/// good what was there before (tansu-broker 0.6 and SQLite, which rolls back by itself then).
async fn until_full() -> anyhow::Result<()> {
    while has_room()? {
        tokio::time::sleep(LOOK).await;
    }
    anyhow::bail!("less than {ROOM} bytes are free; the broker ends until there is room")
}

fn has_room() -> anyhow::Result<bool> {
    let disk = rustix::fs::statvfs(".")?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM)
}

/// A task that panics takes the broker's store with it, as on a full disk, and all that is asked afterwards is refused
/// (tansu-broker 0.6). What was acknowledged is in SQLite: who started this program starts it again.
fn end_where_a_task_panics() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panicked| {
        say(panicked);
        std::process::abort();
    }));
}

/// Empties the consumer groups: who was in them when the broker stopped is connected no more. Left in,
/// a member that is gone is taken for the leader until its session expires, and one that joins
/// meanwhile may be left without partitions for good (tansu-broker 0.6).
async fn forget_members(listener: &Url, storage: &Url) -> anyhow::Result<()> {
    let store = StorageContainer::builder()
        .node_id(NODE)
        .cluster_id(CLUSTER)
        .advertised_listener(listener.clone())
        .storage(storage.clone())
        .silent(true)
        .build()
        .await?;
    let empty = GroupDetail {
        state: GroupState::Forming {
            protocol_type: None,
            protocol_name: None,
            leader: None,
        },
        ..GroupDetail::default()
    };
    for group in store.list_groups(None).await? {
        let name = group.group_id;
        // The version of what is stored is told by refusing another.
        let mut known = None;
        while let Err(refused) = store.update_group(&name, empty.clone(), known.take()).await {
            match refused {
                UpdateError::Outdated { version, .. } => known = Some(version),
                other => anyhow::bail!("consumer group {name}: {other:?}"),
            }
        }
    }
    Ok(())
}

/// Messages removed by one statement, at most.
const AT_ONCE: u32 = 5_000;

/// Removes what is past the retention of its topic, before the broker serves: the broker's own cleaning (tansu-broker 0.6) leaves a
/// partition that has lost all its messages without a beginning, and who reads it from there waits for ever. The newest message
/// of a partition stays.
async fn let_go(now: i64) -> anyhow::Result<()> {
    let store = libsql::Builder::new_local("messages.db").build().await?;
    let store = store.connect()?;
    store.execute("PRAGMA foreign_keys = ON", ()).await?;
    // What is removed is not in the file any more.
    store.query("PRAGMA secure_delete = ON", ()).await?;
    let remove = format!(
        "DELETE FROM record WHERE (topition, offset_id) IN (\
         SELECT record.topition, record.offset_id FROM record \
         JOIN topition ON topition.id = record.topition \
         JOIN topic_configuration AS kept ON kept.topic = topition.topic AND kept.name = 'retention.ms' \
         WHERE CAST(kept.value AS INTEGER) > 0 AND record.timestamp < ?1 - CAST(kept.value AS INTEGER) \
         AND record.offset_id < (SELECT max(newest.offset_id) FROM record AS newest WHERE newest.topition = record.topition) \
         LIMIT {AT_ONCE})"
    );
    while store.execute(&remove, [now]).await? > 0 {}
    store.query("PRAGMA wal_checkpoint(TRUNCATE)", ()).await?;
    Ok(())
}

fn free_address(port: u16) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), port))
        .with_context(|| format!("port {port} is taken; choose another with --port"))?;
    Ok(listener.local_addr()?)
}

async fn wait_until_it_answers(
    address: SocketAddr,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    for _ in 0..600 {
        if stop.is_cancelled() || tokio::net::TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the broker does not answer at {address}")
}
