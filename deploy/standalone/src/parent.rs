//! How an engine's program and the program that started it know of each other.

use std::io::{Read, Write};

use tokio_util::sync::CancellationToken;

/// Cancels `stop` when standard input closes, which it does when the parent is gone, however it went.
pub(crate) fn stop_with_it(stop: CancellationToken) {
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        if let Err(error) = std::io::stdin().read_to_end(&mut rest) {
            tracing::warn!(%error, "standard input cannot be read; stopping");
        }
        stop.cancel();
    });
}

/// Prints the line `ready ADDRESS` that the parent waits for.
pub(crate) fn say_ready(address: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "ready {address}").and_then(|()| out.flush()) {
        tracing::warn!(%error, "the parent does not listen");
    }
}
