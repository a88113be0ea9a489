//! The embedded ClickHouse as a program: `clickhouse --data DIR --port N`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Parser;

#[path = "../parent.rs"]
mod parent;

/// Serves ClickHouse's HTTP interface on loopback, over the engine as a library.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:
  clickhouse --data data/clickhouse --port 8123 --lib \"$(deploy/libchdb)\"
  curl 'http://127.0.0.1:8123/?query=SELECT+version()'"
)]
struct Arguments {
    /// Folder that holds the database; made where missing.
    #[arg(long)]
    data: PathBuf,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8123)]
    port: u16,
    /// Loopback address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// The engine's library, as printed by deploy/libchdb.
    #[arg(long, env = "CHDB_LIB")]
    lib: PathBuf,
    /// Stop when standard input closes: when the program that started this one is gone.
    #[arg(long)]
    stop_with_parent: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    backbone::service::start_logs();
    let stop = backbone::service::stop_on_signal()?;
    if arguments.stop_with_parent {
        parent::stop_with_it(stop.clone());
    }
    let listen = SocketAddr::new(arguments.host, arguments.port);
    standalone::clickhouse::serve(&arguments.lib, &arguments.data, listen, stop, |address| {
        parent::say_ready(&format!("http://{address}"));
    })
    .await
}
