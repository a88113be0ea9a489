//! Carries TCP connections on, for programs on a host from which an engine is not reached: `relay LISTEN=TO …`. Says `ready` once it listens.

#![allow(
    clippy::print_stdout,
    reason = "who started it waits for a line on standard output"
)]

use anyhow::Context;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    for way in std::env::args().skip(1) {
        let (listen, to) = way.split_once('=').context("relay LISTEN=TO …")?;
        let to = to.to_owned();
        let listener = TcpListener::bind(listen).await?;
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let to = to.clone();
                tokio::spawn(async move {
                    let mut there = TcpStream::connect(to).await?;
                    copy_bidirectional(&mut here, &mut there).await
                });
            }
        });
    }
    println!("ready relay");
    std::future::pending().await
}
