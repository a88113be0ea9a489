//! An engine as a child program: started, waited for, watched, stopped.

use std::ffi::OsStr;
use std::path::Path;
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

/// A running engine. It stops when this is dropped or the program ends, however it ends, because its
/// standard input closes then.
#[derive(Debug)]
pub struct Engine {
    name: &'static str,
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
    pub async fn start<A: AsRef<OsStr>>(
        name: &'static str,
        data: &Path,
        arguments: &[A],
    ) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name(name);
        let mut child = Command::new(&program)
            .arg("--data")
            .arg(data)
            .args(["--port", "0", "--stop-with-parent"])
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
            })?;
        let input = child.stdin.take();
        let out = child.stdout.take().context("standard output is piped")?;
        let mut lines = BufReader::new(out).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.strip_prefix("ready ") {
                    return Ok(address.to_owned());
                }
            }
            bail!("the embedded {name} ended before it was ready; its messages are above")
        };
        let address = tokio::time::timeout(START, ready).await.with_context(|| {
            format!("the embedded {name} was not ready in {} s", START.as_secs())
        })??;
        info!(engine = name, address, "engine is ready");
        Ok(Self {
            name,
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

    /// Waits until it ends by itself, which it should not.
    ///
    /// # Errors
    /// Always, with how it ended.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait().await?;
        bail!(
            "the embedded {} ended by itself ({status}); start again to go on",
            self.name
        )
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
