//! An engine as a child program: started, waited for, kept up, stopped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tracing::{info, warn};

/// Longest wait for an engine to be ready.
const START: Duration = Duration::from_secs(60);
/// Longest wait for an engine to stop by itself.
const STOP: Duration = Duration::from_secs(20);

/// Wait before one that ended is started again.
const AGAIN: Duration = Duration::from_secs(1);

/// A running engine. It stops when this is dropped or the program ends, however it ends, because its
/// standard input closes then.
#[derive(Debug)]
pub struct Engine {
    name: &'static str,
    data: PathBuf,
    arguments: Vec<OsString>,
    address: String,
    child: Child,
    /// Held here, because waiting for a child closes what it holds itself.
    input: Option<ChildStdin>,
}

impl Engine {
    /// Starts the program `name`, which lies beside this one, and waits until it is ready.
    ///
    /// # Errors
    /// When it is not there, ends before it is ready, or is not ready in time.
    pub async fn start(
        name: &'static str,
        data: PathBuf,
        arguments: Vec<OsString>,
    ) -> anyhow::Result<Self> {
        let mut child = launch(name, &data, &arguments, "0")?;
        let input = child.stdin.take();
        let address = ready(name, &mut child).await?;
        Ok(Self {
            name,
            data,
            arguments,
            address,
            child,
            input,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Starts it again at the same address whenever it ends by itself.
    ///
    /// # Errors
    /// When the system does not say how it is.
    pub async fn keep_up(&mut self) -> anyhow::Result<()> {
        loop {
            let status = self.child.wait().await?;
            warn!(engine = self.name, %status, "engine ended by itself and is started again");
            while let Err(error) = self.start_again().await {
                warn!(
                    engine = self.name,
                    error = format!("{error:#}"),
                    "engine does not start"
                );
            }
        }
    }

    async fn start_again(&mut self) -> anyhow::Result<()> {
        tokio::time::sleep(AGAIN).await;
        let (_, port) = self.address.rsplit_once(':').context("a port")?;
        let mut child = launch(self.name, &self.data, &self.arguments, port)?;
        self.input = child.stdin.take();
        ready(self.name, &mut child).await?;
        self.child = child;
        Ok(())
    }

    /// Stops it, and waits.
    pub async fn stop(mut self) {
        drop(self.input.take());
        match tokio::time::timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) => info!(engine = self.name, %status, "engine stopped"),
            Ok(Err(error)) => warn!(engine = self.name, %error, "engine cannot be waited for"),
            // Dropping it kills it; what it acknowledged is on the disk.
            Err(_) => warn!(
                engine = self.name,
                "engine did not stop in time and is ended"
            ),
        }
    }
}

fn launch(
    name: &'static str,
    data: &Path,
    arguments: &[OsString],
    port: &str,
) -> anyhow::Result<Child> {
    let program = std::env::current_exe()?.with_file_name(name);
    Command::new(&program)
        .arg("--data")
        .arg(data)
        .args(["--port", port, "--stop-with-parent"])
        .args(arguments)
        // An engine's own chatter is not this program's; its warnings are.
        .env(
            "RUST_LOG",
            std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned()),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A Ctrl-C on the terminal is for this program, which stops its engines last.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| {
            format!(
                "cannot start {}; build it with deploy/up",
                program.display()
            )
        })
}

/// Waits until it says where it listens.
async fn ready(name: &'static str, child: &mut Child) -> anyhow::Result<String> {
    let out = child.stdout.take().context("standard output is piped")?;
    let mut lines = BufReader::new(out).lines();
    let said = async {
        while let Some(line) = lines.next_line().await? {
            if let Some(address) = line.strip_prefix("ready ") {
                return Ok(address.to_owned());
            }
        }
        bail!("the embedded {name} ended before it was ready; its messages are above")
    };
    let address = tokio::time::timeout(START, said)
        .await
        .with_context(|| format!("the embedded {name} was not ready in {} s", START.as_secs()))??;
    info!(engine = name, address, "engine is ready");
    Ok(address)
}
