//! Wensheng on one machine.

use std::io::Write;
use std::process::ExitCode;

use backbone::service;
use clap::Parser;
use mimalloc::MiMalloc;
use standalone::app;

// Posts are many small pieces of memory; the system's allocator takes a quarter of the analyzer's time for them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs Wensheng whole on embedded engines: what deploy/up starts.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:
  CHDB_LIB=$(deploy/libchdb) standalone --config deploy/config --data data --port 8080

Prints `ready ADDRESS` once the console answers; DATA/standalone.json then says where everything listens.
Ctrl-C stops in order."
)]
struct Program {
    #[command(flatten)]
    arguments: app::Arguments,
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = Program::parse();
    service::start_logs();
    let result = async {
        let stop = service::stop_on_signal()?;
        app::run(program.arguments, stop, |addresses| {
            let mut out = std::io::stdout().lock();
            if let Err(error) =
                writeln!(out, "ready {}", addresses.console).and_then(|()| out.flush())
            {
                tracing::warn!(%error, "nobody reads standard output");
            }
        })
        .await
    };
    service::exit_code(result.await)
}
