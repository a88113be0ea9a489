//! The project's own programs, as a user starts them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// The project's root.
#[must_use]
pub fn project() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// The shared data, where it is beside the project or named by `WENSHENG_SHARED_DATA`.
#[must_use]
pub fn shared_data() -> Option<PathBuf> {
    let folder = std::env::var_os("WENSHENG_SHARED_DATA")
        .map_or_else(|| project().join("../shared/data"), PathBuf::from);
    folder.join("board_posts.jsonl").exists().then_some(folder)
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    name: String,
}

impl Program {
    /// A command for one of the workspace's programs, which `tests/run` has built.
    ///
    /// # Panics
    /// When it is not built.
    #[must_use]
    pub fn command(name: &str) -> Command {
        let own = std::env::current_exe().expect("a program knows its own path");
        // A test lies in target/release/deps, a program in target/release.
        let folder = (own.ancestors())
            .find(|folder| folder.ends_with("release"))
            .expect("it lies in target/release");
        let path = folder.join(name);
        assert!(
            path.exists(),
            "{} is not built; run cargo build --release --workspace --bins first",
            path.display()
        );
        Command::new(path)
    }

    /// Starts a command.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { child, name }
    }

    /// Starts a command and waits for its line `ready ADDRESS`; gives the address.
    ///
    /// # Panics
    /// When it ends before it is ready.
    #[must_use]
    pub fn start_and_wait(mut command: Command) -> (Self, String) {
        command.stdout(Stdio::piped());
        let mut program = Self::start(command);
        let out = program
            .child
            .stdout
            .take()
            .expect("standard output is piped");
        let mut lines = BufReader::new(out).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ready ").map(str::to_owned))
            .unwrap_or_else(|| panic!("{} ended before it was ready", program.name));
        // What it says later is read away, so that it never waits for a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        (program, address)
    }

    /// Ends it at once, as a crash would.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Whether it has ended by itself.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait().expect("a child can be asked");
        ended.is_some()
    }

    /// Asks it to stop and waits.
    ///
    /// # Panics
    /// When it does not stop within [`PATIENCE`] or not with success.
    pub fn stop(&mut self) {
        let started = Instant::now();
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("kill is a program");
        assert!(asked.success());
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                assert!(status.success(), "{} ended with {status}", self.name);
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{} did not stop", self.name);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about either outcome here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
